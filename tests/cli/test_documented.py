"""docs/cli.md names every key that a verb prints as JSON, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"
NAME = re.compile(r"`([a-z_]+)`")
ESTIMATE = {"value", "lower", "upper"}
Table = dict[str, set[str]]


def tables() -> dict[str, Table]:
    """Tables of keys by the line before them; every key with the names in its explanation."""
    text = PAGE.read_text(encoding="utf-8")
    found = {}
    for title, body in re.findall(
        r"^(\S.*):\n\n\| Key \| \|\n\|---\|---\|\n((?:\|.*\n)+)", text, re.MULTILINE
    ):
        rows = [row.strip("|").split("|", 1) for row in body.splitlines()]
        found[title] = {key: set(NAME.findall(b)) for a, b in rows for key in NAME.findall(a)}
    return found


TABLES = tables()
SHOW, COLUMN = (
    TABLES["`show`"],
    TABLES["Of every column (`show --column` prints this one object, with `snapshot`)"],
)
COMPARE, COMPARED = TABLES["`compare`"], TABLES["Of every compared column"]


def keys_of(objects: Iterable[dict[str, Any]]) -> set[str]:
    return {key for figures in objects for key in figures}


def test_estimates_are_explained() -> None:
    line = next(x for x in PAGE.read_text(encoding="utf-8").splitlines() if "An *estimate*" in x)
    assert set(NAME.findall(line.partition("An *estimate*")[2])) == ESTIMATE


def test_profile_and_merge(
    run: Run, logs: Path, snapshots: tuple[Path, Path], tmp_path: Path
) -> None:
    target = tmp_path / "x.lead"
    for done in (
        run("profile", logs, "-o", target, "--json"),
        run("merge", *snapshots, "-o", target, "--json"),
    ):
        assert set(done.json) == set(TABLES["`profile` and `merge`"])


def test_show(run: Run, snapshots: tuple[Path, Path]) -> None:
    figures = run("show", snapshots[0], "--json").json
    assert set(figures) == set(SHOW)
    assert set(figures["settings"]) == SHOW["settings"]
    assert figures["lineage"]
    assert keys_of(figures["lineage"]) == SHOW["lineage"]
    columns = figures["columns"].values()
    assert keys_of(columns) == set(COLUMN)
    assert keys_of(item for column in columns for item in column["top"]) == COLUMN["top"]
    quantiles = [column["quantiles"].values() for column in columns if "quantiles" in column]
    estimates = [column["distinct"] for column in columns] + [
        x for group in quantiles for x in group
    ]
    assert all(set(estimate) == ESTIMATE for estimate in estimates)
    one = run("show", snapshots[0], "--column", "ts", "--json").json
    assert set(one) == {"snapshot", *figures["columns"]["ts"]}


def test_compare(run: Run, snapshots: tuple[Path, Path]) -> None:
    figures = run("compare", *snapshots, "--json").json
    assert set(figures) == set(COMPARE)
    assert set(figures["rows"]) == COMPARE["rows"]
    columns = figures["columns"].values()
    for column in columns:
        assert set(column) == set(COMPARED)
        assert column["quality"]
        assert keys_of(column["quality"].values()) == {"reference", "current"}
        assert set(column["types"]) == set(column["rows"]) == COMPARED["types"]
        judgement = set(TABLES["Of a judgement"])
        assert set(column["missing"]) == judgement - {"change"}
        assert set(column["values"]) == judgement - {"reference", "current", "change"}
        assert keys_of(column["aspects"].values()) <= judgement - {"reference", "current"}
    assert keys_of(figures["columns"]["ts"]["aspects"].values()) >= {"change", "verdict"}
    assert {name for column in columns for name in column["statistics"]} >= {"ks", "chi2"}
    for column in columns:
        for statistic in column["statistics"].values():
            assert set(statistic) == set(TABLES["Of every statistic"])


def test_categories_on_one_side(run: Run, snapshots: tuple[Path, Path], tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("country\n" + "XX\n" * 200, encoding="utf-8")
    assert run("profile", rows, "-o", tmp_path / "x.lead", "--quiet").code == 0
    figures = run("compare", snapshots[0], tmp_path / "x.lead", "--json").json
    table = TABLES["Of `unseen` and `vanished`"]
    for side in ("unseen", "vanished"):
        change = figures["columns"]["country"][side]
        assert set(change) == set(table)
        assert keys_of(change["values"]) == table["values"]


def test_infer_and_check(run: Run, snapshots: tuple[Path, Path], tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    figures = run("infer", snapshots[0], "-o", policy, "--json").json
    assert set(figures) == set(TABLES["`infer`"])
    figures = run("check", *snapshots, "--policy", policy, "--json").json
    table = TABLES["`check`"]
    assert set(figures) == set(table)
    assert set(figures["counts"]) == table["counts"]
    outcomes = [x for part in ("violations", "undecided", "passed") for x in figures[part]]
    assert keys_of(outcomes) == set(TABLES["Of an outcome"])


def test_trend(run: Run, snapshots: tuple[Path, Path]) -> None:
    table = TABLES["`trend`"]
    figures = run("trend", *snapshots, "--baseline", "previous", "--json").json
    assert set(figures) == set(table)
    assert set(figures["reference"]) == table["reference"]
    assert set(figures["budget"]) == table["budget"]
    assert figures["events"]
    assert figures["slow"]
    events = [*figures["events"], *figures["slow"]]
    assert keys_of(events) == set(TABLES["Of an event"])
    changes = [change for event in events for change in event["changes"]]
    assert keys_of(changes) == TABLES["Of an event"]["changes"]
    windows = TABLES["Of a window"]
    assert keys_of(figures["windows"]) == set(windows)
    assert keys_of(w["baseline"] for w in figures["windows"]) == windows["baseline"]
    assert keys_of(figures["series"]) == set(TABLES["Of a series"])


@pytest.mark.demo
def test_demo(run: Run, tmp_path: Path) -> None:
    figures = run("demo", "--directory", tmp_path, "--json").json
    assert set(figures) == set(TABLES["`demo`"])
    for month in figures["months"].values():
        assert set(month) == TABLES["`demo`"]["months"]


def test_every_table_is_checked() -> None:
    assert len(TABLES) == PAGE.read_text(encoding="utf-8").count("| Key |") == 16
