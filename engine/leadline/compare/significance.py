"""Tests of significance, and their correction when many are made at once.

Every p-value is valid for independent rows: P(p <= a) <= a when nothing changed. SciPy is imported
on first use, and only its special functions.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

CORRECTIONS = ("benjamini_hochberg", "benjamini_yekutieli", "bonferroni", "none")

# Below this expected count in any cell of a 2x2 table the exact test replaces the normal
# approximation. At 10 expected against a large other side, p <= 0.0005 by z is true 0.16 % of the
# time; the skewness dies off with the root of the count, and exact tails stay cheap this far.
EXACT_BELOW = 100_000
MANY_CELLS = 64  # from so many on, cells of the same rows are looked for: most hold a few
NO_SKEWNESS = 1e-4  # below it the tails of either side differ by under a thousandth at p = 1e-9
NORMAL_VARIANCE = 10_000.0  # from here on the mean deviation is the normal's within 1e-5


@cache
def special() -> Any:
    """SciPy's special functions, imported when the first one is needed."""
    from scipy import special as functions

    return functions


def kolmogorov_p(distance: float, n: int, m: int) -> float:
    """P-value of the two-sample Kolmogorov-Smirnov distance, two-sided.

    The asymptotic law at ``distance * sqrt(nm / (n + m))``: an upper bound for continuous data
    (up to a few per cent below a hundred rows; Wei and Dudley 2012), conservative with ties and
    on buckets.

    >>> kolmogorov_p(0.0, 100, 100)
    1.0
    """
    return float(special().kolmogorov(distance * math.sqrt(n * (m / (n + m)))))


def kolmogorov_distance(p: float, n: int, m: int) -> float:
    """The smallest distance with at most this p-value."""
    return min(1.0, float(special().kolmogi(p)) / math.sqrt(n * (m / (n + m))))


def chi_square_p(value: float, freedom: int) -> float:
    """Upper tail of the chi-squared law; 1 without degrees of freedom."""
    return float(special().chdtrc(freedom, value)) if freedom > 0 else 1.0


def student_p(value: float, freedom: float) -> float:
    """Upper tail of Student's law."""
    return float(special().stdtr(freedom, -value))


def variances_p(a: float, b: float, n: int, m: int) -> float:
    """P-value that two standard deviations of n and m normal values are equal, two-sided.

    The F test. It is false on heavy tails, so only for values that are means themselves.

    >>> variances_p(1.0, 1.0, 20, 20)
    1.0
    """
    if a == b:
        return 1.0
    if not (a > 0 and b > 0):
        return 0.0
    ratio = (a / b) ** 2
    tails = special().fdtrc(n - 1, m - 1, ratio), special().fdtr(n - 1, m - 1, ratio)
    return min(1.0, 2 * float(min(tails)))


def normal_value(p: float) -> float:
    """The standard normal's distance from 0 that is reached with this probability."""
    return -float(special().ndtri(p / 2))


def skewed_p(deviations: float, skewness: float) -> float:
    """Two-sided p-value of a statistic so many standard deviations from its mean.

    Twice the tail of Pearson's type III law (a shifted gamma) with this skewness, the normal law if
    there is none. Sums of a few rare events are as lopsided as their counts, which the normal law
    does not know.

    >>> round(skewed_p(1.959964, 0.0), 6), round(skewed_p(3.0, 1.0), 4)
    (0.05, 0.0207)
    """
    if skewness < 0:
        deviations, skewness = -deviations, -skewness
    if skewness < NO_SKEWNESS:
        return min(1.0, float(special().erfc(abs(deviations) / math.sqrt(2))))
    shape = 4 / skewness**2
    place = max(shape + deviations * math.sqrt(shape), 0.0)
    tail = special().gammaincc if deviations > 0 else special().gammainc
    return min(1.0, 2 * float(tail(shape, place)))


def chi_square_value(p: float, freedom: int) -> float:
    """The value with this upper tail; infinite without degrees of freedom."""
    return float(special().chdtri(freedom, p)) if freedom > 0 else math.inf


def mean_deviation(
    rows: NDArray[np.float64], n: int | NDArray[np.float64], m: int | NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean distance of one side's count in a cell from its mean, given both sides' ``rows`` in it.

    The count is hypergeometric; closed form (as De Moivre's; Diaconis and Zabell 1991), or the
    normal law where the variance is over 10,000. ``n`` and ``m`` may differ from cell to cell.

    >>> mean_deviation(np.array([1.0]), 100, 100).round(6).tolist()
    [0.5]
    """
    total = n + m
    drawn = np.clip(np.rint(rows), 0, total)
    if len(drawn) > MANY_CELLS and not isinstance(n, np.ndarray):
        drawn, places = np.unique(drawn, return_inverse=True)
        return _mean_deviation(drawn, n, m)[places]
    return _mean_deviation(drawn, n, m)


def _mean_deviation(
    drawn: NDArray[np.float64], n: int | NDArray[np.float64], m: int | NDArray[np.float64]
) -> NDArray[np.float64]:
    total = n + m
    mean = drawn * (n / total)
    variance = mean * (m / total) * (1 - drawn / total)
    above = np.floor(mean) + 1
    exact = (variance <= NORMAL_VARIANCE) & (above <= np.minimum(n, drawn))
    t, k = drawn[exact], above[exact]
    a, b = (side[exact] if isinstance(side, np.ndarray) else side for side in (n, m))
    log = (
        _log_choose(special().gammaln, a, k)
        + _log_choose(special().gammaln, b, t - k)
        - _log_choose(special().gammaln, a + b, t)
    )
    deviation = np.where(variance <= NORMAL_VARIANCE, 0.0, np.sqrt(variance * (2 / math.pi)))
    deviation[exact] = 2 * k * ((b - t + k) / (a + b)) * np.exp(log)
    return deviation


def two_shares_p(x: int, n: int, y: int, m: int) -> tuple[float, str]:
    """P-value that two shares ``x / n`` and ``y / m`` are equal, two-sided, and the test's name.

    Fisher's exact test (twice the smaller tail) while a cell has under 100,000 expected rows,
    else the pooled z test.

    >>> two_shares_p(1, 10, 1, 10)
    (1.0, 'fisher')
    """
    total, hits = n + m, x + y
    if hits in (0, total):
        return 1.0, "fisher"
    if min(hits, total - hits) * (min(n, m) / total) < EXACT_BELOW:
        return fisher_p(x, n, y, m), "fisher"
    return float(special().erfc(abs(shares_z(x, n, y, m)) / math.sqrt(2))), "z"


def shares_z(x: int, n: int, y: int, m: int) -> float:
    """Pooled z of two shares ``x / n`` and ``y / m``, positive if the second one is larger."""
    pooled = (x + y) / (n + m)
    error = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return (y / m - x / n) / error if error > 0 else 0.0


def shares_z_p(x: int, n: int, y: int, m: int) -> float:
    """P-value of the pooled z: half a row nearer to the mean, by `skewed_p`.

    Mean, variance and skewness are those of the hypergeometric law of ``y``.
    """
    total, hits = n + m, x + y
    if hits in (0, total):
        return 1.0
    spread = math.sqrt(m * (n / total) * (hits / total) * ((total - hits) / max(total - 1, 1)))
    away = y - m * (hits / total)
    nearer = math.copysign(max(abs(away) - 0.5, 0.0), away)
    lopsided = (1 - 2 * hits / total) * (1 - 2 * m / total)
    return skewed_p(nearer / spread, lopsided * (total / max(total - 2, 1)) / spread)


def fisher_p(x: int, n: int, y: int, m: int) -> float:
    """Twice the hypergeometric tail on the side of ``x``, at most 1."""
    total, hits = n + m, x + y
    low, high = max(0, hits - m), min(n, hits)
    mean = hits * (n / total)
    spread = math.sqrt(mean * (1 - hits / total) * (m / total)) + 1
    # Away from the mode terms fall faster than the normal's: 40 deviations are below any double.
    reach = int(40 * spread) + 50
    upwards = x >= mean
    terms = (
        np.arange(x, min(high, x + reach) + 1) if upwards else np.arange(max(low, x - reach), x + 1)
    )
    log = (
        _log_choose(special().gammaln, n, terms)
        + _log_choose(special().gammaln, m, hits - terms)
        - _log_choose(special().gammaln, total, np.array([hits]))
    )
    return min(1.0, 2 * float(np.exp(log).sum()))


def _log_choose(
    gammaln: np.ufunc, n: int | NDArray[np.float64], k: NDArray[np.int64] | NDArray[np.float64]
) -> NDArray[np.float64]:
    chosen: NDArray[np.float64] = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return chosen


def share_bounds(
    low: NDArray[np.float64], high: NDArray[np.float64], rows: int, tail: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Clopper-Pearson bounds of shares whose counts lie between ``low`` and ``high``.

    Each bound is missed with probability at most ``tail``.
    """
    some, short = low > 0, high < rows
    lower = np.zeros(len(low))
    lower[some] = special().betaincinv(low[some], rows - low[some] + 1, tail)
    upper = np.ones(len(high))
    upper[short] = special().betaincinv(high[short] + 1, rows - high[short], 1 - tail)
    return lower, upper


def share_interval(low: float, high: float, rows: int, tail: float) -> tuple[float, float]:
    """`share_bounds` of one share, which arrays would make five times as slow."""
    least = float(special().betaincinv(low, rows - low + 1, tail)) if low > 0 else 0.0
    if not high < rows:
        return least, 1.0
    return least, float(special().betaincinv(high + 1, rows - high, 1 - tail))


# Columns mostly have the same rows, and the search takes 30 steps.
@lru_cache(maxsize=1_024)
def binomial_range(rows: int, share: float, tail: float) -> tuple[int, int]:
    """Ranks, from 1, between whose values the population's quantile lies.

    Each end misses it with a probability of at most ``tail``, whatever the distribution. Ranks 0
    and ``rows + 1`` stand for values without a bound.

    >>> binomial_range(100, 0.5, 0.025)
    (40, 61)
    """

    def lowest(share: float) -> int:
        return bisect_right(range(rows + 1), tail, key=lambda k: special().bdtr(k, rows, share))

    return lowest(share), rows + 1 - lowest(1 - share)


def adjust(p: Sequence[float], correction: str) -> list[float]:
    """Adjusted p-values (q) of one family, in the order given.

    Benjamini and Hochberg (1995), Benjamini and Yekutieli (2001) for any dependence, Bonferroni,
    or none.

    Raises
    ------
    InputError
        If the correction is unknown.

    Examples
    --------
    >>> adjust([0.01, 0.04, 0.03], "benjamini_hochberg")
    [0.03, 0.04, 0.04]
    """
    if correction not in CORRECTIONS:
        raise InputError(f"unknown correction {correction!r}; use one of {', '.join(CORRECTIONS)}")
    values = np.asarray(p, dtype=np.float64)
    count = len(values)
    if correction == "none" or count == 0:
        return [float(x) for x in values]
    if correction == "bonferroni":
        return [min(1.0, float(x) * count) for x in values]
    factor = float(np.sum(1 / np.arange(1, count + 1))) if "yekutieli" in correction else 1.0
    order = np.argsort(values, kind="stable")
    scaled = values[order] * count * factor / np.arange(1, count + 1)
    adjusted = np.empty(count)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return [float(x) for x in adjusted]
