"""Pages of Parquet's column chunks, found and decoded into memory laid out as Arrow wants it."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .library import ffi, lib, refuse
from .zstd import ZstdContext

_ROOM = 16  # bytes that the kernels may write after the last row
_FOUND = 64  # pages listed at once
_CODED = 1 << lib.LL_ENCODING_PLAIN_DICTIONARY | 1 << lib.LL_ENCODING_DICTIONARY
_CHUNK = np.dtype(
    [
        *((name, np.int64) for name in ("values", "size", "stored", "data", "dictionary")),
        ("codec", np.int32),
        ("apart", np.int32),
        ("encodings", np.uint32),
    ],
    align=True,
)


class PageKind(IntEnum):
    """What a page holds."""

    DATA = lib.LL_PAGE_DATA
    DICTIONARY = lib.LL_PAGE_DICTIONARY
    DATA_2 = lib.LL_PAGE_DATA_2


class PageLayout(IntEnum):
    """What the rows of a column are in Arrow's memory."""

    BITS = lib.LL_COLUMN_BITS
    NUMBERS = lib.LL_COLUMN_NUMBERS
    CODES = lib.LL_COLUMN_CODES
    TEXTS = lib.LL_COLUMN_TEXTS


class PageDeclined(Exception):  # noqa: N818 (not an error: another reader decides)
    """A page is damaged, or of a kind that is not read here."""


PLAIN = lib.LL_ENCODING_PLAIN
PLAIN_DICTIONARY = lib.LL_ENCODING_PLAIN_DICTIONARY


class PageCodec(IntEnum):
    """How the bytes of pages are packed; numbers of the format."""

    UNCOMPRESSED = 0
    SNAPPY = 1
    GZIP = 2
    ZSTD = 6


class FooterChunk(NamedTuple):
    """A column chunk, as in ``ll_chunk``; -1 for what the footer does not say."""

    values: int
    size: int
    stored: int
    data: int
    dictionary: int
    codec: int
    apart: int
    encodings: int

    @property
    def begin(self) -> int:
        """Where its first page begins, of a dictionary or of data."""
        return min(self.data, self.dictionary) if self.dictionary > 0 else self.data

    @property
    def coded(self) -> bool:
        """Whether there are pages of codes, under either name of the encoding."""
        return bool(self.encodings & _CODED)


class FooterChunks:
    """The column chunks of a file, by its footer.

    Parameters
    ----------
    footer
        As it is stored.
    groups, columns
        How many there are.

    Raises
    ------
    PageDeclined
        If it is damaged.
    """

    __slots__ = ("_chunks", "_columns")

    def __init__(self, footer: bytes, groups: int, columns: int) -> None:
        if groups * columns > len(footer):  # each of them takes some bytes
            raise PageDeclined
        self._columns = columns
        self._chunks = np.empty(groups * columns, dtype=_CHUNK)
        code = lib.ll_footer_chunks(
            ffi.from_buffer("uint8_t[]", footer),
            len(footer),
            ffi.cast("ll_chunk *", self._chunks.ctypes.data),
            len(self._chunks),
        )
        if code == lib.LL_PAGE_DECLINED:
            raise PageDeclined
        if code:
            refuse(code, "pages")

    def chunk(self, group: int, column: int) -> FooterChunk:
        """One of them."""
        return FooterChunk(*self._chunks[group * self._columns + column].item())


class PageList:
    """The pages in some bytes; fields of each as in ``ll_page``.

    Parameters
    ----------
    pages
        Those that lie in the bytes as a whole.
    used
        Bytes up to the end of the last one.
    wanted
        Bytes that the next page needs from there; 0 if that is not known.
    """

    __slots__ = ("_found", "_memory", "pages", "used", "wanted")

    def __init__(self) -> None:
        self._memory = ffi.new("ll_page[]", _FOUND)
        self._found = ffi.new("ll_pages_found *")
        self.pages: list[Any] = []
        self.used = self.wanted = 0

    @property
    def full(self) -> bool:
        """Whether there may be more pages in the bytes."""
        return len(self.pages) == _FOUND

    def pointer(self, first: int) -> Any:
        """The pages from one of them on."""
        return self._memory + first

    def find(self, data: memoryview, begin: int) -> None:
        """List the pages from a position on; those of the last call are forgotten.

        Raises
        ------
        PageDeclined
            If there is something else.
        """
        size = len(data) - begin
        code = lib.ll_pages_find(
            ffi.from_buffer("uint8_t[]", data) + begin, size, self._memory, _FOUND, self._found
        )
        if code == lib.LL_PAGE_DECLINED:
            raise PageDeclined
        if code:
            refuse(code, "pages")
        self.pages = [self._memory[place] for place in range(self._found.pages)]
        self.used, self.wanted = self._found.used, self._found.wanted


class PageColumn:
    """How the pages of a column become rows, and its dictionary.

    Parameters
    ----------
    layout
        What the rows are.
    stored
        Bytes of a number as it is stored, 4 or 8.
    width
        Bytes of a number in Arrow's memory.
    nullable
        Whether pages have definition levels.
    """

    __slots__ = ("_dictionary", "layout", "nullable", "struct", "width")

    def __init__(self, layout: PageLayout, stored: int, width: int, *, nullable: bool) -> None:
        self.layout, self.width, self.nullable = layout, width, nullable
        self.struct = ffi.new("ll_page_column *")
        self.struct.kind, self.struct.nullable = layout, nullable
        self.struct.stored_width, self.struct.width = stored, width
        self._dictionary: object = None
        self.forget()

    def forget(self) -> None:
        """Have no dictionary."""
        self.struct.entries = -1

    def numbers(self, entries: NDArray[Any]) -> None:
        """Take numbers as the dictionary."""
        if entries.dtype.itemsize != self.width or not entries.flags.c_contiguous:
            raise ValueError(f"expected {self.width} bytes an entry, got {entries.dtype}")
        memory = ffi.from_buffer(entries)
        self.struct.dictionary, self.struct.entries = memory, len(entries)
        self._dictionary = memory

    def texts(self, entries: PageRows) -> None:
        """Take texts as the dictionary."""
        self.struct.dictionary = entries.struct.values
        self.struct.dictionary_text = entries.struct.text
        self.struct.entries = entries.struct.count
        self._dictionary = entries


class PageRows:
    """Rows of a column, read page by page into memory of their own.

    Parameters
    ----------
    column
        What they are.
    room
        How many there will be at most.
    text_room
        About how many bytes their texts have.
    """

    __slots__ = ("_memory", "_text", "column", "struct")

    def __init__(self, column: PageColumn, room: int, text_room: int = 0) -> None:
        self.column = column
        rows = room + 1 if column.layout is PageLayout.TEXTS else room
        size = (rows + 7) // 8 if column.layout is PageLayout.BITS else rows * column.width
        values = pa.allocate_buffer(size + _ROOM)
        validity = pa.allocate_buffer((room + 7) // 8 + _ROOM) if column.nullable else None
        self._memory = (validity, values)
        self._text: pa.Buffer | None = None
        self.struct = ffi.new("ll_page_rows *")
        self.struct.room = room
        self.struct.values = ffi.cast("void *", values.address)
        if validity is not None:
            self.struct.validity = ffi.cast("uint8_t *", validity.address)
        if column.layout is PageLayout.TEXTS:
            ffi.cast("int32_t *", self.struct.values)[0] = 0
            self._give_text_room(text_room + _ROOM)

    def append(self, page: Any, levels: memoryview | None, data: Any) -> None:
        """Decode a page.

        Parameters
        ----------
        page
            Of a `PageList`, or as `plain_page` makes it.
        levels, data
            The levels of a page that has them apart, and all else, unpacked.

        Raises
        ------
        PageDeclined
            If it cannot be done.
        """
        if page.level_bytes and (levels is None or len(levels) < page.level_bytes):
            raise ValueError("the levels of a page are missing")
        first = ffi.NULL if levels is None else ffi.from_buffer("uint8_t[]", levels)
        body = ffi.from_buffer("uint8_t[]", data)
        column = self.column.struct
        code = lib.ll_page_read(column, ffi.addressof(page), first, body, len(body), self.struct)
        while code == lib.LL_PAGE_ROOM:
            self._give_text_room(2 * self.struct.text_wanted)
            code = lib.ll_page_read(
                column, ffi.addressof(page), first, body, len(body), self.struct
            )
        if code == lib.LL_PAGE_DECLINED:
            raise PageDeclined
        if code:
            refuse(code, "pages")

    def extend(self, listed: PageList, first: int, data: memoryview, unpacker: PageUnpacker) -> int:
        """Decode the pages of a list from ``first`` on that are simply data; how many they are.

        Parameters
        ----------
        data
            That in which they were found.
        unpacker
            For pages that are packed.

        Raises
        ------
        PageDeclined
            If one of them cannot be decoded.
        """
        done, count = ffi.new("int64_t *"), len(listed.pages)
        begin = first
        while first < count:
            code = lib.ll_pages_read(
                self.column.struct,
                unpacker.struct,
                ffi.from_buffer("uint8_t[]", data),
                len(data),
                listed.pointer(first),
                count - first,
                self.struct,
                done,
            )
            first += done[0]
            if code == lib.LL_PAGE_ROOM:
                self._give_text_room(2 * self.struct.text_wanted)
                continue
            if code == lib.LL_PAGE_DECLINED:
                raise PageDeclined
            if code:
                refuse(code, "pages")
            break
        return first - begin

    @property
    def count(self) -> int:
        """Rows so far."""
        return int(self.struct.count)

    @property
    def nulls(self) -> int:
        """Nulls so far."""
        return int(self.struct.nulls)

    @property
    def room(self) -> int:
        """Rows that there is memory for."""
        return int(self.struct.room)

    def rest(self, first: int, room: int) -> PageRows:
        """The rows from ``first`` on, in memory of their own."""
        text = self.struct.text_size
        rest = PageRows(self.column, max(room, self.count - first), text)
        code = lib.ll_page_rest(self.column.struct, self.struct, first, rest.struct)
        if code:
            refuse(code, "pages")
        return rest

    def array(self, type_: pa.DataType, count: int, nulls: int) -> pa.Array:
        """The first ``count`` rows, ``nulls`` of which are null; -1 if that is not known."""
        validity, values = self._memory
        buffers = [validity if nulls else None, values]
        if self.column.layout is PageLayout.TEXTS:
            buffers.append(self._text)
        return pa.Array.from_buffers(type_, count, buffers, nulls)

    def _give_text_room(self, size: int) -> None:
        text = pa.allocate_buffer(size)
        ffi.memmove(ffi.cast("uint8_t *", text.address), self.struct.text, self.struct.text_size)
        self._text = text
        self.struct.text = ffi.cast("uint8_t *", text.address)
        self.struct.text_room = size


class PageUnpacker:
    """Unpacks pages for `PageRows.extend`.

    Parameters
    ----------
    zstd
        What unpacks zstd; None where pages are not packed.
    """

    __slots__ = ("_room", "_zstd", "struct")

    def __init__(self, zstd: ZstdContext | None) -> None:
        self._zstd = zstd
        self.struct = ffi.new("ll_unpacker *")
        if zstd is not None:
            self.struct.unpack = ffi.cast(
                "size_t (*)(void *, void *, size_t, const void *, size_t)", zstd.function
            )
            self.struct.context = ffi.cast("void *", zstd.context)

    def into(self, room: bytearray) -> None:
        """Unpack into this memory."""
        self._room = ffi.from_buffer("uint8_t[]", room)
        self.struct.room, self.struct.room_size = self._room, len(room)


def plain_page(values: int) -> Any:
    """A page of so many values as they are in a dictionary."""
    page = ffi.new("ll_page *")
    page.kind, page.values, page.encoding, page.nulls = PageKind.DATA, values, PLAIN, -1
    return page[0]
