"""One column of one unit of work, cell by cell, in as few calls as its states have room for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arena import Arena, Parts, follow
from .arrow import ArrayView, ArrowType
from .calendar import unit_number
from .histogram import HistogramCounters
from .library import Storage, ffi, lib, memory, refuse, words
from .quantiles import quantiles_capacity

BLOCK: int = lib.LL_BLOCK
HOURS: int = lib.LL_HOURS
UNIT_ROWS: int = lib.LL_UNIT_ROWS
SMALL_TOTAL: int = lib.LL_SMALL
FEW_DISTINCT: int = lib.LL_FEW

_LEVELS: int = lib.LL_QUANTILE_LEVELS
_FIELDS = ffi.sizeof("ll_cell") // 8
_NAMES = [name for name, _ in ffi.typeof("ll_cell").fields]
_PARTS: int = lib.LL_NUMBER_PARTS
NUMBER_FIELDS = tuple(_NAMES)
_STATES = _NAMES.index("states_begin")
_MEAN, _MINIMUM, _LOW = (_NAMES.index(name) for name in ("mean", "minimum", "low"))

# Cells a call: their states are then still in the second-level cache when they are copied.
_CELLS = 16
# Bytes of sketches that many a cell needs beside its items: registers, and 8 to 32 pages of counts.
_COMMON = 16_384


class NumbersWork:
    """Work memory of one thread, and the arrays into which the states of some cells are written.

    Parameters
    ----------
    block, sort
        uint64, ``BLOCK`` and twice as many; any content.
    histogram
        Counters, clean.
    dense
        uint32, 65,536 of them, zeroed.
    """

    def __init__(
        self,
        block: NDArray[np.uint64],
        sort: NDArray[np.uint64],
        histogram: HistogramCounters,
        dense: NDArray[np.uint32],
    ) -> None:
        hours = np.zeros(HOURS, dtype=np.uint32)
        self._keep = (block, sort, dense, hours)
        self._histogram = histogram
        self._memory = ffi.new("ll_numbers_memory *")
        self._memory.block, self._memory.sort = words(block), words(sort)
        self._memory.counters, self._memory.touched = histogram.pointers
        self._memory.dense, self._memory.hours = (
            memory(array, np.uint32) for array in (dense, hours)
        )
        self._out = ffi.new("ll_numbers_out *")
        self._column = ffi.new("ll_numbers *")
        self._done = ffi.new("int64_t *")
        self._k = self._most = 0
        self._parts = np.empty(0, dtype=np.uint64)
        self._fields = np.zeros((_CELLS, _FIELDS), dtype=np.int64)
        self.calendar = np.empty((_CELLS, lib.LL_CALENDAR), dtype=np.int64)
        self.keys = np.empty(2 * BLOCK, dtype=np.uint64)
        self.counts = np.empty(2 * BLOCK, dtype=np.uint32)
        self.states = np.empty(0, dtype=np.uint8)
        out = self._out
        out.cells = ffi.cast("ll_cell *", ffi.from_buffer(self._fields))
        out.calendar = memory(self.calendar.reshape(-1), np.int64)
        out.keys, out.keys_capacity = words(self.keys), len(self.keys)
        out.counts, out.counts_capacity = memory(self.counts, np.uint32), len(self.counts)

    def profile(
        self,
        views: list[ArrayView],
        type_: ArrowType,
        unit: str | None,
        order: NDArray[np.int32] | None,
        starts: NDArray[np.int64],
        *,
        k: int,
        seed: int,
        sampler_variance: float,
    ) -> Iterator[int]:
        """Profile cells; after each step so many of them, the next ones, can be read from here.

        Parameters
        ----------
        views
            Arrow arrays of one type; exactly one where an order is given.
        type_, unit
            What the values are; the unit of instants, None for numbers.
        order, starts
            Cell ``i`` has the rows ``order[starts[i]:starts[i + 1]]``, or without an order the
            rows ``starts[i]`` to ``starts[i + 1]`` of all views together.
        k, seed, sampler_variance
            See `QuantilesBuilder` in sketch/quantiles.py.

        Raises
        ------
        InputError
            If a row number is outside the view.
        ValueError
            If the starts, the order or the views contradict each other.
        """
        self._require(k)
        self._histogram.clear()
        column = self._column
        held = ffi.new("ll_view[]", [(v.values, v.validity, v.offset, v.length) for v in views])
        column.type, column.k, column.seed = type_, k, seed
        column.unit = -1 if unit is None else unit_number(unit)
        column.view_count, column.views = len(views), held
        column.order = ffi.NULL if order is None else memory(order, np.int32)
        column.order_count = 0 if order is None else len(order)
        column.cells, column.starts = len(starts) - 1, memory(starts, np.int64)
        column.sampler_variance = sampler_variance
        first, cells = 0, len(starts) - 1
        while first < cells:
            most = min(_CELLS, cells - first)
            code = lib.ll_numbers_profile(column, self._memory, first, most, self._out, self._done)
            if code:
                refuse(code, "numbers")
            done = self._done[0]
            yield done
            first += done

    def cells(
        self, count: int, storage: Storage
    ) -> Iterator[tuple[list[int], list[float], list[Any], list[int]]]:
        """Fields of the cells of the last step: counts and places; mean, m2, m3, m4; minimum and
        maximum as values of the storage; the sketch's smallest and largest key.
        """
        fields = self._fields[:count]
        return zip(
            fields[:, :_MEAN].tolist(),
            fields[:, _MEAN:_MINIMUM].view(np.float64).tolist(),
            fields[:, _MINIMUM:_LOW].view(storage.dtype).tolist(),
            fields[:, _LOW:].view(np.uint64).tolist(),
            strict=True,
        )

    def fields(self, count: int) -> NDArray[np.int64]:
        """A copy of all fields of the cells of the last step; their order is `NUMBER_FIELDS`."""
        return self._fields[:count].copy()

    def encode(self, count: int, arena: Arena) -> Parts:
        """The binary fields of the cells of the last step, as a snapshot holds them."""
        sizes = np.zeros((count, _PARTS), dtype=np.int64)
        addresses = np.zeros((count, _PARTS), dtype=np.uint64)
        written, first = memory(sizes.reshape(-1), np.int64), 0
        while first < count:
            address, out, room = arena.room(self._most)
            code = lib.ll_numbers_bytes(
                self._column,
                self._out,
                first,
                count - first,
                out,
                room,
                written + first * _PARTS,
                self._done,
            )
            if code:
                refuse(code, "numbers")
            last = first + self._done[0]
            arena.fill(follow(address, sizes[first:last], addresses[first:last]))
            first = last
        return Parts(addresses, sizes)

    def sketches(self, fields: list[int]) -> NDArray[np.uint8]:
        """A copy of all sketches of a cell of the last step, by its fields; read-only."""
        begin, size = fields[_STATES : _STATES + 2]
        held = self.states[begin : begin + size].copy()
        held.flags.writeable = False
        return held

    def _require(self, k: int) -> None:
        """Room for sketches of this size."""
        if k == self._k:
            return
        capacity = quantiles_capacity(k, _LEVELS)
        self._parts = np.empty((lib.LL_NUMBERS_PARTS + 4) * capacity, dtype=np.uint64)
        # The most that one cell may need, and what many a cell does.
        room = lib.LL_NUMBERS_STATES + _CELLS * (8 * capacity + _COMMON)
        self.states = np.empty(room // 8, dtype=np.uint64).view(np.uint8)
        self._memory.parts = words(self._parts)
        self._out.states = memory(self.states, np.uint8)
        self._out.states_capacity = len(self.states)
        self._most = 32 * BLOCK + lib.LL_NUMBERS_STATES + 8 * capacity
        self._k = k
