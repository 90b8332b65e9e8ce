"""Chi-squared and its relatives: pooling, SciPy's values, tests of two shares, corrections."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

import leadline as ll
import oracle
from leadline.compare import contingency
from leadline.compare.cells import Cells, Counts
from leadline.compare.contingency import chi2, cramers_v, detectable_variation, g_test
from leadline.compare.shares import (
    Occurrences,
    cohens_h,
    detectable_h,
    fisher_exact,
    ratio_of,
    share_ratio,
    z_test,
)
from leadline.compare.significance import adjust, share_bounds, shares_z_p, skewed_p, two_shares_p
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


def test_the_likelihood_ratio_is_scipys_and_its_p_value_is_corrected() -> None:
    p, q = [120, 300, 80], [150, 250, 100]
    found = g_test(cells(p, q))
    value, plain = oracle.g_test(np.array(p), np.array(q))
    assert found.lower <= value <= found.upper
    assert found.value == pytest.approx(value, rel=1e-12)
    # Williams: 1 + (N/n + N/m - 1)(sum of N/column - 1) / (6 N (columns - 1)).
    correction = 1 + (4 - 1) * (1000 / 270 + 1000 / 550 + 1000 / 180 - 1) / (6 * 1000 * 2)
    assert found.p_value == pytest.approx(stats.chi2.sf(value / correction, 2), rel=1e-9)
    assert found.p_value is not None
    assert found.p_value > plain


def test_the_likelihood_ratio_of_disjoint_sides() -> None:
    # Twice 40 ln 2 on either side.
    assert g_test(cells([40, 0], [0, 40])).value == pytest.approx(160 * math.log(2))


def test_cramers_v_is_scipys() -> None:
    p, q = [120, 300, 80], [150, 250, 100]
    found = cramers_v(cells(p, q))
    assert found.value == pytest.approx(oracle.cramers_v(np.array(p), np.array(q)), rel=1e-12)
    assert found.p_value == chi2(cells(p, q)).p_value
    assert found.null_value == pytest.approx(math.sqrt(2 / 1000))
    assert found.ci_lower is not None
    assert found.ci_upper is not None
    assert 0 <= found.ci_lower < found.value < found.ci_upper <= 1
    assert cramers_v(cells([40, 0], [0, 60])).value == pytest.approx(1)


# (30 - 20) / 100 over sqrt(.25 * .75 * .02).
def test_z_of_two_shares() -> None:
    found = z_test(Occurrences.exact(20, 100), Occurrences.exact(30, 100))
    assert found.value == pytest.approx(0.1 / math.sqrt(0.25 * 0.75 * 0.02))
    # Half a row nearer to the mean: 4.5 of sqrt(100 * 100 * 50 * 150 / (200**2 * 199)).
    expected = 2 * stats.norm.sf(4.5 / math.sqrt(10_000 * 50 * 150 / (200**2 * 199)))
    assert found.p_value == pytest.approx(expected, rel=1e-9)
    assert z_test(Occurrences.exact(30, 100), Occurrences.exact(20, 100)).value == -found.value


# Twice the exact tail, by SciPy, .00035; the normal law has 6e-6.
def test_rare_outcomes_are_as_skewed_as_they_are() -> None:
    exact = 2 * stats.hypergeom(101_000, 500, 1_000).sf(14)
    assert exact <= shares_z_p(485, 100_000, 15, 1_000) <= 1.5 * exact


@pytest.mark.parametrize("skewness", [-2.0, -0.3, 0.3, 2.0])
def test_skewed_tails_are_pearsons_third_type(skewness: float) -> None:
    for place in (-1.5, -0.2, 0.4, 4.0):
        law = stats.pearson3(skewness)
        expected = min(1.0, 2 * (law.sf(place) if place > 0 else law.cdf(place)))
        assert skewed_p(place, skewness) == pytest.approx(expected, rel=1e-9)


def test_fishers_odds_ratio_is_scipys() -> None:
    found = fisher_exact(Occurrences.exact(3, 40), Occurrences.exact(9, 50))
    table = [[9, 41], [3, 37]]
    assert found.value == pytest.approx(stats.fisher_exact(table).statistic)
    assert found.p_value == pytest.approx(2 * stats.fisher_exact(table, "greater").pvalue)
    conditional = stats.contingency.odds_ratio(np.array(table)).confidence_interval(0.99)
    assert found.ci_lower is not None
    assert found.ci_upper is not None
    assert found.ci_lower <= conditional.low
    assert found.ci_upper >= conditional.high
    nothing = fisher_exact(Occurrences.exact(0, 40), Occurrences.exact(0, 50))
    assert math.isnan(nothing.value)
    assert nothing.note == "the outcome occurs in no row, or in every row"


def test_share_ratio_is_that_of_the_rarer_outcome() -> None:
    found = share_ratio(Occurrences.exact(990, 1_000), Occurrences.exact(1_960, 2_000))
    assert found.value == pytest.approx(2)
    ratio = ratio_of(Occurrences.exact(10, 1_000), Occurrences.exact(40, 2_000))
    assert (found.ci_lower, found.ci_upper) == (ratio.lower, ratio.upper)
    new = share_ratio(Occurrences.exact(0, 1_000), Occurrences.exact(4, 2_000))
    assert new.value == new.upper == math.inf


def test_shares_that_are_not_known_exactly_have_bounds() -> None:
    before, now = Occurrences.exact(100, 1_000), Occurrences(150, 120, 180, 1_000)
    for name, at_low, at_high in (
        (z_test, z_test(before, Occurrences.exact(120, 1_000)), 180),
        (fisher_exact, fisher_exact(before, Occurrences.exact(120, 1_000)), 180),
        (share_ratio, share_ratio(before, Occurrences.exact(120, 1_000)), 180),
    ):
        found, high = name(before, now), name(before, Occurrences.exact(at_high, 1_000))
        assert found.lower == pytest.approx(at_low.value)
        assert found.upper == pytest.approx(high.value)
        assert found.p_value == at_low.p_value


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


# 300 even values, 200,000 against 1,000 rows; half of them 1.9 times as frequent, half a tenth.
# Each has under 5 expected rows on the smaller side: one pool of them all would test nothing.
def test_many_small_cells_keep_their_power() -> None:
    random = np.random.default_rng(1)
    halves = np.where(np.arange(300) < 150, 1.9, 0.1) / 300
    p, q = random.multinomial(200_000, np.full(300, 1 / 300)), random.multinomial(1_000, halves)
    sides = [Counts.exact(x, int(x.sum())) for x in (p, q)]
    found = chi2(Cells(*sides, categories=tuple(f"v{i}" for i in range(300))))
    assert oracle.chi2(p, q)[1] < 1e-60
    assert found.p_value is not None
    assert found.p_value < 1e-30
    assert "150 cells" in found.note


def test_a_frequent_value_is_found_beside_thousands_of_rare_ones() -> None:
    random = np.random.default_rng(2)
    sides = []
    for share in (0.5, 0.46):
        weights = np.append(share, np.full(3_000, (1 - share) / 3_000))
        sides.append(Counts.exact(random.multinomial(10_000, weights), 10_000))
    found = chi2(Cells(*sides, categories=tuple(f"v{i}" for i in range(3_001))))
    assert found.p_value is not None
    assert found.p_value < 1e-4
    assert found.note.startswith("p-value: twice the smaller of those on 7 and on 884 cells")


# The distance that Cauchy and Schwarz allow makes exactly the critical statistic where half of the
# shares rise and half fall alike; SciPy's chi2.isf(.0005, 3) = 17.73.
def test_detectable_variation_is_just_significant() -> None:
    even = cells([250] * 4, [250] * 4)
    found = detectable_variation(contingency.tested_tables(even), 0.0, 0.0005)
    assert found == pytest.approx((stats.chi2.isf(0.0005, 3) / 500) ** 0.5 / 2)
    moved = round(500 * found)
    up, down = 250 + moved, 250 - moved
    _, p_value = oracle.chi2(np.array([250] * 4), np.array([up, up, down, down]))
    assert p_value == pytest.approx(0.0005, rel=0.6)


# 100 even values, half of them up and half down by 10 %, which is a total variation of .05.
def test_the_excess_of_chi2_stands_for_the_variation_that_it_can_be() -> None:
    random = np.random.default_rng(11)
    even = np.full(100, 0.01)
    sides = [even, even * (1 + 0.1 * np.where(np.arange(100) % 2, 1, -1))]
    counts = [Counts.exact(random.multinomial(1_000_000, w), 1_000_000) for w in sides]
    tables = contingency.tested_tables(Cells(*counts, categories=[f"v{i}" for i in range(100)]))
    assert contingency.possible_variation(tables) == pytest.approx(0.05, abs=0.001)
    same = contingency.tested_tables(cells([250] * 4, [250] * 4))
    assert contingency.possible_variation(same) == 0.0


@pytest.mark.parametrize(("count", "n", "m"), [(0, 1_000, 1_000), (5, 2_000, 300), (400, 900, 900)])
def test_detectable_h_is_the_first_that_is_significant(count: int, n: int, m: int) -> None:
    reference = Occurrences.exact(count, n)
    found = detectable_h(reference, Occurrences.exact(count * m // n, m), 0.0005)
    steps = (y for y in range(m + 1) if y / m > count / n)
    first = next(y for y in steps if two_shares_p(count, n, y, m)[0] <= 0.0005)
    assert found == pytest.approx(cohens_h(reference, Occurrences.exact(first, m)).value)


def test_detectable_h_of_many_rows_is_the_normal_laws() -> None:
    side = Occurrences.exact(30_000, 100_000)
    # 3.480756 = SciPy's norm.isf(.00025); sqrt(2e-5).
    assert detectable_h(side, side, 0.0005) == pytest.approx(3.480756 * 2e-5**0.5, rel=1e-6)


@pytest.mark.parametrize(
    ("before", "now", "pair"),
    [
        (["no"] * 90 + ["yes"] * 10, ["no"] * 60 + ["yes"] * 40, ("no", "yes")),
        ([False] * 90 + [True] * 10, [False] * 60 + [True] * 40, ("false", "true")),
        ([0] * 90 + [1] * 10, [0] * 60 + [1] * 40, ("0", "1")),
        ([2.5] * 100, [2.5] * 60 + [3.0, 4.0] * 20, ("2.5", "(other)")),
        (["a"] * 100, ["a"] * 60 + ["b"] * 40, ("a", "b")),
    ],
)
def test_columns_of_two_values_have_statistics_of_shares(
    before: list[object], now: list[object], pair: tuple[str, str]
) -> None:
    column = ll.compare(ll.profile({"x": before}), ll.profile({"x": now}))["x"]
    assert {"cohens_h", "z_test", "fisher_exact", "share_ratio"} <= set(column.statistics)
    x = 10 if len(set(before)) == 2 else 0
    error = math.sqrt((x + 40) / 200 * (160 - x) / 200 * 0.02)
    assert column.z_test.value == pytest.approx((0.4 - x / 100) / error)
    assert column.z_test.categories == pair
    assert column.share_ratio.value == (4 if x else math.inf)


def test_columns_of_three_values_have_none_of_shares() -> None:
    column = ll.compare(*[ll.profile({"x": ["a", "b", "c"] * 50})] * 2)["x"]
    assert "z_test" not in column.statistics
    with pytest.raises(ll.ComparisonError, match="has no statistic 'z_test'"):
        _ = column.z_test


# A count that a sketch leaves open: its upper bound is no whole number, and its share rounds to 1.
def test_a_ratio_without_an_upper_bound() -> None:
    current = Occurrences(5_000.0, 0.0, 10_966.99999, 10_967)
    found = ratio_of(Occurrences.exact(1, 1), current)
    assert (found.lower, found.upper) == (0, math.inf)
