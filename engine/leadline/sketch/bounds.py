"""Bounds on cumulative counts from buckets and a quantile sketch, in NumPy.

For points that no double holds (integers beyond 2**53); all others take the kernels of
``csrc/ranks.c``, which do the same arithmetic in the same order and must give the same bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .pieces import Pieces
from .points import Floats, Points, position

# Points, lower and upper bounds, estimates, noise: the fields of a `ranks.Band` in its order.
Bounds = tuple[Points, Floats, Floats, Floats, Floats]


@dataclass(frozen=True, slots=True)
class Sample:
    """Weighted items of a quantile sketch in ascending order, with its errors in rows.

    ``error`` bounds the error of any rank, ``split_error`` that of a count inside a bucket after
    scaling to the bucket's exact count; both hold at confidence 1 - 1e-6.
    """

    points: Points
    weights: Floats
    total: int
    error: float
    split_error: float
    minimum: complex | float
    maximum: complex | float

    @property
    def scale(self) -> float:
        """Rows over weight."""
        return self.total / float(self.weights.sum())

    def below_and_through(self, points: Points) -> Floats:
        """Weight below, and up to, each point: shape (points, 2)."""
        cumulative = np.concatenate([[0.0], np.cumsum(self.weights)])
        below = cumulative[np.searchsorted(self.points, points, side="left")]
        through = cumulative[np.searchsorted(self.points, points, side="right")]
        return np.column_stack([below, through])


def bounds_of_pieces(
    pieces: Pieces,
    sample: Sample | None,
    minimum: complex | None,
    maximum: complex | None,
) -> Bounds:
    """Bounds at the ends of pieces, and at a sketch's items in heavy ones.

    Parameters
    ----------
    pieces
        Buckets and single values with exact counts.
    sample
        The sketch's items, if it takes part.
    minimum, maximum
        Smallest and largest finite value, where known.
    """
    pieces = pieces.trimmed(minimum, maximum)
    total = float(pieces.count.sum())
    high = np.cumsum(pieces.count)
    low = high - pieces.count
    heavy = np.zeros(len(pieces.count), np.bool_)
    if sample is not None:
        heavy = ~pieces.atom & (pieces.count > sample.split_error) & (pieces.count > 1)
    points = np.unique(np.concatenate([pieces.start, pieces.end, *_inside(pieces, heavy, sample)]))
    index = np.searchsorted(pieces.start, points, side="right") - 1
    piece = np.maximum(index, 0)
    lower, upper, middle = _piecewise(pieces, points, piece, index < 0, low, high)
    noise = np.zeros(len(points))
    if sample is not None and heavy.any():
        where = (index >= 0) & heavy[piece] & (points <= pieces.end[piece])
        _split(sample, points, where, piece, low, high, (lower, upper, middle))
        noise[where & (points < pieces.end[piece])] = min(sample.error, sample.split_error)
    pin_extremes(points, lower, upper, total, minimum, maximum)
    return tidied(points, (lower, upper, middle), noise)


def _piecewise(
    pieces: Pieces,
    points: Points,
    piece: NDArray[np.intp],
    before: NDArray[np.bool_],
    low: Floats,
    high: Floats,
) -> tuple[Floats, Floats, Floats]:
    """Lower, upper and middle counts (points, 2) from exact counts of pieces alone."""
    start, end, atom = pieces.start[piece], pieces.end[piece], pieces.atom[piece]
    known_low, known_high = low[piece], high[piece]
    shut = atom if pieces.closed is None else atom | (end == pieces.closed)
    behind = ~before & np.where(shut, points > end, points >= end)
    inside = ~before & ~behind
    at_start = inside & (points == start)
    lower = np.where(behind, known_high, known_low)[:, None].repeat(2, axis=1)
    upper = np.where(inside, known_high, lower[:, 0])[:, None].repeat(2, axis=1)
    upper[at_start, 0] = known_low[at_start]
    lower[at_start & atom, 1] = known_high[at_start & atom]
    middle = np.where(behind, known_high, known_low)
    within = inside & ~at_start
    share = position(points[within], start[within], end[within])
    middle[within] += (known_high - known_low)[within] * share
    middle = middle[:, None].repeat(2, axis=1)
    middle[at_start & atom, 1] = known_high[at_start & atom]
    for array in (lower, upper, middle):
        array[before] = 0.0
    return lower, upper, middle


def _inside(pieces: Pieces, heavy: NDArray[np.bool_], sample: Sample | None) -> list[Points]:
    """The sketch's items that lie in heavy pieces."""
    if sample is None or not heavy.any():
        return []
    index = np.searchsorted(pieces.start, sample.points, side="right") - 1
    piece = np.maximum(index, 0)
    chosen = (index >= 0) & heavy[piece] & (sample.points <= pieces.end[piece])
    return [sample.points[chosen]]


def _split(
    sample: Sample,
    points: Points,
    where: NDArray[np.bool_],
    piece: NDArray[np.intp],
    low: Floats,
    high: Floats,
    bounds: tuple[Floats, Floats, Floats],
) -> None:
    """Tighten counts inside heavy pieces by the sketch.

    The sketch's weights inside a bucket are scaled to its exact count, so that only the share
    within the bucket is estimated. Its plain ranks bound the same counts independently.
    """
    lower, upper, middle = bounds
    weight = sample.below_and_through(points)
    # At a piece's end the point may begin the next piece: such counts are exact already.
    where = where & (upper[:, 1] > lower[:, 0])
    chosen = np.flatnonzero(where)
    if not len(chosen):
        return
    inside = piece[chosen]
    first, last = _weight_range(points, piece, weight)
    before, held = first[inside], (last - first)[inside]
    count = (high - low)[inside]
    usable = held > 0
    share = (weight[chosen] - before[:, None]) / np.where(usable, held, 1.0)[:, None]
    scaled = low[inside][:, None] + np.clip(share, 0.0, 1.0) * count[:, None]
    scaled = np.where(usable[:, None], scaled, middle[chosen])
    split = np.where(usable, sample.split_error, math.inf)[:, None]
    plain = weight[chosen] * sample.scale
    floor = np.maximum(scaled - split, plain - sample.error)
    ceiling = np.minimum(scaled + split, plain + sample.error)
    # Bounds that cross (one chance in a million) say nothing: fall back on the bucket's own.
    sound = (floor <= ceiling) & (floor <= upper[chosen]) & (ceiling >= lower[chosen])
    lower[chosen] = np.where(sound, np.maximum(lower[chosen], floor), lower[chosen])
    upper[chosen] = np.where(sound, np.minimum(upper[chosen], ceiling), upper[chosen])
    # The bounds are at most twice the smaller error apart; the estimate keeps within it of both.
    error = min(sample.error, sample.split_error)
    centred = np.minimum(np.maximum(scaled, upper[chosen] - error), lower[chosen] + error)
    middle[chosen] = np.clip(centred, lower[chosen], upper[chosen])


def _weight_range(points: Points, piece: NDArray[np.intp], weight: Floats) -> tuple[Floats, Floats]:
    """Sketch weight below the first, and up to the last, point of every piece."""
    pieces = int(piece[-1]) + 1 if len(points) else 0
    first_point = np.searchsorted(piece, np.arange(pieces), side="left")
    last_point = np.searchsorted(piece, np.arange(pieces), side="right") - 1
    return weight[first_point, 0], weight[np.maximum(last_point, 0), 1]


def pin_extremes(
    points: Points,
    lower: Floats,
    upper: Floats,
    total: float,
    minimum: complex | None,
    maximum: complex | None,
) -> None:
    """Use that the smallest and the largest finite value are known and occur."""
    if minimum is not None and len(points):
        at = int(np.searchsorted(points, minimum))
        if at < len(points) and points[at] == minimum:
            lower[at, 1] = max(lower[at, 1], upper[at, 0] + 1)
    if maximum is not None and len(points):
        at = int(np.searchsorted(points, maximum))
        if at < len(points) and points[at] == maximum:
            beyond = lower[at + 1, 0] if at + 1 < len(points) else total
            lower[at, 1] = upper[at, 1] = beyond
            upper[at, 0] = min(upper[at, 0], beyond - 1)


def tidied(points: Points, bounds: tuple[Floats, Floats, Floats], noise: Floats) -> Bounds:
    """Bounds and estimates made to ascend, the estimates inside the bounds."""
    lower, upper, middle = bounds
    low = np.maximum.accumulate(lower.ravel())
    high = np.minimum.accumulate(upper.ravel()[::-1])[::-1]
    low = np.minimum(low, high)
    between = np.clip(np.maximum.accumulate(middle.ravel()), low, high)
    shape = lower.shape
    estimate = np.maximum.accumulate(between).reshape(shape)
    return points, low.reshape(shape), high.reshape(shape), estimate, noise
