"""Numbers and points in time: one kernel call profiles the cells of a column; states of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .. import _arrow
from .._native import NumbersWork, Storage
from ..schema import Column, Kind
from ..sketch.calendar import CalendarCounts
from ..sketch.counts import ValueCounts
from ..sketch.distinct import Distinct
from ..sketch.histogram import Histogram
from ..sketch.keys import bits_to_value
from ..sketch.moments import Moments
from ..sketch.quantiles import Quantiles, sampler_variance
from ..sketch.scratch import Scratch
from .column import ColumnState
from .order import CellOrder
from .summaries import NumericSummary, SketchSettings, Summary, TimestampSummary


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
            ColumnState(column, fields[0], fields[1], take.summary(place, fields, floats, keys))
            for place, (fields, floats, keys) in enumerate(work.cells(done))
        ]
    return states


class _Taker:
    """Copies the states of cells out of work memory, where the next cells will be written."""

    __slots__ = ("_k", "_storage", "_unit", "_work")

    def __init__(self, work: NumbersWork, storage: Storage, unit: str | None, k: int) -> None:
        self._work, self._storage, self._unit, self._k = work, storage, unit, k

    def summary(
        self, place: int, fields: list[int], floats: list[float], keys: list[int]
    ) -> Summary:
        """The summary of the cell at this place of the step; arguments as in ``ll_cell``."""
        _, nulls, nan, positive, negative, zeros, negatives, exact = fields[:8]
        counts = self._counts(fields, self._storage) if exact else None
        if self._unit is not None:
            return self._instants(place, fields, keys, self._unit, counts)
        if counts is not None:
            return NumericSummary(self._storage, nan, positive, negative, zeros, negatives, counts)
        values = fields[0] - nulls - nan
        return NumericSummary(
            self._storage,
            nan,
            positive,
            negative,
            zeros,
            negatives,
            None,
            self._moments(fields[18], floats, keys),
            self._histogram(fields),
            self._quantiles(place, fields, values, keys, self._storage),
            self._distinct(place),
        )

    def _instants(
        self,
        place: int,
        fields: list[int],
        keys: list[int],
        unit: str,
        counts: ValueCounts | None,
    ) -> TimestampSummary:
        if counts is not None:
            return TimestampSummary.of_counts(counts, unit=unit)
        total = fields[0] - fields[1]
        return TimestampSummary(
            unit,
            total,
            int(bits_to_value(keys[0], Storage.INT64)),
            int(bits_to_value(keys[1], Storage.INT64)),
            None,
            self._calendar(place, fields),
            self._quantiles(place, fields, total, keys, Storage.INT64),
            self._distinct(place),
        )

    def _counts(self, fields: list[int], storage: Storage) -> ValueCounts:
        """Entries of exact counts, or days (their largest count is not known); their keys come
        after a sketch's items.
        """
        entries, largest, begin, items = fields[8:12]
        first = fields[14]
        keys = self._work.items[begin + items : begin + items + entries]
        counts = self._work.counts[first : first + entries]
        return ValueCounts.of(keys, counts, storage, largest=largest or None)

    def _moments(self, count: int, floats: list[float], keys: list[int]) -> Moments:
        if count == 0:
            return Moments.empty()
        low, high = (bits_to_value(bits, self._storage) for bits in keys[:2])
        mean, m2, m3, m4 = floats
        return Moments(count, mean, m2, m3, m4, low, high)

    def _histogram(self, fields: list[int]) -> Histogram:
        first_count, first_page, pages, coarseness = fields[14:18]
        buckets = 256 >> coarseness
        counts = self._work.counts[first_count : first_count + pages * buckets]
        return Histogram(
            coarseness,
            self._work.pages[first_page : first_page + pages].copy(),
            counts.reshape(pages, buckets).copy(),
        )

    def _quantiles(
        self, place: int, fields: list[int], total: int, keys: list[int], storage: Storage
    ) -> Quantiles:
        begin, items, levels, height = fields[10:14]
        if total == 0:
            return Quantiles.empty(storage, self._k)
        return Quantiles(
            storage,
            self._k,
            total,
            keys[2],
            keys[3],
            self._work.offsets[place, : levels + 1].copy(),
            self._work.items[begin : begin + items].copy(),
            height,
        )

    def _distinct(self, place: int) -> Distinct:
        return Distinct(self._work.registers[place].copy())

    def _calendar(self, place: int, fields: list[int]) -> CalendarCounts:
        counted: NDArray[np.int64] = self._work.calendar[place].copy()
        days = self._counts(fields, Storage.INT64) if fields[8] >= 0 else None
        return CalendarCounts(days, counted[:24], counted[24:])
