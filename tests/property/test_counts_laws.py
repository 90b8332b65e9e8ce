"""Merge laws of exact counts and of frequent texts, for any values in any grouping."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from leadline._native import Storage
from leadline.sketch.counts import ValueCounts, count_blocks, count_groups
from leadline.sketch.frequent import CAPACITY, TextCounts
from leadline.sketch.scratch import Scratch

SCRATCH = Scratch()
STORAGES = {
    Storage.FLOAT64: st.floats(allow_nan=False).map(lambda value: value + 0.0),
    Storage.INT64: st.integers(-(2**63), 2**63 - 1) | st.integers(-5, 5),
    Storage.UINT64: st.integers(0, 2**64 - 1) | st.integers(0, 5),
}


@st.composite
def columns(draw: st.DrawFn, parts: int) -> tuple[Storage, list[np.ndarray]]:
    storage = draw(st.sampled_from(list(Storage)))
    lists = [draw(st.lists(STORAGES[storage], max_size=40)) for _ in range(parts)]
    return storage, [np.array(values, dtype=storage.dtype) for values in lists]


def count(values: np.ndarray, storage: Storage) -> ValueCounts:
    counts = count_blocks([values.view(np.uint64)], storage, SCRATCH)
    assert counts is not None
    return counts


@given(columns(parts=3))
def test_merging_values_is_counting_them_together_in_any_grouping(case):
    storage, (a, b, c) = case
    whole = count(np.concatenate([a, b, c]), storage)
    x, y, z = (count(values, storage) for values in (a, b, c))
    assert x.merge(y).merge(z) == whole
    assert x.merge(y.merge(z)) == whole
    assert z.merge(x).merge(y) == whole
    truth = Counter(np.concatenate([a, b, c]).tolist())
    assert dict(zip(whole.values.tolist(), whole.counts.tolist(), strict=True)) == truth


@given(columns(parts=4))
def test_groups_are_counted_as_if_alone(case):
    storage, parts = case
    starts = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
    values = np.concatenate(parts).view(np.uint64)
    groups = count_groups(values, starts, storage, SCRATCH)
    assert groups == [count(part, storage) for part in parts]


@given(columns(parts=1), st.booleans())
def test_whether_values_fit_never_comes_back(case, timestamps):
    storage, (values,) = case
    counts = count(values, storage)
    grown = counts
    for _ in range(5):
        before, grown = grown, grown.merge(grown).merge(counts)
        assert before.fits(timestamps=timestamps) or not grown.fits(timestamps=timestamps)


keys = st.binary(max_size=3) | st.sampled_from([b"k" * 200, b"l" * 272])


@st.composite
def texts(draw: st.DrawFn) -> tuple[Counter[bytes], TextCounts]:
    """What was counted, and its state: often far more keys than fit."""
    truth: Counter[bytes] = Counter(draw(st.dictionaries(keys, st.integers(1, 2**40))))
    many = draw(st.sampled_from([0, 3_000, CAPACITY, CAPACITY + 1, 2 * CAPACITY]))
    prefix = draw(st.sampled_from([b"p", b"q", b"r" * 150]))
    step = draw(st.integers(1, 5))
    truth.update({prefix + b"%05d" % number: 1 + number // step for number in range(many)})
    state = TextCounts.of(list(truth), list(truth.values()), error=0, total=truth.total())
    return truth, state


@given(st.lists(texts(), min_size=2, max_size=4))
def test_merging_texts_keeps_the_bound(parts):
    truth = sum((counter for counter, _ in parts), Counter())
    merged = parts[0][1]
    for _, state in parts[1:]:
        assert merged.merge(state) == state.merge(merged)
        merged = merged.merge(state)
    held = dict(zip(merged.keys, merged.counts.tolist(), strict=True))
    assert merged.total == truth.total()
    assert list(held) == sorted(held)
    assert len(held) <= CAPACITY
    assert all(held.get(key, 0) <= n <= held.get(key, 0) + merged.error for key, n in truth.items())
    # Every subtraction took from more than 524,288 / 272 keys at once.
    assert merged.error * 1_928 <= merged.total - sum(held.values())
    if len(truth) <= CAPACITY and sum(map(len, truth)) <= 512 * 1024:
        assert merged.exact
        assert held == truth
