"""Values of any storage as points of one line, ordered and compared exactly.

Points are float64. Where integers beyond 2**53 take part they are complex128 instead: the real
part is the nearest double and the imaginary part what the integer has beyond it. NumPy orders
complex numbers lexicographically, which is then the exact order of the values.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

EXACT_INTEGERS = 2**53
SMALLEST = 5e-324

Floats = NDArray[np.float64]
Points = NDArray[Any]


def as_points(values: NDArray[Any]) -> Points:
    """Typed values as points that order and compare exactly, whatever their type.

    >>> as_points(np.array([1, 2])).dtype
    dtype('float64')
    >>> as_points(np.array([2**60, 2**60 + 1])).imag.tolist()
    [0.0, 1.0]
    """
    if values.dtype.kind == "f":
        return values.astype(np.float64, copy=False)
    nearest = values.astype(np.float64)
    # At the limit itself the double may stand for the integer beyond it.
    if not len(values) or float(np.max(np.abs(nearest))) < EXACT_INTEGERS:
        return nearest
    # Both sides modulo 2**64: the difference is at most half a unit in the last place of a
    # double below 2**64, so it survives even where the double itself is 2**63 or 2**64.
    high = nearest >= 2.0**63
    with np.errstate(over="ignore"):
        modulo = np.where(high, 0.0, nearest).astype(np.int64).view(np.uint64)
        modulo[high] = (nearest[high] - 2.0**63).astype(np.uint64) + np.uint64(2**63)
        rest = (values.view(np.uint64) - modulo).view(np.int64)
    points = nearest.astype(np.complex128)
    points.imag = rest
    return points


def point_of(value: float) -> complex | float:
    """One value as a point (see `as_points`)."""
    nearest = float(value)
    if isinstance(value, int) and abs(value) > EXACT_INTEGERS:
        return complex(nearest, value - int(nearest))
    return nearest


def value_of_point(point: complex) -> float:
    """The value of a point: an integer where a double may not hold it."""
    rest = float(np.imag(point))
    nearest = float(np.real(point))
    return int(nearest) + int(rest) if abs(nearest) >= EXACT_INTEGERS and rest else nearest


def position(points: Points, start: Points, end: Points) -> Floats:
    """Where each point lies between two others, 0 to 1."""
    # Halved before subtracting, so that the width of a huge bucket does not overflow.
    low, high, at = (np.real(x) / 2 for x in (start, end, points))
    with np.errstate(invalid="ignore", divide="ignore"):
        share: Floats = np.nan_to_num(np.clip((at - low) / (high - low), 0.0, 1.0))
    return share
