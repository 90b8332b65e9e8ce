"""Hours, weekdays and days of instants."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .library import ffi, lib, memory, refuse, words

_UNITS = {
    "s": lib.LL_UNIT_SECONDS,
    "ms": lib.LL_UNIT_MILLISECONDS,
    "us": lib.LL_UNIT_MICROSECONDS,
    "ns": lib.LL_UNIT_NANOSECONDS,
}


def unit_number(unit: str) -> int:
    """The kernels' number of a unit of time."""
    if unit not in _UNITS:
        raise ValueError(f"time unit {unit!r} is not one of {', '.join(_UNITS)}")
    return int(_UNITS[unit])


def calendar_count(
    values: NDArray[np.int64], weights: NDArray[np.uint64] | None, unit: str
) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int64]]:
    """Counts of the 24 hours, of the weekdays from Monday, and the day number of every instant."""
    if weights is not None and len(weights) != len(values):
        raise ValueError(f"{len(values)} instants have {len(weights)} weights")
    hours, weekdays = np.zeros(24, dtype=np.uint64), np.zeros(7, dtype=np.uint64)
    days = np.empty(len(values), dtype=np.int64)
    code = lib.ll_calendar_count(
        memory(values, np.int64),
        ffi.NULL if weights is None else words(weights),
        len(values),
        unit_number(unit),
        words(hours),
        words(weekdays),
        memory(days, np.int64),
    )
    if code:
        refuse(code, "calendar")
    return hours, weekdays, days


def calendar_microseconds(values: NDArray[np.int64], unit: str) -> NDArray[np.int64]:
    """Instants in microseconds, rounded down and held at the ends of int64."""
    out = np.empty(len(values), dtype=np.int64)
    code = lib.ll_calendar_microseconds(
        memory(values, np.int64), len(values), unit_number(unit), memory(out, np.int64)
    )
    if code:
        refuse(code, "calendar")
    return out
