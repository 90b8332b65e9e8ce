"""Bands: the kernels against the same arithmetic in NumPy, bit by bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline import _native
from leadline._native import Storage
from leadline._native.ranks import BucketSide, ranks_band, ranks_buckets, ranks_distance
from leadline.compare import numeric
from leadline.profile.summaries import NumericSummary
from leadline.scan import profile
from leadline.sketch.bounds import bounds_of_pieces
from leadline.sketch.histogram import Histogram, HistogramBuilder
from leadline.sketch.pieces import Pieces, half_open
from leadline.sketch.ranks import Band, _sample_of, band_of, band_of_counts, distance_bounds
from leadline.sketch.scratch import Scratch

# Neighbours at both ends of buckets and octaves, next to zero and to the infinities.
SPOTS = [0.0, 5e-324, -5e-324, math.inf, -math.inf, 1.7976931348623157e308] + [
    sign * spot
    for sign in (-1.0, 1.0)
    for x in (1.0, 1.00390625, 1.5, 2.0, 4.0, 2.0**-1022, 2.0**1023)
    for spot in (x, math.nextafter(x, math.inf), math.nextafter(x, 0.0))
]
ROWS = (2_049, 2_300, 5_000, 70_000)
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
def test_bands_at_other_points_have_the_same_bits(name: str) -> None:
    random = np.random.default_rng(3)
    bands = [profile({"x": DATA[name](random, rows)})["x"].band for rows in (600, 70_000)]
    ends = np.array([-math.inf, 0.0, 1.0, math.inf])
    for a in (band for band in bands if band.real):
        for other in bands:
            points = np.concatenate([np.real(other.points), ends])
            for at in (np.unique(points), random.permutation(points), points[:0]):
                ours, expected = a.on(at), a._on(at)
                for field in ("points", "lower", "upper", "estimate", "noise"):
                    assert np.array_equal(getattr(ours, field), getattr(expected, field))


@pytest.mark.parametrize("name", DATA)
def test_distances_have_the_same_bits(name: str) -> None:
    random = np.random.default_rng(7)
    make = DATA[name]
    bands = [profile({"x": make(random, rows)})["x"].band for rows in (600, 5_000, 70_000)]
    bands.append(band_of_counts(np.array([-1.0, 0.0, 2.5]), np.array([3, 500, 9])))
    for a in bands:
        for b in bands:
            assert distance_bounds(a, b) == numeric._distance_bounds(a, b)


def side_of(values: np.ndarray, coarseness: int) -> BucketSide:
    """All that `ranks_buckets` is to know of some values, without a limit."""
    finite = values[np.isfinite(values)]
    histogram = histogram_of(finite)
    singles = tuple(int((values == x).sum()) for x in (-math.inf, 0.0, math.inf))
    ends = (float(finite.min()), float(finite.max())) if len(finite) else (math.nan, math.nan)
    rough = histogram.coarsen(coarseness)
    return BucketSide(rough.pages, rough.counts, singles, ends, math.inf, len(values))


def fits(values: np.ndarray, coarseness: int) -> bool:
    return histogram_of(values[np.isfinite(values)]).coarseness <= coarseness


def histogram_of(values: np.ndarray) -> Histogram:
    builder = HistogramBuilder(Scratch())
    builder.add(np.ascontiguousarray(values[values != 0]).view(np.uint64), Storage.FLOAT64)
    return builder.finish()


def by_bands(sides: list[BucketSide], coarseness: int) -> tuple[float, ...]:
    nothing = np.zeros(0)
    bands = [
        ranks_band(
            side.pages,
            side.counts,
            coarseness,
            side.singles,
            side.extremes,
            nothing,
            nothing,
            (0.0, 0.0, 0.0),
        )[:4]
        for side in sides
    ]
    return ranks_distance(bands[0], sides[0].total, bands[1], sides[1].total)


def check_distance(sides: list[BucketSide], coarseness: int) -> None:
    found, expected = ranks_buckets(*sides, coarseness), by_bands(sides, coarseness)
    assert found is not None
    assert found[:3] == expected[:3]
    # Where nothing is apart, that is nowhere.
    assert found[3] == expected[3] or found[2] == 0.0


@pytest.fixture(params=_native.instruction_sets())
def instruction_set(request: pytest.FixtureRequest) -> Iterator[str]:
    before = _native.active_instruction_set()
    _native.force_instruction_set(request.param)
    yield request.param
    _native.force_instruction_set(before)


@pytest.mark.parametrize("coarseness", [0, 3, 5])
@pytest.mark.parametrize("name", DATA)
def test_distances_of_buckets_are_those_of_their_bands(
    name: str, coarseness: int, instruction_set: str
) -> None:
    random = np.random.default_rng(11)
    samples = [np.asarray(DATA[name](random, n), np.float64) for n in (1, 2, 300, 5_000, 70_000)]
    samples += [samples[-1] * 1.01, -samples[-1], np.array([0.0, math.inf, 3.5]), np.zeros(4)]
    sides = [side_of(values, coarseness) for values in samples if fits(values, coarseness)]
    assert len(sides) >= 4
    for a in sides:
        for b in sides:
            check_distance([a, b], coarseness)


# Everything that can meet in a bucket: extremes of either side, single values, empty neighbours.
@given(
    st.lists(st.sampled_from(SPOTS), min_size=1, max_size=12),
    st.lists(st.sampled_from(SPOTS), min_size=1, max_size=12),
)
def test_distances_of_few_values(a: list[float], b: list[float]) -> None:
    sides = [side_of(np.array(values), 0) for values in (a, b)]
    check_distance(sides, 0)


def test_a_bucket_over_its_limit_is_not_enough() -> None:
    side = side_of(np.array([1.0, 1.0, 2.0]), 0)
    assert ranks_buckets(side._replace(limit=2.0), side, 0) is not None
    assert ranks_buckets(side._replace(limit=1.0), side, 0) is None
    assert ranks_buckets(side, side._replace(limit=1.0), 0) is None


def test_sides_are_checked() -> None:
    side = side_of(np.array([1.0, 4.0]), 0)
    with pytest.raises(ValueError, match="512 counters of 1 pages"):
        ranks_buckets(side._replace(pages=side.pages[:1]), side, 0)
    with pytest.raises(ValueError, match="counters of"):
        ranks_buckets(side, side, 1)
    for wrong in (side._replace(total=0), side._replace(pages=side.pages[::-1].copy())):
        with pytest.raises(ValueError, match="ranks"):
            ranks_buckets(side, wrong, 0)


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
