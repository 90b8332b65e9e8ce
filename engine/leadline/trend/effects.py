"""How far one window is from its baseline, series by series, in units of the threshold."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..compare.judge import missing_evidence, value_evidence
from ..compare.measures import Measures
from ..compare.significance import adjust
from ..compare.thresholds import Limits, Thresholds
from ..compare.verdict import Evidence, Judgement, judge
from ..errors import InputError
from ..profile import ColumnProfile
from ..profile.column import ColumnState
from ..schema import Column
from .gauges import DEVIATION, MEAN, Gauge, quantile_of

Floats = NDArray[np.float64]

VALUES, MISSING, ROWS, FRESHNESS = "values", "missing", "rows", "freshness"
# Fixed thresholds of what `compare` does not judge: a shift of the mean or of a quantile over the
# baseline's spread, logarithms of ratios (deviation, rows), and lateness over a window's length.
SHIFT = 0.2
RATIO = math.log(1.5)
LATENESS = 0.25


@dataclass(frozen=True, slots=True)
class Series:
    """One figure followed from window to window.

    Parameters
    ----------
    column
        The column; empty for rows and freshness, which are the table's.
    what
        ``values``, ``missing``, ``mean``, ``std``, ``p95`` and the like, ``rows``, ``freshness``.
    threshold
        Fixed threshold of its effect, the unit of its sizes; that of values depends on which effect
        a window has (a column of two values has another one).
    """

    column: str
    what: str
    threshold: float

    @property
    def name(self) -> str:
        """``column (what)``, or just what."""
        return f"{self.column} ({self.what})" if self.column else self.what


def require_statistics(names: Sequence[str]) -> tuple[str, ...]:
    """Check names of further figures to follow.

    Raises
    ------
    InputError
        If one is neither ``mean``, ``std`` nor a quantile such as ``p95``.
    """
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise InputError(f"statistics are a sequence of names, not {names!r}")
    for name in names:
        if name not in (MEAN, DEVIATION) and quantile_of(str(name)) is None:
            raise InputError(
                f"a trend has no statistic {name!r}; use mean, std, or quantiles such as p50 or "
                "p99.9 (values, missing shares and rows are always followed)"
            )
    return tuple(dict.fromkeys(names))


def series_of(
    columns: Mapping[str, Column], limits: Limits, statistics: Sequence[str]
) -> list[Series]:
    """The series of all columns. Which of them can be judged shows only in the windows."""
    result = []
    for name, column in columns.items():
        thresholds = limits.of(name, column.kind, column.role)
        result.append(Series(name, VALUES, thresholds.of_effect("ks", column.role)))
        result.append(Series(name, MISSING, thresholds.of_effect("cohens_h", column.role)))
        if column.kind.numeric:
            units = ((what, RATIO if what == DEVIATION else SHIFT) for what in statistics)
            result += [Series(name, what, unit) for what, unit in units]
    return result


@dataclass(frozen=True, slots=True)
class Meter:
    """Measures windows against baselines.

    Parameters
    ----------
    columns, thresholds
        The columns and their thresholds by name.
    series
        What is measured, in order: rows of every result.
    k
        Size of the quantile sketches.
    pause
        Called after every series, to let others run.
    """

    columns: Mapping[str, Column]
    thresholds: Mapping[str, Thresholds]
    series: Sequence[Series]
    k: int
    pause: Callable[[], object] = lambda: None

    @classmethod
    def of(
        cls, columns: Mapping[str, Column], limits: Limits, series: Sequence[Series], k: int
    ) -> Meter:
        """A meter of some columns."""
        thresholds = {
            name: limits.of(name, column.kind, column.role) for name, column in columns.items()
        }
        return cls(columns, thresholds, series, k)

    def sizes(
        self,
        baseline: Mapping[str, ColumnProfile],
        windows: Sequence[Mapping[str, ColumnState]],
        rows: Sequence[int],
        *,
        inside: bool,
    ) -> Floats:
        """Effects of windows over their thresholds, series by window.

        NaN where nothing can be said.

        Parameters
        ----------
        windows, rows
            States by column, and rows, of every window.
        inside
            Whether the baseline holds the windows too. Then the effects are those against the rest:
            counts are taken off, and for means and distribution functions
            ``F - All = (1 - f)(F - Others)``, where f is a window's share of the rows. So no
            baseline without the window need be merged.
        """
        result = np.full((len(self.series), len(windows)), np.nan)
        gauges: dict[str, Gauge] = {}
        for place, series in enumerate(self.series):
            self.pause()
            reference = baseline.get(series.column)
            if reference is None:
                continue
            if series.column not in gauges:
                column, thresholds = self.columns[series.column], self.thresholds[series.column]
                states = [window.get(series.column) for window in windows]
                gauges[series.column] = Gauge(
                    reference, column.role, thresholds, states, inside=inside, k=self.k
                )
            gauge = gauges[series.column]
            if series.what == MISSING:
                result[place] = gauge.missing(rows) / series.threshold
            elif series.what == VALUES:
                result[place] = gauge.values()
            else:
                result[place] = gauge.shifts(series.what) / series.threshold
        return result

    def judged(
        self,
        baseline: Mapping[str, ColumnProfile],
        window: Mapping[str, ColumnState],
    ) -> list[Judgement | None]:
        """Judgements on values and missing shares by fixed thresholds, with rows independent.

        A baseline that holds the window too only makes them milder.
        """
        judgements: list[Judgement | None] = [None] * len(self.series)
        found = [
            (place, *one)
            for place in range(len(self.series))
            if (one := self._evidence(place, baseline, window)) is not None
        ]
        q_values = adjust([evidence.p_value for _, evidence, _ in found], "benjamini_hochberg")
        for (place, evidence, thresholds), q in zip(found, q_values, strict=True):
            judgements[place] = judge(evidence, q, thresholds)
        return judgements

    def p_values(
        self,
        baseline: Mapping[str, ColumnProfile],
        window: Mapping[str, ColumnState],
        places: Sequence[int],
    ) -> dict[int, float]:
        """P-values of some series by tests that take rows as independent, where there are any."""
        found = {place: self._evidence(place, baseline, window) for place in places}
        return {place: one[0].p_value for place, one in found.items() if one is not None}

    def _evidence(
        self,
        place: int,
        baseline: Mapping[str, ColumnProfile],
        window: Mapping[str, ColumnState],
    ) -> tuple[Evidence, Thresholds] | None:
        self.pause()
        series = self.series[place]
        reference, state = baseline.get(series.column), window.get(series.column)
        if reference is None or state is None or series.what not in (VALUES, MISSING):
            return None
        thresholds = self.thresholds[series.column]
        measures = Measures(reference, ColumnProfile(state, k=self.k))
        evidence_of = value_evidence if series.what == VALUES else missing_evidence
        evidence = evidence_of(measures, self.columns[series.column].role, thresholds)
        return (evidence, thresholds) if isinstance(evidence, Evidence) else None
