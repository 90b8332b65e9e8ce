"""Text that is safe and readable on a terminal, whatever is in it."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Any

BLOCKS = " ▁▂▃▄▅▆▇█"


def printable(text: str) -> str:
    r"""Spell out every character that a terminal could obey or hide: controls, marks of direction.

    >>> printable("red\x1b[31m")
    'red\\x1b[31m'
    """
    if text.isprintable():
        return text
    return "".join(mark if mark.isprintable() else _spelled(mark) for mark in text)


def _spelled(mark: str) -> str:
    code = ord(mark)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def titled(name: str) -> str:
    """A column's name; in quotes where it would else not be seen, or not in full.

    >>> titled("age"), titled(""), titled(" age")
    ('age', "''", "' age'")
    """
    return name if name and name == name.strip() else repr(name)


def shorten(text: str, width: int) -> str:
    """Make ``text`` `printable` and cut it to ``width`` terminal cells, ending in an ellipsis."""
    from rich.cells import cell_len, set_cell_size

    text = printable(text)
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(width - 1, 0)).rstrip() + "…"


def number(value: float | None, digits: int = 4) -> str:
    """Write a number in few characters: ``digits`` significant ones, thousands separated.

    >>> number(336776.0), number(0.0001234), number(12.3456), number(1e300), number(float("nan"))
    ('336,776', '0.0001234', '12.35', '1e+300', '-')
    """
    if value is None or math.isnan(value):
        return "-"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 1e9 or size < 1e-4:
        return f"{value:.{digits - 2}g}"
    if size >= 10 ** (digits - 1) - 0.5:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def counted(amount: int, noun: str) -> str:
    """Write how many there are of something.

    >>> counted(1, "cell"), counted(1095, "cell")
    ('1 cell', '1,095 cells')
    """
    return f"{amount:,} {noun}" + ("" if amount == 1 else "s")


def share(value: float) -> str:
    """A share as a percentage that never shows 0 % for something or 100 % for not everything.

    >>> share(0.0), share(0.00001), share(0.0123), share(0.99999), share(1.0)
    ('0%', '<0.1%', '1.2%', '>99.9%', '100%')
    """
    if value <= 0.0:
        return "0%"
    if value >= 1.0:
        return "100%"
    if value < 0.001:
        return "<0.1%"
    if value > 0.999:
        return ">99.9%"
    return f"{100 * value:.1f}%"


def scalar(value: Any) -> str:
    """Any value of a column, short: numbers, text, instants, days."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return (
            number(float(value)) if abs(value) < 1e300 or isinstance(value, float) else str(value)
        )
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d" if _midnight(value) else "%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    return printable(str(value))


def _midnight(instant: datetime) -> bool:
    return (instant.hour, instant.minute, instant.second) == (0, 0, 0)


def bars(weights: list[float], top: float | None = None) -> str:
    """One block character a weight, the tallest full; something never looks like nothing.

    >>> bars([0, 1, 2, 4, 8])
    ' ▁▂▄█'
    """
    top = max(weights, default=0.0) if top is None else top
    if top <= 0:
        return " " * len(weights)
    return "".join(
        BLOCKS[min(max(math.ceil(8 * weight / top - 1e-9), 1), 8)] if weight > 0 else " "
        for weight in weights
    )
