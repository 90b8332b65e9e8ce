"""The log-linear histogram's buckets and a thread's counters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .library import Storage, aligned, ffi, lib, refuse, words

HISTOGRAM_PAGES: int = lib.LL_HISTOGRAM_PAGES
HISTOGRAM_PAGE: int = lib.LL_HISTOGRAM_PAGE
HISTOGRAM_COUNTERS: int = lib.LL_HISTOGRAM_COUNTERS
HISTOGRAM_TOUCHED: int = lib.LL_HISTOGRAM_TOUCHED


def histogram_index(values: NDArray[np.uint64], storage: Storage) -> NDArray[np.uint32]:
    """Bucket of every value; ``HISTOGRAM_PAGES * HISTOGRAM_PAGE`` for zeros and infinities."""
    values = aligned(values)
    index = np.empty(len(values), dtype=np.uint32)
    pointer = ffi.from_buffer("uint32_t[]", index)
    code = lib.ll_histogram_index(words(values), len(values), storage, pointer)
    if code:
        refuse(code, "histogram")
    return index


class HistogramCounters:
    """Counters of one thread: zeroed memory that counts values and is read and cleared again."""

    __slots__ = ("_counters", "_keep", "_touched")

    def __init__(self) -> None:
        # np.zeros maps zero pages lazily: only the pages of counters that are used take memory.
        counters = np.zeros(HISTOGRAM_COUNTERS, dtype=np.uint32)
        touched = np.zeros(HISTOGRAM_TOUCHED, dtype=np.uint8)
        self._keep = (counters, touched)
        self._counters = ffi.from_buffer("uint32_t[]", counters)
        self._touched = ffi.from_buffer("uint8_t[]", touched)

    @property
    def pointers(self) -> tuple[Any, Any]:
        """The memory of counters and marks."""
        return self._counters, self._touched

    def add(self, values: NDArray[np.uint64], storage: Storage) -> None:
        """Count values; at most 2**32 - 1 between two calls of ``clear``."""
        values = aligned(values)
        code = lib.ll_histogram_add(
            words(values), len(values), storage, self._counters, self._touched
        )
        if code:
            refuse(code, "histogram")

    def heaviest(self) -> int:
        """The largest count of a bucket; 0 without values."""
        count: int = lib.ll_histogram_heaviest(self._counters, self._touched)
        return count

    def pages(self) -> NDArray[np.uint16]:
        """Ascending numbers of the pages that hold values."""
        pages = np.empty(HISTOGRAM_PAGES, dtype=np.uint16)
        count = lib.ll_histogram_pages(
            self._counters, self._touched, ffi.from_buffer("uint16_t[]", pages)
        )
        return pages[:count].copy()

    def read(self, pages: NDArray[np.uint16], coarseness: int) -> NDArray[np.uint32]:
        """Counts of those pages, ``HISTOGRAM_PAGE >> coarseness`` each."""
        counts = np.empty((len(pages), HISTOGRAM_PAGE >> coarseness), dtype=np.uint32)
        code = lib.ll_histogram_read(
            self._counters,
            self._touched,
            ffi.from_buffer("uint16_t[]", pages),
            len(pages),
            coarseness,
            ffi.from_buffer("uint32_t[]", counts),
        )
        if code:
            refuse(code, "histogram")
        return counts

    def clear(self) -> None:
        """Back to zero everywhere."""
        lib.ll_histogram_clear(self._counters, self._touched)
