"""Which columns have two values only, and how often the second of them occurred on each side.

A column is two-valued if both sides together hold at most two values (a 0/1 label is one, whatever
its type) or if the reference is constant: then it is "that value" against "any other".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..profile import ColumnProfile
from ..sketch.points import as_points
from ..sketch.ranks import Band
from .shares import Occurrences
from .tally import Tallies, number_label

ANY_OTHER = "(other)"


@dataclass(frozen=True, slots=True)
class TwoValued:
    """How often the second of two values occurred on each side.

    Parameters
    ----------
    reference, current
        The sides.
    names
        Both values; the second is ``(other)`` if the reference is constant and the current side has
        more than one other value, or might have.
    """

    reference: Occurrences
    current: Occurrences
    names: tuple[str, str]


def two_categories(both: Tallies) -> TwoValued | None:
    """Of a column of categories; None if it has more values."""
    if not both.reference.exact:
        return None
    values = len(both.reference.counts)
    pair = both.current.exact and len(both.names) == 2
    if values != 1 and not (values and pair):
        return None
    place = int(both.known.argmax())  # the reference's only value, or the first of its two
    sides = []
    for side, counts in ((both.reference, both.before), (both.current, both.now)):
        low = int(counts[place])
        high = min(low + side.error, side.total)
        sides.append(Occurrences((low + high) / 2, low, high, side.total).complement())
    other = both.names[1 - place] if pair else ANY_OTHER
    return TwoValued(sides[0], sides[1], (both.names[place], other))


def two_numbers(reference: ColumnProfile, current: ColumnProfile) -> TwoValued | None:
    """Of a column of numbers; None if it has more values."""
    a, b = reference.numeric, current.numeric
    assert a is not None
    assert b is not None
    if a.counts is None or len(a.counts) > 2:
        return None
    if len(a.counts) == 1:
        value = a.counts.values
        name = number_label(value.tolist()[0])
        sides = _others(reference.band, value), _others(current.band, value)
        return TwoValued(*sides, (name, ANY_OTHER))
    if b.counts is None:
        return None
    values = np.union1d(as_points(a.counts.values), as_points(b.counts.values))
    if len(values) > 2:
        return None
    first, second = a.counts.values.tolist()
    top = a.counts.values[-1:]
    sides = _others(reference.band, top).complement(), _others(current.band, top).complement()
    return TwoValued(*sides, (number_label(first), number_label(second)))


def _others(band: Band, value: np.ndarray) -> Occurrences:
    """How often a column of numbers differs from one value."""
    at = band.on(as_points(value))
    same = at.estimate[0, 1] - at.estimate[0, 0]
    least = max(0.0, at.lower[0, 1] - at.upper[0, 0])
    most = at.upper[0, 1] - at.lower[0, 0]
    return Occurrences(same, least, most, band.total).complement()
