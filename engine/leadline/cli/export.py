"""`leadline export`: figures of snapshots for other programs."""

from __future__ import annotations

import os
import secrets
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from .options import Quiet, Recover, names
from .output import write


class Target(StrEnum):
    """What snapshots are exported to."""

    PROMETHEUS = "prometheus"


def export(
    snapshots: Annotated[
        list[str],
        typer.Argument(metavar="SNAP...", help="Snapshot files or their URLs, taken together."),
    ],
    to: Annotated[Target, typer.Option(help="Metrics in the text format of Prometheus.")],
    name: Annotated[
        str, typer.Option(metavar="NAME", help="The label `monitor` of all metrics.")
    ] = "leadline",
    columns: Annotated[
        list[str] | None,
        typer.Option(metavar="COL,...", help="Only these columns."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write there, at once; default: print."
        ),
    ] = None,
    recover: Recover = False,
    quiet: Quiet = False,
) -> None:
    """Export counts of all rows, and figures of the last window that is over.

    Of the files of several workers these are the figures of the whole service.
    """
    from ..profile.profile import merge
    from ..schema import require_names
    from ..serve.exposition import Format, bodies, document
    from ..serve.metrics import Choice, of_profile
    from ..snapshot import read

    assert to is Target.PROMETHEUS
    profile = merge((read(path, recover=recover) for path in snapshots), allow_repeats=True)
    chosen = names(columns or [])
    require_names(chosen, profile.names)
    samples = of_profile(name, profile, Choice(chosen or None), now=time.time())
    text = document([bodies(samples, Format.TEXT)], Format.TEXT)
    if output is not None:
        _replace(output, text)
    elif not quiet:
        write(text.decode().rstrip("\n"))


def _replace(path: Path, content: bytes) -> None:
    """Write a file that others read at any time: they see the old one or the new one."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        beside.write_bytes(content)
        os.replace(beside, path)  # noqa: PTH105
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None
