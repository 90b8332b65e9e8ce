"""Merging: associative and commutative in every exact state, and the same as profiling together.

Sketches take the place of exact counts beyond 2,048 values; `test_beyond_exact_counts` covers them
with columns long enough, the Hypothesis tests the variety of values.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given

import leadline as ll
from leadline import snapshot
from leadline.profile import Profile
from leadline.profile.summaries import NumericSummary, TextSummary, TimestampSummary
from strategies import split_columns


def profiled(array: pa.Array) -> Profile:
    return ll.profile(pa.table({"x": array}))


def exact_parts(profile: Profile) -> list[object]:
    """Every state that merges promise to keep, in comparable form."""
    state = profile["x"].state
    summary = state.summary
    parts: list[object] = [state.rows, state.nulls, type(summary)]
    if isinstance(summary, NumericSummary):
        moments = summary.get_moments()
        parts += [summary.nan, summary.positive_infinity, summary.negative_infinity]
        parts += [summary.zeros, summary.negatives, summary.counts, summary.histogram]
        parts += [summary.distinct, summary.minimum, summary.maximum, moments.count]
    elif isinstance(summary, TextSummary):
        parts += [summary.empty, summary.lengths, summary.classes, summary.distinct]
        parts += [summary.counts.exact, summary.counts.total]
        parts += [summary.counts] if summary.counts.exact else []
    elif isinstance(summary, TimestampSummary):
        parts += [summary.minimum, summary.maximum, summary.total, summary.counts]
        parts += [summary.get_calendar(), summary.distinct]
    return parts


def assert_close(a: Profile, b: Profile) -> None:
    """Moments within the promise, and what a quantile sketch knows exactly."""
    x, y = a["x"].numeric, b["x"].numeric
    if x is None or y is None:
        return
    p, q = x.get_moments(), y.get_moments()
    assert (p.count, p.minimum, p.maximum) == (q.count, q.minimum, q.maximum)
    if p.count and np.isfinite([p.mean, p.m2, q.mean, q.m2]).all():
        scale = max(abs(p.mean), p.std if p.count > 1 else 0.0)
        assert abs(p.mean - q.mean) <= 1e-12 * scale
        assert p.count == 1 or abs(p.std - q.std) <= 1e-12 * scale
    if x.quantiles is not None and y.quantiles is not None:
        for part in ("count", "minimum", "maximum"):
            assert getattr(x.quantiles, part) == getattr(y.quantiles, part)


@given(split_columns(2))
def test_merging_commutes(case: tuple[str, list[pa.Array]]) -> None:
    a, b = (profiled(array) for array in case[1])
    assert exact_parts(a | b) == exact_parts(b | a)
    assert_close(a | b, b | a)


@given(split_columns(3))
def test_merging_is_associative_and_equals_profiling_together(
    case: tuple[str, list[pa.Array]],
) -> None:
    a, b, c = (profiled(array) for array in case[1])
    whole = profiled(pa.concat_arrays(case[1]))
    assert exact_parts((a | b) | c) == exact_parts(a | (b | c)) == exact_parts(whole)
    assert_close((a | b) | c, whole)
    assert_close(a | (b | c), whole)


@given(split_columns(1))
def test_saving_keeps_every_state(case: tuple[str, list[pa.Array]]) -> None:
    profile = profiled(case[1][0])
    data = snapshot.encode(profile)
    again = snapshot.decode(data)
    assert exact_parts(again) == exact_parts(profile)
    assert snapshot.encode(again) == data


LONG = {
    "normal": lambda random, n: random.normal(0, 1, n),
    "few floats": lambda random, n: random.integers(0, 200, n) / 10,
    "too many floats": lambda random, n: random.integers(0, 300, n) / 10,
    "wide integers": lambda random, n: random.integers(-(2**62), 2**62, n),
    "narrow integers": lambda random, n: random.integers(0, 65_536, n),
    "uint64": lambda random, n: random.integers(2**63, 2**64 - 1, n, dtype=np.uint64),
    "timestamps": lambda random, n: random.integers(0, 2**31, n).astype("datetime64[s]"),
    "many words": lambda random, n: np.array([f"w{i}" for i in random.zipf(1.1, n) % 20_000]),
    "infinities": lambda random, n: np.where(
        random.random(n) < 0.1, np.inf, random.normal(0, 1, n)
    ),
}


@pytest.mark.parametrize("name", sorted(LONG))
def test_beyond_exact_counts(name: str) -> None:
    random = np.random.default_rng(7)
    arrays = [pa.array(LONG[name](random, n)) for n in (300, 5_000, 40_000)]
    a, b, c = (profiled(array) for array in arrays)
    whole = profiled(pa.concat_arrays(arrays))
    assert exact_parts((a | b) | c) == exact_parts(a | (b | c)) == exact_parts(whole)
    assert exact_parts((c | a) | b) == exact_parts(whole)
    assert_close((a | b) | c, whole)
    assert_close((c | a) | b, whole)


def test_integers_and_floats_of_one_column_merge_as_floats(tmp_path: Path) -> None:
    integers, floats = np.arange(1_000), np.linspace(0, 1, 1_000)
    merged = ll.profile({"x": integers}) | ll.profile({"x": floats})
    together = ll.profile({"x": np.concatenate([integers, floats])})
    assert exact_parts(merged) == exact_parts(together)
    assert merged["x"].type == "double"


def test_profiles_of_other_settings_or_types_refuse_to_merge() -> None:
    numbers, words = ll.profile({"x": [1, 2]}), ll.profile({"x": ["a"]})
    with pytest.raises(ll.errors.ComparisonError, match="column 'x' is int64 on one side"):
        numbers.merge(words)
    table = pa.table({"x": [1], "c": ["a"]})
    with pytest.raises(ll.errors.ComparisonError, match="segments"):
        ll.profile(table).merge(ll.profile(table, segments=["c"]))
    with pytest.raises(ll.errors.InputError, match="nothing to merge"):
        ll.merge([])
