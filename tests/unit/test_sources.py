"""What may be profiled: paths, folders, globs, partitions, and objects of every library."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
import zstandard

import leadline as ll
from leadline.errors import InputError
from leadline.scan import Progress, profile

TABLE = pa.table({"x": [1, 2, None, 4], "s": ["a", "b", "a", None], "f": [0.5, None, 2.5, -1.0]})


def write_stream(table: pa.Table, path: Path) -> None:
    with pa.ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table)


def write_file(table: pa.Table, path: Path) -> None:
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)


def write_json(table: pa.Table, path: Path) -> None:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in table.to_pylist()))


def compressed(
    write: Callable[[pa.Table, Path], None], pack: Callable[[bytes], bytes]
) -> Callable[[pa.Table, Path], None]:
    def write_compressed(table: pa.Table, path: Path) -> None:
        write(table, path)
        path.write_bytes(pack(path.read_bytes()))

    return write_compressed


FORMATS: dict[str, Callable[[pa.Table, Path], None]] = {
    "a.parquet": pq.write_table,
    "a.pq": pq.write_table,
    "a.arrow": write_file,
    "a.feather": write_file,
    "a.arrows": write_stream,
    "a.ipc": write_stream,
    "a.csv": pa.csv.write_csv,
    "A.CSV": pa.csv.write_csv,
    "a.csv.gz": compressed(pa.csv.write_csv, gzip.compress),
    "a.csv.zst": compressed(pa.csv.write_csv, zstandard.compress),
    "a.jsonl": write_json,
    "a.ndjson": write_json,
    "a.json": write_json,
    "a.jsonl.gz": compressed(write_json, gzip.compress),
    "a.jsonl.zst": compressed(write_json, zstandard.compress),
}


def figures(result: ll.Profile) -> dict[str, Any]:
    return {
        name: (result[name].type, result[name].rows, result[name].nulls, result[name].top)
        for name in result.names
    }


EXPECTED = {
    "x": ("int64", 4, 1, [(1, 1), (2, 1), (4, 1)]),
    "s": ("string", 4, 1, [("a", 2), ("b", 1)]),
    "f": ("double", 4, 1, [(-1.0, 1), (0.5, 1), (2.5, 1)]),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_figures(tmp_path: Path, name: str) -> None:
    FORMATS[name](TABLE, tmp_path / name)
    result = profile(tmp_path / name)
    assert figures(result) == EXPECTED
    assert [(entry.name, entry.rows) for entry in result.lineage] == [(name, 4)]
    assert result.lineage[0].size == (tmp_path / name).stat().st_size
    assert profile(str(tmp_path / name)).lineage == result.lineage


@pytest.mark.parametrize("name", FORMATS)
def test_only_chosen_columns(tmp_path: Path, name: str) -> None:
    FORMATS[name](TABLE, tmp_path / name)
    assert figures(profile(tmp_path / name, columns=["s"])) == {"s": EXPECTED["s"]}


@pytest.mark.parametrize(
    "make",
    [
        lambda: TABLE,
        lambda: TABLE.to_batches()[0],
        TABLE.to_reader,
        lambda: pl.from_arrow(TABLE),
        lambda: TABLE.to_pandas(types_mapper=pd.ArrowDtype),
        TABLE.to_pydict,
        lambda: dict(zip(TABLE.column_names, TABLE.columns, strict=True)),
        lambda: iter(TABLE.to_batches(max_chunksize=2)),
        lambda: TABLE.to_batches(max_chunksize=3),
        lambda: [pl.from_arrow(TABLE.slice(0, 2)), pl.from_arrow(TABLE.slice(2))],
    ],
    ids=[
        "table",
        "batch",
        "reader",
        "polars",
        "pandas",
        "lists",
        "arrays",
        "iterator",
        "list",
        "frames",
    ],
)
def test_objects(make: Callable[[], Any]) -> None:
    result = profile(make())
    assert figures(result) == EXPECTED
    assert [(entry.name, entry.size, entry.rows) for entry in result.lineage] == [
        ("<memory>", 0, 4)
    ]


def test_numpy() -> None:
    assert figures(profile(np.array([1, 2, 2]))) == {"value": ("int64", 3, 0, [(2, 2), (1, 1)])}
    records = np.array([(1, 2.5), (3, 4.5)], dtype=[("a", ">i2"), ("b", "f4")])
    assert figures(profile(records)) == {
        "a": ("int16", 2, 0, [(1, 1), (3, 1)]),
        "b": ("float", 2, 0, [(2.5, 1), (4.5, 1)]),
    }
    days = np.array(["2013-03-10", "NaT"], dtype="datetime64[D]")
    assert figures(profile({"d": days})) == {"d": ("date32[day]", 2, 1, [(date(2013, 3, 10), 1)])}
    strided = np.arange(10)[::3]
    assert figures(profile({"n": strided}))["n"][3] == [(0, 1), (3, 1), (6, 1), (9, 1)]


@pytest.mark.parametrize("series", [pd.Series([1, 2], name="q"), pl.Series("q", [1, 2])])
def test_series(series: Any) -> None:
    assert figures(profile(series)) == {"q": ("int64", 2, 0, [(1, 1), (2, 1)])}


def test_pandas_index_is_no_column() -> None:
    frame = pd.DataFrame({"a": [1, 2]}, index=[7, 5])
    assert profile(frame).names == ("a",)
    assert profile(frame.rename_axis("key")).names == ("a", "key")


def test_structs_are_flattened(tmp_path: Path) -> None:
    rows = [{"a": 1, "b": {"c": "x"}}, None, {"a": None, "b": None}]
    data = pa.table({"s": rows, "s.z": [1, 2, 3], "l": [[1], None, []]})
    pq.write_table(data, tmp_path / "a.parquet")
    for source in (data, tmp_path / "a.parquet"):
        result = profile(source)
        assert result.names == ("s.a", "s.b.c", "s.z", "l")
        assert [result[name].nulls for name in result.names] == [2, 2, 0, 1]
        assert profile(source, columns=["s"]).names == ("s.a", "s.b.c", "s.z")
        assert profile(source, columns=["s.b.c"]).names == ("s.b.c",)


def test_folders_and_globs_are_sorted(tmp_path: Path) -> None:
    for name in (
        "b/2.parquet",
        "b/10.parquet",
        "a.csv",
        ".hidden.csv",
        "_SUCCESS",
        "notes.txt",
        ".git/x.csv",
        "_tmp/y.csv",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        (pq.write_table if path.suffix == ".parquet" else pa.csv.write_csv)(TABLE, path)
    assert [entry.name for entry in profile(tmp_path).lineage] == [
        "a.csv",
        "b/10.parquet",
        "b/2.parquet",
    ]
    assert [entry.name for entry in profile(tmp_path / "b" / "*.parquet").lineage] == [
        "10.parquet",
        "2.parquet",
    ]
    given = [tmp_path / "b" / "2.parquet", tmp_path / "a.csv", tmp_path / "b"]
    assert [entry.name for entry in profile(given).lineage] == [
        "b/2.parquet",
        "a.csv",
        "b/10.parquet",
    ]


def test_a_file_given_twice_counts_once(tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "a.parquet")
    assert profile([tmp_path / "a.parquet", tmp_path, f"{tmp_path}/*.parquet"]).rows == 4


def test_names_with_special_characters(tmp_path: Path) -> None:
    name = 'a [1] "b" <i>\n.csv'
    (tmp_path / name).write_text('"x ""quoted"" <b>","tab\there"\n1,2\n')
    result = profile(tmp_path / name)
    assert result.names == ('x "quoted" <b>', "tab\there")
    assert result.lineage[0].name == name


def test_partitions_become_columns(tmp_path: Path) -> None:
    for year, land in ((2023, "DE"), (2024, "a%20b"), (2024, "__HIVE_DEFAULT_PARTITION__")):
        folder = tmp_path / f"year={year}" / f"land={land}"
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"x": [year, year]}), folder / "a.parquet")
    result = profile(tmp_path, segments=["year", "land"])
    assert result.names == ("x", "year", "land")
    assert [(cell.segment, cell.rows) for cell in result.cells] == [
        ((2023, "DE"), 2),
        ((2024, "a b"), 2),
        ((2024, None), 2),
    ]
    assert profile(tmp_path, columns=["year"])["year"].top == [(2024, 4), (2023, 2)]


@pytest.mark.parametrize(
    ("values", "type_", "top"),
    [
        (["2024-02-28", "2024-02-29"], "date32[day]", [date(2024, 2, 28), date(2024, 2, 29)]),
        (["2024-02-28", "2024-02-30"], "string", ["2024-02-28", "2024-02-30"]),
        (["2024-02-28", "20240229"], "string", ["2024-02-28", "20240229"]),
        (["-1", "0"], "int64", [-1, 0]),
        (["01", "1"], "string", ["01", "1"]),
    ],
)
def test_types_of_partitions(
    tmp_path: Path, values: list[str], type_: str, top: list[object]
) -> None:
    for value in [*values, "__HIVE_DEFAULT_PARTITION__"]:
        (tmp_path / f"key={value}").mkdir()
        pq.write_table(pa.table({"x": [1]}), tmp_path / f"key={value}" / "a.parquet")
    column = profile(tmp_path)["key"]
    assert (column.type, column.rows, column.nulls) == (type_, 3, 1)
    assert column.top == [(value, 1) for value in top]


def test_dates_of_partitions_make_windows(tmp_path: Path) -> None:
    for day in ("2024-02-28", "2024-02-29"):
        (tmp_path / f"day={day}").mkdir()
        pq.write_table(pa.table({"x": [1, 2]}), tmp_path / f"day={day}" / "a.parquet")
    result = profile(tmp_path, time="day", every="1d")
    begins = [datetime(2024, 2, day, tzinfo=UTC).timestamp() * 1_000_000 for day in (28, 29)]
    assert [(cell.window.start, cell.rows) for cell in result.cells] == [
        (begin, 2) for begin in begins
    ]


@pytest.mark.parametrize("name", FORMATS)
def test_partitions_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / "year=2024").mkdir()
    FORMATS[name](TABLE, tmp_path / "year=2024" / name)
    assert profile(tmp_path, columns=["year"])["year"].top == [(2024, 4)]


def test_lineage_recognises_files(tmp_path: Path) -> None:
    hashes = set()
    for name, value in (("a.parquet", 1), ("b.parquet", 2), ("a.csv", 1), ("b.csv", 2)):
        write = pq.write_table if name.endswith("parquet") else pa.csv.write_csv
        write(pa.table({"x": [value]}), tmp_path / name)
        hashes.add(profile(tmp_path / name).lineage[0].footer_hash)
    assert len(hashes) == 4
    assert profile(tmp_path).lineage == profile(str(tmp_path)).lineage


def test_progress(tmp_path: Path) -> None:
    for part in range(3):
        pq.write_table(TABLE, tmp_path / f"{part}.parquet")
    seen: list[Progress] = []
    profile(tmp_path, progress=seen.append, threads=2)
    assert [step.rows_done for step in seen] == [0, 4, 8, 12, 12]
    assert {step.rows_total for step in seen} == {12}
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert seen[-1] == Progress(12, 12, 3, 3, size, size)


def test_segments_of_every_type() -> None:
    data = {
        "text": ["a", None, "a", "b"],
        "number": [1, 1, 1, 2],
        "flag": [True, None, True, False],
        "float": [0.0, float("nan"), -0.0, 2.5],
        "day": [date(2013, 3, 10), None, date(2013, 3, 10), date(2013, 3, 11)],
    }
    result = profile(data, segments=list(data))
    assert result.segments == (
        ("a", 1, True, 0.0, "2013-03-10"),
        ("b", 2, False, 2.5, "2013-03-11"),
        (None, 1, None, None, None),
    )
    assert [cell.rows for cell in result.cells] == [2, 1, 1]


def test_time_alone_makes_one_window() -> None:
    result = profile({"t": pa.array([0, 10**9], pa.timestamp("s"))}, time="t")
    assert [cell.window for cell in result.cells] == [None]


def test_zone_of_the_column_is_the_default() -> None:
    data = pa.table({"t": pa.array([0], pa.timestamp("s", "Asia/Kathmandu"))})
    result = profile(data, time="t", every="1d")
    assert result.settings.tz == "Asia/Kathmandu"
    assert result.windows[0].start == -19_800_000_000  # +05:30 until 1986
    assert profile(data, time="t", every="1d", tz="UTC").windows[0].start == 0


def test_too_many_cells_are_refused_with_an_estimate() -> None:
    days = pa.array(np.arange(5_000) * 86_400, pa.timestamp("s"))
    with pytest.raises(InputError, match=r"5,000 cells in the first 5,000 rows .*1,000.*max_cells"):
        profile({"t": days}, time="t", every="1d", max_cells=1_000)
    assert len(profile({"t": days}, time="t", every="1mo", max_cells=1_000).cells) == 165


# --- open files and imports ----------------------------------------------------------------------


class Opened:
    """Stands for a function of pyarrow that opens files, and keeps what it opened."""

    def __init__(self, opens: Callable[..., Any]) -> None:
        self.files: list[Any] = []
        self._opens = opens

    def __call__(self, *arguments: Any) -> Any:
        self.files.append(self._opens(*arguments))
        return self.files[-1]


@pytest.mark.parametrize(
    ("name", "opens"),
    [
        ("a.arrow", "memory_map"),
        ("a.arrows", "OSFile"),
        ("a.csv", "OSFile"),
        ("a.csv.gz", "OSFile"),
        ("a.jsonl.zst", "OSFile"),
    ],
)
def test_files_are_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, opens: str
) -> None:
    FORMATS[name](TABLE, tmp_path / name)
    opened = Opened(getattr(pa, opens))
    monkeypatch.setattr(pa, opens, opened)
    assert profile(tmp_path / name, threads=2)["x"].top == [(1, 1), (2, 1), (4, 1)]
    assert len(opened.files) >= 2
    assert all(file.closed for file in opened.files)


@pytest.mark.parametrize(("name", "content"), [("a.csv", b"a,b"), ("a.csv.gz", b"")])
def test_files_that_cannot_be_read_are_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    opened = Opened(pa.OSFile)
    monkeypatch.setattr(pa, "OSFile", opened)
    with pytest.raises(InputError, match="no header line"):
        profile(tmp_path / name)
    assert opened.files
    assert all(file.closed for file in opened.files)


def test_formats_are_imported_when_read() -> None:
    code = (
        "import sys, leadline\n"
        "leadline.profile({'x': [1]})\n"
        "late = {'pyarrow.parquet', 'pyarrow.csv', 'pyarrow.json'} & set(sys.modules)\n"
        "assert not late, late\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_of_csv(tmp_path: Path, delimiter: str) -> None:
    lines = [["age", "note", "price"], ["31", '"a, b"', "1,5"], ["45", f'"c{delimiter}d"', ""]]
    path = tmp_path / "x.csv"
    path.write_text("".join(delimiter.join(line) + "\n" for line in lines))
    profile = ll.profile(path)
    expected = pd.read_csv(path, sep=delimiter)
    assert [column.name for column in profile.columns] == list(expected.columns)
    assert profile["age"].mean == expected["age"].mean()
    assert profile["note"].rows == len(expected)
    assert profile["price"].nulls == expected["price"].isna().sum()


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ('"a;b",c\n1,2\n', ["a;b", "c"]),
        ("a b\n1\n", ["a b"]),
        ("a|b;c;d\n1;2;3\n", ["a|b", "c", "d"]),
    ],
)
def test_a_comma_is_the_first_choice(tmp_path: Path, text: str, columns: list[str]) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    assert [column.name for column in ll.profile(path).columns] == columns
