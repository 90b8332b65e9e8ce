"""Which rows of a unit of work belong to which cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class CellOrder:
    """Which rows of a unit belong to which cell.

    Parameters
    ----------
    order
        Row numbers sorted stably by cell (int32), or None if there is one cell.
    starts
        Cell ``i`` holds ``order[starts[i]:starts[i + 1]]``; int64, one longer than the cells.
    """

    order: NDArray[np.int32] | None
    starts: NDArray[np.int64]

    @classmethod
    def whole(cls, rows: int) -> CellOrder:
        """All rows in one cell."""
        return cls(None, np.array([0, rows], dtype=np.int64))

    def part(self, cells: range) -> CellOrder:
        """Some neighbouring cells."""
        return CellOrder(self.order, self.starts[cells.start : cells.stop + 1])

    def __len__(self) -> int:
        return len(self.starts) - 1

    def rows(self, cell: int) -> int:
        """Number of rows of one cell."""
        return int(self.starts[cell + 1] - self.starts[cell])
