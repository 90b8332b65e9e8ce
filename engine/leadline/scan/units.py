"""One task of one source -> the partial cells of its units. This is what the threads run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .. import _arrow
from .._native import Arena
from ..errors import InputError, LeadlineError
from ..profile import NULL_WINDOW, Cell, ColumnState, Settings
from ..profile.build import profile_unit_column
from ..profile.column import seed_of
from ..profile.custom import CustomSummary
from ..profile.order import CellOrder
from ..profile.summaries import SketchSettings
from ..sketch.scratch import Scratch, borrowed
from ..snapshot.held import HeldColumn, HeldUnit
from ..snapshot.unit import hold_unit_column
from .cells import CellKey, Codes, UnitCells, cells_of, segment_codes, whole_unit
from .evolution import FileColumn, FilePlan
from .formats.base import Task, reason
from .pool import Step, Work
from .windows import Windows

# A column costs some work however few rows it has, about as much as this many.
_FEW_ROWS = 1_024
# Of fewer cells the states are objects at once, which is quicker for some hundreds of them.
_MANY_CELLS = 16
# With fewer windows nothing would be left between the first and the last one.
_FEW_WINDOWS = 3


@dataclass(frozen=True, slots=True)
class _States:
    """One column of a unit's cells: of the first ones, of those encoded, of the last ones."""

    before: list[ColumnState]
    held: HeldColumn | None = None
    after: list[ColumnState] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class UnitResult:
    """The partial cells of one unit."""

    rows: int
    cells: list[Cell]


class UnitProfiler:
    """Profiles units. Shared by the threads; each borrows work memory of its own.

    Parameters
    ----------
    settings
        Settings of the profile.
    windows
        Assigns rows to windows; None without windows.
    max_cells
        Most cells that a unit may have.
    summaries
        The users' own summaries.
    """

    def __init__(
        self,
        settings: Settings,
        windows: Windows | None,
        max_cells: int,
        summaries: Sequence[CustomSummary] = (),
    ) -> None:
        self._settings, self._windows, self._max_cells = settings, windows, max_cells
        self._summaries = summaries
        self._seen: set[CellKey] = set()  # of units with many cells, whatever thread divided them

    def work(self, label: str, plan: FilePlan, task: Task) -> Work[list[UnitResult]]:
        """The work of profiling every column of every unit of a task.

        Parameters
        ----------
        label
            The source's name in messages.
        """
        job = _Job(self, label, plan, task)
        rows = sum(max(rows, _FEW_ROWS) for rows in task.rows)
        weight = len(plan.columns) * rows
        return Work(job.steps(), job.results, close=task.close, weight=weight)

    def empty(self, column: FileColumn) -> ColumnState:
        """The state of a column without rows."""
        data = pa.chunked_array([], type=column.type)
        with borrowed() as scratch:
            return self.profile(column, data, CellOrder.whole(0), scratch)[0]

    def hold(
        self,
        file_column: FileColumn,
        data: pa.ChunkedArray,
        cells: CellOrder,
        scratch: Scratch,
        arena: Arena,
    ) -> HeldColumn:
        """The states of one column of one unit, encoded."""
        column = file_column.column
        settings = SketchSettings(seed_of(column.name), self._settings.k)
        return hold_unit_column(
            column, conform(data, file_column.type), cells, settings, scratch, arena
        )

    def holds(self, cells: UnitCells) -> range:
        """Which of a unit's cells are to be encoded at once.

        That pays where no other unit has rows of these cells, for to merge a state it is decoded
        again. Nobody knows it beforehand; but in an archive in order of time each unit brings new
        windows, and shares only the first and the last one with its neighbours, and in others all
        cells are known after the first units. It is a question of speed alone: the bytes are the
        same.
        """
        none = range(0)
        if self._summaries or self._settings.redacted:
            return none
        inner = _inner(cells.keys)
        if len(inner) < _MANY_CELLS:
            return none
        new = len(set(cells.keys) - self._seen)
        self._seen.update(cells.keys)
        return inner if 2 * new > len(cells.keys) else none

    def profile(
        self, file_column: FileColumn, data: pa.ChunkedArray, cells: CellOrder, scratch: Scratch
    ) -> list[ColumnState]:
        """The states of one column of one unit, one a cell."""
        column = file_column.column
        return profile_unit_column(
            column,
            conform(data, file_column.type),
            cells,
            SketchSettings(seed_of(column.name), self._settings.k),
            scratch,
            [own for own in self._summaries if own.applies_to(column, self._settings.redacted)],
        )

    def divide(
        self, label: str, plan: FilePlan, task: Task, held: dict[str, list[pa.ChunkedArray]]
    ) -> list[UnitCells]:
        """The cells of every unit; the key columns read for it are left in ``held``."""
        if plan.time is None and not plan.segments:
            return [whole_unit(rows) for rows in task.rows]
        for key in (plan.time, *plan.segments):
            if key is not None and _name(key) not in held:
                with _named(label, key):
                    read = task.read([key.path])
                    held[_name(key)] = [conform(data, key.type) for (data,) in read]
        units = []
        for position, rows in enumerate(task.rows):
            windows = None
            if plan.time is not None:
                with _named(label, plan.time):
                    windows = self._window_codes(held[_name(plan.time)][position])
            segments = [
                self._segment(label, plan, place, held, position, rows)
                for place in range(len(plan.segments))
            ]
            cells = cells_of(windows, segments)
            if len(cells.keys) > self._max_cells:
                raise too_many_cells(len(cells.keys), rows, None, self._max_cells)
            units.append(cells)
        return units

    def _window_codes(self, times: pa.ChunkedArray) -> Codes:
        assert self._windows is not None
        codes, windows = self._windows.assign(times)
        return Codes(codes, windows)

    def _segment(
        self,
        label: str,
        plan: FilePlan,
        place: int,
        held: dict[str, list[pa.ChunkedArray]],
        position: int,
        rows: int,
    ) -> Codes:
        key = plan.segments[place]
        if key is None:
            missing: NDArray[np.int64] = np.zeros(rows, dtype=np.int64)
            return Codes(missing, [None])
        with _named(label, key):
            return segment_codes(held[_name(key)][position], key.column.name, self._max_cells)


class _Job:
    """One task under way.

    Key columns are read first and stay in memory; the others are read portion by portion, each for
    all units, so that a row group of many units is decoded once.
    """

    def __init__(self, profiler: UnitProfiler, label: str, plan: FilePlan, task: Task) -> None:
        self._profiler, self._label, self._plan, self._task = profiler, label, plan, task
        self._held: dict[str, list[pa.ChunkedArray]] = {}
        self._units: list[UnitCells] = []
        self._states: list[dict[str, _States]] = [{} for _ in task.rows]
        self._holds = [range(0)] * len(task.rows)
        self._arenas: list[Arena] = []

    def steps(self) -> list[Step]:
        """What can be done at once: the division into cells, or all columns if there is none."""
        if self._plan.time is not None or self._plan.segments:
            return [self._divide]
        self._units = [whole_unit(rows) for rows in self._task.rows]
        return self._column_steps()

    def results(self) -> list[UnitResult]:
        """The partial cells of every unit, once all steps are done."""
        names = [_name(column) for column in self._plan.columns]
        return [
            _result(rows, cells, [states[name] for name in names])
            for rows, cells, states in zip(self._task.rows, self._units, self._states, strict=True)
        ]

    @contextmanager
    def _arena(self) -> Iterator[Arena]:
        """Memory for the encoded states of a column; to take and give back is one operation."""
        try:
            arena = self._arenas.pop()
        except IndexError:
            arena = Arena()
        yield arena
        self._arenas.append(arena)

    def _divide(self) -> list[Step]:
        self._units = self._profiler.divide(self._label, self._plan, self._task, self._held)
        self._holds = [self._profiler.holds(cells) for cells in self._units]
        return self._column_steps()

    def _column_steps(self) -> list[Step]:
        wanted = {column.path: column for column in self._plan.columns}
        steps: list[Step] = []
        for column in self._plan.columns:
            if _name(column) in self._held:
                steps.append(partial(self._profile_held, column))
                del wanted[column.path]
        for portion in self._task.portions:
            columns = [wanted[path] for path in portion if path in wanted]
            if columns:
                steps.append(partial(self._read, columns))
        return steps

    def _profile_held(self, column: FileColumn) -> None:
        """Profile a key column, which is in memory."""
        arrays = self._held.pop(_name(column))
        with borrowed() as scratch:
            for unit, data in enumerate(arrays):
                self._profile(unit, column, data, scratch)

    def _read(self, columns: Sequence[FileColumn]) -> None:
        """Read and profile one portion."""
        try:
            self._read_together(columns)
        except Exception:
            if len(columns) == 1:
                raise
            for column in columns:  # one of them cannot be read: the error is to name it
                self._read_together([column])

    def _read_together(self, columns: Sequence[FileColumn]) -> None:
        read = self._task.read([column.path for column in columns])
        with borrowed() as scratch:
            for unit in range(len(self._units)):
                with _named(self._label, columns[0]):
                    arrays = next(read)
                for column, data in zip(columns, arrays, strict=True):
                    self._profile(unit, column, data, scratch)

    def _profile(
        self, unit: int, column: FileColumn, data: pa.ChunkedArray, scratch: Scratch
    ) -> None:
        cells, held = self._units[unit].order, self._holds[unit]
        with _named(self._label, column):
            data = conform(data, column.type)
            if held:
                with self._arena() as arena:
                    inner = self._profiler.hold(column, data, cells.part(held), scratch, arena)
                outer = [range(held.start), range(held.stop, len(cells))]
                before, after = (
                    self._profiler.profile(column, data, cells.part(some), scratch) if some else []
                    for some in outer
                )
                states = _States(before, inner, after)
            else:
                states = _States(self._profiler.profile(column, data, cells, scratch))
        self._states[unit][_name(column)] = states


def conform(data: pa.ChunkedArray, type_: pa.DataType) -> pa.ChunkedArray:
    """A column of a file in the type in which it is profiled."""
    if data.type.equals(type_):
        return data
    if pa.types.is_null(data.type):
        return pa.chunked_array([pa.nulls(len(data), type_)])
    return pa.chunked_array(
        [_arrow.conform(chunk, type_) for chunk in data.chunks] or [pa.array([], type_)]
    )


def too_many_cells(found: int, rows: int, rows_total: int | None, limit: int) -> InputError:
    """The error for more cells than allowed, with an estimate for all rows."""
    estimate = ""
    if rows_total is not None and rows < rows_total:
        estimate = f"; about {found * rows_total // rows:,} for all {rows_total:,} rows"
    return InputError(
        f"the windows and segments make {found:,} cells in the first {rows:,} rows{estimate} "
        f"(the limit is {limit:,}); use longer windows or segments of fewer values, or raise the "
        "limit with max_cells"
    )


@contextmanager
def _named(label: str, file_column: FileColumn) -> Iterator[None]:
    """Errors about a column, with the names of the file and the column."""
    where = f"{label}, column {'.'.join(file_column.path)!r}"
    try:
        yield
    except InputError as error:
        text = str(error)
        raise type(error)(text if text.startswith("segment") else f"{where}: {text}") from error
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise InputError(f"{where}: cannot be read: {reason(error)}") from error
    except (MemoryError, KeyboardInterrupt):
        raise
    except Exception as error:
        raise LeadlineError(
            f"{where}: {type(error).__name__}: {reason(error)}; this is a mistake in leadline, "
            "please report it"
        ) from error


def _name(file_column: FileColumn) -> str:
    return file_column.column.name


def _inner(keys: Sequence[CellKey]) -> range:
    """Cells of which other units need not have rows, if these rows are in order of time.

    All but those of the first and the last window, and without a time, where there are others.
    """
    windows = [window for window, _ in keys if window is not None and window != NULL_WINDOW]
    if len(set(windows)) < _FEW_WINDOWS:
        return range(len(keys))
    return range(windows.count(windows[0]), len(windows) - windows.count(windows[-1]))


def _result(rows: int, cells: UnitCells, columns: list[_States]) -> UnitResult:
    sizes = np.diff(cells.order.starts).tolist()
    held = [column.held for column in columns if column.held is not None]
    states: list[Mapping[str, ColumnState]] = _by_cell([column.before for column in columns])
    if held:
        unit = HeldUnit.of(held)
        states += [unit.states(cell) for cell in range(len(unit.present))]
        states += _by_cell([column.after for column in columns])
    whole = zip(cells.keys, sizes, states, strict=True)
    return UnitResult(rows, [Cell(*key, size, held_by) for key, size, held_by in whole])


def _by_cell(columns: list[list[ColumnState]]) -> list[Mapping[str, ColumnState]]:
    return [{state.column.name: state for state in cell} for cell in zip(*columns, strict=True)]
