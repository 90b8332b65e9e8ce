"""Open files and pipes: the figures of the whole input, however it is given."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
import zstandard

import leadline as ll
from leadline.errors import InputError
from leadline.locations import stream as stream_module
from leadline.scan import Progress

TABLE = pa.table({"x": [1, 2, None, 4], "s": ["a", "b", "a", None]})
CSV = b"x,s\n1,a\n2,b\n,a\n4,\n"
LINES = b'{"x": 1, "s": "a"}\n{"x": 2, "s": "b"}\n{"s": "a"}\n{"x": 4}\n'


def arrow_bytes(table: pa.Table, rows: int | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows)
    return bytes(sink.getvalue())


INPUTS = {
    "csv": CSV,
    "tsv": CSV.replace(b",", b"\t"),
    "jsonl": LINES,
    "arrow": arrow_bytes(TABLE),
}
PACK = {"plain": bytes, "gz": gzip.compress, "zst": zstandard.compress}


@contextmanager
def pipe(data: bytes, *, step: int = 1_000) -> Iterator[BinaryIO]:
    """The reading end of a pipe, written to in small steps by a thread."""
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb", buffering=0) as file:
            for begin in range(0, len(data), step):
                try:
                    file.write(data[begin : begin + step])
                except BrokenPipeError:
                    return

    thread = threading.Thread(target=write)
    thread.start()
    with os.fdopen(reading, "rb", buffering=0) as file:
        yield file
    thread.join()


def figures(result: ll.Profile) -> dict[str, Any]:
    return {name: result[name].to_dict() for name in result.names}


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize("kind", INPUTS)
def test_every_format(tmp_path: Path, kind: str, packing: str) -> None:
    data = PACK[packing](INPUTS[kind])
    (tmp_path / "input").write_bytes(data)
    expected = ll.profile(TABLE)
    by_path = ll.profile(tmp_path / "input", format=kind)
    assert figures(by_path) == figures(expected)
    with pipe(data) as piped, (tmp_path / "input").open("rb") as opened:
        for file in (piped, opened, io.BytesIO(data)):
            result = ll.profile(file, format=kind)
            assert figures(result) == figures(expected)
            (entry,) = result.lineage
            assert entry.name == "<stream>"
            assert (entry.size, entry.rows) == (len(data), 4)
            if kind != "arrow" or packing == "plain":
                assert entry.footer_hash == by_path.lineage[0].footer_hash


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize("kind", ["csv", "jsonl", "arrow"])
def test_formats_are_recognised(kind: str, packing: str) -> None:
    with pipe(PACK[packing](INPUTS[kind])) as file:
        assert ll.profile(file).rows == 4


@pytest.mark.parametrize("in_memory", [1, 1 << 23])
def test_types_are_those_of_the_whole_input(
    in_memory: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_module, "_IN_MEMORY", in_memory)
    rows = 800_000
    data = b"a,b\n" + b"1,2013-01-01\n" * rows + b"2.5,hello\n"
    expected = ll.profile(io.BytesIO(data))
    assert (expected["a"].type, expected["b"].type) == ("double", "string")
    with pipe(data, step=1 << 16) as file:
        result = ll.profile(file)
    assert figures(result) == figures(expected)
    assert result.events == expected.events
    assert result.lineage == expected.lineage


def test_json_types_are_those_of_the_whole_input() -> None:
    line = b'{"a": 1, "padding": "%s"}\n' % (b"x" * 2_000)
    data = line * 3_000 + b'{"a": "x"}\n'
    with pipe(data, step=1 << 16) as file:
        result = ll.profile(file, format="jsonl")
    assert (result["a"].type, result.rows) == ("string", 3_001)


def test_a_long_arrow_stream_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    table = pa.table({"x": np.arange(300_000)})
    data = arrow_bytes(table, 10_000)
    kept: list[int] = []
    keep = stream_module._Spool._keep

    def count(self: Any, data: bytes) -> None:
        kept.append(len(data))
        keep(self, data)

    monkeypatch.setattr(stream_module._Spool, "_keep", count)
    with pipe(data, step=1 << 16) as file:
        result = ll.profile(file)
    assert figures(result) == figures(ll.profile(table))
    assert result.lineage[0].size == len(data)
    assert sum(kept) <= 65_536


def test_an_open_file_is_read_from_where_it_stands() -> None:
    file = io.BytesIO(b"comment\n" + CSV)
    file.readline()
    assert ll.profile(file).names == ("x", "s")
    assert not file.closed


def test_progress_has_no_total() -> None:
    seen: list[Progress] = []
    with pipe(CSV) as file:
        ll.profile(file, progress=seen.append)
    assert seen[-1].rows_total is None
    assert seen[-1].rows_done == 4


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "<stream> is empty"),
        (gzip.compress(b""), "no header line"),
        (gzip.compress(CSV * 1_000)[:-20], "cannot be read: Truncated compressed stream"),
        (zstandard.compress(LINES)[:-3], "cannot be read"),
        (arrow_bytes(TABLE)[:-40], "cannot be read"),
        (arrow_bytes(TABLE) * 2, "goes on after the end of its Arrow stream"),
        (b"[1, 2]\n", "JSON Lines has one object on every line"),
        (b"a,b\n1,2\n3\n", r"row 3 \(the header is row 1\) has 1 fields, not 2"),
        (b"\x00\x01\x02\x03" * 100, "<stream>"),
    ],
)
def test_bad_streams(data: bytes, message: str) -> None:
    with pipe(data) as file, pytest.raises(InputError, match=message):
        ll.profile(file)


def test_formats_that_need_a_file() -> None:
    sink = io.BytesIO()
    pq.write_table(TABLE, sink)
    with pipe(sink.getvalue()) as file, pytest.raises(InputError, match="give a path instead"):
        ll.profile(file)
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)
    with pytest.raises(InputError, match="give a path instead"):
        ll.profile(io.BytesIO(sink.getvalue()))


def test_what_is_no_binary_file() -> None:
    with pytest.raises(InputError, match="binary mode"):
        ll.profile(io.StringIO("a\n1\n"))
    with pytest.raises(InputError, match="format is one of"):
        ll.profile(io.BytesIO(CSV), format="xml")

    class Texts:
        def read(self, _: int = -1) -> str:
            return "a\n1\n"

    with pytest.raises(InputError, match="binary mode"):
        ll.profile(Texts())


def test_a_stream_that_fails() -> None:
    class Failing(io.RawIOBase):
        sent = 0

        def read(self, _: int = -1) -> bytes:
            self.sent += 1
            if self.sent > 3:
                raise OSError(5, "Input/output error")
            return b"a\n" + b"1\n" * 100_000

    with pytest.raises(InputError, match="Input/output error"):
        ll.profile(Failing())


def test_no_room_for_the_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def seek(self, *_: int) -> None:
            pass

        def write(self, _: bytes) -> None:
            raise OSError(28, "No space left on device")

        def close(self) -> None:
            pass

    monkeypatch.setattr(stream_module.tempfile, "SpooledTemporaryFile", lambda **_: Full())
    with pipe(CSV) as file, pytest.raises(InputError, match=r"No space left on device.*TMPDIR"):
        ll.profile(file)


def test_format_for_paths(tmp_path: Path) -> None:
    for name in ("part-0000", "part-0001.txt", ".hidden", "_SUCCESS"):
        (tmp_path / name).write_bytes(CSV)
    result = ll.profile(tmp_path, format="csv")
    assert [entry.name for entry in result.lineage] == ["part-0000", "part-0001.txt"]
    with pytest.raises(InputError, match="holds no file of a known format"):
        ll.profile(tmp_path)


# --- the command ---------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["cat {0} | {1} profile - -o {2}", "{1} profile - -o {2} <{0}"])
def test_standard_input(tmp_path: Path, command: str) -> None:
    (tmp_path / "x.csv").write_bytes(CSV)
    target = tmp_path / "x.lead"
    line = command.format(tmp_path / "x.csv", f"{sys.executable} -m leadline", target)
    done = subprocess.run(["bash", "-c", line], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    result = ll.read(target)
    assert figures(result) == figures(ll.profile(TABLE))
    assert result.lineage[0].name == "<stdin>"
    assert result.lineage[0].footer_hash == ll.profile(tmp_path / "x.csv").lineage[0].footer_hash


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("{0} profile - x.csv -o {1}", "cannot be mixed with other inputs"),
        ("{0} profile - -o {1} <&-", "standard input is closed"),
        ("gzip -c {2} | head -c 40 | {0} profile - -o {1}", "Truncated compressed stream"),
        ("{0} profile - -o {1} </dev/null", "<stdin> is empty"),
        ("{0} profile <(cat {2}) -o {1}", "send it to standard input and give -"),
    ],
)
def test_standard_input_that_cannot_be_used(tmp_path: Path, command: str, message: str) -> None:
    (tmp_path / "x.csv").write_bytes(CSV * 10)
    target = tmp_path / "x.lead"
    line = command.format(f"{sys.executable} -m leadline", target, tmp_path / "x.csv")
    done = subprocess.run(["bash", "-c", line], check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not target.exists()


@pytest.mark.parametrize("text", ['a,b\n1,"2\n', 'a\n"', 'a\n1\n"x\n2\n3'])
def test_a_quote_that_is_not_closed_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(InputError, match="ends inside quotes"):
        ll.profile(path)


def test_a_last_record_without_a_line_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('a,b\n1,"2"\n3,"4"')
    assert ll.profile(path).rows == 2
