"""Batches of rows: captured at the call, as what a request logged row by row is.

A batch is copied and waits with the rows, so that many are summarised together: a batch of 65,536
rows alone costs three times as much a value as a unit of a million. When half of the memory is
taken, a batch is summarised at once in the thread that brought it, and its cells wait: who brings
batches faster than they can be summarised is slowed down, and loses nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from .._capture import Batch, Block
from ..profile import Cell
from ..scan.formats.base import leaf
from ..scan.objects import source_of_object
from ..schema import flatten, leaves_of

# Arrow types of the columns that a block gives; texts are checked to be UTF-8 as they are captured.
_TYPES = {
    "null": pa.null(),
    "bool": pa.bool_(),
    "int64": pa.int64(),
    "double": pa.float64(),
    "text": pa.string(),
    "time": pa.timestamp("us", "UTC"),
}


@dataclass(frozen=True, slots=True)
class Summarised:
    """A batch as the cells that it made, and what its values broke by field and reason."""

    cells: Sequence[Cell]
    violations: Counter[tuple[str, str]]

    @property
    def nbytes(self) -> int:
        """Bytes of state held."""
        return sum(cell.nbytes for cell in self.cells)


def batch_of(taken: Block | Batch) -> pa.RecordBatch:
    """The rows of a block, or of a batch that waited among them; nothing is copied."""
    if isinstance(taken, Batch):
        return taken.data
    arrays, names = [], []
    for name, kind, nulls, *buffers in taken.columns():
        type_ = _TYPES[kind]
        if kind == "null":
            arrays.append(pa.nulls(taken.rows))
        else:
            given = [None if buffer is None else pa.py_buffer(buffer) for buffer in buffers]
            own = given if kind == "text" else given[:2]
            arrays.append(pa.Array.from_buffers(type_, taken.rows, own, nulls))
        names.append(name)
    return pa.RecordBatch.from_arrays(arrays, names)


def batches_of(data: Any) -> list[pa.RecordBatch]:
    """Anything that can be profiled, as record batches.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    if isinstance(data, pa.RecordBatch):
        return [data] if len(data) else []
    found = data.to_batches() if isinstance(data, pa.Table) else source_of_object(data).batches()
    return [batch for batch in found if len(batch)]


def copied(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The rows in memory of their own, so that nobody can change them any more."""
    if not any(pa.types.is_nested(f.type) or pa.types.is_dictionary(f.type) for f in batch.schema):
        return pa.ipc.read_record_batch(batch.serialize(), batch.schema)
    # Dictionaries lie in messages of their own. The stream grows by copies of itself.
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    with pa.ipc.open_stream(sink.getvalue()) as reader:
        return reader.read_next_batch()


def flattened(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The rows with structs spelled out, as a scan names their fields.

    Raises
    ------
    InputError
        If a name repeats or is no valid text.
    """
    fields = flatten(batch.schema)
    if len(fields) == len(batch.schema):
        return batch
    table = pa.table(batch)
    leaves = [leaf(table.column(path[0]), path) for path, _ in leaves_of(batch.schema)]
    chunks = [column.combine_chunks() for column in leaves]
    return pa.RecordBatch.from_arrays(
        [chunk.chunk(0) if isinstance(chunk, pa.ChunkedArray) else chunk for chunk in chunks],
        [name for name, _ in fields],
    )
