"""Whole numbers in few bytes (docs/format.md, section 5).

Columns of bytes are laid out byte plane by byte plane, so that the compressor meets the bytes of
one significance together. Every length is checked against the bytes that are there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._native import packing_numbers
from .frames import FrameError

_VARINT_LIMIT = 10  # bytes of the longest 64-bit varint


class Cursor:
    """A position in bytes that are read from front to back."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        part = self._data[self._position : self._position + size]
        if len(part) != size:
            raise FrameError("a state is shorter than it declares")
        self._position += size
        return part

    def byte(self) -> int:
        """The next byte."""
        if self._position >= len(self._data):
            raise FrameError("a state is shorter than it declares")
        self._position += 1
        return self._data[self._position - 1]

    def varint(self) -> int:
        """The next LEB128 number, below 2**64 and in its shortest form."""
        value = 0
        for place in range(_VARINT_LIMIT):
            byte = self.byte()
            value |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                if value >= 2**64 or (byte == 0 and place):
                    break
                return value
        raise FrameError("a state holds a number that is too long")

    def planes(self, count: int) -> NDArray[np.uint64]:
        """``count`` numbers that `pack` wrote."""
        width, planes = self.raw_planes(count)
        raw = np.frombuffer(planes, dtype=np.uint8)
        if width == 1:
            return raw.astype(np.uint64)
        wide = np.zeros((count, 8), dtype=np.uint8)
        wide[:, :width] = raw.reshape(width, count).T
        return wide.view("<u8").reshape(count).astype(np.uint64, copy=False)

    def raw_planes(self, count: int) -> tuple[int, bytes]:
        """Width and byte planes of ``count`` numbers that `pack` wrote."""
        width = self.byte()
        if not 1 <= width <= 8:
            raise FrameError(f"a state holds numbers of {width} bytes; 1 to 8 are read")
        return width, self.take(count * width)

    def rest(self) -> bytes:
        """All bytes that are left."""
        return self.take(len(self._data) - self._position)

    def finish(self) -> None:
        """Require that every byte was read."""
        if self._position != len(self._data):
            raise FrameError("a state is longer than it declares")


def varint(value: int) -> bytes:
    """LEB128 bytes of a number from 0 to 2**64 - 1."""
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def zigzag(value: int) -> int:
    """A signed number as an unsigned one: 0, -1, 1, -2, ... become 0, 1, 2, 3, ..."""
    return 2 * value if value >= 0 else -2 * value - 1


def unzigzag(value: int) -> int:
    """The inverse of `zigzag`."""
    return value // 2 if value % 2 == 0 else -(value + 1) // 2


def pack(values: NDArray[np.unsignedinteger[Any]], *, less: int = 0) -> bytes:
    """Numbers less ``less`` as the smallest width in bytes that holds them all, and their planes.

    Never width 0: memory of the decoded state stays in proportion to the bytes it comes from.
    """
    return packing_numbers(values, less)
