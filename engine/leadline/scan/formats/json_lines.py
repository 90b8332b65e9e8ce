"""JSON Lines: one object a line. Blocks of whole lines are parsed on their own.

A key that is missing from a line is null there. Where one column holds values of several types, it
becomes text: strings as they are, everything else as its JSON.
"""

from __future__ import annotations

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
_MIXED = re.compile(r"Column\((?:/.*)?\) changed from (?:number|string|boolean|null)")
_ENCODER = json.JSONEncoder(default=str)
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
        return _conform(table, chosen)

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
        explicit = pa.schema([(name, pa.string()) for name in texts])
        try:
            return _read_json(block, explicit)
        except pa.ArrowInvalid as error:
            if "Empty JSON" in str(error):
                return pa.table({})
            if _MIXED.search(str(error)) is None:
                raise self._error(error, lines) from error
        if texts:
            # Numbers in a column that is text elsewhere; Arrow does it if its text is JSON's.
            try:
                table = _read_json(block, pa.schema([]))
            except pa.ArrowInvalid:
                return self._parse_mixed(block, lines)
            if all(
                table.schema.field(name).type in _PLAIN
                for name in texts
                if name in table.column_names
            ):
                return table
        return self._parse_mixed(block, lines)

    def _parse_mixed(self, block: bytes, lines: int) -> pa.Table:
        """Parse a block in which a column changes its type, line by line."""
        columns: dict[str, list[Any]] = {}
        count = 0
        for number, line in enumerate(block.splitlines(), start=lines + 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line.decode("utf-8", "backslashreplace"))
            except ValueError as error:
                raise InputError(f"{self.label}: line {number:,} is not JSON: {error}") from error
            if not isinstance(row, dict):
                raise InputError(f"{self.label}: line {number:,} is not a JSON object")
            for key, value in row.items():
                columns.setdefault(key, [None] * count).append(value)
            count += 1
            for values in columns.values():
                values.extend([None] * (count - len(values)))
        return pa.table({name: _array(values) for name, values in columns.items()})

    def _error(self, error: Exception, lines: int) -> InputError:
        text = reason(error).removeprefix("JSON parse error: ")
        row = _ROW.search(text)
        where = f"line {lines + int(row[1]) + 1:,}" if row else f"after line {lines:,}"
        hint = ""
        if "Column() changed" in text:
            text, hint = "it is not a JSON object", "; JSON Lines has one object on every line"
        return InputError(f"{self.label}: {where}: {_ROW.sub('', text)}{hint}")


def _read_json(block: bytes, explicit: pa.Schema) -> pa.Table:
    from pyarrow.json import ParseOptions, ReadOptions, read_json

    return read_json(
        pa.BufferReader(block),
        read_options=ReadOptions(use_threads=False, block_size=len(block) + 1),
        parse_options=ParseOptions(explicit_schema=explicit),
    )


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
