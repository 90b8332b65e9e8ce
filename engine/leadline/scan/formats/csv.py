"""CSV and TSV: a header line, one row a record; quoted fields may hold line ends.

An empty field is null; so are the usual markers (NA, NULL, ...) in columns of anything but text. In
a column of text only the empty field is null. ``NaN`` is a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from ...errors import InputError
from ...locations import Location
from ...schema import LeafPath
from .base import TableTask, TypesChanged, reason, table_tasks
from .text import TextSource, wider_types

if TYPE_CHECKING:
    from pyarrow.csv import CSVStreamingReader

_NULLS = ["", "NA", "N/A", "n/a", "NULL", "Null", "null", "None", "#N/A", "#NA", "<NA>"]
_BLOCK = 1 << 22
_LARGEST_BLOCK = 1 << 30  # a record longer than this is taken for an unclosed quote
_CONFLICT = re.compile(r"In CSV column #(\d+): (?:Row #(\d+): )?CSV conversion error to (.+?): ")
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
            with self._errors(), self._reader(None) as reader:
                self._schema = self._checked(reader.schema)
                self._types = dict(zip(self._schema.names, self._schema.types, strict=True))
        return pa.schema(list(self._types.items()))

    def tasks(self, leaves: Sequence[LeafPath], unit_rows: int) -> Iterator[TableTask]:
        """Units of the file in order; only the chosen columns are converted."""
        self.schema()
        names = [path[0] for path in leaves]
        schema = pa.schema([(name, self._types[name]) for name in names])
        yield from table_tasks(self._batches(names, schema), schema, leaves, unit_rows)

    def _batches(self, names: list[str], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        texts = [place for place, type_ in enumerate(schema.types) if pa.types.is_string(type_)]
        try:
            # Without any column the reader would not count rows: read one.
            with self._reader(names or list(self._types)[:1]) as reader:
                for batch in reader:
                    yield _empty_to_null(batch.select(names), texts)
        except pa.ArrowInvalid as error:
            conflict = _CONFLICT.search(str(error))
            if conflict is None:
                with self._errors():
                    raise
            culprit = list(self._types)[int(conflict[1])]
            raise TypesChanged(self._widen(names or [culprit], culprit)) from error
        except (OSError, UnicodeDecodeError) as error:
            with self._errors():
                raise error

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
        from pyarrow.csv import ConvertOptions, ParseOptions, ReadOptions, open_csv

        return open_csv(
            stream,
            read_options=ReadOptions(block_size=self._block, use_threads=False),
            parse_options=ParseOptions(delimiter=self._delimiter, newlines_in_values=True),
            convert_options=ConvertOptions(
                check_utf8=False,
                null_values=_NULLS,
                strings_can_be_null=as_text,
                column_types=dict.fromkeys(names or (), pa.string()) if as_text else self._types,
                include_columns=names or [],
            ),
        )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Errors of the reader as errors that name the file, the row and what to do."""
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
                    f"{self.label}: row {row:,} (the header is row 1) has {got} fields, "
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


def _empty_to_null(batch: pa.RecordBatch, texts: list[int]) -> pa.RecordBatch:
    """Empty fields of text columns as nulls: the file cannot tell them apart."""
    if not texts:
        return batch
    arrays = batch.columns
    for place in texts:
        empty = pc.equal(arrays[place], "")
        if empty.true_count:
            arrays[place] = pc.if_else(empty, pa.scalar(None, arrays[place].type), arrays[place])
    return pa.RecordBatch.from_arrays(arrays, schema=batch.schema)


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
