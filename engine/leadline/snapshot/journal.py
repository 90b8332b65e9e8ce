"""A journal: frames appended one at a time by the one process that made the file.

docs/format.md, section 2. There is no index; a crash can only tear the last frame, which reading
leaves out and reports.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import Self

from ..errors import InputError, SnapshotError
from ..profile import Cell, Profile, Settings
from ..schema import Column
from . import frames
from .cells import Head, encode_cell, encode_head
from .files import create_whole, path_of, sync_folder
from .frames import FileKind, FrameError
from .redact import redact


class JournalWriter:
    """Appends cells to a journal file that it creates; close it, or use it as a context manager.

    The file gets its name once its head and its first cells are on the disk, so nobody ever sees
    one that cannot be read.

    Parameters
    ----------
    path
        A file that does not exist yet: a journal belongs to one process and one lifetime.
    columns
        The columns that cells may hold; a change of schema begins a new file.
    settings, tags
        As in a profile; columns in ``settings.redacted`` are redacted before they are written.
    cells
        The first cells.
    sync
        Whether every append waits until the frame is on the disk. If not, a crash of the machine
        (not of the process) may lose the last frames; see `sync`.

    Raises
    ------
    InputError
        If ``path`` is no path, or a cell has a column that is not among ``columns``.
    SnapshotError
        If the file exists or cannot be created, or columns, settings or tags cannot be written.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        columns: tuple[Column, ...],
        settings: Settings,
        tags: Mapping[str, str] | None = None,
        cells: Sequence[Cell] = (),
        sync: bool = True,
    ) -> None:
        self._path = path_of(path)
        self._template = Profile(columns, (), settings, tags=dict(tags or {}))
        self._sync = sync
        self._file = -1
        self._process = os.getpid()
        redacted = redact(self._template)
        self._stored = {column.name: column for column in redacted.columns}
        try:
            head = encode_head(Head.of(redacted))
            before = frames.header_bytes(FileKind.JOURNAL) + frames.compress(head)
        except FrameError as error:
            raise SnapshotError(f"{path}: {error}") from None
        encoded = [self._encoded(cell) for cell in cells]
        self._head_end = len(before)
        data = b"".join((before, *encoded))
        try:
            self._file = create_whole(self._path, data)
        except FileExistsError:
            raise SnapshotError(f"{path}: exists already; a journal needs a new file") from None
        except (OSError, ValueError) as error:
            raise SnapshotError(f"{path}: cannot be created ({error})") from error
        self._size = len(data)

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that cells may hold."""
        return self._template.columns

    @property
    def stored_columns(self) -> Mapping[str, Column]:
        """The columns by name as the file describes them, redacted ones marked."""
        return self._stored

    @property
    def settings(self) -> Settings:
        """How the cells are made."""
        return self._template.settings

    @property
    def descriptor(self) -> int:
        """Of the open file; -1 once it is closed."""
        return self._file

    @property
    def head_end(self) -> int:
        """Bytes before the first cell."""
        return self._head_end

    @property
    def size(self) -> int:
        """Bytes that hold whole frames."""
        return self._size

    def append(self, cell: Cell) -> None:
        """Write one cell; on failure the file is as it was before.

        Raises
        ------
        InputError
            If the cell has a column that the journal was not made for.
        SnapshotError
            If the system refuses, or the writer was closed, or another process made the file.
        """
        self.extend((cell,))

    def extend(self, cells: Sequence[Cell]) -> int:
        """Write several cells, all or none of them.

        Returns
        -------
        int
            How many are in the file. Fewer than all only if the system refused to write the rest,
            and then to take these back; the journal is closed then.

        Raises
        ------
        InputError, SnapshotError
            As `append`; none of the cells is in the file.
        """
        encoded = [self._encoded(cell) for cell in cells]
        self._require_open()
        written = 0
        try:
            view = memoryview(b"".join(encoded))
            while written < len(view):
                written += os.write(self._file, view[written:])
        except OSError as error:
            # A disk may get room again, a file that has its largest size never.
            return self._undone(error, encoded, written, keep=error.errno != errno.EFBIG)
        if self._sync:
            try:
                os.fsync(self._file)
            except OSError as error:
                # The system may have thrown away what it could not write, and says so only once:
                # nothing is added to a file of which this is true.
                return self._undone(error, encoded, written, keep=False)
        self._size += written
        return len(encoded)

    def sync(self) -> None:
        """Wait until everything written is on the disk.

        Raises
        ------
        SnapshotError
            If the system refuses; the journal is closed then.
        """
        self._require_open()
        try:
            os.fsync(self._file)
        except OSError as error:
            self._give_up()
            raise SnapshotError(f"{self._path}: cannot be synced ({error.strerror})") from error

    def replace(self, descriptor: int, temporary: Path, size: int) -> None:
        """Put a file with the same rows in the place of this one, and go on at its end.

        Parameters
        ----------
        descriptor, temporary, size
            A journal with this one's head: synced, locked and open for writing at its end.

        Raises
        ------
        SnapshotError
            If the system refuses; this journal is as it was.
        """
        self._require_open()
        try:
            os.rename(temporary, self._path)  # noqa: PTH104
        except OSError as error:
            raise SnapshotError(f"{self._path}: cannot be replaced ({error.strerror})") from error
        self._give_up()
        self._file, self._size = descriptor, size
        try:
            sync_folder(self._path.parent)
        except OSError as error:
            raise SnapshotError(f"{self._path}: cannot be synced ({error.strerror})") from error

    def close(self) -> None:
        """Close the file; safe to call twice.

        Raises
        ------
        SnapshotError
            If the system says only now that it could not write; the journal is closed all the same.
        """
        if self._file >= 0:
            descriptor, self._file = self._file, -1
            try:
                os.close(descriptor)
            except OSError as error:
                raise SnapshotError(
                    f"{self._path}: cannot be written ({error.strerror})"
                ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _encoded(self, cell: Cell) -> bytes:
        """The frames of one cell."""
        for name in cell.states:
            if name not in self._stored:
                raise InputError(
                    f"{self._path}: the journal has no column {name!r}; begin a new one"
                )
        redacted = redact(Profile(self._template.columns, (cell,), self.settings))
        return encoded_cell(redacted.cells[0], self._stored)

    def _give_up(self) -> None:
        """Close the file after a failure that is told already."""
        with contextlib.suppress(SnapshotError):
            self.close()

    def _require_open(self) -> None:
        if self._file < 0:
            raise SnapshotError(f"{self._path}: the journal is closed")
        if os.getpid() != self._process:
            raise SnapshotError(
                f"{self._path}: the journal belongs to process {self._process}; begin a new one"
            )

    def _undone(self, error: OSError, encoded: Sequence[bytes], written: int, *, keep: bool) -> int:
        """Take back what was written of some cells, so that the next frame follows a whole one.

        Returns
        -------
        int
            How many of the cells could not be taken back.
        """
        held = 0
        try:
            os.ftruncate(self._file, self._size)
        except OSError:
            # The tail stays, torn or not; readers cope with that only at the end of a file.
            held = sum(end <= written for end in accumulate(map(len, encoded)))
            self._size += written
            keep = False
        if not keep:
            self._give_up()
        if not held:
            reason = error.strerror
            raise SnapshotError(f"{self._path}: cannot be written ({reason})") from error
        return held


def encoded_cell(cell: Cell, columns: Mapping[str, Column]) -> bytes:
    """The frames of one cell, by the columns that the file describes."""
    return b"".join(map(frames.compress, encode_cell(cell, columns)))
