"""The window of every instant, and the rows of every cell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .library import ffi, lib, memory, refuse


def cells_windows(
    values: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.int32], int]:
    """Which of the ascending windows every value is in (-1: none), and how many are in none."""
    if len(starts) != len(ends):
        raise ValueError(f"{len(starts)} windows begin and {len(ends)} end")
    values = values if values.flags.aligned else values.copy()
    codes = np.empty(len(values), dtype=np.int32)
    outside = ffi.new("int64_t *")
    code = lib.ll_cells_windows(
        memory(values, np.int64),
        len(values),
        memory(starts, np.int64),
        memory(ends, np.int64),
        len(starts),
        memory(codes, np.int32),
        outside,
    )
    if code:
        refuse(code, "cells")
    return codes, int(outside[0])


def cells_sort(
    codes: NDArray[np.int32], size: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
    """Row numbers sorted stably by code, the codes that occur, and where each begins."""
    count = len(codes)
    order = np.empty(count, dtype=np.int32)
    table, most = np.empty(size, dtype=np.int32), min(size, count)
    cells, starts = np.empty(most, dtype=np.int32), np.empty(most + 1, dtype=np.int64)
    filled = ffi.new("int64_t *")
    code = lib.ll_cells_sort(
        memory(codes, np.int32),
        count,
        size,
        memory(table, np.int32),
        memory(order, np.int32),
        memory(cells, np.int32),
        memory(starts, np.int64),
        filled,
    )
    if code:
        refuse(code, "cells")
    found = int(filled[0])
    return order, cells[:found].copy(), starts[: found + 1].copy()
