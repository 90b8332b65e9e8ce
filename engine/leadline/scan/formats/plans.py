"""How the columns of a file are read: what goes together, in which order, as which type.

One place for all shapes of files. A *task* is what is read together of a file, a *portion* what is
read of it in one call; threads share the portions of a task, the heaviest first, so that the last
ones to be taken are short and no core is left idle at the end.

| What the file is like | Task | Portions |
|---|---|---|
| row groups of up to one unit (2^20 rows) | as many row groups as fit one unit | one a column |
| row groups of a few rows | many row groups joined to one unit | columns joined to 512 KiB |
| row groups of more than one unit | one row group, cut into units | one a column, unit by unit |
| two thousand columns | | columns joined to 512 KiB; threads share them |
| one column | one portion; threads share by having a task each | |
| files of a few rows | one a file (units do not go across files) | all columns at once |
| text, all of it in a dictionary | | read as a dictionary |
| text that is plain, or fell back to it | | read as plain text |
| plain columns, row groups of 32,768 rows and more | | by the page reader, others by pyarrow |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from ..._native import FooterChunk, FooterChunks
from ...schema import LeafPath

if TYPE_CHECKING:
    import pyarrow.parquet as pq

Portions = Sequence[Sequence[LeafPath]]

# Columns are read together up to so many bytes, so that two thousand columns of a thousand rows
# are not two thousand steps for the threads to take; what is decoded together should still be in a
# cache of 2 MiB when its turn comes. (pyarrow itself hardly minds: 1,000 rows x 20 columns take it
# 0.97 ms column by column and 0.91 at once.)
_PORTION_BYTES = 1 << 19

# Bytes a value decodes to; plain text takes 26 ms for 1,048,576 rows, where doubles take 11.
_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT96": 12, "BYTE_ARRAY": 20}

# Text whose pages all hold codes is 4 to 10 times faster to read as a dictionary, be it of 10 or of
# 100,000 values; text of which the pages after the first 1 MiB of distinct values are plain, as
# most writers leave it, is 10 times slower. The footer, as pyarrow shows it, does not tell the two
# apart, but sizes do: codes take at most 20 bits a value, plain text at least 32.
_DICTIONARY_LIMIT = 1 << 20
_CODE_BYTES = 2.75
_DICTIONARY_RATIO = 20  # to how many bytes one stored byte of a dictionary may unpack
# Rows for every stored byte of a dictionary; more where dictionaries of several chunks are joined.
_ROWS_A_BYTE, _ROWS_A_JOINED_BYTE = 2, 4
# The page reader of our own takes 1 to 3 ns less a row than pyarrow, and 40 us more a chunk.
_PAGED_ROWS = 1 << 15


@dataclass(frozen=True, slots=True)
class ReadingPlan:
    """How one task of a Parquet file is read; the table above in figures.

    Parameters
    ----------
    groups
        Row groups read together.
    rows
        Rows of each unit that they make: one for all of them, or several of one large row group.
    portions
        Columns read by one call, the heaviest first.
    dictionaries
        Columns of text to read as dictionaries.
    """

    groups: tuple[int, ...]
    rows: tuple[int, ...]
    portions: Portions
    dictionaries: tuple[str, ...]

    @property
    def paged(self) -> bool:
        """Whether its chunks are large enough for the page reader."""
        return sum(self.rows) >= _PAGED_ROWS * len(self.groups)


def parquet_plans(
    metadata: pq.FileMetaData, chunks: FooterChunks, leaves: Sequence[LeafPath], unit_rows: int
) -> Iterator[ReadingPlan]:
    """The plan of every task, in the order of the rows; by the footer alone.

    Parameters
    ----------
    chunks
        The file's column chunks. (pyarrow's own metadata ends the process when it is asked for
        one that contradicts itself.)
    leaves
        Columns to read; those that the file lacks are left out of the portions.
    """
    names = {".".join(path): path for path in leaves}
    widths = dict.fromkeys(leaves, 0)
    texts: list[int] = []
    for place in range(len(metadata.schema)):
        column = metadata.schema.column(place)
        path = names.get(column.path) or _container(column.path, names)
        if path is None:
            continue
        widths[path] += _WIDTHS.get(column.physical_type, 8)
        if column.physical_type == "BYTE_ARRAY" and column.path in names:
            texts.append(place)
    for groups, rows in joined_and_cut(_group_rows(metadata), unit_rows):
        coded = [
            place
            for place in texts
            if reads_as_dictionary([chunks.chunk(group, place) for group in groups])
        ]
        yield ReadingPlan(
            tuple(groups),
            tuple(rows),
            portions_of((path, sum(rows) * width) for path, width in widths.items()),
            tuple(metadata.schema.column(place).path for place in coded),
        )


def joined_and_cut(
    group_rows: Iterable[int], unit_rows: int
) -> Iterator[tuple[list[int], list[int]]]:
    """(row groups, rows of the units) of every task: small groups joined, large ones cut."""
    held: list[int] = []
    total = 0
    for group, rows in enumerate(group_rows):
        if rows == 0:
            continue
        if held and total + rows > unit_rows:
            yield held, [total]
            held, total = [], 0
        if rows > unit_rows:
            whole, rest = divmod(rows, unit_rows)
            yield [group], [unit_rows] * whole + ([rest] if rest else [])
        else:
            held.append(group)
            total += rows
    if held:
        yield held, [total]


def portions_of(weights: Iterable[tuple[LeafPath, int]]) -> Portions:
    """Columns joined to portions of 512 KiB, larger ones alone; the heaviest portion first.

    Parameters
    ----------
    weights
        Columns, and about how many bytes each of them decodes to.
    """
    large, small = [], []
    joined: list[LeafPath] = []
    total = 0
    for path, weight in weights:
        if weight >= _PORTION_BYTES:
            large.append((weight, [path]))
            continue
        if joined and total + weight > _PORTION_BYTES:
            small.append((total, joined))
            joined, total = [], 0
        joined.append(path)
        total += weight
    if joined:
        small.append((total, joined))
    return [paths for _, paths in sorted([*large, *small], key=lambda item: -item[0])]


def table_portions(table: pa.Table, leaves: Sequence[LeafPath]) -> Portions:
    """Portions of what is in memory already."""
    rows = table.num_rows
    types = dict(zip(table.schema.names, table.schema.types, strict=True))
    return portions_of((path, rows * _bytes_a_row(types[path[0]])) for path in leaves)


def reads_as_dictionary(chunks: Sequence[FooterChunk]) -> bool:
    """Whether a column of text is better read as a dictionary, judged by sizes in the footer."""
    ratio = _ROWS_A_BYTE if len(chunks) == 1 else _ROWS_A_JOINED_BYTE
    for chunk in chunks:
        if chunk.dictionary <= 0 or not chunk.coded:
            return False
        stored = chunk.data - chunk.dictionary
        if not 0 < stored * ratio <= chunk.values:
            return False
        dictionary = min(_DICTIONARY_LIMIT, _DICTIONARY_RATIO * stored)
        if chunk.size - dictionary > _CODE_BYTES * chunk.values:
            return False
    return True


def _group_rows(metadata: pq.FileMetaData) -> Iterator[int]:
    for group in range(metadata.num_row_groups):
        yield metadata.row_group(group).num_rows


def _container(path: str, names: dict[str, LeafPath]) -> LeafPath | None:
    """The wanted column (a list, a map) that a leaf of the file lies in."""
    for place, character in enumerate(path):
        if character == "." and path[:place] in names:
            return names[path[:place]]
    return None


def _bytes_a_row(type_: pa.DataType) -> int:
    try:
        return max(int(type_.bit_width) // 8, 1)
    except ValueError:  # text, lists, structs
        return 20
