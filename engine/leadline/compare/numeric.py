"""Distances between two cumulative distributions, from bounds on both.

Whatever the raw rows were, the value computed from them lies in ``[lower, upper]``: at every point
of the line the two distribution functions lie in their bands, and the interval holds the smallest
and the largest value that any two functions inside the bands can give.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..sketch.points import SMALLEST, Floats, Points
from ..sketch.ranks import Band, distance_bounds, union_points
from .significance import kolmogorov_p
from .statistic import RELATIVE_SLACK, Statistic, share_margin

IQR_TO_DEVIATION = 1.349  # interquartile range of a normal over its standard deviation
EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class BandPair:
    """Two bands stated at the same points, as shares of their rows.

    ``low`` and ``high`` are (points, 2) bounds of reference minus current, below and up to each
    point; ``gap_low`` and ``gap_high`` hold between a point and the next.
    """

    points: Points
    reference: Band
    current: Band
    low: Floats
    high: Floats
    middle: Floats

    @classmethod
    def of(cls, reference: Band, current: Band) -> BandPair:
        """Both bands at the points of either."""
        points = union_points(reference, current)
        a, b = reference.on(points), current.on(points)
        n, m = a.total, b.total
        return cls(
            points=points,
            reference=a,
            current=b,
            low=a.lower / n - b.upper / m,
            high=a.upper / n - b.lower / m,
            middle=a.estimate / n - b.estimate / m,
        )

    @property
    def confidence(self) -> float:
        """Probability with which both bands hold."""
        return self.reference.confidence * self.current.confidence

    def gaps(self, margin_a: float = 0.0, margin_b: float = 0.0) -> tuple[Floats, Floats]:
        """Bounds of the difference between consecutive points, bands widened by margins."""
        a, b = self.reference, self.current
        low_a = np.maximum(a.lower[:-1, 1] / a.total - margin_a, 0.0)
        high_a = np.minimum(a.upper[1:, 0] / a.total + margin_a, 1.0)
        low_b = np.maximum(b.lower[:-1, 1] / b.total - margin_b, 0.0)
        high_b = np.minimum(b.upper[1:, 0] / b.total + margin_b, 1.0)
        return low_a - high_b, high_a - low_b

    def joint_gaps(self, margin_a: float = 0.0, margin_b: float = 0.0) -> tuple[Floats, Floats]:
        """As `gaps`, but two sketches' errors, being independent, add up in squares."""
        low, high = self.gaps(margin_a, margin_b)
        a, b = self.reference, self.current
        sketched = (a.noise[:-1] > 0) & (b.noise[:-1] > 0)
        noise = np.hypot(a.noise[:-1] / a.total, b.noise[:-1] / b.total) + margin_a + margin_b
        floor = np.maximum(low, self.middle[:-1, 1] - noise)
        ceiling = np.minimum(high, self.middle[:-1, 1] + noise)
        sound = sketched & (floor <= ceiling)
        return np.where(sound, floor, low), np.where(sound, ceiling, high)


def ks(reference: Band, current: Band) -> Statistic:
    """Two-sample Kolmogorov-Smirnov distance: the largest difference of the shares up to a value.

    The convention is that of `scipy.stats.ks_2samp`, two-sided, which rounds in one of two ways
    (by its ``method``); the interval has room for both, two ulps of 1 a side. Infinities count as
    values. The p-value is taken at the lower bound: that distance is certain. ``ci_lower`` and
    ``ci_upper`` add the 99 % margin of Dvoretzky, Kiefer, Wolfowitz and Massart of both sides
    (0.5 % each).
    """
    doubles = reference.real and current.real
    find = distance_bounds if doubles else _distance_bounds
    confidence = reference.confidence * current.confidence
    return ks_within(find(reference, current), reference.total, current.total, confidence)


def ks_within(
    found: tuple[float, float, float, float], n: int, m: int, confidence: float = 1.0
) -> Statistic:
    """The statistic from its bounds, its estimate, and the point where that is (see `ks`)."""
    lower, upper, value, where = found
    upper = max(lower, min(1.0, upper))
    value = min(max(value, lower), upper)
    margin = share_margin(n) + share_margin(m)
    return Statistic(
        value=value,
        lower=_nudged(lower, -2 * EPSILON),
        upper=_nudged(upper, 2 * EPSILON),
        ci_lower=max(0.0, lower - margin),
        ci_upper=min(1.0, upper + margin),
        confidence=confidence,
        name="ks",
        p_value=kolmogorov_p(lower, n, m),
        note=f"largest at {where:.6g}" if value > 0 else "",
    )


def _distance_bounds(reference: Band, current: Band) -> tuple[float, float, float, float]:
    """As `ranks.distance_bounds`, for integers that no double holds."""
    pair = BandPair.of(reference, current)
    lower = max(0.0, float(np.max(pair.low)), float(np.max(-pair.high)))
    gap_low, gap_high = pair.gaps()
    upper = max(
        float(np.max(pair.high)),
        float(np.max(-pair.low)),
        float(np.max(gap_high, initial=0.0)),
        float(np.max(-gap_low, initial=0.0)),
    )
    distance = np.abs(pair.middle)
    where = int(np.argmax(distance)) // 2
    return lower, upper, float(distance.max()), float(np.real(pair.points[where]))


def wasserstein(
    pair: BandPair,
    *,
    unit: str,
    mean_shift: tuple[float, float] | None = None,
    scale: float | None = None,
) -> Statistic:
    """First Wasserstein distance: the area between the distribution functions.

    In the column's unit. The convention is that of `scipy.stats.wasserstein_distance`, except
    that infinities, for which SciPy returns NaN, give infinity unless both sides have the same
    share of them.

    Parameters
    ----------
    pair
        The two bands.
    unit
        Unit of the column.
    mean_shift
        Current mean minus reference mean, and the error of that figure. The signed area between
        the functions is known to equal it, which narrows the interval: exactly to the shift
        itself where one side lies wholly to one side of the other.
    scale
        Spread of the reference, passed through.

    Notes
    -----
    Where both sides rest on quantile sketches their errors are independent (their seeds hash the
    data), so at a confidence of 1 - 1e-6 the error of the difference is the root of the sum of
    squares.

    ``ci_lower`` and ``ci_upper`` are for the two populations with everything outside of the
    observed range moved to its ends (without such a limit no sample bounds the distance): both
    functions widened by the 99 % margin of Dvoretzky, Kiefer, Wolfowitz and Massart.
    """
    tails = _infinite_tails(pair)
    if tails == math.inf:
        return Statistic(math.inf, math.inf, math.inf, name="wasserstein", unit=unit, scale=scale)
    width = _widths(pair.points)
    low, high = pair.joint_gaps()
    lower, upper = _areas(width, low, high)
    if mean_shift is not None and tails == 0.0:
        lower, upper = _with_mean_shift(width, low, high, (lower, upper), mean_shift)
    slack = RELATIVE_SLACK * upper + _rounding(pair, width, low, high)
    lower, upper = max(0.0, lower - slack), upper + slack
    margins = (share_margin(side.total) for side in (pair.reference, pair.current))
    ci_lower, ci_upper = _areas(width, *pair.joint_gaps(*margins))
    if not np.isfinite(_range(pair)):
        upper = math.inf  # the range itself is beyond the largest double
    middle = np.abs(pair.middle[:-1, 1] + pair.middle[1:, 0]) / 2
    value = min(max(float(np.sum(width * middle)), lower), upper)
    return Statistic(
        value=value,
        lower=lower,
        upper=upper,
        ci_lower=min(ci_lower, lower),
        ci_upper=max(ci_upper, upper),
        confidence=pair.confidence,
        name="wasserstein",
        unit=unit,
        scale=scale,
        note=f"{value / scale:.3g} of the reference's spread" if scale else "",
    )


def _nudged(distance: float, room: float) -> float:
    """A bound with room for rounding; 0 and 1 are never rounded."""
    return distance if distance in (0.0, 1.0) else min(max(distance + room, 0.0), 1.0)


def spread_of(reference: Band, deviation: float) -> float | None:
    """Interquartile range over 1.349, the standard deviation if that is 0, None if both are."""
    quartiles = reference.quantile(0.75)[0] - reference.quantile(0.25)[0]
    for spread in (quartiles / IQR_TO_DEVIATION, deviation):
        if math.isfinite(spread) and spread > 0:
            return spread
    return None


def _with_mean_shift(
    width: Floats,
    low: Floats,
    high: Floats,
    bounds: tuple[float, float],
    mean_shift: tuple[float, float],
) -> tuple[float, float]:
    """Narrow by: positive area minus negative area = mean of current minus mean of reference."""
    shift, error = mean_shift
    if not (math.isfinite(shift) and math.isfinite(error)):
        return bounds
    positive = [float(np.sum(width * np.maximum(x, 0.0))) for x in (low, high)]
    negative = [float(np.sum(width * np.maximum(-x, 0.0))) for x in (high, low)]
    lower = max(
        bounds[0],
        abs(shift) - error,
        shift - error + 2 * negative[0],
        -shift - error + 2 * positive[0],
    )
    upper = min(bounds[1], shift + error + 2 * negative[1], -shift + error + 2 * positive[1])
    return (lower, upper) if lower <= upper else bounds


def _infinite_tails(pair: BandPair) -> float:
    """Infinity if the sides' shares of infinite values differ, -1 if equal, 0 without any."""
    found = 0.0
    for at, column in ((0, 1), (-1, 0)):
        if len(pair.points) and np.isinf(np.real(pair.points[at])):
            sides = (pair.reference, pair.current)
            counts = [side.estimate[at, column] for side in sides]
            if column == 0:
                counts = [side.total - count for side, count in zip(sides, counts, strict=True)]
            if int(counts[0]) * pair.current.total != int(counts[1]) * pair.reference.total:
                return math.inf
            found = -1.0
    return found


def _areas(width: Floats, low: Floats, high: Floats) -> tuple[float, float]:
    """Least and largest area between two functions whose difference lies in ``low`` to ``high``."""
    least = np.maximum(np.maximum(low, -high), 0.0)
    return float(np.sum(width * least)), float(np.sum(width * np.maximum(high, -low)))


def _widths(points: Points) -> Floats:
    """Distance of each point to the next; 0 where one of them is infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        width = np.diff(np.real(points))
    if points.dtype.kind == "c":
        width = width + np.diff(np.imag(points))
    return np.where(np.isfinite(width), width, 0.0)


def _rounding(pair: BandPair, width: Floats, low: Floats, high: Floats) -> float:
    """Room for the rounding of shares, wherever they differ, and of integers beyond 2**53."""
    apart = (low != 0) | (high != 0)
    if not apart.any():
        return 0.0
    # Below the normal doubles a product loses up to one subnormal step, whatever its size.
    steps = SMALLEST * (pair.reference.total + pair.current.total)
    room = 4 * EPSILON * float(np.sum(width[apart])) + steps
    if pair.points.dtype.kind == "c":
        room += float(np.spacing(np.max(np.abs(np.real(pair.points)))))
    return room


def _range(pair: BandPair) -> float:
    """Width of the finite points; infinity where it is beyond the largest double."""
    real = np.real(pair.points)
    finite = real[np.isfinite(real)]
    with np.errstate(over="ignore"):
        return float(finite[-1] - finite[0]) if len(finite) else 0.0
