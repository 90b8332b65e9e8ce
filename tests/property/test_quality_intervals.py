"""The figure of the raw rows lies in the interval of every figure of data quality."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import leadline as ll
from leadline.compare.quality import distinct_ratio, out_of_range, unseen_share, vanished_share
from leadline.compare.schema_changes import likeness
from strategies import NASTY_INTEGERS

ROWS = 5_000


def require_inside(estimate: ll.Estimate | None, truth: float, what: str) -> None:
    if estimate is not None:
        slack = 1e-12 * abs(truth)
        assert estimate.lower - slack <= truth <= estimate.upper + slack, what
        assert estimate.lower <= estimate.value <= estimate.upper, what


def require_changes(before: list, now: list) -> dict[str, ll.Estimate | None]:
    a, b = (ll.profile({"x": values})["x"] for values in (before, now))
    old, new = Counter(before), Counter(now)
    found = {
        "out of range": out_of_range(a, b),
        "unseen": unseen_share(a, b),
        "vanished": vanished_share(a, b),
        "distinct": distinct_ratio(a, b),
    }
    low, high = min(before), max(before)
    outside = sum(not low <= x <= high for x in now) / len(now)
    require_inside(found["out of range"], outside, "out of range")
    unseen = sum(count for x, count in new.items() if x not in old) / len(now)
    require_inside(found["unseen"], unseen, "unseen")
    vanished = sum(count for x, count in old.items() if x not in new) / len(before)
    require_inside(found["vanished"], vanished, "vanished")
    require_inside(found["distinct"], len(new) / len(old), "distinct")
    return found


WHOLE = st.lists(st.sampled_from(NASTY_INTEGERS) | st.integers(-4, 4), min_size=1, max_size=25)
WORDS = st.lists(st.text(st.characters(codec="utf-8"), max_size=2), min_size=1, max_size=25)


@given(st.tuples(WHOLE, WHOLE) | st.tuples(WORDS, WORDS))
def test_few_rows_are_exact(sides: tuple[list, list]) -> None:
    for estimate in require_changes(*sides).values():
        assert estimate is None or estimate.lower == estimate.upper


@pytest.mark.parametrize("shift", [0.0, 0.5, 30.0])
def test_sketched_numbers(shift: float, random: np.random.Generator) -> None:
    for scale in (1.0, 1e-9, 1e12):
        before = random.normal(0, scale, ROWS)
        now = random.normal(shift * scale, scale, ROWS)
        assert require_changes(before.tolist(), now.tolist())["out of range"] is not None


def test_texts_beyond_the_capacity(random: np.random.Generator) -> None:
    words = {
        "zipf": [f"k{i}" for i in random.zipf(1.3, 20_000)],
        "rare": [f"r{i}" for i in random.integers(0, 10_000, 20_000)],
        "few": [f"k{i}" for i in random.integers(1, 9, 20_000)],
    }
    for before in words.values():
        for now in words.values():
            assert require_changes(before, now)["unseen"] is not None


def test_likeness_is_between_0_and_1(random: np.random.Generator) -> None:
    sides = {
        "normal": random.normal(0, 1, ROWS),
        "far": random.normal(99, 1, ROWS),
        "holes": np.where(random.random(ROWS) < 0.5, np.nan, 1.0),
        "text": [f"k{i % 7}" for i in range(ROWS)],
        "ids": [f"k{i}" for i in range(ROWS)],
        "instants": np.arange(ROWS).astype("datetime64[h]").astype("datetime64[us]"),
        "flags": random.random(ROWS) < 0.5,
        "dates": np.arange(ROWS).astype("datetime64[D]"),
    }
    profile = ll.profile(pa.table({name: pa.array(values) for name, values in sides.items()}))
    for name in profile:
        assert likeness(profile[name], profile[name]) == 1.0
        for other in profile:
            if profile[name].kind is profile[other].kind:
                found = likeness(profile[name], profile[other])
                assert found is not None
                assert 0.0 <= found <= 1.0
    assert likeness(profile["normal"], profile["far"]) == 0.0
