"""Where files live: patterns and names of URLs as of paths, ranges, failures, secrets."""

from __future__ import annotations

import http.server
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pytest
from fsspec.implementations.memory import MemoryFileSystem

import leadline as ll
from leadline import snapshot
from leadline.errors import InputError
from leadline.locations import find, lineage_names, shown
from leadline.locations import ranges as ranges_module
from leadline.locations.ranges import RangeFile

CSV = b"x\n1\n2\n"
TREE = (
    "a.csv",
    "b.csv",
    "notes.txt",
    ".hidden.csv",
    "_SUCCESS",
    "day=1/10.csv",
    "day=1/2.csv",
    "day=1/part/x.csv",
    "day=2/.hidden/y.csv",
    "day=2/_tmp/y.csv",
    "day=2/z.csv",
    "deep/er/est/w.csv",
    "[odd]/v.csv",
    "x.csv/inside.csv",
)


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Path]:
    """The same files in a folder and under memory://tree."""
    memory = fsspec.filesystem("memory")
    for name in TREE:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CSV)
        memory.pipe_file(f"/tree/{name}", CSV)
    yield tmp_path
    memory.rm("/tree", recursive=True)


def known(name: str) -> bool:
    return name.endswith(".csv")


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "/day=1",
        "/*.csv",
        "/*",
        "/**/*.csv",
        "/**/x.csv",
        "/day=[12]/*.csv",
        "/day=?/*",
        "/day=*/part",
        "/[!a]*.csv",
        "/[odd]",
        "/[odd]/v.csv",
        "/*/*/*",
        "/.h*",
        "/*/.hidden/*.csv",
        "/deep/**/w.csv",
    ],
)
def test_urls_are_listed_as_paths_are(tree: Path, pattern: str) -> None:
    def names(root: str, shown: str) -> list[str] | str:
        try:
            locations = find([root + pattern], known=known, formats=".csv")
        except InputError as error:
            return str(error).replace(shown, "ROOT")
        return [location.label.removeprefix(shown) for location in locations]

    expected = names(str(tree), str(tree))
    assert expected
    assert names("memory://tree", "memory://tree") == expected
    assert names(tree.as_uri(), str(tree)) == expected


def test_an_empty_folder_is_the_same_error(tree: Path) -> None:
    for root in (str(tree), "memory://tree"):
        with pytest.raises(InputError, match="day=2/_tmp holds no file of a known format"):
            find([f"{root}/day=2/_*"], known=lambda _: False, formats=".csv")


def test_a_file_url_is_the_file(tmp_path: Path) -> None:
    for name in ("plain.csv", "a b.csv", "50%25.csv", "é#?.csv"):
        path = tmp_path / name
        path.write_bytes(CSV)
        expected = snapshot.encode(ll.profile(path))
        for url in (path.as_uri(), f"file://localhost{path.as_uri()[7:]}"):
            assert snapshot.encode(ll.profile(url)) == expected
        assert len(find([str(path), path.as_uri()], known=known, formats="")) == 1
    assert ll.profile(f"file://{tmp_path}/é#?.csv").rows == 2  # as many write it
    saved = tmp_path / "a b.lead"
    ll.profile({"x": [1]}).save(saved.as_uri())
    assert ll.read(saved.as_uri()).rows == 1
    with pytest.raises(InputError, match="whole path after file://"):
        ll.profile("file://server/a.csv")


def test_lineage_names() -> None:
    memory = fsspec.filesystem("memory")
    for name in ("/one/a/x.csv", "/one/b/x.csv", "/two/x.csv"):
        memory.pipe_file(name, CSV)

    def names(*urls: str) -> list[str]:
        return lineage_names(find(urls, known=known, formats=""))

    assert names("memory://one/a/x.csv") == ["x.csv"]
    assert names("memory://one/a/x.csv", "memory://one/b/") == ["a/x.csv", "b/x.csv"]
    assert names("memory://one", "memory://two/x.csv", "memory://one/b/x.csv") == [
        "one/a/x.csv",
        "one/b/x.csv",
        "two/x.csv",
    ]


def test_a_url_gives_the_bytes_of_the_file(tmp_path: Path) -> None:
    from pyarrow import csv, parquet

    table = pa.table({"x": np.arange(5_000) % 97, "s": [f"t{n % 7}" for n in range(5_000)]})
    parquet.write_table(table, tmp_path / "rows.parquet", row_group_size=1_000)
    csv.write_csv(table, tmp_path / "rows.csv")
    memory = fsspec.filesystem("memory")
    for path in tmp_path.iterdir():
        memory.pipe_file(f"/same/day=3/{path.name}", path.read_bytes())
        (tmp_path / "day=3").mkdir(exist_ok=True)
    for path in list(tmp_path.glob("*.*")):
        path.rename(tmp_path / "day=3" / path.name)
    expected = snapshot.encode(ll.profile(tmp_path, segments=["day"]))
    assert snapshot.encode(ll.profile("memory://same", segments=["day"])) == expected


# --- ranges --------------------------------------------------------------------------------------


class Counted:
    """Bytes that count how they are fetched."""

    def __init__(self, size: int) -> None:
        self.data = np.random.default_rng(size).bytes(size)
        self.asked: list[tuple[int, int]] = []

    def fetch(self, begin: int, end: int) -> bytes:
        self.asked.append((begin, end))
        return self.data[begin:end]


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def test_planned_ranges_are_fetched_once(
    threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges_module, "PIECE", 100)
    monkeypatch.setattr(ranges_module, "AHEAD", 250)
    counted = Counted(5_000)
    plan = [(40, 90), (90, 610), (700, 1_000), (4_000, 5_000)]
    file = RangeFile(counted.fetch, threads, 5_000, plan)
    for begin, end in plan:
        file.seek(begin)
        assert bytes(file.read(end - begin)) == counted.data[begin:end]
        assert sum(last - first for first, last in counted.asked) <= 250 + sum(
            last - first for first, last in plan if first <= begin
        )
    assert sorted(counted.asked) == sorted(ranges_module._cut(plan))


def test_any_reads_give_the_bytes(
    threads: ThreadPoolExecutor, random: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges_module, "PIECE", 64)
    monkeypatch.setattr(ranges_module, "AHEAD", 200)
    counted = Counted(3_000)
    for sure in (True, False):
        bounds = np.sort(random.choice(3_000, 20, replace=False))
        plan = list(zip(bounds[:-1:2].tolist(), bounds[1::2].tolist(), strict=True))
        file = RangeFile(counted.fetch, threads, 3_000, plan, sure=sure)
        for _ in range(300):
            begin, count = int(random.integers(0, 3_100)), int(random.integers(0, 400))
            if random.random() < 0.3:
                begin, end = plan[random.integers(len(plan))]
                count = end - begin
            file.seek(begin)
            assert bytes(file.read(count)) == counted.data[begin : begin + count]
            assert file.tell() == max(min(begin + count, 3_000), min(begin, 3_000))
        file.seek(-10, 2)
        assert bytes(file.read()) == counted.data[-10:]


def test_reading_only_the_front_fetches_little(threads: ThreadPoolExecutor) -> None:
    counted = Counted(1 << 16)
    plan = [(begin, begin + 1_024) for begin in range(0, 1 << 16, 1_024)]
    file = RangeFile(counted.fetch, threads, 1 << 16, plan, sure=False)
    file.read(100)
    assert counted.asked == [(0, 1_024)]
    file.close()


def test_a_failure_is_raised_where_it_is_read(threads: ThreadPoolExecutor) -> None:
    def fetch(begin: int, end: int) -> bytes:
        if begin >= 20:
            raise OSError("gone")
        return bytes(end - begin)

    file = pa.PythonFile(RangeFile(fetch, threads, 40, [(0, 20), (20, 40)]), mode="r")
    assert file.read(20) == bytes(20)
    with pytest.raises(OSError, match="gone"):
        file.read(20)
    file.close()


# --- failures and secrets ------------------------------------------------------------------------


class Flaky(MemoryFileSystem):  # type: ignore[misc]
    """Memory whose reads fail as told."""

    protocol = "flaky"
    failures: list[Exception | int] = []  # noqa: RUF012  (of the whole class, as the files are)

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(MemoryFileSystem._strip_protocol(path.replace("flaky://", "memory://")))

    def cat_file(self, path: str, start: Any = None, end: Any = None, **_: Any) -> bytes:
        failure = self.failures.pop(0) if self.failures else 0
        if isinstance(failure, Exception):
            raise failure
        data: bytes = super().cat_file(path, start=start, end=end)
        return data[: len(data) - failure] if failure >= 0 else data + bytes(-failure)


@pytest.fixture
def flaky(monkeypatch: pytest.MonkeyPatch) -> type[Flaky]:
    fsspec.register_implementation("flaky", Flaky, clobber=True)
    monkeypatch.setattr("leadline.locations.remote._PAUSE", 0.001)
    monkeypatch.setattr(Flaky, "failures", [])
    fsspec.filesystem("memory").pipe_file("/flaky/a.csv", CSV)
    return Flaky


def test_reads_are_repeated_twice(flaky: type[Flaky]) -> None:
    flaky.failures = [TimeoutError("slow"), ConnectionResetError("reset"), 0, 1, 2]
    assert ll.profile("flaky://flaky/a.csv").rows == 2
    assert flaky.failures == []


@pytest.mark.parametrize(
    ("failures", "left", "message"),
    [
        ([OSError("one"), OSError("two"), OSError("three")], 0, "three"),
        ([RuntimeError("library\nwith lines")] * 3, 0, "library$"),
        ([TimeoutError()] * 3, 0, "TimeoutError"),
        ([1] * 3, 0, "5 bytes came in place of 6 at byte 0; it may have changed"),
        ([-1] * 3, 0, "does not serve parts of files"),
        ([FileNotFoundError("a.csv")] * 3, 2, "it is not there"),
        ([PermissionError("no")] * 3, 2, "access was denied"),
    ],
)
def test_what_does_not_pass_is_one_line(
    flaky: type[Flaky], failures: list[Exception | int], left: int, message: str
) -> None:
    flaky.failures = failures
    with pytest.raises(InputError, match=message) as caught:
        ll.profile("flaky://flaky/a.csv")
    assert str(caught.value).startswith("flaky://flaky/a.csv")
    assert "\n" not in str(caught.value)
    assert len(flaky.failures) == left or message.startswith("does not serve")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("s3://bucket/a b%20?#.csv", "s3://bucket/a b%20?#.csv"),
        ("https://host/a.csv?X-Amz-Signature=abc", "https://host/a.csv"),
        ("https://me:secret@host:8080/a@b:c.csv", "https://***@host:8080/a@b:c.csv"),
        ("ftp://me:s@cret@host/a.csv", "ftp://***@host/a.csv"),
        ("abfs://container@account/a:b@c.csv", "abfs://container@account/a:b@c.csv"),
        ("simplecache::https://u:p@host/a.csv?k=v", "simplecache::https://***@host/a.csv"),
    ],
)
def test_secrets_are_not_shown(url: str, expected: str) -> None:
    assert shown(url) == expected


class Ranges(http.server.BaseHTTPRequestHandler):
    """A web server that knows one file, and parts of it if asked with `ranges`."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        first, last = self.headers.get("Range", "bytes=0-99").removeprefix("bytes=").split("-")
        part = CSV[int(first) : int(last) + 1] if path == "/ranges.csv" else CSV
        found = path in ("/ranges.csv", "/whole.csv") and query in ("", "token=hush-hush")
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(part) if self.command == "GET" else len(CSV)))
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(part)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ranges) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_web(web: str) -> None:
    result = ll.profile(f"http://me:hush@{web}/ranges.csv?token=hush-hush")
    assert (result.rows, result.lineage[0].name) == (2, "ranges.csv")
    twice = [f"http://{web}/ranges.csv", f"http://{web}/ranges.csv?token=hush-hush"]
    assert [entry.name for entry in ll.profile(twice).lineage] == ["ranges.csv", "ranges.csv (2)"]
    with pytest.raises(InputError, match="does not exist") as caught:
        ll.profile(f"http://me:hush@{web}/nothing.csv?token=hush-hush")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nope://a/b.csv", r"nope:// is not a known kind of URL"),
        ("memory://", "names no bucket or folder"),
        ("memory://a/\0.csv", "zero byte"),
        ("memory://a/./b.csv", r"without \. and \.\. in its path"),
        ("memory://nothing/b.csv", "memory://nothing/b.csv does not exist"),
    ],
)
def test_urls_that_lead_nowhere(url: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ll.profile(url)


@pytest.mark.parametrize(
    ("missing", "url", "message"),
    [
        ("fsspec", "s3://a/b.csv", r"s3://a/b\.csv: URLs need fsspec; .*leadline\[cloud\]"),
        ("adlfs", "abfs://a/b.csv", r"abfs://a/b\.csv: Install adlfs .*leadline\[cloud\]"),
    ],
)
def test_what_is_not_installed(
    missing: str, url: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(sys.modules):
        if name.partition(".")[0] == missing:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(InputError, match=message):
        ll.profile(url)


def test_paths_alone_import_nothing_for_urls(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(CSV)
    code = (
        "import sys, leadline as ll\n"
        f"ll.profile({str(tmp_path / 'a.csv')!r})\n"
        f"ll.profile({(tmp_path / 'a.csv').as_uri()!r})\n"
        "assert not {'fsspec', 's3fs', 'aiohttp', 'asyncio'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_case_of_a_scheme_does_not_matter() -> None:
    with pytest.raises(InputError, match="memory://nowhere does not exist"):
        ll.profile("MEMORY://nowhere")


def test_a_server_that_does_not_answer_is_not_a_missing_file() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=r"a\.csv: Cannot connect to host 127\.0\.0\.1"):
            ll.profile(f"http://127.0.0.1:{port}/a.csv")
