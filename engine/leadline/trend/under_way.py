"""An event while it goes on: alarms of one window after the other, joined."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .baselines import REFERENCE
from .effects import Series
from .events import Event
from .past import Judged
from .timeline import Part
from .words import Change

Floats = NDArray[np.float64]
Words = Mapping[int, tuple[str, float, float, str]]

# Labels of windows that are kept of each series: an event may last for a year of minutes.
MOST_LABELS = 100


class UnderWay:
    """The event that the last window belongs to, if it belongs to one.

    Parameters
    ----------
    series
        All series.
    """

    def __init__(self, series: tuple[Series, ...]) -> None:
        self._series = series
        self.event: Event | None = None
        self._changes: dict[int, Change] = {}
        self._labels: dict[int, deque[str]] = {}

    def add(self, part: Part, judged: Judged, sizes: Floats, words: Words) -> None:
        """Enter the next window, quiet or not; ``words`` say what each series in alarm did."""
        rows = judged.alarmed
        if not rows:
            self.event = None
            return
        if self.event is None:
            self._changes, self._labels = {}, {}
        for row in rows:
            self._labels.setdefault(row, deque(maxlen=MOST_LABELS)).append(part.label)
            known = self._changes.get(row)
            if known is None or judged.scores[row] > known.score:
                self._changes[row] = self._change(row, part, judged, sizes, words[row])
        score = float(judged.scores[rows].max())
        before = self.event
        worse = before is None or score > before.score
        self.event = Event(
            start=part.label if before is None else before.start,
            end=part.label,
            peak=part.label if before is None or worse else before.peak,
            windows=1 if before is None else before.windows + 1,
            score=score if before is None or worse else before.score,
            against=REFERENCE,
            ongoing=True,
            changes=tuple(self._ordered()),
        )

    def _change(
        self,
        row: int,
        part: Part,
        judged: Judged,
        sizes: Floats,
        words: tuple[str, float, float, str],
    ) -> Change:
        _, before, after, text = words
        return Change(
            column=self._series[row].column,
            what=self._series[row].what,
            window=part.label,
            windows=(),
            score=float(judged.scores[row]),
            size=float(sizes[row]),
            before=before,
            after=after,
            text=text,
            position=row,
        )

    def _ordered(self) -> list[Change]:
        """The highest score first, rows and freshness before all."""
        changes = [
            replace(change, windows=tuple(self._labels[row]))
            for row, change in sorted(self._changes.items())
        ]
        return sorted(changes, key=lambda change: (bool(change.column), -change.score))
