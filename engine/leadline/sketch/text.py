"""What texts look like: length in code points, kinds of characters; all exact.

Texts need not be valid UTF-8: a byte that is no part of a well-formed sequence counts as one code
point outside ASCII.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .._native import RawForm
from .._native import text as kernels
from .frequent import CUT_KEY, TextCounts
from .histogram import Histogram, narrowed

# Space is what C calls white space (tab to carriage return, and the space); DEL is a control.
CLASSES = ("lower", "upper", "digit", "space", "punctuation", "control", "non_ascii")


_ONE_PAGE = 1_023  # of the histogram: lengths of 1


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


@dataclass(frozen=True, slots=True)
class TextForm:
    """What texts look like: how many are empty, how long the others are, of which characters.

    Parameters
    ----------
    empty
        Number of empty texts.
    lengths, classes
        Of all texts.
    """

    empty: int
    lengths: TextLengths
    classes: CharacterClasses

    @classmethod
    def of(cls, raw: RawForm) -> TextForm:
        """The form that a kernel found."""
        classes = CharacterClasses(np.array(raw.classes, dtype=np.int64))
        if not raw.total:
            return cls(raw.empty, TextLengths.empty(), classes)
        # A length's bucket is that of its double, whose exponent field is biased.
        pages = np.array(raw.octaves, dtype=np.uint16) + np.uint16(_ONE_PAGE)
        histogram = Histogram(0, pages, narrowed(raw.lengths))
        lengths = TextLengths(raw.minimum, raw.maximum, raw.total, histogram)
        return cls(raw.empty, lengths, classes)

    @classmethod
    def of_counts(cls, counts: TextCounts) -> TextForm:
        """The form of texts that are counted exactly and of which none was cut."""
        return cls.of(kernels.text_describe(counts.offsets, counts.data, counts.counts))

    @staticmethod
    def follows(counts: TextCounts) -> bool:
        """Whether these counts alone say the form."""
        return counts.exact and counts.longest < CUT_KEY

    @property
    def nbytes(self) -> int:
        """Bytes of state held."""
        return 8 + self.lengths.nbytes + self.classes.nbytes

    def merge(self, other: TextForm) -> TextForm:
        """The form of both sides' texts."""
        return TextForm(
            self.empty + other.empty,
            self.lengths.merge(other.lengths),
            self.classes.merge(other.classes),
        )
