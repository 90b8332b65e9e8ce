"""Text: every cell of a unit is counted in one call of a kernel, codes by entry, plain by bytes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from .. import _arrow
from .._native import CountedTexts, TextCounter
from ..schema import Column
from ..sketch.distinct import Distinct
from ..sketch.frequent import TextCounts
from ..sketch.scratch import Scratch
from ..sketch.text import TextForm
from .column import ColumnState
from .order import CellOrder
from .summaries import TextSummary


def text_states(
    column: Column, data: pa.ChunkedArray, cells: CellOrder, scratch: Scratch
) -> list[ColumnState]:
    """Summarise a column of text; see `build.profile_unit_column`."""
    found = _arrow.count_texts(
        data, cells.order, cells.starts, scratch.texts, take=TextCounter.found
    )
    rows = np.diff(cells.starts).tolist()
    return [
        ColumnState(column, held, held - cell.total, _summary(cell))
        for held, cell in zip(rows, found, strict=True)
    ]


def _summary(cell: CountedTexts) -> TextSummary:
    return TextSummary(
        TextCounts.found(cell),
        None if cell.registers is None else Distinct(cell.registers),
        None if cell.form is None else TextForm.of(cell.form),
    )
