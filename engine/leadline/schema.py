"""What a column is: its kind, its storage in the kernels, and its role in the model.

Kinds are inferred from Arrow types and nothing else; roles from what the caller says, and where the
caller says nothing from the little that a type proves. Both are carried into snapshots.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

from . import _arrow
from ._native import Storage
from .errors import InputError


class Kind(StrEnum):
    """What is kept of a column."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    FLOAT = "float"
    DATE = "date"
    TIMESTAMP = "timestamp"
    TEXT = "text"
    NULL = "null"
    UNSUPPORTED = "unsupported"

    @property
    def numeric(self) -> bool:
        """Whether values have a place on the number line (booleans as 0 and 1, dates as days)."""
        return self in _NUMERIC_KINDS


_NUMERIC_KINDS = frozenset({Kind.BOOLEAN, Kind.INTEGER, Kind.FLOAT, Kind.DATE})


class Role(StrEnum):
    """What a column is to the model; decides whether and how it is judged."""

    FEATURE = "feature"
    PREDICTION = "prediction"
    SCORE = "score"
    LABEL = "label"
    TIMESTAMP = "timestamp"
    SEGMENT = "segment"
    ID = "id"
    LATENCY = "latency"
    KPI = "kpi"


REDACTED = "redacted"


@dataclass(frozen=True, slots=True)
class Column:
    """A column as it is profiled.

    Parameters
    ----------
    name
        Name in the batch; fields of a struct are named ``struct.field``.
    type
        The Arrow type, as text.
    kind
        What is kept of the column.
    role, role_reason
        Role in the model and why it was given.
    storage
        How values lie in the kernels; None for text and for what is not profiled.
    unit
        ``s``, ``ms``, ``us`` or ``ns`` for timestamps, else None.
    note
        What the reader must know: a loss, or why the column is not profiled. Often empty.
    """

    name: str
    type: str
    kind: Kind
    role: Role = Role.FEATURE
    role_reason: str = "default"
    storage: Storage | None = None
    unit: str | None = None
    note: str = ""

    @property
    def redacted(self) -> bool:
        """Whether its states hold replacements of the raw values only; the note says so."""
        return REDACTED in self.note.split("; ")


def column_of(name: str, type_: pa.DataType, role: Role, role_reason: str) -> Column:
    """Describe one flattened column of an Arrow type."""
    kind, storage, unit, note = _classify(type_)
    if role is Role.FEATURE and kind is Kind.TIMESTAMP and role_reason == "default":
        role, role_reason = Role.TIMESTAMP, "its type is a timestamp"
    return Column(name, str(type_), kind, role, role_reason, storage, unit, note)


def columns_of(
    schema: pa.Schema,
    *,
    roles: Mapping[str, str] | None = None,
    time: str | None = None,
    segments: Sequence[str] = (),
) -> tuple[Column, ...]:
    """Describe the flattened columns of an Arrow schema, in order.

    Raises
    ------
    InputError
        If a name occurs twice, or ``roles``, ``time`` or ``segments`` name what is not there,
        or a role is unknown.
    """
    fields = flatten(schema)
    names = [name for name, _ in fields]
    roles = dict(roles or {})
    require_names([*roles, *segments, *([time] if time else [])], names)
    columns = []
    for name, type_ in fields:
        role, reason = _role_of(name, roles, time, segments)
        columns.append(column_of(name, type_, role, reason))
    return tuple(columns)


def flatten(schema: pa.Schema) -> list[tuple[str, pa.DataType]]:
    """List (name, type) of every leaf, structs spelled out as ``a.b``; refuse duplicate names."""
    leaves: list[tuple[str, pa.DataType]] = []

    def visit(name: str, type_: pa.DataType) -> None:
        inner = type_.storage_type if isinstance(type_, pa.BaseExtensionType) else type_
        if pa.types.is_struct(inner) and inner.num_fields:
            for child in inner:
                visit(f"{name}.{child.name}", child.type)
        else:
            leaves.append((name, type_))

    for field in schema:
        visit(field.name, field.type)
    seen: set[str] = set()
    for name, _ in leaves:
        if name in seen:
            raise InputError(f"column {name!r} occurs more than once; rename or drop one of them")
        seen.add(name)
    return leaves


def require_names(wanted: Iterable[str], names: Sequence[str]) -> None:
    """Raise InputError for the first wanted name that is not among ``names``, with a suggestion."""
    for name in wanted:
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {close[0]!r}?" if close else _listing(names)
            raise InputError(f"there is no column {name!r}; {hint}")


def _listing(names: Sequence[str]) -> str:
    if not names:
        return "the data has no columns"
    shown = ", ".join(repr(name) for name in names[:10])
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"the columns are {shown}{more}"


def widen(a: pa.DataType, b: pa.DataType) -> pa.DataType | None:
    """The narrowest type that holds the values of both, or None if there is none.

    Integers widen to int64, and to float64 beside floats, decimals or uint64 with signed
    integers; strings of every encoding to string; timestamps of one zone to the finer unit.
    """
    a, b = _plain(a), _plain(b)
    if a.equals(b):
        return a
    if pa.types.is_null(a):
        return b
    if pa.types.is_null(b):
        return a
    kinds = {_classify(a)[0], _classify(b)[0]}
    if kinds == {Kind.TEXT}:
        return pa.string()
    if kinds == {Kind.INTEGER}:
        return _widen_integers(a, b)
    if kinds <= {Kind.INTEGER, Kind.FLOAT}:
        countable = all(_is_number(type_) for type_ in (a, b))
        return pa.float64() if countable else None
    if kinds == {Kind.DATE}:
        return pa.date32()
    if kinds == {Kind.TIMESTAMP} and (a.tz is None) == (b.tz is None):
        unit = max(a.unit, b.unit, key=_UNITS.index)
        return pa.timestamp(unit, a.tz if a.tz == b.tz else "UTC")
    return None


def merge_columns(a: Column, b: Column) -> Column | None:
    """Describe a column merged from two profiles, or None if their types cannot be merged."""
    if a.kind is Kind.NULL:
        return _with_role(b, a)
    if b.kind is Kind.NULL:
        return _with_role(a, b)
    if a.type == b.type:
        return _with_role(a, b)
    if a.kind is b.kind is Kind.TEXT:
        type_, storage = "string", None
    elif {a.kind, b.kind} <= {Kind.INTEGER, Kind.FLOAT} and a.unit == b.unit:
        same = a.storage is b.storage
        storage = a.storage if same else Storage.FLOAT64
        type_ = a.type if storage is None else _STORED_AS[storage]
    elif a.kind is b.kind and a.kind in (Kind.DATE, Kind.UNSUPPORTED):
        type_, storage = a.type, a.storage
    else:
        return None
    kind = Kind.FLOAT if storage is Storage.FLOAT64 else a.kind
    merged = _with_role(a, b)
    return Column(
        a.name, type_, kind, merged.role, merged.role_reason, storage, a.unit, a.note or b.note
    )


_STORED_AS = {Storage.INT64: "int64", Storage.UINT64: "uint64", Storage.FLOAT64: "double"}
_UNITS = ("s", "ms", "us", "ns")


def _with_role(column: Column, other: Column) -> Column:
    """The column, taking the other's role where only the other was given one."""
    if column.role_reason == "default" and other.role_reason != "default":
        role, reason = other.role, other.role_reason
    else:
        role, reason = column.role, column.role_reason
    return Column(
        column.name,
        column.type,
        column.kind,
        role,
        reason,
        column.storage,
        column.unit,
        column.note,
    )


def _role_of(
    name: str, roles: Mapping[str, str], time: str | None, segments: Sequence[str]
) -> tuple[Role, str]:
    if name in roles:
        try:
            return Role(roles[name]), "given"
        except ValueError:
            known = ", ".join(role.value for role in Role)
            raise InputError(
                f"column {name!r} has the unknown role {roles[name]!r}; use one of {known}"
            ) from None
    if name == time:
        return Role.TIMESTAMP, "it is the time column"
    if name in segments:
        return Role.SEGMENT, "it is a segment column"
    return Role.FEATURE, "default"


def _plain(type_: pa.DataType) -> pa.DataType:
    """The type without what only concerns its encoding."""
    if isinstance(type_, pa.BaseExtensionType):
        return _plain(type_.storage_type)
    if pa.types.is_dictionary(type_) or pa.types.is_run_end_encoded(type_):
        return _plain(type_.value_type)
    return type_


def _is_number(type_: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_)
    )


def _widen_integers(a: pa.DataType, b: pa.DataType) -> pa.DataType | None:
    if not (pa.types.is_integer(a) and pa.types.is_integer(b)):
        return None
    if pa.types.is_unsigned_integer(a) and pa.types.is_unsigned_integer(b):
        return a if a.bit_width >= b.bit_width else b
    if pa.types.is_uint64(a) or pa.types.is_uint64(b):
        return pa.float64()
    return pa.int64()


def _classify(type_: pa.DataType) -> tuple[Kind, Storage | None, str | None, str]:
    """Kind, storage, unit and note of an Arrow type."""
    type_ = _plain(type_)
    types = pa.types
    if types.is_boolean(type_):
        return Kind.BOOLEAN, Storage.INT64, None, ""
    if types.is_uint64(type_):
        return Kind.INTEGER, Storage.UINT64, None, ""
    if types.is_integer(type_):
        return Kind.INTEGER, Storage.INT64, None, ""
    if types.is_time(type_) or types.is_duration(type_):
        return Kind.INTEGER, Storage.INT64, type_.unit, f"profiled as whole {type_.unit}"
    if types.is_floating(type_):
        return Kind.FLOAT, Storage.FLOAT64, None, ""
    if types.is_decimal(type_):
        lossless = type_.precision <= 15
        note = "profiled as float64" + ("" if lossless else "; digits beyond the 15th are lost")
        return Kind.FLOAT, Storage.FLOAT64, None, note
    if types.is_date(type_):
        return Kind.DATE, Storage.INT64, None, ""
    if types.is_timestamp(type_):
        return Kind.TIMESTAMP, Storage.INT64, type_.unit, ""
    if _arrow.is_text(type_):
        return Kind.TEXT, None, None, ""
    if types.is_null(type_):
        return Kind.NULL, None, None, ""
    return Kind.UNSUPPORTED, None, None, f"{type_} is not profiled; rows and nulls are counted"
