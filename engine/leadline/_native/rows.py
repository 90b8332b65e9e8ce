"""Fields of rows into the body of an Arrow record batch."""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .library import ffi, lib, memory, refuse, words


class Body(NamedTuple):
    """The body of a record batch, and what its metadata says of it.

    Parameters
    ----------
    stream
        Work memory of the calling thread, which the next body overwrites: the buffers of all
        written fields lie in ``stream[begin:end]``, and around them there is room for what
        surrounds them in a stream.
    nodes, buffers
        int64[..., 2]: rows and nulls of each field; offset and length of each buffer.
    written
        Which fields some row holds.
    """

    stream: memoryview
    begin: int
    end: int
    nodes: NDArray[np.int64]
    buffers: NDArray[np.int64]
    written: tuple[bool, ...]


# Room before a body, for the schema and the metadata of a batch; and after it.
_BEFORE, _AFTER = 65_536, 64
_LOCAL = threading.local()


def _work_memory(size: int) -> NDArray[np.uint8]:
    """Memory of the calling thread: fresh memory for each body took as long as filling it."""
    found: NDArray[np.uint8] | None = getattr(_LOCAL, "memory", None)
    if found is None or len(found) < size:
        found = _LOCAL.memory = np.empty(max(2 * size, 2**20), dtype=np.uint8)
    return found


def rows_body(
    binary: NDArray[np.uint8],
    present: NDArray[np.uint8],
    values: NDArray[np.uint64],
    sizes: NDArray[np.int64],
) -> Body:
    """The fields that some row holds, as the body of a record batch.

    Parameters
    ----------
    binary
        For each field 1 if it holds bytes, 0 if numbers of 8 bytes.
    present, values, sizes
        ``[fields, rows]``: whether a row has a field; its number, or where its bytes lie; how many
        they are.
    """
    fields, count = present.shape
    if not values.shape == sizes.shape == present.shape or len(binary) != fields:
        raise ValueError(f"{fields} fields of {count} rows, {values.shape} values")
    rows = ffi.new("ll_rows *")
    rows.fields, rows.count = fields, count
    rows.binary, rows.present = memory(binary, np.uint8), memory(present.reshape(-1), np.uint8)
    rows.values = words(values.reshape(-1))
    rows.sizes = memory(sizes.reshape(-1), np.int64)
    room = (24 + 10 * count) * fields + int(sizes.sum())
    out = _work_memory(_BEFORE + room + _AFTER)
    nodes, buffers = np.empty((fields, 2), np.int64), np.empty((3 * fields, 2), np.int64)
    written, size = np.empty(fields, dtype=np.uint8), ffi.new("int64_t *")
    code = lib.ll_rows_body(
        rows,
        memory(out, np.uint8) + _BEFORE,
        room,
        memory(nodes.reshape(-1), np.int64),
        memory(buffers.reshape(-1), np.int64),
        memory(written, np.uint8),
        size,
    )
    if code:
        refuse(code, "rows")
    held = written.astype(bool)
    parts = int((2 + binary[held]).sum())
    return Body(
        memoryview(out),  # type: ignore[arg-type]  # (NumPy's stubs do not say that it is one)
        _BEFORE,
        _BEFORE + size[0],
        nodes[: int(held.sum())],
        buffers[:parts],
        tuple(held.tolist()),
    )
