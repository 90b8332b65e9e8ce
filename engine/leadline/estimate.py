"""A figure together with what its summary can promise about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with the interval in which the value computed from the raw rows lies.

    Parameters
    ----------
    value
        The best single figure.
    lower, upper
        Bounds for the summary's own error; equal to ``value`` where the summary is exact.
    ci_lower, ci_upper
        99 % confidence bounds for the population (sampling error plus summary error), or None
        where no population parameter is estimated.
    confidence
        Probability that ``[lower, upper]`` holds the raw-row value: 1.0 for exact counts and
        histogram buckets, 1 - 1e-6 where a quantile sketch takes part, 0.999 for distinct counts.

    Examples
    --------
    >>> float(Estimate(value=2.0, lower=1.9, upper=2.1))
    2.0
    """

    value: float
    lower: float
    upper: float
    ci_lower: float | None = None
    ci_upper: float | None = None
    confidence: float = 1.0

    def __float__(self) -> float:
        return float(self.value)

    @classmethod
    def exact(cls, value: float) -> Estimate:
        """An estimate without summary error."""
        return cls(value=value, lower=value, upper=value)
