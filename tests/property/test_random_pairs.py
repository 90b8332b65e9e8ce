"""Random pairs, nasty ones included: the raw-row value of every statistic lies in its interval.

Each pair follows from its number alone. Some hundred of them here; `make test-intervals` takes
10,000 (``LEADLINE_PAIRS``).
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

import leadline as ll
import oracle
from intervals import BINNED, check, inside
from leadline.compare import ColumnComparison
from leadline.snapshot import decode, encode

PAIRS = int(os.environ.get("LEADLINE_PAIRS", "300"))
CHUNKS = 20
MOST_PARTS = 100

Make = Callable[[np.random.Generator, int], np.ndarray]
# Distributions whose widths are promised.
BOUNDED: dict[str, Make] = {
    "normal": lambda r, n: r.normal(0, 1, n),
    "N(20,1)": lambda r, n: r.normal(20, 1, n),
    "N(100,1)": lambda r, n: r.normal(100, 1, n),
    "narrow": lambda r, n: r.normal(1.7e9, 10, n),
    "narrow negative": lambda r, n: r.normal(-1.7e9, 10, n),
    "exponential": lambda r, n: r.exponential(5, n),
    "zeros": lambda r, n: np.where(r.random(n) < 0.7, 0.0, r.exponential(5, n)),
    "rounded": lambda r, n: r.normal(20, 20, n).round(1),
    "beta": lambda r, n: r.beta(2, 5, n),
    "bimodal": lambda r, n: r.normal(np.where(r.random(n) < 0.4, -3, 3), 1, n),
    "poisson": lambda r, n: r.poisson(4, n),
    "ratings": lambda r, n: r.integers(1, 6, n).astype(np.float64),
    "integers": lambda r, n: r.integers(-5_000, 5_000, n),
}
OTHERS: dict[str, Make] = {
    "lognormal(3)": lambda r, n: r.lognormal(0, 3, n),
    "t(1)": lambda r, n: r.standard_t(1, n),
    "zipf": lambda r, n: np.minimum(r.zipf(1.5, n), 10**9),
    "constant": lambda r, n: np.full(n, r.choice([0.0, -2.5, 1e300, 7.0])),
    "one value": lambda r, _: r.normal(0, 1, 1),
    "two values": lambda r, n: r.choice([0, 1], n, p=[0.9, 0.1]),
    "wide integers": lambda r, n: r.integers(-(2**62), 2**62, n),
    "integers about 2**53": lambda r, n: 2**53 + r.integers(-400, 400, n),
    "integers about -2**60": lambda r, n: -(2**60) + r.integers(-4_000, 4_000, n),
    "unsigned": lambda r, n: r.integers(2**63, 2**64, n, dtype=np.uint64),
    "many magnitudes": lambda r, n: r.choice([-1.0, 1.0], n) * 10.0 ** r.uniform(-300, 300, n),
    "subnormal": lambda r, n: r.choice([0.0, 5e-324, -5e-324, 1e-310, -1e-310], n),
    "outlier": lambda r, n: np.append(r.normal(0, 1, n), 1e300),
    "infinities": lambda r, n: np.where(
        r.random(n) < 0.1, r.choice([-math.inf, math.inf], n), r.normal(0, 1, n)
    ),
    "far away": lambda r, n: r.normal(1e6, 1, n),
    "spike in a narrow range": lambda r, n: np.where(
        r.random(n) < 0.3, 1.7e9, r.normal(1.7e9, 10, n)
    ),
}


def drawn(number: int) -> tuple[np.random.Generator, np.ndarray, np.ndarray, bool]:
    """Both sides of a pair, and whether widths are promised for it."""
    random = np.random.default_rng([20_131_201, number])
    everything = BOUNDED | OTHERS
    first = str(random.choice(list(everything)))
    alike = random.random() < 0.6
    second = first if alike else str(random.choice(list(everything)))
    # Up to 2,048 different values are held exactly: half of the sides have more rows.
    n, m = (int(10 ** random.uniform(*random.choice([(0, 3.2), (3.2, 4.2)]))) for _ in range(2))
    a, b = everything[first](random, n), everything[second](random, m)
    if alike and b.dtype.kind == "f" and random.random() < 0.7:
        with np.errstate(over="ignore", invalid="ignore"):
            spread = float(np.subtract(*np.quantile(a, [0.75, 0.25])))
        if math.isfinite(spread):
            b = b + random.choice([0.01, 0.1, 0.5, 20.0]) * spread
    promised = alike and first in BOUNDED and min(n, m) >= 100
    return random, a, b, promised


def profiled(random: np.random.Generator, values: np.ndarray) -> ll.Profile:
    """A profile of the values with nulls and NaN, of up to 100 parts, saved and read."""
    missing = np.zeros(len(values), np.bool_)
    if random.random() < 0.3:
        extra = random.integers(0, 20)
        missing = np.append(missing, np.ones(extra, np.bool_))
        values = np.append(values, np.zeros(extra, values.dtype))
        order = random.permutation(len(values))
        values, missing = values[order], missing[order]
    if values.dtype.kind == "f" and random.random() < 0.3:
        values = np.append(values, [math.nan, math.nan])
        missing = np.append(missing, [False, False])
    parts = int(MOST_PARTS ** random.uniform(0, 1)) if random.random() < 0.5 else 1
    pieces = [
        ll.profile(pa.table({"x": pa.array(values[rows], mask=missing[rows])}))
        for rows in np.array_split(np.arange(len(values)), min(parts, len(values)))
    ]
    merged = ll.merge(pieces) if len(pieces) > 1 else pieces[0]
    return decode(encode(merged)) if random.random() < 0.5 else merged


def widths(column: ColumnComparison) -> None:
    """What docs/statistics.md, section 1, promises of widths."""
    assert column.reference is not None
    assert column.current is not None
    errors = column.reference.band.rank_error + column.current.band.rank_error
    assert column.ks.upper - column.ks.lower <= 2 * errors + 1e-12
    assert column.cliffs_delta.upper - column.cliffs_delta.lower <= 0.02
    scaled = column.wasserstein_scaled
    # The spread of a few rows may be much less than that of where they come from.
    many = min(column.reference.rows, column.current.rows) >= 2_000
    if many and not math.isnan(scaled.value):
        assert scaled.upper - scaled.lower <= 0.1 + 1e-9 * scaled.value


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_numbers(chunk: int) -> None:
    for number in range(chunk, PAIRS, CHUNKS):
        random, a, b, promised = drawn(number)
        sides = [profiled(random, side) for side in (a, b)]
        column = ll.compare(*sides)["x"]
        try:
            check(column, a, b)
            if promised:
                widths(column)
        except AssertionError as error:
            raise AssertionError(f"pair {number}: {error}") from error


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_categories(chunk: int) -> None:
    for number in range(chunk, PAIRS // 10, CHUNKS):
        random = np.random.default_rng([20_131_202, number])
        values = int(10 ** random.uniform(0, 4.2))
        n, m = (int(40_000 ** random.uniform(0, 1)) for _ in range(2))
        a, b = ((random.zipf(random.uniform(1.05, 2), n) % values).astype(str) for n in (n, m))
        tables = [pa.table({"x": pa.array(side)}) for side in (a, b)]
        column = ll.compare(*(ll.profile(table) for table in tables))["x"]
        p, q = (oracle.counts_of(side.tolist(), column.psi.categories) for side in (a, b))
        for name in (*BINNED, "entropy_change"):
            inside(column, name, getattr(oracle, name)(p, q))
        categories = column.chi2.categories
        p, q = (oracle.counts_of(side.tolist(), categories) for side in (a, b))
        if len(categories) > 1:
            inside(column, "chi2", oracle.chi2(p, q)[0])
            inside(column, "g_test", oracle.g_test(p, q)[0])
            inside(column, "cramers_v", oracle.cramers_v(p, q))
