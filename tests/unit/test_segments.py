"""Comparison by segment, the ranking by importance, and changes in words."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from leadline.compare import Comparison, Limits, compare
from leadline.errors import InputError
from leadline.profile import Profile
from leadline.report.json import to_json
from leadline.scan import profile

RANDOM = np.random.default_rng(8)
MEANS = {"DE": 0.0, "FR": 4.0, "US": 8.0}


def table(shares: dict[str, float], shift: dict[str, float] | None = None) -> Profile:
    """12,000 rows; x depends on the country alone, device on nothing."""
    country = RANDOM.choice(list(shares), 12_000, p=list(shares.values()))
    moved = {name: MEANS[name] + (shift or {}).get(name, 0.0) for name in MEANS}
    x = RANDOM.normal(0, 1, 12_000) + np.vectorize(moved.get)(country)
    device = RANDOM.choice(["phone", "web"], 12_000)
    data = {"country": country, "device": device, "x": x, "y": RANDOM.normal(0, 1, 12_000)}
    return profile(data, segments=["country", "device"])


EVEN = {"DE": 0.4, "FR": 0.3, "US": 0.3}
REFERENCE = table(EVEN)


def test_every_segment_is_judged_in_one_family() -> None:
    result = compare(REFERENCE, table(EVEN, {"FR": 0.5}), by="segment")
    assert len(result.segments) == 6
    drifted = {one.name: one.comparison.drifted for one in result.segments if one.comparison}
    assert drifted == {
        "DE, phone": (), "DE, web": (), "FR, phone": ("x",), "FR, web": ("x",),
        "US, phone": (), "US, web": (),
    }  # fmt: skip
    # x, y by values and missing share, and the missing share of nothing else, in 1 + 6 parts;
    # country and device are segment columns; and the mix.
    assert result.family == 7 * 4 + 1
    assert result.mix is not None
    assert result.mix.verdict == "none"
    assert result.mix_only == ()
    assert result.segment(country="FR", device="web").verdict == "drift"
    assert result.verdict == "drift"


def test_another_mix_of_the_same_segments_is_named() -> None:
    result = compare(REFERENCE, table({"DE": 0.2, "FR": 0.4, "US": 0.4}), by="country")
    assert [one.segment for one in result.segments] == [
        {"country": "DE"}, {"country": "FR"}, {"country": "US"},
    ]  # fmt: skip
    assert {one.verdict for one in result.segments} == {"none"}
    assert result.mix is not None
    assert result.mix.verdict == "drift"
    assert "the shares of segments" in result.mix.reason
    assert result.drifted == ("x",)
    assert result.mix_only == ("x",)


def test_a_segment_with_few_rows_is_named_and_not_judged() -> None:
    rare = table({"DE": 0.6, "FR": 0.398, "US": 0.002})
    us = compare(REFERENCE, rare, by="country").segment(country="US")
    assert us.comparison is None
    assert us.note.endswith("rows in the current profile, under 100")
    assert us.verdict == "not comparable"
    assert us.reference_rows > 3_000


def test_segments_in_json() -> None:
    result = compare(REFERENCE, table(EVEN, {"FR": 0.5}), by=["country"])
    figures = json.loads(to_json(result.to_dict()))
    fr = figures["segments"][1]
    assert (fr["segment"], fr["verdict"]) == ({"country": "FR"}, "drift")
    assert fr["comparison"]["drifted"] == ["x"]
    assert figures["mix"]["verdict"] == "none"


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ("y", "the reference has no segments by 'y'; it has them by country, device"),
        (3, "'by' is names of segment columns, not 3"),
        (("country", "z"), "the reference has no segments by 'z'"),
    ],
)
def test_columns_that_are_no_segments_are_named(by: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        compare(REFERENCE, REFERENCE, by=by)


def test_a_side_without_segments_is_named() -> None:
    plain = profile({"x": np.arange(200.0)})
    with pytest.raises(InputError, match="the current profile has no segments"):
        compare(REFERENCE, plain, by="segment")


def ranked(importance: dict[str, float] | None = None, **options: Any) -> Comparison:
    """A moves by 0.5, b by 0.25; c stays."""
    a, b, c = RANDOM.normal(0, 1, (3, 20_000))
    return compare(
        profile({"a": a[:10_000], "b": b[:10_000], "c": c[:10_000]}),
        profile({"a": a[10_000:] + 0.5, "b": b[10_000:] + 0.25, "c": c[10_000:]}),
        importance=importance,
        **options,
    )


def test_columns_are_ranked_by_effect_and_importance() -> None:
    plain = ranked().ranking
    assert [one.column.name for one in plain] == ["a", "b"]
    # ks is about .197 and .099: two thirds and one third.
    assert plain[0].share == pytest.approx(2 / 3, abs=0.03)
    weighted = ranked({"b": 4.0}).ranking
    assert [one.column.name for one in weighted] == ["b", "a"]
    assert weighted[0].share == pytest.approx(2 / 3, abs=0.03)
    assert ranked({"a": 0.0}).ranking[-1].share == 0.0


def test_the_share_of_drifted_columns_decides_by_importance() -> None:
    half = Limits(drift_share=0.7)
    assert ranked().verdict == "drift"
    assert ranked(thresholds=half).verdict == "possible"  # two of three drifted
    assert ranked({"c": 0.1}, thresholds=half).verdict == "drift"


@pytest.mark.parametrize(
    ("importance", "message"),
    [
        ({"d": 1.0}, "there is no column 'd'"),
        ({"a": -1.0}, "the importance of 'a' is -1.0; it is a number from 0 to 1e"),
        ({"a": "much"}, "the importance of 'a' is 'much'"),
        ({"a": float("nan")}, "the importance of 'a' is nan"),
        ([1.0], "importance is weights by column, not of type list"),
    ],
)
def test_wrong_weights_are_named(importance: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ranked(importance)


def told(before: Any, now: Any) -> tuple[str, ...]:
    return compare(profile({"x": before}), profile({"x": now}))["x"].change


def test_changes_in_words() -> None:
    age = np.repeat(np.arange(20, 61), 10)
    assert told(age, age + 7) == ("p50 40 to 47",)
    assert told(age * 1000.0, age * 2500.0)[0] == "p50 40000 to 100000"
    assert "standard deviation 0.0106 to 0.0212" in told(
        np.linspace(1.7, 1.7365, 410), np.linspace(1.68, 1.753, 410)
    )
    holes = age.astype(float)
    nulls = [None if i % 25 == 0 else x for i, x in enumerate(holes.tolist())]
    assert told(holes, nulls) == ("share of nulls 0 % to 4.15 %",)  # 17 of 410
    zeros = np.where(np.arange(410) < 41, 0, age)
    assert "share of zeros 0 % to 10 %" in told(age, zeros)
    assert told([True] * 300 + [False] * 100, [True] * 200 + [False] * 200) == (
        "share of 'true' 75 % to 50 %",
        "share of 'false' 25 % to 50 %",
    )
    letters = ["a"] * 300 + ["b"] * 100
    assert told(letters, ["a"] * 200 + ["b"] * 100 + ["c"] * 100) == (
        "share of 'a' 75 % to 50 %",
        "an unseen value, 25 % of the rows",
    )
    assert told(age, age) == ()
    assert told([1.7e9] * 300, [1.7e9 + 3] * 300)[0] == "share of '1700000000' 100 % to 0 %"


def test_small_shifts_of_large_numbers_show_their_digits() -> None:
    base = 1.7e9 + np.linspace(-10, 10, 401)
    assert told(base, base + 5) == ("p50 1700000000 to 1700000005",)
    assert told(base + 0.25, base + 2.75)[0].startswith("p50 1700000000.2")


def test_changes_of_extreme_values_in_words() -> None:
    large = [2**62 + i for i in range(501)]
    assert told(large, [x + 100 for x in large]) == (f"p50 {2**62 + 250} to {2**62 + 350}",)
    some = np.linspace(-1, 1, 501)
    infinite = np.where(np.arange(501) > 400, np.inf, some)
    assert "p95 0.9 to inf" in told(some, infinite)
    assert not any("deviation" in text for text in told(some * 1e307, some * 1.7e308))
