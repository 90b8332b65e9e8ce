"""Wasserstein: literal distances, the mean's contribution, infinities, widths."""

from __future__ import annotations

import math

import numpy as np
import pytest

import oracle
from leadline.compare import compare
from leadline.compare.statistic import Statistic
from leadline.scan import profile


def wasserstein(a: object, b: object) -> Statistic:
    return compare(profile({"x": a}), profile({"x": b}))["x"].wasserstein


# By hand: the area between the two step functions.
@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([1, 2, 3], [1, 2, 3], 0.0),
        ([0], [10], 10.0),
        ([10], [0], 10.0),
        ([0, 1, 3], [5, 6, 8], 5.0),
        ([0, 0, 0, 4], [0, 4], 1.0),
        ([2.5] * 5, [2.5], 0.0),
        ([1e300], [-1e300], 2e300),
    ],
)
def test_exact_distances(a: list[float], b: list[float], expected: float) -> None:
    found = wasserstein(np.array(a), np.array(b))
    assert found.lower <= expected <= found.upper
    assert found.upper - found.lower <= 1e-11 * expected
    assert found.value == pytest.approx(expected, rel=1e-12)


def test_unequal_shares_of_infinity_are_infinitely_apart() -> None:
    assert wasserstein([0.0, math.inf], [0.0, 0.0]).value == math.inf
    assert wasserstein([-math.inf, 1.0], [1.0, math.inf]).value == math.inf


def test_equal_shares_of_infinity_count_nothing() -> None:
    found = wasserstein([0.0, math.inf], [1.0, 1.0, math.inf, math.inf])
    assert found.value == 0.5
    assert found.lower <= 0.5 <= found.upper


def test_a_range_beyond_the_largest_double_has_no_upper_bound() -> None:
    found = wasserstein([-1.5e308], [1.5e308])
    assert found.upper == math.inf


def test_disjoint_sides_are_exactly_their_means_apart() -> None:
    random = np.random.default_rng(5)
    a, b = random.normal(1_000, 1, 20_000), random.normal(1_020, 1, 20_000)
    found = wasserstein(a, b)
    assert found.upper - found.lower <= 1e-8
    assert found.lower <= oracle.wasserstein(a, b) <= found.upper


def test_the_scale_is_the_references_spread() -> None:
    values = np.arange(1_000) % 100
    found = wasserstein(values, values + 10)
    # Quartiles 24 and 74: 50 / 1.349.
    assert found.scale == pytest.approx(37.0645, rel=1e-5)
    assert found.note == "0.27 of the reference's spread"
    mostly_one = np.where(np.arange(1_000) < 100, 5.0, 1.0)
    assert wasserstein(mostly_one, mostly_one).scale == pytest.approx(mostly_one.std(ddof=1))
    assert wasserstein([3, 3], [4]).scale is None


def test_the_unit_is_the_columns() -> None:
    day = np.array(["2026-01-01", "2026-01-03"], dtype="datetime64[D]")
    found = wasserstein(day, day + 3)
    assert found.unit == "days"
    assert found.value == 3.0


# STATISTICS: at most a tenth of the reference's spread.
@pytest.mark.parametrize("shift", [0.0, 0.1])
@pytest.mark.parametrize(
    ("centre", "scale"), [(0.0, 1.0), (20.0, 1.0), (100.0, 1.0), (1.7e9, 10.0)]
)
def test_widths(centre: float, scale: float, shift: float) -> None:
    random = np.random.default_rng(6)
    a = random.normal(centre, scale, 100_000)
    b = random.normal(centre + shift * scale, scale, 100_000)
    found = wasserstein(a, b)
    assert found.lower <= oracle.wasserstein(a, b) <= found.upper
    assert found.upper - found.lower <= 0.1 * scale


def test_the_population_interval_holds_the_summary_interval() -> None:
    random = np.random.default_rng(7)
    found = wasserstein(random.normal(0, 1, 5_000), random.normal(0.5, 1, 5_000))
    assert found.ci_lower is not None
    assert found.ci_upper is not None
    assert found.ci_lower <= found.lower <= found.upper <= found.ci_upper
    assert found.ci_lower <= 0.5 <= found.ci_upper
