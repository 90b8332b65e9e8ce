"""Files on disk."""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ..errors import InputError
from .base import ENDS, hash_of_ends

_GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A regular file on disk."""

    path: Path
    size: int
    parts: tuple[str, ...]
    version: str | None = None
    store: str = ""

    @property
    def identity(self) -> tuple[str, ...]:
        """The path with all links followed."""
        return self.parts

    @property
    def folders(self) -> Sequence[str]:
        """Names of the folders in the path as given, links not followed."""
        return self.path.parent.parts

    @property
    def label(self) -> str:
        """The path as found."""
        return str(self.path)

    @property
    def name(self) -> str:
        """Last part of the path."""
        return self.path.name

    def open(self, plan: Iterable[tuple[int, int]] = ()) -> pa.NativeFile:  # noqa: ARG002
        """The file by position; several threads may share the handle."""
        return pa.OSFile(str(self.path))

    def map(self) -> pa.NativeFile:
        """The file as a memory map."""
        return pa.memory_map(str(self.path))

    def stream(self, *, again: bool = True) -> pa.NativeFile:  # noqa: ARG002
        """The file from its start."""
        return pa.OSFile(str(self.path))

    def head(self, count: int) -> bytes:
        """The first bytes."""
        with self.path.open("rb") as file:
            return file.read(count)

    def tail(self, count: int) -> bytes:
        """The last bytes."""
        with self.path.open("rb") as file:
            file.seek(max(self.size - count, 0))
            return file.read(count)

    def keep(self, tail: bytes) -> None:
        """The system keeps what it has read."""

    def hash_of_ends(self) -> str:
        """Hash of size, head and tail."""
        return hash_of_ends(self.size, self.head(ENDS), self.tail(ENDS))


def local_files(
    argument: str, *, known: Callable[[str], bool], formats: str
) -> Iterator[LocalFile]:
    """Files of one path, folder or glob, sorted.

    Parameters
    ----------
    argument
        What the user gave.
    known
        Whether a file of a folder is to be read, by its name.
    formats
        What ``known`` knows, for messages.

    Raises
    ------
    InputError
        If there are none.
    """
    if not argument:
        raise InputError("a path is empty; use . for the current folder")
    if "\0" in argument:
        raise InputError(f"{argument!r} is not a path: it holds a zero byte")
    path = Path(argument)
    if path.exists():
        found = [path]
    elif not _GLOB.search(argument):
        raise InputError(f"{argument} does not exist")
    else:
        matches = glob.glob(argument, recursive=True)  # noqa: PTH207  (takes absolute ones too)
        found = [Path(match) for match in sorted(matches)]
        if not found:
            raise InputError(f"no file matches {argument}")
    for each in found:
        if not each.is_dir():
            yield _located(each)
            continue
        empty = True
        for file in _files_under(each, known):
            empty = False
            yield _located(file)
        if empty:
            raise InputError(f"the folder {each} holds no file of a known format ({formats})")


def _located(path: Path) -> LocalFile:
    try:
        found = path.stat()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    if not stat.S_ISREG(found.st_mode):
        hint = "; send it to standard input and give -" if stat.S_ISFIFO(found.st_mode) else ""
        raise InputError(f"{path} is not a regular file{hint}")
    parts = Path(os.path.realpath(path)).parts
    return LocalFile(path, found.st_size, parts, str(found.st_mtime_ns))


def _files_under(folder: Path, known: Callable[[str], bool]) -> Iterator[Path]:
    """A folder's own files before those of its folders, each sorted; hidden ones left out."""
    for inside, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not hidden(name))
        yield from (
            Path(inside, name) for name in sorted(files) if not hidden(name) and known(name)
        )


def hidden(name: str) -> bool:
    """Whether a file or folder is left out when a folder is read."""
    return name.startswith((".", "_"))
