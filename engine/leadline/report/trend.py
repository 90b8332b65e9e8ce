"""What `leadline trend` prints: a strip of scores a series, then events with the worst first."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from rich.console import RenderableType
from rich.text import Text

from ..trend import Change, Event, Trend, TrendSeries
from .layout import Field, heading, line, note
from .text import BLOCKS, counted, number, printable

NAME, WORST = 22, 14
STRIPS, EVENTS, SLOW = 12, 18, 4
WHEN, SCORE = 14, 5
MOST_STRIP = 120
NAMED = 2
ALIKE = 0.2  # shares that differ by less are told as one
FAINT, ALARM = "dim", "bold red"


def trend_report(
    result: Trend, *, reference: str, width: int, every: bool = False
) -> list[RenderableType]:
    """Print a trend on one screen; ``every`` series and event if asked for."""
    parts: list[RenderableType] = [*_head(result, reference), ""]
    alarmed = sorted(
        (one for one in result.series if one.alarms.any()),
        key=lambda one: (bool(one.series.column), -one.score),
    )
    shown = alarmed if every else alarmed[:STRIPS]
    if shown:
        parts += _strips(result, shown, width)
        parts += _more(len(alarmed) - len(shown), "series in alarm")
        parts.append("")
    parts += _event_lines(result.worst_first, "events, worst first", width, EVENTS, every=every)
    if result.slow:
        slow = sorted(result.slow, key=lambda event: (-event.windows, -event.severity))
        parts.append("")
        parts += _event_lines(
            slow, "against the fixed reference, longest first", width, SLOW, every=every
        )
    return parts


def _head(result: Trend, reference: str) -> list[RenderableType]:
    rows = sum(window.rows for window in result.windows)
    title = "most unusual" if result.leave_one_out else result.verdict.value
    verdict = Text(title, style=ALARM if result.events else "green")
    told_of = f": {counted(len(result.events), 'event')}; {_allowance(result)}"
    verdict.append(told_of, style="not bold default")
    looked = [] if result.look is None else [Text(_looked(result))]
    return [
        heading(reference, counted(len(result.windows), "window"), f"{rows:,} rows"),
        note(f"every window against {_against(result)}"),
        verdict,
        *looked,
        *(note(text) for text in result.notes),
    ]


def _against(result: Trend) -> str:
    if result.baseline == "previous":
        return "the one before"
    if result.baseline == "rolling":
        most = max((w.basis.windows for w in result.windows if w.basis is not None), default=0)
        return f"the merge of up to {counted(most, 'window')} before it"
    seasons = [season for season in result.seasons if season != "all windows"]
    which = f" of the same {' or '.join(seasons)}" if seasons else ""
    if result.leave_one_out:
        return f"the others{which}"
    if not result.reference_windows:
        return f"the reference ({result.reference_rows:,} rows)"
    return f"the reference's {counted(result.reference_windows, 'window')}{which}"


def _allowance(result: Trend) -> str:
    threshold = result.threshold
    if threshold.score is None:
        return "fixed thresholds"
    return (
        f"budget {result.budget.text}, {threshold.allowed:,} in {threshold.windows:,} windows: "
        f"score from {number(threshold.score, 3)}"
    )


def _looked(result: Trend) -> str:
    assert result.look is not None
    return printable(f"{result.latest.label}, still open, is {result.look.reason}")


def _strips(result: Trend, shown: Sequence[TrendSeries], width: int) -> list[Text]:
    windows = result.windows
    room = min(max(width - NAME - WORST - 2, 10), MOST_STRIP)
    bins = np.array_split(np.arange(len(windows)), min(room, len(windows)))
    first, last = windows[0].label, windows[-1].label
    ends = first + last.rjust(max(len(bins) - len(first), len(last) + 1))
    head = [Field("series", NAME, style=FAINT), Field(ends, max(len(bins), 22), style=FAINT)]
    lines = [line([*head, Field("worst window", WORST, style=FAINT)])]
    threshold = result.threshold.score if result.threshold.score is not None else 1.0
    for one in shown:
        found = line([Field(_name(one), NAME, style="bold")])
        found.append(" " * (NAME + 1 - found.cell_len))
        for places in bins:
            mark, style = _mark(one, places, threshold)
            found.append(mark, style=style)
        scores = np.where(one.alarms, np.nan_to_num(one.scores), 0.0)
        found.append(" " * max(23 - len(bins), 1) + windows[int(scores.argmax())].label)
        lines.append(found)
    return lines


def _mark(one: TrendSeries, places: np.ndarray, threshold: float) -> tuple[str, str]:
    """One character for some windows: a full red block where one alarms, else its score."""
    if one.alarms[places].any():
        return BLOCKS[-1], ALARM
    scores = one.scores[places]
    known = scores[np.isfinite(scores)]
    if not len(known):
        return " ", ""
    share = min(float(known.max()) / threshold, 1.0)
    return BLOCKS[min(max(round(6 * share), 1), 6)], FAINT


def _name(one: TrendSeries) -> str:
    series = one.series
    return f"{series.column} {series.what}" if series.column else series.what


def _event_lines(
    events: Sequence[Event], title: str, width: int, most: int, *, every: bool
) -> list[RenderableType]:
    if not events:
        return [note("no events")]
    shown = events if every else events[:most]
    words = max(width - WHEN - SCORE - 2, 30)
    head = [Field("from", WHEN, style=FAINT), Field("score", SCORE, right=True, style=FAINT)]
    lines: list[RenderableType] = [line([*head, Field(title, words, style=FAINT)])]
    for event in shown:
        fields = [
            Field(_from(event.start, event.windows, WHEN), WHEN, style="bold"),
            Field(f"{event.score:.1f}", SCORE, right=True),
            Field(told(event, words), words),
        ]
        lines.append(line(fields))
    return lines + _more(len(events) - len(shown), "events")


def _more(count: int, what: str) -> list[RenderableType]:
    return [note(f"and {count:,} more {what} (--all)")] if count > 0 else []


def _from(label: str, windows: int, width: int) -> str:
    """A first window and how many follow it."""
    more = f" +{windows - 1:,}" if windows > 1 else ""
    return label[: width - len(more)] + more


def told(event: Event, width: int) -> str:
    """The changes of an event in so many characters, the weightiest first.

    Rows and freshness come before columns. Columns that lost rows count as one change, as a single
    cause often empties many.
    """
    changes = event.changes
    lost = [change for change in changes if change.what == "missing"]
    texts = [(sum(one.score for one in lost), _lost(lost, event), len(lost))] if lost else []
    for change in changes:
        if change.what != "missing":
            name = f"{change.column} " if change.column else ""
            weight = change.score if change.column else math.inf
            text = f"{name}{change.text}{_within(change, event)}"
            texts.append((weight, printable(text), 1))
    texts.sort(key=lambda one: -one[0])
    _, result, size = texts[0]
    left = len(changes) - size
    for _, text, size in texts[1:]:
        tail = f" +{left - size}" if left - size else ""
        if len(result) + 2 + len(text) + len(tail) > width:
            break
        result, left = f"{result}; {text}", left - size
    return f"{result} +{left}" if left else result


def _within(change: Change, event: Event) -> str:
    """When a series was in alarm, where that is not the whole event."""
    if len(change.windows) == event.windows:
        return ""
    return f" ({_from(change.windows[0], len(change.windows), WHEN)})"


def _lost(changes: Sequence[Change], event: Event) -> str:
    """Missing shares of several columns, by the columns whose share is nearest the largest one."""
    most = max(changes, key=lambda one: one.score)
    near = [one for one in changes if abs(one.after - most.after) <= ALIKE * abs(most.after)]
    first = min(near, key=lambda one: one.position)
    names = [printable(one.column) for one in sorted(near, key=lambda one: one.position)][:NAMED]
    more = len(changes) - len(names)
    others = f" and {more} more" if more else ""
    return f"{first.text} in {', '.join(names)}{others}{_within(first, event)}"
