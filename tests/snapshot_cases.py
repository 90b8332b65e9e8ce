"""Profiles built state by state for the tests of snapshots, and tools to take files apart."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import io
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import zstandard

from leadline import snapshot
from leadline._native import Storage
from leadline.errors import SnapshotError
from leadline.profile import (
    NULL_WINDOW,
    Cell,
    ColumnState,
    LineageEntry,
    Profile,
    SchemaEvent,
    Settings,
    Window,
)
from leadline.profile.column import seed_of
from leadline.profile.summaries import (
    NumericSummary,
    SketchSettings,
    Summary,
    TextSummary,
    TimestampSummary,
)
from leadline.schema import Column, Kind, Role
from leadline.sketch.counts import ValueCounts
from leadline.sketch.distinct import DistinctBuilder
from leadline.sketch.frequent import TextCounts
from leadline.sketch.keys import to_keys
from leadline.sketch.text import TextForm
from leadline.snapshot import frames, states

DAY = 86_400_000_000
COLUMNS = (
    Column("amount", "double", Kind.FLOAT, Role.FEATURE, "default", Storage.FLOAT64),
    Column("age", "int64", Kind.INTEGER, Role.FEATURE, "default", Storage.INT64),
    Column("serial", "uint64", Kind.INTEGER, Role.ID, "given", Storage.UINT64),
    Column("seen", "timestamp[us]", Kind.TIMESTAMP, Role.TIMESTAMP, "given", Storage.INT64, "us"),
    Column("country", "string", Kind.TEXT),
    Column("nothing", "null", Kind.NULL),
    Column("vector", "list<item: double>", Kind.UNSUPPORTED, note="not profiled"),
)
BY_NAME = {column.name: column for column in COLUMNS}
SETTINGS = Settings(time="seen", every="1d", tz="UTC", segments=("shop", "level"))
_DTYPES = {Storage.FLOAT64: np.float64, Storage.INT64: np.int64, Storage.UINT64: np.uint64}


# --- building ------------------------------------------------------------------------------------


def value_counts(weights: Mapping[Any, int], storage: Storage) -> ValueCounts:
    """Exact counts of the values of a dictionary."""
    values = np.array(sorted(weights), dtype=_DTYPES[storage])
    counts = np.array([weights[value] for value in sorted(weights)], dtype=np.uint64)
    return ValueCounts.of(to_keys(values.view(np.uint64), storage), counts, storage)


def number(name: str, weights: Mapping[Any, int], *, nulls: int = 0, nan: int = 0) -> ColumnState:
    """A column of exactly counted numbers or instants."""
    column = BY_NAME[name]
    assert column.storage is not None
    counts = value_counts(weights, column.storage)
    summary: Summary
    if column.kind is Kind.TIMESTAMP:
        summary = TimestampSummary.of_counts(counts, unit="us")
    else:
        summary = NumericSummary.of_counts(counts, nan=nan)
    return ColumnState(column, counts.total + nulls + nan, nulls, summary)


def text(weights: Mapping[bytes, int], *, nulls: int = 0, error: int = 0) -> ColumnState:
    """A column of counted texts; with an error, so many more values than were kept."""
    keys = sorted(weights)
    total = sum(weights.values()) + error
    counts = TextCounts.of(
        keys,
        np.array([weights[key] for key in keys], dtype=np.uint64),
        error=error,
        total=total,
    )
    distinct = None
    form = None if TextForm.follows(counts) else TextForm.of_counts(counts)
    if error:
        builder = DistinctBuilder()
        builder.add_hashes(counts.hashes())
        distinct = builder.finish()
        assert form is not None
        more = TextCounts.of([b"?"], np.array([error], dtype=np.uint64), error=0, total=error)
        form = form.merge(TextForm.of_counts(more))
    summary = TextSummary(counts, distinct, form)
    return ColumnState(BY_NAME["country"], total + nulls, nulls, summary)


def sketched(state: ColumnState) -> ColumnState:
    """The same column with sketches in place of exact counts."""
    settings = SketchSettings(seed_of(state.column.name), SETTINGS.k)
    assert isinstance(state.summary, NumericSummary | TimestampSummary)
    return dataclasses.replace(state, summary=state.summary.sketched(settings))


def _cell(window: Window, segment: tuple[Any, ...], *held: ColumnState) -> Cell:
    return Cell(window, segment, held[0].rows, {state.column.name: state for state in held})


def small_cell(day: int = 0, shop: str | None = "north") -> Cell:
    """Six rows of every kind of column, all exact."""
    return _cell(
        Window(day * DAY, (day + 1) * DAY),
        (shop, 2),
        number("amount", {-1.5: 1, 0.0: 1, 19.99: 2}, nulls=1, nan=1),
        number("age", {-3: 1, 31: 4}, nulls=1),
        number("serial", {2**64 - 1: 1, 2**63: 1, 7: 4}),
        number("seen", {day * DAY + 5: 3, day * DAY + 7: 3}),
        text({b"": 1, b"DE": 3, "ü\n".encode(): 1, b"\xff": 1}),
        ColumnState(BY_NAME["nothing"], 6, 6, None),
        ColumnState(BY_NAME["vector"], 6, 2, None),
    )


def large_cell(day: int = 1) -> Cell:
    """A thousand rows of every kind of column, all sketched."""
    rows = range(1_000)
    amounts = {(row - 300) ** 3 / 7: 1 for row in rows if row != 300}
    amounts |= {np.inf: 1}
    rare = {f"{row:03}".encode() + b"x" * (272 - 3) * (row == 5): 1 for row in range(900)}
    return _cell(
        Window(day * DAY, (day + 1) * DAY),
        ("south", 3),
        sketched(number("amount", amounts)),
        sketched(number("age", {row * 1_000: 1 for row in rows})),
        sketched(number("serial", {2**64 - 1 - row * 10**9: 1 for row in rows})),
        sketched(number("seen", {day * DAY + row * 10**6: 1 for row in rows})),
        text(rare | {b"DE": 60}, error=40),
    )


def profile(*cells: Cell, columns: tuple[Column, ...] = COLUMNS, **fields: Any) -> Profile:
    """A profile with lineage, tags and events around the cells."""
    return Profile(
        columns=columns,
        cells=cells or (small_cell(), large_cell(), _null_time()),
        settings=fields.pop("settings", SETTINGS),
        lineage=(LineageEntry("shop=north/a.parquet", 1_234, 6, "c0ffee"),),
        tags={"model": "fraud", "owner": "ünï"},
        events=(SchemaEvent("age", "b.parquet", "int32 widened to int64"),),
    )


def _null_time() -> Cell:
    age = dataclasses.replace(BY_NAME["age"], type="int32")
    state = dataclasses.replace(number("age", {2: 1}), column=age)
    return Cell(NULL_WINDOW, (None, 2.5), 3, {"age": state})


def small_profile() -> Profile:
    """Two cells of six rows."""
    return profile(small_cell(0), small_cell(1))


# --- looking inside ------------------------------------------------------------------------------


def described(item: Any) -> Any:
    """Plain values of any state, exact: doubles as hexadecimal, long arrays by their hash."""
    if isinstance(item, enum.Enum):
        return item.name
    if isinstance(item, TextSummary):
        names = ("classes", "counts", "distinct", "empty", "lengths")
        return {name: described(getattr(item, name)) for name in names}
    if isinstance(item, TextCounts):
        names = ("counts", "error", "keys", "total")
        return {name: described(getattr(item, name)) for name in names}
    if dataclasses.is_dataclass(item):
        names = [field.name for field in dataclasses.fields(item) if field.init]
        return {name: described(getattr(item, name)) for name in names}
    if isinstance(item, np.ndarray):
        if item.size > 40:
            return {"size": item.size, "blake2b": _digest(item)}
        return described(item.tolist())
    if isinstance(item, Mapping):
        return {str(key): described(value) for key, value in item.items()}
    if isinstance(item, bytes):
        return item.hex()
    if isinstance(item, float):
        return item.hex()
    if isinstance(item, list | tuple):
        return [described(value) for value in item]
    return item


def _digest(array: np.ndarray) -> str:
    wide = array.astype("<f8" if array.dtype.kind == "f" else "<u8")
    return hashlib.blake2b(wide.tobytes(), digest_size=8).hexdigest()


def contents(data: bytes) -> list[bytes]:
    """The decompressed content of every data frame of an archive."""
    view = memoryview(data)
    index, _ = frames.read_index(view)
    return [frames.decompress(view, frame) for frame in index.frames]


def archive(parts: Iterable[bytes], *, cells: int, rows: int) -> bytes:
    """An archive of these frame contents, its index right."""
    data, listed = frames.header_bytes(frames.FileKind.ARCHIVE), []
    for content in parts:
        frame = frames.compress(content)
        listed.append(frames.find_frame(memoryview(data + frame), len(data)))
        data += frame
    return data + frames.index_bytes(listed, cells=cells, rows=rows)


def decompressed(data: bytes) -> bytes:
    """All data frames as any Zstandard reader gives them: skippable frames are skipped."""
    reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True)
    return reader.read()


def edited(
    content: bytes,
    change: Callable[[dict[str, list[Any]]], None] = lambda _: None,
    *,
    header: Callable[[str], str] = lambda text: text,
) -> bytes:
    """A frame's content with its columns or metadata changed."""
    table = pa.ipc.open_stream(content).read_all()
    columns = table.to_pydict()
    change(columns)
    known = {field.name: field.type for field in table.schema}
    if "nulls" in known:
        first = {"name": pa.utf8(), "column": pa.utf8(), "rows": pa.int64(), "nulls": pa.int64()}
        known = first | states.TYPES
    text = header(table.schema.metadata[b"leadline"].decode())
    schema = pa.schema(
        [pa.field(name, known[name]) for name in known if name in columns],
        metadata={b"leadline": text},
    )
    batch = pa.record_batch([pa.array(columns[f.name], f.type) for f in schema], schema=schema)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


# --- hostile files -------------------------------------------------------------------------------

DATA = snapshot.encode(profile(small_cell()))
SMALL = contents(DATA)
LARGE = contents(snapshot.encode(profile(large_cell())))


def outcome(data: bytes, *, recover: bool = False) -> str:
    """The error's text, or "profile" if the bytes give one that can be written again."""
    text = ""
    try:
        found = snapshot.decode(data, name="hostile.lead", recover=recover)
    except SnapshotError as error:
        text = str(error)
    if text:
        assert "\n" not in text
        assert text.startswith("hostile.lead: ")
        return text
    assert described(snapshot.decode(snapshot.encode(found))) == described(found)
    return "profile"


def small_archive(cell: bytes, *, cells: int = 1, rows: int = 6) -> bytes:
    return archive([SMALL[0], cell], cells=cells, rows=rows)


def large_archive(cell: bytes) -> bytes:
    return archive([LARGE[0], cell], cells=1, rows=1_000)
