"""A reference's windows among themselves, and what they say of another one's effect."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from scipy import stats

from leadline.compare import Limits, compare
from leadline.compare.history import (
    ColumnHistory,
    History,
    calibrated,
    history_p,
    joined_windows,
)
from leadline.compare.statistic import Statistic
from leadline.compare.verdict import Evidence, not_comparable
from leadline.profile import Profile
from leadline.scan import profile

RANDOM = np.random.default_rng(41)
START = datetime(2026, 3, 2, tzinfo=UTC)


def days(values: list[np.ndarray], **columns: Any) -> Profile:
    """A profile with one window a day, the first array on the first day."""
    times = [
        START + timedelta(days=day, seconds=row)
        for day, part in enumerate(values)
        for row in range(len(part))
    ]
    data = {"ts": times, "x": np.concatenate(values), **columns}
    return profile(data, time="ts", every="1d")


def test_every_window_is_held_against_all_others() -> None:
    parts = [RANDOM.normal(day / 3, 1, 200 + 40 * day) for day in range(4)]
    found = History.of(days(parts))
    assert len(found) == 4
    assert found.rows.tolist() == [200, 240, 280, 320]
    for day, part in enumerate(parts):
        others = np.concatenate(parts[:day] + parts[day + 1 :])
        expected = stats.ks_2samp(others, part).statistic
        assert found.columns["x"].values[day] == pytest.approx(expected, abs=1e-12)
    assert found.columns["x"].effects == ("ks",) * 4
    assert found.columns["ts"].effects == ("",) * 4
    assert np.isnan(found.columns["ts"].values).all()


def test_missing_rows_of_every_window() -> None:
    parts = [np.arange(200.0) for _ in range(3)]
    parts[1][:50] = np.nan
    found = History.of(days(parts)).columns["x"].missing
    h = 2 * np.arcsin(np.sqrt(0.25))  # Cohen's h of 50 in 200 against none in 400
    against = abs(2 * np.arcsin(np.sqrt(50 / 400)))
    assert found == pytest.approx([against, h, against])


def test_windows_joined_to_the_length_of_another_profile() -> None:
    parts = [RANDOM.normal(0, 1, 150) for _ in range(7)]
    reference = days(parts)
    assert joined_windows(reference, days(parts[:1])) == 1
    assert joined_windows(reference, days(parts[:3])) == 3
    assert joined_windows(reference, profile({"x": parts[0]})) == 0
    assert joined_windows(profile({"x": parts[0]}), reference) == 0
    found = History.of(reference, joined=3)
    assert found.rows.tolist() == [450, 450]
    expected = stats.ks_2samp(np.concatenate(parts[3:6]), np.concatenate(parts[:3])).statistic
    assert found.columns["x"].values == pytest.approx([expected, expected], abs=1e-12)
    first, second = found.windows
    assert first.end == second.start
    assert first.end - first.start == 3 * 86_400_000_000  # type: ignore[operator]


def test_thresholds_name_the_effect() -> None:
    parts = [RANDOM.normal(0, 1, 150) for _ in range(3)]
    found = History.of(days(parts), limits=Limits(columns={"x": {"statistic": "wasserstein"}}))
    assert set(found.columns["x"].effects) == {"wasserstein_scaled"}


def test_a_window_without_enough_rows_has_no_effect() -> None:
    parts = [np.arange(150.0), np.arange(50.0), np.arange(150.0)]
    found = History.of(days(parts)).columns["x"]
    assert np.isnan(found.values).tolist() == [False, True, False]
    assert found.effects == ("ks", "", "ks")
    assert len(found.values_of("ks")) == 2


def test_the_probability_counts_windows_as_large() -> None:
    past = np.arange(1, 25) / 100
    assert history_p(0.2, past) == 6 / 25  # .20 to .24, and itself
    assert history_p(0.0, past) == 1.0


def test_beyond_all_windows_the_tail_is_student_s() -> None:
    past = RANDOM.lognormal(-4, 0.5, 40)
    effect = 3 * past.max()
    logs = np.log(past + np.median(past) / 8)
    distance = np.log(effect + np.median(past) / 8) - logs.mean()
    expected = stats.t.sf(distance / (logs.std(ddof=1) * np.sqrt(1 + 1 / 40)), 39)
    assert history_p(effect, past) == pytest.approx(expected, rel=1e-9)
    assert expected < 0.0005
    just = np.nextafter(past.max(), 1)
    assert history_p(just, past) <= 1 / 41


def test_windows_that_are_all_equal_leave_it_to_the_test() -> None:
    assert history_p(0.1, np.zeros(30)) == 0.0
    assert history_p(0.1, np.full(30, 0.05)) == 0.0
    assert history_p(0.05, np.full(30, 0.05)) == 1.0


def test_no_more_false_alarms_than_promised() -> None:
    """P(p <= a) <= a, within Monte Carlo error, for a new window drawn like the others."""
    for law in (stats.halfnorm, stats.kstwobign, stats.lognorm(0.5)):
        draws = law.rvs(size=(4000, 31), random_state=np.random.default_rng(5))
        p = np.array([history_p(row[-1], row[:-1]) for row in draws])
        for level in (0.05, 0.01):
            allowed = stats.binom.isf(1e-6, len(draws), level)
            assert np.count_nonzero(p <= level) <= allowed


def test_evidence_takes_threshold_and_p_from_the_past() -> None:
    effect = Statistic(0.2, 0.2, 0.2, name="ks", p_value=1e-9)
    given = Evidence(effect, 0.05, "ks")
    past = np.linspace(0.01, 0.3, 30)
    found = calibrated(given, past)
    assert isinstance(found, Evidence)
    assert found.threshold == past[28]  # at least 95 % of 30 windows are at or under the 29th
    assert found.p_value == history_p(0.2, past)
    assert found.basis == (
        "against 30 windows of the reference, which raise the threshold from 0.05"
    )
    assert calibrated(given, past[:19]) is given
    assert calibrated(given, np.append(past[:19], np.nan)) is given
    refused = not_comparable("no values")
    assert calibrated(refused, past) is refused
    low = calibrated(given, past / 100)
    assert isinstance(low, Evidence)
    assert low.threshold == 0.05


def test_effects_of_another_name_do_not_count() -> None:
    found = ColumnHistory(("ks", "cohens_h", "ks"), np.array([0.1, 0.2, 0.3]), np.zeros(3))
    assert found.values_of("ks").tolist() == [0.1, 0.3]


@pytest.mark.parametrize("rows", [300, 4_000])  # counted one by one, and in sketches
def test_taking_a_window_off_is_merging_the_others(rows: int) -> None:
    """Every kind of column: effects as `compare` gives them for a window and all others."""
    letters, flags = np.array(list("abcdefgh")), np.array([False, True])
    parts = [RANDOM.lognormal(day / 9, 2, rows) for day in range(4)]
    total = 4 * rows
    reference = days(
        parts,
        text=RANDOM.choice(letters, total, p=np.arange(1, 9) / 36),
        names=[f"v{x}" for x in RANDOM.zipf(1.4, total) % 900],
        flag=RANDOM.choice(flags, total, p=[0.9, 0.1]),
        whole=RANDOM.poisson(4, total),
        holes=np.where(RANDOM.random(total) < 0.05, np.nan, RANDOM.normal(0, 1, total)),
    )
    found = History.of(reference)
    for place, window in enumerate(reference.windows):
        others = replace(reference, cells=tuple(c for c in reference.cells if c.window != window))
        result = compare(others, reference.select(window=window), calibrate=False)
        for name in ("x", "text", "names", "flag", "whole", "holes"):
            column, past = result[name], found.columns[name]
            effect = column.values.effect
            assert effect is not None
            assert past.effects[place] == effect.name
            room = 1e-12 + effect.upper - effect.lower + (0.01 if rows > 2_048 else 0)
            assert past.values[place] == pytest.approx(effect.value, abs=room), name
            missing = column.missing.judgement.effect
            assert missing is not None
            assert past.missing[place] == pytest.approx(missing.value, abs=1e-12)


def test_values_are_held_against_values() -> None:
    past = np.linspace(0.01, 0.05, 40)
    effect = Statistic(0.049, 0.02, 0.06, name="ks", p_value=0.0)
    found = calibrated(Evidence(effect, 0.05, "ks"), past)
    assert isinstance(found, Evidence)
    # Of 40 past effects only the largest is larger than .049; from the lower end on, 31 are.
    assert found.p_value == pytest.approx(2 / 41)
