"""`leadline merge`."""

from __future__ import annotations

from pathlib import Path

import pytest

import leadline as ll
from leadline.profile import Profile

from .conftest import Run

Pair = tuple[Path, Path]


def test_merges_in_the_order_given(run: Run, snapshots: Pair, tmp_path: Path) -> None:
    out = tmp_path / "all.lead"
    done = run("merge", *snapshots, "-o", out)
    assert done.code == 0
    assert "6,000 rows, 4 columns, 18 cells" in done.out
    merged = ll.read(out)
    expected = ll.read(snapshots[0]) | ll.read(snapshots[1])
    assert merged.to_dict() == expected.to_dict()


def test_json_has_the_documented_keys(run: Run, snapshots: Pair, tmp_path: Path) -> None:
    out = tmp_path / "all.lead"
    figures = run("merge", *snapshots, "-o", out, "--json").json
    size = out.stat().st_size
    expected = {"snapshot": str(out), "rows": 6_000, "columns": 4, "cells": 18, "bytes": size}
    assert figures == expected


def test_rolls_days_up_to_weeks(run: Run, snapshots: Pair, tmp_path: Path) -> None:
    # 2026-01-05 is a Monday; all six days lie in its week.
    out = tmp_path / "week.lead"
    assert run("merge", *snapshots, "-o", out, "--every", "1w").code == 0
    week = ll.read(out)
    assert [str(window) for window in week.windows] == [
        "2026-01-05T00:00:00+00:00/2026-01-12T00:00:00+00:00"
    ]
    assert len(week.cells) == 3
    assert week.settings.every == "1w"
    assert week.rows == 6_000


def test_rolled_up_counts_equal_those_of_longer_windows(
    run: Run, logs: Path, snapshots: Pair, tmp_path: Path
) -> None:
    out = tmp_path / "week.lead"
    assert run("merge", *snapshots, "-o", out, "--every", "1w").code == 0
    direct = ll.profile(logs, time="ts", every="1w", segments=["country"])

    def counted(profile: Profile) -> list[tuple[object, ...]]:
        states = (cell.states["age"] for cell in profile.cells)
        return [(cell.key, cell.rows, state.nulls) for cell, state in zip(profile.cells, states)]  # noqa: B905

    assert counted(ll.read(out)) == counted(direct)
    assert ll.read(out)["age"].to_dict() == direct["age"].to_dict()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["{0}", "{0}", "-o", "x.lead"], "twice"),
        (["{0}", "gone.lead", "-o", "x.lead"], "gone.lead"),
        (["{0}", "{1}", "-o", "x.lead", "--every", "soon"], "soon"),
        (["{0}", "{1}", "-o", "x.lead", "--every", "1h"], "1h"),
        (["{0}", "{1}", "-o", "no/x.lead"], "there is no directory"),
        (["-o", "x.lead"], "SNAP"),
    ],
)
def test_what_cannot_be_merged_is_one_line(
    run: Run,
    snapshots: Pair,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("merge", *(text.format(*snapshots) for text in arguments))
    assert done.code == 2
    assert len(done.err.splitlines()) == 1
    assert says in done.err
    assert not list(tmp_path.iterdir())


def test_profiles_without_windows_cannot_be_rolled_up(run: Run, logs: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole.lead"
    assert run("profile", logs, "-o", whole).code == 0
    done = run("merge", whole, "-o", tmp_path / "x.lead", "--every", "1w")
    assert done.code == 2
    assert "no windows" in done.err


def test_weeks_do_not_add_up_to_months(run: Run, snapshots: Pair, tmp_path: Path) -> None:
    week = tmp_path / "week.lead"
    assert run("merge", *snapshots, "-o", week, "--every", "4w").code == 0
    done = run("merge", week, "-o", tmp_path / "x.lead", "--every", "1mo")
    assert done.code == 2
    assert "cannot be rolled up" in done.err
