"""Looks into an open window: constants of the band, bounds of shares, verdicts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

import leadline as ll
from leadline.errors import InputError
from leadline.trend.looks import band_constant, band_margin, share_log_gain, shares_ever


def test_the_band_is_the_one_that_its_authors_compute() -> None:
    # Howard and Ramdas' own library states this value for (1000, alpha 0.05, from 100, A 0.85).
    assert float(band_margin(1_000, 0.05)) == pytest.approx(0.08204769, abs=5e-7)


@pytest.mark.parametrize("alpha", [0.05, 0.01, 1e-4, 1e-8])
def test_the_constant_is_the_least_that_the_theorem_allows(alpha: float) -> None:
    eta = 1 + np.linspace(1e-5, 0.2, 400_000)

    def least(constant: float) -> float:
        room = 0.85 - np.sqrt(2 * (eta - 1) / constant)
        gain = np.where(room > 0, 2 / eta * room**2, 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            error = 4 * np.exp(-gain * constant) * (1 + 1 / ((gain - 1) * np.log(eta)))
        return float(error[gain > 1].min())

    found = band_constant(alpha)
    assert least(found) == pytest.approx(alpha, rel=1e-4)
    assert least(found * 0.999) > alpha
    # The paper's closed form for this slope is a little larger.
    assert found <= 0.8 * math.log(1612 / alpha) + 1e-9


def test_the_band_has_no_margin_before_its_first_look() -> None:
    assert band_margin(np.array([50.0, 99.0]), 0.05).tolist() == [math.inf, math.inf]
    margins = band_margin(np.array([1e2, 1e3, 1e4, 1e6]), 0.05)
    assert (np.diff(margins) < 0).all()
    # Wider than the band of one look, by less than three times in any practical number of rows.
    once = np.sqrt(math.log(2 / 0.05) / 2 / np.array([1e2, 1e3, 1e4, 1e6]))
    assert ((margins > once) & (margins < 3 * once)).all()


def test_bounds_of_shares_are_where_the_mixture_has_gained_enough() -> None:
    count, rows = np.array([0.0, 7.0, 250.0, 1_000.0]), np.full(4, 1_000.0)
    low, high = shares_ever(count, rows, 0.01)
    assert low[0] == 0.0
    assert high[-1] == 1.0
    gains = share_log_gain(count[:3], rows[:3], high[:3])
    assert gains == pytest.approx(math.log(100), rel=1e-9)
    for place in range(4):
        inside = np.linspace(low[place], high[place], 9)[1:-1]
        gains = share_log_gain(np.full(7, count[place]), np.full(7, 1_000.0), inside)
        assert (gains < math.log(100)).all()
    # The likelihood against the mixture's, from SciPy.
    mixture = stats.betabinom.pmf(7, 1_000, 0.5, 0.5) / stats.binom.pmf(7, 1_000, 0.02)
    assert share_log_gain(*map(np.array, (7.0, 1_000.0, 0.02))) == pytest.approx(math.log(mixture))


def rows_of(
    random: np.random.Generator, rows: int, *, shift: float = 0.0, missing: float = 0.02
) -> dict[str, object]:
    values = random.normal(shift, 1.0, rows)
    values[random.random(rows) < missing] = np.nan
    return {
        "x": values,
        "kind": random.choice(["a", "b", "c", "d"], rows, p=[0.4, 0.3, 0.2, 0.1]),
        "flag": random.random(rows) < 0.1,
    }


@pytest.fixture(scope="module")
def reference() -> ll.Profile:
    return ll.profile(rows_of(np.random.default_rng(1), 50_000))


def looks_at(reference: ll.Profile, seed: int, looks: int, **changed: float) -> list[ll.Look]:
    """A window that grows by 100 rows from look to look."""
    random = np.random.default_rng(seed)
    found, window = [], None
    for _ in range(looks):
        more = ll.profile(rows_of(random, 100, **changed))
        window = more if window is None else window.merge(more, allow_repeats=True)
        found.append(ll.look(reference, window))
    return found


def test_a_window_like_the_reference_never_alarms(reference: ll.Profile) -> None:
    for seed in range(5):
        found = looks_at(reference, seed, 20)
        assert {one.verdict.value for one in found} == {"none"}
    assert found[-1].rows == 2_000
    assert found[-1].reason.startswith("none: nothing is certain after 2,000 rows")


def test_a_shift_is_found_and_stays_found(reference: ll.Profile) -> None:
    found = looks_at(reference, 9, 20, shift=0.5)
    verdicts = [one.verdict.value for one in found]
    first = verdicts.index("drift")
    assert first <= 11
    assert set(verdicts[first:]) == {"drift"}
    part = found[-1].parts[0]
    assert (part.column, part.what, part.effect) == ("x", "values", "ks")
    assert 0.05 <= part.certain <= 0.197 <= part.value + 0.04  # the true distance


def test_missing_rows_are_found_sooner_than_a_band_could(reference: ll.Profile) -> None:
    found = looks_at(reference, 4, 8, missing=0.1)
    verdicts = [one.verdict.value for one in found]
    assert "possible" in verdicts
    assert verdicts.index("possible") <= 4
    part = next(one for one in found[-1].parts if (one.column, one.what) == ("x", "missing"))
    assert 0 < part.certain < part.value


def test_categories_two_values_and_columns_that_are_gone(reference: ll.Profile) -> None:
    random = np.random.default_rng(2)
    rows = {"kind": ["d"] * 200 + ["a"] * 200, "flag": random.random(400) < 0.6}
    found = ll.look(reference, ll.profile(rows))
    parts = {(part.column, part.what): part for part in found.parts}
    assert parts["kind", "values"].effect == "total_variation"
    assert parts["flag", "values"].effect == "cohens_h"
    assert {part.verdict.value for part in parts.values()} == {"drift", "none"}
    assert parts["x", "missing"].value == pytest.approx(math.pi, abs=0.3)
    assert ("x", "values") not in parts


def test_too_few_rows_are_not_looked_at(reference: ll.Profile) -> None:
    found = ll.look(reference, ll.profile(rows_of(np.random.default_rng(1), 99)))
    assert found.verdict.value == "not comparable"
    assert found.reason == "not comparable: 99 rows so far; looks begin with 100"
    assert found.to_dict()["parts"] == []


def test_what_cannot_be_looked_at(reference: ll.Profile) -> None:
    with pytest.raises(InputError, match="alpha is 1"):
        ll.look(reference, reference, alpha=1)
    with pytest.raises(InputError, match="the window is of type dict"):
        ll.look(reference, {})  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no column is common"):
        ll.look(reference, ll.profile({"y": [1.0] * 200}))
