"""Durations counted since the start in the two forms that Prometheus knows: classic and native.

A *classic* histogram counts values up to each of a few bounds. A *native* one has exponential
buckets, ``2**(1/8)`` apart here (schema 3): no bounds need to be chosen, and a quantile is within
5 %. Both grow by what each flush saved: a state's exact values where it holds them, otherwise the
midpoints of its log-linear buckets, so that a value within 0.2 % of a bound may be counted on its
other side.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..profile import ColumnState
from ..profile.summaries import NumericSummary
from ..schema import Kind, Role

# Those of prometheus_client and client_golang without the least of the former's.
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SCHEMA = 3
_STEPS = 1 << SCHEMA
# Upper bounds of the buckets in [0.5, 1) after the first, whose upper bound is 0.5 itself.
_FRACTIONS = 0.5 * 2.0 ** (np.arange(_STEPS) / _STEPS)
# A column's unit is read from the end of its name; seconds if it says nothing.
_UNITS = {
    "_ms": 1e-3,
    "_millis": 1e-3,
    "_milliseconds": 1e-3,
    "_us": 1e-6,
    "_micros": 1e-6,
    "_microseconds": 1e-6,
    "_ns": 1e-9,
    "_nanoseconds": 1e-9,
    "_minutes": 60.0,
}


@dataclass(frozen=True, slots=True)
class Latencies:
    """How often which durations occurred; finite values only.

    Parameters
    ----------
    bounds
        Upper bounds of the classic buckets in seconds, ascending.
    below
        Values at or below each bound, as they are added to the one before; the last entry counts
        those above all bounds.
    positive, negative
        Values by the number of their native bucket: number i holds ``(2**((i-1)/8), 2**(i/8)]``.
    zeros, count, total
        Values that are 0, all values, and their sum in seconds.

    Examples
    --------
    >>> Latencies((0.1, 1.0)).cumulative()
    [(0.1, 0), (1.0, 0), (inf, 0)]
    """

    bounds: Sequence[float] = BOUNDS
    below: Sequence[int] = ()
    positive: Mapping[int, int] = field(default_factory=dict)
    negative: Mapping[int, int] = field(default_factory=dict)
    zeros: int = 0
    count: int = 0
    total: float = 0.0

    def add(self, state: ColumnState) -> Latencies:
        """The same with the values of a column's state."""
        summary = state.summary
        assert isinstance(summary, NumericSummary)
        unit = unit_of(state.column.name)
        values, counts = _points(summary)
        seconds = values * unit
        classic = np.zeros(len(self.bounds) + 1, dtype=np.int64)
        np.add.at(classic, np.searchsorted(np.asarray(self.bounds), seconds, "left"), counts)
        before = self.below or [0] * len(classic)
        moments = summary.get_moments()
        return Latencies(
            self.bounds,
            [old + int(new) for old, new in zip(before, classic, strict=True)],
            _with(self.positive, seconds[seconds > 0], counts[seconds > 0]),
            _with(self.negative, -seconds[seconds < 0], counts[seconds < 0]),
            self.zeros + int(counts[seconds == 0].sum()),
            self.count + int(counts.sum()),
            self.total + moments.mean * moments.count * unit,
        )

    def cumulative(self) -> list[tuple[float, int]]:
        """Upper bound and count of each classic bucket; the last bound is infinite."""
        below = self.below or [0] * (len(self.bounds) + 1)
        counts = np.cumsum(np.asarray(below, dtype=np.int64)).tolist()
        return list(zip((*self.bounds, math.inf), counts, strict=True))


def bounds_of(bounds: Sequence[float]) -> tuple[float, ...]:
    """Bounds of classic buckets, ascending.

    Raises
    ------
    InputError
        If there are none, or one is no finite number.
    """
    found = tuple(sorted({float(bound) for bound in bounds}))
    if not found or not all(math.isfinite(bound) for bound in found):
        raise InputError(f"bounds are finite numbers of seconds, not {bounds!r}")
    return found


def measures_latency(state: ColumnState) -> bool:
    """Whether a column holds durations."""
    known = state.column.kind in (Kind.INTEGER, Kind.FLOAT)
    return known and state.column.role is Role.LATENCY and state.summary is not None


def unit_of(name: str) -> float:
    """Seconds in one unit of a column of durations.

    >>> unit_of("latency"), unit_of("latency_ms")
    (1.0, 0.001)
    """
    found = (unit for ending, unit in _UNITS.items() if name.lower().endswith(ending))
    return next(found, 1.0)


def spans_of(buckets: Mapping[int, int]) -> tuple[list[tuple[int, int]], list[int]]:
    """Native buckets as Prometheus stores them: runs without gaps, and differences of counts.

    Returns
    -------
    spans, deltas
        Of each run the distance from the end of the one before (the first: from bucket 0) and its
        length; each count minus the one before it.

    Examples
    --------
    >>> spans_of({-2: 3, -1: 1, 4: 2})
    ([(-2, 2), (4, 1)], [3, -2, 1])
    """
    spans: list[tuple[int, int]] = []
    deltas: list[int] = []
    end = last = 0
    for number in sorted(buckets):
        if spans and number == end:
            spans[-1] = (spans[-1][0], spans[-1][1] + 1)
        else:
            spans.append((number - end, 1))
        end = number + 1
        deltas.append(buckets[number] - last)
        last = buckets[number]
    return spans, deltas


def _points(summary: NumericSummary) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Finite values, or the midpoints of their buckets, and how often they occur."""
    if summary.counts is not None:
        values = summary.counts.values.astype(np.float64)
        finite = np.isfinite(values)
        return values[finite], summary.counts.counts[finite].astype(np.int64)
    assert summary.histogram is not None
    buckets = summary.histogram.buckets()
    # Not half the sum, which may be beyond the largest double.
    middle = 0.5 * buckets.lower + 0.5 * np.minimum(buckets.upper, np.finfo(np.float64).max)
    return np.append(middle, 0.0), np.append(buckets.counts, summary.zeros)


def _with(
    known: Mapping[int, int], sizes: NDArray[np.float64], counts: NDArray[np.int64]
) -> dict[int, int]:
    """Native buckets with some positive sizes added."""
    fraction, exponent = np.frexp(sizes)
    number = np.searchsorted(_FRACTIONS, fraction, "left") + (exponent - 1) * np.int64(_STEPS)
    numbers, place = np.unique(number, return_inverse=True)
    added = np.zeros(len(numbers), dtype=np.int64)
    np.add.at(added, place, counts)
    merged = dict(known)
    for bucket, more in zip(numbers.tolist(), added.tolist(), strict=True):
        merged[bucket] = merged.get(bucket, 0) + more
    return merged
