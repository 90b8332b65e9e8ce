"""Hostile snapshot bytes: one SnapshotError or a correct profile, in bounded memory and time."""

from __future__ import annotations

import dataclasses
import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import snapshot_cases as cases
from leadline import snapshot
from leadline.errors import SnapshotError
from leadline.snapshot import frames
from snapshot_cases import DATA, LARGE, SMALL, large_archive, outcome, small_archive

# --- damage --------------------------------------------------------------------------------------


def test_the_file_itself_is_fine() -> None:
    assert outcome(DATA) == "profile"
    assert outcome(small_archive(SMALL[1])) == "profile"
    assert outcome(large_archive(LARGE[1])) == "profile"


@pytest.mark.parametrize("recover", [False, True])
def test_truncated_at_every_byte(recover: bool) -> None:
    _, index = frames.read_index(memoryview(DATA))
    for size in range(len(DATA)):
        found = outcome(DATA[:size], recover=recover)
        if not recover:
            assert found != "profile"
            if size >= index:
                assert "the last good frame is 1" in found
        elif size >= index:
            assert found == "profile"


def test_every_byte_flipped() -> None:
    wanted = cases.described(snapshot.decode(DATA))
    for position in range(len(DATA)):
        for mask in (0x01, 0x80, 0xFF):
            data = bytearray(DATA)
            data[position] ^= mask
            assert outcome(bytes(data)) != "profile", f"byte {position} ^ {mask:#x}"
            try:
                profile = snapshot.decode(bytes(data), recover=True)
            except SnapshotError:
                continue
            assert all(cell in wanted["cells"] for cell in cases.described(profile.cells))


@pytest.mark.parametrize("block", [16, 512])
def test_zeroed_blocks(block: int) -> None:
    for start in range(0, len(DATA), block):
        size = min(block, len(DATA) - start)
        assert outcome(DATA[:start] + bytes(size) + DATA[start + size :]) != "profile"


@pytest.mark.parametrize(
    "junk", [b"\x00", b"junk", frames.header_bytes(frames.FileKind.ARCHIVE), DATA]
)
def test_trailing_junk(junk: bytes) -> None:
    assert outcome(DATA + junk) != "profile"
    assert outcome(DATA + junk, recover=True) == "profile"


def test_content_bytes_changed_behind_right_checksums(random: np.random.Generator) -> None:
    """What a checksum cannot notice: the layers inside must."""

    def head(content: bytes) -> bytes:
        return cases.archive([content, SMALL[1]], cells=1, rows=6)

    for original, build in ((SMALL[0], head), (SMALL[1], small_archive), (LARGE[1], large_archive)):
        for position in range(0, len(original), max(1, len(original) // 700)):
            content = bytearray(original)
            content[position] ^= int(random.integers(1, 256))
            outcome(build(bytes(content)))


def test_contents_cut_anywhere() -> None:
    for size in range(0, len(SMALL[1]), 3):
        assert outcome(small_archive(SMALL[1][:size])) != "profile"
    assert "no end-of-stream marker" in outcome(small_archive(SMALL[1][:-8]))
    assert "no end-of-stream marker" in outcome(small_archive(SMALL[1] + bytes(8)))
    assert "bytes follow" in outcome(small_archive(SMALL[1] + SMALL[1][-8:]))


# --- frames --------------------------------------------------------------------------------------


def _header(major: int, minor: int, kind: int, name: bytes = b"LEAD") -> bytes:
    body = struct.pack("<II4sBBBB", 0x184D2A50, 12, name, major, minor, kind, 0)
    return body + struct.pack("<I", zlib.crc32(body))


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (_header(2, 0, 1), "has format 2.0 and this leadline reads 1.0; upgrade"),
        (_header(1, 1, 1), "has format 1.1 and this leadline reads 1.0; upgrade"),
        (_header(0, 0, 1), "has format 0.0"),
        (_header(1, 0, 4), "unknown kind of file"),
        (_header(1, 0, 3), "the checkpoint of an interrupted run"),
        (_header(1, 0, 0), "unknown kind of file"),
        (_header(1, 0, 1, b"DAEL"), "not a Leadline snapshot"),
        (b"PAR1" + bytes(16), "not a Leadline snapshot"),
        (b"", "the file is empty"),
        (b"LEAD", "inside the header"),
    ],
)
def test_other_files_and_versions_are_refused_first(header: bytes, reason: str) -> None:
    rest = DATA[frames.HEADER_SIZE :] if len(header) >= frames.HEADER_SIZE else b""
    assert reason in outcome(header + rest)
    assert reason in outcome(header + rest, recover=True)


def _frame(descriptor: int, size: bytes, blocks: bytes) -> bytes:
    return struct.pack("<I", 0xFD2FB528) + bytes([descriptor]) + size + blocks + bytes(4)


_RLE = (0x1FFFF << 3 | 1 << 1 | 0).to_bytes(3, "little") + b"\x00"
_LAST = (1).to_bytes(3, "little")
_RESERVED = (3 << 1 | 1).to_bytes(3, "little")


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (_frame(0xE4, struct.pack("<Q", 2**63), _LAST), "at most 67,108,864 are read"),
        (_frame(0xE4, struct.pack("<Q", 2**26 + 1), _LAST), "at most 67,108,864 are read"),
        (_frame(0xA4, struct.pack("<I", 2**26), _LAST), "its blocks hold fewer"),
        (_frame(0xA4, struct.pack("<I", 2**26), _RLE * 520 + _LAST), "in 2,"),
        (_frame(0x04, b"\x50", _LAST), "does not declare its content size"),
        (_frame(0x20, b"\x00", _LAST), "lacks a checksum"),
        (_frame(0x25, b"\x00\x01", _LAST), "needs a dictionary"),
        (_frame(0x2C, b"\x00", _LAST), "newer zstd"),
        (_frame(0x84, b"\xff" + struct.pack("<I", 9), _LAST), "are read"),
        (_frame(0x24, b"\x00", _RESERVED), "block header is damaged"),
        (_frame(0x24, b"\x00", _LAST), "does not decompress"),
        (b"", "it is missing"),
    ],
    ids=range(12),
)
def test_hostile_frames(frame: bytes, reason: str) -> None:
    listed = frames.Frame(frames.HEADER_SIZE, len(frame), 0, 0)
    head = frames.header_bytes(frames.FileKind.JOURNAL)
    assert reason in outcome(head + frame)
    archive = frames.header_bytes(frames.FileKind.ARCHIVE) + frame
    if frame:
        assert "frame 0" in outcome(archive + frames.index_bytes([listed], cells=0, rows=0))


def test_an_index_that_lies() -> None:
    index, offset = frames.read_index(memoryview(DATA))
    body = DATA[:offset]
    first, second = index.frames

    def with_index(*listed: frames.Frame, cells: int = 1, rows: int = 6) -> str:
        return outcome(body + frames.index_bytes(listed, cells=cells, rows=rows))

    assert with_index(first, second) == "profile"
    assert "the index promises 2 cells of 6 rows" in with_index(first, second, cells=2)
    assert "the index promises 1 cells of 7 rows" in with_index(first, second, rows=7)
    assert "every byte" in with_index(first)
    assert "follow one another" in with_index(second, first)
    assert "every byte" in with_index(first, second, frames.Frame(second.end, 5, 5, 0))
    longer = frames.Frame(20, first.size + 1, 5, 0)
    shifted = longer, frames.Frame(longer.end, second.size - 1, 5, 0)
    assert "not as the index says" in with_index(*shifted)
    bigger = dataclasses.replace(second, content_size=second.content_size + 1)
    assert "not as the index says" in with_index(first, bigger)


_LIMITED = """
import resource, sys
from leadline import snapshot
from leadline.errors import SnapshotError
data = open(sys.argv[1], "rb").read()
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 400 * 2**20,) * 2)
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
try:
    snapshot.decode(data, recover=sys.argv[2] == "recover")
except SnapshotError as error:
    print(error)
"""


@pytest.mark.parametrize("recover", ["strict", "recover"])
def test_bombs_stay_within_memory_and_time(tmp_path: Path, recover: str) -> None:
    bomb = frames.compress(bytes(frames.RATIO_FLOOR))
    head, kind = frames.compress(SMALL[0]), frames.FileKind.ARCHIVE
    listed, position = [], frames.HEADER_SIZE
    for frame, size in [(head, len(SMALL[0]))] + [(bomb, frames.RATIO_FLOOR)] * 200:
        listed.append(frames.Frame(position, len(frame), size, zlib.crc32(frame)))
        position += len(frame)
    data = frames.header_bytes(kind) + head + bomb * 200
    data += frames.index_bytes(listed, cells=200, rows=0)
    path = tmp_path / "bomb.lead"
    path.write_bytes(data)
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(path), recover],
        env={"PYTHONPATH": str(root / "engine")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    if recover == "strict":
        assert "frame 1 at byte" in ran.stdout


def test_a_file_of_nothing_but_magic_numbers_takes_linear_time() -> None:
    data = frames.header_bytes(frames.FileKind.JOURNAL) + frames.DATA_MAGIC_BYTES * 250_000
    assert "nothing can be read" in outcome(data)


# --- Arrow ---------------------------------------------------------------------------------------


def _stream(*tables: pa.Table, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(
        sink, tables[0].schema, options=pa.ipc.IpcWriteOptions(**options)
    ) as writer:
        for table in tables:
            writer.write_table(table)
    return sink.getvalue().to_pybytes()


CELL = pa.ipc.open_stream(SMALL[1]).read_all()
DICTIONARY = CELL["name"].dictionary_encode().combine_chunks()
LARGE_NAMES = CELL["name"].cast(pa.large_utf8()).combine_chunks()
ROW_COUNTS = CELL["rows"].combine_chunks()
EXTENSION = {"ARROW:extension:name": "x"}


def _replaced(name: str, array: pa.Array, **field: Any) -> pa.Table:
    position = CELL.schema.get_field_index(name)
    return CELL.set_column(position, pa.field(name, array.type, **field), array)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (_stream(CELL, CELL), "more than one batch"),
        (_stream(CELL, compression="zstd"), "compressed inside the frame"),
        (_stream(CELL, compression="lz4"), "compressed inside the frame"),
        (_stream(CELL.append_column("more", pa.nulls(7, pa.int64()))), "'more' is unknown"),
        (_stream(CELL.select(["nulls", "name", "rows"])), "out of order"),
        (_stream(CELL.drop_columns(["nulls"])), "'nulls' is missing"),
        (_stream(CELL.replace_schema_metadata(None)), "metadata is not that of a snapshot"),
        (_stream(CELL.replace_schema_metadata({"a": "b"})), "metadata is not that of a snapshot"),
        (_stream(_replaced("name", DICTIONARY)), "type dict"),
        (_stream(_replaced("rows", pa.array(range(7), pa.int32()))), "type int32"),
        (_stream(_replaced("name", LARGE_NAMES)), "type large"),
        (
            _stream(_replaced("rows", ROW_COUNTS, metadata=EXTENSION)),
            "the type int64",
        ),
        (_stream(_replaced("rows", pa.nulls(7, pa.int64()))), "holds nulls"),
        (_stream(pa.concat_tables([CELL, CELL]).combine_chunks()), "occurs twice"),
        (b"", "ends early"),
        (b"\xff\xff\xff\xff\x00\x00\x00\x00", "ends early"),
        (b"\xff\xff\xff\xff\xff\xff\xff\x7f", "not valid"),
        (_stream(CELL)[:-8] + b"\xff\xff\xff\xff\x10\x00\x00\x00" + bytes(16), "frame 1"),
    ],
    ids=range(18),
)  # fmt: skip
def test_arrow_that_is_not_ours(content: bytes, reason: str) -> None:
    assert reason in outcome(small_archive(content))


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("rows", -1, "out of range"),
        ("rows", True, "out of range"),
        ("rows", 2**53 + 1, "out of range"),
        ("rows", 5, "nulls in 6 rows of 5"),
        ("rows", 7, "the index promises"),
        ("frame", "profile", "not that of a cell"),
        ("part", 1, "numbered wrongly"),
        ("parts", 2, "parts of the cell are missing"),
        ("segment", ["north"], "wrong number of segment values"),
        ("segment", ["north", [1]], "no scalar"),
        ("segment", ["north", {"float": "1"}], "no known type"),
        ("segment", "ab", "something else than a list"),
        ("window", [5, 5], "end after its start"),
        ("window", [0, 2**63], "end after its start"),
        ("window", [0.0, 1.0], "end after its start"),
        ("window", [1], "not valid"),
        ("more", 1, "metadata is not known"),
    ],
)
def test_cell_metadata(key: str, value: object, reason: str) -> None:
    def change(text: str) -> str:
        return json.dumps(json.loads(text) | {key: value})

    assert reason in outcome(small_archive(cases.edited(SMALL[1], header=change)))


@pytest.mark.parametrize("text", ["", "null", "[" * 100_000, "{}", "1" * 5_000, '{"a": NaN}'])
def test_metadata_that_is_no_object(text: str) -> None:
    for number in (0, 1):
        parts = list(SMALL)
        parts[number] = cases.edited(SMALL[number], header=lambda _: text)
        assert outcome(cases.archive(parts, cells=1, rows=6)).startswith(
            f"hostile.lead: frame {number} at byte"
        )


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("columns", {}, "something else than a list"),
        ("columns", [{}], "described wrongly"),
        ("columns", "two", "column occurs twice"),
        ("settings", None, "settings are missing"),
        ("settings", {}, "not valid"),
        ("tags", {"a": 1}, "tag is not text"),
        ("events", [["a", "b"]], "event is not text"),
        ("kind", "number", "not valid"),
        ("storage", "int32", "not valid"),
        ("storage", None, "wrong storage"),
        ("role", "king", "not valid"),
        ("unit", 5, "described wrongly"),
        ("rank_error", 0.0, "rank error"),
        ("rank_error", "small", "rank error"),
        ("unit_rows", 0, "unit of work"),
        ("segments", "ab", "bad settings"),
        ("time", 5, "not text"),
        ("surprise", 5, "not valid"),
    ],
)
def test_head_metadata(key: str, value: Any, reason: str) -> None:
    def change(text: str) -> str:
        header = json.loads(text)
        if value == "two":
            header["columns"] = header["columns"][:1] * 2
        elif key in header:
            header[key] = value
        elif key in ("kind", "storage", "role", "unit"):
            header["columns"][0][key] = value
        else:
            header["settings"][key] = value
        return json.dumps(header)

    head = cases.edited(SMALL[0], header=change)
    found = outcome(cases.archive([head, SMALL[1]], cells=1, rows=6))
    assert reason in found
    assert "frame 0 at byte 20" in found


def test_cells_that_occur_twice() -> None:
    data = cases.archive([SMALL[0], SMALL[1], SMALL[1]], cells=2, rows=12)
    assert "frame 2" in outcome(data)
    assert "the cell occurs twice" in outcome(data)
    assert outcome(data, recover=True) == "profile"
    assert len(snapshot.decode(data, recover=True).cells) == 1


def test_frames_in_the_wrong_place() -> None:
    assert "not valid" not in outcome(cases.archive([SMALL[1], SMALL[0]], cells=1, rows=6))
    assert "frame 0" in outcome(cases.archive([SMALL[1], SMALL[0]], cells=1, rows=6))
    assert "frame 1" in outcome(cases.archive([SMALL[0], SMALL[0]], cells=1, rows=6))
