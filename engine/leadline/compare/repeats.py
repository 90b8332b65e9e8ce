"""Ids judged by how many of their values occurred before.

More rows hold more repeated values, whatever the population: of ``m`` of the larger side's ``n``
rows one expects fewer. What one expects of them follows from exact counts; else it lies between two
bounds, since the number of distinct values is a concave function of the rows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..estimate import Estimate
from ..profile import ColumnProfile, quality
from ..profile.summaries import NumericSummary, TextSummary, TimestampSummary
from .shares import Occurrences, cohens_h, ratio_of
from .significance import special
from .statistic import Statistic
from .thresholds import Thresholds
from .verdict import Evidence, Judgement
from .words import percent


def repeats_evidence(
    a: ColumnProfile, b: ColumnProfile, thresholds: Thresholds
) -> tuple[Evidence | Judgement, Callable[[], str]]:
    """The share of rows whose value is a repeated one, given as many rows on either side."""
    sides = repeats_of(a, b)
    low, high = ((side.lower / side.rows, side.upper / side.rows) for side in sides)
    apart = max(0.0, low[0] - high[1], high[0] - low[1])
    most = max(high[1] - low[0], low[1] - high[0])
    value = min(max(abs(sides[0].share - sides[1].share), apart), most)
    test = cohens_h(*sides)
    evidence = Evidence(
        Statistic(value, apart, most, name="uniqueness_change", p_value=test.p_value),
        thresholds.uniqueness,
        test.note,
        "repeated values",
        ratio=ratio_of(*sides),
        nothing=(
            "no value occurs twice on either side"
            if most == 0
            else "as far as distinct counts tell, no value occurs twice"
        ),
    )
    return (
        evidence,
        lambda: f"repeated values {percent(sides[0].share)} to {percent(sides[1].share)}",
    )


def repeats_of(a: ColumnProfile, b: ColumnProfile) -> tuple[Occurrences, Occurrences]:
    """Rows whose value occurred before, on either side; the larger one's as of fewer rows."""
    n, m = quality.values_of(a), quality.values_of(b)
    fewer = min(n, m)
    first, second = (_repeats(side, fewer) for side in (a, b))
    return first, second


def _repeats(side: ColumnProfile, fewer: int) -> Occurrences:
    """Repeats expected among ``fewer`` of a side's rows, scaled to all of its rows."""
    rows = quality.values_of(side)
    counts = _counts_of(side)
    if counts is not None:
        value = lower = upper = distinct_among(counts, fewer)
    else:
        found: Estimate = side.distinct
        lower = max(1.0, found.lower * (fewer / rows))
        upper = float(min(fewer, found.upper))
        value = min(max(found.value * (fewer / rows), lower), upper)
    count, least, most = (
        max(0.0, float(round(rows * (1 - distinct / fewer)))) for distinct in (value, upper, lower)
    )
    return Occurrences(count, least, most, rows)


def _counts_of(side: ColumnProfile) -> NDArray[np.float64] | None:
    """How often every value occurs, if all are counted."""
    summary = side.state.summary
    if isinstance(summary, TextSummary):
        exact = summary.counts.exact
        return summary.counts.counts.astype(np.float64) if exact else None
    if isinstance(summary, NumericSummary | TimestampSummary) and summary.counts is not None:
        return summary.counts.counts.astype(np.float64)
    return None


def distinct_among(counts: NDArray[np.float64], rows: int) -> float:
    """Distinct values expected among ``rows`` drawn from all that were counted.

    Each is absent from them with the hypergeometric law's probability.

    >>> round(distinct_among(np.array([2.0, 1.0, 1.0]), 2), 9)  # one of six pairs is equal
    1.833333333
    """
    total = float(counts.sum())
    if rows >= total:
        return float(len(counts))
    left = total - rows
    log = special().gammaln
    # Binomials: rows out of those without the value, over rows out of all.
    absent = np.where(
        counts <= left,
        np.exp(
            log(total - counts + 1)
            - log(np.maximum(left - counts, 0.0) + 1)
            - log(total + 1)
            + log(left + 1)
        ),
        0.0,
    )
    return float((1 - absent).sum())
