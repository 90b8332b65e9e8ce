"""Number of distinct values: HyperLogLog with 4,096 byte registers.

Registers are maxima, so merging is exact and free of order, and the estimate is a function of the
registers alone. Numbers hash alike in every storage: 3, 3.0 and uint64 3 are one value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .._native import DISTINCT_REGISTERS, Storage
from .._native import distinct as kernels
from ..estimate import Estimate

# Promised relative standard deviation; 1.04 / sqrt(4096) = 1.625 % is the theory's.
RELATIVE_ERROR = 0.017

# Two-sided 99.9 % of a normal distribution.
CONFIDENCE = 0.999
_QUANTILE = 3.2905

# Hash bits after the register's number, and so the largest rank is one more.
_RANK_BITS = 64 - 12
HIGHEST_RANK = _RANK_BITS + 1
_SHAPE, _BYTE = (DISTINCT_REGISTERS,), np.dtype(np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Distinct:
    """HyperLogLog registers of a set of values.

    The estimate has a relative standard deviation of at most 1.7 % for any number of values, and
    no bias beyond it.

    Parameters
    ----------
    registers
        uint8, 4,096 of them: the highest rank (leading zeros of the hash plus one) met by each.

    Examples
    --------
    >>> import numpy as np
    >>> builder = DistinctBuilder()
    >>> builder.add(np.arange(1000, dtype=np.uint64), Storage.INT64)
    >>> estimate = builder.finish().estimate()
    >>> estimate.lower <= 1000 <= estimate.upper
    True
    """

    registers: NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.registers.shape != _SHAPE or self.registers.dtype != _BYTE:
            raise ValueError(f"expected {DISTINCT_REGISTERS} byte registers")
        self.registers.flags.writeable = False

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Distinct):
            return NotImplemented
        return np.array_equal(self.registers, other.registers)

    @classmethod
    def empty(cls) -> Distinct:
        """The registers of no values."""
        return cls(np.zeros(DISTINCT_REGISTERS, dtype=np.uint8))

    @property
    def nbytes(self) -> int:
        """Bytes of state held."""
        return self.registers.nbytes

    def merge(self, other: Distinct) -> Distinct:
        """The registers of both sides' values together."""
        return Distinct(np.maximum(self.registers, other.registers))

    def estimate(self) -> Estimate:
        """Number of distinct values with its 99.9 % interval.

        Ertl's improved raw estimator ("New cardinality estimation algorithms for HyperLogLog
        sketches", arXiv 1702.01284, algorithm 6): one formula from 0 to beyond 2**60, with neither
        thresholds nor empirical bias tables. The interval holds every n whose estimate's
        deviation of 1.7 % of n would explain the registers; it never excludes the number of
        occupied registers, which is a certain lower bound.
        """
        ranks = np.bincount(self.registers, minlength=HIGHEST_RANK + 1).tolist()
        occupied = DISTINCT_REGISTERS - ranks[0]
        if occupied == 0:
            return Estimate(value=0.0, lower=0.0, upper=0.0, confidence=CONFIDENCE)
        value = max(_ertl(ranks), float(occupied))
        width = _QUANTILE * RELATIVE_ERROR
        return Estimate(
            value=value,
            lower=max(math.floor(value / (1 + width)), float(occupied)),
            upper=math.ceil(value / (1 - width)),
            confidence=CONFIDENCE,
        )


class DistinctBuilder:
    """Raises registers block by block; order and repetition of values do not matter."""

    __slots__ = ("_registers",)

    def __init__(self) -> None:
        self._registers = np.zeros(DISTINCT_REGISTERS, dtype=np.uint8)

    def add(self, values: NDArray[np.uint64], storage: Storage) -> None:
        """Add a block of values (raw bytes of ``storage``, no NaN)."""
        kernels.distinct_add(values, storage, self._registers)

    def add_hashes(self, hashes: NDArray[np.uint64]) -> None:
        """Add values of any kind by 64-bit hashes whose bits are all uniform."""
        kernels.distinct_add_hashes(hashes, self._registers)

    def finish(self) -> Distinct:
        """The registers so far; the builder may go on."""
        return Distinct(self._registers.copy())


def hash_values(values: NDArray[np.uint64], storage: Storage) -> NDArray[np.uint64]:
    """64-bit hashes of a block of values.

    A number hashes as its double if that is exact, otherwise (integers beyond 2**53) as its tagged
    magnitude, through the finaliser of SplitMix64.

    Examples
    --------
    >>> import numpy as np
    >>> three = np.array([3], dtype=np.uint64), np.array([3.0]).view(np.uint64)
    >>> bool(hash_values(three[0], Storage.INT64) == hash_values(three[1], Storage.FLOAT64))
    True
    """
    return kernels.distinct_hash(values, storage)


def _ertl(ranks: list[int]) -> float:
    """Estimate from the number of registers of each rank (0 to 53)."""
    m = float(DISTINCT_REGISTERS)
    z = m * _tau(1.0 - ranks[HIGHEST_RANK] / m)
    for rank in range(_RANK_BITS, 0, -1):
        z = 0.5 * (z + ranks[rank])
    z += m * _sigma(ranks[0] / m)
    return m * m / (2.0 * math.log(2.0) * z)


def _sigma(x: float) -> float:
    """Sum of x and of 2**(k-1) * x**(2**k), k > 0: what registers at rank 0 stand for."""
    if x == 1.0:
        return math.inf
    y, z, previous = 1.0, x, -1.0
    while z != previous:
        x *= x
        previous = z
        z += x * y
        y += y
    return z


def _tau(x: float) -> float:
    """(1 - x - sum of 2**-k * (1 - x**(2**-k))**2) / 3: for registers at the highest rank."""
    if x in (0.0, 1.0):
        return 0.0
    y, z, previous = 1.0, 1.0 - x, -1.0
    while z != previous:
        x = math.sqrt(x)
        previous = z
        y *= 0.5
        z -= (1.0 - x) ** 2 * y
    return z / 3.0
