"""Exact counts of values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .library import Storage, aligned, ffi, lib, memory, refuse, require_room, words

FEW_PLACES: int = lib.LL_FEW_PLACES


def counts_range(values: NDArray[np.uint64], storage: Storage) -> tuple[int, int]:
    """Ordered keys of the smallest and the largest of at least one value."""
    values = aligned(values)
    keys = np.empty(2, dtype=np.uint64)
    code = lib.ll_counts_range(words(values), len(values), storage, words(keys))
    if code:
        refuse(code, "counts")
    return int(keys[0]), int(keys[1])


def counts_dense(
    values: NDArray[np.uint64], low: int, high: int, table: NDArray[np.uint32]
) -> None:
    """Count integers between two ordered keys at their low 16 bits."""
    values = aligned(values)
    require_room(table, 1 << 16)
    code = lib.ll_counts_dense(words(values), len(values), low, high, memory(table, np.uint32))
    if code:
        refuse(code, "counts")


def counts_few(
    values: NDArray[np.uint64],
    limit: int,
    keys: NDArray[np.uint64],
    counts: NDArray[np.uint32],
    used: NDArray[np.int32],
) -> None:
    """Count values by hash until more than ``limit`` distinct ones are met."""
    values = aligned(values)
    require_room(keys, FEW_PLACES)
    require_room(counts, FEW_PLACES)
    code = lib.ll_counts_few(
        words(values),
        len(values),
        limit,
        words(keys),
        memory(counts, np.uint32),
        memory(used, np.int32),
    )
    if code:
        refuse(code, "counts")


def counts_groups(
    values: NDArray[np.uint64],
    starts: NDArray[np.int64],
    storage: Storage,
    keys: NDArray[np.uint64],
    work: NDArray[np.uint64],
) -> tuple[NDArray[np.uint64], NDArray[np.uint32], NDArray[np.int64]]:
    """Distinct keys of every group (in ``keys``), their counts, and where each group begins."""
    values = aligned(values)
    size = len(values)
    require_room(keys, size)
    require_room(work, size)
    counts = np.empty(size, dtype=np.uint32)
    unique_starts = np.empty(len(starts), dtype=np.int64)
    code = lib.ll_counts_groups(
        words(values),
        size,
        memory(starts, np.int64),
        len(starts) - 1,
        storage,
        words(work),
        words(keys),
        memory(counts, np.uint32),
        memory(unique_starts, np.int64),
    )
    if code:
        refuse(code, "counts")
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
        raise ValueError("keys and counts differ in length")
    size = len(a_keys) + len(b_keys)
    keys, counts = np.empty(size, dtype=np.uint64), np.empty(size, dtype=np.uint64)
    filled = ffi.new("int64_t *")
    code = lib.ll_counts_merge(
        words(a_keys),
        words(a_counts),
        len(a_keys),
        words(b_keys),
        words(b_counts),
        len(b_keys),
        words(keys),
        words(counts),
        filled,
    )
    if code:
        refuse(code, "counts")
    return keys[: filled[0]], counts[: filled[0]]
