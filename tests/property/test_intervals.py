"""The raw-row value lies in ``[lower, upper]``: nasty pairs by name, and Hypothesis's own."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import leadline as ll
import oracle
from intervals import BINNED, check, inside
from leadline.compare import compare
from leadline.profile import Profile
from leadline.scan import profile
from strategies import NASTY_FLOATS, NASTY_INTEGERS

ROWS = 3_000
Make = Callable[[np.random.Generator], np.ndarray]
COLUMNS: dict[str, Make] = {
    "normal": lambda r: r.normal(0, 1, ROWS),
    "shifted": lambda r: r.normal(0.3, 1.1, ROWS),
    "N(20,1)": lambda r: r.normal(20, 1, ROWS),
    "N(100,1)": lambda r: r.normal(100, 1, ROWS),
    "narrow": lambda r: r.normal(1.7e9, 10, ROWS),
    "narrow negative": lambda r: r.normal(-1.7e9, 10, ROWS),
    "lognormal(3)": lambda r: r.lognormal(0, 3, ROWS),
    "t(1)": lambda r: r.standard_t(1, ROWS),
    "zeros": lambda r: np.where(r.random(ROWS) < 0.7, 0.0, r.exponential(5, ROWS)),
    "rounded": lambda r: r.normal(20, 20, ROWS).round(1),
    "ratings": lambda r: r.integers(1, 6, ROWS).astype(np.float64),
    "integers": lambda r: r.integers(-50, 50, ROWS),
    "wide integers": lambda r: r.integers(-(10**9), 10**9, ROWS),
    "constant": lambda _: np.full(ROWS, -2.5),
    "one row": lambda _: np.array([3.0]),
    "one integer": lambda _: np.array([3]),
    "outlier": lambda r: np.append(r.normal(0, 1, ROWS), 1e300),
    "many magnitudes": lambda r: r.choice([-1.0, 1.0], ROWS) * 10.0 ** r.uniform(-300, 300, ROWS),
    "around zero": lambda r: r.choice([0.0, 5e-324, -5e-324, 1e-310, -1e-310], ROWS),
    "far away": lambda r: r.normal(1e6, 1, ROWS),
}
PAIRS = [
    *((name, name) for name in COLUMNS),
    ("normal", "shifted"),
    ("normal", "far away"),
    ("normal", "one row"),
    ("one row", "normal"),
    ("one row", "one integer"),
    ("N(100,1)", "constant"),
    ("narrow", "N(100,1)"),
    ("normal", "many magnitudes"),
    ("many magnitudes", "lognormal(3)"),
    ("integers", "ratings"),
    ("integers", "wide integers"),
    ("wide integers", "t(1)"),
    ("zeros", "rounded"),
    ("zeros", "around zero"),
    ("outlier", "normal"),
]


def in_parts(values: np.ndarray, parts: int) -> Profile:
    return ll.merge([profile({"x": part}) for part in np.array_split(values, parts)])


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=[f"{a} / {b}" for a, b in PAIRS])
def test_named_pairs(first: str, second: str, random: np.random.Generator) -> None:
    a, b = COLUMNS[first](random), COLUMNS[second](random)
    check(compare(profile({"x": a}), profile({"x": b}))["x"], a, b)


@pytest.mark.parametrize("name", sorted(COLUMNS))
def test_merged_from_many_parts(name: str, random: np.random.Generator) -> None:
    a, b = COLUMNS[name](random), COLUMNS["shifted"](random)
    whole, merged = profile({"x": b}), in_parts(a, min(30, len(a)))
    check(compare(merged, whole)["x"], a, b)


@pytest.mark.parametrize("name", sorted(set(COLUMNS) - {"one row", "one integer"}))
def test_columns_held_exactly_have_no_width(name: str, random: np.random.Generator) -> None:
    a, b = COLUMNS[name](random)[:400], COLUMNS[name](random)[:300]
    column = compare(profile({"x": a}), profile({"x": b}))["x"]
    assert column.ks.value == oracle.ks(a, b)
    assert column.ks.upper - column.ks.lower < 1e-15
    for statistic in ("psi", "jensen_shannon"):
        found = column[statistic]
        assert found.upper - found.lower <= 1e-9 * max(found.value, 1)
    scale = float(np.ptp(np.concatenate([a, b]).astype(float)))
    assert column.wasserstein.upper - column.wasserstein.lower <= 1e-9 * scale


floats = st.sampled_from(NASTY_FLOATS) | st.floats(width=64) | st.integers(0, 9).map(float)
integers = st.sampled_from(NASTY_INTEGERS) | st.integers(-(2**63), 2**63 - 1) | st.integers(0, 9)
sides = st.lists(floats, min_size=1, max_size=60).map(lambda x: np.array(x, dtype=np.float64))
whole_sides = st.lists(integers, min_size=1, max_size=60).map(lambda x: np.array(x, dtype=np.int64))


# Repeated with small offsets, so that short lists reach beyond what is counted exactly.
def enlarged(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind != "f":
        steps = np.arange(600, dtype=np.int64) * 2**40
        return np.concatenate([values, steps])
    with np.errstate(over="ignore", invalid="ignore"):
        more = [values * (1 + step * 2.0**-40) for step in range(600 // len(values) + 1)]
    return np.concatenate([values, *more])


EDGE = 2**53  # from here on not every integer is a double


def near_edge(*offsets: int, sign: int = 1) -> np.ndarray:
    return np.array([sign * (EDGE + offset) for offset in offsets] * 20, dtype=np.int64)


@given(sides | whole_sides, sides | whole_sides, st.booleans(), st.booleans())
@example(near_edge(0), near_edge(1), False, False)
@example(near_edge(0, sign=-1), near_edge(1, sign=-1), False, False)
@example(near_edge(-1, 0, 1), near_edge(1, 1, 2), True, True)
@example(near_edge(-1, 0, 1, sign=-1), near_edge(1, 1, 2, sign=-1), True, True)
@example(np.array([0, EDGE]), np.array([0.0]), True, False)
def test_any_pair(a: np.ndarray, b: np.ndarray, more_a: bool, more_b: bool) -> None:
    a, b = (enlarged(side) if more else side for side, more in ((a, more_a), (b, more_b)))
    kept = [side[~np.isnan(side)] if side.dtype.kind == "f" else side for side in (a, b)]
    column = compare(profile({"x": a}), profile({"x": b}))["x"]
    if min(map(len, kept)) == 0:
        assert math.isnan(column.ks.value)
    else:
        check(column, *kept)


texts = st.lists(
    st.sampled_from(["a", "b", "c", "", "ü", "(other)", None]), min_size=1, max_size=80
)


@given(texts, texts)
def test_any_categories(a: list[str | None], b: list[str | None]) -> None:
    tables = [pa.table({"x": pa.array(side, pa.string())}) for side in (a, b)]
    column = compare(*map(profile, tables))["x"]
    kept = [[value for value in side if value is not None] for side in (a, b)]
    if not all(kept):
        assert math.isnan(column.psi.value)
        return
    p, q = (oracle.counts_of(side, sorted({*kept[0], *kept[1]})) for side in kept)
    for name in (*BINNED, "entropy_change"):
        inside(column, name, getattr(oracle, name)(p, q))
    assert column.chi2.lower <= column.chi2.value <= column.chi2.upper


@pytest.mark.parametrize("values", [12_000, 60_000])
def test_categories_beyond_the_capacity(values: int, random: np.random.Generator) -> None:
    a, b = ((random.zipf(1.3, 40_000) % values).astype(str) for _ in range(2))
    column = compare(profile({"x": a}), profile({"x": b}))["x"]
    categories = column.psi.categories
    assert categories[-1] == "(other)"
    p, q = (oracle.counts_of(side.tolist(), categories) for side in (a, b))
    for name in (*BINNED, "entropy_change"):
        inside(column, name, getattr(oracle, name)(p, q))
    assert column.total_variation.upper - column.total_variation.lower < 0.05
    inside(column, "chi2", oracle.chi2(p, q)[0])
