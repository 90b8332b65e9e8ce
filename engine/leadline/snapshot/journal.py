"""A journal: frames appended one at a time by the one process that made the file.

docs/format.md, section 2. There is no index; a crash can only tear the last frame, which reading
leaves out and reports.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from ..errors import InputError, SnapshotError
from ..profile import Cell, Profile, Settings
from ..schema import Column
from . import frames
from .cells import Head, encode_cell, encode_head
from .files import path_of, sync_folder, write_all
from .frames import FileKind, FrameError
from .redact import redact


class JournalWriter:
    """Appends cells to a journal file that it creates; close it, or use it as a context manager.

    Parameters
    ----------
    path
        A file that does not exist yet: a journal belongs to one process and one lifetime.
    columns
        The columns that cells may hold; a change of schema begins a new file.
    settings, tags
        As in a profile; columns in ``settings.redacted`` are redacted before they are written.
    sync
        Whether every append waits until the frame is on the disk. If not, a crash of the machine
        (not of the process) may lose the last frames.

    Raises
    ------
    InputError
        If ``path`` is no path.
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
        sync: bool = True,
    ) -> None:
        self._path = path_of(path)
        self._template = Profile(columns, (), settings, tags=dict(tags or {}))
        self._sync = sync
        try:
            head = encode_head(Head.of(redact(self._template)))
        except FrameError as error:
            raise SnapshotError(f"{path}: {error}") from None
        self._process = os.getpid()
        self._size = 0
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._file = os.open(self._path, flags, 0o666)
        except FileExistsError:
            raise SnapshotError(f"{path}: exists already; a journal needs a new file") from None
        except (OSError, ValueError) as error:
            raise SnapshotError(f"{path}: cannot be created ({error})") from error
        try:
            self._append(frames.header_bytes(FileKind.JOURNAL) + frames.compress(head))
            sync_folder(self._path.parent)
        except BaseException:
            os.close(self._file)
            with contextlib.suppress(OSError):
                self._path.unlink()
            raise

    def append(self, cell: Cell) -> None:
        """Write one cell; on failure the file is as it was before.

        Raises
        ------
        InputError
            If the cell has a column that the journal was not made for.
        SnapshotError
            If the system refuses, or the writer was closed, or another process made the file.
        """
        known = {column.name for column in self._template.columns}
        for name in cell.states:
            if name not in known:
                raise InputError(
                    f"{self._path}: the journal has no column {name!r}; begin a new one"
                )
        profile = Profile(self._template.columns, (cell,), self._template.settings)
        redacted = redact(profile)
        columns = {column.name: column for column in redacted.columns}
        parts = encode_cell(redacted.cells[0], columns)
        self._append(b"".join(map(frames.compress, parts)))

    def close(self) -> None:
        """Close the file; safe to call twice."""
        if self._file >= 0:
            descriptor, self._file = self._file, -1
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _append(self, data: bytes) -> None:
        if self._file < 0:
            raise SnapshotError(f"{self._path}: the journal is closed")
        if os.getpid() != self._process:
            raise SnapshotError(
                f"{self._path}: the journal belongs to process {self._process}; begin a new one"
            )
        try:
            write_all(self._file, data)
            if self._sync:
                os.fsync(self._file)
        except OSError as error:
            self._undo()
            raise SnapshotError(f"{self._path}: cannot be written ({error.strerror})") from error
        self._size += len(data)

    def _undo(self) -> None:
        """Take back a half-written frame, so that the next one follows a whole one."""
        try:
            os.ftruncate(self._file, self._size)
            os.lseek(self._file, self._size, os.SEEK_SET)
        except OSError:
            # The tail stays torn, which readers cope with only at the end: write nothing more.
            self.close()
