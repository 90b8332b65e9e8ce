"""How the schemas of many files become the columns of one profile.

A file's columns are profiled in that file's own types, and states are widened where they are
merged, so a profile never depends on which files came in the same run. Only points in time are
brought to one unit as they are read.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from ..errors import InputError, SchemaConflictError
from ..profile import SchemaEvent
from ..schema import (
    Column,
    Kind,
    LeafPath,
    Role,
    column_of,
    columns_of,
    flatten,
    leaves_of,
    merge_columns,
    require_names,
    role_named,
    widen,
)
from .formats.base import Source


class Restart(Exception):  # noqa: N818 (a signal, not an error)
    """A column of times needs a finer unit than the one in which earlier files were read."""

    def __init__(self, column: str, type_: pa.DataType) -> None:
        super().__init__(f"{column} must be read as {type_}")
        self.column, self.type = column, type_


@dataclass(frozen=True, slots=True)
class FileColumn:
    """One leaf of one file, and the column of the profile that it is part of."""

    column: Column
    path: LeafPath
    type: pa.DataType


@dataclass(frozen=True, slots=True)
class FilePlan:
    """What is read of one file.

    Parameters
    ----------
    columns
        Columns to profile.
    time
        Column that decides the window, if windows are asked for.
    segments
        Columns that decide the segment; None where the file lacks one (its rows have null there).
    """

    columns: tuple[FileColumn, ...]
    time: FileColumn | None
    segments: tuple[FileColumn | None, ...]

    @property
    def leaves(self) -> list[LeafPath]:
        """Every leaf to read, once."""
        keys = [self.time, *self.segments]
        wanted = [*(key for key in keys if key is not None), *self.columns]
        return list(dict.fromkeys(column.path for column in wanted))


@dataclass(frozen=True, slots=True)
class Request:
    """What the caller asked for, as far as it concerns columns."""

    time: str | None = None
    windowed: bool = False
    segments: tuple[str, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    columns: tuple[str, ...] | None = None
    redacted: tuple[str, ...] = ()
    separate: bool = False

    def wants(self, name: str) -> bool:
        """Whether a column is to be profiled (by its own name or that of a struct around it)."""
        if self.columns is None:
            return True
        return any(name == chosen or name.startswith(f"{chosen}.") for chosen in self.columns)

    @property
    def keys(self) -> set[str]:
        """Columns that decide the cell."""
        return {*self.segments, *([self.time] if self.time is not None else [])}


@dataclass(slots=True)
class _Known:
    """A column of the profile so far: its common type, and who decided it."""

    type: pa.DataType
    source: str


class Evolution:
    """The columns seen so far over the sources of one scan.

    Parameters
    ----------
    request
        What the caller asked for.
    units
        Types in which to read columns of times, where their own are coarser.
    """

    def __init__(self, request: Request, units: Mapping[str, pa.DataType] | None = None) -> None:
        self._request = request
        self._units = dict(units or {})
        self._known: dict[str, _Known] = {}
        self._variants: dict[str, list[str]] = {}
        self._columns: dict[str, Column] = {}
        self._admitted = 0
        self._planned_types: dict[str, pa.DataType] = {}
        self.events: list[SchemaEvent] = []

    def copy(self) -> Evolution:
        """An independent copy, to go back to."""
        other = copy.copy(self)
        other._known = {name: copy.copy(known) for name, known in self._known.items()}
        other._variants = {name: list(names) for name, names in self._variants.items()}
        other._columns, other._planned_types = dict(self._columns), dict(self._planned_types)
        other.events = list(self.events)
        return other

    @property
    def columns(self) -> tuple[Column, ...]:
        """The profile's columns, in the order in which files brought them."""
        return tuple(self._columns[name] for name in self._known if name in self._columns)

    @property
    def redacted(self) -> tuple[str, ...]:
        """The columns to redact; those kept apart by type count as the column that was named."""
        chosen = self._request.redacted
        variants = [variant for name in chosen for variant in self._variants.get(name, ())]
        return tuple(dict.fromkeys([*chosen, *variants]))

    @property
    def widest(self) -> list[FileColumn]:
        """Every column of the profile in the type that all files share."""
        return [
            FileColumn(column, (name,), self._known[name].type)
            for name, column in self._columns.items()
        ]

    def admit(self, source: Source) -> None:
        """Take in the schema of one source.

        Raises
        ------
        InputError
            If the source has no columns, or two of one name.
        SchemaConflictError
            If a column has a type that cannot be widened with that of earlier sources.
        Restart
            If times must be read in a finer unit than they have been.
        """
        schema = source.schema()
        if not len(schema):
            raise InputError(f"{source.label} has no columns")
        try:
            flatten(schema)
            leaves = [(path, plain_type(type_), str(type_)) for path, type_ in leaves_of(schema)]
        except InputError as error:
            raise InputError(f"{source.label}: {error}") from None
        for path, type_, _ in leaves:
            name = ".".join(path)
            if self._request.wants(name) or name in self._request.keys:
                self._admit(name, type_, source)
        self._admitted += 1

    def require_names(self, schema: pa.Schema) -> None:
        """Refuse requests for columns that are not there, with a suggestion.

        Parameters
        ----------
        schema
            Schema of the first source; columns of other admitted sources count too.
        """
        names = [".".join(path) for path, _ in leaves_of(schema)]
        names = list(dict.fromkeys([*names, *self._known]))
        request = self._request
        structs = {name[:place] for name in names for place in _dots(name)}
        chosen = [name for name in request.columns or () if name not in structs]
        require_names([*chosen, *request.keys, *request.roles, *request.redacted], names)
        for name, role in request.roles.items():
            role_named(name, role)

    def plan(self, source: Source) -> FilePlan:
        """What to read of a source, once it is admitted."""
        request = self._request
        found: dict[str, FileColumn] = {}
        for path, type_ in leaves_of(source.schema()):
            name = ".".join(path)
            if request.wants(name) or name in request.keys:
                found[name] = self._file_column(name, path, plain_type(type_))
        columns = tuple(column for name, column in found.items() if request.wants(name))
        for file_column in columns:
            column = file_column.column
            known = self._columns.get(column.name)
            merged = column if known is None else merge_columns(known, column)
            self._columns[column.name] = merged or column
        time = None
        if request.windowed:
            assert request.time is not None
            time = _time_column(found.get(request.time), request.time, source.label)
        return FilePlan(columns, time, tuple(found.get(name) for name in request.segments))

    def time_zone(self) -> str | None:
        """Zone of the time column's type, if it has one."""
        known = self._known.get(self._request.time or "")
        return getattr(known.type, "tz", None) if known is not None else None

    def _admit(self, name: str, type_: pa.DataType, source: Source) -> None:
        variants = self._variants.setdefault(name, [])
        if not variants:
            variants.append(name)
            self._known[name] = _Known(type_, source.label)
            if self._admitted:
                self._record(name, source, "not in earlier files; it has fewer rows than they")
            return
        for variant in variants:
            known = self._known[variant]
            wider = _common(known.type, type_)
            if wider is not None:
                self._widen(variant, known, wider, type_, source)
                return
        if not self._request.separate or name in self._request.keys:
            raise _conflict(name, self._known[name], type_, source)
        variant = f"{name} ({type_})"
        variants.append(variant)
        self._known[variant] = _Known(type_, source.label)
        self._record(name, source, f"{type_} here; kept apart as {variant!r}")

    def _widen(
        self, name: str, known: _Known, wider: pa.DataType, type_: pa.DataType, source: Source
    ) -> None:
        if not wider.equals(known.type) and not pa.types.is_null(known.type):
            self._record(name, source, f"{known.type} widened to {wider}")
        elif not wider.equals(type_) and not pa.types.is_null(type_):
            self._record(name, source, f"{type_} here, widened to {wider}")
        if wider.equals(known.type):
            return
        self._known[name] = _Known(wider, source.label)
        planned = self._planned_types.get(name)
        if pa.types.is_timestamp(wider) and planned is not None and planned != wider:
            raise Restart(name, wider)

    def _record(self, name: str, source: Source, what: str) -> None:
        self.events.append(SchemaEvent(name, source.name, what))

    def _file_column(self, name: str, path: LeafPath, type_: pa.DataType) -> FileColumn:
        target = next(
            variant
            for variant in self._variants[name]
            if _common(self._known[variant].type, type_) is not None
        )
        common = self._known[target].type
        # Times, because states in two units do not merge; keys, so that 1 and 1.0 are one segment.
        if pa.types.is_timestamp(common):
            type_ = widen(common, self._units.get(target, common)) or common
            self._planned_types[target] = type_
        elif name in self._request.segments:
            type_ = common
        return FileColumn(self._describe(target, name, type_), path, type_)

    def _describe(self, target: str, name: str, type_: pa.DataType) -> Column:
        request = self._request
        return columns_of(
            pa.schema([(target, type_)]),
            roles={target: request.roles[name]} if name in request.roles else None,
            time=target if name == request.time else None,
            segments=(target,) if name in request.segments else (),
        )[0]


def plain_type(type_: pa.DataType) -> pa.DataType:
    """The type without its encoding: a profile is the same for plain, dictionary and long text."""
    type_ = widen(type_, type_) or type_
    types = pa.types
    if types.is_large_string(type_) or types.is_string_view(type_):
        return pa.string()
    if types.is_large_binary(type_) or types.is_binary_view(type_):
        return pa.binary()
    return type_


def _common(a: pa.DataType, b: pa.DataType) -> pa.DataType | None:
    """The wider type of two; types that are only counted go together whatever they are."""
    if _kind(a) is _kind(b) is Kind.UNSUPPORTED:
        return a
    return widen(a, b)


def _kind(type_: pa.DataType) -> Kind:
    return column_of("", type_, Role.FEATURE, "default").kind


def _conflict(name: str, known: _Known, type_: pa.DataType, source: Source) -> SchemaConflictError:
    return SchemaConflictError(
        f"column {name!r} is {known.type} in {known.source} and {type_} in {source.label}; profile "
        'these files apart, or keep both with on_schema_change="separate"'
    )


def _time_column(column: FileColumn | None, name: str, label: str) -> FileColumn:
    if column is None:
        raise InputError(f"{label} has no time column {name!r}")
    if column.column.kind not in (Kind.TIMESTAMP, Kind.DATE, Kind.NULL):
        raise InputError(
            f"{label}: the time column {name!r} holds {column.type}, not times; "
            "give a column of timestamps or dates"
        )
    return column


def _dots(name: str) -> Sequence[int]:
    return [place for place, character in enumerate(name) if character == "."]


def unique_names(names: Collection[str], what: str) -> tuple[str, ...]:
    """The names as a tuple; refuse one that is given twice or is no text."""
    if isinstance(names, str):
        raise InputError(f"{what} takes a list of column names, not the text {names!r}")
    if not isinstance(names, Iterable):
        raise InputError(f"{what} takes a list of column names, not {names!r}")
    found = tuple(names)
    for name in found:
        if not isinstance(name, str):
            raise InputError(f"{what} takes column names, not {name!r}")
        if found.count(name) > 1:
            raise InputError(f"{what} names the column {name!r} twice")
    return found
