"""Free text, ids and instants: what is judged of them in place of their values."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from scipy import stats

import leadline as ll
from leadline.compare import ColumnComparison, Comparison, compare
from leadline.compare.aspects_text import effective_rows, form_of
from leadline.compare.freshness import duration
from leadline.compare.repeats import distinct_among, repeats_of
from leadline.profile import Profile
from leadline.scan import profile

RANDOM = np.random.default_rng(31)
START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday


def compared(a: Any, b: Any, *, role: str = "feature", **options: Any) -> ColumnComparison:
    sides = [profile({"x": side}, roles={"x": role}) for side in (a, b)]
    return compare(*sides, **options)["x"]


def texts(rows: int, shortest: int, longest: int, letters: str = "abcdefghijkl") -> list[str]:
    lengths = RANDOM.integers(shortest, longest + 1, rows)
    return ["".join(RANDOM.choice(list(letters), length)) for length in lengths]


def instants(rows: int, days: int, *, first: int = 0, hours: tuple[int, int] = (0, 24)) -> Any:
    day = RANDOM.integers(first, first + days, rows)
    seconds = RANDOM.integers(hours[0] * 3_600, hours[1] * 3_600, rows)
    return [
        START + timedelta(days=int(d), seconds=int(s)) for d, s in zip(day, seconds, strict=True)
    ]


# --- Free text -----------------------------------------------------------------------------------


def test_unchanged_text_has_a_verdict() -> None:
    column = compared(texts(3_000, 5, 30), texts(3_000, 5, 30))
    assert list(column.aspects) == ["lengths", "empty", "characters"]
    assert column.values.verdict == "not comparable"
    assert column.verdict == "none"
    assert column.change == ()
    assert column.decisive[0] in column.aspects


def test_lengths_are_compared_by_ks() -> None:
    a, b = texts(2_000, 5, 30), texts(1_500, 8, 33)
    a[:20], b[:45] = [""] * 20, [""] * 45
    column = compared(a, b)
    expected = stats.ks_2samp([*map(len, a)], [*map(len, b)])
    effect = column.aspects["lengths"].judgement.effect
    assert effect is not None
    assert effect.value == pytest.approx(expected.statistic, abs=1e-12)
    assert effect.lower == effect.upper == effect.value
    assert effect.p_value is not None
    assert effect.p_value == pytest.approx(
        stats.kstwobign.sf(expected.statistic * math.sqrt(2_000 * 1_500 / 3_500))
    )
    assert column.aspects["lengths"].verdict == "drift"
    means = (np.mean([*map(len, a)]), np.mean([*map(len, b)]))
    assert column.aspects["lengths"].change == f"mean length {means[0]:.3g} to {means[1]:.3g}"
    assert column.decisive[0] == "lengths"
    assert column.reason == column.aspects["lengths"].reason
    assert "ks of the lengths is" in column.reason


def test_long_texts_fall_into_the_same_buckets_on_both_sides() -> None:
    a = [f"{i:06}" + "x" * 1_000 for i in range(500)]
    b = [f"{i:06}" + "x" * 1_500 for i in range(500)]
    assert compared(a, a).aspects["lengths"].judgement.effect.value == 0  # type: ignore[union-attr]
    assert compared(a, b).aspects["lengths"].judgement.effect.value == 1  # type: ignore[union-attr]


def test_empty_texts_are_two_shares() -> None:
    a, b = texts(4_000, 5, 30), texts(4_000, 5, 30)
    a[:40], b[:200] = [""] * 40, [""] * 200
    found = compared(a, b).aspects["empty"]
    effect = found.judgement.effect
    assert effect is not None
    h = 2 * abs(math.asin(math.sqrt(0.05)) - math.asin(math.sqrt(0.01)))
    assert effect.value == pytest.approx(h, abs=1e-12)
    tail = stats.hypergeom.cdf(40, 8_000, 240, 4_000)
    assert effect.p_value == pytest.approx(2 * tail)
    assert found.verdict == "drift"
    assert found.change == "share of empty texts 1 % to 5 %"


def test_kinds_of_characters_are_told() -> None:
    a, b = texts(2_000, 5, 30), texts(2_000, 5, 30, "abcdefghi12345")
    found = compared(a, b).aspects["characters"]
    digits = sum(map(str.isdigit, "".join(b))) / len("".join(b))
    effect = found.judgement.effect
    assert effect is not None
    assert effect.value == pytest.approx(digits, abs=1e-12)
    assert found.verdict == "drift"
    assert found.change == f"share of lower characters 100 % to {100 * (1 - digits):.3g} %"


# Each text holds one kind of characters only: rows, not characters, are what was drawn.
def test_characters_of_one_text_are_no_independent_draws() -> None:
    kinds = np.array(["abcdefgh", "01234567"])
    significant = 0
    for _ in range(100):
        sides = [
            ["".join(RANDOM.permutation(list(kinds[int(kind)]))) * 6 for kind in row]
            for row in RANDOM.random((2, 400)) < 0.3
        ]
        p = compared(*sides).aspects["characters"].judgement.p_value
        assert p is not None
        significant += p <= 0.05
    assert significant <= 12  # of which 5 are to be expected at most; all of 100 as characters


def test_rows_that_characters_stand_for() -> None:
    def of(values: list[str]) -> np.ndarray:
        found = form_of(profile({"x": values})["x"])
        assert found is not None
        return found[0]

    assert effective_rows(of(["abcd", "efgh", "ijkl"]), 0.25) == pytest.approx(3)
    # 90 texts of 1 and 10 of 10 characters, of which half are digits: those in the longest texts,
    # at worst. The share is sum X / 190, E (X - L / 2)**2 = (90 + 1,000) / 4 / 100.
    assert effective_rows(of(["a"] * 90 + ["b" * 10] * 10), 0.5) == pytest.approx(190**2 / 1_090)


def test_few_texts_are_not_judged() -> None:
    column = compared(texts(99, 5, 30), texts(200, 5, 30))
    assert {one.verdict.value for one in column.aspects.values()} == {"not comparable"}
    assert column.verdict == "not comparable"
    assert column.reason == "not comparable: 99 values in the reference, under 100"


def test_categories_have_no_aspects() -> None:
    assert compared(["a", "b"] * 500, ["a", "b"] * 500).aspects == {}


# --- Ids -----------------------------------------------------------------------------------------


def test_ids_that_come_twice_are_found() -> None:
    a, b = np.arange(2_000), np.arange(10_000, 12_000)
    b[:60] = b[60:120]
    column = compared(a, b, role="id")
    found = column.aspects["uniqueness"]
    effect = found.judgement.effect
    assert effect is not None
    assert (effect.value, effect.lower, effect.upper) == pytest.approx((0.03, 0.03, 0.03))
    assert effect.p_value == pytest.approx(2 * stats.hypergeom.sf(59, 4_000, 60, 2_000))
    assert column.verdict == "drift"  # none before: a share that rose by more than twice
    assert column.change == ("repeated values 0 % to 3 %",)


@pytest.mark.parametrize("kind", ["integer", "text"])
def test_more_rows_of_the_same_users_are_no_change(kind: str) -> None:
    weights = 1 / np.arange(1, 801)
    sides = [RANDOM.choice(800, rows, p=weights / weights.sum()) for rows in (20_000, 500)]
    if kind == "text":
        sides = [np.char.add("u", side.astype(str)) for side in sides]
    column = compared(*sides, role="id")
    assert column.verdict == "none"
    assert compared(sides[1], sides[0], role="id").verdict == "none"
    shares = [1 - len(np.unique(side)) / len(side) for side in sides]
    assert shares[0] - shares[1] > 0.3  # plain shares differ by far


def test_distinct_values_among_fewer_rows() -> None:
    counts = np.array([5, 3, 1, 1])
    pool = np.repeat(np.arange(4), counts)
    for rows in (1, 4, 9, 10):
        draws = [len(np.unique(RANDOM.permutation(pool)[:rows])) for _ in range(4_000)]
        expected = sum(1 - stats.hypergeom.pmf(0, 10, count, rows) for count in counts.tolist())
        assert distinct_among(counts.astype(float), rows) == pytest.approx(expected)
        assert np.mean(draws) == pytest.approx(expected, abs=0.06)


def test_estimated_counts_leave_unequal_sides_open() -> None:
    users = [
        RANDOM.integers(0, 10**12, 3_000)[RANDOM.integers(0, 3_000, n)] for n in (20_000, 2_500)
    ]
    found = compared(*users, role="id").aspects["uniqueness"]
    assert found.verdict == "not comparable"
    assert "the summaries leave change of the share of repeated values open by" in found.reason
    unique = [RANDOM.permutation(10**6)[:n] for n in (20_000, 5_000)]
    assert compared(*unique, role="id").verdict == "none"
    large, small = repeats_of(*(profile({"x": side})["x"] for side in unique))
    assert (large.lower, small.lower) == (0, 0)
    assert large.upper / large.rows < 0.08


# --- Instants ------------------------------------------------------------------------------------


def test_hours_weekdays_and_days_are_judged() -> None:
    column = compared(instants(6_000, 60), instants(3_000, 30, first=60), role="timestamp")
    assert list(column.aspects) == ["hours", "weekdays", "gaps"]
    assert [one.verdict.value for one in column.aspects.values()] == ["none"] * 3
    assert column.verdict == "none"


def test_other_hours_are_found() -> None:
    column = compared(
        instants(6_000, 60, hours=(6, 18)), instants(3_000, 30, first=60, hours=(8, 20))
    )
    assert column.aspects["hours"].verdict == "drift"
    assert column.aspects["weekdays"].verdict == "none"
    assert column.aspects["hours"].change.startswith("rows from ")
    # 12 hours of which two moved: 2 / 12 of the rows.
    effect = column.aspects["hours"].judgement.effect
    assert effect is not None
    assert effect.value == pytest.approx(1 / 6, abs=0.02)


# A month has five of some weekdays and four of others; a quarter of the days is no change.
def test_weekdays_are_counted_by_day() -> None:
    weekdays = np.array([400, 400, 400, 400, 400, 100, 100])
    sides = []
    for first, days in ((0, 30), (32, 31)):
        times = []
        for day in range(first, first + days):
            rows = int(weekdays[day % 7] * RANDOM.lognormal(0, 0.2))
            times += [START + timedelta(days=day, seconds=s) for s in range(0, rows * 60, 60)]
        sides.append(times)
    found = compared(*sides, role="timestamp").aspects["weekdays"]
    assert found.verdict == "none"
    assert "assumes independent days" in found.reason


def test_weekends_that_are_gone_are_found() -> None:
    a = instants(6_000, 63)
    b = [one for one in instants(6_000, 63, first=63) if one.weekday() < 5]
    column = compared(a, b, role="timestamp")
    assert column.aspects["weekdays"].verdict == "drift"
    assert column.aspects["weekdays"].change.endswith("days 14.3 % to 0 %") or "to 0 %" in (
        column.aspects["weekdays"].change
    )


def test_days_without_rows_are_found() -> None:
    gone = {START.date() + timedelta(days=day) for day in range(65, 75)}
    a = instants(30_000, 60)
    b = [one for one in instants(15_000, 30, first=60) if one.date() not in gone]
    found = compared(a, b, role="timestamp").aspects["gaps"]
    assert found.verdict == "drift"
    assert found.change == "days without rows 0 of 60 to 10 of 30"
    effect = found.judgement.effect
    assert effect is not None
    assert effect.p_value == pytest.approx(2 * stats.hypergeom.sf(9, 90, 10, 30))


def test_rare_rows_say_nothing_of_days_without_any() -> None:
    found = compared(instants(1_000, 90), instants(200, 90), role="timestamp").aspects["gaps"]
    assert found.verdict == "not comparable"
    assert "have under 20 rows" in found.reason


def test_a_part_of_the_day_is_not_compared_with_whole_days() -> None:
    column = compared(instants(5_000, 30), instants(500, 1, first=30, hours=(0, 9)))
    assert column.aspects["hours"].reason == (
        "not comparable: a side covers only 9 of the hours of the day"
    )
    assert column.aspects["weekdays"].reason == (
        "not comparable: the current profile covers under a week"
    )


def daily(days: int, first: int, last_hour: Any) -> Profile:
    """Rows of every hour of so many days, the last one at a minute of a given hour."""
    times = []
    for day in range(first, first + days):
        end = last_hour(day)
        times += [
            START + timedelta(days=day, minutes=minute) for minute in range(0, int(end * 60), 5)
        ]
    return profile({"ts": times, "x": np.arange(len(times)) % 7.0}, time="ts", every="1d")


def late(result: Comparison) -> Any:
    return result["ts"].aspects["freshness"]


def test_the_newest_row_is_held_against_the_windows_of_the_reference() -> None:
    reference = daily(30, 0, lambda day: 23 + (day % 5) / 6)
    usual = late(compare(reference, daily(1, 30, lambda _: 23.2)))
    assert usual.verdict == "none"
    found = late(compare(reference, daily(1, 30, lambda _: 12)))
    assert found.verdict == "drift"
    assert found.change == "ends 12.1 h before its window does, usually 45 min"
    effect = found.judgement.effect
    # 11:55 is 12 h 5 min before the end; the usual day ends at 23:15.
    assert effect.value == pytest.approx((725 - 45) / 1_440, abs=1e-9)
    assert "against 30 windows of the reference" in found.reason
    few = late(compare(daily(10, 0, lambda _: 23), daily(1, 30, lambda _: 12)))
    assert few.reason == "not comparable: what is usual takes 20 windows of the reference"


def test_lengths_of_time_are_told_in_their_unit() -> None:
    assert [duration(x) for x in (30.0, 5_400.0, 200_000.0)] == ["0 min", "1.5 h", "2.3 d"]


# --- Together ------------------------------------------------------------------------------------


def test_aspects_are_counted_in_the_family() -> None:
    data = {
        "text": texts(500, 5, 30),
        "id": np.arange(500),
        "ts": instants(500, 20),
        "x": np.arange(500.0),
    }
    sides = [profile(data, roles={"id": "id", "ts": "timestamp"}) for _ in range(2)]
    result = compare(*sides)
    # Four missing shares, x, three of text, one of ids, hours and weekdays (days have 25 rows).
    judged = [
        one for c in result for one in c.aspects.values() if one.judgement.q_value is not None
    ]
    assert result.family == 4 + 1 + len(judged)
    assert {c.name: list(c.aspects) for c in result} == {
        "text": ["lengths", "empty", "characters"],
        "id": ["uniqueness"],
        "ts": ["hours", "weekdays", "gaps"],
        "x": [],
    }
    assert result.to_dict()["columns"]["text"]["aspects"]["lengths"]["test"] == "ks"


def test_ordinary_days_raise_the_threshold_of_aspects() -> None:
    def side(first: int, days: int) -> Profile:
        data: dict[str, list[Any]] = {"ts": [], "note": []}
        for day in range(first, first + days):
            longest = int(RANDOM.integers(15, 40))  # some days' texts are longer than others'
            data["ts"] += [START + timedelta(days=day, minutes=m) for m in range(300)]
            data["note"] += texts(300, 5, longest)
        return profile(data, time="ts", every="1d")

    reference, current = side(0, 30), side(40, 1)
    found = compare(reference, current)["note"].aspects["lengths"]
    assert found.verdict == "none"
    assert "against 30 windows of the reference" in found.reason
    alone = compare(reference, current, calibrate=False)["note"].aspects["lengths"]
    assert "assumes independent rows" in alone.reason
    assert alone.judgement.effect == found.judgement.effect or alone.judgement.threshold == 0.05
    assert found.judgement.threshold > 0.05


def test_a_policy_checks_aspects() -> None:
    a, b = texts(2_000, 5, 30), texts(2_000, 8, 40)
    reference, current = profile({"note": a}), profile({"note": b})
    policy = ll.infer(profile({"note": ["a", "b"] * 500}))
    found = ll.check(current, policy, reference=reference)
    drift = {each.rule: each.status.value for each in found.outcomes if "drift" in each.rule}
    assert drift == {
        "drift_lengths": "fail",
        "drift_empty": "pass",
        "drift_characters": "pass",
        "drift_missing": "pass",
    }
