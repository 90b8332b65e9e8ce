"""Windows measured together: the same effects as `compare` finds one by one, and SciPy's."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import leadline as ll
from leadline.compare.categorical import excess_values, excess_variation, heavy_cells
from leadline.compare.history import effect_apart
from leadline.compare.judge import refusal, value_effect
from leadline.compare.measures import Measures
from leadline.compare.thresholds import Limits
from leadline.profile import ColumnProfile
from leadline.profile.cells import fold, merge_column
from leadline.profile.column import ColumnState
from leadline.schema import Role
from leadline.sketch.ranks import band_of_counts, distances_of_counts
from leadline.trend.baselines import SlidingMerge, joined
from leadline.trend.gauges import Gauge

K = 768


def columns_of(random: np.random.Generator, rows: int, day: int) -> dict[str, pa.Array]:
    """Columns of every shape, which wander a little from day to day."""
    x = random.normal(0.1 * (day % 3), 1.0, rows)
    holes = random.random(rows) < 0.03
    odd = np.where(random.random(rows) < 0.02, np.nan, x)
    odd[random.random(rows) < 0.01] = np.inf
    names = np.array([f"v{i}" for i in range(30)] + [f"rare{i}" for i in range(400)])
    shares = np.concatenate([np.full(30, 0.9 / 30), np.full(400, 0.1 / 400)])
    return {
        "normal": pa.array(x),
        "odd": pa.array(odd, mask=holes),
        "rounded": pa.array(x.round(1)),
        "whole": pa.array(random.poisson(30, rows)),
        "beyond": pa.array(random.integers(2**60, 2**60 + 1000, rows)),
        "day": pa.array(random.integers(0, 400, rows).astype("int32"), pa.date32()),
        "two": pa.array(random.integers(0, 2, rows)),
        "one": pa.array(np.full(rows, 7.5)),
        "truth": pa.array(random.random(rows) < 0.3),
        "few": pa.array(names[random.integers(0, 12, rows)]),
        "many": pa.array(random.choice(names, rows, p=shares), mask=holes),
        "new": pa.array([f"{day}-{i % 4}" if i % 5 else "same" for i in range(rows)]),
        "free": pa.array([f"text {day} {i}" for i in range(rows)]),
        "id": pa.array(np.arange(rows)),
        "nothing": pa.nulls(rows, pa.float64()),
    }


def states_of(random: np.random.Generator, rows: Sequence[int]) -> dict[str, list[ColumnState]]:
    profiles = [
        ll.profile(pa.table(columns_of(random, count, day)), roles={"id": "id"})
        for day, count in enumerate(rows)
    ]
    return {
        name: [profile.cells[0].states[name] for profile in profiles] for name in profiles[0].names
    }


def as_compare(
    reference: ColumnProfile, state: ColumnState, limits: Limits, *, inside: bool
) -> float:
    """The effect over its threshold from `compare`'s statistics, with their intervals and tests."""
    column = reference.state.column
    thresholds = limits.of(column.name, column.kind, column.role)
    measures = Measures(reference, ColumnProfile(state, k=K))
    n, m = measures.total(measures.reference), measures.total(measures.current)
    if (inside and n - m < thresholds.minimum_rows) or refusal(measures, column.role, thresholds):
        return math.nan
    apart = effect_apart(measures, column.role, thresholds) if inside else None
    if apart is not None and apart[0] == "ks":
        apart = "ks", min(1.0, measures.get("ks").value * n / (n - m))
    if apart is not None and apart[0] == "total_variation":
        assert measures.tallies is not None
        limit = thresholds.of_effect("total_variation", column.role)
        cells = heavy_cells(measures.tallies.apart(), limit=limit)
        apart = "total_variation", excess_variation(cells).value
    if apart is None:
        effect = value_effect(measures, column.role, thresholds)
        if effect is None:
            return math.nan
        apart = effect.name, effect.value / (1 - m / n if inside else 1)
    return apart[1] / thresholds.of_effect(apart[0], column.role)


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("chosen", [{}, {"statistic": "psi"}])
@pytest.mark.parametrize(
    "rows", [[300, 310, 90, 0, 500, 301], [1_500] * 4, [6_000, 300, 5_000, 2_100]]
)
def test_windows_together_are_as_compare_finds_them_alone(
    rows: list[int], chosen: dict[str, str], inside: bool
) -> None:
    random = np.random.default_rng(sum(rows))
    limits = Limits.given(chosen or None)
    for name, states in states_of(random, [*rows, 2_500]).items():
        windows = states[:-1]
        held = states if inside else states[-1:]
        reference = ColumnProfile(merge_column(held, k=K), k=K)
        column = reference.state.column
        thresholds = limits.of(name, column.kind, column.role)
        gauge = Gauge(reference, column.role, thresholds, windows, inside=inside, k=K)
        expected = [as_compare(reference, state, limits, inside=inside) for state in windows]
        assert gauge.values() == pytest.approx(expected, rel=1e-12, abs=1e-12, nan_ok=True), name
        if name in ("normal", "whole", "many") and not chosen:
            assert np.isfinite(expected).sum() >= 3  # the test sees something


def test_missing_shares_are_those_of_the_rest() -> None:
    states = states_of(np.random.default_rng(4), [400, 500, 60])["many"]
    whole = ColumnProfile(merge_column(states, k=K), k=K)
    thresholds = Limits().of("many", whole.kind, Role.FEATURE)
    gauge = Gauge(whole, Role.FEATURE, thresholds, [*states, None], inside=True, k=K)
    found = gauge.missing([400, 510, 60, 200])
    nulls, rows = whole.nulls, whole.rows

    def angle(count: float, total: float) -> float:
        return 2 * math.asin(math.sqrt(count / total))

    # The second window has ten rows in which the column is not there at all.
    lost = states[1].nulls + 10
    assert found[0] == pytest.approx(
        abs(angle(states[0].nulls, 400) - angle(nulls - states[0].nulls, rows - 400))
    )
    assert found[1] == pytest.approx(abs(angle(lost, 510) - angle(nulls - lost, rows - 510)))
    assert math.isnan(found[2])  # under 100 rows
    assert np.isnan(gauge.missing([400, 510, 60, 900])[3])  # nothing is left of the baseline


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_distances_of_counts_are_scipys(data: st.DataObject) -> None:
    values = st.lists(st.integers(-6, 6), min_size=4, max_size=30)
    whole = data.draw(values)
    sets = data.draw(st.lists(values, min_size=1, max_size=5))

    def counted(rows: list[int]) -> tuple[np.ndarray, np.ndarray]:
        points, counts = np.unique(np.array(rows, dtype=np.float64), return_counts=True)
        return points, counts.astype(np.uint8)

    points, counts = zip(*map(counted, sets), strict=True)
    totals, distances = distances_of_counts(band_of_counts(*counted(whole)), points, counts)
    assert totals.tolist() == [len(rows) for rows in sets]
    expected = [stats.ks_2samp(rows, whole, method="asymp").statistic for rows in sets]
    assert distances == pytest.approx(expected, abs=1e-15)


def test_excess_values_are_those_of_the_statistic() -> None:
    random = np.random.default_rng(9)
    states = states_of(random, [700, 2_000, 4_000])["many"]
    profiles = [ColumnProfile(state, k=K) for state in states]
    pairs = []
    for current in profiles[1:]:
        tallies = Measures(profiles[0], current).tallies
        assert tallies is not None
        pairs.append(heavy_cells(tallies))
    assert excess_values(pairs) == pytest.approx([excess_variation(one).value for one in pairs])


@pytest.mark.parametrize("rows", [[120] * 37, [10] * 50, [900, 20, 30, 40, 50, 60, 70, 80, 90]])
def test_a_merge_of_many_is_the_balanced_tree_of_merges(rows: list[int]) -> None:
    for name, states in states_of(np.random.default_rng(5), rows).items():
        expected = fold(states, lambda a, b: a.merge(b, k=K))
        assert merge_column(states, k=K) == expected, name


def test_a_sliding_merge_of_sketches_is_the_plain_one() -> None:
    names = ("normal", "whole", "few")
    found = states_of(np.random.default_rng(6), [400, 900, 1_500, 100, 3_000, 700, 800])
    windows = [{name: found[name][place] for name in names} for place in range(7)]
    sliding = SlidingMerge(K)
    for place, window in enumerate(windows):
        sliding.push(window)
        if place == 3:
            sliding.pop()
    front = joined(windows[2], windows[3], K)
    front = joined(windows[1], front, K)
    behind = windows[4]
    for window in windows[5:]:
        behind = joined(behind, window, K)
    expected = joined(front, behind, K)
    assert all(sliding.total()[name] == expected[name] for name in names)
