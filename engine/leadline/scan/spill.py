"""The cells of a scan as they grow: folded in memory, or waiting in a temporary file.

Every cell is a left fold over the units in order. A cell that had to leave memory is not read back
for each further unit: what comes later is kept as it is, and at the end its parts are folded from
the file in the order in which they arose. The result is the same to the bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from ..profile import Cell
from ..profile.cells import cell_order
from .cellfile import CellFile, StoredCell
from .cells import CellKey


@dataclass(frozen=True, slots=True)
class Mark:
    """A state of the table to go back to."""

    open: Mapping[CellKey, Cell]
    stored: Mapping[CellKey, tuple[StoredCell, ...]]
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
    file
        Where cells are stored; by default a temporary file.
    """

    def __init__(self, *, memory: int, k: int, file: CellFile | None = None) -> None:
        self._memory, self._k = memory, k
        self._file = file or CellFile()
        # Least recently touched first, which are the first to be stored.
        self._open: dict[CellKey, Cell] = {}
        self._stored: dict[CellKey, tuple[StoredCell, ...]] = {}
        self._count = 0
        self._held = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
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

    def restore(
        self,
        cells: Sequence[Cell],
        stored: Iterable[tuple[CellKey, StoredCell]],
        before: Sequence[Cell] | None,
        before_end: int,
    ) -> Mark | None:
        """Take over what an interrupted scan had; the table must be empty.

        Parameters
        ----------
        cells, stored
            Cells in memory, and in the file.
        before, before_end
            Cells in memory, and the end of the file, at the start of a source that may have to be
            read again.

        Returns
        -------
        Mark
            That start, if ``before`` is given.
        """
        earlier: dict[CellKey, tuple[StoredCell, ...]] = {}
        for key, part in stored:
            self._stored[key] = (*self._stored.get(key, ()), part)
            if part.offset < before_end:
                earlier[key] = (*earlier.get(key, ()), part)
        self._open = {cell.key: cell for cell in cells}
        self._held = sum(cell.nbytes for cell in cells)
        self._count = len(self._open.keys() | self._stored.keys())
        if before is None:
            return None
        opened = {cell.key: cell for cell in before}
        held = sum(cell.nbytes for cell in before)
        return Mark(opened, earlier, len(opened.keys() | earlier.keys()), held, before_end)

    def sync(self) -> tuple[list[Cell], int, list[tuple[int, int]]]:
        """Put stored cells on the disk; cells in memory, end of the file, what is passed over."""
        self._file.sync()
        return list(self._open.values()), self._file.end, list(self._file.dropped)

    def mark(self) -> Mark:
        """Remember this state."""
        return Mark(dict(self._open), dict(self._stored), self._count, self._held, self._file.end)

    def go_back(self, mark: Mark) -> None:
        """Undo everything since the mark."""
        self._open, self._stored = dict(mark.open), dict(mark.stored)
        self._count, self._held = mark.count, mark.held
        self._file.drop(mark.end)

    def cells(self) -> Iterator[Cell]:
        """Every cell in canonical order; call once, at the end."""
        keys = {**self._stored, **self._open}
        for key in sorted(keys, key=lambda key: cell_order(Cell(key[0], key[1], 0, {}))):
            yield self._whole(key)

    def _whole(self, key: CellKey) -> Cell:
        total: Cell | None = None
        for stored in self._stored.get(key, ()):
            part = self._file.load(stored, segments=len(key[1]))
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
        self._stored[cell.key] = (*self._stored.get(cell.key, ()), self._file.append(cell))
