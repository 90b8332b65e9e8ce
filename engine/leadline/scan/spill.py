"""The cells of a scan as they grow: folded in memory, or waiting in a temporary file.

Every cell is a left fold over the units in order. A cell that had to leave memory is not read back
for each further unit: what comes later is kept as it is, and at the end its parts are folded from
the file in the order in which they arose. The result is the same to the bit.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType, TracebackType
from typing import IO, Self

from ..profile import Cell
from ..profile.cells import cell_order, with_functions
from ..profile.custom import CustomSummary
from ..schema import Column
from ..snapshot.cells import decode_cell, encode_cell
from .cells import CellKey


@dataclass(frozen=True, slots=True)
class _Stored:
    """Where a part of a cell lies in the file, and what its columns are."""

    offset: int
    lengths: tuple[int, ...]
    columns: Mapping[str, Column]


@dataclass(frozen=True, slots=True)
class Mark:
    """A state of the table to go back to."""

    open: Mapping[CellKey, Cell]
    stored: Mapping[CellKey, tuple[_Stored, ...]]
    count: int
    held: int
    end: int


class CellTable:
    """The cells of one scan. Use it as a context manager: the temporary file goes with it.

    Parameters
    ----------
    memory
        Bytes of state held in memory; beyond it cells are stored in the temporary file.
    k
        Size parameter of the quantile sketches.
    summaries
        Functions of the users' own summaries, which the file does not hold.
    """

    def __init__(
        self, *, memory: int, k: int, summaries: Mapping[str, CustomSummary] = MappingProxyType({})
    ) -> None:
        self._memory, self._k, self._summaries = memory, k, summaries
        # Least recently touched first, which are the first to be stored.
        self._open: dict[CellKey, Cell] = {}
        self._stored: dict[CellKey, tuple[_Stored, ...]] = {}
        self._count = 0
        self._held = 0
        self._file: IO[bytes] | None = None
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def __len__(self) -> int:
        return self._count

    def add(self, cells: Sequence[Cell]) -> None:
        """Fold the cells of the next unit into the table."""
        for cell in cells:
            known = self._open.pop(cell.key, None)
            if known is None:
                self._count += cell.key not in self._stored
                grown = cell
            elif cell.key in self._stored:
                self._store(known)
                self._held -= known.nbytes
                grown = cell
            else:
                self._held -= known.nbytes
                grown = known.merge(cell, k=self._k)
            self._open[cell.key] = grown
            self._held += grown.nbytes
        if self._held > self._memory:
            self._make_room()

    def mark(self) -> Mark:
        """Remember this state."""
        return Mark(dict(self._open), dict(self._stored), self._count, self._held, self._end)

    def go_back(self, mark: Mark) -> None:
        """Undo everything since the mark."""
        self._open, self._stored = dict(mark.open), dict(mark.stored)
        self._count, self._held, self._end = mark.count, mark.held, mark.end

    def cells(self) -> Iterator[Cell]:
        """Every cell in canonical order; call once, at the end."""
        keys = {**self._stored, **self._open}
        for key in sorted(keys, key=lambda key: cell_order(Cell(key[0], key[1], 0, {}))):
            yield self._whole(key)

    def _whole(self, key: CellKey) -> Cell:
        total: Cell | None = None
        for stored in self._stored.get(key, ()):
            part = self._load(stored, segments=len(key[1]))
            total = part if total is None else total.merge(part, k=self._k)
        last = self._open.get(key)
        if total is None:
            assert last is not None
            return last
        return total if last is None else total.merge(last, k=self._k)

    def _make_room(self) -> None:
        """Store the cells that were touched longest ago, until half of the memory is free."""
        for key, cell in list(self._open.items()):
            if self._held <= self._memory // 2:
                return
            self._store(cell)
            del self._open[key]
            self._held -= cell.nbytes

    def _store(self, cell: Cell) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="leadline-")  # noqa: SIM115 (see __exit__)
        columns = {name: state.column for name, state in cell.states.items()}
        parts = encode_cell(cell, columns)
        self._file.seek(self._end)
        for part in parts:
            self._file.write(part)
        stored = _Stored(self._end, tuple(map(len, parts)), columns)
        self._end += sum(stored.lengths)
        self._stored[cell.key] = (*self._stored.get(cell.key, ()), stored)

    def _load(self, stored: _Stored, *, segments: int) -> Cell:
        assert self._file is not None
        self._file.seek(stored.offset)
        parts = [
            decode_cell(self._file.read(length), stored.columns, segments).cell
            for length in stored.lengths
        ]
        states = {name: state for part in parts for name, state in part.states.items()}
        return with_functions(replace(parts[0], states=states), self._summaries)
