"""Cells: one window of one segment each, their canonical order, and how they are joined."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from ..schema import Column
from ..sketch.counts import SMALL_TOTAL, ValueCounts
from .column import ColumnState, instant_of
from .custom import CustomSummary, require_mergeable
from .summaries import NumericSummary, Summary, TimestampSummary

SegmentValue = str | int | float | bool | None
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open interval of time, ``start <= t < end``, in microseconds since 1970 UTC.

    Both are None for the rows whose time is null (`NULL_WINDOW`).
    """

    start: int | None
    end: int | None

    @property
    def start_time(self) -> datetime | str | None:
        """Start as an aware UTC datetime."""
        return None if self.start is None else instant_of(self.start, "us")

    @property
    def end_time(self) -> datetime | str | None:
        """End as an aware UTC datetime."""
        return None if self.end is None else instant_of(self.end, "us")

    def __str__(self) -> str:
        if self.start is None:
            return "(null time)"
        return f"{_iso(self.start_time)}/{_iso(self.end_time)}"


NULL_WINDOW = Window(None, None)


class LazyStates(Mapping[str, ColumnState], ABC):
    """States that are made when they are asked for, of which some things are known before."""

    __slots__ = ()

    @property
    @abstractmethod
    def columns(self) -> dict[str, Column]:
        """What the columns are, by name."""

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Bytes of state held."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Cell:
    """One window of one segment.

    Parameters
    ----------
    window
        The interval of time, `NULL_WINDOW`, or None if the profile has no windows.
    segment
        Values of the segment columns, in the order of ``settings.segments``.
    rows
        Rows of the cell.
    states
        State of every column present in any of these rows, by name. A column that some files
        lack has fewer rows than the cell.
    """

    window: Window | None
    segment: tuple[SegmentValue, ...]
    rows: int
    states: Mapping[str, ColumnState]

    @property
    def key(self) -> tuple[Window | None, tuple[SegmentValue, ...]]:
        """What identifies the cell in its profile."""
        return self.window, self.segment

    @property
    def nbytes(self) -> int:
        """Bytes of state held."""
        if isinstance(self.states, LazyStates):
            return 256 + self.states.nbytes
        return 256 + sum(state.nbytes for state in self.states.values())

    @property
    def columns(self) -> dict[str, Column]:
        """What the columns of the states are, by name."""
        if isinstance(self.states, LazyStates):
            return self.states.columns
        return {name: state.column for name, state in self.states.items()}

    def merge(self, other: Cell, *, k: int) -> Cell:
        """The cell over both sides' rows; window and segment are this cell's."""
        states = dict(self.states)
        for name, state in other.states.items():
            states[name] = states[name].merge(state, k=k) if name in states else state
        return Cell(self.window, self.segment, self.rows + other.rows, states)

    def merged_whole(self, other: Cell, *, k: int) -> Cell:
        """`merge`, but refuse to lose a user's summary whose functions are not known.

        Raises
        ------
        ComparisonError
            If one would be lost.
        """
        for name in self.states.keys() & other.states.keys():
            require_mergeable(self.states[name].custom, other.states[name].custom)
        return self.merge(other, k=k)


def with_functions(cell: Cell, summaries: Mapping[str, CustomSummary]) -> Cell:
    """The cell with the functions of the users' own summaries, which files do not hold.

    Raises
    ------
    InputError
        If a state is not of its summary's type and shape.
    """
    bound = {}
    for name, state in cell.states.items():
        if summaries.keys() & state.custom.keys():
            custom = {
                own: held.bound_to(summaries[own]) if own in summaries else held
                for own, held in state.custom.items()
            }
            bound[name] = replace(state, custom=custom)
    return replace(cell, states={**cell.states, **bound}) if bound else cell


def cell_order(cell: Cell) -> tuple[Any, ...]:
    """Sort key of the canonical order: by window (null times last), then by segment values."""
    window = cell.window
    if window is None or window.start is None:
        when: tuple[int, int, int] = (0 if window is None else 2, 0, 0)
    else:
        assert window.end is not None
        when = (1, window.start, window.end)
    return (when, tuple(segment_order(value) for value in cell.segment))


def fold(parts: Sequence[_T], join: Callable[[_T, _T], _T]) -> _T:
    """Join neighbours in a balanced tree: fewer and smaller steps than from left to right."""
    level = list(parts)
    while len(level) > 1:
        joined = [join(a, b) for a, b in zip(level[::2], level[1::2], strict=False)]
        level = joined + level[len(level) - len(level) % 2 :]
    return level[0]


def merge_column(states: Sequence[ColumnState], *, k: int) -> ColumnState:
    """One column of many cells: what merging neighbours in a balanced tree gives."""
    exact = _merge_exact(states) if len(states) > 2 else None
    if exact is not None:
        return exact
    return fold(_subtrees(states, k), lambda a, b: a.merge(b, k=k))


def _subtrees(states: Sequence[ColumnState], k: int) -> Sequence[ColumnState]:
    """Whole subtrees of the balanced tree that are exact counts for certain, in one sort each.

    Sixty windows of 120 rows are four such parts, and three merges of sketches instead of sixty.
    """
    totals = [state.rows - state.nulls for state in states]
    width = 1
    while width < len(states) and all(
        sum(totals[i : i + 2 * width]) <= SMALL_TOTAL for i in range(0, len(states), 2 * width)
    ):
        width *= 2
    if width < 4:
        return states
    parts = [states[i : i + width] for i in range(0, len(states), width)]
    return [
        (_merge_exact(part) if len(part) > 2 else None) or fold(part, lambda a, b: a.merge(b, k=k))
        for part in parts
    ]


def _merge_exact(states: Sequence[ColumnState]) -> ColumnState | None:
    """All exact counts in one sort, where they still fit: then they fitted at every step before."""
    column, first = states[0].column, states[0].summary
    if not isinstance(first, NumericSummary | TimestampSummary):
        return None
    counts, missing = [], 0
    timestamps = isinstance(first, TimestampSummary)
    for state in states:
        summary = state.summary
        if not isinstance(summary, type(first)) or summary.counts is None:
            return None
        if state.custom or state.column != column:
            return None
        counts.append(summary.counts)
        missing += summary.nan if isinstance(summary, NumericSummary) else 0
    if ValueCounts.never_fit(counts, timestamps=timestamps):
        return None
    merged = ValueCounts.merge_all(counts)
    if not merged.fits(timestamps=timestamps):
        return None
    if isinstance(first, TimestampSummary):
        whole: Summary = TimestampSummary.of_counts(merged, unit=first.unit)
    else:
        whole = NumericSummary.of_counts(merged, nan=missing)
    rows, nulls = sum(state.rows for state in states), sum(state.nulls for state in states)
    return ColumnState(column, rows, nulls, whole)


def segment_order(value: SegmentValue) -> tuple[int, Any]:
    """Numbers (booleans among them) before text, null last."""
    if value is None:
        return 2, 0
    if isinstance(value, str):
        return 1, value
    return 0, (value, isinstance(value, bool))


def _iso(instant: datetime | str | None) -> str:
    return instant.isoformat() if isinstance(instant, datetime) else str(instant)
