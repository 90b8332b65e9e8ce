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

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .._capture import Batch, Block
from ..profile import Cell
from ..scan.formats.base import leaf
from ..scan.objects import source_of_object
from ..schema import flatten, leaves_of

# Bytes from which a copy goes into memory that is used again, how many such pieces are kept, and
# what a stream holds besides its two messages.
LARGE, _MOST_FREE, _ENDS = 2**18, 8, 64
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
        return taken.data.rows
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


def size_of(batch: pa.RecordBatch) -> int:
    """Bytes of the rows; those of the whole memory, where they are few, are quicker to tell."""
    whole: int = batch.get_total_buffer_size()
    return whole if whole < LARGE else batch.nbytes


@dataclass(frozen=True, slots=True)
class Copy:
    """The rows of a batch in memory that nobody else can change."""

    rows: pa.RecordBatch
    memory: NDArray[np.uint8] | None


class Copies:
    """Copies batches; large ones into memory that is used again.

    Memory that no page belongs to yet takes the system 6 ns a value to clear, six times what the
    copy itself takes.
    """

    def __init__(self) -> None:
        self._free: list[NDArray[np.uint8]] = []  # to take and to give back is one operation

    def of(self, batch: pa.RecordBatch) -> Copy:
        """A copy of a batch, whose memory is to be given back."""
        if any(pa.types.is_nested(f.type) or pa.types.is_dictionary(f.type) for f in batch.schema):
            return _streamed(batch)  # dictionaries lie in messages of their own
        if size_of(batch) < LARGE:
            return Copy(pa.ipc.read_record_batch(batch.serialize(), batch.schema), None)
        # The message of the rows, after that of the schema.
        needed = pa.ipc.get_record_batch_size(batch) + batch.schema.serialize().size + _ENDS
        memory = self._memory(needed)
        whole = pa.py_buffer(memory)
        with pa.ipc.new_stream(pa.FixedSizeBufferWriter(whole), batch.schema) as writer:
            writer.write_batch(batch)
        with pa.ipc.open_stream(whole) as reader:
            return Copy(reader.read_next_batch(), memory)

    def give_back(self, copy: Copy) -> None:
        """The rows of a copy are not needed any more."""
        if copy.memory is not None and len(self._free) < _MOST_FREE:
            self._free.append(copy.memory)

    def _memory(self, needed: int) -> NDArray[np.uint8]:
        try:
            memory = self._free.pop()
        except IndexError:
            memory = np.empty(needed, dtype=np.uint8)
        return memory if len(memory) >= needed else np.empty(needed, dtype=np.uint8)


def _streamed(batch: pa.RecordBatch) -> Copy:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    with pa.ipc.open_stream(sink.getvalue()) as reader:
        return Copy(reader.read_next_batch(), None)


def flattened(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The rows with structs spelled out, as a scan names their fields.

    Raises
    ------
    InputError
        If a name repeats or is no valid text.
    """
    fields = flatten(batch.schema)
    if [name for name, _ in fields] == batch.schema.names:
        return batch
    table = pa.table(batch)
    leaves = [leaf(table.column(path[0]), path) for path, _ in leaves_of(batch.schema)]
    chunks = [column.combine_chunks() for column in leaves]
    return pa.RecordBatch.from_arrays(
        [chunk.chunk(0) if isinstance(chunk, pa.ChunkedArray) else chunk for chunk in chunks],
        [name for name, _ in fields],
    )
