"""Columns that have one value in every window are named, where they changed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

import leadline as ll
from leadline.compare.clockwork import columns_of_time, in_words
from leadline.profile import Profile

DAY = 86_400_000_000
FIRST = 20_454 * DAY  # 2026-01-01


def profile_of(days: range, rows: int = 200, shift: float = 0.0) -> Profile:
    random = np.random.default_rng(days.start)
    day = np.repeat(np.array(days), rows)
    instants = FIRST + day * DAY + random.integers(0, DAY, len(day))
    dates = instants.astype("datetime64[us]").astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    return ll.profile(
        pa.table(
            {
                "ts": pa.array(instants, pa.timestamp("us", "UTC")),
                "month": months.astype(int) % 12 + 1,
                "day": (dates - months).astype(int) + 1,
                "version": pa.array([f"1.{d // 10}" for d in day]),
                "constant": np.full(len(day), 7),
                "often": pa.array(np.where(random.random(len(day)) < 0.01, 1, day)),
                "x": random.normal(shift, 1.0, len(day)),
                "empty": pa.nulls(len(day), pa.int64()),
            }
        ),
        time="ts",
        every="1d",
    )


def test_they_are_the_ones_with_one_value_in_every_window() -> None:
    reference = profile_of(range(60))
    assert columns_of_time(reference, reference.names) == ["month", "day", "version"]
    assert columns_of_time(reference, ["x", "day"]) == ["day"]
    assert columns_of_time(profile_of(range(3)), ["day"]) == []  # three windows may be an accident
    assert columns_of_time(ll.profile({"day": [1, 2]}), ["day"]) == []


def test_segments_of_a_window_need_the_same_value() -> None:
    random = np.random.default_rng(1)
    day = np.repeat(np.arange(10), 40)
    table = pa.table(
        {
            "ts": pa.array(FIRST + day * DAY, pa.timestamp("us", "UTC")),
            "side": pa.array(np.where(np.arange(400) % 2, "a", "b")),
            "day": day,
            "both": day + np.arange(400) % 2,
            "x": random.normal(size=400),
        }
    )
    reference = ll.profile(table, time="ts", every="1d", segments=["side"])
    assert columns_of_time(reference, ["day", "both", "x"]) == ["day"]


def test_a_comparison_names_those_that_changed() -> None:
    reference, later = profile_of(range(60)), profile_of(range(90, 110))
    warning = in_words(["month", "version"])
    assert warning == (
        "'month' and 'version' have one value in every window of the reference, and others in "
        "other windows: they go with the time, as months and versions do, whatever else changed"
    )
    found = ll.compare(reference, later)
    drifted = [one.name for one in found.columns if one.verdict.value in ("drift", "possible")]
    named = [name for name in ("month", "day", "version") if name in drifted]
    assert "month" in named
    assert in_words(named) in found.warnings


def test_a_trend_notes_them() -> None:
    found = ll.trend(profile_of(range(60)), profile_of(range(60, 75)), seasonal=False)
    changed = {c.column for event in found.events for c in event.changes if c.what == "values"}
    named = [name for name in ("month", "day", "version") if name in changed]
    assert "month" in named
    assert in_words(named) in found.notes
    quiet = ll.trend(profile_of(range(60)), profile_of(range(60, 75)), columns=["x"])
    assert not quiet.notes
