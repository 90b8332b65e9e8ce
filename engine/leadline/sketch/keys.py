"""Ordered keys: one unsigned 64-bit integer a value, in the order of the values.

A double's bits with the sign bit set, or inverted if negative; a signed integer with its sign bit
flipped; an unsigned integer as it is. Sketches that sort or compare keep keys, so that one code
path serves every storage.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._native import Storage
from .._native import keys as kernels

_BITS = struct.Struct("<Q")
_DOUBLE = struct.Struct("<d")
_SIGN = 1 << 63
_ALL = (1 << 64) - 1


def to_keys(values: NDArray[np.uint64], storage: Storage) -> NDArray[np.uint64]:
    """Ordered keys of a block of values (raw bytes as uint64).

    Examples
    --------
    >>> import numpy as np
    >>> block = np.array([-1.5, 0.0, 2.0]).view(np.uint64)
    >>> keys = to_keys(block, Storage.FLOAT64)
    >>> bool((keys[:-1] < keys[1:]).all())
    True
    """
    return kernels.keys_encode(values, storage)


def from_keys(keys: NDArray[np.uint64], storage: Storage) -> NDArray[Any]:
    """Values of ordered keys, as float64, int64 or uint64."""
    return kernels.keys_decode(keys, storage).view(storage.dtype)


def key_of(value: float, storage: Storage) -> int:
    """Ordered key of one value; an integer must be in the storage's range.

    Examples
    --------
    >>> key_of(-1, Storage.INT64) < key_of(0, Storage.INT64)
    True
    """
    if storage is Storage.FLOAT64:
        # Adding 0.0 turns -0.0 into 0.0.
        (bits,) = _BITS.unpack(_DOUBLE.pack(float(value) + 0.0))
        return int(bits) ^ (_ALL if bits & _SIGN else _SIGN)
    if storage is Storage.INT64:
        return int(value) + _SIGN
    return int(value)


def value_of(key: int, storage: Storage) -> int | float:
    """Value of one ordered key: float for FLOAT64, else int.

    Examples
    --------
    >>> value_of(key_of(-0.25, Storage.FLOAT64), Storage.FLOAT64)
    -0.25
    """
    key = int(key)
    if storage is Storage.FLOAT64:
        return bits_to_value(key ^ (_SIGN if key & _SIGN else _ALL), storage)
    return key - _SIGN if storage is Storage.INT64 else key


def bits_to_value(bits: int, storage: Storage) -> int | float:
    """Value of 8 raw bytes read as an unsigned integer."""
    if storage is Storage.FLOAT64:
        (number,) = _DOUBLE.unpack(_BITS.pack(bits))
        return float(number)
    return bits - (1 << 64) if storage is Storage.INT64 and bits & _SIGN else bits
