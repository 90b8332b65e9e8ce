"""Kuiper, Cramer-von Mises, Anderson-Darling, Mann-Whitney: SciPy's values, laws, widths."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

import leadline as ll
import oracle
from leadline.compare.laws import anderson_darling_p, cramer_von_mises_p, kuiper_p

NAMES = ("kuiper", "cramer_von_mises", "anderson_darling", "mann_whitney")


def compared(a: object, b: object) -> ll.ColumnComparison:
    return ll.compare(ll.profile({"x": a}), ll.profile({"x": b}))["x"]


# By hand. Kuiper: .5 - 0 above and 0 - .25 below; the others over the 8 rows.
def test_small_sides() -> None:
    column = compared([1.0, 2.0, 3.0, 9.0], [3.0, 4.0, 5.0, 6.0])
    # F - G after 1, 2, 3, 4, 5, 6, 9: 1/4, 1/2, 1/2, 1/4, 0, -1/4, 0.
    assert column.kuiper.value == 0.75
    squares = [1 / 16, 5 / 16, 1 / 2, 1 / 2, 5 / 16, 1 / 16, 1 / 16, 1 / 16]  # before + after
    assert column.cramer_von_mises.value == pytest.approx(sum(squares) / 2 / 8)
    # 1 < 4 rows, 2 < 4, 3 = 1 and < 3, 9 < 0.
    assert column.mann_whitney.value == (4 + 4 + 3.5) / 16
    assert column.cliffs_delta.value == 2 * 11.5 / 16 - 1


def test_values_without_ties_are_scipys() -> None:
    random = np.random.default_rng(1)
    a, b = random.normal(0, 1, 150), random.normal(0.4, 1.2, 90)
    column, rows = compared(a, b), 150 * 90 / 240
    plain = stats.cramervonmises_2samp(a, b).statistic
    assert column.cramer_von_mises.value == pytest.approx(plain / rows, rel=1e-11)
    assert column.kuiper.value == pytest.approx(
        stats.ks_2samp(a, b, "less").statistic + stats.ks_2samp(a, b, "greater").statistic
    )
    scipys = stats.mannwhitneyu(b, a, method="asymptotic")
    assert column.mann_whitney.value == pytest.approx(scipys.statistic / (150 * 90))
    assert column.mann_whitney.p_value == pytest.approx(scipys.pvalue, rel=1e-9)


# SciPy's figure is (A - 1) / sigma, with a sigma of the two sizes: three pairs give it.
@pytest.mark.filterwarnings("ignore:Parameter `variant`", "ignore:p-value")
def test_anderson_darling_is_scipys_with_midranks() -> None:
    random = np.random.default_rng(2)
    found, scipys = [], []
    for step in range(3):
        a, b = random.integers(0, 9, 60), random.integers(step, 9 + step, 40)
        found.append(compared(a, b).anderson_darling.value * 60 * 40 / 100)
        scipys.append(stats.anderson_ksamp([a, b]).statistic)
    slopes = np.diff(found) / np.diff(scipys)
    assert slopes[0] == pytest.approx(slopes[1], rel=1e-9)
    assert found[0] - 1 == pytest.approx(scipys[0] * slopes[0], rel=1e-9)


def test_tied_sides_of_one_size_have_scipys_cramer_von_mises() -> None:
    random = np.random.default_rng(3)
    a, b = random.integers(0, 6, 80), random.integers(0, 7, 80)
    plain = stats.cramervonmises_2samp(a, b).statistic
    assert compared(a, b).cramer_von_mises.value == pytest.approx(plain / 40, rel=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_values_are_at_no_distance_however_often_they_come(name: str) -> None:
    for a, b in (([7.0] * 200, [7.0] * 3), ([1, 1, 2, 5] * 50, [1, 1, 2, 5])):
        found = compared(a, b)[name]
        assert found.value == found.null_value if name == "mann_whitney" else found.value < 1e-12
        assert found.upper - found.lower < 1e-11
        assert found.p_value == 1.0


@pytest.mark.parametrize(
    ("a", "b", "superiority"), [([1, 2], [3, 4], 1.0), ([3.0], [1.0], 0.0), ([2], [2, 2], 0.5)]
)
def test_superiority_of_disjoint_sides(a: list[float], b: list[float], superiority: float) -> None:
    column = compared(a, b)
    assert column.mann_whitney.value == superiority
    assert column.cliffs_delta.value == 2 * superiority - 1


# Upper tails: tables of Anderson and Darling (1952), Csorgo and Faraway (1996), Marsaglia and
# Marsaglia (2004), Kuiper's series; far out the law is sqrt(2), or sqrt(3), times that of the
# largest weight.
@pytest.mark.parametrize(
    ("law", "value", "p", "tolerance"),
    [
        (cramer_von_mises_p, 0.02480, 0.99, 2e-4),
        (cramer_von_mises_p, 0.11888, 0.50, 1e-4),
        (cramer_von_mises_p, 0.46136, 0.05, 1e-4),
        (cramer_von_mises_p, 1.16786, 0.001, 1e-3),
        (cramer_von_mises_p, 60.0, math.sqrt(2) * math.erfc(math.pi * math.sqrt(30)), 2e-3),
        (anderson_darling_p, 0.7742, 0.50, 1e-3),
        (anderson_darling_p, 1.9330, 0.10, 1e-3),
        (anderson_darling_p, 2.4924, 0.05, 1e-3),
        (anderson_darling_p, 3.8781, 0.01, 1e-3),
        (anderson_darling_p, 300.0, math.sqrt(3) * math.erfc(math.sqrt(300)), 5e-3),
    ],
)
def test_laws(law: object, value: float, p: float, tolerance: float) -> None:
    assert callable(law)
    assert law(value) == pytest.approx(p, rel=tolerance)


def test_laws_are_probabilities_everywhere() -> None:
    for law in (cramer_von_mises_p, anderson_darling_p, lambda x: kuiper_p(x / 50, 100, 100)):
        found = [law(x) for x in np.linspace(0, 50, 2_000)]
        assert found[0] == 1.0
        assert all(0 <= p <= 1 for p in found)
        assert np.diff(found).max() <= 1e-9


# Simulated: Kuiper's statistic of 100 + 100 random rows, 95 % of 200,000.
def test_kuipers_law() -> None:
    assert kuiper_p(1.747 / math.sqrt(50), 100, 100) == pytest.approx(0.05, rel=0.01)
    assert kuiper_p(2.001 / math.sqrt(50), 100, 100) == pytest.approx(0.01, rel=0.01)


DISTRIBUTIONS = {
    "normal": (0.0, 1.0),
    "N(20,1)": (20.0, 1.0),
    "N(100,1)": (100.0, 1.0),
    "narrow": (1.7e9, 10.0),
}


@pytest.mark.parametrize("shift", [0.0, 0.1])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_bounds_and_widths(name: str, shift: float) -> None:
    centre, scale = DISTRIBUTIONS[name]
    random = np.random.default_rng(4)
    a = random.normal(centre, scale, 100_000)
    b = random.normal(centre + shift * scale, scale, 60_000)
    column = compared(a, b)
    for statistic in NAMES:
        found, true = column[statistic], getattr(oracle, statistic)(a, b)
        assert found.lower <= true <= found.upper, statistic
        assert found.lower <= found.value <= found.upper, statistic
    assert column.cliffs_delta.upper - column.cliffs_delta.lower <= 0.02
    if shift:
        for statistic in NAMES:
            p_value = column[statistic].p_value
            assert p_value is not None
            assert p_value < 1e-20, statistic


# 70 % zeros, and other rows on one side only: the law with ties is not the one without.
def test_ties_make_tests_stricter() -> None:
    a = np.r_[np.zeros(700), np.arange(1, 301)]
    b = np.r_[np.zeros(640), np.arange(1, 361)]
    column = compared(a, b)
    rows = 500
    assert column.cramer_von_mises.p_value is not None
    assert column.anderson_darling.p_value is not None
    assert column.cramer_von_mises.p_value >= cramer_von_mises_p(
        rows * column.cramer_von_mises.value
    )
    assert column.anderson_darling.p_value >= anderson_darling_p(
        rows * column.anderson_darling.value
    )
    scipys = stats.mannwhitneyu(b, a, method="asymptotic")
    assert scipys.pvalue < column.mann_whitney.p_value < 1.2 * scipys.pvalue  # type: ignore[operator]


# A thousandth of ones: as rare as the normal law does not know.
def test_ranks_of_rare_values_are_skewed() -> None:
    a, b = np.r_[np.zeros(99_900), np.ones(100)], np.r_[np.zeros(995), np.ones(5)]
    exact = 2 * stats.hypergeom(101_000, 105, 1_000).sf(4)
    plain = stats.mannwhitneyu(b, a, method="asymptotic").pvalue
    found = compared(a, b).mann_whitney.p_value
    assert found is not None
    assert plain < exact / 4 < exact <= found < 1.6 * exact


def test_infinite_values_are_ranked_like_any_other() -> None:
    column = compared([-math.inf, 0.0, math.inf], [0.0, math.inf, math.inf, math.inf])
    a, b = np.array([-1, 0, 1]), np.array([0, 1, 1, 1])
    for name in NAMES:
        assert column[name].value == pytest.approx(getattr(oracle, name)(a, b)), name


def test_integers_that_no_double_holds() -> None:
    a, b = np.array([2**60, 2**60 + 1]), np.array([2**60 + 2, 2**60 + 3])
    column = compared(a, b)
    assert column.mann_whitney.value == 1.0
    assert column.kuiper.value == 1.0
