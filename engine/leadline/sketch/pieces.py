"""Buckets and single values of a histogram as disjoint pieces of the line with exact counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .points import EXACT_INTEGERS, SMALLEST, Floats, Points


@dataclass(frozen=True, slots=True)
class Pieces:
    """Disjoint pieces of the line in ascending order with exact counts.

    An interval piece is half open, ``start <= x < end``, unless ``end`` is ``closed``, the known
    largest value; an atom is the single point ``start``.
    """

    start: Points
    end: Points
    count: Floats
    atom: NDArray[np.bool_]
    closed: complex | float | None = None

    @classmethod
    def of(cls, start: Points, end: Points, count: Floats, atoms: dict[float, int]) -> Pieces:
        """Interval pieces and single values with their rows, put in order."""
        held = [(value, rows) for value, rows in atoms.items() if rows]
        at = np.array([value for value, _ in held], dtype=np.float64)
        rows = np.array([rows for _, rows in held], dtype=np.float64)
        starts = np.concatenate([start, at])
        order = np.argsort(starts, kind="stable")
        is_atom = np.concatenate([np.zeros(len(start), np.bool_), np.ones(len(at), np.bool_)])
        return cls(
            start=starts[order],
            end=np.concatenate([end, at])[order],
            count=np.concatenate([count, rows])[order],
            atom=is_atom[order],
        )

    def trimmed(self, minimum: complex | None, maximum: complex | None) -> Pieces:
        """The pieces with the outermost intervals cut to the range of the finite values."""
        start, end = self.start, self.end
        if minimum is not None or maximum is not None:
            extremes = [value for value in (minimum, maximum) if value is not None]
            kind = np.result_type(start, end, np.array(extremes))
            start, end = start.astype(kind), end.astype(kind)
        intervals = np.flatnonzero(~self.atom)
        if len(intervals) and minimum is not None and start[intervals[0]] < minimum:
            start[intervals[0]] = minimum
        atom = self.atom.copy()
        if len(intervals) and maximum is not None and maximum < end[intervals[-1]]:
            end[intervals[-1]] = maximum
            atom[intervals[-1]] = start[intervals[-1]] == maximum
        return Pieces(start, end, self.count, atom, closed=maximum)


def half_open(lower: Floats, upper: Floats, *, integer: bool) -> tuple[Points, Points]:
    """Buckets as ``start <= x < end``: negative ones hold their upper edge, not their lower one.

    The next larger double takes the place of a negative edge; for integers beyond 2**53, of which
    doubles skip some, the next integer does. Zero is in no bucket.
    """
    negative = upper <= 0
    start = np.where(negative, np.nextafter(lower, np.inf), lower)
    end = np.where(negative, np.nextafter(upper, np.inf), upper)
    start = np.where(~negative & (lower <= 0), SMALLEST, start)
    end = np.where(negative & (upper == 0), 0.0, end)
    if not (integer and len(lower) and float(lower[0]) < -EXACT_INTEGERS):
        return start, end
    return _next_integer(lower, start, negative), _next_integer(upper, end, negative)


def _next_integer(edge: Floats, otherwise: Floats, negative: NDArray[np.bool_]) -> Points:
    beyond = negative & (edge < -EXACT_INTEGERS)
    points = np.where(beyond, edge, otherwise).astype(np.complex128)
    points.imag = beyond
    return points
