"""Lines of fixed fields on a terminal: cut, padded and styled, never wrapped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.cells import cell_len
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


def note(text: str) -> Text:
    """A dim line."""
    return Text(printable(text), style="dim")
