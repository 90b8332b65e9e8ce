"""Every rule that a policy may hold: how it is written, and which figure it bounds.

A rule bounds one figure that a profile can answer. Its `Requirement` holds the bounds and what else
is written with it; the figure comes with an interval, so that a rule can pass, fail or be undecided
(`judging`). Adding a rule means adding one `Definition`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from ..compare import quality as changes
from ..estimate import Estimate
from ..profile import ColumnProfile, quality
from ..schema import Kind
from ..sketch.text import CLASSES
from .values import (
    Scalar,
    age_of,
    age_text,
    amount_of,
    list_of,
    members_of,
    number_of,
    refuse,
    require_known,
    scalar_of,
    share_of,
    table_of,
)

Bound = Scalar | None
_QUANTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,6})?|100)")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBERS = frozenset({Kind.INTEGER, Kind.FLOAT})
_ORDERED = _NUMBERS | {Kind.DATE, Kind.TIMESTAMP}
_COUNTED = _NUMBERS | {Kind.BOOLEAN, Kind.DATE, Kind.TEXT}
_PROFILED = _ORDERED | {Kind.BOOLEAN, Kind.TEXT}
_ANY = frozenset(Kind)


class Unit(StrEnum):
    """What a figure is measured in."""

    SHARE = "share"
    NUMBER = "number"
    COUNT = "count"
    VALUE = "value"  # the column's own
    SECONDS = "seconds"


@dataclass(frozen=True, slots=True)
class Requirement:
    """Bounds of one figure, both included.

    Parameters
    ----------
    low, high
        Least and largest allowed figure; None where there is no bound.
    argument
        What else the figure needs: a quantile's name, a set of values, ends of a range.
    """

    low: Bound = None
    high: Bound = None
    argument: Any = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What the figures of one column are taken from.

    Parameters
    ----------
    column
        The column to check.
    reference
        The same column of the reference, if there is one.
    now
        Microseconds since 1970 at which the check happens.
    """

    column: ColumnProfile
    reference: ColumnProfile | None
    now: int


Figures = tuple[Estimate, Estimate]  # what the lower, and what the upper bound is held against
Measure = Callable[[Subject, Requirement], Figures | None]
Read = Callable[[str, Any], tuple[Requirement, ...]]
Write = Callable[[Sequence[Requirement]], Any]


@dataclass(frozen=True, slots=True)
class Definition:
    """One kind of rule.

    Parameters
    ----------
    title
        The figure in words.
    unit
        What it is measured in.
    kinds
        Kinds of columns that have it.
    read, write
        From the file's value to requirements, and back.
    measure
        The figure; None if there are no values to take it from.
    compared
        Whether the figure needs a reference.
    sampled
        Whether a few rows prove nothing, so that ``minimum_rows`` counts.
    """

    title: str
    unit: Unit
    kinds: frozenset[Kind]
    read: Read
    write: Write
    measure: Measure
    compared: bool = False
    sampled: bool = True


def bounds_of(
    place: str, value: object, read: Callable[[str, object], Bound], *, extra: Sequence[str] = ()
) -> Requirement:
    """Read ``{ min = ..., max = ... }``."""
    table = table_of(place, value)
    for key in table:
        require_known(place, key, ["min", "max", *extra], "bound")
    low, high = (
        None if key not in table else read(f"{place}.{key}", table[key]) for key in ("min", "max")
    )
    if low is None and high is None:
        raise refuse(place, "there is no bound; give `min`, `max` or both")
    require_ordered(place, low, high)
    return Requirement(low, high)


def require_ordered(place: str, low: Bound, high: Bound, names: str = "`min` and `max`") -> None:
    """Refuse bounds that nothing can satisfy."""
    if low is None or high is None:
        return
    if kind_of_bound(low) is not kind_of_bound(high):
        raise refuse(place, f"{names} are of different kinds, {low} and {high}")
    if low > high:  # type: ignore[operator]
        raise refuse(place, f"{names} contradict each other: {low} is above {high}")


def kind_of_bound(bound: Scalar) -> type:
    """What a bound is: ``datetime``, ``date`` or ``float``."""
    return next((kind for kind in (datetime, date) if isinstance(bound, kind)), float)


def bounds_text(requirement: Requirement) -> dict[str, Bound]:
    """The table that `bounds_of` reads."""
    ends = {"min": requirement.low, "max": requirement.high}
    return {key: end for key, end in ends.items() if end is not None}


def _single(read: Callable[[str, object], Bound]) -> tuple[Read, Write]:
    """One figure with bounds."""
    return (
        lambda place, value: (bounds_of(place, value, read),),
        lambda requirements: bounds_text(requirements[0]),
    )


def _figure(figure: Callable[[ColumnProfile], Estimate | None]) -> Measure:
    def measure(subject: Subject, _: Requirement) -> Figures | None:
        return _both(figure(subject.column))

    return measure


def _change(figure: Callable[[ColumnProfile, ColumnProfile], Estimate | None]) -> Measure:
    def measure(subject: Subject, _: Requirement) -> Figures | None:
        assert subject.reference is not None
        return _both(figure(subject.reference, subject.column))

    return measure


def _both(found: Estimate | None) -> Figures | None:
    return None if found is None else (found, found)


# --- rules with a form of their own --------------------------------------------------------------


def _read_quantiles(place: str, value: object) -> tuple[Requirement, ...]:
    found = []
    for name, bounds in table_of(place, value).items():
        if not _QUANTILE.fullmatch(name):
            raise refuse(place, f"`{name}` is no quantile; write p50 or, in quotes, p99.9")
        inner = bounds_of(f"{place}.{name}", bounds, scalar_of)
        found.append(Requirement(inner.low, inner.high, name))
    if not found:
        raise refuse(place, "the table is empty; give for example p50 = { min = 0 }")
    return tuple(found)


def quantile_of(name: str) -> float:
    """The share that a name such as ``p99.9`` stands for.

    >>> quantile_of("p50"), quantile_of("p99.9")
    (0.5, 0.999)
    """
    return float(Decimal(name.removeprefix("p")) / 100)


def _quantile(subject: Subject, requirement: Requirement) -> Figures | None:
    return _both(quality.quantile(subject.column, quantile_of(requirement.argument)))


def _read_characters(place: str, value: object) -> tuple[Requirement, ...]:
    found = []
    for name, bounds in table_of(place, value).items():
        require_known(place, name, CLASSES, "kind of characters")
        inner = bounds_of(f"{place}.{name}", bounds, share_of)
        found.append(Requirement(inner.low, inner.high, name))
    if not found:
        raise refuse(place, "the table is empty; give for example digit = { min = 1 }")
    return tuple(found)


def _by_name(requirements: Sequence[Requirement]) -> dict[str, Any]:
    return {each.argument: bounds_text(each) for each in requirements}


def _characters(subject: Subject, requirement: Requirement) -> Figures | None:
    return _both(quality.character_share(subject.column, requirement.argument))


def _read_shares(place: str, value: object) -> tuple[Requirement, ...]:
    found = []
    for number, item in enumerate(list_of(place, value), start=1):
        here = f"{place}[{number}]"
        table = table_of(here, item)
        bounds = bounds_of(here, table, share_of, extra=("from", "to"))
        ends = [
            None if key not in table else scalar_of(f"{here}.{key}", table[key])
            for key in ("from", "to")
        ]
        if ends == [None, None]:
            raise refuse(here, "there is no range; give `from`, `to` or both")
        require_ordered(here, ends[0], ends[1], "`from` and `to`")
        found.append(Requirement(bounds.low, bounds.high, tuple(ends)))
    return tuple(found)


def _write_shares(requirements: Sequence[Requirement]) -> list[dict[str, Any]]:
    return [
        {
            key: end
            for key, end in zip(("from", "to"), each.argument, strict=True)
            if end is not None
        }
        | bounds_text(each)
        for each in requirements
    ]


def _share(subject: Subject, requirement: Requirement) -> Figures | None:
    low, high = (
        None if end is None else in_units(subject.column, end) for end in requirement.argument
    )
    return _both(quality.share_between(subject.column, low, high))


def _read_values(place: str, value: object) -> tuple[Requirement, ...]:
    if not isinstance(value, Mapping):
        return (Requirement(1.0, None, members_of(place, value)),)
    for key in value:
        require_known(place, key, ["set", "min"], "key of a set")
    if "set" not in value:
        raise refuse(place, "there is no `set` of values")
    least = share_of(f"{place}.min", value.get("min", 1))
    return (Requirement(least, None, members_of(f"{place}.set", value["set"])),)


def _write_values(requirements: Sequence[Requirement]) -> Any:
    (only,) = requirements
    return list(only.argument) if only.low == 1 else {"set": list(only.argument), "min": only.low}


def _values(subject: Subject, requirement: Requirement) -> Figures | None:
    column, members = subject.column, requirement.argument
    for member in members:
        if isinstance(member, str) != (column.text is not None) or (
            isinstance(member, bool) != (column.kind is Kind.BOOLEAN)
        ):
            raise MismatchError(member)
    places = [m if isinstance(m, str | bool) else in_units(column, m) for m in members]
    return _both(quality.share_in(column, places))


def _read_length(place: str, value: object) -> tuple[Requirement, ...]:
    return (bounds_of(place, value, amount_of),)


def _length(subject: Subject, _: Requirement) -> Figures | None:
    ends = quality.shortest(subject.column), quality.longest(subject.column)
    return None if ends[0] is None or ends[1] is None else (ends[0], ends[1])


def _freshness(subject: Subject, _: Requirement) -> Figures | None:
    newest = quality.maximum(subject.column)
    if newest is None:
        return None
    age = Estimate.exact((subject.now - newest.value) / 1_000_000)
    return age, age


class MismatchError(Exception):
    """A bound is of another kind than the column's values."""

    def __init__(self, bound: object) -> None:
        super().__init__(bound)
        self.bound = bound


def in_units(column: ColumnProfile, bound: Scalar) -> float:
    """A bound as the column's figures are: numbers, days or microseconds since 1970.

    Raises
    ------
    MismatchError
        If the column holds something else.
    """
    wanted = {Kind.DATE: date, Kind.TIMESTAMP: datetime}.get(column.kind, float)
    kind = kind_of_bound(bound)
    if wanted is datetime and kind is date:
        bound = datetime(bound.year, bound.month, bound.day, tzinfo=UTC)  # type: ignore[union-attr]
    elif kind is not wanted:
        raise MismatchError(bound)
    if isinstance(bound, datetime):
        return (bound - _EPOCH) // timedelta(microseconds=1)
    return (bound - date(1970, 1, 1)).days if isinstance(bound, date) else bound


# --- the list ------------------------------------------------------------------------------------


def _shares(
    title: str, kinds: frozenset[Kind], figure: Callable[[ColumnProfile], Estimate | None]
) -> Definition:
    return Definition(title, Unit.SHARE, kinds, *_single(share_of), _figure(figure))


def _changes(
    title: str,
    kinds: frozenset[Kind],
    figure: Callable[[ColumnProfile, ColumnProfile], Estimate | None],
    unit: Unit = Unit.SHARE,
) -> Definition:
    read = share_of if unit is Unit.SHARE else amount_of
    return Definition(title, unit, kinds, *_single(read), _change(figure), compared=True)


RULES: dict[str, Definition] = {
    "completeness": _shares("share of rows that are not missing", _ANY, quality.completeness),
    "nulls": _shares("share of rows that are null", _ANY, quality.null_share),
    "nans": _shares("share of rows that are NaN", frozenset({Kind.FLOAT}), quality.nan_share),
    "infinities": _shares(
        "share of infinite values", frozenset({Kind.FLOAT}), quality.infinite_share
    ),
    "zeros": _shares("share of zeros", _NUMBERS, quality.zero_share),
    "negatives": _shares("share of negative values", _NUMBERS, quality.negative_share),
    "empty": _shares("share of empty texts", frozenset({Kind.TEXT}), quality.empty_share),
    "minimum": Definition(
        "smallest value",
        Unit.VALUE,
        _ORDERED,
        lambda place, value: (Requirement(low=scalar_of(place, value)),),
        lambda requirements: requirements[0].low,
        _figure(quality.minimum),
        sampled=False,
    ),
    "maximum": Definition(
        "largest value",
        Unit.VALUE,
        _ORDERED,
        lambda place, value: (Requirement(high=scalar_of(place, value)),),
        lambda requirements: requirements[0].high,
        _figure(quality.maximum),
        sampled=False,
    ),
    "values": Definition(
        "share of values in the set", Unit.SHARE, _COUNTED, _read_values, _write_values, _values
    ),
    "shares": Definition(
        "share of values", Unit.SHARE, _ORDERED, _read_shares, _write_shares, _share
    ),
    "mean": Definition(
        "mean", Unit.NUMBER, _NUMBERS | {Kind.BOOLEAN}, *_single(number_of), _figure(quality.mean)
    ),
    "std": Definition(
        "standard deviation", Unit.NUMBER, _NUMBERS, *_single(amount_of), _figure(quality.std)
    ),
    "quantiles": Definition("quantile", Unit.VALUE, _ORDERED, _read_quantiles, _by_name, _quantile),
    "distinct": Definition(
        "distinct values", Unit.COUNT, _PROFILED, *_single(amount_of), _figure(quality.distinct)
    ),
    "uniqueness": _shares("distinct values over values", _PROFILED, quality.uniqueness),
    "length": Definition(
        "length",
        Unit.COUNT,
        frozenset({Kind.TEXT}),
        _read_length,
        lambda requirements: bounds_text(requirements[0]),
        _length,
        sampled=False,
    ),
    "mean_length": Definition(
        "mean length",
        Unit.NUMBER,
        frozenset({Kind.TEXT}),
        *_single(amount_of),
        _figure(quality.mean_length),
    ),
    "characters": Definition(
        "share of characters",
        Unit.SHARE,
        frozenset({Kind.TEXT}),
        _read_characters,
        _by_name,
        _characters,
    ),
    "freshness": Definition(
        "age of the newest value",
        Unit.SECONDS,
        frozenset({Kind.TIMESTAMP}),
        lambda place, value: (Requirement(high=age_of(place, value)),),
        lambda requirements: age_text(int(requirements[0].high)),  # type: ignore[arg-type]
        _freshness,
        sampled=False,
    ),
    "out_of_range": _changes(
        "share of values out of the reference's range",
        _NUMBERS | {Kind.DATE},
        changes.out_of_range,
    ),
    "unseen": _changes(
        "share of values that the reference lacks",
        _NUMBERS | {Kind.BOOLEAN, Kind.TEXT},
        changes.unseen_share,
    ),
    "vanished": _changes(
        "share of the reference's values that are gone",
        _NUMBERS | {Kind.BOOLEAN, Kind.TEXT},
        changes.vanished_share,
    ),
    "distinct_ratio": _changes(
        "distinct values over the reference's", _PROFILED, changes.distinct_ratio, Unit.NUMBER
    ),
    "hour_change": _changes(
        "distance of the hours' shares", frozenset({Kind.TIMESTAMP}), changes.hour_change
    ),
    "weekday_change": _changes(
        "distance of the weekdays' shares", frozenset({Kind.TIMESTAMP}), changes.weekday_change
    ),
    "character_change": _changes(
        "distance of the characters' shares", frozenset({Kind.TEXT}), changes.character_change
    ),
}
