"""Cells in a file, one after another, each with a line that says what it is.

The file only ever grows: what a checkpoint refers to is never overwritten, so that a scan that is
killed finds it again. Parts that were taken back stay in the file and are passed over.
"""

from __future__ import annotations

import json
import os
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import IO

from ..errors import SnapshotError
from ..profile import Cell
from ..profile.cells import with_functions
from ..profile.custom import CustomSummary
from ..schema import Column
from ..snapshot.cells import (
    columns_from_json,
    columns_to_json,
    decode_cell,
    encode_cell,
    key_from_json,
    key_to_json,
)
from .cells import CellKey

_START = struct.Struct("<4sII")  # name, length and CRC-32 of the line that follows
CELLS_START = b"cell"  # the name, and so what every file of cells begins with


@dataclass(frozen=True, slots=True)
class StoredCell:
    """Where a cell lies in the file, and what its columns are."""

    offset: int
    lengths: tuple[int, ...]
    checksum: int
    columns: Mapping[str, Column]


class CellFile:
    """A file of cells.

    Parameters
    ----------
    opens
        Gives the file, when the first cell is stored; by default one without a name, which goes
        when it is closed.
    summaries
        Functions of the users' own summaries, which the file does not hold.
    """

    def __init__(
        self,
        opens: Callable[[], IO[bytes]] | None = None,
        *,
        summaries: Mapping[str, CustomSummary] = MappingProxyType({}),
    ) -> None:
        self._opens, self._summaries = opens or _open_temporary, summaries
        self._file: IO[bytes] | None = None
        self._layouts: list[Mapping[str, Column]] = []
        self._numbers: dict[tuple[int, ...], int] = {}
        self._equal: dict[tuple[Column, ...], int] = {}
        self._described: set[int] = set()
        self.end = 0
        self.dropped: list[tuple[int, int]] = []

    def close(self) -> None:
        """Close the file; safe to call twice."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def append(self, cell: Cell) -> StoredCell:
        """Store a cell at the end."""
        file = self._open()
        number = self._layout(cell)
        columns = self._layouts[number]
        parts = encode_cell(cell, columns)
        checksum = 0
        for part in parts:
            checksum = zlib.crc32(part, checksum)
        lengths = tuple(map(len, parts))
        line = self._line(cell.key, number, lengths, checksum)
        file.seek(self.end)
        file.write(_START.pack(CELLS_START, len(line), zlib.crc32(line)))
        file.write(line)
        for part in parts:
            file.write(part)
        offset = self.end + _START.size + len(line)
        self.end = offset + sum(lengths)
        return StoredCell(offset, lengths, checksum, columns)

    def load(self, stored: StoredCell, *, segments: int) -> Cell:
        """Read a cell that was stored.

        Raises
        ------
        SnapshotError
            If its bytes are not those that were written.
        """
        parts = self._read_parts(stored)
        found = [decode_cell(part, stored.columns, segments).cell for part in parts]
        states = {name: state for part in found for name, state in part.states.items()}
        return with_functions(replace(found[0], states=states), self._summaries)

    def drop(self, offset: int) -> None:
        """Pass over everything from an offset on, for good."""
        if offset < self.end:
            self.dropped.append((offset, self.end))

    def sync(self) -> None:
        """Wait until everything stored is on the disk."""
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())

    def recover(
        self, end: int, dropped: Sequence[tuple[int, int]]
    ) -> Iterator[tuple[CellKey, StoredCell]]:
        """The cells that a killed scan had stored up to an offset; what follows it is cut off.

        Raises
        ------
        SnapshotError
            If the file is not as that scan left it; every byte of it is looked at, for otherwise
            that would be known at the end of a long scan only.
        """
        if end:
            file = self._open()
            if file.seek(0, os.SEEK_END) < end:
                raise SnapshotError(_DAMAGED)
            file.truncate(end)
        while self.end < end:
            begin = self.end
            key, stored = self._read_line(begin)
            self.end = stored.offset + sum(stored.lengths)
            if not any(start <= begin < stop for start, stop in dropped):
                self._read_parts(stored)
                yield key, stored
        if self.end != end:
            raise SnapshotError(_DAMAGED)
        self.dropped = list(dropped)

    def _read_parts(self, stored: StoredCell) -> list[bytes]:
        file = self._open()
        file.seek(stored.offset)
        parts, checksum = [], 0
        for length in stored.lengths:
            content = file.read(length)
            checksum = zlib.crc32(content, checksum)
            parts.append(content)
        if checksum != stored.checksum:
            raise SnapshotError(_DAMAGED)
        return parts

    def _open(self) -> IO[bytes]:
        if self._file is None:
            self._file = self._opens()
        return self._file

    def _layout(self, cell: Cell) -> int:
        """Number of the cell's list of columns; few lists serve all cells."""
        columns = cell.columns
        # First by identity, for that is quick; the list keeps the columns, and so their identity.
        identity = tuple(map(id, columns.values()))
        number = self._numbers.get(identity)
        if number is None:
            number = self._equal.setdefault(tuple(columns.values()), len(self._layouts))
            if number == len(self._layouts):
                self._numbers[identity] = number
                self._layouts.append(columns)
        return number

    def _line(self, key: CellKey, number: int, lengths: tuple[int, ...], checksum: int) -> bytes:
        fields = {
            "key": key_to_json(key),
            "columns": number,
            "lengths": lengths,
            "checksum": checksum,
        }
        if number not in self._described:
            self._described.add(number)
            fields["described"] = columns_to_json(self._layouts[number].values())
        return json.dumps(fields, separators=(",", ":")).encode()

    def _read_line(self, offset: int) -> tuple[CellKey, StoredCell]:
        assert self._file is not None
        self._file.seek(offset)
        try:
            name, length, checksum = _START.unpack(self._file.read(_START.size))
            line = self._file.read(length)
            if name != CELLS_START or zlib.crc32(line) != checksum:
                raise SnapshotError(_DAMAGED)
            fields = json.loads(line)
            number = fields["columns"]
            if "described" in fields:
                self._layouts.append(columns_from_json(fields["described"]))
                self._described.add(len(self._layouts) - 1)
            stored = StoredCell(
                offset + _START.size + length,
                tuple(fields["lengths"]),
                fields["checksum"],
                self._layouts[number],
            )
            return key_from_json(fields["key"]), stored
        except (struct.error, ValueError, LookupError, TypeError) as error:
            raise SnapshotError(_DAMAGED) from error


def _open_temporary() -> IO[bytes]:
    return tempfile.TemporaryFile(prefix="leadline-")


_DAMAGED = "the stored cells of the scan are not those that were written"
