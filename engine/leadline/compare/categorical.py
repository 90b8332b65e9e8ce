"""Categories of two columns: which cells they are counted in, what appeared and what vanished."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .binned import total_variation
from .cells import Cells, Counts, Floats, Term, bounds_of
from .groups import group_names, groups_of
from .names import Names
from .significance import mean_deviation, special
from .statistic import RELATIVE_SLACK, Statistic
from .tally import Tallies

_Places = NDArray[np.int64]

HEAVY_SHARE = 0.005  # share from which a value is a cell of its own
CELLS = 200  # cells of the effect, at most, (unseen) aside
OTHER, UNSEEN = "(other)", "(unseen)"
SHOWN = 20


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


def all_cells(both: Tallies) -> Cells:
    """Every value of either side as a cell; beyond the counts' capacity, as `heavy_cells`."""
    if not both.exact:
        return certain_cells(both)
    return Cells(
        Counts.exact(both.before, both.reference.total),
        Counts.exact(both.now, both.current.total),
        categories=both.names,
    )


def heavy_cells(both: Tallies, *, limit: float = 0.05, named: bool = True) -> Cells:
    """Values with at least 0.5 % of both sides' rows together, groups of others, ``(unseen)``.

    The others that the reference has are grouped by a hash of their names (`groups.group_of`), into
    as many groups as the rows carry (`group_count`). ``(unseen)`` holds, on the current side, the
    rows of other values that the reference lacks and, on the reference side, the rows of those that
    it has only once: as many are to be expected anew without any change (Good 1953).

    Where a side no longer counts every value: the reference's values with at least 0.5 % of its
    rows, and all others in one ``(other)``. Names take as long as all else: cells without them are
    for a figure only.
    """
    if not both.exact:
        return certain_cells(both)
    n, m = both.reference.total, both.current.total
    heavy = both.before + both.now >= HEAVY_SHARE * (n + m)
    light = np.flatnonzero(both.known & ~heavy)
    own = np.flatnonzero(heavy)
    groups = group_count(n, m, len(own), limit)
    others, labels = _light_cells(both.names, light, groups, named=named)
    before, now = (
        _grouped_counts(counts, own, light, labels, len(others), total)
        for counts, total in ((both.before, n), (both.now, m))
    )
    single = both.before[light] == 1
    before[len(own) : -1] -= np.bincount(labels[single], minlength=len(others))
    before[-1] = single.sum()
    return Cells(
        Counts.exact(before, n),
        Counts.exact(now, m),
        categories=(*_named(both.names, own), *others, UNSEEN) if named else (),
    )


def certain_cells(both: Tallies) -> Cells:
    """The reference's values with at least 0.5 % of its rows, and ``(other)``: its choice alone."""
    least = max(HEAVY_SHARE * both.reference.total, 1)
    own = np.flatnonzero(both.known & (both.before >= least))
    a = _heavy_counts(both.before[own], both.reference.total, both.reference.error)
    b = _heavy_counts(both.now[own], both.current.total, both.current.error)
    return Cells(a, b, categories=(*_named(both.names, own), OTHER))


def _named(names: Names, places: _Places) -> list[str]:
    return [names[place] for place in places.tolist()]


def group_count(n: int, m: int, heavy: int, limit: float) -> int:
    """Groups of light values: so many that chance alone makes at most a quarter of ``limit``.

    ``B`` cells have an expected total variation of at most ``sqrt(B (1/n + 1/m) / (2 pi))``; at
    least one group, and at most 200 cells with the heavy ones.
    """
    carried = 2 * math.pi * (limit / 4) ** 2 * (n * (m / (n + m)))
    return max(1, math.floor(min(carried, CELLS)) - heavy)


def excess_variation(cells: Cells) -> Statistic:
    """Total variation beyond what chance alone makes of these cells and rows.

    Half the sum over cells of ``d (2 F(z) - 1) - 2 s f(z)``: ``d`` is the difference of the shares,
    ``s`` its deviation by chance, ``z = d / s``, ``F`` and ``f`` the normal law and its density. So
    large is, on average over all halvings of the rows, the difference in one half with the sign
    that it has in the other. Its mean is 0 where nothing changed and never more than what did;
    cells that changed by far more than chance count in full. At least 0. The 99 % interval is that
    of the distance itself.
    """
    n, m = cells.reference.total, cells.current.total
    chance = mean_deviation(cells.reference.value + cells.current.value, n, m) * cells.inverse_rows
    value, lower, upper = bounds_of(_beyond_chance(chance), cells)
    expected = float(chance.sum()) / 2
    return replace(
        total_variation(cells),
        value=max(0.0, value - expected),
        lower=max(0.0, lower - expected),
        upper=max(0.0, upper - expected),
        name="total_variation",
        null_value=expected,
        note=f"after subtracting {expected:.3g} expected by chance",
    )


def excess_values(pairs: Sequence[Cells]) -> Floats:
    """The values of `excess_variation` of many pairs of sides, without intervals."""
    sizes = np.array([len(cells.reference.value) for cells in pairs])
    starts = np.cumsum(sizes) - sizes
    sides = [(cells.reference, cells.current) for cells in pairs]
    before, now = (np.concatenate([pair[i].value for pair in sides]) for i in (0, 1))
    n, m = (np.repeat([float(pair[i].total) for pair in sides], sizes) for i in (0, 1))
    chance = mean_deviation(before + now, n, m) * (1 / n + 1 / m)
    terms = _beyond_chance(chance)(before / n, now / m)
    value, expected = np.add.reduceat(terms, starts), np.add.reduceat(chance, starts) / 2
    return np.maximum(np.maximum(value, 0.0) - expected, 0.0)


def _beyond_chance(chance: Floats) -> Term:
    """The term of `excess_variation` plus half of ``chance``, so that it is 0 without difference.

    ``chance`` is the mean difference of a cell's shares without change, ``s sqrt(2 / pi)``.
    """
    spread = chance * math.sqrt(math.pi / 2)

    def term(p: Floats, q: Floats) -> Floats:
        apart = np.abs(p - q)
        z = np.divide(apart, spread, out=np.full_like(apart, math.inf), where=spread > 0)
        certain = special().erf(z / math.sqrt(2))
        found: Floats = (apart * certain - chance * np.expm1(-z * z / 2)) / 2
        return found

    return term


def entropy_change(cells: Cells) -> Statistic:
    """Change of Shannon's entropy of the categories, current minus reference, in nats.

    ``-sum p ln p`` of each side's plain shares, as `scipy.stats.entropy`. Without change the side
    with fewer rows has the smaller entropy, since it misses rare values: ``null_value`` is
    ``(B - 1)(1/n - 1/m) / 2`` (Miller 1955). Values that no sample has seen may hold any entropy,
    so there is no interval for the populations.
    """
    before, now = _entropy(cells.reference), _entropy(cells.current)
    lower, upper = now[1] - before[2], now[2] - before[1]
    slack = RELATIVE_SLACK * max(before[2], now[2])
    freedom = len(cells.reference.value) - 1
    return replace(
        cells.statistic("entropy_change", now[0] - before[0], lower - slack, upper + slack),
        unit="nats",
        null_value=freedom * (1 / cells.reference.total - 1 / cells.current.total) / 2,
    )


def _entropy(side: Counts) -> tuple[float, float, float]:
    """Entropy at the counts, and its least and largest over their bounds."""
    shares = side.shares()
    value = float(_entropy_term(shares.value).sum())
    if shares.known:
        return value, value, value
    ends = _entropy_term(shares.lower), _entropy_term(shares.upper)
    # A term rises to 1 / e and falls after it, so its least value is at an end.
    peak = (shares.lower < 1 / math.e) & (shares.upper > 1 / math.e)
    highest = np.where(peak, 1 / math.e, np.maximum(*ends))
    return value, min(float(np.minimum(*ends).sum()), value), max(float(highest.sum()), value)


def _entropy_term(shares: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(shares > 0, -shares * np.log(shares), 0.0)


def only_on(both: Tallies) -> CategoryChange:
    """Values of the current side that the reference does not have."""
    side, error = both.current, both.reference.error
    if both.known.all():
        return CategoryChange(error=error)
    found = np.flatnonzero(~both.known & (both.now > 0))
    counts = both.now[found]
    listed = np.arange(len(found))
    if len(found) > SHOWN:
        listed = np.flatnonzero(counts >= np.partition(counts, -SHOWN)[-SHOWN])
    # Equal counts in the order of their keys, which is that of the places.
    listed = listed[np.argsort(-counts[listed], kind="stable")][:SHOWN]
    shown = tuple(
        CategoryShare(name, count / side.total, count)
        for name, count in zip(
            _named(both.names, found[listed]), counts[listed].tolist(), strict=True
        )
    )
    share = int(counts.sum()) / side.total if side.total else 0.0
    return CategoryChange(shown, len(found), share, error)


def _heavy_counts(counts: _Places, total: int, error: int) -> Counts:
    """The given counts, each up to ``error`` too small, and that of all other values together."""
    lower = counts.astype(np.float64)
    upper = np.minimum(counts + error, total).astype(np.float64)
    rest_lower = max(0.0, total - float(upper.sum()))
    rest_upper = total - float(lower.sum())
    value = (lower + upper) / 2
    rest = min(max(total - float(value.sum()), rest_lower), rest_upper)
    return Counts(
        np.append(value, rest),
        np.append(lower, rest_lower),
        np.append(upper, rest_upper),
        total,
    )


def _light_cells(
    names: Names, light: _Places, groups: int, *, named: bool
) -> tuple[Sequence[str], _Places]:
    """Cells of the light values, and each value's: its own, as long as there are groups enough."""
    if groups > 1 and len(light) <= groups:
        return _named(names, light) if named else [""] * len(light), np.arange(len(light))
    if groups == 1:
        return group_names(1), np.zeros(len(light), dtype=np.int64)
    used, labels = np.unique(groups_of(names, groups)[light], return_inverse=True)
    titles = group_names(groups)
    return [titles[i] for i in used.tolist()], labels


def _grouped_counts(
    counts: _Places, own: _Places, light: _Places, labels: _Places, cells: int, total: int
) -> NDArray[np.float64]:
    """Rows of the heavy values, of the cells of the light ones, and of all that is in neither."""
    rows = np.zeros(len(own) + cells + 1)
    rows[: len(own)] = counts[own]
    rows[len(own) : -1] = np.bincount(labels, weights=counts[light], minlength=cells)
    rows[-1] = total - rows.sum()
    return rows
