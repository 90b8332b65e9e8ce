"""The files of one process: journals by day, appended to, rolled up, removed when they are old.

One thread at a time uses a store; nothing here waits for anything but the disk. Whatever the disk
refuses ends in a `SnapshotError`, after which the same call may be made again: an append that
failed left nothing behind, and the next one begins a new file where the old one cannot be trusted.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ..errors import InputError, SnapshotError
from ..profile import Cell, Settings, Window
from ..scan.windows import DAY, SECOND
from ..schema import Column, merge_columns
from ..snapshot.journal import JournalWriter
from .compact import NEVER, Compaction, DamagedError, Rollup, RollupOption
from .folder import Clock, Folder, SteadyTime, remove_unused

_SYNC = {"flush": 0.0, "close": math.inf, "never": None}

# A file is rewritten to merge the frames of its windows when that is worth it: when so many bytes
# would go, and a third of the file.
_WORTHWHILE = 8 * 2**20
# Rewriting takes a tenth of the time that passes; what is left waits for the next call.
_SHARE, _LEAST_PORTION, _LONGEST_PORTION = 0.1, 0.02, 0.5
_AT_CLOSE = 2.0
# Seconds between two rewritings of a file, and before another attempt after a failure.
_PAUSE = 300.0
_BETWEEN_REMOVALS = 3_600.0
# A day's last windows are written within this time after its end.
_DAY_GRACE = 600 * SECOND


@dataclass(frozen=True, slots=True)
class Health:
    """How a store is.

    Parameters
    ----------
    files
        Files that this process has written and that are still there as far as it knows.
    written
        Bytes appended since the process began.
    rewritten, removed
        Files rewritten with merged cells, and files removed because they were old.
    last_error
        What the disk refused last; empty if nothing.
    """

    files: int
    written: int
    rewritten: int
    removed: int
    last_error: str


@dataclass(slots=True)
class _File:
    """A journal that is open, and what is known of its frames.

    Parameters
    ----------
    merged
        Bytes at its beginning that were rewritten, of which nothing is to be rolled up before
        ``merged_due``.
    due
        When windows of the frames behind are first to be rolled up.
    seen, repeated
        Which cells these frames hold, as hashes, and bytes of those that repeat one.
    dirty
        Whether something was written since the last sync.
    rewrite_at
        When, by the monotonic clock, it may next be rewritten.
    """

    journal: JournalWriter
    day: int
    merged: int
    merged_due: int = NEVER
    due: int = NEVER
    seen: set[int] = field(default_factory=set)
    repeated: int = 0
    dirty: bool = False
    rewrite_at: float = 0.0

    @property
    def lost(self) -> bool:
        """Whether nothing can be done about it any more."""
        return self.journal.descriptor < 0 or self.rewrite_at == math.inf

    def begin_of_rewriting(self, now: int, saving: float, *, ended: bool) -> int | None:
        """From which byte on the file is worth being rewritten; None if it is not.

        Parameters
        ----------
        saving
            Share of repeated bytes that rewriting saves.
        """
        if self.lost:
            return None
        if self.merged_due <= now:
            return self.journal.head_end
        least = self.journal.size // 8 if ended else max(_WORTHWHILE, self.journal.size // 3)
        return self.merged if self.due <= now or saving * self.repeated > least else None


@dataclass(slots=True)
class _Rewriting:
    """A file that is being rewritten, and what was known of the frames that are read."""

    file: _File
    compaction: Compaction
    due: int
    seen: set[int]
    repeated: int


class Store:
    """Where a monitor's cells are kept: journals of this process, one a day.

    Parameters
    ----------
    directory
        Folder of the files; made when the first one is written.
    name
        Name of the service, with which names of files begin.
    settings, tags
        As in a profile; ``settings.every`` and ``settings.tz`` are those of the cells.
    sync
        When what was written is forced to the disk: at every ``"flush"``, at the ``"close"`` of a
        file, ``"never"``, or when so many seconds have passed. The first cells of a file and files
        that are rewritten always are.
    rollup
        See `Rollup`; None keeps windows as they are.
    retain
        Seconds that files are kept after their last window; None keeps them for ever.
    clock
        The time.

    Raises
    ------
    InputError
        If an argument cannot be used; never because of the disk.
    """

    def __init__(
        self,
        directory: Path,
        name: str,
        *,
        settings: Settings,
        tags: Mapping[str, str] | None = None,
        sync: str | float = "close",
        rollup: RollupOption = None,
        retain: float | None = None,
        clock: Clock | None = None,
    ) -> None:
        if settings.every is None:
            raise InputError("a store keeps windows of time; its settings need a window length")
        self._settings, self._tags = settings, dict(tags or {})
        self._folder = Folder(directory, name, settings.tz or "UTC")
        self._sync_after = _sync_option(sync)
        self._sync_at_end = self._sync_after is not None
        self._rollup = Rollup(rollup, every=settings.every, zone=settings.tz or "UTC")
        self._retain = None if retain is None else round(retain * SECOND)
        self._longest_window = round(self._rollup.longest.seconds * SECOND)
        self._clock = clock or Clock()
        self._begin()

    def _begin(self) -> None:
        """As a process that has written nothing yet."""
        self._process = os.getpid()
        self._steady = SteadyTime(self._clock)
        self._open: list[_File] = []
        self._current: dict[int, _File] = {}  # by day
        self._columns: dict[str, Column] = {}
        self._rewriting: _Rewriting | None = None
        self._files: list[Path] = []
        self._cleaned = False
        self._last_error = ""
        self._written = self._rewritten = self._removed = 0
        # Few rows are kept value by value, and take as many bytes in one frame as in several: what
        # the last rewriting saved decides about the next.
        self._saving = 1.0
        self._synced = self._rolled = self._remove_at = self._clock.monotonic()

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that this process has written, oldest first."""
        return tuple(self._files)

    @property
    def health(self) -> Health:
        """How the store is; safe to ask from any thread."""
        return Health(
            len(self._files), self._written, self._rewritten, self._removed, self._last_error
        )

    def append(self, cells: Sequence[Cell]) -> Sequence[Cell]:
        """Write cells, each as one frame of the file of the day on which its window begins.

        Parameters
        ----------
        cells
            Cells with windows; any number of one window, for they are merged when the file is read.

        Returns
        -------
        Sequence of Cell
            The cells that are in files now. Not all of them only if they belong to several files,
            of which the later ones could not be written: write the others with the next call.

        Raises
        ------
        SnapshotError
            If none could be written; no file holds any of them then.
        """
        self._own()
        days: dict[int, list[Cell]] = {}
        for cell in cells:
            days.setdefault(self._day_of(cell.window), []).append(cell)
        written: list[Cell] = []
        for day in sorted(days):
            try:
                written += self._append(day, days[day])
            except SnapshotError as error:
                self._last_error = str(error)
                if not written:
                    raise
                break
        return written

    def tidy(self) -> None:
        """Do what is due: sync, roll up, end files of days that are over, remove old ones.

        Cheap, as long work is done a portion at a time; call it after every write.

        Raises
        ------
        SnapshotError
            If some of it was refused. Everything else was done, and this is tried again later.
        """
        self._own()
        self._attempt(
            self._clean_up, self._sync_files, self._roll_up, self._end_files, self._remove_old
        )

    def close(self) -> None:
        """Merge what can be merged in a short time and close the files; safe to call twice.

        Raises
        ------
        SnapshotError
            If a file could not be synced or rewritten; all are closed all the same.
        """
        self._own()
        until = time.monotonic() + _AT_CLOSE
        try:
            for file in tuple(self._open):
                self._attempt(partial(self._rewrite_until, file, until), partial(self._end, file))
        finally:
            self._open.clear()
            self._current.clear()

    def forget(self) -> None:
        """In a forked child: leave the parent's files alone and begin own ones."""
        # The parent's thread may have been anywhere: what is half done here is closed and no more.
        if self._rewriting is not None:
            self._rewriting.compaction.abandon(forked=True)
        for file in tuple(self._open):
            with suppress(SnapshotError):
                file.journal.close()
        self._folder.forget()
        self._begin()

    # --- appending -------------------------------------------------------------------------------

    def _append(self, day: int, cells: Sequence[Cell]) -> Sequence[Cell]:
        columns = self._widened(cells)
        file = self._current.get(day)
        if file is None or not self._usable(file, columns):
            file, count = self._new_file(day, columns, cells), len(cells)
            size = file.journal.size
        else:
            before = file.journal.size
            count = file.journal.extend(cells)
            size = file.journal.size - before
            file.dirty = self._sync_after != 0
        self._columns = columns
        self._written += size
        self._note(file, cells[:count], size)
        return cells[:count]

    def _new_file(self, day: int, columns: Mapping[str, Column], cells: Sequence[Cell]) -> _File:
        path = self._folder.new_path(day)
        try:
            self._folder.make()
        except (OSError, ValueError) as error:
            raise SnapshotError(f"{path.parent}: cannot be made ({error})") from error
        journal = JournalWriter(
            path,
            columns=tuple(columns.values()),
            settings=self._settings,
            tags=self._tags,
            cells=cells,
            sync=self._sync_after == 0,
        )
        file = self._current[day] = _File(journal, day, journal.head_end)
        self._open.append(file)
        self._files.append(path)
        return file

    def _widened(self, cells: Sequence[Cell]) -> dict[str, Column]:
        """All columns so far, of types wide enough for these cells too."""
        columns = dict(self._columns)
        for cell in cells:
            for name, column in cell.columns.items():
                known = columns.get(name, column)
                columns[name] = known if known == column else merge_columns(known, column) or column
        return columns

    def _usable(self, file: _File, columns: Mapping[str, Column]) -> bool:
        """Whether cells of these columns can be appended, and somebody can find them there."""
        if file.journal.descriptor < 0 or file.journal.columns != tuple(columns.values()):
            return False
        try:
            return os.fstat(file.journal.descriptor).st_nlink > 0
        except OSError:
            return False

    def _note(self, file: _File, cells: Sequence[Cell], size: int) -> None:
        """Remember when the new frames are to be rolled up, and whether they repeat a cell."""
        now = self._clock.now()
        for cell in cells:
            window, due = self._rollup.resolve(cell.window, now)
            file.due = min(file.due, due if window == cell.window else now)
            key = hash(cell.key)
            if key in file.seen:
                file.repeated += size // len(cells)
            file.seen.add(key)

    def _day_of(self, window: Window | None) -> int:
        if window is None or window.start is None:
            raise InputError("a store keeps cells of windows of time only")
        return self._folder.day_of(window.start)

    def _own(self) -> None:
        if os.getpid() != self._process:
            self.forget()

    # --- what is due -----------------------------------------------------------------------------

    def _attempt(self, *steps: Callable[[], object]) -> None:
        """Take every step; raise the first failure at the end."""
        failures: list[SnapshotError] = []
        for step in steps:
            try:
                step()
            except SnapshotError as error:
                failures.append(error)
            except OSError as error:
                failures.append(SnapshotError(f"{self._folder.path}: {error}"))
        if failures:
            self._last_error = str(failures[0])
            raise failures[0]

    def _clean_up(self) -> None:
        """Once: remove what killed processes left."""
        if not self._cleaned and self._folder.path.is_dir():
            self._cleaned = True
            self._folder.remove_left_over()

    def _sync_files(self) -> None:
        """Sync what the setting asks for."""
        now = self._clock.monotonic()
        if self._sync_after is None or now - self._synced < self._sync_after:
            return
        self._synced = now
        self._attempt(*(partial(self._sync, file) for file in self._open if file.dirty))

    def _sync(self, file: _File) -> None:
        if file.dirty and file.journal.descriptor >= 0:
            file.dirty = False  # what could not be synced is not synced by another attempt
            file.journal.sync()

    def _end_files(self) -> None:
        """Close files to which nothing is added any more and in which nothing is to be done."""
        now = self._clock.now()
        for file in tuple(self._open):
            if self._has_ended(file, now):
                if self._sync_at_end:
                    self._sync(file)
                waits = min(file.due, file.merged_due) < NEVER or self._is_rewritten(file)
                worth = file.begin_of_rewriting(now, self._saving, ended=True) is not None
                if file.lost or not (waits or worth):
                    self._end(file)

    def _has_ended(self, file: _File, now: int) -> bool:
        if self._current.get(file.day) is not file or file.journal.descriptor < 0:
            return True
        last = (file.day + 1) * DAY + self._longest_window + _DAY_GRACE
        return now >= last

    def _end(self, file: _File) -> None:
        """Close a file for good."""
        if self._is_rewritten(file):
            self._stop_rewriting()
        if file in self._open:
            self._open.remove(file)
        if self._current.get(file.day) is file:
            del self._current[file.day]
        try:
            if self._sync_at_end:
                self._sync(file)
        finally:
            file.journal.close()

    def _remove_old(self) -> None:
        """Once an hour: remove files that were kept long enough."""
        if self._retain is None or self._clock.monotonic() < self._remove_at:
            return
        self._remove_at = self._clock.monotonic() + _BETWEEN_REMOVALS
        if not self._folder.path.is_dir():
            return
        old = self._folder.outlived(self._steady.now(), self._retain, self._longest_window)
        for file in tuple(self._open):
            if file.journal.path in old:
                self._end(file)
        self._attempt(*(partial(self._remove, path) for path in old))

    def _remove(self, path: Path) -> None:
        if remove_unused(path):
            self._removed += 1
            if path in self._files:
                self._files.remove(path)

    # --- rewriting -------------------------------------------------------------------------------

    def _roll_up(self) -> None:
        """Go on with the file that is being rewritten, or begin with the next one that is due."""
        now = self._clock.monotonic()
        passed, self._rolled = now - self._rolled, now
        if self._rewriting is None:
            self._begin_rewriting(now)
        if self._rewriting is not None:
            portion = min(max(_SHARE * passed, _LEAST_PORTION), _LONGEST_PORTION)
            self._go_on(self._rewriting, portion)

    def _begin_rewriting(self, at: float) -> None:
        now = self._clock.now()
        for file in self._open:
            if at >= file.rewrite_at:
                begin = file.begin_of_rewriting(now, self._saving, ended=self._has_ended(file, now))
                if begin is not None:
                    self._rewrite(file, begin, now)
                    return

    def _rewrite(self, file: _File, begin: int, now: int) -> None:
        file.rewrite_at = self._clock.monotonic() + _PAUSE
        compaction = Compaction(file.journal, begin, self._rollup, now)
        if begin > file.journal.head_end:
            compaction.due = file.merged_due
        self._rewriting = _Rewriting(file, compaction, file.due, file.seen, file.repeated)
        file.due, file.seen, file.repeated = NEVER, set(), 0

    def _go_on(self, work: _Rewriting, seconds: float) -> None:
        file, compaction = work.file, work.compaction
        try:
            if compaction.step(seconds):
                compaction.finish()
        except SnapshotError as error:
            if isinstance(error, DamagedError):
                file.rewrite_at = math.inf  # it is as good as it will ever be
            if not compaction.finished:
                self._stop_rewriting()
            raise
        finally:
            if compaction.finished:
                self._rewriting = None
                self._rewritten += 1
                if work.repeated:
                    self._saving = min(max(compaction.saved / work.repeated, 0.0), 1.0)
                file.merged, file.merged_due = compaction.merged, compaction.due
                file.dirty = False

    def _rewrite_until(self, file: _File, until: float) -> None:
        """Rewrite a file that is to be closed if that pays and takes no longer than an instant."""
        if self._is_rewritten(file):
            self._stop_rewriting()  # by now more windows have ended
        now = self._clock.now()
        begin = file.begin_of_rewriting(now, self._saving, ended=True)
        left = until - time.monotonic()
        if begin is None or left <= 0:
            return
        if self._rewriting is not None:
            self._stop_rewriting()
        self._rewrite(file, begin, now)
        if self._rewriting is not None:
            self._go_on(self._rewriting, left)

    def _is_rewritten(self, file: _File) -> bool:
        return self._rewriting is not None and self._rewriting.file is file

    def _stop_rewriting(self) -> None:
        """Leave the file as it is."""
        work, self._rewriting = self._rewriting, None
        if work is not None:
            work.compaction.abandon()
            file = work.file
            file.due = min(file.due, work.due)
            file.seen |= work.seen
            file.repeated += work.repeated


def _sync_option(sync: object) -> float | None:
    """Seconds after which a write is synced; None if never, infinity if when the file is closed."""
    if sync in _SYNC:
        return _SYNC[str(sync)]
    if isinstance(sync, bool) or not isinstance(sync, int | float) or not 0 <= sync < math.inf:
        raise InputError(f"sync is 'flush', 'close', 'never' or a number of seconds, not {sync!r}")
    return float(sync)
