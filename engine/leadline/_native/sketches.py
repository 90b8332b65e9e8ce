"""The sketches of many columns into the bytes of a snapshot's fields, in one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .library import Storage, ffi, lib, memory, refuse, words

_REGISTERS: int = lib.LL_DISTINCT_REGISTERS
_REGISTERS_ROOM = 1 + _REGISTERS // 2 + _REGISTERS
_COARSEST: int = lib.LL_HISTOGRAM_COARSEST
_PREAMBLE: int = 28 + 4 * lib.LL_QUANTILE_LEVELS + 16
_HEAD = 16
_HISTOGRAM, _QUANTILES, _DISTINCT = 1, 2, 4


class HistogramArrays(NamedTuple):
    """A histogram as `sketch.histogram.Histogram` holds it."""

    coarseness: int
    pages: NDArray[np.uint16]
    counts: NDArray[np.unsignedinteger[Any]]


class QuantilesArrays(NamedTuple):
    """A quantile sketch as `sketch.quantiles.Quantiles` holds it."""

    storage: Storage
    k: int
    height: int
    total: int
    minimum: int
    maximum: int
    levels: NDArray[np.uint32]
    items: NDArray[np.uint64]


class Sketches(NamedTuple):
    """What one column has; registers are of the distinct count."""

    histogram: HistogramArrays | None = None
    quantiles: QuantilesArrays | None = None
    registers: NDArray[np.uint8] | None = None


def sketches_bytes(columns: Sequence[Sketches]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Bytes of all histograms, then of all quantiles, then of all registers.

    Returns
    -------
    content, sizes
        int64[3, len(columns)]: bytes of each, 0 of what a column does not have.
    """
    held = ffi.new("ll_sketches[]", len(columns))
    room = 0
    for place, (histogram, quantiles, registers) in enumerate(columns):
        to = held[place]
        if histogram is not None:
            to.held |= _HISTOGRAM
            room += _put_histogram(to, histogram)
        if quantiles is not None:
            to.held |= _QUANTILES
            room += _put_quantiles(to, quantiles)
        if registers is not None:
            to.held |= _DISTINCT
            room += _put_registers(to, registers)
    content = np.empty(room, dtype=np.uint8)
    sizes = np.empty((3, len(columns)), dtype=np.int64)
    code = lib.ll_sketches_bytes(
        held, len(columns), memory(content, np.uint8), room, memory(sizes.reshape(-1), np.int64)
    )
    if code:
        refuse(code, "sketches")
    return content[: int(sizes.sum())], sizes


def _put_histogram(to: Any, histogram: HistogramArrays) -> int:
    coarseness, pages, counts = histogram
    if not 0 <= coarseness <= _COARSEST or counts.size != len(pages) * (256 >> coarseness):
        raise ValueError(f"{counts.size} counters of {len(pages)} pages")
    if counts.dtype.kind != "u" or not counts.dtype.isnative:
        raise ValueError(f"expected unsigned integers, got {counts.dtype}")
    to.coarseness, to.width, to.page_count = coarseness, counts.itemsize, len(pages)
    to.pages, to.counters = memory(pages, np.uint16), ffi.from_buffer(counts)
    return _HEAD + pages.nbytes + counts.nbytes + counts.size // 8


def _put_quantiles(to: Any, quantiles: QuantilesArrays) -> int:
    storage, k, height, total, minimum, maximum, levels, items = quantiles
    to.storage, to.k, to.height, to.levels = storage, k, height, len(levels) - 1
    to.total, to.minimum, to.maximum = total, minimum, maximum
    to.offsets, to.items, to.item_count = memory(levels, np.uint32), words(items), len(items)
    return _PREAMBLE + items.nbytes


def _put_registers(to: Any, registers: NDArray[np.uint8]) -> int:
    if len(registers) != _REGISTERS:
        raise ValueError(f"expected {_REGISTERS} registers, got {len(registers)}")
    to.registers = memory(registers, np.uint8)
    return _REGISTERS_ROOM
