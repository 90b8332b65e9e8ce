"""Ordered keys of values, and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .library import Storage, aligned, lib, refuse, words


def keys_encode(values: NDArray[np.uint64], storage: Storage) -> NDArray[np.uint64]:
    """Ordered keys of values: their unsigned order is the order of the values."""
    values = aligned(values)
    keys = np.empty(len(values), dtype=np.uint64)
    code = lib.ll_keys_encode(words(values), len(values), storage, words(keys))
    if code:
        refuse(code, "keys")
    return keys


def keys_decode(keys: NDArray[np.uint64], storage: Storage) -> NDArray[np.uint64]:
    """Raw bytes of the values of ordered keys."""
    keys = aligned(keys)
    values = np.empty(len(keys), dtype=np.uint64)
    code = lib.ll_keys_decode(words(keys), len(keys), storage, words(values))
    if code:
        refuse(code, "keys")
    return values
