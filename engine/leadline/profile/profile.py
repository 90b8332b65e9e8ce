"""A profile: the summaries of a table, cell by cell, and how profiles become one.

Everything is immutable; `merge` returns a new profile.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..errors import ComparisonError, InputError
from ..schema import Column, merge_columns, require_names
from .cells import Cell, SegmentValue, Window, cell_order, merge_column, segment_order
from .column import ColumnProfile, ColumnState
from .provenance import Continuation, LineageEntry, SchemaEvent, Settings
from .summaries import empty_summary

if TYPE_CHECKING:
    import pyarrow as pa

_T = TypeVar("_T")


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
    continuation
        What a scan needs to add new files; None if it cannot.

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
    settings: Settings = field(default_factory=Settings)
    lineage: tuple[LineageEntry, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    events: tuple[SchemaEvent, ...] = ()
    continuation: Continuation | None = None
    _kept: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

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
        ordered = sorted(found, key=lambda values: tuple(map(segment_order, values)))
        return tuple(ordered)

    def __getitem__(self, name: str) -> ColumnProfile:
        """One column over all windows and segments."""
        return self.kept(name, lambda: ColumnProfile(self._total(name), k=self.settings.k))

    def kept(self, key: Hashable, make: Callable[[], _T]) -> _T:
        """What ``make`` gives, which is made once and kept with the profile.

        Parameters
        ----------
        key
            What is kept: a column's name for its total, else what tells it from all others.
        """
        if key not in self._kept:
            self._kept[key] = make()
        return cast(_T, self._kept[key])

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
            raise InputError(self._no_cell(window, segment))
        return replace(self, cells=cells, continuation=None)

    def _no_cell(
        self,
        window: Window | datetime | str | None,
        segment: Mapping[str, SegmentValue] | Sequence[SegmentValue] | None,
    ) -> str:
        """What was asked for, and some of what there is."""
        wanted, there = [], []
        if window is not None:
            wanted.append(f"window {window}")
            there.append(f"{len(self.windows):,} windows (see .windows)")
        if segment is not None:
            wanted.append(f"segment {segment}")
            some = [", ".join(map(str, values)) for values in self.segments[:5]]
            more = len(self.segments) - len(some)
            there.append(f"the segments {'; '.join(some)}{f' and {more} more' if more else ''}")
        return f"no cell of this profile has {' and '.join(wanted)}; it has {' and '.join(there)}"

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
            cells[cell.key] = cell if known is None else known.merged_whole(cell, k=settings.k)
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
            return merge_column(states, k=self.settings.k)
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
    known = {_identity(entry) for entry in a if entry.rows and not entry.name.startswith("<")}
    for entry in b:
        if _identity(entry) in known:
            raise ComparisonError(
                f"both profiles hold the rows of {entry.name!r}, which would count twice; leave "
                "one of them out, or merge with allow_repeats=True if these are different files"
            )


def shared_input(a: Profile, b: Profile) -> str:
    """Name of an input whose rows both profiles hold; empty if there is none.

    Parts of one file in different windows are different rows.
    """
    known = {_identity(entry) for entry in a.lineage if not entry.name.startswith("<")}
    names = [entry.name for entry in b.lineage if entry.rows and _identity(entry) in known]
    both = {cell.window for cell in a.cells} & {cell.window for cell in b.cells}
    return repr(names[0]) if names and both else ""


def disjoint_inputs(a: Profile, b: Profile) -> bool:
    """Whether both profiles name the files that they were made of, and share none of them."""
    entries = a.lineage, b.lineage
    if any(not side or any(entry.name.startswith("<") for entry in side) for side in entries):
        return False
    return not set(map(_identity, a.lineage)) & set(map(_identity, b.lineage))


def _identity(entry: LineageEntry) -> LineageEntry:
    """A file without its folders: names are relative to what one run had read."""
    return replace(entry, name=entry.name.rpartition("/")[2])


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
