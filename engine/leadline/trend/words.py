"""What changed in a window, in words: ``p50 31 to 38``, ``634 rows, usually 983``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ..compare.measures import Measures
from ..compare.words import percent, values_in_words
from ..profile import ColumnProfile
from ..profile.column import ColumnState
from .effects import FRESHNESS, MISSING, ROWS, VALUES, Series
from .gauges import missing_rows, quantile_of

MOST_WORDS = 2  # parts that are told of one column's values


@dataclass(frozen=True, slots=True)
class Change:
    """What one series did in an event.

    Parameters
    ----------
    column, what, position
        The series, and the column's place in the table.
    window, windows
        Labels of its window with the highest score, and of all in which it alarms.
    score, size
        Score there, and effect over its threshold.
    before, after
        The figure in the baseline and in the window; NaN of values, which are no single figure.
    text
        All that in words.
    """

    column: str
    what: str
    window: str
    windows: tuple[str, ...]
    score: float
    size: float
    before: float
    after: float
    text: str
    position: int = 0

    def to_dict(self) -> dict[str, Any]:
        """All figures under stable names."""
        return {
            "column": self.column,
            "what": self.what,
            "window": self.window,
            "windows": list(self.windows),
            "score": self.score,
            "size": self.size,
            "before": self.before,
            "after": self.after,
            "text": self.text,
        }


def figures_of(
    series: Series, baseline: ColumnProfile | None, state: ColumnState | None, rows: int, k: int
) -> tuple[str, float, float, str]:
    """What is compared, its two values if it is one figure, and the change in words."""
    if series.what == MISSING and baseline is not None:
        absent, held = missing_rows(state, rows)
        before = (baseline.nulls + baseline.nan) / baseline.rows if baseline.rows else math.nan
        return told(MISSING, before, absent / held if held else math.nan)
    if baseline is None or state is None:
        return told(series.what, math.nan, math.nan)
    current = ColumnProfile(state, k=k)
    if series.what == VALUES:
        words = values_in_words(Measures(baseline, current)) or ["distribution changed"]
        return VALUES, math.nan, math.nan, "; ".join(words[:MOST_WORDS])
    share = quantile_of(series.what)
    if share is not None:
        return told(series.what, baseline.quantile(share).value, current.quantile(share).value)
    before, after = (getattr(side, series.what) for side in (baseline, current))
    return told(series.what, before or 0.0, after or 0.0)


def told(figure: str, before: float, after: float) -> tuple[str, float, float, str]:
    """A figure with its change in words.

    >>> told("p95", 31.0, 38.0)[-1], told("missing", 0.001, 0.04)[-1]
    ('p95 31 to 38', 'missing 0.1 % to 4 %')
    """
    if math.isnan(before) or math.isnan(after):
        return figure, before, after, figure
    text = f"{figure} {_figure(before)} to {_figure(after)}"
    if figure == ROWS:
        usual = f"usually {before:,.0f}"
        text = f"{after:,.0f} rows, {usual}" if after else f"no rows, {usual}"
    elif figure == FRESHNESS:
        text = f"ends {_duration(after)} early, usually {_duration(before)}"
    elif figure == MISSING:
        text = f"missing {percent(before)} to {percent(after)}"
    return figure, before, after, text


def _figure(value: float) -> str:
    """A number with four digits; a whole number with all of its own.

    >>> _figure(31.25), _figure(2.0**62), _figure(12_345.0)
    ('31.25', '4611686018427387904', '12345')
    """
    whole = math.isfinite(value) and value == math.floor(value) and abs(value) < 2**64
    return str(int(value)) if whole else f"{value:.4g}"


def _duration(seconds: float) -> str:
    if seconds >= 172_800:
        return f"{seconds / 86_400:.1f} d"
    if seconds >= 5_400:
        return f"{seconds / 3_600:.1f} h"
    return f"{seconds / 60:.0f} min"
