"""`leadline demo`: the main job on a year of flights."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Json, Quiet
from .output import print_parts, write, write_json

if TYPE_CHECKING:
    from ..compare import Comparison
    from ..profile import Profile

ZONE = "America/New_York"
REFERENCE_MONTHS = range(1, 7)
LATER_MONTHS = range(7, 13)
ROLES = {
    "arr_delay": "label",
    "flight": "id",
    "tailnum": "id",
    "year": "timestamp",
    "month": "timestamp",
    "day": "timestamp",
}


def demo(
    directory: Annotated[
        Path, typer.Option("--directory", "-d", metavar="DIR", help="Where the files go.")
    ] = Path("demo"),
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Profile the flights out of New York in 2013 by day and origin, and say what drifted."""
    from .. import flights
    from ..profile.profile import merge

    say = _Narrator(silent=as_json or quiet)
    data = directory / "flights"
    say("The 336,776 flights out of New York in 2013, with the weather, as twelve Parquet files.")
    files = flights.write_months(data)
    say(f"  {data}: {_size(files)}")

    say("Each month profiled by day and by origin:")
    profiles = {
        month: _profile(path, _snapshot(directory, month), say)
        for month, path in zip(flights.MONTHS, files, strict=True)
    }
    say("January to June merged as the reference:")
    reference = merge(profiles[month] for month in REFERENCE_MONTHS)
    reference_path = directory / "reference.lead"
    reference.save(reference_path)
    say(f"  {reference_path}: {_about(reference, reference_path)}")

    say("Every later month compared with it:")
    comparisons = {month: _compare(reference, profiles[month]) for month in LATER_MONTHS}
    if as_json:
        write_json(_figures(directory, comparisons))
    elif not quiet:
        _print_result(directory, comparisons)


class _Narrator:
    """Prints what happens, or nothing."""

    def __init__(self, *, silent: bool) -> None:
        self._silent = silent

    def __call__(self, text: str) -> None:
        if not self._silent:
            write(text)


def _snapshot(directory: Path, month: int) -> Path:
    return directory / f"2013-{month:02d}.lead"


def _profile(path: Path, target: Path, say: _Narrator) -> Profile:
    from .. import scan

    begin = time.perf_counter()
    profile = scan.profile(
        [str(path)], time="time_hour", every="1d", tz=ZONE, segments=("origin",), roles=ROLES
    )
    seconds = time.perf_counter() - begin
    profile.save(target)
    say(f"  {target}: {_about(profile, target)}, {seconds:.2f} s")
    return profile


def _compare(reference: Profile, current: Profile) -> Comparison:
    from ..compare import compare

    return compare(reference, current)


def _about(profile: Profile, path: Path) -> str:
    return f"{profile.rows:,} rows, {len(profile.cells):,} cells, {_size([path])}"


def _size(paths: list[Path]) -> str:
    return f"{sum(path.stat().st_size for path in paths) / 1e6:.2f} MB"


def _figures(directory: Path, comparisons: dict[int, Comparison]) -> dict[str, Any]:
    return {
        "directory": str(directory),
        "reference": str(directory / "reference.lead"),
        "months": {
            f"2013-{month:02d}": {
                "snapshot": str(_snapshot(directory, month)),
                "drifted": list(comparison.drifted),
            }
            for month, comparison in comparisons.items()
        },
    }


def _print_result(directory: Path, comparisons: dict[int, Comparison]) -> None:
    from ..report.compare import drift_table
    from .output import console

    titles = {month: f"2013-{month:02d}" for month in comparisons}
    named = {titles[month]: comparison for month, comparison in comparisons.items()}
    print_parts(*drift_table(named, width=console().width))
    write("")
    write(f"The files are in {directory}. To go on:")
    write(f"  leadline compare {directory}/reference.lead {directory}/2013-12.lead")
    write(f"  leadline infer {directory}/reference.lead -o {directory}/policy.toml")
    write(f"  leadline check {directory}/2013-07.lead --policy {directory}/policy.toml")
    write(f"  leadline show {directory}/2013-07.lead --column dep_delay --segment origin=JFK")
    write(f"  leadline merge {directory}/2013-*.lead -o {directory}/year.lead --every 1w")
