"""Distributions as a few counts in common bins, for bars of one character a bin."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from ..profile import ColumnProfile
from ..profile.column import bin_edges
from ..schema import Kind


def shares(columns: Sequence[ColumnProfile], bins: int) -> list[list[float]]:
    """Shares of the values of several profiles of one column in the same ``bins`` or fewer bins.

    Numbers and instants are counted in equal bins between their outermost 1 % and 99 % quantiles,
    what lies beyond in the first and the last bin; texts by the first profile's most frequent
    values, most frequent first, with the rest last. Empty lists where there is nothing to count.
    """
    if all(column.text is not None for column in columns):
        return _text_shares(columns, bins)
    try:
        edges = _edges(columns, bins)
        return [_shares_between(column, edges) for column in columns]
    except InputError:
        return [[] for _ in columns]


def tallest(sides: Sequence[Sequence[float]], *, texts: bool) -> float:
    """The share that a full bar stands for: the largest, of texts not counting the rest."""
    return max((share for side in sides for share in (side[:-1] if texts else side)), default=0.0)


def _edges(columns: Sequence[ColumnProfile], bins: int) -> np.ndarray:
    low = min(column.quantile(0.01).value for column in columns)
    high = max(column.quantile(0.99).value for column in columns)
    if not (math.isfinite(low) and math.isfinite(high)):
        ranges = [column.histogram(bins=1)[1] for column in columns]
        low = min(float(edges[0]) for edges in ranges)
        high = max(float(edges[-1]) for edges in ranges)
    whole = columns[0].kind in (Kind.BOOLEAN, Kind.INTEGER, Kind.DATE)
    if high <= low:
        return np.array([-np.inf, np.inf])
    if whole:
        # Whole numbers in each bin, or bars would alternate with the numbers that fall into them.
        step = math.ceil((high - low + 1) / bins)
        inner = np.arange(math.floor(low) + step, math.floor(high) + 1, step) - 0.5
    else:
        inner = bin_edges(low, high, bins)[1:-1]
    return np.concatenate([[-np.inf], inner, [np.inf]])


def _shares_between(column: ColumnProfile, edges: np.ndarray) -> list[float]:
    counts = np.diff(column.band.cumulative(edges))
    total = float(counts.sum())
    return [float(count) / total if total else 0.0 for count in counts]


def _text_shares(columns: Sequence[ColumnProfile], bins: int) -> list[list[float]]:
    counted = [dict(_counts(column)) for column in columns]
    keys = [key for key, _ in _counts(columns[0], bins - 1)]
    result = []
    for column, known in zip(columns, counted, strict=True):
        total = column.rows - column.nulls
        found = [known.get(key, 0) for key in keys]
        counts = [*found, max(total - sum(found), 0)]
        result.append([count / total if total else 0.0 for count in counts])
    return result


def _counts(column: ColumnProfile, most: int | None = None) -> list[tuple[bytes, int]]:
    assert column.text is not None
    counts = column.text.counts
    return counts.top(len(counts) if most is None else most)
