"""Categories of two columns: which cells they are counted in, what appeared and what vanished."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..profile.column import decode_key
from ..profile.summaries import NumericSummary, TextSummary
from .binned import Cells, Counts, expected_variation, total_variation
from .groups import group_names, group_of
from .statistic import Statistic

HEAVY_SHARE = 0.005  # share from which a value is a cell of its own
CELLS = 200  # cells of the effect, at most, (unseen) aside
OTHER, UNSEEN = "(other)", "(unseen)"
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Tally:
    """Values of one side with their counts.

    A value in ``counts`` occurred at least that often and at most ``error`` times more; any other
    value at most ``error`` times. ``error`` is 0 where all values are counted.
    """

    counts: Mapping[bytes, int]
    total: int
    error: int = 0

    @property
    def exact(self) -> bool:
        """Whether every value is counted."""
        return self.error == 0

    def bounds(self, key: bytes) -> tuple[int, int]:
        """Least and largest possible count of a value."""
        count = self.counts.get(key, 0)
        return count, min(count + self.error, self.total)


@dataclass(frozen=True, slots=True)
class CategoryShare:
    """A value with its share of the side on which it occurs."""

    value: str
    share: float
    count: int


@dataclass(frozen=True, slots=True)
class CategoryChange:
    """Values that occur on one side only.

    Parameters
    ----------
    values
        The most frequent ones, at most 20.
    count, share
        How many there are, and the share of their side's rows that they make up.
    error
        0 if the other side's counts are exact. Else its counts may have missed a value up to this
        many times: then a value listed here is "not among the frequent values", not absent.
    """

    values: tuple[CategoryShare, ...] = ()
    count: int = 0
    share: float = 0.0
    error: int = 0

    def __len__(self) -> int:
        return self.count

    def to_dict(self) -> dict[str, Any]:
        """All fields under their names."""
        values = [{"value": v.value, "share": v.share, "count": v.count} for v in self.values]
        return {"count": self.count, "share": self.share, "error": self.error, "values": values}


NO_CHANGE = CategoryChange()


def tally_of(summary: TextSummary | NumericSummary) -> Tally | None:
    """The counts of a text or boolean column; None where numbers are no longer counted singly."""
    if isinstance(summary, TextSummary):
        text = summary.counts
        pairs = zip(text.keys, text.counts.tolist(), strict=True)
        return Tally(dict(pairs), text.total, text.error)
    if summary.counts is None:
        return None
    values = summary.counts.values.tolist()
    labels = [_number_label(value).encode() for value in values]
    pairs = zip(labels, summary.counts.counts.tolist(), strict=True)
    return Tally(dict(pairs), summary.counts.total)


def boolean_tally(tally: Tally) -> Tally:
    """The tally of zeros and ones under the names ``false`` and ``true``."""
    names = {b"0": b"false", b"1": b"true"}
    return replace(tally, counts={names.get(key, key): n for key, n in tally.counts.items()})


def all_cells(reference: Tally, current: Tally) -> Cells:
    """Every value of either side as a cell; beyond the counts' capacity, as `heavy_cells`."""
    if not (reference.exact and current.exact):
        return heavy_cells(reference, current)
    keys = sorted(reference.counts.keys() | current.counts.keys())
    a, b = (
        Counts.exact(np.array(_counts_of(side, keys)), side.total) for side in (reference, current)
    )
    return Cells(a, b, categories=tuple(decode_key(key) for key in keys))


def heavy_cells(reference: Tally, current: Tally, *, limit: float = 0.05) -> Cells:
    """Values with at least 0.5 % of both sides' rows together, groups of others, ``(unseen)``.

    The others that the reference has are grouped by a hash of their names (`groups.group_of`), into
    as many groups as the rows carry (`group_count`). ``(unseen)`` holds, on the current side, the
    rows of other values that the reference lacks and, on the reference side, the rows of those that
    it has only once: as many are to be expected anew without any change (Good 1953).

    Where a side no longer counts every value: the reference's values with at least 0.5 % of its
    rows, and all others in one ``(other)``.
    """
    if not (reference.exact and current.exact):
        return _certain_cells(reference, current)
    least = HEAVY_SHARE * (reference.total + current.total)
    keys = sorted(
        key
        for key in reference.counts.keys() | current.counts.keys()
        if reference.counts.get(key, 0) + current.counts.get(key, 0) >= least
    )
    names = tuple(decode_key(key) for key in keys)
    light = sorted(reference.counts.keys() - set(keys))
    groups = group_count(reference.total, current.total, len(keys), limit)
    others, labels = _light_cells([decode_key(key) for key in light], groups)
    before, now = (
        _grouped_counts(side, keys, light, labels, len(others)) for side in (reference, current)
    )
    single = np.array([reference.counts[key] == 1 for key in light], dtype=bool)
    before[len(keys) : -1] -= np.bincount(labels[single], minlength=len(others))
    before[-1] = single.sum()
    return Cells(
        Counts.exact(before, reference.total),
        Counts.exact(now, current.total),
        categories=(*names, *others, UNSEEN),
    )


def _certain_cells(reference: Tally, current: Tally) -> Cells:
    least = max(HEAVY_SHARE * reference.total, 1)
    keys = [key for key, n in sorted(reference.counts.items()) if n >= least]
    a, b = (_heavy_counts(side, keys) for side in (reference, current))
    return Cells(a, b, categories=(*map(decode_key, keys), OTHER))


def group_count(n: int, m: int, heavy: int, limit: float) -> int:
    """Groups of light values: so many that chance alone makes at most a quarter of ``limit``.

    ``B`` cells have an expected total variation of at most ``sqrt(B (1/n + 1/m) / (2 pi))``; at
    least one group, and at most 200 cells with the heavy ones.
    """
    carried = 2 * math.pi * (limit / 4) ** 2 * (n * (m / (n + m)))
    return max(1, math.floor(min(carried, CELLS)) - heavy)


def excess_variation(cells: Cells) -> Statistic:
    """Total variation beyond what chance alone makes of these cells and rows.

    The distance minus its expected null value (`binned.expected_variation`), at least 0. The 99 %
    interval is that of the distance itself.
    """
    plain = total_variation(cells)
    expected = expected_variation(cells)
    return replace(
        plain,
        value=max(0.0, plain.value - expected),
        lower=max(0.0, plain.lower - expected),
        upper=max(0.0, plain.upper - expected),
        name="total_variation",
        null_value=expected,
        note=f"after subtracting {expected:.3g} expected by chance",
    )


def only_on(side: Tally, other: Tally) -> CategoryChange:
    """Values of one side that the other does not have."""
    found = [(-n, key) for key, n in side.counts.items() if n and key not in other.counts]
    first = heapq.nsmallest(SHOWN, found)
    shown = tuple(CategoryShare(decode_key(key), -n / side.total, -n) for n, key in first)
    total = -sum(n for n, _ in found)
    share = total / side.total if side.total else 0.0
    return CategoryChange(shown, len(found), share, other.error)


def _heavy_counts(side: Tally, keys: list[bytes]) -> Counts:
    """Counts of the given values, and of all others together."""
    bounds = np.array([side.bounds(key) for key in keys], dtype=np.float64).reshape(-1, 2)
    lower, upper = bounds[:, 0], bounds[:, 1]
    rest_lower = max(0.0, side.total - float(upper.sum()))
    rest_upper = side.total - float(lower.sum())
    value = (lower + upper) / 2
    rest = min(max(side.total - float(value.sum()), rest_lower), rest_upper)
    return Counts(
        np.append(value, rest),
        np.append(lower, rest_lower),
        np.append(upper, rest_upper),
        side.total,
    )


def _light_cells(names: list[str], groups: int) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Cells of the light values, and each value's: its own, as long as there are groups enough."""
    if groups > 1 and len(names) <= groups:
        return tuple(names), np.arange(len(names))
    labels = np.array([group_of(name, groups) for name in names], dtype=np.int64)
    if groups == 1:
        return group_names(1), labels
    used, labels = np.unique(labels, return_inverse=True)
    titles = group_names(groups)
    return tuple(titles[i] for i in used), labels


def _grouped_counts(
    side: Tally, keys: list[bytes], light: list[bytes], labels: NDArray[np.int64], cells: int
) -> NDArray[np.float64]:
    """Rows of the heavy values, of the cells of the light ones, and of all that is in neither."""
    heavy = _counts_of(side, keys)
    weights = np.array(_counts_of(side, light), dtype=np.float64)
    others = np.bincount(labels, weights=weights, minlength=cells)
    rows = np.concatenate([np.array(heavy, dtype=np.float64), others, [0.0]])
    rows[-1] = side.total - rows.sum()
    return rows


def _counts_of(side: Tally, keys: list[bytes]) -> list[int]:
    return list(map(side.counts.get, keys, itertools.repeat(0)))


def _number_label(value: float) -> str:
    return str(int(value)) if math.isfinite(value) and value == int(value) else repr(value)
