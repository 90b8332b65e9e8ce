"""What CSV and JSON Lines share: decompression, checks of the first bytes, types of the whole file.

Readers of text infer types from their first block, and a later value that does not fit would end
the read. Here the types are those of the whole file: on the first conflict the file is read once
only for its types, and then again from its start.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

import pyarrow as pa

from ...errors import InputError
from ...locations import Location
from .base import BINARY_MAGIC, not_a

_COMPRESSIONS = {".gz": ("gzip", b"\x1f\x8b"), ".zst": ("zstd", b"\x28\xb5\x2f\xfd")}
BOM = b"\xef\xbb\xbf"

# What a column may become once a value does not fit, in the order in which it is tried.
_WIDER: dict[str, tuple[pa.DataType, ...]] = {
    "null": (
        pa.int64(),
        pa.bool_(),
        pa.date32(),
        pa.timestamp("s"),
        pa.timestamp("ns"),
        pa.timestamp("ns", "UTC"),
        pa.float64(),
        pa.string(),
    ),
    "int64": (pa.float64(), pa.string()),
    "date32[day]": (pa.timestamp("s"), pa.timestamp("ns"), pa.string()),
    "timestamp[s]": (pa.timestamp("ns"), pa.string()),
}


def wider_types(type_: pa.DataType) -> tuple[pa.DataType, ...]:
    """Types that a column of text may turn into, narrowest first; text holds everything."""
    if pa.types.is_string(type_):
        return ()
    return _WIDER.get(str(type_), (pa.string(),))


def packing_of(head: bytes) -> tuple[str | None, bytes]:
    """How a file is compressed by its first bytes, and which of them say so."""
    for compression, magic in _COMPRESSIONS.values():
        if head.startswith(magic):
            return compression, magic
    return None, b""


class TextSource:
    """One file of text, perhaps compressed; by its suffix, or by its content if so asked."""

    prompt = False
    kind = "a text file"

    def __init__(self, location: Location, name: str, *, by_content: bool = False) -> None:
        self.name, self.label = name, location.label
        self._location = location
        self._file: Any = None
        self._consumed = 0
        head = location.head(8)
        suffix = PurePath(location.name).suffix.lower()
        compression, magic = _COMPRESSIONS.get(suffix, (None, b""))
        if by_content:
            compression, magic = packing_of(head)
        self._compression = compression
        if not head:
            raise InputError(f"{self.label} is empty")
        if compression is not None and not head.startswith(magic):
            raise not_a(self.label, f"a {compression} file", head)
        if compression is None and head.startswith(BINARY_MAGIC):
            raise not_a(self.label, self.kind, head)

    @property
    def size(self) -> int:
        """Bytes; 0 while a pipe is being read."""
        return self._location.size

    def rows(self) -> None:
        """Not known before the file is read."""

    def consumed(self) -> int:
        """Bytes read from the disk in the current pass over the file."""
        if self._file is not None and not self._file.closed:
            # Readers close the file under us at its end, and it then stands at 0.
            self._consumed = max(self._consumed, int(self._file.tell()))
        return self._consumed

    def fingerprint(self) -> str:
        """Hash of the file's size and ends."""
        return self._location.hash_of_ends()

    def open(self) -> Any:
        """The file's bytes as an Arrow stream, decompressed."""
        self._file, self._consumed = self._location.stream(), 0
        if self._compression is None:
            return self._file
        return pa.CompressedInputStream(self._file, self._compression)

    def blocks(self, size: int) -> Iterator[bytes]:
        """The file's bytes cut after line ends, without a byte order mark; lines are kept whole."""
        rest = b""
        first = True
        with self.open() as stream:
            while data := stream.read(size):
                if first:
                    data, first = data.removeprefix(BOM), False
                end = data.rfind(b"\n") + 1
                if end == 0:
                    rest += data
                    continue
                yield rest + data[:end]
                rest = data[end:]
        if rest.strip():
            yield rest
