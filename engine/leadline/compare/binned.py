"""Distances of two sets of shares, on cells of numbers or of categories.

What takes logarithms is computed after half a row is added to every cell, so that empty cells stay
finite; what does not is computed on the plain shares.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .cells import Cells, Counts, Floats, Term, bounds_of, population_of, terms_of
from .significance import mean_deviation
from .statistic import CONFIDENCE, RELATIVE_SLACK, Statistic

SMOOTHING = 0.5  # rows added to every cell by what takes logarithms
Shape = Callable[[float], float]


def psi(cells: Cells) -> Statistic:
    """Population stability index: sum of ``(p - q) ln(p / q)`` over cells, in nats.

    ``p`` and ``q`` are shares after half a row is added to every cell, ``(c + 1/2) / (n + B/2)``,
    so empty cells stay finite (others fill them with 1e-4 or fail). Symmetric. The expected value
    without change, ``(B - 1)(1/n + 1/m)``, is in ``null_value``. The 99 % interval is for the same
    formula at the expected smoothed shares.
    """
    return _distance("psi", cells, _psi_term, SMOOTHING, unit="nats", null_value=_freedom(cells))


def jensen_shannon(cells: Cells) -> Statistic:
    """Jensen-Shannon distance, base 2: the root of the divergence, 0 to 1.

    As `scipy.spatial.distance.jensenshannon` with ``base=2`` on the shares after half a row is
    added to every cell (Evidently uses natural logarithms: its value is smaller by ``sqrt(ln 2)``).
    """
    # Second order: the divergence is psi / 8 in nats near equality.
    expected = math.sqrt(_freedom(cells) / (8 * math.log(2)))
    return _distance(
        "jensen_shannon", cells, _jensen_shannon_term, SMOOTHING, _root, null_value=expected
    )


def kl_divergence(cells: Cells) -> Statistic:
    """Kullback-Leibler divergence of the current side from the reference: in nats.

    The sum of ``q ln(q / p)``, ``q`` the current shares and ``p`` the reference's, as
    `scipy.stats.entropy(q, p)` after half a row is added to every cell. Evidently's ``kl_div`` is
    the other direction, that of the reference from the current side. It is summed as
    ``q ln(q / p) - q + p``, which is the same since both sides add up to 1, and no term of which
    is below 0. Without change about ``(B - 1)(1/n + 1/m) / 2``.
    """
    expected = _freedom(cells) / 2
    return _distance("kl_divergence", cells, _kl_term, SMOOTHING, unit="nats", null_value=expected)


def hellinger(cells: Cells) -> Statistic:
    """Hellinger distance: the root of half the sum of ``(sqrt(p) - sqrt(q))**2``, 0 to 1.

    On the plain shares, as Evidently and NannyML compute it on bins of their own; whylogs takes up
    to 30 buckets of its sketch. Without change about ``sqrt((B - 1)(1/n + 1/m) / 8)``.
    """
    expected = math.sqrt(_freedom(cells) / 8)
    return _distance("hellinger", cells, _hellinger_term, 0.0, _root, null_value=expected)


def bhattacharyya(cells: Cells) -> Statistic:
    """Bhattacharyya distance: ``-ln`` of the sum of ``sqrt(p q)`` over cells, in nats.

    On shares after half a row is added to every cell, so that sides without a common value stay
    finite (frouros gives one less the sum under this name, without a logarithm). The sum is 1 less
    half that of ``(sqrt(p) - sqrt(q))**2``, whose bounds it takes.
    """
    a, b = cells.reference.shares(SMOOTHING), cells.current.shares(SMOOTHING)
    # However far the boxes reach, the sum of the roots of their lowest ends is always there.
    least = float(np.sqrt(a.lower * b.lower).sum()) * (1 - RELATIVE_SLACK)
    found = _distance(
        "bhattacharyya",
        cells,
        _hellinger_term,
        SMOOTHING,
        lambda distance: -math.log1p(-distance) if distance < 1 - least else -math.log(least),
        unit="nats",
        null_value=_freedom(cells) / 8,
    )
    # Summed as it is defined, the sum of equal shares is 1 but for the rounding of each.
    upper = found.upper + 4e-15
    assert found.ci_upper is not None
    return replace(found, upper=upper, ci_upper=max(found.ci_upper, upper))


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
        ci_upper=max(min(1.0, upper + margin), upper),
        null_value=expected_variation(cells),
    )


def overlap(cells: Cells) -> Statistic:
    """Overlap of the shares: the sum of the smaller of ``p`` and ``q`` over cells, 1 to 0.

    One less the total variation distance (`total_variation`), with its intervals and what is to be
    expected without change. frouros' `HINormalizedComplement` is one less this.
    """
    distance = total_variation(cells)
    assert distance.ci_lower is not None
    assert distance.ci_upper is not None
    assert distance.null_value is not None
    return replace(
        distance,
        value=max(0.0, 1 - distance.value),
        lower=max(0.0, 1 - distance.upper - 4e-15),  # shares of one side add up to 1 nearly
        upper=1 - distance.lower,
        ci_lower=max(0.0, 1 - distance.ci_upper - 4e-15),
        ci_upper=1 - distance.ci_lower,
        name="overlap",
        null_value=1 - distance.null_value,
    )


def l_infinity(cells: Cells) -> Statistic:
    """Largest difference of a share: the maximum of ``|p - q|`` over cells, 0 to 1.

    On the plain shares, as NannyML's ``l_infinity`` on categories. The bounds are the largest of
    the cells' least differences and the largest of all. ``note`` names the cell.
    """
    a, b = cells.reference.shares(), cells.current.shares()
    apart = _difference(a.value, b.value)
    where = int(np.argmax(apart))
    value = float(apart[where])
    lower = upper = value
    if not (a.known and b.known):
        least, most = terms_of(_difference, a, b)
        lower, upper = min(float(least.max()), value), max(float(most.max()), value)
    slack = RELATIVE_SLACK * upper + 4e-15 if apart.any() or upper else 0.0
    lower, upper = max(0.0, lower - slack), min(upper + slack, 1.0 + RELATIVE_SLACK)
    least, most = terms_of(_difference, *cells.populations(0.0))
    return replace(
        cells.statistic("l_infinity", value, lower, upper),
        ci_lower=min(float(least.max()), lower),
        ci_upper=max(float(most.max()), upper),
        note=f"largest {_name_of(cells, where)}" if value > 0 else "",
    )


def variation_bounds(cells: Cells) -> tuple[float, float, float]:
    """Total variation distance, and between which figures it lies."""
    value, lower, upper = bounds_of(_variation_term, cells)
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


def _distance(
    name: str,
    cells: Cells,
    term: Term,
    smoothing: float,
    shape: Shape = float,
    *,
    unit: str = "",
    null_value: float,
) -> Statistic:
    """The statistic that is ``shape``, which ascends, of the sum of a term."""
    value, lower, upper = (shape(x) for x in bounds_of(term, cells, smoothing))
    ci_lower, ci_upper = (shape(x) for x in population_of(term, cells, smoothing))
    return replace(
        cells.statistic(name, value, lower, upper),
        ci_lower=min(ci_lower, lower),
        ci_upper=max(ci_upper, upper),
        unit=unit,
        null_value=null_value,
    )


def _freedom(cells: Cells) -> float:
    """What psi is expected to be without change: ``(B - 1)(1/n + 1/m)``."""
    return (len(cells.reference.value) - 1) * cells.inverse_rows


def _root(square: float) -> float:
    """Root of what is at most 1."""
    return math.sqrt(min(square, 1.0))


def _name_of(cells: Cells, place: int) -> str:
    if cells.edges:
        return f"in {cells.edges[place]:.6g} to {cells.edges[place + 1]:.6g}"
    return f"for {cells.categories[place]!r}"


def _psi_term(p: Floats, q: Floats) -> Floats:
    return (p - q) * np.log(p / q)


def _kl_term(p: Floats, q: Floats) -> Floats:
    return q * np.log(q / p) - q + p


def _jensen_shannon_term(p: Floats, q: Floats) -> Floats:
    middle = (p + q) / 2
    return (p * np.log2(p / middle) + q * np.log2(q / middle)) / 2


def _hellinger_term(p: Floats, q: Floats) -> Floats:
    apart: Floats = np.sqrt(p) - np.sqrt(q)
    return apart * apart / 2


def _variation_term(p: Floats, q: Floats) -> Floats:
    return np.abs(p - q) / 2


def _difference(p: Floats, q: Floats) -> Floats:
    return np.abs(p - q)


def _variation_margin(side: Counts) -> float:
    mean = math.sqrt((len(side.value) - 1) / side.total) / 2
    return mean + math.sqrt(math.log(2 / (1 - CONFIDENCE)) / (2 * side.total))
