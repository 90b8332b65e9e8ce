"""What is said of one closed window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..compare.verdict import Verdict
from ..profile import Window
from .baselines import Basis
from .events import Event


@dataclass(frozen=True, slots=True)
class SeriesVerdict:
    """One figure of one window.

    Parameters
    ----------
    column, what
        The column (empty for rows and freshness) and the figure.
    verdict
        ``drift``, ``possible``, ``none`` or ``not comparable``.
    size, score
        Effect over its threshold, and score; NaN where nothing could be said.
    sentence
        All that in words.
    """

    column: str
    what: str
    verdict: Verdict
    size: float
    score: float
    sentence: str

    @property
    def name(self) -> str:
        """``column (what)``, or just what."""
        return f"{self.column} ({self.what})" if self.column else self.what

    def to_dict(self) -> dict[str, Any]:
        """All fields under their names."""
        return {
            "column": self.column,
            "what": self.what,
            "verdict": self.verdict.value,
            "size": self.size,
            "score": self.score,
            "sentence": self.sentence,
        }


@dataclass(frozen=True, slots=True)
class WindowVerdict:
    """What is said of one closed window.

    Parameters
    ----------
    window, label, rows
        The window, its start as text, and its rows.
    merged
        How many closed windows it consists of: those of too few rows are joined with the next.
    verdict, score
        The verdict, and the largest score of its series.
    basis
        What it was compared with; None if there was nothing.
    series
        Every figure.
    event
        The event that it belongs to, up to now; None if it does not alarm.
    findings
        Columns that are missing, new, or of another type.
    """

    window: Window | None
    label: str
    rows: int
    merged: int
    verdict: Verdict
    score: float
    basis: Basis | None
    series: tuple[SeriesVerdict, ...]
    event: Event | None = None
    findings: tuple[str, ...] = ()

    @property
    def columns(self) -> dict[str, SeriesVerdict]:
        """The worst figure of every column; of several alike, that with the highest score."""
        found: dict[str, SeriesVerdict] = {}
        for one in self.series:
            known = found.get(one.column)
            if one.column and (known is None or _weight(one) > _weight(known)):
                found[one.column] = one
        return found

    def to_dict(self) -> dict[str, Any]:
        """All fields under stable names."""
        basis, window = self.basis, self.window
        return {
            "window": self.label,
            "start": window and window.start,
            "end": window and window.end,
            "rows": self.rows,
            "merged": self.merged,
            "verdict": self.verdict.value,
            "score": self.score,
            "baseline": basis
            and {
                "kind": basis.kind,
                "windows": basis.windows,
                "rows": basis.rows,
                "season": basis.season,
            },
            "series": [one.to_dict() for one in self.series],
            "event": self.event and self.event.to_dict(),
            "findings": list(self.findings),
        }


def _weight(one: SeriesVerdict) -> tuple[int, float]:
    known = one.verdict is not Verdict.NOT_COMPARABLE
    return one.verdict.severity if known else -1, float(np.nan_to_num(one.score))
