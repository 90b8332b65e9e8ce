"""States of users' own summaries <-> one binary field (docs/format.md, section 5.11).

A state is an array of numbers; the functions that made it stay in the user's code.
"""

from __future__ import annotations

import math

import numpy as np

from ..profile.custom import MOST_BYTES, MOST_DIMENSIONS, CustomState, States, is_name
from .frames import FrameError
from .packing import Cursor, varint

MOST_STATES = 64  # of one column
# The place of a type is its code.
_TYPES = ["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"]


def encode_custom(states: States) -> bytes | None:
    """States by ascending name; None if there are none, or none that is known for all rows.

    Raises
    ------
    FrameError
        If there are more than a reader accepts.
    """
    held = sorted((state.name, state.array) for state in states.values() if state.array is not None)
    if len(held) > MOST_STATES:
        raise FrameError(f"a column has {len(held)} summaries of users; at most {MOST_STATES}")
    parts = [varint(len(held))]
    for name, array in held:
        assert array is not None
        code = _TYPES.index(array.dtype.str[1:])
        parts += [varint(len(name)), name.encode("ascii"), bytes((code, array.ndim))]
        parts += map(varint, array.shape)
        parts.append(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
    return b"".join(parts) if held else None


def decode_custom(data: bytes) -> dict[str, CustomState]:
    """The inverse of `encode_custom`; the states have no functions yet.

    Raises
    ------
    FrameError
        If the bytes contradict themselves or the limits of a state.
    """
    cursor = Cursor(data)
    count = cursor.varint()
    if not 1 <= count <= MOST_STATES:
        raise FrameError(f"a column has {count:,} summaries of users; 1 to {MOST_STATES} are read")
    states: dict[str, CustomState] = {}
    last = ""
    for _ in range(count):
        name = cursor.take(cursor.varint()).decode("ascii")
        if not is_name(name) or name <= last:
            raise FrameError("the summaries of users are named wrongly or out of order")
        last = name
        code, dimensions = cursor.byte(), cursor.byte()
        if code >= len(_TYPES) or dimensions > MOST_DIMENSIONS:
            raise FrameError(f"the state of summary {name!r} is of no known type")
        dtype = np.dtype(f"<{_TYPES[code]}")
        shape = tuple(cursor.varint() for _ in range(dimensions))
        size = math.prod(shape) * dtype.itemsize
        if not 0 < size <= MOST_BYTES:
            raise FrameError(f"the state of summary {name!r} has {size:,} bytes")
        content = cursor.take(size)
        if dtype.kind == "b" and content.strip(b"\0\1"):
            raise FrameError(f"the state of summary {name!r} holds bytes that are no booleans")
        array = np.frombuffer(content, dtype=dtype).reshape(shape)
        states[name] = CustomState(name, array.astype(dtype.newbyteorder("=")))
    cursor.finish()
    return states
