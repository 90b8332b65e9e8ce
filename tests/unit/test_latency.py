"""Durations as classic and native histograms, against literals and NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import leadline as ll
from leadline.profile import ColumnState
from leadline.serve.latency import Latencies, measures_latency, spans_of, unit_of


def state(values: object, name: str = "latency_seconds") -> ColumnState:
    profile = ll.profile({name: np.asarray(values)}, roles={name: "latency"})
    return profile.cells[0].states[name]


def test_exact_values_land_where_prometheus_puts_them() -> None:
    held = Latencies((0.005, 0.1, 1.0)).add(state([0.0, 0.005, 0.0051, 0.1, 1.0, 20.0]))
    assert held.cumulative() == [(0.005, 2), (0.1, 4), (1.0, 5), (math.inf, 6)]
    # ceil(8 log2 x): the upper bound of a bucket belongs to it.
    assert held.positive == {-61: 1, -60: 1, -26: 1, 0: 1, 35: 1}
    assert (held.negative, held.zeros, held.count) == ({}, 1, 6)
    assert held.total == pytest.approx(21.1101, rel=1e-12)


def test_parts_add_up() -> None:
    values = np.random.default_rng(7).exponential(0.05, 30_000)
    parts = Latencies().add(state(values[:100])).add(state(values[100:5_000]))
    parts = parts.add(state(values[5_000:]))
    assert parts.count == 30_000 == parts.cumulative()[-1][1] == sum(parts.positive.values())
    assert parts.total == pytest.approx(values.sum(), rel=1e-12)
    for bound, below in parts.cumulative():
        # Within 0.2 % of a bound a value may be on its other side.
        low = np.count_nonzero(values <= bound * (1 - 2**-9))
        assert low <= below <= np.count_nonzero(values <= bound * (1 + 2**-9))


def test_sketched_native_buckets_hold_what_numpy_counts() -> None:
    values = np.random.default_rng(8).lognormal(-4, 1, 50_000)
    held = Latencies().add(state(values))
    numbers = np.ceil(8 * np.log2(values)).astype(int)
    assert sum(held.positive.values()) == 50_000
    for number in range(-80, 20):
        upto = sum(count for bucket, count in held.positive.items() if bucket <= number)
        bound = 2.0 ** (number / 8)
        assert abs(upto - np.count_nonzero(numbers <= number)) <= np.count_nonzero(
            abs(values / bound - 1) <= 2**-9
        )


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=50))
def test_any_doubles_are_counted_or_left_out(values: list[float]) -> None:
    held = Latencies().add(state(values))
    finite = [value for value in values if math.isfinite(value)]
    assert held.count == len(finite) == held.cumulative()[-1][1]
    natives = [*held.positive.values(), *held.negative.values()]
    assert held.zeros + sum(natives) == len(finite)
    assert sum(held.negative.values()) == sum(value < 0 for value in finite)


def test_units_are_read_from_names() -> None:
    held = Latencies((0.1,)).add(state([50, 200], "took_ms"))
    assert held.cumulative() == [(0.1, 1), (math.inf, 2)]
    assert held.total == pytest.approx(0.25)
    assert [unit_of(name) for name in ("latency", "t_us", "T_NS")] == [1.0, 1e-6, 1e-9]


def test_only_numbers_with_the_role_are_durations() -> None:
    data = {"a": [1.0], "b": [1.0], "c": [True], "d": ["x"]}
    roles = dict.fromkeys("bcd", "latency")
    states = ll.profile(data, roles=roles).cells[0].states
    assert [name for name in data if measures_latency(states[name])] == ["b"]


def test_spans_have_no_gaps() -> None:
    assert spans_of({}) == ([], [])
    assert spans_of({5: 4}) == ([(5, 1)], [4])
    assert spans_of({-3: 1, -2: 4, 0: 2, 1: 2}) == ([(-3, 2), (1, 2)], [1, 3, -2, 0])
