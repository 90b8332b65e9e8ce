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


def test_segments_and_importance(run: Run, snapshots: Pair, tmp_path: Path) -> None:
    weights = tmp_path / "weights.csv"
    weights.write_text("column,weight\nincome,3\n", encoding="utf-8")
    options = ("--by", "country", "--importance", weights)
    figures = run("compare", *snapshots, *options, "--json").json
    assert [one["segment"] for one in figures["segments"]] == [
        {"country": "DE"}, {"country": "FR"}, {"country": "IT"},
    ]  # fmt: skip
    assert {one["verdict"] for one in figures["segments"]} == {"drift"}
    assert figures["mix"]["verdict"] == "none"
    assert figures["columns"]["income"]["importance"] == 3.0
    assert figures["ranking"][0]["name"] == "income"
    out = run("compare", *snapshots, *options).out
    assert "share of all change" in out
    assert [line.split()[:2] for line in out.splitlines() if line[:3] in ("DE ", "FR ", "IT ")] == [
        ["DE", "drift"], ["FR", "drift"], ["IT", "drift"],
    ]  # fmt: skip
    as_json = tmp_path / "weights.json"
    as_json.write_text('{"income": 3}', encoding="utf-8")
    again = run("compare", *snapshots, "--importance", as_json, "--independent", "--json").json
    assert again["columns"]["income"]["importance"] == 3.0
    assert again["windows"] == 0


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("w.csv", "income,much\nage,1\nage,x\n", "line 3: 'age,x' is not a name and a number"),
        ("w.csv", "income\n", "line 1: 'income' is not a name and a number"),
        ("w.csv", "a,1\na,2\n", "gives 'a' twice"),
        ("w.csv", "", "holds no weights"),
        ("w.csv", "incom,1\n", "did you mean 'income'?"),
        ("w.csv", "income,-1\n", "the importance of 'income' is -1.0"),
        ("w.json", "[1, 2]", "is not an object such as"),
        ("w.json", "{", "is not JSON"),
        ("w.json", '{"income": "x"}', "the importance of 'income' is 'x'"),
        ("w.json", '{"income": 1, "income": 2}', "gives 'income' twice"),
    ],
)
def test_wrong_weights_are_one_line(
    run: Run, snapshots: Pair, tmp_path: Path, name: str, text: str, says: str
) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    done = run("compare", *snapshots, "--importance", file)
    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert says in done.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["{0}", "gone.lead"], "gone.lead"),
        (["{0}", "{1}", "--by", "age"], "no segments by 'age'; it has them by country"),
        (["{0}", "{1}", "--importance", "gone.csv"], "gone.csv"),
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
