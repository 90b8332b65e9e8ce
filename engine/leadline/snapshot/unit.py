"""One column of one unit of work -> the encoded states of every cell in it.

What `profile.build.profile_unit_column` gives as objects, one a cell, is given here as the bytes
that a snapshot holds of them. The bytes are the same: a state is decoded from them when somebody
asks for it, and encoded again after it was merged.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .. import _arrow
from .._native import NUMBER_FIELDS, Arena, EncodedTexts, Parts, Storage
from ..profile.order import CellOrder
from ..profile.summaries import SketchSettings
from ..schema import Column, Kind
from ..sketch.quantiles import sampler_variance
from ..sketch.scratch import Scratch
from ..sketch.text import TextForm
from . import encodings
from .held import HeldColumn
from .states import RANGE_FIELDS

_PLACES = {name: place for place, name in enumerate(NUMBER_FIELDS)}
_TALLIES = ("positive_infinity", "negative_infinity", "zeros", "negatives")
_MOMENTS = ("mean", "m2", "m3", "m4")
_PARTS = ("values", "counts", "histogram", "quantiles", "distinct", "calendar")
_EXACT_PARTS = ("values", "counts")


def hold_unit_column(
    column: Column,
    data: pa.ChunkedArray,
    cells: CellOrder,
    settings: SketchSettings,
    scratch: Scratch,
    arena: Arena,
) -> HeldColumn:
    """Summarise one column of one unit of work; arguments as of `build.profile_unit_column`.

    The arena is where the encoded states are to lie.
    """
    held = HeldColumn(column, len(cells))
    held.memory.append(arena)
    held.put("rows", slice(None), np.diff(cells.starts))
    if column.kind is Kind.TEXT:
        _hold_texts(held, data, cells, scratch, arena)
    elif column.storage is None:
        _hold_nulls(held, data, cells)
    else:
        _hold_numbers(held, data, cells, settings, scratch, arena)
    return held


def _hold_nulls(held: HeldColumn, data: pa.ChunkedArray, cells: CellOrder) -> None:
    flags = _arrow.null_flags(data)
    if cells.order is not None:
        flags = flags[cells.order]
    before = np.concatenate([[0], np.cumsum(flags, dtype=np.int64)])
    held.put("nulls", slice(None), np.diff(before[cells.starts]))


# --- numbers and instants ------------------------------------------------------------------------


def _hold_numbers(
    held: HeldColumn,
    data: pa.ChunkedArray,
    cells: CellOrder,
    settings: SketchSettings,
    scratch: Scratch,
    arena: Arena,
) -> None:
    column = held.column
    assert column.storage is not None
    views = _arrow.number_views(data, single=cells.order is not None)
    type_ = views[0].type if views else _arrow.number_type(data.type)
    unit = column.unit if column.kind is Kind.TIMESTAMP else None
    work = scratch.numbers
    fields, addresses, sizes = [], [], []
    for done in work.profile(
        views,
        type_,
        unit,
        cells.order,
        cells.starts,
        k=settings.k,
        seed=settings.seed,
        sampler_variance=sampler_variance(settings.k),
    ):
        fields.append(work.fields(done))
        parts = work.encode(done, arena)
        addresses.append(parts.addresses)
        sizes.append(parts.sizes)
    found = np.ascontiguousarray(np.concatenate(fields).T)
    _put_numbers(held, found, column.storage, instants=unit is not None)
    exact = found[_PLACES["exact"]].astype(bool)
    everything = Parts(np.concatenate(addresses), np.concatenate(sizes))
    for place, name in enumerate(_PARTS):
        size = everything.sizes[:, place]
        present = exact if name in _EXACT_PARTS else size > 0
        held.put_bytes(name, slice(None), everything.addresses[:, place], size, present)


def _put_numbers(
    held: HeldColumn, found: NDArray[np.int64], storage: Storage, *, instants: bool
) -> None:
    """The fields of fixed width; ``found`` has a row for each of `NUMBER_FIELDS`."""
    every = slice(None)
    sketched = ~found[_PLACES["exact"]].astype(bool)
    held.put("nulls", every, found[_PLACES["nulls"]])
    low, high = RANGE_FIELDS[Storage.INT64 if instants else storage]
    ranged = sketched & (instants | (found[_PLACES["moments_count"]] > 0))
    held.put(low, every, found[_PLACES["minimum"]], ranged)
    held.put(high, every, found[_PLACES["maximum"]], ranged)
    if instants:
        return
    if storage is Storage.FLOAT64:
        held.put("nan", every, found[_PLACES["nan"]])
    for name in _TALLIES + _MOMENTS:
        held.put(name, every, found[_PLACES[name]], sketched)


# --- texts ---------------------------------------------------------------------------------------


def _hold_texts(
    held: HeldColumn, data: pa.ChunkedArray, cells: CellOrder, scratch: Scratch, arena: Arena
) -> None:
    rows = np.diff(cells.starts)
    first = 0
    for found in _arrow.count_texts(
        data, cells.order, cells.starts, scratch.texts, take=lambda texts: texts.encoded(arena)
    ):
        some = slice(first, first + len(found.totals))
        held.put("nulls", some, rows[some] - found.totals)
        _put_texts(held, some, found)
        first = some.stop


def _put_texts(held: HeldColumn, some: slice, found: EncodedTexts) -> None:
    held.put("count_error", some, found.errors, found.errors > 0)
    present: tuple[Any, ...] = (True, True, found.parts.sizes[:, 2] > 0)
    for place, name in enumerate(("keys", "counts", "distinct")):
        addresses, sizes = (array[:, place] for array in found.parts)
        held.put_bytes(name, some, addresses, sizes, present[place])
    for place, raw in found.forms.items():
        cell, form = some.start + place, TextForm.of(raw)
        held.put("empty", slice(cell, cell + 1), np.array([form.empty], dtype=np.int64))
        held.put_own("lengths", cell, encodings.encode_lengths(form.lengths))
        held.put_own("classes", cell, encodings.encode_classes(form.classes))
