"""`leadline profile`: data files into a snapshot."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ..errors import InputError
from .options import Json, Output, Quiet, Summaries, custom_summaries, names, pairs, size, writable
from .output import tell_written
from .progress import ProgressBar


def profile(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...",
            help="Files, directories, globs or URLs: Parquet, Arrow IPC, CSV, JSON Lines; "
            "- for standard input.",
            show_default=False,
        ),
    ],
    output: Output,
    file_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="parquet, arrow, csv, tsv or jsonl, where names do not tell.",
        ),
    ] = None,
    time: Annotated[str | None, typer.Option(metavar="COL", help="Column with the time.")] = None,
    every: Annotated[
        str | None, typer.Option(metavar="LENGTH", help="Window: 15m, 1h, 1d, 1w, 1mo.")
    ] = None,
    tz: Annotated[
        str | None,
        typer.Option(metavar="ZONE", help="Zone of the windows; default: the column's, else UTC."),
    ] = None,
    segment: Annotated[
        list[str] | None, typer.Option(metavar="COL", help="Profile each value of COL apart.")
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option(metavar="COL=ROLE", help="feature, prediction, score, label, id, ..."),
    ] = None,
    columns: Annotated[
        list[str] | None, typer.Option(metavar="COL,...", help="Only these columns.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads; the result does not depend on it.")
    ] = None,
    memory: Annotated[str, typer.Option(metavar="SIZE", help="Bound on open cells.")] = "1GiB",
    max_cells: Annotated[
        int, typer.Option(min=1, help="Most windows x segments before giving up.")
    ] = 100_000,
    on_schema_change: Annotated[
        str | None,
        typer.Option(
            metavar="error|separate", help="When types cannot be widened; default: error."
        ),
    ] = None,
    redact: Annotated[
        list[str] | None, typer.Option(metavar="COL", help="Store no raw values of COL.")
    ] = None,
    rank_error: Annotated[
        float | None, typer.Option(help="Promised rank error of quantiles; default: 0.007.")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Note kept in the snapshot.")
    ] = None,
    update: Annotated[
        bool,
        typer.Option(
            "--update",
            help="Add only files that are new since OUT.lead was made; other options are its own.",
        ),
    ] = False,
    summaries: Summaries = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Read data files once and write their profile as one snapshot file."""
    from .. import scan, snapshot
    from ..locations import LocalFile
    from ..scan.sources import locate, stream_of

    if "-" in paths and len(paths) > 1:
        raise InputError("- stands for standard input and cannot be mixed with other inputs")
    if paths == ["-"]:
        found = stream_of(sys.stdin, kind=file_format)
    else:
        found = locate(paths, kind=file_format)
    target = writable(
        output, (file.path for file in found.locations if isinstance(file, LocalFile))
    )
    base = snapshot.read(target) if update and target.exists() else None
    if every is not None and time is None and base is None:
        raise InputError("--every needs the column with the time; add --time COL")
    own = custom_summaries(summaries)
    with ProgressBar(quiet=quiet) as bar:
        result = scan.profile(
            found,
            threads=threads,
            time=time,
            every=every,
            tz=tz,
            segments=tuple(names(segment or [])),
            roles=pairs(role or [], "--role") or None,
            columns=names(columns) if columns else None,
            update=base,
            memory=size(memory),
            max_cells=max_cells,
            on_schema_change=on_schema_change,
            rank_error=rank_error,
            redact=tuple(names(redact or [])),
            tags=pairs(tag or [], "--tag") or None,
            summaries=own,
            progress=bar.update,
        )
    if result is not base:
        result.save(target)
    added = None if base is None else len(result.lineage) - len(base.lineage)
    tell_written(target, result, added=added, as_json=as_json, quiet=quiet)
