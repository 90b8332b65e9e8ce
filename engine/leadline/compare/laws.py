"""Laws of statistics of ranks where nothing changed, as upper tails that stay exact far out."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TERMS = 20  # intervals of Smirnov's series; p is 1 within 1e-12 below what so many are needed for
NODES = 160  # of each interval: 13 digits as long as p is above 1e-300
# Halfway between two nodes of Chebyshev's, as cosines of angles.
_COSINES = np.cos((np.arange(NODES) + 0.5) * (math.pi / NODES))
_ORDERS = np.arange(1, TERMS + 1, dtype=np.float64)
_SIGNS = np.where(np.arange(TERMS) % 2 == 0, 1.0, -1.0)


def kuiper_p(distance: float, n: int, m: int) -> float:
    """P-value of Kuiper's statistic of two sides, by its limit law (Kuiper 1960).

    ``2 sum (4 j**2 x**2 - 1) exp(-2 j**2 x**2)`` at ``x = distance sqrt(nm / (n + m))``.

    >>> kuiper_p(0.0, 100, 100), round(kuiper_p(0.2469, 100, 100), 3)
    (1.0, 0.05)
    """
    x = distance * math.sqrt(n * (m / (n + m)))
    if x < 0.4:  # where p is 1 within 1e-12, and the series would need more terms
        return 1.0
    squares = 2 * (np.arange(1, 41) * x) ** 2
    return float(np.clip(2 * np.sum((2 * squares - 1) * np.exp(-squares)), 0.0, 1.0))


def cramer_von_mises_p(value: float) -> float:
    """Upper tail of the limit law of Cramer and von Mises: squares weighted ``1 / (pi j)**2``.

    >>> round(cramer_von_mises_p(0.46136), 5), round(cramer_von_mises_p(0.74346), 5)
    (0.05, 0.01)
    """
    if value < 0.005:
        return 1.0

    def determinant(u: Floats) -> Floats:
        root = np.sqrt(u)
        return np.sin(root) / root

    ends = (math.pi * (2 * _ORDERS - 1)) ** 2, (math.pi * 2 * _ORDERS) ** 2
    return _tail(value, ends, determinant)


def anderson_darling_p(value: float) -> float:
    """Upper tail of the limit law of Anderson and Darling: squares weighted ``1 / (j (j + 1))``.

    >>> round(anderson_darling_p(2.492), 4), round(anderson_darling_p(3.857), 3)
    (0.05, 0.01)
    """
    if value < 0.06:
        return 1.0

    def determinant(u: Floats) -> Floats:
        return np.cos(math.pi / 2 * np.sqrt(1 + 4 * u)) / (math.pi * u)

    odd = 2 * _ORDERS - 1
    return _tail(value, (odd * (odd + 1), (odd + 1) * (odd + 2)), determinant)


def _tail(
    value: float, ends: tuple[Floats, Floats], determinant: Callable[[Floats], Floats]
) -> float:
    """P(sum of weighted squares of normals > value), by Smirnov's formula (1937).

    An alternating sum of ``exp(-u value / 2) / (pi u sqrt|D(u)|)`` integrated from each odd zero of
    ``D`` to the next even one, ``D(u) = prod (1 - u weight)``. The zeros at both ends are taken out
    by Chebyshev's nodes.
    """
    start, end = (x[:, None] for x in ends)
    u = (start + end) / 2 + (end - start) / 2 * _COSINES
    smooth = np.sqrt((u - start) * (end - u) / np.abs(determinant(u)))
    terms = np.exp(-u * (value / 2)) / u * smooth
    tail = float(_SIGNS @ terms.sum(axis=1)) / NODES
    return min(max(tail, 0.0), 1.0)
