"""`leadline compare`."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len

import leadline as ll

from .conftest import Run

Pair = tuple[Path, Path]


def test_the_worst_comes_first(run: Run, snapshots: Pair) -> None:
    done = run("compare", *snapshots)
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == f"{snapshots[1]} against {snapshots[0]}"
    assert lines[1] == "3,000 rows against 3,000"
    assert lines[2].startswith("verdict drift")
    starts = [line.split()[0] for line in lines if line and not line.startswith(" ")]
    assert starts.index("income") < starts.index("age")
    income = lines.index(next(line for line in lines if line.startswith("income")))
    assert "drift" in lines[income]
    assert "ks 0." in lines[income]
    assert any(block in lines[income] for block in "▁▂▃▄▅▆▇█")
    assert any(block in lines[income + 1] for block in "▁▂▃▄▅▆▇█")
    assert any(line.startswith("country") and "role segment" in line for line in lines)


@pytest.mark.parametrize("width", [80, 120])
def test_tables_fit_the_width(
    run: Run, snapshots: Pair, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = run("compare", *snapshots).out.splitlines()
    table = lines[lines.index(next(line for line in lines if line.startswith("column "))) :]
    assert max(cell_len(line) for line in table) <= width


def test_json_is_the_comparison(run: Run, snapshots: Pair) -> None:
    figures = run("compare", *snapshots, "--json").json
    expected = ll.compare(ll.read(snapshots[0]), ll.read(snapshots[1]))
    assert figures["reference"] == str(snapshots[0])
    assert figures["current"] == str(snapshots[1])
    assert figures["verdict"] == "drift"
    assert figures["drifted"] == list(expected.drifted) == ["income"]
    assert set(figures["columns"]) == {"ts", "age", "income", "country"}
    income = figures["columns"]["income"]
    assert set(income) >= {"name", "role", "verdict", "reason", "values", "missing", "statistics"}
    assert income["statistics"]["ks"]["value"] == expected["income"].ks.value
    assert set(income["statistics"]["ks"]) >= {"value", "lower", "upper", "ci_lower", "ci_upper"}


def test_one_column_in_full(run: Run, snapshots: Pair) -> None:
    done = run("compare", *snapshots, "--column", "income")
    assert done.code == 0
    for text in ("ks", "psi", "jensen_shannon", "wasserstein", "reference", "current", "drift:"):
        assert text in done.out, text
    figures = run("compare", *snapshots, "--column", "income", "--json").json
    assert list(figures["columns"]) == ["income"]


def test_statistics_asked_for_are_shown(run: Run, snapshots: Pair) -> None:
    done = run("compare", *snapshots, "--statistics", "psi,wasserstein")
    header = next(line for line in done.out.splitlines() if "wasserstein" in line)
    assert header.split() == ["column", "psi", "wasserstein"]


def test_quiet_prints_nothing(run: Run, snapshots: Pair) -> None:
    done = run("compare", *snapshots, "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_equal_sides_have_no_drift(run: Run, snapshots: Pair) -> None:
    figures = run("compare", snapshots[0], snapshots[0], "--json").json
    assert figures["verdict"] == "none"
    assert figures["drifted"] == []


def test_added_and_missing_columns_are_named(run: Run, logs: Path, tmp_path: Path) -> None:
    wide, narrow = tmp_path / "wide.lead", tmp_path / "narrow.lead"
    assert run("profile", logs, "-o", wide).code == 0
    assert run("profile", logs, "-o", narrow, "--columns", "age,country").code == 0
    assert "columns missing: ts, income" in run("compare", wide, narrow).out
    assert "columns added: ts, income" in run("compare", narrow, wide).out
    assert run("compare", wide, narrow, "--json").json["missing"] == ["ts", "income"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["{0}", "gone.lead"], "gone.lead"),
        (["{0}", "{1}", "--statistics", "kss"], "kss"),
        (["{0}", "{1}", "--column", "incom"], "did you mean 'income'?"),
        (["{0}"], "CUR"),
    ],
)
def test_wrong_use_is_one_line(run: Run, snapshots: Pair, arguments: list[str], says: str) -> None:
    done = run("compare", *(text.format(*snapshots) for text in arguments))
    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert says in done.err
