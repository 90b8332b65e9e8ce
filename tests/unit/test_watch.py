"""Windows judged one at a time: the verdicts of `trend`, from what is kept of the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import leadline as ll
from leadline.errors import InputError
from leadline.profile import Profile
from leadline.trend import Trend
from leadline.trend.timeline import Part
from leadline.trend.watch import Watch
from leadline.trend.window_verdict import WindowVerdict

HOUR = 3_600_000_000
MONDAY = 20_451 * 24 * HOUR  # 2025-12-29


def table_of(
    first: int,
    count: int,
    seed: int,
    *,
    rows: int = 300,
    step: int = HOUR,
    shift: float = 0.0,
    missing: float = 0.02,
) -> pa.Table:
    """Windows of the same length from a Monday on, with a daily season of all columns."""
    random = np.random.default_rng(seed)
    window = np.repeat(np.arange(first, first + count), rows)
    instants = MONDAY + window * step + random.integers(0, step, count * rows)
    hour = instants // HOUR % 24
    level = np.sin(hour / 24 * 2 * np.pi)
    level = level + np.repeat(random.normal(0, 0.05, count), rows)
    total = len(window)
    return pa.table(
        {
            "ts": pa.array(instants, pa.timestamp("us", "UTC")),
            "x": pa.array(random.normal(level + shift), mask=random.random(total) < missing),
            "n": random.poisson(20 + 5 * level),
            "kind": np.where(random.random(total) < 0.4 + 0.2 * level, "a", "b"),
            "name": random.choice([f"v{i}" for i in range(20)], total),
        }
    )


def profile_of(*tables: pa.Table, every: str = "1h") -> Profile:
    return ll.profile(pa.concat_tables(tables), time="ts", every=every)


def parts_of(watch: Watch, profile: Profile) -> list[Part]:
    windows = [w for w in profile.windows if w.start is not None] or [None]
    return [watch.part(w, [cell for cell in profile.cells if cell.window == w]) for w in windows]


def judged(watch: Watch, *profiles: Profile) -> list[WindowVerdict]:
    found = [
        verdict
        for profile in profiles
        for part in parts_of(watch, profile)
        for verdict in watch.follow(part)
    ]
    return [*found, *watch.finish()]


def require_equal(verdicts: list[WindowVerdict], trend: Trend) -> None:
    assert [(v.label, v.rows, v.verdict) for v in verdicts] == [
        (w.label, w.rows, w.verdict) for w in trend.windows
    ]
    assert [v.score for v in verdicts] == pytest.approx([w.score for w in trend.windows], rel=1e-9)
    for verdict, window in zip(verdicts, trend.windows, strict=True):
        own, other = verdict.basis, window.basis
        assert (own is None) == (other is None)
        if own is not None and other is not None:
            assert (own.windows, own.rows, own.season) == (other.windows, other.rows, other.season)
    for one in trend.series:
        place = [s.name for s in verdicts[0].series].index(one.name)
        series = [v.series[place] for v in verdicts]
        assert [s.size for s in series] == pytest.approx(one.sizes.tolist(), rel=1e-9, nan_ok=True)
        assert [s.score for s in series] == pytest.approx(
            one.scores.tolist(), rel=1e-9, nan_ok=True
        )
        assert [s.verdict == "drift" for s in series] == one.alarms.tolist()
    require_same_events(verdicts, trend)


def require_same_events(verdicts: list[WindowVerdict], trend: Trend) -> None:
    ended = [
        one.event
        for one, after in zip(verdicts, [*verdicts[1:], None], strict=True)
        if one.event is not None and (after is None or after.event is None)
    ]
    assert len(ended) == len(trend.events)
    for own, other in zip(ended, trend.events, strict=True):
        assert (own.start, own.end, own.peak, own.windows) == (
            *(other.start, other.end, other.peak),
            other.windows,
        )
        assert own.score == pytest.approx(other.score, rel=1e-9)
        assert own.severity == pytest.approx(other.severity, rel=1e-9)
        assert [(c.column, c.what, c.text, c.window, c.windows) for c in own.changes] == [
            (c.column, c.what, c.text, c.window, c.windows) for c in other.changes
        ]


@pytest.fixture(scope="module")
def reference() -> Profile:
    return profile_of(table_of(0, 5 * 168, 1))


@pytest.fixture(scope="module")
def fortnight() -> Profile:
    return profile_of(table_of(0, 14 * 24, 9))


@pytest.fixture(scope="module")
def watch(reference: Profile) -> Watch:
    return Watch(reference)


@pytest.fixture(autouse=True)
def _anew(request: pytest.FixtureRequest) -> None:
    if "watch" in request.fixturenames:
        request.getfixturevalue("watch").forget()


def test_windows_one_by_one_are_judged_as_all_at_once(watch: Watch, reference: Profile) -> None:
    first = 5 * 168
    current = profile_of(
        table_of(first, 60, 2),
        table_of(first + 60, 3, 3, shift=0.8, missing=0.2),
        table_of(first + 63, 30, 4),
        table_of(first + 93, 2, 5, rows=40),  # merged forward
        table_of(first + 95, 4, 6),
        table_of(first + 103, 5, 7),  # after four that are missing
        table_of(first + 108, 1, 8, rows=30),  # held back at the end
    )
    found = ll.trend(reference, current)
    assert found.seasons[0] == "hour of the week"
    assert 1 < len(found.events) < 12
    verdicts = judged(watch, current)
    require_equal(verdicts, found)
    assert {v.merged for v in verdicts} == {1, 3}
    assert watch.threshold == found.threshold


@pytest.mark.parametrize(
    "options",
    [
        {"budget": "1/day"},
        {"budget": "1/year"},  # more than the history supports
        {"seasonal": False},
        {"columns": ["x", "kind"], "statistics": ["mean", "p95"]},
        {"thresholds": {"ks": 0.2, "minimum_rows": 200}},
    ],
)
def test_so_are_they_with_other_options(fortnight: Profile, options: dict[str, Any]) -> None:
    current = profile_of(
        table_of(900, 20, 2), table_of(920, 2, 3, shift=0.6), table_of(922, 5, 4, rows=150)
    )
    watch = Watch(fortnight, **options)
    require_equal(judged(watch, current), ll.trend(fortnight, current, **options))


def test_days_against_days() -> None:
    random = [table_of(day, 1, 100 + day, step=24 * HOUR) for day in range(70)]
    reference = profile_of(*random[:56], every="1d")
    current = profile_of(*random[56:], table_of(70, 2, 1, step=24 * HOUR, shift=0.5), every="1d")
    require_equal(judged(Watch(reference), current), ll.trend(reference, current))


def test_a_reference_without_windows_or_with_too_few() -> None:
    current = profile_of(table_of(30, 4, 2), table_of(34, 2, 3, shift=0.7))
    for reference in (
        ll.profile(table_of(0, 20, 1)),
        profile_of(table_of(0, 19, 1)),
        profile_of(table_of(0, 30, 1)),  # one a week is less than one in thirty hours
    ):
        watch = Watch(reference, every="1h")
        require_equal(judged(watch, current), ll.trend(reference, current))
        assert "fixed thresholds" in watch.notes[-1]
        assert not watch.threshold.calibrated


def test_snapshots_without_windows() -> None:
    parts = [ll.profile(table_of(i, 1, i, shift=0.5 * (i == 2))) for i in range(4)]
    watch = Watch(parts[0], every=None)
    verdicts = [v for one in parts[1:] for v in watch.follow(watch.part(None, one.cells, "a"))]
    found = ll.trend(*parts, labels=["whole", "a", "a", "a"])
    require_equal(verdicts, found)


def test_shorter_windows_of_the_reference_are_rolled_up() -> None:
    minutes = table_of(0, 8 * 24, 1)
    quarters = ll.profile(minutes, time="ts", every="15m")
    hours = ll.profile(minutes, time="ts", every="1h")
    current = profile_of(table_of(900, 5, 2, shift=0.3))
    found = judged(Watch(quarters, every="1h"), current)
    require_equal(found, ll.trend(hours, current))
    assert found[0].basis is not None
    assert found[0].basis.season == "hour of working days or of weekends"


def test_longer_windows_of_the_reference_are_no_measure(fortnight: Profile) -> None:
    """The same hours of working days are compared with, and rows are taken as independent."""
    watch = Watch(fortnight, every="15m")
    (note,) = watch.notes
    assert note == (
        "the reference's windows of 1h are no measure for windows of 15m: fixed thresholds and "
        "tests that take rows as independent, not a budget of 1/week"
    )
    current = ll.profile(
        pa.concat_tables([table_of(900, 2, 2, rows=1_000), table_of(902, 1, 3, shift=0.7)]),
        time="ts",
        every="15m",
    )
    found = judged(watch, current)
    assert [v.verdict.value for v in found] == [*["none"] * 8, "drift", "drift"]
    assert found[0].basis is not None
    assert (found[0].basis.season, found[0].basis.windows) == (
        "hour of working days or of weekends",
        10,
    )
    assert found[-1].merged == 2
    assert "assumes independent rows" in found[0].series[2].sentence
    assert {s.column for s in found[0].series} == {"ts", "x", "n", "kind", "name"}


def test_sentences(watch: Watch) -> None:
    current = profile_of(table_of(900, 1, 2), table_of(901, 1, 3, shift=0.8, missing=0.3))
    quiet, loud = judged(watch, current)
    assert quiet.event is None
    none = quiet.columns["x"].sentence
    assert none.startswith("none: effect 0.")
    assert "of the reference's windows (score " in none
    told = {one.name: one for one in loud.series}
    assert told["x (missing)"].sentence.startswith("drift: missing ")
    assert told["x (values)"].sentence.startswith("drift: p50 ")
    assert told["ts (values)"].sentence == (
        "not comparable: too few rows, or values that are not judged"
    )
    assert loud.columns["x"].verdict == "drift"
    assert loud.event is not None
    figures = loud.to_dict()
    assert figures["baseline"] == {
        "kind": "reference",
        "windows": 5,
        "rows": 1_500,
        "season": "hour of the week",
    }
    assert figures["start"] == MONDAY + 901 * HOUR
    assert figures["event"]["start"] == loud.label


def test_some_columns_only(fortnight: Profile) -> None:
    """As if the reference had no others: their history does not raise the threshold."""
    watch = Watch(fortnight)
    current = profile_of(table_of(900, 4, 2), table_of(904, 2, 3, shift=0.4))
    columns = ("x", "n")
    verdicts = [v for part in parts_of(watch, current) for v in watch.follow(part, columns=columns)]
    require_equal(verdicts, ll.trend(fortnight, current, columns=columns))


def test_roles_replace_those_of_the_reference(fortnight: Profile) -> None:
    strict, plain = (Watch(fortnight, roles=roles) for roles in ({"x": "prediction"}, {}))
    part = parts_of(plain, profile_of(table_of(900, 1, 2)))[0]
    places = [one.name for one in plain.series].index("x (values)")
    sizes = [watch.judge(part).series[places].size for watch in (strict, plain)]
    assert sizes[0] == pytest.approx(sizes[1] * 0.05 / 0.03)
    with pytest.raises(InputError, match="there is no role 'score!'"):
        Watch(fortnight, roles={"x": "score!"})


def test_windows_that_come_late_or_twice(watch: Watch) -> None:
    parts = parts_of(watch, profile_of(table_of(900, 5, 2)))
    order = [parts[0], parts[3], parts[1], parts[3], parts[4]]
    found = [watch.follow(part) for part in order]
    # Two are missing before the second; nothing is missing for those that come late.
    assert [len(one) for one in found] == [1, 3, 1, 1, 1]


def test_a_jump_of_the_clock_is_not_judged_hour_by_hour(watch: Watch) -> None:
    parts = parts_of(watch, profile_of(table_of(900, 1, 2), table_of(40_000_000, 1, 3)))
    assert len(watch.follow(parts[0])) == 1
    assert [v.rows for v in watch.follow(parts[1])] == [0, 300]


def test_what_is_kept_does_not_grow(watch: Watch, reference: Profile) -> None:
    """Twenty-fold less than the windows; an event of many windows keeps some labels."""
    assert watch.nbytes < reference.nbytes
    for part in parts_of(watch, profile_of(table_of(900, 150, 2, shift=1.0))):
        (verdict,) = watch.follow(part)
    assert verdict.event is not None
    assert verdict.event.windows == 150
    assert all(len(change.windows) <= 100 for change in verdict.event.changes)
