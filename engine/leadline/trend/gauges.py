"""One column of a baseline held against many windows at once.

What `compare` does for two columns takes a tenth of a millisecond, most of it the same for all
windows of a baseline, or for a test that a trend does not need. Here it is done once, and the
distribution functions of all windows that are counted exactly are measured together.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compare.categorical import excess_values, heavy_cells
from ..compare.cells import Cells
from ..compare.history import effect_apart
from ..compare.judge import refusal, value_effect
from ..compare.measures import Measures, ks_value
from ..compare.numeric import spread_of
from ..compare.tally import Tallies, Tally
from ..compare.thresholds import UNJUDGED_ROLES, Thresholds
from ..compare.two_valued import two_categories
from ..profile import ColumnProfile
from ..profile.column import ColumnState
from ..profile.summaries import NumericSummary, TextSummary
from ..schema import Kind, Role
from ..sketch.points import Points, as_points
from ..sketch.ranks import distances_of_counts

Floats = NDArray[np.float64]
States = Sequence[ColumnState | None]

MEAN, DEVIATION = "mean", "std"
_QUANTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?)")
# Values that are measured together, at most: 20 MB of shares.
VALUES = 1 << 18
# Place, distinct values and their counts of one window.
Counted = tuple[int, Points, NDArray[Any]]
NUMBERS = (Kind.INTEGER, Kind.FLOAT, Kind.DATE)


class Gauge:
    """One column of a baseline, and the windows that are held against it.

    Parameters
    ----------
    reference
        The column in the baseline.
    role, thresholds
        What it is, and what its effects are divided by.
    states
        The column in every window; None where a window lacks it.
    inside
        Whether the baseline holds the windows too (see `effects.Meter.sizes`).
    k
        Size of the quantile sketches.
    """

    def __init__(
        self,
        reference: ColumnProfile,
        role: Role,
        thresholds: Thresholds,
        states: States,
        *,
        inside: bool,
        k: int,
    ) -> None:
        self.reference = reference
        self._role, self._thresholds = role, thresholds
        self._states = states
        self._inside = inside
        self._k = k
        summary = reference.state.summary
        self._total = 0 if summary is None else summary.total

    def missing(self, rows: Sequence[int]) -> Floats:
        """Cohen's h of the missing shares, given the rows of every window."""
        least = self._thresholds.minimum_rows
        if self._role is Role.SEGMENT:
            return np.full(len(rows), np.nan)
        counts = [missing_rows(state, n) for state, n in zip(self._states, rows, strict=True)]
        absent, held = np.array(counts, dtype=np.int64).reshape(-1, 2).T
        reference = self.reference
        before = np.full(len(rows), reference.nulls + reference.nan)
        total = np.full(len(rows), reference.rows)
        if self._inside:
            before, total = before - absent, total - held
        known = (np.asarray(rows) >= least) & (total >= least)
        apart = _angles(absent, np.maximum(held, 1)) - _angles(before, np.maximum(total, 1))
        return np.where(known, np.abs(apart), np.nan)

    def values(self) -> Floats:
        """Effects of the values over their thresholds."""
        found = np.full(len(self._states), np.nan)
        alike = self._alike()
        if alike and self.reference.kind in NUMBERS:
            self._numbers(alike, found)
        elif alike:
            self._categories(alike, found)
        quick = set(alike)
        for place, state in enumerate(self._states):
            if state is not None and place not in quick:
                found[place] = self._compared(state)
        return found

    def _compared(self, state: ColumnState) -> float:
        """The effect as `compare` finds it, of any column."""
        measures = Measures(self.reference, ColumnProfile(state, k=self._k))
        rows = measures.total(measures.current)
        if self._inside and self._total - rows < self._thresholds.minimum_rows:
            return math.nan
        apart = None
        if self._inside:
            if refusal(measures, self._role, self._thresholds):
                return math.nan
            apart = effect_apart(measures, self._role, self._thresholds)
        if apart is None:
            effect = value_effect(measures, self._role, self._thresholds)
            apart = None if effect is None else (effect.name, effect.value / self._rest(rows))
        return math.nan if apart is None else apart[1] / self._unit(apart[0])

    def _unit(self, effect: str) -> float:
        return self._thresholds.of_effect(effect, self._role)

    def _rest(self, rows: int) -> float:
        """Share of the baseline's rows that are not the window's own."""
        return 1.0 - rows / self._total if self._inside and self._total else 1.0

    def _alike(self) -> list[int]:
        """Places of the windows of which neither type nor role nor choice asks for more."""
        column, summary = self.reference.state.column, self.reference.state.summary
        if self._thresholds.statistic or self._role in UNJUDGED_ROLES or column.redacted:
            return []
        if self._total < self._thresholds.minimum_rows:
            return []
        numbers = column.kind in NUMBERS and isinstance(summary, NumericSummary)
        if numbers and isinstance(summary, NumericSummary):
            if summary.counts is not None and len(summary.counts) <= 2:
                return []
        elif column.kind is not Kind.TEXT or not isinstance(summary, TextSummary):
            return []
        return [
            place
            for place, state in enumerate(self._states)
            if state is not None and state.column == column and state.summary is not None
        ]

    def _numbers(self, places: Sequence[int], found: Floats) -> None:
        """Distances of numbers; those counted exactly together."""
        least, unit = self._thresholds.minimum_rows, self._unit("ks")
        exact: list[Counted] = []
        held = 0
        for place in places:
            state = self._states[place]
            assert state is not None
            summary = state.summary
            assert isinstance(summary, NumericSummary)
            if summary.counts is not None and len(summary.counts):
                exact.append((place, as_points(summary.counts.values), summary.counts.counts))
                held += len(summary.counts)
                if held >= VALUES:
                    self._together(exact, found)
                    exact, held = [], 0
            elif summary.total >= least:
                distance = ks_value(self.reference, ColumnProfile(state, k=self._k))
                found[place] = self._apart(distance, summary.total) / unit
        if exact:
            self._together(exact, found)

    def _together(self, exact: Sequence[Counted], found: Floats) -> None:
        """Distances of numbers that are counted exactly."""
        least, unit = self._thresholds.minimum_rows, self._unit("ks")
        reference = self.reference.band
        if not (reference.real and all(points.dtype.kind == "f" for _, points, _ in exact)):
            for place, *_ in exact:
                state = self._states[place]
                assert state is not None
                found[place] = self._compared(state)
            return
        which, points, counts = zip(*exact, strict=True)
        totals, distances = distances_of_counts(reference, points, counts)
        for place, rows, distance in zip(which, totals.tolist(), distances.tolist(), strict=True):
            if rows >= least:
                found[place] = self._apart(distance, rows) / unit

    def _apart(self, distance: float, rows: int) -> float:
        """The distance from the rest of the baseline that holds a window (see `effect_apart`)."""
        if not self._inside:
            return distance
        others = self._total - rows
        if others < self._thresholds.minimum_rows:
            return math.nan
        return min(1.0, distance * self._total / others)

    def _categories(self, places: Sequence[int], found: Floats) -> None:
        """Total variations of categories beyond chance."""
        least, unit = self._thresholds.minimum_rows, self._unit("total_variation")
        share = self.reference.distinct.value / self._total
        if share > self._thresholds.distinct_share:
            return
        tally = _tally(self.reference.state)
        pairs: dict[int, Cells] = {}
        for place in places:
            state = self._states[place]
            assert state is not None
            now = _tally(state)
            if now.total < least or (self._inside and self._total - now.total < least):
                continue
            both = Tallies.of(tally, now)
            if two_categories(both) is not None or (self._inside and not both.exact):
                found[place] = self._compared(state)
                continue
            sides = both.apart() if self._inside else both
            pairs[place] = heavy_cells(sides, limit=unit, named=False)
        if pairs:
            found[list(pairs)] = excess_values(list(pairs.values())) / unit

    def shifts(self, what: str) -> Floats:
        """Shifts of the mean, the deviation or a quantile (see `_shift`)."""
        least = self._thresholds.minimum_rows
        found = np.full(len(self._states), np.nan)
        for place, state in enumerate(self._states):
            rows = 0 if state is None or state.summary is None else state.summary.total
            others = self._total - rows if self._inside else self._total
            if state is not None and min(rows, others) >= least:
                current = ColumnProfile(state, k=self._k)
                found[place] = _shift(what, self.reference, current) / self._rest(rows)
        return found


def quantile_of(what: str) -> float | None:
    """The share of a name such as ``p95``, or None."""
    match = _QUANTILE.fullmatch(what)
    return None if match is None else float(match[1]) / 100


def missing_rows(state: ColumnState | None, rows: int) -> tuple[int, int]:
    """Missing rows of a column in a window, and its rows; all are missing where it is absent."""
    if state is None:
        return rows, rows
    nan = getattr(state.summary, "nan", 0)
    return state.nulls + nan + max(rows - state.rows, 0), max(rows, state.rows)


def _tally(state: ColumnState) -> Tally:
    assert isinstance(state.summary, TextSummary)
    tally = Tally.of_summary(state.summary)
    assert tally is not None
    return tally


def _angles(counts: NDArray[np.int64], rows: NDArray[np.int64]) -> Floats:
    return 2.0 * np.arcsin(np.sqrt(np.clip(counts / rows, 0.0, 1.0)))


def _shift(what: str, reference: ColumnProfile, current: ColumnProfile) -> float:
    share = quantile_of(what)
    if share is not None:
        spread = spread_of(reference.band, reference.std or 0.0)
        if not spread:
            return math.nan
        return abs(current.quantile(share).value - reference.quantile(share).value) / spread
    before, after = reference.std, current.std
    if before is None or after is None:
        return math.nan
    if what == DEVIATION:
        return abs(math.log(after / before)) if before > 0 and after > 0 else math.nan
    if reference.mean is None or current.mean is None or not before > 0:
        return math.nan
    return abs(current.mean - reference.mean) / before
