"""Parquet: row groups are the units; one column chunk is decoded at a time.

Whole row groups, ``pre_buffer`` and dataset scanners all hold more than one column in memory and
never let go of it in time; one column chunk at a time is also the fastest way measured.
"""

from __future__ import annotations

import hashlib
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, islice, product, repeat
from typing import TYPE_CHECKING

import pyarrow as pa

from ..._native import FooterChunks, PageDeclined
from ...errors import InputError
from ...locations import Location
from ...schema import LeafPath
from .base import InOrder, cut, leaf, not_a, reason
from .pages import PageColumns, PageReader, page_columns
from .plans import ReadingPlan, parquet_plans

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_MAGIC = b"PAR1"
_TRAILER = 8  # bytes after the footer: its length and the magic
# A first read of this many bytes from the end holds most footers: one access instead of two.
_GUESS = 65_536


class ParquetSource:
    """One Parquet file."""

    prompt = True

    def __init__(self, location: Location, name: str) -> None:
        self.name, self.label, self.size = name, location.label, location.size
        self._location = location
        footer = _read_footer(location)
        location.keep(footer)
        self._footer_bytes = len(footer)
        self._fingerprint = hashlib.blake2b(footer[:-_TRAILER], digest_size=16).hexdigest()
        metadata = self._metadata(footer)
        self._kept = (footer, metadata) if _kept.take(len(footer), self) else None
        self._rows = metadata.num_rows
        try:
            self._schema = _shared(metadata.schema.to_arrow_schema())
        except (pa.ArrowException, UnicodeDecodeError) as error:
            raise InputError(f"{self.label}: its schema cannot be read: {reason(error)}") from error

    def schema(self) -> pa.Schema:
        """Arrow schema of the footer."""
        return self._schema

    def rows(self) -> int:
        """Rows by the footer."""
        return int(self._rows)

    def consumed(self) -> int:
        """Not told."""
        return 0

    def fingerprint(self) -> str:
        """Hash of the footer's bytes."""
        return self._fingerprint

    def tasks(
        self,
        leaves: Sequence[LeafPath],
        unit_rows: int,
        in_order: InOrder,  # noqa: ARG002 (tasks decode for themselves)
    ) -> Iterator[ParquetTask]:
        """Row groups joined and cut to units; see `plans`."""
        if self._kept is not None:
            footer, metadata = self._kept
        else:
            footer = self._location.tail(self._footer_bytes)
            metadata = self._metadata(footer)
        self._kept = None  # the room is given back with the source
        chunks = self._chunks(footer, metadata)
        plans = list(parquet_plans(metadata, chunks, leaves, unit_rows))
        columns = None
        if any(plan.paged for plan in plans):
            columns = page_columns(chunks, metadata, self._schema)
        files = {
            dictionaries: _OpenFile(self._location, metadata, chunks, columns, dictionaries, plans)
            for dictionaries in dict.fromkeys(plan.dictionaries for plan in plans)
        }
        try:
            for plan in plans:
                yield ParquetTask(files[plan.dictionaries], plan)
        finally:
            for file in files.values():
                file.leave(None)

    def _chunks(self, footer: bytes, metadata: pq.FileMetaData) -> FooterChunks:
        groups, columns = metadata.num_row_groups, metadata.num_columns
        try:
            return FooterChunks(footer, groups, columns)
        except PageDeclined as error:
            raise InputError(
                f"{self.label} is damaged: its footer does not describe {columns:,} columns in "
                f"each of its {groups:,} row groups"
            ) from error

    def _metadata(self, footer: bytes) -> pq.FileMetaData:
        import pyarrow.parquet as pq

        try:
            return pq.read_metadata(pa.BufferReader(footer))
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"{self.label} is damaged: its footer cannot be read: {reason(error)}"
            ) from error


class _Room:
    """A number of bytes that sources share.

    Footers are parsed when files are opened and needed again when their turn comes; those of
    thousands of wide files would not fit in memory, so only the first ones are kept.
    """

    def __init__(self, size: int) -> None:
        self._free = size
        self._lock = threading.Lock()

    def take(self, size: int, source: object) -> bool:
        """Take room until the source is gone, if there is enough."""
        with self._lock:
            if size > self._free:
                return False
            self._free -= size
        weakref.finalize(source, self._give, size)
        return True

    def _give(self, size: int) -> None:
        with self._lock:
            self._free += size


_kept = _Room(1 << 24)  # as stored; parsed they take about five times as much


class ParquetTask:
    """Row groups that are one unit together, or one row group that is several units."""

    nbytes = 0

    def __init__(self, file: _OpenFile, plan: ReadingPlan) -> None:
        self.rows, self.portions = plan.rows, plan.portions
        self._plan, self._file = plan, file

    def read(self, leaves: Sequence[LeafPath]) -> Iterator[Sequence[pa.ChunkedArray]]:
        """Decode some column chunks (of every row group of the unit)."""
        columns: dict[LeafPath, Iterator[pa.ChunkedArray]] = {}
        if self._plan.paged:
            pages = self._file.pages(self)
            columns = {path: self._paged(pages, path) for path in leaves if pages.knows(path)}
        others = [path for path in leaves if path not in columns]
        rest = self._decoded(others) if others else repeat({})
        for _ in self.rows:
            arrays = dict(next(rest))
            for path, units in columns.items():
                arrays[path] = next(units)
            yield [arrays[path] for path in leaves]

    def _paged(self, pages: PageReader, path: LeafPath) -> Iterator[pa.ChunkedArray]:
        """Units of a column as the page reader gives them, from where it declines on as pyarrow."""
        plan = self._plan
        dictionary = ".".join(path) in plan.dictionaries
        done = 0
        try:
            for unit in pages.units(path, plan.groups, self.rows, dictionary=dictionary):
                done += 1
                yield unit
        except PageDeclined:
            for arrays in islice(self._decoded([path]), done, None):
                yield arrays[path]

    def _decoded(self, leaves: Sequence[LeafPath]) -> Iterator[dict[LeafPath, pa.ChunkedArray]]:
        """Units of some columns as pyarrow decodes them."""
        file = self._file.get(self)
        names = [".".join(path) for path in leaves]
        groups = list(self._plan.groups)
        if len(self.rows) == 1:
            table = file.read_row_groups(groups, columns=names, use_threads=False)
            yield {path: leaf(table.column(path[0]), path) for path in leaves}
            return
        batches = file.iter_batches(
            self.rows[0], row_groups=groups, columns=names, use_threads=False
        )
        for unit in cut(batches, self.rows[0]):
            table = pa.Table.from_batches(unit)
            yield {path: leaf(table.column(path[0]), path) for path in leaves}

    def close(self) -> None:
        """Close the file, if no other task reads from it."""
        self._file.leave(self)


class _OpenFile:
    """A file that tasks share: opened by the first to read from it, closed after the last one.

    Opening costs 1 microsecond a column, so files are not opened once a task. Several threads read
    from one reader at the same time, as Arrow's own threads do.

    Parameters
    ----------
    dictionaries
        Columns to read as dictionaries; this is decided where the file is opened.
    plans
        All tasks of the file.
    """

    def __init__(
        self,
        location: Location,
        metadata: pq.FileMetaData,
        chunks: FooterChunks,
        columns: PageColumns | None,
        dictionaries: Sequence[str],
        plans: Sequence[ReadingPlan],
    ) -> None:
        self._location, self._metadata, self._columns = location, metadata, columns
        self._chunks = chunks
        self._dictionaries, self._plans = list(dictionaries), plans
        self._lock = threading.Lock()
        self._bytes: pa.NativeFile | None = None
        self._pages: PageReader | None = None
        self._file: pq.ParquetFile | None = None
        # None stands for tasks that are still to come.
        self._users: set[ParquetTask | None] = {None}

    def get(self, user: ParquetTask) -> pq.ParquetFile:
        """The open file, for one more user."""
        import pyarrow.parquet as pq

        with self._lock:
            self._users.add(user)
            if self._file is None:
                self._file = pq.ParquetFile(
                    self._open(),
                    metadata=self._metadata,
                    read_dictionary=self._dictionaries,
                    pre_buffer=False,
                )
            return self._file

    def pages(self, user: ParquetTask) -> PageReader:
        """The reader of our own, for one more user."""
        with self._lock:
            self._users.add(user)
            if self._pages is None:
                self._pages = PageReader(self._open(), self._columns)
            return self._pages

    def leave(self, user: ParquetTask | None) -> None:
        """One user less."""
        with self._lock:
            self._users.discard(user)
            if not self._users and self._bytes is not None:
                if self._file is not None:
                    self._file.close(force=True)
                self._bytes.close()
                self._bytes = self._pages = self._file = None

    def _open(self) -> pa.NativeFile:
        """The bytes, for both readers."""
        if self._bytes is None:
            plans = [plan for plan in self._plans if [*plan.dictionaries] == self._dictionaries]
            self._bytes = self._location.open(_ranges(self._metadata, self._chunks, plans))
        return self._bytes


def _shared(schema: pa.Schema) -> pa.Schema:
    """One object for the equal schemas of many files: a thousand columns are 200 KB each time."""
    known = _latest[0]
    if known is not None and schema.equals(known, check_metadata=True):
        return known
    _latest[0] = schema
    return schema


_latest: list[pa.Schema | None] = [None]


def _read_footer(location: Location) -> bytes:
    """The footer and the eight bytes after it; refuse what does not end like a Parquet file."""
    label, size = location.label, location.size
    tail = location.tail(_GUESS)
    if not tail:
        raise InputError(f"{label} is empty")
    length = int.from_bytes(tail[-_TRAILER:-4], "little") + _TRAILER
    if size < 12 or not tail.endswith(_MAGIC) or length + 4 > size:
        head = location.head(8)
        if not head.startswith(_MAGIC):
            raise not_a(label, "a Parquet file", head)
        raise InputError(
            f"{label} is not a whole Parquet file: it does not end in a footer; "
            "it may still be being written, or was cut short"
        )
    return tail[-length:] if length <= len(tail) else location.tail(length)


def _ranges(
    metadata: pq.FileMetaData, chunks: FooterChunks, plans: Iterable[ReadingPlan]
) -> Iterator[tuple[int, int]]:
    """Bytes of the column chunks, about in the order in which they will be read."""
    places: dict[str, list[int]] = {}
    for place in range(len(metadata.schema)):
        *folders, name = metadata.schema.column(place).path.split(".")
        for dotted in accumulate([*folders, name], "{}.{}".format):
            places.setdefault(dotted, []).append(place)
    for plan in plans:
        for path in chain.from_iterable(plan.portions):
            for group, place in product(plan.groups, places.get(".".join(path), ())):
                chunk = chunks.chunk(group, place)
                if chunk.begin >= 0 and chunk.stored >= 0:
                    yield chunk.begin, chunk.begin + chunk.stored
