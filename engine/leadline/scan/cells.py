"""Rows of a unit to cells: one code a row, one stable counting sort a unit.

A cell is one window of one segment. All columns of the unit share the order made here, so rows are
scattered once however many columns there are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .. import _arrow
from .._native import cells_sort
from ..errors import InputError
from ..profile import Window
from ..profile.cells import SegmentValue
from ..profile.order import CellOrder
from .windows import compact

_FEW_VALUES = 4_096

CellKey = tuple[Window | None, tuple[SegmentValue, ...]]


@dataclass(frozen=True, slots=True)
class Codes:
    """One way to divide the rows: ``values[codes[row]]`` is what row has."""

    codes: NDArray[np.signedinteger]
    values: Sequence[Any]


@dataclass(frozen=True, slots=True)
class UnitCells:
    """The cells of one unit, and which rows fall into each."""

    keys: list[CellKey]
    order: CellOrder


def whole_unit(rows: int) -> UnitCells:
    """All rows in the one cell of a profile without windows and segments."""
    return UnitCells([(None, ())], CellOrder.whole(rows))


def cells_of(windows: Codes | None, segments: Sequence[Codes]) -> UnitCells:
    """Divide the rows of a unit by window and segment.

    Parameters
    ----------
    windows
        Window of every row, or None without windows.
    segments
        Value of every row, one a segment column.
    """
    parts = [*([] if windows is None else [windows]), *segments]
    codes, size = _combine(parts)
    order, starts = sort_by_cell(codes, size)
    representatives = starts[:-1] if order is None else order[starts[:-1]]
    keys = _keys(parts, representatives, windowed=windows is not None)
    return UnitCells(keys, CellOrder(order, starts))


def sort_by_cell(
    codes: NDArray[np.int32], size: int
) -> tuple[NDArray[np.int32] | None, NDArray[np.int64]]:
    """Row numbers sorted stably by cell (None if there is one), and where each cell begins.

    Parameters
    ----------
    codes
        Cell of every row, from 0 to ``size`` - 1; cells without rows are left out.
    """
    if not len(codes):
        return None, np.zeros(1, dtype=np.int64)
    order, cells, starts = cells_sort(codes, size)
    return (None if len(cells) == 1 else order), starts


def segment_codes(column: pa.ChunkedArray, name: str, max_values: int) -> Codes:
    r"""Distinct values of a segment column, and which of them each row has.

    Text stays text (invalid UTF-8 shown as ``\xNN``), integers, floats and booleans stay what they
    are, dates, times and decimals become their text. NaN counts as null.

    Raises
    ------
    InputError
        If the type cannot divide rows, or there are more than ``max_values`` values.
    """
    chunks = [_arrow.decode(chunk) for chunk in column.chunks]
    column = pa.chunked_array(chunks) if chunks else pa.chunked_array([[]], pa.null())
    if pa.types.is_null(column.type):
        return Codes(np.zeros(len(column), dtype=np.int64), [None])
    codes, values = (
        _text_values(column, name, max_values)
        if _arrow.is_text(column.type)
        else _plain_values(column, name, max_values)
    )
    return _canonical(codes, values)


def too_many_values(name: str, found: int, rows: int, limit: int) -> InputError:
    """The error for a segment column with too many values."""
    return InputError(
        f"segment column {name!r} has {found:,} values in its first {rows:,} rows, and every value "
        f"makes a cell (the limit is {limit:,} cells); choose a column with fewer values, or raise "
        "the limit with max_cells"
    )


def _text_values(
    column: pa.ChunkedArray, name: str, limit: int
) -> tuple[NDArray[np.signedinteger], list[SegmentValue]]:
    text = _arrow.text_codes(column)
    if len(text) < min(limit, _FEW_VALUES):  # a dictionary's entries need not all occur
        last = len(text)
        codes: NDArray[np.signedinteger] = text.codes
        if bool((codes < 0).any()):
            codes = np.where(codes < 0, np.int32(last), codes)
        used = np.append(np.arange(last), -1)
    else:
        used, codes = compact(text.codes.astype(np.int64))
    if len(used) > limit:
        raise too_many_values(name, len(used), len(column), limit)
    entries = text.entries()
    values: list[SegmentValue] = [
        None if code < 0 else entries[code].decode("utf-8", "backslashreplace")
        for code in used.tolist()
    ]
    return codes, values


def _plain_values(
    column: pa.ChunkedArray, name: str, limit: int
) -> tuple[NDArray[np.signedinteger], list[SegmentValue]]:
    types = pa.types
    keep = (types.is_integer, types.is_floating, types.is_boolean)
    kept = any(test(column.type) for test in keep)
    if not (kept or types.is_temporal(column.type) or types.is_decimal(column.type)):
        raise InputError(
            f"segment column {name!r} holds {column.type}; "
            "use a column of text, numbers, booleans or dates"
        )
    encoded = pa.concat_arrays(column.chunks).dictionary_encode()
    entries = encoded.dictionary
    if len(entries) > limit:
        raise too_many_values(name, len(entries), len(column), limit)
    values = [*(entries if kept else entries.cast(pa.string())).to_pylist(), None]
    codes = _arrow.filled_values(encoded.indices, len(values) - 1)
    return codes, values


def _canonical(codes: NDArray[np.signedinteger], values: list[SegmentValue]) -> Codes:
    """Values that mean the same become one: NaN and null, -0.0 and 0.0."""
    places: dict[SegmentValue, int] = {}
    remap = np.empty(len(values), dtype=np.int64)
    for position, value in enumerate(values):
        if isinstance(value, float):
            value = None if math.isnan(value) else value + 0.0  # noqa: PLW2901
        remap[position] = places.setdefault(value, len(places))
    if len(places) == len(values):
        return Codes(codes, list(places))
    return Codes(remap[codes], list(places))


def _combine(parts: Sequence[Codes]) -> tuple[NDArray[np.int32], int]:
    """One code a row for all parts together, the first part most significant, and their limit."""
    combined: NDArray[Any] = parts[0].codes
    size = len(parts[0].values)
    for part in parts[1:]:
        if size * len(part.values) >= 2**62:  # many columns of many values: only those that occur
            unique, combined = compact(combined.astype(np.int64))
            size = len(unique)
        size *= len(part.values)
        combined = combined.astype(np.int32 if size < 2**31 else np.int64)
        combined *= len(part.values)
        combined += part.codes
    if size > 4 * len(combined) + 65_536:  # so that the sort needs no more memory than the rows
        unique, combined = compact(combined.astype(np.int64))
        size = len(unique)
    return combined.astype(np.int32, copy=False), size


def _keys(
    parts: Sequence[Codes], representatives: NDArray[np.signedinteger], *, windowed: bool
) -> list[CellKey]:
    """Key of every cell, read off one row of each."""
    columns = [
        [part.values[code] for code in part.codes[representatives].tolist()] for part in parts
    ]
    rows = list(zip(*columns, strict=True))
    if windowed:
        return [(row[0], tuple(row[1:])) for row in rows]
    return [(None, tuple(row)) for row in rows]
