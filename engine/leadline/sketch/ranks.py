"""What a summary knows of a cumulative distribution: bounds on counts at every point of the line.

A `Band` is the common face of exact counts, histogram and quantile sketch. Bucket edges have exact
counts; inside a bucket that holds more rows than the sketch's error, the sketch's items say more,
and the two are intersected. Everything that ranks values (quantiles, Kolmogorov-Smirnov,
Wasserstein, decile edges) asks a band and nothing else, so the care for half-open buckets, ties
and infinities is taken here once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._native.ranks import (
    BucketSide,
    ranks_band,
    ranks_buckets,
    ranks_counts,
    ranks_distance,
    ranks_on,
)
from .bounds import Bounds, Sample, bounds_of_pieces, pin_extremes, tidied
from .keys import from_keys
from .pieces import Pieces, half_open
from .points import (
    EXACT_INTEGERS,
    Floats,
    Points,
    as_points,
    point_of,
    position,
    value_of_point,
)

if TYPE_CHECKING:
    from .counts import ValueCounts
    from .histogram import Histogram
    from .quantiles import Quantiles

SKETCH_CONFIDENCE = 1 - 1e-6
_NOTHING = np.zeros(0)


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
    def real(self) -> bool:
        """Whether doubles hold all points."""
        return self.points.dtype.kind == "f"

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
        if self.real and points.dtype.kind == "f":
            parts = self.points, self.lower, self.upper, self.estimate, self.noise, points
            *band, noise, at = map(np.ascontiguousarray, parts)
            found = ranks_on((band[0], band[1], band[2], band[3]), noise, self.total, at)
            return Band(points, *found, self.total, self.confidence)
        return self._on(points)

    def _on(self, points: Points) -> Band:
        """As `on`, for integers that no double holds."""
        count, total = len(self.points), float(self.total)
        if not count:
            return self._nowhere(points)
        index = np.searchsorted(self.points, points)
        before, here = np.maximum(index - 1, 0), np.minimum(index, count - 1)
        inner, passed = index > 0, index < count
        hit = self.points[here] == points
        # Between points: at least what is up to the left one, at most what is below the right one.
        low = np.where(inner, self.lower[before, 1], 0.0)
        high = np.where(passed, self.upper[here, 0], total)
        start = np.where(inner, self.estimate[before, 1], 0.0)
        end = np.where(passed, self.estimate[here, 0], total)
        between = ~hit & inner & passed & (end > start)
        if between.any():
            left, right = self.points[before[between]], self.points[here[between]]
            share = position(points[between], left, right)
            start[between] += (end - start)[between] * share
        own, at = hit[:, None], here
        noise = np.where(hit, self.noise[at], np.where(inner, self.noise[before], 0.0))
        return Band(
            points,
            np.where(own, self.lower[at], low[:, None]),
            np.where(own, self.upper[at], high[:, None]),
            np.where(own, self.estimate[at], start[:, None]),
            noise,
            self.total,
            self.confidence,
        )

    def _nowhere(self, points: Points) -> Band:
        """No rows, stated at some points."""
        nothing = np.zeros((len(points), 2))
        upper, noise = nothing + self.total, nothing[:, 0]
        return Band(points, nothing, upper, nothing, noise, self.total, self.confidence)

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


def distance_bounds(a: Band, b: Band) -> tuple[float, float, float, float]:
    """Largest distance of the shares up to a value: least, most, of the estimates, and where.

    Parameters
    ----------
    a, b
        Bands of some rows each, all points doubles.
    """
    return ranks_distance(
        (a.points, a.lower, a.upper, a.estimate),
        a.total,
        (b.points, b.lower, b.upper, b.estimate),
        b.total,
    )


def distances_of_counts(
    band: Band, points: Sequence[Floats], counts: Sequence[NDArray[Any]]
) -> tuple[NDArray[np.int64], Floats]:
    """What `distance_bounds` estimates of a band and of many sets of exactly counted values.

    Between two values of such a set its share stays the same and that of the band only grows, so
    nothing but the values of the set need be looked at: the time grows with these, and the band is
    made once.

    Parameters
    ----------
    band
        Some rows, all points doubles.
    points, counts
        Ascending distinct values of every set with their counts, at least one of each.

    Returns
    -------
    totals, distances
        Rows of every set, and its distance from the band.
    """
    ends = np.cumsum([len(part) for part in points])
    rows = np.concatenate(counts).astype(np.int64)
    distances = ranks_counts(
        (band.points, band.lower, band.upper, band.estimate),
        band.total,
        np.concatenate(points),
        rows,
        ends,
    )
    starts = np.concatenate([[0], ends[:-1]])
    return np.add.reduceat(rows, starts), distances


def bucket_distance(
    histograms: tuple[Histogram, Histogram],
    quantiles: tuple[Quantiles, Quantiles],
    singles: tuple[tuple[int, int, int], tuple[int, int, int]],
    extremes: tuple[tuple[float, float], tuple[float, float]],
    totals: tuple[int, int],
) -> tuple[float, float, float, float] | None:
    """What `distance_bounds` finds of the bands of two histograms, without making the bands.

    None where a band needs more than buckets: where one of them is heavy enough for the sketch to
    say more, where the two histograms are not equally coarse, and for integers beyond 2**53.

    Parameters
    ----------
    histograms, quantiles
        Both sides' parts.
    singles
        Rows at -inf, 0 and inf.
    extremes
        Smallest and largest value; infinities allowed.
    totals
        Rows, 1 at least.
    """
    coarseness = histograms[0].coarseness
    if histograms[1].coarseness != coarseness:
        return None
    if any(sketch.split_error_at(coarseness) == 0 for sketch in quantiles):
        return None  # a sketch of every value tells two rows of one bucket apart
    sides = []
    for histogram, sketch, rows, ends, total in zip(
        histograms, quantiles, singles, extremes, totals, strict=True
    ):
        if any(isinstance(x, int) and abs(x) >= EXACT_INTEGERS for x in ends):
            return None
        low, high = (float(x) if math.isfinite(x) else math.nan for x in ends)
        limit = max(sketch.split_error_at(coarseness) * sketch.count, 1.0)
        sides.append(BucketSide(histogram.pages, histogram.counts, rows, (low, high), limit, total))
    a, b = sides
    return ranks_buckets(a, b, coarseness)


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
    if histogram is None:
        return _empty() if quantiles is None else band_of_sample(_sample_of(quantiles, 0))
    singles = negative_infinity, zeros, positive_infinity
    extremes = _finite(minimum), _finite(maximum)
    if any(isinstance(x, int) and abs(x) >= EXACT_INTEGERS for x in (minimum, maximum)):
        return _wide_band(histogram, quantiles, singles, extremes)
    low, high = (math.nan if x is None else float(np.real(x)) for x in extremes)
    sample = None
    if quantiles is not None:
        split = quantiles.split_error_at(histogram.coarseness) * quantiles.count
        # The sketch's items are only looked at, and put in order, where they say more.
        if histogram.heaviest > max(split, 1.0):
            sample = _sample_of(quantiles, histogram.coarseness)
    points, lower, upper, estimate, noise = ranks_band(
        histogram.pages,
        histogram.counts,
        histogram.coarseness,
        singles,
        (low, high),
        _NOTHING if sample is None else sample.points,
        _NOTHING if sample is None else sample.weights,
        (0.0, 0.0, 0.0) if sample is None else (sample.scale, sample.error, sample.split_error),
    )
    total = int(upper[-1, 1]) if len(points) else 0
    confidence = SKETCH_CONFIDENCE if sample is not None and noise.any() else 1.0
    return Band(points, lower, upper, estimate, noise, total, confidence)


def _wide_band(
    histogram: Histogram,
    quantiles: Quantiles | None,
    singles: tuple[int, int, int],
    extremes: tuple[complex | None, complex | None],
) -> Band:
    """The band of integers that no double holds."""
    buckets = histogram.buckets()
    start, end = half_open(buckets.lower, buckets.upper, integer=True)
    pieces = Pieces.of(
        start,
        end,
        np.asarray(buckets.counts, dtype=np.float64),
        atoms=dict(zip((-math.inf, 0.0, math.inf), singles, strict=True)),
    )
    sample = None if quantiles is None else _sample_of(quantiles, histogram.coarseness)
    return _band(bounds_of_pieces(pieces, sample, *extremes), int(pieces.count.sum()))


def _band(bounds: Bounds, total: int) -> Band:
    noise = bounds[-1]
    return Band(*bounds, total, SKETCH_CONFIDENCE if noise.any() else 1.0)


def band_of_counts(values: NDArray[Any], counts: NDArray[Any]) -> Band:
    """The exact band of ascending distinct values with their counts."""
    through = np.cumsum(counts, dtype=np.float64)
    total = int(through[-1]) if len(through) else 0
    known = np.column_stack([through - counts, through])
    return Band(as_points(values), known, known, known, np.zeros(len(values)), total)


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
    pin_extremes(points, lower, upper, total, sample.minimum, sample.maximum)
    noise = np.full(len(points), sample.error)
    return _band(tidied(points, (lower, upper, scaled), noise), sample.total)


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
    )
