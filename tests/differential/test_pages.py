"""Parquet's pages decoded by the kernels against pyarrow: equal arrays, or declined."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies
from leadline._native import FooterChunks, PageDeclined
from leadline.locations.local import local_files
from leadline.scan.formats import pages
from leadline.scan.formats.pages import PageReader, page_columns
from leadline.scan.formats.parquet import ParquetSource
from leadline.scan.formats.plans import joined_and_cut

ROWS = 5_000
CODECS = ["none", "snappy", "gzip", "zstd"]
NULLS = ["required", "none", "some", "runs", "all"]


def values(kind: str, rows: int) -> Any:
    """Values of a kind: few different ones, then many."""
    rng = np.random.default_rng(11)
    few = rng.integers(0, 50, rows)
    many = rng.integers(-(2**31), 2**31, rows)
    numbers = np.where(np.arange(rows) < rows // 3, few, many)
    if kind.startswith(("float", "double")):
        odd = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 5e-324])
        floats = np.where(few < 5, odd[few % 6], numbers / 7)
        return floats.astype(np.float32) if kind == "float" else floats
    if kind == "bool":
        return few % 3 == 0
    if kind in {"string", "large_string"}:
        return [f"text {number}" * (number % 4) for number in numbers.tolist()]
    if kind in {"binary", "large_binary"}:
        return [bytes([number & 0xFF, 0xFF]) * (number % 30) for number in numbers.tolist()]
    return numbers


TYPES: dict[str, pa.DataType] = {
    "bool": pa.bool_(),
    "int8": pa.int8(),
    "uint8": pa.uint8(),
    "int16": pa.int16(),
    "uint16": pa.uint16(),
    "int32": pa.int32(),
    "uint32": pa.uint32(),
    "int64": pa.int64(),
    "uint64": pa.uint64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "date": pa.date32(),
    "time ms": pa.time32("ms"),
    "time us": pa.time64("us"),
    "time ns": pa.time64("ns"),
    "timestamp ms": pa.timestamp("ms"),
    "timestamp us": pa.timestamp("us", "Europe/Berlin"),
    "timestamp ns": pa.timestamp("ns"),
    "duration": pa.duration("us"),
    "string": pa.string(),
    "binary": pa.binary(),
    "large_string": pa.large_string(),
    "large_binary": pa.large_binary(),
}


def column(kind: str, nulls: str, rows: int = ROWS) -> pa.Array:
    type_ = TYPES[kind]
    rng = np.random.default_rng(5)
    mask = {
        "some": rng.random(rows) < 0.2,
        "runs": np.arange(rows) // 700 % 2 == 1,
        "all": np.ones(rows, dtype=bool),
    }.get(nulls, np.zeros(rows, dtype=bool))
    data = values(kind, rows)
    if isinstance(data, np.ndarray) and not pa.types.is_floating(type_) and kind != "bool":
        width = type_.bit_width
        sign = "u" if pa.types.is_unsigned_integer(type_) else "i"
        stored = data.astype(f"{sign}{width // 8}")
        return pa.array(stored, mask=mask).view(type_)
    return pa.array(data, type_, mask=mask)


def chunks_of(content: bytes, metadata: Any) -> FooterChunks:
    footer = content[-int.from_bytes(content[-8:-4], "little") - 8 : -8]
    return FooterChunks(footer, metadata.num_row_groups, metadata.num_columns)


def read(path: Path, name: str, unit_rows: int, *, dictionary: bool) -> list[pa.ChunkedArray]:
    """Units as the kernels make them; PageDeclined where they do not."""
    metadata = pq.read_metadata(path)
    chunks = chunks_of(path.read_bytes(), metadata)
    columns = page_columns(chunks, metadata, metadata.schema.to_arrow_schema())
    groups = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    with pa.OSFile(str(path)) as file:
        reader = PageReader(file, columns)
        if not reader.knows((name,)):
            raise PageDeclined
        units = []
        for held, rows in joined_and_cut(groups, unit_rows):
            units += list(reader.units((name,), held, rows, dictionary=dictionary))
    return units


def equal(ours: Sequence[pa.ChunkedArray], theirs: pa.ChunkedArray) -> None:
    """The same type, rows, nulls and bits."""
    chunks = [chunk for unit in ours for chunk in unit.chunks]
    for chunk in chunks:
        chunk.validate(full=not pa.types.is_time(chunk.type))  # the tests' times last for years
    whole = pa.chunked_array(chunks, theirs.type)
    assert [unit.type for unit in ours] == [theirs.type] * len(ours)
    assert len(whole) == len(theirs)
    assert whole.null_count == theirs.null_count
    if pa.types.is_floating(theirs.type):  # NaN is not equal to itself, and 0.0 is to -0.0
        bits = pa.int64() if theirs.type == pa.float64() else pa.int32()
        whole = pa.chunked_array([chunk.view(bits) for chunk in whole.chunks], bits)
        theirs = pa.chunked_array([chunk.view(bits) for chunk in theirs.chunks], bits)
    assert whole.equals(theirs)


def check(path: Path, name: str, unit_rows: int = 1 << 20) -> None:
    """A column is read, and as pyarrow reads it; in units of fewer rows too."""
    theirs = pq.read_table(path, columns=[name], use_threads=False).column(0)
    equal(read(path, name, unit_rows, dictionary=False), theirs)


@pytest.mark.parametrize("nulls", NULLS)
@pytest.mark.parametrize("kind", TYPES)
def test_types_and_nulls(tmp_path: Path, kind: str, nulls: str) -> None:
    data = column(kind, nulls)
    schema = pa.schema([pa.field("x", data.type, nullable=nulls != "required")])
    table = pa.Table.from_arrays([data], schema=schema)
    path = tmp_path / "x.parquet"
    for version, dictionary, page in itertools.product(("1.0", "2.0"), (True, False), (0, 1 << 20)):
        pq.write_table(
            table,
            path,
            data_page_version=version,
            use_dictionary=dictionary,
            dictionary_pagesize_limit=2_000,  # so that it falls back to plain pages
            data_page_size=max(page, 1),
            write_batch_size=64 if not page else 1_024,
            row_group_size=ROWS // 2 + 1,
            compression="snappy",
        )
        check(path, "x")
        check(path, "x", 1_111)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("kind", ["double", "int8", "bool", "string"])
def test_codecs(tmp_path: Path, codec: str, version: str, kind: str) -> None:
    path = tmp_path / "x.parquet"
    table = pa.table({"x": column(kind, "some", 50_000)})
    pq.write_table(table, path, compression=codec, data_page_version=version)
    check(path, "x")
    check(path, "x", 7_000)


@pytest.mark.parametrize("codec", ["lz4", "brotli"])
def test_other_codecs_are_declined(tmp_path: Path, codec: str) -> None:
    """Arrow's do not tell how much they have unpacked."""
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"x": column("double", "some")}), path, compression=codec)
    with pytest.raises(PageDeclined):
        read(path, "x", 1 << 20, dictionary=False)


@pytest.mark.parametrize("type_", [pa.string(), pa.binary()], ids=str)
@pytest.mark.parametrize("entries", [1, 2, 3, 17, 300, 5_000])
@pytest.mark.parametrize("nulls", [False, True])
def test_dictionaries(tmp_path: Path, type_: pa.DataType, entries: int, nulls: bool) -> None:
    path = tmp_path / "x.parquet"
    codes = np.random.default_rng(3).integers(0, entries, 30_000)
    codes[10_000:11_000] = 0  # a run
    rows = [f"{'é' * (code % 5)}{code}".encode() for code in codes.tolist()]
    texts = pa.array(rows, pa.binary(), mask=codes % 7 == 1 if nulls else None)
    pq.write_table(pa.table({"x": texts.cast(type_)}), path, row_group_size=12_000)
    theirs = pq.read_table(path, read_dictionary=["x"]).column(0)
    for unit_rows in (1 << 20, 12_000, 5_000):
        equal(read(path, "x", unit_rows, dictionary=True), theirs)
    check(path, "x")


def test_a_dictionary_that_ends_early_is_declined(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    table = pa.table({"x": column("string", "some")})
    pq.write_table(table, path, dictionary_pagesize_limit=2_000, write_batch_size=64)
    with pytest.raises(PageDeclined):
        read(path, "x", 1 << 20, dictionary=True)
    check(path, "x")


@pytest.mark.parametrize("encoding", ["DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"])
def test_other_encodings_are_declined(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "x.parquet"
    table = pa.table({"x": column("int64", "some")})
    pq.write_table(table, path, use_dictionary=False, column_encoding={"x": encoding})
    with pytest.raises(PageDeclined):
        read(path, "x", 1 << 20, dictionary=False)


@pytest.mark.parametrize(
    "data",
    [
        pa.array([[1], [2, 3]]),
        pa.array([{"a": 1}, {"a": 2}]),
        pa.array([1, 2]).cast(pa.decimal128(21, 2)),
        pa.array([b"ab", b"cd"], pa.binary(2)),
        pa.array([dt.datetime(2024, 1, 1)], pa.timestamp("s")),
        pa.array([1.5], pa.float16()),
        pa.nulls(3),
    ],
    ids=lambda data: str(data.type),
)
def test_other_types_are_declined(tmp_path: Path, data: pa.Array) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"x": data}), path)
    if pa.types.is_timestamp(data.type):  # stored in milliseconds, and read so
        check(path, "x")
        return
    with pytest.raises(PageDeclined):
        read(path, "x", 1 << 20, dictionary=False)


def test_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"x": pa.array([], pa.int64())}), path)
    assert read(path, "x", 1 << 20, dictionary=False) == []


def test_a_page_larger_than_a_piece(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    rng = np.random.default_rng(2)
    table = pa.table({"x": rng.random(300_000), "y": [rng.bytes(9) for _ in range(300_000)]})
    pq.write_table(
        table, path, data_page_size=1 << 24, use_dictionary=False, max_rows_per_page=1 << 20
    )
    for name in ("x", "y"):
        check(path, name)
        check(path, name, 100_000)


@given(
    table=st.dictionaries(
        st.sampled_from(sorted(strategies.COLUMNS)), st.integers(0, 2**16), min_size=1, max_size=3
    ).flatmap(lambda kinds: st.fixed_dictionaries({k: strategies.COLUMNS[k] for k in kinds})),
    options=st.fixed_dictionaries(
        {
            "compression": st.sampled_from(CODECS),
            "data_page_version": st.sampled_from(["1.0", "2.0"]),
            "use_dictionary": st.booleans(),
            "data_page_size": st.sampled_from([1, 40, 1 << 20]),
            "write_batch_size": st.integers(1, 40),
            "row_group_size": st.integers(1, 40),
            "dictionary_pagesize_limit": st.sampled_from([1, 30, 1 << 20]),
        }
    ),
    unit_rows=st.integers(1, 40),
)
def test_any_table(
    tmp_path_factory: pytest.TempPathFactory,
    table: dict[str, pa.Array],
    options: dict[str, Any],
    unit_rows: int,
) -> None:
    path = tmp_path_factory.mktemp("any") / "x.parquet"
    for name, data in table.items():
        pq.write_table(pa.table({name: data}), path, **options)
        try:
            check(path, name, unit_rows)
        except PageDeclined:
            assert name in {"float16", "null", "list"}


def polars_file(table: pa.Table, path: Path, **options: Any) -> None:
    pl.DataFrame(table).write_parquet(path, **options)


def duckdb_file(table: pa.Table, path: Path, **options: Any) -> None:
    chosen = ", ".join(f"{key} '{value}'" for key, value in options.items())
    duckdb.register("given", table)
    duckdb.sql(f"copy given to '{path}' (format parquet, {chosen})")


@pytest.mark.parametrize("codec", ["zstd", "snappy", "uncompressed"])
@pytest.mark.parametrize("writer", [polars_file, duckdb_file], ids=["polars", "duckdb"])
def test_files_of_other_writers(tmp_path: Path, writer: Any, codec: str) -> None:
    path = tmp_path / "x.parquet"
    kinds = ["bool", "int8", "int64", "uint32", "float", "double", "date", "timestamp us", "string"]
    nulls = itertools.cycle(["none", "some", "runs", "all"])
    table = pa.table({kind: column(kind, next(nulls), 40_000) for kind in kinds})
    writer(table, path, compression=codec)
    assert list(declined(path, kinds)) == []


def declined(path: Path, names: Sequence[str]) -> Iterator[str]:
    for name in names:
        try:
            check(path, name)
            check(path, name, 30_000)
        except PageDeclined:
            yield name


@pytest.mark.parametrize("good", [0, 1, 3])
def test_pyarrow_goes_on_where_the_reader_declines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good: int
) -> None:
    path = tmp_path / "x.parquet"
    table = pa.table(
        {"x": column("int64", "some", 100_000), "y": column("string", "none", 100_000)}
    )
    pq.write_table(table, path)
    given = PageReader.units
    called = []

    def units(self: PageReader, *args: Any, **options: Any) -> Iterator[pa.ChunkedArray]:
        called.append(args)
        yield from itertools.islice(given(self, *args, **options), good)
        raise PageDeclined

    monkeypatch.setattr(PageReader, "units", units)
    (location,) = local_files(str(path), known=lambda _: True, formats="")
    (task,) = ParquetSource(location, "x").tasks([("x",), ("y",)], 40_000, lambda *_: iter(()))
    found = [pa.table(dict(zip("xy", unit, strict=True))) for unit in task.read([("x",), ("y",)])]
    task.close()
    assert [unit.num_rows for unit in found] == [40_000, 40_000, 20_000]
    assert pa.concat_tables(found) == table
    assert len(called) == 2


def test_chunks_of_few_rows_are_left_to_pyarrow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.parquet"
    table = pa.table({"x": column("int64", "some", 40_000)})
    calls: list[object] = []
    monkeypatch.setattr(PageReader, "knows", lambda *_: bool(calls.append(1)))
    for group_rows, asked in ((32_767, 0), (40_000, 1)):
        pq.write_table(table, path, row_group_size=group_rows)
        (location,) = local_files(str(path), known=lambda _: True, formats="")
        (task,) = ParquetSource(location, "x").tasks([("x",)], 1 << 20, lambda *_: iter(()))
        ((data,),) = task.read([("x",)])
        task.close()
        assert data.equals(table.column("x"))
        assert bool(calls) == bool(asked)


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("codec", CODECS)
def test_chunks_of_footers(tmp_path: Path, codec: str, version: str) -> None:
    path = tmp_path / "x.parquet"
    table = pa.table({kind: column(kind, "some", 5_000) for kind in ("bool", "double", "string")})
    table = table.append_column("list", pa.array([[row, None] for row in range(5_000)]))
    coded = ["double", "list.list.element"]
    pq.write_table(
        table,
        path,
        row_group_size=2_000,
        compression=codec,
        data_page_version=version,
        use_dictionary=coded,
    )
    metadata = pq.read_metadata(path)
    found = chunks_of(path.read_bytes(), metadata)
    names = {0: "UNCOMPRESSED", 1: "SNAPPY", 2: "GZIP", 6: "ZSTD"}
    for group, place in itertools.product(range(3), range(4)):
        chunk, theirs = found.chunk(group, place), metadata.row_group(group).column(place)
        assert (chunk.values, chunk.data) == (theirs.num_values, theirs.data_page_offset)
        assert chunk.size == theirs.total_uncompressed_size
        assert chunk.stored == theirs.total_compressed_size
        assert names[chunk.codec] == theirs.compression
        assert chunk.dictionary == (theirs.dictionary_page_offset or -1)
        assert chunk.coded is (theirs.path_in_schema in coded)
        assert chunk.coded is ("RLE_DICTIONARY" in theirs.encodings)
        assert not chunk.apart
    with pytest.raises(PageDeclined):
        FooterChunks(b"\x00", 3, 4)


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("codec", ["none", "zstd"])
@pytest.mark.parametrize("shown", [True, False])
def test_pages_are_decoded_many_or_one_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codec: str, version: str, *, shown: bool
) -> None:
    """Also where python-zstandard does not show its C functions, and with pages of 2 MB."""
    monkeypatch.setattr(pages, "_idle", [])
    if not shown:
        monkeypatch.setattr(pages, "zstd_library", lambda: None)
    assert pages.zstd_library() is not None or not shown
    path = tmp_path / "x.parquet"
    rng = np.random.default_rng(3)
    table = pa.table(
        {
            "short": column("string", "some", 60_000),
            "number": column("double", "runs", 60_000),
            "few": rng.integers(0, 9, 60_000),
            "long": [f"{number:0100}" for number in rng.integers(0, 2**60, 60_000).tolist()],
        }
    )
    pq.write_table(
        table, path, compression=codec, data_page_version=version, data_page_size=1 << 22
    )
    for name in table.column_names:
        equal(read(path, name, 1 << 20, dictionary=False), table.column(name))
