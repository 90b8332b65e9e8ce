"""A progress bar on standard error: rows, rows a second, time left. Nothing without a terminal."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .output import console

if TYPE_CHECKING:
    from rich.progress import Progress

    from ..scan.options import Progress as ScanProgress

INTERVAL = 0.1


class ProgressBar:
    """A bar that opens at the first `update` and closes with its block.

    Parameters
    ----------
    quiet
        Whether to show nothing at all.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._shown = not quiet and sys.stderr is not None and sys.stderr.isatty()
        self._bar: Progress | None = None
        self._begin = time.monotonic()
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
        self._next = now + INTERVAL
        if progress.rows_total is None:
            done, total = progress.bytes_done, progress.bytes_total
        else:
            done, total = progress.rows_done, progress.rows_total
        if self._bar is None:
            self._bar = _bar()
            self._bar.add_task("profiling", total=None, rows="", speed="")
            self._bar.start()
        task = self._bar.tasks[0]
        speed = progress.rows_done / max(now - self._begin, 1e-3)
        self._bar.update(
            task.id,
            completed=done,
            total=total or None,
            rows=f"{progress.rows_done:,} rows",
            speed=f"{speed:,.0f} rows/s",
        )
        self._bar.refresh()


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
