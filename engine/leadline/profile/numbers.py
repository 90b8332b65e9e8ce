"""Numbers and points in time: blocks that stay in cache, every state fed from the same block.

Many small cells are counted in one call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .. import _arrow, _native
from .._native import ArrayView, Storage, Tally
from ..schema import Column, Kind
from ..sketch.calendar import CalendarCounts, calendar_of, to_microseconds
from ..sketch.counts import SMALL_TOTAL, ValueCounts, count_blocks, count_groups
from ..sketch.distinct import DistinctBuilder
from ..sketch.histogram import HistogramBuilder
from ..sketch.moments import Moments, block_moments
from ..sketch.quantiles import QuantilesBuilder
from ..sketch.scratch import BLOCK, Scratch
from .column import ColumnState
from .order import CellOrder
from .summaries import NumericSummary, SketchSettings, TimestampSummary


class _Reader:
    """The values of one cell, block by block, as often as needed.

    Every block holds exactly BLOCK values (the last may be shorter), whatever the chunks are.
    After a complete pass ``tally`` describes all rows.
    """

    def __init__(
        self,
        views: list[ArrayView],
        order: NDArray[np.int32] | None,
        begin: int,
        end: int,
        scratch: Scratch,
    ) -> None:
        self._views, self._order, self._range = views, order, (begin, end)
        self._block = scratch.block
        self.tally = Tally()

    def __iter__(self) -> Iterator[NDArray[np.uint64]]:
        self.tally = Tally()
        filled = 0
        for view, first, stop in _parts(self._views, self._order, *self._range):
            position = first
            while position < stop:
                out = self._block[filled:]
                written, position, part = _native.gather(view, self._order, position, stop, out)
                filled += written
                self.tally = self.tally + part
                if filled == BLOCK:
                    yield self._block
                    filled = 0
        if filled:
            yield self._block[:filled]


@dataclass(frozen=True, slots=True)
class _Cell:
    """One cell of one column, with what its states are built from."""

    column: Column
    storage: Storage
    values: _Reader
    settings: SketchSettings
    scratch: Scratch


_Summarise = Callable[[_Cell], NumericSummary | TimestampSummary]


def number_states(
    column: Column,
    data: pa.ChunkedArray,
    cells: CellOrder,
    settings: SketchSettings,
    scratch: Scratch,
) -> list[ColumnState]:
    """Summarise a column of numbers or of points in time; see `build.profile_unit_column`."""
    views = _arrow.number_views(data, single=cells.order is not None)
    summarise = _timestamp_summary if column.kind is Kind.TIMESTAMP else _numeric_summary
    states: list[ColumnState] = []
    cell = 0
    while cell < len(cells):
        last = _small_run(cells, cell)
        if last > cell:
            states += _small_states(column, views, cells, range(cell, last), scratch)
            cell = last
            continue
        begin, end = int(cells.starts[cell]), int(cells.starts[cell + 1])
        values = _Reader(views, cells.order, begin, end, scratch)
        states.append(_large_state(column, values, settings, scratch, summarise))
        cell += 1
    return states


def _small_run(cells: CellOrder, first: int) -> int:
    """End of the run of small cells from ``first`` whose rows fit one block together."""
    last = first
    while (
        last < len(cells)
        and cells.rows(last) <= SMALL_TOTAL
        and cells.starts[last + 1] - cells.starts[first] <= BLOCK
    ):
        last += 1
    return last


def _small_states(
    column: Column, views: list[ArrayView], cells: CellOrder, run: range, scratch: Scratch
) -> list[ColumnState]:
    """States of consecutive small cells, all counted by one kernel call."""
    assert column.storage is not None
    starts = np.zeros(len(run) + 1, dtype=np.int64)
    tallies = []
    for position, cell in enumerate(run):
        filled = int(starts[position])
        tally = Tally()
        begin, end = int(cells.starts[cell]), int(cells.starts[cell + 1])
        for view, first, stop in _parts(views, cells.order, begin, end):
            written, _, part = _native.gather(
                view, cells.order, first, stop, scratch.block[filled:]
            )
            filled += written
            tally = tally + part
        starts[position + 1] = filled
        tallies.append(tally)
    counted = count_groups(scratch.block[: int(starts[-1])], starts, column.storage, scratch)
    return [
        ColumnState(column, tally.rows, tally.nulls, _exact_summary(column, counts, tally))
        for tally, counts in zip(tallies, counted, strict=True)
    ]


def _exact_summary(
    column: Column, counts: ValueCounts, tally: Tally
) -> NumericSummary | TimestampSummary:
    if column.kind is Kind.TIMESTAMP:
        assert column.unit is not None
        return TimestampSummary.of_counts(counts, unit=column.unit)
    return _tallied(counts.storage, tally, counts)


def _tallied(storage: Storage, tally: Tally, counts: ValueCounts | None) -> NumericSummary:
    """A summary with the figures that the gather counted; sketches are still to be set."""
    return NumericSummary(
        storage=storage,
        nan=tally.nan,
        positive_infinity=tally.positive_infinity,
        negative_infinity=tally.negative_infinity,
        zeros=tally.zeros,
        negatives=tally.negatives,
        counts=counts,
    )


def _large_state(
    column: Column,
    values: _Reader,
    settings: SketchSettings,
    scratch: Scratch,
    summarise: _Summarise,
) -> ColumnState:
    assert column.storage is not None
    summary = summarise(_Cell(column, column.storage, values, settings, scratch))
    return ColumnState(column, values.tally.rows, values.tally.nulls, summary)


def _parts(
    views: list[ArrayView], order: NDArray[np.int32] | None, begin: int, end: int
) -> Iterator[tuple[ArrayView, int, int]]:
    """The views that hold rows ``begin`` to ``end``, with the range inside each."""
    if order is not None:
        if views:
            yield views[0], begin, end
        return
    base = 0
    for view in views:
        first, stop = max(begin - base, 0), min(end - base, view.length)
        if first < stop:
            yield view, first, stop
        base += view.length


def _numeric_summary(cell: _Cell) -> NumericSummary:
    counts = count_blocks(cell.values, cell.storage, cell.scratch)
    if counts is not None:
        return _tallied(cell.storage, cell.values.tally, counts)
    moments = Moments.empty()
    histograms = HistogramBuilder(cell.scratch)
    distincts = DistinctBuilder()
    sketch = QuantilesBuilder(cell.settings.k, cell.settings.seed, cell.storage, cell.scratch)
    seen = 0
    for block in cell.values:
        seen += len(block)
        moments = moments.merge(block_moments(block, cell.storage))
        histograms.add(block, cell.storage)
        distincts.add(block, cell.storage)
        sketch.add(block, histograms.heaviest() / seen)
    return replace(
        _tallied(cell.storage, cell.values.tally, None),
        moments=moments,
        histogram=histograms.finish(),
        quantiles=sketch.finish(),
        distinct=distincts.finish(),
    )


def _timestamp_summary(cell: _Cell) -> TimestampSummary:
    unit = cell.column.unit
    assert unit is not None
    counts = count_blocks(cell.values, cell.storage, cell.scratch, timestamps=True)
    if counts is not None:
        return TimestampSummary.of_counts(counts, unit=unit)
    calendar = CalendarCounts.empty()
    distincts = DistinctBuilder()
    sketch = QuantilesBuilder(cell.settings.k, cell.settings.seed, cell.storage, cell.scratch)
    lows, highs = [], []
    for block in cell.values:
        values = block.view(np.int64)
        lows.append(int(values.min()))
        highs.append(int(values.max()))
        calendar = calendar.merge(calendar_of(values, None, unit))
        distincts.add(block, cell.storage)
        # No histogram lies under timestamps, so every value is kept: one bucket holds them all.
        sketch.add(to_microseconds(values, unit).view(np.uint64), 1.0)
    return TimestampSummary(
        unit=unit,
        total=cell.values.tally.rows - cell.values.tally.nulls,
        minimum=min(lows),
        maximum=max(highs),
        counts=None,
        calendar=calendar,
        quantiles=sketch.finish(),
        distinct=distincts.finish(),
    )
