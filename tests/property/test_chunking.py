"""The same rows give the same profile, to the byte, however they are cut, encoded and shared."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadline.profile import Profile
from leadline.scan.formats.plans import joined_and_cut
from leadline.snapshot import encode
from scanning import profile_in_units

WINDOWED: dict[str, Any] = {"time": "when", "every": "1h", "segments": ("where",)}


def table(rows: int, seed: int) -> pa.Table:
    """Rows of every kind of column, with nulls, NaN, infinities and ties."""
    generator = np.random.default_rng(seed)

    def nulls() -> np.ndarray[Any, Any]:
        return generator.random(rows) < 0.1

    number = generator.normal(size=rows)
    number[generator.random(rows) < 0.05] = np.nan
    number[generator.random(rows) < 0.02] = np.inf
    when = np.sort(generator.integers(0, 4 * 3_600_000, rows))
    words = [f"{value}" for value in generator.zipf(1.5, rows) % 1000]
    return pa.table(
        {
            "when": pa.array(when, pa.timestamp("ms"), mask=nulls()),
            "where": pa.array(generator.choice(["DE", "FR", ""], rows), mask=nulls()),
            "number": pa.array(number, mask=nulls()),
            "count": pa.array(generator.poisson(3, rows).astype(np.int16), mask=nulls()),
            "wide": pa.array(generator.integers(-(2**62), 2**62, rows)),
            "flag": pa.array(generator.random(rows) < 0.3, mask=nulls()),
            "day": pa.array(generator.integers(0, 50, rows).astype(np.int32), pa.date32()),
            "text": pa.array(words, pa.string(), mask=nulls()),
        }
    )


def rechunk(data: pa.Table, sizes: list[int]) -> pa.Table:
    """The same rows in batches of the given sizes, which are used in turn."""
    batches = []
    begin = 0
    while begin < data.num_rows:
        size = sizes[len(batches) % len(sizes)] or 1
        batches += data.slice(begin, size).combine_chunks().to_batches()
        begin += size
    return pa.Table.from_batches(batches, data.schema)


def same(a: Profile, b: Profile) -> None:
    assert encode(a) == encode(b)


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(
    rows=st.integers(0, 400),
    seed=st.integers(0, 2**16),
    sizes=st.lists(st.integers(0, 200), min_size=1, max_size=5),
    options=st.sampled_from([{}, WINDOWED]),
)
def test_batches_do_not_matter(
    rows: int, seed: int, sizes: list[int], options: dict[str, Any]
) -> None:
    data = table(rows, seed)
    same(profile_in_units(data, **options), profile_in_units(rechunk(data, sizes), **options))


@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(rows=st.integers(1, 300), seed=st.integers(0, 2**16), before=st.integers(1, 70))
def test_slices_do_not_matter(rows: int, seed: int, before: int) -> None:
    data = table(rows, seed)
    sliced = pa.concat_tables([table(before, seed + 1), data]).combine_chunks().slice(before)
    same(profile_in_units(data, **WINDOWED), profile_in_units(sliced, **WINDOWED))


@pytest.mark.parametrize("options", [{}, WINDOWED])
def test_encodings_do_not_matter(options: dict[str, Any]) -> None:
    data = table(500, 1)
    expected = profile_in_units(data, **options)
    text = data.column("text").combine_chunks()
    dictionary = text.dictionary_encode()
    codes = [None if code is None else code + 2 for code in dictionary.indices.to_pylist()]
    entries = pa.concat_arrays([pa.array(["unused", None], pa.string()), dictionary.dictionary])
    unused = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), entries)
    for variant in (dictionary, unused, text.cast(pa.large_string()), text.cast(pa.string_view())):
        position = data.column_names.index("text")
        same(expected, profile_in_units(data.set_column(position, "text", variant), **options))
    encoded = data.set_column(1, "where", data.column("where").dictionary_encode())
    same(expected, profile_in_units(encoded, **options))


@pytest.mark.parametrize("options", [{}, WINDOWED])
def test_threads_do_not_matter(options: dict[str, Any]) -> None:
    data = table(1_500, 2)
    expected = profile_in_units(data, **options)
    for threads in (2, 3, 8):
        same(expected, profile_in_units(data, threads=threads, **options))


def test_threads_and_repeats_do_not_matter_for_files(tmp_path: Path) -> None:
    for part in range(4):
        pq.write_table(
            table(300, part), tmp_path / f"{part}.parquet", row_group_size=37 + 60 * part
        )
    expected = profile_in_units(tmp_path, **WINDOWED)
    for threads in (1, 2, 4):
        same(expected, profile_in_units(tmp_path, threads=threads, **WINDOWED))


@pytest.mark.parametrize("group_rows", [64, 640])
def test_parquet_equals_memory_where_units_agree(tmp_path: Path, group_rows: int) -> None:
    data = table(640, 3)
    path = tmp_path / "a.parquet"
    pq.write_table(data, path, row_group_size=group_rows)
    from_file = profile_in_units(path, **WINDOWED)
    from_memory = profile_in_units(data, **WINDOWED)
    same(replace(from_file, lineage=(), continuation=None), replace(from_memory, lineage=()))


@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(
    group_rows=st.sampled_from([1, 7, 64, 100, 128]),
    threads=st.sampled_from([1, 2, 3]),
    seed=st.integers(0, 2**16),
    options=st.sampled_from([{}, WINDOWED]),
)
def test_row_groups_do_not_matter_where_units_agree(
    tmp_path_factory: pytest.TempPathFactory,
    group_rows: int,
    threads: int,
    seed: int,
    options: dict[str, Any],
) -> None:
    """Units of 64 rows: groups that divide them, that they divide, and whole multiples."""
    data = table(640, seed)
    path = tmp_path_factory.mktemp("groups") / "a.parquet"
    pq.write_table(data, path, row_group_size=group_rows, data_page_size=200)
    metadata = pq.read_metadata(path)
    rows = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    units = [unit for _, units in joined_and_cut(rows, 64) for unit in units]
    batches = data.combine_chunks().to_batches()[0]
    starts = [0, *accumulate(units)]
    parts = [batches.slice(start, unit) for start, unit in zip(starts, units, strict=False)]
    from_file = profile_in_units(path, threads=threads, **options)
    same(replace(from_file, lineage=(), continuation=None), folded(parts, options))


def folded(units: list[pa.RecordBatch], options: dict[str, Any]) -> Profile:
    """The profile of units that were profiled one by one and merged in order."""
    profiles = [profile_in_units(pa.Table.from_batches([unit]), **options) for unit in units]
    total = replace(profiles[0], lineage=())
    for other in profiles[1:]:
        total = total.merge(replace(other, lineage=()))
    return total


def written(data: pa.Table, path: Path, name: str) -> Path:
    """The rows as a file in one of the formats that are decoded in pieces."""
    path = path / name
    if name.endswith(".csv"):
        pyarrow.csv.write_csv(data, path)
    elif name.endswith(".jsonl"):
        path.write_text("".join(json.dumps(row, default=str) + "\n" for row in data.to_pylist()))
    else:
        opens = pa.ipc.new_stream if name.endswith(".arrows") else pa.ipc.new_file
        compressed = pa.ipc.IpcWriteOptions(compression="zstd")
        with pa.OSFile(str(path), "wb") as file, opens(file, data.schema, options=compressed) as to:
            to.write_table(data, max_chunksize=50)
    return path


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.arrow", "a.arrows"])
def test_pieces_and_threads_do_not_matter(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = table(700, 5)
    quoted = pa.array([f'{text},"\n' for text in data["text"].to_pylist()])
    data = data.append_column("quoted", quoted)
    path = written(data.drop_columns(["number"]), tmp_path, name)  # JSON has no infinities
    whole = profile_in_units(path)
    assert whole.rows == 700
    assert whole["quoted"].nulls == 0
    monkeypatch.setattr("leadline.scan.formats.csv._BLOCK", 900)
    monkeypatch.setattr("leadline.scan.formats.json_lines._BLOCK", 900)
    for threads in (1, 2, 4):
        same(whole, profile_in_units(path, threads=threads))


def test_types_that_change_far_into_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"{number},{number % 7}" for number in range(3_000)]
    lines[2_500] = "2500.5,x"
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + "\n".join(lines) + "\n")
    expected = profile_in_units(path)
    assert (expected["a"].type, expected["b"].type) == ("double", "string")
    monkeypatch.setattr("leadline.scan.formats.csv._BLOCK", 1_000)
    for threads in (1, 3):
        found = profile_in_units(path, threads=threads)
        assert [event.column for event in found.events] == ["a", "b"]
        same(expected, replace(found, events=()))


def test_groups_by_hand() -> None:
    """Oracle: pandas' groupby on the raw rows."""
    data = table(700, 4)
    frame = data.to_pandas()
    grouped = frame.groupby([frame["when"].dt.floor("1h"), "where"], dropna=False)["number"]
    expected = {}
    for (when, where), values in grouped:
        start = None if when is None or when != when else when.value // 1_000  # noqa: PLR0124 (NaT)
        where = None if where != where else where  # noqa: PLR0124, PLW2901
        expected[start, where] = (len(values), float(np.nansum(values[np.isfinite(values)])))
    profile = profile_in_units(data, **WINDOWED)
    found = {}
    for cell in profile.cells:
        assert cell.window is not None
        summary = cell.states["number"].summary
        moments = summary.get_moments()  # type: ignore[union-attr]
        found[cell.window.start, cell.segment[0]] = (cell.rows, moments.mean * moments.count)
    assert found.keys() == expected.keys()
    for key, (rows, total) in expected.items():
        assert found[key][0] == rows
        assert found[key][1] == pytest.approx(total, rel=1e-12, abs=1e-12)
