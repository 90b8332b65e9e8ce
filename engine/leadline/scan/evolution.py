"""How the schemas of many files become the columns of one profile.

A file's columns are profiled in that file's own types, and states are widened where they are
merged, so a profile never depends on which files came in the same run. Only points in time are
brought to one unit as they are read.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ..errors import InputError
from ..profile import Continuation, Profile, SchemaEvent
from ..schema import (
    Column,
    Kind,
    LeafPath,
    column_for,
    leaves_of,
    merge_columns,
    require_names,
    role_named,
)
from ..snapshot.cells import columns_from_json, columns_to_json
from .formats.base import Source
from .outlook import Known, Outlook, Request, common_type, only_counted, wanted_leaves


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


class Evolution:
    """The columns that the sources of one scan have brought, in lineage order.

    What becomes of a source depends on the sources before it, and on later ones only through the
    `Outlook`. So a scan that goes on from where another one ended finds the same.

    Parameters
    ----------
    request
        What the caller asked for.
    outlook
        The types to expect.
    """

    def __init__(self, request: Request, outlook: Outlook) -> None:
        self._request = request
        self._known: dict[str, Known] = {}
        self._variants: dict[str, list[str]] = {}
        self._columns: dict[str, Column] = {}
        self._described: dict[tuple[str, pa.DataType], Column] = {}
        self._last: tuple[pa.Schema, int, FilePlan] | None = None
        self._admitted = 0
        self.outlook = outlook
        self.events: list[SchemaEvent] = []

    def recall(self, base: Profile, events: Iterable[SchemaEvent]) -> None:
        """Go on where the scan of a profile ended; the outlook learns its types too.

        Parameters
        ----------
        base
            A profile with a continuation.
        events
            Its events, with the names that its files have now.
        """
        past = base.continuation
        assert past is not None
        self._columns = {column.name: column for column in base.columns}
        texts = {column.name: column.type for column in base.columns} | dict(past.types)
        self._known = {name: Known.recalled(text, "the snapshot") for name, text in texts.items()}
        apart = {variant for names in past.variants.values() for variant in names}
        self._variants = {name: [name] for name in texts if name not in apart}
        self._variants |= {name: list(names) for name, names in past.variants.items()}
        self._admitted = len(base.lineage)
        self.events = list(events)
        for name, variants in self._variants.items():
            for variant in variants:
                self.outlook.recall(name, self._known[variant])

    def state(self) -> dict[str, Any]:
        """Everything but the outlook, as JSON values."""
        return {
            "known": {name: [known.text, known.source] for name, known in self._known.items()},
            "variants": self._variants,
            "columns": columns_to_json(self._columns.values()),
            "admitted": self._admitted,
            "events": [[event.column, event.source, event.what] for event in self.events],
        }

    def restore(self, state: Mapping[str, Any], renamed: Mapping[str, str]) -> None:
        """The inverse of `state`.

        Parameters
        ----------
        renamed
            What sources are called now.
        """
        self._known = {name: Known.recalled(*known) for name, known in state["known"].items()}
        self._variants = {name: list(names) for name, names in state["variants"].items()}
        self._columns = columns_from_json(state["columns"])
        self._admitted = state["admitted"]
        self.events = [
            SchemaEvent(column, renamed.get(source, source), what)
            for column, source, what in state["events"]
        ]

    def continuation(self) -> Continuation:
        """What a later scan needs to know of these columns beside their descriptions."""
        request, columns = self._request, self._columns
        return Continuation(
            columns=request.columns,
            roles=dict(request.roles),
            separate=request.separate,
            types={
                name: known.text
                for name, known in self._known.items()
                if name not in columns or columns[name].type != known.text
            },
            variants={
                name: tuple(variants)
                for name, variants in self._variants.items()
                if len(variants) > 1
            },
        )

    def only_null(self, name: str) -> bool:
        """Whether a column has been met and had no type yet."""
        return name in self._known and pa.types.is_null(self._known[name].type)

    def foreseen(self) -> dict[str, pa.DataType]:
        """The types in which new files make all others be read, by column."""
        found = {}
        for name in self.outlook.met:
            known = self.outlook.known(name)[0].type
            if pa.types.is_timestamp(known) or name in self._request.segments:
                found[name] = known
        return found

    def copy(self) -> Evolution:
        """An independent copy, to go back to."""
        other = copy.copy(self)
        other._known, other._columns = dict(self._known), dict(self._columns)
        other._variants = {name: list(names) for name, names in self._variants.items()}
        other.outlook, other.events = self.outlook.copy(), list(self.events)
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

    def require_names(self, schema: pa.Schema) -> None:
        """Refuse requests for columns that are not there, with a suggestion.

        Parameters
        ----------
        schema
            Schema of the first source; columns that are to be expected of others count too.
        """
        names = [".".join(path) for path, _ in leaves_of(schema)]
        names = list(dict.fromkeys([*names, *self.outlook.names]))
        request = self._request
        structs = {name[:place] for name in names for place in _dots(name)}
        chosen = [name for name in request.columns or () if name not in structs]
        require_names([*chosen, *request.keys, *request.roles, *request.redacted], names)
        require_names(request.summarised, names)
        for name, role in request.roles.items():
            role_named(name, role)

    def admit(self, source: Source) -> FilePlan:
        """Take in the schema of the next source, and say what to read of it.

        Parameters
        ----------
        source
            A source that the outlook has admitted.
        """
        schema = source.schema()
        if self._last is not None and self._last[1] == self.outlook.changes:
            known, _, plan = self._last
            if schema.equals(known):
                self._admitted += 1
                return plan
        events = len(self.events)
        plan = self._plan(source)
        self._admitted += 1
        # What is told of every file that has this schema is told again.
        silent = len(self.events) == events
        self._last = (schema, self.outlook.changes, plan) if silent else None
        return plan

    def _plan(self, source: Source) -> FilePlan:
        request = self._request
        found: dict[str, FileColumn] = {}
        for name, path, type_ in wanted_leaves(source, request):
            self._admit(name, type_, source)
            found[name] = self._file_column(name, path, type_)
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

    def _admit(self, name: str, type_: pa.DataType, source: Source) -> None:
        variants = self._variants.setdefault(name, [])
        if not variants:
            variants.append(name)
            self._known[name] = Known.of(type_, source.label)
            if self._admitted:
                self._record(name, source, "not in earlier files; it has fewer rows than they")
            return
        for variant in variants:
            known = self._known[variant]
            wider = common_type(known.type, type_)
            if wider is not None:
                self._widen(variant, known, wider, type_, source)
                return
        variant = f"{name} ({type_})"
        variants.append(variant)
        self._known[variant] = Known.of(type_, source.label)
        self._record(name, source, f"{type_} here; kept apart as {variant!r}")

    def _widen(
        self,
        name: str,
        known: Known,
        wider: pa.DataType,
        type_: pa.DataType,
        source: Source,
    ) -> None:
        if type_.equals(known.type):
            return
        if only_counted(type_):
            if str(type_) != known.text:
                self._record(name, source, f"{type_} here, {known.text} before; only counted")
            return
        if not wider.equals(known.type) and not pa.types.is_null(known.type):
            self._record(name, source, f"{known.text} widened to {wider}")
        elif not wider.equals(type_) and not pa.types.is_null(type_):
            self._record(name, source, f"{type_} here, widened to {wider}")
        if not wider.equals(known.type):
            self._known[name] = Known.of(wider, source.label)

    def _record(self, name: str, source: Source, what: str) -> None:
        self.events.append(SchemaEvent(name, source.name, what))

    def _file_column(self, name: str, path: LeafPath, type_: pa.DataType) -> FileColumn:
        target = next(
            variant
            for variant in self._variants[name]
            if common_type(self._known[variant].type, type_) is not None
        )
        type_ = self.outlook.type_for(name, type_)
        return FileColumn(self.describe(target, name, type_), path, type_)

    def describe(self, target: str, name: str, type_: pa.DataType) -> Column:
        """The column under which a column of a file is profiled when it is read in a type."""
        known = self._described.get((target, type_))
        if known is None:
            request = self._request
            known = self._described[target, type_] = column_for(
                target,
                type_,
                roles={target: request.roles[name]} if name in request.roles else {},
                time=target if name == request.time else None,
                segments=(target,) if name in request.segments else (),
            )
        return known


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
