"""Calendar counts against Python's datetime."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from leadline._native import Storage
from leadline.sketch.calendar import CalendarCounts, calendar_of, to_microseconds

PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def expected(seconds: list[int]) -> tuple[Counter[int], list[int], list[int]]:
    moments = [EPOCH + timedelta(seconds=second) for second in seconds]
    hours, weekdays = [0] * 24, [0] * 7
    for moment in moments:
        hours[moment.hour] += 1
        weekdays[moment.weekday()] += 1
    return Counter((moment - EPOCH).days for moment in moments), hours, weekdays


def days_of(calendar: CalendarCounts) -> dict[int, int]:
    return dict(zip(calendar.days.values.tolist(), calendar.days.counts.tolist(), strict=True))


@pytest.mark.parametrize("unit", PER_SECOND)
def test_instants_before_and_after_1970(random, unit):
    seconds = random.integers(-(10**9), 10**9, 3_000)
    seconds[:6] = [0, -1, 1, -86_400, -86_401, 86_399]
    parts = random.integers(0, PER_SECOND[unit], 3_000)
    calendar = calendar_of(seconds * PER_SECOND[unit] + parts, None, unit)
    days, hours, weekdays = expected(seconds.tolist())
    assert days_of(calendar) == days
    assert calendar.hours.tolist() == hours
    assert calendar.weekdays.tolist() == weekdays
    assert calendar.total == 3_000


@pytest.mark.parametrize("unit", PER_SECOND)
def test_the_ends_of_int64(unit):
    ends = np.array([-(2**63), 2**63 - 1])
    calendar = calendar_of(ends, None, unit)
    hour, day = 3_600 * PER_SECOND[unit], 86_400 * PER_SECOND[unit]
    low, high = -(2**63) // day, (2**63 - 1) // day
    # 1970-01-01 was a Thursday, number 3 counted from Monday.
    assert calendar.weekdays.tolist() == [
        sum((number + 3) % 7 == weekday for number in (low, high)) for weekday in range(7)
    ]
    hours = [(-(2**63) // hour) % 24, ((2**63 - 1) // hour) % 24]
    assert np.flatnonzero(calendar.hours).tolist() == sorted(set(hours))
    assert calendar.days is None


def test_weights_count_an_instant_several_times():
    noon = 12 * 3_600
    weights = np.array([3, 2**40], dtype=np.uint64)
    calendar = calendar_of(np.array([noon, noon + 86_400]), weights, "s")
    assert calendar.hours[12] == 3 + 2**40
    assert calendar.weekdays.tolist() == [0, 0, 0, 3, 2**40, 0, 0]
    assert days_of(calendar) == {0: 3, 1: 2**40}


def test_days_are_held_while_they_span_less_than_65_536():
    day = 86_400
    close = calendar_of(np.array([0, 65_535 * day]), None, "s")
    assert days_of(close) == {0: 1, 65_535: 1}
    assert calendar_of(np.array([0, 65_536 * day]), None, "s").days is None
    late = calendar_of(np.array([65_536 * day]), None, "s")
    assert close.merge(late).days is None
    assert close.merge(late).hours[0] == 3
    assert late.merge(close.merge(late)).days is None


def test_merging_is_counting_together(random):
    values = random.integers(-(10**8), 10**8, 500)
    whole = calendar_of(values, None, "s")
    parts = [calendar_of(values[:200], None, "s"), calendar_of(values[200:], None, "s")]
    assert parts[0].merge(parts[1]) == whole == parts[1].merge(parts[0])
    assert CalendarCounts.empty().merge(whole) == whole
    assert calendar_of(values[:0], None, "s") == CalendarCounts.empty()
    assert whole.days.storage is Storage.INT64


@pytest.mark.parametrize(
    ("unit", "value", "microseconds"),
    [
        ("s", -1, -1_000_000),
        ("s", 2**62, 2**63 - 1),
        ("s", -(2**62), -(2**63)),
        ("ms", 1, 1_000),
        ("ms", 2**63 - 1, 2**63 - 1),
        ("us", -(2**63), -(2**63)),
        ("ns", 1_999, 1),
        ("ns", -1, -1),
        ("ns", -1_000, -1),
        ("ns", -1_001, -2),
        ("ns", -(2**63), -9_223_372_036_854_776),
    ],
)
def test_microseconds_are_rounded_down_and_held_in_range(unit, value, microseconds):
    assert to_microseconds(np.array([value]), unit).tolist() == [microseconds]


def test_unknown_units_are_refused():
    with pytest.raises(ValueError, match="'min' is not one of s, ms, us, ns"):
        to_microseconds(np.zeros(1, dtype=np.int64), "min")
