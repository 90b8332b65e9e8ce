"""Moments as a user would write them for `leadline.CustomSummary`: compiled by Numba, not by us."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FORWARD = 0x7FFF_FFFF_FFFF_FFFF  # flips all but the sign: makes negative doubles order forwards


@njit(nogil=True)
def merge(state: Floats, other: Floats) -> None:
    """Add up moments of two parts (Pébay 2008, equations 2.1 to 2.3)."""
    n, m = state[0], other[0]
    if m == 0:
        return
    total = n + m
    delta = other[1] - state[1]
    step = delta / total
    _, _, a2, a3, a4, low, high = state
    _, _, b2, b3, b4, other_low, other_high = other
    state[0] = total
    state[1] += m * step
    state[2] = a2 + b2 + n * m * delta * step
    state[3] = a3 + b3 + n * m * (n - m) * delta * step**2 + 3 * step * (n * b2 - m * a2)
    state[4] = (
        a4
        + b4
        + n * m * (n * n - n * m + m * m) * delta * step**3
        + 6 * step**2 * (n * n * b2 + m * m * a2)
        + 4 * step * (n * b3 - m * a3)
    )
    state[5], state[6] = min(low, other_low), max(high, other_high)


@njit(nogil=True, fastmath=True)
def update(state: Floats, values: Floats) -> None:
    """Two passes over a block that lies in the cache, as our own kernel makes them.

    Loops over indices become vector code, loops over the array do not (0.13 and 1.2 ns a value for
    the second pass); extremes do only as integers, where negative doubles order backwards.
    """
    total = 0.0
    for row in range(len(values)):
        total += values[row]
    mean = total / len(values)
    m2 = m3 = m4 = 0.0
    bits = values.view(np.int64)
    low, high = np.int64(FORWARD), np.int64(-FORWARD)
    for row in range(len(values)):
        delta = values[row] - mean
        square = delta * delta
        m2 += square
        m3 += square * delta
        m4 += square * square
        key = bits[row] ^ ((bits[row] >> 63) & FORWARD)
        low, high = min(low, key), max(high, key)
    extremes = np.array([low, high])
    extremes ^= (extremes >> 63) & FORWARD
    least, most = extremes.view(np.float64)
    merge(state, np.array([len(values), mean, m2, m3, m4, least, most]))


def initial() -> Floats:
    """Count, mean, sums of the second to fourth power of deviations, smallest, largest."""
    return np.array([0, 0, 0, 0, 0, np.inf, -np.inf])
