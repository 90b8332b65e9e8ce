"""Alarm budgets: how many events a month may be false, and the threshold that keeps to it.

The score of a window is the largest of its series. Going down the scores of the reference's own
windows, each left out of what it is scored against, every window that is not within reach of a
higher one begins a new event; the threshold is the score that begins the last event the budget
allows.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..compare.history import MINIMUM_WINDOWS
from ..errors import InputError
from .scores import NEGLIGIBLE
from .timeline import Calendar

Floats = NDArray[np.float64]

DAY = 86_400.0
PERIODS = {
    "hour": DAY / 24,
    "day": DAY,
    "week": 7 * DAY,
    "month": 365.25 / 12 * DAY,
    "quarter": 365.25 / 4 * DAY,
    "year": 365.25 * DAY,
}
_BUDGET = re.compile(r"(\d+(?:\.\d+)?)\s*/\s*(\d+)?\s*([a-z]+)")


@dataclass(frozen=True, slots=True)
class Budget:
    """So many events in so much time.

    Parameters
    ----------
    events
        Events.
    period
        Seconds, or windows where ``unit`` is ``windows``.
    unit
        As it was written: ``week``, ``month``, ``windows``.
    text
        The budget as it was written.

    Examples
    --------
    >>> Budget.parse("2/month").per_window(DAY)
    0.06570841889117043
    """

    events: float
    period: float
    unit: str
    text: str

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read ``1/month``, ``2/week`` or ``1/50windows``.

        Raises
        ------
        InputError
            If it is nothing of the kind, or allows nothing.
        """
        match = _BUDGET.fullmatch(str(text).strip().lower())
        unit = match[3].removesuffix("s") if match else ""
        if match is None or (unit not in PERIODS and unit != "window"):
            raise InputError(
                f"{text!r} is not an alarm budget; write events per time, such as 1/month, 2/week "
                f"(or {', '.join(PERIODS)}), or 1/50windows"
            )
        events, count = float(match[1]), int(match[2] or 1)
        if not events > 0 or count < 1:
            raise InputError(f"the alarm budget {text!r} allows nothing; give at least 1/year")
        return cls(events, count * PERIODS.get(unit, 1.0), unit, str(text).strip())

    @classmethod
    def usual(cls, calendar: Calendar) -> Budget:
        """One event a week; for longer windows as many in proportion."""
        seconds = calendar.seconds
        if seconds is None:
            return replace(cls.parse("1/30windows"), text="1 in 30 windows")
        if seconds <= DAY:
            return cls.parse("1/week")
        return cls.parse("1/quarter" if seconds <= 7 * DAY else "1/year")

    def per_window(self, seconds: float | None) -> float:
        """Events a window.

        Raises
        ------
        InputError
            If windows have no length, and the budget is by time.
        """
        if self.unit == "window":
            return self.events / self.period
        if seconds is None:
            raise InputError(
                f"the alarm budget {self.text!r} is by time, but these profiles have no windows; "
                "give it by windows, such as 1/30windows"
            )
        return self.events * seconds / self.period


@dataclass(frozen=True, slots=True)
class Threshold:
    """What a budget comes to on a history.

    Parameters
    ----------
    score
        Score from which a window alarms; None where the history is too short for the budget.
    allowed
        Events that the budget allows in the history.
    windows
        Windows of the history.
    """

    score: float | None
    allowed: int
    windows: int

    @property
    def calibrated(self) -> bool:
        """Whether the threshold comes from the history."""
        return self.score is not None


def largest(scores: Floats, sizes: Floats) -> Floats:
    """Score of every window: the largest of its series, 0 where all effects are negligible.

    Parameters
    ----------
    scores, sizes
        Scores and effects over their thresholds; series are rows, windows columns.
    """
    counted = np.where(sizes >= NEGLIGIBLE, np.nan_to_num(scores, nan=0.0), 0.0)
    best: Floats = counted.max(axis=0, initial=0.0)
    return best


def alarming(scores: Floats, sizes: Floats, threshold: float) -> NDArray[np.bool_]:
    """Which effects are alarms: unusual enough and not negligible."""
    with np.errstate(invalid="ignore"):
        return np.asarray((scores >= threshold) & (sizes >= NEGLIGIBLE))


def allowed_in(windows: int, per_window: float) -> int:
    """Whole events that a budget allows in so many windows."""
    return math.floor(per_window * windows + 1e-9)


def threshold_of(
    windows: Floats, per_window: float, *, reach: int, counted: int | None = None
) -> Threshold:
    """The lowest score that begins no more events in the history than the budget allows.

    Parameters
    ----------
    windows
        Score of every window, in order of time.
    per_window
        Events that the budget allows a window.
    reach
        How far apart two windows of one event may be: 1 for neighbours only.
    counted
        Windows that the budget counts, if those without rows are not among them.
    """
    count = len(windows) if counted is None else counted
    allowed = allowed_in(count, per_window)
    if allowed < 1 or count < MINIMUM_WINDOWS:
        return Threshold(None, allowed, count)
    begun = 0
    taken = np.zeros(len(windows) + 2 * reach, dtype=np.bool_)
    for place in np.argsort(-windows, kind="stable"):
        score = float(windows[place])
        if score <= 0.0:
            break
        if not taken[place : place + 2 * reach + 1].any():
            begun += 1
            if begun == allowed:
                return Threshold(score, allowed, count)
        taken[place + reach] = True
    # The history holds fewer events than it might: every effect that is not negligible counts.
    return Threshold(math.ulp(0.0), allowed, count)
