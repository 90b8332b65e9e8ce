"""`leadline check`: a snapshot held against a policy."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from .options import Json, Quiet, Recover, names, weights
from .output import FOUND, console, print_parts, write_json
from .show import chosen


def check(
    snapshots: Annotated[
        list[str],
        typer.Argument(metavar="[REF] CUR", help="Snapshot to check, after its reference if any."),
    ],
    policy: Annotated[str, typer.Option("--policy", "-p", metavar="FILE", help="Policy file.")],
    importance: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="CSV or JSON file with a weight for some columns."),
    ] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(metavar="WHAT,...", help="Exit with 1 on possible, undecided, warning too."),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="TIME", help="Instant to measure freshness from.")
    ] = None,
    window: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only the window of this instant.")
    ] = None,
    segment: Annotated[
        list[str] | None, typer.Option(metavar="COL=VALUE", help="Only this segment.")
    ] = None,
    recover: Recover = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check a snapshot against a policy: exit code 1 if a rule is violated."""
    from ..locations import shown
    from ..policy import Policy
    from ..policy import check as check_profile
    from ..snapshot import read

    if len(snapshots) > 2:
        raise InputError(f"{len(snapshots)} snapshots are given; give CUR, or REF and CUR")
    rules = Policy.read(policy)
    also = names(fail_on or [])
    *before, current = [read(path, recover=recover) for path in snapshots]
    part = chosen(current, window, segment or [])
    reference = before[0] if before else None
    result = check_profile(
        part, rules, reference=reference, now=_instant(as_of), importance=weights(importance)
    )
    failed = result.failed(*also)
    against, title = shown(snapshots[0]) if before else None, shown(snapshots[-1])
    if as_json:
        figures = {"reference": against, "current": title, "failed": failed}
        write_json({**figures, **result.to_dict()})
    elif not quiet:
        from ..report.check import check_report

        width = console().width
        print_parts(*check_report(result, title, against, width=width, failed=failed))
    if failed:
        raise typer.Exit(FOUND)


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"--as-of {text!r} is not an ISO 8601 time such as 2026-01-31") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
