"""What a scan is asked for: its arguments, checked, and its reports on the way."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from .. import snapshot
from ..errors import InputError
from ..profile import Profile, Settings
from ..profile.custom import CustomSummary, by_name
from ..sketch.scratch import UNIT_ROWS
from .checkpoint import Checkpoint
from .evolution import unique_names
from .outlook import Request
from .update import as_recorded, require_updatable
from .windows import zone_of

DEFAULT_MEMORY = 2**30
DEFAULT_MAX_CELLS = 100_000
DEFAULT_RANK_ERROR = 0.007


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a scan is.

    Parameters
    ----------
    rows_done, rows_total
        Rows; the total is None where it is not known before reading (text files).
    files_done, files_total
        Sources.
    bytes_done, bytes_total
        Bytes of the sources done.
    """

    rows_done: int
    rows_total: int | None
    files_done: int
    files_total: int
    bytes_done: int
    bytes_total: int


@dataclass(frozen=True, slots=True)
class Options:
    """Everything a scan needs to know beside its sources; see `profile`."""

    request: Request
    settings: Settings
    threads: int
    memory: int = DEFAULT_MEMORY
    max_cells: int = DEFAULT_MAX_CELLS
    tags: Mapping[str, str] | None = None
    progress: Callable[[Progress], object] | None = None
    summaries: Mapping[str, CustomSummary] = field(default_factory=dict)
    format: str | None = None
    storage_options: Mapping[str, Any] | None = None
    base: Profile | None = None
    checkpoint: Checkpoint | None = None
    resume: bool = False


def prepare(
    *,
    format: str | None = None,  # noqa: A002
    storage_options: Mapping[str, Any] | None = None,
    threads: int | None = None,
    time: str | None = None,
    every: str | None = None,
    tz: str | None = None,
    segments: Collection[str] = (),
    roles: Mapping[str, str] | None = None,
    columns: Collection[str] | None = None,
    update: Profile | str | os.PathLike[str] | None = None,
    memory: int = DEFAULT_MEMORY,
    max_cells: int = DEFAULT_MAX_CELLS,
    on_schema_change: str | None = None,
    rank_error: float | None = None,
    redact: Collection[str] = (),
    tags: Mapping[str, str] | None = None,
    summaries: Collection[CustomSummary] = (),
    checkpoint: Checkpoint | None = None,
    resume: bool = False,
    progress: Callable[[Progress], object] | None = None,
) -> Options:
    """The options of a scan; see `profile` for what they mean.

    Raises
    ------
    InputError
        If one of them cannot be used; the message says why.
    """
    if on_schema_change not in (None, "error", "separate"):
        raise InputError(f'on_schema_change is "error" or "separate", not {on_schema_change!r}')
    for text, what in ((time, "time"), (every, "every"), (tz, "tz")):
        if text is not None and not isinstance(text, str):
            raise InputError(f"{what} is a text, not {text!r}")
    if tz is not None:
        zone_of(tz)
    chosen = None if columns is None else unique_names(columns, "columns")
    if chosen == ():
        raise InputError("columns names no columns; leave it out to profile all of them")
    own = by_name(summaries)
    request = Request(
        time=time,
        windowed=every is not None,
        segments=unique_names(segments, "segments"),
        roles=_texts_by_name(roles, "roles"),
        columns=chosen,
        redacted=unique_names(redact, "redact"),
        separate=on_schema_change == "separate",
        summarised=tuple(name for summary in own.values() for name in summary.columns or ()),
    )
    settings = Settings(
        time=time,
        every=every,
        tz=tz,
        segments=request.segments,
        rank_error=DEFAULT_RANK_ERROR if rank_error is None else _fraction(rank_error),
        redacted=request.redacted,
        unit_rows=UNIT_ROWS,
    )
    base = None
    if update is not None:
        base = _base_of(update)
        apart = None if on_schema_change is None else request.separate
        exact = None if rank_error is None else settings.rank_error
        request, settings = as_recorded(base, request, settings, separate=apart, rank_error=exact)
    if resume and checkpoint is None:
        raise InputError("resume needs the path of the checkpoint")
    return Options(
        request,
        settings,
        threads=_thread_count(threads),
        memory=_positive(memory, "memory"),
        max_cells=_positive(max_cells, "max_cells"),
        tags=_texts_by_name(tags, "tags"),
        progress=progress,
        summaries=own,
        format=format,
        storage_options=storage_options,
        base=base,
        checkpoint=checkpoint,
        resume=resume,
    )


def _thread_count(threads: int | None) -> int:
    return (os.cpu_count() or 1) if threads is None else _positive(threads, "threads")


def _texts_by_name(texts: object, what: str) -> dict[str, str]:
    """A copy of a mapping from text to text; None is an empty one."""
    if texts is None:
        return {}
    if not isinstance(texts, Mapping):
        raise InputError(f"{what} takes a mapping from name to text, not {texts!r}")
    for name, text in texts.items():
        if not isinstance(name, str) or not isinstance(text, str):
            raise InputError(f"{what} maps names to texts, not {name!r} to {text!r}")
    return dict(texts)


def _base_of(update: Profile | str | os.PathLike[str]) -> Profile:
    """The profile to add to, refused if no scan can go on with it."""
    base = update if isinstance(update, Profile) else snapshot.read(update)
    require_updatable(base)
    return base


def _fraction(number: object) -> float:
    if isinstance(number, bool) or not isinstance(number, Real):
        raise InputError(f"rank_error is a number, not {number!r}")
    return float(number)


def _positive(number: object, what: str) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise InputError(f"{what} is a whole number from 1, not {number!r}")
    return number
