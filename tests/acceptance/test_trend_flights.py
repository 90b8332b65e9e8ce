"""A year of flights by day: what everybody who flew remembers is on the first screen."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import leadline as ll
from leadline.cli import main
from leadline.cli.demo import ROLES
from leadline.profile import Profile
from leadline.trend import Event, Trend
from leadline.trend.watch import Watch

pytestmark = pytest.mark.demo
PAGE = Path(__file__).resolve().parents[2] / "docs" / "trend.md"
# Cancelled flights of the worst days, counted from the raw rows: they have no departure time.
CANCELLED = {
    "2013-02-08": 472,
    "2013-02-09": 393,
    "2013-05-23": 221,
    "2013-12-10": 204,
    "2013-09-12": 192,
}
EMPTIEST = {"2013-11-28": 634, "2013-11-29": 661}


@pytest.fixture(scope="module")
def year(flights: Path) -> Profile:
    return ll.profile(
        flights, time="time_hour", every="1d", tz="America/New_York", roles=ROLES, threads=2
    )


@pytest.fixture(scope="module")
def followed(year: Profile) -> Trend:
    return ll.trend(year)


def days_of(trend: Trend, column: str, what: str, events: tuple[Event, ...]) -> set[str]:
    """Days on which a series was in alarm, of some events."""
    return {
        day
        for event in events
        for change in event.changes
        if (change.column, change.what) == (column, what)
        for day in change.windows
    }


def test_the_days_are_what_they_are_taken_for(year: Profile) -> None:
    for day, count in CANCELLED.items():
        assert year.select(window=f"{day}T17:00:00+00:00")["dep_time"].nulls == count
    rows = {cell.window: cell.rows for cell in year.cells}
    assert sorted(rows.values())[:2] == list(EMPTIEST.values())


def test_the_worst_events_name_the_cancelled_flights(followed: Trend) -> None:
    worst = followed.worst_first[:10]
    assert set(CANCELLED) <= days_of(followed, "dep_time", "missing", worst)
    assert set(EMPTIEST) <= days_of(followed, "", "rows", worst)
    (event,) = [event for event in worst if event.start == "2013-02-08"]
    assert event.end == "2013-02-09"


def test_they_are_on_one_screen(
    year: Profile,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    year.save(tmp_path / "year.lead")
    monkeypatch.chdir(tmp_path)
    assert main(["trend", "year.lead"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    cancelled = [line for line in lines if "in dep_time" in line]
    for day in set(CANCELLED) - {"2013-02-09"}:
        assert any(line.startswith(day) for line in cancelled), day
    assert any("634 rows" in line and "(2013-11-28 +1)" in line for line in lines)


def test_even_weeks_keep_the_budget_of_odd_ones(year: Profile) -> None:
    """One a month, calibrated on the first half-year's odd weeks."""
    odd, even = [], []
    for cell in year.cells:
        assert cell.window is not None
        assert cell.window.start is not None
        day = np.datetime64(cell.window.start, "us").astype("datetime64[D]").item()
        if day.month <= 6:
            (odd if day.isocalendar().week % 2 else even).append(cell)
    found = ll.trend(part(year, odd), part(year, even), budget="1/month")
    assert found.threshold.calibrated
    days = sum(window.rows > 0 for window in found.windows)
    assert len(found.events) <= 1.5 * days * 12 / 365.25
    # And what is worth an alarm is one.
    assert "2013-02-08" in {event.start for event in found.events}


def test_days_judged_one_by_one_are_judged_as_all_at_once(year: Profile) -> None:
    """A live monitor that has the first half-year for its reference."""
    halves: list[list[object]] = [[], []]
    for cell in year.cells:
        assert cell.window is not None
        assert cell.window.start is not None
        later = np.datetime64(cell.window.start, "us") >= np.datetime64("2013-07-01")
        halves[int(later)].append(cell)
    reference, current = (part(year, cells) for cells in halves)
    watch = Watch(reference)
    verdicts = []
    for window in current.windows:
        own = [cell for cell in current.cells if cell.window == window]
        verdicts += watch.follow(watch.part(window, own))
    found = ll.trend(reference, current)
    assert [(v.label, v.verdict) for v in verdicts] == [(w.label, w.verdict) for w in found.windows]
    assert [v.score for v in verdicts] == pytest.approx([w.score for w in found.windows], rel=1e-9)
    assert len(found.events) > 10
    ended = [
        one.event
        for one, after in zip(verdicts, [*verdicts[1:], None], strict=True)
        if one.event is not None and (after is None or after.event is None)
    ]
    assert [(e.start, e.peak, e.end) for e in ended] == [
        (e.start, e.peak, e.end) for e in found.events
    ]
    texts = [[change.text for change in event.changes] for event in ended]
    assert texts == [[change.text for change in event.changes] for event in found.events]


def part(year: Profile, cells: list[object]) -> Profile:
    from dataclasses import replace

    return replace(year, cells=tuple(cells))  # type: ignore[arg-type]


def test_the_commands_of_the_documentation_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^    leadline (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(commands) >= 5
    for command in commands:
        arguments: list[str] = []
        for word in shlex.split(command):
            found = sorted(map(str, Path().glob(word))) if set(word) & set("*[") else []
            arguments += found or [word]
        assert main(arguments) in (0, 1), command
        assert capsys.readouterr().err == "", command
