"""Standard input and other open files: read once, and from the start again if need be.

The types of a text are those of all of it, so a text is read again when a later value does not fit
(see `scan.formats.text`). What can seek does so. Of a pipe, everything read is kept for that, the
first megabytes in memory and then in a temporary file without a name, in the form in which it came:
a compressed input takes its compressed size. Memory does not grow with the input.
"""

from __future__ import annotations

import io
import tempfile
import threading
import weakref
from collections.abc import Iterable
from typing import Any, BinaryIO

import pyarrow as pa

from ..errors import InputError
from .base import ENDS, hash_of_ends

_IN_MEMORY = 1 << 23


class Stream:
    """An open binary file.

    Parameters
    ----------
    file
        Anything that reads bytes.
    name
        Name in the lineage and in messages, such as ``<stdin>``.

    Raises
    ------
    InputError
        If it reads text.
    """

    store = ""
    folders: tuple[str, ...] = ()
    version = None

    def __init__(self, file: Any, name: str) -> None:
        if isinstance(file, io.TextIOBase):
            binary = getattr(file, "buffer", None)
            if binary is None:
                raise InputError(f"{name} gives text, not bytes; open the file in binary mode")
            file = binary
        self.name = self.label = name
        self.parts = (name,)
        self._source = _Seekable(file) if _can_seek(file) else _Spool(file)

    @property
    def identity(self) -> int:
        """The object itself."""
        return id(self)

    @property
    def size(self) -> int:
        """Bytes; 0 until the end of a pipe is reached."""
        return self._source.size

    def open(self, plan: Iterable[tuple[int, int]] = ()) -> pa.NativeFile:  # noqa: ARG002
        """Not for streams."""
        raise InputError(f"{self.label} can only be read in order; give a path instead")

    def map(self) -> pa.NativeFile:
        """Not for streams."""
        return self.open()

    def stream(self, *, again: bool = True) -> pa.NativeFile:
        """The bytes from the start; with ``again`` false, for the last time."""
        return pa.PythonFile(_Reader(self._source, again=again), mode="r")

    def head(self, count: int) -> bytes:
        """The first bytes."""
        return self._source.read(0, count, keep=True)

    def tail(self, count: int) -> bytes:  # noqa: ARG002
        """Not for streams."""
        raise InputError(f"{self.label} can only be read in order; give a path instead")

    def keep(self, tail: bytes) -> None:
        """Not for streams."""

    def hash_of_ends(self) -> str:
        """Hash of size, head and tail, once everything has been read."""
        return self._source.hash_of_ends()


class _Seekable:
    """An open file that can go back."""

    def __init__(self, file: BinaryIO) -> None:
        self._lock = threading.Lock()
        self._file, self._begin = file, file.tell()
        self.size = max(file.seek(0, io.SEEK_END) - self._begin, 0)

    def read(self, position: int, count: int, *, keep: bool) -> bytes:  # noqa: ARG002
        with self._lock:
            self._file.seek(self._begin + position)
            return _read_fully(self._file, count)

    def hash_of_ends(self) -> str:
        tail = max(self.size - ENDS, 0)
        head = self.read(0, ENDS, keep=True)
        return hash_of_ends(self.size, head, self.read(tail, ENDS, keep=True))


class _Spool:
    """A pipe, and what has been read of it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._kept: Any = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
        weakref.finalize(self, self._kept.close)
        self._kept_bytes = 0
        self._taken = 0
        self._head = self._tail = b""
        self._ended = False
        # Readers of CSV read ahead in a thread of their own, even while the next pass begins.
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        return self._taken if self._ended else 0

    def read(self, position: int, count: int, *, keep: bool) -> bytes:
        """Bytes from a position that is at most where reading has come to."""
        with self._lock:
            return self._read(position, count, keep=keep)

    def _read(self, position: int, count: int, *, keep: bool) -> bytes:
        if position < self._kept_bytes:
            self._kept.seek(position)
            data: bytes = self._kept.read(min(count, self._kept_bytes - position))
            return data
        if position != self._taken:
            raise OSError("it has been read already; save it to a file to read it again")
        data = b"" if self._ended else _read_fully(self._file, count)
        self._ended = self._ended or len(data) < count
        self._taken += len(data)
        self._head += data[: ENDS - len(self._head)]
        self._tail = (self._tail + data)[-ENDS:] if len(data) < ENDS else data[-ENDS:]
        if keep and self._kept_bytes == position:
            self._keep(data)
        else:
            self._kept.close()
            self._kept_bytes = 0
        return data

    def hash_of_ends(self) -> str:
        return hash_of_ends(self._taken, self._head, self._tail)

    def _keep(self, data: bytes) -> None:
        try:
            self._kept.seek(0, io.SEEK_END)
            self._kept.write(data)
        except OSError as error:
            raise OSError(
                f"there is no room for the temporary copy ({error.strerror or error}); "
                "set TMPDIR to a folder with room, or give a file instead"
            ) from error
        self._kept_bytes += len(data)


class _Reader:
    """One pass over a stream, as a file for Arrow; closing it leaves the stream open."""

    mode = "rb"

    def __init__(self, source: _Seekable | _Spool, *, again: bool) -> None:
        self._source, self._again = source, again
        self._position = 0
        self.closed = False

    def read(self, count: int = -1) -> bytes:
        """The next bytes, fewer only at the end."""
        parts: list[bytes] = []
        missing = count
        while missing:
            wanted = missing if count >= 0 else 1 << 20
            data = self._source.read(self._position, wanted, keep=self._again)
            if not data:
                break
            parts.append(data)
            self._position += len(data)
            missing -= len(data) if count >= 0 else 0
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def tell(self) -> int:
        """Bytes read."""
        return self._position

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Never."""
        return False

    def writable(self) -> bool:
        """Never."""
        return False

    def flush(self) -> None:
        """Nothing is written."""

    def close(self) -> None:
        """End the pass."""
        self.closed = True


def _can_seek(file: Any) -> bool:
    try:
        return bool(file.seekable())
    except (AttributeError, OSError, ValueError):
        return False


def _read_fully(file: BinaryIO, count: int) -> bytes:
    """Bytes until there are as many as asked for, or the end; pipes give what they have."""
    data = file.read(count)
    if data is None:
        raise OSError("it is in non-blocking mode")
    if not isinstance(data, bytes | bytearray | memoryview):
        raise InputError(f"read() gives {type(data).__name__}, not bytes; open it in binary mode")
    if len(data) == count or not data:
        return bytes(data)
    parts = [bytes(data)]
    missing = count - len(data)
    while missing and (data := file.read(missing)):
        parts.append(bytes(data))
        missing -= len(data)
    return b"".join(parts)
