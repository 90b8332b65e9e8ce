"""What a column is: its kind, its storage in the kernels, and its role in the model.

Kinds are inferred from Arrow types and nothing else; roles from what the caller says, and where the
caller says nothing from the little that a type proves. Both are carried into snapshots.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import pyarrow as pa

from . import _arrow
from ._native import Storage
from .errors import ComparisonError, InputError

# A leaf column: names from the top-level column down through structs.
LeafPath = tuple[str, ...]

# Units of Arrow's times, coarsest first.
UNITS_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
DAY_SECONDS = 86_400


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
    if role is Role.FEATURE and kind is Kind.TIMESTAMP and role_reason == _DEFAULT:
        role, role_reason = Role.TIMESTAMP, _BY_TYPE
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
        If a name occurs twice or is not valid text, or ``roles``, ``time`` or ``segments`` name
        what is not there, or a role is unknown.
    """
    fields = flatten(schema)
    names = [name for name, _ in fields]
    roles = dict(roles or {})
    require_names([*roles, *segments, *([time] if time else [])], names)
    columns = []
    for name, type_ in fields:
        columns.append(column_for(name, type_, roles=roles, time=time, segments=segments))
    return tuple(columns)


def column_for(
    name: str,
    type_: pa.DataType,
    *,
    roles: Mapping[str, str],
    time: str | None,
    segments: Sequence[str],
) -> Column:
    """Describe one flattened column of which others' roles may be told as well."""
    return column_of(name, type_, *_role_of(name, roles, time, segments))


def leaves_of(schema: pa.Schema) -> list[tuple[LeafPath, pa.DataType]]:
    """(path, type) of every leaf in order, structs spelled out."""
    found: list[tuple[LeafPath, pa.DataType]] = []

    def visit(path: LeafPath, type_: pa.DataType) -> None:
        inner = type_.storage_type if isinstance(type_, pa.BaseExtensionType) else type_
        if pa.types.is_struct(inner) and inner.num_fields:
            for child in inner:
                visit((*path, child.name), child.type)
        else:
            found.append((path, type_))

    for field in schema:
        visit((field.name,), field.type)
    return found


def flatten(schema: pa.Schema) -> list[tuple[str, pa.DataType]]:
    """(name, type) of every leaf, named ``a.b``; refuse names that repeat or are no valid text."""
    try:
        leaves = [(".".join(path), type_) for path, type_ in leaves_of(schema)]
    except UnicodeDecodeError as error:
        raise InputError("a column name is not valid UTF-8; rename the column") from error
    seen: set[str] = set()
    for name, _ in leaves:
        if name in seen:
            raise InputError(f"column {name!r} occurs more than once; rename or drop one of them")
        seen.add(name)
    return leaves


def is_encodable(text: str) -> bool:
    """Whether a text can be written as UTF-8; one with half of a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def role_named(column: str, text: object) -> Role:
    """The role of that name; raise InputError, naming the column, if there is none."""
    if text == "weight":
        # Ignored, it would give figures that look weighted and are not.
        raise InputError(
            f"column {column!r}: rows cannot be weighted yet; leave the role 'weight' out, or give "
            "the column the role feature"
        )
    try:
        return Role(text)  # type: ignore[arg-type]
    except ValueError:
        known = ", ".join(role.value for role in Role)
        raise InputError(
            f"column {column!r}: there is no role {text!r}; use one of {known}"
        ) from None


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
        unit = max(a.unit, b.unit, key=UNITS_PER_SECOND.__getitem__)
        return pa.timestamp(unit, a.tz if a.tz == b.tz else "UTC")
    return None


def type_named(text: str) -> pa.DataType | None:
    """The Arrow type that ``str`` shows as this text; None if it is one that is not profiled.

    >>> type_named("timestamp[us, tz=Europe/Berlin]")
    TimestampType(timestamp[us, tz=Europe/Berlin])
    """
    try:
        for pattern, make in _TYPES:
            if match := pattern.fullmatch(text):
                return make(*match.groups())
        return pa.type_for_alias(text)
    except (ValueError, OverflowError):  # of which Arrow's errors are kinds
        return None


_DECIMALS = {
    "32": pa.decimal32,
    "64": pa.decimal64,
    "128": pa.decimal128,
    "256": pa.decimal256,
}
_TYPES: tuple[tuple[re.Pattern[str], Callable[..., pa.DataType]], ...] = (
    (re.compile(r"timestamp\[(s|ms|us|ns), tz[=](.+)\]"), pa.timestamp),
    (
        re.compile(r"decimal(32|64|128|256)\((\d{1,3}), (-?\d{1,3})\)"),
        lambda bits, *digits: _DECIMALS[bits](*map(int, digits)),
    ),
    (re.compile(r"fixed_size_binary\[(\d{1,9})\]"), lambda size: pa.binary(int(size))),
)


def merge_columns(a: Column, b: Column) -> Column | None:
    """Describe a column merged from two profiles, or None if their types cannot be merged.

    Raises
    ------
    ComparisonError
        If both sides were given a role, and not the same.
    """
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
    note = a.note or b.note
    return replace(_with_role(a, b), type=type_, kind=kind, storage=storage, note=note)


_STORED_AS = {Storage.INT64: "int64", Storage.UINT64: "uint64", Storage.FLOAT64: "double"}

# Why a column has its role; a stronger reason wins when columns merge, whichever side has it.
_DEFAULT, _BY_TYPE, _GIVEN = "default", "its type is a timestamp", "given"
_STRENGTHS = {_DEFAULT: 0, _BY_TYPE: 1, _GIVEN: 3}
_CHOSEN = 2  # time and segment columns


def _with_role(column: Column, other: Column) -> Column:
    """The column, taking the other's role where that has the stronger reason."""
    own, others = (_STRENGTHS.get(side.role_reason, _CHOSEN) for side in (column, other))
    if own == others and column.role is not other.role:
        raise ComparisonError(
            f"column {column.name!r} has the role {column.role} on one side and {other.role} on "
            "the other; profile both with one role"
        )
    if own >= others:
        return column
    return replace(column, role=other.role, role_reason=other.role_reason)


def _role_of(
    name: str, roles: Mapping[str, str], time: str | None, segments: Sequence[str]
) -> tuple[Role, str]:
    if name in roles:
        return role_named(name, roles[name]), _GIVEN
    if name == time:
        return Role.TIMESTAMP, "it is the time column"
    if name in segments:
        return Role.SEGMENT, "it is a segment column"
    return Role.FEATURE, _DEFAULT


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
