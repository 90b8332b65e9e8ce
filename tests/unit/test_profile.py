"""The face of a profile: figures of a column, cells, selection, histograms."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import leadline as ll
from leadline.profile import Settings

MIXED = ll.profile({"x": [1.0, math.nan, math.inf, -math.inf, None, 0.0, -0.0]})["x"]


def test_infinities_nan_and_zeros_are_counted_apart() -> None:
    figures = MIXED.to_dict()
    assert (figures["rows"], figures["nulls"], figures["nan"]) == (7, 1, 1)
    assert (figures["positive_infinity"], figures["negative_infinity"]) == (1, 1)
    assert (figures["zeros"], figures["negatives"]) == (2, 1)
    assert (figures["min"], figures["max"]) == (-math.inf, math.inf)
    assert figures["mean"] == pytest.approx(1 / 3)  # of 1, 0 and 0
    assert MIXED.distinct.value == 4  # -inf, 0, 1, inf


def test_infinities_have_ranks() -> None:
    assert MIXED.quantile(0.0).value == -math.inf
    assert MIXED.quantile(0.5).value == 0.0
    assert MIXED.quantile(1.0).value == math.inf


def test_histograms_count_as_numpy_does() -> None:
    counts, edges = MIXED.histogram(3)
    expected = np.histogram([1.0, 0.0, 0.0], bins=3)
    assert counts.tolist() == expected[0].tolist()
    assert edges.tolist() == expected[1].tolist()
    values = np.random.default_rng(5).normal(0, 1, 50_000)
    counts, edges = ll.profile({"x": values})["x"].histogram(12)
    expected = np.histogram(values, bins=12)
    # A bucket at an edge is shared in proportion: at most 0.4 % of the rows are in one bucket.
    assert np.abs(counts - expected[0]).max() <= 0.004 * len(values)
    assert counts.sum() == pytest.approx(len(values))
    np.testing.assert_allclose(edges, expected[1])
    counts, edges = ll.profile({"x": [-1.7e308, 1.7e308]})["x"].histogram(4)
    assert counts.tolist() == [1.0, 0.0, 0.0, 1.0]
    np.testing.assert_allclose(edges, [-1.7e308, -0.85e308, 0.0, 0.85e308, 1.7e308], rtol=1e-15)
    counts, edges = ll.profile({"x": np.array([2**63 + 1], dtype=np.uint64)})["x"].histogram(3)
    assert counts.tolist() == [0.0, 1.0, 0.0]
    assert np.all(np.diff(edges) > 0)
    counts, edges = ll.profile({"x": [2.0, 2.0]})["x"].histogram(2)
    assert (counts.tolist(), edges.tolist()) == ([0.0, 2.0], [1.5, 2.0, 2.5])


def test_histograms_leave_infinities_out_exactly() -> None:
    values = np.random.default_rng(6).normal(0, 1, 3_000)
    counts, _ = ll.profile({"x": np.append(values, [-np.inf] * 7 + [np.inf] * 5)})["x"].histogram(9)
    assert counts.sum() == pytest.approx(3_000, abs=1e-6)


def test_no_more_distinct_values_than_values() -> None:
    for seed in range(10):
        values = np.random.default_rng(seed).normal(0, 1, 2_000)
        distinct = ll.profile({"x": values})["x"].distinct
        assert distinct.lower <= 2_000
        assert distinct.value <= distinct.upper == 2_000 or distinct.upper < 2_000


def test_decimals_are_the_nearest_doubles() -> None:
    prices = [Decimal(f"{cents / 100:.2f}") for cents in range(1, 4_000, 7)]
    profile = ll.profile({"d": pa.array([*prices, None]), "f": [*map(float, prices), None]})
    assert profile["d"].numeric == profile["f"].numeric
    wide = pa.array([Decimal("12345678901234567890.123456789"), None, Decimal("0.1")])
    assert ll.profile({"d": wide})["d"].max == float("12345678901234567890.123456789")
    assert ll.profile({"d": wide})["d"].min == 0.1


def test_figures_without_values() -> None:
    column = ll.profile({"x": pa.array([None, None], pa.float64())})["x"]
    assert (column.mean, column.std, column.min, column.max) == (None, None, None, None)
    with pytest.raises(ll.InputError, match="column 'x' has no values"):
        column.quantile(0.5)
    with pytest.raises(ll.InputError, match="'x' has no finite values"):
        column.histogram()


def test_a_column_of_no_rows_has_all_its_figures() -> None:
    schema = pa.schema([("t", pa.timestamp("us")), ("x", pa.float64()), ("s", pa.string())])
    profile = ll.profile(schema.empty_table(), time="t", every="1d")
    assert profile.rows == 0
    assert profile.windows == ()
    for name in schema.names:
        figures = profile[name].to_dict()
        assert (figures["rows"], figures["nulls"], figures["distinct"]["value"]) == (0, 0, 0)


def test_values_come_back_in_their_own_type() -> None:
    profile = ll.profile(
        {
            "b": [True, False, True],
            "d": [dt.date(2024, 2, 29), dt.date(1969, 12, 31), None],
            "t": [dt.datetime(2024, 2, 29, 12), dt.datetime(1969, 12, 31), None],
            "i": [3, -2, 3],
            "s": ["b", "a", "b"],
        }
    )
    assert (profile["b"].min, profile["b"].max, profile["b"].top) == (
        False,
        True,
        [(True, 2), (False, 1)],
    )
    assert (profile["d"].min, profile["d"].max) == (dt.date(1969, 12, 31), dt.date(2024, 2, 29))
    assert profile["t"].min == dt.datetime(1969, 12, 31, tzinfo=dt.UTC)
    assert profile["i"].top == [(3, 2), (-2, 1)]
    assert (profile["s"].min, profile["s"].max) == ("a", "b")


def test_questions_that_make_no_sense_are_refused() -> None:
    profile = ll.profile({"x": [1], "s": ["a"]})
    with pytest.raises(ll.InputError, match="no column 'y'"):
        profile["y"]
    with pytest.raises(ll.InputError, match=r"between 0 and 1, not 1\.5"):
        profile["x"].quantile(1.5)
    with pytest.raises(ll.InputError, match=r"'s' \(string\) has no order"):
        profile["s"].quantile(0.5)
    with pytest.raises(ll.InputError, match="between 0 and 1, not 'x'"):
        profile["x"].quantile("x")
    for bins in (0, 2.5):
        with pytest.raises(ll.InputError, match="a whole number of bins"):
            profile["x"].histogram(bins=bins)
    with pytest.raises(ll.InputError, match="only profiles can be merged, not a int"):
        ll.merge([profile, 3])
    with pytest.raises(ll.InputError, match="only profiles can be merged, not a int"):
        profile.merge(3)
    with pytest.raises(TypeError):
        profile | 3
    with pytest.raises(ll.InputError, match="no column 3"):
        profile[3]
    with pytest.raises(ll.InputError, match="this profile has no segments"):
        profile.select(segment={"s": "a"})


def test_cells_are_selected_by_window_and_segment() -> None:
    days = [
        dt.datetime(2024, 1, 1, 5),
        dt.datetime(2024, 1, 2, 5),
        dt.datetime(2024, 1, 2, 6),
        None,
    ]
    profile = ll.profile(
        {"t": days, "c": ["x", "x", "y", "y"], "n": [1, 2, 3, 4]},
        time="t",
        every="1d",
        segments=["c"],
    )
    assert [str(window) for window in profile.windows] == [
        "2024-01-01T00:00:00+00:00/2024-01-02T00:00:00+00:00",
        "2024-01-02T00:00:00+00:00/2024-01-03T00:00:00+00:00",
        "(null time)",
    ]
    assert profile.segments == (("x",), ("y",))
    assert profile.select(window="2024-01-02")["n"].max == 3
    assert profile.select(window="2024-01-02T23:00:00+02:00", segment={"c": "x"})["n"].max == 2
    local = ll.profile({"t": days[:2]}, time="t", every="1d", tz="America/New_York")
    assert local.select(window="2024-01-02").rows == 1  # the zone of the profile, not UTC
    assert profile.select(segment=["y"]).rows == 2
    assert profile.select(window=profile.windows[2])["n"].max == 4
    with pytest.raises(ll.InputError, match="no cell of this profile has window 2023-01-01; it"):
        profile.select(window="2023-01-01")
    with pytest.raises(ll.InputError, match=r"has segment \{'c': 'z'\}; it has the segments x; y$"):
        profile.select(segment={"c": "z"})
    with pytest.raises(ll.InputError, match="not an ISO 8601 time"):
        profile.select(window="yesterday")
    with pytest.raises(ll.InputError, match="a segment of this profile has the columns"):
        profile.select(segment="x")


def test_iterating_gives_the_names() -> None:
    profile = ll.profile({"x": [1], "s": ["a"]})
    assert list(profile) == ["x", "s"]
    assert "x" in profile
    assert "y" not in profile


def test_settings_survive_json() -> None:
    settings = Settings(time="t", every="1d", segments=("a", "b"), redacted=("c",))
    assert Settings.from_json(settings.to_json()) == settings


def test_the_same_file_does_not_count_twice(tmp_path: pytest.TempPathFactory) -> None:
    path = tmp_path / "a.csv"  # type: ignore[operator]
    path.write_text("x\n1\n")
    profile = ll.profile(path)
    assert profile.merge(profile, allow_repeats=True).rows == 2
    path.write_text("x\n")
    assert ll.profile(path).merge(ll.profile(path)).rows == 0
    with pytest.raises(ll.ComparisonError, match=r"both profiles hold the rows of 'a\.csv'"):
        profile.merge(profile)


def test_files_are_known_again_whatever_folder_was_given(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for name in ("a/1.csv", "b/2.csv"):
        (tmp_path / name).write_text(f"x\n{name[-5]}\n")
    whole, part = ll.profile(tmp_path), ll.profile(tmp_path / "a")
    assert [entry.name for entry in whole.lineage] == ["a/1.csv", "b/2.csv"]
    assert [entry.name for entry in part.lineage] == ["1.csv"]
    for one, other in ((whole, part), (part, whole)):
        with pytest.raises(ll.errors.ComparisonError, match=r"1\.csv', which would count"):
            one.merge(other)
    assert whole.merge(part, allow_repeats=True).rows == 3
