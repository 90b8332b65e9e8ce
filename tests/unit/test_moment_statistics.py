"""Welch's t, Cohen's d, the ratio of variances and shifts of quantiles: SciPy, NumPy, literals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

import leadline as ll
from leadline.compare.significance import binomial_range


def compared(a: object, b: object) -> ll.ColumnComparison:
    return ll.compare(ll.profile({"x": a}), ll.profile({"x": b}))["x"]


def test_welchs_t_is_scipys() -> None:
    random = np.random.default_rng(1)
    a, b = random.normal(10, 1, 3_000), random.normal(10.1, 2, 4_000)
    found, scipys = compared(a, b).welch_t, stats.ttest_ind(b, a, equal_var=False)
    assert found.value == pytest.approx(scipys.statistic, rel=1e-9)
    # Nearly unskewed: Hall's correction changes little.
    assert found.p_value == pytest.approx(scipys.pvalue, rel=0.03)
    assert found.lower <= scipys.statistic <= found.upper
    assert found.null_value == 0


# Johnson's example would do as well: Hall's cubic by hand.
def test_skewness_is_taken_out_of_t() -> None:
    random = np.random.default_rng(2)
    a, b = random.exponential(1, 20_000), random.exponential(1.02, 1_000)
    error = math.sqrt(a.var(ddof=1) / 20_000 + b.var(ddof=1) / 1_000)
    third = ((b - b.mean()) ** 3).mean() / 1_000**2 - ((a - a.mean()) ** 3).mean() / 20_000**2
    t, skewness = (b.mean() - a.mean()) / error, third / error**3
    straight = t + skewness * (t**2 / 3 + 1 / 6) + skewness**2 * t**3 / 27
    freedom = stats.ttest_ind(b, a, equal_var=False).df
    expected = 2 * stats.t.sf(abs(straight), freedom)
    assert compared(a, b).welch_t.p_value == pytest.approx(expected, rel=1e-6)


def test_cohens_d() -> None:
    # Means 2 and 4, variances 1 and 4, pooled (2 * 1 + 2 * 4) / 4.
    column = compared([1.0, 2.0, 3.0], [2.0, 4.0, 6.0])
    assert column.cohens_d.value == pytest.approx(2 / math.sqrt(2.5))
    random = np.random.default_rng(3)
    found = compared(random.normal(0, 1, 5_000), random.normal(0.5, 1, 5_000)).cohens_d
    assert found.ci_lower is not None
    assert found.ci_upper is not None
    # The normal law's deviation of d: sqrt(1/n + 1/m + d**2 / (2 (n + m))).
    width = 2 * 2.5758 * math.sqrt(2 / 5_000 + 0.25 / 20_000)
    assert found.ci_upper - found.ci_lower == pytest.approx(width, rel=0.02)
    assert found.ci_lower <= 0.5 <= found.ci_upper


def test_the_ratio_of_variances() -> None:
    assert compared([1.0, 2.0, 3.0], [2.0, 4.0, 6.0]).variance_ratio.value == pytest.approx(4)
    random = np.random.default_rng(4)
    wider = compared(random.normal(0, 1, 5_000), random.normal(0, 1.2, 5_000)).variance_ratio
    assert wider.p_value is not None
    assert wider.p_value < 1e-12
    assert wider.ci_lower is not None
    assert wider.ci_upper is not None
    assert wider.ci_lower <= 1.44 <= wider.ci_upper
    same = compared(random.normal(0, 1, 5_000), random.normal(3, 1, 5_000)).variance_ratio
    assert same.p_value is not None
    assert same.p_value > 0.01


def test_variances_that_rest_on_a_few_values_have_no_test() -> None:
    random = np.random.default_rng(5)
    column = compared(random.standard_t(1, 10_000), random.standard_t(1, 10_000))
    for found in (column.welch_t, column.variance_ratio):
        assert math.isfinite(found.value)
        assert found.p_value is None
        assert found.note.startswith("no test: kurtosis")


@pytest.mark.parametrize("name", ["welch_t", "cohens_d", "variance_ratio"])
@pytest.mark.parametrize(
    ("a", "b", "told"),
    [
        ([1.0, math.inf], [1.0, 2.0], "1 values are infinite"),
        ([1.0], [1.0, 2.0], "the reference has 1 values"),
        ([1.0, 2.0], [1e200, -1e200], "current profile are too large"),
        ([3.0, 3.0], [3.0, 3.0], ""),
    ],
)
def test_what_has_no_moments_has_no_value(
    name: str, a: list[float], b: list[float], told: str
) -> None:
    found = compared(a, b)[name]
    assert math.isnan(found.value)
    assert told in found.note
    assert found.note


def test_different_constants_are_infinitely_many_errors_apart() -> None:
    found = compared([1.0, 1.0], [2.0, 2.0]).welch_t
    assert found.value == math.inf
    assert found.p_value is None


@pytest.mark.parametrize("share", [0.05, 0.25, 0.5, 0.75, 0.95])
def test_shifts_of_quantiles(share: float) -> None:
    random = np.random.default_rng(6)
    a, b = random.lognormal(0, 1, 30_000), random.lognormal(0.2, 1, 20_000)
    column = compared(a, b)
    found = column[f"shift_p{share * 100:.0f}"]
    before, after = (np.quantile(x, share, method="inverted_cdf") for x in (a, b))
    assert found.lower <= after - before <= found.upper
    assert found.upper - found.lower <= 0.01 * after
    assert found.scale == column.wasserstein.scale
    assert found.ci_lower is not None
    assert found.ci_upper is not None
    place = math.exp(stats.norm.ppf(share))
    assert found.ci_lower <= place * (math.exp(0.2) - 1) <= found.ci_upper


def test_shifts_are_in_the_columns_unit() -> None:
    day = np.array(["2026-01-01", "2026-01-03", "2026-01-05"], dtype="datetime64[D]")
    found = compared(day, day + 3).shift_p50
    assert (found.value, found.unit) == (3.0, "days")
    assert (found.ci_lower, found.ci_upper) == (-math.inf, math.inf)


# By scipy.stats.binom: cdf(39, 100, .5) is .0176, cdf(40) .0284; sf(2, 10, .05) .0115, sf(3) .001.
def test_ranks_of_quantiles() -> None:
    assert binomial_range(100, 0.5, 0.025) == (40, 61)
    assert binomial_range(10, 0.05, 0.005) == (0, 4)
    low, high = binomial_range(10**9, 0.5, 0.005)
    assert (low, high) == pytest.approx((5e8 - 40_727, 5e8 + 40_727), abs=3)


def test_any_quantile_can_be_asked_for() -> None:
    column = compared(list(range(1, 101)), list(range(11, 111)))
    assert column.quantile_shift(0.1).value == 10
    assert column.quantile_shift(1).name == "quantile_shift"
    with pytest.raises(ll.InputError, match="between 0 and 1"):
        column.quantile_shift(1.5)
    with pytest.raises(ll.ComparisonError, match="has no statistic"):
        compared(["a"], ["b"]).quantile_shift(0.5)
    assert math.isnan(compared([1.0], [math.nan]).quantile_shift(0.5).value)
