"""What a long scan leaves on the disk, so that it can go on after it was interrupted.

Two files: the checkpoint itself, replaced as a whole every now and then, and beside it
``<checkpoint>.cells``, which only grows: the cells that did not fit into memory. A lock on the
second one tells that a scan is at work. Both belong to the version of Leadline that wrote them, and
hold raw values even of columns that are to be redacted, so only their owner may read them.
"""

from __future__ import annotations

import contextlib
import fcntl
import glob
import json
import os
import time
import weakref
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from ..errors import InputError, SnapshotError
from ..profile import Cell
from ..profile.cells import with_functions
from ..profile.custom import CustomSummary
from ..schema import Column
from ..snapshot import frames
from ..snapshot.cells import cell_streams, columns_from_json, columns_to_json, decode_cell
from ..snapshot.files import path_of, read_file, write_atomically
from ..snapshot.frames import FileKind, Frame
from .cellfile import CELLS_START

# Seconds from the end of one checkpoint to the next, ...
INTERVAL = 20.0
# ... or so many times as long as one takes to write, if that is more: 2 % of the time; ...
COSTS = 50
# ... but from begin to begin no more than this: with one more unit of work it is below 30.
LONGEST = 28.0
_MODE = 0o600
_KIND_PLACE = 14  # docs/format.md, section 2.1
# What to do where a run cannot be gone on with.
AFRESH = "start again from the beginning, without resume=True"


@dataclass(frozen=True, slots=True)
class Saved:
    """What a checkpoint holds.

    Parameters
    ----------
    state
        Everything but the cells, as JSON values.
    cells
        The cells in memory.
    before
        Those at the start of the file that was being read, if it may have to be read again.
    """

    state: dict[str, Any]
    cells: list[Cell]
    before: list[Cell] | None


def pause_after(cost: float) -> float:
    """Seconds to work between two checkpoints, the first of which took ``cost`` seconds.

    One that takes over 14 seconds leaves as long for the scan as for itself.

    Examples
    --------
    >>> pause_after(0.01), pause_after(0.5), pause_after(3), pause_after(20)
    (20.0, 25.0, 25.0, 20)
    """
    return min(max(INTERVAL, COSTS * cost), max(LONGEST - cost, cost))


class Checkpoint:
    """The checkpoint of one scan. Use it as a context manager; leaving it keeps the files.

    Parameters
    ----------
    path
        Where it is written.
    tell
        Called with a sentence if a checkpoint cannot be written; the scan goes on.

    Raises
    ------
    InputError
        If ``path`` is no path.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, tell: Callable[[str], object] | None = None
    ) -> None:
        self.path = path_of(path)
        self._tell = tell or (lambda _: None)
        self._cells: IO[bytes] | None = None
        self._file = -1
        self._next = time.monotonic() + INTERVAL
        self._written: dict[int, tuple[weakref.ref[Cell], tuple[Frame, ...]]] = {}
        self._columns: tuple[Column, ...] = ()
        self.loaded = self.saved = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def require_ours(self, inputs: Iterable[Path] = ()) -> None:
        """Refuse to replace or remove what is not a checkpoint.

        Parameters
        ----------
        inputs
            Files that are to be read.

        Raises
        ------
        InputError
            If an input or something of another kind lies where the checkpoint would.
        """
        read = {os.path.realpath(path) for path in inputs}
        files = ((self.path, _begins_checkpoint), (self._cells_path, _begins_cells))
        for path, _ in files:
            if os.path.realpath(path) in read:
                raise InputError(
                    f"{path} is one of the inputs, but the checkpoint would be written there; give "
                    "another file for the snapshot"
                )
        heads = {path: _head(path) for path, _ in files}
        ours = {path: is_ours(head) for path, is_ours in files if (head := heads[path])}
        for path, is_ours in ours.items():
            if not is_ours and any(ours.values()):
                raise InputError(
                    f"{path} begins like no part of a checkpoint, but lies beside the other part; "
                    "if it is yours, move it away; if a run left it, it is damaged: remove both, "
                    "and start again from the beginning"
                )
            if not is_ours:
                raise InputError(
                    f"{path} is there already and is no checkpoint, which would be written there; "
                    "move it away, or give another file for the snapshot"
                )

    @property
    def exists(self) -> bool:
        """Whether there is one to go on from."""
        return self.path.exists()

    @property
    def usable(self) -> bool:
        """Whether this scan could be gone on with."""
        return self.loaded or self.saved

    @property
    def due(self) -> bool:
        """Whether it is time to save."""
        return time.monotonic() >= self._next

    def load(self, summaries: Mapping[str, CustomSummary]) -> Saved | None:
        """Read what an interrupted scan has left; None if that is nothing.

        Raises
        ------
        InputError
            If another scan is at work, or the checkpoint cannot be used.
        """
        if not self.exists:
            return None
        self._lock()
        try:
            saved = self._read(summaries)
        except (SnapshotError, LookupError, TypeError, ValueError) as error:
            raise InputError(f"{self.path} cannot be used ({error}); {AFRESH}") from error
        self.loaded = True
        return saved

    def open_cells(self) -> IO[bytes]:
        """The file beside it, for the cells that do not fit into memory; close it after use."""
        self._begin()
        assert self._cells is not None
        return os.fdopen(os.dup(self._cells.fileno()), "r+b")

    def save(
        self,
        state: Mapping[str, Any],
        columns: Sequence[Column],
        cells: Sequence[Cell],
        before: Sequence[Cell] | None,
    ) -> None:
        """Write the checkpoint, if the disk allows; the file of cells must be synced before.

        Cells that are the same objects as the last time are copied, not encoded again.
        """
        begin = time.monotonic()
        try:
            self._begin()
            if tuple(columns) != self._columns:  # against which the cells were encoded
                self._columns = tuple(columns)
                self._written.clear()
            written: dict[int, tuple[weakref.ref[Cell], tuple[Frame, ...]]] = {}
            chunks = self._chunks(state, columns, cells, before, written)
            write_atomically(self.path, chunks, begins=frames.HEADER_START, mode=_MODE)
            self._reopen()
            self._written, self.saved = written, True
        except SnapshotError as error:
            self._tell(f"no checkpoint could be written: {error}")
        now = time.monotonic()
        self._next = now + pause_after(now - begin)

    def forget(self) -> None:
        """Begin anew: what there was cannot be gone on with."""
        if self._cells is not None:
            self._discard()
            self._written.clear()

    def remove(self) -> None:
        """Remove what there is, once the scan's result is safe."""
        if self._cells is not None or self.exists or self._cells_path.exists():
            self._begin()
            self._discard()
            with contextlib.suppress(OSError):
                self._cells_path.unlink()
        self.close()

    def close(self) -> None:
        """Close the files, which stay if the scan could be gone on with; safe to call twice."""
        if self._cells is not None and not self.usable:
            with contextlib.suppress(OSError):
                self._cells_path.unlink()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        if self._cells is not None:
            self._cells.close()
            self._cells = None

    @property
    def _cells_path(self) -> Path:
        return self.path.with_name(f"{self.path.name}.cells")

    # --- the lock --------------------------------------------------------------------------------

    def _lock(self) -> None:
        """Take the file of cells for this scan alone."""
        while self._cells is None:
            try:
                flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
                descriptor = os.open(self._cells_path, flags, _MODE)
            except OSError as error:
                raise SnapshotError(
                    f"{self._cells_path}: cannot be written ({error.strerror})"
                ) from error
            file = os.fdopen(descriptor, "r+b")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                raise InputError(
                    f"{self.path} belongs to a run that is under way; wait for it, or write "
                    "another snapshot"
                ) from None
            except OSError:
                pass  # a file system without locks
            if _is_named(file, self._cells_path):
                self._cells = file
            else:  # the run that had it has just ended
                file.close()

    def _begin(self) -> None:
        """Make the files ours, without what an earlier scan has left, if they are not yet."""
        if self._cells is None:
            self._lock()
            self._discard()

    def _discard(self) -> None:
        """Remove what earlier scans have left; the lock is ours."""
        assert self._cells is not None
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        self._cells.truncate(0)
        for torn in self.path.parent.glob(f".{glob.escape(self.path.name)}.*.tmp"):
            with contextlib.suppress(OSError):
                torn.unlink()

    # --- bytes -----------------------------------------------------------------------------------

    def _chunks(
        self,
        state: Mapping[str, Any],
        columns: Sequence[Column],
        cells: Sequence[Cell],
        before: Sequence[Cell] | None,
        written: dict[int, tuple[weakref.ref[Cell], tuple[Frame, ...]]],
    ) -> Iterator[bytes]:
        """Header, one or more frames a cell, a frame with the state, index."""
        named = {column.name: column for column in columns}
        listed: list[Frame] = []
        end = frames.HEADER_SIZE
        yield frames.header_bytes(FileKind.CHECKPOINT)
        distinct = {id(cell): cell for cell in (*cells, *(before or ()))}
        for key, cell in distinct.items():
            mine = []
            for frame, content_size in self._frames_of(cell, named):
                mine.append(Frame(end, len(frame), content_size, zlib.crc32(frame)))
                end += len(frame)
                yield frame
            written[key] = weakref.ref(cell), tuple(mine)
            listed += mine
        places = {key: place for place, key in enumerate(distinct)}
        content = json.dumps(
            {
                **state,
                "leadline": metadata.version("leadline"),
                "columns": columns_to_json(columns),
                "parts": [len(held) for _, held in written.values()],
                "cells": [places[id(cell)] for cell in cells],
                "before": None if before is None else [places[id(cell)] for cell in before],
            },
            separators=(",", ":"),
        ).encode()
        frame = frames.compress(content)
        listed.append(Frame(end, len(frame), len(content), zlib.crc32(frame)))
        yield frame
        yield frames.index_bytes(listed, cells=len(distinct), rows=0)

    def _frames_of(self, cell: Cell, columns: Mapping[str, Column]) -> Iterator[tuple[bytes, int]]:
        known = self._written.get(id(cell))
        if known is not None and known[0]() is cell:
            for frame in known[1]:
                yield os.pread(self._file, frame.size, frame.offset), frame.content_size
            return
        for content in cell_streams(cell, columns):
            yield frames.compress(content), len(content)

    def _reopen(self) -> None:
        """Keep the file open, to copy from it when it has been replaced."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        if self._file >= 0:
            os.close(self._file)
        self._file = descriptor

    def _read(self, summaries: Mapping[str, CustomSummary]) -> Saved:
        data = memoryview(read_file(self.path))
        if frames.read_header(bytes(data[: frames.HEADER_SIZE])) is not FileKind.CHECKPOINT:
            raise SnapshotError("it is no checkpoint")
        index, _ = frames.read_index(data)
        contents = [frames.decompress(data, _checked(data, frame)) for frame in index.frames]
        state = json.loads(contents.pop())
        if state["leadline"] != metadata.version("leadline"):
            raise SnapshotError(f"leadline {state['leadline']} wrote it")
        columns = columns_from_json(state["columns"])
        segments = len(state["settings"]["segments"])
        cells, end = [], 0
        for count in state["parts"]:
            begin, end = end, end + count
            found = [decode_cell(part, columns, segments).cell for part in contents[begin:end]]
            states = {name: held for part in found for name, held in part.states.items()}
            cell = Cell(found[0].window, found[0].segment, found[0].rows, states)
            cells.append(with_functions(cell, summaries))
        before = state["before"]
        return Saved(
            state,
            [cells[place] for place in state["cells"]],
            None if before is None else [cells[place] for place in before],
        )


def _head(path: Path) -> bytes:
    """The first bytes of a file; none if it is not there."""
    try:
        with path.open("rb") as file:
            return file.read(frames.HEADER_SIZE)
    except FileNotFoundError:
        return b""
    except OSError:
        return b"?"  # a folder, or not to be read


def _begins_checkpoint(head: bytes) -> bool:
    """Whether a file may be a checkpoint, whole or torn, of whatever version."""
    start = frames.HEADER_START
    if not start.startswith(head[: len(start)]):
        return False
    return len(head) <= _KIND_PLACE or head[_KIND_PLACE] == FileKind.CHECKPOINT


def _begins_cells(head: bytes) -> bool:
    """Whether a file may be one of cells, whole or torn."""
    return CELLS_START.startswith(head[: len(CELLS_START)])


def _checked(data: memoryview, entry: Frame) -> Frame:
    frame = frames.find_frame(data, entry.offset)
    if frame != entry:
        raise SnapshotError("a frame is not as the index says")
    return frame


def _is_named(file: IO[bytes], path: Path) -> bool:
    """Whether the open file is the one that has the name now."""
    try:
        named, held = path.stat(), os.fstat(file.fileno())
    except FileNotFoundError:
        return False
    return (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino)
