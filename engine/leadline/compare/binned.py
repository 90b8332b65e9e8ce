"""Statistics on cells: rows counted in the same cells on both sides, counts known within bounds.

All four are sums over cells of a function that is zero where both shares agree and convex, so over
a box of possible counts the largest term lies at one of two corners, and the smallest is zero or at
the nearest corner. The interval is the sum of these: it holds the value for every table of counts
inside the bounds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from .groups import filled_groups
from .significance import chi_square_p, chi_square_value, mean_deviation, share_bounds
from .statistic import CONFIDENCE, RELATIVE_SLACK, Statistic

Floats = NDArray[np.float64]
Term = Callable[[Floats, Floats], Floats]

SMOOTHING = 0.5  # rows added to every cell by psi and jensen_shannon
POOL_BELOW = 10  # rows of both sides together under which chi2 pools a cell
EXPECTED_ROWS = 5.0  # expected rows on the smaller side that the chi-squared law needs


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


def psi(cells: Cells) -> Statistic:
    """Population stability index: sum of ``(p - q) ln(p / q)`` over cells, in nats.

    ``p`` and ``q`` are shares after half a row is added to every cell, ``(c + 1/2) / (n + B/2)``,
    so empty cells stay finite (others fill them with 1e-4 or fail). Symmetric. The expected value
    without change, ``(B - 1)(1/n + 1/m)``, is in ``null_value``. The 99 % interval is for the same
    formula at the expected smoothed shares.
    """
    value, lower, upper = _bounds(_psi_term, cells, SMOOTHING)
    _, ci_lower, ci_upper = _population(_psi_term, cells, SMOOTHING)
    null_value = (len(cells.reference.value) - 1) * cells.inverse_rows
    return replace(
        cells.statistic("psi", value, lower, upper),
        ci_lower=min(ci_lower, lower),
        ci_upper=max(ci_upper, upper),
        unit="nats",
        null_value=null_value,
    )


def jensen_shannon(cells: Cells) -> Statistic:
    """Jensen-Shannon distance, base 2: the root of the divergence, 0 to 1.

    As `scipy.spatial.distance.jensenshannon` with ``base=2`` on the shares after half a row is
    added to every cell (Evidently uses natural logarithms: its value is smaller by ``sqrt(ln 2)``).
    """
    value, lower, upper = (math.sqrt(x) for x in _bounds(_jensen_shannon_term, cells, SMOOTHING))
    _, ci_lower, ci_upper = _population(_jensen_shannon_term, cells, SMOOTHING)
    # Second order: the divergence is psi / 8 in nats near equality.
    expected = (len(cells.reference.value) - 1) * cells.inverse_rows / (8 * math.log(2))
    return replace(
        cells.statistic("jensen_shannon", value, lower, min(upper, 1.0)),
        ci_lower=min(math.sqrt(ci_lower), lower),
        ci_upper=max(min(math.sqrt(ci_upper), 1.0), upper),
        null_value=math.sqrt(expected),
    )


def total_variation(cells: Cells) -> Statistic:
    """Total variation distance: half the sum of ``|p - q|`` over cells, 0 to 1.

    On the plain shares, nothing added. The 99 % interval adds, for each side,
    ``sqrt((B - 1)/n) / 2 + sqrt(ln(200) / 2n)``: the expected distance of a sample from its
    population, at most, and McDiarmid's bound (1989) on how far it exceeds that, at 0.5 %.
    """
    value, lower, upper = variation_bounds(cells)
    margin = sum(_variation_margin(side) for side in (cells.reference, cells.current))
    return replace(
        cells.statistic("total_variation", value, lower, upper),
        ci_lower=max(0.0, lower - margin),
        ci_upper=min(1.0, upper + margin),
        null_value=expected_variation(cells),
    )


def variation_bounds(cells: Cells) -> tuple[float, float, float]:
    """Total variation distance, and between which figures it lies."""
    value, lower, upper = _bounds(_variation_term, cells, 0.0)
    lower, upper = max(0.0, lower), min(1.0 + RELATIVE_SLACK, upper)
    return min(max(value, lower), upper), lower, upper


def expected_variation(cells: Cells) -> float:
    """Total variation to expect between two samples of one population.

    Exactly, given the rows of both sides together in every cell: half the sum of the mean absolute
    deviations of the hypergeometric counts, times ``1/n + 1/m``. Rare values count in full: one
    that occurs once lies on one side only.
    """
    n, m = cells.reference.total, cells.current.total
    deviation = mean_deviation(cells.reference.value + cells.current.value, n, m)
    return float(deviation.sum()) * cells.inverse_rows / 2


def chi2(cells: Cells) -> Statistic:
    """Pearson's chi-squared statistic of the table of both sides, without Yates' correction.

    As `scipy.stats.chi2_contingency(table, correction=False)` on the cells in ``categories``: cells
    under 10 rows of both sides together are pooled into ``(other)``. The p-value is taken at the
    lower bound on the tables of `tested_tables`: this one, or, as ``note`` then says, others.
    """
    table = pooled(cells, lambda rows: rows < POOL_BELOW)
    value, lower, upper = _chi2_bounds(table)
    tables = tested_tables(cells)
    note = ""
    if len(tables) > 1 or not _same(tables[0], table):
        sizes = " and on ".join(str(len(tested.reference.value)) for tested in tables)
        which = "p-value on" if len(tables) == 1 else "p-value: twice the smaller of those on"
        note = f"{which} {sizes} cells with at least 5 expected rows"
    return replace(
        table.statistic("chi2", value, lower, upper),
        p_value=chi2_p(tables),
        null_value=float(max(_occupied(table) - 1, 0)),
        note=note,
    )


def chi2_p(tables: Sequence[Cells]) -> float:
    """The p-value of the test on the `tested_tables`."""
    p_values = [chi_square_p(_chi2_bounds(table)[1], _occupied(table) - 1) for table in tables]
    return min(1.0, len(tables) * min(p_values))


def tested_tables(cells: Cells) -> list[Cells]:
    """The one or two tables of the chi-squared test, nameless; its p-value is Bonferroni's of them.

    All cells have at least 5 expected rows on the smaller side. Those that have fewer are added up,
    in one table all to one cell, which finds changes of frequent values beside thousands of rare
    ones, and in the other to groups in the order of the hashes of their names, which finds changes
    among the rare ones. Both depend on names and on the rows of both sides together only, so the
    test is valid given these.
    """
    n, m = cells.reference.total, cells.current.total
    smaller = min(n, m) / (n + m)
    rows = cells.reference.value + cells.current.value
    labels = filled_groups(cells.categories, rows, EXPECTED_ROWS / smaller)
    fine = Cells(_joined(cells.reference, labels), _joined(cells.current, labels))
    chosen = _chosen(cells, lambda rows: rows * smaller < EXPECTED_ROWS)
    count = len(rows) if chosen is None else len(rows) - int(chosen.sum()) + 1
    # One cell alone tests nothing, and what pools to as many cells is the same table.
    if not 1 < count < len(fine.reference.value):
        return [fine]
    if chosen is None:
        return [cells, fine]
    return [Cells(_pool(cells.reference, chosen), _pool(cells.current, chosen)), fine]


def detectable_variation(tables: Sequence[Cells], effect: float, p: float) -> float:
    """The smallest total variation from which `chi2_p` of the tables would have been this.

    A distance ``d`` on the tested cells makes a statistic of at least ``4 d**2 nm / (n + m)``
    (Cauchy and Schwarz). Where ``effect`` was found on other cells and scaled up until it is
    significant is larger than that, that.
    """
    found = []
    for tested in tables:
        critical = chi_square_value(p / len(tables), _occupied(tested) - 1)
        value = _chi2_bounds(tested)[0]
        scaled = effect * math.sqrt(critical / value) if value > 0 else 0.0
        found.append(max(math.sqrt(critical * tested.inverse_rows) / 2, scaled))
    return min(1.0, *found)


def _joined(side: Counts, labels: NDArray[np.int64]) -> Counts:
    if side.known:
        return Counts.exact(np.bincount(labels, weights=side.value), side.total)
    value, lower, upper = (
        np.bincount(labels, weights=x).astype(np.float64)
        for x in (side.value, side.lower, side.upper)
    )
    return Counts(value, lower, np.minimum(upper, side.total), side.total)


def _same(a: Cells, b: Cells) -> bool:
    pairs = ((a.reference, b.reference), (a.current, b.current))
    return all(np.array_equal(np.sort(x.value), np.sort(y.value)) for x, y in pairs)


def pooled(cells: Cells, small: Callable[[Floats], NDArray[np.bool_]]) -> Cells:
    """The cells with the small ones, by rows of both sides together, added up as ``(other)``.

    A pool that is still small takes in the smallest other cell. The same object if none is small.
    """
    chosen = _chosen(cells, small)
    if chosen is None:
        return cells
    names = [cells.categories[place] for place in np.flatnonzero(~chosen).tolist()]
    return replace(
        cells,
        reference=_pool(cells.reference, chosen),
        current=_pool(cells.current, chosen),
        categories=(*names, "(other)"),
    )


def _chosen(cells: Cells, small: Callable[[Floats], NDArray[np.bool_]]) -> NDArray[np.bool_] | None:
    """Which cells `pooled` adds up; None if it leaves all as they are."""
    rows = cells.reference.value + cells.current.value
    chosen = small(rows)
    if len(rows) < 2 or not chosen.any():
        return None
    if "(other)" in cells.categories:
        chosen |= np.array([name == "(other)" for name in cells.categories])
    while not chosen.all() and small(np.array([rows[chosen].sum()]))[0]:
        chosen[np.argmin(np.where(chosen, np.inf, rows))] = True
    return chosen


def _pool(side: Counts, chosen: NDArray[np.bool_]) -> Counts:
    def joined(x: Floats) -> Floats:
        return np.append(x[~chosen], x[chosen].sum())

    if side.known:
        return Counts.exact(joined(side.value), side.total)
    upper = np.minimum(joined(side.upper), side.total)
    return Counts(joined(side.value), joined(side.lower), upper, side.total)


def _occupied(cells: Cells) -> int:
    """Cells that can hold a row at all."""
    return int(np.count_nonzero(cells.reference.upper + cells.current.upper))


def _psi_term(p: Floats, q: Floats) -> Floats:
    return (p - q) * np.log(p / q)


def _variation_term(p: Floats, q: Floats) -> Floats:
    return np.abs(p - q) / 2


def _jensen_shannon_term(p: Floats, q: Floats) -> Floats:
    middle = (p + q) / 2
    return (p * np.log2(p / middle) + q * np.log2(q / middle)) / 2


def _chi2_term(n: int, m: int) -> Term:
    def term(p: Floats, q: Floats) -> Floats:
        rows = n * p + m * q
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(rows > 0, n * (p - q) * (m * (p - q) / rows), 0.0)

    return term


def _chi2_bounds(table: Cells) -> tuple[float, float, float]:
    return _bounds(_chi2_term(table.reference.total, table.current.total), table, 0.0)


def _bounds(term: Term, cells: Cells, smoothing: float) -> tuple[float, float, float]:
    """Value, and bounds over all counts within theirs, with room for rounding."""
    a, b = cells.reference.shares(smoothing), cells.current.shares(smoothing)
    value, lower, upper = _extremes(term, a, b)
    apart = np.abs(a.value - b.value)
    if upper == 0.0 and not apart.any():
        return value, lower, upper
    # Rounding of the shares, one part in 2**52 each, moves a term by its slope; the slope of a
    # table with large counts (chi2) is that of the count, of all others about 1.
    rows = cells.reference.total + cells.current.total
    slope = float(apart.sum()) * rows if smoothing == 0.0 and term is not _variation_term else 1.0
    slack = RELATIVE_SLACK * upper + 4e-15 * slope
    return value, max(0.0, lower - slack), upper + slack


def _population(term: Term, cells: Cells, smoothing: float) -> tuple[float, float, float]:
    return _extremes(term, *cells.populations(smoothing))


def _extremes(term: Term, a: Counts, b: Counts) -> tuple[float, float, float]:
    """Sum of the terms at the values, at the least and at the most over the boxes."""
    value = max(0.0, float(term(a.value, b.value).sum()))
    if a.known and b.known:
        return value, value, value
    highest = np.maximum(term(a.lower, b.upper), term(a.upper, b.lower))
    nearest_a = np.clip(b.lower, a.lower, a.upper)
    nearest_b = np.clip(nearest_a, b.lower, b.upper)
    lowest = np.where(nearest_a == nearest_b, 0.0, term(nearest_a, nearest_b))
    lower, upper = max(0.0, float(lowest.sum())), float(highest.sum())
    return value, min(lower, value), max(upper, value)


def _variation_margin(side: Counts) -> float:
    mean = math.sqrt((len(side.value) - 1) / side.total) / 2
    return mean + math.sqrt(math.log(2 / (1 - CONFIDENCE)) / (2 * side.total))
