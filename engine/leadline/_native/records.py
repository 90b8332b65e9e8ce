"""Where records of CSV end."""

from __future__ import annotations

from .library import ffi, lib, refuse


def records_end(data: bytes, delimiter: str) -> int:
    """Where the last whole record ends in a piece of CSV that begins with one; 0 if none does.

    By the rules of Arrow's reader: quotes count only at the start of a field.
    """
    end = ffi.new("int64_t *")
    code = lib.ll_records_end(ffi.from_buffer("uint8_t[]", data), len(data), ord(delimiter), end)
    if code:
        refuse(code, "records")
    return int(end[0])
