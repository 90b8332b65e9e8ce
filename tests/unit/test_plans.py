"""Plans of reading, from metadata made up for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pytest

from leadline._native import FooterChunk
from leadline.scan.formats.base import rows_of_streams
from leadline.scan.formats.plans import (
    ReadingPlan,
    joined_and_cut,
    parquet_plans,
    portions_of,
    reads_as_dictionary,
    table_portions,
)

UNIT = 1 << 20
MIB = 1 << 20


# Numbers of encodings in parquet.thrift.
PLAIN, PLAIN_DICTIONARY, RLE, RLE_DICTIONARY = 0, 2, 3, 8


def Chunk(  # noqa: N802 (like a class)
    values: int,
    dictionary: int | None,  # bytes as stored
    size: int,
    encodings: tuple[int, ...] = (PLAIN, RLE, RLE_DICTIONARY),
) -> FooterChunk:
    data = 50_000_000
    return FooterChunk(
        values=values,
        size=size,
        stored=size // 2,
        data=data,
        dictionary=-1 if dictionary is None else data - dictionary,
        codec=6,
        apart=0,
        encodings=sum(1 << encoding for encoding in encodings),
    )


@dataclass
class Leaf:
    path: str
    physical_type: str


@dataclass
class Group:
    num_rows: int


class Metadata:
    """What a plan asks of pyarrow's metadata, and of the footer's chunks."""

    def __init__(
        self,
        leaves: dict[str, str],
        group_rows: list[int],
        chunks: dict[str, FooterChunk] | None = None,
    ) -> None:
        self._leaves = [Leaf(*item) for item in leaves.items()]
        self._groups = [Group(rows) for rows in group_rows]
        self._chunks, self._paths = chunks or {}, list(leaves)
        self.num_row_groups = len(group_rows)
        self.schema = self

    def __len__(self) -> int:
        return len(self._leaves)

    def column(self, place: int) -> Leaf:
        return self._leaves[place]

    def row_group(self, group: int) -> Group:
        return self._groups[group]

    def chunk(self, group: int, place: int) -> FooterChunk:  # noqa: ARG002 (all groups are alike)
        return self._chunks[self._paths[place]]


def plans(metadata: Any, *names: str) -> list[ReadingPlan]:
    leaves = [tuple(name.split(".")) for name in names]
    return list(parquet_plans(metadata, metadata, leaves, UNIT))


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ([], []),
        ([0, 0], []),
        ([UNIT], [([0], [UNIT])]),
        ([UNIT, UNIT], [([0], [UNIT]), ([1], [UNIT])]),
        ([1_000] * 3, [([0, 1, 2], [3_000])]),
        ([600_000] * 3, [([0], [600_000]), ([1], [600_000]), ([2], [600_000])]),
        ([5, 0, 5], [([0, 2], [10])]),
        ([5, 2 * UNIT + 7, 5], [([0], [5]), ([1], [UNIT, UNIT, 7]), ([2], [5])]),
        ([3 * UNIT], [([0], [UNIT, UNIT, UNIT])]),
    ],
)
def test_groups_are_joined_and_cut(groups: list[int], expected: Any) -> None:
    assert list(joined_and_cut(groups, UNIT)) == expected


def test_wide_columns_are_read_alone_and_the_heaviest_first() -> None:
    leaves = {"small": "BOOLEAN", "number": "DOUBLE", "text": "BYTE_ARRAY", "float": "FLOAT"}
    chunks = {"text": Chunk(UNIT, None, 12 * MIB)}
    (plan,) = plans(Metadata(leaves, [UNIT], chunks), *leaves)
    assert plan.portions == [[("text",)], [("number",)], [("float",)], [("small",)]]
    assert plan.rows == (UNIT,)


def test_narrow_columns_are_read_together() -> None:
    leaves = {f"x{place}": "DOUBLE" for place in range(2_000)}
    (plan,) = plans(Metadata(leaves, [1_000]), *leaves)  # 8,000 bytes a column
    assert [len(portion) for portion in plan.portions] == [65] * 30 + [50]
    assert [path for portion in plan.portions for path in portion] == [(name,) for name in leaves]
    (plan,) = plans(Metadata(leaves, [1_000] * 8), *leaves)  # eight groups, one unit
    assert {len(portion) for portion in plan.portions} == {8}
    assert plan.groups == tuple(range(8))


def test_a_file_of_a_few_rows_is_read_at_once() -> None:
    leaves = {f"x{place}": "DOUBLE" for place in range(20)} | {"text": "BYTE_ARRAY"}
    chunks = {"text": Chunk(1_000, None, 8_000)}
    (plan,) = plans(Metadata(leaves, [1_000], chunks), *leaves)
    assert len(plan.portions) == 1
    assert len(plan.portions[0]) == 21


def test_a_large_row_group_is_read_column_by_column_for_all_its_units() -> None:
    leaves = {f"x{place}": "DOUBLE" for place in range(100)}
    (plan,) = plans(Metadata(leaves, [10_000_000]), *leaves)
    assert len(plan.portions) == 100
    assert plan.rows == (UNIT,) * 9 + (10_000_000 - 9 * UNIT,)


def test_only_the_chosen_leaves_are_read() -> None:
    leaves = {"a.x": "DOUBLE", "a.y": "DOUBLE", "b.list.element": "DOUBLE", "c": "DOUBLE"}
    (plan,) = plans(Metadata(leaves, [UNIT]), "a.y", "b")
    assert plan.portions == [[("a", "y")], [("b",)]]


def test_no_columns_still_have_rows() -> None:
    (plan,) = plans(Metadata({"x": "DOUBLE"}, [500]))
    assert (plan.rows, plan.portions) == ((500,), [])


# Sizes as pyarrow wrote them: 1,048,576 rows, zstd, dictionaries of at most 1 MiB.
@pytest.mark.parametrize(
    ("chunk", "groups", "expected"),
    [
        (Chunk(UNIT, 68, 529_361), 1, True),  # 10 values of 6 characters
        (Chunk(UNIT, 2_129, 1_325_698), 1, True),  # 1,000
        (Chunk(UNIT, 310_566, 3_218_184), 1, True),  # 100,000: 18 ms, and 75 as plain text
        (Chunk(UNIT, 65_027, 2_852_164), 1, True),  # 20,000 of 40 characters
        (Chunk(UNIT, 347_998, 11_571_990), 1, False),  # a million, plain after 1 MiB
        (Chunk(UNIT, None, 9_000_000), 1, False),  # plain from the start
        (Chunk(UNIT, 68, 529_361, (PLAIN,)), 1, False),  # no page holds codes
        (Chunk(UNIT, 1_000, 12_000_000), 1, False),  # a writer with a dictionary of 4 KiB
        (Chunk(100_000, 1_000, 1_200_000), 1, False),  # the same, few rows
        (Chunk(1_000, 3_000, 9_000), 1, False),  # every row another value
        (Chunk(122_880, 61, 62_024, (PLAIN_DICTIONARY,)), 1, True),  # DuckDB's
        (Chunk(2_000, 32, 312), 1, True),  # polars'
        (Chunk(1_000, 300, 3_000), 1, True),
        (Chunk(1_000, 300, 3_000), 50, False),  # fifty dictionaries would have to be joined
        (Chunk(1_000, 200, 2_000), 50, True),
        (Chunk(1_000, -5, 2_000), 1, False),  # offsets that cannot be
        (Chunk(0, 10, 50), 1, False),
    ],
)
def test_text_is_read_as_a_dictionary_where_that_pays(
    chunk: FooterChunk, groups: int, expected: bool
) -> None:
    assert reads_as_dictionary([chunk] * groups) is expected


def test_dictionaries_are_named_by_their_paths() -> None:
    leaves = {"a.x": "BYTE_ARRAY", "plain": "BYTE_ARRAY", "list.list.element": "BYTE_ARRAY"}
    coded, plain = Chunk(UNIT, 100, 500_000), Chunk(UNIT, None, 9_000_000)
    chunks = {"a.x": coded, "plain": plain, "list.list.element": coded}
    (plan,) = plans(Metadata(leaves, [UNIT], chunks), "a.x", "plain", "list")
    assert plan.dictionaries == ("a.x",)


def test_portions_of_nothing() -> None:
    assert portions_of([]) == []


def test_tables_are_read_in_portions_too() -> None:
    table = pa.table({"wide": pa.array(range(70_000)), "narrow": pa.nulls(70_000, pa.int8())})
    assert table_portions(table, [("narrow",), ("wide",)]) == [[("wide",)], [("narrow",)]]
    assert table_portions(table.slice(0, 10), [("narrow",), ("wide",)]) == [
        [("narrow",), ("wide",)]
    ]


@pytest.mark.parametrize(
    ("columns", "rows"),
    [(1, UNIT), (32, UNIT), (33, UNIT // 2), (64, UNIT // 2), (65, UNIT // 4), (2_000, UNIT // 64)],
)
def test_units_of_wide_text_are_shorter(columns: int, rows: int) -> None:
    assert rows_of_streams(UNIT, columns) == rows
