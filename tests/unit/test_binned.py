"""Statistics on cells: literal values, the zero rule, edges, bounds from counts with bounds."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import oracle
from leadline.compare import compare
from leadline.compare.binned import Cells, Counts, jensen_shannon, psi, total_variation
from leadline.compare.categorical import Tally, excess_variation, heavy_cells, only_on
from leadline.compare.edges import bucket_of
from leadline.scan import profile


def cells(p: list[int], q: list[int]) -> Cells:
    sides = [Counts.exact(np.array(x), sum(x)) for x in (p, q)]
    return Cells(*sides, categories=tuple("abcdefgh"[: len(p)]))


# (10.5, 20.5) / 31 against (20.5, 10.5) / 31: psi = 2 * (10 / 31) * ln(20.5 / 10.5).
def test_psi_of_a_table() -> None:
    found = psi(cells([10, 20], [20, 10]))
    assert found.value == pytest.approx(20 / 31 * math.log(20.5 / 10.5), rel=1e-14)
    assert found.null_value == pytest.approx(1 / 30 + 1 / 30)
    assert found.upper - found.lower < 1e-11


# Disjoint: (c + 1/2) / (n + 1) = 1000.5 / 1001 against 0.5 / 1001. Entropies in bits.
def test_jensen_shannon_of_nearly_disjoint_sides() -> None:
    p, q = 1000.5 / 1001, 0.5 / 1001
    divergence = 1 + p * math.log2(p) + q * math.log2(q)
    found = jensen_shannon(cells([1000, 0], [0, 1000]))
    assert found.value == pytest.approx(math.sqrt(divergence), rel=1e-12)


def test_total_variation_adds_nothing_to_cells() -> None:
    found = total_variation(cells([1, 3, 0], [2, 1, 1]))
    assert found.value == 0.5
    assert found.lower == pytest.approx(0.5)
    assert found.upper == pytest.approx(0.5)


def test_the_same_shares_are_at_zero_distance() -> None:
    same = cells([5, 0, 7], [5, 0, 7])
    for statistic in (psi, jensen_shannon, total_variation):
        found = statistic(same)
        assert (found.value, found.lower, found.upper) == (0.0, 0.0, 0.0)


def whole_tables(side: Counts) -> list[np.ndarray]:
    """All tables of whole counts within the bounds that add up to the rows."""
    bounds = zip(side.lower.astype(int), side.upper.astype(int), strict=True)
    tables = itertools.product(*(range(low, high + 1) for low, high in bounds))
    return [np.array(table) for table in tables if sum(table) == side.total]


@pytest.mark.parametrize("name", ["psi", "jensen_shannon", "total_variation"])
def test_bounds_hold_every_table_within_the_counts(name: str) -> None:
    """All tables with counts between the bounds that add up to the rows, one by one."""
    low, high = np.array([1.0, 0.0, 3.0]), np.array([3.0, 2.0, 6.0])
    ours = {"psi": psi, "jensen_shannon": jensen_shannon, "total_variation": total_variation}
    middle = Counts(np.array([2.0, 1.0, 4.0]), low, high, 7)
    other = Counts(
        np.array([4.0, 4.0, 1.0]), np.array([3.0, 3.0, 0.0]), np.array([5.0, 5.0, 2.0]), 9
    )
    found = ours[name](Cells(middle, other, categories=("a", "b", "c")))
    first, second = (whole_tables(side) for side in (middle, other))
    values = [getattr(oracle, name)(p, q) for p in first for q in second]
    assert found.lower <= min(values)
    assert max(values) <= found.upper
    assert found.lower <= found.value <= found.upper


# The bucket of 100 at 256 buckets an octave is 64 / 256 wide; each coarsening doubles it.
@pytest.mark.parametrize(
    ("value", "coarseness", "expected"),
    [
        (100.0, 0, (100.0, 100.25)),
        (100.1, 2, (100.0, 101.0)),
        (0.0, 0, (0.0, 5e-324)),
        (-100.1, 0, (math.nextafter(-100.25, 0), math.nextafter(-100.0, 0))),
        (5e-324, 0, (5e-324, 2.0**-1030)),
        (-5e-324, 0, (math.nextafter(-(2.0**-1030), 0), 0.0)),
        (1.7976931348623157e308, 0, (math.ldexp(511 / 256, 1023), math.inf)),
    ],
)
def test_buckets(value: float, coarseness: int, expected: tuple[float, float]) -> None:
    start, end = bucket_of(value, coarseness)
    assert (start, end) == expected
    assert start <= value < end


# 2**60 begins a bucket 2**52 wide; the largest integer before it stands as a double at 2**60.
def test_buckets_of_integers_that_no_double_holds() -> None:
    assert bucket_of(2**60 + 1, 0) == (2**60, 2**60 + 2**52)
    assert bucket_of(2**60 - 1, 0) == (2**60 - 2**51, 2**60)
    start, end = bucket_of(-(2**60) - 1, 0, integer=True)
    assert (start, end) == (-(2**60) - 2**52 + 1, -(2**60) + 1)
    assert isinstance(start, int)


def test_wide_integers_are_counted_exactly_on_both_sides_of_zero(
    random: np.random.Generator,
) -> None:
    a, b = random.integers(-(2**62), 2**62, (2, 20_000))
    found = compare(profile({"x": a}), profile({"x": b}))["x"].psi
    assert found.upper - found.lower < 1e-12
    p, q = (oracle.counts_in(side, found.edges) for side in (a, b))
    assert found.value == pytest.approx(oracle.psi(p, q), rel=1e-12)


def test_edges_are_printed_and_counts_in_them_are_exact() -> None:
    random = np.random.default_rng(11)
    a, b = random.normal(0, 1, 20_000), random.normal(0.3, 1.2, 10_000)
    column = compare(profile({"x": a}), profile({"x": b}))["x"]
    edges = column.psi.edges
    assert edges[0] == -math.inf
    assert edges[-1] == math.inf
    assert len(edges) == 11
    assert column.psi.cells == 10
    p, q = oracle.counts_in(a, edges), oracle.counts_in(b, edges)
    assert (np.histogram(a, np.array(edges))[0] == p).all()
    assert abs(p - 2_000).max() <= 20_000 * 0.01
    for name in ("psi", "jensen_shannon"):
        found, true = column[name], getattr(oracle, name)(p, q)
        assert found.value == pytest.approx(true, rel=1e-10)
        assert found.lower <= true <= found.upper
        assert found.upper - found.lower <= 1e-10


def test_edges_of_integers_are_integers() -> None:
    values = np.arange(3_000) % 10
    assert compare(profile({"x": values}), profile({"x": values}))["x"].psi.edges == (
        -math.inf, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, math.inf,
    )  # fmt: skip


def test_a_constant_has_cells_around_it() -> None:
    edges = compare(profile({"x": [3.0] * 50}), profile({"x": [3.0] * 20 + [1.0]}))["x"].psi.edges
    assert edges == (-math.inf, 3.0, 3 + 2**-7, math.inf)


def test_deciles_inside_one_bucket_come_from_the_sketch() -> None:
    random = np.random.default_rng(12)
    a, b = (random.normal(1.7e9, 10, 20_000) for _ in range(2))
    column = compare(profile({"x": a}), profile({"x": b}))["x"]
    p, q = oracle.counts_in(a, column.psi.edges), oracle.counts_in(b, column.psi.edges)
    for name in ("psi", "jensen_shannon"):
        found = column[name]
        assert found.lower <= getattr(oracle, name)(p, q) <= found.upper
        assert 0 < found.upper - found.lower < 0.2
        assert math.isfinite(found.upper)


def test_excess_variation_subtracts_what_chance_makes() -> None:
    # 10 equal cells, 1000 rows a side: 10 * sqrt(.1 * .9 * .002) * sqrt(2 / pi) / 2 = .05352.
    even = {bytes([65 + i]): 100 for i in range(10)}
    side = Tally(even, 1_000)
    found = excess_variation(heavy_cells(side, side))
    assert found.null_value == pytest.approx(0.0535238, rel=1e-5)
    assert found.value == 0.0


def test_heavy_cells_keep_unseen_values_apart() -> None:
    reference = Tally({b"a": 990, b"b": 6, b"c": 4}, 1_000)
    current = Tally({b"a": 500, b"c": 100, b"z": 400}, 1_000)
    found = heavy_cells(reference, current)
    assert found.categories == ("a", "b", "(other)", "(unseen)")
    assert found.reference.value.tolist() == [990, 6, 4, 0]
    assert found.current.value.tolist() == [500, 0, 100, 400]
    unseen = only_on(current, reference)
    assert (unseen.count, unseen.share, unseen.error) == (1, 0.4, 0)
    assert unseen.values[0].value == "z"


def test_heavy_cells_beyond_the_capacity_have_bounds() -> None:
    reference = Tally({b"a": 600, b"b": 100}, 1_000, error=50)
    current = Tally({b"a": 700, b"b": 300}, 1_000)
    found = heavy_cells(reference, current)
    assert found.categories == ("a", "b", "(other)")
    assert found.reference.lower.tolist() == [600, 100, 200]
    assert found.reference.upper.tolist() == [650, 150, 300]
    assert total_variation(found).lower == pytest.approx(0.2)
    assert only_on(reference, current).count == 0
    assert only_on(current, reference).error == 50
