"""The only module that imports the compiled kernels, and what every call of them needs.

Codes become exceptions here, arrays become pointers, and the instruction set is chosen.
"""

from __future__ import annotations

import os
from enum import IntEnum
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError


class MissingKernelsError(ImportError):
    """The compiled module is not there; the message says how to build it."""


try:
    from .._kernels import ffi as _ffi
    from .._kernels import lib as _lib
except ImportError as error:
    what = "missing" if isinstance(error, ModuleNotFoundError) else f"unusable ({error})"
    raise MissingKernelsError(
        f"leadline's compiled kernels are {what}; run `make setup` in the source tree "
        "or `pip install -e .`"
    ) from None

lib: Any = _lib
ffi: Any = _ffi


class Storage(IntEnum):
    """How the 8 bytes of a value in a block are to be read."""

    FLOAT64 = lib.LL_STORAGE_FLOAT64
    INT64 = lib.LL_STORAGE_INT64
    UINT64 = lib.LL_STORAGE_UINT64

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy type of the values."""
        return _DTYPES[self]


_DTYPES = {
    Storage.FLOAT64: np.dtype(np.float64),
    Storage.INT64: np.dtype(np.int64),
    Storage.UINT64: np.dtype(np.uint64),
}


# --- errors and instruction sets -----------------------------------------------------------------

_INSTRUCTION_SETS = {
    "avx512": lib.LL_SET_AVX512,
    "avx2": lib.LL_SET_AVX2,
    "serial": lib.LL_SET_SERIAL,
}


def refuse(code: int, kernel: str) -> NoReturn:
    """Raise what an error code of a kernel means.

    Raises
    ------
    InputError
        If a row, code or offset is outside its array: the data may be at fault.
    ValueError
        If the arguments are wrong, which only the caller can be.
    """
    text = ffi.string(lib.ll_error_text(code)).decode("ascii")
    if code == lib.LL_ERROR_ARGUMENT:
        raise ValueError(f"{kernel}: {text}")
    raise InputError(f"{kernel}: {text}")


def instruction_sets() -> tuple[str, ...]:
    """Names of the instruction sets that this CPU can run, best first; the last is "serial"."""
    return tuple(
        name for name in _INSTRUCTION_SETS if lib.ll_set_available(_INSTRUCTION_SETS[name])
    )


def active_instruction_set() -> str:
    """Name of the instruction set that the kernels use."""
    active = lib.ll_set_active()
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
    lib.ll_set_force(_INSTRUCTION_SETS[name])


if os.environ.get("LEADLINE_INSTRUCTION_SET"):
    force_instruction_set(os.environ["LEADLINE_INSTRUCTION_SET"])


# --- memory --------------------------------------------------------------------------------------

_POINTERS = {
    np.dtype(np.uint8): "uint8_t[]",
    np.dtype(np.uint16): "uint16_t[]",
    np.dtype(np.int32): "int32_t[]",
    np.dtype(np.uint32): "uint32_t[]",
    np.dtype(np.int64): "int64_t[]",
    np.dtype(np.uint64): "uint64_t[]",
    np.dtype(np.float64): "double[]",
}


def memory(array: NDArray[Any], dtype: type[np.generic]) -> Any:
    """The array's memory as a C pointer; cffi keeps the array alive with it."""
    if array.dtype != dtype:
        raise ValueError(f"expected {np.dtype(dtype)} values, got {array.dtype}")
    return ffi.from_buffer(_POINTERS[array.dtype], array)


def words(array: NDArray[np.uint64]) -> Any:
    """The memory of an array of uint64 as a C pointer."""
    if array.dtype != np.uint64:
        raise ValueError(f"expected uint64 values, got {array.dtype}")
    return ffi.from_buffer("uint64_t[]", array)


def aligned(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The values themselves, or a copy if they do not start at a multiple of 8 bytes."""
    return values if values.flags.aligned else values.copy()


def require_room(array: NDArray[Any], size: int) -> None:
    """Refuse work memory that is too small."""
    if len(array) < size:
        raise ValueError(f"work memory for {len(array)} values, but {size} are needed")


def bytes_at(address: int, size: int) -> bytes:
    """A copy of memory that the caller keeps alive."""
    return bytes(ffi.buffer(ffi.cast("uint8_t *", address), size))
