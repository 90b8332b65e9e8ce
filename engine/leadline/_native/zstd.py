"""Zstandard's C functions in the library that python-zstandard brings along.

Kernels that unpack many small pieces call them directly: from Python, two threads wait for each
other's interpreter lock twice a piece.
"""

from __future__ import annotations

import ctypes
from functools import cache
from importlib.util import find_spec


class ZstdContext:
    """A context of decompression, and the function that uses it; for one thread at a time.

    Parameters
    ----------
    library
        As `zstd_library` gives it.
    """

    __slots__ = ("_free", "context", "function")

    def __init__(self, library: ctypes.CDLL) -> None:
        self._free = library.ZSTD_freeDCtx
        self.function = ctypes.cast(library.ZSTD_decompressDCtx, ctypes.c_void_p).value
        self.context = library.ZSTD_createDCtx()
        if not self.context:
            raise MemoryError

    def __del__(self) -> None:
        if getattr(self, "context", None):
            self._free(self.context)


@cache
def zstd_library() -> ctypes.CDLL | None:
    """The library; None where a build of python-zstandard does not show its functions.

    Its module for cffi shows them; that for CPython keeps them to itself.
    """
    try:
        module = find_spec("zstandard._cffi")
        if module is None or module.origin is None:
            return None
        library = ctypes.CDLL(module.origin)
        library.ZSTD_createDCtx.restype = ctypes.c_void_p
        library.ZSTD_freeDCtx.argtypes = [ctypes.c_void_p]
        library.ZSTD_decompressDCtx.restype = ctypes.c_size_t
    except (ImportError, OSError, AttributeError):
        return None
    return library
