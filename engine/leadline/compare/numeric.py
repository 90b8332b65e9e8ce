"""Distances between two cumulative distributions, from bounds on both.

Whatever the raw rows were, the value computed from them lies in ``[lower, upper]``: at every point
of the line the two distribution functions lie in their bands, and the interval holds the smallest
and the largest value that any two functions inside the bands can give.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ..sketch.points import Floats
from ..sketch.ranks import Band, distance_bounds
from .bands import EPSILON, BandPair, infinite_tails, range_of, rounding_of, widths_of
from .laws import kuiper_p
from .significance import kolmogorov_p
from .statistic import RELATIVE_SLACK, Statistic, share_margin, undefined

IQR_TO_DEVIATION = 1.349  # interquartile range of a normal over its standard deviation


def ks(reference: Band, current: Band) -> Statistic:
    """Two-sample Kolmogorov-Smirnov distance: the largest difference of the shares up to a value.

    The convention is that of `scipy.stats.ks_2samp`, two-sided, which rounds in one of two ways
    (by its ``method``); the interval has room for both, two ulps of 1 a side. Infinities count as
    values. The p-value is taken at the lower bound: that distance is certain. ``ci_lower`` and
    ``ci_upper`` add the 99 % margin of Dvoretzky, Kiefer, Wolfowitz and Massart of both sides
    (0.5 % each).
    """
    confidence = reference.confidence * current.confidence
    found = distance_of_bands(reference, current)
    return ks_within(found, reference.total, current.total, confidence)


def distance_of_bands(reference: Band, current: Band) -> tuple[float, float, float, float]:
    """Least, largest and estimated distance of the shares up to a value, and where that is."""
    find = distance_bounds if reference.real and current.real else _distance_bounds
    return find(reference, current)


def ks_within(
    found: tuple[float, float, float, float], n: int, m: int, confidence: float = 1.0
) -> Statistic:
    """The statistic from its bounds, its estimate, and the point where that is (see `ks`)."""
    value, lower, upper = clipped(found)
    where = found[3]
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


def clipped(found: tuple[float, float, float, float]) -> tuple[float, float, float]:
    """Estimate, lower and upper bound of a distance of shares, each where it can be."""
    lower, upper, value, _ = found
    upper = max(lower, min(1.0, upper))
    return min(max(value, lower), upper), lower, upper


def kuiper(pair: BandPair) -> Statistic:
    """Kuiper's distance: the largest excess of either distribution function over the other, added.

    ``max(F - G) + max(G - F)``, at least `ks` and at most twice as much; unlike it as sensitive in
    the tails as in the middle, and the same wherever a circle (hours of a day) is cut. SciPy has
    none; astropy's `kuiper_two` computes the same. The p-value is that of the limit law at the
    lower bound, the 99 % interval as of `ks`, with both sides' margins once for each excess.
    """
    n, m = pair.reference.total, pair.current.total
    gap_low, gap_high = pair.gaps()
    lower = max(0.0, float(np.max(pair.low))) + max(0.0, float(np.max(-pair.high)))
    upper = max(0.0, float(np.max(pair.high)), float(np.max(gap_high, initial=0.0)))
    upper += max(0.0, float(np.max(-pair.low)), float(np.max(-gap_low, initial=0.0)))
    value = max(0.0, float(pair.middle.max())) + max(0.0, float(-pair.middle.min()))
    upper = max(lower, min(upper, 1.0))
    margin = 2 * (share_margin(n) + share_margin(m))
    return Statistic(
        value=min(max(value, lower), upper),
        lower=_nudged(lower, -4 * EPSILON),
        upper=_nudged(upper, 4 * EPSILON),
        ci_lower=max(0.0, lower - margin),
        ci_upper=min(1.0, upper + margin),
        confidence=pair.confidence,
        name="kuiper",
        p_value=kuiper_p(lower, n, m),
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
    tails = infinite_tails(pair)
    if tails == math.inf:
        return Statistic(math.inf, math.inf, math.inf, name="wasserstein", unit=unit, scale=scale)
    width = widths_of(pair.points)
    low, high = pair.joint_gaps()
    lower, upper = _areas(width, low, high)
    if mean_shift is not None and tails == 0.0:
        lower, upper = _with_mean_shift(width, low, high, (lower, upper), mean_shift)
    slack = RELATIVE_SLACK * upper + rounding_of(pair, width, low, high)
    lower, upper = max(0.0, lower - slack), upper + slack
    margins = (share_margin(side.total) for side in (pair.reference, pair.current))
    ci_lower, ci_upper = _areas(width, *pair.joint_gaps(*margins))
    if not np.isfinite(range_of(pair)):
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


def wasserstein_scaled(found: Statistic) -> Statistic:
    """The first Wasserstein distance over the reference's spread: a pure number.

    Spread is the interquartile range over 1.349, or the standard deviation if that is 0
    (`spread_of`); it is printed as ``scale``, and the interval is for that very scale. Evidently
    divides by the standard deviation, which one outlier can make as large as it likes.

    Parameters
    ----------
    found
        What `wasserstein` gave.
    """
    if found.scale is None:
        return undefined(
            "wasserstein_scaled", "", "all values of the reference are one: there is no spread"
        )
    return replace(
        scaled(found, found.scale), name="wasserstein_scaled", unit="", scale=found.scale, note=""
    )


def scaled(found: Statistic, scale: float) -> Statistic:
    """Value and intervals over a scale."""
    ends = (None if x is None else x / scale for x in (found.ci_lower, found.ci_upper))
    ci_lower, ci_upper = ends
    return replace(
        found,
        value=found.value / scale,
        lower=found.lower / scale,
        upper=found.upper / scale,
        ci_lower=ci_lower,
        ci_upper=ci_upper,
    )


def energy(pair: BandPair, *, unit: str) -> Statistic:
    """Energy distance: the root of twice the area under ``(F - G)**2``, in roots of the unit.

    As `scipy.stats.energy_distance`, except that infinities, for which SciPy returns NaN, give
    infinity unless both sides have the same share of them. The 99 % interval is that of
    `wasserstein`: for populations with everything outside of the observed range moved to its ends.

    Parameters
    ----------
    pair
        The two bands.
    unit
        Unit of the column.
    """
    unit = f"sqrt({unit})" if unit else ""
    if infinite_tails(pair) == math.inf:
        return Statistic(math.inf, math.inf, math.inf, name="energy", unit=unit)
    width = widths_of(pair.points)
    # As large as the range: neither squares nor sums of widths overflow then.
    size = float(width.max(initial=0.0)) or 1.0
    part = width / size
    low, high = pair.joint_gaps()
    lower, upper = _square_areas(part, low, high)
    slack = RELATIVE_SLACK * upper + rounding_of(pair, width, low, high) / size
    margins = (share_margin(side.total) for side in (pair.reference, pair.current))
    ci_lower, ci_upper = _square_areas(part, *pair.joint_gaps(*margins))
    first, last = pair.middle[:-1, 1], pair.middle[1:, 0]
    middle = float(np.sum(part * (first * first + first * last + last * last))) / 3

    def root(area: float) -> float:
        return math.sqrt(2 * max(area, 0.0)) * math.sqrt(size)

    lower, upper = root(lower - slack), root(upper + slack)
    if not np.isfinite(range_of(pair)):
        upper = math.inf
    return Statistic(
        value=min(max(root(middle), lower), upper),
        lower=lower,
        upper=upper,
        ci_lower=min(root(ci_lower), lower),
        ci_upper=max(root(ci_upper), upper),
        confidence=pair.confidence,
        name="energy",
        unit=unit,
    )


def _square_areas(width: Floats, low: Floats, high: Floats) -> tuple[float, float]:
    """Least and largest area under the square of what lies in ``low`` to ``high``."""
    least = np.maximum(np.maximum(low, -high), 0.0)
    most = np.maximum(high, -low)
    return float(np.sum(width * least * least)), float(np.sum(width * most * most))


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


def _areas(width: Floats, low: Floats, high: Floats) -> tuple[float, float]:
    """Least and largest area between two functions whose difference lies in ``low`` to ``high``."""
    least = np.maximum(np.maximum(low, -high), 0.0)
    return float(np.sum(width * least)), float(np.sum(width * np.maximum(high, -low)))
