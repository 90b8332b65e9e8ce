"""CSV and TSV: a header line, one row a record; quoted fields may hold line ends.

Fields are separated by commas; by semicolons, tabs or bars where the header has these and no comma.
An empty field is null; so are the usual markers (NA, NULL, ...) in columns of anything but text. In
a column of text only the empty field is null. ``NaN`` is a number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from ... import _native
from ...errors import InputError
from ...locations import Location
from ...schema import LeafPath
from .base import InOrder, TableTask, TypesChanged, reason, rows_of_streams, table_tasks
from .text import BOM, TextSource, wider_types

if TYPE_CHECKING:
    from pyarrow.csv import ConvertOptions, CSVStreamingReader, ParseOptions

_NULLS = ["", "NA", "N/A", "n/a", "NULL", "Null", "null", "None", "#N/A", "#NA", "<NA>"]
_BLOCK = 1 << 22
_BYTES_A_VALUE = 8
_LARGEST_BLOCK = 1 << 30  # a record longer than this is taken for an unclosed quote
_CONFLICT = re.compile(r"In CSV column #(\d+): (?:Row #(\d+): )?CSV conversion error to (.+?): ")
_OTHER_DELIMITERS = ";\t|"
_QUOTED = re.compile(rb'"[^"]*"')
_LONGEST_HEADER = 1 << 16
_RAGGED = re.compile(r"Row #(\d+): Expected (\d+) columns, got (\d+)")


class CsvSource(TextSource):
    """One CSV or TSV file."""

    kind = "a CSV file"

    def __init__(
        self, location: Location, name: str, delimiter: str, *, by_content: bool = False
    ) -> None:
        super().__init__(location, name, by_content=by_content)
        self._delimiter = delimiter
        self._types: dict[str, pa.DataType] = {}
        self._block = _BLOCK
        self._schema: pa.Schema | None = None

    def schema(self) -> pa.Schema:
        """Columns of the header line, with the types known so far."""
        if self._schema is None:
            with self._errors():
                self._delimiter = self._found_delimiter()
                with self._reader(None) as reader:
                    self._schema = self._checked(reader.schema)
            self._types = dict(zip(self._schema.names, self._schema.types, strict=True))
        return pa.schema(list(self._types.items()))

    def _found_delimiter(self) -> str:
        """What separates the names in the header line, of which only a part may be quoted."""
        with self.open() as stream:
            head = stream.read(_LONGEST_HEADER).removeprefix(BOM).lstrip(b"\r\n")
        line = _QUOTED.sub(b"", head).partition(b"\n")[0].decode("latin-1")
        if self._delimiter in line:
            return self._delimiter
        found = max(_OTHER_DELIMITERS, key=line.count)
        return found if found in line else self._delimiter

    def learned(self) -> pa.Schema:
        """Columns with the types known so far."""
        return self.schema()

    def assume(self, types: pa.Schema) -> None:
        """Begin with types that an earlier scan has learned."""
        self.schema()  # tells how fields are separated
        self._schema, self._types = types, dict(zip(types.names, types.types, strict=True))

    def tasks(
        self, leaves: Sequence[LeafPath], unit_rows: int, in_order: InOrder
    ) -> Iterator[TableTask]:
        """Units of the file in order; only the chosen columns are converted."""
        self.schema()
        names = [path[0] for path in leaves]
        schema = pa.schema([(name, self._types[name]) for name in names])
        rows = rows_of_streams(unit_rows, len(self._types))
        yield from table_tasks(self._batches(names, schema, in_order), schema, leaves, rows)

    def _batches(
        self, names: list[str], schema: pa.Schema, in_order: InOrder
    ) -> Iterator[pa.RecordBatch]:
        rows = 0
        try:
            for table in in_order(self._parsings(names, schema), _BLOCK // _BYTES_A_VALUE):
                yield from table.to_batches()
                rows += table.num_rows + (rows == 0)  # the first piece begins with the header
        except pa.ArrowInvalid as error:
            conflict = _CONFLICT.search(str(error))
            if conflict is None:
                with self._errors(rows):
                    raise
            culprit = list(self._types)[int(conflict[1])]
            raise TypesChanged(self._widen(names or [culprit], culprit)) from error
        except (OSError, UnicodeDecodeError) as error:
            with self._errors():
                raise error

    def _parsings(self, names: list[str], schema: pa.Schema) -> Iterator[Callable[[], pa.Table]]:
        """Calls that parse the pieces of the file."""
        # Without any column the reader would not count rows: read one.
        convert = self._convert(names or list(self._types)[:1])
        header = None
        for piece in self._pieces():
            yield partial(self._parse, piece, header, convert, schema)
            header = list(self._types)

    def _pieces(self) -> Iterator[memoryview]:
        """The file's bytes cut after whole records."""
        rest = b""
        with self.open() as stream:
            # A record that is longer than a block is read in twice as much each time.
            while data := stream.read(max(_BLOCK, len(rest))):
                whole = rest + data if rest else data
                end = _native.records_end(whole, self._delimiter)
                if end:
                    yield memoryview(whole)[:end]
                elif len(whole) > _LARGEST_BLOCK:
                    raise pa.ArrowInvalid("straddling object")
                rest = whole[end:]
        if rest:
            if _native.records_end(rest + b"\n", self._delimiter) != len(rest) + 1:
                raise InputError(
                    f"{self.label} ends inside quotes: it was cut short, or a quote is not closed; "
                    "get the whole file, or close the quote"
                )
            yield memoryview(rest)

    def _parse(
        self,
        piece: memoryview,
        header: list[str] | None,
        convert: ConvertOptions,
        schema: pa.Schema,
    ) -> pa.Table:
        from pyarrow.csv import ReadOptions, read_csv

        if header is not None and not bytes(piece[:64]).strip() and not bytes(piece).strip():
            return schema.empty_table()
        table = read_csv(
            pa.BufferReader(pa.py_buffer(piece)),
            ReadOptions(use_threads=False, block_size=len(piece) + 1, column_names=header),
            self._parse_options(),
            convert,
        )
        return _empty_to_null(table.select(schema.names), schema)

    def _widen(self, names: list[str], culprit: str) -> list[tuple[str, str]]:
        """Find the types that hold for the whole file, by one pass over its text."""
        before = dict(self._types)
        with self._errors(), self._reader(names, as_text=True) as reader:
            for batch in reader:
                for name in names:
                    self._types[name] = _type_for(batch.column(name), self._types[name])
        if before[culprit].equals(self._types[culprit]):  # the reader is stricter than the cast
            self._types[culprit] = pa.string()
        changes = [name for name in names if not before[name].equals(self._types[name])]
        return [
            (name, f"{before[name]} at the start of the file, {self._types[name]} over all of it")
            for name in changes
        ]

    @contextmanager
    def _reader(
        self, names: list[str] | None, *, as_text: bool = False
    ) -> Iterator[CSVStreamingReader]:
        while True:
            with ExitStack() as opened:
                stream = opened.enter_context(self.open())
                try:
                    reader = self._open_csv(stream, names, as_text=as_text)
                except pa.ArrowInvalid as error:
                    if "straddl" not in str(error) or self._block >= _LARGEST_BLOCK:
                        raise
                    self._block *= 16
                    continue
                yield opened.enter_context(reader)
                return

    def _open_csv(
        self, stream: pa.NativeFile, names: list[str] | None, *, as_text: bool
    ) -> CSVStreamingReader:
        from pyarrow.csv import ReadOptions, open_csv

        return open_csv(
            stream,
            read_options=ReadOptions(block_size=self._block, use_threads=False),
            parse_options=self._parse_options(),
            convert_options=self._convert(names or [], as_text=as_text),
        )

    def _parse_options(self) -> ParseOptions:
        from pyarrow.csv import ParseOptions

        return ParseOptions(delimiter=self._delimiter, newlines_in_values=True)

    def _convert(self, names: list[str], *, as_text: bool = False) -> ConvertOptions:
        from pyarrow.csv import ConvertOptions

        return ConvertOptions(
            check_utf8=False,
            null_values=_NULLS,
            strings_can_be_null=as_text,
            column_types=dict.fromkeys(names, pa.string()) if as_text else self._types,
            include_columns=names,
        )

    @contextmanager
    def _errors(self, rows: int = 0) -> Iterator[None]:
        """Errors of the reader as errors that name the file, the row and what to do.

        Parameters
        ----------
        rows
            Rows before those that the error is about.
        """
        try:
            yield
        except UnicodeDecodeError as error:
            raise InputError(f"{self.label}: a column name is not valid UTF-8") from error
        except (pa.ArrowException, OSError) as error:
            text = str(error)
            ragged = _RAGGED.search(text)
            if ragged is not None:
                row, expected, got = map(int, ragged.groups())
                raise InputError(
                    f"{self.label}: row {rows + row:,} (the header is row 1) has {got} fields, "
                    f"not {expected}"
                ) from error
            if "mpty CSV" in text:
                raise InputError(f"{self.label} has no header line with an end") from error
            if "straddl" in text:
                raise InputError(
                    f"{self.label}: a record is over {self._block >> 20} MiB long; "
                    "a quote may not have been closed"
                ) from error
            raise InputError(f"{self.label} cannot be read: {reason(error)}") from error

    def _checked(self, schema: pa.Schema) -> pa.Schema:
        for name in schema.names:
            if schema.names.count(name) > 1:
                raise InputError(f"{self.label}: column {name!r} occurs more than once")
        # Binary is what the reader calls text that is not UTF-8; here text is bytes anyway.
        return pa.schema(
            [
                (field.name, pa.string() if pa.types.is_binary(field.type) else field.type)
                for field in schema
            ]
        )


def _empty_to_null(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Empty fields of text columns as nulls: the file cannot tell them apart."""
    columns = table.columns
    for place, type_ in enumerate(schema.types):
        if not pa.types.is_string(type_):
            continue
        empty = pc.equal(columns[place], "")
        if pc.any(empty).as_py():
            columns[place] = pc.if_else(empty, pa.scalar(None, type_), columns[place])
    return pa.Table.from_arrays(columns, schema=schema) if columns else table


def _type_for(column: pa.Array, type_: pa.DataType) -> pa.DataType:
    """The first type from ``type_`` upwards that all values of a block fit."""
    for candidate in (type_, *wider_types(type_)):
        if pa.types.is_null(candidate):
            if column.null_count == len(column):
                return candidate
            continue
        try:
            column.cast(candidate)
        except pa.ArrowInvalid:
            continue
        return candidate
    return pa.string()
