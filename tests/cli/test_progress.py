"""The progress bar: on a terminal only, with rows and speed, gone at the end."""

from __future__ import annotations

import io
import sys

import pytest

from leadline.cli.progress import INTERVAL, LINES, ProgressBar
from leadline.scan.options import Progress


class Screen(io.StringIO):
    """Standard error that says whether it is a terminal."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


def drawn(monkeypatch: pytest.MonkeyPatch, *, terminal: bool, quiet: bool, known: bool) -> str:
    screen = Screen(terminal=terminal)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    clock = iter(1_000.0 + 5 * INTERVAL * step for step in range(1_000))
    monkeypatch.setattr("leadline.cli.progress.time.monotonic", lambda: next(clock))
    with ProgressBar(quiet=quiet) as bar:
        for part in range(1, 5):
            total = 40_000 if known else None
            bar.update(Progress(part * 10_000, total, 0, 1, part * 250, 1_000))
    return screen.getvalue()


@pytest.mark.parametrize("known", [True, False])
def test_a_terminal_sees_share_rows_and_speed(
    monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    text = drawn(monkeypatch, terminal=True, quiet=False, known=known)
    for part in ("profiling", "50%", "100%", "20,000 rows", "rows/s"):
        assert part in text, part
    assert text.rstrip("\n").endswith("\x1b[2K")


@pytest.mark.parametrize(("terminal", "quiet"), [(False, False), (True, True)])
def test_nothing_is_drawn_elsewhere(
    monkeypatch: pytest.MonkeyPatch, *, terminal: bool, quiet: bool
) -> None:
    assert drawn(monkeypatch, terminal=terminal, quiet=quiet, known=True) == ""


def test_a_log_gets_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """From a run that goes on: what was done before counts neither for speed nor for time left."""
    screen = Screen(terminal=False)
    monkeypatch.setattr(sys, "stderr", screen)
    clock = iter(1_000.0 + LINES / 2 * step for step in range(1_000))
    monkeypatch.setattr("leadline.cli.progress.time.monotonic", lambda: next(clock))
    with ProgressBar(quiet=False) as bar:
        for part in range(5):
            bar.update(Progress(600_000 + part * 15_000, 1_200_000, 0, 1, 0, 0))
    assert screen.getvalue().splitlines() == [
        "leadline: 52%, 630,000 rows, 1,000 rows/s, 9 min 30 s left",
        "leadline: 55%, 660,000 rows, 1,000 rows/s, 9 min left",
    ]
