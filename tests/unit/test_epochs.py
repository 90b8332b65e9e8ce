"""Epochs of a service: every window consists of whole ones, whatever the zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from leadline.errors import InputError
from leadline.serve.epochs import Epochs

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_of(epochs: Epochs, instant: datetime) -> int:
    micros = (instant - EPOCH) // timedelta(microseconds=1)
    return 1_000 * micros // epochs.step


def edges(epochs: Epochs, instant: datetime) -> tuple[datetime, datetime]:
    window = epochs.window(epoch_of(epochs, instant))
    assert window.start is not None
    assert window.end is not None
    return tuple(EPOCH + timedelta(microseconds=edge) for edge in (window.start, window.end))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("every", "step"),
    [
        ("1ms", 10**6),
        ("250ms", 250 * 10**6),
        ("10s", 10 * 10**9),
        ("1m", 60 * 10**9),
        # A window of 7 minutes begins again at midnight; 1 minute divides both.
        ("7m", 60 * 10**9),
        # Midnights lie on quarters of an hour.
        ("1h", 900 * 10**9),
        ("1d", 900 * 10**9),
        ("1mo", 900 * 10**9),
    ],
)
def test_step(every: str, step: int) -> None:
    assert Epochs(every, "UTC").step == step


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/St_Johns", "Europe/Berlin"])
def test_days_begin_at_local_midnight(zone: str) -> None:
    clock = ZoneInfo(zone)
    for day in (1, 28, 29, 30, 31):
        for hour in (0, 1, 2, 12, 23):
            instant = datetime(2026, 3, day, hour, 59, 59, tzinfo=clock).astimezone(UTC)
            start, end = edges(Epochs("1d", zone), instant)
            assert start <= instant < end
            assert start.astimezone(clock) == datetime(2026, 3, day, tzinfo=clock)


def test_short_windows_end_with_the_day() -> None:
    instant = datetime(2026, 3, 10, 23, 59, 30, tzinfo=UTC)
    assert edges(Epochs("7m", "UTC"), instant) == (
        datetime(2026, 3, 10, 23, 55, tzinfo=UTC),
        datetime(2026, 3, 11, tzinfo=UTC),
    )


@pytest.mark.parametrize(("every", "zone"), [("0m", "UTC"), ("1x", "UTC"), ("1m", "Nowhere/Land")])
def test_what_cannot_be_used(every: str, zone: str) -> None:
    with pytest.raises(InputError):
        Epochs(every, zone)
