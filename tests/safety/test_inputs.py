"""Bad input ends in one clear InputError or a correct result; never in a crash or a traceback."""

from __future__ import annotations

import gzip
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
import zstandard

from leadline.errors import InputError, LeadlineError
from leadline.scan import Progress, profile

TABLE = pa.table(
    {
        "t": pa.array([0, None, 86_400_000], pa.timestamp("ms")),
        "x": [1.5, None, float("nan")],
        "s": pa.array(["a", "b", "a"]).dictionary_encode(),
        "n": [{"u": 1}, None, {"u": 3}],
        "l": [[1], [], None],
    }
)


def ipc_bytes(table: pa.Table, *, stream: bool, compression: str | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    make = pa.ipc.new_stream if stream else pa.ipc.new_file
    with make(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def parquet_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())


# --- files ---------------------------------------------------------------------------------------

PARQUET = parquet_bytes(TABLE)
CSV = b"a,b\n1,x\n2,y\n"

FILES: dict[str, tuple[str, bytes, str]] = {
    "empty parquet": ("a.parquet", b"", "a.parquet is empty"),
    "empty csv": ("a.csv", b"", "a.csv is empty"),
    "empty gz": ("a.csv.gz", gzip.compress(b""), "no header line"),
    "empty json": ("a.jsonl", b"", "a.jsonl is empty"),
    "blank json": ("a.jsonl", b"\n\n", "has no columns"),
    "empty arrow": ("a.arrow", b"", "a.arrow is empty"),
    "text as parquet": ("a.parquet", b"a,b\n1,2\n", "not a Parquet file: it starts with b'a,b"),
    "csv as arrow": ("a.arrow", CSV, "not an Arrow IPC file"),
    "parquet as csv": ("a.csv", PARQUET, "not a CSV file.*like a Parquet file"),
    "gzip as csv": ("a.csv", gzip.compress(CSV), "not a CSV file.*like a gzip file"),
    "zstd as csv": ("a.csv", zstandard.compress(CSV), "not a CSV file.*like a zstd file"),
    "csv as gzip": ("a.csv.gz", CSV, "not a gzip file"),
    "gzip as zstd": ("a.csv.zst", gzip.compress(CSV), "not a zstd file.*like a gzip file"),
    "utf-16": ("a.csv", "a,b\n1,2\n".encode("utf-16"), "UTF-16"),
    "feather 1": ("a.feather", b"FEA1" + bytes(100), "Feather file of version 1"),
    "truncated parquet": ("a.parquet", PARQUET[:-10], "not a whole Parquet file"),
    "parquet head": ("a.parquet", b"PAR1", "not a whole Parquet file"),
    "encrypted parquet": ("a.parquet", b"PARE" + bytes(100), "encrypted"),
    "truncated gzip": (
        "a.csv.gz",
        gzip.compress(CSV * 9999)[:-9],
        "cannot be read: .*[Tt]runcated",
    ),
    "header without end": ("a.csv", b"a,b", "no header line"),
    "short row": ("a.csv", b"a,b\n1,2\n3\n", "row 3 .* has 1 fields, not 2"),
    "long row": ("a.csv", b"a,b\n1,2,3\n", "row 2 .* has 3 fields, not 2"),
    "duplicate header": ("a.csv", b"a,b,a\n1,2,3\n", "column 'a' occurs more than once"),
    "header not utf-8": ("a.csv", b"a,\xff\n1,2\n", "not valid UTF-8"),
    "json array": ("a.json", b'[{"a": 1}]', "one object on every line"),
    "json scalar": ("a.json", b"3\n", "one object on every line"),
    "json null": ("a.jsonl", b"null\n", "line 1 is not a JSON object; .* one object on every line"),
    "json null row": ("a.jsonl", b'{"a": null}\nnull', "line 2 is not a JSON object"),
    "json null first": ("a.jsonl", b'null {"a": 1}\n', "line 1 is not JSON"),
    "json null behind": ("a.jsonl", b'{"a": 1} null\n{"a": 2}\n', "line 1 is not JSON"),
    "broken json": (
        "a.jsonl",
        b'{"a": 1}\n\n{"a": \n',
        r"a.jsonl: line 3 is not JSON \(.*\); correct the line or remove it, or get the whole file",
    ),
    "broken mixed json": ("a.jsonl", b'{"a": 1}\n{"a": "x"}\n{"a": \n', "line 3 is not JSON"),
    "json brace too many": ("a.jsonl", b'{"a": 1}\n{"a": 2}}\n', "line 2 is not JSON"),
    "json half a pair": (
        "a.jsonl",
        b'{"a": 1}\n\n{"a": "\\ud800"}\n',
        "line 3: The surrogate pair in string is invalid; correct the line",
    ),
    "json key twice": ("a.jsonl", b'{"a": 1, "a": 2}\n', "line 1: key 'a' is there twice; correct"),
    "json key twice, mixed": ("a.jsonl", b'{"a": 1}\n{"a": "x", "a": 2}\n', "line 2: key 'a' is"),
    "unknown suffix": ("a.xls", b"abc", "no suffix of a known format"),
    "no columns": ("a.parquet", parquet_bytes(pa.table({})), "has no columns"),
    "duplicate columns": (
        "a.arrow",
        ipc_bytes(pa.table([[1], [2]], names=["x", "x"]), stream=False),
        "column 'x' occurs more than once",
    ),
    "duplicate after flattening": (
        "a.arrow",
        ipc_bytes(pa.table({"s": [{"a": 1}], "s.a": [2]}), stream=False),
        "column 's.a' occurs more than once",
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_bad_files(tmp_path: Path, case: str) -> None:
    name, content, message = FILES[case]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        profile(tmp_path / name)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bad_paths(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path, message in {
        "missing.parquet": "does not exist",
        "*.parquet": "no file matches",
        "empty": "holds no file of a known format",
        "a\0b": "zero byte",
    }.items():
        with pytest.raises(InputError, match=message):
            profile(f"{tmp_path}/{path}")
    with pytest.raises(InputError, match="path is empty"):
        profile("")
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(InputError, match="not a regular file"):
        profile(tmp_path / "pipe.csv")
    (tmp_path / "b.csv").write_bytes(CSV)
    with pytest.raises(InputError, match="cannot be mixed"):
        profile([tmp_path / "b.csv", TABLE])


def test_names_of_files_that_are_no_utf8(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff.csv")
    path.write_bytes(CSV)
    for data in (path, tmp_path):
        with pytest.raises(InputError, match=r"udcff\.csv' is not valid UTF-8; rename it"):
            profile(data)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": ["agee"]}, "no column 'agee'; did you mean 'age'?"),
        ({"columns": ["age", "age"]}, "names the column 'age' twice"),
        ({"columns": "age"}, "takes a list"),
        ({"columns": []}, "no columns"),
        ({"time": "tim", "every": "1d"}, "no column 'tim'; did you mean 'time'?"),
        ({"time": "age", "every": "1d"}, "'age' holds int64, not times"),
        ({"every": "1d"}, "give time="),
        ({"time": "time", "every": "1y"}, "not a window length"),
        ({"time": "time", "every": "1d", "tz": "Mars/Olympus"}, "no time zone"),
        ({"tz": "Mars/Olympus"}, "no time zone"),
        ({"segments": ["nothing"]}, "no column 'nothing'"),
        ({"segments": ["list"]}, "'list' holds list<"),
        ({"roles": {"ag": "score"}}, "did you mean 'age'?"),
        ({"roles": {"age": "skore"}}, "no role 'skore'"),
        ({"redact": ["ag"]}, "did you mean 'age'?"),
        ({"every": 5, "time": "time"}, "every is a text, not 5"),
        ({"time": 5}, "time is a text, not 5"),
        ({"tz": 5}, "tz is a text, not 5"),
        ({"segments": 5}, "segments takes a list of column names, not 5"),
        ({"columns": 5}, "columns takes a list of column names, not 5"),
        ({"redact": [5]}, "redact takes column names, not 5"),
        ({"roles": ["age"]}, "roles takes a mapping"),
        ({"roles": {"age": 5}}, "roles maps names to texts, not 'age' to 5"),
        ({"tags": "model=a"}, "tags takes a mapping"),
        ({"tags": {1: "a"}}, "tags maps names to texts, not 1 to 'a'"),
        ({"tags": {"model": 2}}, "tags maps names to texts, not 'model' to 2"),
        ({"rank_error": "x"}, "rank_error is a number, not 'x'"),
        ({"rank_error": True}, "rank_error is a number, not True"),
        ({"threads": 0}, "threads is a whole number"),
        ({"memory": 0}, "memory is a whole number"),
        ({"max_cells": -1}, "max_cells is a whole number"),
        ({"on_schema_change": "ignore"}, "on_schema_change"),
        ({"rank_error": 0.0}, "rank"),
        ({"rank_error": float("nan")}, "rank"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    data = {"age": [1], "time": pa.array([0], pa.timestamp("s")), "list": [[1]]}
    with pytest.raises(InputError, match=message.replace("?", r"\?")):
        profile(data, **options)


# --- objects -------------------------------------------------------------------------------------


def failing_batches() -> Iterator[pa.RecordBatch]:
    yield TABLE.to_batches()[0]
    yield pa.record_batch({"other": [1]})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: None, "cannot profile a NoneType"),
        (lambda: 3, "cannot profile a int"),
        (list, "nothing to profile"),
        (lambda: b"bytes", "cannot profile a bytes"),
        (lambda: [1, 2], "item 0 of the iterable is a int"),
        (lambda: iter(()), "no batches"),
        (failing_batches, "batch 1 has another schema"),
        (dict, "no columns"),
        (lambda: {"a": [1], "b": [1, 2]}, "'a' has 1 rows, 'b' 2"),
        (lambda: {"a": 1}, "give an array"),
        (lambda: {"a": "text"}, "give an array"),
        (lambda: {1: [1]}, "column names are text"),
        (lambda: {"a\ud800": [1]}, r"the column name 'a\\ud800' is not valid text"),
        (lambda: np.zeros(2, dtype=[("a\ud800", "f8")]), "is not valid text"),
        (lambda: pa.table([[1]], schema=pa.schema([(b"\xff", pa.int64())])), "not valid UTF-8"),
        (lambda: {"a": [1, "x"]}, "column 'a' cannot be read"),
        (lambda: {"a": np.array([1, object()], dtype=object)}, "column 'a' cannot be read"),
        (lambda: np.zeros((2, 3)), "2 dimensions"),
        (lambda: np.array(3), "0 dimensions"),
        (lambda: {"a": np.zeros(2, dtype=complex)}, "column 'a' cannot be read"),
        (lambda: pd.DataFrame({"a": [1, "x"]}), "cannot be read"),
        (lambda: pd.DataFrame([[1, 2]], columns=["a", "a"]), "a"),
        (lambda: pa.table([[1], [2]], names=["x", "x"]), "'x' occurs more than once"),
        (lambda: pl.LazyFrame({"a": [1]}), r"call \.collect"),
    ],
)
def test_bad_objects(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        profile(make())
    assert "\n" not in str(caught.value)


def test_zero_rows() -> None:
    empty = TABLE.slice(0, 0)
    for data in (empty, empty.to_reader(), {"a": np.zeros(0)}, pd.DataFrame({"a": []})):
        result = profile(data)
        assert (result.rows, len(result.cells)) == (0, 1)
        assert all(result[name].rows == 0 for name in result.names)
    assert profile(empty, time="t", every="1d").cells == ()


def test_zero_rows_in_files(tmp_path: Path) -> None:
    pq.write_table(TABLE.slice(0, 0), tmp_path / "a.parquet")
    (tmp_path / "b.csv").write_text("y\n")
    result = profile(tmp_path)
    assert result.rows == 0
    assert [entry.rows for entry in result.lineage] == [0, 0]
    assert result.names == ("t", "x", "s", "n.u", "l", "y")


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_invalid_utf8_is_data(tmp_path: Path, name: str) -> None:
    csv, lines = b"k,s\n1,a\xff\n2,b\n", b'{"k": 1, "s": "a\xff"}\n{"k": 2, "s": "b"}\n'
    (tmp_path / name).write_bytes(csv if name == "a.csv" else lines)
    result = profile(tmp_path / name, segments=["s"])
    assert result["s"].type == "string"
    assert [cell.segment for cell in result.cells] == [("a\\xff",), ("b",)]


@pytest.mark.parametrize("stream", [False, True])
def test_invalid_utf8_in_arrow_files_is_data(tmp_path: Path, stream: bool) -> None:
    bad = pa.array([b"a\xff", None, b"b"]).view(pa.string())
    columns = {
        "s": bad,
        "d": bad.dictionary_encode(),
        "n": pa.StructArray.from_arrays([bad], ["u"]),
    }
    (tmp_path / "a.arrow").write_bytes(ipc_bytes(pa.table(columns), stream=stream))
    result = profile(tmp_path / "a.arrow")
    for name in ("s", "d", "n.u"):
        assert result[name].top == [("a\\xff", 1), ("b", 1)]


def test_csv_niceties(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'\xef\xbb\xbfa,b\r\n1,"x,\r\n""y"""\r\n\r\nNA,\r\n')
    result = profile(path)
    assert (result["a"].type, result["a"].nulls, result["a"].top) == ("int64", 1, [(1, 1)])
    assert (result["b"].nulls, result["b"].top) == (1, [('x,\r\n"y"', 1)])


def test_long_records(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1," + "x" * (9 << 20) + "\n2,y\n")
    assert profile(path).rows == 2


def test_a_ragged_row_is_named_wherever_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ["a,b", *(f"{number},1" for number in range(2, 1_001))]
    lines[899] = "1,2,3"  # the header is row 1
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines) + "\n")
    for block in (1 << 22, 700):
        monkeypatch.setattr("leadline.scan.formats.csv._BLOCK", block)
        with pytest.raises(InputError, match=r"a\.csv: row 900 .* has 3 fields, not 2"):
            profile(path, threads=2)


def test_a_segment_column_with_a_million_values_ends_quickly() -> None:
    data = {"user": np.arange(1_000_000), "x": np.zeros(1_000_000)}
    begin = time.monotonic()
    with pytest.raises(InputError, match=r"'user' has 1,000,000 values .* 100,000 cells"):
        profile(data, segments=["user"])
    assert time.monotonic() - begin < 20


def test_hostile_arrow_memory_is_refused(tmp_path: Path) -> None:
    offsets = pa.py_buffer(np.array([0, 2**30, 5], dtype=np.int32))
    bad = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"hello")])
    codes = pa.array([0, 99], pa.int32())
    wild = pa.DictionaryArray.from_arrays(codes, pa.array(["a"]), safe=False)
    for array in (bad, wild):
        table = pa.table({"x": array})
        for stream in (False, True):
            (tmp_path / "a.arrow").write_bytes(ipc_bytes(table, stream=stream))
            with pytest.raises(InputError, match=r"a\.arrow"):
                profile(tmp_path / "a.arrow")


DAMAGED: dict[str, bytes] = {
    "a.parquet": PARQUET,
    "a.arrow": ipc_bytes(TABLE, stream=False),
    "a.arrows": ipc_bytes(TABLE, stream=True, compression="zstd"),
    "a.csv.gz": gzip.compress(CSV * 40, mtime=0),
    "a.jsonl": b'{"a": 1, "b": {"c": "x"}}\n{"a": 2.5, "b": null}\n',
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files(tmp_path: Path, name: str) -> None:
    """Every truncation and a flip in every byte (in steps for long files)."""
    content = DAMAGED[name]
    path = tmp_path / name
    step = max(len(content) // 300, 1)
    variants = [content[:end] for end in range(0, len(content), step)]
    for place in range(0, len(content), step):
        changed = bytearray(content)
        changed[place] ^= 1 << (place % 8)
        variants.append(bytes(changed))
    for variant in variants:
        path.write_bytes(variant)
        try:
            profile(path, threads=1)
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017
            assert name in str(error)  # noqa: PT017


def test_a_worker_error_names_file_and_column(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    data = pa.table({"good": np.arange(5_000), "bad": np.random.default_rng(1).normal(size=5_000)})
    pq.write_table(data, path, compression="zstd", use_dictionary=False)
    content = bytearray(path.read_bytes())
    chunk = pq.read_metadata(path).row_group(0).column(1)
    for place in range(
        chunk.data_page_offset, chunk.data_page_offset + chunk.total_compressed_size
    ):
        content[place] ^= 0xFF
    path.write_bytes(content)
    before = threading.active_count()
    with pytest.raises(InputError, match=r"a\.parquet, column 'bad': cannot be read"):
        profile(path, threads=2)
    assert threading.active_count() == before


def test_an_interrupt_ends_cleanly(tmp_path: Path) -> None:
    for part in range(8):
        pq.write_table(pa.table({"x": np.arange(1_000)}), tmp_path / f"{part}.parquet")

    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        profile(tmp_path, threads=2, progress=interrupt)
    assert threading.active_count() == before


def test_a_mistake_of_ours_is_a_leadline_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("boom")

    monkeypatch.setattr("leadline.scan.units.profile_unit_column", fail)
    with pytest.raises(LeadlineError, match="<memory>, column 'x': ZeroDivisionError: boom"):
        profile({"x": [1]})
