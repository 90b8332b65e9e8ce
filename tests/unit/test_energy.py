"""Energy distance and the Wasserstein distance over the spread: literals and SciPy."""

from __future__ import annotations

import math

import numpy as np
import pytest

import leadline as ll
import oracle
from leadline.compare import Statistic


def energy(a: object, b: object) -> Statistic:
    return ll.compare(ll.profile({"x": a}), ll.profile({"x": b}))["x"].energy


# By hand: the root of twice the area under the squared difference.
@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([1, 2, 3], [1, 2, 3], 0.0),
        ([0], [8], 4.0),
        ([0, 4], [0, 0, 0, 4], math.sqrt(0.5)),
        ([1e300], [-1e300], math.sqrt(2) * math.sqrt(2e300)),
    ],
)
def test_exact_distances(a: list[float], b: list[float], expected: float) -> None:
    found = energy(np.array(a), np.array(b))
    assert found.value == pytest.approx(expected, rel=1e-12)
    assert found.lower <= expected <= found.upper
    assert found.upper - found.lower <= 1e-7 * expected


def test_the_value_is_scipys() -> None:
    random = np.random.default_rng(8)
    a, b = random.normal(0, 1, 900), random.exponential(1, 700)
    assert energy(a, b).value == pytest.approx(oracle.energy(a, b), rel=1e-10)
    assert oracle.energy_exact(a, b) == pytest.approx(oracle.energy(a, b), rel=1e-10)


def test_infinities() -> None:
    assert energy([0.0, math.inf], [0.0, 0.0]).value == math.inf
    # Half of the rows at 0 against half at 1: 2 * .25.
    assert energy([0.0, math.inf], [1.0, math.inf]).value == pytest.approx(math.sqrt(0.5))


def test_the_unit_is_the_root_of_the_columns() -> None:
    day = np.array(["2026-01-01", "2026-01-03"], dtype="datetime64[D]")
    assert energy(day, day + 3).unit == "sqrt(days)"
    assert energy([1.0], [2.0]).unit == ""


@pytest.mark.parametrize(("centre", "scale"), [(0, 1), (20, 1), (100, 1), (1.7e9, 10)])
def test_bounds(centre: float, scale: float) -> None:
    random = np.random.default_rng(9)
    a = random.normal(centre, scale, 50_000)
    b = random.normal(centre + 0.1 * scale, scale, 50_000)
    found, true = energy(a, b), oracle.energy(a, b)
    assert found.lower <= true <= found.upper
    assert found.ci_lower is not None
    assert found.ci_upper is not None
    assert 0 <= found.ci_lower <= found.lower <= found.upper <= found.ci_upper


# Quartiles 24 and 74: 10 over 50 / 1.349.
def test_wasserstein_over_the_spread() -> None:
    values = np.arange(1_000) % 100
    column = ll.compare(ll.profile({"x": values}), ll.profile({"x": values + 10}))["x"]
    assert column.wasserstein_scaled.value == pytest.approx(0.2698)
    assert column.wasserstein_scaled.scale == column.wasserstein.scale
    assert column.wasserstein_scaled.unit == ""
    constant = ll.compare(ll.profile({"x": [3, 3]}), ll.profile({"x": [4]}))["x"]
    assert math.isnan(constant.wasserstein_scaled.value)
    assert "no spread" in constant.wasserstein_scaled.note
