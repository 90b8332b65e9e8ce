"""The file as a sequence of frames: header, data frames, index (docs/format.md, section 2).

The only module that imports zstandard. Nothing here knows what a frame holds; nothing here trusts
a length: every size is checked against what is really there before anything is allocated.
"""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import zstandard

from ..errors import SnapshotError

MAJOR = 1
MINOR = 0

# Measured (zstd 1.5.7, one core): 1,410 cells of 18 columns and 6,000 rows each, 325 MB of content,
# take 0.66 s at level 1, 0.97 s at 2, 1.1 s at 3, 2.8 s at 6, and give 215, 205, 202, 202 MB; most
# of it is digits of doubles. The 1,095 daily cells of a year of flights, 12.4 MB, give 6.16 MB at
# level 1, 5.95 at 3 and 5.80 at 6.
LEVEL = 1

CONTENT_LIMIT = 64 * 2**20  # bytes of one decompressed frame
RATIO_FLOOR = (
    16 * 2**20
)  # frames up to this size may compress at any ratio; twice what writers cut at
RATIO_LIMIT = 1_024  # beyond the floor; real frames reach about 5
TOTAL_RATIO_LIMIT = 1_024  # of all frames together, beyond one CONTENT_LIMIT

_MAGIC_DATA = 0xFD2FB528
_MAGIC_SKIPPABLE = 0x184D2A50
_BLOCK_LIMIT = 128 * 1024
_BLOCK_RLE, _BLOCK_RESERVED = 1, 3
_CHECKSUM_SIZE = 4

_HEADER = struct.Struct("<II4sBBBB")
_INDEX_START = struct.Struct("<II4sIQQ")
_INDEX_ENTRY = struct.Struct("<QIII")
_INDEX_END = struct.Struct("<II4s")
HEADER_SIZE = _HEADER.size + 4
DATA_MAGIC_BYTES = struct.pack("<I", _MAGIC_DATA)
_INDEX_MAGIC = struct.pack("<I", _MAGIC_SKIPPABLE)
_LOCAL = threading.local()


class FileKind(IntEnum):
    """What may follow the header."""

    ARCHIVE = 1
    JOURNAL = 2
    CHECKPOINT = 3


class FrameError(SnapshotError):
    """A reason without a place; the reader adds file, frame and offset."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a data frame lies: offset and size in the file, declared content size, CRC-32."""

    offset: int
    size: int
    content_size: int
    checksum: int

    @property
    def end(self) -> int:
        """Offset of the byte after the frame."""
        return self.offset + self.size


@dataclass(frozen=True, slots=True)
class Index:
    """What an archive's last frame says of the frames before it."""

    frames: tuple[Frame, ...]
    cells: int
    rows: int


# --- header --------------------------------------------------------------------------------------


def header_bytes(kind: FileKind) -> bytes:
    """The skippable frame that every file begins with."""
    body = _HEADER.pack(_MAGIC_SKIPPABLE, HEADER_SIZE - 8, b"LEAD", MAJOR, MINOR, kind, 0)
    return body + struct.pack("<I", zlib.crc32(body))


# What every snapshot of every version begins with: magic number, length of the header, name.
HEADER_START = struct.pack("<II4s", _MAGIC_SKIPPABLE, HEADER_SIZE - 8, b"LEAD")


def read_header(data: bytes) -> FileKind:
    """Kind of the file; refuses other files and other versions before anything else is read.

    Raises
    ------
    FrameError
        If the bytes are no snapshot header, or one of another version, or damaged.
    """
    if not data:
        raise FrameError("the file is empty; write the snapshot again")
    if len(data) < HEADER_SIZE:
        raise FrameError(f"the file ends after {len(data)} bytes, inside the header")
    magic, length, name, major, minor, kind, reserved = _HEADER.unpack_from(data)
    (checksum,) = struct.unpack_from("<I", data, _HEADER.size)
    if magic != _MAGIC_SKIPPABLE or name != b"LEAD":
        raise FrameError("this is not a Leadline snapshot; expected a file written by leadline")
    if checksum != zlib.crc32(data[: _HEADER.size]):
        raise FrameError("the header is damaged (wrong CRC32); restore the file from a copy")
    if major != MAJOR or minor > MINOR:
        raise FrameError(
            f"the file has format {major}.{minor} and this leadline reads {MAJOR}.{MINOR}; "
            "upgrade leadline to read it"
        )
    if length != HEADER_SIZE - 8 or reserved or kind not in tuple(FileKind):
        raise FrameError(f"the header declares an unknown kind of file ({kind})")
    return FileKind(kind)


# --- data frames ---------------------------------------------------------------------------------


def compress(content: bytes | memoryview) -> bytes:
    """One zstd frame with content size and checksum.

    Raises
    ------
    FrameError
        If readers would refuse the frame for its size.
    """
    frame = _compressor().compress(content)
    _check_content_size(len(content), len(frame))
    return frame


def _compressor() -> zstandard.ZstdCompressor:
    """The compressor of the calling thread: its tables are as large as a small frame."""
    found: zstandard.ZstdCompressor | None = getattr(_LOCAL, "compressor", None)
    if found is None:
        found = _LOCAL.compressor = zstandard.ZstdCompressor(
            level=LEVEL, write_content_size=True, write_checksum=True, write_dict_id=False
        )
    return found


def find_frame(data: memoryview, offset: int) -> Frame:
    """The data frame at an offset, its end found by walking its block headers.

    Raises
    ------
    FrameError
        If no whole, acceptable frame lies there.
    """
    if int.from_bytes(_take(data, offset, 4), "little") != _MAGIC_DATA:
        raise FrameError("no data frame begins here")
    header_size, content_size, content_limit = _frame_header(data, offset)
    position, last, most = offset + header_size, False, 0
    while not last:
        header = int.from_bytes(_take(data, position, 3), "little")
        last, kind, size = bool(header & 1), (header >> 1) & 3, header >> 3
        if kind == _BLOCK_RESERVED or size > min(_BLOCK_LIMIT, content_limit):
            raise FrameError("a block header is damaged")
        position += 3 + (1 if kind == _BLOCK_RLE else size)
        most += min(_BLOCK_LIMIT, content_limit) if kind > _BLOCK_RLE else size
        if position - offset > CONTENT_LIMIT + CONTENT_LIMIT // 64:
            raise FrameError("the frame is larger than any that is written")
    _take(data, position, _CHECKSUM_SIZE)
    size = position + _CHECKSUM_SIZE - offset
    if content_size > most:
        raise FrameError(f"the frame declares {content_size:,} bytes, its blocks hold fewer")
    _check_content_size(content_size, size)
    return Frame(offset, size, content_size, zlib.crc32(data[offset : offset + size]))


def decompress(data: memoryview, frame: Frame) -> bytes:
    """Content of a frame that `find_frame` accepted; its checksum is verified.

    Raises
    ------
    FrameError
        If the frame does not decode to exactly the declared length.
    """
    decoder = zstandard.ZstdDecompressor(max_window_size=CONTENT_LIMIT).decompressobj()
    try:
        content = decoder.decompress(data[frame.offset : frame.end])
    except zstandard.ZstdError as error:
        raise FrameError(f"the frame does not decompress ({error})") from None
    if not decoder.eof or decoder.unused_data or len(content) != frame.content_size:
        raise FrameError("the frame does not decompress to its declared length")
    return content


def _frame_header(data: memoryview, offset: int) -> tuple[int, int, int]:
    """Header size, content size and largest block content of the zstd frame at an offset."""
    descriptor = _take(data, offset + 4, 1)[0]
    single, checksum = bool(descriptor & 0x20), bool(descriptor & 0x04)
    if descriptor & 0x1B or not checksum:
        raise FrameError("the frame lacks a checksum, or needs a dictionary or a newer zstd")
    width = (1 if single else 0, 2, 4, 8)[descriptor >> 6]
    if not width:
        raise FrameError("the frame does not declare its content size")
    window = None
    position = offset + 5
    if not single:
        byte = _take(data, position, 1)[0]
        base = 1 << (10 + (byte >> 3))
        window = base + (base >> 3) * (byte & 7)
        position += 1
    content_size = int.from_bytes(_take(data, position, width), "little")
    content_size += 256 if width == 2 else 0
    if content_size > CONTENT_LIMIT or (window or 0) > CONTENT_LIMIT:
        raise FrameError(
            f"the frame declares {content_size:,} bytes; at most {CONTENT_LIMIT:,} are read"
        )
    return position + width - offset, content_size, content_size if window is None else window


def check_total(content_size: int, size: int) -> None:
    """Refuse files whose frames decompress to far more than any real profile's.

    Raises
    ------
    FrameError
        If ``content_size`` bytes of content in a file of ``size`` bytes are too many.
    """
    limit = CONTENT_LIMIT + TOTAL_RATIO_LIMIT * size
    if content_size > limit:
        raise FrameError(f"the frames declare {content_size:,} bytes; at most {limit:,} are read")


def _check_content_size(content_size: int, size: int) -> None:
    limit = min(CONTENT_LIMIT, RATIO_FLOOR + RATIO_LIMIT * size)
    if content_size > limit:
        raise FrameError(
            f"the frame declares {content_size:,} bytes in {size:,}; at most {limit:,} are read"
        )


def _take(data: memoryview, offset: int, size: int) -> memoryview:
    part = data[offset : offset + size]
    if len(part) < size:
        raise FrameError(f"the file ends inside this frame, at byte {len(data):,}")
    return part


# --- index ---------------------------------------------------------------------------------------


def index_bytes(frames: Sequence[Frame], *, cells: int, rows: int) -> bytes:
    """The skippable frame that every archive ends in."""
    size = _INDEX_START.size + len(frames) * _INDEX_ENTRY.size + _INDEX_END.size
    start = _INDEX_START.pack(_MAGIC_SKIPPABLE, size - 8, b"LIDX", len(frames), cells, rows)
    body = start + b"".join(
        _INDEX_ENTRY.pack(frame.offset, frame.size, frame.content_size, frame.checksum)
        for frame in frames
    )
    return body + _INDEX_END.pack(zlib.crc32(body), size, b"LEND")


def read_index(data: memoryview) -> tuple[Index, int]:
    """The index at the end of an archive, and its offset.

    Raises
    ------
    FrameError
        If the file does not end in an index that is whole and agrees with itself.
    """
    least = _INDEX_START.size + _INDEX_END.size
    if len(data) < HEADER_SIZE + least:
        raise FrameError("the file ends before an index")
    checksum, size, name = _INDEX_END.unpack_from(data, len(data) - _INDEX_END.size)
    if name != b"LEND" or not least <= size <= len(data) - HEADER_SIZE:
        raise FrameError("the file does not end in an index")
    offset = len(data) - size
    body = data[offset : len(data) - _INDEX_END.size]
    magic, length, name, count, cells, rows = _INDEX_START.unpack_from(body)
    if zlib.crc32(body) != checksum:
        raise FrameError("the index is damaged (wrong CRC32)")
    expected = least + count * _INDEX_ENTRY.size
    if magic != _MAGIC_SKIPPABLE or name != b"LIDX" or length != size - 8 or size != expected:
        raise FrameError("the index contradicts its own size")
    frames = tuple(Frame(*entry) for entry in _INDEX_ENTRY.iter_unpack(body[_INDEX_START.size :]))
    position = HEADER_SIZE
    for frame in frames:
        if frame.offset != position:
            raise FrameError("the index names frames that do not follow one another")
        position = frame.end
    if position != offset or not frames:
        raise FrameError("the index does not account for every byte before it")
    return Index(frames, cells, rows), offset


def index_begins(data: memoryview, offset: int) -> bool:
    """Whether what lies at an offset calls itself an index."""
    return (
        bytes(data[offset : offset + 4]) == _INDEX_MAGIC
        and bytes(data[offset + 8 : offset + 12]) == b"LIDX"
    )


def next_magic(data: memoryview, offset: int) -> int:
    """Offset of the next bytes that could begin a data frame, or -1."""
    return data.obj.find(DATA_MAGIC_BYTES, offset)  # type: ignore[no-any-return,attr-defined]
