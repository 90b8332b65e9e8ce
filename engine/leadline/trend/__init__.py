"""Windows over time: baselines, seasons, alarm budgets, events. Pure functions of profiles."""

from __future__ import annotations

from .budget import Budget, Threshold
from .events import Event
from .looks import Look, LookedAt, look
from .result import Trend, TrendSeries, TrendWindow
from .run import trend
from .words import Change

__all__ = [
    "Budget",
    "Change",
    "Event",
    "Look",
    "LookedAt",
    "Threshold",
    "Trend",
    "TrendSeries",
    "TrendWindow",
    "look",
    "trend",
]
