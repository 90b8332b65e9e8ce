"""States of cells as the bytes that a snapshot holds of them, made into objects when asked for.

A scan with thousands of cells makes tens of thousands of states of some kilobytes each, nearly all
of which are only written to a file. What the kernels found is encoded in the thread that found it;
here it is a row of a table for each cell and column, and no object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._native.library import bytes_at
from .._native.rows import rows_body
from ..profile.cells import LazyStates
from ..profile.column import ColumnState
from ..schema import Column
from . import states
from .streams import join_stream

_NAMES = tuple(states.ROW_TYPES)
FIELDS = {name: place for place, name in enumerate(_NAMES)}
# A field's number or address, its size, and whether it is there.
_FIELD_BYTES = 17
_TEXTS = tuple(FIELDS[name] for name in ("name", "column"))
_DTYPES = {"int64": np.int64, "uint64": np.uint64, "double": np.float64}
# The type of numbers in a field, None where it holds bytes.
_NUMBERS = [_DTYPES.get(str(type_)) for type_ in states.ROW_TYPES.values()]
_BINARY = np.array([dtype is None for dtype in _NUMBERS], dtype=np.uint8)


class HeldColumn:
    """One column of many cells, field by field.

    Parameters
    ----------
    column
        What the column is.
    cells
        How many cells there are.
    """

    def __init__(self, column: Column, cells: int) -> None:
        self.column = column
        shape = len(FIELDS), cells
        self.present = np.zeros(shape, dtype=np.uint8)
        self.values = np.zeros(shape, dtype=np.uint64)
        self.sizes = np.zeros(shape, dtype=np.int64)
        self.memory: list[object] = []
        name = np.frombuffer(column.name.encode(), dtype=np.uint8)
        self.memory.append(name)
        self.put_bytes("name", slice(None), name.ctypes.data, len(name), True)

    def put(
        self, field_name: str, cells: slice, numbers: NDArray[Any], present: Any = True
    ) -> None:
        """Numbers of some cells; of those where they are present."""
        place = FIELDS[field_name]
        self.values[place, cells] = np.ascontiguousarray(numbers).view(np.uint64)
        self.present[place, cells] = present

    def put_bytes(
        self, field_name: str, cells: slice, addresses: Any, sizes: Any, present: Any
    ) -> None:
        """Where bytes of some cells lie, and how many they are."""
        place = FIELDS[field_name]
        self.values[place, cells] = addresses
        self.sizes[place, cells] = sizes
        self.present[place, cells] = present

    def put_own(self, field_name: str, cell: int, content: bytes) -> None:
        """Bytes of one cell, which are kept here."""
        kept = np.frombuffer(content, dtype=np.uint8)
        self.memory.append(kept)
        self.put_bytes(field_name, slice(cell, cell + 1), kept.ctypes.data, len(kept), True)


@dataclass(frozen=True, slots=True)
class HeldUnit:
    """The columns of the cells of one unit of work; ``[cells, fields, columns]``."""

    columns: tuple[Column, ...]
    present: NDArray[np.uint8]
    values: NDArray[np.uint64]
    sizes: NDArray[np.int64]
    memory: tuple[object, ...]
    places: Mapping[str, int]

    @classmethod
    def of(cls, columns: Sequence[HeldColumn]) -> HeldUnit:
        """Columns of the same cells, side by side."""
        present, values, sizes = (
            np.ascontiguousarray(np.stack(arrays).transpose(2, 1, 0))
            for arrays in zip(*((c.present, c.values, c.sizes) for c in columns), strict=True)
        )
        return cls(
            tuple(held.column for held in columns),
            present,
            values,
            sizes,
            tuple(held.memory for held in columns),
            {held.column.name: place for place, held in enumerate(columns)},
        )

    def states(self, cell: int) -> HeldStates:
        """The states of one cell."""
        return HeldStates(self, cell)


class HeldStates(LazyStates):
    """The states of one cell, by column; each is decoded when it is asked for."""

    __slots__ = ("_cell", "_found", "_unit")

    def __init__(self, unit: HeldUnit, cell: int) -> None:
        self._unit, self._cell = unit, cell
        self._found: dict[str, ColumnState] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)  # addresses mean nothing elsewhere

    def __len__(self) -> int:
        return len(self._unit.columns)

    def __iter__(self) -> Iterator[str]:
        return iter(self._unit.places)

    def __contains__(self, name: object) -> bool:
        return name in self._unit.places

    def __getitem__(self, name: str) -> ColumnState:
        state = self._found.get(name)
        if state is None:
            state = self._found[name] = self._decode(self._unit.places[name])
        return state

    @property
    def columns(self) -> dict[str, Column]:
        """What the columns are, by name."""
        return dict(zip(self._unit.places, self._unit.columns, strict=True))

    @property
    def nbytes(self) -> int:
        """Bytes of state held."""
        sizes = self._unit.sizes[self._cell]
        return int(sizes.sum()) + _FIELD_BYTES * int(sizes.size)

    def stream(
        self,
        header: str,
        columns: Mapping[str, Column],
        describe: Callable[[Column], str],
        most: int,
    ) -> memoryview | None:
        """The cell's Arrow stream, in work memory; None if its bytes are more than so many.

        Parameters
        ----------
        header
            The JSON of the schema's metadata.
        columns
            The profile's columns by name, whose order is that of the rows.
        describe
            A column as JSON, for those that are not as in the profile.
        """
        unit = self._unit
        present, values, sizes = (
            array[self._cell] for array in (unit.present, unit.values, unit.sizes)
        )
        if int(sizes.sum() - sizes[_TEXTS, :].sum()) > most:
            return None
        order = [unit.places[name] for name in columns if name in unit.places]
        if order != list(range(len(unit.columns))):
            present, values, sizes = (
                np.ascontiguousarray(array[:, order]) for array in (present, values, sizes)
            )
        kept: list[NDArray[np.uint8]] = []
        for row, place in enumerate(order):
            column = unit.columns[place]
            profiled = columns[column.name]
            if column is profiled or column == profiled:
                continue
            if not kept:
                present, values, sizes = (array.copy() for array in (present, values, sizes))
            text = np.frombuffer(describe(column).encode(), dtype=np.uint8)
            kept.append(text)
            at = FIELDS["column"], row
            present[at], values[at], sizes[at] = 1, text.ctypes.data, len(text)
        body = rows_body(_BINARY, present, values, sizes)
        names = tuple(name for name, held in zip(_NAMES, body.written, strict=True) if held)
        return join_stream(names, states.ROW_TYPES, header, body)

    def _decode(self, place: int) -> ColumnState:
        unit = self._unit
        column = unit.columns[place]
        values, sizes = unit.values[self._cell, :, place], unit.sizes[self._cell, :, place]
        row: dict[str, Any] = {}
        for at in np.flatnonzero(unit.present[self._cell, :, place]).tolist():
            dtype = _NUMBERS[at]
            if dtype is None:
                row[_NAMES[at]] = bytes_at(int(values[at]), int(sizes[at]))
            else:
                row[_NAMES[at]] = values[at : at + 1].view(dtype).item()
        del row["name"]
        rows, nulls = row.pop("rows"), row.pop("nulls")
        return ColumnState(column, rows, nulls, states.decode_summary(column, row, rows - nulls))
