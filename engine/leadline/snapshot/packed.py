"""States in memory as a snapshot holds them, compressed: for what is seldom looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import zstandard

from ..profile import Cell
from ..profile.column import ColumnState
from ..schema import Column
from . import frames
from .cells import decode_cell, encode_cell


@dataclass(frozen=True, slots=True)
class PackedStates:
    """The states of some rows.

    Parameters
    ----------
    columns
        What the columns are, by name.
    streams
        The frames of a cell.
    """

    columns: Mapping[str, Column]
    streams: tuple[bytes, ...]

    @classmethod
    def of(cls, states: Mapping[str, ColumnState]) -> PackedStates:
        """Pack states; those of users' own summaries lose their functions."""
        columns = {name: state.column for name, state in states.items()}
        rows = max((state.rows for state in states.values()), default=0)
        streams = encode_cell(Cell(None, (), rows, states), columns)
        return cls(columns, tuple(map(frames.compress, streams)))

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(map(len, self.streams))

    def unpacked(self) -> dict[str, ColumnState]:
        """The same states."""
        found: dict[str, ColumnState] = {}
        for stream in self.streams:
            content = zstandard.ZstdDecompressor().decompress(stream)
            found.update(decode_cell(content, self.columns, 0).cell.states)
        return found
