"""Quantile sketches in the byte layout of Apache DataSketches (family 15), written and checked.

The layout is that of ``kll_sketch.hpp`` and ``KllPreambleUtil.java``, little-endian: preamble ints,
serial version, family, flags, k (u16), m, unused (our sampling height), count (u64), smallest k
(u16), levels (u8), unused, level offsets (u32 each, the last not stored), minimum, maximum, items.
"""

from __future__ import annotations

import itertools
import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._native import Storage
from .._native import quantiles as kernels
from .._native.unpacking import unpacking_quantiles
from ..errors import SnapshotError
from .keys import from_keys, to_keys

FAMILY = 15
MIN_K = 8
MIN_WIDTH = 8  # DataSketches' m
MAX_LEVELS = 61
MAX_HEIGHT = 16
EMPTY, LEVEL_ZERO_SORTED, SINGLE = 1, 2, 4
_HEAD = struct.Struct("<BBBBHBB")
_COUNTS = struct.Struct("<QHBB")
_NOTHING = (np.zeros(1, dtype=np.uint32), np.zeros(0, dtype=np.uint64))


class Fields(NamedTuple):
    """What the bytes hold, in the order of the fields of `quantiles.Quantiles`."""

    storage: Storage
    k: int
    total: int
    minimum: int
    maximum: int
    levels: NDArray[np.uint32]
    items: NDArray[np.uint64]
    height: int


def decode(data: bytes, storage: Storage) -> Fields:
    """The sketch in these bytes; SnapshotError with the reason if there is none."""
    _require(len(data) >= _HEAD.size, "the preamble is cut off")
    preamble, version, family, flags, k, width, height = _HEAD.unpack_from(data)
    _require(family == FAMILY, f"the family is {family}, not KLL's {FAMILY}")
    _require(version in (1, 2), f"serial version {version} is not known")
    _require(k >= MIN_K, f"k is {k}, below {MIN_K}")
    _require(width == MIN_WIDTH, f"m is {width}, not {MIN_WIDTH}")
    _require(height <= MAX_HEIGHT, f"the sampling height is {height}, above {MAX_HEIGHT}")
    if flags & EMPTY:
        _require(preamble == 2 and len(data) == _HEAD.size, "an empty sketch has more bytes")
        return Fields(storage, k, 0, 0, 0, *_NOTHING, height)
    if flags & SINGLE:
        _require(preamble == 2 and version == 2, "a single item needs serial version 2")
        _require(len(data) == _HEAD.size + 8, "a single item has 8 bytes")
        item = _keys(data, _HEAD.size, 1, storage)
        levels = np.array([0, 1], dtype=np.uint32)
        return Fields(storage, k, 1, int(item[0]), int(item[0]), levels, item, height)
    _require(preamble == 5 and version == 1, "a full sketch needs 5 preamble ints and version 1")
    return _decode_full(data, storage, k, height, level_zero_sorted=bool(flags & LEVEL_ZERO_SORTED))


def _decode_full(
    data: bytes, storage: Storage, k: int, height: int, *, level_zero_sorted: bool
) -> Fields:
    start = _HEAD.size + _COUNTS.size
    _require(len(data) >= start, "the preamble is cut off")
    count, min_k, padded, _ = _COUNTS.unpack_from(data, _HEAD.size)
    _require(count >= 2, f"a full sketch of {count} values")
    _require(MIN_K <= min_k <= k, f"the smallest k is {min_k}, but k is {k}")
    _require(1 <= padded <= MAX_LEVELS, f"there are {padded} levels, not 1 to {MAX_LEVELS}")
    capacity = kernels.quantiles_capacity(k, padded)
    _require(len(data) >= start + 4 * padded, "the level offsets are cut off")
    offsets = [*struct.unpack_from(f"<{padded}I", data, start), capacity]
    sizes = [after - before for before, after in itertools.pairwise(offsets)]
    _require(min(sizes) >= 0, "the level offsets do not ascend")
    retained = capacity - offsets[0]
    start += 4 * padded
    _require(len(data) == start + 8 * (2 + retained), "the number of bytes fits no such sketch")
    total = sum(size << level for level, size in enumerate(sizes))
    _require(total == count, f"the weights add up to {total}, but there are {count} values")
    used = max((level + 1 for level, size in enumerate(sizes) if size))
    levels = np.array([offset - offsets[0] for offset in offsets[: used + 1]], dtype=np.uint32)
    found = unpacking_quantiles(
        memoryview(data)[start:], storage, levels, sorted_from=0 if level_zero_sorted else 1
    )
    _require(not found.fault, found.fault)
    if not level_zero_sorted:
        found.items[: levels[1]].sort()
    sketch = Fields(storage, k, count, found.minimum, found.maximum, levels, found.items, height)
    return _shrunk(sketch, min_k)


def _shrunk(sketch: Fields, min_k: int) -> Fields:
    """The sketch at the smallest k that was ever merged into it, which is what it can promise."""
    if min_k == sketch.k:
        return sketch
    levels, items = kernels.quantiles_merge(
        min_k, sketch.total, sketch.levels, sketch.items, *_NOTHING
    )
    return sketch._replace(k=min_k, levels=levels, items=items)


def _keys(data: bytes, start: int, count: int, storage: Storage) -> NDArray[np.uint64]:
    raw = np.frombuffer(data, dtype="<u8", count=count, offset=start).astype(np.uint64)
    if storage is Storage.FLOAT64:
        _require(not bool(np.isnan(raw.view(np.float64)).any()), "an item is NaN")
        raw = (raw.view(np.float64) + 0.0).view(np.uint64)  # -0.0 becomes 0.0
    return to_keys(raw, storage)


def from_doubles(data: bytes, storage: Storage) -> Fields:
    """A sketch of doubles as one of ``storage``, exactly or not at all."""
    sketch = decode(data, Storage.FLOAT64)
    if storage is Storage.FLOAT64 or sketch.total == 0:
        return sketch._replace(storage=storage)
    keys = np.concatenate([np.array([sketch.minimum, sketch.maximum], np.uint64), sketch.items])
    doubles = from_keys(keys, Storage.FLOAT64)
    low, high = (-(2.0**63), 2.0**63) if storage is Storage.INT64 else (0.0, 2.0**64)
    _require(
        bool(((doubles >= low) & (doubles < high) & (doubles == np.floor(doubles))).all()),
        f"an item is no {storage.name}",
    )
    integers = doubles.astype(np.int64 if storage is Storage.INT64 else np.uint64)
    keys = to_keys(integers.view(np.uint64), storage)
    return sketch._replace(
        storage=storage, minimum=int(keys[0]), maximum=int(keys[1]), items=keys[2:].copy()
    )


def _require(condition: bool, reason: str) -> None:
    if not condition:
        raise SnapshotError(f"damaged quantile sketch: {reason}")
