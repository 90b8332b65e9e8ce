"""Hypothesis inputs: columns of every kind, with the values that break things."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
from hypothesis import strategies as st

NASTY_FLOATS = [0.0, -0.0, float("nan"), float("inf"), float("-inf"), 5e-324, 1e300, -1e300, 0.1]
NASTY_INTEGERS = [0, -1, 2**53, 2**53 + 1, -(2**63), 2**63 - 1]
NASTY_TEXTS = ["", "ü", "[bold]", 'quote"', "tab\t", "\x00", "x" * 300, "x" * 300 + "y"]


def _column(values: st.SearchStrategy[object], type_: pa.DataType) -> st.SearchStrategy[pa.Array]:
    rows = st.lists(st.none() | values, max_size=30)
    return rows.map(lambda items: pa.array(items, type=type_))


floats = st.sampled_from(NASTY_FLOATS) | st.floats(width=64)
int64s = st.sampled_from(NASTY_INTEGERS) | st.integers(-(2**63), 2**63 - 1)
texts = st.sampled_from(NASTY_TEXTS) | st.text(st.characters(codec="utf-8"), max_size=8)
instants = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1))

COLUMNS: dict[str, st.SearchStrategy[pa.Array]] = {
    "float64": _column(floats, pa.float64()),
    "float32": _column(st.floats(width=32), pa.float32()),
    "float16": _column(st.floats(width=16), pa.float16()),
    "int64": _column(int64s, pa.int64()),
    "small integers": _column(st.integers(-3, 9), pa.int16()),
    "uint64": _column(st.integers(0, 2**64 - 1), pa.uint64()),
    "bool": _column(st.booleans(), pa.bool_()),
    "date": _column(st.dates(dt.date(1900, 1, 1), dt.date(2200, 1, 1)), pa.date32()),
    "timestamp": _column(instants, pa.timestamp("us", "UTC")),
    "text": _column(texts, pa.string()),
    "null": _column(st.nothing(), pa.null()),
    "list": _column(st.lists(st.integers(0, 3), max_size=2), pa.list_(pa.int64())),
}


@st.composite
def split_columns(draw: st.DrawFn, parts: int) -> tuple[str, list[pa.Array]]:
    """A kind of column, and that many arrays of it."""
    kind = draw(st.sampled_from(sorted(COLUMNS)))
    return kind, [draw(COLUMNS[kind]) for _ in range(parts)]
