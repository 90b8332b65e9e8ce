"""The fused call over a column of numbers: against NumPy, and the same bits everywhere.

Columns of every type with nulls, NaN of any bits, infinities and both zeros, in cells of every
size, in one array or several, in order of rows or scattered with rows that repeat, on every
instruction set.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline import _native
from leadline.errors import InputError
from leadline.profile.column import ColumnState
from leadline.profile.numbers import number_states
from leadline.profile.order import CellOrder
from leadline.profile.summaries import NumericSummary, SketchSettings
from leadline.schema import Role, column_of
from leadline.sketch.scratch import Scratch

SETTINGS = SketchSettings(seed=7, k=64)
SCRATCH = Scratch()
GOLDEN, MIX_1, MIX_2 = (
    np.uint64(0x9E3779B97F4A7C15),
    np.uint64(0xBF58476D1CE4E5B9),
    np.uint64(0x94D049BB133111EB),
)
INTEGERS = [pa.int8(), pa.int16(), pa.int32(), pa.int64()]
INTEGERS += [pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
FLOATS = [pa.float16(), pa.float32(), pa.float64()]
NAN_BITS = [0x7FF8000000000000, 0xFFF8000000000000, 0x7FF0000000000001, 0xFFFFFFFFFFFFFFFF]


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    active = _native.active_instruction_set()
    yield
    _native.force_instruction_set(active)


# --- columns -------------------------------------------------------------------------------------


def doubles(random: np.random.Generator, size: int, shape: str) -> np.ndarray:
    found: np.ndarray = {
        "normal": lambda: random.normal(size=size),
        "narrow": lambda: 1.7e9 + 10 * random.normal(size=size),
        "tied": lambda: np.round(random.normal(size=size), 1),
        "wide": lambda: np.exp(random.uniform(-700, 700, size)) * random.choice([-1, 1], size),
        "subnormal": lambda: random.integers(-(2**52), 2**52, size) * 5e-324,
        "huge": lambda: random.uniform(-1, 1, size) * 1.7e308,
        "negative": lambda: -random.exponential(size=size),
        "constant": lambda: np.full(size, 3.7),
    }[shape]()
    return found


SHAPES = ["normal", "narrow", "tied", "wide", "subnormal", "huge", "negative", "constant"]


def spoil(random: np.random.Generator, values: np.ndarray, share: float) -> np.ndarray:
    """Put both zeros, infinities, the smallest doubles and NaN of several bits in some places."""
    special = np.array([0.0, -0.0, math.inf, -math.inf, 5e-324, -5e-324])
    bits = np.concatenate((special.view(np.uint64), np.array(NAN_BITS, dtype=np.uint64)))
    spoiled = values.astype(np.float64).view(np.uint64)
    places = random.random(len(values)) < share
    spoiled[places] = random.choice(bits, places.sum())
    return spoiled.view(np.float64)


def numbers(random: np.random.Generator, type_: pa.DataType, size: int, share: float) -> np.ndarray:
    if pa.types.is_floating(type_):
        values = spoil(random, doubles(random, size, random.choice(SHAPES)), share)
        with np.errstate(over="ignore", invalid="ignore"):
            return values.astype(type_.to_pandas_dtype())
    limits = np.iinfo(type_.to_pandas_dtype())
    low, high = int(limits.min), int(limits.max)
    if random.random() < 0.5:
        low, high = max(low, -(2**40)), min(high, 2**40)  # which doubles hold exactly
    return random.integers(low, high, size, dtype=limits.dtype, endpoint=True)


def column(
    random: np.random.Generator, type_: pa.DataType, size: int, *, nulls: float, share: float
) -> pa.ChunkedArray:
    """An array that begins behind some other rows, so that its buffers have an offset."""
    values = numbers(random, type_, size + 5, share)
    mask = random.random(size + 5) < nulls if nulls else None
    return pa.chunked_array([pa.array(values, type_, mask=mask).slice(5)])


def profiled(data: pa.ChunkedArray, cells: CellOrder) -> list[ColumnState]:
    return number_states(
        column_of("x", data.type, Role.FEATURE, "test"), data, cells, SETTINGS, SCRATCH
    )


# --- what must be found --------------------------------------------------------------------------


def mixed(bits: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64."""
    with np.errstate(over="ignore"):
        bits = (bits ^ (bits >> np.uint64(30))) * MIX_1
        bits = (bits ^ (bits >> np.uint64(27))) * MIX_2
        return bits ^ (bits >> np.uint64(31))


def registers_of(values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        hashes = mixed(values.view(np.uint64) + GOLDEN)
    registers = np.zeros(4096, dtype=np.uint8)
    for number, rest in zip(
        (hashes >> np.uint64(52)).tolist(), (hashes & np.uint64(2**52 - 1)).tolist(), strict=True
    ):
        registers[number] = max(registers[number], 53 - rest.bit_length())
    return registers


def keys_of(values: np.ndarray) -> np.ndarray:
    """Unsigned integers in the order of the values."""
    if values.dtype.kind == "u":
        return values.astype(np.uint64)
    if values.dtype.kind == "i":
        return values.astype(np.int64).view(np.uint64) ^ np.uint64(2**63)
    bits = values.view(np.int64)
    return (bits ^ ((bits >> 63) & (2**63 - 1))).view(np.uint64) ^ np.uint64(2**63)


def check_sketches(found: NumericSummary, values: np.ndarray, keys: np.ndarray) -> None:
    """Against the values without NaN and -0.0, as doubles and as keys of their storage."""
    finite = np.sort(values[np.isfinite(values)])
    assert found.moments is not None
    assert found.histogram is not None
    assert found.quantiles is not None
    assert found.distinct is not None
    assert found.moments.count == len(finite)
    if len(finite):
        assert found.moments.minimum == finite[0]
        assert found.moments.maximum == finite[-1]
        largest = max(abs(finite[0]), abs(finite[-1]))
        if largest < 1e300:  # beyond it a mean may be NaN, if it does not fit on the way
            mean = math.fsum(finite.tolist()) / len(finite)
            # Shares of subnormal numbers are rounded to multiples of the smallest one.
            allowed = 1e-12 * largest + 5e-324 * len(finite)
            assert found.moments.mean == pytest.approx(mean, rel=1e-12, abs=allowed)
    buckets = finite[finite != 0].view(np.uint64) >> np.uint64(44 + found.histogram.coarseness)
    pages = buckets >> np.uint64(8 - found.histogram.coarseness)
    expected = np.zeros_like(found.histogram.counts, dtype=np.int64)
    assert found.histogram.pages.tolist() == np.unique(pages).tolist()
    rows = np.searchsorted(found.histogram.pages, pages)
    np.add.at(expected, (rows, (buckets % np.uint64(expected.shape[1])).astype(np.int64)), 1)
    assert np.array_equal(found.histogram.counts, expected)
    assert np.array_equal(found.distinct.registers, registers_of(np.unique(values)))
    sketch = found.quantiles
    sizes = np.diff(sketch.levels.astype(np.int64))
    assert sketch.count == len(values) == sum(n << h for h, n in enumerate(sizes.tolist()))
    assert (sketch.minimum, sketch.maximum) == (int(keys.min()), int(keys.max()))
    assert np.isin(sketch.items, keys).all()


def check_cell(state: ColumnState, rows: pa.Array) -> None:
    found = state.summary
    assert isinstance(found, NumericSummary)
    held = rows.drop_null().to_numpy(zero_copy_only=False)
    values = held[~np.isnan(held)] if held.dtype.kind == "f" else held
    assert (state.rows, state.nulls) == (len(rows), rows.null_count)
    assert found.nan == len(held) - len(values)
    assert found.zeros == np.count_nonzero(values == 0)
    assert found.negatives == np.count_nonzero(values < 0)
    assert found.positive_infinity == np.count_nonzero(values == math.inf)
    assert found.negative_infinity == np.count_nonzero(values == -math.inf)
    if found.counts is not None:
        distinct, counts = np.unique(values, return_counts=True)
        assert found.counts.values.tolist() == distinct.tolist()
        assert found.counts.counts.tolist() == counts.tolist()
    elif held.dtype.kind == "f" or np.abs(values.astype(object)).max() < 2**53:
        as_doubles = values.astype(np.float64) + 0.0
        wide = as_doubles if held.dtype.kind == "f" else values
        if pa.types.is_unsigned_integer(rows.type) and not pa.types.is_uint64(rows.type):
            wide = values.astype(np.int64)
        check_sketches(found, as_doubles, keys_of(wide))


def state_bits(state: ColumnState) -> object:
    found = state.summary
    assert isinstance(found, NumericSummary)
    tally = (state.rows, state.nulls, found.nan, found.positive_infinity, found.negative_infinity)
    if found.counts is not None:
        return tally, found.counts.values.tobytes(), found.counts.counts.tobytes()
    assert found.moments is not None
    assert found.histogram is not None
    assert found.quantiles is not None
    assert found.distinct is not None
    moments = found.moments
    floats = [moments.mean, moments.m2, moments.m3, moments.m4]
    return (
        (tally, found.zeros, found.negatives, moments.count),
        (np.array(floats).tobytes(), moments.minimum, moments.maximum),
        (found.histogram.pages.tobytes(), found.histogram.counts.tobytes()),
        (found.quantiles.levels.tobytes(), found.quantiles.items.tobytes()),
        found.distinct.registers.tobytes(),
    )


def check(data: pa.ChunkedArray, cells: CellOrder) -> None:
    found = {}
    for name in _native.instruction_sets():
        _native.force_instruction_set(name)
        states = profiled(data, cells)
        found[name] = [state_bits(state) for state in states]
    rows = data.combine_chunks()
    for cell, state in enumerate(states):
        begin, end = (int(start) for start in cells.starts[cell : cell + 2])
        part = rows.slice(begin, end - begin)
        if cells.order is not None:
            part = rows.take(pa.array(cells.order[begin:end]))
        check_cell(state, part)
    for name, bits in found.items():
        assert bits == found["serial"], name


# --- columns against the oracle ------------------------------------------------------------------


@pytest.mark.parametrize("type_", [*INTEGERS, *FLOATS], ids=str)
@pytest.mark.parametrize("nulls", [0.0, 0.05])
def test_cells_of_every_size(type_: pa.DataType, nulls: float) -> None:
    random = np.random.default_rng(17)
    sizes = [0, 1, 7, 512, 513, 1023, 1024, 1025, 2048, 5000, 16_384, 16_385, 70_000]
    starts = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    data = column(random, type_, int(starts[-1]), nulls=nulls, share=0.001)
    check(data, CellOrder(None, starts))


@pytest.mark.parametrize("type_", [*INTEGERS, *FLOATS], ids=str)
def test_rows_in_any_order_and_more_than_once(type_: pa.DataType) -> None:
    random = np.random.default_rng(18)
    data = column(random, type_, 3000, nulls=0.1, share=0.01)
    order = random.integers(0, 3000, 9000).astype(np.int32)
    check(data, CellOrder(order, np.array([0, 0, 4000, 4100, 9000], dtype=np.int64)))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("share", [0.0, 0.00003, 0.01, 0.7])
@pytest.mark.parametrize("nulls", [0.0, 0.00003])
def test_doubles_where_they_lie_and_where_they_cannot_stay(
    shape: str, share: float, nulls: float
) -> None:
    """Some blocks are taken in place, some must be left half-way, some are copied throughout."""
    random = np.random.default_rng(19)
    values = spoil(random, doubles(random, 200_000, shape), share)
    mask = random.random(len(values)) < nulls if nulls else None
    check(pa.chunked_array([pa.array(values, mask=mask)]), CellOrder.whole(len(values)))


@pytest.mark.parametrize("special", [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, None])
@pytest.mark.parametrize("place", [0, 1023, 1024, 65_535, 65_536, 131_071, 139_999])
def test_one_special_value(special: float | None, place: int) -> None:
    values = np.random.default_rng(20).normal(size=140_000).tolist()
    values[place] = special
    check(pa.chunked_array([pa.array(values, pa.float64())]), CellOrder.whole(len(values)))


def test_arrays_of_any_length_are_one_column() -> None:
    random = np.random.default_rng(21)
    values = spoil(random, random.normal(size=150_000), 0.0001)
    whole = pa.chunked_array([pa.array(values)])
    edges = [0, 0, 1, 1000, 1024, 65_536, 65_537, 131_072, 149_999, 150_000]
    parts = [pa.array(values[a:b]) for a, b in itertools.pairwise(edges)]
    cells = CellOrder(None, np.array([0, 100_000, 150_000], dtype=np.int64))
    check(pa.chunked_array(parts), cells)
    together = [state_bits(state) for state in profiled(whole, cells)]
    assert [state_bits(state) for state in profiled(pa.chunked_array(parts), cells)] == together


def test_doubles_at_any_address() -> None:
    values = np.random.default_rng(22).normal(size=70_000)
    shifted = pa.py_buffer(b"\0\0\0" + values.tobytes()).slice(3)
    data = pa.chunked_array([pa.Array.from_buffers(pa.float64(), len(values), [None, shifted])])
    check(data, CellOrder.whole(len(values)))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    type_=st.sampled_from([*INTEGERS, *FLOATS]),
    sizes=st.lists(st.integers(0, 3000), min_size=1, max_size=6),
    nulls=st.sampled_from([0.0, 0.01, 0.5, 1.0]),
    share=st.sampled_from([0.0, 0.001, 0.5]),
    scattered=st.booleans(),
)
def test_any_column(
    seed: int,
    type_: pa.DataType,
    sizes: list[int],
    nulls: float,
    share: float,
    scattered: bool,
) -> None:
    random = np.random.default_rng(seed)
    starts = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    rows = int(starts[-1])
    data = column(random, type_, rows, nulls=nulls, share=share)
    order = random.permutation(rows).astype(np.int32) if scattered else None
    check(data, CellOrder(order, starts))


# --- contradictions ------------------------------------------------------------------------------


def starts_of(*starts: int) -> np.ndarray:
    return np.array(starts, dtype=np.int64)


@pytest.mark.parametrize(
    "starts",
    [(-1, 10), (5, 4), (0, 11), (11, 11), (0, 5, 3, 10), (0, 2**62), (-(2**63), 2**63 - 1)],
)
@pytest.mark.parametrize("ordered", [False, True])
def test_starts_outside_the_rows(starts: tuple[int, ...], ordered: bool) -> None:
    data = pa.chunked_array([pa.array(np.arange(10.0))])
    order = np.arange(10, dtype=np.int32) if ordered else None
    with pytest.raises((InputError, ValueError), match="numbers"):
        profiled(data, CellOrder(order, starts_of(*starts)))
    check(data, CellOrder.whole(10))  # the work memory is as before


@pytest.mark.parametrize("row", [-1, 2000, 2**31 - 1, -(2**31)])
@pytest.mark.parametrize("place", [0, 700, 1999])
@pytest.mark.parametrize("type_", [pa.float64(), pa.int64(), pa.int8()], ids=str)
def test_a_row_that_does_not_exist(row: int, place: int, type_: pa.DataType) -> None:
    random = np.random.default_rng(23)
    data = column(random, type_, 2000, nulls=0.1, share=0.0)
    order = random.permutation(2000).astype(np.int32)
    order[place] = row
    with pytest.raises(InputError, match="outside"):
        profiled(data, CellOrder(order, starts_of(0, 2000)))
    check(data, CellOrder.whole(2000))
