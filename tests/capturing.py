"""What tests of the capture share: recorders, and what they hold as plain Python values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from leadline._capture import Block, Recorder

TYPES = {
    "bool": pa.bool_(),
    "int64": pa.int64(),
    "double": pa.float64(),
    "text": pa.string(),
    "time": pa.timestamp("us", "UTC"),
}
# An epoch that no test outlives: about 73 years.
AGE = 2**61 - 1


def recorder(fields: Iterable[str] = (), **options: Any) -> Recorder:
    """A recorder with room for what tests log, in one epoch."""
    return Recorder(fields, **{"step_ns": AGE, "rows": 10**6, "bytes": 2**26, **options})


def batch_of(block: Block) -> pa.RecordBatch:
    """The columns of a block, checked by Arrow itself."""
    arrays, names = [], []
    for name, kind, nulls, *buffers in block.columns():
        names.append(name)
        if kind == "null":
            assert nulls == block.rows
            assert buffers == [None, None, None]
            arrays.append(pa.nulls(block.rows))
            continue
        assert (buffers[2] is None) == (kind != "text")
        wrapped = [None if buffer is None else pa.py_buffer(buffer) for buffer in buffers]
        own = wrapped if kind == "text" else wrapped[:2]
        arrays.append(pa.Array.from_buffers(TYPES[kind], block.rows, own, nulls))
    batch = pa.RecordBatch.from_arrays(arrays, names)
    batch.validate(full=True)
    for array in batch.columns:
        assert array.null_count == sum(value is None for value in array.to_pylist())
    return batch


def drained(of: Recorder) -> list[pa.RecordBatch]:
    """Everything logged so far, as batches in order; all is released."""
    of.seal()
    batches = []
    for block in of.take(2**62):
        batches.append(batch_of(block))
        of.release(block)
    return batches


def rows_of(of: Recorder) -> list[dict[str, Any]]:
    """Everything logged so far as rows of the fields that their block knew."""
    return [row for batch in drained(of) for row in batch.to_pylist()]
