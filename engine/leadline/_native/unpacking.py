"""Sketch states out of a snapshot's bytes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .distinct import DISTINCT_REGISTERS
from .library import Storage, ffi, lib, memory, refuse, words

# The type of counters that were packed in so many bytes each.
_COUNTERS = {1: np.uint8, 2: np.uint16, 3: np.uint32, 4: np.uint32}
FAULTS = {
    lib.LL_FAULT_NAN: "an item is NaN",
    lib.LL_FAULT_UNSORTED: "a level is not sorted",
    lib.LL_FAULT_OUTSIDE: "an item lies outside minimum and maximum",
    lib.LL_FAULT_PAGES: "a histogram's pages are not those of ascending finite values",
    lib.LL_FAULT_EMPTY: "a histogram has an empty page",
    lib.LL_FAULT_ZERO: "a histogram has a counter of zero among those above it",
    lib.LL_FAULT_RANK: "the registers of a distinct count are not valid",
}


class UnpackedCounts(NamedTuple):
    """Pages and counters of a histogram, and what is wrong with them, if anything.

    total, negative
        What all counters, and those of negative values, add up to, modulo 2**64.
    bits
        Every counter, or-ed.
    """

    pages: NDArray[np.uint16]
    counts: NDArray[np.unsignedinteger[Any]]
    total: int
    negative: int
    bits: int
    fault: str


class UnpackedItems(NamedTuple):
    """Keys of a sketch's extremes and items, and what is wrong with them, if anything."""

    minimum: int
    maximum: int
    items: NDArray[np.uint64]
    fault: str


def unpacking_histogram(
    pages: tuple[int, bytes],
    occupied: bytes,
    counters: tuple[int, bytes],
    count: int,
    buckets: int,
) -> UnpackedCounts:
    """``count`` pages of ``buckets`` counters: a bit for each that is above zero, and these.

    Pages and counters are each a width and so many byte planes.
    """
    numbers = np.empty(count, dtype=np.uint16)
    dtype = _COUNTERS.get(counters[0], np.uint64)
    counts = np.empty((count, buckets), dtype=dtype)
    found = ffi.new("ll_counted *")
    code = lib.ll_unpacking_histogram(
        ffi.from_buffer("uint8_t[]", pages[1]),
        len(pages[1]),
        pages[0],
        ffi.from_buffer("uint8_t[]", occupied),
        len(occupied),
        ffi.from_buffer("uint8_t[]", counters[1]),
        len(counters[1]),
        counters[0],
        count,
        buckets,
        memory(numbers, np.uint16),
        ffi.from_buffer(counts),
        found,
    )
    if code:
        refuse(code, "unpacking")
    fault = FAULTS.get(found.fault, "")
    return UnpackedCounts(numbers, counts, found.total, found.negative, found.bits, fault)


def unpacking_registers(data: bytes) -> tuple[NDArray[np.uint8], str]:
    """The registers of a distinct count, and what is wrong with them, if anything."""
    registers = np.empty(DISTINCT_REGISTERS, dtype=np.uint8)
    fault = ffi.new("int32_t *")
    content = ffi.from_buffer("uint8_t[]", data)
    code = lib.ll_unpacking_registers(content, len(data), memory(registers, np.uint8), fault)
    if code:
        refuse(code, "unpacking")
    return registers, FAULTS.get(fault[0], "")


def unpacking_quantiles(
    data: bytes | memoryview, storage: Storage, levels: NDArray[np.uint32], *, sorted_from: int = 0
) -> UnpackedItems:
    """Extremes and items of a sketch, 8 bytes each; levels from ``sorted_from`` on must ascend."""
    items = np.empty(int(levels[-1]), dtype=np.uint64)
    ends, fault = ffi.new("uint64_t[2]"), ffi.new("int32_t *")
    code = lib.ll_unpacking_quantiles(
        ffi.from_buffer("uint8_t[]", data),
        len(data),
        storage,
        memory(levels, np.uint32),
        len(levels) - 1,
        sorted_from,
        ends,
        words(items),
        fault,
    )
    if code:
        refuse(code, "unpacking")
    return UnpackedItems(ends[0], ends[1], items, FAULTS.get(fault[0], ""))
