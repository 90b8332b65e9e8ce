"""The kernels of bands: bounds on cumulative counts, and the distance of two of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .library import ffi, lib, memory, refuse

Floats = NDArray[np.float64]
HISTOGRAM_PAGE = int(lib.LL_HISTOGRAM_PAGE)
# One band in one allocation: point, two bounds each, two estimates, noise.
_BAND_FIELDS = 8


def ranks_band(
    pages: NDArray[np.uint16],
    counts: NDArray[np.unsignedinteger[Any]],
    coarseness: int,
    singles: tuple[int, int, int],
    extremes: tuple[float, float],
    items: Floats,
    weights: Floats,
    errors: tuple[float, float, float],
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Points, lower and upper bounds, estimates and noise of a band.

    Parameters
    ----------
    pages, counts, coarseness
        The histogram.
    singles
        Rows at -inf, 0 and inf.
    extremes
        Smallest and largest finite value, NaN where unknown.
    items, weights
        Ascending items of the sketch; none if it does not take part.
    errors
        Of the sketch: rows over weight, error of a rank and of a split, in rows.
    """
    if not 0 <= coarseness <= 8 or counts.size != len(pages) * (HISTOGRAM_PAGE >> coarseness):
        raise ValueError(f"{counts.size} counters of {len(pages)} pages")
    if len(items) != len(weights):
        raise ValueError(f"{len(items)} items with {len(weights)} weights")
    room = 2 * (counts.size + len(singles)) + len(items)
    band, points = np.empty(_BAND_FIELDS * room), ffi.new("int64_t *")
    code = lib.ll_ranks_band(
        memory(pages, np.uint16),
        len(pages),
        coarseness,
        ffi.from_buffer(counts),
        counts.itemsize,
        singles,
        extremes,
        memory(items, np.float64),
        memory(weights, np.float64),
        len(items),
        errors,
        room,
        memory(band, np.float64),
        points,
    )
    if code:
        refuse(code, "ranks")
    size = points[0]
    lower, upper, estimate = (
        band[begin : begin + 2 * size].reshape(size, 2) for begin in (room, 3 * room, 5 * room)
    )
    return band[:size], lower, upper, estimate, band[7 * room : 7 * room + size]


def ranks_on(
    band: tuple[Floats, Floats, Floats, Floats], noise: Floats, total: int, at: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Lower and upper bounds, estimates and noise of a band stated at other points."""
    count = len(at)
    if len(noise) != len(band[0]):
        raise ValueError(f"{len(noise)} noises of {len(band[0])} points")
    found = np.empty(7 * count)
    *parts, size = _pointers(band)
    code = lib.ll_ranks_on(
        *parts,
        memory(noise, np.float64),
        size,
        total,
        memory(at, np.float64),
        count,
        memory(found, np.float64),
    )
    if code:
        refuse(code, "ranks")
    lower, upper, estimate = found[: 6 * count].reshape(3, count, 2)
    return lower, upper, estimate, found[6 * count :]


def ranks_counts(
    band: tuple[Floats, Floats, Floats, Floats],
    total: int,
    values: Floats,
    counts: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> Floats:
    """The estimated distance of a band and of every set of ascending distinct values.

    ``ends`` are the places in ``values`` and ``counts`` behind the last value of every set.
    """
    last = int(ends[-1]) if len(ends) else 0
    if not len(values) == len(counts) == last or (len(ends) and ends.max() > last):
        raise ValueError(f"{len(values)} values, {len(counts)} counts, of sets up to {last}")
    distances = np.empty(len(ends))
    code = lib.ll_ranks_counts(
        *_pointers(band),
        total,
        memory(values, np.float64),
        memory(counts, np.int64),
        memory(ends, np.int64),
        len(ends),
        memory(distances, np.float64),
    )
    if code:
        refuse(code, "ranks")
    return distances


def ranks_distance(
    a: tuple[Floats, Floats, Floats, Floats],
    a_total: int,
    b: tuple[Floats, Floats, Floats, Floats],
    b_total: int,
) -> tuple[float, float, float, float]:
    """Least and largest possible distance of two bands' shares, that of the estimates, and where.

    A band is its points, lower and upper bounds, and estimates.
    """
    found = ffi.new("double[4]")
    code = lib.ll_ranks_distance(
        *_pointers(a),
        a_total,
        *_pointers(b),
        b_total,
        found,
    )
    if code:
        refuse(code, "ranks")
    return found[0], found[1], found[2], found[3]


class BucketSide(NamedTuple):
    """One side of `ranks_buckets`; see `ranks_band`.

    ``limit``: rows of a bucket from which on its sketch has to be asked; ``total``: all rows.
    """

    pages: NDArray[np.uint16]
    counts: NDArray[np.unsignedinteger[Any]]
    singles: tuple[int, int, int]
    extremes: tuple[float, float]
    limit: float
    total: int


def ranks_buckets(
    a: BucketSide, b: BucketSide, coarseness: int
) -> tuple[float, float, float, float] | None:
    """What `ranks_distance` finds of the bands of two histograms alone, without making them.

    None if a bucket is over its side's limit.
    """
    found, enough = ffi.new("double[4]"), ffi.new("int32_t *")
    code = lib.ll_ranks_buckets(
        _side(a, coarseness), _side(b, coarseness), coarseness, found, enough
    )
    if code:
        refuse(code, "ranks")
    return (found[0], found[1], found[2], found[3]) if enough[0] else None


def _side(side: BucketSide, coarseness: int) -> Any:
    pages, counts, singles, extremes, limit, total = side
    if not 0 <= coarseness <= 8 or counts.size != len(pages) * (HISTOGRAM_PAGE >> coarseness):
        raise ValueError(f"{counts.size} counters of {len(pages)} pages")
    # The memory is that of the two arrays, which the caller holds.
    return ffi.new(
        "ll_ranks_side *",
        (
            memory(pages, np.uint16),
            ffi.from_buffer(counts),
            len(pages),
            singles,
            total,
            extremes,
            limit,
            counts.itemsize,
        ),
    )


def _pointers(band: tuple[Floats, Floats, Floats, Floats]) -> tuple[object, ...]:
    points, lower, upper, estimate = band
    if not lower.shape == upper.shape == estimate.shape == (len(points), 2):
        raise ValueError("bounds of a band are two a point")
    # Copies where integers that no double holds left columns of a larger array.
    parts = (memory(np.ascontiguousarray(part), np.float64) for part in band)
    return (*parts, len(points))
