"""How far quantiles moved, from both sides' bounds on them."""

from __future__ import annotations

import math

from ..sketch.ranks import Band
from .significance import binomial_range
from .statistic import CONFIDENCE, RELATIVE_SLACK, Statistic

SHARES = {"p5": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}


def quantile_shift(
    reference: Band, current: Band, share: float, *, name: str, unit: str, scale: float | None
) -> Statistic:
    """Current quantile minus that of the reference, in the column's unit.

    Quantiles are NumPy's of method ``inverted_cdf``: the smallest value with ``ceil(share n)`` rows
    up to it. The bounds are those of both sides (`Band.quantile`). The 99 % interval has the values
    of the ranks between which the population's quantile lies with 99.5 % a side, by the binomial
    law: it holds for any distribution, ties included, and is infinite where a side has too few
    rows.

    Parameters
    ----------
    reference, current
        The bands.
    share
        Between 0 and 1.
    name, unit, scale
        Of the statistic; ``scale`` is the reference's spread, `numeric.spread_of`.
    """
    (first, low_a, high_a), (second, low_b, high_b) = (
        side.quantile(share) for side in (reference, current)
    )
    value = _minus(second, first)
    lower, upper = _minus(low_b, high_a), _minus(high_b, low_a)
    (least_a, most_a), (least_b, most_b) = (
        _population(side, share) for side in (reference, current)
    )
    slack = RELATIVE_SLACK * max(abs(lower), abs(upper))
    slack = slack if math.isfinite(slack) else 0.0
    lower, upper = lower - slack, upper + slack
    return Statistic(
        value=min(max(value, lower), upper),
        lower=lower,
        upper=upper,
        ci_lower=min(_minus(least_b, most_a), lower),
        ci_upper=max(_minus(most_b, least_a), upper),
        confidence=reference.confidence * current.confidence,
        name=name,
        unit=unit,
        scale=scale,
        null_value=0.0,
        note=f"{value / scale:.3g} of the reference's spread" if scale else "",
    )


def _minus(a: float, b: float) -> float:
    """The difference; 0 of two infinities that are the same; of integers beyond 2**53 exact."""
    if a == b:
        return 0.0
    whole = isinstance(a, int) or isinstance(b, int)
    return float(int(a) - int(b)) if whole and math.isfinite(a) and math.isfinite(b) else a - b


def _population(side: Band, share: float) -> tuple[float, float]:
    """Between which values the population's quantile lies with 99.5 %."""
    below, above = binomial_range(side.total, share, (1 - CONFIDENCE) / 4)
    low = side.quantile(below / side.total)[1] if below >= 1 else -math.inf
    high = side.quantile(above / side.total)[2] if above <= side.total else math.inf
    return low, high
