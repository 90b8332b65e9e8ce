"""Options that several verbs share, and how their texts are read."""

from __future__ import annotations

import csv
import json
import os
import re
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from ..errors import InputError, LeadlineError

if TYPE_CHECKING:
    from ..compare import CustomStatistic
    from ..profile import CustomSummary

_Defined = TypeVar("_Defined")

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Recover = Annotated[
    bool, typer.Option("--recover", help="Read what is good of a damaged snapshot.")
]
Summaries = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.py",
        help="Python file with summaries of your own; it is run.",
    ),
]
Output = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="OUT.lead", help="Snapshot file to write."),
]


def pairs(texts: Iterable[str], option: str) -> dict[str, str]:
    """Read texts of the form ``name=value``; the last ``=`` separates, as names may hold one."""
    found: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.rpartition("=")
        if not separator or not name:
            raise InputError(f"{option} {text!r} is not of the form NAME=VALUE")
        if name in found:
            raise InputError(f"{option} gives {name!r} twice; give it once")
        found[name] = value
    return found


def names(texts: Iterable[str]) -> list[str]:
    """Read comma-separated names; one that holds a comma stands in double quotes."""
    return [name for row in csv.reader(texts, skipinitialspace=True) for name in row if name]


def size(text: str) -> int:
    """Read a size in bytes such as ``512MB`` or ``1GiB``.

    >>> size("1GiB"), size("512 kB"), size("4096")
    (1073741824, 512000, 4096)
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise InputError(f"{text!r} is not a size; write for example 512MB or 1GiB")
    amount, unit, binary = match.groups()
    return int(float(amount) * (1024 if binary else 1000) ** _POWERS[unit.lower()])


def writable(path: Path, inputs: Iterable[Path]) -> Path:
    """Check that a file can be made at ``path`` before the long work begins.

    Parameters
    ----------
    path
        Snapshot file to write.
    inputs
        Files that are read for it; none of them may be replaced.
    """
    from ..snapshot import require_writable

    if path.is_dir():
        raise InputError(f"{path} is a directory; name a file for the snapshot")
    if not path.parent.is_dir():
        if _URL.match(str(path)):
            raise InputError(
                f"{path} is not on disk; write the snapshot to a file and copy that file there"
            )
        raise InputError(f"there is no directory {path.parent}; make it first")
    target = os.path.realpath(path)
    if any(os.path.realpath(file) == target for file in inputs):
        raise InputError(f"{path} is one of the inputs; give another file for the snapshot")
    require_writable(path)
    return path


def custom_summaries(path: Path | None) -> list[CustomSummary]:
    """The summaries that a Python file defines at its top level; the file is run.

    Raises
    ------
    InputError
        If the file cannot be read or run, or defines none.
    """
    if path is None:
        return []
    from ..profile import CustomSummary

    return _defined(path, CustomSummary, "--summaries")


def statistics_of(texts: Iterable[str]) -> list[str | CustomStatistic]:
    """Names of statistics, and those that Python files among them define; the files are run.

    Raises
    ------
    InputError
        If a file cannot be read or run, or defines none.
    """
    found: list[str | CustomStatistic] = []
    for name in names(texts):
        if not name.endswith(".py"):
            found.append(name)
            continue
        from ..compare import CustomStatistic

        found += _defined(Path(name), CustomStatistic, "--statistics")
    return found


def _defined(path: Path, kind: type[_Defined], option: str) -> list[_Defined]:
    """What of a kind a Python file defines at its top level; the file is run."""
    import runpy

    if not path.is_file():
        raise InputError(f"{path} is not a file; {option} takes a Python file")
    try:
        defined = runpy.run_path(str(path))
    except LeadlineError as error:
        raise InputError(f"{path}: {error}") from error
    except (Exception, SystemExit) as error:
        raise InputError(f"{path} cannot be run: {_place_of(error, path)}") from error
    found = [value for value in defined.values() if isinstance(value, kind)]
    if not found:
        raise InputError(f"{path} defines no leadline.{kind.__name__} at its top level")
    return found


def weights(path: Path | None) -> dict[str, float] | None:
    """Weights of columns from a file: JSON with names as keys, or CSV of names and weights.

    A first line of CSV whose second field is no number is a header.

    Raises
    ------
    InputError
        If the file cannot be read, or does not hold weights.
    """
    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    pairs = _json_pairs(path, text) if path.suffix == ".json" else _csv_pairs(path, text)
    found: dict[str, float] = {}
    for name, value in pairs:
        if name in found:
            raise InputError(f"{path} gives {name!r} twice; give it once")
        found[name] = value
    if not found:
        raise InputError(f"{path} holds no weights; write lines such as: age,2.5")
    return found


def _json_pairs(path: Path, text: str) -> list[tuple[str, Any]]:
    try:
        pairs: object = json.loads(text, object_pairs_hook=list)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {error}") from error
    if not isinstance(pairs, list) or not all(isinstance(pair, tuple) for pair in pairs):
        raise InputError(f'{path} is not an object such as {{"age": 2.5}}')
    return pairs


def _csv_pairs(path: Path, text: str) -> list[tuple[str, float]]:
    found = []
    for number, row in enumerate(csv.reader(text.splitlines(), skipinitialspace=True), 1):
        if not row:
            continue
        try:
            name, value = row
            found.append((name, float(value)))
        except ValueError:
            if number > 1 or len(row) != 2:
                raise InputError(
                    f"{path}, line {number}: {','.join(row)!r} is not a name and a number, "
                    "such as: age,2.5"
                ) from None
    return found


def _place_of(error: BaseException, path: Path) -> str:
    """An error of a user's file in one line, with the last line of that file it came through."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(path)
    ]
    where = f"line {lines[-1]}: " if lines else ""
    text = " ".join(str(error).split())[:300]
    return f"{where}{type(error).__name__}: {text}"
