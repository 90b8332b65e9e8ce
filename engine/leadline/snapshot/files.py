"""Bytes onto a disk so that a reader finds the old file or the new one, never a part."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import InputError, SnapshotError
from ..locations import path_on_disk, shown

_ATTEMPTS = 9


def path_of(path: str | os.PathLike[str]) -> Path:
    """The path of a file on disk as a `Path`; raise InputError if it is none."""
    text = _text_of(path)
    local = path_on_disk(text)
    if local is None:
        raise InputError(
            f"{shown(text)}: snapshots are written to disk; write it there and copy it"
        )
    return Path(local)


def _text_of(path: str | os.PathLike[str]) -> str:
    if isinstance(path, bytes) or not isinstance(path, str | os.PathLike):
        raise InputError(f"a path is text or a pathlib.Path, not {path!r}")
    return os.fsdecode(path)


def load(
    path: str | os.PathLike[str], storage_options: Mapping[str, Any] | None = None
) -> tuple[bytes, str]:
    """All bytes of a file on disk or behind a URL, and its name in messages.

    Raises
    ------
    SnapshotError
        If there is none, or it cannot be read.
    """
    text = _text_of(path)
    local = path_on_disk(text)
    if local is not None:
        return read_file(Path(local)), str(Path(local))
    from ..locations.listing import remote_file

    try:
        file = remote_file(text, storage_options or {})
        with file.open() as handle:
            return handle.read(), file.label
    except (InputError, OSError, MemoryError) as error:
        named = isinstance(error, InputError)
        raise SnapshotError(str(error) if named else f"{shown(text)}: {error}") from error


def write_atomically(
    path: Path, chunks: Iterable[bytes], *, begins: bytes, mode: int = 0o666
) -> None:
    """Put the chunks into a file: temporary file beside it, fsync, rename, fsync of the folder.

    Parameters
    ----------
    path
        The file.
    chunks
        Its new content.
    begins
        What a file that is there already must begin with (see `require_replaceable`).
    mode
        Permissions of the file, less those that the user's umask takes.

    Raises
    ------
    SnapshotError
        If the system refuses; the old file, if any, is untouched and no temporary file is left.
    """
    path = require_replaceable(path, begins)
    temporary = temporary_for(path)
    try:
        # Not tempfile: the file is to have the permissions that the user's umask gives.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            try:
                for chunk in chunks:
                    write_all(descriptor, chunk)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.replace(temporary, path)  # noqa: PTH105  (every system call through os)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise SnapshotError(
            f"{path}: cannot be written ({error.strerror or error}); "
            "choose a folder that exists, is writable and has room"
        ) from error


def create_whole(path: Path, data: bytes) -> int:
    """A new file that nobody ever sees without its first content; its descriptor, locked.

    Whoever asks for the lock of a file (`lock`) learns whether its writer lives.

    Raises
    ------
    FileExistsError
        If the path is taken.
    OSError
        If the system refuses; nothing is left then.
    """
    descriptor, temporary = open_temporary(path)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
        _publish(temporary, path)
    except BaseException:
        close_temporary(descriptor, temporary)
        raise
    try:
        sync_folder(path.parent)
    except OSError:
        # A file that cannot be taken back counts as written: its rows must not be written again.
        if _removed(path):
            os.close(descriptor)
            raise
    return descriptor


def open_temporary(path: Path) -> tuple[int, Path]:
    """A new temporary file beside a path, locked, written at its end only: descriptor and path."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    for _ in range(_ATTEMPTS):
        temporary = temporary_for(path)
        descriptor = os.open(temporary, flags, 0o666)
        with contextlib.suppress(OSError):  # there are no locks: then nobody removes the file
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            break
        # Between the two calls another process took it for one that a dead process left.
        os.close(descriptor)
    return descriptor, temporary


def close_temporary(descriptor: int, temporary: Path) -> None:
    """Close and remove a temporary file, as far as the system lets us."""
    with contextlib.suppress(OSError):
        os.close(descriptor)
    _removed(temporary)


def _removed(path: Path) -> bool:
    """Whether a file could be removed."""
    try:
        os.unlink(path)  # noqa: PTH108
    except OSError:
        return False
    return True


def temporary_for(path: Path) -> Path:
    """A name in the same folder that nothing reads."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")


def lock(descriptor: int) -> bool:
    """Take the lock of an open file; False if a living process has it, or there are no locks.

    A lock is the open file's: it ends when its last descriptor is closed, however a process ends.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _publish(temporary: Path, path: Path) -> None:
    """Give a file its name, which must be free."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:
        # A file system without hard links. Names of journals are random, so nobody comes between.
        if path.exists():
            raise FileExistsError(path) from None
        os.rename(temporary, path)  # noqa: PTH104
        return
    _removed(temporary)


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte; the system may take fewer at a time."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: Path) -> None:
    """Make a rename or a new file in the folder survive a crash of the machine."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_file(path: Path) -> bytes:
    """All bytes of a regular file.

    Raises
    ------
    SnapshotError
        If there is none, or it cannot be read.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise SnapshotError(f"{path}: not a regular file; give the path of a snapshot file")
        return path.read_bytes()
    except FileNotFoundError:
        raise SnapshotError(f"{path}: no such file; check the path") from None
    except (OSError, ValueError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or str(error) or "not enough memory"
        raise SnapshotError(f"{path}: cannot be read ({reason})") from error


def require_replaceable(path: Path, begins: bytes) -> Path:
    """Where a rename must go: through links, and never onto anything but a file of our own.

    Parameters
    ----------
    path
        A file that need not exist.
    begins
        First bytes of every file that may be replaced; an empty or torn one has only some of them.

    Raises
    ------
    SnapshotError
        If something else is there.
    """
    try:
        path = path.resolve()
        if not path.exists():
            return path
        if not path.is_file():
            raise SnapshotError(f"{path}: not a regular file; give another path for the snapshot")
        with path.open("rb") as file:
            head = file.read(len(begins))
    except (OSError, ValueError, RuntimeError) as error:
        raise SnapshotError(f"{path}: cannot be written ({error}); give another path") from None
    if not begins.startswith(head):
        raise SnapshotError(
            f"{path}: is there already and is no snapshot; give another path, or remove it first"
        )
    return path
