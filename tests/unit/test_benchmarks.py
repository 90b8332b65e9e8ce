"""The benchmark runs from data to table on tiny data, and refuses answers that are not true."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks import documents, kernels
from benchmarks.data import FLOATS, TINY, Data, part_table
from benchmarks.exact import DisagreementError, check, truth_of
from benchmarks.measure import Contestant, Measured, WorkerError, ratio, take_turns
from benchmarks.parts import PARTS, Bench
from benchmarks.promise import ROWS, promise
from benchmarks.table import every


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    root = tmp_path_factory.mktemp("bench")
    return Bench(Data.open(root, TINY), root / "environments")


def test_the_anchor_archive_is_the_one_described(bench: Bench) -> None:
    path = bench.data.file("anchor.parquet")
    metadata = pq.read_metadata(path)
    assert metadata.num_columns == 18
    assert metadata.num_rows == TINY.anchor_rows
    assert metadata.row_group(0).num_rows == TINY.row_group
    assert metadata.row_group(0).column(0).compression == "ZSTD"
    table = pq.read_table(path)
    kinds = [str(field.type) for field in table.schema]
    assert kinds == [
        *["double"] * 8, "float", "int32", "int64", "int64", "int8", "bool", *["string"] * 3,
        "timestamp[us]",
    ]  # fmt: skip
    assert set(FLOATS) == set(table.column_names[:9])
    assert 0.04 < table["gamma"].null_count / len(table) < 0.06
    assert 0.005 < np.isnan(table["gaps"].to_numpy()).mean() < 0.015
    assert 0.67 < (table["zeros"].to_numpy() == 0).mean() < 0.73
    assert set(table["age"].to_pylist()) == set(range(18, 90))
    assert len(set(table["s10"].to_pylist())) == 10
    assert (np.diff(table["ts"].to_numpy()) == np.timedelta64(1, "ms")).all()


def test_data_is_the_same_every_time_and_no_part_repeats_another() -> None:
    assert part_table(1, 3, 100).equals(part_table(1, 3, 100))
    assert not part_table(1, 3, 100).equals(part_table(1, 4, 100))


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "precious").touch()
    with pytest.raises(SystemExit, match="not made by"):
        Data.open(tmp_path, TINY)
    assert (tmp_path / "tiny" / "precious").exists()


def test_answers_are_held_against_the_raw_values() -> None:
    truth = {"x": truth_of(pa.array([*np.arange(10_000.0), None, np.nan]))}
    right = {"rows": 10_002, "nulls": 1, "distinct": 10_000, "mean": 4_999.5, "nan": 1}
    check("pandas", {"x": {**right, "quantiles": {0.5: 4_999.5}}}, truth)
    for wrong in (
        {"nulls": 2},
        {"mean": 5_000.0},
        {"distinct": 9_990},
        {"distinct_between": [1, 9_999]},
        {"quantiles": {0.5: 5_100.0}},
        {"quantiles_between": {0.5: [5_100.0, 5_200.0]}},
        {"mean": float("nan")},
    ):
        with pytest.raises(DisagreementError, match="pandas"):
            check("pandas", {"x": {**right, **wrong}}, truth)
    with pytest.raises(DisagreementError, match="nothing"):
        check("pandas", {"x": {}}, truth)


def test_a_ratio_is_taken_within_rounds() -> None:
    slow, fast = (Measured(each, each, 0, {}) for each in ([2.0, 8.0, 30.0], [1.0, 2.0, 10.0]))
    found = ratio(slow, fast)
    assert (found.value, found.low, found.high) == (3.0, 2.0, 4.0)


def test_a_peer_that_fails_says_why(bench: Bench) -> None:
    lost = Contestant("lost", bench.peer("numpy"), "column", {"path": "/nowhere.npy"})
    with pytest.raises(WorkerError, match=r"lost ended with code 1: (.|\n)*nowhere\.npy"):
        take_turns([lost], 1)


def test_parts_run_and_their_rows_are_filled(bench: Bench) -> None:
    names = ["column", "snapshot"]
    results = {name: PARTS[name](bench) for name in names}
    lines = promise(results, bench.data.sizes)
    filled = [row for row in ROWS if set(row.parts) <= set(names)]
    assert len(lines) == 2 + len(filled) == 7
    assert all(line.count("|") == 6 for line in lines)
    contestants = sum(len(figures) for figures in results.values())
    assert len(every(results)) == 2 + contestants
    assert all(each.peak > 10e6 for figures in results.values() for each in figures.values())


def test_the_kernels_agree_and_fill_their_table(tmp_path: Path) -> None:
    output = tmp_path / "kernels.json"
    kernels.run(output, "-k", "moments and normal and L2", "--benchmark-max-time=0.001")
    head, _, row = kernels.table(output)
    assert head.startswith("| Kernel | Column | L2: ")
    assert row.startswith("| moments | normal | ")
    assert head.count("|") == row.count("|")
    with pytest.raises(kernels.KernelsError, match="unrecognized"):
        kernels.run(output, "--no-such-option")


def test_only_what_is_between_the_markers_is_rewritten(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- measured: x -->\nold\n<!-- end -->\nb\n", encoding="utf-8")
    documents.fill(page, "x", ["new", "lines"])
    documents.fill(page, "x", [r"\1"])
    expected = "a\n<!-- measured: x -->\n\\1\n<!-- end -->\nb\n"
    assert page.read_text(encoding="utf-8") == expected
    with pytest.raises(SystemExit, match="measured: y"):
        documents.fill(page, "y", [])


def test_the_pages_have_a_place_for_every_table_and_their_tables_are_whole() -> None:
    text = documents.PAGE.read_text(encoding="utf-8")
    for name in ("conditions", "promise", "anchor-peers", "anchor", "column-peers", "shapes",
                 "billion", "kernels", "every"):  # fmt: skip
        assert text.count(f"<!-- measured: {name} -->\n") == 1
    assert documents.README.read_text(encoding="utf-8").count("<!-- measured: short -->\n") == 1
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1
