"""Bands: the kernels against the same arithmetic in NumPy, bit by bit."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from leadline._native.ranks import ranks_band, ranks_distance
from leadline.compare import numeric
from leadline.profile.summaries import NumericSummary
from leadline.scan import profile
from leadline.sketch.bounds import bounds_of_pieces
from leadline.sketch.pieces import Pieces, half_open
from leadline.sketch.ranks import Band, _sample_of, band_of, band_of_counts, distance_bounds

ROWS = (513, 700, 3_000, 70_000)
DATA: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal": lambda r, n: r.normal(size=n),
    "far from zero": lambda r, n: r.normal(100, 1, n),
    "now": lambda r, n: r.normal(1.7e9, 10, n),
    "negative now": lambda r, n: -r.normal(1.7e9, 10, n),
    "half zeros": lambda r, n: np.where(r.random(n) < 0.5, 0.0, r.normal(size=n)),
    "ties": lambda r, n: np.round(r.normal(size=n), 2),
    "infinities": lambda r, n: np.where(
        r.random(n) < 0.1, r.choice([-math.inf, math.inf], n), r.normal(3, 1, n)
    ),
    "subnormal": lambda r, n: r.integers(-(2**40), 2**40, n) * 5e-324,
    "huge": lambda r, n: r.uniform(-1, 1, n) * 1.7e308,
    "every octave": lambda r, n: np.exp(r.uniform(-700, 700, n)) * r.choice([-1, 1], n),
    "cauchy": lambda r, n: r.standard_cauchy(n),
    "integers": lambda r, n: r.integers(-(2**52), 2**52, n),
    "dense integers": lambda r, n: 2**40 + r.integers(0, 2**17, n),
}


def summary_of(values: np.ndarray) -> NumericSummary:
    numbers = profile({"x": values})["x"].numeric
    assert numbers is not None
    return numbers


def in_numpy(summary: NumericSummary, *, sketch: bool) -> tuple[np.ndarray, ...]:
    assert summary.histogram is not None
    assert summary.quantiles is not None
    buckets = summary.histogram.buckets()
    start, end = half_open(buckets.lower, buckets.upper, integer=False)
    atoms = {
        -math.inf: summary.negative_infinity,
        0.0: summary.zeros,
        math.inf: summary.positive_infinity,
    }
    pieces = Pieces.of(start, end, buckets.counts.astype(np.float64), atoms)
    if not sketch:
        return bounds_of_pieces(pieces, None, None, None)
    sample = _sample_of(summary.quantiles, summary.histogram.coarseness)
    extremes = [
        None if value is None or math.isinf(value) else float(value)
        for value in (summary.minimum, summary.maximum)
    ]
    return bounds_of_pieces(pieces, sample, *extremes)


def by_kernels(summary: NumericSummary, *, sketch: bool) -> Band:
    return band_of(
        histogram=summary.histogram,
        quantiles=summary.quantiles if sketch else None,
        zeros=summary.zeros,
        negative_infinity=summary.negative_infinity,
        positive_infinity=summary.positive_infinity,
        minimum=summary.minimum if sketch else None,
        maximum=summary.maximum if sketch else None,
    )


@pytest.mark.parametrize("sketch", [True, False], ids=["with sketch", "buckets alone"])
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("name", DATA)
def test_bands_have_the_same_bits(name: str, rows: int, sketch: bool) -> None:
    summary = summary_of(DATA[name](np.random.default_rng(rows), rows))
    if summary.histogram is None:
        assert name == "dense integers" or rows < 1_000
        return
    band = by_kernels(summary, sketch=sketch)
    found = (band.points, band.lower, band.upper, band.estimate, band.noise)
    for ours, expected in zip(found, in_numpy(summary, sketch=sketch), strict=True):
        assert ours.dtype == expected.dtype
        assert np.array_equal(ours, expected)
    assert band.total == summary.total


@pytest.mark.parametrize("name", DATA)
def test_distances_have_the_same_bits(name: str) -> None:
    random = np.random.default_rng(7)
    make = DATA[name]
    bands = [profile({"x": make(random, rows)})["x"].band for rows in (600, 5_000, 70_000)]
    bands.append(band_of_counts(np.array([-1.0, 0.0, 2.5]), np.array([3, 500, 9])))
    for a in bands:
        for b in bands:
            assert distance_bounds(a, b) == numeric._distance_bounds(a, b)


def test_sizes_are_checked() -> None:
    pages, counts = np.array([1023], dtype=np.uint16), np.ones((1, 256), dtype=np.uint32)
    nothing, unknown = np.zeros(0), (math.nan, math.nan)
    for arrays in ((np.repeat(pages, 2), counts, 0), (pages, counts, 9), (pages, counts, -1)):
        with pytest.raises(ValueError, match="256 counters of"):
            ranks_band(*arrays, (0, 0, 0), unknown, nothing, nothing, (1.0, 0.0, 0.0))
    with pytest.raises(ValueError, match="2 items with 1 weights"):
        ranks_band(pages, counts, 0, (0, 0, 0), unknown, np.zeros(2), np.zeros(1), (1.0, 0.0, 0.0))
    side = (np.zeros(2), np.zeros((2, 2)), np.zeros((2, 2)), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="two a point"):
        ranks_distance((np.zeros(1), *side[1:]), 1, side, 1)
    with pytest.raises(ValueError, match="ranks"):
        ranks_distance(side, 0, side, 1)
