"""What changed of a column, in a few words: "p50 31 to 38", "share of nulls 0.1 % to 4 %"."""

from __future__ import annotations

import math
from datetime import date, timedelta

from ..profile import ColumnProfile
from ..schema import Kind
from .measures import Measures
from .tally import Tallies

MOST = 4  # parts that are told of one column
# A quantile is told from this share of the reference's spread on, the deviation from this factor.
SHIFT, FACTOR = 0.1, 1.2
SHARE, RATIO = 0.02, 2.0  # a share, from this difference or from this factor on
RARE = 0.001  # of which neither side has this share, that is not told
QUANTILES = ((0.5, "p50"), (0.05, "p5"), (0.95, "p95"))
_EPOCH = date(1970, 1, 1)


def change_in_words(
    measures: Measures, *, missing_first: bool = False, values: bool = True
) -> tuple[str, ...]:
    """The changes of one column that a reader should know first, at most four of them.

    Parameters
    ----------
    measures
        The column on both sides.
    missing_first
        Whether missing rows are what changed, not the values.
    values
        Whether changes of the values are told at all.
    """
    missing = _missing(measures.reference, measures.current)
    told = values_in_words(measures) if values else []
    parts = [*missing, *told] if missing_first else [*told[: MOST - len(missing)], *missing]
    return tuple(parts[:MOST])


def values_in_words(measures: Measures) -> list[str]:
    """The same of the values alone."""
    if measures.obstacle or not all(map(measures.total, (measures.reference, measures.current))):
        return []
    if measures.kind == "numeric":
        return _numbers(measures)
    if measures.kind == "categorical" and measures.tallies is not None:
        return _categories(measures.tallies)
    return []


def percent(share: float) -> str:
    """A share in per cent with three digits.

    >>> percent(0.00123), percent(0.5)
    ('0.123 %', '50 %')
    """
    return f"{100 * share:.3g} %"


def _missing(a: ColumnProfile, b: ColumnProfile) -> list[str]:
    found = []
    for name, before, now in (("nulls", a.nulls, b.nulls), ("NaN", a.nan, b.nan)):
        if a.rows and b.rows:
            found += _share(f"share of {name}", before / a.rows, now / b.rows)
    return found


def _share(what: str, before: float, now: float) -> list[str]:
    """A share that changed, if that is worth telling."""
    if max(before, now) < RARE:
        return []
    low, high = sorted((before, now))
    if high - low < SHARE and high < RATIO * low:
        return []
    return [f"{what} {percent(before)} to {percent(now)}"]


def _numbers(measures: Measures) -> list[str]:
    a, b = measures.reference, measures.current
    if measures.exact_numbers(a) and measures.exact_numbers(b) and measures.tallies is not None:
        tallies = measures.tallies
        if len(tallies.names) <= 2:
            return _categories(tallies)
    found = _quantiles(a, b, measures.scale)
    for name, shares in (("zeros", _zeros(a, b)), ("negatives", _negatives(a, b))):
        found += _share(f"share of {name}", *shares)
    before, now = a.std or 0.0, b.std or 0.0
    if 0 < before < math.inf and now < math.inf and not 1 / FACTOR < now / before < FACTOR:
        found.append(f"standard deviation {before:.3g} to {now:.3g}")
    return found


def _quantiles(a: ColumnProfile, b: ColumnProfile, spread: float | None) -> list[str]:
    """The median, and other quantiles that moved by more than it did."""
    told, centre = [], 0.0
    for q, name in QUANTILES:
        before, now = a.quantile(q).value, b.quantile(q).value
        moved = now - before if now != before else 0.0
        least = SHIFT * spread if spread is not None else 0.0
        if abs(moved - centre) > least and abs(moved) > 0:
            told.append(f"{name} {_value(a, before, moved)} to {_value(a, now, moved)}")
        if name == "p50":
            centre = moved
    return told


def _value(column: ColumnProfile, value: float, moved: float) -> str:
    """A value with so many digits that a difference of ``moved`` shows."""
    if column.kind is Kind.DATE:
        try:
            return (_EPOCH + timedelta(days=int(value))).isoformat()
        except OverflowError:
            return str(value)
    if isinstance(value, int):
        return str(value)
    if not (math.isfinite(value) and math.isfinite(moved)):
        return f"{value:.3g}"
    if value.is_integer() and abs(value) < 1e15 and moved.is_integer():
        return str(int(value))
    size = max(abs(value), abs(moved))
    digits = 3 + max(0, math.floor(math.log10(size / abs(moved)))) if moved else 3
    return f"{value:.{min(digits, 15)}g}"


def _zeros(a: ColumnProfile, b: ColumnProfile) -> tuple[float, float]:
    shares = [side.numeric.zeros / side.numeric.total for side in (a, b) if side.numeric]
    return shares[0], shares[1]


def _negatives(a: ColumnProfile, b: ColumnProfile) -> tuple[float, float]:
    shares = [side.numeric.negatives / side.numeric.total for side in (a, b) if side.numeric]
    return shares[0], shares[1]


def _categories(both: Tallies) -> list[str]:
    """The values whose shares changed most, and those that the reference lacks."""
    before, now = both.before / both.reference.total, both.now / both.current.total
    order = abs(now - before).argsort(kind="stable")[::-1]
    told: list[str] = []
    for place in order[: MOST - 1].tolist():
        if both.known[place]:
            name = both.names[place]
            told += _share(f"share of {name!r}", float(before[place]), float(now[place]))
    new = ~both.known
    if new.any() and both.reference.exact:
        share = float(now[new].sum())
        if share >= RARE:
            count = int(new.sum())
            values = "an unseen value" if count == 1 else f"{count:,} unseen values"
            told.append(f"{values}, {percent(share)} of the rows")
    return told
