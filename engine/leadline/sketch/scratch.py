"""Work memory of one thread: allocated once, part by part, when first asked for.

Kernels never allocate; what they need between calls lies here. A part is handed from state to
state, so whoever uses it leaves it as it was found (zeroed where it says so). Work memory outlives
the scan that made it: to map and clear it anew took a third of a small call's time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from .._lazy import lazy
from .._native import BLOCK, UNIT_ROWS, HistogramCounters, NumbersWork, TextCounter

# A block is 512 KiB, so that it and the states it feeds stay in a 2 MiB cache.
__all__ = ["BLOCK", "UNIT_ROWS", "Scratch", "borrowed"]


class Scratch:
    """Work memory of one thread; not to be shared between threads."""

    @lazy
    def block(self) -> NDArray[np.uint64]:
        """One block of values; any content."""
        return np.empty(BLOCK, dtype=np.uint64)

    @lazy
    def histogram(self) -> HistogramCounters:
        """Counters of all histogram pages; zeroed between uses."""
        return HistogramCounters()

    @lazy
    def dense(self) -> NDArray[np.uint32]:
        """Counters of a range of 65,536 integers; zeroed between uses."""
        return np.zeros(BLOCK, dtype=np.uint32)

    @lazy
    def sort(self) -> NDArray[np.uint64]:
        """Room to sort one block; any content."""
        return np.empty(2 * BLOCK, dtype=np.uint64)

    @lazy
    def texts(self) -> TextCounter:
        """Tables of texts and of codes; any content."""
        return TextCounter()

    @lazy
    def numbers(self) -> NumbersWork:
        """Memory in which a column of numbers is profiled; shares the other parts."""
        return NumbersWork(self.block, self.sort, self.histogram, self.dense)


# Idle work memory of the process; taking and giving back are single operations of a list.
_idle: list[Scratch] = []


@contextmanager
def borrowed() -> Iterator[Scratch]:
    """Work memory for the calling thread alone, given back clean.

    After an error nobody knows what is in it, so it is dropped.
    """
    try:
        scratch = _idle.pop()
    except IndexError:
        scratch = Scratch()
    yield scratch
    if len(_idle) < (os.cpu_count() or 1):
        _idle.append(scratch)
