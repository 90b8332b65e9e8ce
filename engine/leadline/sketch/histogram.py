"""Log-linear histogram: 256 buckets an octave, one page of counters for each octave that occurs.

A bucket is the sign, exponent and top 8 fraction bits of a value's double; integers land in the
bucket of their exact value. Only occupied octaves ("pages") are held, so an outlier of 1e300 costs
one page and not the resolution. When more than 128 octaves are occupied, neighbouring buckets are
joined; how far depends on the number of pages alone. Hence merging is exact, associative and
free of order, and equal data have equal bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._native import HISTOGRAM_PAGE, HISTOGRAM_PAGES, Storage
from .._native import histogram as kernels
from .._native.sketches import HistogramArrays
from .counts import smallest_type
from .scratch import Scratch

# Pages held at full resolution; twice as many for each bit given up.
FULL_PAGES = 128

# Fraction bits of a double below a bucket's number at full resolution.
_BUCKET_SHIFT = 52 - 8

# Pages from here on hold negative values.
SIGN_PAGE = HISTOGRAM_PAGES // 2
_U32_LIMIT = 1 << 32


@dataclass(frozen=True, slots=True)
class Buckets:
    """The non-empty buckets in ascending order of value.

    A positive bucket is ``[lower, upper)``, a negative one ``(lower, upper]``; the outermost edge
    is infinite only for values of 1.79e308 and more.

    Parameters
    ----------
    lower, upper
        float64 edges.
    counts
        int64.
    """

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    counts: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Exact counts of finite non-zero values in log-linear buckets.

    Parameters
    ----------
    coarseness
        Fraction bits given up, 0 to 5: the smallest d with ``len(pages) <= 128 * 2**d``.
    pages
        uint16, ascending: sign bit times 2,048 plus the exponent field of the doubles in it.
    counts
        ``[len(pages), 256 >> coarseness]``, in the smallest unsigned type that holds them all.

    Examples
    --------
    >>> import numpy as np
    >>> builder = HistogramBuilder(Scratch())
    >>> builder.add(np.array([1.0, 1.001, -3.0, 0.0]).view(np.uint64), Storage.FLOAT64)
    >>> histogram = builder.finish()
    >>> histogram.buckets().lower.tolist()
    [-3.0078125, 1.0]
    >>> histogram.buckets().counts.tolist()
    [1, 2]
    """

    coarseness: int
    pages: NDArray[np.uint16]
    counts: NDArray[np.unsignedinteger[Any]]

    def __post_init__(self) -> None:
        self.pages.flags.writeable = False
        self.counts.flags.writeable = False

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Histogram):
            return NotImplemented
        return (
            self.coarseness == other.coarseness
            and self.counts.dtype == other.counts.dtype
            and np.array_equal(self.pages, other.pages)
            and np.array_equal(self.counts, other.counts)
        )

    @classmethod
    def empty(cls) -> Histogram:
        """The histogram of no values."""
        return cls(0, np.empty(0, np.uint16), np.empty((0, HISTOGRAM_PAGE), np.uint8))

    @property
    def total(self) -> int:
        """Values counted."""
        return int(self.counts.sum(dtype=np.uint64))

    @property
    def heaviest(self) -> int:
        """The largest count of a bucket; 0 without values."""
        return int(self.counts.max(initial=0))

    @property
    def nbytes(self) -> int:
        """Bytes of state held."""
        return self.pages.nbytes + self.counts.nbytes

    @property
    def value_error(self) -> float:
        """Largest relative distance of a value from its bucket's midpoint: 2**-9 to 2**-4.

        Subnormal numbers (below 2.3e-308) are in linear buckets and have no relative bound.
        """
        return float(2.0 ** (self.coarseness - 9))

    def arrays(self) -> HistogramArrays:
        """What the kernels take."""
        return HistogramArrays(self.coarseness, self.pages, self.counts)

    def coarsen(self, coarseness: int) -> Histogram:
        """The same counts with neighbouring buckets joined, to at least this coarseness."""
        if coarseness <= self.coarseness:
            return self
        return Histogram(coarseness, self.pages, narrowed(_joined(self, coarseness)))

    def merge(self, other: Histogram) -> Histogram:
        """The histogram of both sides' values together."""
        if self.coarseness == other.coarseness and np.array_equal(self.pages, other.pages):
            added = np.add(self.counts, other.counts, dtype=np.uint64)
            # A copy: the pages may be a part of all that was kept of a cell.
            return Histogram(self.coarseness, self.pages.copy(), narrowed(added))
        pages = _pages_of(self.pages, other.pages)
        coarseness = max(coarseness_of(len(pages)), self.coarseness, other.coarseness)
        counts = np.zeros((len(pages), HISTOGRAM_PAGE >> coarseness), dtype=np.uint64)
        for side in (self, other):
            counts[np.searchsorted(pages, side.pages)] += _joined(side, coarseness)
        return Histogram(coarseness, pages, narrowed(counts))

    def buckets(self) -> Buckets:
        """Edges and counts of the non-empty buckets in ascending order of value."""
        row, column = np.nonzero(self.counts)
        counts = self.counts[row, column].astype(np.int64)
        page = self.pages[row].astype(np.uint64)
        exponent = page & np.uint64(SIGN_PAGE - 1)
        shift = np.uint64(_BUCKET_SHIFT + self.coarseness)
        near = (exponent << np.uint64(52)) | (column.astype(np.uint64) << shift)
        far = near + (np.uint64(1) << shift)
        negative = page >= SIGN_PAGE
        small, large = near.view(np.float64), far.view(np.float64)
        # Adding 0.0 gives the bucket next to zero the edge 0.0 on both sides.
        lower = np.where(negative, -large, small) + 0.0
        upper = np.where(negative, -small, large) + 0.0
        order = np.concatenate([np.flatnonzero(negative)[::-1], np.flatnonzero(~negative)])
        return Buckets(lower[order], upper[order], counts[order])


class HistogramBuilder:
    """Counts blocks of values into a thread's scratch memory; one builder at a time on each.

    The scratch memory is clean after ``finish``; a builder that was abandoned half-way leaves it
    to the next one to clean.
    """

    __slots__ = ("_counters", "_done", "_room")

    # A counter of the scratch memory is a uint32.
    CAPACITY = _U32_LIMIT - 1

    def __init__(self, scratch: Scratch) -> None:
        self._counters = scratch.histogram
        self._counters.clear()
        self._done = Histogram.empty()
        self._room = self.CAPACITY

    def add(self, values: NDArray[np.uint64], storage: Storage) -> None:
        """Count a block of values (raw bytes of ``storage``, no NaN); zeros and infinities pass."""
        if len(values) > self._room:
            self._done = self._done.merge(self._take())
        self._room -= len(values)
        self._counters.add(values, storage)

    def heaviest(self) -> int:
        """The largest count of a bucket so far, in the resolution of one octave / 256."""
        return max(self._counters.heaviest(), self._done.heaviest)

    def finish(self) -> Histogram:
        """The histogram of all values added; the builder is empty again."""
        done, self._done = self._done, Histogram.empty()
        taken = self._take()
        return done.merge(taken) if len(done.pages) else taken

    def _take(self) -> Histogram:
        self._room = self.CAPACITY
        pages = self._counters.pages()
        coarseness = coarseness_of(len(pages))
        counts = self._counters.read(pages, coarseness)
        self._counters.clear()
        return Histogram(coarseness, pages, narrowed(counts))


def weighted_histogram(
    values: NDArray[np.generic], counts: NDArray[np.generic], storage: Storage
) -> Histogram:
    """Histogram of distinct values with multiplicities.

    Parameters
    ----------
    values
        Any 8-byte type, read as ``storage``; zeros and infinities are left out.
    counts
        Multiplicities, unsigned.
    storage
        How to read the values.
    """
    index = kernels.histogram_index(np.ascontiguousarray(values).view(np.uint64), storage)
    weights = np.asarray(counts).astype(np.uint64)
    counted = (index < HISTOGRAM_PAGES * HISTOGRAM_PAGE) & (weights > 0)
    if not counted.all():
        index, weights = index[counted], weights[counted]
    page = index // HISTOGRAM_PAGE
    pages = _pages_of(page)
    coarseness = coarseness_of(len(pages))
    table = np.zeros((len(pages), HISTOGRAM_PAGE >> coarseness), dtype=np.uint64)
    # Numbered through: with one index an array NumPy adds ten times as fast as with two.
    place = np.searchsorted(pages, page) * table.shape[1]
    np.add.at(table.ravel(), place + ((index % HISTOGRAM_PAGE) >> coarseness), weights)
    return Histogram(coarseness, pages, narrowed(table))


def coarseness_of(pages: int) -> int:
    """The smallest d with ``pages <= 128 * 2**d``."""
    return max(0, (pages - 1) // FULL_PAGES).bit_length()


def _pages_of(*parts: NDArray[np.unsignedinteger[Any]]) -> NDArray[np.uint16]:
    """Distinct pages of all parts, ascending: a mark each is faster than sorting them."""
    found = np.zeros(HISTOGRAM_PAGES, dtype=np.bool_)
    for part in parts:
        found[part] = True
    return np.flatnonzero(found).astype(np.uint16)


def _joined(histogram: Histogram, coarseness: int) -> NDArray[np.unsignedinteger[Any]]:
    """Counts in a coarser resolution."""
    if coarseness == histogram.coarseness:
        return histogram.counts
    buckets = HISTOGRAM_PAGE >> coarseness
    neighbours = 1 << (coarseness - histogram.coarseness)
    counts = histogram.counts.reshape(len(histogram.pages), buckets, neighbours)
    joined: NDArray[np.uint64] = counts.sum(axis=2, dtype=np.uint64)
    return joined


def narrowed(counts: NDArray[np.unsignedinteger[Any]]) -> NDArray[np.unsignedinteger[Any]]:
    """Unsigned counts in the smallest type that holds them all."""
    return counts.astype(smallest_type(int(counts.max(initial=0))), order="C", copy=False)
