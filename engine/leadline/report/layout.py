"""Lines of fixed fields on a terminal: cut, padded and styled, never wrapped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells
from rich.text import Text

from .text import printable, shorten

GAP = " "


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a line.

    Parameters
    ----------
    text
        What stands in it; cut to ``width`` if longer, and made `printable`.
    width
        Terminal cells.
    right
        Whether it is flush right, as numbers are.
    style
        A style of rich, such as ``bold red``.
    """

    text: str
    width: int
    right: bool = False
    style: str = ""


def line(fields: Iterable[Field]) -> Text:
    """Join fields with one space between them."""
    result = Text(no_wrap=True, overflow="crop")
    for index, field in enumerate(fields):
        if index:
            result.append(GAP)
        text = shorten(field.text, field.width)
        pad = " " * (field.width - cell_len(text))
        result.append(pad + text if field.right else text + pad, style=field.style or None)
    result.rstrip()
    return result


def heading(*parts: str) -> Text:
    """Say what a report is about: the first part bold, the others after middle dots."""
    first, *rest = (shorten(part, 200) for part in parts if part)
    result = Text(first, style="bold", no_wrap=True, overflow="ignore")
    for part in rest:
        result.append(f" · {part}", style="not bold")
    return result


def wrapped(text: str, width: int, *, indent: int = 0, style: str = "") -> list[Text]:
    """Text in as many indented lines as it needs; a word that is too long is broken."""
    room = max(width - indent, 8)
    rows = [""]
    for word in printable(text).split(" "):
        for part in chop_cells(word, room) or [""]:
            joined = f"{rows[-1]} {part}" if rows[-1] else part
            if cell_len(joined) <= room:
                rows[-1] = joined
            else:
                rows.append(part)
    return [Text(" " * indent + row, style=style, no_wrap=True, overflow="crop") for row in rows]


def note(text: str) -> Text:
    """A dim line."""
    return Text(printable(text), style="dim")
