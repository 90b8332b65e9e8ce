"""What rows are: the fields of tuples, dataclasses, models and mappings, bound once a type."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterable, Mapping
from typing import Any

from .. import _capture
from .._capture import Plan, Recorder
from ..errors import InputError

# The flag of types that are made by a class statement, and not compiled in.
_HEAP_TYPE = 1 << 9


def bind(recorder: Recorder, fields: Iterable[str]) -> Plan:
    """A plan for rows with these fields: tuples in their order, dicts, or objects.

    Parameters
    ----------
    recorder
        Where the rows go.
    fields
        Names in the order of the tuples.

    Raises
    ------
    InputError
        If a name is no text or occurs twice, or the recorder has too many fields.
    """
    if isinstance(fields, str | bytes):
        raise InputError(f"fields are a sequence of names, not one text: got {fields!r}")
    return recorder.plan(tuple(fields))


def plan_of(recorder: Recorder, type_: type) -> Plan | None:
    """How rows of a type are read, or None if that cannot be known; asked once a type."""
    if issubclass(type_, tuple):
        fields = names_of(getattr(type_, "_fields", None))
        return recorder.plan(fields, "sequence")
    if issubclass(type_, list):
        return recorder.plan(None, "sequence")
    fields = fields_of(type_)
    if fields is not None:
        return recorder.plan(fields, "attributes")
    if issubclass(type_, Mapping):
        return recorder.plan(None, "mapping")
    if issubclass(type_, types.SimpleNamespace):
        return recorder.plan(None, "variables")
    # An object of any other class that somebody wrote (a number is no row), of which only the
    # declared fields are known.
    declared = recorder.fields
    written = type_.__flags__ & _HEAP_TYPE
    return recorder.plan(declared, "attributes") if declared and written else None


def fields_of(type_: type) -> tuple[str, ...] | None:
    """The fields that a class declares, in order; None if it does not declare any.

    Known are dataclasses, pydantic and SQLModel models (1 and 2), attrs classes and msgspec
    structs, by the attributes that they document, so that none of them need be installed.
    """
    if dataclasses.is_dataclass(type_):
        return tuple(field.name for field in dataclasses.fields(type_))
    for attribute in ("model_fields", "__struct_fields__", "__attrs_attrs__", "__fields__"):
        fields = names_of(getattr(type_, attribute, None))
        if fields is not None:
            return fields
    return None


def names_of(fields: Any) -> tuple[str, ...] | None:
    """Names of fields that are given as names, by name, or as objects that have one."""
    if not isinstance(fields, Iterable) or isinstance(fields, str | bytes):
        return None
    named = [field if isinstance(field, str) else getattr(field, "name", None) for field in fields]
    names = tuple(name for name in named if isinstance(name, str))
    return names if len(names) == len(named) else None


_capture.binder(plan_of)
