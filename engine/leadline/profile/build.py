"""One column of one unit of work -> the partial state of every cell in it.

`numbers` and `texts` put the kernels together; what has neither is only counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from .. import _arrow
from ..schema import Column, Kind
from ..sketch.scratch import Scratch
from .column import ColumnState
from .custom import CustomSummary, custom_states
from .numbers import number_states
from .order import CellOrder
from .summaries import SketchSettings
from .texts import text_states


def profile_unit_column(
    column: Column,
    data: pa.ChunkedArray,
    cells: CellOrder,
    settings: SketchSettings,
    scratch: Scratch,
    summaries: Sequence[CustomSummary] = (),
) -> list[ColumnState]:
    """Summarise one column of one unit of work, cell by cell.

    Parameters
    ----------
    column
        Description of the column; ``data`` has its type.
    data
        All rows of the unit, in any number of chunks.
    cells
        How the rows fall into cells.
    settings
        Seed and size of the sketches.
    scratch
        Work memory of the calling thread; left clean.
    summaries
        The users' own summaries that the column gets; it then holds numbers or points in time.

    Returns
    -------
    list of ColumnState
        One a cell, in the order of ``cells``; depends on the values only.
    """
    if column.kind is Kind.TEXT:
        return text_states(column, data, cells, scratch)
    if column.storage is None:
        return _counted_states(column, data, cells)
    states = number_states(column, data, cells, settings, scratch)
    if summaries:
        custom = custom_states(column, data, cells, summaries, scratch)
        return [replace(state, custom=own) for state, own in zip(states, custom, strict=True)]
    return states


def _counted_states(column: Column, data: pa.ChunkedArray, cells: CellOrder) -> list[ColumnState]:
    if cells.order is None:
        return [ColumnState(column, len(data), _arrow.null_count(data), None)]
    nulls = np.concatenate([[0], np.cumsum(_arrow.null_flags(data)[cells.order])])
    return [
        ColumnState(
            column,
            cells.rows(cell),
            int(nulls[cells.starts[cell + 1]] - nulls[cells.starts[cell]]),
            None,
        )
        for cell in range(len(cells))
    ]
