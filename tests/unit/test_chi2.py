"""Chi-squared and its relatives: pooling, SciPy's values, tests of two shares, corrections."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import oracle
from leadline.compare.binned import Cells, Counts, chi2
from leadline.compare.shares import Occurrences, cohens_h, ratio_of
from leadline.compare.significance import adjust, share_bounds, two_shares_p
from leadline.errors import InputError


def cells(p: list[int], q: list[int]) -> Cells:
    sides = [Counts.exact(np.array(x), sum(x)) for x in (p, q)]
    return Cells(*sides, categories=tuple("abcdefgh"[: len(p)]))


def test_value_and_p_are_scipys_without_yates() -> None:
    p, q = [120, 300, 80], [150, 250, 100]
    found = chi2(cells(p, q))
    value, p_value = oracle.chi2(np.array(p), np.array(q))
    assert found.lower <= value <= found.upper
    assert found.value == pytest.approx(value, rel=1e-12)
    assert found.p_value == pytest.approx(p_value, rel=1e-8)
    assert found.null_value == 2
    assert found.categories == ("a", "b", "c")


def test_cells_under_ten_rows_together_are_pooled() -> None:
    found = chi2(cells([100, 4, 3, 200], [90, 5, 6, 210]))
    assert found.categories == ("a", "d", "(other)")
    value, _ = oracle.chi2(np.array([100, 200, 7]), np.array([90, 210, 11]))
    assert found.value == pytest.approx(value, rel=1e-12)


def test_a_pool_that_stays_small_takes_in_the_smallest_cell() -> None:
    assert chi2(cells([100, 20, 3], [100, 30, 2])).categories == ("a", "(other)")
    assert chi2(cells([1, 2], [2, 1])).p_value == 1.0


def test_unequal_sides_are_pooled_further_for_the_p_value() -> None:
    # 12 rows together, of which 0.12 are expected among the current side's 1 %.
    found = chi2(cells([50_000, 49_989, 11], [500, 499, 1]))
    assert found.categories == ("a", "b", "c")
    assert "2 cells" in found.note
    assert found.p_value is not None
    assert found.p_value > 0.5


def test_one_category_is_no_evidence() -> None:
    found = chi2(cells([50], [70]))
    assert (found.value, found.p_value) == (0.0, 1.0)


# Fisher's exact test, two-sided by doubling: twice SciPy's one-sided p-value.
@pytest.mark.parametrize(
    ("x", "n", "y", "m"),
    [(1, 1_000, 12, 1_000), (3, 100_000, 9, 1_000), (40, 100, 70, 100), (0, 50, 5, 60)],
)
def test_fishers_test_doubles_the_smaller_tail(x: int, n: int, y: int, m: int) -> None:
    side = "less" if x / n < y / m else "greater"
    expected = stats.fisher_exact([[x, n - x], [y, m - y]], alternative=side).pvalue
    p, test = two_shares_p(x, n, y, m)
    assert test == "fisher"
    assert p == pytest.approx(min(1.0, 2 * expected), rel=1e-6)


def test_large_counts_use_the_normal_law() -> None:
    p, test = two_shares_p(500_000, 1_000_000, 501_000, 1_000_000)
    assert test == "z"
    # z = .001 / sqrt(.5005 * .4995 * 2e-6) = 1.41421...
    assert p == pytest.approx(2 * stats.norm.sf(1.414214), rel=1e-5)


def test_no_occurrence_is_no_evidence() -> None:
    assert two_shares_p(0, 10, 0, 20)[0] == 1.0
    assert two_shares_p(10, 10, 20, 20)[0] == 1.0


# Cohen (1988), table 6.2.2: p = .50 against .40 is h = .20.
def test_cohens_h() -> None:
    found = cohens_h(Occurrences.exact(500, 1_000), Occurrences.exact(400, 1_000))
    assert found.value == pytest.approx(0.2014, abs=5e-5)
    assert found.lower <= found.value <= found.upper
    assert found.upper - found.lower < 1e-11
    assert found.ci_lower is not None
    assert found.ci_upper is not None
    assert found.ci_lower < 0.1
    assert found.ci_upper > 0.3


def test_cohens_h_with_bounds_on_counts() -> None:
    found = cohens_h(Occurrences(10, 5, 15, 100), Occurrences(12, 12, 12, 100))
    assert found.lower == 0.0
    assert found.upper > found.value
    assert found.p_value == 1.0


def test_ratio_of_a_rare_share() -> None:
    found = ratio_of(Occurrences.exact(10, 10_000), Occurrences.exact(60, 10_000))
    assert found.value == pytest.approx(6.0)
    # Binomial bounds of 60 in 70: SciPy's exact interval at 99 %.
    low, high = stats.binomtest(60, 70).proportion_ci(0.99)
    assert found.lower == pytest.approx(low / (1 - low))
    assert found.upper == pytest.approx(high / (1 - high))
    common = ratio_of(Occurrences.exact(9_990, 10_000), Occurrences.exact(9_940, 10_000))
    assert common.value == pytest.approx(6.0)


def test_ratio_without_a_reference_occurrence_has_a_finite_lower_bound() -> None:
    found = ratio_of(Occurrences.exact(0, 1_000), Occurrences.exact(30, 1_000))
    assert found.value == float("inf")
    # 0.005 ** (1 / 30) as odds.
    assert found.lower == pytest.approx(5.17688, rel=1e-5)


def test_share_bounds_are_clopper_and_pearsons() -> None:
    lower, upper = share_bounds(np.array([0.0, 7.0, 50.0]), np.array([0.0, 7.0, 50.0]), 50, 0.005)
    for i, count in enumerate((0, 7, 50)):
        low, high = stats.binomtest(count, 50).proportion_ci(0.99)
        assert lower[i] == pytest.approx(low)
        assert upper[i] == pytest.approx(high)


@pytest.mark.parametrize(
    ("correction", "method"),
    [("benjamini_hochberg", "bh"), ("benjamini_yekutieli", "by")],
)
def test_adjusted_p_values_are_scipys(correction: str, method: str) -> None:
    p = np.random.default_rng(1).random(40) ** 3
    expected = stats.false_discovery_control(p, method=method)
    assert adjust(p.tolist(), correction) == pytest.approx(expected.tolist())


def test_other_corrections() -> None:
    assert adjust([0.01, 0.5], "bonferroni") == [0.02, 1.0]
    assert adjust([0.01, 0.5], "none") == [0.01, 0.5]
    assert adjust([], "benjamini_hochberg") == []
    with pytest.raises(InputError, match="unknown correction"):
        adjust([0.1], "holm")
