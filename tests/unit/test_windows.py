"""Windows of time. Literal instants are those of the tz database, written by hand in UTC."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from leadline.errors import InputError
from leadline.profile import NULL_WINDOW, Window
from leadline.scan.windows import Period, Windows, compact, microseconds_of, zone_of

DAY = 86_400_000_000
HOUR = DAY // 24


def micros(text: str) -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def assign(every: str, zone: str, values: object, type_: pa.DataType) -> list[Window]:
    column = pa.chunked_array([pa.array(values, type_)])
    codes, windows = Windows(Period.parse(every), zone).assign(column)
    return [windows[code] for code in codes.tolist()]


def window_of(every: str, zone: str, instant: str) -> tuple[str, str]:
    """Window of a UTC instant, as UTC text."""
    found = assign(every, zone, [micros(instant)], pa.timestamp("us", "UTC"))[0]
    assert isinstance(found.start_time, datetime)
    assert isinstance(found.end_time, datetime)
    return tuple(t.isoformat(sep=" ")[:19] for t in (found.start_time, found.end_time))


@pytest.mark.parametrize(
    ("every", "zone", "instant", "start", "end"),
    [
        ("1d", "UTC", "2013-03-10 15:00:00", "2013-03-10 00:00:00", "2013-03-11 00:00:00"),
        ("15m", "UTC", "2013-03-10 15:14:59", "2013-03-10 15:00:00", "2013-03-10 15:15:00"),
        ("15m", "UTC", "2013-03-10 15:15:00", "2013-03-10 15:15:00", "2013-03-10 15:30:00"),
        ("10s", "UTC", "2013-03-10 15:14:59", "2013-03-10 15:14:50", "2013-03-10 15:15:00"),
        # 7 s does not divide a day: 86,400 = 12,342 x 7 + 6.
        ("7s", "UTC", "2013-03-10 23:59:59", "2013-03-10 23:59:54", "2013-03-11 00:00:00"),
        # 7 h does not divide a day: the last window of the day is 3 h long.
        ("7h", "UTC", "2013-03-10 23:00:00", "2013-03-10 21:00:00", "2013-03-11 00:00:00"),
        # Weeks begin on Monday: 2013-03-10 is a Sunday, 2024-01-01 a Monday.
        ("1w", "UTC", "2013-03-10 15:00:00", "2013-03-04 00:00:00", "2013-03-11 00:00:00"),
        ("1w", "UTC", "2024-01-01 00:00:00", "2024-01-01 00:00:00", "2024-01-08 00:00:00"),
        ("1mo", "UTC", "2024-02-29 12:00:00", "2024-02-01 00:00:00", "2024-03-01 00:00:00"),
        ("3mo", "UTC", "2024-05-31 12:00:00", "2024-04-01 00:00:00", "2024-07-01 00:00:00"),
        ("2d", "UTC", "1970-01-03 12:00:00", "1970-01-03 00:00:00", "1970-01-05 00:00:00"),
        # Before 1970.
        ("1d", "UTC", "1969-12-31 23:59:59", "1969-12-31 00:00:00", "1970-01-01 00:00:00"),
        ("1mo", "UTC", "1899-12-31 23:59:59", "1899-12-01 00:00:00", "1900-01-01 00:00:00"),
        ("1w", "UTC", "1969-12-28 23:59:59", "1969-12-22 00:00:00", "1969-12-29 00:00:00"),
        # New York, 10 March 2013: a day of 23 hours; 3 November 2013: one of 25.
        *[
            ("1d", "America/New_York", instant, "2013-03-10 05:00:00", "2013-03-11 04:00:00")
            for instant in ("2013-03-10 05:00:00", "2013-03-10 07:00:00", "2013-03-11 03:59:59")
        ],
        *[
            ("1d", "America/New_York", instant, "2013-11-03 04:00:00", "2013-11-04 05:00:00")
            for instant in ("2013-11-03 04:00:00", "2013-11-03 06:30:00", "2013-11-04 04:59:59")
        ],
        (
            "1w",
            "America/New_York",
            "2013-03-10 12:00:00",
            "2013-03-04 05:00:00",
            "2013-03-11 04:00:00",
        ),
        (
            "1mo",
            "America/New_York",
            "2013-03-15 12:00:00",
            "2013-03-01 05:00:00",
            "2013-04-01 04:00:00",
        ),
        # Elapsed time from midnight: 6 h after a midnight at 05:00 UTC, over the change.
        (
            "6h",
            "America/New_York",
            "2013-03-10 11:30:00",
            "2013-03-10 11:00:00",
            "2013-03-10 17:00:00",
        ),
        (
            "6h",
            "America/New_York",
            "2013-03-11 03:30:00",
            "2013-03-10 23:00:00",
            "2013-03-11 04:00:00",
        ),
        (
            "6h",
            "America/New_York",
            "2013-11-04 04:30:00",
            "2013-11-04 04:00:00",
            "2013-11-04 05:00:00",
        ),
        # Lord Howe Island moves by half an hour: +10:30 in winter, +11 in summer.
        (
            "1d",
            "Australia/Lord_Howe",
            "2013-10-05 15:30:00",
            "2013-10-05 13:30:00",
            "2013-10-06 13:00:00",
        ),
        (
            "1d",
            "Australia/Lord_Howe",
            "2013-04-06 15:00:00",
            "2013-04-06 13:00:00",
            "2013-04-07 13:30:00",
        ),
        (
            "1h",
            "Australia/Lord_Howe",
            "2013-10-06 12:45:00",
            "2013-10-06 12:30:00",
            "2013-10-06 13:00:00",
        ),
        # Kathmandu is at +05:45.
        (
            "1d",
            "Asia/Kathmandu",
            "2013-03-10 18:14:59",
            "2013-03-09 18:15:00",
            "2013-03-10 18:15:00",
        ),
        (
            "1h",
            "Asia/Kathmandu",
            "2013-03-10 18:20:00",
            "2013-03-10 18:15:00",
            "2013-03-10 19:15:00",
        ),
        # Midnight does not exist: the clock of Beirut jumped from 00:00 to 01:00.
        ("1d", "Asia/Beirut", "2013-03-31 12:00:00", "2013-03-30 22:00:00", "2013-03-31 21:00:00"),
        # Samoa left out 30 December 2011.
        ("1d", "Pacific/Apia", "2011-12-30 09:59:59", "2011-12-29 10:00:00", "2011-12-30 10:00:00"),
        ("1d", "Pacific/Apia", "2011-12-30 10:00:00", "2011-12-30 10:00:00", "2011-12-31 10:00:00"),
        # Newfoundland went from 00:01 back to 23:01: the day had begun a minute before.
        (
            "1d",
            "America/St_Johns",
            "2005-10-30 02:31:00",
            "2005-10-30 02:30:00",
            "2005-10-31 03:30:00",
        ),
        ("1d", "+05:30", "2013-03-10 18:29:59", "2013-03-09 18:30:00", "2013-03-10 18:30:00"),
    ],
)
def test_window_of_an_instant(every: str, zone: str, instant: str, start: str, end: str) -> None:
    assert window_of(every, zone, instant) == (start, end)


@pytest.mark.parametrize(("day", "hours"), [("2013-03-10", 23), ("2013-11-03", 25)])
def test_hours_of_a_day_in_new_york(day: str, hours: int) -> None:
    midnight = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("America/New_York"))
    first = int(midnight.timestamp()) * 1_000_000
    instants = first + np.arange(hours * 60) * 60_000_000
    found = assign("1h", "America/New_York", instants, pa.timestamp("us", "UTC"))
    assert list(dict.fromkeys(found)) == [
        Window(first + hour * HOUR, first + (hour + 1) * HOUR) for hour in range(hours)
    ]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_units_agree(unit: str) -> None:
    factor = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    start, later = micros("2013-03-10") // 1_000_000, micros("1931-05-01 03:00:00") // 1_000_000
    found = assign("1d", "UTC", [start * factor, later * factor - 1], pa.timestamp(unit))
    assert found == [
        Window(micros("2013-03-10"), micros("2013-03-11")),
        Window(micros("1931-05-01"), micros("1931-05-02")),
    ]


def test_dates_are_days_of_the_zone() -> None:
    for type_ in (pa.date32(), pa.date64()):
        found = assign("1d", "America/New_York", [date(2013, 3, 10)], type_)
        assert found == [Window(micros("2013-03-10 05:00:00"), micros("2013-03-11 04:00:00"))]


def test_naive_times_are_wall_times_of_the_zone() -> None:
    walls = ["2013-03-10 01:30:00", "2013-03-10 02:30:00", "2013-03-10 03:30:00"]
    found = assign("1h", "America/New_York", [micros(wall) for wall in walls], pa.timestamp("us"))
    # 02:30 does not exist; it is taken as 30 minutes after 2 o'clock, which is 03:30.
    assert [window.start for window in found] == [
        micros("2013-03-10 06:00:00"),
        micros("2013-03-10 07:00:00"),
        micros("2013-03-10 07:00:00"),
    ]


def test_null_times_form_their_own_window() -> None:
    found = assign("1d", "UTC", [None, 0, None], pa.timestamp("s"))
    assert found == [NULL_WINDOW, Window(0, DAY), NULL_WINDOW]
    assert assign("1d", "UTC", [None], pa.timestamp("s")) == [NULL_WINDOW]
    assert assign("1d", "UTC", [None], pa.null()) == [NULL_WINDOW]
    assert assign("1d", "UTC", [], pa.timestamp("s")) == []


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kathmandu"])
@pytest.mark.parametrize(
    "every", ["1ms", "7s", "1m", "7h", "1d", "3d", "36500d", "1w", "1mo", "1200mo"]
)
@pytest.mark.parametrize("type_", [pa.timestamp(u, z) for u in ("s", "ns") for z in (None, "UTC")])
def test_extreme_times_are_safe(every: str, zone: str, type_: pa.DataType) -> None:
    values = [-(2**63), -(2**63) + 1, -(2**40), 0, 2**40, 2**63 - 1]
    found = assign(every, zone, values, type_)
    micros_of, _ = microseconds_of(pa.chunked_array([pa.array(values, type_)]))
    for instant, window in zip(micros_of.tolist(), found, strict=True):
        assert window.start is not None
        assert window.end is not None
        assert -(2**63) <= window.start < window.end < 2**63
        if type_.tz == "UTC" or zone == "UTC":
            assert window.start <= instant < window.end


ZONES = [
    "UTC",
    "America/New_York",
    "Europe/Dublin",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "Africa/Casablanca",
    "America/St_Johns",
    "Asia/Tehran",
]


@pytest.mark.parametrize("zone", ZONES)
def test_days_agree_with_datetime(zone: str) -> None:
    """Oracle: the date that datetime and zoneinfo give, except where a day's date comes back."""
    random.seed(zone)
    clock = ZoneInfo(zone)
    seconds = sorted(random.randrange(-3 * 10**9, 6 * 10**9) for _ in range(2_000))
    found = assign("1d", zone, seconds, pa.timestamp("s", "UTC"))
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    for second, window in zip(seconds, found, strict=True):
        assert window.start is not None
        assert window.end is not None
        local = (epoch + timedelta(seconds=second)).astimezone(clock).date()
        first, last = (
            (epoch + timedelta(microseconds=edge)).astimezone(clock).date()
            for edge in (window.start, window.end - 1)
        )
        assert first == local == last
        before = (epoch + timedelta(microseconds=window.start - 1)).astimezone(clock).date()
        assert before < local


@pytest.mark.parametrize("every", ["5m", "1h", "1d", "1w", "1mo"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_windows_tile_time(every: str, zone: str) -> None:
    start = micros("2013-10-25")
    instants = start + np.arange(20 * 288) * 300_000_000
    found = assign(every, zone, instants, pa.timestamp("us", "UTC"))
    edges = list(dict.fromkeys(found))
    for window, following in itertools.pairwise(edges):
        assert window.end == following.start
    for instant, window in zip(instants.tolist(), found, strict=True):
        assert window.start <= instant < window.end  # type: ignore[operator]


def test_windows_of_milliseconds() -> None:
    micros_of_rows = [0, 249_999, 250_000, 86_399_999_999, 86_400_000_000]
    found = assign("250ms", "UTC", micros_of_rows, pa.timestamp("us", "UTC"))
    assert [(window.start, window.end) for window in found] == [
        (0, 250_000),
        (0, 250_000),
        (250_000, 500_000),
        (86_399_750_000, 86_400_000_000),
        (86_400_000_000, 86_400_250_000),
    ]


def test_chunks_and_slices_do_not_matter() -> None:
    values = pa.array([0, None, 10**6, -5, 10**7], pa.timestamp("s"))
    whole = pa.chunked_array([values])
    parts = pa.chunked_array([values[:2], values[2:2], values[2:]])
    windows = Windows(Period.parse("1d"), "UTC")
    codes, found = windows.assign(whole)
    codes_of_parts, found_of_parts = windows.assign(parts)
    assert codes.tolist() == codes_of_parts.tolist()
    assert found == found_of_parts


@pytest.mark.parametrize(
    "every",
    [
        "",
        "1",
        "d",
        "0d",
        "-1d",
        "1.5h",
        "1y",
        "1 d",
        "25h",
        "1441m",
        "99999999d",
        "1D",
        "86401s",
        "1us",
        "1S",
    ],
)
def test_bad_lengths(every: str) -> None:
    with pytest.raises(InputError, match="window"):
        Period.parse(every)


@pytest.mark.parametrize("zone", ["", "Nowhere/Land", "../etc/passwd", "+25:00", "EST5EDT4,x"])
def test_bad_zones(zone: str) -> None:
    with pytest.raises(InputError, match="time zone"):
        zone_of(zone)


@pytest.mark.parametrize(
    "type_", [pa.int64(), pa.string(), pa.time32("s"), pa.float64(), pa.list_(pa.date32())]
)
def test_columns_that_hold_no_times(type_: pa.DataType) -> None:
    with pytest.raises(InputError, match="not times"):
        microseconds_of(pa.chunked_array([pa.array([None], type_)]))


def test_compact_is_unique() -> None:
    for values in ([5, 3, 5], [2**62, -(2**62), 7], [1], list(range(9, 0, -1))):
        unique, codes = compact(np.array(values, dtype=np.int64))
        expected, inverse = np.unique(values, return_inverse=True)
        assert unique.tolist() == expected.tolist()
        assert codes.tolist() == inverse.tolist()
