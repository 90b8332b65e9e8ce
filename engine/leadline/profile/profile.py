"""A profile: the summaries of a table, cell by cell, and how profiles become one.

A *cell* is one window of one segment. Everything is immutable; `merge` returns a new profile.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..errors import ComparisonError, InputError
from ..schema import Column, merge_columns, require_names
from ..sketch.quantiles import k_for_rank_error
from ..sketch.scratch import UNIT_ROWS
from .column import ColumnProfile, ColumnState, instant_of
from .summaries import empty_summary

if TYPE_CHECKING:
    import pyarrow as pa

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


@dataclass(frozen=True, slots=True)
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
        return 256 + sum(state.nbytes for state in self.states.values())

    def merge(self, other: Cell, *, k: int) -> Cell:
        """The cell over both sides' rows; window and segment are this cell's."""
        states = dict(self.states)
        for name, state in other.states.items():
            states[name] = states[name].merge(state, k=k) if name in states else state
        return Cell(self.window, self.segment, self.rows + other.rows, states)


def cell_order(cell: Cell) -> tuple[Any, ...]:
    """Sort key of the canonical order: by window (null times last), then by segment values."""
    window = cell.window
    if window is None or window.start is None:
        when: tuple[int, int, int] = (0 if window is None else 2, 0, 0)
    else:
        assert window.end is not None
        when = (1, window.start, window.end)
    return (when, tuple(_segment_order(value) for value in cell.segment))


@dataclass(frozen=True, slots=True)
class LineageEntry:
    """One input, so that an update can tell new files from known ones.

    Parameters
    ----------
    name
        Path relative to the common root of the inputs, or ``<memory>`` for objects.
    size, rows
        Bytes (0 for objects) and rows.
    footer_hash
        Hash of the file's footer, or of its ends where the format has none.
    """

    name: str
    size: int
    rows: int
    footer_hash: str


@dataclass(frozen=True, slots=True)
class SchemaEvent:
    """Something about the types of the inputs that the reader of the figures should know."""

    column: str
    source: str
    what: str


@dataclass(frozen=True, slots=True)
class Settings:
    """How a profile was made; two profiles merge only if the cells mean the same.

    Parameters
    ----------
    time, every, tz
        Time column, window length (``15m``, ``1h``, ``1d``, ``1w``, ``1mo``) and time zone.
    segments
        Segment columns.
    rank_error
        Promised rank error of quantile sketches where histogram buckets do not do better.
    redacted
        Columns of which snapshots keep no raw values.
    unit_rows
        Rows a unit of work holds at most; part of what determines a snapshot's bytes.
    """

    time: str | None = None
    every: str | None = None
    tz: str | None = None
    segments: tuple[str, ...] = ()
    rank_error: float = 0.007
    redacted: tuple[str, ...] = ()
    unit_rows: int = UNIT_ROWS

    @property
    def k(self) -> int:
        """Size parameter of the quantile sketches."""
        return k_for_rank_error(self.rank_error)

    def to_json(self) -> str:
        """The settings as canonical JSON."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """Read what `to_json` wrote; raises ValueError or TypeError on anything else."""
        fields = json.loads(text)
        for name in ("segments", "redacted"):
            fields[name] = tuple(str(value) for value in fields[name])
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class Profile:
    """The fixed-memory summary of a table, by window and segment.

    Made by `leadline.profile` and `leadline.read`; immutable.

    Parameters
    ----------
    columns
        The columns, in the order of the first input.
    cells
        The cells in canonical order.
    settings
        How the profile was made.
    lineage
        The inputs, in order.
    tags
        Free names and values given by the user.
    events
        Changes of type that were met and how they were resolved.

    Examples
    --------
    >>> import leadline as ll
    >>> first = ll.profile({"age": [31, 45], "country": ["DE", "FR"]})
    >>> both = first | ll.profile({"age": [28, 52], "country": ["DE", "DE"]})
    >>> both.rows, both["country"].top
    (4, [('DE', 3), ('FR', 1)])
    """

    columns: tuple[Column, ...]
    cells: tuple[Cell, ...]
    settings: Settings = Settings()
    lineage: tuple[LineageEntry, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    events: tuple[SchemaEvent, ...] = ()
    _totals: dict[str, ColumnProfile] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __repr__(self) -> str:
        return (
            f"<Profile: {self.rows:,} rows, {len(self.columns):,} columns, "
            f"{len(self.cells):,} cells>"
        )

    @property
    def rows(self) -> int:
        """Rows over all windows and segments."""
        return sum(cell.rows for cell in self.cells)

    @property
    def nbytes(self) -> int:
        """Bytes of state held in memory."""
        return sum(cell.nbytes for cell in self.cells)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def windows(self) -> tuple[Window, ...]:
        """The distinct windows in order of time, null times last."""
        return tuple(dict.fromkeys(cell.window for cell in self.cells if cell.window is not None))

    @property
    def segments(self) -> tuple[tuple[SegmentValue, ...], ...]:
        """The distinct segments, each the values of ``settings.segments``."""
        if not self.settings.segments:
            return ()
        found = {cell.segment for cell in self.cells}
        ordered = sorted(found, key=lambda values: tuple(map(_segment_order, values)))
        return tuple(ordered)

    def __getitem__(self, name: str) -> ColumnProfile:
        """One column over all windows and segments."""
        if name not in self._totals:
            self._totals[name] = ColumnProfile(self._total(name), k=self.settings.k)
        return self._totals[name]

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def select(
        self,
        *,
        window: Window | datetime | str | None = None,
        segment: Mapping[str, SegmentValue] | Sequence[SegmentValue] | None = None,
    ) -> Profile:
        """The part of the profile in one window, one segment, or both.

        Parameters
        ----------
        window
            A window of this profile, or an instant inside it (datetime or ISO 8601 text; in the
            profile's zone if it names none).
        segment
            Values of some segment columns by name, or of all of them in order.

        Raises
        ------
        InputError
            If no cell matches.
        """
        cells = self.cells
        if window is not None:
            inside = _window_test(window, self.settings.tz or "UTC")
            cells = tuple(cell for cell in cells if cell.window is not None and inside(cell.window))
        if segment is not None:
            wanted = self._segment_values(segment)
            cells = tuple(cell for cell in cells if _matches(cell.segment, wanted))
        if not cells:
            raise InputError(
                f"no cell of this profile has window {window} and segment {segment}; "
                "see its .windows and .segments"
            )
        return replace(self, cells=cells)

    def merge(self, other: Profile, *, allow_repeats: bool = False) -> Profile:
        """The profile over both sides' rows; ``a | b`` is the same.

        Exact states do not depend on the order of merges; moments agree within 1e-12 of
        ``max(abs(mean), std)``, quantiles within their printed error. Where both have a tag of one
        name, this side's value stays.

        Parameters
        ----------
        other
            A profile made with the same settings.
        allow_repeats
            Also merge if both sides name an input of the same name, size, rows and footer.

        Raises
        ------
        ComparisonError
            If windows, zones or segments differ, a column's types cannot be merged, or both sides
            hold the same input file.
        """
        if not isinstance(other, Profile):
            raise InputError(f"only profiles can be merged, not a {type(other).__name__}")
        settings = _merge_settings(self, other)
        if not allow_repeats:
            _refuse_repeats(self.lineage, other.lineage)
        columns = _merge_column_lists(self.columns, other.columns)
        cells = {cell.key: cell for cell in self.cells}
        for cell in other.cells:
            known = cells.get(cell.key)
            cells[cell.key] = cell if known is None else known.merge(cell, k=settings.k)
        return Profile(
            columns=columns,
            cells=tuple(sorted(cells.values(), key=cell_order)),
            settings=settings,
            lineage=self.lineage + other.lineage,
            tags={**other.tags, **self.tags},
            events=tuple(dict.fromkeys(self.events + other.events)),
        )

    def __or__(self, other: object) -> Profile:
        return self.merge(other) if isinstance(other, Profile) else NotImplemented

    def save(self, path: str | Path) -> None:
        """Write a snapshot file: wholly or not at all."""
        from ..snapshot import write

        write(self, path)

    def to_dict(self) -> dict[str, Any]:
        """All figures over all windows and segments, under stable names."""
        return {
            "rows": self.rows,
            "cells": len(self.cells),
            "windows": [str(window) for window in self.windows],
            "segments": [list(values) for values in self.segments],
            "settings": asdict(self.settings),
            "tags": dict(self.tags),
            "events": [asdict(event) for event in self.events],
            "lineage": [asdict(entry) for entry in self.lineage],
            "columns": {name: self[name].to_dict() for name in self.names},
        }

    def to_arrow(self) -> pa.Table:
        """One row a column: the figures that every kind of column has, as an Arrow table."""
        import pyarrow as pa

        rows = [self[name].to_dict() for name in self.names]
        plain = ("name", "type", "kind", "role", "rows", "nulls", "nan", "mean", "std")
        table = {key: [row.get(key) for row in rows] for key in plain}
        table["distinct"] = [row.get("distinct", {}).get("value") for row in rows]
        for key in ("min", "max"):
            table[f"{key}_text"] = [None if row.get(key) is None else str(row[key]) for row in rows]
        return pa.table(table)

    def _total(self, name: str) -> ColumnState:
        """State of one column over all cells."""
        states = [cell.states[name] for cell in self.cells if name in cell.states]
        if states:
            return fold(states, lambda a, b: a.merge(b, k=self.settings.k))
        if not isinstance(name, str):
            raise InputError(f"there is no column {name!r}; columns are found by name")
        require_names([name], self.names)
        column = self.columns[self.names.index(name)]
        return ColumnState(column, 0, 0, empty_summary(column))

    def _segment_values(
        self, segment: Mapping[str, SegmentValue] | Sequence[SegmentValue]
    ) -> dict[int, SegmentValue]:
        names = self.settings.segments
        if not names:
            raise InputError("this profile has no segments; profile with segments=")
        if isinstance(segment, Mapping):
            require_names(segment, names)
            return {names.index(name): value for name, value in segment.items()}
        if isinstance(segment, str) or len(segment) != len(names):
            raise InputError(f"a segment of this profile has the columns {names}, not {segment!r}")
        return dict(enumerate(segment))


def merge(profiles: Iterable[Profile], *, allow_repeats: bool = False) -> Profile:
    """Merge any number of profiles, left to right.

    Raises
    ------
    InputError
        If there are none.
    ComparisonError
        See `Profile.merge`.
    """
    parts = list(profiles)
    if not parts:
        raise InputError("there is nothing to merge; give at least one profile")
    total = parts[0]
    if not isinstance(total, Profile):
        raise InputError(f"only profiles can be merged, not a {type(total).__name__}")
    for part in parts[1:]:
        total = total.merge(part, allow_repeats=allow_repeats)
    return total


def fold(parts: Sequence[_T], join: Callable[[_T, _T], _T]) -> _T:
    """Join neighbours in a balanced tree: fewer and smaller steps than from left to right."""
    level = list(parts)
    while len(level) > 1:
        joined = [join(a, b) for a, b in zip(level[::2], level[1::2], strict=False)]
        level = joined + level[len(level) - len(level) % 2 :]
    return level[0]


def _window_test(window: Window | datetime | str, zone: str) -> Callable[[Window], bool]:
    if isinstance(window, Window):
        return lambda candidate: candidate == window
    if isinstance(window, str):
        try:
            window = datetime.fromisoformat(window)
        except ValueError:
            raise InputError(f"{window!r} is not an ISO 8601 time such as 2026-01-31") from None
    if window.tzinfo is None:
        window = window.replace(tzinfo=_zone_of(zone))
    instant = round(window.timestamp() * 1_000_000)
    return lambda candidate: (
        candidate.start is not None
        and candidate.end is not None
        and candidate.start <= instant < candidate.end
    )


def _zone_of(name: str) -> tzinfo | None:
    """A zone by its name, or by a fixed offset such as ``+05:30``, as Arrow writes them."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return datetime.fromisoformat(f"2000-01-01T00:00:00{name}").tzinfo


def _matches(segment: tuple[SegmentValue, ...], wanted: Mapping[int, SegmentValue]) -> bool:
    return all(segment[position] == value for position, value in wanted.items())


def _segment_order(value: SegmentValue) -> tuple[int, Any]:
    """Numbers (booleans among them) before text, null last."""
    if value is None:
        return 2, 0
    if isinstance(value, str):
        return 1, value
    return 0, (value, isinstance(value, bool))


def _merge_settings(left_side: Profile, right_side: Profile) -> Settings:
    a, b = left_side.settings, right_side.settings
    for name in ("time", "every", "tz", "segments", "rank_error"):
        left, right = getattr(a, name), getattr(b, name)
        if left != right:
            raise ComparisonError(
                f"profiles made with {name} {left!r} and {right!r} cannot be merged; "
                "profile both with the same settings"
            )
    for name in {*a.redacted} ^ {*b.redacted}:
        if name in left_side and name in right_side:
            raise ComparisonError(
                f"column {name!r} is redacted on one side only; redact it on both"
            )
    redacted = tuple(dict.fromkeys(a.redacted + b.redacted))
    return replace(a, redacted=redacted, unit_rows=max(a.unit_rows, b.unit_rows))


def _refuse_repeats(a: tuple[LineageEntry, ...], b: tuple[LineageEntry, ...]) -> None:
    known = {entry for entry in a if entry.rows and not entry.name.startswith("<")}
    for entry in b:
        if entry in known:
            raise ComparisonError(
                f"both profiles hold the rows of {entry.name!r}, which would count twice; leave "
                "one of them out, or merge with allow_repeats=True if these are different files"
            )


def _merge_column_lists(a: tuple[Column, ...], b: tuple[Column, ...]) -> tuple[Column, ...]:
    columns = {column.name: column for column in a}
    for column in b:
        known = columns.get(column.name)
        merged = column if known is None else merge_columns(known, column)
        if merged is None:
            assert known is not None
            raise ComparisonError(
                f"column {column.name!r} is {known.type} on one side and {column.type} on the "
                "other; profile both with one type"
            )
        columns[column.name] = merged
    return tuple(columns.values())


def _iso(instant: datetime | str | None) -> str:
    return instant.isoformat() if isinstance(instant, datetime) else str(instant)
