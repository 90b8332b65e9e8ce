"""Rows counted in the same cells on both sides, and what sums over cells can be.

Counts are known within bounds. The statistics are sums over cells of a function of both shares that
is zero where they agree and grows with their distance on either side of that (all of them are
convex). Over a box of possible counts the largest term then lies at one of two corners, and the
smallest is zero or at the nearest corner: the sum of these holds the value for every table of
counts inside the bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .significance import share_bounds
from .statistic import CONFIDENCE, RELATIVE_SLACK, Statistic

Floats = NDArray[np.float64]
Term = Callable[[Floats, Floats], Floats]


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of one side in every cell, float64, with bounds that coincide where counts are exact."""

    value: Floats
    lower: Floats
    upper: Floats
    total: int

    @classmethod
    def exact(cls, value: NDArray[np.generic], total: int) -> Counts:
        """Counts that are known."""
        known = np.asarray(value, dtype=np.float64)
        return cls(known, known, known, total)

    @property
    def known(self) -> bool:
        """Whether the counts were made as exact ones."""
        return self.lower is self.value is self.upper

    def shares(self, smoothing: float = 0.0) -> Counts:
        """The counts over all rows, ``smoothing`` added to every cell."""
        rows = self.total + smoothing * len(self.value)
        if self.known:
            return Counts.exact((self.value + smoothing) / rows, self.total)
        value, lower, upper = ((x + smoothing) / rows for x in (self.value, self.lower, self.upper))
        return Counts(value, lower, upper, self.total)

    def population(self, smoothing: float = 0.0) -> Counts:
        """Box that holds all population shares at once with probability 99.5 %.

        Clopper-Pearson bounds at Bonferroni's level. With smoothing, the expected smoothed shares.
        """
        tail = (1 - CONFIDENCE) / (4 * len(self.value))
        lower, upper = share_bounds(self.lower, self.upper, self.total, tail)
        rows = self.total + smoothing * len(self.value)
        low, high = ((self.total * x + smoothing) / rows for x in (lower, upper))
        return Counts(np.clip(self.shares(smoothing).value, low, high), low, high, self.total)


@dataclass(frozen=True, slots=True)
class Cells:
    """Both sides counted in the same cells.

    Exactly one of ``edges`` (numeric) and ``categories`` names the cells.
    """

    reference: Counts
    current: Counts
    edges: tuple[float, ...] = ()
    categories: Sequence[str] = ()
    confidence: float = 1.0
    _boxes: dict[float, tuple[Counts, Counts]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def populations(self, smoothing: float) -> tuple[Counts, Counts]:
        """`Counts.population` of both sides; kept, since two statistics take the same one."""
        if smoothing not in self._boxes:
            a, b = (side.population(smoothing) for side in (self.reference, self.current))
            self._boxes[smoothing] = a, b
        return self._boxes[smoothing]

    @property
    def exact(self) -> bool:
        """Whether all counts are known, whichever way they were found."""
        sides = self.reference, self.current
        return all(np.array_equal(side.lower, side.upper) for side in sides)

    @property
    def inverse_rows(self) -> float:
        """``1/n + 1/m``, the factor of every expected null value."""
        return 1 / self.reference.total + 1 / self.current.total

    def statistic(self, name: str, value: float, lower: float, upper: float) -> Statistic:
        """A statistic on these cells."""
        return Statistic(
            value=min(max(value, lower), upper),
            lower=lower,
            upper=upper,
            confidence=self.confidence,
            name=name,
            edges=self.edges,
            categories=tuple(self.categories),
        )


def bounds_of(
    term: Term, cells: Cells, smoothing: float = 0.0, *, slope: float = 1.0
) -> tuple[float, float, float]:
    """Value, and bounds over all counts within theirs, with room for rounding.

    ``slope`` is how much the sum moves with a share: about 1 for distances of shares, the rows for
    the statistics of tests.
    """
    a, b = cells.reference.shares(smoothing), cells.current.shares(smoothing)
    value, lower, upper = extremes_of(term, a, b)
    apart = np.abs(a.value - b.value)
    if upper == 0.0 and not apart.any():
        return value, lower, upper
    # Rounding of the shares, one part in 2**52 each, moves a term by its slope.
    slack = RELATIVE_SLACK * upper + 4e-15 * slope
    return value, max(0.0, lower - slack), upper + slack


def population_of(term: Term, cells: Cells, smoothing: float = 0.0) -> tuple[float, float]:
    """Between which figures the populations' value lies with probability 99 %."""
    _, lower, upper = extremes_of(term, *cells.populations(smoothing))
    return lower, upper


def extremes_of(term: Term, a: Counts, b: Counts) -> tuple[float, float, float]:
    """Sum of the terms at the values, at the least and at the most over the boxes."""
    value = max(0.0, float(term(a.value, b.value).sum()))
    if a.known and b.known:
        return value, value, value
    least, most = terms_of(term, a, b)
    lower, upper = max(0.0, float(least.sum())), float(most.sum())
    return value, min(lower, value), max(upper, value)


def terms_of(term: Term, a: Counts, b: Counts) -> tuple[Floats, Floats]:
    """The least and the largest term of every cell over its box."""
    highest = np.maximum(term(a.lower, b.upper), term(a.upper, b.lower))
    nearest_a = np.clip(b.lower, a.lower, a.upper)
    nearest_b = np.clip(nearest_a, b.lower, b.upper)
    return np.where(nearest_a == nearest_b, 0.0, term(nearest_a, nearest_b)), highest
