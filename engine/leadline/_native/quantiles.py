"""The kernels of the quantile sketch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .library import Storage, aligned, ffi, lib, memory, refuse, require_room, words


def quantiles_capacity(k: int, levels: int) -> int:
    """Items that a sketch of this many levels may hold."""
    return int(lib.ll_quantiles_capacity(k, levels))


class _Levels:
    """Where a kernel writes a sketch: offsets, number of levels, items."""

    def __init__(self, k: int) -> None:
        self.offsets = np.empty(lib.LL_QUANTILE_LEVELS + 1, dtype=np.uint32)
        self.levels = np.zeros(1, dtype=np.int32)
        self.items = np.empty(quantiles_capacity(k, lib.LL_QUANTILE_LEVELS), dtype=np.uint64)

    def pointers(self) -> tuple[Any, Any, Any]:
        return (
            memory(self.offsets, np.uint32),
            memory(self.levels, np.int32),
            words(self.items),
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
    require_room(keys, len(values))
    require_room(work, len(values))
    values = aligned(values)
    bounds = np.empty(2, dtype=np.uint64)
    sketch = _Levels(k)
    code = lib.ll_quantiles_block(
        words(values),
        len(values),
        storage,
        height,
        k,
        seed,
        words(keys),
        words(work),
        words(bounds),
        *sketch.pointers(),
    )
    if code:
        refuse(code, "quantiles")
    return *sketch.taken(), int(bounds[0]), int(bounds[1])


def quantiles_weighted(
    keys: NDArray[np.uint64], weights: NDArray[np.uint64], k: int, seed: int
) -> tuple[NDArray[np.uint32], NDArray[np.uint64]]:
    """Levels and items of ascending distinct keys with counts."""
    if len(keys) != len(weights):
        raise ValueError(f"{len(keys)} keys have {len(weights)} counts")
    keys, weights = aligned(keys), aligned(weights)
    sketch = _Levels(k)
    code = lib.ll_quantiles_weighted(
        words(keys),
        words(weights),
        len(keys),
        k,
        seed,
        *sketch.pointers(),
    )
    if code:
        refuse(code, "quantiles")
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
    code = lib.ll_quantiles_merge(
        k,
        seed,
        memory(a_levels, np.uint32),
        len(a_levels) - 1,
        words(a_items),
        len(a_items),
        memory(b_levels, np.uint32),
        len(b_levels) - 1,
        words(b_items),
        len(b_items),
        words(work[0]),
        words(work[1]),
        *sketch.pointers(),
    )
    if code:
        refuse(code, "quantiles")
    return sketch.taken()


def quantiles_bytes(
    storage: Storage,
    k: int,
    height: int,
    total: int,
    minimum: int,
    maximum: int,
    levels: NDArray[np.uint32],
    items: NDArray[np.uint64],
) -> bytes:
    """A sketch in the layout of Apache DataSketches."""
    out = np.empty(28 + 4 * lib.LL_QUANTILE_LEVELS + 8 * (len(items) + 2), dtype=np.uint8)
    size = ffi.new("int64_t *")
    code = lib.ll_quantiles_bytes(
        storage,
        k,
        height,
        total,
        minimum,
        maximum,
        memory(levels, np.uint32),
        len(levels) - 1,
        words(items),
        len(items),
        memory(out, np.uint8),
        len(out),
        size,
    )
    if code:
        refuse(code, "quantiles")
    return out[: size[0]].tobytes()
