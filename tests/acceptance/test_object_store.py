"""Archives behind s3:// give the bytes that the same files on disk give, for few requests."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from moto.s3.models import s3_backends

import leadline as ll
from leadline import snapshot
from leadline.cli import main
from leadline.errors import InputError, SnapshotError
from object_store import BUCKET, ObjectStore, Request, error_of, object_store

URL = f"s3://{BUCKET}"
ROWS = 30_000


def table(seed: int) -> pa.Table:
    random = np.random.default_rng(seed)
    numbers = {f"x{place}": random.normal(size=ROWS) for place in range(8)}
    return pa.table(numbers | {"s": random.choice(["a", "b", "c"], ROWS)})


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files of every format, partitions and what is not to be read."""
    root = tmp_path_factory.mktemp("disk")
    for day in (1, 2, 10):
        folder = root / "logs" / f"day={day}" / "kind=a%2Fb"
        folder.mkdir(parents=True)
        pq.write_table(table(day), folder / "rows.parquet", row_group_size=10_000)
    (root / "logs" / "_SUCCESS").write_text("")
    (root / "logs" / ".hidden.parquet").write_text("nothing")
    (root / "logs" / "notes.txt").write_text("nothing")
    (root / "other").mkdir()
    rows = table(3)
    pa.csv.write_csv(rows, root / "other" / "rows.csv")
    lines = "".join(f"{json.dumps(row)}\n" for row in rows.slice(0, 500).to_pylist())
    (root / "other" / "rows.jsonl.gz").write_bytes(gzip.compress(lines.encode(), mtime=0))
    with pa.ipc.new_stream(root / "other" / "rows.arrows", rows.schema) as stream:
        stream.write_table(rows, max_chunksize=5_000)
    with pa.ipc.new_file(root / "other" / "rows.arrow", rows.schema) as file:
        file.write_table(rows, max_chunksize=5_000)
    return root


@pytest.fixture(scope="module")
def store(disk: Path) -> Iterator[ObjectStore]:
    with object_store() as served:
        for path in sorted(disk.rglob("*")):
            if path.is_file():
                served.put(str(path.relative_to(disk)), path.read_bytes())
        served.put("logs/day=1/", b"")  # as tools mark folders
        yield served


@pytest.fixture(autouse=True)
def _good_server(store: ObjectStore) -> Iterator[None]:
    store.requests.clear()
    yield
    store.intrude = None


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("logs", "logs"),
        ("logs", "logs/"),
        ("logs/**/*.parquet", "logs/**/*.parquet"),
        ("logs/day=1*", "logs/day=1*"),
        ("logs/day=[12]/*/rows.parquet", "logs/day=[12]/*/rows.parquet"),
        ("other/rows.csv", "other/rows.csv"),
        ("other/rows.jsonl.gz", "other/rows.jsonl.gz"),
        ("other/rows.arrows", "other/rows.arrows"),
        ("other/rows.arrow", "other/rows.arrow"),
    ],
)
def test_the_same_bytes_as_from_disk(disk: Path, store: ObjectStore, path: str, url: str) -> None:
    expected = snapshot.encode(ll.profile(disk / path))
    assert snapshot.encode(ll.profile(f"{URL}/{url}", threads=2)) == expected
    assert snapshot.encode(ll.profile(f"{URL}/{url}", threads=1)) == expected


def test_partitions_are_columns(store: ObjectStore) -> None:
    result = ll.profile(f"{URL}/logs", columns=["day", "kind"])
    assert result["day"].top == [(1, ROWS), (2, ROWS), (10, ROWS)]
    assert result["kind"].top == [("a/b", 3 * ROWS)]


def test_a_prefix_is_listed_once(store: ObjectStore) -> None:
    ll.profile(f"{URL}/logs/**/*.parquet", columns=["x0"])
    assert sum(request.lists for request in store.requests) == 1
    assert not any(request.method == "HEAD" for request in store.requests)


def test_one_column_of_many_is_a_part_of_the_file(disk: Path, store: ObjectStore) -> None:
    key = "logs/day=1/kind=a%2Fb/rows.parquet"
    ll.profile(f"{URL}/{key}", columns=["x3"], threads=2)
    metadata = pq.read_metadata(disk / key)
    chunks = [metadata.row_group(group).column(3) for group in range(3)]
    wanted = {
        (chunk.dictionary_page_offset or chunk.data_page_offset, chunk.total_compressed_size)
        for chunk in chunks
    }
    # One request for the end of the file, one for each column chunk, nothing twice.
    footer, *data = store.gets(key)
    assert footer.last == (disk / key).stat().st_size - 1
    assert {(request.first, request.size) for request in data} == wanted
    assert len(data) == 3


def test_every_byte_of_columns_comes_once(disk: Path, store: ObjectStore) -> None:
    key = "logs/day=1/kind=a%2Fb/rows.parquet"
    ll.profile(f"{URL}/{key}", threads=2)
    _, *data = store.gets(key)
    spans = sorted((request.first, request.last) for request in data)
    assert len(data) == 3 * 9
    assert all(before[1] < after[0] for before, after in pairwise(spans))


def test_text_is_read_in_large_requests(disk: Path, store: ObjectStore) -> None:
    ll.profile(f"{URL}/other/rows.csv")
    size = (disk / "other" / "rows.csv").stat().st_size
    requests = store.gets("other/rows.csv")
    assert len(requests) == 2 + -(-size // 2**22)  # both ends, then blocks of 4 MiB
    assert sum(request.size for request in requests) == 2 * 65_536 + size


ODD = [
    "a b.csv",
    "50%25 off.csv",
    "50% off.csv",
    "a+b&c=d.csv",
    "é ü 漢字.csv",
    "what?.csv",
    "a#b.csv",
    "[1].csv",
    "star*.csv",
    "double//slash.csv",
    "quote'\".csv",
    "colon:at@x.csv",
]


@pytest.mark.parametrize("key", ODD)
def test_odd_names(store: ObjectStore, key: str) -> None:
    store.put(f"odd/{key}", b"x\n1\n2\n")
    result = ll.profile(f"{URL}/odd/{key}")
    assert (result.rows, result.lineage[0].name) == (2, key.rpartition("/")[2])


def test_odd_names_in_a_folder(store: ObjectStore) -> None:
    for key in ODD:
        store.put(f"odd/{key}", b"x\n1\n2\n")
    store.put("odd/../outside.csv", b"x\n1\n")  # a key may be anything; this one is hidden
    assert {entry.name for entry in ll.profile(f"{URL}/odd").lineage} == set(ODD)


def test_many_files(store: ObjectStore) -> None:
    """A listing has a thousand keys a page."""
    for number in range(1_100):
        s3_backends["123456789012"]["aws"].put_object(BUCKET, f"many/{number:04}.csv", b"x\n1\n")
    result = ll.profile(f"{URL}/many/000?.csv", columns=["x"])
    assert result.rows == 10
    assert sum(request.lists for request in store.requests) == 2
    # Both ends in one request, and all of it; nothing for what the pattern leaves out.
    assert len(store.requests) == 2 + 10 * 2


def test_files_from_several_places(disk: Path, store: ObjectStore) -> None:
    both = [f"{URL}/other/rows.csv", disk / "other" / "rows.csv", f"{URL}/other/rows.csv"]
    assert [entry.name for entry in ll.profile(both).lineage] == [
        f"{URL}/other/rows.csv",
        "rows.csv",
    ]


def test_a_new_file_is_seen_by_the_next_call(store: ObjectStore) -> None:
    store.put("growing/1.csv", b"x\n1\n")
    assert ll.profile(f"{URL}/growing").rows == 1
    store.put("growing/2.csv", b"x\n1\n")
    assert ll.profile(f"{URL}/growing").rows == 2


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"{URL}/nothing.csv", f"{URL}/nothing.csv does not exist"),
        (f"{URL}/nothing/", f"{URL}/nothing/ does not exist"),
        (f"{URL}/logs/*.json", f"no file matches {URL}/logs/*.json"),
        ("s3://no-such-bucket/a.csv", "s3://no-such-bucket/a.csv: there is no such bucket"),
        ("s3://no-such-bucket/*.csv", "s3://no-such-bucket/*.csv: it is not there"),
        (f"{URL}/logs/notes.txt", "has no suffix of a known format"),
        (f"{URL}/a/../b.csv", "without . and .. in its path"),
        ("s3://*/a.csv", "a pattern cannot stand for a bucket"),
        ("s3://", "s3:// names no bucket or folder"),
    ],
)
def test_what_is_not_there(store: ObjectStore, url: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        ll.profile(url)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["logs/day=1/kind=a%2Fb/rows.parquet", "other/rows.csv"])
def test_access_denied(store: ObjectStore, key: str) -> None:
    def deny(request: Request) -> tuple[str, bytes] | None:
        denied = request.method == "GET" and not request.lists
        return ("403 Forbidden", error_of("AccessDenied")) if denied else None

    store.intrude = deny
    with pytest.raises(InputError, match="access was denied") as caught:
        ll.profile(f"{URL}/{key}")
    assert str(caught.value).startswith(f"{URL}/{key}")
    assert len(store.gets(key)) == 1  # asking again would not help


@pytest.mark.parametrize("key", ["logs/day=1/kind=a%2Fb/rows.parquet", "other/rows.csv"])
def test_a_file_that_changes_meanwhile(disk: Path, store: ObjectStore, key: str) -> None:
    content = (disk / key).read_bytes()

    def replace(request: Request) -> None:
        if len(store.gets(key)) == 3:
            store.intrude = None
            store.put(key, content[:-1] + b"!")

    store.intrude = replace
    try:
        with pytest.raises(InputError, match="it changed while it was read") as caught:
            ll.profile(f"{URL}/{key}", threads=1)
        assert str(caught.value).startswith(f"{URL}/{key}")
    finally:
        store.put(key, content)


def test_a_connection_that_fails_is_tried_again(disk: Path, store: ObjectStore) -> None:
    key = "logs/day=1/kind=a%2Fb/rows.parquet"
    failures = iter([2, 5, 6])
    failing = {next(failures)}

    def fail(request: Request) -> tuple[str, bytes] | None:
        if len(store.gets(key)) in failing:
            failing.update([next(failures, 0)])
            return "400 Bad Request", error_of("InvalidRequest")
        return None

    store.intrude = fail
    result = ll.profile(f"{URL}/{key}", threads=1)
    assert snapshot.encode(result) == snapshot.encode(ll.profile(disk / key))


def test_a_connection_that_keeps_failing(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadline.locations.remote._PAUSE", 0.01)
    key = "other/rows.csv"
    store.intrude = lambda _: (
        ("400 Bad Request", error_of("InvalidRequest")) if len(store.gets(key)) > 3 else None
    )
    with pytest.raises(InputError, match="on purpose") as caught:
        ll.profile(f"{URL}/{key}")
    assert str(caught.value).startswith(f"{URL}/{key}")


def test_snapshots_behind_urls(
    disk: Path, store: ObjectStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    local = tmp_path / "a.lead"
    ll.profile(disk / "logs").save(local)
    store.put("snapshots/a.lead", local.read_bytes())
    url = f"{URL}/snapshots/a.lead"
    assert snapshot.encode(ll.read(url)) == local.read_bytes()
    assert main(["show", url, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["snapshot"] == url
    assert main(["compare", url, str(local), "--quiet"]) == 0
    assert main(["merge", url, str(local), "-o", str(tmp_path / "b.lead"), "--allow-repeats"]) == 0
    capsys.readouterr()
    assert main(["profile", str(disk / "logs"), "-o", url]) == 2
    assert "is not on disk" in capsys.readouterr().err
    with pytest.raises(InputError, match="snapshots are written to disk"):
        ll.read(local).save(url)
    with pytest.raises(SnapshotError, match=r"nothing\.lead does not exist"):
        ll.read(f"{URL}/nothing.lead")
    with pytest.raises(SnapshotError, match=r"rows\.csv"):
        ll.read(f"{URL}/other/rows.csv")


def test_options_are_used_and_kept_to_ourselves(
    disk: Path, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    options = {"key": "a-key", "secret": "hush-hush", "endpoint_url": store.url}
    result = ll.profile(f"{URL}/other/rows.csv", storage_options=options)
    assert snapshot.encode(result) == snapshot.encode(ll.profile(disk / "other" / "rows.csv"))
    store.intrude = lambda _: ("400 Bad Request", error_of("Bad", "hush-hush is wrong"))
    with pytest.raises(InputError) as caught:
        ll.profile(f"{URL}/other/", storage_options=options)
    assert "*** is wrong" in str(caught.value)
    with pytest.raises(InputError, match="storage_options"):
        ll.profile(f"{URL}/other/rows.csv", storage_options=["key"])  # type: ignore[arg-type]
