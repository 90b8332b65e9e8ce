"""Moments of blocks and of weighted values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .library import Storage, aligned, ffi, lib, refuse, words


def moments_block(
    values: NDArray[np.uint64], storage: Storage
) -> tuple[int, float, float, float, float, int, int]:
    """Count, mean, m2, m3, m4 and the raw bytes of both extremes of the finite values."""
    values = aligned(values)
    found = ffi.new("ll_moments *")
    code = lib.ll_moments_block(words(values), len(values), storage, found)
    if code:
        refuse(code, "moments")
    return _moments_tuple(found)


def moments_weighted(
    values: NDArray[np.uint64], weights: NDArray[np.uint64], storage: Storage
) -> tuple[int, float, float, float, float, int, int]:
    """The same of distinct values with multiplicities."""
    if len(values) != len(weights):
        raise ValueError(f"{len(values)} values with {len(weights)} weights")
    values, weights = aligned(values), aligned(weights)
    found = ffi.new("ll_moments *")
    code = lib.ll_moments_weighted(words(values), words(weights), len(values), storage, found)
    if code:
        refuse(code, "moments")
    return _moments_tuple(found)


def _moments_tuple(found: Any) -> tuple[int, float, float, float, float, int, int]:
    return (
        found.count,
        found.mean,
        found.m2,
        found.m3,
        found.m4,
        found.minimum,
        found.maximum,
    )
