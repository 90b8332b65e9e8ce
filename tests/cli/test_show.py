"""`leadline show`."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len

import leadline as ll

from .conftest import Run

Pair = tuple[Path, Path]


def test_one_line_a_column(run: Run, snapshots: Pair) -> None:
    done = run("show", snapshots[0])
    assert done.code == 0
    lines = done.out.splitlines()
    assert "3,000 rows" in lines[0]
    assert "3 windows of 1d by ts (UTC), 2026-01-05 to 2026-01-08" in done.out
    assert "3 segments by country" in done.out
    for name in ("ts", "age", "income", "country"):
        assert any(line.startswith(name) for line in lines), name
    income = next(line for line in lines if line.startswith("income"))
    assert "float" in income
    assert "█" in income
    assert "DE " in next(line for line in lines if line.startswith("country"))


@pytest.mark.parametrize("width", [60, 80, 120])
def test_lines_fit_the_width(
    run: Run, snapshots: Pair, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    done = run("show", snapshots[0])
    assert max(cell_len(line) for line in done.out.splitlines()[4:]) <= width


def test_json_is_the_profile(run: Run, snapshots: Pair) -> None:
    figures = run("show", snapshots[0], "--json").json
    assert figures["snapshot"] == str(snapshots[0])
    assert figures["rows"] == 3_000
    assert figures["cells"] == 9
    assert len(figures["windows"]) == 3
    assert figures["segments"] == [["DE"], ["FR"], ["IT"]]
    keys = {"snapshot", "rows", "cells", "windows", "segments", "settings", "tags", "events"}
    assert set(figures) == keys | {"lineage", "columns"}
    income = figures["columns"]["income"]
    assert income["rows"] == 3_000
    assert income["mean"] == ll.read(snapshots[0])["income"].mean
    assert set(income["quantiles"]["0.5"]) == {"value", "lower", "upper"}


def test_one_column_in_full(run: Run, snapshots: Pair) -> None:
    done = run("show", snapshots[0], "--column", "income")
    assert done.code == 0
    for text in ("double", "nulls", "quantiles", "50.0%", "█"):
        assert text in done.out, text
    figures = run("show", snapshots[0], "--column", "income", "--json").json
    assert figures["name"] == "income"
    assert figures["nulls"] == ll.read(snapshots[0])["income"].nulls


@pytest.mark.parametrize("column", ["ts", "age", "country"])
def test_every_kind_of_column_in_full(run: Run, snapshots: Pair, column: str) -> None:
    done = run("show", snapshots[0], "--column", column)
    assert done.code == 0, done.err
    assert column in done.out


def test_window_and_segment_choose_cells(run: Run, snapshots: Pair) -> None:
    whole = ll.read(snapshots[0])
    done = run("show", snapshots[0], "--window", "2026-01-06", "--segment", "country=FR", "--json")
    expected = whole.select(window="2026-01-06T12:00", segment={"country": "FR"})
    assert done.json["rows"] == expected.rows
    assert done.json["cells"] == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--column", "incom"], "did you mean 'income'?"),
        (["--window", "2031-01-01"], "2031"),
        (["--window", "yesterday"], "yesterday"),
        (["--segment", "country=XX"], "XX"),
        (["--segment", "land=DE"], "land"),
        (["--segment", "DE"], "NAME=VALUE"),
    ],
)
def test_wrong_choice_is_one_line(
    run: Run, snapshots: Pair, arguments: list[str], says: str
) -> None:
    done = run("show", snapshots[0], *arguments)
    assert done.code == 2
    assert done.out == ""
    assert len(done.err.splitlines()) == 1
    assert says in done.err


def test_a_file_that_is_no_snapshot(run: Run, tmp_path: Path) -> None:
    for name, content in [("empty.lead", b""), ("text.lead", b"hello"), ("zeros.lead", bytes(99))]:
        path = tmp_path / name
        path.write_bytes(content)
        done = run("show", path)
        assert done.code == 2, name
        assert len(done.err.splitlines()) == 1
        assert name in done.err
    assert run("show", tmp_path / "missing.lead").code == 2
    assert run("show", tmp_path).code == 2


def test_a_window_is_named_in_the_zone_of_the_profile(run: Run, logs: Path, tmp_path: Path) -> None:
    # Midnight of January 6 in New York is five hours later in UTC.
    out = tmp_path / "x.lead"
    options = ["--time", "ts", "--every", "1d", "--tz", "America/New_York"]
    assert run("profile", logs, "-o", out, *options).code == 0
    figures = run("show", out, "--window", "2026-01-06", "--json").json
    assert figures["windows"] == ["2026-01-06T05:00:00+00:00/2026-01-07T05:00:00+00:00"]
    same = run("show", out, "--window", "2026-01-06T05:00Z", "--json").json
    assert same["windows"] == figures["windows"]
    assert "1 window of 1d by ts" in run("show", out, "--window", "2026-01-06").out
