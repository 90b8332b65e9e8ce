"""What each field holds: a boolean, a number, a text or a time; decided once a process.

Rows are held to their fields' classes as they are captured. Batches come with types of their own;
a column of another class than the field's is null from here on, and counted as mistyped, so that
all states of a field can be merged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from .. import _arrow

# By the names of the recorder.
Class: TypeAlias = Literal["any", "bool", "number", "text", "time"]
ANY: Class = "any"
BOOLEAN: Class = "bool"
NUMBER: Class = "number"
TEXT: Class = "text"
TIME: Class = "time"

INSTANT = pa.timestamp("us", "UTC")
MISTYPED = "mistyped"


class Classes:
    """The classes of all fields; shared by the threads that bring batches.

    Parameters
    ----------
    given
        Those known beforehand.
    """

    def __init__(self, given: Mapping[str, Class]) -> None:
        self._known: dict[str, Class] = {name: kind for name, kind in given.items() if kind != ANY}

    def conform(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, Counter[str]]:
        """The rows with every column of its field's class, and how many values were lost in each.

        The first batch with values of a field decides what the field holds.
        """
        lost: Counter[str] = Counter()
        columns = []
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            own = class_of(column.type)
            if column.null_count == len(column):
                columns.append(pa.nulls(len(column)))
                continue
            # Lists and the like are of no class: nobody's from the beginning.
            known = ANY if own == ANY else self._known.setdefault(name, own)
            if own != known or own == ANY:
                lost[name] += len(column) - column.null_count
                column = pa.nulls(len(column))  # noqa: PLW2901
            elif pa.types.is_decimal(column.type):  # as a row's Decimal is kept
                column = column.cast(pa.float64())  # noqa: PLW2901
            elif own == TIME and column.type != INSTANT:
                column, beyond = _instants(column)  # noqa: PLW2901
                lost[name] += beyond
            columns.append(column)
        return pa.RecordBatch.from_arrays(columns, batch.schema.names), +lost


def _instants(column: pa.Array) -> tuple[pa.Array, int]:
    """Times in microseconds, and how many were lost: all, if some lie beyond the range."""
    options = pc.CastOptions(INSTANT, allow_time_truncate=True)
    try:
        return pc.cast(column, options=options), 0
    except pa.ArrowInvalid:
        return pa.nulls(len(column)), len(column) - column.null_count


def class_of(type_: pa.DataType) -> Class:
    """What a column of an Arrow type holds; ``any`` if it is none of the four."""
    if pa.types.is_dictionary(type_):
        return class_of(type_.value_type)
    if _arrow.is_text(type_):
        return TEXT
    if pa.types.is_boolean(type_):
        return BOOLEAN
    if pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return NUMBER
    if pa.types.is_timestamp(type_) or pa.types.is_date(type_):
        return TIME
    return ANY
