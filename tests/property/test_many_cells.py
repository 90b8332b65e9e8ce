"""Many cells: memory and threads do not show in the bytes, and joining all of them is a fold."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import leadline as ll
from leadline import snapshot
from leadline.profile.cells import fold, merge_column
from leadline.profile.column import ColumnState
from leadline.profile.provenance import Settings
from scanning import profile_in_units

K = Settings().k


def table(rows: int, seed: int, *, shuffled: bool) -> pa.Table:
    random = np.random.default_rng(seed)
    times = random.integers(0, 30 * 3_600, rows)
    times = times if shuffled else np.sort(times)
    return pa.table(
        {
            "when": pa.array(times, pa.timestamp("s"), mask=random.random(rows) < 0.02),
            "where": random.choice(["DE", "FR", "NL"], rows),
            "number": random.normal(size=rows),
            "rounded": random.normal(size=rows).round(1),
            "count": random.poisson(3, rows),
            "text": [f"t{value}" for value in random.integers(0, 40, rows)],
        }
    )


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(
    rows=st.integers(1, 3_000),
    seed=st.integers(0, 2**16),
    shuffled=st.booleans(),
    unit_rows=st.sampled_from([300, 1_000]),
    memory=st.sampled_from([1, 60_000, 2**30]),
    threads=st.integers(1, 3),
)
def test_memory_and_threads_do_not_matter(
    rows: int, seed: int, shuffled: bool, unit_rows: int, memory: int, threads: int
) -> None:
    data = table(rows, seed, shuffled=shuffled)
    options = {"time": "when", "every": "1h", "segments": ("where",), "unit_rows": unit_rows}
    expected = snapshot.encode(profile_in_units(data, **options))
    found = profile_in_units(data, memory=memory, threads=threads, **options)
    assert snapshot.encode(found) == expected


def states_of(profile: ll.Profile, name: str) -> list[ColumnState]:
    return [cell.states[name] for cell in profile.cells]


@pytest.mark.parametrize("name", ["when", "where", "number", "rounded", "count", "text"])
@pytest.mark.parametrize("rows", [60, 4_000, 40_000])
def test_joining_all_cells_is_a_fold(name: str, rows: int) -> None:
    # 60 rows stay exact in every column; of 40,000 only the counts and the rounded numbers do.
    profile = ll.profile(table(rows, 5, shuffled=True), time="when", every="1h")
    states = states_of(profile, name)
    expected = fold(states, lambda a, b: a.merge(b, k=K))
    assert merge_column(states, k=K) == expected
    assert profile[name].state == expected


def test_columns_of_several_types_are_joined_too() -> None:
    whole = ll.profile({"x": [1, 2, 3]}).merge(ll.profile({"x": [2.5, 3.0]}))
    parts = [ll.profile({"x": values})["x"].state for values in ([1], [2, 3], [2.5], [3.0])]
    assert merge_column(parts, k=K).summary == whole["x"].state.summary
