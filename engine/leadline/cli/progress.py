"""Progress on standard error: rows, rows a second, time left.

On a terminal a bar; elsewhere, as in the log of a job, a line now and then once a run takes long.
"""

from __future__ import annotations

import itertools
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .output import console, note

if TYPE_CHECKING:
    from rich.progress import Progress

    from ..scan.options import Progress as ScanProgress

INTERVAL = 0.1  # seconds between two pictures of the bar
LINES = 30.0  # seconds between two lines


class ProgressBar:
    """A bar that opens at the first `update` and closes with its block, or lines.

    Parameters
    ----------
    quiet
        Whether to show nothing at all.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._shown = not quiet and sys.stderr is not None
        self._terminal = self._shown and sys.stderr.isatty()
        self._bar: Progress | None = None
        self._first: tuple[float, ScanProgress] | None = None
        self._next = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def update(self, progress: ScanProgress) -> None:
        """Show how far a scan is: by rows where their number is known, else by bytes."""
        now = time.monotonic()
        if not self._shown or now < self._next:
            return
        # What was done before the first report was done by an earlier run.
        begin, first = self._first = self._first or (now, progress)
        elapsed = now - begin
        speed = (progress.rows_done - first.rows_done) / max(elapsed, 1e-3)
        if self._terminal:
            self._next = now + INTERVAL
            self._draw(progress, speed)
            return
        self._next = now + LINES
        if progress is not first:
            note(_line(progress, first, speed, elapsed))

    def _draw(self, progress: ScanProgress, speed: float) -> None:
        done, total = _share(progress)
        if self._bar is None:
            self._bar = _bar()
            self._bar.add_task("profiling", total=None, rows="", speed="")
            self._bar.start()
        self._bar.update(
            self._bar.tasks[0].id,
            completed=done,
            total=total or None,
            rows=f"{progress.rows_done:,} rows",
            speed=f"{speed:,.0f} rows/s",
        )
        self._bar.refresh()


def _share(progress: ScanProgress) -> tuple[int, int]:
    """How much is done of how much."""
    if progress.rows_total is None:
        return progress.bytes_done, progress.bytes_total
    return progress.rows_done, progress.rows_total


def _line(progress: ScanProgress, first: ScanProgress, speed: float, elapsed: float) -> str:
    done, total = _share(progress)
    since = done - _share(first)[0]
    parts = [f"{progress.rows_done:,} rows", f"{speed:,.0f} rows/s"]
    if total:
        parts.insert(0, f"{done / total:.0%}")
        if since > 0:
            parts.append(f"{_duration(elapsed * (total - done) / since)} left")
    return ", ".join(parts)


def _duration(seconds: float) -> str:
    """A time in its largest unit and the next.

    >>> _duration(42.4), _duration(150), _duration(7_500), _duration(400_000)
    ('42 s', '2 min 30 s', '2 h 5 min', '4 d 15 h')
    """
    units = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
    rest = round(seconds)
    for (size, name), (smaller, next_name) in itertools.pairwise(units):
        if rest >= size:
            more = rest % size // smaller
            return f"{rest // size} {name}" + (f" {more} {next_name}" if more else "")
    return f"{rest} s"


def _bar() -> Progress:
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]}", markup=False),
        TextColumn("{task.fields[speed]}", markup=False),
        TimeRemainingColumn(compact=True),
        console=console(errors=True),
        transient=True,
        auto_refresh=False,
        get_time=time.monotonic,
    )
