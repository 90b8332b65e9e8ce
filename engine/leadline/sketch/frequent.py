"""How often each text occurs: exact up to a capacity, then weighted Misra-Gries.

When more keys were counted than fit, the heaviest stay and the count of the heaviest key that has
to go is subtracted from them all (Misra and Gries 1982; merging: Agarwal and others 2012). Each
subtraction takes from more keys than fit, so ``error`` stays below total / 4,096, or total / 1,927
where keys are so long that their bytes fill first; every true count lies between a key's count and
that plus ``error``. Only counts and sizes decide what stays, never an order of
arrival, so a plain and a dictionary-encoded column end with the same state.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._native import counts as kernels
from .scratch import BLOCK, Scratch

if TYPE_CHECKING:
    from .text import TextMeasures

CAPACITY = 4_096  # keys
KEY_BYTES = 512 * 1024  # of all keys together
PREFIX = 256  # longer keys keep this many bytes ...
DIGEST = 16  # ... and the 128-bit hash of all of them
CUT_KEY = PREFIX + DIGEST  # so this size marks a cut key


def _excluded_count(counts: NDArray[Any], sizes: NDArray[Any]) -> int:
    """Count of the heaviest keys that must go, 0 if all fit; equal counts stay or go together."""
    if len(counts) <= CAPACITY and int(sizes.sum()) <= KEY_BYTES:
        return 0
    order = np.argsort(counts, kind="stable")[::-1]
    bytes_needed = np.cumsum(sizes[order], dtype=np.int64)
    fitting = min(CAPACITY, int(np.searchsorted(bytes_needed, KEY_BYTES, side="right")))
    return int(counts[order[fitting]])


@dataclass(frozen=True, slots=True, eq=False)
class TextCounts:
    """Counts of texts.

    Parameters
    ----------
    keys
        Ascending distinct texts, at most 4,096 of 512 KiB together. A text of more than 256 bytes
        is cut to these and the 16 bytes of its hash, so that its key has 272 bytes.
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

    keys: tuple[bytes, ...]
    counts: NDArray[np.uint64]
    error: int
    total: int

    def __post_init__(self) -> None:
        self.counts.flags.writeable = False

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, TextCounts)
            and (self.keys, self.error, self.total) == (other.keys, other.error, other.total)
            and np.array_equal(self.counts, other.counts)
        )

    __hash__ = None  # type: ignore[assignment]

    def __len__(self) -> int:
        return len(self.keys)

    @classmethod
    def empty(cls) -> TextCounts:
        """Counts of no texts."""
        return cls((), np.zeros(0, dtype=np.uint64), 0, 0)

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
        sizes = np.fromiter(map(len, keys), dtype=np.int64, count=len(keys))
        excluded = _excluded_count(weights, sizes)
        if excluded:
            kept = np.flatnonzero(weights > excluded)
            keys = [keys[index] for index in kept.tolist()]
            weights = weights[kept] - np.uint64(excluded)
        return cls(tuple(keys), weights, error + excluded, total)

    @staticmethod
    def fits(keys: int, key_bytes: int) -> bool:
        """Whether so many keys of so many bytes together are held exactly."""
        return keys <= CAPACITY and key_bytes <= KEY_BYTES

    @property
    def exact(self) -> bool:
        """Whether every count is exact and every text has a key."""
        return self.error == 0

    @property
    def nbytes(self) -> int:
        """Bytes of state held."""
        return 16 + sum(map(len, self.keys)) + 8 * len(self.keys) + self.counts.nbytes

    def top(self, n: int) -> list[tuple[bytes, int]]:
        """The ``n`` heaviest keys with their counts, equal counts by key."""
        order = np.argsort(-self.counts.astype(np.int64), kind="stable")[:n]
        return [(self.keys[index], int(self.counts[index])) for index in order.tolist()]

    def merge(self, other: TextCounts) -> TextCounts:
        """Counts of both sides' texts; the same from either side.

        Grouping matters once the capacity is passed, but never to the bound: the errors of both
        sides and of the subtraction add up.
        """
        table = dict(zip(self.keys, self.counts.tolist(), strict=True))
        for key, count in zip(other.keys, other.counts.tolist(), strict=True):
            table[key] = table.get(key, 0) + count
        keys = sorted(table)
        return TextCounts.of(
            keys,
            [table[key] for key in keys],
            error=self.error + other.error,
            total=self.total + other.total,
        )


class TextCountsBuilder:
    """Counts the texts of one cell by their dictionary codes, block by block.

    Parameters
    ----------
    measures
        What the dictionary's distinct entries are; their key sizes count towards the capacity.
    scratch
        Work memory of the calling thread; in use until `finish`.
    """

    def __init__(self, measures: TextMeasures, scratch: Scratch) -> None:
        self._sizes = measures.key_sizes
        self._table = scratch.codes(len(self._sizes))
        self._active = np.empty(min(CAPACITY + BLOCK, len(self._sizes)) + 1, dtype=np.int32)
        self._filled = 0
        self._error = 0

    def add(self, codes: NDArray[np.int32]) -> None:
        """Take at most 65,536 codes, none negative; all blocks but the last hold 65,536.

        Raises
        ------
        InputError
            If a code is outside the dictionary; the table of the scratch memory is clean then.
        """
        try:
            self._filled = kernels.codes_count(codes, self._table, self._active, self._filled)
        except Exception:
            self.finish()
            raise
        active = self._active[: self._filled]
        if self._filled <= CAPACITY and int(self._sizes[active].sum()) <= KEY_BYTES:
            return
        counts = self._table[active]
        excluded = _excluded_count(counts, self._sizes[active])
        if excluded:
            counts = np.where(counts > excluded, counts - np.uint32(excluded), np.uint32(0))
            self._table[active] = counts
            kept = active[counts > 0]
            self._active[: len(kept)] = kept
            self._filled = len(kept)
            self._error += excluded

    def finish(self) -> tuple[NDArray[np.int32], NDArray[np.uint64], int]:
        """Codes that are held, ascending, their counts, and the error; the table is clean again."""
        codes = np.sort(self._active[: self._filled])
        counts = self._table[codes].astype(np.uint64)
        self._table[codes] = 0
        self._filled = 0
        return codes, counts, self._error
