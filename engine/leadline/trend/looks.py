"""Looking again and again into a window that is still filling, without paying for it later.

A test at every look alarms sooner or later whatever the data. Here every bound holds at all looks
at once: with probability ``1 - alpha`` no look at a window that is like the reference ever alarms,
however often, and whenever, one looks.

- Distribution functions: the band of Howard and Ramdas (2022, theorem 2), the inequality of
  Dvoretzky, Kiefer and Wolfowitz made uniform over time.
- Shares (missing rows, categories, two values): the set of shares against which a beta mixture of
  likelihoods has not yet gained ``1 / alpha`` (Robbins 1970, Ville's inequality). For rare outcomes
  it is many times narrower than the band.

The reference stands still, so its own bounds are those of one look. The error is shared equally
between both sides, and by Bonferroni among all that is judged.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compare.categorical import certain_cells
from ..compare.judge import refusal
from ..compare.measures import Measures
from ..compare.shares import Occurrences, angle_between
from ..compare.significance import share_bounds, special
from ..compare.thresholds import Limits, Thresholds
from ..compare.verdict import Verdict, worst
from ..errors import InputError
from ..profile import ColumnProfile, Profile
from ..profile.column import ColumnState
from ..schema import Column, Role
from .effects import MISSING, VALUES
from .gauges import missing_rows
from .timeline import common_columns

Floats = NDArray[np.float64]

ALPHA = 0.01
# The paper's trade between small and large samples; any number above sqrt(1/2) is valid.
SLOPE = 0.85
# Looks begin with this many rows.
FIRST = 100
# Jeffreys' mixture over shares.
PRIOR = 0.5
ASSUMPTION = "assumes independent rows"


@lru_cache(maxsize=256)
def band_constant(alpha: float, slope: float = SLOPE) -> float:
    """The constant ``C`` of the band at a level.

    The least C with ``4 exp(-g C) (1 + 1 / ((g - 1) ln eta)) <= alpha`` for some ``eta > 1``, where
    ``g = 2 (slope - sqrt(2 (eta - 1) / C))^2 / eta > 1`` (Howard and Ramdas 2022, theorem 2).

    >>> round(band_constant(0.05), 2)
    8.12
    """
    eta = 1.0 + np.geomspace(1e-6, 2 * slope**2 - 1.0, 4_000)

    def error(constant: float) -> float:
        room = slope - np.sqrt(2 * (eta - 1) / constant)
        gain = np.where(room > 0, 2 / eta * room**2, 0.0)
        valid = gain > 1
        if not valid.any():
            return math.inf
        g, e = gain[valid], eta[valid]
        return float(np.min(4 * np.exp(-g * constant) * (1 + 1 / ((g - 1) * np.log(e)))))

    low, high = 1.0, 2.0
    while error(high) > alpha:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if error(middle) <= alpha else (middle, high)
    return high


def band_margin(rows: float | Floats, alpha: float, *, first: int = FIRST) -> Floats:
    """How far an empirical distribution function ever is from the true one, with 1 - alpha.

    For independent rows, at all numbers of rows from ``first`` on, and at all points of the line.
    """
    size = np.asarray(rows, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        time = np.log1p(np.log(size / first)) + band_constant(alpha)
        margin = SLOPE * np.sqrt(time / size)
    return np.asarray(np.where(size < first, np.inf, margin))


def share_log_gain(count: Floats, rows: Floats, share: Floats) -> Floats:
    """Logarithm of what a beta mixture has gained on a share: a martingale if that is the true one.

    Its chance of ever exceeding ``log(1 / alpha)`` is at most alpha (Ville).
    """
    functions = special()
    mixture = functions.betaln(count + PRIOR, rows - count + PRIOR) - functions.betaln(PRIOR, PRIOR)
    return np.asarray(
        mixture - functions.xlogy(count, share) - functions.xlog1py(rows - count, -share)
    )


def shares_ever(count: Floats, rows: Floats | float, alpha: float) -> tuple[Floats, Floats]:
    """Bounds of a share that hold at all looks at once."""
    count, rows = np.broadcast_arrays(np.asarray(count, np.float64), np.asarray(rows, np.float64))
    found = count / rows
    limit = math.log(1 / alpha)
    bounds = []
    for end in (0.0, 1.0):
        outside, inside = np.full_like(found, end), found.copy()
        for _ in range(50):
            middle = (outside + inside) / 2
            ruled_out = share_log_gain(count, rows, middle) >= limit
            outside = np.where(ruled_out, middle, outside)
            inside = np.where(ruled_out, inside, middle)
        bounds.append(outside)
    low, high = bounds
    return np.where(count > 0, low, 0.0), np.where(count < rows, high, 1.0)


def band_distance(distance: float | Floats, margin: float | Floats) -> Floats:
    """The part of a distance that no two functions inside the margins can do without."""
    return np.maximum(np.asarray(distance, dtype=np.float64) - margin, 0.0)


def share_distance(
    reference: tuple[Floats, Floats], current: tuple[Floats, Floats]
) -> tuple[Floats, Floats]:
    """Least Cohen's h, and least difference, of two shares that lie in their bounds."""
    up = current[0] > reference[1]
    down = current[1] < reference[0]
    a = np.where(up, reference[1], reference[0])
    b = np.where(up, current[0], current[1])
    apart = up | down
    h = np.abs(2 * np.arcsin(np.sqrt(b)) - 2 * np.arcsin(np.sqrt(a)))
    return np.where(apart, h, 0.0), np.where(apart, np.abs(b - a), 0.0)


@dataclass(frozen=True, slots=True)
class LookedAt:
    """One column's values, or its missing share, at a look.

    Parameters
    ----------
    column, what
        The column, and ``values`` or ``missing``.
    effect
        ``ks``, ``total_variation`` or ``cohens_h``.
    value, certain
        The effect as it stands, and the part of it that holds at all looks at once.
    threshold
        From which ``certain`` is drift.
    verdict
        `drift` if the certain effect reaches the threshold, `possible` if it is above 0.
    """

    column: str
    what: str
    effect: str
    value: float
    certain: float
    threshold: float
    verdict: Verdict

    def to_dict(self) -> dict[str, Any]:
        """All fields under their names."""
        return {
            "column": self.column,
            "what": self.what,
            "effect": self.effect,
            "value": self.value,
            "certain": self.certain,
            "threshold": self.threshold,
            "verdict": self.verdict.value,
        }


@dataclass(frozen=True, slots=True)
class Look:
    """What can be said of a window before it is closed.

    Parameters
    ----------
    rows
        Rows that it has so far.
    alpha
        Probability with which a window like the reference is ever called anything but `none`.
    parts
        Everything that was judged, the largest certain effect first.
    """

    rows: int
    alpha: float
    parts: tuple[LookedAt, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of the parts; `not comparable` while there are too few rows."""
        return worst([part.verdict for part in self.parts])

    @property
    def reason(self) -> str:
        """The verdict in one sentence."""
        told = f"at all looks with {1 - self.alpha:.3g}, {ASSUMPTION}"
        if not self.parts:
            return f"not comparable: {self.rows:,} rows so far; looks begin with {FIRST}"
        part = self.parts[0]
        where = f"{part.column} ({part.what})"
        if part.verdict is Verdict.NONE:
            return f"none: nothing is certain after {self.rows:,} rows ({told})"
        return (
            f"{part.verdict.value}: {part.effect} of {where} is {part.value:.3g}, at least "
            f"{part.certain:.3g} after {self.rows:,} rows ({told})"
        )

    def to_dict(self) -> dict[str, Any]:
        """All results under stable names."""
        return {
            "verdict": self.verdict.value,
            "reason": self.reason,
            "rows": self.rows,
            "alpha": self.alpha,
            "parts": [part.to_dict() for part in self.parts],
        }


def look(
    reference: Profile,
    window: Profile,
    *,
    alpha: float = ALPHA,
    thresholds: Limits | Thresholds | Mapping[str, Any] | None = None,
) -> Look:
    """Judge a window that is still filling; may be called as often as one likes.

    Parameters
    ----------
    reference
        What the window should be like. It must not change between looks.
    window
        The profile of the window's rows so far.
    alpha
        Probability of ever calling a window like the reference anything but `none`, over all looks
        and all columns.
    thresholds
        See `compare`: effects that are drift once they are certain.

    Raises
    ------
    InputError
        If an argument is of a wrong type or value, or no column is common to both.

    Examples
    --------
    >>> import leadline as ll
    >>> reference = ll.profile({"age": list(range(1000)) * 10})
    >>> ll.look(reference, ll.profile({"age": list(range(500, 1000))})).verdict.value
    'drift'
    """
    for label, side in (("reference", reference), ("window", window)):
        if not isinstance(side, Profile):
            raise InputError(f"the {label} is of type {type(side).__name__}; look takes profiles")
    require_alpha(alpha)
    columns, _ = common_columns(reference.columns, window.columns)
    states = {name: window[name].state for name in columns if name in window}
    profiles = {name: reference[name] for name in columns}
    k = window.settings.k
    return look_at(
        profiles, states, window.rows, columns, Limits.given(thresholds), alpha=alpha, k=k
    )


def require_alpha(alpha: float) -> float:
    """Check a level.

    Raises
    ------
    InputError
        If it is no probability, or 0 or 1.
    """
    if isinstance(alpha, bool) or not isinstance(alpha, Real) or not 0 < alpha < 1:
        raise InputError(f"alpha is {alpha!r}; it is a probability between 0 and 1")
    return float(alpha)


def look_at(
    baseline: Mapping[str, ColumnProfile],
    window: Mapping[str, ColumnState],
    rows: int,
    columns: Mapping[str, Column],
    limits: Limits,
    *,
    alpha: float,
    k: int,
) -> Look:
    """`look` at columns of which the baseline is known."""
    judged = [
        name
        for name, column in columns.items()
        if name in baseline and column.role is not Role.SEGMENT
    ]
    if rows < FIRST or not judged:
        return Look(rows, alpha, ())
    level = alpha / (2 * len(judged))
    parts: list[LookedAt] = []
    for name in judged:
        column = columns[name]
        thresholds = limits.of(name, column.kind, column.role)
        parts += _missing_part(baseline[name], window.get(name), rows, thresholds, level)
        if name in window:
            measures = Measures(baseline[name], ColumnProfile(window[name], k=k))
            parts += _values_part(measures, column.role, thresholds, level)
    parts.sort(key=lambda part: -part.certain / part.threshold)
    return Look(rows, alpha, tuple(parts))


def _judged(
    column: str, what: str, effect: str, value: float, certain: float, threshold: float
) -> LookedAt:
    verdict = Verdict.NONE
    if certain > 0:
        verdict = Verdict.DRIFT if certain >= threshold else Verdict.POSSIBLE
    return LookedAt(column, what, effect, value, certain, threshold, verdict)


def _missing_part(
    reference: ColumnProfile,
    state: ColumnState | None,
    rows: int,
    thresholds: Thresholds,
    level: float,
) -> Iterator[LookedAt]:
    absent, held = missing_rows(state, rows)
    before = reference.nulls + reference.nan
    role = reference.state.column.role
    if reference.rows >= thresholds.minimum_rows:
        sides = Occurrences.exact(before, reference.rows), Occurrences.exact(absent, held)
        value, certain = _shares(*sides, level)
        threshold = thresholds.of_effect("cohens_h", role)
        yield _judged(reference.name, MISSING, "cohens_h", value, certain, threshold)


def _values_part(
    measures: Measures, role: Role, thresholds: Thresholds, level: float
) -> Iterator[LookedAt]:
    if refusal(measures, role, thresholds):
        return
    name = measures.reference.name
    n, m = measures.total(measures.reference), measures.total(measures.current)
    if m < FIRST:
        return
    pair = measures.two_valued
    if pair is not None:
        value, certain = _shares(pair.reference, pair.current, level)
        threshold = thresholds.of_effect("cohens_h", role)
        yield _judged(name, VALUES, "cohens_h", value, certain, threshold)
    elif measures.kind == "categorical" and measures.tallies is not None:
        cells = certain_cells(measures.tallies)
        a, b = cells.reference, cells.current
        one = level / len(a.value)
        before = share_bounds(a.lower, a.upper, n, one / 4)
        now = shares_ever(b.lower, m, one / 2)[0], shares_ever(b.upper, m, one / 2)[1]
        value = float(np.abs(a.value / n - b.value / m).sum() / 2)
        certain = float(share_distance(before, now)[1].sum() / 2)
        threshold = thresholds.of_effect("total_variation", role)
        yield _judged(name, VALUES, "total_variation", value, certain, threshold)
    elif measures.kind == "numeric":
        ks = measures.get("ks")
        # One look at the reference: Dvoretzky, Kiefer, Wolfowitz and Massart.
        margin = math.sqrt(math.log(4 / level) / (2 * n)) + float(band_margin(m, level / 2))
        certain = float(band_distance(ks.lower, margin))
        threshold = thresholds.of_effect("ks", role)
        yield _judged(name, VALUES, "ks", ks.value, certain, threshold)


def _shares(reference: Occurrences, current: Occurrences, level: float) -> tuple[float, float]:
    """Cohen's h as it stands, and the certain part of it."""
    low, high = (np.array([end]) for end in (reference.lower, reference.upper))
    before = share_bounds(low, high, reference.rows, level / 4)
    least, most = (np.array([end]) for end in (current.lower, current.upper))
    now = (
        shares_ever(least, current.rows, level / 2)[0],
        shares_ever(most, current.rows, level / 2)[1],
    )
    return angle_between(reference, current), float(share_distance(before, now)[0][0])
