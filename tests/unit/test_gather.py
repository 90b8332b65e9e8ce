"""Gathering from Arrow memory, against what pyarrow itself says the values are."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from leadline import _native
from leadline._native import ArrayView, ArrowType, Storage, Tally
from leadline.errors import InputError

TYPES = {
    "bool": pa.bool_(),
    "int8": pa.int8(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "uint8": pa.uint8(),
    "uint16": pa.uint16(),
    "uint32": pa.uint32(),
    "uint64": pa.uint64(),
    "float16": pa.float16(),
    "float32": pa.float32(),
    "float64": pa.float64(),
}
LAYOUTS = {type_: ArrowType[name.upper()] for name, type_ in TYPES.items()}


def view_of(array: pa.Array) -> ArrayView:
    validity, values = array.buffers()
    return ArrayView(
        type=LAYOUTS[array.type],
        values=values.address if values else 0,
        validity=validity.address if validity else 0,
        offset=array.offset,
        length=len(array),
        owner=array,
    )


def gather(array, order=None, begin=0, end=None, capacity=None):
    """Values as Python numbers, the next position and the tally."""
    view = view_of(array)
    end = end if end is not None else (len(array) if order is None else len(order))
    out = np.full(capacity if capacity is not None else end - begin, 12345, dtype=np.uint64)
    written, following, tally = _native.gather(view, order, begin, end, out)
    return out[:written].view(view.type.storage.dtype).tolist(), following, tally


def expected(rows):
    """The oracle: what must come out for Python values, None for null."""
    values = [value for value in rows if value is not None and not math.isnan(value)]
    return values, Tally(
        rows=len(rows),
        nulls=sum(value is None for value in rows),
        nan=sum(value is not None and math.isnan(value) for value in rows),
        positive_infinity=sum(value == math.inf for value in values),
        negative_infinity=sum(value == -math.inf for value in values),
        zeros=sum(value == 0 for value in values),
        negatives=sum(value < 0 for value in values),
    )


def some_array(type_, size, nulls, random) -> pa.Array:
    if pa.types.is_boolean(type_):
        values = random.integers(0, 2, size).astype(bool)
    elif pa.types.is_floating(type_):
        dtype = type_.to_pandas_dtype()
        values = random.normal(size=size).astype(dtype)
        values[random.random(size) < 0.2] = random.choice([0.0, -0.0, np.nan, np.inf, -np.inf])
        values[random.random(size) < 0.1] = np.nan
        values[random.random(size) < 0.1] = -np.inf
        values[random.random(size) < 0.1] = np.finfo(dtype).smallest_subnormal
    else:
        info = np.iinfo(type_.to_pandas_dtype())
        values = random.integers(info.min, info.max, size, dtype=info.dtype, endpoint=True)
        values[random.random(size) < 0.2] = 0
    return pa.array(values, type=type_, mask=random.random(size) < nulls)


def test_a_literal_array():
    found = gather(pa.array([1.5, None, math.nan, -0.0, 0.0, math.inf, -math.inf, -2.0]))
    assert found[0] == [1.5, 0.0, 0.0, math.inf, -math.inf, -2.0]
    assert math.copysign(1, found[0][1]) == 1  # -0.0 has become 0.0
    assert found[1] == 8
    assert found[2] == Tally(8, 1, 1, 1, 1, 2, 2)


@pytest.mark.parametrize("nulls", [0.0, 0.01, 0.5, 1.0])
@pytest.mark.parametrize("name", TYPES)
def test_every_type(name, nulls, random):
    array = some_array(TYPES[name], 3_000, nulls, random)
    assert gather(array)[::2] == expected(array.to_pylist())


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 63, 64, 65, 127, 128, 1023, 1024, 1025, 2049])
@pytest.mark.parametrize("name", ["bool", "int8", "float64"])
def test_every_offset_and_length(name, size, random):
    whole = some_array(TYPES[name], size + 80, 0.3, random)
    for offset in (0, 1, 3, 7, 8, 9, 63, 64, 65, 71):
        part = whole.slice(offset, size)
        assert gather(part)[::2] == expected(part.to_pylist())


@pytest.mark.parametrize("nulls", [0.0, 0.4])
@pytest.mark.parametrize("name", TYPES)
def test_every_type_in_an_order(name, nulls, random):
    array = some_array(TYPES[name], 2_500, nulls, random).slice(13)
    order = random.integers(0, len(array), 4_000).astype(np.int32)
    rows = array.to_pylist()
    assert gather(array, order)[::2] == expected([rows[i] for i in order])
    part = gather(array, order, begin=100, end=1_200)
    assert part[0] == expected([rows[i] for i in order[100:1200]])[0]
    assert part[1] == 1_200


@pytest.mark.parametrize("capacity", [1, 2, 7, 64, 100, 999])
def test_stops_right_after_the_row_that_fills_the_block(capacity, random):
    array = some_array(pa.float64(), 3_000, 0.5, random)
    rows = array.to_pylist()
    values, begin, tally = [], 0, Tally()
    while begin < len(rows):
        part, following, counted = gather(array, begin=begin, end=len(rows), capacity=capacity)
        assert part == expected(rows[begin:following])[0]
        assert counted == expected(rows[begin:following])[1]
        if following < len(rows):
            assert len(part) == capacity
            last = rows[following - 1]
            assert last is not None
            assert not math.isnan(last)
        values += part
        begin, tally = following, tally + counted
    assert (values, tally) == expected(rows)


def test_a_full_block_takes_no_rows():
    assert gather(pa.array([1.0, 2.0]), capacity=0) == ([], 0, Tally())


# Every binary16 pattern; NumPy's conversion is the oracle.
def test_every_half_float():
    patterns = np.arange(65_536, dtype=np.uint16).view(np.float16)
    found, _, tally = gather(pa.array(patterns))
    # from_pandas=False keeps NaN as NaN rather than null.
    wide = patterns.astype(np.float64)
    assert found == wide[~np.isnan(wide)].tolist()
    assert tally.nan == 2 * 1023
    assert tally.zeros == 2


def test_extremes_of_integers():
    values = [-(2**63), 2**63 - 1, -1, 0]
    assert gather(pa.array(values, pa.int64()))[0] == values
    assert gather(pa.array([2**64 - 1, 2**63], pa.uint64()))[::2] == (
        [2**64 - 1, 2**63],
        Tally(rows=2),
    )


def test_rows_outside_the_array_are_refused():
    array = pa.array([1.0, 2.0, 3.0])
    for order in ([0, 3], [-1], [2**31 - 1]):
        with pytest.raises(InputError, match="outside"):
            gather(array, np.array(order, dtype=np.int32))
    for begin, end in ((0, 4), (-1, 2), (2, 1)):
        with pytest.raises(InputError, match="outside"):
            _native.gather(view_of(array), None, begin, end, np.empty(8, np.uint64))
    with pytest.raises(ValueError, match="order of 2 rows"):
        gather(array, np.zeros(2, dtype=np.int32), end=3)


def test_storages():
    storages = {name: view_of(pa.array([], type_)).type.storage for name, type_ in TYPES.items()}
    assert {name for name, storage in storages.items() if storage is Storage.FLOAT64} == {
        "float16",
        "float32",
        "float64",
    }
    assert storages["uint64"] is Storage.UINT64
    assert ArrowType.BOOL.storage is Storage.INT64


def test_reads_no_byte_beyond_the_bitmap():
    # A bitmap of exactly one byte at the end of a page would fault on a wider read; here the
    # sanitizer build watches a buffer that is as short as the format allows.
    values = np.arange(5, dtype=np.int64)
    bitmap = np.array([0b10110], dtype=np.uint8)
    array = pa.Array.from_buffers(
        pa.int64(), 5, [pa.py_buffer(bitmap.tobytes()), pa.py_buffer(values.tobytes())]
    )
    assert gather(array)[0] == [1, 2, 4]


@pytest.mark.parametrize("name", ["int16", "float32", "int64", "float64"])
def test_foreign_memory_need_not_be_aligned(name, random):
    array = some_array(TYPES[name], 2_000, 0.0, random)
    raw = np.zeros(array.buffers()[1].size + 1, dtype=np.uint8)
    raw[1:] = np.frombuffer(array.buffers()[1], dtype=np.uint8)
    out = np.empty(2_000, dtype=np.uint64)
    odd = ArrayView(LAYOUTS[TYPES[name]], raw.ctypes.data + 1, 0, 0, 2_000, raw)
    for order in (None, random.permutation(2_000).astype(np.int32)):
        written, _, tally = _native.gather(odd, order, 0, 2_000, out)
        found = out[:written].view(odd.type.storage.dtype).tolist()
        assert (found, tally) == gather(array, order)[::2]


def test_wrong_memory_is_refused():
    view = view_of(pa.array([1.0, 2.0]))
    with pytest.raises(ValueError, match="int32"):
        _native.gather(view, np.zeros(2, dtype=np.int64), 0, 2, np.empty(2, np.uint64))
    fixed = np.empty(2, np.uint64)
    fixed.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        _native.gather(view, None, 0, 2, fixed)
