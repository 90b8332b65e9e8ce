"""The types of all inputs whose schema can be told before they are read.

Points in time are read in the finest unit that any input has, and the columns that divide rows in
their common type, so both must be known before the first input is read. A type that does not fit
is an error here, at the start of a run, rather than after hours of reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from ..errors import InputError, SchemaConflictError
from ..schema import Kind, LeafPath, Role, column_of, flatten, leaves_of, type_named, widen
from .formats.base import Source


class Restart(Exception):  # noqa: N818 (a signal, not an error)
    """A column of times needs a finer unit than the one in which earlier files were read."""

    def __init__(self, column: str, type_: pa.DataType) -> None:
        super().__init__(f"{column} must be read as {type_}")
        self.column, self.type = column, type_


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
    summarised: tuple[str, ...] = ()

    def wants(self, name: str) -> bool:
        """Whether a column is to be profiled (by its own name or that of a struct around it)."""
        if self.columns is None:
            return True
        return any(name == chosen or name.startswith(f"{chosen}.") for chosen in self.columns)

    @property
    def keys(self) -> set[str]:
        """Columns that decide the cell."""
        return {*self.segments, *([self.time] if self.time is not None else [])}

    def divides(self, name: str) -> bool:
        """Whether a column's values decide the cell."""
        return name == self.time or name in self.segments


@dataclass(frozen=True, slots=True)
class Known:
    """A type that sources share so far, its text, and the source that decided it.

    Of types that are only counted, what is recalled of earlier sources is the text alone.
    """

    type: pa.DataType
    source: str
    text: str

    @classmethod
    def of(cls, type_: pa.DataType, source: str) -> Known:
        """A type met in a source."""
        return cls(type_, source, str(type_))

    @classmethod
    def recalled(cls, text: str, source: str) -> Known:
        """A type of which the text was kept."""
        return cls(type_named(text) or _ONLY_COUNTED, source, text)


_ONLY_COUNTED = pa.list_(pa.null())


class Outlook:
    """For every column the types to expect: one, or several that cannot be widened to one.

    Parameters
    ----------
    request
        What the caller asked for.
    units
        Types in which to read points in time, where an earlier attempt found a finer unit.
    """

    def __init__(self, request: Request, units: Mapping[str, pa.DataType] | None = None) -> None:
        self._request = request
        self._units = dict(units or {})
        self._known: dict[str, list[Known]] = {}
        self._planned: dict[str, pa.DataType] = {}
        self._recalled: set[str] = set()
        self._last: pa.Schema | None = None
        self.changes = 0
        self.met: set[str] = set()

    def copy(self) -> Outlook:
        """An independent copy, to go back to."""
        other = Outlook(self._request, self._units)
        other._known = {name: list(known) for name, known in self._known.items()}
        other._planned, other.met = dict(self._planned), set(self.met)
        other._recalled, other._last = self._recalled, self._last
        other.changes = self.changes
        return other

    @property
    def names(self) -> list[str]:
        """Names of all columns met."""
        return list(self._known)

    def known(self, name: str) -> list[Known]:
        """The types of one column, in the order met."""
        return self._known.get(name, [])

    def recall(self, name: str, known: Known) -> None:
        """Take over a type in which sources have been read that are not read again."""
        self._known.setdefault(name, []).append(known)
        if pa.types.is_timestamp(known.type):
            key = _unit_key(name, known.type)
            self._planned[key] = known.type
            self._recalled.add(key)

    def state(self) -> dict[str, Any]:
        """Everything learned, as JSON values."""
        return {
            "known": {
                name: [[known.text, known.source] for known in types]
                for name, types in self._known.items()
            },
            "planned": {name: str(type_) for name, type_ in self._planned.items()},
            "recalled": sorted(self._recalled),
            "units": {name: str(type_) for name, type_ in self._units.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """The inverse of `state`."""
        self._known = {
            name: [Known.recalled(*known) for known in types]
            for name, types in state["known"].items()
        }
        self._planned = {name: type_named(text) for name, text in state["planned"].items()}
        self._units = {name: type_named(text) for name, text in state["units"].items()}
        self._recalled = set(state["recalled"])

    def decisive(self) -> dict[str, str]:
        """Types on which it depends how all sources are read, by column."""
        return {
            name: known[0].text
            for name, known in self._known.items()
            if name in self._request.segments or pa.types.is_timestamp(known[0].type)
        }

    def admit(self, source: Source) -> None:
        """Take in the schema of one source.

        Raises
        ------
        SchemaConflictError
            If a column has a type that cannot be widened with that of other sources.
        Restart
            If times must be read in a finer unit than they have been.
        """
        schema = source.schema()
        if self._last is not None and schema.equals(self._last):
            return  # nothing new: of thousands of files most are alike
        for name, _, type_ in wanted_leaves(source, self._request):
            self._admit(name, type_, source)
        self._last = schema
        self.changes += 1

    def type_for(self, name: str, type_: pa.DataType) -> pa.DataType:
        """The type in which to read a column that a source has in another one."""
        types = (known.type for known in self._known[name])
        wide = next(wide for wide in types if common_type(wide, type_) is not None)
        # Times, because states in two units do not merge; keys, so that 1 and 1.0 are one segment.
        if pa.types.is_timestamp(wide):
            key = _unit_key(name, wide)
            type_ = widen(wide, self._units.get(key, wide)) or wide
            self._planned[key] = type_
        elif name in self._request.segments:
            type_ = wide
        return type_

    def time_zone(self) -> str | None:
        """Zone of the time column's type, if it has one."""
        known = self.known(self._request.time or "")
        return getattr(known[0].type, "tz", None) if known else None

    def _admit(self, name: str, type_: pa.DataType, source: Source) -> None:
        self.met.add(name)
        types = self._known.setdefault(name, [])
        for place, known in enumerate(types):
            wider = common_type(known.type, type_)
            if wider is None:
                continue
            if not wider.equals(known.type):
                types[place] = Known.of(wider, source.label)
                self._require_unit(name, wider)
            return
        if types and (not self._request.separate or self._request.divides(name)):
            raise conflict(name, types[0], type_, source)
        types.append(Known.of(type_, source.label))

    def _require_unit(self, name: str, wider: pa.DataType) -> None:
        if pa.types.is_timestamp(wider):
            key = _unit_key(name, wider)
            planned = self._planned.get(key)
            if planned is None or planned == wider:
                return
            if key in self._recalled:
                raise other_type(name, str(planned), wider)
            raise Restart(key, wider)


def wanted_leaves(source: Source, request: Request) -> list[tuple[str, LeafPath, pa.DataType]]:
    """(name, path, plain type) of every leaf of a source that is profiled or divides rows.

    Raises
    ------
    InputError
        If the source has no columns, or two of one name.
    """
    schema = source.schema()
    if not len(schema):
        raise InputError(f"{source.label} has no columns")
    try:
        flatten(schema)
        leaves = [(".".join(path), path, plain_type(type_)) for path, type_ in leaves_of(schema)]
    except InputError as error:
        raise InputError(f"{source.label}: {error}") from None
    return [leaf for leaf in leaves if request.wants(leaf[0]) or request.divides(leaf[0])]


def plain_type(type_: pa.DataType) -> pa.DataType:
    """The type without its encoding: a profile is the same for plain, dictionary and long text."""
    type_ = widen(type_, type_) or type_
    types = pa.types
    if types.is_large_string(type_) or types.is_string_view(type_):
        return pa.string()
    if types.is_large_binary(type_) or types.is_binary_view(type_):
        return pa.binary()
    return type_


def common_type(a: pa.DataType, b: pa.DataType) -> pa.DataType | None:
    """The wider type of two; types that are only counted go together whatever they are."""
    if a is b or a.equals(b):
        return a
    if only_counted(a) and only_counted(b):
        return a
    return widen(a, b)


def only_counted(type_: pa.DataType) -> bool:
    """Whether columns of the type are counted and not profiled."""
    return column_of("", type_, Role.FEATURE, "default").kind is Kind.UNSUPPORTED


def other_type(name: str, held: str, type_: pa.DataType) -> InputError:
    """The error for a column whose earlier rows would have been read otherwise."""
    return InputError(
        f"column {name!r} is {held} in the snapshot, and would have been read as {type_} had the "
        "new files been there; profile all files anew, or profile the new ones alone and merge the "
        "two"
    )


def conflict(name: str, known: Known, type_: pa.DataType, source: Source) -> SchemaConflictError:
    """The error for two types that cannot be widened."""
    return SchemaConflictError(
        f"column {name!r} is {known.text} in {known.source} and {type_} in {source.label}; profile "
        'these files apart, or keep both with on_schema_change="separate"'
    )


def _unit_key(name: str, type_: pa.DataType) -> str:
    """What tells times with a zone from times without one: columns may be kept apart by that."""
    return name if type_.tz is None else f"{name}\0zone"
