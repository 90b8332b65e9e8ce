"""`leadline compare`: what changed between two snapshots."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import (
    Json,
    Quiet,
    Recover,
    Summaries,
    custom_summaries,
    names,
    statistics_of,
    weights,
)
from .output import console, print_parts, write_json


def compare(
    reference: Annotated[str, typer.Argument(metavar="REF", help="Snapshot to compare with.")],
    current: Annotated[str, typer.Argument(metavar="CUR", help="Snapshot to judge.")],
    statistics: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME,...",
            help="Statistics to show beside the effect: psi, wasserstein, ..., or a Python file "
            "with statistics of your own; it is run.",
        ),
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(metavar="COL", help="Only this column, in full.")
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COL,...",
            help='Judge every segment by these columns too; "segment" for all segment columns.',
        ),
    ] = None,
    importance: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="CSV or JSON file with a weight for some columns."),
    ] = None,
    policy: Annotated[
        str | None, typer.Option(metavar="FILE", help="Policy whose thresholds decide.")
    ] = None,
    independent: Annotated[
        bool,
        typer.Option(
            "--independent",
            help="Take rows as independent, whatever the reference's own windows do.",
        ),
    ] = False,
    summaries: Summaries = None,
    recover: Recover = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare two snapshots column by column; the worst come first."""
    from ..compare import compare as compare_profiles
    from ..locations import shown
    from ..policy import Policy
    from ..snapshot import read

    own = custom_summaries(summaries)
    asked = statistics_of(statistics or [])
    sides = [read(path, recover=recover, summaries=own) for path in (reference, current)]
    result = compare_profiles(
        *sides,
        statistics=asked,
        by=_columns(by),
        importance=weights(importance),
        thresholds=Policy.read(policy).thresholds if policy is not None else None,
        calibrate=not independent,
    )
    chosen = [result[name] for name in column or []]
    titles = {"reference": shown(reference), "current": shown(current)}
    if as_json:
        figures = result.to_dict()
        if chosen:
            figures["columns"] = {one.name: one.to_dict() for one in chosen}
        write_json({**titles, **figures})
    elif not quiet:
        from ..report.compare import column_report, comparison_report

        width = console().width
        for one in chosen:
            print_parts(*column_report(one, width=width))
        if not chosen:
            own_names = [one if isinstance(one, str) else one.name for one in asked]
            shown_names = result.statistics if "all" in own_names else own_names
            print_parts(*comparison_report(result, **titles, width=width, statistics=shown_names))


def _columns(by: list[str] | None) -> str | tuple[str, ...]:
    """The columns to compare by; one alone may be the word for all of them."""
    chosen = tuple(names(by or []))
    return chosen[0] if len(chosen) == 1 else chosen
