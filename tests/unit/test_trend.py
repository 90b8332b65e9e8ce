"""Windows over time: scores, budgets, seasons, baselines and events."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

import leadline as ll
from leadline.compare.thresholds import Limits
from leadline.errors import ComparisonError, InputError
from leadline.profile import Profile, Window
from leadline.scan.windows import Period
from leadline.trend.baselines import SlidingMerge
from leadline.trend.budget import Budget, largest, threshold_of
from leadline.trend.events import runs
from leadline.trend.scores import Law, Laws, leave_one_out, leave_out
from leadline.trend.seasons import Classes, Season, seasons_of
from leadline.trend.timeline import Calendar
from leadline.trend.words import told

DAY = 86_400_000_000
MONDAY = 20_451 * DAY  # 2025-12-29
UTC_DAYS = Calendar(Period(1, "d"), "UTC", "ts", 768)


def table_of(
    day: int,
    random: np.random.Generator,
    *,
    rows: int = 300,
    shift: float = 0.0,
    missing: float = 0.02,
    hours: float = 24.0,
) -> pa.Table:
    """Rows of one day, counted from Monday, December 29, 2025."""
    instants = MONDAY + day * DAY + np.sort(random.integers(0, int(hours * DAY / 24), rows))
    return pa.table(
        {
            "ts": pa.array(instants, pa.timestamp("us", "UTC")),
            "x": pa.array(random.normal(shift, 1.0, rows), mask=random.random(rows) < missing),
            "kind": pa.array(random.choice(["a", "b", "c"], rows, p=[0.5, 0.3, 0.2])),
        }
    )


def profile_of(tables: list[pa.Table]) -> Profile:
    return ll.profile(pa.concat_tables(tables), time="ts", every="1d")


@pytest.fixture(scope="module")
def reference() -> Profile:
    random = np.random.default_rng(8)
    return profile_of([table_of(day, random) for day in range(56)])


def days(first: int, count: int, **changed: object) -> Profile:
    random = np.random.default_rng(first)
    tables = [table_of(first + i, random, **changed) for i in range(count)]  # type: ignore[arg-type]
    return profile_of(tables)


def test_scores_are_ranks_up_to_the_90_percent_quantile() -> None:
    past = np.arange(1.0, 101.0)
    found = Law.of(past).scores(np.array([50.0, 90.0, 0.0]))
    # Of 100 past effects 51, 11 and 100 are as large; one is added above and below.
    assert found == pytest.approx([-math.log10(52 / 101), -math.log10(12 / 101), 0.0])


def test_scores_beyond_are_students_law_of_the_logarithm() -> None:
    past = np.arange(1.0, 101.0)
    middle, high = math.log(50.1), math.log(90.1)
    spread = (high - middle) / stats.norm.ppf(0.9)
    deviate = (math.log(200.1) - high) / spread + stats.norm.ppf(0.9)
    found = Law.of(past).scores(np.array([200.0]))
    assert found == pytest.approx([-math.log10(stats.t.sf(deviate, 8))])


def test_leave_one_out_is_the_law_of_the_others() -> None:
    past = np.random.default_rng(3).lognormal(size=60)
    past[7] = np.nan
    found = leave_one_out(past)
    assert math.isnan(found[7])
    for place in (0, 20, int(np.nanargmax(past)), int(np.nanargmin(past))):
        others = np.delete(past, place)
        assert found[place] == pytest.approx(Law.of(others).scores(past[place : place + 1])[0])


def test_blocks_are_judged_by_what_is_beyond_their_neighbours() -> None:
    past = np.random.default_rng(3).lognormal(size=64)
    past[[7, 30]] = np.nan
    found = leave_out(past, 6)
    assert math.isnan(found[7])
    for place, first, last in ((0, 0, 12), (20, 12, 30), (63, 54, 64)):
        others = np.delete(past, np.arange(first, last))
        assert found[place] == Law.of(others).scores(past[place : place + 1])[0]
    assert np.isnan(leave_out(past[:30], 6)).any()  # under twenty are left
    assert np.array_equal(leave_out(past, 1), leave_one_out(past), equal_nan=True)


def test_half_a_day_of_windows() -> None:
    lengths = [("1m", 720), ("1h", 12), ("12h", 1), ("1d", 1), ("1w", 1)]
    for text, expected in lengths:
        assert Calendar(Period.parse(text), "UTC", "ts", 768).half_day == expected
    assert Calendar(None, "UTC", None, 768).half_day == 1


def test_laws_of_many_series_are_those_of_each() -> None:
    random = np.random.default_rng(4)
    past = random.lognormal(size=(5, 60))
    past[1, 45:] = np.nan
    past[2, 10:] = np.nan  # too few
    laws = Laws.of(past)
    for effects in ([0.1, 1.0, 2.0, 5.0, 9.0], [9.0, math.nan, 0.0, 0.5, 1.5]):
        expected = [
            Law.of(row).scores(np.array([x]))[0] for row, x in zip(past, effects, strict=True)
        ]
        assert laws.scores(np.array(effects)) == pytest.approx(expected, rel=1e-12, nan_ok=True)


def test_too_short_a_past_says_nothing() -> None:
    assert np.isnan(Law.of(np.ones(19)).scores(np.ones(2))).all()
    assert np.isnan(leave_one_out(np.ones(19))).all()


def test_a_series_that_never_moved_has_finite_scores() -> None:
    found = Law.of(np.zeros(50)).scores(np.array([0.0, 0.5, 1.0, 5.0]))
    assert np.isfinite(found).all()
    assert (np.diff(found) > 0).all()


@pytest.mark.parametrize(
    ("text", "seconds", "expected"),
    [
        ("1/month", 86_400.0, 12 / 365.25),
        ("2/week", 3_600.0, 2 / 168),
        ("1/2 weeks", 86_400.0, 1 / 14),
        ("0.5/day", 86_400.0, 0.5),
        ("1/50windows", None, 1 / 50),
    ],
)
def test_budgets(text: str, seconds: float | None, expected: float) -> None:
    assert Budget.parse(text).per_window(seconds) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "1", "1/fortnight", "month", "-1/day", "1/month extra"])
def test_what_is_no_budget(text: str) -> None:
    with pytest.raises(InputError, match="is not an alarm budget"):
        Budget.parse(text)


def test_a_budget_of_nothing() -> None:
    with pytest.raises(InputError, match="allows nothing"):
        Budget.parse("0/day")


def test_the_threshold_begins_the_last_event_allowed() -> None:
    windows = np.zeros(40)
    windows[[3, 4, 5, 20, 30]] = [5.0, 9.0, 8.0, 7.0, 6.0]
    # From the top: 9 begins an event, 8 and 5 belong to it, 7 and 6 begin the next two.
    assert threshold_of(windows, 1 / 40, reach=1).score == 9.0
    assert threshold_of(windows, 2 / 40, reach=1).score == 7.0
    assert threshold_of(windows, 3 / 40, reach=1).score == 6.0
    found = threshold_of(windows, 4 / 40, reach=1)
    assert found.calibrated
    assert found.score == math.ulp(0.0)


def test_a_short_history_supports_no_budget() -> None:
    assert not threshold_of(np.ones(40), 1 / 41, reach=1).calibrated
    assert not threshold_of(np.ones(19), 1.0, reach=1).calibrated


def test_negligible_effects_do_not_count() -> None:
    scores, sizes = np.array([[3.0, 1.0], [2.0, np.nan]]), np.array([[0.7, 0.9], [0.8, np.nan]])
    assert largest(scores, sizes).tolist() == [2.0, 1.0]


def test_runs_bridge_quiet_windows() -> None:
    alarms = np.array([0, 1, 1, 0, 1, 0, 0, 1], dtype=np.bool_)
    assert runs(alarms, 0) == [(1, 2), (4, 4), (7, 7)]
    assert runs(alarms, 1) == [(1, 4), (7, 7)]
    assert runs(alarms, 2) == [(1, 7)]
    assert runs(np.zeros(3, dtype=np.bool_), 0) == []


def test_seasons_of_a_window() -> None:
    monday = Window(MONDAY, MONDAY + DAY)
    assert [s.level for s in seasons_of(monday, UTC_DAYS)] == [
        *("day of the week", "kind of day, working or weekend", "all windows")
    ]
    assert seasons_of(monday, UTC_DAYS)[0].key == (0,)
    hours = Calendar(Period(1, "h"), "America/New_York", "ts", 768)
    found = seasons_of(Window(MONDAY, MONDAY + DAY // 24), hours)
    # Midnight in UTC is seven in the evening before in New York.
    assert [(s.level, s.key) for s in found] == [
        ("hour of the week", (6, 19)),
        ("hour of working days or of weekends", (1, 19)),
        ("hour of the day", (19,)),
        ("all windows", ()),
    ]
    weeks = Calendar(Period(1, "w"), "UTC", "ts", 768)
    assert [s.level for s in seasons_of(monday, weeks)] == ["all windows"]


def test_a_season_has_to_come_four_times() -> None:
    windows = [Window(MONDAY + i * DAY, MONDAY + (i + 1) * DAY) for i in range(22)]
    classes = Classes(windows, UTC_DAYS)
    assert classes.of(windows[0]).level == "day of the week"  # four Mondays
    assert classes.of(windows[1]) == Season("kind of day, working or weekend", (0,))
    assert classes.of(windows[5]) == Season("kind of day, working or weekend", (1,))
    # Three weekends of windows are not enough by day of the week.
    assert {one.level for one in classes.reachable()} == {
        "day of the week",
        "kind of day, working or weekend",
    }
    assert classes.reachable() == [
        classes.of(Window(MONDAY + (70 + i) * DAY, MONDAY + (71 + i) * DAY)) for i in (0, 1, 5)
    ]
    assert Classes(windows, UTC_DAYS, seasonal=False).of(windows[0]).key == ()


def test_quarters_of_one_hour_are_one_time() -> None:
    """Two Mondays have eight quarters from 0 to 1, but only two such hours."""
    quarters = Calendar(Period(15, "m"), "UTC", "ts", 768)
    step = DAY // 96
    windows = [Window(MONDAY + i * step, MONDAY + (i + 1) * step) for i in range(14 * 96)]
    classes = Classes(windows, quarters)
    assert classes.of(windows[0]) == Season("hour of working days or of weekends", (0, 0))
    assert classes.together([0, 1, 3, 4, 96, 97]) == [[0, 1, 3], [4], [96, 97]]
    four_weeks = Classes([Window(MONDAY + i * step, 0) for i in range(28 * 96)], quarters)
    assert four_weeks.of(windows[0]) == Season("hour of the week", (0, 0))


def test_quarters_are_compared_with_other_days() -> None:
    """Quarters of one hour resemble each other: beside them any other hour would be unusual."""
    random = np.random.default_rng(5)
    step = DAY // 96

    def quarters(first: int, hours: int) -> Profile:
        level = np.repeat(random.normal(0, 0.5, hours), 4 * 200)
        start = MONDAY + first * 4 * step
        instants = start + np.repeat(np.arange(4 * hours), 200) * step
        table = {"ts": pa.array(instants, pa.timestamp("us", "UTC"))}
        return ll.profile(pa.table({**table, "x": random.normal(level)}), time="ts", every="15m")

    reference, current = quarters(0, 6 * 24), quarters(6 * 24, 48)
    own = ll.trend(reference, budget="1/day", columns=["x"])
    new = ll.trend(reference, current, budget="1/day", columns=["x"])
    sizes = [
        np.median(next(one for one in found.series if one.name == "x (values)").sizes)
        for found in (own, new)
    ]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.3)
    assert len(new.events) <= 4


def test_the_sliding_merge_is_the_merge_of_its_members(reference: Profile) -> None:
    states = [dict(cell.states) for cell in reference.cells]
    queue = SlidingMerge(768)
    for place, added in enumerate(states[:30]):
        queue.push(added)
        if place >= 7:
            queue.pop()
        first = max(place - 6, 0)
        total = queue.total()["x"]
        expected = ll.profile(
            {"x": np.concatenate([_values(one["x"]) for one in states[first : place + 1]])}
        )["x"]
        assert total.rows - total.nulls == expected.rows
        assert total.summary.get_moments().mean == pytest.approx(expected.mean, rel=1e-12)  # type: ignore[union-attr]


def _values(state: object) -> np.ndarray:
    counts = state.summary.counts  # type: ignore[attr-defined]
    return np.repeat(counts.values, counts.counts.astype(np.int64))


def test_the_effect_without_a_merge_of_the_others_is_the_one_with(reference: Profile) -> None:
    """F - All = (1 - f)(F - Others): so says the rule, and so say merges of the others."""
    found = ll.trend(reference, seasonal=False)
    sizes = {one.name: one.sizes for one in found.series}
    for place in (0, 17, 55):
        window = reference.windows[place]
        own = reference.select(window=window)
        others = [cell for cell in reference.cells if cell.window != window]
        rest = ll.merge(
            [reference.select(window=cell.window) for cell in others], allow_repeats=True
        )
        compared = ll.compare(rest, own, calibrate=False)["x"]
        assert sizes["x (values)"][place] == pytest.approx(compared["ks"].value / 0.05, abs=0.02)
        effect = compared.missing.judgement.effect
        assert effect is not None
        assert sizes["x (missing)"][place] == pytest.approx(effect.value / 0.2, rel=1e-9)


def test_quiet_days_stay_within_the_budget(reference: Profile) -> None:
    found = ll.trend(reference, budget="1/week")
    assert found.threshold.allowed == 8
    assert len(found.events) <= 8
    assert found.leave_one_out
    assert found.seasons == ("day of the week",)


def test_a_shift_of_three_days_is_one_event(reference: Profile) -> None:
    found = ll.trend(
        reference, days(56, 7), days(63, 3, shift=0.8, missing=0.2), days(66, 4), budget="1/month"
    )
    assert [w.verdict.value for w in found.windows] == ["none"] * 7 + ["drift"] * 3 + ["none"] * 4
    (event,) = found.events
    assert (event.start, event.end, event.windows) == ("2026-03-02", "2026-03-04", 3)
    assert not event.ongoing
    assert event.columns == ("x",)
    texts = {change.what: change.text for change in event.changes}
    assert texts["values"].startswith("p50 ")
    assert texts["missing"].startswith("missing 1.88 % to 2")
    assert {change.windows for change in event.changes} == {
        ("2026-03-02", "2026-03-03", "2026-03-04")
    }


def test_rows_and_gaps_are_anomalies(reference: Profile) -> None:
    few, rest = days(56, 1, rows=120), days(59, 3)  # two days in between are missing
    found = ll.trend(reference, few, rest, budget="1/month")
    assert [w.rows for w in found.windows] == [120, 0, 0, 300, 300, 300]
    (event,) = found.events
    assert (event.start, event.end) == ("2026-02-23", "2026-02-25")
    assert event.changes[0].text == "no rows, usually 300"
    assert [w.verdict.value for w in found.windows[3:]] == ["none"] * 3


def test_windows_that_were_due_are_missing(reference: Profile) -> None:
    until = datetime(2026, 2, 26, 12, tzinfo=UTC)
    found = ll.trend(reference, days(56, 1), until=until)
    assert [(w.label, w.rows) for w in found.windows] == [
        ("2026-02-23", 300),
        ("2026-02-24", 0),
        ("2026-02-25", 0),
    ]
    with pytest.raises(InputError, match="needs a zone"):
        ll.trend(reference, until=until.replace(tzinfo=None))


def test_a_day_that_ends_early_is_not_fresh(reference: Profile) -> None:
    found = ll.trend(reference, days(56, 1, hours=9.0), budget="1/month")
    (event,) = found.events
    assert event.changes[0].what == "freshness"
    assert event.changes[0].text.startswith("ends 15.")


def test_small_windows_are_merged_forward(reference: Profile) -> None:
    found = ll.trend(reference, days(56, 3, rows=40))
    assert [(w.label, w.rows) for w in found.windows] == [("2026-02-23", 120)]
    assert found.notes == ("2 windows of under 100 rows are merged into the next ones",)


def test_few_rows_are_no_drift_by_themselves(reference: Profile) -> None:
    """KS of 110 rows is .08 by chance, of the reference's 300 rows .05."""
    random = np.random.default_rng(1)
    past = profile_of([table_of(day, random, rows=2_000) for day in range(56)])
    few = days(56, 40, rows=110)
    columns = ["x", "kind"]
    found = ll.trend(past, few, columns=columns, budget="1/week")
    values = next(one for one in found.series if one.name == "x (values)")
    # As effects alone, nearly all of them are beyond every window of the reference.
    assert (values.sizes > 0.75).sum() > 30
    own = ll.trend(past, columns=columns)
    (ordinary,) = [one for one in own.series if one.name == "x (values)"]
    assert np.median(values.sizes) > np.quantile(ordinary.sizes, 0.99)
    assert sum(one.alarms.sum() for one in found.series if one.series.column) <= 6
    shifted = ll.trend(past, days(56, 40, rows=110, shift=0.8), columns=columns, budget="1/week")
    (values,) = [one for one in shifted.series if one.name == "x (values)"]
    assert values.alarms.sum() == 40


def test_slow_drift_is_told_against_the_fixed_reference(reference: Profile) -> None:
    random = np.random.default_rng(1)
    steps = [table_of(56 + i, random, shift=0.005 * i) for i in range(200)]
    found = ll.trend(reference, profile_of(steps), baseline="rolling", budget="1/month")
    rows = [w.basis.rows for w in found.windows if w.basis is not None]
    assert max(rows) == 28 * 300
    values = next(one for one in found.series if one.name == "x (values)")
    assert values.fixed is not None
    # A shift of one deviation is a distance of 0.38, of four weeks' drift of 0.03.
    assert values.fixed[-20:].min() > 5
    assert np.median(values.sizes[-20:]) < 3
    assert found.slow[-1].ongoing
    assert found.slow[-1].windows > 60
    assert "x" in found.slow[-1].columns


def test_rolling_baselines_leave_out_windows_in_alarm(reference: Profile) -> None:
    shifted = days(56, 10, shift=1.0)
    kept = ll.trend(reference, shifted, baseline="rolling", exclude_drift=False)
    left = ll.trend(reference, shifted, baseline="rolling")
    assert all(w.verdict == "drift" for w in left.windows)
    last = left.windows[-1].basis
    assert last is not None
    assert max(last.members) < 56
    other = kept.windows[-1].basis
    assert other is not None
    assert max(other.members) == 64  # lags by one window: the one before


def test_the_lag_of_a_rolling_baseline(reference: Profile) -> None:
    found = ll.trend(
        reference, days(56, 5), baseline="rolling", lag=3, rolling=10, exclude_drift=False
    )
    bases = [w.basis for w in found.windows]
    assert [b and (min(b.members), max(b.members)) for b in bases] == [
        (44 + i, 53 + i) for i in range(5)
    ]


def test_the_window_before(reference: Profile) -> None:
    found = ll.trend(reference, days(56, 4), baseline="previous")
    assert [w.basis and w.basis.members for w in found.windows] == [(55,), (56,), (57,), (58,)]
    assert [w.basis and w.basis.rows for w in found.windows] == [300] * 4


def test_profiles_without_windows_are_judged_by_fixed_thresholds() -> None:
    random = np.random.default_rng(2)
    whole = ll.profile({"x": random.normal(size=5_000)})
    parts = [ll.profile({"x": random.normal(m, size=2_000)}) for m in (0, 0.01, 0.5)]
    found = ll.trend(whole, *parts, labels=["whole", "a", "b", "c"])
    assert [(w.label, w.verdict.value) for w in found.windows] == [
        ("a", "none"),
        ("b", "none"),
        ("c", "drift"),
    ]
    assert not found.threshold.calibrated
    assert "the reference has no windows" in found.notes[-1]


def test_a_short_history_says_so() -> None:
    found = ll.trend(days(0, 25), days(25, 2), budget="1/month")
    assert "at most one alarm in 25 windows" in found.notes[-1]
    assert found.threshold.allowed == 0


def test_further_figures(reference: Profile) -> None:
    found = ll.trend(reference, days(56, 2, shift=0.8), statistics=["mean", "std", "p95"])
    texts = {c.what: c.text for c in found.events[0].changes if c.column == "x"}
    assert set(texts) >= {"mean", "p95", "values"}
    assert texts["p95"].startswith("p95 1.")
    with pytest.raises(InputError, match="no statistic 'median'"):
        ll.trend(reference, statistics=["median"])


def test_a_column_that_is_gone_is_missing(reference: Profile) -> None:
    random = np.random.default_rng(5)
    tables = [table_of(56, random), table_of(57, random)]
    gone = tables[1].drop_columns(["kind"])
    found = ll.trend(reference, profile_of(tables[:1]), profile_of([gone]))
    (event,) = [e for e in found.events if "kind" in e.columns]
    assert event.changes[0].text == "missing 0 % to 100 %"


def test_what_is_alone_has_nothing_usual() -> None:
    (window,) = ll.trend(days(0, 1)).windows
    assert window.verdict.value == "not comparable"


def test_days_that_are_always_missing_are_no_gap() -> None:
    random = np.random.default_rng(6)
    weekdays = [day for day in range(70) if day % 7 < 5]
    reference = profile_of([table_of(day, random) for day in weekdays])
    found = ll.trend(reference, profile_of([table_of(day, random) for day in (70, 72, 79, 84)]))
    missing = {w.label for w in found.windows if w.rows == 0 and w.verdict == "drift"}
    # Tuesday, Thursday, Friday, Monday, Tuesday, Thursday, Friday: the weekends between are usual.
    assert missing == {
        "2026-03-10",
        *(f"2026-03-{day}" for day in (12, 13, 16, 17, 19, 20)),
    }
    sunday = ll.trend(reference, profile_of([table_of(76, random)]))
    assert sunday.events[0].changes[0].text == "300 rows, usually 0"


def test_times_beyond_any_calendar() -> None:
    far = pa.table({"ts": pa.array([0, 2**61], pa.timestamp("us", "UTC")), "x": [1.0, 2.0]})
    with pytest.raises(InputError, match="beyond the years 1 to 9999"):
        ll.trend(ll.profile(far, time="ts", every="1d"))
    with pytest.raises(InputError, match="more than 100,000"):
        ll.trend(days(0, 2), until=datetime(3000, 1, 1, tzinfo=UTC))


def test_words() -> None:
    assert told("rows", 961.0, 634.0)[-1] == "634 rows, usually 961"
    assert told("freshness", 600.0, 7_200.0)[-1] == "ends 2.0 h early, usually 10 min"
    assert told("freshness", 600.0, 400_000.0)[-1] == "ends 4.6 d early, usually 10 min"
    assert told("mean", math.nan, 1.0)[-1] == "mean"


def test_results_as_table_and_dictionary(reference: Profile) -> None:
    found = ll.trend(reference, days(56, 3))
    table = found.to_arrow()
    assert table.num_rows == len(found.series) * 3
    assert table.column_names == [
        *("window", "rows", "verdict", "column", "what", "size", "score", "alarm")
    ]
    figures = found.to_dict()
    assert len(figures["windows"]) == 3
    assert figures["windows"][0]["baseline"] == {
        "kind": "reference",
        "windows": 8,
        "rows": 2_400,
        "season": "day of the week",
    }
    assert repr(found) == f"<Trend: {found.verdict.value}; 3 windows, {len(found.events)} events>"


def test_what_cannot_be_followed(reference: Profile) -> None:
    plain = ll.profile({"x": np.zeros(200)})
    hourly = ll.profile(table_of(56, np.random.default_rng(1)), time="ts", every="1h")
    zoned = ll.profile(
        table_of(56, np.random.default_rng(1)), time="ts", every="1d", tz="Europe/Berlin"
    )
    other = ll.profile(
        table_of(56, np.random.default_rng(1)).rename_columns(["ts", "y", "z"]).drop_columns([]),
        time="ts",
        every="1d",
        columns=["y", "z"],
    )
    empty = profile_of([table_of(56, np.random.default_rng(1), rows=0)])
    small = days(56, 1, rows=30)
    cases = [
        (ComparisonError, "window lengths are mixed: 1d in the reference, 1h in", (hourly,)),
        (ComparisonError, "window lengths are mixed: 1d in the reference, none in", (plain,)),
        (ComparisonError, "was made with tz 'UTC' and", (zoned,)),
        (InputError, "no column is common", (other,)),
        (InputError, "no rows in any window", (empty,)),
        (InputError, "no window has 100 rows", (small,)),
        (ComparisonError, "snapshots of a trend must not overlap", (days(56, 2), days(57, 2))),
        (ComparisonError, "must not overlap the reference", (days(55, 2),)),
        (InputError, "the snapshot is of type int", (5,)),
    ]
    for kind, text, current in cases:
        with pytest.raises(kind, match=text):
            ll.trend(reference, *current)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="has no windows to follow"):
        ll.trend(plain)
    with pytest.raises(InputError, match="unknown baseline 'last'"):
        ll.trend(reference, baseline="last")
    with pytest.raises(InputError, match="lag is 0"):
        ll.trend(reference, lag=0)
    with pytest.raises(InputError, match="1 labels for 2 profiles"):
        ll.trend(reference, reference, labels=["a"])
    with pytest.raises(InputError, match="by windows, such as"):
        ll.trend(plain, plain, budget="1/week")


def test_columns_of_another_type_are_left_out_by_name(reference: Profile) -> None:
    random = np.random.default_rng(4)
    texts = table_of(56, random)
    changed = texts.set_column(1, "x", pa.array(["a"] * 300))
    found = ll.trend(reference, profile_of([changed]))
    assert any(
        note.startswith("column 'x' is left out: its type is double") for note in found.notes
    )
    assert {one.series.column for one in found.series} == {"", "kind", "ts"}


def test_a_window_cut_by_files_is_joined(reference: Profile, tmp_path: Path) -> None:
    """Files end at noon, windows at midnight: the parts of a day are one window."""
    random = np.random.default_rng(3)
    whole = pa.concat_tables([table_of(56 + i, random) for i in range(4)]).sort_by("ts")
    cut = whole.num_rows // 2 - 77
    sides = []
    for name, rows in (("a", whole.slice(0, cut)), ("b", whole.slice(cut))):
        pq.write_table(rows, tmp_path / f"{name}.parquet")
        sides.append(ll.profile(tmp_path / f"{name}.parquet", time="ts", every="1d"))
    found = ll.trend(reference, *sides)
    assert sum(window.rows for window in found.windows) == whole.num_rows
    assert len(found.windows) == 4
    with pytest.raises(ComparisonError, match="may hold the same rows"):
        ll.trend(reference, sides[0], sides[0])


def test_a_window_cut_between_reference_and_snapshot_is_judged_whole(tmp_path: Path) -> None:
    """The reference's files end at noon of a day, the snapshot's begin there."""
    random = np.random.default_rng(3)
    rows = pa.concat_tables([table_of(day, random) for day in range(32)]).sort_by("ts")
    cut = 28 * 300 + 140
    sides = {}
    for name, part in (("a", rows.slice(0, cut)), ("b", rows.slice(cut))):
        pq.write_table(part, tmp_path / f"{name}.parquet")
        sides[name] = ll.profile(tmp_path / f"{name}.parquet", time="ts", every="1d")
    found = ll.trend(sides["a"], sides["b"])
    assert [window.rows for window in found.windows] == [300] * 4
    assert (found.reference_windows, found.reference_rows) == (28, 28 * 300)
    label = found.windows[0].label
    words = [note for note in found.notes if note.startswith(f"the window {label} is in")]
    assert [note.partition(": ")[2] for note in words] == [
        "it is judged whole, and left out of the reference"
    ]
    # Followed backwards in time, the snapshot's last window is the reference's first.
    back = ll.trend(sides["b"], sides["a"])
    assert [window.rows for window in back.windows] == [300] * 29
    assert back.reference_windows == 3
    # Not known to be other rows, or more than one window in common: refused as before.
    with pytest.raises(ComparisonError, match="must not overlap the reference"):
        ll.trend(profile_of([rows.slice(0, cut)]), sides["b"])
    pq.write_table(rows.slice(27 * 300), tmp_path / "c.parquet")
    more = ll.profile(tmp_path / "c.parquet", time="ts", every="1d")
    with pytest.raises(ComparisonError, match="must not overlap the reference"):
        ll.trend(sides["a"], more)


def test_whole_numbers_are_told_whole() -> None:
    assert told("p50", 2**62, 2**62 + 5)[-1] == "p50 4611686018427387904 to 4611686018427387909"
    assert told("mean", 12_345.0, 12_345.678)[-1] == "mean 12345 to 1.235e+04"


def test_a_policy_may_name_columns_that_are_not_chosen(reference: Profile) -> None:
    limits = Limits(columns={"kind": {"total_variation": 0.2}})
    found = ll.trend(reference, days(56, 2), columns=["x"], thresholds=limits)
    assert {one.series.column for one in found.series} == {"", "x"}
    with pytest.raises(InputError, match="no column 'kinds'"):
        ll.trend(reference, days(56, 2), thresholds=Limits(columns={"kinds": {"ks": 0.2}}))
