"""A cell <-> Arrow streams of one row a column; a profile's head <-> the lineage stream.

docs/format.md, sections 3 and 4. A cell of very many columns is cut into parts, each a stream of
its own, so that no frame comes near the size that readers refuse.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .._native import Storage
from .._native.sketches import Sketches, sketches_bytes
from ..errors import SnapshotError
from ..profile import (
    NULL_WINDOW,
    Cell,
    ColumnState,
    Continuation,
    LineageEntry,
    Profile,
    SchemaEvent,
    Settings,
    Window,
)
from ..profile.cells import SegmentValue
from ..schema import UNITS_PER_SECOND, Column, Kind, Role, is_encodable
from . import states
from .custom import decode_custom, encode_custom
from .frames import FrameError
from .held import HeldStates
from .streams import binary_array, decode_stream, encode_stream

PART_BYTES = 8 * 2**20  # states in one frame before a cell is cut

COUNT_LIMIT = 2**53  # rows of a cell: sums of lengths then stay below 2**63

_LINEAGE_TYPES = {
    "name": pa.utf8(),
    "size": pa.int64(),
    "rows": pa.int64(),
    "footer_hash": pa.utf8(),
}
_BINARY = {name for name, type_ in states.ROW_TYPES.items() if pa.types.is_binary(type_)}
_CELL_REQUIRED = ("name", "rows", "nulls")


@dataclass(frozen=True, slots=True)
class Head:
    """What the first data frame holds: everything of a profile but its cells."""

    columns: tuple[Column, ...]
    settings: Settings
    lineage: tuple[LineageEntry, ...] = ()
    tags: Mapping[str, str] | None = None
    events: tuple[SchemaEvent, ...] = ()
    continuation: Continuation | None = None

    @classmethod
    def of(cls, profile: Profile) -> Head:
        """The head of a profile."""
        return cls(
            profile.columns,
            profile.settings,
            profile.lineage,
            profile.tags,
            profile.events,
            profile.continuation,
        )

    def profile(self, cells: Iterable[Cell], *events: SchemaEvent) -> Profile:
        """The profile with these cells."""
        return Profile(
            columns=self.columns,
            cells=tuple(cells),
            settings=self.settings,
            lineage=self.lineage,
            tags=dict(self.tags or {}),
            events=self.events + events,
            continuation=self.continuation,
        )


@dataclass(frozen=True, slots=True)
class CellPart:
    """A cell, or the part of its columns that one frame holds."""

    cell: Cell
    number: int
    parts: int

    @property
    def key(self) -> tuple[object, ...]:
        """What identifies the cell; unlike plain equality it keeps 1, 1.0 and True apart."""
        return self.cell.window, repr(self.cell.segment)


# --- the lineage stream --------------------------------------------------------------------------


def encode_head(head: Head) -> bytes:
    """The Arrow stream of the first data frame: one row an input.

    Raises
    ------
    FrameError
        If the head holds what `decode_head` would refuse.
    """
    _check_head(head)
    fields = {
        "frame": "profile",
        "columns": [_column_to_json(column) for column in head.columns],
        "settings": json.loads(head.settings.to_json()),
        "tags": dict(head.tags or {}),
        "events": [[event.column, event.source, event.what] for event in head.events],
    }
    if head.continuation is not None:
        fields["continuation"] = asdict(head.continuation)
    header = _to_json(fields)
    rows = [asdict(entry) for entry in head.lineage]
    columns = {name: [row[name] for row in rows] for name in _LINEAGE_TYPES}
    return encode_stream(columns, _LINEAGE_TYPES, header, required=tuple(_LINEAGE_TYPES))


def decode_head(content: bytes) -> Head:
    """The inverse of `encode_head`; refuses what contradicts itself.

    Raises
    ------
    Exception
        Of any kind; the caller turns it into one SnapshotError.
    """
    text, rows = decode_stream(content, _LINEAGE_TYPES, required=tuple(_LINEAGE_TYPES))
    keys = {"frame", "columns", "settings", "tags", "events"}
    header = _from_json(text, keys, optional={"continuation"})
    _require(header["frame"] == "profile", "the first data frame is not the profile's")
    columns = tuple(_column_from_json(item) for item in _list(header["columns"]))
    lineage = tuple(LineageEntry(*(row[name] for name in _LINEAGE_TYPES)) for row in rows)
    tags = header["tags"]
    _require(isinstance(tags, dict), "the tags are no names with texts")
    events = tuple(_event_from_json(item) for item in _list(header["events"]))
    settings = _settings_from_json(header["settings"])
    going_on = _continuation_from_json(header.get("continuation"))
    head = Head(columns, settings, lineage, tags, events, going_on)
    _check_head(head)
    return head


def _check_head(head: Head) -> None:
    """The rules of a head, for what is read as for what is to be written."""
    for column in head.columns:
        _check_column(column)
    _require(len({c.name for c in head.columns}) == len(head.columns), "a column occurs twice")
    _check_settings(head.settings)
    for entry in head.lineage:
        named = _all_text([entry.name, entry.footer_hash]) and is_encodable(entry.name)
        _require(named, "the name of an input is not text")
        _require(entry.size >= 0 and entry.rows >= 0, "an input has a negative size")
    tags = head.tags or {}
    _require(_all_text(tags) and _all_text(tags.values()), "a tag is not text")
    for event in head.events:
        texts = [event.column, event.source, event.what]
        _require(_all_text(texts), "an event is not text")


def _check_column(column: Column) -> None:
    texts = [column.name, column.type, column.role_reason, column.note, column.unit or ""]
    _require(_all_text(texts), "a column is described wrongly")
    _require(is_encodable(column.name), f"the column name {column.name!r} is not valid text")
    if column.kind is Kind.TIMESTAMP:
        right = column.storage is Storage.INT64 and column.unit in UNITS_PER_SECOND
    else:
        right = column.kind.numeric == (column.storage is not None)
    _require(right, f"column {column.name!r} of kind {column.kind} has the wrong storage")


def _check_settings(settings: Settings) -> None:
    optional = [settings.time, settings.every, settings.tz]
    texts = [*(value or "" for value in optional), *settings.segments, *settings.redacted]
    _require(_all_text(texts), "a setting is not text")
    rank_error, unit_rows = settings.rank_error, settings.unit_rows
    _require(type(rank_error) is float and 0 < rank_error < 1, "the rank error is out of range")
    _require(type(unit_rows) is int and unit_rows > 0, "the unit of work is out of range")


def _column_to_json(column: Column) -> dict[str, Any]:
    storage = None if column.storage is None else column.storage.name.lower()
    return {
        "name": column.name,
        "type": column.type,
        "kind": column.kind.value,
        "role": column.role.value,
        "role_reason": column.role_reason,
        "storage": storage,
        "unit": column.unit,
        "note": column.note,
    }


def describe(column: Column) -> str:
    """A column as the JSON that stands beside a state of another type than the head's."""
    return _to_json(_column_to_json(column))


def _column_from_json(item: Any) -> Column:
    _require(isinstance(item, dict) and set(item) == _COLUMN_KEYS, "a column is described wrongly")
    storage = None if item["storage"] is None else Storage[str(item["storage"]).upper()]
    kind, role = Kind(item["kind"]), Role(item["role"])
    return Column(**{**item, "kind": kind, "role": role, "storage": storage})


_COLUMN_KEYS = {field.name for field in fields(Column)}


def _event_from_json(item: Any) -> SchemaEvent:
    _require(isinstance(item, list) and len(item) == 3, "an event is not text")
    return SchemaEvent(*item)


def _continuation_from_json(item: Any) -> Continuation | None:
    if item is None:
        return None
    _require(isinstance(item, dict) and set(item) == _CONTINUATION_KEYS, _CONTINUATION_REASON)
    columns, variants = item["columns"], item["variants"]
    roles, types = item["roles"], item["types"]
    names = [] if columns is None else _list(columns)
    right = all(isinstance(held, dict) for held in (roles, types, variants))
    _require(right and type(item["separate"]) is bool, _CONTINUATION_REASON)
    names += [name for held in variants.values() for name in _list(held)]
    _require(_all_text([*names, *roles.values(), *types.values()]), _CONTINUATION_REASON)
    return Continuation(
        columns=None if columns is None else tuple(columns),
        roles=roles,
        separate=item["separate"],
        types=types,
        variants={name: tuple(held) for name, held in variants.items()},
    )


_CONTINUATION_KEYS = {field.name for field in fields(Continuation)}
_CONTINUATION_REASON = "what is needed to add new files is not known"


def _settings_from_json(item: Any) -> Settings:
    _require(isinstance(item, dict), "the settings are missing")
    _require(all(isinstance(item[name], list) for name in ("segments", "redacted")), "bad settings")
    return Settings.from_json(json.dumps(item))


# --- cell streams --------------------------------------------------------------------------------


def encode_cell(cell: Cell, columns: Mapping[str, Column]) -> list[bytes]:
    """The Arrow streams of one cell: one, unless it has very many columns.

    Parameters
    ----------
    cell
        The cell.
    columns
        The profile's columns by name; states of other columns cannot be written.
    """
    return list(map(bytes, cell_streams(cell, columns)))


def cell_streams(cell: Cell, columns: Mapping[str, Column]) -> Iterator[bytes | memoryview]:
    """What `encode_cell` gives, each stream only until the thread asks for the next one."""
    if isinstance(cell.states, HeldStates):
        header = _cell_header(cell, 0, 1)
        content = cell.states.stream(header, columns, describe, PART_BYTES)
        if content is not None:
            yield content
            return
    held = [(cell.states[name], columns[name]) for name in columns if name in cell.states]
    rows = [_encode_state(state, column) for state, column in held]
    sketches = _Sketches.of([states.sketches_of(state.summary) for state, _ in held])
    sizes = [sum([len(row[name]) for name in _BINARY & row.keys()]) for row in rows]
    parts = _parts([size + more for size, more in zip(sizes, sketches.sizes(), strict=True)])
    for number, (first, last) in enumerate(parts):
        yield _encode_part(cell, rows[first:last], sketches, first, number, len(parts))


def _parts(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """The first and last row of each part of a cell whose rows have such sizes."""
    cuts, held = [0], 0
    for row, size in enumerate(sizes):
        if held + size > PART_BYTES and row > cuts[-1]:
            cuts.append(row)
            held = 0
        held += size
    return list(itertools.pairwise([*cuts, len(sizes)]))


@dataclass(frozen=True, slots=True)
class _Sketches:
    """The encoded sketches of a cell, field after field, and how large each is."""

    content: NDArray[np.uint8]
    fields: tuple[list[int], ...]

    @classmethod
    def of(cls, sketches: Sequence[Sketches]) -> _Sketches:
        """Those of a cell's columns."""
        content, sizes = sketches_bytes(sketches)
        return cls(content, tuple(sizes.tolist()))

    def sizes(self) -> list[int]:
        """Bytes of every column's sketches."""
        return list(map(sum, zip(*self.fields, strict=True)))

    def arrays(self, first: int, last: int) -> dict[str, pa.Array]:
        """The fields of some columns as Arrow arrays."""
        found, begin = {}, 0
        for name, sizes in zip(states.SKETCHES, self.fields, strict=True):
            start = begin + sum(sizes[:first])
            some = sizes[first:last]
            found[name] = binary_array(some, self.content[start : start + sum(some)])
            begin += sum(sizes)
        return found


def decode_cell(content: bytes, columns: Mapping[str, Column], segments: int) -> CellPart:
    """The inverse of one stream of `encode_cell`; refuses what contradicts itself.

    Raises
    ------
    Exception
        Of any kind; the caller turns it into one SnapshotError.
    """
    text, rows = decode_stream(content, states.ROW_TYPES, required=_CELL_REQUIRED)
    header = _from_json(text, {"frame", "window", "segment", "rows", "part", "parts"})
    _require(header["frame"] == "cell", "the frame is not that of a cell")
    total, number, parts = (_count(header[name]) for name in ("rows", "part", "parts"))
    _require(number < parts, "a cell's parts are numbered wrongly")
    segment = tuple(_segment_from_json(value) for value in _list(header["segment"]))
    _require(len(segment) == segments, "a cell has the wrong number of segment values")
    held: dict[str, ColumnState] = {}
    for row in rows:
        state = _decode_state(row, columns, total)
        _require(state.column.name not in held, f"column {state.column.name!r} occurs twice")
        held[state.column.name] = state
    return CellPart(Cell(_window_from_json(header["window"]), segment, total, held), number, parts)


def _cell_header(cell: Cell, number: int, parts: int) -> str:
    return _to_json(
        {
            "frame": "cell",
            "window": _window_to_json(cell.window),
            "segment": [_segment_to_json(value) for value in cell.segment],
            "rows": cell.rows,
            "part": number,
            "parts": parts,
        }
    )


def _encode_part(
    cell: Cell,
    rows: Sequence[dict[str, Any]],
    sketches: _Sketches,
    first: int,
    number: int,
    parts: int,
) -> bytes:
    header = _cell_header(cell, number, parts)
    held = {name for row in rows for name in row}.union(_CELL_REQUIRED)
    columns: dict[str, Any] = {name: [row.get(name) for row in rows] for name in held}
    columns |= sketches.arrays(first, first + len(rows))
    return encode_stream(columns, states.ROW_TYPES, header, required=_CELL_REQUIRED)


def _encode_state(state: ColumnState, column: Column) -> dict[str, Any]:
    row = states.encode_summary(state.summary, redacted=state.column.redacted)
    row.update(name=state.column.name, rows=state.rows, nulls=state.nulls)
    if state.custom:
        row["user_summaries"] = encode_custom(state.custom)
    if state.column != column:
        row["column"] = describe(state.column)
    return row


def _decode_state(row: dict[str, Any], columns: Mapping[str, Column], total: int) -> ColumnState:
    name, rows, nulls = row.pop("name"), row.pop("rows"), row.pop("nulls")
    description, own = row.pop("column", None), row.pop("user_summaries", None)
    _require(name in columns, f"column {name!r} is not one of the profile's")
    column = columns[name]
    if description is not None:
        column = _column_from_json(json.loads(description))
        _check_column(column)
        _require(column.name == name, f"column {name!r} is described under another name")
    try:
        _require(0 <= nulls <= rows <= total, f"{nulls} nulls in {rows} rows of {total}")
        summary = states.decode_summary(column, row, rows - nulls)
        custom = {}
        if own is not None:
            _require(column.storage is not None, "a column without numbers has users' summaries")
            custom = decode_custom(own)
    except SnapshotError as error:
        raise FrameError(f"column {name!r}: {error}") from None
    return ColumnState(column, rows, nulls, summary, custom)


# --- JSON values ---------------------------------------------------------------------------------


def columns_to_json(columns: Iterable[Column]) -> list[dict[str, Any]]:
    """Descriptions of columns as JSON values."""
    return [_column_to_json(column) for column in columns]


def columns_from_json(items: Any) -> dict[str, Column]:
    """The inverse of `columns_to_json`, by name."""
    return {column.name: column for column in map(_column_from_json, _list(items))}


def key_to_json(key: tuple[Window | None, tuple[SegmentValue, ...]]) -> list[Any]:
    """What identifies a cell as JSON values."""
    return [_window_to_json(key[0]), [_segment_to_json(value) for value in key[1]]]


def key_from_json(item: Any) -> tuple[Window | None, tuple[SegmentValue, ...]]:
    """The inverse of `key_to_json`."""
    window, segment = _list(item)
    return _window_from_json(window), tuple(map(_segment_from_json, _list(segment)))


def _window_to_json(window: Window | None) -> list[int | None] | None:
    if window is None:
        return None
    return [] if window == NULL_WINDOW else [window.start, window.end]


def _window_from_json(item: Any) -> Window | None:
    if item is None:
        return None
    if item == []:
        return NULL_WINDOW
    start, end = _list(item)
    right = type(start) is int and type(end) is int and -(2**63) <= start < end < 2**63
    _require(right, "a cell's window does not end after its start")
    return Window(start, end)


def _segment_to_json(value: SegmentValue) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    return value


def _segment_from_json(item: Any) -> SegmentValue:
    if isinstance(item, dict):
        _require(item.get("float") in ("nan", "inf", "-inf"), "a segment value is of no known type")
        return float(item["float"])
    _require(item is None or isinstance(item, str | int | float), "a segment value is no scalar")
    return item  # type: ignore[no-any-return]


def _to_json(item: object) -> str:
    return json.dumps(item, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _from_json(text: str, keys: set[str], *, optional: Collection[str] = ()) -> dict[str, Any]:
    header = json.loads(text)
    known = isinstance(header, dict) and set(header).difference(optional) == keys
    _require(known, "the frame's metadata is not known")
    return header  # type: ignore[no-any-return]


def _list(item: Any) -> list[Any]:
    _require(isinstance(item, list), "the frame's metadata holds something else than a list")
    return item  # type: ignore[no-any-return]


def _count(item: Any) -> int:
    _require(type(item) is int and 0 <= item <= COUNT_LIMIT, "a count is out of range")
    return item  # type: ignore[no-any-return]


def _all_text(items: Iterable[Any]) -> bool:
    return all(isinstance(item, str) for item in items)


def _require(condition: bool, reason: str) -> None:
    if not condition:
        raise FrameError(reason)
