"""Profiles <-> bytes on disk; the byte-level rules are in docs/format.md."""

from .archive import encode, require_writable, write
from .journal import JournalWriter
from .reading import Loss, RecoveryReport, decode, read, read_recovering
from .redact import redact

__all__ = [
    "JournalWriter",
    "Loss",
    "RecoveryReport",
    "decode",
    "encode",
    "read",
    "read_recovering",
    "redact",
    "require_writable",
    "write",
]
