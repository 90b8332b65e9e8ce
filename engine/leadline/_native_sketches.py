"""Checked calls of the kernels of quantiles, counts, text and calendar; continues `_native`.

The compiled module itself is imported by `_native` only; this file takes it from there. Every
function takes contiguous NumPy arrays of exactly the type it names.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._native import Storage, _aligned, _refuse, _u64
from ._native import ffi as _ffi
from ._native import lib as _lib
from .errors import InputError

_TYPES = {
    np.dtype(np.uint8): "uint8_t[]",
    np.dtype(np.int32): "int32_t[]",
    np.dtype(np.uint32): "uint32_t[]",
    np.dtype(np.int64): "int64_t[]",
    np.dtype(np.uint64): "uint64_t[]",
}


def _memory(array: NDArray[Any], dtype: type[np.generic]) -> Any:
    """The array's memory as a C pointer; cffi keeps the array alive with it."""
    if array.dtype != dtype:
        raise TypeError(f"expected {np.dtype(dtype)} values, got {array.dtype}")
    return _ffi.from_buffer(_TYPES[array.dtype], array)


def _room(array: NDArray[Any], size: int) -> None:
    if len(array) < size:
        raise InputError(f"work memory for {len(array)} values, but {size} are needed")


# --- quantiles -----------------------------------------------------------------------------------


def quantiles_capacity(k: int, levels: int) -> int:
    """Items that a sketch of this many levels may hold."""
    return int(_lib.ll_quantiles_capacity(k, levels))


class _Levels:
    """Where a kernel writes a sketch: offsets, number of levels, items."""

    def __init__(self, k: int) -> None:
        self.offsets = np.empty(_lib.LL_QUANTILE_LEVELS + 1, dtype=np.uint32)
        self.levels = np.zeros(1, dtype=np.int32)
        self.items = np.empty(quantiles_capacity(k, _lib.LL_QUANTILE_LEVELS), dtype=np.uint64)

    def pointers(self) -> tuple[Any, Any, Any]:
        return (
            _memory(self.offsets, np.uint32),
            _memory(self.levels, np.int32),
            _u64(self.items),
        )

    def taken(self) -> tuple[NDArray[np.uint32], NDArray[np.uint64]]:
        offsets = self.offsets[: int(self.levels[0]) + 1].copy()
        return offsets, self.items[: int(offsets[-1])].copy()


def quantiles_block(
    values: NDArray[np.uint64],
    storage: Storage,
    height: int,
    k: int,
    seed: int,
    keys: NDArray[np.uint64],
    work: NDArray[np.uint64],
) -> tuple[NDArray[np.uint32], NDArray[np.uint64], int, int]:
    """Levels, items, smallest and largest key of a block of which one in 2**height is kept."""
    _room(keys, len(values))
    _room(work, len(values))
    values = _aligned(values)
    bounds = np.empty(2, dtype=np.uint64)
    sketch = _Levels(k)
    code = _lib.ll_quantiles_block(
        _u64(values),
        len(values),
        storage,
        height,
        k,
        seed,
        _u64(keys),
        _u64(work),
        _u64(bounds),
        *sketch.pointers(),
    )
    if code:
        _refuse(code, "quantiles")
    return *sketch.taken(), int(bounds[0]), int(bounds[1])


def quantiles_weighted(
    keys: NDArray[np.uint64], weights: NDArray[np.uint64], k: int, seed: int
) -> tuple[NDArray[np.uint32], NDArray[np.uint64]]:
    """Levels and items of ascending distinct keys with counts."""
    if len(keys) != len(weights):
        raise InputError(f"{len(keys)} keys have {len(weights)} counts")
    keys, weights = _aligned(keys), _aligned(weights)
    sketch = _Levels(k)
    code = _lib.ll_quantiles_weighted(
        _u64(keys),
        _u64(weights),
        len(keys),
        k,
        seed,
        *sketch.pointers(),
    )
    if code:
        _refuse(code, "quantiles")
    return sketch.taken()


def quantiles_merge(
    k: int,
    seed: int,
    a_levels: NDArray[np.uint32],
    a_items: NDArray[np.uint64],
    b_levels: NDArray[np.uint32],
    b_items: NDArray[np.uint64],
) -> tuple[NDArray[np.uint32], NDArray[np.uint64]]:
    """Levels and items of two sketches together, brought down to the capacity of ``k``."""
    work = np.empty((2, len(a_items) + len(b_items) + 1), dtype=np.uint64)
    sketch = _Levels(k)
    code = _lib.ll_quantiles_merge(
        k,
        seed,
        _memory(a_levels, np.uint32),
        len(a_levels) - 1,
        _u64(a_items),
        len(a_items),
        _memory(b_levels, np.uint32),
        len(b_levels) - 1,
        _u64(b_items),
        len(b_items),
        _u64(work[0]),
        _u64(work[1]),
        *sketch.pointers(),
    )
    if code:
        _refuse(code, "quantiles")
    return sketch.taken()


# --- counts --------------------------------------------------------------------------------------

FEW_PLACES: int = _lib.LL_FEW_PLACES


def counts_range(values: NDArray[np.uint64], storage: Storage) -> tuple[int, int]:
    """Ordered keys of the smallest and the largest of at least one value."""
    values = _aligned(values)
    keys = np.empty(2, dtype=np.uint64)
    code = _lib.ll_counts_range(_u64(values), len(values), storage, _u64(keys))
    if code:
        _refuse(code, "counts")
    return int(keys[0]), int(keys[1])


def counts_dense(
    values: NDArray[np.uint64], low: int, high: int, table: NDArray[np.uint32]
) -> None:
    """Count integers between two ordered keys at their low 16 bits."""
    values = _aligned(values)
    _room(table, 1 << 16)
    code = _lib.ll_counts_dense(_u64(values), len(values), low, high, _memory(table, np.uint32))
    if code:
        _refuse(code, "counts")


def counts_few(
    values: NDArray[np.uint64],
    limit: int,
    keys: NDArray[np.uint64],
    counts: NDArray[np.uint32],
    used: NDArray[np.int32],
) -> None:
    """Count values by hash until more than ``limit`` distinct ones are met."""
    values = _aligned(values)
    _room(keys, FEW_PLACES)
    _room(counts, FEW_PLACES)
    code = _lib.ll_counts_few(
        _u64(values),
        len(values),
        limit,
        _u64(keys),
        _memory(counts, np.uint32),
        _memory(used, np.int32),
    )
    if code:
        _refuse(code, "counts")


def counts_groups(
    values: NDArray[np.uint64],
    starts: NDArray[np.int64],
    storage: Storage,
    keys: NDArray[np.uint64],
    work: NDArray[np.uint64],
) -> tuple[NDArray[np.uint64], NDArray[np.uint32], NDArray[np.int64]]:
    """Distinct keys of every group (in ``keys``), their counts, and where each group begins."""
    values = _aligned(values)
    size = len(values)
    _room(keys, size)
    _room(work, size)
    counts = np.empty(size, dtype=np.uint32)
    unique_starts = np.empty(len(starts), dtype=np.int64)
    code = _lib.ll_counts_groups(
        _u64(values),
        size,
        _memory(starts, np.int64),
        len(starts) - 1,
        storage,
        _u64(work),
        _u64(keys),
        _memory(counts, np.uint32),
        _memory(unique_starts, np.int64),
    )
    if code:
        _refuse(code, "counts")
    filled = int(unique_starts[-1])
    return keys[:filled], counts[:filled], unique_starts


def counts_merge(
    a_keys: NDArray[np.uint64],
    a_counts: NDArray[np.uint64],
    b_keys: NDArray[np.uint64],
    b_counts: NDArray[np.uint64],
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Two ascending lists of distinct keys with counts into one."""
    if len(a_keys) != len(a_counts) or len(b_keys) != len(b_counts):
        raise InputError("keys and counts differ in length")
    size = len(a_keys) + len(b_keys)
    keys, counts = np.empty(size, dtype=np.uint64), np.empty(size, dtype=np.uint64)
    filled = _lib.ll_counts_merge(
        _u64(a_keys),
        _u64(a_counts),
        len(a_keys),
        _u64(b_keys),
        _u64(b_counts),
        len(b_keys),
        _u64(keys),
        _u64(counts),
    )
    return keys[:filled], counts[:filled]


def codes_count(
    codes: NDArray[np.int32],
    table: NDArray[np.uint32],
    touched: NDArray[np.int32],
    filled: int,
) -> int:
    """Count codes; ``touched[:returned]`` are those whose counters are not zero."""
    _room(touched, min(filled + len(codes), len(table)) + 1)
    count = np.array([filled], dtype=np.int64)
    code = _lib.ll_codes_count(
        _memory(codes, np.int32),
        len(codes),
        _memory(table, np.uint32),
        len(table),
        _memory(touched, np.int32),
        _memory(count, np.int64),
    )
    if code:
        _refuse(code, "codes")
    return int(count[0])


def codes_groups(
    codes: NDArray[np.int32], starts: NDArray[np.int64], table: NDArray[np.uint32]
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]:
    """Distinct codes of every group, their counts, and where each group begins in both."""
    size = len(codes)
    work = np.empty((2, size), dtype=np.uint64)
    unique, counts = np.empty(size, dtype=np.int32), np.empty(size, dtype=np.int64)
    unique_starts = np.empty(len(starts), dtype=np.int64)
    code = _lib.ll_codes_groups(
        _memory(codes, np.int32),
        size,
        _memory(starts, np.int64),
        len(starts) - 1,
        _memory(table, np.uint32),
        len(table),
        _u64(work[0]),
        _u64(work[1]),
        _memory(unique, np.int32),
        _memory(counts, np.int64),
        _memory(unique_starts, np.int64),
    )
    if code:
        _refuse(code, "codes")
    filled = int(unique_starts[-1])
    return unique[:filled], counts[:filled], unique_starts


# --- text ----------------------------------------------------------------------------------------

TEXT_CLASSES: int = _lib.LL_TEXT_CLASSES


def text_measure(
    offsets: NDArray[np.int64], data: NDArray[np.uint8]
) -> tuple[NDArray[np.uint64], NDArray[np.uint32], NDArray[np.uint32]]:
    """Both words of the hash, code points, and code points by class, of every entry."""
    size = len(offsets) - 1
    hashes = np.empty((size, 2), dtype=np.uint64)
    lengths = np.empty(size, dtype=np.uint32)
    classes = np.empty((size, TEXT_CLASSES), dtype=np.uint32)
    code = _lib.ll_text_measure(
        _memory(offsets, np.int64),
        size,
        _memory(data, np.uint8),
        len(data),
        _u64(hashes),
        _memory(lengths, np.uint32),
        _memory(classes, np.uint32),
    )
    if code:
        _refuse(code, "text")
    return hashes, lengths, classes


def text_weigh(
    classes: NDArray[np.uint32], codes: NDArray[np.int32], weights: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Code points by class of the entries ``codes``, each taken ``weights`` times."""
    if len(codes) != len(weights):
        raise InputError(f"{len(codes)} codes have {len(weights)} weights")
    totals = np.empty(TEXT_CLASSES, dtype=np.int64)
    code = _lib.ll_text_weigh(
        _memory(classes, np.uint32),
        len(classes),
        _memory(codes, np.int32),
        _memory(weights, np.int64),
        len(codes),
        _memory(totals, np.int64),
    )
    if code:
        _refuse(code, "text")
    return totals


# --- calendar ------------------------------------------------------------------------------------

_UNITS = {
    "s": _lib.LL_UNIT_SECONDS,
    "ms": _lib.LL_UNIT_MILLISECONDS,
    "us": _lib.LL_UNIT_MICROSECONDS,
    "ns": _lib.LL_UNIT_NANOSECONDS,
}


def _unit(unit: str) -> int:
    if unit not in _UNITS:
        raise InputError(f"time unit {unit!r} is not one of {', '.join(_UNITS)}")
    return int(_UNITS[unit])


def calendar_count(
    values: NDArray[np.int64], weights: NDArray[np.uint64] | None, unit: str
) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int64]]:
    """Counts of the 24 hours, of the weekdays from Monday, and the day number of every instant."""
    if weights is not None and len(weights) != len(values):
        raise InputError(f"{len(values)} instants have {len(weights)} weights")
    hours, weekdays = np.zeros(24, dtype=np.uint64), np.zeros(7, dtype=np.uint64)
    days = np.empty(len(values), dtype=np.int64)
    code = _lib.ll_calendar_count(
        _memory(values, np.int64),
        _ffi.NULL if weights is None else _u64(weights),
        len(values),
        _unit(unit),
        _u64(hours),
        _u64(weekdays),
        _memory(days, np.int64),
    )
    if code:
        _refuse(code, "calendar")
    return hours, weekdays, days


def calendar_microseconds(values: NDArray[np.int64], unit: str) -> NDArray[np.int64]:
    """Instants in microseconds, rounded down and held at the ends of int64."""
    out = np.empty(len(values), dtype=np.int64)
    code = _lib.ll_calendar_microseconds(
        _memory(values, np.int64), len(values), _unit(unit), _memory(out, np.int64)
    )
    if code:
        _refuse(code, "calendar")
    return out
