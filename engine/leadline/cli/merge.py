"""`leadline merge`: several snapshots into one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Json, Output, Quiet, Recover, Summaries, custom_summaries, writable
from .output import tell_written


def merge(
    snapshots: Annotated[
        list[str], typer.Argument(metavar="SNAP...", help="Snapshot files or their URLs.")
    ],
    output: Output,
    every: Annotated[
        str | None,
        typer.Option(metavar="LENGTH", help="Roll the windows up to longer ones: 1d, 1w, 1mo."),
    ] = None,
    allow_repeats: Annotated[
        bool,
        typer.Option(
            "--allow-repeats",
            help="Merge although two snapshots name an input of the same name, size and footer.",
        ),
    ] = False,
    summaries: Summaries = None,
    recover: Recover = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Merge snapshots of different rows into one snapshot, left to right."""
    from ..locations import path_on_disk
    from ..profile import Profile
    from ..rollup import roll_up
    from ..snapshot import read

    on_disk = map(path_on_disk, snapshots)
    target = writable(output, (Path(path) for path in on_disk if path is not None))
    own = custom_summaries(summaries)
    total: Profile | None = None
    for path in snapshots:
        part = read(path, recover=recover, summaries=own)
        if every is not None:
            part = roll_up(part, every)
        total = part if total is None else total.merge(part, allow_repeats=allow_repeats)
    assert total is not None
    total.save(target)
    tell_written(target, total, as_json=as_json, quiet=quiet)
