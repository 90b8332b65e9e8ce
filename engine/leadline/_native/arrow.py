"""Arrow's arrays of numbers, gathered into blocks of values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .library import Storage, ffi, lib, refuse


class ArrowType(IntEnum):
    """Arrow's fixed-width number layouts, as the gather kernel reads them."""

    BOOL = lib.LL_TYPE_BOOL
    INT8 = lib.LL_TYPE_INT8
    INT16 = lib.LL_TYPE_INT16
    INT32 = lib.LL_TYPE_INT32
    INT64 = lib.LL_TYPE_INT64
    UINT8 = lib.LL_TYPE_UINT8
    UINT16 = lib.LL_TYPE_UINT16
    UINT32 = lib.LL_TYPE_UINT32
    UINT64 = lib.LL_TYPE_UINT64
    FLOAT16 = lib.LL_TYPE_FLOAT16
    FLOAT32 = lib.LL_TYPE_FLOAT32
    FLOAT64 = lib.LL_TYPE_FLOAT64

    @property
    def storage(self) -> Storage:
        """The storage that values of this type are widened to."""
        if self >= ArrowType.FLOAT16:
            return Storage.FLOAT64
        return Storage.UINT64 if self is ArrowType.UINT64 else Storage.INT64


@dataclass(frozen=True, slots=True)
class ArrayView:
    """Addresses of one Arrow array of numbers; nothing is copied.

    Parameters
    ----------
    type
        Layout of the values.
    values, validity
        Addresses of the two buffers; 0 for a validity bitmap that is absent (no row is null).
    offset, length
        In rows; the offset applies to both buffers.
    owner
        Whatever keeps the memory alive.
    """

    type: ArrowType
    values: int
    validity: int
    offset: int
    length: int
    owner: object


class Tally(NamedTuple):
    """Exact counts of what a gather met; ``negatives`` are below zero, -inf included.

    A named tuple because one is made for every column of every cell: 0.3 us instead of 1.
    """

    rows: int = 0
    nulls: int = 0
    nan: int = 0
    positive_infinity: int = 0
    negative_infinity: int = 0
    zeros: int = 0
    negatives: int = 0

    def __add__(self, other: Tally) -> Tally:  # type: ignore[override]
        return Tally(
            self.rows + other.rows,
            self.nulls + other.nulls,
            self.nan + other.nan,
            self.positive_infinity + other.positive_infinity,
            self.negative_infinity + other.negative_infinity,
            self.zeros + other.zeros,
            self.negatives + other.negatives,
        )


def gather(
    view: ArrayView,
    order: NDArray[np.int32] | None,
    begin: int,
    end: int,
    out: NDArray[np.uint64],
) -> tuple[int, int, Tally]:
    """Copy the values of some rows that are neither null nor NaN into a block.

    Parameters
    ----------
    view
        The Arrow array.
    order
        Row numbers; None for the rows as they lie.
    begin, end
        The rows are ``order[begin:end]``, or ``begin`` to ``end`` without an order.
    out
        uint64; receives values of ``view.type.storage``, -0.0 as 0.0.

    Returns
    -------
    written, next, tally
        Values in ``out``; the first position not consumed (``end`` unless ``out`` was too small);
        exact counts of the rows consumed.

    Raises
    ------
    InputError
        If a row number is outside the view.
    ValueError
        If the order is too short or of another type, or ``out`` is read-only.
    """
    if order is None:
        rows = ffi.NULL
    else:
        if end > len(order):
            raise ValueError(f"gather: row {end} of an order of {len(order)} rows")
        if order.dtype != np.int32:
            raise ValueError(f"expected an order of int32, got {order.dtype}")
        rows = ffi.from_buffer("int32_t[]", order)
    found = ffi.new("ll_tally *")
    code = lib.ll_gather(
        view.type,
        ffi.cast("void *", view.values),
        ffi.cast("uint8_t *", view.validity),
        view.offset,
        view.length,
        rows,
        begin,
        end,
        ffi.from_buffer("uint64_t[]", out, require_writable=True),
        len(out),
        found,
    )
    if code:
        refuse(code, "gather")
    # The struct is nine int64 in a row; reading it at once costs less than two of its fields.
    written, following, *counts = ffi.unpack(ffi.cast("int64_t *", found), 9)
    return written, following, Tally(*counts)
