"""Whole numbers in few bytes: the kernels against NumPy and against literals."""

from __future__ import annotations

import itertools
import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline._native import Storage, packing_gaps, packing_numbers, quantiles_bytes
from leadline._native.library import ffi, lib
from leadline._native.sketches import (
    HistogramArrays,
    QuantilesArrays,
    Sketches,
    sketches_bytes,
)
from leadline.errors import InputError

WIDTHS = [np.uint8, np.uint16, np.uint32, np.uint64]


def planes_of(values: list[int]) -> bytes:
    """Section 5.1 of docs/format.md, by Python's own integers."""
    width = max([1, *((value.bit_length() + 7) // 8 for value in values)])
    rows = [value.to_bytes(width, "little") for value in values]
    return bytes([width]) + b"".join(bytes(row[plane] for row in rows) for plane in range(width))


def leb128(value: int) -> bytes:
    parts = []
    while value >= 128:
        parts.append(value % 128 + 128)
        value //= 128
    return bytes([*parts, value])


@pytest.mark.parametrize("dtype", WIDTHS)
@given(data=st.data())
def test_numbers_are_packed_as_the_format_says(dtype: type, data: st.DataObject) -> None:
    largest = int(np.iinfo(dtype).max)
    limits = st.sampled_from([1, 255, 256, 65_535, 65_536, 2**24, 2**32, 2**40, 2**64 - 1])
    numbers = st.integers(1, min(largest, data.draw(limits)))
    values = data.draw(st.lists(numbers, max_size=70))
    array = np.array(values, dtype=dtype)
    assert packing_numbers(array) == planes_of(values)
    assert packing_numbers(array, 1) == planes_of([value - 1 for value in values])


@pytest.mark.parametrize("dtype", WIDTHS)
@given(data=st.data())
def test_gaps_are_packed_as_the_format_says(dtype: type, data: st.DataObject) -> None:
    largest = int(np.iinfo(dtype).max)
    step = data.draw(st.sampled_from([1, 2, 7, 60, 255]))
    found = data.draw(st.sets(st.integers(0, largest // step), min_size=2, max_size=60))
    values = [step * value for value in sorted(found)]
    gaps = [after - before for before, after in itertools.pairwise(values)]
    divisor = math.gcd(*gaps)
    expected = leb128(divisor) + planes_of([gap // divisor - 1 for gap in gaps])
    assert packing_gaps(np.array(values, dtype=dtype)) == expected


def test_the_whole_range_of_64_bits() -> None:
    assert packing_gaps(np.array([0, 2**64 - 1], dtype=np.uint64)) == b"\xff" * 9 + b"\x01\x01\x00"
    assert packing_numbers(np.array([2**64 - 1], dtype=np.uint64)) == b"\x08" + b"\xff" * 8


@pytest.mark.parametrize("values", [[3, 3], [5, 4], [0, 2**63, 2**63 - 1]])
def test_numbers_that_do_not_ascend_are_refused(values: list[int]) -> None:
    with pytest.raises(InputError, match="outside"):
        packing_gaps(np.array(values, dtype=np.uint64))


def test_other_types_are_refused() -> None:
    with pytest.raises(ValueError, match="expected unsigned integers, got int64"):
        packing_numbers(np.zeros(3, dtype=np.int64))
    with pytest.raises(ValueError, match="expected unsigned integers"):
        packing_gaps(np.arange(3, dtype=">u4"))
    with pytest.raises(ValueError, match="does not know"):
        packing_gaps(np.zeros(1, dtype=np.uint8))


def test_too_little_room_is_refused() -> None:
    values, out, size = ffi.new("uint64_t[2]", [1, 2]), ffi.new("uint8_t[64]"), ffi.new("int64_t*")
    assert lib.ll_packing_numbers(values, 2, 8, 0, out, 17, size) == lib.LL_OK
    assert lib.ll_packing_numbers(values, 2, 8, 0, out, 16, size) == lib.LL_ERROR_RANGE
    assert lib.ll_packing_gaps(values, 2, 8, out, 27, size) == lib.LL_OK
    assert lib.ll_packing_gaps(values, 2, 8, out, 26, size) == lib.LL_ERROR_RANGE
    assert lib.ll_packing_numbers(values, 2, 3, 0, out, 64, size) == lib.LL_ERROR_ARGUMENT


# --- sketches in the layout of Apache DataSketches -----------------------------------------------


def test_a_sketch_has_the_bytes_of_its_layout() -> None:
    # k = 8 holds 8 + 8 items on two levels; the unused ones come first.
    items = np.array([5, 6, 7, 1, 9], dtype=np.uint64)
    levels = np.array([0, 3, 5], dtype=np.uint32)
    found = quantiles_bytes(Storage.UINT64, 8, 2, 7, 1, 9, levels, items)
    head = struct.pack("<BBBBHBBQHBB", 5, 1, 15, 2, 8, 8, 2, 7, 8, 2, 0)
    assert found == head + struct.pack("<2I7Q", 11, 14, 1, 9, 5, 6, 7, 1, 9)


@pytest.mark.parametrize(
    ("storage", "value"),
    [(Storage.FLOAT64, -2.5), (Storage.INT64, -7), (Storage.UINT64, 2**64 - 1)],
)
def test_items_are_written_in_their_own_type(storage: Storage, value: float) -> None:
    raw = np.array([value], dtype=storage.dtype)
    keys = {
        Storage.FLOAT64: ~raw.view(np.uint64),
        Storage.INT64: raw.view(np.uint64) ^ np.uint64(2**63),
        Storage.UINT64: raw.view(np.uint64),
    }[storage]
    items = np.repeat(keys, 2)
    key, levels = int(keys[0]), np.array([0, 2], dtype=np.uint32)
    found = quantiles_bytes(storage, 768, 0, 2, key, key, levels, items)
    assert found.endswith(np.repeat(raw, 4).tobytes())


@pytest.mark.parametrize(
    ("levels", "items", "total"),
    [
        ([0, 3], 2, 3),  # offsets beyond the items
        ([1, 2], 2, 2),  # that do not begin at 0
        ([0, 2, 1, 2], 2, 3),  # that do not ascend
        ([0], 0, 2),  # no level
        ([0] * 62 + [2], 2, 2),  # too many
        ([0, 2], 2, 1),  # more items than values
        ([0, 0], 0, 1),  # fewer
        ([0, 10_000], 10_000, 10_000),  # more than all levels hold
    ],
)
def test_sketches_that_contradict_themselves_are_refused(
    levels: list[int], items: int, total: int
) -> None:
    offsets = np.array(levels, dtype=np.uint32)
    with pytest.raises(InputError, match="outside"):
        quantiles_bytes(Storage.INT64, 8, 0, total, 0, 0, offsets, np.zeros(items, dtype=np.uint64))


def test_sketches_of_no_value_and_of_one_are_short() -> None:
    nothing, one = np.zeros(0, dtype=np.uint64), np.array([2**63 + 7], dtype=np.uint64)
    found = quantiles_bytes(Storage.INT64, 300, 0, 0, 0, 0, np.zeros(1, dtype=np.uint32), nothing)
    assert found == struct.pack("<BBBBHBB", 2, 1, 15, 1, 300, 8, 0)
    levels, key = np.array([0, 1], dtype=np.uint32), int(one[0])
    found = quantiles_bytes(Storage.INT64, 300, 3, 1, key, key, levels, one)
    assert found == struct.pack("<BBBBHBBq", 2, 2, 15, 2 + 4, 300, 8, 3, 7)


# --- sketches of many columns --------------------------------------------------------------------


def histogram_bytes(histogram: HistogramArrays) -> bytes:
    """Section 5.5 of docs/format.md."""
    head = bytes([histogram.coarseness]) + leb128(len(histogram.pages))
    if not len(histogram.pages):
        return head
    counters = histogram.counts.ravel()
    occupied = np.packbits(counters > 0, bitorder="little").tobytes()
    return (
        head
        + planes_of(histogram.pages.tolist())
        + occupied
        + planes_of(counters[counters > 0].tolist())
    )


def registers_bytes(registers: np.ndarray) -> bytes:
    """Section 5.7."""
    base = int(registers.min())
    halves = np.minimum(registers - base, 15)
    head = bytes([base]) + (halves[:2_048] + 16 * halves[2_048:]).astype(np.uint8).tobytes()
    return head + registers[registers >= base + 15].tobytes()


def some_histogram(random: np.random.Generator, dtype: type) -> HistogramArrays:
    coarseness, count = int(random.integers(0, 4)), int(random.integers(0, 300))
    pages = np.sort(random.choice(4_096, count, replace=False)).astype(np.uint16)
    high = int(random.choice([2, 256, 65_537, 2**40]))
    counts = random.integers(0, min(high, np.iinfo(dtype).max), (count, 256 >> coarseness))
    return HistogramArrays(coarseness, pages, counts.astype(dtype))


def some_registers(random: np.random.Generator) -> np.ndarray:
    low = int(random.integers(0, 54))
    return random.integers(low, min(low + int(random.integers(1, 54)), 54), 4_096, dtype=np.uint8)


def some_quantiles(random: np.random.Generator) -> QuantilesArrays:
    sizes = random.integers(0, 40, random.integers(1, 9))
    levels = np.concatenate([[0], np.cumsum(sizes)]).astype(np.uint32)
    items = random.integers(0, 2**63, levels[-1], dtype=np.uint64)
    total = int((sizes << np.arange(len(sizes))).sum())
    storage = Storage(int(random.integers(0, 3)))
    return QuantilesArrays(storage, 768, 1, total, 5, 2**63, levels, items)


@pytest.mark.parametrize("dtype", WIDTHS)
def test_sketches_lie_field_after_field(dtype: type) -> None:
    random = np.random.default_rng(5)
    columns = [
        Sketches(
            some_histogram(random, dtype) if random.random() < 0.7 else None,
            some_quantiles(random) if random.random() < 0.7 else None,
            some_registers(random) if random.random() < 0.7 else None,
        )
        for _ in range(60)
    ]
    expected = [
        [b"" if of.histogram is None else histogram_bytes(of.histogram) for of in columns],
        [b"" if of.quantiles is None else quantiles_bytes(*of.quantiles) for of in columns],
        [b"" if of.registers is None else registers_bytes(of.registers) for of in columns],
    ]
    content, sizes = sketches_bytes(columns)
    assert sizes.tolist() == [list(map(len, field)) for field in expected]
    assert content.tobytes()[: int(sizes.sum())] == b"".join(map(b"".join, expected))
    nothing, none = sketches_bytes([])
    assert (nothing.size, none.shape) == (0, (3, 0))


def test_sketches_of_the_wrong_shape_are_refused() -> None:
    page, row = np.zeros(1, dtype=np.uint16), np.ones((1, 256), dtype=np.uint8)
    for histogram in (
        HistogramArrays(0, page, row[:, :255].copy()),
        HistogramArrays(1, page, row),
        HistogramArrays(9, page, row),
        HistogramArrays(0, page, row.astype(np.int16)),
    ):
        with pytest.raises(ValueError, match=r"counters|unsigned"):
            sketches_bytes([Sketches(histogram)])
    with pytest.raises(ValueError, match="registers"):
        sketches_bytes([Sketches(registers=np.zeros(4_095, dtype=np.uint8))])
    levels, items = np.array([0, 3], dtype=np.uint32), np.zeros(2, dtype=np.uint64)
    beyond = QuantilesArrays(Storage.INT64, 8, 0, 3, 0, 0, levels, items)
    with pytest.raises(InputError, match="outside"):
        sketches_bytes([Sketches(None, beyond)])


def test_too_little_room_for_sketches_is_refused() -> None:
    held, sizes = ffi.new("ll_sketches[1]"), ffi.new("int64_t[3]")
    out, registers = ffi.new("uint8_t[8192]"), ffi.new("uint8_t[4096]")
    counters, pages = ffi.new("uint16_t[256]"), ffi.new("uint16_t[1]")
    held[0].held, held[0].registers = 4, registers
    assert lib.ll_sketches_bytes(held, 1, out, 6_145, sizes) == lib.LL_OK
    assert lib.ll_sketches_bytes(held, 1, out, 6_144, sizes) == lib.LL_ERROR_RANGE
    held[0].held, held[0].page_count, held[0].width = 1, 1, 2
    held[0].pages, held[0].counters = pages, counters
    assert lib.ll_sketches_bytes(held, 1, out, 16 + 2 + 512 + 32, sizes) == lib.LL_OK
    assert lib.ll_sketches_bytes(held, 1, out, 2 + 512, sizes) == lib.LL_ERROR_RANGE
    for name, value in (("page_count", -1), ("page_count", 4_097), ("width", 3), ("coarseness", 6)):
        before = getattr(held[0], name)
        setattr(held[0], name, value)
        assert lib.ll_sketches_bytes(held, 1, out, 8_192, sizes) == lib.LL_ERROR_ARGUMENT
        setattr(held[0], name, before)
