"""A whole scan: sources to units, units to threads, results folded in lineage order.

Threads take columns of units in any order; the main thread folds the results in the order of the
sources and of the rows in them, so the profile does not depend on the number of threads. At most
one task more than there are threads is under way, which bounds memory however many rows there are.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate
from numbers import Real
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from .. import snapshot
from ..errors import InputError
from ..profile import Cell, LineageEntry, Profile, SchemaEvent, Settings
from ..profile.custom import CustomSummary, by_name
from ..sketch.scratch import UNIT_ROWS
from .cellfile import CellFile
from .evolution import Evolution, FilePlan, unique_names
from .formats.base import Source, Task, TypesChanged, reason
from .objects import source_of_object
from .outlook import Outlook, Request, Restart
from .pool import Pool, Work
from .sources import files_of, open_files
from .spill import CellTable, Mark
from .units import UnitProfiler, UnitResult, too_many_cells
from .update import (
    Additions,
    additions,
    as_recorded,
    cells_to_go_on_with,
    require_updatable,
)
from .windows import Period, Windows, zone_of

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


def profile(
    data: Any,
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
    progress: Callable[[Progress], object] | None = None,
) -> Profile:
    """Read data once and summarise every column, by window of time and by segment.

    Parameters
    ----------
    data
        Paths, globs, folders or URLs such as ``s3://bucket/logs/`` (Parquet, Arrow IPC, CSV,
        JSON Lines; the last two also ``.gz`` or ``.zst``); an open binary file with CSV, JSON
        Lines or an Arrow stream, such as ``sys.stdin.buffer``; or anything with the Arrow PyCapsule
        interface, NumPy arrays, a dict of arrays, or an iterable of record batches. Files are read
        in the order given, globs and folders sorted; ``key=value`` folders become columns.
    format
        ``parquet``, ``arrow``, ``csv``, ``tsv`` or ``jsonl``, where names of files do not tell. An
        open file's format shows by its first bytes; text that is not JSON is taken for CSV.
    storage_options
        For URLs: what fsspec's file system of that kind takes, such as credentials. Not stored.
    threads
        Threads that profile; by default one a core. The result does not depend on it.
    time, every, tz
        Column with the time, length of the windows (``15m``, ``1h``, ``1d``, ``1w``, ``1mo``) and
        zone in which days begin (by default the column's own, else UTC).
    segments
        Columns whose values divide the rows.
    roles
        Role of columns by name: ``feature``, ``prediction``, ``score``, ``label``, ``id``, ...
    columns
        The only columns to profile (structs whole or by ``a.b``); others are not read.
    update
        A profile of files, or the path of its snapshot, to which those files of ``data`` are added
        that are new since, as its lineage tells by name, size and footer. The result is that of one
        scan over all files, the new ones last; settings left out are the profile's, and given ones
        must be the same. If there is nothing new, the result is the profile itself.
    memory
        Bytes of cells kept in memory; beyond it they wait in a temporary file.
    max_cells
        Most windows x segments before giving up.
    on_schema_change
        ``error`` (the default), or ``separate`` to keep a column apart by type (``x`` and
        ``x (string)``) where files have types that cannot be widened.
    rank_error
        Promised rank error of quantiles where histogram buckets do not do better; 0.007 by default.
    redact
        Columns of which no raw values are kept: hashes stand for texts, bucket edges for extremes.
    tags
        Names and values to keep with the profile.
    summaries
        Summaries of one's own, kept beside the built-in ones; see `CustomSummary`.
    progress
        Called with a `Progress` after every unit.

    Returns
    -------
    Profile
        One cell a window and segment.

    Raises
    ------
    InputError
        If the data or an option cannot be used as asked; the message says where and why.

    Examples
    --------
    >>> import leadline as ll
    >>> profile = ll.profile({"age": [31, 45, None], "country": ["DE", "FR", "DE"]})
    >>> profile.rows, profile["age"].nulls, profile["age"].mean
    (3, 1, 38.0)
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
    options = Options(
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
    )
    return scan(data, options)


def scan(data: Any, options: Options) -> Profile:
    """Profile data under complete options; what `profile` does after checking its arguments."""
    settings = options.settings
    if settings.every is not None:
        Period.parse(settings.every)
        if settings.time is None:
            raise InputError("windows need the column with the time: give time= beside every=")
    files = files_of(data, kind=options.format, storage_options=options.storage_options)
    added = None
    if options.base is not None:
        if files is None or files.once:
            raise InputError("only files can be added to a profile; merge profiles of other data")
        added = additions(options.base, files)
        if not added.files.locations:
            return options.base
        listed = [entry.name for entry in added.lineage]
        sources = open_files(added.files, added.names, listed)
    else:
        sources = [source_of_object(data)] if files is None else open_files(files)
    units: dict[str, pa.DataType] = {}
    changes: dict[str, list[tuple[str, str]]] = {}
    while True:
        running = _Scan(
            sources, options, units, changes, added, from_files=files is not None and not files.once
        )
        try:
            with running:
                # Redacted at once, so that nothing shows in memory what a snapshot would hide.
                return snapshot.redact(running.run())
        except Restart as restart:
            units[restart.column] = restart.type


class _Scan:
    """One attempt to scan all sources.

    Parameters
    ----------
    units
        Types in which columns of times are read, where an earlier attempt found that out.
    changes
        Changes of type inside text files, by source; sources find each of them only once.
    added
        What the sources are to the profile to which they are added, if there is one.
    from_files
        Whether the sources are files.
    """

    def __init__(
        self,
        sources: list[Source],
        options: Options,
        units: Mapping[str, pa.DataType],
        changes: dict[str, list[tuple[str, str]]],
        added: Additions | None,
        *,
        from_files: bool,
    ) -> None:
        self._sources, self._options, self._changes = sources, options, changes
        self._from_files = from_files
        self._earlier = () if added is None else added.lineage
        outlook = Outlook(options.request, units)
        self._evolution = Evolution(options.request, outlook)
        if added is not None:
            assert options.base is not None
            self._evolution.recall(options.base, added.events)
        for source in sources:
            if source.prompt:
                outlook.admit(source)
        self._evolution.require_names(sources[0].schema())
        self._settings = self._complete(options.settings)
        file = CellFile(summaries=options.summaries)
        self._table = CellTable(memory=options.memory, k=self._settings.k, file=file)
        own = list(options.summaries.values())
        self._profiler = UnitProfiler(self._settings, self._windows(), options.max_cells, own)
        if options.base is not None:
            empty = self._profiler.empty
            self._table.add(
                cells_to_go_on_with(options.base, self._evolution, options.summaries, empty)
            )
        self._pool = Pool(options.threads)
        self._pending: deque[tuple[Source, Work[list[UnitResult]]]] = deque()
        self._rows: dict[str, int] = {}
        self._reading: Source | None = None
        self._mark: Mark | None = None
        counts = [source.rows() for source in sources]
        known = [count for count in counts if count is not None]
        self._rows_total = sum(known) if len(known) == len(counts) else None
        self._rows_done = 0
        self._handed_out = 0
        self._places = {source.name: place for place, source in enumerate(sources)}
        self._bytes_before = list(accumulate((source.size for source in sources), initial=0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Threads end before the table's file goes.
        self._pool.close()
        self._table.__exit__(kind, error, traceback)

    def run(self) -> Profile:
        """Scan every source and put the profile together."""
        for source in self._sources:
            self._read(source)
            self._handed_out += 1
        self._fold_down_to(0)
        self._report()
        cells = list(self._table.cells())
        columns = self._evolution.columns
        if not cells and self._settings.every is None and not self._settings.segments:
            states = map(self._profiler.empty, self._evolution.widest)
            cells = [Cell(None, (), 0, {state.column.name: state for state in states})]
        return Profile(
            columns=columns,
            cells=tuple(cells),
            settings=replace(self._settings, redacted=self._evolution.redacted),
            lineage=(*self._earlier, *map(self._lineage_entry, self._sources)),
            tags=self._tags(),
            events=tuple(dict.fromkeys(self._evolution.events)),
            continuation=self._evolution.continuation() if self._from_files else None,
        )

    def _read(self, source: Source) -> None:
        """Hand out the work of one source; again from its start if its types change."""
        while True:
            before = self._evolution.copy()
            if not source.prompt:
                self._evolution.outlook.admit(source)
                self._reading = source
            plan = self._evolution.admit(source)
            for column, what in self._changes.get(source.name, ()):
                self._evolution.events.append(SchemaEvent(column, source.name, what))
            try:
                for task in self._tasks(source, plan):
                    self._submit(source, plan, task)
            except TypesChanged as changed:
                self._take_back(source)
                self._evolution = before
                self._changes.setdefault(source.name, []).extend(changed.changes)
                continue
            self._reading = self._mark = None
            return

    def _tasks(self, source: Source, plan: FilePlan) -> Iterator[Task]:
        """The source's tasks, with its name on errors of the libraries that read it."""
        try:
            unit_rows, in_order = self._settings.unit_rows, self._pool.in_order
            yield from source.tasks(plan.leaves, unit_rows, in_order)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise InputError(f"{source.label} cannot be read: {reason(error)}") from error

    def _submit(self, source: Source, plan: FilePlan, task: Task) -> None:
        work = self._profiler.work(source.label, plan, task)
        self._pending.append((source, self._pool.add(work)))
        if self._options.threads == 1:
            self._fold_down_to(0)
        elif task.nbytes:
            self._fold_down_to(1)  # beside the unit that is being read next
        else:
            self._fold_down_to(self._options.threads)

    def _fold_down_to(self, waiting: int) -> None:
        """Fold the oldest results until at most so many tasks are under way."""
        while len(self._pending) > waiting:
            source, work = self._pending.popleft()
            results = self._pool.wait(work)
            if source is self._reading and self._mark is None:
                self._mark = self._table.mark()
            for result in results:
                self._fold(source, result)

    def _fold(self, source: Source, result: UnitResult) -> None:
        self._table.add(result.cells)
        self._rows[source.name] = self._rows.get(source.name, 0) + result.rows
        self._rows_done += result.rows
        if len(self._table) > self._options.max_cells:
            raise too_many_cells(
                len(self._table), self._rows_done, self._rows_total, self._options.max_cells
            )
        self._report()

    def _take_back(self, source: Source) -> None:
        """Undo what has been folded of a source, and forget what is under way."""
        while self._pending and self._pending[0][0] is not source:
            self._fold_down_to(len(self._pending) - 1)
        for _, work in self._pending:
            self._pool.drop(work)
        self._pending.clear()
        if self._mark is not None:
            self._table.go_back(self._mark)
            self._mark = None
        self._rows_done -= self._rows.pop(source.name, 0)

    def _report(self) -> None:
        """Tell the caller how far the scan is."""
        if self._options.progress is None:
            return
        done = self._handed_out
        if self._pending:
            done = self._places[self._pending[0][0].name]
        inside = self._sources[done].consumed() if done < len(self._sources) else 0
        self._options.progress(
            Progress(
                rows_done=self._rows_done,
                rows_total=self._rows_total,
                files_done=done,
                files_total=len(self._sources),
                bytes_done=self._bytes_before[done] + inside,
                bytes_total=self._bytes_before[-1],
            )
        )

    def _lineage_entry(self, source: Source) -> LineageEntry:
        rows = self._rows.get(source.name, 0)
        return LineageEntry(source.name, source.size, rows, source.fingerprint())

    def _tags(self) -> dict[str, str]:
        base = self._options.base
        return {**(base.tags if base is not None else {}), **(self._options.tags or {})}

    def _complete(self, settings: Settings) -> Settings:
        """The settings with the zone that is in force."""
        if settings.every is None:
            return settings
        return replace(settings, tz=settings.tz or self._evolution.outlook.time_zone() or "UTC")

    def _windows(self) -> Windows | None:
        if self._settings.every is None:
            return None
        assert self._settings.tz is not None
        return Windows(Period.parse(self._settings.every), self._settings.tz)


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
