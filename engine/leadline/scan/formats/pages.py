"""Parquet's plain and common column chunks, decoded by kernels of our own.

Whatever is unusual, or looks damaged, is declined, and pyarrow decides: then its errors stand, and
what it can read is read. Arrays are equal to pyarrow's, with the same type.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import zstandard

from ..._native import (
    PLAIN,
    PLAIN_DICTIONARY,
    FooterChunk,
    FooterChunks,
    PageCodec,
    PageColumn,
    PageDeclined,
    PageKind,
    PageLayout,
    PageList,
    PageRows,
    PageUnpacker,
    ZstdContext,
    plain_page,
    zstd_library,
)
from ...schema import LeafPath

if TYPE_CHECKING:
    import pyarrow.parquet as pq

# Chunks are read in pieces of this many bytes.
_PIECE = 1 << 19
# Larger pages are left to pyarrow: writers aim at 1 MiB, and what a header says is only a claim.
_LARGEST_PAGE = 1 << 26
_LARGEST_PAGE_ROWS = 1 << 20
# Room for the texts of a unit at first; the footer's own figure is only a claim.
_TEXT_ROOM, _MOST_TEXT_ROOM = 1 << 20, 1 << 25
# Work memory that is kept.
_KEPT = 1 << 24

_STORED: dict[str, int] = {"INT32": 4, "INT64": 8, "FLOAT": 4, "DOUBLE": 8}
_PLAIN_TYPES: dict[tuple[str, pa.DataType], int] = {
    ("INT32", pa.int8()): 1,
    ("INT32", pa.uint8()): 1,
    ("INT32", pa.int16()): 2,
    ("INT32", pa.uint16()): 2,
    ("INT32", pa.int32()): 4,
    ("INT32", pa.uint32()): 4,
    ("INT32", pa.date32()): 4,
    ("INT64", pa.int64()): 8,
    ("INT64", pa.uint64()): 8,
    ("FLOAT", pa.float32()): 4,
    ("DOUBLE", pa.float64()): 8,
}
_UNITS = {"s": "", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
_TEXT_TYPES = {
    pa.string(): pa.string(),
    pa.binary(): pa.binary(),
    pa.large_string(): pa.string(),
    pa.large_binary(): pa.binary(),
}


@dataclass(frozen=True, slots=True)
class PageSchema:
    """A column that can be read here.

    Parameters
    ----------
    place
        Of the leaf among the leaves of the file.
    type
        As pyarrow reads it.
    layout, stored, width, nullable
        See `PageColumn`.
    """

    place: int
    type: pa.DataType
    layout: PageLayout
    stored: int
    width: int
    nullable: bool


@dataclass(frozen=True, slots=True)
class PageColumns:
    """What the footer of a file says of the columns that can be read here.

    Parameters
    ----------
    chunks
        All column chunks.
    schemas
        The columns, by path.
    """

    chunks: FooterChunks
    schemas: Mapping[LeafPath, PageSchema]


class PageReader:
    """Reads columns of one file. Several threads may read at the same time.

    Parameters
    ----------
    file
        The file by position.
    columns
        Those that can be read here; None if there is none.
    """

    def __init__(self, file: pa.NativeFile, columns: PageColumns | None) -> None:
        self._file, self._columns = file, columns

    def knows(self, path: LeafPath) -> bool:
        """Whether a column is of a kind that can be read here."""
        return self._columns is not None and path in self._columns.schemas

    def units(
        self, path: LeafPath, groups: Sequence[int], rows: Sequence[int], *, dictionary: bool
    ) -> Iterator[pa.ChunkedArray]:
        """A column of some row groups, unit by unit.

        Parameters
        ----------
        rows
            Of each unit: one for all row groups, or several of one row group.
        dictionary
            Whether texts are wanted as a dictionary.

        Raises
        ------
        PageDeclined
            If pyarrow should decide, from the first unit on that has not been given.
        """
        if self._columns is None:
            raise PageDeclined
        schema, described = self._columns.schemas[path], self._columns.chunks
        chunks = [_Chunk(self._file, described.chunk(group, schema.place)) for group in groups]
        column = _Column(schema, dictionary=dictionary)
        if len(rows) == 1:
            yield pa.chunked_array(column.together(chunks, rows[0]), type=column.type)
        else:
            for array in column.cut(chunks[0], rows):
                yield pa.chunked_array([array], type=column.type)


def page_columns(
    chunks: FooterChunks, metadata: pq.FileMetaData, schema: pa.Schema
) -> PageColumns | None:
    """The columns of a file that can be read here; None if there is none."""
    leaves = [metadata.schema.column(place) for place in range(metadata.num_columns)]
    times = Counter(leaf.path for leaf in leaves)
    found: dict[LeafPath, PageSchema] = {}
    for place, leaf in enumerate(leaves):
        path = leaf.path
        field = schema.get_field_index(path)  # -1 if there are several
        if field < 0 or times[path] > 1:
            continue
        if leaf.max_repetition_level or leaf.max_definition_level > 1:
            continue
        type_ = schema.field(field).type
        layout = _layout(leaf, type_)
        if layout is not None:
            found[path,] = PageSchema(place, type_, *layout, leaf.max_definition_level == 1)
    return PageColumns(chunks, found) if found else None


def _layout(column: Any, type_: pa.DataType) -> tuple[PageLayout, int, int] | None:
    """Layout, stored and Arrow's width of a column's values; None if they are not the same."""
    physical = column.physical_type
    if physical == "BOOLEAN" and pa.types.is_boolean(type_):
        return PageLayout.BITS, 0, 0
    if physical == "BYTE_ARRAY" and type_ in _TEXT_TYPES:
        return PageLayout.TEXTS, 4, 4
    width = _PLAIN_TYPES.get((physical, type_))
    if width is None and physical in {"INT32", "INT64"} and _same_unit(column, type_):
        width = type_.bit_width // 8
    stored = _STORED.get(physical, 0)
    if width is None or (width != stored and stored != _STORED["INT32"]):
        return None
    return PageLayout.NUMBERS, stored, width


def _same_unit(column: Any, type_: pa.DataType) -> bool:
    """Whether instants, times or durations are stored in the unit that Arrow gives them."""
    types = pa.types
    kind = column.logical_type.type
    if types.is_duration(type_):
        return bool(kind == "NONE")
    if kind == "TIME":
        fits = types.is_time32(type_) or types.is_time64(type_)
    else:
        fits = types.is_timestamp(type_) and kind == "TIMESTAMP"
    if not fits or type_.bit_width // 8 != _STORED[column.physical_type]:
        return False
    return bool(json.loads(column.logical_type.to_json())["timeUnit"] == _UNITS[type_.unit])


class _Work:
    """Work memory of one reader at a time: what is stored of some pages, and one page unpacked.

    Memory is reused because fresh memory costs more than the decoding of what is put there.
    """

    def __init__(self) -> None:
        self.stored = bytearray(_PIECE)
        self.zstd = zstandard.ZstdDecompressor()
        self._unpacked = bytearray(_PIECE)
        self._unpackers: dict[int, PageUnpacker] = {PageCodec.UNCOMPRESSED: PageUnpacker(None)}
        library = zstd_library()
        if library is not None:
            self._unpackers[PageCodec.ZSTD] = PageUnpacker(ZstdContext(library))

    def unpacker(self, codec: int) -> PageUnpacker | None:
        """What unpacks many pages in one call; None if they are to be unpacked one by one."""
        found = self._unpackers.get(codec)
        if found is not None:
            found.into(self._unpacked)
        return found

    @property
    def size(self) -> int:
        """Bytes held."""
        return len(self.stored) + len(self._unpacked)

    def room(self, size: int) -> memoryview:
        """Memory for an unpacked page."""
        if size > len(self._unpacked):
            self._unpacked = bytearray(size)
        return memoryview(self._unpacked)[:size]

    def grow(self, size: int) -> None:
        """More memory for stored pages; its content is lost."""
        if size > 2 * _LARGEST_PAGE:
            raise PageDeclined
        self.stored = bytearray(size)


_idle: list[_Work] = []
_CORES = os.cpu_count() or 1  # asking takes 35 us


@contextmanager
def _borrowed() -> Iterator[_Work]:
    try:
        work = _idle.pop()
    except IndexError:
        work = _Work()
    try:
        yield work
    finally:
        if len(_idle) < _CORES and work.size <= _KEPT:
            _idle.append(work)


class _Chunk:
    """The pages of one column chunk, unpacked one after the other."""

    def __init__(self, file: pa.NativeFile, chunk: FooterChunk) -> None:
        self._file, self._stored = file, chunk.stored
        self.values, self.size = chunk.values, chunk.size
        self._begin = chunk.begin
        if chunk.apart or min(self.values, self.size, self._stored, self._begin) < 0:
            raise PageDeclined
        if chunk.codec not in _CODECS:
            raise PageDeclined
        self._codec, self._unpack = chunk.codec, _CODECS[chunk.codec]

    def pages(self, rows: PageRows | None) -> Iterator[tuple[Any, memoryview | None, Any]]:
        """(page, its levels where they lie apart, its other bytes) of every page.

        The memory is good until the next page is asked for. Pages of data that can be decoded many
        at a time are appended to ``rows`` instead, if that is given.
        """
        listed = PageList()
        missing = self.values
        with _borrowed() as work:
            stream = self._file.get_stream(self._begin, self._stored)
            unread, kept = self._stored, 0
            while missing > 0:
                room = min(len(work.stored) - kept, unread)
                data = memoryview(work.stored)[: kept + room]
                if room == 0 or stream.readinto(data[kept:]) != room:
                    raise PageDeclined
                unread -= room
                begin = 0
                while True:
                    listed.find(data, begin)
                    place = 0
                    while place < len(listed.pages):
                        if rows is not None:
                            before = rows.count
                            place += self._many(listed, place, data[begin:], work, rows)
                            missing -= rows.count - before
                            if place == len(listed.pages):
                                break
                        page = listed.pages[place]
                        if page.kind != PageKind.DICTIONARY:
                            missing -= page.values
                        elif missing != self.values:
                            raise PageDeclined
                        yield page, *self._bodies(page, data[begin:], work)
                        place += 1
                    begin += listed.used
                    if not listed.full:
                        break
                kept = len(data) - begin
                if listed.wanted > kept + unread:
                    raise PageDeclined  # before memory is taken for what is not there
                if begin == 0 or listed.wanted > len(work.stored):
                    work.grow(max(2 * len(work.stored), listed.wanted))
                memoryview(work.stored)[:kept] = data[begin:]
        if missing < 0:
            raise PageDeclined

    def _many(
        self, listed: PageList, first: int, data: memoryview, work: _Work, rows: PageRows
    ) -> int:
        """Append pages from ``first`` on that can be decoded in one call; how many they are."""
        unpacker = work.unpacker(self._codec)
        return 0 if unpacker is None else rows.extend(listed, first, data, unpacker)

    def _bodies(self, page: Any, data: memoryview, work: _Work) -> tuple[memoryview | None, Any]:
        if page.size > _LARGEST_PAGE:
            raise PageDeclined
        stored = data[page.begin : page.begin + page.stored]
        if page.kind != PageKind.DATA_2:
            return None, self._unpacked(stored, page.size, work)
        levels, rest = stored[: page.level_bytes], stored[page.level_bytes :]
        size = page.size - page.level_bytes
        packed = page.packed and size  # nothing is not packed
        return levels, self._unpacked(rest, size, work) if packed else _whole(rest, size)

    def _unpacked(self, data: memoryview, size: int, work: _Work) -> Any:
        if self._unpack is None:
            return _whole(data, size)
        return self._unpack(data, size, work)


def _whole(data: memoryview, size: int) -> memoryview:
    if len(data) != size:
        raise PageDeclined
    return data


class _Column:
    """Makes arrays of the pages of one column."""

    def __init__(self, schema: PageSchema, *, dictionary: bool) -> None:
        self._schema = schema
        layout = schema.layout
        self._coded = dictionary and layout is PageLayout.TEXTS
        if self._coded:
            layout = PageLayout.CODES
        self._column = PageColumn(layout, schema.stored, schema.width, nullable=schema.nullable)
        self._entries: pa.Array | None = None
        self.type = pa.dictionary(pa.int32(), schema.type) if self._coded else schema.type

    def together(self, chunks: Sequence[_Chunk], total: int) -> list[pa.Array]:
        """All rows of some chunks; an array for each of them if they have dictionaries."""
        arrays = []
        text_room = min(sum(chunk.size for chunk in chunks), _MOST_TEXT_ROOM)
        rows = PageRows(self._column, total, text_room)
        for chunk in chunks:
            for page, levels, body in self._data_pages(chunk, rows):
                if page.values > rows.room - rows.count:
                    raise PageDeclined
                rows.append(page, levels, body)
            if self._coded:
                arrays.append(self._array(rows, rows.count, rows.nulls))
                if chunk is not chunks[-1]:
                    rows = PageRows(self._column, total)
        if not self._coded:
            arrays.append(self._array(rows, rows.count, rows.nulls))
        if sum(map(len, arrays)) != total:
            raise PageDeclined
        return arrays

    def cut(self, chunk: _Chunk, units: Sequence[int]) -> Iterator[pa.Array]:
        """The rows of a large chunk in units; no more of it is held than one of them."""
        wanted = iter([*units, 0])
        unit = next(wanted)
        rows = PageRows(self._column, unit, _TEXT_ROOM)
        for page, levels, body in self._data_pages(chunk):
            if page.values > _LARGEST_PAGE_ROWS:
                raise PageDeclined
            if page.values > rows.room - rows.count:
                rows = rows.rest(0, unit + page.values)
            rows.append(page, levels, body)
            while unit and rows.count >= unit:
                rest = rows.rest(unit, 0)
                yield self._array(rows, unit, rows.nulls - rest.nulls)
                unit = next(wanted)
                rows = rest.rest(0, unit)
        if unit:
            raise PageDeclined

    def _data_pages(
        self, chunk: _Chunk, rows: PageRows | None = None
    ) -> Iterator[tuple[Any, memoryview | None, Any]]:
        """Pages with rows, but for those appended to ``rows``; a dictionary before is taken."""
        self._column.forget()
        first = True
        for page, levels, body in chunk.pages(rows):
            if page.kind != PageKind.DICTIONARY:
                yield page, levels, body
            elif first:
                self._take_dictionary(page, body)
            else:
                raise PageDeclined
            first = False

    def _take_dictionary(self, page: Any, body: Any) -> None:
        """Have the page's values as the dictionary of the pages that follow."""
        if page.encoding not in {PLAIN, PLAIN_DICTIONARY}:
            raise PageDeclined
        schema = self._schema
        if schema.layout is PageLayout.BITS:
            raise PageDeclined
        if schema.layout is PageLayout.NUMBERS:
            if len(body) < page.values * schema.stored:
                raise PageDeclined
            entries = np.frombuffer(body, dtype=f"<i{schema.stored}", count=page.values)
            self._column.numbers(entries.astype(f"<i{schema.width}"))
            return
        if len(body) < 4 * page.values:  # their lengths alone
            raise PageDeclined
        texts = PageColumn(PageLayout.TEXTS, 4, 4, nullable=False)
        rows = PageRows(texts, page.values, len(body))
        rows.append(plain_page(page.values), None, body)
        self._column.texts(rows)
        if self._coded:
            self._entries = self._texts(rows, rows.count, 0)

    def _array(self, rows: PageRows, count: int, nulls: int) -> pa.Array:
        if self._schema.layout is PageLayout.TEXTS and not self._coded:
            return self._texts(rows, count, nulls)
        if not self._coded:
            return rows.array(self._schema.type, count, nulls)
        if self._entries is None:
            raise PageDeclined
        codes = rows.array(pa.int32(), count, nulls)
        return pa.DictionaryArray.from_arrays(codes, self._entries, safe=False)

    def _texts(self, rows: PageRows, count: int, nulls: int) -> pa.Array:
        texts = rows.array(_TEXT_TYPES[self._schema.type], count, nulls)
        return texts.cast(self._schema.type)


# --- unpacking -----------------------------------------------------------------------------------

_Unpack = Callable[[memoryview, int, _Work], Any]


def _unpack_with(name: str, size_of: Callable[[memoryview], int]) -> _Unpack:
    """Unpack with Arrow's codec, which does not say how much it has unpacked: ``size_of`` does."""

    def unpack(data: memoryview, size: int, work: _Work) -> pa.Buffer:  # noqa: ARG001
        try:
            if size_of(data) != size:
                raise PageDeclined
            return pa.Codec(name).decompress(data, decompressed_size=size)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise PageDeclined from error

    return unpack


def _snappy_size(data: memoryview) -> int:
    """The number before a block of Snappy, seven bits a byte."""
    size = 0
    for place, byte in enumerate(data[:5]):
        size |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            break
    return size


def _gzip_size(data: memoryview) -> int:
    """The number at the end of a gzip file."""
    return int.from_bytes(data[-4:], "little")


def _unpack_zstd(data: memoryview, size: int, work: _Work) -> memoryview:
    """Like pyarrow's codec, with a context and memory that are kept.

    Without, unpacking takes a tenth longer, and threads wait for each other's memory: two were 1.3
    times as fast as one.
    """
    try:
        if zstandard.frame_content_size(data) not in {-1, size}:
            raise PageDeclined
        room = work.room(size + 1)  # one more than there may be
        with work.zstd.stream_reader(data) as reader:
            unpacked = reader.readinto(room)
    except zstandard.ZstdError as error:
        raise PageDeclined from error
    if unpacked != size:
        raise PageDeclined
    return room[:size]


_CODECS: dict[int, _Unpack | None] = {
    PageCodec.UNCOMPRESSED: None,
    PageCodec.SNAPPY: _unpack_with("snappy", _snappy_size),
    PageCodec.GZIP: _unpack_with("gzip", _gzip_size),
    PageCodec.ZSTD: _unpack_zstd,
}
