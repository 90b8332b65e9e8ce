"""Instants by day, hour of day and weekday, in UTC; exact, instants before 1970 included."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .._native import Storage
from .._native import calendar as kernels
from .counts import DENSE_RANGE, ValueCounts
from .keys import to_keys


@dataclass(frozen=True, slots=True, eq=False)
class CalendarCounts:
    """Counts of instants.

    Parameters
    ----------
    days
        By number of days since 1970-01-01 (INT64); None where they span 65,536 days or more.
    hours
        By hour of day, int64[24].
    weekdays
        By weekday, Monday first, int64[7].
    """

    days: ValueCounts | None
    hours: NDArray[np.int64]
    weekdays: NDArray[np.int64]

    def __post_init__(self) -> None:
        self.hours.flags.writeable = False
        self.weekdays.flags.writeable = False

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, CalendarCounts)
            and self.days == other.days
            and np.array_equal(self.hours, other.hours)
            and np.array_equal(self.weekdays, other.weekdays)
        )

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def empty(cls) -> CalendarCounts:
        """Counts of no instants."""
        hours, weekdays = np.zeros(24, dtype=np.int64), np.zeros(7, dtype=np.int64)
        return cls(ValueCounts.empty(Storage.INT64), hours, weekdays)

    @property
    def total(self) -> int:
        """Number of instants."""
        return int(self.hours.sum())

    @property
    def nbytes(self) -> int:
        """Bytes of state held."""
        days = 0 if self.days is None else self.days.nbytes
        return days + self.hours.nbytes + self.weekdays.nbytes

    def merge(self, other: CalendarCounts) -> CalendarCounts:
        """Counts of both sides' instants."""
        days = None
        if self.days is not None and other.days is not None:
            days = self.days.merge(other.days)
            if len(days) and int(days.offsets[-1]) >= DENSE_RANGE:
                days = None
        return CalendarCounts(days, self.hours + other.hours, self.weekdays + other.weekdays)


def calendar_of(
    values: NDArray[np.int64], weights: NDArray[np.uint64] | None, unit: str
) -> CalendarCounts:
    """Count instants.

    Parameters
    ----------
    values
        Instants since 1970-01-01 UTC, by floor division: -1 is the last unit of 1969.
    weights
        How often each occurs; None for once.
    unit
        ``"s"``, ``"ms"``, ``"us"`` or ``"ns"``.

    Examples
    --------
    >>> calendar_of(np.array([-1]), None, "s").weekdays.tolist()  # a Wednesday
    [0, 0, 1, 0, 0, 0, 0]
    """
    hours, weekdays, days = kernels.calendar_count(values, weights, unit)
    return CalendarCounts(
        _count_days(days, weights), hours.astype(np.int64), weekdays.astype(np.int64)
    )


def _count_days(days: NDArray[np.int64], weights: NDArray[np.uint64] | None) -> ValueCounts | None:
    if not len(days):
        return ValueCounts.empty(Storage.INT64)
    low, high = int(days.min()), int(days.max())
    if high - low >= DENSE_RANGE:
        return None
    if weights is None:
        counts = np.bincount(days - low).astype(np.uint64)
    else:
        counts = np.zeros(high - low + 1, dtype=np.uint64)
        np.add.at(counts, days - low, weights)
    places = np.flatnonzero(counts)
    keys = to_keys((places + low).astype(np.int64).view(np.uint64), Storage.INT64)
    return ValueCounts.of(keys, counts[places], Storage.INT64)


def to_microseconds(values: NDArray[np.int64], unit: str) -> NDArray[np.int64]:
    """Instants in microseconds, rounded down; those beyond int64 are held at its ends.

    Examples
    --------
    >>> to_microseconds(np.array([-1, 1999]), "ns").tolist()
    [-1, 1]
    """
    return kernels.calendar_microseconds(values, unit)
