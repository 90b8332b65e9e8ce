"""Cells of a numeric column: bucket boundaries near the reference's deciles."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

import numpy as np

from ..sketch.points import EXACT_INTEGERS, SMALLEST, Points, point_of
from ..sketch.ranks import Band
from .cells import Cells, Counts

DECILES = np.arange(1, 10) / 10
# A bucket boundary this close to a decile, in shares of rows, is taken: its count is exact.
NEAR = 0.05
_MANTISSA_BITS, _BUCKET_BITS = 52, 8
_BITS, _DOUBLE = struct.Struct("<Q"), struct.Struct("<d")


def decile_cells(
    reference: Band, current: Band, *, coarseness: int = 0, whole: bool = False
) -> Cells:
    """Rows of both sides in cells between bucket boundaries nearest the reference's deciles.

    Parameters
    ----------
    reference, current
        The bands.
    coarseness
        Mantissa bits by which the coarser histogram of the two is below full resolution.
    whole
        Whether both sides count integers exactly: edges are then rounded up to integers, which
        changes no count.

    Notes
    -----
    A boundary within 5 % of the rows of its decile is used, and counts are exact. Where buckets
    are too full for that, the decile itself is the edge and counts come from the quantile sketch,
    with bounds. A negative bucket holds its upper edge, so the edge is the next larger double.
    """
    integer = reference.points.dtype.kind == "c"
    chosen = set(_edges_near(reference, coarseness, integer=integer))
    if whole:
        chosen = {_ceiling(edge) for edge in chosen}
    inner = sorted(edge for edge in chosen if edge > -math.inf)
    return Cells(
        reference=counts_between(reference, inner),
        current=counts_between(current, inner),
        edges=(-math.inf, *inner, math.inf),
        confidence=reference.confidence * current.confidence,
    )


def counts_between(band: Band, inner: Sequence[float]) -> Counts:
    """Rows below the first edge, between edges (left one included), and from the last edge on."""
    at = band.on(_points(inner))
    ends = np.array([0.0]), np.array([float(band.total)])
    low, high, middle = (
        np.concatenate([ends[0], x[:, 0], ends[1]]) for x in (at.lower, at.upper, at.estimate)
    )
    return Counts(
        value=np.diff(middle),
        lower=np.maximum(low[1:] - high[:-1], 0.0),
        upper=high[1:] - low[:-1],
        total=band.total,
    )


def bucket_of(value: float, coarseness: int, *, integer: bool = False) -> tuple[float, float]:
    """Half-open bucket ``start <= value < end`` of the log-linear histogram.

    With ``integer``, the next integer instead of the next double stands for a negative edge beyond
    2**53 (see `pieces.half_open`).

    >>> bucket_of(100.0, 0), bucket_of(0.0, 0)
    ((100.0, 100.25), (0.0, 5e-324))
    """
    if value == 0 or math.isinf(value):
        return value, math.nextafter(value, math.inf)
    shift = _MANTISSA_BITS - _BUCKET_BITS + coarseness
    (bits,) = _BITS.unpack(_DOUBLE.pack(_toward_zero(abs(value))))
    (below,) = _DOUBLE.unpack(_BITS.pack(bits >> shift << shift))
    (above,) = _DOUBLE.unpack(_BITS.pack((bits >> shift) + 1 << shift))
    if value > 0:
        return max(below, SMALLEST), above
    start = _after(-above, integer=integer)
    return start, _after(-below, integer=integer) if below > 0 else 0.0


def _toward_zero(magnitude: float) -> float:
    """The nearest double that is not larger: a bucket's end is not in the bucket."""
    nearest = float(magnitude)
    return math.nextafter(nearest, 0.0) if nearest > magnitude else nearest


def _after(edge: float, *, integer: bool) -> float:
    """The next value after a negative edge."""
    beyond = integer and -math.inf < edge < -EXACT_INTEGERS
    return _next(int(edge) if beyond else edge)


def _edges_near(reference: Band, coarseness: int, *, integer: bool) -> list[float]:
    """The edge for every decile."""
    values = [reference.quantile(share)[0] for share in DECILES.tolist()]
    chosen = _nearest(
        reference, [bucket_of(value, coarseness, integer=integer) for value in values]
    )
    if all(distance <= NEAR for _, distance in chosen):
        return [edge for edge, _ in chosen]
    inside = _nearest(reference, [(value, _next(value)) for value in values])
    return [
        finer if distance > NEAR and finer_distance < distance - 1e-9 else edge
        for (edge, distance), (finer, finer_distance) in zip(chosen, inside, strict=True)
    ]


def _next(value: float) -> float:
    """The next larger value: of an integer that no double holds the next integer."""
    return value + 1 if isinstance(value, int) else math.nextafter(value, math.inf)


def _ceiling(edge: float) -> float:
    whole = math.ceil(edge) if math.isfinite(edge) else edge
    return float(whole) if float(whole) == whole else whole


def _points(values: Sequence[float]) -> Points:
    return np.array([point_of(value) for value in values])


def _nearest(band: Band, candidates: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of each decile's candidates the one whose share of rows below is nearest, and how near."""
    points = _points([value for pair in candidates for value in pair])
    below = band.on(points).estimate[:, 0].reshape(-1, 2)
    distances = np.abs(below / band.total - DECILES[:, None])
    best = np.argmin(distances, axis=1).tolist()
    return [
        (pair[i], float(distance[i]))
        for pair, distance, i in zip(candidates, distances, best, strict=True)
    ]
