"""`leadline show`: what is in a snapshot."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Json, Quiet, Recover, pairs
from .output import console, print_parts, write_json

if TYPE_CHECKING:
    from ..profile import Profile


def show(
    snapshot: Annotated[str, typer.Argument(metavar="SNAP", help="Snapshot file or its URL.")],
    column: Annotated[
        str | None, typer.Option(metavar="COL", help="Everything about one column.")
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
    """Show the figures of a snapshot, over all windows and segments or over some."""
    from ..locations import shown
    from ..snapshot import read

    profile = chosen(read(snapshot, recover=recover), window, segment or [])
    if as_json:
        if column is None:
            write_json({"snapshot": shown(snapshot), **profile.to_dict()})
        else:
            write_json({"snapshot": shown(snapshot), **profile[column].to_dict()})
    elif not quiet:
        from ..report.show import column_report, profile_report

        if column is None:
            width = console().width
            print_parts(*profile_report(profile, title=shown(snapshot), width=width))
        else:
            print_parts(*column_report(profile[column]))


def chosen(profile: Profile, window: str | None, segment: list[str]) -> Profile:
    """The part of a profile that the options name; segment values are compared as texts."""
    if window is not None:
        profile = profile.select(window=_instant(window, profile.settings.tz))
    if segment:
        wanted = pairs(segment, "--segment")
        positions = profile.settings.segments
        values: dict[str, str | int | float | bool | None] = {}
        for name, text in wanted.items():
            known = {v[positions.index(name)] for v in profile.segments if name in positions}
            values[name] = next((value for value in known if segment_text(value) == text), text)
        profile = profile.select(segment=values)
    return profile


def _instant(text: str, zone: str | None) -> datetime | str:
    """An instant written on the command line; one without a zone is in the profile's."""
    from ..scan.windows import zone_of

    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return text
    return instant if instant.tzinfo else instant.replace(tzinfo=zone_of(zone or "UTC"))


def segment_text(value: str | float | bool | None) -> str:
    """How a segment's value is written on the command line."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)
