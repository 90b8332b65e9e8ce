"""Whole numbers in few bytes, as snapshots hold them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .library import ffi, lib, memory, refuse


def packing_numbers(values: NDArray[np.unsignedinteger[Any]], less: int = 0) -> bytes:
    """Unsigned numbers less ``less``: the smallest width that holds them, and their planes."""
    out = np.empty(1 + 8 * len(values), dtype=np.uint8)
    size = ffi.new("int64_t *")
    code = lib.ll_packing_numbers(
        _bytes_of(values),
        len(values),
        values.itemsize,
        less,
        memory(out, np.uint8),
        len(out),
        size,
    )
    if code:
        refuse(code, "packing")
    return out[: size[0]].tobytes()


def packing_gaps(values: NDArray[np.unsignedinteger[Any]]) -> bytes:
    """Of at least two ascending numbers: the divisor of their gaps, and the gaps packed."""
    out = np.empty(11 + 8 * len(values), dtype=np.uint8)
    size = ffi.new("int64_t *")
    code = lib.ll_packing_gaps(
        _bytes_of(values), len(values), values.itemsize, memory(out, np.uint8), len(out), size
    )
    if code:
        refuse(code, "packing")
    return out[: size[0]].tobytes()


def _bytes_of(values: NDArray[Any]) -> Any:
    if values.dtype.kind != "u" or not values.dtype.isnative:
        raise ValueError(f"expected unsigned integers, got {values.dtype}")
    return ffi.from_buffer(values)
