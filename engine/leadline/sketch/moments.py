"""Count, mean, central moments and extremes of the finite values of a column.

Blocks are summed by the kernels in a fixed order (tiles of 1,024 values, 8 lanes, a binary tree),
so a block has the same moments on every machine; blocks are combined here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .._native import Storage
from .._native import moments as kernels
from .keys import bits_to_value


@dataclass(frozen=True, slots=True)
class Moments:
    """Moments of the finite values; infinities are counted elsewhere.

    After any number of merges mean and standard deviation are within 1e-12 of
    ``max(abs(mean), std)`` of their exact values. A moment that does not fit a double is inf or
    NaN, never a wrong number.

    Parameters
    ----------
    count
        Number of values.
    mean
        Their mean; 0.0 if there are none.
    m2, m3, m4
        Sums of the second to fourth powers of the deviations from the mean.
    minimum, maximum
        Extremes: int for integer storages, float for FLOAT64, None without values.

    Examples
    --------
    >>> import numpy as np
    >>> a = block_moments(np.array([1.0, 2.0]).view(np.uint64), Storage.FLOAT64)
    >>> b = block_moments(np.array([3.0, 4.0]).view(np.uint64), Storage.FLOAT64)
    >>> both = a.merge(b)
    >>> both.count, both.mean, both.m2, both.minimum, both.maximum
    (4, 2.5, 5.0, 1.0, 4.0)
    """

    count: int
    mean: float
    m2: float
    m3: float
    m4: float
    minimum: int | float | None
    maximum: int | float | None

    @classmethod
    def empty(cls) -> Moments:
        """The moments of no values."""
        return cls(0, 0.0, 0.0, 0.0, 0.0, None, None)

    @property
    def nbytes(self) -> int:
        """Bytes of state held: seven numbers."""
        return 7 * 8

    @property
    def std(self) -> float:
        """Standard deviation with n - 1 in the denominator; NaN below two values."""
        return math.sqrt(self.variance())

    @property
    def skewness(self) -> float:
        """Third standardised moment (population form, as ``scipy.stats.skew``); NaN if constant."""
        if self.count == 0 or not self.m2 > 0:
            return math.nan
        variance = self.m2 / self.count
        spread = variance * math.sqrt(variance)
        return self.m3 / self.count / spread if spread > 0 else math.nan

    @property
    def kurtosis(self) -> float:
        """Excess kurtosis (population form, as ``scipy.stats.kurtosis``); NaN if constant."""
        if self.count == 0 or not self.m2 > 0:
            return math.nan
        variance = self.m2 / self.count
        spread = variance * variance
        return self.m4 / self.count / spread - 3.0 if spread > 0 else math.nan

    def variance(self, ddof: int = 1) -> float:
        """Variance with ``count - ddof`` in the denominator; NaN if that is not positive."""
        return self.m2 / (self.count - ddof) if self.count > ddof else math.nan

    def as_float(self) -> Moments:
        """The same moments with the extremes as doubles, rounded to nearest beyond 2**53."""
        if self.minimum is None or self.maximum is None:
            return self
        return replace(self, minimum=float(self.minimum), maximum=float(self.maximum))

    def merge(self, other: Moments) -> Moments:
        """Moments of both sides' values together (Pébay 2008, as in csrc/moments.c)."""
        if other.count == 0:
            return self
        if self.count == 0:
            return other
        a, b = float(self.count), float(other.count)
        n = a + b
        delta = other.mean - self.mean
        step = delta / n
        square = delta * step
        product = a * b
        mean = self.mean + step * b
        if not math.isfinite(delta):  # two finite means so far apart that their difference is not
            mean = self.mean * (a / n) + other.mean * (b / n)
        assert self.minimum is not None
        assert other.minimum is not None
        assert self.maximum is not None
        assert other.maximum is not None
        return Moments(
            count=self.count + other.count,
            mean=mean,
            m2=self.m2 + other.m2 + square * product,
            m3=self.m3
            + other.m3
            + square * step * product * (a - b)
            + 3 * step * (a * other.m2 - b * self.m2),
            m4=self.m4
            + other.m4
            + square * step * step * product * (a * a - product + b * b)
            + 6 * step * step * (a * a * other.m2 + b * b * self.m2)
            + 4 * step * (a * other.m3 - b * self.m3),
            minimum=min(self.minimum, other.minimum),
            maximum=max(self.maximum, other.maximum),
        )


def block_moments(values: NDArray[np.uint64], storage: Storage) -> Moments:
    """Moments of a block of values; a function of the values and their order only.

    Parameters
    ----------
    values
        Raw bytes of values of ``storage``, any number of them, without NaN.
    storage
        How to read them.
    """
    return _moments(kernels.moments_block(values, storage), storage)


def weighted_moments(
    values: NDArray[np.generic], counts: NDArray[np.generic], storage: Storage
) -> Moments:
    """Moments of distinct values with multiplicities, by compensated sums in ascending order.

    Mean and standard deviation are within 1e-14 of ``max(abs(mean), std)``.

    Parameters
    ----------
    values
        Ascending; any 8-byte type, read as ``storage``. Infinities are left out.
    counts
        Multiplicities, unsigned.
    storage
        How to read the values.
    """
    raw = np.ascontiguousarray(values).view(np.uint64)
    weights = np.ascontiguousarray(counts, dtype=np.uint64)
    return _moments(kernels.moments_weighted(raw, weights, storage), storage)


def _moments(found: tuple[int, float, float, float, float, int, int], storage: Storage) -> Moments:
    count, mean, m2, m3, m4, minimum, maximum = found
    if count == 0:
        return Moments.empty()
    low, high = bits_to_value(minimum, storage), bits_to_value(maximum, storage)
    return Moments(count, mean, m2, m3, m4, low, high)
