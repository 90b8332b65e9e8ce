"""Arrow IPC: the file format (Feather version 2 is the same) and the stream format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import pyarrow as pa
import pyarrow.ipc

from ...errors import InputError
from ...locations import Location
from ...schema import LeafPath
from .base import InOrder, TableTask, not_a, reason, rows_of_streams, table_tasks
from .text import packing_of

_FILE_MAGIC = b"ARROW1"
_BATCH_VALUES = 65_536  # what a batch is taken for where threads are concerned


class IpcSource:
    """One Arrow IPC file or stream; the file's first bytes tell which."""

    prompt = True

    def __init__(self, location: Location, name: str, *, by_content: bool = False) -> None:
        self.name, self.label = name, location.label
        self._location = location
        head = location.head(8)
        if not head:
            raise InputError(f"{self.label} is empty")
        self._compression = packing_of(head)[0] if by_content else None
        self._is_file = head.startswith(_FILE_MAGIC)
        if not (self._is_file or self._compression or begins_a_stream(head)):
            raise not_a(self.label, "an Arrow IPC file", head)
        try:
            with self._open(None) as (_, reader):
                self._schema = reader.schema
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"{self.label} is not a whole Arrow IPC file: {reason(error)}"
            ) from error

    @property
    def size(self) -> int:
        """Bytes; 0 while a pipe is being read."""
        return self._location.size

    def schema(self) -> pa.Schema:
        """Arrow schema of the file."""
        return self._schema

    def rows(self) -> None:
        """Not known without visiting every batch."""

    def consumed(self) -> int:
        """Not told."""
        return 0

    def fingerprint(self) -> str:
        """Hash of the file's size and ends."""
        return self._location.hash_of_ends()

    def tasks(
        self, leaves: Sequence[LeafPath], unit_rows: int, in_order: InOrder
    ) -> Iterator[TableTask]:
        """Units of the batches joined and cut; only the chosen columns are read."""
        chosen = list(dict.fromkeys(path[0] for path in leaves))
        positions = sorted(self._schema.get_field_index(name) for name in chosen)
        with self._open(positions, again=False) as (file, reader):
            schema = pa.schema([self._schema.field(position) for position in positions])
            rows = rows_of_streams(unit_rows, len(self._schema))
            batches = in_order(_decodings(reader, schema.names), _BATCH_VALUES)
            yield from table_tasks(batches, schema, leaves, rows)
            if not self._is_file and file.read(1):
                raise InputError(
                    f"{self.label} goes on after the end of its Arrow stream; "
                    "give several streams as several files"
                )

    @contextmanager
    def _open(
        self, positions: list[int] | None, *, again: bool = True
    ) -> Iterator[tuple[pa.NativeFile, pa.RecordBatchReader]]:
        options = pa.ipc.IpcReadOptions(included_fields=positions or None, use_threads=False)
        reads = pa.ipc.open_file if self._is_file else pa.ipc.open_stream
        # Batches keep the part of a memory map that they lie in, also after it is closed.
        with (
            self._bytes(again=again) as file,
            reads(file, options=options) as reader,
        ):
            yield file, reader

    def _bytes(self, *, again: bool) -> pa.NativeFile:
        if self._is_file:
            return self._location.map()
        stream = self._location.stream(again=again)
        return pa.CompressedInputStream(stream, self._compression) if self._compression else stream


def check_memory(batch: pa.RecordBatch) -> None:
    """Refuse a batch whose offsets or dictionary codes point outside its buffers.

    Bytes of text are not looked at: invalid UTF-8 is data, not damage.
    """
    for column in batch.columns:
        _check(column)


def _check(array: pa.Array) -> None:
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_struct(array.type):
        array.validate()
        for position in range(array.type.num_fields):
            _check(array.field(position))
    elif pa.types.is_nested(array.type) and not pa.types.is_run_end_encoded(array.type):
        array.validate()  # lists are only counted: nobody follows their offsets
    else:
        _as_bytes(array).validate(full=True)


def _as_bytes(array: pa.Array) -> pa.Array:
    """The array with text seen as bytes, without a copy."""
    if pa.types.is_string(array.type):
        return array.view(pa.binary())
    if pa.types.is_large_string(array.type):
        return array.view(pa.large_binary())
    if pa.types.is_string_view(array.type):
        return array.view(pa.binary_view())
    if pa.types.is_dictionary(array.type):
        array.dictionary.validate()
        entries = _as_bytes(array.dictionary)
        return pa.DictionaryArray.from_arrays(array.indices, entries, safe=False)
    return array


def _decodings(reader: object, names: list[str]) -> Iterator[Callable[[], pa.RecordBatch]]:
    """Calls that give the batches of a reader.

    Batches of a file are decoded by the calls; those of a stream can only be read one after the
    other, and the calls check them.
    """
    if not isinstance(reader, pa.ipc.RecordBatchFileReader):
        for batch in reader:  # type: ignore[attr-defined]
            yield partial(_chosen, batch, names)
        return
    if reader.num_record_batches:
        # The first batch is read here: with it come the dictionaries that all of them share.
        yield partial(_chosen, reader.get_batch(0), names)
    for position in range(1, reader.num_record_batches):
        yield partial(_decoded, reader, position, names)


def _decoded(
    reader: pa.ipc.RecordBatchFileReader, position: int, names: list[str]
) -> pa.RecordBatch:
    return _chosen(reader.get_batch(position), names)


def _chosen(batch: pa.RecordBatch, names: list[str]) -> pa.RecordBatch:
    """The chosen columns of a batch, checked; with none chosen pyarrow reads them all."""
    batch = batch.select(names)
    check_memory(batch)
    return batch


def begins_a_stream(head: bytes) -> bool:
    """A stream starts with a message's length, since 2019 after four bytes of ones."""
    if head.startswith(b"\xff\xff\xff\xff"):
        return True
    length = int.from_bytes(head[:4], "little")
    return len(head) == 8 and 0 < length < 2**24 and head[4:8] == b"\x10\x00\x00\x00"
