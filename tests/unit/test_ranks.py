"""Bands: exact counts at edges, half-open buckets on both sides of zero, ties, items inside."""

from __future__ import annotations

import math

import numpy as np
import pytest

from leadline.profile import Profile
from leadline.scan import profile
from leadline.sketch.pieces import half_open
from leadline.sketch.points import as_points, point_of, value_of_point
from leadline.sketch.ranks import Band, Sample, band_of, band_of_counts, band_of_sample


def band(values: np.ndarray) -> Band:
    return profile({"x": values})["x"].band


def sketched(values: list[float]) -> tuple[Band, np.ndarray]:
    """The band of values beyond the reach of exact counts: 2,048 more lie far to the right."""
    data = np.concatenate([values, 1e6 + np.arange(2_048) * 1e3])
    result = profile({"x": data})
    assert_sketched(result)
    return result["x"].band, data


def assert_sketched(result: Profile) -> None:
    numeric = result["x"].numeric
    assert numeric is not None
    assert numeric.counts is None


def test_exact_counts_are_exact_everywhere() -> None:
    known = band_of_counts(np.array([1, 2, 5]), np.array([3, 1, 6]))
    at = known.on(np.array([0.0, 1.0, 1.5, 5.0, 9.0]))
    expected = [[0, 0], [0, 3], [3, 3], [4, 10], [10, 10]]
    assert at.lower.tolist() == expected
    assert at.upper.tolist() == expected
    assert at.estimate.tolist() == expected
    assert known.exact
    assert known.rank_error == 0.0
    assert known.confidence == 1.0


def test_no_rows() -> None:
    nothing = band_of()
    assert nothing.total == 0
    assert nothing.rank_error == 0.0
    assert nothing.cumulative(np.array([0.0, 1.0])).tolist() == [0.0, 0.0]
    with pytest.raises(ValueError, match="no rows"):
        nothing.quantile(0.5)


# Values of one bucket each: [1, 1 + 2**-8) on the right of zero, (-1 - 2**-8, -1] on the left.
def test_a_positive_bucket_holds_its_lower_edge() -> None:
    known, data = sketched([1.0, 1.001, 1.002, 1.003])
    at = known.on(np.array([1.0, 1 + 2**-8]))
    assert at.upper[0, 0] == 0.0
    assert at.lower[1, 0] == 4.0
    assert_holds(known, data)


def test_a_negative_bucket_holds_its_upper_edge() -> None:
    known, data = sketched([-1.0, -1.001, -1.002, -1.003])
    at = known.on(np.array([-1 - 2**-8, np.nextafter(-1.0, 0)]))
    assert at.upper[0].tolist() == [0.0, 0.0]
    assert at.lower[1, 0] == 4.0
    assert_holds(known, data)


@pytest.mark.parametrize(
    "values",
    [
        [0.0, -0.0, 5e-324, -5e-324, 1e-310, -1e-310],
        [-math.inf, -1e308, 0.0, 1e308, math.inf],
        [math.inf] * 3,
        [2.0] * 7 + [2.001],
        [-3.0, -3.0, 3.0],
        [2**60 * 1.0, 2**60 * 1.001],
    ],
    ids=["around zero", "infinities", "only infinity", "ties", "both signs", "large"],
)
def test_awkward_values_lie_in_their_bounds(values: list[float]) -> None:
    assert_holds(*sketched(values))


def test_integers_beyond_doubles_keep_their_order() -> None:
    values = 2**60 + np.arange(-1_200, 1_200) * 3
    known = band(values)
    assert known.points.dtype == np.complex128
    assert_holds(known, values)
    low = -(2**62) - np.arange(2_100) * 2**40
    assert_holds(band(low), low)
    unsigned = np.uint64(2**64 - 1) - np.arange(2_100, dtype=np.uint64)
    assert_holds(band(unsigned), unsigned)


def test_points_of_unsigned_integers_near_the_top() -> None:
    points = as_points(np.array([2**64 - 1, 2**64 - 1025, 2**63, 5], dtype=np.uint64))
    assert points.real.tolist() == [2.0**64, 2.0**64 - 2048, 2.0**63, 5.0]
    assert points.imag.tolist() == [-1.0, 1023.0, 0.0, 0.0]


def test_the_sketch_splits_a_heavy_bucket() -> None:
    values = np.random.default_rng(3).normal(1.7e9, 10, 20_000)
    known = band(values)
    assert known.confidence == 1 - 1e-6
    assert known.rank_error <= 0.007
    assert_holds(known, values)


def test_quantiles_are_order_statistics_of_exact_counts() -> None:
    known = band_of_counts(np.array([1, 2, 5]), np.array([3, 1, 6]))
    # ceil(q n): ranks 1, 3, 4, 5, 10 of 1 1 1 2 5 5 5 5 5 5.
    found = [known.quantile(q) for q in (0.0, 0.3, 0.4, 0.41, 1.0)]
    assert found == [(x, x, x) for x in (1.0, 1.0, 2.0, 5.0, 5.0)]


def test_extreme_quantiles_are_the_extremes() -> None:
    values = np.random.default_rng(4).standard_t(1, 5_000)
    known = band(values)
    assert known.quantile(0.0) == (values.min(),) * 3
    assert known.quantile(1.0) == (values.max(),) * 3


def test_cumulative_counts_close_the_last_bin() -> None:
    known = band_of_counts(np.array([0, 1, 2]), np.array([1, 1, 1]))
    assert np.diff(known.cumulative(np.array([0.0, 1.0, 2.0]))).tolist() == [1.0, 2.0]


def test_a_sketch_alone_gives_a_band() -> None:
    sample = Sample(np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0]), 6, 1.0, 1.0, 0.5, 3.5)
    known = band_of_sample(sample)
    at = known.on(np.array([0.5, 2.0, 3.5]))
    assert at.lower.tolist() == [[0.0, 1.0], [1.0, 3.0], [5.0, 6.0]]
    assert at.upper.tolist() == [[0.0, 1.0], [3.0, 5.0], [5.0, 6.0]]


def assert_holds(known: Band, data: np.ndarray) -> None:
    """Counts of the raw rows lie in the bounds at every value, next to it, and at all points."""
    ordered = np.unique(as_points(data))
    rows = np.sort(as_points(data))
    nudged = np.concatenate([np.nextafter(ordered.real, s * math.inf) for s in (-1, 1)])
    points = np.unique(np.concatenate([ordered, nudged, known.points]))
    at = known.on(points)
    true = np.column_stack([np.searchsorted(rows, points, side=side) for side in ("left", "right")])
    assert (at.lower <= true).all()
    assert (true <= at.upper).all()
    assert (at.lower <= at.estimate).all()
    assert (at.estimate <= at.upper).all()
    for q in np.linspace(0, 1, 21):
        value, lower, upper = known.quantile(float(q))
        true_value = np.sort(data)[max(math.ceil(q * len(data)) - 1, 0)].item()
        assert lower <= true_value <= upper
        assert lower <= value <= upper


EDGE = 2**53  # from here on not every integer is a double


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([EDGE - 1, EDGE, EDGE + 1, EDGE + 2], np.int64),
        ([EDGE - 1, EDGE, EDGE + 1, EDGE + 2], np.uint64),
        ([EDGE + 1], np.int64),
        ([EDGE + 1], np.uint64),
        ([-EDGE - 2, -EDGE - 1, -EDGE, -EDGE + 1], np.int64),
        ([-EDGE - 1], np.int64),
        ([2**63 - 1, 2**63, 2**64 - 1], np.uint64),
        ([-(2**63), -(2**63) + 1, 2**63 - 1], np.int64),
    ],
)
def test_integers_that_no_double_holds_keep_their_value(values: list[int], kind: type) -> None:
    points = as_points(np.array(values, dtype=kind))
    assert np.all(points[:-1] < points[1:])
    assert [value_of_point(point) for point in points.tolist()] == values
    assert [point_of(value) for value in values] == points.tolist()
    known = profile({"x": np.array(values * 3, dtype=kind)})["x"]
    for place, value in enumerate(values):
        found = known.quantile((place + 0.5) / len(values))
        assert (found.lower, found.value, found.upper) == (value, value, value)


# The bucket (-2**53, -2**53 + 2**44] begins with an integer that is a double, the ones beyond it
# with integers that are not.
def test_negative_buckets_of_integers_begin_and_end_with_the_next_integer() -> None:
    lower = np.array([-EDGE - 2.0**45, -EDGE])
    upper = np.array([-EDGE, -EDGE + 2.0**44])
    start, end = half_open(lower, upper, integer=True)
    assert [value_of_point(x) for x in start.tolist()] == [-EDGE - 2**45 + 1, -EDGE + 1]
    assert [value_of_point(x) for x in end.tolist()] == [-EDGE + 1, -EDGE + 2**44 + 1]
    assert start[1] == point_of(-EDGE + 1)
    alone = half_open(lower[1:], upper[1:], integer=True)[0]
    assert alone.tolist() == [-EDGE + 1]
