"""What the command prints, and how every failure becomes one line and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import LeadlineError
from ..report.text import counted, printable

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console, RenderableType

    from ..profile import Profile

FINE, FOUND, WRONG = 0, 1, 2
INTERRUPTED, CLOSED_PIPE = 130, 141
WIDTH_OF_FILES = 100

# The library's messages name arguments of Python; here they are options.
OPTIONS = {
    "with max_cells": "with --max-cells",
    'with on_schema_change="separate"': "with --on-schema-change separate",
    "with recover=True": "with --recover",
    "without resume=True": "without --resume",
    "profile with segments=": "profile with --segment",
    "on_schema_change is": "--on-schema-change is",
    "with allow_repeats=True": "with --allow-repeats",
    "rank_error is": "--rank-error is",
    "memory is": "--memory is",
    "format is one of": "--format is one of",
    "force=True replaces it": "--force replaces it",
    "segments names": "--segment names",
    "read the snapshot with summaries=[...]": "add --summaries FILE.py",
}


class InterruptedRunError(Exception):
    """The user stopped a run; the message says how to go on."""


class ClosedPipeError(Exception):
    """Whoever read our output has gone away; nothing is wrong with us."""


def guarded(command: Callable[[], int | None]) -> int:
    """Run a command and return its exit code; print failures as one line on standard error.

    With ``LEADLINE_DEBUG=1`` in the environment, exceptions pass through with their traceback.
    """
    import logging

    import typer
    from typer.exceptions import TyperException

    logging.getLogger().addHandler(logging.NullHandler())  # what libraries log is not our message
    try:
        code = command() or FINE
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        _flush()
    except TyperException as error:
        return fail(f"{error.format_message()} (see leadline --help)")
    except InterruptedRunError as error:
        return fail(str(error), code=INTERRUPTED)
    except (KeyboardInterrupt, typer.Abort):
        return fail("interrupted", code=INTERRUPTED)
    except (ClosedPipeError, BrokenPipeError):
        _discard_output()
        return CLOSED_PIPE
    except Exception as error:  # the last resort: a line, never a traceback
        if os.environ.get("LEADLINE_DEBUG"):
            raise
        return fail(describe(error))
    return code


def describe(error: Exception) -> str:
    """Say in one sentence what went wrong and what can be done."""
    if isinstance(error, LeadlineError | ImportError):
        message = str(error)
        for argument, option in OPTIONS.items():
            message = message.replace(argument, option)
        return message
    if isinstance(error, OSError) and error.strerror:
        place = f": {error.filename}" if error.filename else ""
        return f"{error.strerror}{place}"
    if isinstance(error, MemoryError):
        return "out of memory; lower --memory or --threads"
    return (
        f"internal error, {type(error).__name__}: {error}; "
        "please report it with the traceback that LEADLINE_DEBUG=1 shows"
    )


def fail(message: str, *, code: int = WRONG) -> int:
    """Print one line on standard error and return the exit code."""
    try:
        print("leadline:", printable(" ".join(message.split())), file=sys.stderr)  # noqa: T201
    except OSError:
        _discard_output()
    return code


def note(text: str) -> None:
    """Print a line on standard error about something that is no failure."""
    fail(text, code=FINE)


def write(text: str) -> None:
    """Write a line to standard output."""
    try:
        sys.stdout.write(text + "\n")
    except UnicodeEncodeError:
        encoding = sys.stdout.encoding
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")
    except BrokenPipeError as error:
        raise ClosedPipeError from error


def write_json(figures: dict[str, Any]) -> None:
    """Write figures as JSON to standard output."""
    from ..report.json import to_json

    write(to_json(figures))


def tell_written(
    path: Path,
    profile: Profile,
    *,
    added: int | None = None,
    news: str = "",
    as_json: bool,
    quiet: bool,
) -> None:
    """Say what was written where.

    Parameters
    ----------
    added
        Files added to a snapshot that was there; None if it is a new one.
    news
        What else to say about the file.
    """
    rows, columns, cells = profile.rows, len(profile.columns), len(profile.cells)
    written = path.stat().st_size
    if as_json:
        figures = {"snapshot": str(path), "rows": rows, "columns": columns, "cells": cells}
        if added is not None:
            figures["added"] = added
        write_json({**figures, "bytes": written})
    elif not quiet:
        counts = ((rows, "row"), (columns, "column"), (cells, "cell"))
        told = ", ".join(counted(amount, noun) for amount, noun in counts)
        if added is not None:
            news = f"; {counted(added, 'file')} added" if added else "; no new files, left as it is"
        write(f"{printable(str(path))}: {told} in {written:,} bytes{news}")


def print_parts(*parts: RenderableType) -> None:
    """Write tables and texts to standard output, in the terminal's width."""
    screen = console()
    with screen.capture() as captured:
        for part in parts:
            # Printing forgets that a text is not to be wrapped; `soft_wrap` says it again.
            screen.print(part, soft_wrap=bool(getattr(part, "no_wrap", False)))
    write(captured.get().rstrip("\n"))


def console(*, errors: bool = False) -> Console:
    """A console that takes no markup from data; `errors` for standard error."""
    from rich.console import Console

    stream = sys.stderr if errors else sys.stdout
    width = None
    if not stream.isatty() and "COLUMNS" not in os.environ:
        width = WIDTH_OF_FILES
    return Console(
        file=stream, width=width, markup=False, emoji=False, highlight=False, soft_wrap=False
    )


def _flush() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError as error:
        raise ClosedPipeError from error


def _discard_output() -> None:
    """Point standard output at nothing, so that the interpreter's last flush cannot fail."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        sys.stdout = None
