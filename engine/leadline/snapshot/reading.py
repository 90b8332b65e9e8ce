"""A snapshot file of either kind -> a profile (docs/format.md, sections 2 and 7).

Reading trusts nothing: whatever the bytes are, the outcome is a profile or one `SnapshotError`
that says where and why, in memory and time that the file's size bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from ..errors import SnapshotError
from ..profile import Cell, Profile, SchemaEvent
from ..profile.cells import cell_order, with_functions
from ..profile.custom import CustomSummary, by_name
from . import frames
from .cells import CellPart, Head, decode_cell, decode_head
from .files import load
from .frames import FileKind, Frame, FrameError, Index

# Attempts to find a frame again after damage; more would let a hostile file cost quadratic time.
RESYNC_ATTEMPTS = 1_000

_T = TypeVar("_T")
_P = ParamSpec("_P")
_Content = tuple[Frame, bytes]


@dataclass(frozen=True, slots=True)
class Loss:
    """Bytes of a file that could not be used, and why."""

    offset: int
    size: int
    reason: str

    def __str__(self) -> str:
        return f"{self.size:,} bytes at offset {self.offset:,}: {self.reason}"


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What was read of a file and what was lost.

    Parameters
    ----------
    cells, rows
        Cells and rows in the profile that was returned.
    expected_cells, expected_rows
        What the file's index says it held; None if the index is lost, and for journals.
    losses
        The bytes that were left out, in order.
    """

    cells: int
    rows: int
    expected_cells: int | None
    expected_rows: int | None
    losses: tuple[Loss, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing was lost."""
        return not self.losses


def read(
    path: str | PathLike[str],
    *,
    recover: bool = False,
    summaries: Iterable[CustomSummary] = (),
    storage_options: Mapping[str, Any] | None = None,
) -> Profile:
    """Read a snapshot file, archive or journal.

    A journal's torn end is left out and named in the profile's events.

    Parameters
    ----------
    path
        The file, on disk or behind a URL such as ``s3://bucket/jan.lead``.
    recover
        Read what is good of a damaged file; the profile's events name what was lost.
    summaries
        The users' own summaries whose states the file may hold, so that they can be merged and
        compared; a file holds no functions.
    storage_options
        For a URL: what fsspec's file system of that kind takes, such as credentials.

    Raises
    ------
    InputError
        If ``path`` is no path.
    SnapshotError
        If the file is damaged (with ``recover``: so that nothing can be read), contradicts itself,
        or has another version; the message names the place and the reason.
    """
    data, name = load(path, storage_options)
    return decode(data, name=name, recover=recover, summaries=summaries)


def read_recovering(path: str | PathLike[str]) -> tuple[Profile, RecoveryReport]:
    """Read what is good of a file, and report what is not.

    Raises
    ------
    InputError
        If ``path`` is no path.
    SnapshotError
        If nothing can be read: the header or the first data frame is damaged.
    """
    data, name = load(path)
    return _Reading(memoryview(data), name, recover=True).run()


def decode(
    data: bytes,
    *,
    name: str = "<bytes>",
    recover: bool = False,
    summaries: Iterable[CustomSummary] = (),
) -> Profile:
    """Read the bytes of a snapshot file; ``name`` stands for it in messages.

    Raises
    ------
    SnapshotError
        As `read` does.
    """
    own = by_name(summaries)
    return _Reading(memoryview(data), name, recover=recover, summaries=own).run()[0]


@dataclass(slots=True)
class _Reading:
    """One pass over one file."""

    data: memoryview
    name: str
    recover: bool
    summaries: Mapping[str, CustomSummary] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)
    content: int = 0
    number: int = -1

    def run(self) -> tuple[Profile, RecoveryReport]:
        start = bytes(self.data[: frames.HEADER_SIZE])
        kind = self._attempt("header", 0, _snapshot_kind, start)
        index = self._index() if kind is FileKind.ARCHIVE else None
        contents = self._listed(index) if index is not None else self._walked(kind)
        head = self._head(contents)
        cells = GatheredCells(merge_k=head.settings.k if kind is FileKind.JOURNAL else None)
        columns = {column.name: column for column in head.columns}
        segments = len(head.settings.segments)
        for frame, content in contents:
            part = self._accept(frame, decode_cell, content, columns, segments)
            if part is not None:
                part = replace(part, cell=with_functions(part.cell, self.summaries))
                self._accept(frame, cells.add, part, frame)
        self._finish(cells, kind, index)
        return self._result(head, cells, index)

    # --- frames ----------------------------------------------------------------------------------

    def _index(self) -> Index | None:
        """The index; None (and a loss) where it is missing and may be."""
        try:
            index, _ = frames.read_index(self.data)
        except FrameError as error:
            if not self.recover:
                raise SnapshotError(self._without_index(error)) from None
            return None
        return index

    def _without_index(self, error: FrameError) -> str:
        good = [frame for frame, _ in self._walked(FileKind.ARCHIVE)]
        if good:
            last = f"the last good frame is {len(good) - 1}, which ends at byte {good[-1].end:,}"
        else:
            last = "there is no good frame"
        return f"{self.name}: {error}; {last}; {_ADVICE}"

    def _listed(self, index: Index) -> Iterator[_Content]:
        """The frames that the index lists."""
        for entry in index.frames:
            self.number += 1
            content = self._accept(entry, self._checked, entry)
            if content is not None:
                yield entry, content

    def _checked(self, entry: Frame) -> bytes:
        frame = frames.find_frame(self.data, entry.offset)
        if frame != entry:
            raise FrameError("the frame is not as the index says")
        return self._decompress(frame)

    def _walked(self, kind: FileKind) -> Iterator[_Content]:
        """The good frames of a file without an index; what lies between them becomes a loss."""
        position = frames.HEADER_SIZE
        attempts = 0
        while position < len(self.data) and not self._at_index(position, kind):
            self.number += 1
            lost_from, reason = position, ""
            found = None
            while found is None and position >= 0:
                try:
                    frame = frames.find_frame(self.data, position)
                    found = frame, self._decompress(frame)
                except FrameError as error:
                    reason = reason or str(error)
                    attempts += 1
                    position = frames.next_magic(self.data, position + 1)
                    if attempts > RESYNC_ATTEMPTS:
                        position = -1
            end = found[0].offset if found is not None else len(self.data)
            if end > lost_from:
                self.losses.append(Loss(lost_from, end - lost_from, reason))
            if found is None:
                position = len(self.data)
                break
            yield found
            position = found[0].end
        if kind is FileKind.ARCHIVE:
            self.losses.append(Loss(position, len(self.data) - position, "the index is lost"))

    def _at_index(self, position: int, kind: FileKind) -> bool:
        return kind is FileKind.ARCHIVE and frames.index_begins(self.data, position)

    def _decompress(self, frame: Frame) -> bytes:
        frames.check_total(self.content + frame.content_size, len(self.data))
        content = frames.decompress(self.data, frame)
        self.content += frame.content_size
        return content

    # --- contents --------------------------------------------------------------------------------

    def _head(self, contents: Iterator[_Content]) -> Head:
        """The first data frame; without it nothing else can be understood."""
        frame, content = next(contents, (None, b""))
        if frame is None or frame.offset != frames.HEADER_SIZE:
            reason = self.losses[0].reason if self.losses else "it is missing"
            raise SnapshotError(
                f"{self.name}: frame 0 at byte {frames.HEADER_SIZE}: {reason}; without this frame "
                "nothing can be read; restore the file from a copy"
            )
        return self._attempt("frame 0", frame.offset, decode_head, content)

    def _accept(
        self, frame: Frame, action: Callable[_P, _T], *values: _P.args, **options: _P.kwargs
    ) -> _T | None:
        """What the action gives; its failure is a loss when recovering, else an error."""
        try:
            place = f"frame {self.number}"
            return self._attempt(place, frame.offset, action, *values, **options)
        except _LocatedError as error:
            if not self.recover:
                raise SnapshotError(str(error)) from None
            self.losses.append(Loss(frame.offset, frame.size, error.reason))
            return None

    def _attempt(
        self,
        place: str,
        offset: int,
        action: Callable[_P, _T],
        *values: _P.args,
        **options: _P.kwargs,
    ) -> _T:
        """What the action gives; whatever it raises becomes one error with its place."""
        try:
            return action(*values, **options)
        except Exception as error:  # noqa: BLE001
            # Hostile bytes raise whatever pyarrow, NumPy, json and struct think of; all of it
            # means one thing here. This is the only place that says so.
            reason = str(error) if isinstance(error, SnapshotError) else _describe(error)
            raise _LocatedError(self.name, place, offset, reason) from None

    def _finish(self, cells: GatheredCells, kind: FileKind, index: Index | None) -> None:
        """Judge what is missing once every frame was read."""
        for frame in cells.unfinished():
            reason = "other parts of the cell are missing"
            self.losses.append(Loss(frame.offset, frame.size, reason))
        self.losses.sort(key=lambda loss: loss.offset)
        if self.recover or not self.losses:
            if index is not None and not self.losses:
                self._attempt("index", len(self.data), cells.check, index)
            return
        first = self.losses[0]
        torn = kind is FileKind.JOURNAL and first.offset + first.size == len(self.data)
        if not torn:
            raise SnapshotError(f"{self.name}: {first}; {_ADVICE}")

    def _result(
        self, head: Head, cells: GatheredCells, index: Index | None
    ) -> tuple[Profile, RecoveryReport]:
        source = Path(self.name).name
        events = [SchemaEvent("", source, f"lost {loss}") for loss in self.losses]
        if events:
            head = replace(head, continuation=None)
        profile = head.profile(sorted(cells.held.values(), key=cell_order), *events)
        report = RecoveryReport(
            cells=len(profile.cells),
            rows=profile.rows,
            expected_cells=None if index is None else index.cells,
            expected_rows=None if index is None else index.rows,
            losses=tuple(self.losses),
        )
        return profile, report


@dataclass(slots=True)
class GatheredCells:
    """The cells of a file, put together from parts; those of a journal are merged.

    Parameters
    ----------
    merge_k
        Size of the quantile sketches of merged cells; None where no cell may occur twice.
    held
        The whole cells by key.
    """

    merge_k: int | None
    held: dict[tuple[object, ...], Cell] = field(default_factory=dict)
    _open: tuple[CellPart, Frame] | None = None
    _dropped: list[Frame] = field(default_factory=list)

    def add(self, part: CellPart, frame: Frame) -> None:
        """Take the next part.

        Raises
        ------
        FrameError
            If it does not follow the part before it, or the cell occurs twice in an archive.
        """
        before, self._open = self._open, None
        if part.number:
            part = _joined(before[0] if before else None, part)
            assert before is not None
            frame = Frame(before[1].offset, frame.end - before[1].offset, 0, 0)
        elif before is not None:
            self._dropped.append(before[1])
        if part.number + 1 < part.parts:
            self._open = part, frame
        elif part.key not in self.held:
            self.held[part.key] = part.cell
        elif self.merge_k is not None:
            self.held[part.key] = self.held[part.key].merge(part.cell, k=self.merge_k)
        else:
            raise FrameError("the cell occurs twice")

    def unfinished(self) -> list[Frame]:
        """The places of cells of which later parts are missing."""
        return self._dropped + ([] if self._open is None else [self._open[1]])

    def check(self, index: Index) -> None:
        """Compare with what the index promises."""
        rows = sum(cell.rows for cell in self.held.values())
        if (len(self.held), rows) != (index.cells, index.rows):
            raise FrameError(
                f"the index promises {index.cells:,} cells of {index.rows:,} rows; "
                f"the frames hold {len(self.held):,} of {rows:,}"
            )


def _joined(before: CellPart | None, part: CellPart) -> CellPart:
    if before is None or (before.number + 1, before.parts) != (part.number, part.parts):
        raise FrameError("the parts of a cell do not follow one another")
    if before.key != part.key or before.cell.rows != part.cell.rows:
        raise FrameError("the parts of a cell contradict each other")
    states = {**before.cell.states, **part.cell.states}
    if len(states) != len(before.cell.states) + len(part.cell.states):
        raise FrameError("the parts of a cell share a column")
    cell = Cell(part.cell.window, part.cell.segment, part.cell.rows, states)
    return CellPart(cell, part.number, part.parts)


def _snapshot_kind(start: bytes) -> FileKind:
    kind = frames.read_header(start)
    if kind is FileKind.CHECKPOINT:
        raise FrameError(
            "this is the checkpoint of an interrupted run; go on with leadline profile --resume"
        )
    return kind


class _LocatedError(SnapshotError):
    """One failure with its place, on its way out."""

    def __init__(self, name: str, place: str, offset: int, reason: str) -> None:
        advice = "" if place == "header" else f"; {_ADVICE}"
        super().__init__(f"{name}: {place} at byte {offset:,}: {reason}{advice}")
        self.reason = reason


_ADVICE = "restore the file from a copy, or keep what is good with recover=True"
_REASON_LENGTH = 200


def _describe(error: Exception) -> str:
    """One line for an exception that other libraries raised."""
    text = " ".join(str(error).split())[:_REASON_LENGTH]
    return f"its contents are not valid ({type(error).__name__}{': ' if text else ''}{text})"
