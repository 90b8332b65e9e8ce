"""Laws of the quantile sketch: sound for any data, merged from either side, safe against bytes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from leadline._native import Storage
from leadline._native import quantiles as kernels
from leadline.errors import SnapshotError
from leadline.sketch.keys import to_keys
from leadline.sketch.quantiles import Quantiles, QuantilesBuilder, weighted_quantiles
from leadline.sketch.scratch import Scratch

SCRATCH = Scratch()
SEEDS = st.integers(0, 2**64 - 1)


@st.composite
def samples(draw: st.DrawFn, storage: Storage | None = None) -> tuple[np.ndarray, Quantiles]:
    """Values of many shapes, and their sketch; a small k makes compaction frequent."""
    if storage is None:
        storage = draw(st.sampled_from(list(Storage)))
    count = draw(st.integers(0, 300) | st.sampled_from([1_000, 5_000]))
    bits = draw(st.sampled_from([0, 1, 4, 12, 40, 62]))
    random = np.random.default_rng(draw(SEEDS))
    raw = random.integers(0, 1 << bits, count, dtype=np.uint64, endpoint=True)
    values = raw.astype(storage.dtype) - storage.dtype.type(
        draw(st.sampled_from([0, 1])) if storage is not Storage.UINT64 else 0
    )
    if draw(st.booleans()):
        values = np.sort(values)
    k = draw(st.sampled_from([8, 9, 50, 768]))
    builder = QuantilesBuilder(k, draw(SEEDS), storage, SCRATCH)
    share = draw(st.sampled_from([1.0, 1e-4, 0.0]))
    step = draw(st.sampled_from([7, 100, 65_536]))
    for begin in range(0, count, max(step, count // 20)):
        builder.add(values[begin : begin + max(step, count // 20)].view(np.uint64), share)
    return values, builder.finish()


def assert_sound(sketch: Quantiles, values: np.ndarray) -> None:
    assert sketch.count == len(values) == int(sketch.weights().sum())
    keys = to_keys(values.view(np.uint64), sketch.storage)
    assert np.isin(sketch.items, keys).all()
    if len(values):
        assert (sketch.minimum, sketch.maximum) == (int(keys.min()), int(keys.max()))
    for begin, end in zip(sketch.levels[:-1], sketch.levels[1:], strict=True):
        level = sketch.items[begin:end]
        assert (level[1:] >= level[:-1]).all()
    height = max(len(sketch.levels) - 1, 12)
    assert len(sketch.items) <= kernels.quantiles_capacity(sketch.k, height)


@given(samples())
def test_a_sketch_is_sound_and_its_bytes_come_back(case):
    values, sketch = case
    assert_sound(sketch, values)
    assert Quantiles.from_bytes(sketch.to_bytes(), sketch.storage) == sketch


@given(st.sampled_from(list(Storage)).flatmap(lambda s: st.tuples(samples(s), samples(s))), SEEDS)
def test_merging_takes_either_side_and_stays_sound(case, seed):
    (a_values, a), (b_values, b) = case
    merged = a.merge(b, seed)
    assert merged == b.merge(a, seed)
    assert merged.k == min(a.k, b.k)
    assert_sound(merged, np.concatenate([a_values, b_values]))


@given(st.dictionaries(st.integers(0, 2**64 - 1), st.integers(1, 2**40), max_size=300), SEEDS)
def test_weighted_values_are_sound(counts, seed):
    keys = np.array(sorted(counts), dtype=np.uint64)
    weights = np.array([counts[key] for key in sorted(counts)], dtype=np.uint64)
    sketch = weighted_quantiles(keys, weights, Storage.UINT64, 8, seed)
    assert int(sketch.weights().sum()) == sketch.count == sum(counts.values())
    assert Quantiles.from_bytes(sketch.to_bytes(), Storage.UINT64) == sketch


@given(
    samples(), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4), st.data()
)
def test_damaged_bytes_are_refused_or_sound(case, changes, data):
    _, sketch = case
    damaged = bytearray(sketch.to_bytes())
    for at, byte in changes:
        damaged[at % len(damaged)] = byte
    cut = data.draw(st.integers(0, len(damaged)))
    for attempt in (bytes(damaged), bytes(damaged[:cut])):
        try:
            read = Quantiles.from_bytes(attempt, sketch.storage)
        except SnapshotError:
            continue
        assert int(read.weights().sum()) == read.count
        merged = read.merge(sketch, 1)
        assert merged.count == read.count + sketch.count


@given(st.binary(max_size=200), st.sampled_from(list(Storage)))
def test_any_bytes_end_in_a_sketch_or_an_error(data, storage):
    for head in (b"", bytes([5, 1, 15, 2, 8, 0, 8, 0]), bytes([2, 2, 15, 6, 8, 0, 8, 0])):
        try:
            sketch = Quantiles.from_bytes(head + data, storage)
        except SnapshotError:
            continue
        assert int(sketch.weights().sum()) == sketch.count
