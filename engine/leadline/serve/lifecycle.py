"""The life of the process that monitors live in: forks, its end, and signals that end it.

Nothing is started and nothing is registered before the first monitor is made.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import weakref
from types import FrameType
from typing import Any, Protocol


class Living(Protocol):
    """What has to know that its process forked or ends."""

    def close(self) -> None:
        """Write what is left and stop."""

    def flush(self, timeout: float = ...) -> bool:
        """Write what is left and go on."""

    def _pause(self, seconds: float) -> bool:
        """Let nothing be half done in the background; whether that took less than so long."""

    def _resume(self) -> None:
        """Go on after a pause."""

    def _forked(self) -> None:
        """Begin anew in a forked child."""


_living: weakref.WeakSet[Living] = weakref.WeakSet()
_registered = False
# How long a process that was told to end waits for a disk.
_LAST_WORDS = 5.0
# How long a fork waits for what is written in the background, which takes milliseconds. A thread
# that is stopped somewhere in the middle may hold a lock of any library, which nobody in the child
# ever gives back; a disk that does not answer must not stop the process for long, though.
_HALF_DONE = 1.0


def register(monitor: Living) -> None:
    """Tell a monitor of forks and of the end of the process, as long as somebody holds it."""
    global _registered  # noqa: PLW0603 (once a process)
    _living.add(monitor)
    if not _registered:
        _registered = True
        os.register_at_fork(
            before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child
        )
        atexit.register(_close_all)


def close_at_end_of_worker() -> None:
    """Close monitors also where a `multiprocessing` worker ends, which runs no exit handlers.

    Called by the first row of a process: what was registered before a worker began is forgotten.
    """
    util = sys.modules.get("multiprocessing.util")
    if util is not None and sys.modules["multiprocessing"].parent_process() is not None:
        util.Finalize(None, _close_all, exitpriority=0)


def flush_on_sigterm() -> None:
    """Write what is left when the process is told to end, then do what would have been done.

    Only the main thread may set it; elsewhere, nothing is done. Servers that set a handler of their
    own later, as uvicorn and gunicorn do, end in theirs, and may call this one.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    before = signal.getsignal(signal.SIGTERM)
    if before is _terminated:
        return
    _before_sigterm[:] = [before]
    signal.signal(signal.SIGTERM, _terminated)


_before_sigterm: list[Any] = []


def _terminated(number: int, frame: FrameType | None) -> None:
    for monitor in list(_living):
        monitor.flush(_LAST_WORDS)
    before = _before_sigterm[0] if _before_sigterm else signal.SIG_DFL
    if callable(before):
        before(number, frame)
    elif before is not signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


# By the thread that forks.
_paused: dict[int, list[Living]] = {}


def _before_fork() -> None:
    _paused[threading.get_ident()] = [
        monitor
        for monitor in sorted(_living, key=id)  # two threads that fork wait in the same order
        if monitor._pause(_HALF_DONE)
    ]


def _after_fork() -> None:
    for monitor in _paused.pop(threading.get_ident(), ()):
        monitor._resume()


def _after_fork_in_child() -> None:
    _paused.clear()
    for monitor in list(_living):
        monitor._forked()


def _close_all() -> None:
    for monitor in list(_living):
        monitor.close()
