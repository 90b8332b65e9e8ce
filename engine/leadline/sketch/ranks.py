"""What a summary knows of a cumulative distribution: bounds on counts at every point of the line.

A `Band` is the common face of exact counts, histogram and quantile sketch. Bucket edges have exact
counts; inside a bucket that holds more rows than the sketch's error, the sketch's items say more,
and the two are intersected. Everything that ranks values (quantiles, Kolmogorov-Smirnov,
Wasserstein, decile edges) asks a band and nothing else, so the care for half-open buckets, ties
and infinities is taken here once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .keys import from_keys
from .pieces import Pieces, half_open
from .points import Floats, Points, as_points, point_of, value_of_point

if TYPE_CHECKING:
    from .counts import ValueCounts
    from .histogram import Histogram
    from .quantiles import Quantiles

SKETCH_CONFIDENCE = 1 - 1e-6


@dataclass(frozen=True, slots=True)
class Band:
    """Bounds on how many rows lie below, and how many up to, every point.

    Parameters
    ----------
    points
        Ascending distinct points, float64 or complex128 (see `points`).
    lower, upper, estimate
        float64 of shape (points, 2): rows below the point and rows up to and including it. Read
        row by row all three ascend. Between two points the count is at least the left point's
        ``lower[i, 1]`` and at most the right one's ``upper[i + 1, 0]``.
    noise
        float64, one a point: error in rows, at confidence 1 - 1e-6, of the sketch's estimate
        between this point and the next; 0 where the bounds do not rest on the sketch.
    total
        Rows.
    confidence
        Probability with which all bounds hold: 1.0, or 1 - 1e-6 if a quantile sketch takes part.
    """

    points: Points
    lower: Floats
    upper: Floats
    estimate: Floats
    noise: Floats
    total: int
    confidence: float = 1.0

    @property
    def exact(self) -> bool:
        """Whether every count is known."""
        return bool(np.array_equal(self.lower, self.upper)) and self.rank_error == 0.0

    @property
    def rank_error(self) -> float:
        """Largest distance of the estimated rank from what is possible, as a share of the rows."""
        if self.total == 0:
            return 0.0
        low, high, middle = self.lower.ravel(), self.upper.ravel(), self.estimate.ravel()
        here = max(float(np.max(high - middle)), float(np.max(middle - low)))
        gap = max(
            float(np.max(self.upper[1:, 0] - self.estimate[:-1, 1], initial=0.0)),
            float(np.max(self.estimate[1:, 0] - self.lower[:-1, 1], initial=0.0)),
        )
        return max(here, gap) / self.total

    def quantile(self, q: float) -> tuple[float, float, float]:
        """Value, lower and upper bound of the smallest value with ``ceil(q n)`` rows up to it.

        This is NumPy's method ``inverted_cdf``, infinities counted. Integers beyond 2**53 come
        back as Python integers, since no double may hold them.

        Raises
        ------
        ValueError
            If there are no rows.
        """
        if self.total == 0:
            raise ValueError("a quantile of no rows is asked for")
        rank = min(max(math.ceil(q * self.total) - 1, 0), self.total - 1)
        low, high = self._lowest(rank), self._highest(rank)
        return min(max(self._likely(rank), low), high), low, high

    def cumulative(self, at: Floats) -> Floats:
        """Estimated rows below each point; at the last one all rows, if no value lies beyond it.

        Differences over ascending edges are histogram counts as `numpy.histogram` takes them:
        half open, the last bin closed.
        """
        edges = np.asarray(at, dtype=np.float64)
        if self.total == 0:
            return np.zeros(len(edges))
        below = self.on(edges).estimate[:, 0]
        if len(edges) and edges[-1] >= float(np.real(self.points[-1])):
            below[-1] = self.total
        return below

    def on(self, points: Points) -> Band:
        """The same knowledge stated at other points; what lies between them is lost."""
        count, total = len(self.points), float(self.total)
        index = np.searchsorted(self.points, points)
        hit = np.zeros(len(points), np.bool_)
        if count:
            hit = self.points[np.minimum(index, count - 1)] == points
        own = index[hit]
        # Between points: at least what is up to the left one, at most what is below the right one.
        lower = np.append(0.0, self.lower[:, 1])[index][:, None].repeat(2, axis=1)
        upper = np.append(self.upper[:, 0], total)[index][:, None].repeat(2, axis=1)
        start = np.append(0.0, self.estimate[:, 1])[index]
        end = np.append(self.estimate[:, 0], total)[index]
        between = ~hit & (index > 0) & (index < count) & (end > start)
        if between.any():
            left, right = (self.points[index[between] - step] for step in (1, 0))
            share = _position(points[between], left, right)
            start[between] += (end - start)[between] * share
        estimate = start[:, None].repeat(2, axis=1)
        lower[hit], upper[hit] = self.lower[own], self.upper[own]
        estimate[hit] = self.estimate[own]
        noise = np.append(0.0, self.noise)[index + hit]
        return Band(points, lower, upper, estimate, noise, self.total, self.confidence)

    def _lowest(self, rank: int) -> float:
        """Smallest value that the row of this rank (from 0) can have."""
        place = int(np.searchsorted(self.upper.ravel(), rank + 1))
        point, through = divmod(place, 2)
        # Reached only "below" a point: some value beyond the point before it.
        return value_of_point(self.points[point if through else max(point - 1, 0)])

    def _highest(self, rank: int) -> float:
        """Largest value that the row of this rank (from 0) can have."""
        place = int(np.searchsorted(self.lower.ravel(), rank, side="right")) - 1
        point, through = divmod(max(place, 0), 2)
        return value_of_point(self.points[min(point + through, len(self.points) - 1)])

    def _likely(self, rank: int) -> float:
        middle = rank + 0.5
        place = min(int(np.searchsorted(self.estimate.ravel(), middle)), 2 * len(self.points) - 1)
        point, through = divmod(place, 2)
        here = value_of_point(self.points[point])
        if through or point == 0:
            return here
        start = value_of_point(self.points[point - 1])
        low, high = self.estimate[point - 1, 1], self.estimate[point, 0]
        if not (math.isfinite(start) and math.isfinite(here)) or high <= low:
            return here
        share = float((middle - low) / (high - low))
        return start * (1 - share) + here * share


def union_points(a: Band, b: Band) -> Points:
    """Ascending distinct points of both bands."""
    return np.unique(np.concatenate([a.points, b.points]))


def band_of(
    *,
    counts: ValueCounts | None = None,
    histogram: Histogram | None = None,
    quantiles: Quantiles | None = None,
    zeros: int = 0,
    negative_infinity: int = 0,
    positive_infinity: int = 0,
    minimum: float | None = None,
    maximum: float | None = None,
) -> Band:
    """The band of a numeric summary's parts.

    Parameters
    ----------
    counts
        Exact counts; nothing else is needed with them.
    histogram
        Buckets of the finite values other than zero.
    quantiles
        Quantile sketch over all values, infinities included; also allowed alone.
    zeros, negative_infinity, positive_infinity
        Rows of these values.
    minimum, maximum
        Smallest and largest value; infinities allowed.

    Examples
    --------
    >>> band_of().total
    0
    """
    if counts is not None:
        return band_of_counts(counts.values, counts.counts)
    coarseness = 0 if histogram is None else histogram.coarseness
    sample = None if quantiles is None else _sample_of(quantiles, coarseness)
    if histogram is None:
        return _empty() if sample is None else band_of_sample(sample)
    buckets = histogram.buckets()
    integer = isinstance(minimum, int) if sample is None else sample.integer
    start, end = half_open(buckets.lower, buckets.upper, integer=integer)
    pieces = Pieces.of(
        start,
        end,
        np.asarray(buckets.counts, dtype=np.float64),
        atoms={-math.inf: negative_infinity, 0.0: zeros, math.inf: positive_infinity},
    )
    return _band_of_pieces(pieces, sample, _finite(minimum), _finite(maximum))


def band_of_counts(values: NDArray[Any], counts: NDArray[Any]) -> Band:
    """The exact band of ascending distinct values with their counts."""
    through = np.cumsum(counts, dtype=np.float64)
    total = int(through[-1]) if len(through) else 0
    known = np.column_stack([through - counts, through])
    return Band(as_points(values), known, known, known, np.zeros(len(values)), total)


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
    integer: bool = False

    def below_and_through(self, points: Points) -> Floats:
        """Weight below, and up to, each point: shape (points, 2)."""
        cumulative = np.concatenate([[0.0], np.cumsum(self.weights)])
        below = cumulative[np.searchsorted(self.points, points, side="left")]
        through = cumulative[np.searchsorted(self.points, points, side="right")]
        return np.column_stack([below, through])


def band_of_sample(sample: Sample) -> Band:
    """The band of a quantile sketch alone."""
    if sample.total == 0:
        return _empty()
    ends = np.array([sample.minimum, sample.maximum])
    points = np.unique(np.concatenate([sample.points, ends]))
    total = float(sample.total)
    scaled = sample.below_and_through(points) * (total / float(sample.weights.sum()))
    lower = np.maximum(scaled - sample.error, 0.0)
    upper = np.minimum(scaled + sample.error, total)
    upper[0, 0] = 0.0
    _pin_extremes(points, lower, upper, total, sample.minimum, sample.maximum)
    noise = np.full(len(points), sample.error)
    return _tidied(points, (lower, upper, scaled), noise, sample.total)


def _band_of_pieces(
    pieces: Pieces,
    sample: Sample | None,
    minimum: complex | None,
    maximum: complex | None,
) -> Band:
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
    _pin_extremes(points, lower, upper, total, minimum, maximum)
    return _tidied(points, (lower, upper, middle), noise, int(total))


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
    share = _position(points[within], start[within], end[within])
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
    plain = weight[chosen] * (sample.total / float(sample.weights.sum()))
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


def _pin_extremes(
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


def _tidied(
    points: Points, bounds: tuple[Floats, Floats, Floats], noise: Floats, total: int
) -> Band:
    """A band whose bounds and estimates ascend and whose estimates lie in the bounds."""
    lower, upper, middle = bounds
    low = np.maximum.accumulate(lower.ravel())
    high = np.minimum.accumulate(upper.ravel()[::-1])[::-1]
    low = np.minimum(low, high)
    between = np.clip(np.maximum.accumulate(middle.ravel()), low, high)
    shape = lower.shape
    return Band(
        points,
        low.reshape(shape),
        high.reshape(shape),
        np.maximum.accumulate(between).reshape(shape),
        noise,
        total,
        SKETCH_CONFIDENCE if noise.any() else 1.0,
    )


def _position(points: Points, start: Points, end: Points) -> Floats:
    """Where each point lies between two others, 0 to 1."""
    # Halved before subtracting, so that the width of a huge bucket does not overflow.
    low, high, at = (np.real(x) / 2 for x in (start, end, points))
    with np.errstate(invalid="ignore", divide="ignore"):
        share: Floats = np.nan_to_num(np.clip((at - low) / (high - low), 0.0, 1.0))
    return share


def _finite(value: float | None) -> complex | float | None:
    return None if value is None or not math.isfinite(value) else point_of(value)


def _empty() -> Band:
    nothing = np.zeros((0, 2))
    return Band(np.zeros(0), nothing, nothing, nothing, np.zeros(0), 0)


def _sample_of(quantiles: Quantiles, coarseness: int) -> Sample:
    """The sketch's items in ascending order, as points."""
    keys, weights = quantiles.sorted_weights()
    values = from_keys(keys, quantiles.storage)
    ends = from_keys(
        np.array([quantiles.minimum, quantiles.maximum], dtype=np.uint64), quantiles.storage
    )
    minimum, maximum = as_points(ends).tolist() if quantiles.count else (0.0, 0.0)
    return Sample(
        points=as_points(values),
        weights=weights.astype(np.float64),
        total=quantiles.count,
        error=quantiles.rank_error * quantiles.count,
        split_error=quantiles.split_error_at(coarseness) * quantiles.count,
        minimum=minimum,
        maximum=maximum,
        integer=values.dtype.kind != "f",
    )
