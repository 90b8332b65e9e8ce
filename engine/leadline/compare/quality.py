"""Data quality of a column on both sides, and what changed in it: figures, not verdicts.

A rule of a policy says which figure is too large (`policy`); drift is judged elsewhere. Every
figure is an `Estimate` in which that of the raw rows lies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..estimate import Estimate
from ..profile import ColumnProfile, quality
from ..profile.summaries import NumericSummary
from ..schema import Kind, merge_columns
from ..sketch.points import as_points
from .measures import Measures
from .tally import Tallies


@dataclass(frozen=True, slots=True)
class QualityFigure:
    """One figure on both sides; None on a side where it does not exist.

    A figure of the change itself, such as the share of unseen values, stands on the current side.
    """

    name: str
    reference: Estimate | None
    current: Estimate | None

    def to_dict(self) -> dict[str, Any]:
        """Both sides under their names, each with ``value``, ``lower`` and ``upper``."""
        return {"reference": _ends(self.reference), "current": _ends(self.current)}


def quality_figures(
    reference: ColumnProfile | None, current: ColumnProfile | None
) -> tuple[QualityFigure, ...]:
    """Every figure of data quality that the column has on a side, and those of the change."""
    found = []
    for name, figure in quality.ONE_COLUMN.items():
        sides = [None if side is None else figure(side) for side in (reference, current)]
        found.append(QualityFigure(name, *sides))
    if reference is not None and current is not None:
        for name, change in CHANGES.items():
            found.append(QualityFigure(name, None, change(reference, current)))
    return tuple(each for each in found if each.reference is not None or each.current is not None)


def out_of_range(reference: ColumnProfile, current: ColumnProfile) -> Estimate | None:
    """Share of the current values below the reference's smallest or above its largest."""
    numbers = (Kind.INTEGER, Kind.FLOAT, Kind.DATE)
    if reference.kind not in numbers or current.kind not in numbers:
        return None
    low, high = quality.minimum(reference), quality.maximum(reference)
    if low is None or high is None or low.lower != low.upper or high.lower != high.upper:
        return None
    inside = quality.share_between(current, low.value, high.value)
    return None if inside is None else _complement(inside)


def unseen_share(reference: ColumnProfile, current: ColumnProfile) -> Estimate | None:
    """Share of the current values that the reference does not have.

    Of text, and of numbers that both sides count one by one. Where the reference no longer counts
    every value, one that it does not list may have occurred there, so that the lower bound is 0.
    """
    a, b = reference.numeric, current.numeric
    if a is not None and b is not None:
        columns = reference.state.column, current.state.column
        moved = any(column.redacted for column in columns)
        return None if moved or merge_columns(*columns) is None else _new_numbers(a, b)
    both = _tallies(reference, current)
    return None if both is None else _only_on(both)


def vanished_share(reference: ColumnProfile, current: ColumnProfile) -> Estimate | None:
    """Share of the reference's values that the current side does not have."""
    return unseen_share(current, reference)


def distinct_ratio(reference: ColumnProfile, current: ColumnProfile) -> Estimate | None:
    """Distinct values, current over reference."""
    a, b = quality.distinct(reference), quality.distinct(current)
    if a is None or b is None:
        return None
    ends = (b.value / a.value, b.lower / a.upper, b.upper / a.lower)
    return Estimate(*ends, confidence=a.confidence * b.confidence)


def hour_change(reference: ColumnProfile, current: ColumnProfile) -> Estimate | None:
    """Total variation distance of the shares of the hours of the day (UTC) of instants."""
    return _calendar_change(reference, current, "hours")


def weekday_change(reference: ColumnProfile, current: ColumnProfile) -> Estimate | None:
    """Total variation distance of the shares of the weekdays (UTC) of instants."""
    return _calendar_change(reference, current, "weekdays")


def character_change(reference: ColumnProfile, current: ColumnProfile) -> Estimate | None:
    """Total variation distance of the shares of the kinds of characters of text."""
    a, b = reference.text, current.text
    if a is None or b is None:
        return None
    return _variation(a.classes.counts, b.classes.counts)


CHANGES = {
    "out_of_range": out_of_range,
    "unseen_share": unseen_share,
    "vanished_share": vanished_share,
    "distinct_ratio": distinct_ratio,
    "hour_change": hour_change,
    "weekday_change": weekday_change,
    "character_change": character_change,
}


def _ends(estimate: Estimate | None) -> dict[str, float] | None:
    if estimate is None:
        return None
    return {"value": estimate.value, "lower": estimate.lower, "upper": estimate.upper}


def _complement(share: Estimate) -> Estimate:
    ends = (1.0 - share.value, 1.0 - share.upper, 1.0 - share.lower)
    return Estimate(*ends, confidence=share.confidence)


def _tallies(reference: ColumnProfile, current: ColumnProfile) -> Tallies | None:
    measures = Measures(reference, current)
    found = measures.tallies if measures.kind == "categorical" else None
    return found if found is not None and found.reference.total and found.current.total else None


def _new_numbers(reference: NumericSummary, current: NumericSummary) -> Estimate | None:
    """Share of the current values that the reference lacks, where both count every value."""
    a, b = reference.counts, current.counts
    if a is None or b is None or not a.total or not b.total:
        return None
    new = ~np.isin(as_points(b.values), as_points(a.values))
    return Estimate.exact(int(b.counts[new].sum(dtype=np.uint64)) / b.total)


def _only_on(both: Tallies) -> Estimate:
    """Share of the current side's values that the reference lacks."""
    total = both.current.total
    unlisted = int(both.now[~both.known].sum())
    if both.exact:
        return Estimate.exact(unlisted / total)
    # What is listed on both sides is seen; of all else nothing is known where a count is missing.
    seen = int(both.now[both.known].sum())
    least = unlisted if both.reference.exact else 0
    most = total - seen
    value = min(max(unlisted, least), most)
    return Estimate(value / total, least / total, most / total)


def _calendar_change(
    reference: ColumnProfile, current: ColumnProfile, which: str
) -> Estimate | None:
    a, b = reference.timestamps, current.timestamps
    if a is None or b is None:
        return None
    return _variation(*(getattr(side.get_calendar(), which) for side in (a, b)))


def _variation(a: NDArray[np.int64], b: NDArray[np.int64]) -> Estimate | None:
    n, m = int(a.sum()), int(b.sum())
    if not n or not m:
        return None
    return Estimate.exact(float(np.abs(a / n - b / m).sum() / 2))
