"""Figures as JSON that every reader accepts and that a terminal cannot obey."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from datetime import date, datetime
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any


def to_json(figures: Mapping[str, Any]) -> str:
    """Standard JSON: instants and days in ISO 8601, infinities as text, NaN as null, ASCII only.

    >>> print(to_json({"max": float("inf"), "std": float("nan")}))
    {
      "max": "Infinity",
      "std": null
    }
    """
    parts: list[str] = []
    _write(figures, "\n", parts)
    return "".join(parts)


# The standard library indents in Python, by a generator a level: a report of a thousand columns
# took twice as long.
def _write(value: Any, newline: str, parts: list[str]) -> None:
    """Append the value as `json.dumps` with an indent of 2 writes it."""
    if isinstance(value, str):
        parts.append(_quoted(value))
    elif isinstance(value, float):
        parts.append(_number(value))
    elif isinstance(value, Mapping):
        _write_all(value.items(), newline, parts)
    elif isinstance(value, list | tuple):
        _write_all(value, newline, parts)
    else:
        parts.append(_scalar(value))


def _write_all(items: Collection[Any], newline: str, parts: list[str]) -> None:
    named = not isinstance(items, list | tuple)
    opened, closed = ("{", "}") if named else ("[", "]")
    if not items:
        parts.append(opened + closed)
        return
    inner = newline + "  "
    separator = opened + inner
    for item in items:
        parts.append(separator)
        if named:
            parts.append(_quoted(str(item[0])) + ": ")
        _write(item[1] if named else item, inner, parts)
        separator = "," + inner
    parts.append(newline + closed)


def _number(value: float) -> str:
    if math.isnan(value):
        return "null"
    if math.isinf(value):
        return '"Infinity"' if value > 0 else '"-Infinity"'
    return float.__repr__(value)


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, datetime | date):
        return _quoted(value.isoformat())
    if hasattr(value, "item"):  # a scalar of NumPy's
        value = value.item()
        return _number(value) if isinstance(value, float) else _scalar(value)
    return _quoted(str(value))
