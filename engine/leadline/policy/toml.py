"""Values and keys as TOML writes them; what is written reads back as an equal value.

tomllib only reads. A writer that keeps comments would be one more dependency; what a policy holds
is little: texts, numbers, dates, lists and inline tables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from json.encoder import encode_basestring  # the escapes of JSON are escapes of TOML too
from typing import Any

WIDTH = 100
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_GROUPED = 10_000  # whole numbers from here on have their thousands separated


def key_text(*names: str) -> str:
    """A dotted key.

    >>> key_text("columns", "a.b")
    'columns."a.b"'
    """
    return ".".join(name if _BARE.fullmatch(name) else string_text(name) for name in names)


def string_text(text: str) -> str:
    r"""A text in double quotes; escaped is what may not stand there, or what nobody would see.

    >>> string_text('say "hi"\n')
    '"say \\"hi\\"\\n"'
    """
    quoted = encode_basestring(text)
    if quoted.isprintable():
        return quoted
    return "".join(mark if mark.isprintable() else _escaped(mark) for mark in quoted)


def _escaped(mark: str) -> str:
    code = ord(mark)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def value_text(value: Any) -> str:
    """Any value of a policy on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return string_text(value)
    if isinstance(value, int):
        return f"{value:_}" if abs(value) >= _GROUPED else str(value)
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key_text(key)} = {value_text(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    return f"[{', '.join(map(value_text, value))}]"


def assignment(key: str, value: Any) -> str:
    """``key = value``; a list that is too long for one line has its items on lines of their own."""
    line = f"{key_text(key)} = {value_text(value)}"
    if len(line) <= WIDTH or not isinstance(value, list | tuple):
        return line
    rows, row = [], ""
    for item in map(value_text, value):
        if row and len(row) + len(item) + 6 > WIDTH:
            rows.append(row)
            row = ""
        row += f" {item}," if row else f"{item},"
    rows.append(row)
    return "\n".join([f"{key_text(key)} = [", *(f"    {each}" for each in rows), "]"])


def comment_lines(text: str) -> list[str]:
    """A comment, line by line; nothing in it can end it."""
    shown = "".join(mark if mark.isprintable() or mark == "\n" else " " for mark in text)
    return [f"# {line}".rstrip() for line in shown.split("\n")] if text else []


def _float_text(value: float) -> str:
    """A finite number; whole ones without a point, as which they are equal."""
    whole = value.is_integer() and abs(value) < 1e15
    return value_text(int(value)) if whole else repr(value)
