"""The result of a trend: windows, series, events, and what they rest on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..compare.verdict import Verdict, worst
from .baselines import Basis
from .budget import Budget, Threshold
from .effects import Series
from .events import Event
from .looks import Look

if TYPE_CHECKING:
    import pyarrow as pa

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TrendWindow:
    """One window of a trend.

    Parameters
    ----------
    label
        Its start in the profiles' zone, or the snapshot's name.
    rows
        Its rows; 0 where it is missing.
    verdict
        ``drift`` where it alarms; ``possible`` only by fixed thresholds; ``not comparable`` where
        no series could be judged.
    score
        Largest score of its series.
    basis
        What it was compared with; None where there was nothing.
    """

    label: str
    rows: int
    verdict: Verdict
    score: float
    basis: Basis | None

    def to_dict(self) -> dict[str, Any]:
        """All fields under their names."""
        basis = self.basis
        return {
            "window": self.label,
            "rows": self.rows,
            "verdict": self.verdict.value,
            "score": self.score,
            "baseline": basis
            and {
                "kind": basis.kind,
                "windows": basis.windows,
                "rows": basis.rows,
                "season": basis.season,
            },
        }


@dataclass(frozen=True, slots=True, eq=False)
class TrendSeries:
    """One figure over all windows.

    Parameters
    ----------
    series
        Column and figure.
    sizes, scores
        Effects over their thresholds, and scores, by window (float64, NaN where nothing could be
        said).
    alarms
        Whether the series alarms in each window.
    fixed
        Sizes against the fixed reference, where the baseline is another one.
    """

    series: Series
    sizes: Floats
    scores: Floats
    alarms: NDArray[np.bool_]
    fixed: Floats | None = None

    @property
    def name(self) -> str:
        """``column (what)``, or just what."""
        return self.series.name

    @property
    def score(self) -> float:
        """Largest score of a window in alarm, or of any where none is."""
        scores = self.scores[self.alarms] if self.alarms.any() else self.scores
        known = scores[np.isfinite(scores)]
        return float(known.max()) if len(known) else 0.0

    def to_dict(self) -> dict[str, Any]:
        """All figures under stable names."""
        return {
            "column": self.series.column,
            "what": self.series.what,
            "sizes": self.sizes.tolist(),
            "scores": self.scores.tolist(),
            "alarms": np.flatnonzero(self.alarms).tolist(),
            "fixed": None if self.fixed is None else self.fixed.tolist(),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Trend:
    """Result of `trend`; immutable.

    Parameters
    ----------
    windows
        The windows that were judged, in order.
    series
        Every figure that could be followed.
    events
        Consecutive alarms joined, in order of time.
    slow
        Events against the fixed reference, where the baseline is another one: what a baseline that
        moves along does not see.
    baseline
        ``reference``, ``previous`` or ``rolling``.
    budget, threshold
        The alarm budget, and the score that it comes to on the reference's windows.
    reference_windows, reference_rows
        Windows (0 if it has none) and rows of the reference.
    leave_one_out
        Whether the windows are the reference's own, each compared with the others.
    look
        The last window, if it is still open: its verdict holds at all looks at once.
    notes
        What a reader should know.
    """

    windows: tuple[TrendWindow, ...]
    series: tuple[TrendSeries, ...]
    events: tuple[Event, ...]
    slow: tuple[Event, ...]
    baseline: str
    budget: Budget
    threshold: Threshold
    reference_windows: int
    reference_rows: int
    leave_one_out: bool
    look: Look | None = None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return (
            f"<Trend: {self.verdict.value}; {len(self.windows):,} windows, "
            f"{len(self.events):,} events>"
        )

    def __len__(self) -> int:
        return len(self.windows)

    @property
    def verdict(self) -> Verdict:
        """`drift` if there is any event, else the worst of the windows that could be judged.

        A reference followed alone has as many events as its budget allows, unless all it does is
        negligible: they are what to look at, not a finding.
        """
        if self.events or self.slow:
            return Verdict.DRIFT
        verdicts = [window.verdict for window in self.windows]
        return worst([v for v in verdicts if v is not Verdict.NOT_COMPARABLE])

    @property
    def latest(self) -> TrendWindow:
        """The last window."""
        return self.windows[-1]

    @property
    def worst_first(self) -> tuple[Event, ...]:
        """The events by severity, highest first."""
        return tuple(sorted(self.events, key=lambda event: -event.severity))

    @property
    def seasons(self) -> tuple[str, ...]:
        """Which windows of the reference were compared with, most frequent first."""
        found = [w.basis.season for w in self.windows if w.basis is not None]
        return tuple(sorted(set(found), key=lambda season: (-found.count(season), season)))

    def to_dict(self) -> dict[str, Any]:
        """All results under stable names (``leadline trend --json`` prints them)."""
        return {
            "verdict": self.verdict.value,
            "baseline": self.baseline,
            "leave_one_out": self.leave_one_out,
            "reference": {"windows": self.reference_windows, "rows": self.reference_rows},
            "seasons": list(self.seasons),
            "budget": {
                "text": self.budget.text,
                "allowed": self.threshold.allowed,
                "windows": self.threshold.windows,
                "calibrated": self.threshold.calibrated,
                "score": self.threshold.score,
            },
            "events": [event.to_dict() for event in self.events],
            "slow": [event.to_dict() for event in self.slow],
            "windows": [window.to_dict() for window in self.windows],
            "series": [one.to_dict() for one in self.series],
            "look": self.look and self.look.to_dict(),
            "notes": list(self.notes),
        }

    def to_arrow(self) -> pa.Table:
        """One row a window and series: size, score, alarm, and the window's verdict."""
        import pyarrow as pa

        count = len(self.windows)
        windows, rows, verdicts = (
            [value for _ in self.series for value in column]
            for column in (
                [window.label for window in self.windows],
                [window.rows for window in self.windows],
                [window.verdict.value for window in self.windows],
            )
        )
        return pa.table(
            {
                "window": pa.array(windows, pa.string()),
                "rows": pa.array(rows, pa.int64()),
                "verdict": pa.array(verdicts, pa.string()),
                "column": pa.array(
                    [one.series.column for one in self.series for _ in range(count)], pa.string()
                ),
                "what": pa.array(
                    [one.series.what for one in self.series for _ in range(count)], pa.string()
                ),
                "size": _joined([one.sizes for one in self.series], pa.float64()),
                "score": _joined([one.scores for one in self.series], pa.float64()),
                "alarm": _joined([one.alarms for one in self.series], pa.bool_()),
            }
        )


def _joined(parts: list[NDArray[Any]], type_: Any) -> Any:
    import pyarrow as pa

    return pa.array([value for part in parts for value in part.tolist()], type_)
