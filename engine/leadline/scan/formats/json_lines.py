"""JSON Lines: one object a line. Blocks of whole lines are parsed on their own.

A key that is missing from a line is null there. Where one column holds values of several types, it
becomes text: strings as they are, everything else as its JSON. Texts that are all times become
times, fractions of seconds and zones included.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import pyarrow as pa

from ...errors import InputError
from ...locations import Location
from ...schema import LeafPath, widen
from .base import InOrder, TableTask, TypesChanged, reason, rows_of_streams, table_tasks
from .text import TextSource

_BLOCK = 1 << 22
_BYTES_A_VALUE = 16  # with its key
_ROW = re.compile(r" in row (\d+)")
# What its reader cannot do, but Python's can.
_BEYOND_ARROW = re.compile(r"Column\(.*\) changed from |Length spanned by list offsets")
_ENCODER = json.JSONEncoder(default=str)
# A null that may stand in the place of an object, at which Arrow's reader may crash.
_NULL_ROW = re.compile(rb"null[ \t\r]*+(?=[\n{n]|\Z)")
_TIME = re.compile(rb"\d{4}-\d\d-\d\d(?:[T ]\d\d|$)")
_ZONE = r"[T ]\d\d.*(?:Z|[+-]\d\d(?::?\d\d)?)$"
_INT64 = range(-(1 << 63), 1 << 63)
_INT64_DIGITS = len(str(_INT64[0]))
_ADVICE = "correct the line or remove it"
# Types whose text by Arrow is the JSON that the file holds.
_PLAIN = (pa.null(), pa.bool_(), pa.int64(), pa.string())


class _OtherTypes(Exception):  # noqa: N818 (a signal, not an error)
    """A block holds a key or a type that was not known."""


class JsonLinesSource(TextSource):
    """One file of JSON Lines."""

    kind = "a JSON Lines file"

    def __init__(self, location: Location, name: str, *, by_content: bool = False) -> None:
        super().__init__(location, name, by_content=by_content)
        self._types: dict[str, pa.DataType] | None = None

    def schema(self) -> pa.Schema:
        """Keys in the order met, with the types known so far."""
        if self._types is None:
            self._types = {}
            first = next(self.blocks(_BLOCK), None)
            if first is not None:
                self._types = self._learn(self._parse(first, 0))
        return pa.schema(list(self._types.items()))

    def learned(self) -> pa.Schema:
        """Keys with the types known so far."""
        return self.schema()

    def assume(self, types: pa.Schema) -> None:
        """Begin with types that an earlier scan has learned."""
        self._types = dict(zip(types.names, types.types, strict=True))

    def tasks(
        self, leaves: Sequence[LeafPath], unit_rows: int, in_order: InOrder
    ) -> Iterator[TableTask]:
        """Units of the file in order."""
        schema = self.schema()
        names = list(dict.fromkeys(path[0] for path in leaves))
        chosen = pa.schema([schema.field(name) for name in names])
        rows = rows_of_streams(unit_rows, len(schema))
        yield from table_tasks(self._batches(chosen, in_order), chosen, leaves, rows)

    def _batches(self, chosen: pa.Schema, in_order: InOrder) -> Iterator[pa.RecordBatch]:
        try:
            for table in in_order(self._parsings(chosen), _BLOCK // _BYTES_A_VALUE):
                yield from table.to_batches()
        except _OtherTypes:
            raise TypesChanged(self._learn_all()) from None

    def _parsings(self, chosen: pa.Schema) -> Iterator[Callable[[], pa.Table]]:
        """Calls that parse the blocks."""
        lines = 0
        for block in self.blocks(_BLOCK):
            yield partial(self._parse_as, chosen, block, lines)
            lines += block.count(b"\n")

    def _parse_as(self, chosen: pa.Schema, block: bytes, lines: int) -> pa.Table:
        """One block with the types of the whole file."""
        table = self._parse(block, lines)
        if self._learn(table) != self._types:
            raise _OtherTypes
        try:
            return _conform(table, chosen)
        except pa.ArrowInvalid as error:
            raise InputError(
                f"{self.label}: {reason(error)}; remove that time, or the nanoseconds of the others"
            ) from error

    def _learn_all(self) -> list[tuple[str, str]]:
        """Find the types that hold for the whole file, by one pass over it."""
        before = dict(self._types or {})
        lines = 0
        for block in self.blocks(_BLOCK):
            self._types = self._learn(self._parse(block, lines))
            lines += block.count(b"\n")
        assert self._types is not None
        return [
            (name, f"{before[name]} at the start of the file, {type_} over all of it")
            for name, type_ in self._types.items()
            if name in before and not before[name].equals(type_)
        ]

    def _learn(self, table: pa.Table) -> dict[str, pa.DataType]:
        """The known types widened by those of one block."""
        types = dict(self._types or {})
        for field in table.schema:
            types[field.name] = _join(types.get(field.name, pa.null()), field.type)
        return types

    def _parse(self, block: bytes, lines: int) -> pa.Table:
        texts = [name for name, type_ in (self._types or {}).items() if pa.types.is_string(type_)]
        if _may_hold_null_rows(block):
            return self._parse_lines(block, lines, texts)
        explicit = pa.schema([(name, pa.string()) for name in texts])
        try:
            return _with_times(_read_json(block, explicit), texts)
        except pa.ArrowInvalid as error:
            if "Empty JSON" in str(error):
                return pa.table({})
            if _BEYOND_ARROW.search(str(error)) is None:
                raise self._error(error, block, lines) from error
        if texts:
            # Numbers in a column that is text elsewhere; Arrow does it if its text is JSON's.
            try:
                table = _read_json(block, pa.schema([]))
            except pa.ArrowInvalid:
                return self._parse_lines(block, lines, texts)
            if all(
                table.schema.field(name).type in _PLAIN
                for name in texts
                if name in table.column_names
            ):
                return _with_times(table, texts)
        return self._parse_lines(block, lines, texts)

    def _parse_lines(self, block: bytes, lines: int, texts: Sequence[str]) -> pa.Table:
        """Parse a block line by line, which takes any mixture of types."""
        columns: dict[str, list[Any]] = {}
        for place, row in enumerate(self._rows(block, lines)):
            for key, value in row.items():
                columns.setdefault(key, [None] * place).append(value)
            for values in columns.values():
                values.extend([None] * (place + 1 - len(values)))
        return _with_times(
            pa.table({name: _array(values) for name, values in columns.items()}), texts
        )

    def _rows(self, block: bytes, lines: int) -> Iterator[dict[str, Any]]:
        for number, line in enumerate(block.splitlines(), start=lines + 1):
            if not line.strip():
                continue
            try:
                row = _DECODER.decode(line.decode("utf-8", "backslashreplace"))
            except json.JSONDecodeError as error:
                raise InputError(
                    f"{self.label}: line {number:,} is not JSON ({error.msg} at column "
                    f"{error.colno}); {_ADVICE}, or get the whole file if it was cut short"
                ) from error
            except ValueError as error:
                raise InputError(f"{self.label}: line {number:,}: {error}; {_ADVICE}") from error
            if not isinstance(row, dict):
                raise InputError(
                    f"{self.label}: line {number:,} is not a JSON object; JSON Lines has one "
                    "object on every line"
                )
            yield row

    def _error(self, error: Exception, block: bytes, lines: int) -> InputError:
        """What is wrong, in our words if Python's parser finds it too."""
        try:
            for _ in self._rows(block, lines):
                pass
        except InputError as found:
            return found
        text = reason(error).removeprefix("JSON parse error: ")
        row = _ROW.search(text)
        where = f"line {_line_of(block, int(row[1])) + lines:,}" if row else f"after line {lines:,}"
        return InputError(f"{self.label}: {where}: {_ROW.sub('', text).rstrip('.')}; {_ADVICE}")


def _integer(digits: str) -> int | float:
    """A whole number as Arrow takes it: beyond 64 bits as a float."""
    if len(digits) <= _INT64_DIGITS and int(digits) in _INT64:
        return int(digits)
    return float(digits)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"key {repeated!r} is there twice")
    return found


_DECODER = json.JSONDecoder(parse_int=_integer, object_pairs_hook=_object)


def _may_hold_null_rows(block: bytes) -> bool:
    if b"null" not in block:
        return False
    for found in _NULL_ROW.finditer(block):
        before = block[block.rfind(b"\n", 0, found.start()) + 1 : found.start()].strip()
        if not before or before.endswith((b"}", b"null")):
            return True
    return False


def _line_of(block: bytes, row: int) -> int:
    """Number of the line that holds a row, both from the block's start; lines count from 1."""
    filled = [number for number, line in enumerate(block.splitlines(), start=1) if line.strip()]
    return filled[min(row, len(filled) - 1)]


def _read_json(block: bytes, explicit: pa.Schema) -> pa.Table:
    from pyarrow.json import ParseOptions, ReadOptions, read_json

    table = read_json(
        pa.BufferReader(block),
        read_options=ReadOptions(use_threads=False, block_size=len(block) + 1),
        parse_options=ParseOptions(explicit_schema=explicit),
    )
    table.validate()  # lists that begin with nulls come out too short
    return table


def _with_times(table: pa.Table, texts: Sequence[str]) -> pa.Table:
    """The table with its columns of text that hold times as times, but for those named."""
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type) and field.name not in texts:
            column = table.column(place)
            times = _times(column)
            if times is not None:
                table = table.set_column(place, field.name, times)
    return table


def _times(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Texts as instants, in UTC where they have a zone; None if not all of them are times.

    Each value is taken on its own, so that the types do not depend on where blocks are cut.
    """
    first = next((value for chunk in column.chunks for value in chunk if value.is_valid), None)
    if first is None or not _TIME.match(first.as_buffer().to_pybytes()[:14]):
        return None
    import pyarrow.compute as pc

    has_zone = pc.match_substring_regex(column, _ZONE)
    nothing = pa.scalar(None, pa.string())
    parts: list[tuple[str | None, pa.ChunkedArray]] = [
        (None, pc.if_else(has_zone, nothing, column))
    ]
    if pc.any(has_zone).as_py():
        parts.append(("UTC", pc.if_else(has_zone, column, nothing)))
    for unit in ("s", "us", "ns"):
        with contextlib.suppress(pa.ArrowInvalid):
            found = [texts.cast(pa.timestamp(unit, zone)) for zone, texts in parts]
            return pc.coalesce(*(times.cast(pa.timestamp(unit)) for times in found))
    return None


def _join(a: pa.DataType, b: pa.DataType) -> pa.DataType:
    """The type of a column that holds both; text if nothing else does."""
    if a.equals(b):
        return a
    if pa.types.is_struct(a) and pa.types.is_struct(b):
        names = list(dict.fromkeys([field.name for field in [*a, *b]]))
        return pa.struct([(name, _join(_field(a, name), _field(b, name))) for name in names])
    if pa.types.is_list(a) and pa.types.is_list(b):
        return pa.list_(_join(a.value_type, b.value_type))
    return widen(a, b) or pa.string()


def _field(type_: pa.StructType, name: str) -> pa.DataType:
    position = type_.get_field_index(name)
    return pa.null() if position < 0 else type_.field(position).type


def _conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """One block with the columns and types of the whole file."""
    columns = []
    for field in schema:
        if field.name not in table.column_names:
            columns.append(pa.nulls(table.num_rows, field.type))
            continue
        column = table.column(field.name)
        if not column.type.equals(field.type):
            column = _cast(column, field.type)
        columns.append(column)
    if not columns:
        return table.select([])
    return pa.Table.from_arrays(columns, schema=schema)


def _cast(column: pa.ChunkedArray, type_: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_timestamp(type_):
        return column.cast(type_)  # nanoseconds do not reach beyond 1677 and 2262
    try:
        return column.cast(type_, safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.chunked_array([_array(column.to_pylist(), type_)])


def _array(values: list[Any], type_: pa.DataType | None = None) -> pa.Array:
    """Parsed JSON values as an array; as text where they share no type."""
    try:
        return pa.array(values, type_)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        return pa.array([_text(value) for value in values], pa.string())


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return _ENCODER.encode(value)
