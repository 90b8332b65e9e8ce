"""The windows of one or many profiles, in order of time, with those that are missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from ..errors import ComparisonError, InputError
from ..profile import Cell, Profile, Window
from ..profile.cells import merge_column
from ..profile.column import ColumnState
from ..profile.profile import disjoint_inputs
from ..scan.windows import Period, Windows
from ..schema import Column, merge_columns

MOST_GAPS = 100_000
HALF_DAY = 43_200.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Part:
    """One window with the states of its columns, over all segments.

    Parameters
    ----------
    window
        The window; None in a profile without windows.
    label
        How it is named in texts.
    rows
        Rows; 0 where the window is missing.
    states
        States by column.
    counted
        The windows that were merged forward into this one, with their rows; usually itself alone.
    """

    window: Window | None
    label: str
    rows: int
    states: Mapping[str, ColumnState]
    counted: tuple[tuple[Window | None, int], ...]

    @property
    def start(self) -> int:
        """Start in microseconds since 1970; 0 without windows."""
        return 0 if self.window is None or self.window.start is None else self.window.start


@dataclass(frozen=True, slots=True)
class Calendar:
    """What the windows of all profiles have in common.

    Parameters
    ----------
    every
        Length of the windows, or None for profiles without windows.
    zone
        Time zone in which days begin.
    time
        The time column.
    k
        Size of the quantile sketches.
    """

    every: Period | None
    zone: str
    time: str | None
    k: int

    @property
    def seconds(self) -> float | None:
        """Usual length of a window."""
        return None if self.every is None else self.every.seconds

    @property
    def half_day(self) -> int:
        """Windows of half a day; 1 for longer ones."""
        seconds = self.seconds
        return 1 if seconds is None else max(round(HALF_DAY / seconds), 1)

    def label(self, window: Window) -> str:
        """Start of a window in its zone, as short as its length allows."""
        local = self.local(window)
        if self.every is None or not self.every.divides_days:
            return local.strftime("%Y-%m" if self.every and self.every.unit == "mo" else "%Y-%m-%d")
        if self.every.unit == "ms":
            return local.replace(tzinfo=None).isoformat(" ", "milliseconds")
        return local.strftime("%Y-%m-%d %H:%M:%S" if self.every.unit == "s" else "%Y-%m-%d %H:%M")

    def local(self, window: Window) -> datetime:
        """Start of a window as wall time of the zone.

        Raises
        ------
        InputError
            If no calendar has that day.
        """
        from ..scan.windows import zone_of

        assert window.start is not None
        try:
            return (_EPOCH + timedelta(microseconds=window.start)).astimezone(zone_of(self.zone))
        except OverflowError:
            raise InputError(
                f"the window {window} lies beyond the years 1 to 9999; check the times"
            ) from None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The windows of one side in order.

    Parameters
    ----------
    parts
        Windows in order of time (without windows: in the order given), missing ones included.
    columns
        The columns of all profiles.
    notes
        What a reader should know: rows without a time, windows merged forward, columns left out.
    """

    parts: tuple[Part, ...]
    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.parts)

    @property
    def rows(self) -> int:
        """Rows of all windows."""
        return sum(part.rows for part in self.parts)


def calendar_of(profiles: Sequence[Profile], labels: Sequence[str]) -> Calendar:
    """The settings that all profiles share.

    Raises
    ------
    ComparisonError
        If they differ in window length, time column, zone or rank error.
    """
    first = profiles[0].settings
    for profile, label in zip(profiles[1:], labels[1:], strict=True):
        other = profile.settings
        if first.every != other.every:
            raise ComparisonError(
                f"window lengths are mixed: {_length(first.every)} in {labels[0]}, "
                f"{_length(other.every)} in {label}; profile both with one --every, or roll the "
                "shorter ones up with leadline merge --every"
            )
        for name in ("time", "tz", "rank_error"):
            a, b = getattr(first, name), getattr(other, name)
            if a != b:
                raise ComparisonError(
                    f"{labels[0]} was made with {name} {a!r} and {label} with {b!r}; "
                    "profile both with the same settings"
                )
    every = None if first.every is None else Period.parse(first.every)
    return Calendar(every, first.tz or "UTC", first.time, first.k)


def timeline_of(
    profiles: Sequence[Profile],
    labels: Sequence[str],
    calendar: Calendar,
    *,
    minimum: int,
    until: datetime | None = None,
) -> Timeline:
    """All windows of some profiles.

    Parameters
    ----------
    minimum
        Rows under which a window is merged into the next one.
    until
        Windows that ended by then were due; those without rows are missing.

    Raises
    ------
    ComparisonError
        If a window is in two profiles.
    InputError
        If there is no window with rows, or too many are missing.
    """
    columns, refused = _columns(profiles)
    notes = [f"column {name!r} is left out: {why}" for name, why in refused.items()]
    if calendar.every is None:
        parts = [
            part_of(None, label, profile.cells, columns, calendar.k)
            for profile, label in zip(profiles, labels, strict=True)
        ]
        return Timeline(_filled(parts, labels), tuple(columns.values()), tuple(notes))
    cells = _cells_by_window(profiles, labels)
    without_time = sum(cell.rows for cell in cells.pop(Window(None, None), []))
    if without_time:
        notes.append(f"{without_time:,} rows with a null time are left out")
    parts = [
        part_of(window, calendar.label(window), own, columns, calendar.k)
        for window, own in sorted(cells.items(), key=lambda item: item[0].start or 0)
    ]
    parts = list(_filled(parts, labels))
    parts = _with_gaps(parts, calendar, until)
    parts, merged = _merged_forward(parts, calendar, minimum)
    if merged:
        notes.append(f"{merged:,} windows of under {minimum:,} rows are merged into the next ones")
    return Timeline(tuple(parts), tuple(columns.values()), tuple(notes))


def _length(every: str | None) -> str:
    return "none" if every is None else every


def _columns(profiles: Sequence[Profile]) -> tuple[dict[str, Column], dict[str, str]]:
    """The columns of all profiles by name, and those that cannot be merged with the reason."""
    known: dict[str, Column] = {}
    refused: dict[str, str] = {}
    for profile in profiles:
        for column in profile.columns:
            if column.name in refused:
                continue
            before = known.get(column.name)
            merged = column if before is None else merge_columns(before, column)
            if merged is None:
                assert before is not None
                refused[column.name] = f"its type is {before.type} and {column.type}"
                del known[column.name]
            elif before is not None and before.redacted != column.redacted:
                refused[column.name] = "it is redacted in some snapshots only"
                del known[column.name]
            else:
                known[column.name] = merged
    return known, refused


def common_columns(
    reference: Sequence[Column], current: Sequence[Column]
) -> tuple[dict[str, Column], tuple[str, ...]]:
    """Columns of the reference that can be compared with the current side's, and notes.

    Raises
    ------
    InputError
        If there are none.
    """
    others = {column.name: column for column in current}
    found, notes = {}, []
    for column in reference:
        other = others.pop(column.name, None)
        if other is None:
            notes.append(f"column {column.name!r} is only in the reference")
            found[column.name] = column
        elif merge_columns(column, other) is None:
            notes.append(
                f"column {column.name!r} is left out: its type is {column.type} in the reference "
                f"and {other.type} in the windows"
            )
        elif column.redacted != other.redacted:
            notes.append(f"column {column.name!r} is left out: it is redacted on one side only")
        else:
            found[column.name] = column
    notes += [f"column {name!r} is not in the reference" for name in others]
    if not set(found) & {column.name for column in current}:
        raise InputError(
            "no column is common to the reference and the windows; the reference has "
            f"{_few([c.name for c in reference])}, the windows {_few([c.name for c in current])}"
        )
    return found, tuple(notes)


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:5])
    return shown + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _cells_by_window(
    profiles: Sequence[Profile], labels: Sequence[str]
) -> dict[Window, list[Cell]]:
    cells: dict[Window, list[Cell]] = {}
    homes: dict[Window, list[int]] = {}
    for place, profile in enumerate(profiles):
        for cell in profile.cells:
            window = cell.window
            if window is None:
                continue
            known = homes.setdefault(window, [place])
            if place not in known:
                if window.start is not None:
                    _require_other_rows(window, profiles, labels, [*known, place])
                known.append(place)
            cells.setdefault(window, []).append(cell)
    return cells


def _require_other_rows(
    window: Window, profiles: Sequence[Profile], labels: Sequence[str], places: Sequence[int]
) -> None:
    """Refuse a window that two snapshots hold, unless they were made of different files.

    Files of days or months are often cut elsewhere than windows are; then each snapshot holds a
    part of the window.
    """
    *known, place = places
    for other in known:
        if not disjoint_inputs(profiles[other], profiles[place]):
            raise ComparisonError(
                f"the window {window} is in {labels[other]} and in {labels[place]}, and they may "
                "hold the same rows; snapshots of a trend must not overlap: leave one out"
            )


def part_of(
    window: Window | None,
    label: str,
    cells: Iterable[Cell],
    columns: Iterable[str],
    k: int,
) -> Part:
    """One window over all its segments."""
    own = list(cells)
    states = {}
    for name in columns:
        found = [cell.states[name] for cell in own if name in cell.states]
        if found:
            states[name] = found[0] if len(found) == 1 else merge_column(found, k=k)
    rows = sum(cell.rows for cell in own)
    return Part(window, label, rows, states, ((window, rows),))


def _filled(parts: Sequence[Part], labels: Sequence[str]) -> tuple[Part, ...]:
    if not any(part.rows for part in parts):
        raise InputError(f"there are no rows in any window of {', '.join(labels)}")
    return tuple(parts)


def _with_gaps(parts: list[Part], calendar: Calendar, until: datetime | None) -> list[Part]:
    """The windows with those put in between that have no rows at all."""
    assert calendar.every is not None
    known = {part.window for part in parts}
    first, last = parts[0].window, parts[-1].window
    assert first is not None and last is not None
    assert first.start is not None and last.end is not None
    end = last.end
    if until is not None:
        if until.tzinfo is None:
            raise InputError("the time until which windows are due needs a zone, such as +00:00")
        end = max(end, round(until.timestamp() * 1_000_000))
    expected = windows_between(first.start, end, calendar)
    missing = [
        empty_part(window, calendar)
        for window in expected
        if window not in known and window.end is not None and window.end <= end
    ]
    return sorted([*parts, *missing], key=lambda part: part.start)


def empty_part(window: Window, calendar: Calendar) -> Part:
    """A window without rows."""
    return Part(window, calendar.label(window), 0, {}, ((window, 0),))


def windows_between(start: int, end: int, calendar: Calendar) -> list[Window]:
    """The windows that hold instants from ``start`` to before ``end``.

    Raises
    ------
    InputError
        If they are too many.
    """
    assert calendar.every is not None
    seconds = calendar.seconds
    assert seconds is not None
    # Half of the usual length: shorter than any window, an hour less where clocks change.
    step = round(seconds / 2 * 1_000_000)
    if (end - start) / step > 2 * MOST_GAPS:
        raise InputError(
            f"the windows span {(end - start) / 2 / step:,.0f} lengths, more than {MOST_GAPS:,}; "
            "check the times, or use longer windows"
        )
    instants = np.arange(start, end, step, dtype=np.int64)
    # `pyarrow.array` would import pandas where it is installed.
    buffers = [None, pa.py_buffer(instants)]
    column = pa.Array.from_buffers(pa.timestamp("us", "UTC"), len(instants), buffers)
    _, windows = Windows(calendar.every, calendar.zone).assign(pa.chunked_array([column]))
    return windows


class Forward:
    """Joins windows of too few rows with the next ones, up to a missing one.

    Parameters
    ----------
    minimum
        Rows that are enough.
    """

    def __init__(self, calendar: Calendar, minimum: int) -> None:
        self._calendar = calendar
        self._minimum = minimum
        self.held: Part | None = None
        self.merged = 0

    def add(self, part: Part) -> list[Part]:
        """What is ready now that another window is closed."""
        ready: list[Part] = []
        whole = part
        if self.held is not None and part.rows:
            whole = joined_parts(self.held, part, self._calendar)
            self.merged += 1
        elif self.held is not None:
            ready.append(self.held)
        self.held = whole if 0 < whole.rows < self._minimum else None
        if self.held is None:
            ready.append(whole)
        return ready


def _merged_forward(parts: list[Part], calendar: Calendar, minimum: int) -> tuple[list[Part], int]:
    forward = Forward(calendar, minimum)
    result = [ready for part in parts for ready in forward.add(part)]
    if forward.held is not None:
        result.append(forward.held)
    return result, forward.merged


class Longer:
    """Joins windows into longer ones.

    A long window is ready when the last of its windows is closed, or one of a later one. Of the
    first one only a part may have been seen, as where a process began at noon: it is left out.

    Parameters
    ----------
    calendar
        That of the longer windows.
    """

    def __init__(self, calendar: Calendar) -> None:
        assert calendar.every is not None
        self._calendar = calendar
        self._windows = Windows(calendar.every, calendar.zone)
        self._held: Part | None = None
        self._incomplete: Window | None = None
        self._begun = False

    @property
    def waiting(self) -> int:
        """Rows of the window that is not ready."""
        return 0 if self._held is None else self._held.rows

    def add(self, part: Part) -> list[Part]:
        """What is ready now that another window is closed."""
        whole = self._inside(part)
        window, held = whole.window, self._held
        assert window is not None
        assert window.end is not None
        if not self._begun:
            self._begun = True
            self._incomplete = window if part.start > whole.start else None
        if window == self._incomplete:
            return []
        if held is not None and held.start > whole.start:
            return [whole]  # it comes late, and alone
        ready = []
        if held is not None and held.window == window:
            whole = replace(
                joined_parts(held, whole, self._calendar),
                window=window,
                counted=((window, held.rows + whole.rows),),
            )
        elif held is not None:
            ready.append(held)
        self._held = whole
        assert part.window is not None
        if part.window.end is not None and part.window.end >= window.end:
            ready.append(whole)
            self._held = None
        return ready

    def _inside(self, part: Part) -> Part:
        """The longer window with nothing in it but this one."""
        window = self._windows.window_of(part.start)
        label = self._calendar.label(window)
        return replace(part, window=window, label=label, counted=((window, part.rows),))


def joined_parts(a: Part, b: Part, calendar: Calendar) -> Part:
    """Two windows as one."""
    states = dict(a.states)
    for name, state in b.states.items():
        states[name] = states[name].merge(state, k=calendar.k) if name in states else state
    assert a.window is not None and b.window is not None
    return replace(
        b,
        window=Window(a.window.start, b.window.end),
        label=a.label,
        rows=a.rows + b.rows,
        states=states,
        counted=a.counted + b.counted,
    )
