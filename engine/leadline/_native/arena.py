"""Memory that kernels fill with the encoded states of cells, one after the other."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .library import ffi, memory

# Bytes asked of the system at a time, for a few columns of a unit; what stays unused is no memory
# yet. With memory of its own for each column half of it was cleared by the system for nothing.
_CHUNK = 8 * 2**20


class Parts(NamedTuple):
    """Where the encoded fields of cells lie (uint64) and how long they are; ``[cells, fields]``."""

    addresses: NDArray[np.uint64]
    sizes: NDArray[np.int64]


class Arena:
    """Bytes that stay where they are as long as the arena lives; for one thread at a time."""

    def __init__(self) -> None:
        self._chunks: list[NDArray[np.uint8]] = []
        self._used = self._size = 0

    def room(self, least: int) -> tuple[int, Any, int]:
        """Address, pointer and size of free memory of at least so many bytes."""
        if self._size - self._used < least:
            self._size, self._used = max(_CHUNK, 2 * least), 0
            self._chunks.append(np.empty(self._size, dtype=np.uint8))
        free = self._chunks[-1][self._used :]
        pointer = memory(free, np.uint8)
        return int(ffi.cast("uintptr_t", pointer)), pointer, len(free)

    def fill(self, size: int) -> None:
        """Take so many bytes from the beginning of the free memory."""
        self._used += size


def follow(address: int, sizes: NDArray[np.int64], addresses: NDArray[np.uint64]) -> int:
    """Write where parts that lie one after the other begin; how many bytes they are together."""
    ends = np.cumsum(sizes)
    addresses.reshape(-1)[:] = (ends - sizes.reshape(-1)).view(np.uint64) + np.uint64(address)
    return int(ends[-1]) if len(ends) else 0
