"""Figures of data quality against figures worked out by hand."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pyarrow as pa
import pytest

import leadline as ll
from leadline.compare.quality import (
    character_change,
    distinct_ratio,
    hour_change,
    out_of_range,
    quality_figures,
    unseen_share,
    vanished_share,
    weekday_change,
)
from leadline.profile import ColumnProfile, quality


def column(values: object, type_: pa.DataType | None = None) -> ColumnProfile:
    return ll.profile(pa.table({"x": pa.array(values, type_)}))["x"]


def value(estimate: ll.Estimate | None) -> float:
    assert estimate is not None
    assert estimate.lower == estimate.value == estimate.upper
    return estimate.value


FLOATS = column([1.0, 0.0, -0.0, -2.0, math.nan, math.inf, -math.inf, None], pa.float64())


def test_shares_of_rows_and_of_values() -> None:
    assert value(quality.null_share(FLOATS)) == 1 / 8
    assert value(quality.nan_share(FLOATS)) == 1 / 8
    assert value(quality.missing_share(FLOATS)) == 2 / 8
    assert value(quality.completeness(FLOATS)) == 6 / 8
    assert value(quality.infinite_share(FLOATS)) == 2 / 6
    assert value(quality.zero_share(FLOATS)) == 2 / 6
    assert value(quality.negative_share(FLOATS)) == 2 / 6


def test_a_figure_that_the_kind_does_not_have_is_none() -> None:
    text = column(["a", ""])
    for figure in (quality.zero_share, quality.negative_share, quality.infinite_share):
        assert figure(text) is None
    assert quality.empty_share(FLOATS) is None
    assert quality.mean(text) is None
    assert quality.quantile(text, 0.5) is None
    assert quality.nan_share(column([1, 2])) is None
    assert quality.share_between(text, 0, 1) is None


@pytest.mark.parametrize("values", [[], [None, None]])
def test_without_values_there_are_no_figures(values: list[None]) -> None:
    empty = column(values, pa.float64())
    figures = (quality.mean, quality.std, quality.minimum, quality.uniqueness, quality.zero_share)
    assert [figure(empty) for figure in figures] == [None] * 5
    assert quality.share_in(empty, [1.0]) is None
    assert quality.share_between(empty, 0, 1) is None


def test_exact_means_are_rounded_once() -> None:
    tenths = column([0.1] * 3 + [0.3])
    assert value(quality.mean(tenths)) == 0.15  # NumPy's sum gives 0.15000000000000002
    assert value(quality.std(column([1, 2, 3, 4]))) == math.sqrt(5 / 3)
    assert value(quality.std(column([2**62, 2**62 + 2]))) == math.sqrt(2)
    assert value(quality.mean(column([1e308, 1e308, 1e308]))) == 1e308
    assert value(quality.std(column([1.7e308, -1.7e308]))) == math.inf
    assert value(quality.std(column([5e-324, 0.0]))) == 5e-324  # 3.5e-324 is between two doubles
    assert value(quality.std(column([7.0, 7.0]))) == 0.0


def test_shares_between_count_both_ends() -> None:
    ages = column([18, 18, 30, 65, 66])
    assert value(quality.share_between(ages, 18, 65)) == 0.8
    assert value(quality.share_between(ages, None, 18)) == 0.4
    assert value(quality.share_between(ages, 66, None)) == 0.2
    assert value(quality.share_between(ages, 18, 18)) == 0.4
    assert value(quality.share_between(ages, 18.5, 29.5)) == 0.0
    huge = column([2**63 - 1, 2**63 - 2], pa.int64())
    assert value(quality.share_between(huge, 2**63 - 1, None)) == 0.5


def test_sets() -> None:
    country = column(["DE", "DE", "FR", "", None])
    assert value(quality.share_in(country, ["DE", ""])) == 0.75
    assert value(quality.share_in(country, ["de"])) == 0.0
    assert value(quality.share_in(column([1, 1, 2]), [1, 7])) == 2 / 3
    assert value(quality.share_in(column([True, False, True]), [True])) == 2 / 3


def test_sets_beyond_the_counts_have_bounds() -> None:
    # 5,000 texts once each and "x" 5,000 times: only 4,096 keys are held.
    texts = [f"rare{i}" for i in range(5_000)] + ["x"] * 5_000
    found = quality.share_in(column(texts), ["x"])
    assert found is not None
    assert found.lower < 0.5 <= found.upper
    assert found.upper - found.lower < 0.05
    ghost = quality.share_in(column(texts), ["nowhere"])
    assert ghost is not None
    assert ghost.lower == 0.0 < ghost.upper < 0.001


def test_uniqueness() -> None:
    assert value(quality.uniqueness(column(["a", "b", "b", "c"]))) == 0.75
    many = quality.uniqueness(column([f"id-{i}" for i in range(20_000)]))
    assert many is not None
    assert many.lower < 0.95
    assert many.upper == 1.0
    assert many.confidence == 1 - 1e-6


def test_lengths_and_characters() -> None:
    texts = column(["", "ab1", "Zürich"])
    assert value(quality.shortest(texts)) == 0
    assert value(quality.longest(texts)) == 6
    assert value(quality.mean_length(texts)) == 3
    assert value(quality.empty_share(texts)) == 1 / 3
    shares = {kind: quality.character_share(texts, kind) for kind in ("lower", "digit", "upper")}
    assert {kind: value(share) for kind, share in shares.items()} == {
        "lower": 6 / 9,
        "digit": 1 / 9,
        "upper": 1 / 9,
    }


def test_extremes_of_dates_and_instants() -> None:
    days = column([dt.date(1970, 1, 3), dt.date(1970, 1, 2)])
    assert (value(quality.minimum(days)), value(quality.maximum(days))) == (1, 2)
    instants = column(np.array([1, 2_999], dtype="datetime64[ns]"))
    assert (value(quality.minimum(instants)), value(quality.maximum(instants))) == (0, 2)


def test_changes_between_two_sides() -> None:
    before, now = column([1, 2, 3, 4]), column([0, 2, 5, 4])
    assert value(out_of_range(before, now)) == 0.5
    assert value(unseen_share(before, now)) == 0.5
    assert value(vanished_share(before, now)) == 0.5
    assert value(distinct_ratio(column(["a", "b"]), column(["a"] * 3))) == 0.5
    assert value(character_change(column(["ab"]), column(["a1"]))) == 0.5
    assert out_of_range(column(["a"]), column(["b"])) is None
    assert value(unseen_share(column([1.5, 2.0]), column([2, 7]))) == 0.5
    huge = column([2**62], pa.int64()), column([2**62 + 1, 2**62], pa.int64())
    assert value(unseen_share(*huge)) == 0.5
    assert unseen_share(column([True]), column([1])) is None
    assert value(unseen_share(column([True]), column([True, False]))) == 0.5
    assert unseen_share(column(["a"]), column([1])) is None


def test_calendars() -> None:
    monday = dt.datetime(2024, 1, 1, 9, tzinfo=dt.UTC)
    before = column([monday, monday + dt.timedelta(hours=1)])
    now = column([monday, monday + dt.timedelta(days=1)])
    assert value(hour_change(before, now)) == 0.5
    assert value(weekday_change(before, now)) == 0.5


def test_unseen_values_of_an_inexact_reference_are_never_certain() -> None:
    reference = column([f"rare{i}" for i in range(6_000)] + ["x"] * 6_000)
    found = unseen_share(reference, column(["x", "new"]))
    assert found is not None
    assert (found.lower, found.upper) == (0.0, 0.5)


def test_redacted_values_are_not_told() -> None:
    from dataclasses import replace

    from leadline.profile import ColumnState
    from leadline.snapshot.redact import redact

    profile = ll.profile({"x": [1.25, 1023.0, 5.0]})
    hidden = redact(replace(profile, settings=replace(profile.settings, redacted=("x",))))["x"]
    assert isinstance(hidden.state, ColumnState)
    assert quality.mean(hidden) is None
    assert quality.share_in(hidden, [5.0]) is None
    largest = quality.maximum(hidden)
    assert largest is not None
    assert largest.lower <= 1023.0 <= largest.upper


def test_all_figures_of_a_pair_by_name() -> None:
    figures = {each.name: each for each in quality_figures(column([1, 0]), column([0, 0, None]))}
    assert figures["null_share"].to_dict() == {
        "reference": {"value": 0.0, "lower": 0.0, "upper": 0.0},
        "current": {"value": 1 / 3, "lower": 1 / 3, "upper": 1 / 3},
    }
    assert figures["vanished_share"].reference is None
    assert value(figures["vanished_share"].current) == 0.5
    assert "empty_share" not in figures
    assert {each.name for each in quality_figures(None, column(["a"]))} >= {"empty_share"}


def test_a_comparison_has_quality_and_schema() -> None:
    before = ll.profile({"x": [1, 0] * 100, "old": [1.5, 2.5] * 100})
    now = ll.profile({"x": [1, 3] * 100, "new": [1.5, 2.5] * 100})
    comparison = ll.compare(before, now)
    assert value(comparison["x"].quality["unseen_share"].current) == 0.5
    assert value(comparison["x"].quality["zero_share"].reference) == 0.5
    assert [str(change) for change in comparison.schema] == [
        "'old' seems to be 'new' now: 100% alike"
    ]
    assert comparison.to_dict()["schema"][0]["kind"] == "renamed"
