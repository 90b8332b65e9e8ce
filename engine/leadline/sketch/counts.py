"""Exact counts of numbers while these fit; `frequent` holds the counts of texts.

Whether values fit is a function of the values alone (`ValueCounts.fits`) and, once broken, stays
broken for every larger multiset; so any grouping of merges ends with the same kind of state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._native import Storage
from .._native import counts as kernels
from ..errors import ComparisonError
from .keys import from_keys, to_keys
from .scratch import BLOCK, Scratch

# So many values are always counted exactly. Below it sketches are no smaller than the values, and
# dearer: with 2,048 instead of 512, 1,000 rows of 20 columns take 1.6 ms instead of 2.1, and to
# compare two such profiles takes 2.9 ms instead of 4.1.
SMALL_TOTAL = 2048
# Integers are, while largest minus smallest is below this ...
DENSE_RANGE = 65_536
# ... and doubles, while so few distinct values occur: ratings, rounded prices, integers with nulls.
FEW_DISTINCT = 256


def smallest_type(largest: int) -> type[np.unsignedinteger[Any]]:
    """The smallest unsigned type that holds a number below 2**64."""
    if largest < 1 << 16:
        return np.uint16 if largest >= 1 << 8 else np.uint8
    return np.uint64 if largest >= 1 << 32 else np.uint32


def _narrow(values: NDArray[np.unsignedinteger[Any]], largest: int) -> NDArray[Any]:
    """The values in the smallest unsigned type that holds ``largest``; always a copy."""
    return values.astype(smallest_type(largest))


@dataclass(frozen=True, slots=True, eq=False)
class ValueCounts:
    """How often each distinct number occurs, exactly; infinities may be among them, NaN is not.

    Parameters
    ----------
    storage
        What the keys stand for.
    base
        Ordered key of the smallest value; 0 while empty.
    offsets
        Ascending distinct keys minus ``base``, in the smallest unsigned type that holds them.
    counts
        Above 0, in the smallest unsigned type that holds them.

    Examples
    --------
    >>> keys = to_keys(np.array([3, 5], dtype=np.uint64), Storage.INT64)
    >>> counts = ValueCounts.of(keys, np.array([2, 1], dtype=np.uint64), Storage.INT64)
    >>> counts.merge(counts).values.tolist(), counts.merge(counts).counts.tolist()
    ([3, 5], [4, 2])
    """

    storage: Storage
    base: int
    offsets: NDArray[np.unsignedinteger[Any]]
    counts: NDArray[np.unsignedinteger[Any]]

    def __post_init__(self) -> None:
        self.offsets.flags.writeable = False
        self.counts.flags.writeable = False

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ValueCounts)
            and (self.storage, self.base) == (other.storage, other.base)
            and np.array_equal(self.offsets, other.offsets)
            and np.array_equal(self.counts, other.counts)
        )

    __hash__ = None  # type: ignore[assignment]

    def __len__(self) -> int:
        return len(self.offsets)

    @classmethod
    def empty(cls, storage: Storage) -> ValueCounts:
        """Counts of no values."""
        return cls(storage, 0, np.zeros(0, dtype=np.uint8), np.zeros(0, dtype=np.uint8))

    @classmethod
    def of(
        cls,
        keys: NDArray[np.uint64],
        counts: NDArray[np.unsignedinteger[Any]],
        storage: Storage,
        *,
        largest: int | None = None,
    ) -> ValueCounts:
        """Counts of ascending distinct ordered keys; ``largest`` if the largest count is known."""
        if not len(keys):
            return cls.empty(storage)
        base, last = int(keys[0]), int(keys[-1])
        offsets = _narrow(keys - keys[0], last - base)
        most = int(counts.max()) if largest is None else largest
        return cls(storage, base, offsets, _narrow(counts, most))

    @property
    def keys(self) -> NDArray[np.uint64]:
        """Ordered keys, ascending."""
        return self.offsets.astype(np.uint64) + np.uint64(self.base)

    @property
    def values(self) -> NDArray[Any]:
        """Distinct values, ascending, as float64, int64 or uint64."""
        return from_keys(self.keys, self.storage)

    @property
    def total(self) -> int:
        """Number of values counted."""
        return int(self.counts.sum(dtype=np.uint64))

    @property
    def nbytes(self) -> int:
        """Bytes of state held."""
        return 16 + self.offsets.nbytes + self.counts.nbytes

    def fits(self, *, timestamps: bool = False) -> bool:
        """Whether values like these are held exactly.

        At most 2,048 values always are. Beyond that instants are not; integers are while their
        range is below 65,536, doubles while at most 256 distinct ones occur.
        """
        if self.total <= SMALL_TOTAL:
            return True
        if timestamps:
            return False
        if self.storage is Storage.FLOAT64:
            return len(self) <= FEW_DISTINCT
        return int(self.offsets[-1]) < DENSE_RANGE

    @staticmethod
    def never_fit(parts: Sequence[ValueCounts], *, timestamps: bool = False) -> bool:
        """Whether it is certain, without merging them, that the parts together do not fit."""
        doubles = parts[0].storage is Storage.FLOAT64
        if not (timestamps or (doubles and max(map(len, parts)) > FEW_DISTINCT)):
            return False
        return sum(part.total for part in parts) > SMALL_TOTAL

    def merge(self, other: ValueCounts) -> ValueCounts:
        """Counts of both sides' values; may no longer fit, which is for the caller to see.

        Raises
        ------
        ComparisonError
            If the storages differ.
        """
        if self.storage is not other.storage:
            raise ComparisonError(
                f"counts of {self.storage.name} and {other.storage.name} cannot be merged"
            )
        if not len(self) or not len(other):
            return self if len(self) else other
        keys, counts = kernels.counts_merge(
            self.keys, self.counts.astype(np.uint64), other.keys, other.counts.astype(np.uint64)
        )
        return ValueCounts.of(keys, counts, self.storage)

    @classmethod
    def merge_all(cls, parts: Sequence[ValueCounts]) -> ValueCounts:
        """What merging the parts one by one gives, in one sort; all have one storage."""
        storage = parts[0].storage
        if any(part.storage is not storage for part in parts):
            raise ComparisonError("counts of different storages cannot be merged")
        keys = np.concatenate([part.keys for part in parts])
        if not len(keys):
            return cls.empty(storage)
        counts = np.concatenate([part.counts.astype(np.uint64) for part in parts])
        order = np.argsort(keys)
        unique, starts = np.unique(keys[order], return_index=True)
        return cls.of(unique, np.add.reduceat(counts[order], starts), storage)

    def as_float(self) -> ValueCounts:
        """The same values as doubles; integers beyond 2**53 that round to one double are joined."""
        if self.storage is Storage.FLOAT64:
            return self
        doubles = self.values.astype(np.float64)
        keys, starts = np.unique(
            to_keys(doubles.view(np.uint64), Storage.FLOAT64), return_index=True
        )
        if not len(keys):
            return ValueCounts.empty(Storage.FLOAT64)
        counts = np.add.reduceat(self.counts.astype(np.uint64), starts)
        return ValueCounts.of(keys, counts, Storage.FLOAT64)


# --- counting ------------------------------------------------------------------------------------


def count_blocks(
    blocks: Iterable[NDArray[np.uint64]],
    storage: Storage,
    scratch: Scratch,
    *,
    timestamps: bool = False,
) -> ValueCounts | None:
    """Count the values of one cell, or return None as soon as they cannot be held exactly.

    Parameters
    ----------
    blocks
        Raw 8 bytes of each value, no NaN; a block may be overwritten when the next is asked for.
        Fewer than 2**32 values together.
    storage, timestamps
        What the values are; decides the rule of `ValueCounts.fits`.
    scratch
        Work memory of the calling thread; left clean.
    """
    rest = iter(blocks)
    first: list[NDArray[np.uint64]] = []
    total = 0
    for block in rest:
        first.append(block.copy() if total + len(block) <= SMALL_TOTAL else block)
        total += len(block)
        if total > SMALL_TOTAL:
            break
    if total <= SMALL_TOTAL:
        values = np.concatenate(first) if first else np.zeros(0, dtype=np.uint64)
        starts = np.array([0, total], dtype=np.int64)
        return count_groups(values, starts, storage, scratch)[0]
    if timestamps:
        return None
    if storage is Storage.FLOAT64:
        return _count_few(_chained(first, rest), storage)
    return _count_dense(_chained(first, rest), storage, scratch)


def _chained(
    first: list[NDArray[np.uint64]], rest: Iterator[NDArray[np.uint64]]
) -> Iterator[NDArray[np.uint64]]:
    yield from first
    yield from rest


def _count_few(blocks: Iterator[NDArray[np.uint64]], storage: Storage) -> ValueCounts | None:
    keys = np.empty(kernels.FEW_PLACES, dtype=np.uint64)
    counts = np.zeros(kernels.FEW_PLACES, dtype=np.uint32)
    used = np.zeros(1, dtype=np.int32)
    for block in blocks:
        kernels.counts_few(block, FEW_DISTINCT, keys, counts, used)
        if used[0] > FEW_DISTINCT:
            return None
    places = np.flatnonzero(counts)
    found = to_keys(keys[places], storage)
    order = np.argsort(found)
    return ValueCounts.of(found[order], counts[places][order], storage)


def _count_dense(
    blocks: Iterator[NDArray[np.uint64]], storage: Storage, scratch: Scratch
) -> ValueCounts | None:
    table = scratch.dense
    low, high = (1 << 64) - 1, 0
    try:
        for block in blocks:
            if not len(block):
                continue
            smallest, largest = kernels.counts_range(block, storage)
            low, high = min(low, smallest), max(high, largest)
            if high - low >= DENSE_RANGE:
                return None
            kernels.counts_dense(block, smallest, largest, table)
        start = low % DENSE_RANGE
        counts = np.concatenate([table[start:], table[:start]])[: high - low + 1]
        offsets = np.flatnonzero(counts).astype(np.uint64)
        return ValueCounts.of(offsets + np.uint64(low), counts[offsets], storage)
    finally:
        table.fill(0)


def count_groups(
    values: NDArray[np.uint64], starts: NDArray[np.int64], storage: Storage, scratch: Scratch
) -> list[ValueCounts]:
    """Count many small cells at once.

    Parameters
    ----------
    values
        Raw 8 bytes of each value, cell after cell.
    starts
        Cell ``i`` holds ``values[starts[i]:starts[i + 1]]``.
    storage
        What the values are.
    scratch
        Work memory of the calling thread.
    """
    if len(values) <= BLOCK:
        memory = scratch.sort[:BLOCK], scratch.sort[BLOCK:]
    else:
        memory = np.empty(len(values), dtype=np.uint64), np.empty(len(values), dtype=np.uint64)
    keys, counts, unique_starts = kernels.counts_groups(values, starts, storage, *memory)
    filled = np.flatnonzero(np.diff(unique_starts))
    groups = [ValueCounts.empty(storage)] * (len(starts) - 1)
    if not len(filled):
        return groups
    begins, ends = unique_starts[:-1][filled], unique_starts[1:][filled]
    bases = keys[begins]
    offsets = keys - np.repeat(bases, ends - begins)
    spans, largest = offsets[ends - 1].tolist(), np.maximum.reduceat(counts, begins).tolist()
    rows = zip(filled.tolist(), bases.tolist(), begins.tolist(), ends.tolist(), strict=True)
    for (group, base, begin, end), span, most in zip(rows, spans, largest, strict=True):
        groups[group] = ValueCounts(
            storage, base, _narrow(offsets[begin:end], span), _narrow(counts[begin:end], most)
        )
    return groups
