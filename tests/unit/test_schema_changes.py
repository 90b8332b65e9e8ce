"""Files whose columns differ: added later, widened, in conflict, and text that changes its type."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadline.errors import InputError, SchemaConflictError
from leadline.profile import Profile
from leadline.scan import profile
from leadline.snapshot import decode, encode
from leadline.snapshot.redact import hash_text
from snapshot_cases import decompressed


def write(folder: Path, **files: dict[str, Any]) -> Path:
    for name, columns in files.items():
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")
    return folder


def events(result: Profile) -> list[tuple[str, str, str]]:
    return [(event.column, event.source, event.what) for event in result.events]


def test_a_column_added_later_has_fewer_rows(tmp_path: Path) -> None:
    write(tmp_path, a={"x": [1, 2]}, b={"x": [3], "y": ["new"]}, c={"y": ["z"]})
    result = profile(tmp_path)
    assert result.rows == 4
    assert [(name, result[name].rows, result[name].nulls) for name in result.names] == [
        ("x", 3, 0),
        ("y", 2, 0),
    ]
    assert events(result) == [
        ("y", "b.parquet", "not in earlier files; it has fewer rows than they")
    ]


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_int_and_float_widen(tmp_path: Path, order: tuple[str, str]) -> None:
    write(tmp_path, a={"x": [1, 2]}, b={"x": [2.5, None]})
    result = profile([tmp_path / f"{name}.parquet" for name in order])
    assert (result["x"].type, result["x"].mean, result["x"].nulls) == ("double", 5.5 / 3, 1)
    assert len(result.events) == 1
    assert result.events[0].source == f"{order[1]}.parquet"
    assert "widened to double" in result.events[0].what


def test_widening_is_the_same_as_merging_profiles(tmp_path: Path) -> None:
    write(tmp_path, a={"x": list(range(2_000))}, b={"x": [0.5] * 999 + [None]})
    merged = profile(tmp_path / "a.parquet").merge(profile(tmp_path / "b.parquet"))
    assert profile(tmp_path).to_dict()["columns"] == merged.to_dict()["columns"]


@pytest.mark.parametrize("types", [("s", "ns"), ("ns", "ms"), ("us", "ms")])
def test_times_are_read_in_the_finer_unit(tmp_path: Path, types: tuple[str, str]) -> None:
    tables = [pa.table({"t": pa.array([0, None, 1000], pa.timestamp(unit))}) for unit in types]
    for name, table in zip("ab", tables, strict=True):
        with pa.ipc.new_file(tmp_path / f"{name}.arrow", table.schema) as writer:
            writer.write_table(table)
    result = profile(tmp_path, time="t", every="1d")
    finer = max(types, key=("s", "ms", "us", "ns").index)
    assert result["t"].type == f"timestamp[{finer}]"
    assert (result["t"].rows, result["t"].nulls) == (6, 2)


def test_times_in_text_files_are_read_in_the_finer_unit(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("t,x\n2013-03-10 00:00:00,1\n")
    (tmp_path / "b.csv").write_text("t,x\n2013-03-10 00:00:00.5,1\n")
    result = profile(tmp_path, time="t", every="1h")
    assert result["t"].type == "timestamp[ns]"
    assert [cell.rows for cell in result.cells] == [2]


def test_int_and_text_conflict(tmp_path: Path) -> None:
    write(tmp_path, a={"x": [1]}, b={"x": ["one"]})
    with pytest.raises(SchemaConflictError) as caught:
        profile(tmp_path)
    for part in ("'x'", "int64", "a.parquet", "string", "b.parquet", "separate"):
        assert part in str(caught.value)


def test_separate_keeps_conflicting_types_apart(tmp_path: Path) -> None:
    write(tmp_path, a={"x": [1]}, b={"x": ["one", "two"]}, c={"x": [2.5]}, d={"x": ["three"]})
    result = profile(tmp_path, on_schema_change="separate", roles={"x": "score"})
    assert [(c.name, c.type, c.role.value, result[c.name].rows) for c in result.columns] == [
        ("x", "double", "score", 2),
        ("x (string)", "string", "score", 3),
    ]
    assert events(result)[0] == ("x", "b.parquet", "string here; kept apart as 'x (string)'")


def test_every_type_of_a_redacted_column_is_redacted(tmp_path: Path) -> None:
    write(tmp_path, a={"x": [123_456_789]}, b={"x": ["Secretland"]}, c={"y": ["open"]})
    result = profile(tmp_path, on_schema_change="separate", redact=["x"])
    assert result.settings.redacted == ("x", "x (string)")
    for found in (result, decode(encode(result))):
        assert [column.redacted for column in found.columns] == [True, True, False]
        assert found["x (string)"].top == [(hash_text(b"Secretland").decode(), 1)]
    held = decompressed(encode(result))
    assert b"open" in held
    assert b"Secretland" not in held


def test_a_key_column_cannot_be_kept_apart(tmp_path: Path) -> None:
    write(tmp_path, a={"x": [1]}, b={"x": ["one"]})
    with pytest.raises(SchemaConflictError):
        profile(tmp_path, on_schema_change="separate", segments=["x"])


def test_a_missing_segment_column_is_null(tmp_path: Path) -> None:
    write(tmp_path, a={"x": [1], "s": ["u"]}, b={"x": [2]})
    assert profile(tmp_path, segments=["s"]).segments == (("u",), (None,))


def test_a_missing_time_column_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, a={"t": pa.array([0], pa.timestamp("s"))}, b={"x": [2]})
    with pytest.raises(InputError, match=r"b\.parquet has no time column 't'"):
        profile(tmp_path, time="t", every="1d")


def test_integers_and_floats_are_one_segment(tmp_path: Path) -> None:
    write(tmp_path, a={"s": [1, 2]}, b={"s": [1.0, 2.5]})
    result = profile(tmp_path, segments=["s"])
    assert [(cell.segment, cell.rows) for cell in result.cells] == [
        ((1.0,), 2),
        ((2.0,), 1),
        ((2.5,), 1),
    ]
    assert all(isinstance(cell.segment[0], float) for cell in result.cells)


def test_null_columns_take_the_type_of_others(tmp_path: Path) -> None:
    write(tmp_path, a={"x": [None, None]}, b={"x": ["u"]}, c={"x": [None]})
    result = profile(tmp_path)
    assert (result["x"].type, result["x"].rows, result["x"].nulls) == ("string", 4, 3)


# --- types of a whole text file ------------------------------------------------------------------

# Rows of this many bytes fill more than one block of the readers (4 MiB).
MANY = 10_000
PAD = "." * 500


def late_csv(folder: Path, first: str, last: str) -> Path:
    path = folder / "late.csv"
    path.write_text("pad,value\n" + f"{PAD},{first}\n" * MANY + f"{PAD},{last}\n")
    return path


@pytest.mark.parametrize(
    ("first", "last", "type_"),
    [
        ("1", "2.5", "double"),
        ("1", "NaN", "double"),
        ("1", "one", "string"),
        ("1.5", "one", "string"),
        ("", "7", "int64"),
        ("", "seven", "string"),
        ("true", "maybe", "string"),
        ("2013-03-10", "2013-03-10 10:00:00", "timestamp[s]"),
        ("2013-03-10 10:00:00", "2013-03-10 10:00:00.5", "timestamp[ns]"),
        ("2013-03-10", "yesterday", "string"),
    ],
)
def test_csv_types_are_those_of_the_whole_file(
    tmp_path: Path, first: str, last: str, type_: str
) -> None:
    result = profile(late_csv(tmp_path, first, last), threads=2)
    assert (result.rows, result["value"].rows, result["value"].type) == (MANY + 1, MANY + 1, type_)
    assert result["pad"].rows == MANY + 1
    (column, source, what), *others = events(result)
    assert (column, source) == ("value", "late.csv")
    assert what.endswith(f"at the start of the file, {type_} over all of it")
    assert others == []


def test_a_restarted_file_counts_once(tmp_path: Path) -> None:
    """Also between other files, and when part of it was folded already."""
    from scanning import profile_in_units

    late_csv(tmp_path, "1", "2.5").rename(tmp_path / "b.csv")
    for name in ("a.csv", "c.csv"):
        (tmp_path / name).write_text("pad,value\nx,2.5\nx,3\n")
    expected = profile_in_units(tmp_path, unit_rows=1_000, segments=("pad",))
    assert [cell.rows for cell in expected.cells] == [MANY + 1, 4]
    threaded = profile_in_units(tmp_path, unit_rows=1_000, segments=("pad",), threads=3, memory=1)
    assert encode(threaded) == encode(expected)


def test_text_files_conflict_like_others(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n1\n")
    (tmp_path / "b.csv").write_text("x\none\n")
    with pytest.raises(SchemaConflictError, match=r"int64 in .*a\.csv and string in .*b\.csv"):
        profile(tmp_path)
    assert profile(tmp_path, on_schema_change="separate").names == ("x", "x (string)")


@pytest.mark.parametrize(
    ("first", "last", "type_", "top"),
    [
        ({"v": 1}, {"v": 2.5}, "double", (1.0, MANY)),
        ({"v": 1}, {"v": "one"}, "string", ("1", MANY)),
        ({"v": True}, {"v": [1]}, "string", ("true", MANY)),
        ({"v": None}, {"v": 3}, "int64", (3, 1)),
        ({}, {"v": 3}, "int64", (3, 1)),
    ],
)
def test_json_types_are_those_of_the_whole_file(
    tmp_path: Path, first: dict[str, Any], last: dict[str, Any], type_: str, top: Any
) -> None:
    path = tmp_path / "late.jsonl"
    line = json.dumps({"pad": PAD, **first})
    path.write_text(f"{line}\n" * MANY + json.dumps({"pad": PAD, **last}) + "\n")
    result = profile(path)
    assert (result["v"].rows, result["v"].type, result["v"].top[0]) == (MANY + 1, type_, top)
    assert result["pad"].rows == MANY + 1


def test_json_structs_gain_fields(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"s": {"a": 1}}\n{"s": {"b": "x"}}\n{"s": null}\n')
    result = profile(path)
    assert {name: (result[name].rows, result[name].nulls) for name in result.names} == {
        "s.a": (3, 2),
        "s.b": (3, 2),
    }


def test_events_and_names_follow_the_order_of_the_files(tmp_path: Path) -> None:
    """Though the schemas of Parquet files are known before those of text files."""
    (tmp_path / "a.csv").write_text("x,y\none,1\n")
    write(tmp_path, b={"z": [1.0], "y": [2.5], "x": [7]})
    result = profile(tmp_path, on_schema_change="separate")
    assert result.names == ("x", "y", "z", "x (int64)")
    assert events(result) == [
        ("z", "b.parquet", "not in earlier files; it has fewer rows than they"),
        ("y", "b.parquet", "int64 widened to double"),
        ("x", "b.parquet", "int64 here; kept apart as 'x (int64)'"),
    ]
