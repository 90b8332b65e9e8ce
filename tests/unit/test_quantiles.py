"""The quantile sketch: exact small cases, DataSketches as oracle, hostile bytes, errors."""

from __future__ import annotations

import struct

import datasketches
import numpy as np
import pytest

from leadline import _native
from leadline._native import Storage
from leadline._native import quantiles as kernels
from leadline.errors import ComparisonError, InputError, SnapshotError
from leadline.sketch.keys import key_of, to_keys
from leadline.sketch.quantiles import (
    DEFAULT_K,
    Quantiles,
    QuantilesBuilder,
    k_for_rank_error,
    weighted_quantiles,
)
from leadline.sketch.scratch import BLOCK, Scratch

SCRATCH = Scratch()


def build(
    values: np.ndarray, *, k: int = DEFAULT_K, seed: int = 1, share: float = 1.0
) -> Quantiles:
    storage = {"f": Storage.FLOAT64, "i": Storage.INT64, "u": Storage.UINT64}[values.dtype.kind]
    builder = QuantilesBuilder(k, seed, storage, SCRATCH)
    for begin in range(0, len(values), BLOCK):
        builder.add(values[begin : begin + BLOCK].view(np.uint64), share)
    return builder.finish()


def worst_error(sketch: Quantiles, values: np.ndarray) -> float:
    """Largest rank error at any value, below it and up to it."""
    keys = np.sort(to_keys(values.view(np.uint64), sketch.storage))
    items, weights = sketch.sorted_weights()
    ranks = np.concatenate([[0], np.cumsum(weights.astype(np.int64))])
    assert ranks[-1] == len(values) == sketch.count
    points = np.unique(keys)
    errors = [
        np.abs(ranks[np.searchsorted(items, points, side)] - np.searchsorted(keys, points, side))
        for side in ("left", "right")
    ]
    return float(np.max(errors)) / len(values)


def assert_sound(sketch: Quantiles) -> None:
    """What every sketch must be: full weights, ascending levels, within DataSketches' capacity."""
    assert int(sketch.weights().sum()) == sketch.count
    for begin, end in zip(sketch.levels[:-1], sketch.levels[1:], strict=True):
        assert (np.diff(sketch.items[begin:end].astype(object)) >= 0).all()
    levels = max(len(sketch.levels) - 1, 12)
    assert len(sketch.items) <= kernels.quantiles_capacity(sketch.k, levels)
    if sketch.count:
        assert (
            sketch.minimum <= int(sketch.items.min()) <= int(sketch.items.max()) <= sketch.maximum
        )


# --- capacity and bounds -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("k", "levels", "capacity"),
    # From DataSketches' own strings: see the next test for a sketch of 1 to 9 levels.
    [(200, 1, 200), (200, 2, 333), (8, 1, 8), (8, 3, 24), (200, 7, 565)],
)
def test_capacity_is_that_of_datasketches(k, levels, capacity):
    assert kernels.quantiles_capacity(k, levels) == capacity


@pytest.mark.parametrize("k", [8, 200, 768])
def test_capacity_as_datasketches_prints_it(k):
    sketch = datasketches.kll_doubles_sketch(k)
    seen = set()
    for value in range(40 * k):
        sketch.update(float(value))
        if value % k == 0:
            lines = sketch.to_string().splitlines()
            fields = dict(line.split(":") for line in lines if line.count(":") == 1)
            fields = {name.strip(): text.strip() for name, text in fields.items()}
            levels, capacity = int(fields["Levels"]), int(fields["Capacity items"])
            assert kernels.quantiles_capacity(k, levels) == capacity
            seen.add(levels)
    assert len(seen) > 3


def test_the_promised_error_is_at_most_0_7_percent():
    sketch = build(np.arange(100_000, dtype=np.int64))
    # 1.7 x 2.296 / 768 ** 0.9723, DataSketches' fit.
    assert sketch.rank_error == pytest.approx(0.006109, abs=1e-6)
    assert sketch.split_error == sketch.rank_error
    sampled = build(np.arange(100_000, dtype=np.int64), share=0.003)
    assert sampled.height == 3
    assert sampled.split_error == pytest.approx(0.006392, abs=1e-6)
    assert sampled.split_error_at(2) > sampled.split_error
    # Alone, the sampler counts: its standard deviation is sqrt(2 ** height / n) / 2.
    assert sampled.rank_error == pytest.approx(
        np.hypot(0.006109, 4.8916 * np.sqrt(8e-5) / 2), rel=1e-3
    )


@pytest.mark.parametrize(("error", "k"), [(0.5, 256), (0.0064, 768), (0.007, 768), (0.001, 5_376)])
def test_k_for_a_rank_error(error, k):
    assert k_for_rank_error(error) == k


@pytest.mark.parametrize("error", [0.0, -1.0, 0.6, 1e-6, float("nan")])
def test_rank_errors_that_no_sketch_promises(error):
    with pytest.raises(InputError):
        k_for_rank_error(error)


# --- building ------------------------------------------------------------------------------------


def test_no_values():
    sketch = build(np.zeros(0))
    assert sketch == Quantiles.empty(Storage.FLOAT64)
    assert (sketch.count, sketch.rank_error, len(sketch.weights())) == (0, 0.0, 0)


@pytest.mark.parametrize("count", [1, 2, 24, 25, 513, 2_000, 2_286])
def test_few_values_are_all_kept(random, count):
    values = random.normal(size=count)
    sketch = build(values)
    assert sketch.items.tolist() == sorted(
        to_keys(values.view(np.uint64), Storage.FLOAT64).tolist()
    )
    assert sketch.weights().tolist() == [1] * count
    assert (sketch.rank_error, sketch.split_error) == (0.0, 0.0)


def test_a_constant_block_is_one_weighted_value():
    sketch = build(np.full(BLOCK, 2.5))
    assert sketch.items.tolist() == [key_of(2.5, Storage.FLOAT64)]
    assert sketch.weights().tolist() == [BLOCK]


def test_repeated_values_take_their_binary_form():
    sketch = build(np.repeat([1.0, 2.0], [5, 2_995]))
    assert worst_error(sketch, np.repeat([1.0, 2.0], [5, 2_995])) == 0
    # 5 = 101b and 2,995 = 101110110011b
    assert sketch.weights().tolist() == [1, 1, 2, 4, 16, 32, 128, 256, 512, 2_048]


SHAPES = {
    "normal": lambda random, n: random.normal(size=n),
    "narrow": lambda random, n: random.normal(1.7e9, 10, n),
    "cauchy": lambda random, n: random.standard_t(1, n),
    "zeros": lambda random, n: np.where(random.random(n) < 0.7, 0, random.exponential(size=n)),
    "rounded": lambda random, n: random.normal(size=n).round(1),
    "ascending": lambda random, n: np.sort(random.normal(size=n)),
    "descending": lambda random, n: np.sort(random.normal(size=n))[::-1].copy(),
    "infinities": lambda random, n: random.choice([-np.inf, -1.5, 0.0, np.inf], n),
    "outlier": lambda random, n: np.concatenate([[1e300], random.normal(100, 1, n - 1)]),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("count", [3_000, BLOCK, 200_001])
def test_errors_stay_within_the_promise(random, shape, count):
    values = SHAPES[shape](random, count) + 0.0
    for share in (1.0, 0.002):
        sketch = build(values, share=share)
        assert_sound(sketch)
        assert worst_error(sketch, values) <= sketch.rank_error
        keys = to_keys(values.view(np.uint64), Storage.FLOAT64)
        assert (sketch.minimum, sketch.maximum) == (int(keys.min()), int(keys.max()))


def test_a_hundred_merged_parts_stay_within_the_promise(random):
    values = random.normal(100, 1, 100_000)
    sketch = Quantiles.empty(Storage.FLOAT64)
    for part in np.array_split(values, 100):
        sketch = sketch.merge(build(part), 7)
        assert_sound(sketch)
    assert worst_error(sketch, values) <= 0.5 * sketch.rank_error


@pytest.mark.parametrize(
    ("count", "k", "held", "apart"),
    [
        (2_286, 768, 2_286, 1),  # the capacity of k = 768
        (2_287, 768, 571 + 2, 4),  # every fourth, the three that are left as 1 + 2
        (4_095, 768, 511 + 3, 8),
        (4_096, 768, 512, 8),  # not every 16th: 2 * 768 / 5 = 307 are left at least
        (6_000, 768, 375, 16),
        (16_384, 768, 512, 32),  # sqrt(16384) / 4 = 32,
        (65_536, 768, 1_024, 64),
        (20_000, 5_632, 2_500, 8),  # not every 16th: 2 * 5632 / 5 = 2253 are left at least
        (20_000, 256, 625, 32),  # which is what its capacity takes
    ],
)
def test_a_block_that_does_not_fit_leaves_what_its_noise_is_worth(random, count, k, held, apart):
    values = random.normal(1.7e9, 10, count)
    sketch = build(values, k=k)
    assert_sound(sketch)
    assert len(sketch.items) == held
    assert worst_error(sketch, values) * count < apart
    assert worst_error(sketch, values) <= 0.45 * sketch.rank_error


def test_parts_of_small_blocks_merge_within_the_promise(random):
    values = random.normal(1.7e9, 10, 600_000)
    sketch = Quantiles.empty(Storage.FLOAT64)
    for part in np.array_split(values, 100):
        sketch = sketch.merge(build(part), 7)
        assert_sound(sketch)
    assert worst_error(sketch, values) <= 0.5 * sketch.rank_error


def test_integers_keep_every_digit():
    values = np.array([-(2**63), -1, 0, 2**53 + 1, 2**63 - 1])
    sketch = build(values)
    assert sketch.items.tolist() == [key_of(value, Storage.INT64) for value in values.tolist()]


def test_only_the_data_and_the_seed_decide(random):
    values = random.normal(size=150_000)
    assert build(values, seed=3) == build(values.copy(), seed=3)
    assert build(values, seed=3) != build(values, seed=4)
    changed = values.copy()
    changed[70_000] += 1
    assert not np.array_equal(build(values).items, build(changed).items)


@pytest.mark.parametrize("storage", list(Storage))
@pytest.mark.parametrize("count", [1, 7, 8, 9, 1_003])
def test_every_instruction_set_builds_the_same(random, storage, count):
    raw = random.integers(0, 2**64, count, dtype=np.uint64) >> np.uint64(2)
    built = {}
    active = _native.active_instruction_set()
    try:
        for name in _native.instruction_sets():
            _native.force_instruction_set(name)
            built[name] = build(raw.view(storage.dtype), k=8, share=0.002)
    finally:
        _native.force_instruction_set(active)
    assert all(sketch == built["serial"] for sketch in built.values())
    keys = to_keys(raw, storage)
    assert (built["serial"].minimum, built["serial"].maximum) == (int(keys.min()), int(keys.max()))


# --- weighted values -----------------------------------------------------------------------------


def test_weighted_values_are_ranked_like_repeated_ones(random):
    values = np.unique(random.integers(0, 10**6, 5_000))
    counts = random.integers(1, 400, len(values)).astype(np.uint64)
    keys = to_keys(values.view(np.uint64), Storage.INT64)
    sketch = weighted_quantiles(keys, counts, Storage.INT64, DEFAULT_K, 1)
    assert_sound(sketch)
    assert worst_error(sketch, np.repeat(values, counts.astype(np.int64))) <= 0.001


def test_few_weighted_values_are_exact():
    keys = to_keys(np.array([1, 2, 3]).view(np.uint64), Storage.INT64)
    counts = np.array([2**59, 1, 2**58 - 1], dtype=np.uint64)
    sketch = weighted_quantiles(keys, counts, Storage.INT64, DEFAULT_K, 1)
    items, weights = sketch.sorted_weights()
    held = [int(weights[items == key].sum()) for key in keys]
    assert held == counts.tolist()


@pytest.mark.parametrize("counts", [[0, 1], [2**60, 1], [2**63, 2**63]])
def test_counts_out_of_range_are_refused(counts):
    keys = np.array([1, 2], dtype=np.uint64)
    with pytest.raises(InputError):
        weighted_quantiles(keys, np.array(counts, np.uint64), Storage.UINT64, DEFAULT_K, 1)


# --- merging -------------------------------------------------------------------------------------


def test_merging_takes_either_side_first(random):
    a, b = build(random.normal(size=90_000)), build(random.normal(3, 1, 50_000))
    assert a.merge(b, 1) == b.merge(a, 1)
    assert any(a.merge(b, 1) != a.merge(b, seed) for seed in range(2, 40))
    assert a.merge(Quantiles.empty(Storage.FLOAT64), 1) == a


def test_the_smaller_k_is_kept(random):
    large, small = build(random.normal(size=90_000)), build(random.normal(size=500), k=16)
    merged = large.merge(small, 1)
    assert merged.k == 16
    assert_sound(merged)
    shrunk = large.merge(Quantiles.empty(Storage.FLOAT64, 16), 1)
    assert (shrunk.k, shrunk.count) == (16, 90_000)
    assert_sound(shrunk)


def test_different_storages_do_not_merge():
    with pytest.raises(ComparisonError, match="INT64 and FLOAT64"):
        build(np.array([1])).merge(build(np.array([1.0])), 1)


def test_as_float_keeps_the_ranks(random):
    values = random.integers(-(10**6), 10**6, 100_000)
    sketch = build(values)
    floats = sketch.as_float()
    assert floats.storage is Storage.FLOAT64
    assert worst_error(floats, values.astype(np.float64)) == worst_error(sketch, values)


# --- bytes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 2, 1_000, 2_286, 100_000])
@pytest.mark.parametrize("storage", list(Storage))
def test_bytes_round_trip_and_datasketches_reads_them(random, count, storage):
    values = np.abs(random.normal(0, 1e6, count)).astype(storage.dtype)
    sketch = build(values)
    assert Quantiles.from_bytes(sketch.to_bytes(), storage) == sketch
    theirs = datasketches.kll_doubles_sketch.deserialize(sketch.to_datasketches())
    assert (theirs.n, theirs.num_retained) == (count, len(sketch.items))
    if count:
        assert theirs.get_min_value() == values.min()
        assert theirs.get_max_value() == values.max()
        items, weights = sketch.sorted_weights()
        for value in values[:10].tolist():
            rank = int(weights[items <= key_of(value, storage)].sum()) / count
            assert theirs.get_rank(float(value), True) == pytest.approx(rank)
    if storage is Storage.FLOAT64:
        assert sketch.to_datasketches() == sketch.to_bytes()
        assert theirs.serialize() == sketch.to_bytes()
    else:
        assert Quantiles.from_datasketches(sketch.to_datasketches(), storage) == sketch


@pytest.mark.parametrize("count", [0, 1, 5, 200, 201, 10_000])
def test_sketches_of_datasketches_are_read(random, count):
    theirs = datasketches.kll_doubles_sketch(200)
    values = random.normal(size=count)
    for value in values.tolist():
        theirs.update(value)
    sketch = Quantiles.from_datasketches(theirs.serialize())
    assert (sketch.k, sketch.count, len(sketch.items)) == (200, count, theirs.num_retained)
    assert_sound(sketch)
    if count:
        assert worst_error(sketch, values) <= 0.0227
        for value in (-1.0, 0.0, 1.0):
            items, weights = sketch.sorted_weights()
            rank = int(weights[items <= key_of(value, Storage.FLOAT64)].sum()) / count
            assert theirs.get_rank(value, True) == pytest.approx(rank)


def test_the_layout_byte_by_byte():
    sketch = build(np.array([3.0, 1.0, 2.0]))
    assert sketch.to_bytes() == (
        struct.pack("<BBBBHBB", 5, 1, 15, 2, 768, 8, 0)
        + struct.pack("<QHBB", 3, 768, 1, 0)
        + struct.pack("<I", 765)  # one level of 768 places, filled from its end
        + struct.pack("<2d", 1.0, 3.0)
        + struct.pack("<3d", 1.0, 2.0, 3.0)
    )


def test_the_sampling_height_is_kept():
    sketch = build(np.arange(BLOCK, dtype=np.float64), share=0.001)
    assert sketch.height == 5
    assert Quantiles.from_bytes(sketch.to_bytes(), Storage.FLOAT64).height == 5


def test_a_sketch_that_was_merged_with_a_smaller_k_promises_no_more(random):
    large, small = datasketches.kll_doubles_sketch(800), datasketches.kll_doubles_sketch(20)
    for value in random.normal(size=20_000).tolist():
        large.update(value)
        small.update(value)
    large.merge(small)
    sketch = Quantiles.from_datasketches(large.serialize())
    assert (sketch.k, sketch.count) == (20, 40_000)
    assert_sound(sketch)


def full(**changes: object) -> bytes:
    """A sketch of 1, 2, 3 (level 0) and 4, 5 (level 1), with fields replaced."""
    fields: dict = {
        "preamble": 5, "version": 1, "family": 15, "flags": 2, "k": 8, "m": 8, "height": 0,
        "n": 7, "min_k": 8, "levels": 2, "offsets": [11, 14], "ends": [1.0, 5.0],
        "items": [1.0, 2.0, 3.0, 4.0, 5.0],
    }  # fmt: skip
    fields |= changes
    names = ("preamble", "version", "family", "flags", "k", "m", "height")
    return (
        struct.pack("<BBBBHBB", *(fields[name] for name in names))
        + struct.pack("<QHBB", fields["n"], fields["min_k"], fields["levels"], 0)
        + struct.pack(f"<{len(fields['offsets'])}I", *fields["offsets"])
        + struct.pack(f"<{2 + len(fields['items'])}d", *fields["ends"], *fields["items"])
    )


def test_the_sound_example_is_read():
    sketch = Quantiles.from_bytes(full(), Storage.FLOAT64)
    assert sketch.weights().tolist() == [1, 1, 1, 2, 2]


def test_an_unsorted_level_zero_is_sorted_if_it_says_so():
    data = full(flags=0, items=[3.0, 1.0, 2.0, 4.0, 5.0])
    assert Quantiles.from_bytes(data, Storage.FLOAT64) == Quantiles.from_bytes(
        full(), Storage.FLOAT64
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "preamble is cut off"),
        (full()[:19], "preamble is cut off"),
        (full()[:22], "level offsets are cut off"),
        (full()[:-1], "number of bytes"),
        (full() + b"x", "number of bytes"),
        (full(family=7), "family is 7"),
        (full(version=3), "serial version 3"),
        (full(preamble=2), "5 preamble ints"),
        (full(k=7, min_k=7), "k is 7"),
        (full(m=4), "m is 4"),
        (full(height=17), "sampling height is 17"),
        (full(min_k=9), "smallest k is 9"),
        (full(levels=62), "62 levels"),
        (full(levels=0), "0 levels"),
        (full(offsets=[14, 11]), "do not ascend"),
        (full(offsets=[11, 17]), "do not ascend"),
        (full(offsets=[10, 14]), "number of bytes"),
        (full(n=8), "weights add up to 7"),
        (full(n=1), "full sketch of 1"),
        (full(n=2**63), "weights add up to 7"),
        (full(items=[1.0, 3.0, 2.0, 4.0, 5.0]), "not sorted"),
        (full(items=[1.0, 2.0, 3.0, 5.0, 4.0]), "not sorted"),
        (full(flags=0, items=[1.0, 2.0, 3.0, 5.0, 4.0]), "not sorted"),
        (full(items=[1.0, 2.0, 3.0, 4.0, float("nan")]), "NaN"),
        (full(ends=[1.5, 5.0]), "outside minimum and maximum"),
        (full(ends=[1.0, 4.5]), "outside minimum and maximum"),
        (full(flags=1), "empty sketch"),
        (full(flags=4), "serial version 2"),
        (struct.pack("<BBBBHBB", 2, 2, 15, 4, 200, 8, 0) + b"1234567", "8 bytes"),
    ],
)
def test_hostile_bytes(data, reason):
    with pytest.raises(SnapshotError, match=reason):
        Quantiles.from_bytes(data, Storage.FLOAT64)


@pytest.mark.parametrize(
    ("items", "storage"),
    [([1.0, 2.0, 3.0, 4.5, 5.0], Storage.INT64), ([-1.0, 2.0, 3.0, 4.0, 5.0], Storage.UINT64)],
)
def test_doubles_that_are_no_integers_are_refused(items, storage):
    data = full(items=items, ends=[min(items), 5.0])
    with pytest.raises(SnapshotError, match=f"no {storage.name}"):
        Quantiles.from_datasketches(data, storage)
