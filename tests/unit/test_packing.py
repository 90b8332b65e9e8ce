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
        ([0, 2], 2, 1),  # one value has another layout
        ([0, 10_000], 10_000, 10_000),  # more than all levels hold
    ],
)
def test_sketches_that_contradict_themselves_are_refused(
    levels: list[int], items: int, total: int
) -> None:
    offsets = np.array(levels, dtype=np.uint32)
    with pytest.raises(InputError, match="outside"):
        quantiles_bytes(Storage.INT64, 8, 0, total, 0, 0, offsets, np.zeros(items, dtype=np.uint64))
