"""How often each text occurs: exact up to a capacity, then weighted Misra-Gries.

When more keys were counted than fit, the heaviest stay and the count of the heaviest key that has
to go is subtracted from them all (Misra and Gries 1982; merging: Agarwal and others 2012). Each
subtraction takes from more keys than fit, so ``error`` stays below total / 4,096, or total / 1,927
where keys are so long that their bytes fill first; every true count lies between a key's count and
that plus ``error``. Only counts and sizes decide what stays, never an order of
arrival, so a plain and a dictionary-encoded column end with the same state.

Keys lie packed, one after another: a scan of a thousand cells holds millions of them, and an
object of its own for each took longer than counting.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._native import (
    TEXT_CAPACITY,
    TEXT_CUT_KEY,
    TEXT_KEY_BYTES,
    TEXT_PREFIX,
    CountedTexts,
)
from .._native import text as kernels

CAPACITY = TEXT_CAPACITY  # keys
KEY_BYTES = TEXT_KEY_BYTES  # of all keys together
PREFIX = TEXT_PREFIX  # longer keys keep this many bytes ...
CUT_KEY = TEXT_CUT_KEY  # ... and the 128-bit hash of all of them, so this size marks a cut key

_NO_KEYS = np.zeros(1, dtype=np.uint32), b"", np.zeros(0, dtype=np.uint64)


@dataclass(frozen=True, slots=True, eq=False)
class TextCounts:
    """Counts of texts.

    Parameters
    ----------
    offsets, data
        Key ``i`` is ``data[offsets[i]:offsets[i + 1]]`` (uint32, from 0 on): ascending distinct
        texts, at most 4,096 of 512 KiB together. A text of more than 256 bytes is cut to these and
        the 16 bytes of its hash, so that its key has 272 bytes.
    counts
        How often each occurred (uint64): exactly, or up to ``error`` times more.
    error
        0 while the counts are exact. Else texts without a key occurred up to so many times too.
    total
        Number of texts counted.

    Examples
    --------
    >>> TextCounts.of([b"b", b"a"], [1, 2], error=0, total=3).top(1)
    [(b'a', 2)]
    """

    offsets: NDArray[np.uint32]
    data: bytes
    counts: NDArray[np.uint64]
    error: int
    total: int

    def __post_init__(self) -> None:
        self.offsets.flags.writeable = False
        self.counts.flags.writeable = False

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, TextCounts)
            and (self.data, self.error, self.total) == (other.data, other.error, other.total)
            and np.array_equal(self.offsets, other.offsets)
            and np.array_equal(self.counts, other.counts)
        )

    __hash__ = None  # type: ignore[assignment]

    def __len__(self) -> int:
        return len(self.counts)

    @classmethod
    def empty(cls) -> TextCounts:
        """Counts of no texts."""
        return cls(*_NO_KEYS, 0, 0)

    @classmethod
    def found(cls, cell: CountedTexts) -> TextCounts:
        """What a counting kernel found in one cell."""
        return cls(cell.offsets, cell.keys, cell.counts, cell.error, cell.total)

    @classmethod
    def of(
        cls,
        keys: Sequence[bytes],
        counts: Iterable[int] | NDArray[Any],
        *,
        error: int,
        total: int,
    ) -> TextCounts:
        """Counts of distinct keys in any order, brought down to the capacity."""
        weights = np.array(counts if isinstance(counts, np.ndarray) else list(counts), np.uint64)
        if any(a >= b for a, b in itertools.pairwise(keys)):
            order = sorted(range(len(keys)), key=keys.__getitem__)
            keys, weights = [keys[index] for index in order], weights[order]
        sizes = np.fromiter(map(len, keys), dtype=np.uint32, count=len(keys))
        packed = offsets_of(sizes), b"".join(keys), weights
        offsets, data, weights, excess = kernels.text_merge(*packed, *_NO_KEYS)
        return cls(offsets, data, weights, error + excess, total)

    @staticmethod
    def fits(keys: int, key_bytes: int) -> bool:
        """Whether so many keys of so many bytes together are held exactly."""
        return keys <= CAPACITY and key_bytes <= KEY_BYTES

    @property
    def exact(self) -> bool:
        """Whether every count is exact and every text has a key."""
        return self.error == 0

    @property
    def keys(self) -> list[bytes]:
        """All keys, ascending; made anew at every call, so for what somebody looks at."""
        offsets = self.offsets.tolist()
        return [self.data[begin:end] for begin, end in itertools.pairwise(offsets)]

    @property
    def longest(self) -> int:
        """Bytes of the longest key; 0 without keys."""
        return int(self.sizes.max(initial=0))

    @property
    def sizes(self) -> NDArray[np.uint32]:
        """Bytes of every key."""
        return self.offsets[1:] - self.offsets[:-1]

    @property
    def nbytes(self) -> int:
        """Bytes of state held."""
        return 16 + self.offsets.nbytes + len(self.data) + self.counts.nbytes

    def key(self, index: int) -> bytes:
        """One key by its place in ascending order; from the end if negative."""
        index %= len(self)
        return self.data[int(self.offsets[index]) : int(self.offsets[index + 1])]

    def top(self, n: int) -> list[tuple[bytes, int]]:
        """The ``n`` heaviest keys with their counts, equal counts by key."""
        order = np.argsort(-self.counts.astype(np.int64), kind="stable")[:n]
        return [(self.key(index), int(self.counts[index])) for index in order.tolist()]

    def hashes(self) -> NDArray[np.uint64]:
        """First hash word of the text behind every key, cut ones included."""
        return kernels.text_hash(self.offsets, self.data)

    def merge(self, other: TextCounts) -> TextCounts:
        """Counts of both sides' texts; the same from either side.

        Grouping matters once the capacity is passed, but never to the bound: the errors of both
        sides and of the subtraction add up.
        """
        error, total = self.error + other.error, self.total + other.total
        if self.data == other.data and np.array_equal(self.offsets, other.offsets):
            return TextCounts(self.offsets, self.data, self.counts + other.counts, error, total)
        offsets, data, counts, excess = kernels.text_merge(
            self.offsets, self.data, self.counts, other.offsets, other.data, other.counts
        )
        return TextCounts(offsets, data, counts, error + excess, total)


def offsets_of(sizes: NDArray[np.unsignedinteger[Any]]) -> NDArray[np.uint32]:
    """Where each of some keys begins, and where the last one ends."""
    offsets = np.zeros(len(sizes) + 1, dtype=np.uint32)
    np.cumsum(sizes, out=offsets[1:], dtype=np.uint32)
    return offsets
