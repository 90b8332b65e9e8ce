"""The windows of a running service that still gain rows, and what of them is not on disk yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..profile import Cell, Window
from ..profile.cells import SegmentValue

Segment = tuple[SegmentValue, ...]


class Observer(Protocol):
    """Who follows the windows of a monitor; called in its thread, one call at a time."""

    def saved(self, cells: Sequence[Cell]) -> None:
        """These cells were just written (or, without a folder, summarised): every row once."""

    def closed(self, window: OpenWindow) -> None:
        """A window is over and written."""

    def forget(self) -> None:
        """The process is a forked child, in which nothing has been logged yet."""


@dataclass(slots=True)
class OpenWindow:
    """The cells of one window by segment.

    Parameters
    ----------
    window
        The window.
    saved, unsaved
        Cells whose rows are on disk, and those whose rows are in memory only.
    """

    window: Window
    saved: dict[Segment, Cell] = field(default_factory=dict)
    unsaved: dict[Segment, Cell] = field(default_factory=dict)

    @property
    def unsaved_rows(self) -> int:
        """Rows that would be lost if the process died now."""
        return sum(cell.rows for cell in self.unsaved.values())

    @property
    def nbytes(self) -> int:
        """Bytes of state held."""
        return sum(cell.nbytes for side in (self.saved, self.unsaved) for cell in side.values())

    def cells(self, k: int) -> list[Cell]:
        """All of it, one cell a segment."""
        merged = dict(self.saved)
        for cell in self.unsaved.values():
            _merge_into(merged, cell, k)
        return list(merged.values())


class OpenWindows:
    """Windows by start, oldest first; for one thread at a time.

    Parameters
    ----------
    k
        Size of the quantile sketches.
    """

    def __init__(self, k: int) -> None:
        self._k = k
        self._open: dict[Window, OpenWindow] = {}

    def __len__(self) -> int:
        return len(self._open)

    @property
    def nbytes(self) -> int:
        """Bytes of state held."""
        return sum(window.nbytes for window in self._open.values())

    @property
    def unsaved_rows(self) -> int:
        """Rows that are in memory only."""
        return sum(window.unsaved_rows for window in self._open.values())

    def add(self, cells: Iterable[Cell]) -> None:
        """Merge cells into their windows."""
        for cell in cells:
            assert cell.window is not None
            known = self._open.setdefault(cell.window, OpenWindow(cell.window))
            _merge_into(known.unsaved, cell, self._k)

    def unsaved(self) -> list[Cell]:
        """What is to be written next, oldest window first."""
        return [cell for window in self._ordered() for cell in window.unsaved.values()]

    def mark_saved(self, cells: Sequence[Cell]) -> None:
        """These cells, as `unsaved` gave them, are on disk; none was added to in between."""
        for cell in cells:
            assert cell.window is not None
            known = self._open[cell.window]
            _merge_into(known.saved, known.unsaved.pop(cell.segment), self._k)

    def close(self, now: int) -> list[OpenWindow]:
        """Take out the windows that ended before an instant (microseconds) and are saved."""
        ended = [
            window
            for window in self._ordered()
            if window.window.end is not None and window.window.end <= now and not window.unsaved
        ]
        for window in ended:
            del self._open[window.window]
        return ended

    def drop_oldest(self) -> int:
        """Give up what is unsaved of the oldest window that has something; the rows lost."""
        for window in self._ordered():
            if window.unsaved:
                rows = window.unsaved_rows
                window.unsaved.clear()
                return rows
        return 0

    def newest(self) -> OpenWindow | None:
        """The window with the latest start."""
        ordered = self._ordered()
        return ordered[-1] if ordered else None

    def _ordered(self) -> list[OpenWindow]:
        return sorted(self._open.values(), key=lambda window: window.window.start or 0)


def _merge_into(cells: dict[Segment, Cell], cell: Cell, k: int) -> None:
    known = cells.get(cell.segment)
    cells[cell.segment] = cell if known is None else known.merge(cell, k=k)
