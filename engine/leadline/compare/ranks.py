"""Statistics of ranks, from bounds on both distribution functions.

Written ``F`` and ``G`` for the reference's and the current side's distribution function, ``D`` for
their difference and ``H`` for that of both sides' rows together. Each statistic is a sum over the
steps of the line (`bands.Steps`); inside of a step rows may lie in any order, and the interval
holds the value of each of them.

P-values rest on the shares at places where both sides are exact, with all rows between two of them
as ties: a table of buckets that are fixed before the data. Ties make each test stricter, never
laxer. Where that leaves too few cells, the p-value is twice the smaller of theirs and of that of
the lower bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..sketch.points import Floats
from .bands import EPSILON, Side, Steps
from .laws import anderson_darling_p, cramer_von_mises_p
from .significance import skewed_p
from .statistic import CONFIDENCE, RELATIVE_SLACK, Statistic, share_margin

Places = NDArray[np.intp]

# Cells are enough for a test if the cubes of their shares add up to less than this: the square of
# Mann and Whitney's z loses as much of its mean.
COARSE = 0.05
# The mean over many places of a sketch's rank error, as a share of the largest: compaction moves
# the weight at the places of odd rank by one item, which are half of all, and a sampler's error is
# that of a bridge (docs/quantiles-evidence.md).
MEAN_ERROR = 0.55
# A group of ties from u to v weighs at most this much more than all of its rows one by one.
TIED_WEIGHT = 1.25
# Log odds up to which a group never weighs less than its rows one by one; beyond, more than this.
WHOLE = 3.4


@dataclass(frozen=True, slots=True)
class _Exact:
    """Places where both shares are exact, and the cells between them that hold rows.

    ``left`` and ``right`` are ``D`` at the ends of the cells, ``share`` and ``middle`` the rows in
    them and half-way through them, of both sides together; ``single`` says which hold one value.
    """

    left: Floats
    right: Floats
    share: Floats
    middle: Floats
    single: NDArray[np.bool_]

    @classmethod
    def of(cls, steps: Steps) -> _Exact:
        """The cells of some steps; made once."""
        return steps.keep("exact cells", lambda: cls._of(steps))

    @classmethod
    def _of(cls, steps: Steps) -> _Exact:
        places = np.flatnonzero(steps.known)
        a, b = steps.reference.value[places], steps.current.value[places]
        pooled = steps.pooled.value[places]
        share, difference = np.diff(pooled), a - b
        held = share > 0
        middle = (pooled[1:] + pooled[:-1]) / 2
        single = (places[:-1] % 2 == 0) & (np.diff(places) == 1)
        before, after = difference[:-1], difference[1:]
        return cls(before[held], after[held], share[held], middle[held], single[held])

    @property
    def coarse(self) -> bool:
        """Whether cells of several values are too few for a test."""
        share = self.share[~self.single]
        return float((share * share * share).sum()) >= COARSE


def cramer_von_mises(steps: Steps) -> Statistic:
    """Cramer and von Mises' distance: the mean of ``D**2`` over the rows of both sides.

    ``integral D**2 dH``; where rows are tied, the mean of ``D**2`` before and after them. That is
    `scipy.stats.cramervonmises_2samp` over ``nm / (n + m)``, if there are no ties or as many rows
    on either side. With ties and unequal sides SciPy's figure is no distance: two equal constants
    of 200,000 and 1,000 rows have 3,333. Between 0 and 1/3 (for equal sides), without change about
    ``(1/n + 1/m) / 6``. The 99 % interval widens both functions by the margin of Dvoretzky, Kiefer,
    Wolfowitz and Massart.
    """
    n, m = steps.rows
    pooled = steps.pooled
    ends = steps.reference.value - steps.current.value
    before, after = ends[:-1], ends[1:]
    smooth = (before**2 + before * after + after**2) / 3
    inside = np.where(_values(steps), (before**2 + after**2) / 2, smooth)
    value = float(np.sum(inside * np.diff(pooled.value)))
    starts = _stretches(pooled)
    lower, upper = _least_and_most(*_mean_squares(steps), pooled, starts)
    wider = _population(steps)
    wide = wider.pooled
    ci_lower, ci_upper = _least_and_most(*_mean_squares(wider), wide, _stretches(wide))

    def certain() -> float:
        least = np.where(_tied(steps), smooth, _squares(steps)[0])
        return _least_sum(least, pooled, starts)

    found = _bounded("cramer_von_mises", value, lower, upper, steps)
    return replace(
        found,
        ci_lower=max(0.0, min(ci_lower, found.lower)),
        ci_upper=max(ci_upper, found.upper),
        p_value=_p_value(steps, _smoothed, certain, cramer_von_mises_p),
        null_value=(1 / n + 1 / m) / 6,
    )


def anderson_darling(steps: Steps) -> Statistic:
    """Anderson and Darling's distance: the mean of ``D**2 / (H (1 - H))`` over the rows.

    Over tied rows ``D`` and ``H`` are taken in their middle, with ``H (1 - H)`` less a quarter of
    the tied share: the midrank statistic of Scholz and Stephens (1987) over ``nm / (n + m)``.
    `scipy.stats.anderson_ksamp` gives the same less 1 and over its standard deviation, with a
    p-value between 0.1 % and 25 %. That weight makes groups of ties count for more than their rows
    one by one: with two values as many, p <= 5 % by the limit law in 11 % of the cases. So the
    p-value here leaves the quarter away and is that of the limit law down to any size.
    """
    n, m = steps.rows
    fewest = 1 / (n + m)
    pooled = steps.pooled
    tied = _tied(steps)
    ends = steps.reference.value - steps.current.value
    middle, share = (ends[:-1] + ends[1:]) / 2, np.diff(pooled.value)
    centre = (pooled.value[:-1] + pooled.value[1:]) / 2
    groups = _weighed(middle, share, centre, share / 4)
    starts = _stretches(pooled)
    odds = Side(*(_log_odds(x, fewest) for x in (pooled.value, pooled.lower, pooled.upper)))
    least, most = _middle_squares(steps)
    # A group never weighs less than its rows one by one up to odds of 30, and 3.4 beyond.
    whole = WHOLE / np.maximum(odds.upper[1:] - odds.lower[:-1], WHOLE)
    held = np.minimum(pooled.upper[1:] - pooled.lower[:-1], 1 - fewest)
    known = float(groups[tied].sum())
    lower, upper = _least_and_most(
        np.where(tied, 0.0, least * whole),
        np.where(tied, 0.0, most * (TIED_WEIGHT / (1 - held))),
        odds,
        starts,
    )
    upper += _ends(steps, pooled, tied)
    scale = 1 - fewest

    def certain() -> float:
        smooth = _weighed(middle, share, centre, share**2 / 12)
        rest = np.where(tied, 0.0, _squares(steps)[0] * whole)
        return float(smooth[tied].sum()) + _least_sum(rest, odds, starts)

    return replace(
        _bounded(
            "anderson_darling",
            float(groups.sum()) * scale,
            (known + lower) * scale,
            (known + upper) * scale,
            steps,
            relative=4 * EPSILON * (n + m),  # weights of groups that are nearly all rows cancel
        ),
        p_value=_p_value(steps, _smoothed_and_weighed, certain, anderson_darling_p),
        null_value=1 / n + 1 / m,
    )


def mann_whitney(steps: Steps) -> Statistic:
    """Probability that a current row is larger than one of the reference, ties counted half.

    ``P(X < Y) + P(X = Y) / 2``, 0.5 without change: `scipy.stats.mannwhitneyu(current, reference)`
    over ``nm``. The p-value is by ranks of the cells, with correction for ties and half a step
    nearer to the mean, like SciPy's asymptotic one; where ties make the ranks skewed and the sides
    are unequal it takes that into account, which SciPy does not. The 99 % interval is Hoeffding's
    (1963) for the smaller side.

    Notes
    -----
    Where both sides rest on sketches the error of the figure is a mean of rank errors over all
    rows, and the two sketches are independent: so it is `MEAN_ERROR` of the root of the sum of
    squares, at the confidence of the sketches.
    """
    value, lower, upper = _superiority(steps)
    margin = math.sqrt(math.log(2 / (1 - CONFIDENCE)) / (2 * min(steps.rows)))
    found = _bounded("mann_whitney", value, lower, upper, steps)
    return replace(
        found,
        upper=min(1.0, found.upper),
        ci_lower=max(0.0, found.lower - margin),
        ci_upper=min(1.0, found.upper + margin),
        p_value=_rank_sum_p(steps, lower, upper),
        null_value=0.5,
    )


def cliffs_delta(found: Statistic) -> Statistic:
    """Cliff's delta: ``P(X < Y) - P(X > Y)``, -1 to 1, with `mann_whitney`'s p-value.

    Positive if current rows are mostly larger.

    Parameters
    ----------
    found
        What `mann_whitney` gave.
    """
    assert found.ci_lower is not None
    assert found.ci_upper is not None
    return replace(
        found,
        value=2 * found.value - 1,
        lower=max(-1.0, 2 * found.lower - 1),
        upper=min(1.0, 2 * found.upper - 1),
        ci_lower=2 * found.ci_lower - 1,
        ci_upper=2 * found.ci_upper - 1,
        name="cliffs_delta",
        null_value=0.0,
    )


def _bounded(
    name: str, value: float, lower: float, upper: float, steps: Steps, *, relative: float = 0.0
) -> Statistic:
    """A figure with room for rounding, ``relative`` to its size besides the usual."""
    slack = (RELATIVE_SLACK + relative) * upper + 4 * EPSILON
    lower, upper = max(0.0, lower - slack), upper + slack
    return Statistic(
        value=min(max(value, lower), upper),
        lower=lower,
        upper=upper,
        confidence=steps.confidence,
        name=name,
    )


def _population(steps: Steps) -> Steps:
    """The steps with both functions widened to where the populations' are at 99 %."""
    margins = [share_margin(rows) for rows in steps.rows]
    first, second = (
        Side(
            side.value,
            np.concatenate([[0.0], np.maximum(side.lower[1:-1] - margin, 0.0), [1.0]]),
            np.concatenate([[0.0], np.minimum(side.upper[1:-1] + margin, 1.0), [1.0]]),
        )
        for side, margin in zip((steps.reference, steps.current), margins, strict=True)
    )
    low, high = steps.low - sum(margins), steps.high + sum(margins)
    return replace(steps, reference=first, current=second, low=low, high=high)


def _values(steps: Steps) -> NDArray[np.bool_]:
    """Which steps are those of single values."""
    values = np.zeros(len(steps.low), dtype=np.bool_)
    values[::2] = True
    return values


def _tied(steps: Steps) -> NDArray[np.bool_]:
    """Steps of single values whose rows are known."""
    known = steps.known
    return _values(steps) & known[:-1] & known[1:]


def _squares(steps: Steps) -> tuple[Floats, Floats]:
    """Least and largest ``D**2`` in each step; 0 in steps that hold no row."""
    return steps.keep("squares", lambda: _new_squares(steps))


def _new_squares(steps: Steps) -> tuple[Floats, Floats]:
    held = np.zeros(len(steps.low), dtype=np.bool_)
    for side in (steps.reference, steps.current):
        held |= side.upper[1:] > side.lower[:-1]
    least = np.maximum(np.maximum(steps.low, -steps.high), 0.0)
    most = np.maximum(steps.high, -steps.low)
    return np.where(held, least * least, 0.0), np.where(held, most * most, 0.0)


def _mean_squares(steps: Steps) -> tuple[Floats, Floats]:
    """Least and largest mean of ``D**2`` in each step, before and after the rows of one value."""
    least, most = _squares(steps)
    low, high = _ends_of(steps)
    lowest = np.maximum(np.maximum(low, -high), 0.0) ** 2
    highest = np.maximum(high, -low) ** 2
    values = _values(steps)
    return (
        np.where(values & (most > 0), (lowest[:-1] + lowest[1:]) / 2, least),
        np.where(values & (most > 0), (highest[:-1] + highest[1:]) / 2, most),
    )


def _middle_squares(steps: Steps) -> tuple[Floats, Floats]:
    """Least and largest ``D**2`` in each step, in the middle of the rows of one value."""
    least, most = _squares(steps)
    low, high = _ends_of(steps)
    low, high = (low[:-1] + low[1:]) / 2, (high[:-1] + high[1:]) / 2
    values = _values(steps) & (most > 0)
    return (
        np.where(values, np.maximum(np.maximum(low, -high), 0.0) ** 2, least),
        np.where(values, np.maximum(high, -low) ** 2, most),
    )


def _ends_of(steps: Steps) -> tuple[Floats, Floats]:
    """Bounds of ``D`` at the places."""
    a, b = steps.reference, steps.current
    return a.lower - b.upper, a.upper - b.lower


def _least_and_most(
    least: Floats, most: Floats, growth: Side, starts: Places
) -> tuple[float, float]:
    """Least sum of the one weight, and largest of the other, over the growth of a function."""
    return _least_sum(least, growth, starts), -_least_sum(-most, growth, starts)


def _least_sum(weights: Floats, growth: Side, starts: Places) -> float:
    """The least sum of weights times the growth of a function between its bounds.

    Once with each step's own weight, and once with the least weight of each of the `_stretches`,
    since weights that go up and down from step to step would let the function do so too, although
    it ascends. Both are bounds, so the larger one holds.
    """
    found = _summed(weights, growth.lower, growth.upper)
    if not len(starts):
        return found
    lengths = np.diff(np.append(starts, len(weights)))
    even = np.repeat(np.minimum.reduceat(weights, starts), lengths)
    return max(found, _summed(even, growth.lower, growth.upper))


def _stretches(pooled: Side) -> Places:
    """First steps of stretches in which ``H`` grows by its uncertainty; none if it has none."""
    doubt = float(np.max(pooled.upper - pooled.lower))
    if doubt <= 0:
        return np.zeros(0, dtype=np.intp)
    return np.flatnonzero(np.diff(np.floor(pooled.value[:-1] / doubt), prepend=-1.0))


def _summed(weights: Floats, rising: Floats, falling: Floats) -> float:
    """Sum of weights times the growth of a function over the steps, at its extreme.

    The function is ``falling`` at places where a larger one makes the sum smaller, and ``rising``
    where it makes it larger: bounds one of which is the lower and one the upper one.
    """
    gain = weights[:-1] - weights[1:]
    inner = np.where(gain > 0, rising[1:-1], falling[1:-1])
    return float(weights[-1] * rising[-1] - weights[0] * rising[0] + np.sum(gain * inner))


def _log_odds(shares: Floats, fewest: float) -> Floats:
    inside = np.clip(shares, fewest, 1 - fewest)
    odds: Floats = np.log(inside) - np.log1p(-inside)
    return odds


def _weighed(middle: Floats, share: Floats, pooled: Floats, less: Floats) -> Floats:
    """``share D**2 / (H (1 - H) - less)``; 0 where no row is, and where all are."""
    weight = pooled * (1 - pooled) - less
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where((share > 0) & (weight > 0), share * middle**2 / weight, 0.0)


def _ends(steps: Steps, pooled: Side, tied: NDArray[np.bool_]) -> float:
    """The most that the first and the last group of rows can add where they are not known.

    From the left end to ``h`` a group weighs ``4 / (1 - h)`` and its middle is half of ``D`` at its
    right end.
    """
    _, most = _squares(steps)
    open_left = 1 - np.minimum(pooled.upper[1:], 1.0)
    open_right = np.maximum(pooled.lower[:-1], 0.0)
    found = 0.0
    for first, room in ((pooled.lower[:-1] <= 0, open_left), (pooled.upper[1:] >= 1, open_right)):
        chosen = first & ~tied & (most > 0)
        if chosen.any():
            with np.errstate(divide="ignore"):
                found += float(np.max(most[chosen] / room[chosen]))
    return found


def _p_value(
    steps: Steps,
    figure: Callable[[_Exact], float],
    certain: Callable[[], float],
    law: Callable[[float], float],
) -> float:
    n, m = steps.rows
    rows = n * (m / (n + m))
    cells = _Exact.of(steps)
    found = law(rows * figure(cells))
    return min(1.0, 2 * found, 2 * law(rows * certain())) if cells.coarse else found


def _smoothed(cells: _Exact) -> float:
    """Mean square of ``D`` if the rows of every cell lay evenly in it.

    That is the mean of ``D`` over all orders of tied rows, squared: its law has smaller weights
    than that without ties.
    """
    squares = cells.left**2 + cells.left * cells.right + cells.right**2
    return float((cells.share * squares).sum()) / 3


def _smoothed_and_weighed(cells: _Exact) -> float:
    """At most the integral of the same over ``H (1 - H)``."""
    middle = (cells.left + cells.right) / 2
    return float(_weighed(middle, cells.share, cells.middle, cells.share**2 / 12).sum())


def _superiority(steps: Steps) -> tuple[float, float, float]:
    """P(X < Y) + P(X = Y) / 2 at the estimates, at least and at most."""
    a, b = steps.reference, steps.current
    values = _values(steps)
    # At most: reference rows as early and current rows as late as can be; at least: the reverse.
    most = np.diff(b.lower) * np.where(values, (a.upper[:-1] + a.upper[1:]) / 2, a.upper[1:])
    least = np.diff(b.upper) * np.where(values, (a.lower[:-1] + a.lower[1:]) / 2, a.lower[:-1])
    middle = np.diff(b.value) * (a.value[:-1] + a.value[1:]) / 2
    value, lower, upper = (float(x.sum()) for x in (middle, least, most))
    if steps.noise.any():
        narrow = _averaged(steps, (least, middle, most))
        if narrow[0] <= narrow[1] and narrow[0] <= upper and narrow[1] >= lower:
            lower, upper = max(lower, narrow[0]), min(upper, narrow[1])
    return value, lower, upper


def _averaged(steps: Steps, parts: tuple[Floats, Floats, Floats]) -> tuple[float, float]:
    """Bounds that take the error of sketches as a mean over rows.

    In stretches between exact places where a side rests on its sketch the estimate stands, with
    that error, what the other side's own bounds leave open, and the estimate's ties; elsewhere, and
    where that leaves more open, the least and the most.
    """
    least, middle, most = parts
    starts = np.flatnonzero(np.r_[True, steps.known[1:-1]])
    lengths = np.diff(np.append(starts, len(least)))
    noisy = np.maximum.reduceat(steps.noise, starts, axis=1) > 0
    sketched = [np.repeat(found, lengths) for found in noisy]
    grown = [np.diff(side.value) for side in (steps.reference, steps.current)]
    doubts = [_doubt(side) for side in (steps.reference, steps.current)]
    left = np.where(_values(steps), 0.0, grown[0] * grown[1] / 2)
    for own, other in ((0, 1), (1, 0)):
        left += np.where(sketched[own], 0.0, doubts[own] * grown[other])
    narrower = np.add.reduceat(2 * left, starts) <= np.add.reduceat(most - least, starts)
    rests = np.repeat(noisy.any(axis=0) & narrower, lengths)
    random = 0.0
    for own, other in ((0, 1), (1, 0)):
        # Where the other side's rows are not known either, they meet this sketch's error twice.
        met = grown[other] * np.where((doubts[other] > 0) & ~sketched[other], 3.0, 1.0)
        share = float(met[sketched[own] & rests].sum())
        random = math.hypot(random, MEAN_ERROR * float(steps.noise[own].max()) * share)
    centre, error = float(middle[rests].sum()), random + float(left[rests].sum())
    return (
        float(least[~rests].sum()) + centre - error,
        float(most[~rests].sum()) + centre + error,
    )


def _doubt(side: Side) -> Floats:
    """How far a side may be from the middle of its estimates at the ends of each step."""
    middle = (side.value[:-1] + side.value[1:]) / 2
    doubt = np.maximum(side.upper[1:] - middle, middle - side.lower[:-1])
    exact = side.known[:-1] & side.known[1:]
    exact[1::2] &= side.value[1:-1:2] == side.value[2::2]  # no row between two points
    return np.where(exact, 0.0, doubt)


def _rank_sum_p(steps: Steps, lower: float, upper: float) -> float:
    n, m = steps.rows
    total = n + m
    if total < 3:
        return 1.0
    cells = _Exact.of(steps)
    scores = cells.middle - 0.5
    if len(scores) < 2 and not cells.coarse:
        return 1.0
    squares = cells.share * scores * scores
    second, third = float(squares.sum()), float((squares * scores).sum())
    # In ranks: variance and third moment of the sum over m of all ranks, drawn without replacement.
    variance = n * m * (total / (total - 1)) * total * second
    moment = n * m * (n - m) * total**2 * (total / ((total - 1) * (total - 2))) * third
    # The sum of the current side's scores: its shares are those of both less n/N of D's growth.
    away = -float(((cells.right - cells.left) * scores).sum()) * n * m
    found = 1.0
    if len(scores) > 1:
        nearer = math.copysign(max(abs(away) - total * _half_step(cells), 0.0), away)
        found = skewed_p(nearer / math.sqrt(variance), moment / variance**1.5)
    if not cells.coarse:
        return found
    certain = max(lower - 0.5, 0.5 - upper, 0.0) * n * m
    spread = math.sqrt(n * m * ((total + 1) / 12))
    return min(1.0, 2 * found, 2 * skewed_p(max(certain - 0.5, 0.0) / spread, 0.0))


def _half_step(cells: _Exact) -> float:
    """Half of what one row more or less changes in the sum of shares below, for continuity.

    The least step between neighbours; where one cell holds most rows, that from it to the others,
    since the sum then moves as a count does. Half a rank without ties, as usual.
    """
    least = float((cells.share[1:] + cells.share[:-1]).min()) / 4
    heaviest = int(np.argmax(cells.share))
    share = float(cells.share[heaviest])
    return max(least, share / (1 - share) * abs(float(cells.middle[heaviest]) - 0.5) / 2)
