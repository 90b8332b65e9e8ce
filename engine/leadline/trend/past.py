"""What the reference's own windows say of new ones: laws of effects, and the score that alarms.

`trend` judges all windows with it at once, `Watch` one window after the other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..compare.history import MINIMUM_WINDOWS
from ..compare.verdict import Verdict
from .baselines import Baseline
from .budget import Budget, Threshold, alarming, allowed_in, largest, threshold_of
from .effects import Meter
from .scores import Laws, leave_out
from .timeline import Part

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Windows with fewer rows than this share of what the reference's windows have must also be beyond
# what rows so few come to by chance: sampling moves them further than it moved those.
FEW_ROWS = 0.5


@dataclass(frozen=True, slots=True)
class Past:
    """The effects of the reference's own windows, and what they make of new effects.

    Parameters
    ----------
    laws
        The law of every series.
    scores
        Scores of the reference's windows, each given the others; series are rows.
    threshold, per_window
        What the budget comes to, and the events that it allows a window.
    """

    laws: Laws
    scores: Floats
    threshold: Threshold
    per_window: float

    @classmethod
    def of(
        cls, sizes: Floats, per_window: float, *, reach: int, windows: int, block: int = 1
    ) -> Past:
        """The past of some windows.

        Parameters
        ----------
        sizes
            Effects over their thresholds; series are rows, windows columns.
        per_window
            Events that the budget allows a window.
        reach
            How far apart two windows of one event may be.
        windows
            Those of them that have rows.
        block
            Windows in a row that may be alike; see `leave_out`.
        """
        scores = np.full(sizes.shape, np.nan)
        if supported(windows, per_window):
            for row, effects in enumerate(sizes):
                scores[row] = leave_out(effects, block)
        best = largest(scores, sizes)
        threshold = threshold_of(best, per_window, reach=reach, counted=windows)
        return cls(Laws.of(sizes), scores, threshold, per_window)

    def judge(self, meter: Meter, baseline: Baseline | None, part: Part, sizes: Floats) -> Judged:
        """One new window by its effects, the meter's series first."""
        score = self.threshold.score
        if score is None:
            return by_thresholds(meter, baseline, part, sizes)
        scores = self.laws.scores(sizes)
        alarms = alarming(scores, sizes, score)
        if baseline is not None and alarms.any() and _has_few_rows(part, baseline):
            scores = self._lowered(scores, alarms, meter, baseline, part)
            alarms = alarming(scores, sizes, score)
        return Judged(scores, alarms, np.zeros(len(sizes), dtype=np.bool_))

    def _lowered(
        self, scores: Floats, alarms: Flags, meter: Meter, baseline: Baseline, part: Part
    ) -> Floats:
        """Scores of a window whose alarms may come of few rows alone.

        With few rows an effect varies as it does among the reference's windows, and by sampling
        besides. Each has its probability; as normal deviates they add up as errors do. Such an
        alarm needs that at the level which the budget leaves to a window, divided by the number of
        its series (Bonferroni).
        """
        assert self.threshold.score is not None
        result = scores.copy()
        count = np.count_nonzero(np.isfinite(scores))
        basis = baseline.basis
        added = 1.0 - part.rows / (basis.rows / basis.windows)
        places = np.flatnonzero(alarms[: len(meter.series)]).tolist()
        for place, p_value in meter.p_values(baseline.columns, part.states, places).items():
            chance = count * _combined(10.0 ** -scores[place], p_value, added)
            if chance > self.per_window:
                below = math.nextafter(self.threshold.score, 0.0)
                result[place] = min(abs(math.log10(min(chance, 1.0))), below)
        return result


@dataclass(frozen=True, slots=True)
class Judged:
    """One window: score, alarm and possible alarm of every series; reasons where tests decided."""

    scores: Floats
    alarms: Flags
    possible: Flags
    reasons: Mapping[int, str] = field(default_factory=dict)

    @property
    def alarmed(self) -> list[int]:
        """The series in alarm."""
        return [int(row) for row in np.flatnonzero(self.alarms)]

    @property
    def verdict(self) -> Verdict:
        """The verdict of the window."""
        return verdict_of(self.scores, self.alarms, self.possible)


def supported(windows: int, per_window: float) -> bool:
    """Whether so many windows of the past are enough for a budget."""
    return windows >= MINIMUM_WINDOWS and allowed_in(windows, per_window) >= 1


def by_thresholds(meter: Meter, baseline: Baseline | None, part: Part, sizes: Floats) -> Judged:
    """One window by fixed thresholds and tests that take rows as independent.

    Further figures, rows and freshness alarm by their effect alone.
    """
    possible = np.zeros(len(sizes), dtype=np.bool_)
    reasons = {}
    with np.errstate(invalid="ignore"):
        alarms = np.asarray(sizes >= 1.0)
    if baseline is not None and part.rows:
        for row, judgement in enumerate(meter.judged(baseline.columns, part.states)):
            if judgement is not None:
                alarms[row] = judgement.verdict is Verdict.DRIFT
                possible[row] = judgement.verdict is Verdict.POSSIBLE
                reasons[row] = judgement.reason
    return Judged(sizes, alarms, possible, reasons)


def _has_few_rows(part: Part, baseline: Baseline) -> bool:
    basis = baseline.basis
    return bool(basis.windows) and part.rows < FEW_ROWS * basis.rows / basis.windows


def _combined(ordinary: float, sampled: float, added: float) -> float:
    """Probability of an effect given those by either of two errors, the second one's part added.

    >>> round(_combined(0.05, 0.05, 1.0), 3)  # 1.96 over the root of 2
    0.166
    """
    from ..compare.significance import special

    first, second = (-special().ndtri(max(p, 1e-300) / 2) for p in (ordinary, sampled))
    if first <= 0 or second <= 0:
        return 1.0
    deviate = (first**-2 + added * second**-2) ** -0.5
    return float(2 * special().ndtr(-deviate))


def verdict_of(scores: Floats, alarms: Flags, possible: Flags) -> Verdict:
    """The verdict of a window by those of its series."""
    if alarms.any():
        return Verdict.DRIFT
    if possible.any():
        return Verdict.POSSIBLE
    return Verdict.NONE if np.isfinite(scores).any() else Verdict.NOT_COMPARABLE


def uncalibrated(threshold: Threshold, budget: Budget) -> str:
    """Why fixed thresholds decide in place of the budget."""
    if not threshold.windows:
        return f"the reference has no windows: fixed thresholds, not a budget of {budget.text}"
    return (
        f"the history supports at most one alarm in {threshold.windows} windows, not a budget of "
        f"{budget.text}: fixed thresholds"
    )
