"""`--statistics`: names, and statistics of one's own from a Python file."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from .conftest import Run

OWN = """
import leadline as ll

def longer(reference, current):
    return current.quantile(0.9).value - reference.quantile(0.9).value

tail = ll.CustomStatistic("tail", longer, kinds=["numeric"], unit="ms")
"""


@pytest.fixture
def snapshots(run: Run, tmp_path: Path) -> list[Path]:
    files = []
    for name, shift in (("a", 0), ("b", 5)):
        data = tmp_path / f"{name}.parquet"
        pq.write_table(pa.table({"x": [value + shift for value in range(200)]}), data)
        files.append(tmp_path / f"{name}.lead")
        assert run("profile", data, "-o", files[-1]).code == 0
    return files


def test_statistics_of_a_file_stand_beside_named_ones(
    run: Run, snapshots: list[Path], tmp_path: Path
) -> None:
    own = tmp_path / "own.py"
    own.write_text(OWN)
    done = run("compare", *snapshots, "--statistics", f"cliffs_delta,{own}")
    assert done.code == 0
    assert "tail" in done.out
    assert "cliffs_delta" in done.out
    figures = run("compare", *snapshots, "--statistics", own, "--json").json
    found = figures["columns"]["x"]["statistics"]["tail"]
    assert (found["value"], found["unit"]) == (5, "ms")
    assert "tail" in run("compare", *snapshots, "--statistics", own, "--column", "x").out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1", "defines no leadline.CustomStatistic at its top level"),
        ("1 / 0", "cannot be run: line 1: ZeroDivisionError"),
        (OWN.replace('"tail"', '"psi"'), "there are two statistics 'psi'"),
        (OWN.replace("0.9", "9"), "statistic 'tail' failed on column 'x': InputError"),
    ],
)
def test_files_that_cannot_be_used(
    run: Run, snapshots: list[Path], tmp_path: Path, text: str, told: str
) -> None:
    own = tmp_path / "own.py"
    own.write_text(text)
    done = run("compare", *snapshots, "--statistics", own)
    assert done.code == 2
    assert told in " ".join(done.err.split())


def test_a_missing_file_and_an_unknown_name(run: Run, snapshots: list[Path]) -> None:
    done = run("compare", *snapshots, "--statistics", "none.py")
    assert (done.code, "--statistics takes a Python file" in done.err) == (2, True)
    done = run("compare", *snapshots, "--statistics", "helinger")
    assert (done.code, "did you mean 'hellinger'" in done.err) == (2, True)
