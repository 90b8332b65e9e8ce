"""Rows captured in one window -> cells: the same states that a scan of these rows would make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from ..profile import Cell, ColumnState, Settings, Window
from ..profile.build import profile_unit_column
from ..profile.column import seed_of
from ..profile.summaries import SketchSettings
from ..scan.cells import UnitCells, cells_of, segment_codes, whole_unit
from ..scan.units import conform
from ..schema import Column, column_for, widen
from ..sketch.scratch import UNIT_ROWS, borrowed

# Beyond so many values of the segments in one batch the rest of the rows would be lost.
MOST_CELLS = 10_000


class Summariser:
    """Makes cells of batches; safe to share between threads.

    Parameters
    ----------
    settings
        Settings of the profile.
    roles
        Roles of columns by name.
    """

    def __init__(self, settings: Settings, roles: Mapping[str, str]) -> None:
        self._settings, self._roles = settings, roles

    def column(self, name: str, type_: pa.DataType) -> Column:
        """What a column of this name and type is."""
        settings = self._settings
        return column_for(name, type_, roles=self._roles, time=None, segments=settings.segments)

    def cells(self, window: Window, batches: Sequence[pa.RecordBatch]) -> list[Cell]:
        """The cells of some batches of one window, one a segment.

        Parameters
        ----------
        batches
            Columns of any order; one that a batch lacks has no rows there. Their types agree or
            widen to a common one.
        """
        found: list[Cell] = []
        for unit in _units(batches):
            found += self._unit(window, unit)
        return found

    def _unit(self, window: Window, batches: Sequence[pa.RecordBatch]) -> list[Cell]:
        rows = sum(len(batch) for batch in batches)
        if not self._settings.segments:
            divided = whole_unit(rows)
            columns: dict[str, list[pa.Array]] = {}
            for batch in batches:
                for name, column in zip(batch.schema.names, batch.columns, strict=True):
                    columns.setdefault(name, []).append(column)
        else:  # rows are divided together, so a column has rows wherever another one has
            plain = [
                pa.table([*map(_without_dictionary, batch.columns)], batch.schema.names)
                for batch in batches
            ]
            table = pa.concat_tables(plain, promote_options="permissive")
            divided = self._divided(table)
            columns = {name: table.column(name).chunks for name in table.column_names}
        states = {
            name: self._states(name, chunks, divided, rows) for name, chunks in columns.items()
        }
        return [
            Cell(
                window,
                segment,
                divided.order.rows(place),
                {name: column[place] for name, column in states.items()},
            )
            for place, (_, segment) in enumerate(divided.keys)
        ]

    def _divided(self, table: pa.Table) -> UnitCells:
        codes = [
            segment_codes(table.column(name), name, MOST_CELLS) for name in self._settings.segments
        ]
        return cells_of(None, codes)

    def _states(
        self, name: str, chunks: Sequence[pa.Array], divided: UnitCells, rows: int
    ) -> list[ColumnState]:
        type_ = chunks[0].type
        for chunk in chunks[1:]:
            type_ = widen(type_, chunk.type) or type_
        column = self.column(name, type_)
        same = [part for one in chunks for part in conform(pa.chunked_array([one]), type_).chunks]
        data = pa.chunked_array(same, type_)
        order = divided.order if len(data) == rows else whole_unit(len(data)).order
        sketches = SketchSettings(seed_of(name), self._settings.k)
        with borrowed() as scratch:
            return profile_unit_column(column, data, order, sketches, scratch)


def _units(batches: Sequence[pa.RecordBatch]) -> list[list[pa.RecordBatch]]:
    """Batches in groups of at most so many rows as a unit of work may have."""
    units: list[list[pa.RecordBatch]] = [[]]
    room = UNIT_ROWS
    for batch in batches:
        for start in range(0, len(batch), UNIT_ROWS):
            part = batch.slice(start, UNIT_ROWS)
            if len(part) > room:
                units.append([])
                room = UNIT_ROWS
            units[-1].append(part)
            room -= len(part)
    return [unit for unit in units if unit]


def _without_dictionary(column: pa.Array) -> pa.Array:
    """The column in the type that rows bring."""
    return column.dictionary_decode() if isinstance(column, pa.DictionaryArray) else column
