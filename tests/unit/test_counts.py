"""Exact counts of numbers, against `collections.Counter`."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from leadline import _native
from leadline._native import Storage
from leadline.errors import ComparisonError, InputError
from leadline.sketch.counts import ValueCounts, count_blocks, count_groups
from leadline.sketch.scratch import BLOCK, Scratch


def blocks_of(values: np.ndarray, size: int = BLOCK) -> list[np.ndarray]:
    raw = values.view(np.uint64)
    return [raw[begin : begin + size] for begin in range(0, len(raw), size)]


def counted(counts: ValueCounts) -> dict[float, int]:
    return dict(zip(counts.values.tolist(), counts.counts.tolist(), strict=True))


@pytest.fixture(scope="module")
def scratch() -> Scratch:
    return Scratch()


# --- numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("low", [-3, 0, 65_530, -(2**63), 2**63 - 70_000, -30_000])
@pytest.mark.parametrize("span", [1, 2, 2_047, 2_048, 2_049, 65_536])
def test_dense_integers_are_counted_like_counter(random, scratch, low, span):
    span = min(span, 2**63 - low)
    values = low + random.integers(0, span, 3_001)
    values[:2] = low, low + span - 1
    for size in (700, BLOCK):
        counts = count_blocks(blocks_of(values, size), Storage.INT64, scratch)
        assert counted(counts) == Counter(values.tolist())
    assert not scratch.dense.any()


def test_unsigned_integers_above_two_to_63(scratch):
    values = np.repeat(np.array([2**64 - 1, 2**64 - 65_536], dtype=np.uint64), [600, 1])
    counts = count_blocks(blocks_of(values), Storage.UINT64, scratch)
    assert counted(counts) == {2**64 - 1: 600, 2**64 - 65_536: 1}


def test_an_integer_range_of_65_536_does_not_fit(random, scratch):
    values = random.integers(0, 100, 2_100)
    values[-1] = 65_536
    assert count_blocks(blocks_of(values), Storage.INT64, scratch) is None
    assert count_blocks(blocks_of(values, 100), Storage.INT64, scratch) is None
    assert not scratch.dense.any()
    values[-1] = 65_535
    assert count_blocks(blocks_of(values), Storage.INT64, scratch) is not None


def test_2048_values_always_fit(scratch):
    values = np.arange(2_049, dtype=np.int64) << 40
    assert count_blocks(blocks_of(values), Storage.INT64, scratch) is None
    counts = count_blocks(blocks_of(values[:2_048], 100), Storage.INT64, scratch)
    assert counts.values.tolist() == values[:2_048].tolist()
    assert counts.fits()
    assert counts.fits(timestamps=True)


def test_instants_fit_up_to_2048(scratch):
    values = np.zeros(2_049, dtype=np.int64)
    assert count_blocks(blocks_of(values), Storage.INT64, scratch, timestamps=True) is None
    counts = count_blocks(blocks_of(values), Storage.INT64, scratch)
    assert counts.fits()
    assert not counts.fits(timestamps=True)


@pytest.mark.parametrize("distinct", [1, 2, 255, 256, 257, 5_000])
def test_doubles_fit_up_to_256_distinct(random, scratch, distinct):
    values = np.concatenate([np.arange(distinct), random.integers(0, distinct, 4_000)]) / 8
    values = random.permutation(values)
    counts = count_blocks(blocks_of(values, 1_000), Storage.FLOAT64, scratch)
    if distinct > 256:
        assert counts is None
    else:
        assert counted(counts) == Counter(values.tolist())


def test_infinities_and_subnormals_are_values(scratch):
    values = np.repeat([-np.inf, -5e-324, 0.0, 5e-324, np.inf], 200)
    counts = count_blocks(blocks_of(values), Storage.FLOAT64, scratch)
    assert counts.values.tolist() == [-np.inf, -5e-324, 0.0, 5e-324, np.inf]
    assert counts.counts.tolist() == [200] * 5


def test_no_values_at_all(scratch):
    counts = count_blocks([], Storage.FLOAT64, scratch)
    assert counts == ValueCounts.empty(Storage.FLOAT64)
    assert (len(counts), counts.total, counts.fits()) == (0, 0, True)


@pytest.mark.parametrize("name", _native.instruction_sets())
def test_ranges_are_the_same_for_every_instruction_set(random, scratch, name):
    active = _native.active_instruction_set()
    values = random.integers(-20_000, 20_000, 5_003)
    try:
        _native.force_instruction_set(name)
        counts = count_blocks(blocks_of(values), Storage.INT64, scratch)
    finally:
        _native.force_instruction_set(active)
    assert counted(counts) == Counter(values.tolist())


@pytest.mark.parametrize(
    ("values", "offsets", "counts"),
    [
        ([5, 260], "uint8", "uint8"),
        ([5, 261], "uint16", "uint8"),
        ([0, 65_535], "uint16", "uint8"),
        ([0, 65_536], "uint32", "uint8"),
        ([-1, 2**40], "uint64", "uint8"),
        ([7] * 256, "uint8", "uint16"),
    ],
)
def test_states_take_the_smallest_types(scratch, values, offsets, counts):
    state = count_blocks(blocks_of(np.array(values)), Storage.INT64, scratch)
    assert state.offsets.dtype == offsets
    assert state.counts.dtype == counts
    assert not state.counts.flags.writeable


def test_merging_is_counting_together(random, scratch):
    a, b = random.integers(-50, 50, 400), random.integers(0, 200, 300)
    one = count_blocks(blocks_of(a), Storage.INT64, scratch)
    other = count_blocks(blocks_of(b), Storage.INT64, scratch)
    merged = one.merge(other)
    assert merged == count_blocks(blocks_of(np.concatenate([a, b])), Storage.INT64, scratch)
    assert merged == other.merge(one)


def test_different_storages_do_not_merge():
    with pytest.raises(ComparisonError, match="INT64 and FLOAT64"):
        ValueCounts.empty(Storage.INT64).merge(ValueCounts.empty(Storage.FLOAT64))


def test_integers_that_round_to_one_double_are_joined(scratch):
    values = np.array([2**53, 2**53 + 1, 2**53 + 2, -1])
    counts = count_blocks(blocks_of(values), Storage.INT64, scratch).as_float()
    assert counted(counts) == {-1.0: 1, 2.0**53: 2, 2.0**53 + 2: 1}


@pytest.mark.parametrize("storage", list(Storage))
@pytest.mark.parametrize("sizes", [[], [0], [1], [0, 3, 0, 0, 25, 300, 1], [70_000, 2], [24, 25]])
def test_groups_are_counted_one_by_one(random, scratch, storage, sizes):
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    values = random.normal(0, 300, int(starts[-1])).round()
    typed = (np.abs(values) if storage is Storage.UINT64 else values).astype(storage.dtype) + 0
    groups = count_groups(typed.view(np.uint64), starts, storage, scratch)
    assert len(groups) == len(sizes)
    for group, begin, end in zip(groups, starts[:-1], starts[1:], strict=True):
        assert counted(group) == Counter(typed[begin:end].tolist())
        assert (np.diff(group.keys.astype(object)) > 0).all()


def test_groups_outside_the_values_are_refused(scratch):
    values = np.zeros(3, dtype=np.uint64)
    for starts in ([0, 4], [2, 1], [-1, 3]):
        with pytest.raises(InputError):
            count_groups(values, np.array(starts, dtype=np.int64), Storage.INT64, scratch)
