"""Damaged Parquet pages: whatever the bytes are, they are declined or read as by pyarrow."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadline._native import (
    FooterChunk,
    FooterChunks,
    PageCodec,
    PageColumn,
    PageDeclined,
    PageKind,
    PageLayout,
    PageList,
    PageRows,
    plain_page,
)
from leadline.scan.formats.pages import PageColumns, PageReader, PageSchema, page_columns

COLUMNS = {
    "bool": pa.array([None if i % 5 == 0 else i % 3 == 0 for i in range(60)]),
    "int8": pa.array([None if i % 7 == 0 else i % 11 for i in range(60)], pa.int8()),
    "double": pa.array([None if i // 9 % 2 else i / 3 for i in range(60)]),
    "text": pa.array([None if i % 8 == 1 else b"text %d" % (i % 6) for i in range(60)]),
}
OPTIONS = [
    {"data_page_version": version, "use_dictionary": dictionary, "compression": codec}
    for version in ("1.0", "2.0")
    for dictionary in (True, False)
    for codec in ("none", "snappy", "zstd")
]


def written(data: pa.Array, **options: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({"x": data}), file, write_statistics=False, **options)
    return file.getvalue()


def described(content: bytes) -> tuple[bytes, Any]:
    """The footer as it is stored, and as pyarrow reads it."""
    size = int.from_bytes(content[-8:-4], "little")
    return content[-size - 8 : -8], pq.read_metadata(io.BytesIO(content))


def ours(
    content: bytes, footer: bytes, metadata: Any, *, dictionary: bool = False
) -> pa.ChunkedArray | None:
    """The column; None where it is declined."""
    chunks = FooterChunks(footer, metadata.num_row_groups, metadata.num_columns)
    columns = page_columns(chunks, metadata, metadata.schema.to_arrow_schema())
    reader = PageReader(pa.BufferReader(content), columns)
    try:
        (unit,) = reader.units(("x",), [0], [metadata.num_rows], dictionary=dictionary)
    except PageDeclined:
        return None
    unit.validate(full=True)
    return unit


def theirs(content: bytes, metadata: Any, *, dictionary: bool = False) -> pa.ChunkedArray | None:
    """The column; None where it cannot be read, or codes have no entry in the dictionary."""
    names = ["x"] if dictionary else []
    try:
        file = pq.ParquetFile(io.BytesIO(content), metadata=metadata, read_dictionary=names)
        found = file.read(use_threads=False).column(0)
        if dictionary:
            found.validate(full=True)
        return found
    except (pa.ArrowException, OSError):
        return None


def bits(data: pa.ChunkedArray) -> Any:
    """What tells two columns apart, NaN from NaN too."""
    if pa.types.is_floating(data.type):
        return [chunk.view(pa.int64()).to_pylist() for chunk in data.chunks]
    return [chunk.to_pylist() for chunk in data.chunks]


def chunk_of(metadata: Any) -> range:
    """The bytes of the column chunk."""
    chunk = metadata.row_group(0).column(0)
    begin = chunk.dictionary_page_offset or chunk.data_page_offset
    return range(begin, begin + chunk.total_compressed_size)


def damaged(content: bytes, where: range) -> Iterator[bytes]:
    for position in where:
        for change in (0x01, 0x80, 0xFF, 0x55):
            yield content[:position] + bytes([content[position] ^ change]) + content[position + 1 :]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda given: "-".join(map(str, given.values())))
@pytest.mark.parametrize("kind", COLUMNS)
def test_every_byte_changed(kind: str, options: dict[str, Any]) -> None:
    content = written(COLUMNS[kind], data_page_size=100, write_batch_size=20, **options)
    footer, metadata = described(content)
    wanted = [False, True] if kind == "text" else [False]
    read = 0
    for dictionary in wanted:
        for changed in damaged(content, chunk_of(metadata)):
            found = ours(changed, footer, metadata, dictionary=dictionary)
            if found is None:
                continue
            expected = theirs(changed, metadata, dictionary=dictionary)
            if expected is None:
                # The end of a frame, after its last value, is not missed. And a dictionary that
                # has an entry twice: pyarrow drops it, so that its codes point past the others.
                assert options["compression"] == "zstd" or dictionary
                continue
            assert bits(found) == bits(expected)
            read += 1
    assert read  # changes of values


@pytest.mark.parametrize("kind", COLUMNS)
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_a_chunk_cut_short(kind: str, version: str) -> None:
    content = written(COLUMNS[kind], data_page_version=version)
    footer, metadata = described(content)
    assert ours(content, footer, metadata) is not None
    for end in chunk_of(metadata):
        assert ours(content[:end], footer, metadata) is None


FLIP_FOOTERS = """
import sys
import leadline as ll

content = bytearray(open(sys.argv[1], "rb").read())
size = int.from_bytes(content[-8:-4], "little")
refused = mistakes = 0
for bit in range(8 * (len(content) - 8 - size), 8 * (len(content) - 8)):
    content[bit // 8] ^= 1 << bit % 8
    with open(sys.argv[2], "wb") as file:
        file.write(content)
    try:
        ll.profile(sys.argv[2], threads=1)
    except ll.LeadlineError as error:
        refused += 1
        mistakes += "mistake in leadline" in str(error)
    content[bit // 8] ^= 1 << bit % 8
print(8 * size, refused, mistakes)
"""


def test_every_bit_of_a_footer_changed(tmp_path: Path) -> None:
    """In a process of its own: pyarrow ends it at footers that contradict themselves."""
    path = tmp_path / "whole.parquet"
    table = pa.table({"x": [1.5, None, 2.5], "text": ["a", "b", "a"]})
    pq.write_table(table, path)
    done = subprocess.run(
        [sys.executable, "-c", FLIP_FOOTERS, path, tmp_path / "changed.parquet"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    tried, refused, mistakes = map(int, done.stdout.split())
    assert tried > 4_000
    assert refused > tried / 3
    assert mistakes == 0


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def header(size: int, stored: int, rows: int, *, encoding: int = 0) -> bytes:
    """The header of a data page, as Thrift writes it."""
    return (
        b"\x15\x00\x15" + varint(2 * size) + b"\x15" + varint(2 * stored) + b"\x2c\x15"
        b"" + varint(2 * rows) + b"\x15" + varint(2 * encoding) + b"\x15\x06\x15\x06\x00\x00"
    )


@pytest.mark.parametrize("size", [0, 1, 2**31 - 1, 2**31, 2**32, 2**63, 2**64 - 1])
@pytest.mark.parametrize("rows", [0, 1, 10, 2**31 - 1, 2**40])
def test_absurd_sizes(size: int, rows: int) -> None:
    footer, begin = described(written(pa.array([1.5] * 10)))
    for data in (header(size, size, rows), header(size, 1, rows), header(1, size, rows)):
        content = b"PAR1" + data + bytes(200)
        assert ours(content, footer, begin) is None


def test_headers_deeper_than_any() -> None:
    listed = PageList()
    for data in (b"\x1c" * 100_000, b"\x19\xfc\xff\xff\xff\xff\x07" * 1_000):
        with pytest.raises(PageDeclined):
            listed.find(memoryview(data), 0)


LAYOUTS = [
    (PageLayout.BITS, 0, 0),
    (PageLayout.NUMBERS, 4, 1),
    (PageLayout.NUMBERS, 4, 2),
    (PageLayout.NUMBERS, 4, 4),
    (PageLayout.NUMBERS, 8, 8),
    (PageLayout.CODES, 4, 4),
    (PageLayout.TEXTS, 4, 4),
]


@pytest.mark.parametrize("nullable", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_random_pages(layout: tuple[PageLayout, int, int], nullable: bool) -> None:
    """Nothing outside is touched (under sanitizers), and what is refused leaves no rows."""
    rng = np.random.default_rng(1)
    kind, stored, width = layout
    column = PageColumn(kind, stored, width, nullable=nullable)
    if kind is PageLayout.NUMBERS:
        column.numbers(np.arange(5).astype(f"<i{width}"))
    elif kind is not PageLayout.BITS:
        entries = PageRows(PageColumn(PageLayout.TEXTS, 4, 4, nullable=False), 5, 100)
        entries.append(plain_page(5), None, b"\x01\x00\x00\x00x" * 5)
        column.texts(entries)
    outcomes = set()
    for _ in range(20_000):
        rows = PageRows(column, 70)
        page = plain_page(int(rng.integers(0, 71)))
        page.kind = rng.choice([PageKind.DATA, PageKind.DATA_2])
        page.encoding = rng.choice([0, 2, 3, 8])
        page.level_encoding, page.packed = 3, 0
        levels = None
        if nullable and page.kind == PageKind.DATA_2:
            levels = memoryview(rng.bytes(rng.integers(1, 9)))
            page.level_bytes, page.nulls = len(levels), rng.integers(0, page.values + 1)
        body = bytes(rng.choice([0, 1, 2, 3, 4, 8, 16, 255], rng.integers(0, 40)).tolist())
        try:
            rows.append(page, levels, body)
            outcomes.add(True)
            assert rows.count == page.values
        except PageDeclined:
            outcomes.add(False)
            assert rows.count == 0
    assert outcomes == {True, False}


def test_rows_beyond_the_room_are_refused() -> None:
    rows = PageRows(PageColumn(PageLayout.NUMBERS, 8, 8, nullable=False), 3)
    with pytest.raises(ValueError, match="pages"):
        rows.append(plain_page(4), None, bytes(32))


def test_codes_without_an_entry_are_declined() -> None:
    column = PageColumn(PageLayout.NUMBERS, 8, 8, nullable=False)
    column.numbers(np.arange(3))
    page = plain_page(8)
    page.encoding = 8
    for code in range(8):
        rows = PageRows(column, 8)
        body = bytes([3, 16, code])  # three bits, eight times the code
        if code < 3:
            rows.append(page, None, body)
            assert rows.array(pa.int64(), 8, 0).to_pylist() == [code] * 8
        else:
            with pytest.raises(PageDeclined):
                rows.append(page, None, body)


@pytest.mark.parametrize("dictionary", [False, True])
def test_sizes_are_only_claims(dictionary: bool) -> None:
    """A dictionary of 2^30 texts in a few bytes takes no memory, and neither does a large chunk."""
    content = written(COLUMNS["text"], compression="none")
    footer, metadata = described(content)
    begin = chunk_of(metadata).start
    at = content.index(b"\x4c\x15", begin) + 2  # the dictionary's header, its number of entries
    claimed = content[:at] + varint(2**31) + content[at + 1 :]
    listed = PageList()
    listed.find(memoryview(claimed)[begin : chunk_of(metadata).stop], 0)
    assert listed.pages[0].values == 2**30
    pool = pa.default_memory_pool()
    before = pool.max_memory()
    assert ours(claimed, footer, metadata, dictionary=dictionary) is None
    assert pool.max_memory() - before < 2**30


def test_a_size_in_the_footer_is_only_a_claim() -> None:
    content = written(COLUMNS["text"], compression="none")
    _, metadata = described(content)
    schema = PageSchema(0, pa.binary(), PageLayout.TEXTS, 4, 4, nullable=True)
    chunk = metadata.row_group(0).column(0)
    claim = FooterChunk(
        chunk.num_values,
        2**62,
        chunk.total_compressed_size,
        chunk.data_page_offset,
        chunk.dictionary_page_offset,
        PageCodec.UNCOMPRESSED,
        apart=0,
        encodings=0,
    )

    class Claims:
        def chunk(self, *_: int) -> FooterChunk:
            return claim

    columns: Any = PageColumns(Claims(), {("x",): schema})  # type: ignore[arg-type]
    reader = PageReader(pa.BufferReader(content), columns)
    (unit,) = reader.units(("x",), [0], [60], dictionary=False)
    assert unit.chunks == [COLUMNS["text"]]
