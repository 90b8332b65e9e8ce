"""Statistics on cells: literal values, the zero rule, edges, bounds from counts with bounds."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

import oracle
from leadline.compare import compare
from leadline.compare.binned import (
    bhattacharyya,
    expected_variation,
    hellinger,
    jensen_shannon,
    kl_divergence,
    l_infinity,
    overlap,
    psi,
    total_variation,
)
from leadline.compare.categorical import (
    entropy_change,
    excess_variation,
    group_count,
    heavy_cells,
    only_on,
)
from leadline.compare.cells import Cells, Counts
from leadline.compare.edges import bucket_of
from leadline.compare.groups import filled_groups, group_of
from leadline.compare.names import hash_of
from leadline.compare.tally import Tallies, Tally
from leadline.scan import profile

DISTANCES = {
    "psi": psi,
    "jensen_shannon": jensen_shannon,
    "kl_divergence": kl_divergence,
    "hellinger": hellinger,
    "bhattacharyya": bhattacharyya,
    "total_variation": total_variation,
    "overlap": overlap,
    "l_infinity": l_infinity,
    "entropy_change": entropy_change,
}


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


# (0.5, 4.5, 7.5) / 12.5 against (1.5, 3.5, 7.5) / 12.5, in the order of the current side.
def test_kl_divergence_is_that_of_the_current_side() -> None:
    found = kl_divergence(cells([0, 4, 7], [1, 3, 7]))
    expected = (1.5 * math.log(3) + 3.5 * math.log(3.5 / 4.5)) / 12.5
    assert found.value == pytest.approx(expected, rel=1e-12)
    assert found.null_value == pytest.approx(2 / 11)
    assert found.unit == "nats"


# Shares (.5, .5, 0) and (.25, .25, .5): half of 2 (sqrt(.5) - .5)^2 + .5.
def test_hellinger_and_overlap_add_nothing_to_cells() -> None:
    table = cells([1, 1, 0], [1, 1, 2])
    assert hellinger(table).value == pytest.approx(math.sqrt((math.sqrt(0.5) - 0.5) ** 2 + 0.25))
    assert overlap(table).value == pytest.approx(0.5)
    assert hellinger(cells([5, 0], [0, 9])).value == 1.0
    assert overlap(cells([5, 0], [0, 9])).value == 0.0


# (2.5, .5) / 3 and (.5, 1.5) / 2: -ln(sqrt(2.5 * .5 / 6) + sqrt(.5 * 1.5 / 6)).
def test_bhattacharyya_stays_finite_without_a_common_value() -> None:
    found = bhattacharyya(cells([2, 0], [0, 1]))
    assert found.value == pytest.approx(
        -math.log(math.sqrt(2.5 * 0.5 / 6) + math.sqrt(0.5 * 1.5 / 6)), rel=1e-12
    )
    assert found.lower <= found.value <= found.upper


def test_l_infinity_names_the_cell() -> None:
    found = l_infinity(cells([5, 3, 2], [2, 3, 5]))
    assert found.value == pytest.approx(0.3)
    assert found.note == "largest for 'a'"
    assert found.ci_lower is not None
    assert found.ci_upper is not None
    assert 0 <= found.ci_lower <= 0.3 <= found.ci_upper <= 1


# 4 even categories have an entropy of ln 4, two of them ln 2.
def test_entropy_falls_by_a_bit_where_half_of_the_values_vanish() -> None:
    found = entropy_change(cells([5, 5, 5, 5], [0, 10, 10, 0]))
    assert found.value == pytest.approx(-math.log(2))
    assert found.upper - found.lower < 1e-11
    assert found.null_value == 0.0
    assert found.ci_lower is None


def test_the_same_shares_are_at_zero_distance() -> None:
    same = cells([5, 0, 7], [5, 0, 7])
    for name, statistic in DISTANCES.items():
        found = statistic(same)
        nothing = 1.0 if name == "overlap" else 0.0
        assert found.value == pytest.approx(nothing, abs=1e-12), name
        assert found.upper - found.lower < 1e-11, name


def whole_tables(side: Counts) -> list[np.ndarray]:
    """All tables of whole counts within the bounds that add up to the rows."""
    bounds = zip(side.lower.astype(int), side.upper.astype(int), strict=True)
    tables = itertools.product(*(range(low, high + 1) for low, high in bounds))
    return [np.array(table) for table in tables if sum(table) == side.total]


@pytest.mark.parametrize("name", sorted(DISTANCES))
def test_bounds_hold_every_table_within_the_counts(name: str) -> None:
    """All tables with counts between the bounds that add up to the rows, one by one."""
    low, high = np.array([1.0, 0.0, 3.0]), np.array([3.0, 2.0, 6.0])
    middle = Counts(np.array([2.0, 1.0, 4.0]), low, high, 7)
    other = Counts(
        np.array([4.0, 4.0, 1.0]), np.array([3.0, 3.0, 0.0]), np.array([5.0, 5.0, 2.0]), 9
    )
    found = DISTANCES[name](Cells(middle, other, categories=("a", "b", "c")))
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
    # 10 equal cells, 1,000 rows a side: 10 * .001 * the mean of |X - 100|, X hypergeometric
    # (200 of 2,000, 1,000 drawn), SciPy: 5.345612. The normal law has .05352.
    even = {bytes([65 + i]): 100 for i in range(10)}
    side = Tally.of(even, 1_000)
    found = excess_variation(heavy_cells(Tallies.of(side, side)))
    assert found.null_value == pytest.approx(0.05345612, rel=1e-6)
    assert found.value == 0.0


def test_excess_variation_is_the_mean_over_halvings_of_the_rows() -> None:
    # The difference in one half of the rows, with the sign that it has in the other half.
    random = np.random.default_rng(8)
    p = np.array([300, 250, 200, 150, 60, 40])
    q = np.array([330, 200, 215, 150, 45, 60])
    halves_p = random.multivariate_hypergeometric(p, 500, 200_000, method="marginals")
    halves_q = random.multivariate_hypergeometric(q, 500, 200_000, method="marginals")
    first = (halves_p - halves_q) / 500
    second = ((p - halves_p) - (q - halves_q)) / 500
    expected = float((np.sign(first) * second).sum(axis=1).mean()) / 2
    assert 0.03 < expected < 0.05
    assert excess_variation(cells(p, q)).value == pytest.approx(expected, abs=0.002)


@pytest.mark.parametrize("values", [20, 200])
def test_excess_variation_is_never_more_than_the_change(values: int) -> None:
    random = np.random.default_rng(9)
    even = np.full(values, 1 / values)
    signs = np.where(np.arange(values) % 2, 1.0, -1.0)
    for change in (0.1, 0.3):
        moved = even * (1 + change * signs)  # the true total variation is half of ``change``
        found = [
            excess_variation(cells(*(random.multinomial(5_000, w) for w in (even, moved)))).value
            for _ in range(100)
        ]
        assert np.mean(found) < change / 2
    # What is far beyond chance counts in full: .15 with 200,000 rows of 20 values.
    if values == 20:
        sides = (random.multinomial(200_000, w) for w in (even, moved))
        assert excess_variation(cells(*sides)).value == pytest.approx(0.15, abs=0.004)


def test_bounds_of_the_excess_hold_every_table_inside_the_counts_bounds() -> None:
    random = np.random.default_rng(10)
    p, q = np.array([500.0, 300.0, 200.0]), np.array([450.0, 310.0, 240.0])
    reach = np.array([30.0, 0.0, 30.0])
    box = Counts(p, p - reach, p + reach, 1_000)
    found = excess_variation(Cells(box, Counts.exact(q, 1_000), categories=("a", "b", "c")))
    for move in random.uniform(-1, 1, 200):
        inside = excess_variation(cells(p + reach * np.array([move, 0, -move]), q)).value
        assert found.lower - 0.002 <= inside <= found.upper + 0.002


def test_heavy_cells_keep_unseen_values_apart() -> None:
    reference = Tally.of({b"a": 980, b"b": 10, b"c": 4, b"d": 5, b"e": 1}, 1_000)
    current = Tally.of({b"a": 492, b"c": 100, b"e": 2, b"y": 6, b"z": 400}, 1_000)
    found = heavy_cells(Tallies.of(reference, current))
    # From 10 of 2,000 rows on a value has a cell. "e" occurs once in the reference: its row stands
    # there for what is to be expected anew; "y" is anew.
    assert found.categories == ("a", "b", "c", "z", "(other)", "(unseen)")
    assert found.reference.value.tolist() == [980, 10, 4, 0, 5, 1]
    assert found.current.value.tolist() == [492, 0, 100, 400, 2, 6]
    unseen = only_on(Tallies.of(reference, current))
    assert (unseen.count, unseen.share, unseen.error) == (2, 0.406, 0)
    assert unseen.values[0].value == "z"


def test_heavy_cells_beyond_the_capacity_have_bounds() -> None:
    reference = Tally.of({b"a": 600, b"b": 100}, 1_000, error=50)
    current = Tally.of({b"a": 700, b"b": 300}, 1_000)
    found = heavy_cells(Tallies.of(reference, current))
    assert found.categories == ("a", "b", "(other)")
    assert found.reference.lower.tolist() == [600, 100, 200]
    assert found.reference.upper.tolist() == [650, 150, 300]
    assert total_variation(found).lower == pytest.approx(0.2)
    assert only_on(Tallies.of(current, reference)).count == 0
    assert only_on(Tallies.of(reference, current)).error == 50


# The mean of |x / n - (t - x) / m| over SciPy's hypergeometric law of x.
@pytest.mark.parametrize(("n", "m"), [(100, 100), (1_000, 30), (30, 1_000)])
def test_expected_variation_is_the_mean_over_all_tables(n: int, m: int) -> None:
    p = [1, 2, 0, n - 3]
    q = [0, 3, 1, m - 4]
    expected = 0.0
    for t in np.add(p, q):
        x = np.arange(t + 1)
        shares = np.abs(x / n - (t - x) / m)
        expected += float((shares * stats.hypergeom(n + m, n, t).pmf(x)).sum()) / 2
    assert expected_variation(cells(p, q)) == pytest.approx(expected, rel=1e-9)


def test_many_rows_have_the_expected_variation_of_the_normal_law() -> None:
    # 2 cells of half the rows, 1e6 a side: 2 * sqrt(.25 * 2e-6) * sqrt(2 / pi) / 2.
    found = expected_variation(cells([500_000, 500_000], [500_000, 500_000]))
    assert found == pytest.approx(math.sqrt(0.5e-6 * 2 / math.pi), rel=1e-5)


def test_groups_are_as_many_as_keep_chance_under_a_quarter_of_the_threshold() -> None:
    # 2 pi * .0125**2 = .00098175 cells for each nm / (n + m).
    assert group_count(200_000, 200_000, 0, 0.05) == 98
    assert group_count(200_000, 200_000, 30, 0.05) == 68
    assert group_count(200_000, 200_000, 0, 0.03) == 35
    assert group_count(200_000, 1_000, 0, 0.05) == 1
    assert group_count(10**9, 10**9, 150, 0.05) == 50


def test_light_values_are_grouped_by_the_hash_of_their_names() -> None:
    # hashlib.blake2b(b"v1", digest_size=8), little-endian.
    assert hash_of("v1") == 15_711_931_276_733_155_868
    side = Tally.of({f"v{i}".encode(): 400 for i in range(1_000)}, 400_000)
    found = heavy_cells(Tallies.of(side, side))
    groups = group_count(400_000, 400_000, 0, 0.05)
    assert groups == 196
    assert found.categories[0] == f"(other 1 of {groups})"
    assert found.categories[-1] == "(unseen)"
    for i, name in enumerate(found.categories[:-1]):
        number = int(name.split()[1]) - 1
        members = sum(group_of(f"v{j}", groups) == number for j in range(1_000))
        assert found.reference.value[i] == 400 * members > 0
    assert excess_variation(found).null_value <= 0.0125  # type: ignore[operator]


def test_few_light_values_keep_their_names() -> None:
    side = Tally.of({b"a": 199_000, b"b": 600, b"c": 400}, 200_000)
    assert heavy_cells(Tallies.of(side, side)).categories == ("a", "b", "c", "(unseen)")


def test_small_cells_are_joined_until_they_hold_enough() -> None:
    names = [f"v{i}" for i in range(50)]
    rows = np.array([3.0] * 49 + [100.0])
    labels = filled_groups(names, rows, 10.0)
    filled = np.bincount(labels, weights=rows)
    assert sorted(filled) == [12.0] * 11 + [15.0, 100.0]
    assert (labels == labels[49]).sum() == 1
    # Too few rows to fill a group take in the smallest other cell.
    assert filled_groups(["a", "b", "c", "d"], np.array([30, 2, 3, 20]), 10).tolist() == [
        1,
        0,
        0,
        0,
    ]
    assert filled_groups(["a", "b"], np.array([2, 3]), 10).tolist() == [0, 0]
    assert filled_groups(["a", "b"], np.array([20, 30]), 10).tolist() == [0, 1]
