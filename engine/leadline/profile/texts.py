"""Text: codes are counted, and the bytes of each distinct entry looked at once."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .. import _arrow
from ..schema import Column
from ..sketch.counts import group_codes
from ..sketch.distinct import DistinctBuilder
from ..sketch.frequent import TextCounts, TextCountsBuilder
from ..sketch.scratch import BLOCK, Scratch
from ..sketch.text import TextMeasures, measure
from .column import ColumnState
from .order import CellOrder
from .summaries import TextSummary


def text_states(
    column: Column, data: pa.ChunkedArray, cells: CellOrder, scratch: Scratch
) -> list[ColumnState]:
    """Summarise a column of text; see `build.profile_unit_column`.

    Codes are counted cell by cell; bytes are looked at once an entry, however many rows hold it.
    """
    text = _arrow.text_codes(data)
    measures = measure(text.offsets, text.data)
    codes = text.codes if cells.order is None else text.codes[cells.order]
    unique, counts, starts = group_codes(codes, cells.starts, scratch)
    states = []
    for cell in range(len(cells)):
        held = slice(int(starts[cell]), int(starts[cell + 1]))
        rows = codes[int(cells.starts[cell]) : int(cells.starts[cell + 1])]
        summary = _text_summary(text, measures, rows, unique[held], counts[held], scratch)
        states.append(ColumnState(column, len(rows), len(rows) - summary.total, summary))
    return states


def _text_summary(
    text: _arrow.TextCodes,
    measures: TextMeasures,
    rows: NDArray[np.int32],
    unique: NDArray[np.int32],
    counts: NDArray[np.int64],
    scratch: Scratch,
) -> TextSummary:
    """The summary of one cell from its rows' codes and its distinct codes with their counts."""
    lengths, classes, empty = measures.weigh(unique, counts)
    total = int(counts.sum())
    kept, weights, error, distinct = unique, counts.astype(np.uint64), 0, None
    if not TextCounts.fits(len(unique), measures.key_bytes(unique)):
        builder = TextCountsBuilder(measures, scratch)
        present = rows[rows >= 0]
        for begin in range(0, len(present), BLOCK):
            builder.add(present[begin : begin + BLOCK])
        kept, weights, error = builder.finish()
        distincts = DistinctBuilder()
        distincts.add_hashes(measures.hashes[unique])
        distinct = distincts.finish()
    keys = [measures.key(text, int(code)) for code in kept]
    return TextSummary(
        counts=TextCounts.of(keys, weights, error=error, total=total),
        distinct=distinct,
        empty=empty,
        lengths=lengths,
        classes=classes,
    )
