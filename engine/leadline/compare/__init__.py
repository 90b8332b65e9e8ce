"""Two profiles to statistics with intervals, and to verdicts with reasons. Pure functions."""

from __future__ import annotations

from .aspects import AspectChange
from .categorical import CategoryChange, CategoryShare
from .comparison import (
    ColumnComparison,
    Comparison,
    MissingChange,
    RankedColumn,
    SegmentComparison,
)
from .custom import CustomStatistic
from .drafts import compare
from .history import History
from .scores import ScoreChange
from .statistic import MissingStatisticError, Statistic
from .thresholds import Limits, Thresholds
from .verdict import Judgement, Verdict

__all__ = [
    "AspectChange",
    "CategoryChange",
    "CategoryShare",
    "ColumnComparison",
    "Comparison",
    "CustomStatistic",
    "History",
    "Judgement",
    "Limits",
    "MissingChange",
    "MissingStatisticError",
    "RankedColumn",
    "ScoreChange",
    "SegmentComparison",
    "Statistic",
    "Thresholds",
    "Verdict",
    "compare",
]
