"""The log-linear histogram: where values land, and the laws of merging."""

from __future__ import annotations

import numpy as np
import pytest

from leadline import _native
from leadline._native import Storage
from leadline.sketch.histogram import (
    Histogram,
    HistogramBuilder,
    coarseness_of,
    weighted_histogram,
)
from leadline.sketch.scratch import Scratch

SCRAP = 2**20  # zeros and infinities


def block(values, storage=Storage.FLOAT64):
    return np.asarray(values, dtype=storage.dtype).view(np.uint64)


def of(values, storage=Storage.FLOAT64) -> Histogram:
    builder = HistogramBuilder(Scratch())
    builder.add(block(values, storage), storage)
    return builder.finish()


# A bucket is the top 20 bits of the IEEE 754 double: sign, 11 bits of exponent (1.0 has 1023),
# 8 bits of fraction.
@pytest.mark.parametrize(
    ("value", "page", "bucket"),
    [
        (1.0, 1023, 0),
        (1.5, 1023, 128),
        (np.nextafter(2.0, 0), 1023, 255),
        (2.0, 1024, 0),
        (3.0, 1024, 128),
        (-2.0, 2048 + 1024, 0),
        (-0.75, 2048 + 1022, 128),
        (5e-324, 0, 0),
        (2.0**-1023, 0, 128),
        (2.2250738585072014e-308, 1, 0),
        (1.7976931348623157e308, 2046, 255),
        (1e300, 2019, 126),
    ],
)
def test_places_of_floats(value, page, bucket):
    assert _native.histogram_index(block([value]), Storage.FLOAT64)[0] == page * 256 + bucket


@pytest.mark.parametrize(
    ("value", "page", "bucket"),
    [
        (1, 1023, 0),
        (-1, 2048 + 1023, 0),
        (1000, 1032, 244),  # 1000 = 512 * 1.953125, and .953125 * 256 = 244
        (2**53 + 1, 1076, 0),
        (2**54 - 1, 1076, 255),  # the nearest double is 2**54, in the next octave
        (2**63 - 1, 1085, 255),
        (-(2**63), 2048 + 1086, 0),
        (-(2**63) + 1, 2048 + 1085, 255),
    ],
)
def test_places_of_integers_are_not_rounded(value, page, bucket):
    place = page * 256 + bucket
    assert _native.histogram_index(block([value], Storage.INT64), Storage.INT64)[0] == place
    if value > 0:
        assert _native.histogram_index(block([value], Storage.UINT64), Storage.UINT64)[0] == place


def test_places_of_the_largest_integers_and_of_no_bucket():
    top = block([2**64 - 1, 2**63, 0], Storage.UINT64)
    places = [1086 * 256 + 255, 1086 * 256, SCRAP]
    assert _native.histogram_index(top, Storage.UINT64).tolist() == places
    none = _native.histogram_index(block([0.0, np.inf, -np.inf]), Storage.FLOAT64)
    assert none.tolist() == [SCRAP] * 3


def test_an_integer_and_its_double_share_a_bucket(random):
    values = random.integers(-(2**53), 2**53, size=10_000)
    integers = _native.histogram_index(block(values, Storage.INT64), Storage.INT64)
    floats = _native.histogram_index(block(values.astype(np.float64)), Storage.FLOAT64)
    assert np.array_equal(integers, floats)


def test_buckets_in_order_of_value():
    found = of([-3.0, -3.0, -0.5, 5e-324, 1.0, 1.003, 1.004, 2.0])
    buckets = found.buckets()
    # Next to 1.0 a bucket is 2**-8 = 0.00390625 wide.
    assert buckets.lower.tolist() == [-3.0078125, -0.501953125, 0.0, 1.0, 1.00390625, 2.0]
    assert buckets.upper.tolist() == [-3.0, -0.5, 2.0**-1030, 1.00390625, 1.0078125, 2.0078125]
    assert buckets.counts.tolist() == [2, 1, 1, 2, 1, 1]
    assert found.pages.tolist() == [0, 1023, 1024, 2048 + 1022, 2048 + 1024]
    assert found.counts.dtype == np.uint8
    assert (found.total, found.heaviest, found.value_error) == (8, 2, 2.0**-9)


def test_every_value_lies_in_its_bucket(random):
    values = np.concatenate([random.standard_t(1, 5_000), random.normal(size=5_000) * 1e-310])
    buckets = of(values).buckets()
    assert (buckets.lower < buckets.upper).all()
    assert (buckets.upper[:-1] <= buckets.lower[1:]).all()
    for lower, upper, count in zip(buckets.lower, buckets.upper, buckets.counts, strict=True):
        negative = (values > lower) & (values <= upper)
        positive = (values >= lower) & (values < upper)
        assert count == (positive if lower >= 0 else negative).sum()


def test_value_error_holds_at_every_coarseness(random):
    values = np.exp(random.uniform(-650, 650, size=20_000)) * random.choice([-1, 1], 20_000)
    found = [of(values[np.abs(np.log(np.abs(values))) < bound]) for bound in (20, 40, 320, 650)]
    assert [histogram.coarseness for histogram in found] == [0, 1, 4, 5]
    for histogram in found:
        buckets = histogram.buckets()
        middle = buckets.lower / 2 + buckets.upper / 2
        worst = np.abs(buckets.upper / 2 - buckets.lower / 2) / np.abs(middle)
        assert worst.max() <= histogram.value_error


def test_zeros_and_infinities_are_not_inside():
    found = of([0.0, np.inf, -np.inf] * 1000)
    assert found == Histogram.empty()
    assert found.total == 0
    assert found.heaviest == 0
    assert len(found.buckets().counts) == 0
    # 70 % zeros do not hide that the other values count.
    assert of([0.0, 0.0, 7.0] * 1000).total == 1000


@pytest.mark.parametrize("pattern", [[1.0], [1.0, 3.0], [1.0, 0.0], [5.0, 5.0, 5.0, 5.0, 9.0]])
def test_repeats_are_counted_like_any_other(pattern):
    values = np.resize(np.array(pattern), 5_000)
    found = of(values)
    expected = {value: int((values == value).sum()) for value in set(pattern) - {0.0}}
    buckets = found.buckets()
    assert dict(zip(buckets.lower.tolist(), buckets.counts.tolist(), strict=True)) == expected
    builder = HistogramBuilder(Scratch())
    builder.add(block(values), Storage.FLOAT64)
    assert builder.heaviest() == max(expected.values())


@pytest.mark.parametrize(
    ("pages", "coarseness"),
    [
        (0, 0),
        (1, 0),
        (128, 0),
        (129, 1),
        (256, 1),
        (257, 2),
        (512, 2),
        (513, 3),
        (2048, 4),
        (4094, 5),
    ],
)
def test_coarseness_follows_from_the_number_of_pages(pages, coarseness):
    assert coarseness_of(pages) == coarseness


def test_an_outlier_costs_one_page_and_no_resolution(random):
    values = random.normal(size=100_000)
    with_outlier = of(np.append(values, 1e300))
    assert with_outlier.coarseness == 0
    assert len(with_outlier.pages) == len(of(values).pages) + 1


def test_all_exponents_at_once():
    exponents = np.arange(1, 2047, dtype=np.uint64) << np.uint64(52)
    values = np.concatenate([exponents, exponents | np.uint64(1 << 63)]).view(np.float64)
    found = of(np.append(values, [5e-324, -5e-324]))
    assert (found.coarseness, found.counts.shape, found.total) == (5, (4094, 8), 4094)
    assert found.value_error == 2.0**-4


def parts_of(values, random, count):
    return [of(part) for part in np.split(values, np.sort(random.integers(0, len(values), count)))]


def test_merging_is_exact_whatever_the_grouping(random):
    wide = np.exp(random.uniform(-700, 700, size=3_000))
    narrow = random.normal(1.7e9, 10, size=3_000)
    values = random.permutation(np.concatenate([wide, -wide[:500], narrow, [5e-324, 1e300, 0.0]]))
    whole = of(values)
    parts = parts_of(values, random, 20)
    left = Histogram.empty()
    for part in parts:
        left = left.merge(part)
    right = Histogram.empty()
    for part in reversed(parts):
        right = part.merge(right)
    tree = parts
    while len(tree) > 1:
        tree = [
            a.merge(b) for a, b in zip(tree[::2], [*tree[1::2], Histogram.empty()], strict=False)
        ]
    assert whole.coarseness > 0
    assert left == whole
    assert right == whole
    assert tree[0] == whole


def test_counters_are_promoted_and_stay_canonical():
    weights = np.array([2**32 - 1], dtype=np.uint64)
    one = np.array([1.0])
    full = weighted_histogram(one, weights, Storage.FLOAT64)
    assert full.counts.dtype == np.uint32
    over = full.merge(of([1.0]))
    assert over.counts.dtype == np.uint64
    assert over.heaviest == 2**32
    assert over == weighted_histogram(one, weights + np.uint64(1), Storage.FLOAT64)
    # Promotion is of the merged counters: two that fit can make one that does not by coarsening.
    pair = weighted_histogram(np.array([1.0, 1.00390625]), weights.repeat(2), Storage.FLOAT64)
    assert pair.counts.dtype == np.uint32
    assert pair.coarsen(1).counts.dtype == np.uint64
    assert pair.coarsen(1).heaviest == 2**33 - 2


def test_a_builder_past_its_counters_goes_on(monkeypatch):
    monkeypatch.setattr(HistogramBuilder, "CAPACITY", 10)
    builder = HistogramBuilder(Scratch())
    for _ in range(5):
        builder.add(block([1.0, 2.0, 2.0, 0.0]), Storage.FLOAT64)
    found = builder.finish()
    assert (found.total, found.heaviest) == (15, 10)


def test_scratch_is_clean_after_finish_and_after_a_failure():
    scratch = Scratch()
    builder = HistogramBuilder(scratch)
    builder.add(block([1.0] * 5_000), Storage.FLOAT64)
    assert builder.finish().total == 5_000
    assert builder.finish() == Histogram.empty()
    HistogramBuilder(scratch).add(block([1.0, 2.0, 4.0]), Storage.FLOAT64)  # never finished
    assert HistogramBuilder(scratch).finish() == Histogram.empty()


@pytest.mark.parametrize("storage", list(Storage))
def test_weighted_equals_repeated(storage, random):
    low = 0 if storage is Storage.UINT64 else -500
    values = np.unique(random.integers(low, 10**6, size=2_000)).astype(storage.dtype)
    counts = random.integers(1, 9, size=len(values)).astype(np.uint8)
    repeated = of(np.repeat(values, counts), storage)
    assert weighted_histogram(values, counts, storage) == repeated


def test_arrays_are_immutable():
    found = of([1.0])
    with pytest.raises(ValueError, match="read-only"):
        found.counts[0, 0] = 7
