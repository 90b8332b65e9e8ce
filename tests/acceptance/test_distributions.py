"""Promised error bounds on named distributions: whole, in parts, through files, by command."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import leadline as ll
from leadline.cli import main
from leadline.profile import ColumnProfile

SHARES = (0.001, 0.01, *(round(0.05 * step, 2) for step in range(1, 20)), 0.99, 0.999)
ROWS = 200_000
Make = Callable[[np.random.Generator], np.ndarray]


def blocks(random: np.random.Generator) -> np.ndarray:
    """Alternating blocks of 1,000 values far apart, each narrow."""
    centre = np.where(np.arange(ROWS) // 1_000 % 2, 100.0, 5.0)
    return centre + random.normal(0, 0.01, ROWS)


def outlier(random: np.random.Generator) -> np.ndarray:
    values = random.normal(0, 1, 1_000_000)
    values[123_456] = 1e300
    return values


DISTRIBUTIONS: dict[str, Make] = {
    "normal": lambda random: random.normal(0, 1, ROWS),
    "lognormal(sigma 3)": lambda random: random.lognormal(0, 3, ROWS),
    "uniform": lambda random: random.uniform(0, 1, ROWS),
    "N(20,1)": lambda random: random.normal(20, 1, ROWS),
    "N(100,1)": lambda random: random.normal(100, 1, ROWS),
    "1.7e9 +- 10": lambda random: random.normal(1.7e9, 10, ROWS),
    "zeros + exponential": lambda random: np.where(
        random.random(ROWS) < 0.7, 0.0, random.exponential(5, ROWS)
    ),
    "rounded to 0.1": lambda random: random.normal(20, 20, ROWS).round(1),
    "integers 0-9": lambda random: random.integers(0, 10, ROWS),
    "constant": lambda _: np.full(ROWS, 3.25),
    "sorted": lambda random: np.sort(random.normal(50, 1, ROWS)),
    "reverse-sorted": lambda random: np.sort(random.normal(50, 1, ROWS))[::-1].copy(),
    "alternating blocks": blocks,
    "Student t(1)": lambda random: random.standard_t(1, ROWS),
    "one 1e300 among a million": outlier,
}


@pytest.fixture(params=sorted(DISTRIBUTIONS))
def values(request: pytest.FixtureRequest) -> np.ndarray:
    return DISTRIBUTIONS[request.param](np.random.default_rng(20_131_201))


def check(column: ColumnProfile, values: np.ndarray) -> None:
    """Quantiles, rank error, histogram and distinct count against the sorted raw values."""
    ordered = np.sort(values)
    n = len(ordered)
    printed = column.band.rank_error
    numeric = column.numeric
    assert numeric is not None
    for share in SHARES:
        estimate = column.quantile(share)
        true = ordered[max(math.ceil(share * n) - 1, 0)]
        assert estimate.lower <= true <= estimate.upper, share
        below = np.searchsorted(ordered, estimate.value, side="left") / n
        upto = np.searchsorted(ordered, estimate.value, side="right") / n
        # An estimate may fall between two raw values: both neighbours' ranks count as hit.
        assert max(below - share, share - upto, 0.0) <= printed + 1 / n, share
    heaviest = 0 if numeric.counts is not None else numeric.get_histogram().heaviest
    if numeric.counts is not None:
        assert printed == 0.0
    else:
        assert printed <= (0.002 if heaviest <= 0.002 * n else 0.007)
    buckets = numeric.get_histogram().buckets()
    # A bucket holds its edge nearer to zero; zeros and infinities are in none.
    held = zip(buckets.lower, buckets.upper, buckets.counts, strict=True)
    for low, high, count in held:
        side = "left" if low >= 0 else "right"
        first, last = np.searchsorted(ordered, [low, high], side=side)
        zeros = np.count_nonzero(values == 0) if 0 in (low, high) else 0
        assert count == last - first - zeros, (low, high)
    finite_values = np.count_nonzero(np.isfinite(values) & (values != 0))
    assert int(buckets.counts.sum()) == finite_values
    distinct = column.distinct
    assert distinct.lower <= len(np.unique(values)) <= distinct.upper
    finite = values.astype(np.float64)
    if np.abs(finite).max() < 1e100:
        scale = max(abs(finite.mean()), finite.std(ddof=1))
        assert abs(column.mean - finite.mean()) <= 1e-12 * scale
        assert abs(column.std - finite.std(ddof=1)) <= 1e-12 * scale


def test_whole(values: np.ndarray) -> None:
    check(ll.profile({"x": values})["x"], values)


def test_merged_from_100_parts(values: np.ndarray) -> None:
    parts = [ll.profile({"x": part}) for part in np.array_split(values, 100)]
    check(ll.merge(parts)["x"], values)


def test_through_files_and_the_command(
    values: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for index, part in enumerate(np.array_split(values, 5)):
        pq.write_table(pa.table({"x": part}), tmp_path / f"part-{index}.parquet")
    out = tmp_path / "x.lead"
    assert main(["profile", str(tmp_path), "-o", str(out), "--quiet"]) == 0
    check(ll.read(out)["x"], values)
    capsys.readouterr()
    assert main(["show", str(out), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)["columns"]["x"]
    assert shown["rows"] == len(values)
    ordered = np.sort(values)
    for share, quantile in shown["quantiles"].items():
        true = ordered[max(math.ceil(float(share) * len(values)) - 1, 0)]
        assert quantile["lower"] <= true <= quantile["upper"]
