"""Adding new files to a profile gives the bytes of one scan over all files."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadline.errors import InputError
from leadline.profile import Profile
from leadline.scan import profile
from leadline.snapshot import decode, encode
from scanning import profile_in_units


def table(seed: int, rows: int = 300, **types: pa.DataType) -> pa.Table:
    random = np.random.default_rng(seed)
    begin = np.datetime64("2026-01-01", "us") + 86_400_000_000 * (seed % 7)
    columns = {
        "ts": pa.array(begin + random.integers(0, 86_400_000_000, rows), pa.timestamp("us")),
        "number": pa.array(random.normal(size=rows)),
        "count": pa.array(random.integers(0, 50, rows)),
        "text": pa.array([f"t{value}" for value in random.zipf(1.5, rows) % 3_000]),
        "where": pa.array(random.choice(["DE", "FR", "IT"], rows)),
    }
    for name, type_ in types.items():
        if pa.types.is_null(type_):
            columns[name] = pa.nulls(rows)
        else:
            columns[name] = pa.array(random.integers(0, 9, rows)).cast(type_)
    return pa.table(columns)


def write(path: Path, data: pa.Table) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        from pyarrow import csv

        csv.write_csv(data, path)
    else:
        pq.write_table(data, path, row_group_size=150)
    return path


def saved(result: Profile) -> Profile:
    """The profile as it is read back from its snapshot."""
    return decode(encode(result))


WINDOWS: dict[str, Any] = {"time": "ts", "every": "1d", "segments": ("where",)}


def check(
    old: Sequence[Path], new: Sequence[Path], *, given: Sequence[Path] = (), **options: Any
) -> Profile:
    """Update in small units, and compare with one scan in lineage order."""
    base = saved(profile_in_units([*old], **options))
    updated = profile_in_units([*(given or [*old, *new])], base=base, threads=2)
    assert encode(updated) == encode(profile_in_units([*old, *new], **options))
    return updated


@pytest.mark.parametrize("options", [{}, WINDOWS, {**WINDOWS, "memory": 1}])
@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_the_same_bytes_as_one_scan(tmp_path: Path, options: dict[str, Any], suffix: str) -> None:
    files = [write(tmp_path / f"{place}.{suffix}", table(place)) for place in range(4)]
    check(files[:2], files[2:], **options)


@pytest.mark.parametrize("suffixes", [("csv", "parquet"), ("parquet", "csv")])
def test_formats_may_be_mixed(tmp_path: Path, suffixes: tuple[str, str]) -> None:
    files = [
        write(tmp_path / f"{place}.{suffixes[place // 2]}", table(place)) for place in range(4)
    ]
    check(files[:2], files[2:], columns=("count", "number", "text"), segments=("where",))


def test_new_files_come_last_wherever_their_names_sort(tmp_path: Path) -> None:
    old = [write(tmp_path / name, table(place)) for place, name in enumerate(["c.csv", "d.csv"])]
    new = [
        write(tmp_path / name, table(place + 5)) for place, name in enumerate(["a.csv", "e.csv"])
    ]
    result = check(old, new, given=[new[0], *old, new[1]])
    assert [entry.name for entry in result.lineage] == ["c.csv", "d.csv", "a.csv", "e.csv"]


def test_names_are_relative_to_the_root_of_all(tmp_path: Path) -> None:
    old = [write(tmp_path / "x/2026/01" / name, table(3)) for name in ("a.parquet", "b.parquet")]
    old.append(write(tmp_path / "x/2026/01/c.parquet", table(4, count=pa.float64())))
    new = [write(tmp_path / "x/2025/12/a.parquet", table(5))]
    result = check(old, new)
    names = ["2026/01/a.parquet", "2026/01/b.parquet", "2026/01/c.parquet", "2025/12/a.parquet"]
    assert [entry.name for entry in result.lineage] == names
    assert result.events[0].source == "2026/01/c.parquet"


def test_a_part_of_the_old_files_is_enough(tmp_path: Path) -> None:
    old = [write(tmp_path / f"2026/{name}/x.parquet", table(7)) for name in ("01", "02", "03")]
    new = write(tmp_path / "2026/04/x.parquet", table(8))
    check(old, [new], given=[old[2], new])
    moved = shutil.copytree(tmp_path / "2026", tmp_path / "elsewhere/2026")
    check(old, [new], given=[moved / "02/x.parquet", moved / "04/x.parquet"])


def test_several_updates_in_a_row(tmp_path: Path) -> None:
    files = [write(tmp_path / f"{place}.parquet", table(place)) for place in range(5)]
    result = saved(profile_in_units(files[:1], **WINDOWS))
    for count in range(2, 6):
        result = saved(profile_in_units(files[:count], base=result))
        assert encode(result) == encode(profile_in_units(files[:count], **WINDOWS))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (pa.int64(), pa.float64()),
        (pa.float64(), pa.int32()),
        (pa.uint8(), pa.uint16()),
        (pa.uint8(), pa.uint64()),
        (pa.null(), pa.int64()),
        (pa.null(), pa.string()),
        (pa.null(), pa.timestamp("ms", "UTC")),
        (pa.timestamp("us"), pa.timestamp("s")),
        (pa.int64(), pa.null()),
        (pa.list_(pa.int64()), pa.list_(pa.string())),
        (pa.decimal128(25, 2), pa.decimal128(26, 3)),
    ],
)
@pytest.mark.parametrize("options", [{}, WINDOWS])
def test_types_that_change(
    tmp_path: Path, before: pa.DataType, after: pa.DataType, options: dict[str, Any]
) -> None:
    def column(type_: pa.DataType, seed: int) -> pa.Table:
        data = table(seed)
        values = pa.array(np.random.default_rng(seed).integers(0, 9, 300))
        if pa.types.is_list(type_):
            changing = pa.array([[value] for value in values.to_pylist()]).cast(type_)
        elif pa.types.is_null(type_):
            changing = pa.nulls(300)
        else:
            changing = values.cast(type_)
        return data.append_column("changing", changing)

    old = [
        write(tmp_path / "a.parquet", table(0)),
        write(tmp_path / "b.parquet", column(before, 1)),
    ]
    new = [
        write(tmp_path / "c.parquet", column(after, 2)),
        write(tmp_path / "d.parquet", column(before, 3)),
        write(tmp_path / "e.parquet", column(after, 4)),
    ]
    result = check(old, new, **options)
    assert "changing" in result.names
    check(old + new[:1], new[1:], **options)


def test_columns_kept_apart_by_type(tmp_path: Path) -> None:
    types = [pa.int64(), pa.string(), pa.float64(), pa.string(), pa.timestamp("ms")]
    files = [
        write(tmp_path / f"{place}.parquet", table(place, x=type_))
        for place, type_ in enumerate(types)
    ]
    for cut in range(1, 5):
        result = check(files[:cut], files[cut:], separate=True)
        assert result.names[-3:] == ("x", "x (string)", "x (timestamp[ms])")


def test_roles_and_chosen_columns_are_kept(tmp_path: Path) -> None:
    files = [write(tmp_path / f"{place}.parquet", table(place)) for place in range(3)]
    options: dict[str, Any] = {"columns": ["number", "count"], "roles": {"number": "score"}}
    options |= {"time": "ts", "every": "1d", "rank_error": 0.01, "tags": {"a": "1", "b": "2"}}
    base = saved(profile(files[:2], **options))
    updated = profile(files, update=base, tags={"b": "3"})
    assert encode(updated) == encode(profile(files, **{**options, "tags": {"a": "1", "b": "3"}}))
    assert updated["number"].role == "score"


def test_hive_folders_count_for_the_types_of_all(tmp_path: Path) -> None:
    names = ["year=old/a.parquet", "year=2025/a.parquet", "year=2026/a.parquet"]
    files = [write(tmp_path / name, table(place)) for place, name in enumerate(names)]
    result = check(files[:2], files[2:], given=files[1:])
    assert result["year"].type == "string"
    with pytest.raises(InputError, match="'year' is int64 in the snapshot and string in"):
        check(files[1:], files[:1])


def test_nothing_new_is_the_profile_itself(tmp_path: Path) -> None:
    files = [write(tmp_path / f"{place}.parquet", table(place)) for place in range(2)]
    base = profile(tmp_path)
    assert profile(tmp_path, update=base) is base
    assert profile(files[1], update=base) is base


def test_a_snapshot_without_rows_can_be_updated(tmp_path: Path) -> None:
    old = write(tmp_path / "a.parquet", table(0)[:0])
    check([old], [write(tmp_path / "b.parquet", table(1))])
    check([old], [write(tmp_path / "c.parquet", table(1))], **WINDOWS)


def test_copies_count_as_often_as_they_are_there(tmp_path: Path) -> None:
    old = [write(tmp_path / f"{name}.parquet", table(1)) for name in "ab"]
    new = [write(tmp_path / "c.parquet", table(1))]
    assert check(old, new).rows == 900


# --- refusals ------------------------------------------------------------------------------------


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    for place in range(3):
        write(tmp_path / f"logs/{place}.parquet", table(place))
    return tmp_path / "logs"


def rewrite(archive: Path) -> None:
    write(archive / "1.parquet", table(77))


def rename(archive: Path) -> None:
    (archive / "1.parquet").rename(archive / "7.parquet")


def replace_all(archive: Path) -> None:
    for path in archive.iterdir():
        path.rename(path.with_name(f"new-{path.name}"))


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (rewrite, ["logs/1.parquet is not the file", "'1.parquet'", "size differs", "anew"]),
        (rename, ["logs/7.parquet has the size and footer of '1.parquet'", "twice"]),
        (replace_all, ["none of the files of the snapshot (such as '0.parquet')", "merge"]),
    ],
)
def test_files_that_changed(
    archive: Path, change: Callable[[Path], None], parts: list[str]
) -> None:
    base = profile(archive)
    write(archive / "3.parquet", table(3))
    change(archive)
    with pytest.raises(InputError) as caught:
        profile(archive, update=base)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {"time": "ts"},
        {"every": "1h"},
        {"tz": "Europe/Berlin"},
        {"segments": ["text"]},
        {"columns": ["number"]},
        {"roles": {"number": "label"}},
        {"on_schema_change": "separate"},
        {"rank_error": 0.1},
        {"redact": ["text"]},
    ],
)
def test_other_settings(archive: Path, given: dict[str, Any]) -> None:
    base = profile(archive, roles={"number": "score"}, segments=["where"])
    with pytest.raises(InputError, match=rf"made with(out)? {next(iter(given))}.*, not .*leave"):
        profile(archive, update=base, **given)
    same = {"roles": {"number": "score"}, "segments": ["where"], "rank_error": 0.007}
    assert profile(archive, update=base, on_schema_change="error", **same) is base  # type: ignore[arg-type]


def test_profiles_that_are_not_of_one_scan(archive: Path) -> None:
    files = sorted(archive.iterdir())
    merged = profile(files[0]) | profile(files[1])
    for base in (
        merged,
        profile(table(0)),
        profile(files[:2], redact=["text"]),
        profile(files[:2], segments=["where"]).select(segment=["DE"]),
    ):
        with pytest.raises(InputError, match=r"cannot be updated: .*merge the two"):
            profile(archive, update=saved(base))
    with pytest.raises(InputError, match="only files can be added"):
        profile(table(0), update=profile(files[0]))


def test_times_in_a_finer_unit(tmp_path: Path) -> None:
    old = write(tmp_path / "a.parquet", table(0))
    base = profile(old)
    data = table(1)
    finer = data.set_column(0, "ts", data["ts"].cast(pa.timestamp("ns")))
    for name in ("b.parquet", "c.csv"):
        path = write(tmp_path / name, finer)
        with pytest.raises(InputError, match=r"'ts' is timestamp\[us\] in the snapshot.*\[ns\]"):
            profile([old, path], update=base)


def test_segments_of_another_type(tmp_path: Path) -> None:
    options: dict[str, Any] = {"segments": ("s",)}
    old = write(tmp_path / "a.parquet", table(0, s=pa.int64()))
    null = write(tmp_path / "b.parquet", table(0, s=pa.null()))
    new = write(tmp_path / "c.parquet", table(1, s=pa.float64()))
    with pytest.raises(InputError, match=r"'s' is int64 in the snapshot.* double"):
        check([old], [new], **options)
    with pytest.raises(InputError, match=r"'s' is of integers in the snapshot.* double"):
        check([old], [new], **options, columns=("text",))
    check([null], [new], **options)
    check([null], [new], **options, columns=("text",))


def test_a_time_column_without_any_time(tmp_path: Path) -> None:
    old = write(tmp_path / "a.parquet", pa.table({"ts": pa.nulls(3), "x": [1, 2, 3]}))
    new = write(tmp_path / "b.parquet", table(1))
    with pytest.raises(InputError, match="'ts' is only null in the snapshot"):
        check([old], [new], time="ts", every="1d")


def test_files_behind_urls(tmp_path: Path) -> None:
    """In one store, and from a store and the disk, where names are whole URLs."""
    import fsspec

    system = fsspec.filesystem("memory")
    urls = []
    for place in range(3):
        path = write(tmp_path / f"{place}.parquet", table(place))
        urls.append(f"memory://update/{place // 2}/{place}.parquet")
        system.pipe(urls[-1], path.read_bytes())
    try:
        for old, new in ((urls[:2], urls[2:]), ([str(path)], urls[:1]), (urls[:1], [str(path)])):
            base = saved(profile(old))
            assert encode(profile([*old, *new], update=base)) == encode(profile([*old, *new]))
            both = saved(profile([*old, *new]))
            assert profile([*old, *new], update=both) is both
    finally:
        system.rm("/update", recursive=True)
