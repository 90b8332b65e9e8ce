"""Consecutive alarms joined into events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .anomalies import Expected
from .baselines import Basis, Columns, merged
from .effects import Series
from .timeline import Part
from .words import Change, figures_of, told

Floats = NDArray[np.float64]
Merge = Callable[[Sequence[int]], Columns]


@dataclass(frozen=True, slots=True)
class Event:
    """Alarms in a row, with at most so many quiet windows between two of them.

    Parameters
    ----------
    start, end, peak
        Labels of its first and last window that alarmed, and of the one with the highest score.
    windows
        Windows from start to end, quiet ones included.
    score
        Score of the peak.
    against
        What the windows were compared with: ``reference``, ``previous`` or ``rolling``.
    ongoing
        Whether the last window of the trend belongs to it.
    changes
        What every series in alarm did, the highest score first, rows and freshness before all.
    """

    start: str
    end: str
    peak: str
    windows: int
    score: float
    against: str
    ongoing: bool
    changes: tuple[Change, ...]

    @property
    def severity(self) -> float:
        """Sum of the scores of its series: what changes many columns is worse than what one."""
        return sum(change.score for change in self.changes)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that changed."""
        return tuple(dict.fromkeys(change.column for change in self.changes if change.column))

    def to_dict(self) -> dict[str, Any]:
        """All fields under their names."""
        return {
            "start": self.start,
            "end": self.end,
            "peak": self.peak,
            "windows": self.windows,
            "score": self.score,
            "severity": self.severity,
            "against": self.against,
            "ongoing": self.ongoing,
            "columns": list(self.columns),
            "changes": [change.to_dict() for change in self.changes],
        }


def runs(alarms: NDArray[np.bool_], bridge: int) -> list[tuple[int, int]]:
    """First and last place of every run of alarms, bridging up to so many quiet windows.

    >>> runs(np.array([1, 1, 0, 1, 0, 0, 1], dtype=bool), bridge=1)
    [(0, 3), (6, 6)]
    """
    places = np.flatnonzero(alarms)
    if not len(places):
        return []
    ends = np.flatnonzero(np.diff(places) > bridge + 1)
    first, last = np.concatenate([[0], ends + 1]), np.concatenate([ends, [len(places) - 1]])
    return list(zip(places[first].tolist(), places[last].tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Teller:
    """Says what happened in events.

    Parameters
    ----------
    parts
        All windows.
    series
        All series.
    expected
        Table-level figures by name, with what is usual.
    k
        Size of the quantile sketches.
    bridge
        Quiet windows that may lie between two alarms of one event.
    """

    parts: Sequence[Part]
    series: Sequence[Series]
    expected: Mapping[str, Expected]
    k: int
    bridge: int

    def events(
        self,
        kind: str,
        bases: Sequence[Basis | None],
        sizes: Floats,
        scores: Floats,
        alarms: NDArray[np.bool_],
        *,
        columns: Merge | None,
    ) -> tuple[Event, ...]:
        """The events of a run; series are rows, windows columns.

        Parameters
        ----------
        columns
            Gives the columns of a baseline by its windows, where these have been merged.
        """
        alarmed: NDArray[np.bool_] = np.asarray(alarms.any(axis=0))
        result = []
        for first, last in runs(alarmed, self.bridge):
            span = slice(first, last + 1)
            counted = np.where(alarms[:, span], scores[:, span], 0.0)
            rows = [row for row in range(len(self.series)) if alarms[row, span].any()]
            rows.sort(key=lambda row: (bool(self.series[row].column), -counted[row].max()))
            changes = []
            for row in rows:
                place = first + int(counted[row].argmax())
                _, before, after, text = self._figures(
                    self.series[row], place, bases[place], columns
                )
                inside = np.flatnonzero(alarms[row, span]).tolist()
                windows = [self.parts[first + i].label for i in inside]
                changes.append(
                    Change(
                        column=self.series[row].column,
                        what=self.series[row].what,
                        window=self.parts[place].label,
                        windows=tuple(windows),
                        score=float(scores[row, place]),
                        size=float(sizes[row, place]),
                        before=before,
                        after=after,
                        text=text,
                        position=row,
                    )
                )
            peak = first + int(counted.max(axis=0).argmax())
            result.append(
                Event(
                    start=self.parts[first].label,
                    end=self.parts[last].label,
                    peak=self.parts[peak].label,
                    windows=last - first + 1,
                    score=float(counted.max()),
                    against=kind,
                    ongoing=last == len(self.parts) - 1,
                    changes=tuple(changes),
                )
            )
        return tuple(result)

    def _figures(
        self, series: Series, place: int, basis: Basis | None, columns: Merge | None
    ) -> tuple[str, float, float, str]:
        if not series.column:
            figures = self.expected[series.what]
            return told(series.what, float(figures.usual[place]), float(figures.value[place]))
        members = () if basis is None else basis.members
        name, part = series.column, self.parts[place]
        if columns is None:
            states = [self.parts[i].states for i in members]
            merge = merged([{name: own[name]} for own in states if name in own], self.k)
        else:
            merge = columns(members)
        return figures_of(series, merge.get(name), part.states.get(name), part.rows, self.k)
