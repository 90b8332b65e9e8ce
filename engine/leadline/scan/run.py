"""A whole scan: sources to units, units to threads, results folded in lineage order.

Threads take columns of units in any order; the main thread folds the results in the order of the
sources and of the rows in them, so the profile does not depend on the number of threads. At most
one task more than there are threads is under way, which bounds memory however many rows there are.
"""

from __future__ import annotations

import os
import warnings
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import accumulate
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from .. import snapshot
from ..errors import InputError, SnapshotError
from ..locations import LocalFile, Location
from ..profile import Cell, LineageEntry, Profile, SchemaEvent, Settings
from ..profile.custom import CustomSummary
from .cellfile import CellFile
from .checkpoint import AFRESH, Checkpoint, Saved
from .evolution import Evolution, FilePlan
from .formats.base import Source, Task, TypesChanged, reason
from .objects import source_of_object
from .options import DEFAULT_MAX_CELLS, DEFAULT_MEMORY, Options, Progress, prepare
from .outlook import Outlook, Restart
from .pool import Pool, Work
from .resume import (
    Position,
    columns_state,
    description,
    input_state,
    recall_columns,
    recall_types,
    require_inputs,
    require_same,
    types_state,
)
from .sources import files_of, open_files
from .spill import CellTable, Mark
from .units import UnitProfiler, UnitResult, too_many_cells
from .update import Additions, additions, cells_to_go_on_with
from .windows import Period, Windows


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
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
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
        Column with the time, length of the windows (``10s``, ``15m``, ``1h``, ``1d``, ``1w``,
        ``1mo``) and zone in which days begin (by default the column's own, else UTC).
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
        Bytes of cells kept in memory between units of work; beyond it they wait in a temporary
        file. The cells of the units under way and the finished profile are not counted.
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
    checkpoint
        Path of a file that is written every 20 seconds or so, from which a scan that was
        interrupted can go on; it is removed at the end. For files, not for objects in memory.
    resume
        Go on from the checkpoint, if there is one; options and the files read so far must be the
        same. The result is that of a scan that was never interrupted.
    progress
        Called with a `Progress` at the beginning and after every unit.

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
    with _checkpoint(checkpoint) as kept:
        options = prepare(
            format=format,
            storage_options=storage_options,
            threads=threads,
            time=time,
            every=every,
            tz=tz,
            segments=segments,
            roles=roles,
            columns=columns,
            update=update,
            memory=memory,
            max_cells=max_cells,
            on_schema_change=on_schema_change,
            rank_error=rank_error,
            redact=redact,
            tags=tags,
            summaries=summaries,
            checkpoint=kept,
            resume=resume,
            progress=progress,
        )
        result = scan(data, options)
        if kept is not None:
            kept.remove()
        return result


@contextmanager
def _checkpoint(path: str | os.PathLike[str] | None) -> Iterator[Checkpoint | None]:
    if path is None:
        yield None
        return
    with Checkpoint(path, tell=warnings.warn) as kept:
        yield kept


def scan(data: Any, options: Options) -> Profile:
    """Profile data under complete options; what `profile` does after checking its arguments.

    The checkpoint, if there is one, stays for the caller to remove.
    """
    settings = options.settings
    if settings.every is not None:
        Period.parse(settings.every)
        if settings.time is None:
            raise InputError("windows need the column with the time: give time= beside every=")
    inputs = _inputs(data, options)
    if not inputs.sources:
        assert options.base is not None
        return options.base
    if options.checkpoint is not None and inputs.locations is None:
        raise InputError(
            "only files can be read again after an interruption, not objects in memory or streams; "
            "leave checkpoint out"
        )
    if options.checkpoint is not None:
        options.checkpoint.require_ours(
            file.path for file in inputs.locations or () if isinstance(file, LocalFile)
        )
    saved = None
    if options.resume:
        assert options.checkpoint is not None
        saved = options.checkpoint.load(options.summaries)
    changes: dict[str, list[tuple[str, str]]] = {}
    units: dict[str, pa.DataType] = {}
    while True:
        try:
            with _Scan(inputs, options, units, changes, saved) as running:
                # Redacted at once, so that nothing shows in memory what a snapshot would hide.
                return snapshot.redact(running.run())
        except Restart as restart:
            units[restart.column] = restart.type
            saved = None
            if options.checkpoint is not None:
                options.checkpoint.forget()


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What to read, where it is (None for what cannot be read again), and what to add it to."""

    sources: list[Source]
    locations: Sequence[Location] | None
    kind: str | None = None
    added: Additions | None = None


def _inputs(data: Any, options: Options) -> _Inputs:
    files = files_of(data, kind=options.format, storage_options=options.storage_options)
    if options.base is None:
        if files is None:
            return _Inputs([source_of_object(data)], None)
        return _Inputs(open_files(files), None if files.once else files.locations, files.kind)
    if files is None or files.once:
        raise InputError("only files can be added to a profile; merge profiles of other data")
    added = additions(options.base, files)
    if not added.files.locations:
        return _Inputs([], [], files.kind, added)
    listed = [entry.name for entry in added.lineage]
    sources = open_files(added.files, added.names, listed)
    return _Inputs(sources, added.files.locations, files.kind, added)


@dataclass(frozen=True, slots=True)
class _Task:
    """Work on some rows of a source.

    Parameters
    ----------
    before
        The columns met before the source.
    """

    source: Source
    before: Evolution
    work: Work[list[UnitResult]]


class _Scan:
    """One attempt to scan all sources.

    Parameters
    ----------
    units
        Types in which columns of times are read, where an earlier attempt found that out.
    changes
        Changes of type inside text files, by source; sources find each of them only once.
    saved
        Where to go on, if not from the beginning.
    """

    def __init__(
        self,
        inputs: _Inputs,
        options: Options,
        units: Mapping[str, pa.DataType],
        changes: dict[str, list[tuple[str, str]]],
        saved: Saved | None,
    ) -> None:
        self._inputs, self._sources = inputs, inputs.sources
        self._options, self._changes = options, changes
        self._earlier = () if inputs.added is None else inputs.added.lineage
        self._entries: list[LineageEntry] = []  # of the sources that are folded whole
        self._position = Position(0, 0)
        self._rows: dict[str, int] = {}
        self._rows_done = 0
        self._mark: Mark | None = None
        self._evolution = Evolution(options.request, Outlook(options.request, units))
        self._foresee(saved)
        self._settings = self._complete(options.settings)
        kept = options.checkpoint
        file = CellFile(None if kept is None else kept.open_cells, summaries=options.summaries)
        self._table = CellTable(memory=options.memory, k=self._settings.k, file=file)
        own = list(options.summaries.values())
        self._profiler = UnitProfiler(self._settings, self._windows(), options.max_cells, own)
        if saved is not None:
            try:
                self._go_on(saved, file)
            except BaseException:
                file.close()
                raise
        elif options.base is not None:
            empty = self._profiler.empty
            self._table.add(
                cells_to_go_on_with(options.base, self._evolution, options.summaries, empty)
            )
        self._pool = Pool(options.threads)
        self._pending: deque[_Task] = deque()
        self._reading: Source | None = None
        counts = [source.rows() for source in self._sources]
        known = [count for count in counts if count is not None]
        self._rows_total = sum(known) if len(known) == len(counts) else None
        self._handed_out = self._position.place
        self._places = {source.name: place for place, source in enumerate(self._sources)}
        self._bytes_before = list(accumulate((source.size for source in self._sources), initial=0))

    def _foresee(self, saved: Saved | None) -> None:
        """Take in all schemas that can be told beforehand."""
        outlook, added = self._evolution.outlook, self._inputs.added
        place = 0
        if saved is not None:
            assert self._inputs.locations is not None
            require_same(saved.state, self._options, self._inputs.kind)
            require_inputs(saved.state, self._inputs.locations, self._sources)
            recall_columns(saved.state, self._evolution, self._names())
            place = saved.state["position"]["place"]
        elif added is not None:
            assert self._options.base is not None
            self._evolution.recall(self._options.base, added.events)
        foreseen = outlook.state()["known"]
        for source in self._sources[place:]:
            if source.prompt:
                outlook.admit(source)
        if saved is not None:
            _require_foreseen(outlook, foreseen)
        self._evolution.require_names(self._sources[0].schema())

    def _names(self) -> list[str]:
        return [entry.name for entry in self._earlier] + [source.name for source in self._sources]

    def _go_on(self, saved: Saved, file: CellFile) -> None:
        """Take over what an interrupted scan had folded."""
        state = saved.state
        self._position = Position(**state["position"])
        for entry, source in zip(state["inputs"], self._sources, strict=False):
            self._rows[source.name] = entry["rows"]
        self._rows_done = sum(self._rows.values())
        self._entries = [
            self._lineage_entry(source) for source in self._sources[: self._position.place]
        ]
        stored = file.recover(state["end"], [(begin, end) for begin, end in state["dropped"]])
        try:
            self._mark = self._table.restore(saved.cells, stored, saved.before, state["before_end"])
        except SnapshotError as error:
            raise InputError(f"the checkpoint cannot be used ({error}); {AFRESH}") from error
        if self._position.place < len(self._sources):
            source = self._sources[self._position.place]
            recall_types(state["types"], source)
            self._changes[source.name] = [(column, what) for column, what in state["changes"]]

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
        self._report()
        skip = self._position.rows
        for source in self._sources[self._position.place :]:
            self._read(source, skip)
            self._handed_out += 1
            skip = 0
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
            continuation=None if self._inputs.locations is None else self._evolution.continuation(),
        )

    def _read(self, source: Source, skip: int) -> None:
        """Hand out the work of one source; again from its start if its types change.

        Parameters
        ----------
        skip
            Rows at its beginning that are folded already.
        """
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
                    if not skip:
                        self._submit(source, plan, task, before)
                        continue
                    skip -= sum(task.rows)
                    task.close()
                    if skip < 0:
                        raise InputError(
                            f"{source.label} is not cut into units as by the interrupted run; "
                            f"{AFRESH}"
                        )
            except TypesChanged as changed:
                self._take_back(source)
                self._evolution = before
                self._changes.setdefault(source.name, []).extend(changed.changes)
                skip = 0
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

    def _submit(self, source: Source, plan: FilePlan, task: Task, before: Evolution) -> None:
        work = self._profiler.work(source.label, plan, task)
        self._pending.append(_Task(source, before, self._pool.add(work)))
        if self._options.threads == 1:
            self._fold_down_to(0)
        elif task.nbytes:
            self._fold_down_to(1)  # beside the unit that is being read next
        else:
            self._fold_down_to(self._options.threads)

    def _fold_down_to(self, waiting: int) -> None:
        """Fold the oldest results until at most so many tasks are under way."""
        while len(self._pending) > waiting:
            task = self._pending.popleft()
            results = self._pool.wait(task.work)
            source = task.source
            if source is self._reading and self._mark is None:
                self._mark = self._table.mark()
            for result in results:
                self._fold(source, result)
            kept = self._options.checkpoint
            if kept is not None and kept.due:
                self._save(task, kept)

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
        while self._pending and self._pending[0].source is not source:
            self._fold_down_to(len(self._pending) - 1)
        for task in self._pending:
            self._pool.drop(task.work)
        self._pending.clear()
        if self._mark is not None:
            self._table.go_back(self._mark)
            self._mark = None
        self._rows_done -= self._rows.pop(source.name, 0)

    def _save(self, last: _Task, kept: Checkpoint) -> None:
        """Write the checkpoint: everything up to and with the last task is folded."""
        place = self._places[last.source.name]
        self._entries += map(self._lineage_entry, self._sources[len(self._entries) : place])
        cells, end, dropped = self._table.sync()
        mark = self._mark if last.source is self._reading else None
        position = Position(place, self._rows.get(last.source.name, 0))
        assert self._inputs.locations is not None
        entries = [*self._entries, self._lineage_entry(last.source)]
        state = {
            **description(self._options, self._inputs.kind),
            **columns_state(last.before),
            "position": asdict(position),
            "inputs": list(map(input_state, self._inputs.locations, entries)),
            "names": self._names(),
            "types": types_state(last.source),
            "changes": self._changes.get(last.source.name, []),
            "end": end,
            "dropped": dropped,
            "before_end": 0 if mark is None else mark.end,
        }
        before = None if mark is None else list(mark.open.values())
        kept.save(state, self._evolution.columns, cells, before)

    def _report(self) -> None:
        """Tell the caller how far the scan is."""
        if self._options.progress is None:
            return
        done = self._handed_out
        if self._pending:
            done = self._places[self._pending[0].source.name]
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


def _require_foreseen(outlook: Outlook, known: Mapping[str, Any]) -> None:
    """Begin again if a file that is new since would have had others read in other types."""
    for name, text in outlook.decisive().items():
        if name in known and known[name][0][0] != text:
            type_ = outlook.known(name)[0].type
            raise Restart(name, type_)
