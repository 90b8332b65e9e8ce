"""A profile -> an archive: header, head, one frame a cell, index (docs/format.md, section 2)."""

from __future__ import annotations

import os
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from os import PathLike

from ..errors import SnapshotError
from ..profile import Cell, Profile
from ..schema import Column
from . import frames
from .cells import Head, cell_streams, encode_head
from .files import path_of, require_replaceable, write_atomically
from .frames import FileKind, Frame, FrameError
from .redact import redact

# States that a thread encodes and compresses at a time, of some 7 KB each. What waits to be written
# is small, and handing over is cheap: with 64 of them 1,410 cells of 18 columns took a tenth more
# processor time (0.75 s instead of 0.68), for threads that wake each other.
_BATCH_STATES = 256

_Compressed = tuple[bytes, int, int]  # a frame, the size of its content, its CRC32


def write(profile: Profile, path: str | PathLike[str]) -> None:
    """Write a profile to a snapshot file, wholly or not at all.

    Columns in ``settings.redacted`` are redacted first (`leadline.snapshot.redact`). The same
    profile gives the same bytes with one version of leadline, pyarrow and zstandard.

    Raises
    ------
    InputError
        If ``path`` is no path.
    SnapshotError
        If the system refuses, the profile holds what no snapshot can, or the file is there already
        and is neither empty nor a snapshot; it is then untouched.
    """
    path = path_of(path)
    try:
        write_atomically(path, _archive(profile), begins=frames.HEADER_START)
    except FrameError as error:
        raise SnapshotError(f"{path}: {error}") from None


def require_writable(path: str | PathLike[str]) -> None:
    """Refuse early what `write` would refuse to replace: anything but a snapshot.

    Raises
    ------
    InputError, SnapshotError
        As `write`.
    """
    require_replaceable(path_of(path), frames.HEADER_START)


def encode(profile: Profile) -> bytes:
    """The bytes that `write` puts into a file."""
    return b"".join(_archive(profile))


def _archive(profile: Profile) -> Iterator[bytes]:
    profile = redact(profile)
    written: list[Frame] = []
    position = frames.HEADER_SIZE
    yield frames.header_bytes(FileKind.ARCHIVE)
    for frame, content_size, checksum in _compressed(profile):
        written.append(Frame(position, len(frame), content_size, checksum))
        position += len(frame)
        yield frame
    frames.check_total(sum(frame.content_size for frame in written), position)
    yield frames.index_bytes(written, cells=len(profile.cells), rows=profile.rows)


def _compressed(profile: Profile) -> Iterator[_Compressed]:
    """The frames of a profile, in order; threads encode and compress while the caller writes."""
    yield _compress(encode_head(Head.of(profile)))
    columns = {column.name: column for column in profile.columns}
    threads = os.cpu_count() or 1
    waiting: deque[Future[list[_Compressed]]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="leadline-save") as pool:
        for batch in _batches(profile.cells):
            waiting.append(pool.submit(_encode_all, batch, columns))
            if len(waiting) > 2 * threads:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _batches(cells: Iterable[Cell]) -> Iterator[list[Cell]]:
    batch: list[Cell] = []
    held = 0
    for cell in cells:
        batch.append(cell)
        held += len(cell.states)
        if held >= _BATCH_STATES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _encode_all(cells: list[Cell], columns: Mapping[str, Column]) -> list[_Compressed]:
    return [_compress(content) for cell in cells for content in cell_streams(cell, columns)]


def _compress(content: bytes | memoryview) -> _Compressed:
    frame = frames.compress(content)
    return frame, len(content), zlib.crc32(frame)
