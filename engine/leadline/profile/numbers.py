"""Numbers and points in time: one kernel call profiles the cells of a column; states of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .. import _arrow
from .._native import DISTINCT_REGISTERS, HISTOGRAM_PAGE, NumbersWork, Storage
from ..schema import Column, Kind
from ..sketch.calendar import CalendarCounts
from ..sketch.counts import ValueCounts
from ..sketch.distinct import Distinct
from ..sketch.histogram import Histogram
from ..sketch.moments import Moments
from ..sketch.quantiles import Quantiles, sampler_variance
from ..sketch.scratch import Scratch
from .column import ColumnState
from .order import CellOrder
from .summaries import NumericSummary, SketchSettings, Summary, TimestampSummary

# Where the count of finite values stands among the fields of ``ll_cell``, after those of sketches.
_MOMENTS = 20
_COUNTERS = {1: np.uint8, 2: np.uint16, 4: np.uint32}


def number_states(
    column: Column,
    data: pa.ChunkedArray,
    cells: CellOrder,
    settings: SketchSettings,
    scratch: Scratch,
) -> list[ColumnState]:
    """Summarise a column of numbers or of points in time; see `build.profile_unit_column`."""
    assert column.storage is not None
    views = _arrow.number_views(data, single=cells.order is not None)
    type_ = views[0].type if views else _arrow.number_type(data.type)
    unit = column.unit if column.kind is Kind.TIMESTAMP else None
    work = scratch.numbers
    take = _Taker(work, column.storage, unit, settings.k)
    states: list[ColumnState] = []
    for done in work.profile(
        views,
        type_,
        unit,
        cells.order,
        cells.starts,
        k=settings.k,
        seed=settings.seed,
        sampler_variance=sampler_variance(settings.k),
    ):
        states += [
            ColumnState(column, fields[0], fields[1], take.summary(place, fields, *values))
            for place, (fields, *values) in enumerate(work.cells(done, column.storage))
        ]
    return states


class _Sketches(NamedTuple):
    """The sketches of one cell: parts of one array of bytes."""

    distinct: Distinct
    quantiles: Quantiles
    histogram: Histogram | None


class _Taker:
    """Copies the states of cells out of work memory, where the next cells will be written."""

    __slots__ = ("_k", "_storage", "_unit", "_work")

    def __init__(self, work: NumbersWork, storage: Storage, unit: str | None, k: int) -> None:
        self._work, self._storage, self._unit, self._k = work, storage, unit, k

    def summary(
        self,
        place: int,
        fields: list[int],
        floats: list[float],
        ends: list[Any],
        keys: list[int],
    ) -> Summary:
        """The summary of the cell at this place of the step; arguments as in ``ll_cell``."""
        _, nulls, nan, positive, negative, zeros, negatives, exact = fields[:8]
        counts = self._counts(fields, self._storage) if exact else None
        if self._unit is not None:
            return self._instants(place, fields, ends, keys, self._unit, counts)
        if counts is not None:
            return NumericSummary(self._storage, nan, positive, negative, zeros, negatives, counts)
        distinct, quantiles, histogram = self._sketches(
            fields, fields[0] - nulls - nan, keys, self._storage
        )
        count = fields[_MOMENTS]
        return NumericSummary(
            self._storage,
            nan,
            positive,
            negative,
            zeros,
            negatives,
            None,
            Moments(count, *floats, *ends) if count else Moments.empty(),
            histogram,
            quantiles,
            distinct,
        )

    def _instants(
        self,
        place: int,
        fields: list[int],
        ends: list[Any],
        keys: list[int],
        unit: str,
        counts: ValueCounts | None,
    ) -> TimestampSummary:
        if counts is not None:
            return TimestampSummary.of_counts(counts, unit=unit)
        total = fields[0] - fields[1]
        distinct, quantiles, _ = self._sketches(fields, total, keys, Storage.INT64)
        calendar = self._calendar(place, fields)
        return TimestampSummary(unit, total, ends[0], ends[1], None, calendar, quantiles, distinct)

    def _sketches(
        self, fields: list[int], total: int, keys: list[int], storage: Storage
    ) -> _Sketches:
        """All sketches in one copy: what has a fresh page of memory of its own costs most."""
        size, levels, height, _, _, _, pages, coarseness, width = fields[11:_MOMENTS]
        held = self._work.sketches(fields)
        items = DISTINCT_REGISTERS + 8 * size
        counters = items + 4 * (levels + 1)
        quantiles = Quantiles(
            storage,
            self._k,
            total,
            keys[0],
            keys[1],
            held[items:counters].view(np.uint32),
            held[DISTINCT_REGISTERS:items].view(np.uint64),
            height,
        )
        distinct = Distinct(held[:DISTINCT_REGISTERS])
        if self._unit is not None:
            return _Sketches(distinct, quantiles, None)
        buckets = HISTOGRAM_PAGE >> coarseness
        numbers = counters + width * pages * buckets
        counts = held[counters:numbers].view(_COUNTERS[width]).reshape(pages, buckets)
        histogram = Histogram(coarseness, held[numbers:].view(np.uint16), counts)
        return _Sketches(distinct, quantiles, histogram)

    def _counts(self, fields: list[int], storage: Storage) -> ValueCounts:
        """Entries of exact counts, or days (their largest count is not known)."""
        entries, largest, key = fields[8:11]
        first = fields[14]
        keys = self._work.keys[key : key + entries]
        counts = self._work.counts[first : first + entries]
        return ValueCounts.of(keys, counts, storage, largest=largest or None)

    def _calendar(self, place: int, fields: list[int]) -> CalendarCounts:
        counted: NDArray[np.int64] = self._work.calendar[place].copy()
        days = self._counts(fields, Storage.INT64) if fields[8] >= 0 else None
        return CalendarCounts(days, counted[:24], counted[24:])
