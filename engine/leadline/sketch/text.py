"""Texts by their bytes: hash, length in code points, kinds of characters; all exact.

Each distinct text is looked at once and counts as often as it occurs. Texts need not be valid
UTF-8: a byte that is no part of a well-formed sequence counts as one code point outside ASCII.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .._native import Storage
from .._native import text as kernels
from .frequent import CUT_KEY, PREFIX
from .histogram import Histogram, weighted_histogram

# Space is what C calls white space (tab to carriage return, and the space); DEL is a control.
CLASSES = ("lower", "upper", "digit", "space", "punctuation", "control", "non_ascii")


class _Entries(Protocol):
    def entry(self, code: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class TextLengths:
    """Lengths of the texts that are not empty, in code points.

    Parameters
    ----------
    minimum, maximum
        0 if there is no such text.
    total
        Code points of all texts.
    histogram
        Log-linear, exact below 512 code points.
    """

    minimum: int
    maximum: int
    total: int
    histogram: Histogram

    @classmethod
    def empty(cls) -> TextLengths:
        """Lengths of no texts."""
        return cls(0, 0, 0, Histogram.empty())

    @property
    def mean(self) -> float:
        """Mean length of the texts that are not empty; NaN if there is none."""
        count = self.histogram.total
        return self.total / count if count else float("nan")

    @property
    def nbytes(self) -> int:
        """Bytes of state held."""
        return 24 + self.histogram.nbytes

    def merge(self, other: TextLengths) -> TextLengths:
        """Lengths of both sides' texts."""
        if not self.total or not other.total:
            return self if self.total else other
        return TextLengths(
            min(self.minimum, other.minimum),
            max(self.maximum, other.maximum),
            self.total + other.total,
            self.histogram.merge(other.histogram),
        )


@dataclass(frozen=True, slots=True, eq=False)
class CharacterClasses:
    """Code points by kind, as `CLASSES` orders them (int64)."""

    counts: NDArray[np.int64]

    def __post_init__(self) -> None:
        self.counts.flags.writeable = False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CharacterClasses) and np.array_equal(self.counts, other.counts)

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def empty(cls) -> CharacterClasses:
        """No code points."""
        return cls(np.zeros(len(CLASSES), dtype=np.int64))

    @property
    def total(self) -> int:
        """All code points."""
        return int(self.counts.sum())

    @property
    def nbytes(self) -> int:
        """Bytes of state held."""
        return self.counts.nbytes

    def merge(self, other: CharacterClasses) -> CharacterClasses:
        """Code points of both sides' texts."""
        return CharacterClasses(self.counts + other.counts)

    def to_dict(self) -> dict[str, int]:
        """Counts by name."""
        return dict(zip(CLASSES, self.counts.tolist(), strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class TextMeasures:
    """What each of some distinct texts is.

    Parameters
    ----------
    hashes, tails
        First and second word of MurmurHash3_x64_128 with seed 9001.
    lengths
        Code points.
    classes
        Code points by kind, one row a text.
    key_sizes
        Bytes of the key in `TextCounts`: of the text, or 272 if it is cut.
    """

    hashes: NDArray[np.uint64]
    tails: NDArray[np.uint64]
    lengths: NDArray[np.uint32]
    classes: NDArray[np.uint32]
    key_sizes: NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.hashes)

    def key(self, texts: _Entries, code: int) -> bytes:
        """Key of one text in `TextCounts`."""
        text = texts.entry(code)
        if len(text) <= PREFIX:
            return text
        digest = np.array([self.hashes[code], self.tails[code]], dtype="<u8")
        return text[:PREFIX] + digest.tobytes()

    def key_bytes(self, codes: NDArray[np.int32]) -> int:
        """Bytes of the keys of some texts together."""
        return int(self.key_sizes[codes].sum(dtype=np.int64))

    def weigh(
        self, codes: NDArray[np.int32], counts: NDArray[np.int64]
    ) -> tuple[TextLengths, CharacterClasses, int]:
        """Lengths, kinds of characters and number of empty texts of weighted entries.

        Entry ``codes[i]`` occurs ``counts[i]`` times.
        """
        classes = CharacterClasses(kernels.text_weigh(self.classes, codes, counts))
        distinct, inverse = np.unique(self.lengths[codes], return_inverse=True)
        # Sums of doubles are exact here: a unit of work has far fewer than 2**53 rows.
        weights = np.bincount(inverse, weights=counts).astype(np.uint64)
        empty = int(weights[0]) if len(distinct) and distinct[0] == 0 else 0
        filled = distinct > 0
        distinct, weights = distinct[filled].astype(np.uint64), weights[filled]
        if not len(distinct):
            return TextLengths.empty(), classes, empty
        lengths = TextLengths(
            int(distinct[0]),
            int(distinct[-1]),
            int((distinct * weights).sum()),
            weighted_histogram(distinct, weights, Storage.INT64),
        )
        return lengths, classes, empty


def measure(offsets: NDArray[np.int64], data: NDArray[np.uint8]) -> TextMeasures:
    """Look at every text ``data[offsets[i]:offsets[i + 1]]``.

    Raises
    ------
    InputError
        If an offset lies outside of the data, or the offsets do not ascend.

    Examples
    --------
    >>> data = np.frombuffer("añ1".encode(), dtype=np.uint8)
    >>> measure(np.array([0, 4]), data).lengths.tolist()
    [3]
    """
    hashes, lengths, classes = kernels.text_measure(offsets, data)
    sizes = np.diff(offsets)
    return TextMeasures(
        np.ascontiguousarray(hashes[:, 0]),
        np.ascontiguousarray(hashes[:, 1]),
        lengths,
        classes,
        np.where(sizes > PREFIX, CUT_KEY, sizes).astype(np.uint16),
    )


def hash_keys(keys: Sequence[bytes]) -> NDArray[np.uint64]:
    """First hash word of the texts behind keys of `TextCounts`, cut ones included."""
    sizes = np.fromiter(map(len, keys), dtype=np.int64, count=len(keys))
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)])
    hashes = measure(offsets, np.frombuffer(b"".join(keys), dtype=np.uint8)).hashes
    for index in np.flatnonzero(sizes == CUT_KEY).tolist():
        hashes[index] = int.from_bytes(keys[index][PREFIX : PREFIX + 8], "little")
    return hashes
