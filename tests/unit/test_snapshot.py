"""Snapshot files: what is written is read back, whole files only, the same bytes each time."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import snapshot_cases as cases
from leadline import snapshot
from leadline._native import Storage
from leadline.errors import InputError, SnapshotError
from leadline.profile import Cell, LineageEntry, Profile, SchemaEvent, Window
from leadline.snapshot import cells, encodings, files, frames
from leadline.snapshot.packing import Cursor, pack, unzigzag, varint, zigzag

# --- round trips ---------------------------------------------------------------------------------


def test_every_kind_of_column_comes_back_as_it_was() -> None:
    profile = cases.profile()
    data = snapshot.encode(profile)
    back = snapshot.decode(data)
    assert cases.described(back) == cases.described(profile)
    assert snapshot.encode(back) == data


@pytest.mark.parametrize(
    "profile",
    [
        Profile((), ()),
        Profile(cases.COLUMNS, ()),
        cases.profile(Cell(None, (True, float("nan")), 0, {})),
        cases.profile(cases.small_cell(0, "a\u0000\ud800"), cases.small_cell(0, "ab")),
        cases.profile(Cell(Window(-5, 2**62), (2**60, 1e300), 7, {})),
    ],
    ids=["nothing", "no cells", "empty cell", "odd segments", "far windows"],
)
def test_odd_profiles_come_back(profile: Profile) -> None:
    back = snapshot.decode(snapshot.encode(profile))
    assert cases.described(back) == cases.described(profile)


def test_a_file_holds_the_encoded_bytes(tmp_path: Path) -> None:
    profile = cases.profile()
    snapshot.write(profile, tmp_path / "a.lead")
    snapshot.write(cases.profile(), tmp_path / "b.lead")
    assert (tmp_path / "a.lead").read_bytes() == snapshot.encode(profile)
    assert (tmp_path / "b.lead").read_bytes() == snapshot.encode(profile)
    assert cases.described(snapshot.read(tmp_path / "a.lead")) == cases.described(profile)


def test_plain_arrow_reads_one_stream_after_another() -> None:
    data = snapshot.encode(cases.profile())
    source = pa.BufferReader(cases.decompressed(data))
    tables = []
    while source.tell() < source.size():
        tables.append(pa.ipc.open_stream(source).read_all())
    lineage, small, large, null_time = tables
    assert lineage.to_pylist() == [
        {"name": "shop=north/a.parquet", "size": 1234, "rows": 6, "footer_hash": "c0ffee"}
    ]
    assert small["name"].to_pylist() == [column.name for column in cases.COLUMNS]
    assert small["nulls"].to_pylist() == [1, 1, 0, 0, 0, 6, 2]
    assert large["max_uint64"].to_pylist()[2] == 2**64 - 1
    assert null_time.num_rows == 1
    header = json.loads(small.schema.metadata[b"leadline"])
    assert (header["window"], header["rows"]) == ([0, cases.DAY], 6)


def test_other_libraries_read_the_quantiles() -> None:
    kll_doubles_sketch = pytest.importorskip("datasketches").kll_doubles_sketch
    table = pa.ipc.open_stream(cases.contents(snapshot.encode(cases.profile()))[2]).read_all()
    row = table.to_pylist()[0]
    sketch = kll_doubles_sketch.deserialize(row["quantiles"])
    assert (sketch.n, sketch.get_max_value()) == (1_000, np.inf)
    assert sketch.get_min_value() == row["min_float64"] == (0 - 300) ** 3 / 7


def test_cells_of_very_many_columns_are_cut_into_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "PART_BYTES", 100)
    profile = cases.profile()
    data = snapshot.encode(profile)
    assert len(cases.contents(data)) == 1 + 1 + 5 + 1
    assert cases.described(snapshot.decode(data)) == cases.described(profile)


def test_a_small_cell_is_smaller_than_its_rows(random: np.random.Generator) -> None:
    values, weights = np.unique(random.normal(50, 9, 300).round(2), return_counts=True)
    amount = cases.number("amount", dict(zip(values.tolist(), weights.tolist(), strict=True)))
    one, two = (
        cases.profile(
            *(Cell(Window(day, day + 1), ("n", 1), 300, {"amount": amount}) for day in days)
        )
        for days in (range(1), range(2))
    )
    added = len(snapshot.encode(two)) - len(snapshot.encode(one))
    assert added < 300 * 8
    assert added < 900  # 3 bytes a row: gaps of hundredths take one byte, counts less


# --- bytes of the specification ------------------------------------------------------------------


def test_header_bytes() -> None:
    header = frames.header_bytes(frames.FileKind.ARCHIVE)
    # CRC-32 of the first 16 bytes as `python -c "import zlib"` gives it.
    assert header.hex() == "502a4d180c0000004c45414401000100" + header[16:].hex()
    assert len(header) == 20


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "00"), (127, "7f"), (128, "8001"), (300, "ac02"), (2**64 - 1, "ff" * 9 + "01")],
)
def test_varint_bytes(value: int, expected: str) -> None:
    assert varint(value).hex() == expected  # examples of the LEB128 and protobuf documents
    assert Cursor(bytes.fromhex(expected)).varint() == value


def test_zigzag() -> None:
    assert [zigzag(value) for value in (0, -1, 1, -2, -(2**63))] == [0, 1, 2, 3, 2**64 - 1]
    assert [unzigzag(value) for value in (0, 1, 2, 3, 2**64 - 1)] == [0, -1, 1, -2, -(2**63)]


def test_packed_numbers_are_planes_of_bytes() -> None:
    assert pack(np.array([1, 2, 3], dtype=np.uint64)).hex() == "01010203"
    assert pack(np.array([1, 258, 3], dtype=np.uint64)).hex() == "02010203000100"
    assert Cursor(bytes.fromhex("02010203000100")).planes(3).tolist() == [1, 258, 3]


@pytest.mark.parametrize(
    ("storage", "weights", "values", "counts"),
    [
        # encoding 0, one value, zigzag(31) = 62
        (Storage.INT64, {31: 4}, "00 01 3e", "01 03"),
        # -3 -> 5; step 34, no further gaps
        (Storage.INT64, {-3: 1, 31: 4}, "00 02 05 22 01 00", "01 00 03"),
        (Storage.UINT64, {2**64 - 1: 1}, "00 01 ffffffffffffffffff01", "01 00"),
        # hundredths: 150 -> 300 = ac02, step 25, gaps 25 and 50
        (Storage.FLOAT64, {1.5: 1, 1.75: 2, 2.25: 1}, "02 03 ac02 19 01 0001", "01 000100"),
        (Storage.FLOAT64, {-2.0: 1, 7.0: 1}, "00 02 03 09 01 00", "01 0000"),
        # ordered key of infinity: 7ff0... with the sign bit set
        (Storage.FLOAT64, {np.inf: 1}, "ff 01 80808080808080f8ff01", "01 00"),
        (Storage.FLOAT64, {}, "ff 00", ""),
        (Storage.INT64, {}, "00 00", ""),
    ],
)  # fmt: skip
def test_value_bytes(storage: Storage, weights: dict[float, int], values: str, counts: str) -> None:
    held = cases.value_counts(weights, storage)
    assert encodings.encode_values(held).hex() == values.replace(" ", "")
    assert encodings.encode_counts(held.counts).hex() == counts.replace(" ", "")
    back = encodings.decode_values(bytes.fromhex(values), bytes.fromhex(counts), storage)
    assert back == held


@pytest.mark.parametrize(
    "values",
    [
        [0.1, 0.2, 0.30000000000000004],
        [1e15 + 0.5, 1e15 + 1.5],
        [5e-324, 1e-310, 2.2250738585072014e-308],
        [-np.inf, -1e308, 0.0, 1e308, np.inf],
        [9.20624, 10.35702, 11.5078],
        [1 / 3, 2 / 3],
    ],
)
def test_doubles_come_back_to_the_last_bit(values: list[float]) -> None:
    held = cases.value_counts(dict.fromkeys(values, 1), Storage.FLOAT64)
    encoded = encodings.encode_values(held), encodings.encode_counts(held.counts)
    assert encodings.decode_values(*encoded, Storage.FLOAT64).values.tolist() == values


# --- whole files or none -------------------------------------------------------------------------

# Writes over `target` in a child that dies at the n-th system call, for every n; prints the status
# and what a reader then finds, one line an n.
_CRASHES = """
import os, sys
import snapshot_cases as cases
from leadline import snapshot
from leadline.snapshot import files

folder, before = sys.argv[1], sys.argv[2] == "over"
profile, old = cases.small_profile(), snapshot.encode(cases.profile(cases.small_cell()))
new = snapshot.encode(profile)
seen, fatal = 0, -1

def fragile(call):
    def wrapper(*arguments, **options):
        global seen
        seen += 1
        if seen == fatal:
            if call is os.write:  # half of it reaches the disk
                os.write(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
            os._exit(9)
        return call(*arguments, **options)
    return wrapper

class Disk:
    def __getattr__(self, name):
        value = getattr(os, name)
        return fragile(value) if name in ("open", "write", "fsync", "close", "replace") else value

files.os = Disk()
status = 9
while status:
    fatal += 1
    target = os.path.join(folder, f"{fatal}.lead")
    if before:
        open(target, "wb").write(old)
    child = os.fork()
    if not child:
        seen = -1
        snapshot.write(profile, target)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    found = open(target, "rb").read() if os.path.exists(target) else None
    print(status, {old: "old", new: "new", None: "none"}.get(found, "torn"))
"""


@pytest.mark.parametrize("before", ["over", "new"])
def test_a_kill_at_any_system_call_leaves_the_old_file_or_the_new_one(
    tmp_path: Path, before: str
) -> None:
    root = Path(__file__).parents[2]
    path = os.pathsep.join([str(root / "tests"), str(root / "engine")])
    ran = subprocess.run(
        [sys.executable, "-c", _CRASHES, str(tmp_path), before],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    outcomes = [line.split() for line in ran.stdout.splitlines()]
    statuses, found = zip(*outcomes, strict=True)
    assert len(found) >= 10
    assert statuses == ("9",) * (len(found) - 1) + ("0",)
    untouched = "old" if before == "over" else "none"
    switch = found.index("new")
    assert found == (untouched,) * switch + ("new",) * (len(found) - switch)
    assert switch >= 7


@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES])
def test_a_refusal_leaves_the_old_file_and_no_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    target = tmp_path / "a.lead"
    target.write_bytes(old := snapshot.encode(cases.profile()))

    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(files.os, call, refuse)
    with pytest.raises(SnapshotError, match=os.strerror(code)):
        snapshot.write(cases.small_profile(), target)
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["a.lead"]
    assert target.read_bytes() == old


@pytest.mark.parametrize("content", [b"PAR1" + bytes(40), b"a,b\n1,2\n", b"\x28\xb5\x2f\xfd", b"x"])
def test_no_file_but_a_snapshot_is_replaced(tmp_path: Path, content: bytes) -> None:
    target = tmp_path / "a.parquet"
    target.write_bytes(content)
    (tmp_path / "link").symlink_to(target)
    for path in (target, tmp_path / "link"):
        with pytest.raises(SnapshotError, match=r"a\.parquet: is there already and is no snapshot"):
            snapshot.write(cases.small_profile(), path)
        with pytest.raises(SnapshotError, match="is no snapshot"):
            snapshot.require_writable(path)
    assert target.read_bytes() == content
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.parquet", "link"]


def test_empty_torn_and_newer_snapshots_are_replaced(tmp_path: Path) -> None:
    expected = snapshot.encode(cases.small_profile())
    newer = bytearray(expected)
    newer[12] = 9  # the major version
    for content in (b"", expected[:5], expected[:20], bytes(newer)):
        (tmp_path / "a.lead").write_bytes(content)
        snapshot.write(cases.small_profile(), tmp_path / "a.lead")
        assert (tmp_path / "a.lead").read_bytes() == expected


WRONG_HEADS = {
    "a tag is not text": {"tags": {1: "a"}},
    "a tag is not text ": {"tags": {"a": 2}},
    "an input has a negative size": {"lineage": (LineageEntry("a", -1, 1, "ab"),)},
    "the name of an input is not text": {"lineage": (LineageEntry("\udcff", 1, 1, "ab"),)},
    "an event is not text": {"events": (SchemaEvent("a", "b", 3),)},  # type: ignore[arg-type]
    "a column occurs twice": {"columns": cases.COLUMNS[:1] * 2},
    "column name 'a\\\\ud800' is not valid": {
        "columns": (dataclasses.replace(cases.COLUMNS[0], name="a\ud800"),)
    },
    "column 'amount' of kind float has the wrong storage": {
        "columns": (dataclasses.replace(cases.COLUMNS[0], storage=None),)
    },
    "the rank error is out of range": {
        "settings": dataclasses.replace(cases.SETTINGS, rank_error=0)
    },
    "a setting is not text": {"settings": dataclasses.replace(cases.SETTINGS, segments=(1,))},
}


@pytest.mark.parametrize("reason", WRONG_HEADS)
def test_what_no_reader_takes_is_not_written(tmp_path: Path, reason: str) -> None:
    profile = dataclasses.replace(Profile((), ()), **WRONG_HEADS[reason])  # type: ignore[arg-type]
    with pytest.raises(SnapshotError, match=rf"a\.lead: .*{reason.strip()}"):
        snapshot.write(profile, tmp_path / "a.lead")
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_no_text_is_not_read_either() -> None:
    column = dataclasses.replace(cases.COLUMNS[0], name="amoun~")
    content = cells.encode_head(cells.Head((column,), cases.SETTINGS))
    with pytest.raises(SnapshotError, match="is not valid text"):
        cells.decode_head(content.replace(b'"amoun~"', b'"\\ud800"'))


@pytest.mark.parametrize("path", [3, None, b"a.lead", ["a.lead"]])
def test_paths_are_texts_or_paths(path: Any) -> None:
    for use in (snapshot.read, snapshot.read_recovering, cases.small_profile().save):
        with pytest.raises(InputError, match=r"a path is text or a pathlib\.Path"):
            use(path)
    with pytest.raises(InputError, match="a path is text"):
        _journal(path)


def test_an_interrupt_leaves_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        snapshot.write(cases.small_profile(), tmp_path / "a.lead")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_takes_a_few_bytes_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(files.os, "write", lambda file, data: write(file, bytes(data)[:7]))
    snapshot.write(cases.small_profile(), tmp_path / "a.lead")
    assert (tmp_path / "a.lead").read_bytes() == snapshot.encode(cases.small_profile())


@pytest.mark.parametrize("target", ["missing/a.lead", ".", "a.lead/b.lead", "x" * 300 + ".lead"])
def test_impossible_targets_are_one_error(tmp_path: Path, target: str) -> None:
    (tmp_path / "a.lead").write_bytes(b"old")
    with pytest.raises(SnapshotError) as caught:
        snapshot.write(cases.small_profile(), tmp_path / target)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["a.lead"]


def test_links_are_followed_and_permissions_are_the_usual_ones(tmp_path: Path) -> None:
    (tmp_path / "link.lead").symlink_to(tmp_path / "real.lead")
    snapshot.write(cases.small_profile(), tmp_path / "link.lead")
    assert (tmp_path / "link.lead").is_symlink()
    (tmp_path / "plain").write_bytes(b"")
    modes = [(tmp_path / name).stat().st_mode for name in ("real.lead", "plain")]
    assert modes[0] == modes[1]


@pytest.mark.parametrize("name", ["missing.lead", "."])
def test_what_cannot_be_read_is_one_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(SnapshotError, match=r"check the path|not a regular file"):
        snapshot.read(tmp_path / name)


# --- recovering ----------------------------------------------------------------------------------


def test_without_its_index_a_file_is_refused_or_recovered(tmp_path: Path) -> None:
    data = snapshot.encode(cases.profile())
    index, offset = frames.read_index(memoryview(data))
    path = tmp_path / "torn.lead"
    path.write_bytes(data[: index.frames[3].offset + 10])
    with pytest.raises(SnapshotError, match="last good frame is 2, which ends at byte"):
        snapshot.read(path)
    profile, report = snapshot.read_recovering(path)
    assert [cell.rows for cell in profile.cells] == [6, 1_000]
    assert not report.complete
    assert (report.cells, report.rows, report.expected_cells) == (2, 1_006, None)
    assert report.losses[0].offset == index.frames[3].offset
    assert "torn.lead" in profile.events[-1].source
    assert len(snapshot.read(path, recover=True).cells) == 2
    assert offset == index.frames[-1].end


def test_a_damaged_frame_is_named_and_the_others_are_kept(tmp_path: Path) -> None:
    data = bytearray(snapshot.encode(cases.profile()))
    frame = frames.read_index(memoryview(bytes(data)))[0].frames[2]
    data[frame.end - 1] ^= 1
    path = tmp_path / "flipped.lead"
    path.write_bytes(data)
    with pytest.raises(SnapshotError, match=rf"flipped.lead: frame 2 at byte {frame.offset:,}: "):
        snapshot.read(path)
    profile, report = snapshot.read_recovering(path)
    assert [cell.rows for cell in profile.cells] == [6, 3]
    assert [(loss.offset, loss.size) for loss in report.losses] == [(frame.offset, frame.size)]
    assert (report.expected_cells, report.expected_rows) == (3, 1_009)


def test_frames_behind_damage_are_found_without_an_index(tmp_path: Path) -> None:
    data = snapshot.encode(cases.profile())
    index, offset = frames.read_index(memoryview(data))
    first, second = index.frames[1], index.frames[2]
    path = tmp_path / "holes.lead"
    path.write_bytes(data[: first.offset + 9] + b"junk" + data[second.offset : offset])
    profile, report = snapshot.read_recovering(path)
    assert [cell.rows for cell in profile.cells] == [1_000, 3]
    assert report.losses[0].offset == first.offset
    assert report.losses[0].size == 9 + 4


def test_a_complete_file_is_reported_as_such(tmp_path: Path) -> None:
    snapshot.write(cases.profile(), tmp_path / "a.lead")
    profile, report = snapshot.read_recovering(tmp_path / "a.lead")
    assert report.complete
    assert report.expected_rows == report.rows == profile.rows == 1_009
    assert profile.events == cases.profile().events


# --- journals ------------------------------------------------------------------------------------


def _journal(path: Path) -> snapshot.JournalWriter:
    return snapshot.JournalWriter(
        path, columns=cases.COLUMNS, settings=cases.SETTINGS, tags={"model": "fraud"}, sync=False
    )


def test_a_journal_refuses_what_no_reader_takes(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match=r"a\.lead: a tag is not text"):
        snapshot.JournalWriter(
            tmp_path / "a.lead",
            columns=cases.COLUMNS,
            settings=cases.SETTINGS,
            tags={"model": 1},  # type: ignore[dict-item]
        )
    assert list(tmp_path.iterdir()) == []


def test_a_journal_merges_the_frames_of_one_cell(tmp_path: Path) -> None:
    with _journal(tmp_path / "a.lead") as journal:
        for day in (1, 0, 1):
            journal.append(cases.small_cell(day))
    profile = snapshot.read(tmp_path / "a.lead")
    assert [(cell.window.start, cell.rows) for cell in profile.cells if cell.window] == [
        (0, 6),
        (cases.DAY, 12),
    ]
    assert profile.tags == {"model": "fraud"}
    assert profile.events == ()
    merged = cases.small_cell(1).merge(cases.small_cell(1), k=cases.SETTINGS.k)
    assert cases.described(profile.cells[1]) == cases.described(merged)


def test_a_journal_torn_anywhere_keeps_every_whole_frame_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.lead"
    ends = []
    with _journal(path) as journal:
        ends.append(path.stat().st_size)
        for day in range(3):
            journal.append(cases.small_cell(day))
            ends.append(path.stat().st_size)
    data = path.read_bytes()
    for size in range(ends[0], len(data) + 1):
        whole = sum(end <= size for end in ends) - 1
        profile = snapshot.decode(data[:size], name="a.lead")
        assert len(profile.cells) == whole
        torn = size not in ends
        assert len(profile.events) == torn
        if torn:
            assert f"lost {size - ends[whole]:,} bytes at offset" in profile.events[0].what
    for size in range(ends[0]):
        with pytest.raises(SnapshotError):
            snapshot.decode(data[:size])


def test_a_torn_end_of_zeros_is_dropped_but_damage_before_good_frames_is_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.lead"
    with _journal(path) as journal:
        journal.append(cases.small_cell(0))
        middle = path.stat().st_size
        journal.append(cases.small_cell(1))
        last = path.stat().st_size
        journal.append(cases.small_cell(2))
    data = path.read_bytes()
    zeros = data[:last] + bytes(len(data) - last)
    assert len(snapshot.decode(zeros).cells) == 2
    holes = data[:middle] + bytes(last - middle) + data[last:]
    with pytest.raises(SnapshotError, match=f"at offset {middle:,}"):
        snapshot.decode(holes)
    assert len(snapshot.decode(holes, recover=True).cells) == 2


def test_a_failed_append_leaves_whole_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.lead"
    write = os.write
    with _journal(path) as journal:
        journal.append(cases.small_cell(0))

        def full(file: int, data: memoryview) -> int:
            if len(data) < 100:
                raise OSError(errno.ENOSPC, "No space left on device")
            return write(file, bytes(data)[: len(data) // 2])

        monkeypatch.setattr(files.os, "write", full)
        with pytest.raises(SnapshotError, match="No space left"):
            journal.append(cases.small_cell(1))
        monkeypatch.undo()
        journal.append(cases.small_cell(2))
    profile = snapshot.read(path)
    assert len(profile.cells) == 2
    assert profile.events == ()


def test_a_journal_belongs_to_one_file_one_process_and_one_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = _journal(tmp_path / "a.lead")
    with pytest.raises(SnapshotError, match="needs a new file"):
        _journal(tmp_path / "a.lead")
    other = dataclasses.replace(cases.COLUMNS[1], name="other")
    state = dataclasses.replace(cases.number("age", {1: 1}), column=other)
    with pytest.raises(InputError, match="no column 'other'"):
        journal.append(Cell(None, ("a", 1), 1, {"other": state}))
    monkeypatch.setattr(os, "getpid", lambda: -1)
    with pytest.raises(SnapshotError, match="belongs to process"):
        journal.append(cases.small_cell(0))
    monkeypatch.undo()
    journal.close()
    journal.close()
    with pytest.raises(SnapshotError, match="is closed"):
        journal.append(cases.small_cell(0))
    assert snapshot.read(tmp_path / "a.lead").cells == ()
