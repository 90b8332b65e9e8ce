"""Two shares of one outcome: Cohen's h, z, odds, and the ratio of two rare shares."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from .significance import (
    fisher_p,
    normal_value,
    share_interval,
    shares_z,
    shares_z_p,
    two_shares_p,
)
from .statistic import CONFIDENCE, RELATIVE_SLACK, Statistic, undefined

FEW = 1_000  # rows from which the normal law finds the detectable effect within a hundredth


@dataclass(frozen=True, slots=True)
class Occurrences:
    """How often something occurred among the rows of one side, with bounds on the count."""

    count: float
    lower: float
    upper: float
    rows: int

    @classmethod
    def exact(cls, count: int, rows: int) -> Occurrences:
        """A count that is known."""
        return cls(count, count, count, rows)

    @property
    def share(self) -> float:
        """Share of the rows."""
        return self.count / self.rows

    def complement(self) -> Occurrences:
        """How often it did not occur."""
        return Occurrences(
            self.rows - self.count, self.rows - self.upper, self.rows - self.lower, self.rows
        )

    def without(self, part: Occurrences) -> Occurrences:
        """How often it occurred in the rows that are not those of a part."""
        return Occurrences(
            self.count - part.count,
            max(0.0, self.lower - part.upper),
            self.upper - part.lower,
            self.rows - part.rows,
        )


@dataclass(frozen=True, slots=True)
class Ratio:
    """Current share over reference share of the rarer outcome.

    Parameters
    ----------
    value
        Point estimate; infinite if the reference has none, NaN if neither has any.
    lower, upper
        99 % bounds for the populations: given both counts' sum, the current count is binomial
        (Przyborowski and Wilenski 1940; conservative for shares that are not small).
    occurrences
        The larger of the two counts.
    """

    value: float
    lower: float
    upper: float
    occurrences: float


# The columns of a table mostly miss the same rows, so the same two shares come again and again.
@lru_cache(maxsize=256)
def cohens_h(reference: Occurrences, current: Occurrences) -> Statistic:
    """Cohen's h: the absolute difference of ``2 arcsin(sqrt(share))``, 0 to pi.

    The p-value is Fisher's or the z test's (`significance.two_shares_p`), taken at the counts
    inside the bounds that differ least. The 99 % interval comes from Clopper-Pearson bounds of both
    shares.
    """
    low_a, high_a = reference.lower / reference.rows, reference.upper / reference.rows
    low_b, high_b = current.lower / current.rows, current.upper / current.rows
    value = angle_between(reference, current)
    lower, upper = _apart((low_a, high_a), (low_b, high_b))
    slack = RELATIVE_SLACK * upper
    lower, upper = max(0.0, min(lower, value) - slack), max(upper, value) + slack
    ci_lower, ci_upper = _apart(_population(reference), _population(current))
    p_value, test = _p_value(reference, current)
    return Statistic(
        value=value,
        lower=lower,
        upper=upper,
        ci_lower=min(ci_lower, lower),
        ci_upper=max(ci_upper, upper),
        name="cohens_h",
        p_value=p_value,
        note=test,
    )


def angle_between(reference: Occurrences, current: Occurrences) -> float:
    """The value of `cohens_h` alone."""
    return abs(_angle(reference.share) - _angle(current.share))


@lru_cache(maxsize=256)
def ratio_of(reference: Occurrences, current: Occurrences) -> Ratio:
    """The ratio of the shares of whichever outcome is rarer over both sides."""
    reference, current = rarer(reference, current)
    value = _divide(current.share, reference.share)
    tail = (1 - CONFIDENCE) / 2
    balance = reference.rows / current.rows
    lowest, highest = 0.0, math.inf
    if current.lower > 0:
        share, _ = _binomial(current.lower, current.lower + reference.upper, tail)
        lowest = _divide(share, 1 - share) * balance
    if reference.lower > 0:
        _, share = _binomial(current.upper, current.upper + reference.lower, tail)
        highest = _divide(share, 1 - share) * balance
    return Ratio(value, lowest, highest, max(reference.count, current.count))


def z_test(reference: Occurrences, current: Occurrences) -> Statistic:
    """Pooled z of two shares: their difference over its standard error under equal shares.

    ``(y/m - x/n) / sqrt(p (1 - p) (1/n + 1/m))``, ``p = (x + y) / (n + m)``: positive if the
    outcome became more frequent (statsmodels' `proportions_ztest` takes the order of its
    arguments). The p-value is not the normal law's, which is too small for rare outcomes: it is
    taken half a row nearer to the mean, with the skewness of the exact law
    (`significance.shares_z_p`).
    """
    value, lower, upper = _ascending(
        reference, current, lambda x, y: shares_z(x, reference.rows, y, current.rows)
    )
    return Statistic(
        value=value,
        lower=lower,
        upper=upper,
        name="z_test",
        p_value=_p_of(reference, current, shares_z_p),
        null_value=0.0,
    )


def fisher_exact(reference: Occurrences, current: Occurrences) -> Statistic:
    """Odds ratio of an outcome, current over reference, with Fisher's exact test.

    ``y (n - x) / (x (m - y))``: the statistic of `scipy.stats.fisher_exact` of the table
    ``[[y, m - y], [x, n - x]]``. The p-value is twice the smaller tail, at most 1; SciPy adds
    up all tables that are at most as probable. The 99 % interval has Clopper-Pearson's bounds of
    both shares, so it is wider than the conditional one of `scipy.stats.contingency.odds_ratio`.
    """
    value, lower, upper = _ascending(
        reference, current, lambda x, y: _odds(y, current.rows, x, reference.rows)
    )
    if math.isnan(value):
        return undefined("fisher_exact", "", "the outcome occurs in no row, or in every row")
    (low_a, high_a), (low_b, high_b) = _population(reference), _population(current)
    return Statistic(
        value=value,
        lower=lower,
        upper=upper,
        ci_lower=min(_odds(low_b, 1, high_a, 1), lower),
        ci_upper=max(_odds(high_b, 1, low_a, 1), upper),
        name="fisher_exact",
        p_value=_p_of(reference, current, fisher_p),
        null_value=1.0,
    )


def share_ratio(reference: Occurrences, current: Occurrences) -> Statistic:
    """Current over reference share of the outcome that is rarer over both sides.

    Infinite if only the current side has it. The 99 % interval is that of `ratio_of`. No test: see
    `z_test` and `fisher_exact`. The judged ratio rule (`Thresholds.ratio`) looks at this figure.
    """
    found = ratio_of(reference, current)
    a, b = rarer(reference, current)
    if math.isnan(found.value):
        return undefined("share_ratio", "", "the rarer outcome occurs on neither side")
    value, lower, upper = _ascending(a, b, lambda x, y: _divide(y / b.rows, x / a.rows))
    return Statistic(
        value=value,
        lower=lower,
        upper=upper,
        ci_lower=min(found.lower, lower),
        ci_upper=max(found.upper, upper),
        name="share_ratio",
        null_value=1.0,
        note=f"the larger of the two counts is {found.occurrences:,.0f}",
    )


def rarer(reference: Occurrences, current: Occurrences) -> tuple[Occurrences, Occurrences]:
    """The sides' counts of whichever outcome is rarer over both."""
    if reference.count + current.count > (reference.rows + current.rows) / 2:
        return reference.complement(), current.complement()
    return reference, current


def detectable_h(reference: Occurrences, current: Occurrences, p: float) -> float:
    """Cohen's h from which on a rise of the rarer outcome would have had this p-value.

    From the reference's count, by the normal law; in whole rows, by the test itself, where few are
    expected.
    """
    reference, current = rarer(reference, current)
    x, n, m = round(reference.count), reference.rows, current.rows
    start = _angle(x / n)
    size = normal_value(p) * math.sqrt(1 / n + 1 / m)
    if start + size >= math.pi:
        return math.pi - start
    guess = math.floor(m * math.sin((start + size) / 2) ** 2)
    if guess >= FEW:
        return size
    # Fisher's test needs more than the normal law says, never over three times the rows and 60.
    low, high = guess // 2, min(m, 3 * guess + 60)
    while high - low > 1:
        middle = (low + high) // 2
        significant = middle / m > x / n and two_shares_p(x, n, middle, m)[0] <= p
        low, high = (low, middle) if significant else (middle, high)
    return _angle(high / m) - start


def _binomial(count: float, rows: float, tail: float) -> tuple[float, float]:
    return share_interval(count, count, int(rows), tail)


def _divide(a: float, b: float) -> float:
    if b > 0:
        return a / b
    return math.inf if a > 0 else math.nan


def _angle(share: float) -> float:
    return 2 * math.asin(math.sqrt(min(max(share, 0.0), 1.0)))


def _apart(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    """Least and largest distance of the angles of shares in two intervals."""
    low_a, high_a, low_b, high_b = (_angle(share) for share in (*a, *b))
    return max(0.0, low_a - high_b, low_b - high_a), max(high_a - low_b, high_b - low_a)


def _population(side: Occurrences) -> tuple[float, float]:
    tail = (1 - CONFIDENCE) / 4
    return share_interval(side.lower, side.upper, side.rows, tail)


def _p_value(reference: Occurrences, current: Occurrences) -> tuple[float, str]:
    """The p-value at the counts inside the bounds that differ least."""
    nearest = _nearest(reference, current)
    if nearest is None:
        return 1.0, "fisher"
    x, y = nearest
    return two_shares_p(x, reference.rows, y, current.rows)


def _p_of(
    reference: Occurrences, current: Occurrences, test: Callable[[int, int, int, int], float]
) -> float:
    nearest = _nearest(reference, current)
    return 1.0 if nearest is None else test(nearest[0], reference.rows, nearest[1], current.rows)


def _nearest(reference: Occurrences, current: Occurrences) -> tuple[int, int] | None:
    """The counts inside the bounds whose shares differ least; None if these may be equal."""
    a = (reference.lower / reference.rows, reference.upper / reference.rows)
    b = (current.lower / current.rows, current.upper / current.rows)
    if a[0] > b[1]:
        x, y = reference.lower, current.upper
    elif b[0] > a[1]:
        x, y = reference.upper, current.lower
    elif reference.lower == reference.upper and current.lower == current.upper:
        x, y = reference.count, current.count
    else:
        return None
    return round(x), round(y)


def _ascending(
    reference: Occurrences, current: Occurrences, figure: Callable[[int, int], float]
) -> tuple[float, float, float]:
    """Value and bounds of what falls with the reference's count and rises with the current one."""
    value = figure(round(reference.count), round(current.count))
    lower = figure(round(reference.upper), round(current.lower))
    upper = figure(round(reference.lower), round(current.upper))
    if not all(map(math.isfinite, (lower, upper))):
        return value, min(lower, value), max(upper, value)
    slack = RELATIVE_SLACK * max(abs(lower), abs(upper))
    return value, min(lower, value) - slack, max(upper, value) + slack


def _odds(y: float, m: float, x: float, n: float) -> float:
    """Odds of ``y`` among ``m`` over those of ``x`` among ``n``."""
    return _divide(y * (n - x), x * (m - y))
