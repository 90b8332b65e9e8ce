"""Moments against published figures, NumPy and SciPy."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from leadline._native import Storage
from leadline.sketch.moments import Moments, block_moments, weighted_moments

PROMISE = 1e-12  # of max(|mean|, std), after any number of merges


def of_floats(values) -> Moments:
    return block_moments(np.asarray(values, dtype=np.float64).view(np.uint64), Storage.FLOAT64)


def of_integers(values) -> Moments:
    return block_moments(np.asarray(values, dtype=np.int64).view(np.uint64), Storage.INT64)


@pytest.mark.parametrize("of", [of_floats, of_integers])
def test_textbook_example(of):
    # Mean 5 and population standard deviation 2: the example of Wikipedia's "Standard deviation".
    # Deviations -3 -1 -1 -1 0 0 2 4, so their cubes add up to 42 and fourth powers to 356.
    found = of([2, 4, 4, 4, 5, 5, 7, 9])
    assert found == Moments(8, 5.0, 32.0, 42.0, 356.0, 2, 9)
    assert found.variance(ddof=0) == 4.0
    assert found.std == math.sqrt(32 / 7)
    assert found.skewness == 42 / 8 / 8
    assert found.kurtosis == 356 / 8 / 16 - 3


@pytest.mark.parametrize(("mean", "low", "high"), [(1e6, 0.1, 0.3), (1e7, 0.1, 0.3)])
def test_nist_numerical_accuracy(mean, low, high):
    # NIST Statistical Reference Datasets, NumAcc3 and NumAcc4: 1,001 numbers, certified mean
    # 1000000.2 and 10000000.2, certified standard deviation 0.1. The data themselves are rounded
    # to doubles by up to 1e-9, one part in 1e8 of the deviation.
    found = of_floats([mean + 0.2] + [mean + low, mean + high] * 500)
    assert found.mean == pytest.approx(mean + 0.2, rel=1e-15)
    assert found.std == pytest.approx(0.1, rel=2e-8)


def test_empty_single_and_constant():
    assert of_floats([]) == Moments.empty()
    one = of_floats([0.1])
    assert one == Moments(1, 0.1, 0.0, 0.0, 0.0, 0.1, 0.1)
    assert math.isnan(one.std)
    assert math.isnan(one.skewness)
    assert math.isnan(one.kurtosis)
    constant = of_floats([0.1] * 5_000)
    assert constant == Moments(5_000, 0.1, 0.0, 0.0, 0.0, 0.1, 0.1)
    assert constant.std == 0.0


def test_extremes_keep_every_bit_of_an_integer():
    found = of_integers([-(2**63), 2**63 - 1, 2**53 + 1])
    assert (found.minimum, found.maximum) == (-(2**63), 2**63 - 1)
    large = np.array([2**64 - 1, 2**63 + 1], dtype=np.uint64)
    unsigned = block_moments(large, Storage.UINT64)
    assert (unsigned.minimum, unsigned.maximum) == (2**63 + 1, 2**64 - 1)
    assert unsigned.mean == 2.0**63 + 2.0**62
    assert isinstance(found.minimum, int)
    assert isinstance(unsigned.as_float().maximum, float)


def test_infinities_are_left_out():
    found = of_floats([1.0, np.inf, 3.0, -np.inf] * 700)
    assert found == of_floats([1.0, 3.0] * 700)
    assert (found.count, found.mean, found.minimum, found.maximum) == (1400, 2.0, 1.0, 3.0)
    assert of_floats([np.inf] * 3) == Moments.empty()


def test_huge_values_have_a_mean():
    largest = np.finfo(np.float64).max
    found = of_floats([largest] * 999 + [largest / 2])
    assert found.mean == pytest.approx(largest * 0.9995, rel=1e-14)
    apart = of_floats([largest]).merge(of_floats([-largest]))
    assert apart.mean == 0.0
    assert apart.m2 == math.inf


@pytest.mark.parametrize("size", [2, 7, 8, 9, 1023, 1024, 1025, 5_000, 100_000])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_against_scipy(size, offset, random):
    values = random.gamma(2.0, size=size) + offset
    found = of_floats(values)
    scale = max(abs(values.mean()), values.std())
    assert found.mean == pytest.approx(values.mean(), abs=1e-14 * scale)
    assert found.std == pytest.approx(values.std(ddof=1), rel=1e-10, abs=PROMISE * scale)
    if offset == 0.0:
        assert found.skewness == pytest.approx(stats.skew(values), rel=1e-10, abs=1e-12)
        assert found.kurtosis == pytest.approx(stats.kurtosis(values), rel=1e-10, abs=1e-12)
    assert (found.minimum, found.maximum) == (values.min(), values.max())


DISTRIBUTIONS = {
    "normal": lambda random, n: random.normal(size=n),
    "now": lambda random, n: random.normal(1.7e9, 10, size=n),
    "lognormal": lambda random, n: random.lognormal(0, 3, size=n),
    "cauchy": lambda random, n: random.standard_t(1, size=n),
    "tiny": lambda random, n: random.normal(size=n) * 1e-150,
    "cancelling": lambda random, n: random.normal(size=n) * 1e8 + 1.0,
    "sorted": lambda random, n: np.sort(random.normal(size=n)),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_merging_a_hundred_parts_keeps_the_promise(name, random):
    values = DISTRIBUTIONS[name](random, 50_000)
    cuts = np.sort(random.integers(0, len(values), 99))
    merged = Moments.empty()
    for part in np.split(values, cuts):
        merged = merged.merge(of_floats(part))
    exact = [Fraction(value) for value in values.tolist()]
    mean = sum(exact) / len(exact)
    variance = float(sum((value - mean) ** 2 for value in exact) / (len(exact) - 1))
    scale = max(abs(float(mean)), math.sqrt(variance))
    assert merged.count == len(values)
    assert abs(merged.mean - float(mean)) <= PROMISE * scale
    assert abs(merged.std - math.sqrt(variance)) <= PROMISE * scale
    assert (merged.minimum, merged.maximum) == (values.min(), values.max())


def test_weighted_equals_repeated(random):
    values = np.unique(np.round(random.normal(1e6, 3, size=300), 2))
    counts = random.integers(1, 1000, size=len(values))
    repeated = np.repeat(values, counts)
    found = weighted_moments(values, counts, Storage.FLOAT64)
    exact = [Fraction(value) for value in values.tolist()]
    total = int(counts.sum())
    mean = sum(v * int(c) for v, c in zip(exact, counts, strict=True)) / total
    m2 = sum((v - mean) ** 2 * int(c) for v, c in zip(exact, counts, strict=True))
    assert found.count == total
    assert found.mean == pytest.approx(float(mean), rel=1e-15)
    assert found.m2 == pytest.approx(float(m2), rel=1e-14)
    assert found.skewness == pytest.approx(stats.skew(repeated), rel=1e-6)
    assert found.kurtosis == pytest.approx(stats.kurtosis(repeated), rel=1e-6)


def test_weighted_cancellation_and_extremes():
    # The products 1e300 * 3 cancel exactly; what is left is 1 / 7.
    values = np.array([-1e300, 1.0, 1e300])
    found = weighted_moments(values, np.array([3, 1, 3]), Storage.FLOAT64)
    assert found.mean == pytest.approx(1 / 7, rel=1e-15)
    largest = np.finfo(np.float64).max
    doubled = weighted_moments(np.array([largest / 2, largest]), np.array([2, 2]), Storage.FLOAT64)
    assert doubled.mean == pytest.approx(largest * 0.75, rel=1e-15)
    unbounded = weighted_moments(
        np.array([-np.inf, 2.0, np.inf]), np.array([5, 4, 5]), Storage.FLOAT64
    )
    assert unbounded == Moments(4, 2.0, 0.0, 0.0, 0.0, 2.0, 2.0)
    assert weighted_moments(np.array([], np.int64), np.array([]), Storage.INT64) == Moments.empty()
    small = weighted_moments(np.array([1, 2], np.int64), np.array([1, 3], np.uint8), Storage.INT64)
    assert (small.count, small.mean, small.m2, small.minimum) == (4, 1.75, 0.75, 1)
