"""Hashes of values and the registers they raise."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .library import Storage, aligned, ffi, lib, refuse, words

DISTINCT_REGISTERS: int = lib.LL_DISTINCT_REGISTERS


def distinct_hash(values: NDArray[np.uint64], storage: Storage) -> NDArray[np.uint64]:
    """64-bit hashes; equal numbers have equal hashes whatever their storage."""
    values = aligned(values)
    hashes = np.empty(len(values), dtype=np.uint64)
    code = lib.ll_distinct_hash(words(values), len(values), storage, words(hashes))
    if code:
        refuse(code, "distinct")
    return hashes


def distinct_add(
    values: NDArray[np.uint64], storage: Storage, registers: NDArray[np.uint8]
) -> None:
    """Raise the registers (uint8, ``DISTINCT_REGISTERS`` of them) by values."""
    values = aligned(values)
    pointer = _registers(registers)
    code = lib.ll_distinct_add(words(values), len(values), storage, pointer)
    if code:
        refuse(code, "distinct")


def distinct_add_hashes(hashes: NDArray[np.uint64], registers: NDArray[np.uint8]) -> None:
    """Raise the registers by hashes."""
    hashes = aligned(hashes)
    code = lib.ll_distinct_add_hashes(words(hashes), len(hashes), _registers(registers))
    if code:
        refuse(code, "distinct")


def _registers(registers: NDArray[np.uint8]) -> Any:
    if len(registers) != DISTINCT_REGISTERS:
        raise ValueError(f"expected {DISTINCT_REGISTERS} registers, got {len(registers)}")
    return ffi.from_buffer("uint8_t[]", registers, require_writable=True)
