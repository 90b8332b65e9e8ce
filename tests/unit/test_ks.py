"""Kolmogorov-Smirnov: literal distances, ties, infinities, p-values, the population's interval."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

import oracle
from leadline.compare import compare
from leadline.compare.significance import kolmogorov_distance, kolmogorov_p
from leadline.compare.statistic import Statistic, share_margin
from leadline.scan import profile


def ks(a: object, b: object) -> Statistic:
    return compare(profile({"x": a}), profile({"x": b}))["x"].ks


# By hand: the largest gap between the two step functions.
@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([1, 2, 3, 4], [1, 2, 3, 4], 0.0),
        ([1, 2, 3, 4], [5, 6], 1.0),
        ([5, 6], [1, 2, 3, 4], 1.0),
        ([1, 1, 1, 2], [1, 2, 2, 2], 0.5),
        ([1], [1], 0.0),
        ([1], [2], 1.0),
        ([7, 7, 7], [7], 0.0),
        ([0.0, -0.0], [0.0], 0.0),
        ([1, 2], [1.0, 2.0], 0.0),
        ([-math.inf, 0.0, math.inf, math.inf], [0.0, 0.0], 0.5),
        ([math.nan, 1.0, 2.0], [1.0, 2.0], 0.0),
        ([2**53, 2**53 + 1], [2**53], 0.5),
    ],
)
def test_exact_distances(a: list[float], b: list[float], expected: float) -> None:
    found = ks(np.array(a), np.array(b))
    assert found.value == expected
    assert found.lower <= expected <= found.upper
    assert found.upper - found.lower < 1e-15
    assert found.confidence == 1.0


def test_the_rounding_is_scipys() -> None:
    random = np.random.default_rng(1)
    for n, m in ((3, 7), (97, 31), (500, 211)):
        a, b = random.integers(0, 20, n), random.integers(0, 20, m)
        found = ks(a, b)
        assert found.value == oracle.ks(a, b)
        # SciPy's exact method rounds the same distance once instead of three times.
        assert found.lower <= stats.ks_2samp(a, b).statistic <= found.upper
        assert found.upper - found.lower < 1e-15


@pytest.mark.parametrize(
    ("low", "kind"), [(2**53, np.int64), (2**53, np.uint64), (-(2**53) - 1, np.int64)]
)
def test_neighbours_of_one_double_are_wholly_apart(low: int, kind: type) -> None:
    sides = [profile({"x": np.full(200, value, dtype=kind)}) for value in (low, low + 1)]
    column = compare(*sides)["x"]
    assert (column.ks.value, column.ks.lower, column.ks.upper) == (1.0, 1.0, 1.0)
    assert column.wasserstein.value == 1.0
    assert column.verdict == "drift"


def test_a_column_without_values_is_undefined() -> None:
    found = ks(np.array([math.nan]), np.array([1.0]))
    assert math.isnan(found.value)
    assert found.note == "the reference has no values"


def test_p_value_is_never_below_the_exact_one() -> None:
    # SciPy's exact law of the two-sample distance for continuous data.
    for n, m, distance in ((100, 100, 0.2), (100, 100, 0.3), (200, 150, 0.15), (1000, 400, 0.09)):
        exact = stats.ks_2samp(np.arange(n), np.arange(m)).pvalue
        assert exact >= 0
        en = n * m / (n + m)
        assert kolmogorov_p(distance, n, m) >= 0.97 * stats.kstwo.sf(distance, round(en))
        assert kolmogorov_p(distance, n, m) <= 2 * math.exp(-2 * en * distance**2)


def test_the_smallest_significant_distance_inverts_the_p_value() -> None:
    distance = kolmogorov_distance(0.0005, 1000, 3000)
    assert kolmogorov_p(distance, 1000, 3000) == pytest.approx(0.0005)


def test_p_value_is_taken_at_the_certain_distance() -> None:
    random = np.random.default_rng(2)
    found = ks(random.normal(1.7e9, 10, 5_000), random.normal(1.7e9, 10, 5_000))
    assert found.upper > found.lower
    assert found.p_value == pytest.approx(kolmogorov_p(found.lower, 5_000, 5_000))


# sqrt(ln(2 / 0.005) / 2n): 0.0547 at n = 1000.
def test_population_interval_adds_the_margin_of_both_sides() -> None:
    assert share_margin(1_000) == pytest.approx(0.05473328)
    found = ks(np.arange(1_000) % 500, np.arange(1_000) % 500 + 100)
    assert found.value == pytest.approx(0.2)
    assert found.ci_lower == pytest.approx(0.2 - 2 * 0.05473328)
    assert found.ci_upper == pytest.approx(0.2 + 2 * 0.05473328)


# The contract's bound: 0.004 for every column with no bucket over 0.2 % of the rows; else at most
# twice the sum of both printed rank errors.
@pytest.mark.parametrize(
    ("centre", "scale", "bound"),
    [(0.0, 1.0, 0.004), (20.0, 1.0, None), (100.0, 1.0, None), (1.7e9, 10.0, None)],
)
def test_widths(centre: float, scale: float, bound: float | None) -> None:
    random = np.random.default_rng(3)
    sides = [random.normal(centre, scale, 100_000) for _ in range(2)]
    profiles = [profile({"x": side}) for side in sides]
    found = compare(*profiles)["x"].ks
    assert found.lower <= oracle.ks(*sides) <= found.upper
    errors = sum(p["x"].band.rank_error for p in profiles)
    assert found.upper - found.lower <= (bound if bound is not None else 2 * errors)
    assert found.upper - found.lower <= 0.028
