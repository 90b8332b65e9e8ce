"""What a score, a probability, says of the model's confidence, and what changed of that."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..estimate import Estimate
from ..profile import ColumnProfile, Profile
from ..profile.cells import merge_column
from ..sketch.points import Floats
from ..sketch.ranks import Band
from .significance import variances_p
from .statistic import share_margin

DECISION = 0.5
UNCERTAIN = 0.6  # confidence under which a prediction counts as uncertain
FEWEST_WINDOWS = 8
# A ratio of two deviations that is reported, where chance makes it less than once in a hundred.
UNSTEADY_RATIO, UNSTEADY_P = 1.5, 0.01


@dataclass(frozen=True, slots=True)
class Instability:
    """How far mean confidence moves from window to window.

    Parameters
    ----------
    reference, current
        Standard deviation of the windows' mean confidence (ddof=1).
    windows
        Windows of both sides.
    p_value
        Of the F test for equal variances, two-sided; means of many rows are nearly normal, as it
        needs.
    """

    reference: float
    current: float
    windows: tuple[int, int]
    p_value: float

    @property
    def changed(self) -> bool:
        """Whether the deviation changed by half or more, and not by chance."""
        low, high = sorted((self.reference, self.current))
        return high >= UNSTEADY_RATIO * low and self.p_value <= UNSTEADY_P


@dataclass(frozen=True, slots=True)
class ScoreSide:
    """Figures of one side's scores, each with bounds and the population's 99 % interval.

    Parameters
    ----------
    confidence
        Mean of ``max(p, 1 - p)``.
    uncertain
        Share of scores with a confidence under 0.6.
    entropy
        Mean binary entropy, in bits.
    beyond
        Share of scores at or above each decision threshold.
    """

    confidence: Estimate
    uncertain: Estimate
    entropy: Estimate
    beyond: tuple[tuple[float, Estimate], ...]

    @classmethod
    def of(cls, band: Band, decisions: Sequence[float]) -> ScoreSide:
        """The figures of one band, all of whose values lie between 0 and 1."""
        unsure = np.nextafter(1 - UNCERTAIN, 1)  # 0.4 itself has a confidence of 0.6
        shares = [(limit, _share_from(band, limit)) for limit in decisions]
        return cls(
            confidence=mean_of(band, lambda p: np.maximum(p, 1 - p)),
            uncertain=_share_between(band, unsure, UNCERTAIN),
            entropy=mean_of(band, _entropy),
            beyond=tuple(shares),
        )

    def to_dict(self) -> dict[str, Any]:
        """All figures under their names."""
        return {
            "confidence": _figures(self.confidence),
            "uncertain": _figures(self.uncertain),
            "entropy": _figures(self.entropy),
            "beyond": [{"threshold": limit} | _figures(share) for limit, share in self.beyond],
        }


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """A probability on both sides.

    Parameters
    ----------
    reference, current
        Figures of the sides.
    instability
        Change from window to window; None unless both sides have 8 windows.
    """

    reference: ScoreSide
    current: ScoreSide
    instability: Instability | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """What changed, each in a few words; what the 99 % intervals cannot tell apart is not."""
        a, b = self.reference, self.current
        found = []
        if _apart(a.confidence, b.confidence):
            found.append(f"mean confidence {a.confidence.value:.2f} to {b.confidence.value:.2f}")
        if _apart(a.uncertain, b.uncertain):
            found.append(
                f"confidence under {UNCERTAIN:g}: {_percent(a.uncertain)} to "
                f"{_percent(b.uncertain)} of the rows"
            )
        for (limit, before), (_, now) in zip(a.beyond, b.beyond, strict=True):
            if _apart(before, now):
                found.append(f"scores from {limit:g} on: {_percent(before)} to {_percent(now)}")
        unsteady = self.instability
        if unsteady is not None and unsteady.changed:
            found.append(
                "window-to-window deviation of mean confidence "
                f"{unsteady.reference:.2g} to {unsteady.current:.2g}"
            )
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """All figures under their names."""
        unsteady = self.instability
        return {
            "reference": self.reference.to_dict(),
            "current": self.current.to_dict(),
            "instability": unsteady
            and {
                "reference": unsteady.reference,
                "current": unsteady.current,
                "windows": list(unsteady.windows),
                "p_value": unsteady.p_value,
                "changed": unsteady.changed,
            },
            "words": list(self.words),
        }


def score_change(
    reference: ColumnProfile, current: ColumnProfile, decisions: Sequence[float] = (DECISION,)
) -> ScoreChange | None:
    """The change of a score column; None unless all values of both sides lie between 0 and 1."""
    if not (_is_probability(reference) and _is_probability(current)):
        return None
    return ScoreChange(
        ScoreSide.of(reference.band, decisions), ScoreSide.of(current.band, decisions)
    )


def instability(reference: Profile, current: Profile, name: str) -> Instability | None:
    """How far the mean confidence of one column moves between windows, on both sides."""
    sides = [_window_confidences(side, name) for side in (reference, current)]
    if any(len(side) < FEWEST_WINDOWS for side in sides):
        return None
    before, now = (float(side.std(ddof=1)) for side in sides)
    n, m = map(len, sides)
    return Instability(before, now, (n, m), variances_p(before, now, n, m))


def mean_of(band: Band, function: Callable[[Floats], Floats]) -> Estimate:
    """Mean of a function of values between 0 and 1 that turns at 1/2 at most.

    With ``F`` the distribution function the mean is ``g(0) + sum (g(b) - g(a)) (1 - F)`` over the
    intervals between points; on each ``g`` is monotone, so the bounds of ``F`` bound the sum.

    Examples
    --------
    >>> from ..sketch.ranks import band_of_counts
    >>> band = band_of_counts(np.array([0.1, 0.9]), np.array([1, 3]))
    >>> round(mean_of(band, lambda p: np.maximum(p, 1 - p)).value, 6)
    0.9
    """
    points = np.unique(np.concatenate([np.real(band.points), [0.0, 0.5, 1.0]]))
    at = band.on(points)
    values = function(points)
    start, steps = float(values[0]), np.diff(values)
    low, high = at.lower[:-1, 1] / at.total, at.upper[1:, 0] / at.total
    middle = (at.estimate[:-1, 1] + at.estimate[1:, 0]) / (2 * at.total)
    value = start + float(np.sum(steps * (1 - middle)))
    lower, upper = _sums(start, steps, low, high)
    margin = share_margin(at.total)
    ci = _sums(start, steps, np.maximum(low - margin, 0.0), np.minimum(high + margin, 1.0))
    room = 1e-12 * max(abs(lower), abs(upper))
    least, most = float(values.min()), float(values.max())
    value = min(max(value, lower), upper)
    lower, upper, ci_lower, ci_upper = (
        min(max(bound, least), most) for bound in (lower - room, upper + room, *ci)
    )
    return Estimate(value, lower, upper, ci_lower, ci_upper, band.confidence)


def _sums(start: float, steps: Floats, low: Floats, high: Floats) -> tuple[float, float]:
    """Least and largest mean, given bounds of the distribution function on every interval."""
    rising = steps > 0
    least = float(np.sum(steps * (1 - np.where(rising, high, low))))
    most = float(np.sum(steps * (1 - np.where(rising, low, high))))
    return start + least, start + most


def _entropy(p: Floats) -> Floats:
    """Binary entropy in bits; 0 at 0 and at 1."""
    inside = (p > 0) & (p < 1)
    q = np.where(inside, p, 0.5)
    return np.where(inside, -(q * np.log2(q) + (1 - q) * np.log2(1 - q)), 0.0)


def _share_from(band: Band, limit: float) -> Estimate:
    return _share_between(band, limit, math.inf)


def _share_between(band: Band, start: float, end: float) -> Estimate:
    """Share of the values with ``start <= x < end``."""
    at = band.on(np.array([start]))
    below = [float(x[0, 0]) for x in (at.lower, at.estimate, at.upper)]
    until = [float(at.total)] * 3
    if end < math.inf:
        to = band.on(np.array([end]))
        until = [float(x[0, 0]) for x in (to.lower, to.estimate, to.upper)]
    total = at.total
    lower = max(0.0, until[0] - below[2]) / total
    upper = min(float(total), until[2] - below[0]) / total
    value = min(max((until[1] - below[1]) / total, lower), upper)
    # The two ends of an interval, or one end, of one distribution function.
    margin = share_margin(total) * (1 if end == math.inf else 2)
    ci = max(0.0, lower - margin), min(1.0, upper + margin)
    return Estimate(value, lower, upper, *ci, band.confidence)


def _is_probability(side: ColumnProfile) -> bool:
    numeric = side.numeric
    if numeric is None or numeric.total == 0 or side.state.column.redacted:
        return False
    low, high = numeric.minimum, numeric.maximum
    return low is not None and high is not None and low >= 0 and high <= 1


def _window_confidences(side: Profile, name: str) -> Floats:
    """Mean confidence of every window that has scores."""
    found = []
    for window in side.windows:
        cells = [cell for cell in side.cells if cell.window == window and name in cell.states]
        if window.start is None or not cells:
            continue
        k = side.settings.k
        column = ColumnProfile(merge_column([cell.states[name] for cell in cells], k=k), k=k)
        if _is_probability(column):
            found.append(mean_of(column.band, lambda p: np.maximum(p, 1 - p)).value)
    return np.array(found)


def _apart(a: Estimate, b: Estimate) -> bool:
    """Whether the populations' 99 % intervals do not touch."""
    ends = (a.ci_lower, a.ci_upper, b.ci_lower, b.ci_upper)
    assert all(end is not None for end in ends)
    return a.ci_upper < b.ci_lower or b.ci_upper < a.ci_lower  # type: ignore[operator]


def _percent(share: Estimate) -> str:
    return f"{100 * share.value:.3g} %"


def _figures(estimate: Estimate) -> dict[str, float | None]:
    return {
        "value": estimate.value,
        "lower": estimate.lower,
        "upper": estimate.upper,
        "ci_lower": estimate.ci_lower,
        "ci_upper": estimate.ci_upper,
    }
