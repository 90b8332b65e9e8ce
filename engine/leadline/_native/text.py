"""Hashes, lengths and classes of dictionary entries."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .library import lib, memory, refuse, words

TEXT_CLASSES: int = lib.LL_TEXT_CLASSES


def text_measure(
    offsets: NDArray[np.int64], data: NDArray[np.uint8]
) -> tuple[NDArray[np.uint64], NDArray[np.uint32], NDArray[np.uint32]]:
    """Both words of the hash, code points, and code points by class, of every entry."""
    size = len(offsets) - 1
    hashes = np.empty((size, 2), dtype=np.uint64)
    lengths = np.empty(size, dtype=np.uint32)
    classes = np.empty((size, TEXT_CLASSES), dtype=np.uint32)
    code = lib.ll_text_measure(
        memory(offsets, np.int64),
        size,
        memory(data, np.uint8),
        len(data),
        words(hashes),
        memory(lengths, np.uint32),
        memory(classes, np.uint32),
    )
    if code:
        refuse(code, "text")
    return hashes, lengths, classes


def text_weigh(
    classes: NDArray[np.uint32], codes: NDArray[np.int32], weights: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Code points by class of the entries ``codes``, each taken ``weights`` times."""
    if len(codes) != len(weights):
        raise ValueError(f"{len(codes)} codes have {len(weights)} weights")
    if classes.ndim != 2 or classes.shape[1] != TEXT_CLASSES:
        raise ValueError(f"expected {TEXT_CLASSES} classes an entry, got shape {classes.shape}")
    totals = np.empty(TEXT_CLASSES, dtype=np.int64)
    code = lib.ll_text_weigh(
        memory(classes, np.uint32),
        len(classes),
        memory(codes, np.int32),
        memory(weights, np.int64),
        len(codes),
        memory(totals, np.int64),
    )
    if code:
        refuse(code, "text")
    return totals
