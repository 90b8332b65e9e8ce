"""The kernels of names of categories: their hashes, and two lists of them side by side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .library import ffi, lib, memory, refuse, words


def names_hash(
    offsets: NDArray[np.uint32], keys: bytes
) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """BLAKE2b cut to 8 bytes of every key, and whether the key is its text in UTF-8.

    Keys that were cut or are not UTF-8 have no hash here: their names are not their bytes.
    """
    count = len(offsets) - 1
    hashes, plain = np.empty(count, dtype=np.uint64), np.empty(count, dtype=np.uint8)
    code = lib.ll_names_hash(
        memory(offsets, np.uint32),
        count,
        ffi.from_buffer("uint8_t[]", keys),
        len(keys),
        words(hashes),
        memory(plain, np.uint8),
    )
    if code:
        refuse(code, "names")
    return hashes, plain.view(np.bool_)


def names_union(
    a_offsets: NDArray[np.uint32],
    a_keys: bytes,
    b_offsets: NDArray[np.uint32],
    b_keys: bytes,
) -> tuple[NDArray[np.uint32], bytes, NDArray[np.int32], NDArray[np.int32]]:
    """Two ascending lists of keys as one, and the place of each key in both; -1 where it is not."""
    most = len(a_offsets) + len(b_offsets) - 2
    offsets = np.empty(most + 1, dtype=np.uint32)
    keys = np.empty(len(a_keys) + len(b_keys), dtype=np.uint8)
    places = np.empty((2, most), dtype=np.int32)
    found = ffi.new("int64_t *")
    code = lib.ll_names_union(
        memory(a_offsets, np.uint32),
        len(a_offsets) - 1,
        ffi.from_buffer("uint8_t[]", a_keys),
        len(a_keys),
        memory(b_offsets, np.uint32),
        len(b_offsets) - 1,
        ffi.from_buffer("uint8_t[]", b_keys),
        len(b_keys),
        memory(offsets, np.uint32),
        memory(keys, np.uint8),
        memory(places[0], np.int32),
        memory(places[1], np.int32),
        found,
    )
    if code:
        refuse(code, "names")
    held = int(found[0])
    data = keys[: int(offsets[held])].tobytes()
    return offsets[: held + 1], data, places[0, :held], places[1, :held]
