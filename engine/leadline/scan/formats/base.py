"""What the scan asks of a source, and what formats share: cutting, leaves, fingerprints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar, runtime_checkable

import pyarrow as pa

from ...errors import InputError
from ...schema import LeafPath
from .plans import Portions, table_portions

_T = TypeVar("_T")

_STREAM_COLUMNS = 32


class InOrder(Protocol):
    """Lets threads make calls, and gives the results in the order of the calls."""

    def __call__(self, calls: Iterable[Callable[[], _T]], weight: int) -> Iterator[_T]:
        """The results; ``weight`` is how much work one call is, in values."""


class Task(Protocol):
    """One or more consecutive units of one source, read some columns at a time.

    Several threads may read different columns of one task at the same time.
    """

    @property
    def rows(self) -> Sequence[int]:
        """Rows of each unit."""

    @property
    def portions(self) -> Portions:
        """The leaves that are best read together, the heaviest portion first."""

    @property
    def nbytes(self) -> int:
        """Bytes of decoded data that are held until the task is closed."""

    def read(self, leaves: Sequence[LeafPath]) -> Iterator[Sequence[pa.ChunkedArray]]:
        """Some leaf columns, unit by unit."""

    def close(self) -> None:
        """Give back files and memory."""


class Source(Protocol):
    """One input of a scan, in lineage order."""

    @property
    def name(self) -> str:
        """Name in the lineage."""

    @property
    def label(self) -> str:
        """Name in messages: what the user can find."""

    @property
    def size(self) -> int:
        """Bytes; 0 for objects in memory."""

    @property
    def prompt(self) -> bool:
        """Whether schema and rows are known without reading the data."""

    def schema(self) -> pa.Schema:
        """Arrow schema of the source."""

    def rows(self) -> int | None:
        """Number of rows, if known beforehand."""

    def consumed(self) -> int:
        """Bytes read so far, where rows are not known beforehand."""

    def fingerprint(self) -> str:
        """Hash by which an update recognises the source; equal for equal inputs."""

    def tasks(
        self, leaves: Sequence[LeafPath], unit_rows: int, in_order: InOrder
    ) -> Iterator[Task]:
        """The work of reading these columns, in order.

        Parameters
        ----------
        in_order
            For decoding that comes before there is a task: threads do it.

        Raises
        ------
        TypesChanged
            If a column's type turns out to be another one; `schema` then tells the new type and
            the source must be read again from its start.
        """


@runtime_checkable
class Learning(Protocol):
    """A source whose types are found by reading."""

    def learned(self) -> pa.Schema | None:
        """The types found so far; None if the source's head tells them."""

    def assume(self, types: pa.Schema) -> None:
        """Begin with types that an earlier scan has learned."""


class TypesChanged(Exception):  # noqa: N818 (a signal, not an error)
    """A text file holds values that its types so far do not cover; read it again.

    Parameters
    ----------
    changes
        (column, what happened) of every column concerned.
    """

    def __init__(self, changes: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{column}: {what}" for column, what in changes))
        self.changes = tuple(changes)


class TableTask:
    """One unit that is already in memory.

    Parameters
    ----------
    table
        The rows of the unit.
    leaves
        The columns to read.
    nbytes
        Bytes held for this scan alone; 0 for tables that belong to the caller.
    """

    def __init__(self, table: pa.Table, leaves: Sequence[LeafPath], nbytes: int) -> None:
        self.rows, self.nbytes = (table.num_rows,), nbytes
        self._table, self._leaves = table, leaves

    @property
    def portions(self) -> Portions:
        """Columns, the widest first."""
        return table_portions(self._table, self._leaves)

    def read(self, leaves: Sequence[LeafPath]) -> Iterator[Sequence[pa.ChunkedArray]]:
        """Some leaf columns."""
        yield [leaf(self._table.column(path[0]), path) for path in leaves]

    def close(self) -> None:
        """Let the memory go."""
        del self._table


def table_tasks(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    leaves: Sequence[LeafPath],
    unit_rows: int,
    *,
    owned: bool = True,
) -> Iterator[TableTask]:
    """Cut a stream of batches into units, whatever the sizes of the batches.

    Parameters
    ----------
    owned
        Whether the batches' memory is held for this scan alone.
    """
    for unit in cut(batches, unit_rows):
        nbytes = sum(batch.nbytes for batch in unit) if owned else 0
        yield TableTask(pa.Table.from_batches(unit, schema), leaves, nbytes)


def rows_of_streams(unit_rows: int, columns: int) -> int:
    """Rows of a unit of a file that is decoded row by row, all columns together.

    Its units wait in memory: 1,048,576 rows of up to 32 columns, and fewer of more, so that two
    thousand columns take no more room than twenty. It depends on the file's schema alone.
    """
    wide = max(columns - 1, 0) // _STREAM_COLUMNS
    return max(unit_rows >> wide.bit_length(), 1)


def cut(batches: Iterable[pa.RecordBatch], unit_rows: int) -> Iterator[list[pa.RecordBatch]]:
    """Group batches into units of exactly ``unit_rows`` rows (the last may be shorter)."""
    held: list[pa.RecordBatch] = []
    missing = unit_rows
    for batch in batches:
        begin = 0
        while begin < batch.num_rows:
            part = batch.slice(begin, missing)
            held.append(part)
            begin += part.num_rows
            missing -= part.num_rows
            if missing == 0:
                yield held
                held, missing = [], unit_rows
    if held:
        yield held


def leaf(column: pa.ChunkedArray, path: LeafPath) -> pa.ChunkedArray:
    """Go down to one leaf of a top-level column; a null struct makes its fields null."""
    if len(path) == 1:
        return column
    chunks, type_ = column.chunks, column.type
    for name in path[1:]:
        if isinstance(type_, pa.BaseExtensionType):
            chunks, type_ = [chunk.storage for chunk in chunks], type_.storage_type
        position = type_.get_field_index(name)
        type_ = type_.field(position).type
        chunks = [chunk.flatten()[position] for chunk in chunks]
    return pa.chunked_array(chunks, type=type_)


def not_a(label: str, what: str, head: bytes) -> InputError:
    """The error for a file that is not what its name says."""
    looks = next((name for magic, name in _MAGIC if head.startswith(magic)), None)
    guess = f", like {looks}" if looks else ""
    return InputError(f"{label} is not {what}: it starts with {head[:8]!r}{guess}")


def reason(error: BaseException) -> str:
    """An error of a library in one line."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300]


_MAGIC = (
    (b"PAR1", "a Parquet file"),
    (b"PARE", "an encrypted Parquet file"),
    (b"ARROW1", "an Arrow IPC file"),
    (b"FEA1", "a Feather file of version 1"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
    (b"PK\x03\x04", "a zip file"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
    (b"\xff\xff\xff\xff", "an Arrow IPC stream"),
    (b"LEAD", "a Leadline snapshot"),
    (b"{", "JSON"),
    (b"[", "JSON"),
)
BINARY_MAGIC = tuple(magic for magic, _ in _MAGIC[:10])
