"""Rows, gaps and freshness of windows, against the reference's windows of the same season.

Rows are overdispersed, so no law of counts is assumed: how far they usually are from the median is
for the history of the series to say. A missing window is one of no rows; it is ordinary where more
than a tenth of the season's others are missing too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..profile import Window
from .effects import LATENESS, RATIO
from .seasons import Classes, Season
from .timeline import Part

Floats = NDArray[np.float64]

ORDINARY_GAPS = 0.1


@dataclass(frozen=True, slots=True)
class Expected:
    """A table-level figure of every window beside what the reference leads to expect.

    Parameters
    ----------
    value, usual
        The window's figure and the median of the same season's windows, itself left out.
    sizes
        How far it is from that, over its threshold; NaN where nothing can be said.
    """

    value: Floats
    usual: Floats
    sizes: Floats


class UsualRows:
    """The reference's rows by season.

    Parameters
    ----------
    parts
        The reference's windows.
    classes
        The same (before any were merged) by season.
    """

    def __init__(self, parts: Sequence[Part], classes: Classes) -> None:
        counts = [rows for part in parts for _, rows in part.counted]
        self._medians = _Medians(np.log(np.array([rows or math.nan for rows in counts])), classes)

    def of(self, part: Part, place: int | None = None) -> tuple[float, float, float]:
        """Rows, usual rows and effect of a window; of those merged into it, of the most unusual.

        Parameters
        ----------
        place
            Place of the first window of the part, if it is one of the reference's.
        """
        found = []
        for index, (window, rows) in enumerate(part.counted):
            own = None if place is None else place + index
            median, present = self._medians.of(window, own)
            usual = 0.0 if math.isnan(median) else math.exp(median)
            size = abs(math.log1p(rows) - math.log1p(usual)) / RATIO
            if math.isnan(present):
                size = math.nan  # no other window to say what is usual
            elif not rows and present < 1 - ORDINARY_GAPS:
                size = 0.0
            found.append((float(rows), usual, size))
        return max(found, key=lambda one: (not math.isnan(one[2]), one[2]))


def rows_of(parts: Sequence[Part], reference: int, classes: Classes) -> Expected:
    """Rows of every window.

    Parameters
    ----------
    parts
        All windows, the reference's first.
    reference
        How many are the reference's.
    classes
        The reference's windows (before any were merged) by season.
    """
    usual = UsualRows(parts[:reference], classes)
    found = []
    place = 0
    for index, part in enumerate(parts):
        found.append(usual.of(part, place if index < reference else None))
        place += len(part.counted)
    return Expected(*np.array(found).T)


class UsualLateness:
    """The reference's freshness by season: seconds from the newest instant of a window to its end.

    Parameters
    ----------
    parts
        The reference's windows.
    classes
        The same by season.
    time, seconds
        The time column, and the usual length of a window.
    """

    def __init__(self, parts: Sequence[Part], classes: Classes, time: str, seconds: float) -> None:
        self._time, self._seconds = time, seconds
        self._medians = _Medians(np.array([_lateness(part, time) for part in parts]), classes)

    def of(self, part: Part, place: int | None = None) -> tuple[float, float, float]:
        """Lateness (NaN without a time), usual lateness and effect of a window."""
        late = _lateness(part, self._time)
        usual = self._medians.of(part.window, place)[0]
        return late, usual, float(np.maximum(late - usual, 0.0)) / self._seconds / LATENESS


def lateness_of(
    parts: Sequence[Part], reference: int, classes: Classes, time: str, seconds: float
) -> Expected:
    """Lateness of every window; see `UsualLateness`."""
    usual = UsualLateness(parts[:reference], classes, time, seconds)
    found = [
        usual.of(part, index if index < reference else None) for index, part in enumerate(parts)
    ]
    return Expected(*np.array(found).T)


def _lateness(part: Part, time: str) -> float:
    state = part.states.get(time)
    newest = None if state is None else getattr(state.summary, "maximum", None)
    unit = None if state is None else state.column.unit
    if newest is None or unit is None or part.window is None or part.window.end is None:
        return math.nan
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    return part.window.end / 1e6 - int(newest) / per_second


class _Medians:
    """Medians over the seasons of a reference, leaving one window out where it is one of them."""

    def __init__(self, values: Floats, classes: Classes) -> None:
        self._values = values
        self._classes = classes
        self._seasons: dict[Season, tuple[Floats, int]] = {}

    def of(self, window: Window | None, place: int | None) -> tuple[float, float]:
        """Median of the season's other windows, and the share of them that have a value.

        Both are NaN if there are no others.
        """
        season = self._classes.of(window)
        if season not in self._seasons:
            own = self._values[list(self._classes.members(season))]
            self._seasons[season] = np.sort(own[np.isfinite(own)]), len(own)
        known, count = self._seasons[season]
        left_out = None
        if place is not None:
            count -= 1
            value = float(self._values[place])
            if math.isfinite(value):
                left_out = int(np.searchsorted(known, value))
        present = len(known) - (left_out is not None)
        if not present:
            return math.nan, 0.0 if count else math.nan
        return _median_without(known, left_out), present / count


def _median_without(ascending: Floats, left_out: int | None) -> float:
    """Median of ascending values, one of them left out."""
    places = len(ascending) - (left_out is not None)
    middle = []
    for place in ((places - 1) // 2, places // 2):
        passed = left_out is not None and place >= left_out
        middle.append(float(ascending[place + passed]))
    return (middle[0] + middle[1]) / 2
