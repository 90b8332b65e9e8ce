"""Figures of data quality: what a profile knows of one column, each with its interval.

Every function returns an `Estimate` in which the figure of the raw rows lies, or None where the
column has no such figure: none of its kind, no rows to take it from, or values that were redacted.
Shares of nulls, NaN and missing rows are shares of all rows; every other share is one of the
values, that is of the rows that are neither null nor NaN.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from fractions import Fraction

import numpy as np

from ..estimate import Estimate
from ..schema import Kind
from ..sketch.calendar import to_microseconds
from ..sketch.counts import ValueCounts
from ..sketch.distinct import RELATIVE_ERROR
from ..sketch.frequent import TextCounts
from ..sketch.moments import Moments
from ..sketch.points import point_of
from ..sketch.ranks import Band
from ..sketch.text import CLASSES
from .column import ColumnProfile
from .summaries import NumericSummary

# Error of a sketched mean and deviation, relative to the larger of both (`sketch.moments`).
MOMENT_ERROR = 1e-12
# A check asks thousands of columns every day, so that one miss in a thousand would be one a day:
# distinct counts are stated here at 1 - 1e-6, as ranks are.
DISTINCT_DEVIATIONS = 4.8916
DISTINCT_CONFIDENCE = 1 - 1e-6


def values_of(column: ColumnProfile) -> int:
    """Rows that are neither null nor NaN; 0 for kinds that are not profiled."""
    summary = column.state.summary
    return summary.total if summary is not None else 0


def null_share(column: ColumnProfile) -> Estimate | None:
    """Share of the rows that are null."""
    return _share(column.nulls, column.rows)


def nan_share(column: ColumnProfile) -> Estimate | None:
    """Share of the rows that are NaN."""
    return _share(column.nan, column.rows) if column.kind is Kind.FLOAT else None


def missing_share(column: ColumnProfile) -> Estimate | None:
    """Share of the rows that are null or NaN."""
    return _share(column.nulls + column.nan, column.rows)


def completeness(column: ColumnProfile) -> Estimate | None:
    """Share of the rows that are neither null nor NaN."""
    return _share(column.rows - column.nulls - column.nan, column.rows)


def infinite_share(column: ColumnProfile) -> Estimate | None:
    """Share of the values that are infinite."""
    numeric = column.numeric
    if numeric is None or column.kind is not Kind.FLOAT:
        return None
    return _share(numeric.positive_infinity + numeric.negative_infinity, numeric.total)


def zero_share(column: ColumnProfile) -> Estimate | None:
    """Share of the values that are zero, of either sign."""
    numeric = _number(column)
    return None if numeric is None else _share(numeric.zeros, numeric.total)


def negative_share(column: ColumnProfile) -> Estimate | None:
    """Share of the values below zero, -inf among them."""
    numeric = _number(column)
    return None if numeric is None else _share(numeric.negatives, numeric.total)


def empty_share(column: ColumnProfile) -> Estimate | None:
    """Share of the texts that are empty."""
    return None if column.text is None else _share(column.text.empty, column.text.total)


def distinct(column: ColumnProfile) -> Estimate | None:
    """Number of distinct values; where it is estimated, at a confidence of 1 - 1e-6."""
    summary = column.state.summary
    if summary is None or not summary.total:
        return None
    found = column.distinct
    if found.lower == found.upper:
        return found
    width = DISTINCT_DEVIATIONS * RELATIVE_ERROR
    lower = min(found.lower, math.floor(found.value / (1 + width)))
    upper = min(math.ceil(found.value / (1 - width)), summary.total)
    return Estimate(found.value, max(lower, 1), upper, confidence=DISTINCT_CONFIDENCE)


def uniqueness(column: ColumnProfile) -> Estimate | None:
    """Distinct values over values: 1 if no value occurs twice."""
    found, total = distinct(column), values_of(column)
    if found is None:
        return None
    ends = (found.value / total, found.lower / total, found.upper / total)
    return Estimate(*ends, confidence=found.confidence)


def mean(column: ColumnProfile) -> Estimate | None:
    """Mean of the finite values, rounded once where every value is counted."""
    moments = _moments(column)
    if moments is None or not moments.count:
        return None
    exact = _exact_moments(column)
    if exact is not None:
        return Estimate.exact(float(exact[1]))
    return _around(moments.mean, _moment_error(moments))


def std(column: ColumnProfile) -> Estimate | None:
    """Standard deviation of the finite values (ddof=1); None below two of them."""
    moments = _moments(column)
    if moments is None or moments.count < 2:
        return None
    exact = _exact_moments(column)
    if exact is not None:
        count, _, squares = exact
        return Estimate.exact(_root(squares / (count - 1)))
    found = _around(moments.std, _moment_error(moments))
    low, high = moments.minimum, moments.maximum
    assert low is not None and high is not None
    # Squares of tiny values vanish; what the range allows is always true.
    most = found.upper if found.value > 0 else max(found.upper, float(high) - float(low))
    return Estimate(found.value, max(found.lower, 0.0), most)


def minimum(column: ColumnProfile) -> Estimate | None:
    """Smallest value; of instants in whole microseconds since 1970, of dates in days."""
    return _extreme(column, 0.0)


def maximum(column: ColumnProfile) -> Estimate | None:
    """Largest value; units as of `minimum`."""
    return _extreme(column, 1.0)


def quantile(column: ColumnProfile, q: float) -> Estimate | None:
    """See `ColumnProfile.quantile`."""
    if not _ranked(column):
        return None
    return column.quantile(q)


def share_between(column: ColumnProfile, low: float | None, high: float | None) -> Estimate | None:
    """Share of the values from ``low`` to ``high``, both included; None is no end.

    >>> from leadline.scan import profile
    >>> share_between(profile({"age": [31, 45, 28, 52]})["age"], 30, 45).value
    0.5
    """
    if not _ranked(column):
        return None
    band = column.band
    ends = [0.0 if end is None else point_of(end) for end in (low, high)]
    if ends[0] == ends[1]:
        ends.pop()
    at = band.on(np.array(ends))
    total = float(band.total)
    below = (0.0,) * 3 if low is None else (at.estimate[0, 0], at.lower[0, 0], at.upper[0, 0])
    through = (
        (total,) * 3 if high is None else (at.estimate[-1, 1], at.lower[-1, 1], at.upper[-1, 1])
    )
    counts = (through[0] - below[0], through[1] - below[2], through[2] - below[1])
    return _of(*(max(float(n), 0.0) / total for n in counts), confidence=band.confidence)


def share_in(column: ColumnProfile, values: Iterable[str | float]) -> Estimate | None:
    """Share of the values that are among ``values``.

    Texts longer than 256 bytes, which are not kept whole, are among none.
    """
    if column.state.column.redacted or not values_of(column):
        return None
    if column.text is not None:
        keys = {value.encode() for value in values if isinstance(value, str)}
        return _texts_in(column.text.counts, keys)
    if not _ranked(column):
        return None
    numbers = {value for value in values if not isinstance(value, str)}
    return _numbers_in(column.band, numbers)


def shortest(column: ColumnProfile) -> Estimate | None:
    """Length of the shortest text, in code points."""
    text = column.text
    if text is None or not text.total:
        return None
    return Estimate.exact(0 if text.empty else text.lengths.minimum)


def longest(column: ColumnProfile) -> Estimate | None:
    """Length of the longest text, in code points."""
    text = column.text
    return None if text is None or not text.total else Estimate.exact(text.lengths.maximum)


def mean_length(column: ColumnProfile) -> Estimate | None:
    """Mean length of the texts, empty ones included, in code points."""
    text = column.text
    return None if text is None else _share(text.lengths.total, text.total)


def character_share(column: ColumnProfile, kind: str) -> Estimate | None:
    """Share of one kind of characters (`sketch.text.CLASSES`) among all characters."""
    text = column.text
    if text is None:
        return None
    return _share(int(text.classes.counts[CLASSES.index(kind)]), text.classes.total)


ONE_COLUMN: dict[str, Callable[[ColumnProfile], Estimate | None]] = {
    "null_share": null_share,
    "nan_share": nan_share,
    "infinite_share": infinite_share,
    "zero_share": zero_share,
    "negative_share": negative_share,
    "empty_share": empty_share,
    "distinct": distinct,
    "uniqueness": uniqueness,
    "mean_length": mean_length,
}


def _share(count: int, rows: int) -> Estimate | None:
    return Estimate.exact(count / rows) if rows else None


def _of(value: float, lower: float, upper: float, *, confidence: float) -> Estimate:
    value = min(max(value, lower), upper)
    return Estimate(value, lower, upper, confidence=confidence if lower < upper else 1.0)


def _around(value: float, error: float) -> Estimate:
    if not math.isfinite(value) or not math.isfinite(error):
        return Estimate(value, -math.inf, math.inf)
    return Estimate(value, value - error, value + error)


def _number(column: ColumnProfile) -> NumericSummary | None:
    numbers = column.kind in (Kind.INTEGER, Kind.FLOAT)
    return column.numeric if numbers else None


def _moments(column: ColumnProfile) -> Moments | None:
    numeric = column.numeric
    if numeric is None or column.kind is Kind.DATE or column.state.column.redacted:
        return None
    return numeric.get_moments()


def _moment_error(moments: Moments) -> float:
    deviation = moments.std if moments.count > 1 else 0.0
    return MOMENT_ERROR * max(abs(moments.mean), deviation)


def _exact_moments(column: ColumnProfile) -> tuple[int, Fraction, Fraction] | None:
    """Count, mean and sum of squared deviations of exactly counted finite values, unrounded."""
    counts = column.numeric.counts if column.numeric is not None else None
    if counts is None:
        return None
    values, weights, scale = _finite(counts)
    steps = [value - values[0] for value in values]
    count = sum(weights)
    total = sum(map(operator.mul, steps, weights))
    squares = sum(step * step * weight for step, weight in zip(steps, weights, strict=True))
    mean = Fraction(values[0] * count + total, count * scale)
    return count, mean, Fraction(squares * count - total * total, count * scale * scale)


def _finite(counts: ValueCounts) -> tuple[list[int], list[int], int]:
    """Finite values as whole numbers over a common denominator, their counts, and that number."""
    if counts.values.dtype.kind != "f":
        return counts.values.tolist(), counts.counts.tolist(), 1
    finite = np.isfinite(counts.values)
    ratios = [value.as_integer_ratio() for value in counts.values[finite].tolist()]
    scale = max(denominator for _, denominator in ratios)  # all are powers of two
    values = [numerator * (scale // denominator) for numerator, denominator in ratios]
    return values, counts.counts[finite].tolist(), scale


def _root(square: Fraction) -> float:
    """The square root of a fraction of any size, as the nearest double but for the last bit."""
    top, bottom = square.numerator, square.denominator
    shift = max(0, 130 + bottom.bit_length() - top.bit_length()) // 2
    try:
        return float(Fraction(math.isqrt((top << 2 * shift) // bottom), 1 << shift))
    except OverflowError:  # of values near the largest double, in both directions
        return math.inf


def _ranked(column: ColumnProfile) -> bool:
    """Whether the column has values with an order that are still what they were."""
    if not values_of(column) or column.text is not None:
        return False
    return column.timestamps is None or not column.state.column.redacted


def _extreme(column: ColumnProfile, q: float) -> Estimate | None:
    if not _ranked(column):
        return None
    if column.state.column.redacted:
        return column.quantile(q)
    if column.timestamps is not None:
        end = column.timestamps.minimum if q == 0.0 else column.timestamps.maximum
        micros = to_microseconds(np.array([end], dtype=np.int64), column.timestamps.unit)
        return Estimate.exact(int(micros[0]))
    assert column.numeric is not None
    value = column.numeric.minimum if q == 0.0 else column.numeric.maximum
    assert value is not None
    return Estimate.exact(value)


def _texts_in(counts: TextCounts, keys: set[bytes]) -> Estimate:
    known = dict(zip(counts.keys, counts.counts.tolist(), strict=True))
    inside = sum(known.get(key, 0) for key in keys)
    outside = sum(known.values()) - inside
    most = min(counts.total - outside, inside + counts.error * len(keys))
    ends = ((inside + most) / 2, inside, most)
    return _of(*(end / counts.total for end in ends), confidence=1.0)


def _numbers_in(band: Band, values: Iterable[float]) -> Estimate:
    points = sorted({point_of(value) for value in values}, key=lambda p: (p.real, p.imag))
    if not points:
        return Estimate.exact(0.0)
    at = band.on(np.array(points))
    least = np.maximum(at.lower[:, 1] - at.upper[:, 0], 0.0).sum()
    most = min((at.upper[:, 1] - at.lower[:, 0]).sum(), band.total)
    value = (at.estimate[:, 1] - at.estimate[:, 0]).sum()
    ends = (float(value), float(least), float(most))
    return _of(*(end / band.total for end in ends), confidence=band.confidence)
