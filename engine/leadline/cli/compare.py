"""`leadline compare`: what changed between two snapshots."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Json, Quiet, names
from .output import show, write_json


def compare(
    reference: Annotated[Path, typer.Argument(metavar="REF", help="Snapshot to compare with.")],
    current: Annotated[Path, typer.Argument(metavar="CUR", help="Snapshot to judge.")],
    statistics: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME,...", help="More statistics: psi, wasserstein, ..."),
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(metavar="COL", help="Only this column, in full.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare two snapshots column by column; the worst come first."""
    from ..compare import compare as compare_profiles
    from ..snapshot import read

    result = compare_profiles(
        read(reference), read(current), statistics=tuple(names(statistics or []))
    )
    if as_json:
        write_json({"reference": str(reference), "current": str(current), **result.to_dict()})
    elif not quiet:
        from ..report.compare import comparison_report

        show(*comparison_report(result, str(reference), str(current)))
