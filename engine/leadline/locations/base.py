"""What readers ask of a file, wherever it lives."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Sequence
from typing import Protocol

import pyarrow as pa

ENDS = 65_536  # bytes of head and tail that stand for a file without a footer


class Location(Protocol):
    """One file: its names, its size, and ways to read it.

    Failures to read are `OSError` (or `InputError`) with a message in one line; they do not name
    the file, as readers know more about where in it they were.
    """

    @property
    def identity(self) -> Hashable:
        """What makes two locations the same file."""

    @property
    def store(self) -> str:
        """Where its path begins: the empty text for the disk, else such as ``s3://bucket``."""

    @property
    def parts(self) -> tuple[str, ...]:
        """Folders and name under the store."""

    @property
    def folders(self) -> Sequence[str]:
        """Names of the folders as the user gave them, for ``key=value`` columns."""

    @property
    def label(self) -> str:
        """Name in messages: what the user can find, without secrets."""

    @property
    def name(self) -> str:
        """Last part of the path, by whose suffix the format is known."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def version(self) -> str | None:
        """What changes with the content, where that costs nothing to know."""

    def open(self, plan: Iterable[tuple[int, int]] = ()) -> pa.NativeFile:
        """A handle of one's own, for reads at any position; each read is one access.

        ``plan`` lists ranges of bytes that will be read, in order: far away they are asked for
        ahead.
        """

    def map(self) -> pa.NativeFile:
        """Like `open`; in memory without a copy where the system can do that."""

    def stream(self, *, again: bool = True) -> pa.NativeFile:
        """A handle of one's own, for reading once from the start to the end.

        With ``again`` false the file will not be read another time: pipes need to know.
        """

    def head(self, count: int) -> bytes:
        """The first bytes, at most ``count``."""

    def tail(self, count: int) -> bytes:
        """The last bytes, at most ``count``."""

    def keep(self, tail: bytes) -> None:
        """Remember the last bytes while there is room, as they will be asked for again."""

    def hash_of_ends(self) -> str:
        """Hash of size, head and tail: tells files apart that have no footer."""


def hash_of_ends(size: int, head: bytes, tail: bytes) -> str:
    """Hash of a file's size, its first and its last `ENDS` bytes."""
    digest = hashlib.blake2b(str(size).encode(), digest_size=16)
    digest.update(head)
    digest.update(tail)
    return digest.hexdigest()
