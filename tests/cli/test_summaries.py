"""`--summaries FILE.py`: summaries of one's own on the command line."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from .conftest import Run

OWN = """
import numpy as np
from numba import njit
import leadline as ll

@njit(nogil=True)
def update(state, values):
    for value in values:
        state[0] += value > 100
        state[1] += 1

@njit(nogil=True)
def merge(state, other):
    state += other

def change(reference, current):
    return current[0] / current[1] - reference[0] / reference[1]

large = ll.CustomSummary("large", np.zeros(2, np.int64), update=update, merge=merge, compare=change)
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.py"
    path.write_text(OWN)
    return path


@pytest.fixture
def profiled(run: Run, tmp_path: Path, own: Path) -> list[Path]:
    files = []
    for name, values in (("a", [1, 200, 3, 4]), ("b", [101, 102, 5, 6])):
        data = tmp_path / f"{name}.parquet"
        pq.write_table(pa.table({"x": values}), data)
        files.append(tmp_path / f"{name}.lead")
        assert run("profile", data, "-o", files[-1], "--summaries", own).code == 0
    return files


def test_a_summary_is_stored_and_shown(run: Run, profiled: list[Path]) -> None:
    done = run("show", profiled[0], "--json")
    expected = {"type": "int64", "shape": [2], "state": [1, 4]}
    assert done.json["columns"]["x"]["custom"] == {"large": expected}
    assert "summary large\n[1 4]" in run("show", profiled[0], "--column", "x").out


def test_two_snapshots_are_compared(run: Run, profiled: list[Path], own: Path) -> None:
    done = run("compare", *profiled, "--summaries", own, "--json")
    assert done.json["columns"]["x"]["custom"]["large"]["value"] == 0.25
    assert (
        "large (own summary): 0.25"
        in run("compare", *profiled, "--summaries", own, "--column", "x").out
    )


def test_a_merge_needs_the_functions(run: Run, profiled: list[Path], own: Path) -> None:
    target = profiled[0].with_name("both.lead")
    refused = run("merge", *profiled, "-o", target)
    assert refused.code == 2
    assert "add --summaries FILE.py" in refused.err
    assert not target.exists()
    assert run("merge", *profiled, "-o", target, "--summaries", own).code == 0
    figures = run("show", target, "--json").json["columns"]["x"]
    assert figures["custom"]["large"]["state"] == [3, 8]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", "defines no leadline.CustomSummary"),
        ("\n1 / 0", "line 2: ZeroDivisionError"),
        ("def f(:", "SyntaxError"),
        ("import leadline as ll\nll.CustomSummary('a b', [0.0], update=1, merge=1)", "cannot name"),
    ],
)
def test_a_file_that_does_not_work_is_one_line(
    run: Run, tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "bad.py"
    path.write_text(text)
    pq.write_table(pa.table({"x": [1]}), tmp_path / "x.parquet")
    done = run("profile", tmp_path / "x.parquet", "-o", tmp_path / "x.lead", "--summaries", path)
    assert done.code == 2
    assert message in done.err
    assert done.err.count("\n") == 1


def test_a_missing_file_is_one_line(run: Run, profiled: list[Path]) -> None:
    done = run("compare", *profiled, "--summaries", "nowhere.py")
    assert (done.code, done.err) == (
        2,
        "leadline: nowhere.py is not a file; --summaries takes a Python file\n",
    )


def test_a_file_that_ends_the_process_is_one_line(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text("raise SystemExit(0)")
    pq.write_table(pa.table({"x": [1]}), tmp_path / "x.parquet")
    done = run("profile", tmp_path / "x.parquet", "-o", tmp_path / "x.lead", "--summaries", path)
    assert done.code == 2
    assert "line 1: SystemExit: 0" in done.err
