"""Parquet: row groups are the units; one column chunk is decoded at a time.

Whole row groups, ``pre_buffer`` and dataset scanners all hold more than one column in memory and
never let go of it in time; one column chunk at a time is also the fastest way measured.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

import pyarrow as pa

from ...errors import InputError
from ...locations import Location
from ...schema import LeafPath
from .base import cut, leaf, not_a, reason

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_MAGIC = b"PAR1"
_TRAILER = 8  # bytes after the footer: its length and the magic
# A first read of this many bytes from the end holds most footers: one access instead of two.
_GUESS = 65_536
# Strings are read as dictionaries where the column chunk's dictionary is small: at most this many
# bytes as stored, and one for every few rows.
_DICTIONARY_BYTES = 131_072
_ROWS_A_DICTIONARY_BYTE = 4


class ParquetSource:
    """One Parquet file."""

    prompt = True

    def __init__(self, location: Location, name: str) -> None:
        self.name, self.label, self.size = name, location.label, location.size
        self._location = location
        footer = _read_footer(location)
        location.keep(footer)
        self._footer_bytes = len(footer)
        self._fingerprint = hashlib.blake2b(footer[:-_TRAILER], digest_size=16).hexdigest()
        metadata = self._metadata(footer)
        self._rows = metadata.num_rows
        try:
            self._schema = metadata.schema.to_arrow_schema()
        except (pa.ArrowException, UnicodeDecodeError) as error:
            raise InputError(f"{self.label}: its schema cannot be read: {reason(error)}") from error

    def schema(self) -> pa.Schema:
        """Arrow schema of the footer."""
        return self._schema

    def rows(self) -> int:
        """Rows by the footer."""
        return int(self._rows)

    def consumed(self) -> int:
        """Not told."""
        return 0

    def fingerprint(self) -> str:
        """Hash of the footer's bytes."""
        return self._fingerprint

    def tasks(self, leaves: Sequence[LeafPath], unit_rows: int) -> Iterator[ParquetTask]:
        """Small row groups joined while they fit one unit, larger ones cut."""
        metadata = self._metadata()
        places = _leaf_places(metadata)
        texts = [places[path] for path in map(".".join, leaves) if path in places]
        for groups, rows in _plan(metadata, unit_rows):
            dictionaries = [
                metadata.schema.column(place).path
                for place in texts
                if _pays(metadata, groups, place)
            ]
            yield ParquetTask(self._location, metadata, groups, rows, dictionaries, leaves)

    def _metadata(self, footer: bytes | None = None) -> pq.FileMetaData:
        import pyarrow.parquet as pq

        # Read anew when needed: footers of thousands of wide files would not fit in memory.
        try:
            footer = footer if footer is not None else self._location.tail(self._footer_bytes)
            return pq.read_metadata(pa.BufferReader(footer))
        except (pa.ArrowException, OSError) as error:
            raise InputError(
                f"{self.label} is damaged: its footer cannot be read: {reason(error)}"
            ) from error


class ParquetTask:
    """Row groups that are one unit together, or one row group that is several units."""

    def __init__(
        self,
        location: Location,
        metadata: pq.FileMetaData,
        groups: list[int],
        rows: Sequence[int],
        dictionaries: list[str],
        leaves: Sequence[LeafPath],
    ) -> None:
        self.rows = rows
        self._location, self._metadata, self._groups = location, metadata, groups
        self._dictionaries, self._leaves = dictionaries, leaves
        self._file: pq.ParquetFile | None = None

    def read(self, path: LeafPath) -> Iterator[pa.ChunkedArray]:
        """Decode one column chunk (of every row group of the unit)."""
        file = self._open()
        columns = [".".join(path)]
        if len(self.rows) == 1:
            table = file.read_row_groups(self._groups, columns=columns, use_threads=False)
            yield leaf(table.column(path[0]), path)
            return
        batches = file.iter_batches(
            self.rows[0], row_groups=self._groups, columns=columns, use_threads=False
        )
        for unit in cut(batches, self.rows[0]):
            yield leaf(pa.Table.from_batches(unit).column(path[0]), path)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close(force=True)
            self._file = None

    def _open(self) -> pq.ParquetFile:
        import pyarrow.parquet as pq

        if self._file is None:
            self._file = pq.ParquetFile(
                self._location.open(_ranges(self._metadata, self._groups, self._leaves)),
                metadata=self._metadata,
                read_dictionary=self._dictionaries,
                pre_buffer=False,
            )
        return self._file


def _read_footer(location: Location) -> bytes:
    """The footer and the eight bytes after it; refuse what does not end like a Parquet file."""
    label, size = location.label, location.size
    tail = location.tail(_GUESS)
    if not tail:
        raise InputError(f"{label} is empty")
    length = int.from_bytes(tail[-_TRAILER:-4], "little") + _TRAILER
    if size < 12 or not tail.endswith(_MAGIC) or length + 4 > size:
        head = location.head(8)
        if not head.startswith(_MAGIC):
            raise not_a(label, "a Parquet file", head)
        raise InputError(
            f"{label} is not a whole Parquet file: it does not end in a footer; "
            "it may still be being written, or was cut short"
        )
    return tail[-length:] if length <= len(tail) else location.tail(length)


def _plan(metadata: pq.FileMetaData, unit_rows: int) -> Iterator[tuple[list[int], list[int]]]:
    """(row groups, rows of the units) of every task."""
    held: list[int] = []
    total = 0
    for group in range(metadata.num_row_groups):
        rows = metadata.row_group(group).num_rows
        if rows == 0:
            continue
        if held and total + rows > unit_rows:
            yield held, [total]
            held, total = [], 0
        if rows > unit_rows:
            whole, rest = divmod(rows, unit_rows)
            yield [group], [unit_rows] * whole + ([rest] if rest else [])
        else:
            held.append(group)
            total += rows
    if held:
        yield held, [total]


def _ranges(
    metadata: pq.FileMetaData, groups: list[int], leaves: Sequence[LeafPath]
) -> Iterator[tuple[int, int]]:
    """Bytes of the column chunks, in the order in which they will be read."""
    places: dict[str, list[int]] = {}
    for place in range(len(metadata.schema)):
        *folders, name = metadata.schema.column(place).path.split(".")
        for dotted in accumulate([*folders, name], "{}.{}".format):
            places.setdefault(dotted, []).append(place)
    for path in leaves:
        for group in groups:
            for place in places.get(".".join(path), ()):
                chunk = metadata.row_group(group).column(place)
                begin = chunk.data_page_offset
                if chunk.dictionary_page_offset:
                    begin = min(begin, chunk.dictionary_page_offset)
                yield begin, begin + chunk.total_compressed_size


def _leaf_places(metadata: pq.FileMetaData) -> dict[str, int]:
    """Position of every column of bytes among the file's leaves."""
    columns = (metadata.schema.column(place) for place in range(len(metadata.schema)))
    return {
        column.path: place
        for place, column in enumerate(columns)
        if column.physical_type == "BYTE_ARRAY"
    }


def _pays(metadata: pq.FileMetaData, groups: list[int], place: int) -> bool:
    """Whether a column of text is better read as a dictionary."""
    for group in groups:
        chunk = metadata.row_group(group).column(place)
        if not chunk.has_dictionary_page or chunk.dictionary_page_offset is None:
            return False
        stored = chunk.data_page_offset - chunk.dictionary_page_offset
        if not 0 < stored <= _DICTIONARY_BYTES:
            return False
        if stored * _ROWS_A_DICTIONARY_BYTE > chunk.num_values:
            return False
    return True
