"""Attributes made when they are first asked for."""

from __future__ import annotations

import threading

from leadline._lazy import lazy


class Thing:
    def __init__(self) -> None:
        self.made = 0
        self.wait: threading.Event | None = None
        self.begun = threading.Event()

    @lazy
    def value(self) -> int:
        """Of the thing."""
        self.begun.set()
        if self.wait is not None:
            assert self.wait.wait(30)
        self.made += 1
        return self.made


def test_made_once_for_each_instance() -> None:
    one, other = Thing(), Thing()
    assert (one.made, one.value, one.value, one.made) == (0, 1, 1, 1)
    assert (other.made, other.value) == (0, 1)
    assert Thing.value.__doc__ == "Of the thing."


def test_nobody_waits_for_another_instance() -> None:
    """What a thread of the parent is making when it forks must not stop the child."""
    slow, quick = Thing(), Thing()
    slow.wait = threading.Event()
    thread = threading.Thread(target=lambda: slow.value)
    thread.start()
    assert slow.begun.wait(30)
    assert quick.value == 1
    slow.wait.set()
    thread.join()
    assert slow.value == 1
