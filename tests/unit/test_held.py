"""States that are held encoded: the same bytes and the same states as those held as objects."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadline._native.library import ffi, lib
from leadline._native.rows import rows_body
from leadline.profile.cells import LazyStates
from leadline.profile.profile import Profile
from leadline.scan import units
from leadline.scan.cells import UnitCells
from leadline.snapshot import cells as snapshot_cells
from leadline.snapshot import encode
from leadline.snapshot.held import HeldStates
from leadline.snapshot.streams import decode_stream, encode_stream, join_stream
from scanning import profile_in_units

OPTIONS: dict[str, Any] = {"time": "when", "every": "1h", "segments": ("where",)}


def table(rows: int, seed: int, hours: int = 6) -> pa.Table:
    """Every kind of column and of state: exact and sketched, with all that a field may lack."""
    random = np.random.default_rng(seed)

    def nulls(share: float = 0.1) -> np.ndarray:
        return random.random(rows) < share

    number = random.normal(size=rows)
    number[nulls(0.05)] = np.nan
    number[nulls(0.02)] = -np.inf
    when = np.sort(random.integers(0, hours * 3_600_000, rows))
    words = [f"{value}" for value in random.zipf(1.3, rows) % 20_000]
    long = ["x" * (value % 300) for value in range(rows)]
    return pa.table(
        {
            "when": pa.array(when, pa.timestamp("ms"), mask=nulls(0.01)),
            "where": pa.array(random.choice(["DE", "FR", ""], rows, p=[0.9, 0.08, 0.02])),
            "number": pa.array(number, mask=nulls()),
            "rounded": pa.array(random.normal(size=rows).round(1)),
            "tenths": pa.array(np.arange(rows) / 10),
            "infinite": pa.array(np.full(rows, np.inf)),
            "zeros": pa.array(np.where(nulls(0.5), 0.0, -random.exponential(size=rows))),
            "count": pa.array(random.poisson(3, rows).astype(np.int16), mask=nulls()),
            "wide": pa.array(random.integers(-(2**62), 2**62, rows)),
            "top": pa.array(
                np.uint64(2**64 - 1) - random.integers(0, 2**40, rows).astype(np.uint64)
            ),
            "flag": pa.array(random.random(rows) < 0.3, mask=nulls()),
            "day": pa.array(random.integers(0, 50, rows).astype(np.int32), pa.date32()),
            "later": pa.array(random.integers(-(2**60), 2**60, rows), pa.timestamp("ns")),
            "text": pa.array(words, pa.string(), mask=nulls()),
            "unlike": pa.array([f"u{value}" for value in random.permutation(rows)]),
            "long": pa.array(long, pa.string(), mask=nulls(0.3)),
            "code": pa.array(random.choice(["a", "bb", ""], rows)).dictionary_encode(),
            "nothing": pa.nulls(rows),
            "empty": pa.nulls(rows, pa.float64()),
            "list": pa.array([[1]] * rows),
        }
    )


def nothing(_: units.UnitProfiler, __: UnitCells) -> range:
    return range(0)


def everything(_: units.UnitProfiler, cells: UnitCells) -> range:
    return range(len(cells.keys))


def all_but_ends(_: units.UnitProfiler, cells: UnitCells) -> range:
    return range(1, len(cells.keys) - 1)


@pytest.fixture(name="both")
def fixture_both(monkeypatch: pytest.MonkeyPatch) -> Any:
    def both(data: Any, **options: Any) -> tuple[Profile, Profile]:
        """What is held as objects, and what is held encoded."""
        found = []
        for which in (nothing, everything):
            monkeypatch.setattr(units.UnitProfiler, "holds", which)
            found.append(profile_in_units(data, **{**OPTIONS, **options}))
        return found[0], found[1]

    return both


def held_of(profile: Profile) -> list[Any]:
    return [cell for cell in profile.cells if isinstance(cell.states, LazyStates)]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(("rows", "unit_rows"), [(0, 64), (300, 64), (40_000, 9_000)])
def test_bytes_and_states_are_the_same(both: Any, rows: int, unit_rows: int, threads: int) -> None:
    objects, held = both(table(rows, 3), unit_rows=unit_rows, threads=threads)
    assert not held_of(objects)
    assert bool(held_of(held)) == (rows > 0)
    assert encode(held) == encode(objects)
    assert held == objects
    for cell, other in zip(held_of(held), objects.cells, strict=False):
        assert 0.2 < cell.nbytes / other.nbytes < 40
        assert cell.columns == other.columns


@settings(max_examples=15, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    rows=st.integers(1, 4_000),
    seed=st.integers(0, 2**16),
    unit_rows=st.sampled_from([200, 1_500]),
    memory=st.sampled_from([1, 100_000, 2**30]),
    threads=st.integers(1, 3),
    hours=st.sampled_from([1, 30]),
)
def test_whatever_is_held_the_bytes_are_the_same(
    rows: int, seed: int, unit_rows: int, memory: int, threads: int, hours: int
) -> None:
    data = table(rows, seed, hours)
    shuffled = data.take(np.random.default_rng(seed).permutation(rows))
    for given_rows in (data, shuffled):
        found = []
        for which in (nothing, everything, all_but_ends, units.UnitProfiler.holds):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(units.UnitProfiler, "holds", which)
                options = {} if which is nothing else {"memory": memory, "threads": threads}
                profile = profile_in_units(given_rows, unit_rows=unit_rows, **OPTIONS, **options)
                found.append(encode(profile))
        assert found[1:] == found[:1] * 3


def test_cells_of_several_units_are_merged(both: Any) -> None:
    objects, held = both(table(20_000, 5, hours=2), unit_rows=1_000)
    assert not held_of(held)[3:]
    assert encode(held) == encode(objects)


def test_only_new_cells_are_held() -> None:
    data = table(4_000, 7, hours=30)
    shuffled = data.take(np.random.default_rng(1).permutation(len(data)))
    in_order = profile_in_units(data, unit_rows=2_000, **OPTIONS)
    assert len(held_of(in_order)) > 0.8 * len(in_order.cells)
    mixed = profile_in_units(shuffled, unit_rows=1_000, **OPTIONS)
    assert len(held_of(mixed)) < 0.5 * len(mixed.cells)
    assert not held_of(profile_in_units(data, unit_rows=2_000))


def test_cells_that_neighbours_share_are_not_held() -> None:
    data = table(4_000, 7, hours=30)
    profile = profile_in_units(data, unit_rows=2_000, **OPTIONS)
    held = {cell.key for cell in held_of(profile)}
    hours = [
        data["when"][first : first + 2_000].drop_null().cast(pa.int64()).to_numpy() // 3_600_000
        for first in (0, 2_000)
    ]
    ends = {hour * 3_600_000_000 for unit in hours for hour in (unit.min(), unit.max())}
    for cell in profile.cells:
        at_border = cell.window.start is None or cell.window.start in ends
        assert (cell.key in held) == (not at_border)


def test_types_that_widen_between_files(both: Any, tmp_path: Path) -> None:
    first, second = table(2_000, 1, 4), table(2_000, 2, 4)
    later = pa.array(np.arange(2_000) + 10**8, pa.timestamp("ms"))
    second = second.set_column(second.schema.get_field_index("when"), "when", later)
    second = second.set_column(
        second.schema.get_field_index("count"), "count", pa.array(np.arange(2_000) / 3)
    )
    names = list(reversed(second.column_names))
    pq.write_table(first, tmp_path / "a.parquet")
    pq.write_table(second.select(names), tmp_path / "b.parquet")
    objects, held = both(str(tmp_path), unit_rows=700)
    assert held_of(held)
    assert encode(held) == encode(objects)


def test_very_large_cells_are_cut_into_parts(both: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    objects, held = both(table(5_000, 9), unit_rows=5_000)
    whole = encode(objects)
    monkeypatch.setattr(snapshot_cells, "PART_BYTES", 20_000)
    assert encode(objects) != whole
    assert encode(held) == encode(objects)


def test_copies_do_not_hold_addresses(both: Any) -> None:
    objects, held = both(table(3_000, 4), unit_rows=3_000)
    for copied in (pickle.loads(pickle.dumps(held)), copy.deepcopy(held)):
        assert not held_of(copied)
        assert encode(copied) == encode(objects)


def test_states_behave_as_a_mapping(both: Any) -> None:
    objects, held = both(table(3_000, 4), unit_rows=3_000)
    states, expected = held.cells[0].states, objects.cells[0].states
    assert isinstance(states, HeldStates)
    assert list(states) == list(expected)
    assert len(states) == len(expected)
    assert "number" in states
    assert "other" not in states
    with pytest.raises(KeyError):
        states["other"]
    assert states["number"] is states["number"]


# --- rows into Arrow streams ---------------------------------------------------------------------

TYPES = {"name": pa.utf8(), "rows": pa.int64(), "mean": pa.float64(), "values": pa.binary()}


@pytest.mark.parametrize("rows", [1, 3, 8, 9, 70])
def test_streams_are_those_that_pyarrow_writes(rows: int) -> None:
    random = np.random.default_rng(rows)
    for share in (0.0, 0.5, 1.0):
        columns: dict[str, list[Any]] = {
            "name": [f"column {row}" for row in range(rows)],
            "rows": random.integers(0, 2**60, rows).tolist(),
            "mean": random.normal(size=rows).tolist(),
            "values": [random.bytes(int(random.integers(0, 20))) for _ in range(rows)],
        }
        for name in ("mean", "values"):
            missing = random.random(rows) < share
            columns[name] = [
                None if gone else value for gone, value in zip(missing, columns[name], strict=True)
            ]
        expected = encode_stream(columns, TYPES, '{"a":1}', required=("name",))
        assert bytes(_joined(columns, rows)) == expected
        assert decode_stream(expected, TYPES, required=("name",))[0] == '{"a":1}'


def _joined(columns: dict[str, list[Any]], rows: int) -> memoryview:
    present = np.array([[v is not None for v in columns[name]] for name in TYPES], dtype=np.uint8)
    values, sizes = np.zeros((4, rows), np.uint64), np.zeros((4, rows), np.int64)
    kept = []
    for field, name in enumerate(TYPES):
        for row, value in enumerate(columns[name]):
            if isinstance(value, str | bytes):
                raw = value.encode() if isinstance(value, str) else value
                kept.append(np.frombuffer(raw or b"?", dtype=np.uint8))
                values[field, row], sizes[field, row] = kept[-1].ctypes.data, len(raw)
            elif value is not None:
                values[field, row] = np.array([value]).view(np.uint64)[0]
    body = rows_body(np.array([1, 0, 0, 1], np.uint8), present, values, sizes)
    names = tuple(name for name, held in zip(TYPES, body.written, strict=True) if held)
    return join_stream(names, TYPES, '{"a":1}', body)


def test_rows_of_another_shape_are_refused() -> None:
    present, values = np.ones((2, 3), np.uint8), np.zeros((2, 3), np.uint64)
    sizes = np.zeros((2, 3), np.int64)
    numbers = np.zeros(2, np.uint8)
    rows_body(numbers, present, values, sizes)
    for wrong in ((numbers[:1], present, values), (numbers, present, values[:1])):
        with pytest.raises(ValueError, match="fields of"):
            rows_body(*wrong, sizes)
    with pytest.raises(ValueError, match="size"):
        rows_body(numbers, present, values, sizes - 1)


def test_too_little_room_for_a_body_is_refused() -> None:
    rows = ffi.new("ll_rows *")
    memory = {
        "binary": ffi.new("uint8_t[1]", [1]),
        "present": ffi.new("uint8_t[1]", [1]),
        "values": ffi.new("uint64_t[1]"),
        "sizes": ffi.new("int64_t[1]", [10]),
    }
    content = ffi.new("uint8_t[10]")
    memory["values"][0] = int(ffi.cast("uintptr_t", content))
    rows.fields = rows.count = 1
    for name, held in memory.items():
        setattr(rows, name, held)
    out, nodes, buffers = ffi.new("uint8_t[64]"), ffi.new("int64_t[2]"), ffi.new("int64_t[6]")
    written, size = ffi.new("uint8_t[1]"), ffi.new("int64_t *")
    for room, code in ((43, lib.LL_ERROR_RANGE), (44, lib.LL_OK)):
        assert lib.ll_rows_body(rows, out, room, nodes, buffers, written, size) == code
    memory["sizes"][0] = 2**31
    assert lib.ll_rows_body(rows, out, 2**40, nodes, buffers, written, size) == lib.LL_ERROR_RANGE
