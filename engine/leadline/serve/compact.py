"""Journals made smaller: frames of one window merged, and short windows merged into longer ones.

The rows of a journal are written anew into a temporary file, which then takes its name: whoever
reads sees the old frames or the new ones, never both. It goes on a few frames at a time, so that
neither memory nor the requests beside it notice; what is appended meanwhile is copied at the end.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from ..errors import InputError, SnapshotError
from ..profile import Cell, Window
from ..profile.cells import cell_order
from ..scan.windows import SECOND, Period, Windows
from ..snapshot import frames
from ..snapshot.cells import decode_cell
from ..snapshot.files import close_temporary, open_temporary, write_all
from ..snapshot.journal import JournalWriter, encoded_cell
from ..snapshot.reading import GatheredCells

NEVER = 2**63 - 1

# Rows of a window come until its last write, which is one interval of writing after its end.
_GRACE = 60 * SECOND
_PORTION = 2**20  # bytes that are read or copied at a time
# Bytes of cells that are merged at a time; of the oldest what there is goes out beyond.
_MOST_BYTES = 32 * 2**20

RollupOption = str | Sequence[str] | Mapping[str, str] | Period | None


class DamagedError(SnapshotError):
    """A journal that cannot be read back; it stays as it is."""


@dataclass(slots=True)
class _Step:
    """One longer window length, and how long after its end a window is rolled up to it."""

    every: Period
    after: int
    windows: Windows
    last: Window = field(default=Window(0, 0))

    def window_of(self, window: Window) -> Window:
        """The longer window that holds a window; the window itself if there is none."""
        assert window.start is not None
        assert window.end is not None
        found = self.last
        if not _holds(found, window):
            found = self.last = self.windows.window_of(window.start)
        return found if _holds(found, window) else window


class Rollup:
    """When short windows become longer ones.

    Parameters
    ----------
    lengths
        Lengths of longer windows, such as ``1h`` or ``["1h", "1d"]``: windows are merged as soon
        as the longer one is over. As a mapping, with the time that they are kept before:
        ``{"1h": "1d", "1d": "7d"}``.
    every, zone
        Length of the windows as they are written, and where days begin.

    Raises
    ------
    InputError
        If a length cannot be read, or windows of one length do not add up to the next.
    """

    def __init__(self, lengths: RollupOption, *, every: str, zone: str) -> None:
        self._steps = []
        known = Period.parse(every)
        for length, after in _lengths(lengths):
            if not _adds_up(known, length):
                raise InputError(
                    f"windows of {_text(known)} do not add up to windows of {_text(length)}; "
                    "give rollup lengths in ascending order, each a multiple of the one before"
                )
            self._steps.append(_Step(length, after, Windows(length, zone)))
            known = length
        self.longest = known

    def __bool__(self) -> bool:
        return bool(self._steps)

    def resolve(self, window: Window | None, now: int) -> tuple[Window | None, int]:
        """What a window has become by an instant, and when it next becomes something else."""
        due = NEVER
        if window is None or window.start is None:
            return window, due
        held = window
        for step in self._steps:
            longer = step.window_of(window)
            if longer == window:
                continue
            assert longer.end is not None
            when = longer.end + step.after + _GRACE
            if when <= now:
                held = longer
            else:
                due = min(due, when)
        return held, due


class Compaction:
    """One journal on its way to fewer frames; `step` until it is done, then `finish`.

    Parameters
    ----------
    journal
        The journal, which goes on being appended to by the same thread.
    begin
        Where the frames begin that are merged; those before are copied as they are.
    rollup, now
        What becomes of their windows.

    Attributes
    ----------
    due
        When the merged windows are next to be rolled up.
    merged
        Bytes of the new file that were not copied as they are from behind the merged frames.
    saved
        How many bytes fewer that are.
    finished
        Whether the new file has taken the place of the old one.

    Raises
    ------
    SnapshotError
        If no temporary file can be made.
    """

    def __init__(self, journal: JournalWriter, begin: int, rollup: Rollup, now: int) -> None:
        self.journal = journal
        self.due, self.finished = NEVER, False
        self.merged = self.saved = 0
        self._rollup, self._now = rollup, now
        self._begin, self._end = begin, journal.size
        try:
            self._descriptor, self._temporary = open_temporary(journal.path)
        except OSError as error:
            raise _refused(journal, error) from error
        self._size = 0
        self._work = self._run()

    def step(self, seconds: float) -> bool:
        """Go on for about so long; True when everything is merged.

        Raises
        ------
        SnapshotError
            If the system refuses, or the journal cannot be read (`DamagedError`).
        """
        until = time.monotonic() + seconds
        try:
            for _ in self._work:
                if time.monotonic() >= until:
                    return False
                time.sleep(0)  # whoever waits for the interpreter comes first
        except SnapshotError:
            raise
        except OSError as error:
            raise _refused(self.journal, error) from error
        except Exception as error:
            # What pyarrow, NumPy and json think of bytes that changed on the disk.
            raise DamagedError(f"{self.journal.path}: cannot be rolled up ({error})") from error
        return True

    def finish(self) -> None:
        """Put the new file in the old one's place.

        Raises
        ------
        SnapshotError
            If the system refuses; the journal is as it was, unless it is ``finished``.
        """
        journal, self.merged = self.journal, self._size
        self.saved = self._end - self.merged
        try:
            for portion in _portions(journal, self._end, journal.size):
                self._write(portion)
            held = os.fstat(journal.descriptor)
            os.fchmod(self._descriptor, held.st_mode & 0o7777)
            os.fsync(self._descriptor)
            there = os.stat(journal.path)  # noqa: PTH116
        except FileNotFoundError:
            raise DamagedError(f"{journal.path}: is gone") from None
        except OSError as error:
            raise _refused(journal, error) from error
        if (there.st_dev, there.st_ino) != (held.st_dev, held.st_ino):
            raise DamagedError(f"{journal.path}: is another file now, and stays as it is")
        descriptor, self._descriptor = self._descriptor, -1
        try:
            journal.replace(descriptor, self._temporary, self._size)
        finally:
            self.finished = journal.descriptor == descriptor
            if not self.finished:
                self._descriptor = descriptor

    def abandon(self, *, forked: bool = False) -> None:
        """Close and remove the temporary file; in a forked child only close it."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            if forked:
                with suppress(OSError):
                    os.close(descriptor)
            else:
                close_temporary(descriptor, self._temporary)

    def _run(self) -> Iterator[None]:
        for portion in _portions(self.journal, 0, self._begin):
            self._write(portion)
            yield
        settings = self.journal.settings
        cells = GatheredCells(merge_k=settings.k)
        added = 0
        for frame, content in _contents(self.journal, self._begin, self._end):
            part = decode_cell(content, self.journal.stored_columns, len(settings.segments))
            window, _ = self._rollup.resolve(part.cell.window, self._now)
            cells.add(replace(part, cell=replace(part.cell, window=window)), frame)
            added += frame.content_size
            yield
            if added > _MOST_BYTES:
                added = sum(cell.nbytes for cell in cells.held.values())
                while added > _MOST_BYTES // 2:
                    oldest = min(cells.held, key=lambda key: cell_order(cells.held[key]))
                    cell = cells.held.pop(oldest)
                    added -= cell.nbytes
                    self._emit(cell)
                    yield
        if cells.unfinished():
            raise DamagedError(f"{self.journal.path}: parts of a cell are missing")
        for cell in sorted(cells.held.values(), key=cell_order):
            self._emit(cell)
            yield

    def _emit(self, cell: Cell) -> None:
        _, due = self._rollup.resolve(cell.window, self._now)
        self.due = min(self.due, due)
        self._write(encoded_cell(cell, self.journal.stored_columns))

    def _write(self, data: bytes) -> None:
        write_all(self._descriptor, data)
        self._size += len(data)


def _refused(journal: JournalWriter, error: OSError) -> SnapshotError:
    return SnapshotError(f"{journal.path}: cannot be rolled up ({error.strerror or error})")


def _portions(journal: JournalWriter, begin: int, end: int) -> Iterator[bytes]:
    """Bytes of a journal as they are."""
    while begin < end:
        portion = os.pread(journal.descriptor, min(_PORTION, end - begin), begin)
        if not portion:
            raise DamagedError(f"{journal.path}: ends at byte {begin:,}, before {end:,}")
        begin += len(portion)
        yield portion


def _contents(journal: JournalWriter, begin: int, end: int) -> Iterator[tuple[frames.Frame, bytes]]:
    """The frames of a stretch of a journal, decompressed."""
    held, wanted = memoryview(b""), _PORTION
    while begin < end:
        try:
            frame = frames.find_frame(held, 0)
            content = frames.decompress(held, frame)
        except frames.FrameError as error:  # or only a part of it was read
            if len(held) >= min(end - begin, 2 * frames.CONTENT_LIMIT):
                raise DamagedError(f"{journal.path}: at byte {begin:,}: {error}") from None
            # Mapping the file would be simpler, and end the service if somebody cut the file off.
            held = memoryview(b"".join(_portions(journal, begin, min(begin + wanted, end))))
            wanted *= 2
            continue
        yield frame, content
        begin += frame.size
        held, wanted = held[frame.size :], _PORTION


def _lengths(option: RollupOption) -> Iterator[tuple[Period, int]]:
    """Lengths with the microseconds that windows are kept beyond their end."""
    if option is None:
        return
    if isinstance(option, Period):
        yield option, 0
    elif isinstance(option, Mapping):
        for length, after in option.items():
            yield Period.parse(length), round(Period.parse(after).seconds * SECOND)
    else:
        for length in [option] if isinstance(option, str) else option:
            yield Period.parse(length), 0


def _adds_up(short: Period, long: Period) -> bool:
    """Whether every window of one length lies in one window of another, and is shorter."""
    if short.divides_days:
        return not long.divides_days or (long.step > short.step and long.step % short.step == 0)
    if short.unit == long.unit:
        return long.count > short.count and long.count % short.count == 0
    return short.unit == "d" and short.count == 1 and not long.divides_days


def _text(period: Period) -> str:
    return f"{period.count}{period.unit}"


def _holds(longer: Window, window: Window) -> bool:
    edges = itertools.chain((longer.start, longer.end), (window.start, window.end))
    begin, end, first, last = (edge or 0 for edge in edges)
    return begin <= first and last <= end
