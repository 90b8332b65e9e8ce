"""The only module that imports the compiled kernels: checked calls, codes turned into exceptions.

Every function takes NumPy arrays of exactly the type it names, contiguous, and works on their
memory. cffi releases the interpreter lock around each kernel.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from .errors import InputError


class MissingKernelsError(ImportError):
    """The compiled module is not there; the message says how to build it."""


try:
    from ._kernels import ffi as _ffi
    from ._kernels import lib as _lib
except ImportError as error:
    what = "missing" if isinstance(error, ModuleNotFoundError) else f"unusable ({error})"
    raise MissingKernelsError(
        f"leadline's compiled kernels are {what}; run `make setup` in the source tree "
        "or `pip install -e .`"
    ) from None

# For `_native_sketches`, which continues this file.
lib: Any = _lib
ffi: Any = _ffi

_INSTRUCTION_SETS = {
    "avx512": _lib.LL_SET_AVX512,
    "avx2": _lib.LL_SET_AVX2,
    "serial": _lib.LL_SET_SERIAL,
}


class Storage(IntEnum):
    """How the 8 bytes of a value in a block are to be read."""

    FLOAT64 = _lib.LL_STORAGE_FLOAT64
    INT64 = _lib.LL_STORAGE_INT64
    UINT64 = _lib.LL_STORAGE_UINT64

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy type of the values."""
        return _DTYPES[self]


_DTYPES = {
    Storage.FLOAT64: np.dtype(np.float64),
    Storage.INT64: np.dtype(np.int64),
    Storage.UINT64: np.dtype(np.uint64),
}


class ArrowType(IntEnum):
    """Arrow's fixed-width number layouts, as the gather kernel reads them."""

    BOOL = _lib.LL_TYPE_BOOL
    INT8 = _lib.LL_TYPE_INT8
    INT16 = _lib.LL_TYPE_INT16
    INT32 = _lib.LL_TYPE_INT32
    INT64 = _lib.LL_TYPE_INT64
    UINT8 = _lib.LL_TYPE_UINT8
    UINT16 = _lib.LL_TYPE_UINT16
    UINT32 = _lib.LL_TYPE_UINT32
    UINT64 = _lib.LL_TYPE_UINT64
    FLOAT16 = _lib.LL_TYPE_FLOAT16
    FLOAT32 = _lib.LL_TYPE_FLOAT32
    FLOAT64 = _lib.LL_TYPE_FLOAT64

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


# --- errors and instruction sets -----------------------------------------------------------------


def _refuse(code: int, kernel: str) -> NoReturn:
    text = _ffi.string(_lib.ll_error_text(code)).decode("ascii")
    raise InputError(f"{kernel}: {text}")


def instruction_sets() -> tuple[str, ...]:
    """Names of the instruction sets that this CPU can run, best first; the last is "serial"."""
    return tuple(
        name for name in _INSTRUCTION_SETS if _lib.ll_set_available(_INSTRUCTION_SETS[name])
    )


def active_instruction_set() -> str:
    """Name of the instruction set that the kernels use."""
    active = _lib.ll_set_active()
    return next(name for name, number in _INSTRUCTION_SETS.items() if number == active)


def force_instruction_set(name: str) -> None:
    """Use an instruction set in all threads from now on; results do not depend on it.

    Raises
    ------
    InputError
        If the name is unknown or this CPU cannot run it.
    """
    if name not in instruction_sets():
        available = ", ".join(instruction_sets())
        raise InputError(f"instruction set {name!r} is not available; choose one of: {available}")
    _lib.ll_set_force(_INSTRUCTION_SETS[name])


if os.environ.get("LEADLINE_INSTRUCTION_SET"):
    force_instruction_set(os.environ["LEADLINE_INSTRUCTION_SET"])


# --- memory --------------------------------------------------------------------------------------


def _u64(array: NDArray[np.uint64]) -> Any:
    """The array's memory as a C pointer; cffi keeps the array alive with it."""
    if array.dtype != np.uint64:
        raise TypeError(f"expected uint64 values, got {array.dtype}")
    return _ffi.from_buffer("uint64_t[]", array)


def _aligned(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The values themselves, or a copy if they do not start at a multiple of 8 bytes."""
    return values if values.flags.aligned else values.copy()


# --- keys ----------------------------------------------------------------------------------------


def keys_encode(values: NDArray[np.uint64], storage: Storage) -> NDArray[np.uint64]:
    """Ordered keys of values: their unsigned order is the order of the values."""
    values = _aligned(values)
    keys = np.empty(len(values), dtype=np.uint64)
    code = _lib.ll_keys_encode(_u64(values), len(values), storage, _u64(keys))
    if code:
        _refuse(code, "keys")
    return keys


def keys_decode(keys: NDArray[np.uint64], storage: Storage) -> NDArray[np.uint64]:
    """Raw bytes of the values of ordered keys."""
    keys = _aligned(keys)
    values = np.empty(len(keys), dtype=np.uint64)
    code = _lib.ll_keys_decode(_u64(keys), len(keys), storage, _u64(values))
    if code:
        _refuse(code, "keys")
    return values


# --- gather --------------------------------------------------------------------------------------


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
    """
    if order is None:
        rows = _ffi.NULL
    else:
        if end > len(order):
            raise InputError(f"gather: row {end} of an order of {len(order)} rows")
        if order.dtype != np.int32:
            raise TypeError(f"expected an order of int32, got {order.dtype}")
        rows = _ffi.from_buffer("int32_t[]", order)
    found = _ffi.new("ll_tally *")
    code = _lib.ll_gather(
        view.type,
        _ffi.cast("void *", view.values),
        _ffi.cast("uint8_t *", view.validity),
        view.offset,
        view.length,
        rows,
        begin,
        end,
        _ffi.from_buffer("uint64_t[]", out, require_writable=True),
        len(out),
        found,
    )
    if code:
        _refuse(code, "gather")
    # The struct is nine int64 in a row; reading it at once costs less than two of its fields.
    written, following, *counts = _ffi.unpack(_ffi.cast("int64_t *", found), 9)
    return written, following, Tally(*counts)


# --- moments -------------------------------------------------------------------------------------


def moments_block(
    values: NDArray[np.uint64], storage: Storage
) -> tuple[int, float, float, float, float, int, int]:
    """Count, mean, m2, m3, m4 and the raw bytes of both extremes of the finite values."""
    values = _aligned(values)
    found = _ffi.new("ll_moments *")
    code = _lib.ll_moments_block(_u64(values), len(values), storage, found)
    if code:
        _refuse(code, "moments")
    return _moments_tuple(found)


def moments_weighted(
    values: NDArray[np.uint64], weights: NDArray[np.uint64], storage: Storage
) -> tuple[int, float, float, float, float, int, int]:
    """The same of distinct values with multiplicities."""
    if len(values) != len(weights):
        raise ValueError(f"{len(values)} values with {len(weights)} weights")
    values, weights = _aligned(values), _aligned(weights)
    found = _ffi.new("ll_moments *")
    code = _lib.ll_moments_weighted(_u64(values), _u64(weights), len(values), storage, found)
    if code:
        _refuse(code, "moments")
    return _moments_tuple(found)


def _moments_tuple(found: Any) -> tuple[int, float, float, float, float, int, int]:
    return (
        found.count,
        found.mean,
        found.m2,
        found.m3,
        found.m4,
        found.minimum,
        found.maximum,
    )


# --- histogram -----------------------------------------------------------------------------------

HISTOGRAM_PAGES: int = _lib.LL_HISTOGRAM_PAGES
HISTOGRAM_PAGE: int = _lib.LL_HISTOGRAM_PAGE
HISTOGRAM_COUNTERS: int = _lib.LL_HISTOGRAM_COUNTERS
HISTOGRAM_TOUCHED: int = _lib.LL_HISTOGRAM_TOUCHED


def histogram_index(values: NDArray[np.uint64], storage: Storage) -> NDArray[np.uint32]:
    """Bucket of every value; ``HISTOGRAM_PAGES * HISTOGRAM_PAGE`` for zeros and infinities."""
    values = _aligned(values)
    index = np.empty(len(values), dtype=np.uint32)
    pointer = _ffi.from_buffer("uint32_t[]", index)
    code = _lib.ll_histogram_index(_u64(values), len(values), storage, pointer)
    if code:
        _refuse(code, "histogram")
    return index


class HistogramCounters:
    """Counters of one thread: zeroed memory that counts values and is read and cleared again."""

    __slots__ = ("_counters", "_keep", "_touched")

    def __init__(self) -> None:
        # np.zeros maps zero pages lazily: only the pages of counters that are used take memory.
        counters = np.zeros(HISTOGRAM_COUNTERS, dtype=np.uint32)
        touched = np.zeros(HISTOGRAM_TOUCHED, dtype=np.uint8)
        self._keep = (counters, touched)
        self._counters = _ffi.from_buffer("uint32_t[]", counters)
        self._touched = _ffi.from_buffer("uint8_t[]", touched)

    def add(self, values: NDArray[np.uint64], storage: Storage) -> None:
        """Count values; at most 2**32 - 1 between two calls of ``clear``."""
        values = _aligned(values)
        code = _lib.ll_histogram_add(
            _u64(values), len(values), storage, self._counters, self._touched
        )
        if code:
            _refuse(code, "histogram")

    def heaviest(self) -> int:
        """The largest count of a bucket; 0 without values."""
        count: int = _lib.ll_histogram_heaviest(self._counters, self._touched)
        return count

    def pages(self) -> NDArray[np.uint16]:
        """Ascending numbers of the pages that hold values."""
        pages = np.empty(HISTOGRAM_PAGES, dtype=np.uint16)
        count = _lib.ll_histogram_pages(
            self._counters, self._touched, _ffi.from_buffer("uint16_t[]", pages)
        )
        return pages[:count].copy()

    def read(self, pages: NDArray[np.uint16], coarseness: int) -> NDArray[np.uint32]:
        """Counts of those pages, ``HISTOGRAM_PAGE >> coarseness`` each."""
        counts = np.empty((len(pages), HISTOGRAM_PAGE >> coarseness), dtype=np.uint32)
        code = _lib.ll_histogram_read(
            self._counters,
            self._touched,
            _ffi.from_buffer("uint16_t[]", pages),
            len(pages),
            coarseness,
            _ffi.from_buffer("uint32_t[]", counts),
        )
        if code:
            _refuse(code, "histogram")
        return counts

    def clear(self) -> None:
        """Back to zero everywhere."""
        _lib.ll_histogram_clear(self._counters, self._touched)


# --- distinct ------------------------------------------------------------------------------------

DISTINCT_REGISTERS: int = _lib.LL_DISTINCT_REGISTERS


def distinct_hash(values: NDArray[np.uint64], storage: Storage) -> NDArray[np.uint64]:
    """64-bit hashes; equal numbers have equal hashes whatever their storage."""
    values = _aligned(values)
    hashes = np.empty(len(values), dtype=np.uint64)
    code = _lib.ll_distinct_hash(_u64(values), len(values), storage, _u64(hashes))
    if code:
        _refuse(code, "distinct")
    return hashes


def distinct_add(
    values: NDArray[np.uint64], storage: Storage, registers: NDArray[np.uint8]
) -> None:
    """Raise the registers (uint8, ``DISTINCT_REGISTERS`` of them) by values."""
    values = _aligned(values)
    pointer = _registers(registers)
    code = _lib.ll_distinct_add(_u64(values), len(values), storage, pointer)
    if code:
        _refuse(code, "distinct")


def distinct_add_hashes(hashes: NDArray[np.uint64], registers: NDArray[np.uint8]) -> None:
    """Raise the registers by hashes."""
    hashes = _aligned(hashes)
    code = _lib.ll_distinct_add_hashes(_u64(hashes), len(hashes), _registers(registers))
    if code:
        _refuse(code, "distinct")


def _registers(registers: NDArray[np.uint8]) -> Any:
    if len(registers) != DISTINCT_REGISTERS:
        raise ValueError(f"expected {DISTINCT_REGISTERS} registers, got {len(registers)}")
    return _ffi.from_buffer("uint8_t[]", registers, require_writable=True)
