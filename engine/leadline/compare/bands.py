"""Two cumulative distributions at common points, each known within bounds.

Whatever the raw rows were, at every point of the line the two distribution functions lie in their
bands. What compares ranks asks a `BandPair` or its `Steps` and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from ..sketch.points import SMALLEST, Floats, Points
from ..sketch.ranks import Band, union_points

_T = TypeVar("_T")
EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class BandPair:
    """Two bands stated at the same points, as shares of their rows.

    ``low`` and ``high`` are (points, 2) bounds of reference minus current, below and up to each
    point; ``gap_low`` and ``gap_high`` hold between a point and the next.
    """

    points: Points
    reference: Band
    current: Band
    low: Floats
    high: Floats
    middle: Floats

    @classmethod
    def of(cls, reference: Band, current: Band) -> BandPair:
        """Both bands at the points of either."""
        points = union_points(reference, current)
        a, b = reference.on(points), current.on(points)
        n, m = a.total, b.total
        return cls(
            points=points,
            reference=a,
            current=b,
            low=a.lower / n - b.upper / m,
            high=a.upper / n - b.lower / m,
            middle=a.estimate / n - b.estimate / m,
        )

    @property
    def confidence(self) -> float:
        """Probability with which both bands hold."""
        return self.reference.confidence * self.current.confidence

    def gaps(self, margin_a: float = 0.0, margin_b: float = 0.0) -> tuple[Floats, Floats]:
        """Bounds of the difference between consecutive points, bands widened by margins."""
        a, b = self.reference, self.current
        low_a = np.maximum(a.lower[:-1, 1] / a.total - margin_a, 0.0)
        high_a = np.minimum(a.upper[1:, 0] / a.total + margin_a, 1.0)
        low_b = np.maximum(b.lower[:-1, 1] / b.total - margin_b, 0.0)
        high_b = np.minimum(b.upper[1:, 0] / b.total + margin_b, 1.0)
        return low_a - high_b, high_a - low_b

    def joint_gaps(self, margin_a: float = 0.0, margin_b: float = 0.0) -> tuple[Floats, Floats]:
        """As `gaps`, but two sketches' errors, being independent, add up in squares."""
        low, high = self.gaps(margin_a, margin_b)
        a, b = self.reference, self.current
        sketched = (a.noise[:-1] > 0) & (b.noise[:-1] > 0)
        noise = np.hypot(a.noise[:-1] / a.total, b.noise[:-1] / b.total) + margin_a + margin_b
        floor = np.maximum(low, self.middle[:-1, 1] - noise)
        ceiling = np.minimum(high, self.middle[:-1, 1] + noise)
        sound = sketched & (floor <= ceiling)
        return np.where(sound, floor, low), np.where(sound, ceiling, high)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of `Steps`: shares below and up to every point, in one ascending row."""

    value: Floats
    lower: Floats
    upper: Floats

    @classmethod
    def of(cls, band: Band) -> Side:
        """A band's shares."""
        parts = (x.ravel() / band.total for x in (band.estimate, band.lower, band.upper))
        return cls(*parts)

    @property
    def known(self) -> NDArray[np.bool_]:
        """At which places the share is exact."""
        known: NDArray[np.bool_] = self.lower == self.upper
        return known


@dataclass(frozen=True, slots=True)
class Steps:
    """The line as a row of steps: the rows at a point, those up to the next point, and so on.

    Both distribution functions are stated at the places between steps: place ``2 i`` is below
    point ``i`` and place ``2 i + 1`` up to it. So even steps hold one value, and odd ones the rows
    between two points, wherever these lie.

    Parameters
    ----------
    reference, current
        Shares at the places.
    low, high
        Bounds of reference minus current anywhere inside of each step, its ends included.
    noise
        Errors, in shares, of the sketch that each side rests on in a step, 0 where it rests on
        none: shape (2, steps).
    rows
        Rows of both sides.
    confidence
        Probability with which all bounds hold.
    """

    reference: Side
    current: Side
    low: Floats
    high: Floats
    noise: Floats
    rows: tuple[int, int]
    confidence: float
    _kept: dict[str, object] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, pair: BandPair) -> Steps:
        """The steps of two bands."""
        a, b = pair.reference, pair.current
        ends_low, ends_high = pair.low.ravel(), pair.high.ravel()
        low, high = (
            np.minimum(ends_low[:-1], ends_low[1:]),
            np.maximum(ends_high[:-1], ends_high[1:]),
        )
        low[1::2], high[1::2] = pair.gaps()
        noise = np.zeros((2, len(low)))
        noise[0, 1::2], noise[1, 1::2] = a.noise[:-1] / a.total, b.noise[:-1] / b.total
        rows = a.total, b.total
        return cls(Side.of(a), Side.of(b), low, high, noise, rows, pair.confidence)

    @property
    def pooled(self) -> Side:
        """Shares of both sides' rows together."""
        return self.keep("pooled", self._pooled)

    @property
    def known(self) -> NDArray[np.bool_]:
        """At which places both shares are exact."""
        return self.keep("known", lambda: self.reference.known & self.current.known)

    def keep(self, name: str, make: Callable[[], _T]) -> _T:
        """What several statistics are computed from, made when first asked for."""
        if name not in self._kept:
            self._kept[name] = make()
        return cast(_T, self._kept[name])

    def _pooled(self) -> Side:
        n, m = self.rows
        first, second = n / (n + m), m / (n + m)
        a, b = self.reference, self.current
        return Side(
            first * a.value + second * b.value,
            first * a.lower + second * b.lower,
            first * a.upper + second * b.upper,
        )


def infinite_tails(pair: BandPair) -> float:
    """Infinity if the sides' shares of infinite values differ, -1 if equal, 0 without any."""
    found = 0.0
    for at, column in ((0, 1), (-1, 0)):
        if len(pair.points) and np.isinf(np.real(pair.points[at])):
            sides = (pair.reference, pair.current)
            counts = [side.estimate[at, column] for side in sides]
            if column == 0:
                counts = [side.total - count for side, count in zip(sides, counts, strict=True)]
            if int(counts[0]) * pair.current.total != int(counts[1]) * pair.reference.total:
                return math.inf
            found = -1.0
    return found


def widths_of(points: Points) -> Floats:
    """Distance of each point to the next; 0 where one of them is infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        width = np.diff(np.real(points))
    if points.dtype.kind == "c":
        width = width + np.diff(np.imag(points))
    return np.where(np.isfinite(width), width, 0.0)


def rounding_of(pair: BandPair, width: Floats, low: Floats, high: Floats) -> float:
    """Room for the rounding of shares, wherever they differ, and of integers beyond 2**53."""
    apart = (low != 0) | (high != 0)
    if not apart.any():
        return 0.0
    # Below the normal doubles a product loses up to one subnormal step, whatever its size.
    steps = SMALLEST * (pair.reference.total + pair.current.total)
    room = 4 * EPSILON * float(np.sum(width[apart])) + steps
    if pair.points.dtype.kind == "c":
        room += float(np.spacing(np.max(np.abs(np.real(pair.points)))))
    return room


def range_of(pair: BandPair) -> float:
    """Width of the finite points; infinity where it is beyond the largest double."""
    real = np.real(pair.points)
    finite = real[np.isfinite(real)]
    with np.errstate(over="ignore"):
        return float(finite[-1] - finite[0]) if len(finite) else 0.0
