"""`leadline profile`: data files into a snapshot."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError, LeadlineError
from .options import Json, Output, Quiet, Summaries, custom_summaries, names, pairs, size, writable
from .output import InterruptedRunError, note, tell_written
from .progress import ProgressBar

if TYPE_CHECKING:
    from ..profile import Profile
    from ..scan.checkpoint import Checkpoint
    from ..scan.options import Options
    from ..scan.sources import Files


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
        str | None, typer.Option(metavar="LENGTH", help="Window: 10s, 15m, 1h, 1d, 1w, 1mo.")
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
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on from OUT.lead.checkpoint, if a run was interrupted."),
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
    stream = paths == ["-"]
    if stream and (resume or update):
        raise InputError("standard input cannot be read again; leave --resume and --update out")
    found = stream_of(sys.stdin, kind=file_format) if stream else locate(paths, kind=file_format)
    target = writable(
        output, (file.path for file in found.locations if isinstance(file, LocalFile))
    )
    base = snapshot.read(target) if update and target.exists() else None
    if every is not None and time is None and base is None:
        raise InputError("--every needs the column with the time; add --time COL")
    tell = _silent if quiet else note
    kept = None if stream else scan.Checkpoint(f"{target}.checkpoint", tell=tell)
    if kept is not None:
        kept.require_ours(file.path for file in found.locations if isinstance(file, LocalFile))
    own = custom_summaries(summaries)
    with ProgressBar(quiet=quiet) as bar:
        options = scan.prepare(
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
            checkpoint=kept,
            resume=resume,
            progress=bar.update,
        )
        news = ""
        result = _finished(target, found, options)
        if result is not None:
            news = "; complete, left as it is"
        elif kept is None:
            result = scan.scan(found, options)
            result.save(target)
        else:
            result = _scan(target, found, options, kept, tell)
    added = None if base is None else len(result.lineage) - len(base.lineage)
    tell_written(target, result, added=added, news=news, as_json=as_json, quiet=quiet)


def _finished(target: Path, found: Files, options: Options) -> Profile | None:
    """What is at the target, if going on would only write it again."""
    from .. import snapshot
    from ..errors import SnapshotError
    from ..scan.update import holds

    if not options.resume or options.base is not None or not target.exists():
        return None
    try:
        there = snapshot.read(target)
    except SnapshotError:
        return None
    if not holds(there, found, options.request, options.settings):
        return None
    assert options.checkpoint is not None
    options.checkpoint.remove()
    return there


def _scan(
    target: Path,
    found: Files,
    options: Options,
    kept: Checkpoint,
    tell: Callable[[str], object],
) -> Profile:
    """Scan, save, and remove the checkpoint; if that fails, say how to go on."""
    from .. import scan

    if options.resume and not kept.exists:
        tell(f"there is no {kept.path}; starting from the beginning")
    elif kept.exists and not options.resume:
        tell(f"starting from the beginning; {kept.path} would let --resume go on")
    hint = f"what was read is kept in {kept.path}: go on with the same command and --resume"
    with kept:
        try:
            result = scan.scan(found, options)
            if result is not options.base:
                result.save(target)
        except KeyboardInterrupt:
            message = f"interrupted; {hint}" if kept.usable else "interrupted"
            raise InterruptedRunError(message) from None
        except LeadlineError as error:
            if not kept.saved:
                raise
            raise LeadlineError(f"{error} ({hint})") from error
        kept.remove()
    return result


def _silent(text: str) -> None:
    pass
