"""What is exported of one monitor, kept ready: a scrape joins what the monitor's thread has made.

Of 1,000 fields, quantiles take 0.2 s and text 20 ms. Both are made in the background once a closed
window, in pieces of some 0.2 ms, and in no more than a twentieth of the time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import TYPE_CHECKING

from ..profile import Cell
from .exposition import Bodies, Format, bodies
from .metrics import Choice, Sample, Totals, of_drift, of_status, of_window, pause
from .windows import OpenWindow

if TYPE_CHECKING:
    from .monitor import Monitor

# After making the figures of a window, rest for so many times as long: short windows are left out.
_REST = 20.0


class _Made:
    """Samples that do not change any more, and how they are written in the formats asked for."""

    __slots__ = ("_rest", "_written", "samples")

    def __init__(self, samples: Sequence[Sample], rest: Callable[[], None]) -> None:
        self.samples, self._rest = samples, rest
        self._written: dict[Format, Bodies] = {}

    @property
    def formats(self) -> list[Format]:
        """The formats that were asked for."""
        return list(self._written)

    def written(self, format_: Format) -> Bodies:
        """The samples in a format."""
        own = Format.TEXT if format_.textual else format_
        if own not in self._written:
            self._written[own] = bodies(self.samples, own, self._rest)
        return self._written[own]


class Observed:
    """Follows a monitor for those who export it.

    Parameters
    ----------
    monitor
        The monitor.
    choice
        Which figures.
    bounds
        Bounds of the classic buckets of durations, in seconds.
    rest
        Called between pieces of work.
    """

    def __init__(
        self,
        monitor: Monitor,
        choice: Choice,
        bounds: Sequence[float],
        rest: Callable[[], None] = pause,
    ) -> None:
        self.monitor = monitor
        self._choice, self._bounds, self._rest = choice, bounds, rest
        self._version = metadata.version("leadline")
        self.forget()
        monitor.observe(self)

    # --- the monitor's thread --------------------------------------------------------------------

    def forget(self) -> None:
        """Begin anew, as in a forked child."""
        self._working = threading.Lock()
        self._totals = Totals(self.monitor.name, self._choice, self._bounds)
        self._counted, self._window = self._made(()), self._made(())
        self._pending: OpenWindow | None = None
        self._due = 0.0

    def saved(self, cells: Sequence[Cell]) -> None:
        """Count the rows of these cells."""
        self._totals.add(cells, self._rest)
        self._rest()
        self._counted = self._made(list(self._totals.samples()), self._counted.formats)
        self.refresh()

    def closed(self, window: OpenWindow) -> None:
        """Show this window from now on."""
        self._pending = window
        self.refresh()

    # --- any thread ------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Make the figures of the newest closed window, if that is due and nobody else is at it."""
        if self._pending is None or time.monotonic() < self._due:
            return
        if not self._working.acquire(blocking=False):
            return
        try:
            window, self._pending = self._pending, None
            if window is not None:
                self._show(window)
        finally:
            self._working.release()

    def samples(self) -> list[Sample]:
        """All of it, at this moment."""
        self.refresh()
        return [*self._own(), *self._counted.samples, *self._window.samples]

    def written(self, format_: Format) -> list[Bodies]:
        """The same as it stands in a format below the headers."""
        self.refresh()
        own = bodies(self._own(), format_, self._rest)
        return [own, self._counted.written(format_), self._window.written(format_)]

    def _own(self) -> list[Sample]:
        monitor = self.monitor
        status = monitor.status()
        every = monitor.settings.every or ""
        return list(of_status(status, version=self._version, every=every, now=time.time()))

    def _show(self, window: OpenWindow) -> None:
        began = time.thread_time()
        monitor, k = self.monitor, self.monitor.settings.k
        cells = window.cells(k)
        found = list(
            of_window(monitor.name, window.window, cells, self._choice, k=k, rest=self._rest)
        )
        if monitor.drift is not None:
            found += of_drift(monitor.name, monitor.drift, self._choice)
        self._window = self._made(found, self._window.formats)
        self._due = time.monotonic() + _REST * (time.thread_time() - began)

    def _made(self, samples: Sequence[Sample], formats: Sequence[Format] = ()) -> _Made:
        """Samples, written already as text and in the formats that were asked for before."""
        made = _Made(samples, self._rest)
        for format_ in {Format.TEXT, *formats}:
            made.written(format_)
        return made
