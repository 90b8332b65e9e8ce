"""Confidence of scores on both sides, and its deviation from window to window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy import stats

from leadline.compare import compare
from leadline.compare.scores import instability, score_change
from leadline.compare.significance import variances_p
from leadline.profile import ColumnProfile, Profile
from leadline.scan import profile

RANDOM = np.random.default_rng(77)
START = datetime(2026, 1, 1, tzinfo=UTC)


def of(values: np.ndarray) -> ColumnProfile:
    return profile({"p": values}, roles={"p": "score"})["p"]


def days(confidences: np.ndarray, rows: int = 500) -> Profile:
    """Scores around a confidence a day, half of them for the other class."""
    parts, times = [], []
    for day, confidence in enumerate(confidences):
        sure = np.clip(RANDOM.normal(confidence, 0.03, rows), 0.5, 1.0)
        parts.append(np.where(RANDOM.random(rows) < 0.5, sure, 1 - sure))
        times += [START + timedelta(days=day, seconds=row) for row in range(rows)]
    data = {"ts": times, "p": np.concatenate(parts)}
    return profile(data, time="ts", every="1d", roles={"p": "score"})


@pytest.mark.parametrize("rows", [400, 50_000])  # counted one by one, and in sketches
@pytest.mark.parametrize("law", [stats.uniform(), stats.beta(0.3, 0.3), stats.beta(2, 8)])
def test_figures_are_those_of_the_rows(rows: int, law: stats.rv_continuous) -> None:
    p = law.rvs(rows, random_state=RANDOM)
    p[:7] = [0.0, 1.0, 0.5, 0.4, 0.6, 0.8, 0.2]
    change = score_change(of(p), of(p), (0.5, 0.8))
    assert change is not None
    side = change.reference
    confidence = np.maximum(p, 1 - p)
    q = np.clip(p, 1e-300, 1 - 1e-16)
    expected = {
        "confidence": confidence.mean(),
        "uncertain": np.mean((p > 0.4) & (p < 0.6)),
        "entropy": np.mean(-(q * np.log2(q) + (1 - q) * np.log2(1 - q))),
    }
    for name, raw in expected.items():
        figure = getattr(side, name)
        assert figure.lower - 1e-9 <= raw <= figure.upper + 1e-9, name
        assert figure.upper - figure.lower <= 0.02, name
        assert figure.ci_lower <= raw <= figure.ci_upper, name
    assert [limit for limit, _ in side.beyond] == [0.5, 0.8]
    for limit, share in side.beyond:
        assert share.lower - 1e-12 <= np.mean(p >= limit) <= share.upper + 1e-12
    assert change.words == ()
    for figure in (side.confidence, side.uncertain, side.entropy, side.beyond[0][1]):
        assert 0 <= figure.ci_lower <= figure.lower  # type: ignore[operator]
        assert figure.upper <= figure.ci_upper <= 1  # type: ignore[operator]


def test_lower_confidence_is_named() -> None:
    before, now = (days(np.full(3, mean)) for mean in (0.90, 0.58))
    words = compare(before, now)["p"].change
    assert "mean confidence 0.90 to 0.58" in words
    assert any(text.startswith("confidence under 0.6: 0 % to 7") for text in words)


def test_a_doubled_deviation_at_the_same_mean_is_named() -> None:
    waves = np.sin(2.0 * np.arange(30))
    before, now = days(0.8 + 0.02 * waves), days(0.8 + 0.04 * waves)
    column = compare(before, now)["p"]
    assert column.score is not None
    found = column.score.instability
    assert found is not None
    assert found.changed
    assert 1.9 < found.current / found.reference < 2.2
    told = [text for text in column.change if text.startswith("window-to-window deviation")]
    assert len(told) == 1
    assert not any(text.startswith("mean confidence") for text in column.change)


def test_the_same_deviation_is_not() -> None:
    waves = np.sin(2.0 * np.arange(30))
    found = instability(days(0.8 + 0.02 * waves), days(0.8 - 0.02 * waves), "p")
    assert found is not None
    assert not found.changed


def test_few_windows_say_nothing_of_deviations() -> None:
    assert instability(days(np.full(7, 0.8)), days(np.full(30, 0.8)), "p") is None


def test_equal_variances_by_the_f_test() -> None:
    # Two-sided F test of variances 4 and 1 with 9 and 14 degrees of freedom.
    expected = 2 * stats.f.sf(4.0, 9, 14)
    assert variances_p(2.0, 1.0, 10, 15) == pytest.approx(expected, rel=1e-12)
    assert variances_p(1.0, 2.0, 15, 10) == pytest.approx(expected, rel=1e-12)
    assert variances_p(0.0, 1.0, 10, 10) == 0.0


@pytest.mark.parametrize("values", [[0.2, 1.2] * 100, [-0.1, 0.4] * 100, [np.nan] * 200])
def test_what_is_no_probability_has_no_confidence(values: list[float]) -> None:
    data = np.array(values)
    assert score_change(of(data), of(data)) is None
    sides = [profile({"p": data}, roles={"p": "score"}) for _ in range(2)]
    assert compare(*sides)["p"].score is None


def test_bounds_stay_inside_what_is_possible() -> None:
    change = score_change(of(np.array([0.0, 1.0] * 100)), of(np.full(200, 0.5)))
    assert change is not None
    sure, unsure = change.reference, change.current
    assert (sure.confidence.upper, sure.confidence.ci_upper, sure.entropy.ci_lower) == (1, 1, 0)
    assert (unsure.confidence.ci_lower, unsure.entropy.ci_upper) == (0.5, 1)
