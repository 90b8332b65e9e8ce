"""`leadline trend`: windows over time, and which of them are unlike the others."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from ..errors import InputError
from .options import Json, Quiet, Recover, names
from .output import FINE, FOUND, console, print_parts, write_json


class Baselines(StrEnum):
    """What windows are compared with."""

    REFERENCE = "reference"
    PREVIOUS = "previous"
    ROLLING = "rolling"


class FailOn(StrEnum):
    """From which verdict the command fails."""

    DRIFT = "drift"
    POSSIBLE = "possible"


def trend(
    reference: Annotated[
        str,
        typer.Argument(
            metavar="REF", help="Snapshot to compare with; alone, its own windows are followed."
        ),
    ],
    snapshots: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SNAP]...", help="Snapshots to follow, in order of time."),
    ] = None,
    baseline: Annotated[
        Baselines, typer.Option(help="What every window is compared with.")
    ] = Baselines.REFERENCE,
    budget: Annotated[
        str | None,
        typer.Option(
            metavar="N/TIME",
            help="False events that are acceptable: 1/month, 2/week, 1/50windows. "
            "Default: 1/week for windows of up to a day.",
        ),
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(metavar="COL", help="Only this column.")
    ] = None,
    statistics: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME,...", help="Further figures to follow: mean, std, p50, p95."),
    ] = None,
    seasons: Annotated[
        bool,
        typer.Option(
            "--seasons/--no-seasons",
            help="Compare with windows of the same hour of the week or day of the week.",
        ),
    ] = True,
    rolling: Annotated[
        int | None,
        typer.Option(metavar="N", help="Windows of the rolling baseline (default: four weeks)."),
    ] = None,
    lag: Annotated[
        int, typer.Option(metavar="N", help="How many windows back the rolling baseline ends.")
    ] = 1,
    keep_drift: Annotated[
        bool, typer.Option("--keep-drift", help="Let windows in alarm into rolling baselines.")
    ] = False,
    bridge: Annotated[
        int,
        typer.Option(metavar="N", help="Quiet windows that may lie between alarms of one event."),
    ] = 0,
    last_open: Annotated[
        bool,
        typer.Option(
            "--open", help="The last window is still filling: judge it so that any look may count."
        ),
    ] = False,
    alpha: Annotated[
        float,
        typer.Option(
            metavar="P", help="With --open: probability of ever alarming without a change."
        ),
    ] = 0.01,
    policy: Annotated[
        str | None, typer.Option(metavar="FILE", help="Policy whose thresholds decide.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Windows were due until then; name the missing ones."),
    ] = None,
    fail_on: Annotated[
        FailOn | None,
        typer.Option(help="Exit with 1 if there is an event, or a possible one."),
    ] = None,
    latest: Annotated[
        bool, typer.Option("--latest", help="With --fail-on: only the last window counts.")
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="Print all series and events.")] = False,
    recover: Recover = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Follow windows over time: alarms within a budget, joined into events, the worst first."""
    from ..locations import shown
    from ..policy import Policy
    from ..snapshot import read
    from ..trend import trend as follow

    if fail_on is not None and not snapshots:
        raise InputError(
            "--fail-on needs snapshots to judge: a reference alone has as many events as its "
            "budget allows"
        )
    paths = [reference, *(snapshots or [])]
    profiles = [read(path, recover=recover) for path in paths]
    titles = [shown(path) for path in paths]
    result = follow(
        *profiles,
        baseline=baseline.value,
        budget=budget,
        statistics=tuple(names(statistics or [])),
        columns=tuple(column or []),
        thresholds=Policy.read(policy).thresholds if policy is not None else None,
        seasonal=seasons,
        rolling=rolling,
        lag=lag,
        exclude_drift=not keep_drift,
        bridge=bridge,
        open_alpha=alpha if last_open else None,
        until=None if until is None else _instant(until, profiles[-1].settings.tz),
        labels=titles,
    )
    if as_json:
        write_json({"snapshots": titles, **result.to_dict()})
    elif not quiet:
        from ..report.trend import trend_report

        title = titles[0] if len(titles) < 2 else f"{titles[0]} and {len(titles) - 1} more"
        width = console().width
        print_parts(*trend_report(result, reference=title, width=width, every=every))
    raise typer.Exit(_code(result.latest.verdict if latest else result.verdict, fail_on))


def _code(verdict: str, fail_on: FailOn | None) -> int:
    """1 if the verdict is one that the command was to fail on."""
    failing = {None: (), FailOn.DRIFT: ("drift",), FailOn.POSSIBLE: ("drift", "possible")}
    return FOUND if verdict in failing[fail_on] else FINE


def _instant(text: str, zone: str | None) -> datetime:
    from ..scan.windows import zone_of

    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"--until {text!r} is not a time such as 2026-01-31T12:00") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=zone_of(zone or "UTC"))
