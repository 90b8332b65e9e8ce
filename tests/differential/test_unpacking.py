"""Sketch states out of bytes: the kernels against the same rules written down in NumPy."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from leadline._native import Storage, keys_encode
from leadline._native.sketches import Sketches, sketches_bytes
from leadline._native.unpacking import (
    UnpackedCounts,
    unpacking_histogram,
    unpacking_quantiles,
    unpacking_registers,
)
from leadline.errors import InputError

FINITE_PAGES = np.delete(np.arange(4_096), [2_047, 4_095])


def planes(values: np.ndarray, width: int) -> tuple[int, bytes]:
    wide = values.astype("<u8").view(np.uint8).reshape(-1, 8)
    return width, wide[:, :width].T.tobytes()


def unpacked(pages: tuple[int, bytes], counters: np.ndarray, width: int) -> UnpackedCounts:
    """Pages and counters, of which those above zero are packed."""
    occupied = np.packbits(counters.ravel() > 0, bitorder="little").tobytes()
    held = planes(counters[counters > 0], width)
    return unpacking_histogram(pages, occupied, held, *counters.shape)


@pytest.mark.parametrize("buckets", [8, 256])
@pytest.mark.parametrize("width", range(1, 9))
def test_counters_of_every_width(width: int, buckets: int) -> None:
    random = np.random.default_rng(width)
    for count in (1, 2, 35, 128):
        pages = np.sort(random.choice(FINITE_PAGES, count, replace=False))
        counters = random.integers(0, 2 ** (8 * width - 1), (count, buckets), dtype=np.uint64)
        counters[random.random(counters.shape) < 0.5] = 0
        counters[:, 0] += np.uint64(1)
        found = unpacked(planes(pages, 2), counters, width)
        assert found.fault == ""
        assert found.pages.tolist() == pages.tolist()
        assert found.counts.itemsize == {1: 1, 2: 2, 3: 4, 4: 4}.get(width, 8)
        assert np.array_equal(found.counts, counters)
        assert found.total == sum(counters.ravel().tolist()) % 2**64
        assert found.negative == sum(counters[pages >= 2_048].ravel().tolist()) % 2**64
        assert found.bits == int(np.bitwise_or.reduce(counters, axis=None))


def damaged_pages() -> Iterator[tuple[list[int], list[int], str]]:
    yield [5, 5], [1, 1], "pages are not"
    yield [6, 5], [1, 1], "pages are not"
    yield [5, 2_047], [1, 1], "pages are not"
    yield [5, 4_095], [1, 1], "pages are not"
    yield [5, 4_096], [1, 1], "pages are not"
    yield [5, 2**63], [1, 1], "pages are not"
    yield [5, 6], [1, 0], "an empty page"
    yield [5, 6], [0, 1], "an empty page"


@pytest.mark.parametrize(("pages", "rows", "fault"), list(damaged_pages()))
def test_damaged_histograms(pages: list[int], rows: list[int], fault: str) -> None:
    counters = np.repeat(np.array(rows, dtype=np.uint64), 8).reshape(2, 8)
    width = 8 if max(pages) > 65_535 else 2
    numbers = planes(np.array(pages, dtype=np.uint64), width)
    assert fault in unpacked(numbers, counters, 1).fault


def test_planes_of_another_size_are_refused() -> None:
    pages, counters = planes(np.array([5, 6]), 1), planes(np.ones(3), 1)
    bits = b"\x81\x10"
    assert not unpacking_histogram(pages, bits, counters, 2, 8).fault
    assert "zero" in unpacking_histogram(pages, bits, (1, b"\1\0\1"), 2, 8).fault
    for changed in ((1, b"\5"), (1, b"\5\6\7"), (2, b"\5\6")):
        with pytest.raises(InputError, match="unpacking"):
            unpacking_histogram(changed, bits, counters, 2, 8)
    for short, few in ((bits, (1, b"\1\1")), (bits[:1], (1, b"\1\1")), (b"\xff\xff", counters)):
        with pytest.raises(InputError, match="unpacking"):
            unpacking_histogram(pages, short, few, 2, 8)
    with pytest.raises(ValueError, match="unpacking"):
        unpacking_histogram(pages, bits, (9, bytes(27)), 2, 8)
    with pytest.raises(ValueError, match="unpacking"):
        unpacking_histogram(pages, b"\1", counters, 2, 4)


def test_registers_come_back() -> None:
    random = np.random.default_rng(3)
    for low, high in ((0, 1), (0, 15), (0, 16), (9, 24), (9, 40), (53, 54), (0, 54)):
        registers = random.integers(low, high, 4_096, dtype=np.uint8)
        content, _ = sketches_bytes([Sketches(registers=registers)])
        found, fault = unpacking_registers(content.tobytes())
        assert not fault
        assert np.array_equal(found, registers)
        assert unpacking_registers(content.tobytes()[:-1])[1]
        assert unpacking_registers(content.tobytes() + b"\x35")[1]


def items_of(storage: Storage, random: np.random.Generator, size: int) -> np.ndarray:
    if storage is Storage.FLOAT64:
        values = random.standard_cauchy(size)
        values[: size // 8] = random.choice([-np.inf, np.inf, 0.0, -0.0, 5e-324], size // 8)
        return values
    return random.integers(0, 2**63, size).astype(storage.dtype) - storage.dtype.type(2**62)


def raw(values: np.ndarray, ends: tuple[float, float] | None = None) -> bytes:
    extremes = (values.min(), values.max()) if ends is None else ends
    return np.concatenate([np.array(extremes, values.dtype), values]).tobytes()


@pytest.mark.parametrize("start", [0, 1, 5])
@pytest.mark.parametrize("storage", Storage)
def test_items_of_every_storage_and_address(storage: Storage, start: int) -> None:
    random = np.random.default_rng(11)
    for sizes in ([1], [3, 0, 4], [7, 8, 9, 64, 333]):
        levels = np.concatenate([[0], np.cumsum(sizes)]).astype(np.uint32)
        values = items_of(storage, random, int(levels[-1]))
        for begin, end in itertools.pairwise(levels):
            values[begin:end].sort()
        data = memoryview(bytes(start) + raw(values))[start:]
        found = unpacking_quantiles(data, storage, levels)
        clean = values + 0.0 if storage is Storage.FLOAT64 else values
        expected = keys_encode(clean.view(np.uint64), storage)
        assert found.fault == ""
        assert np.array_equal(found.items, expected)
        assert (found.minimum, found.maximum) == (int(expected.min()), int(expected.max()))


@pytest.mark.parametrize(
    ("values", "ends", "fault"),
    [
        ([1.0, 2.0, 0.5, 4.0], (0.5, 4.0), ""),
        ([2.0, 1.0, 0.5, 4.0], (0.5, 4.0), "not sorted"),
        ([1.0, 2.0, 4.0, 0.5], (0.5, 4.0), "not sorted"),
        ([1.0, 2.0, 0.5, 4.0], (0.6, 4.0), "outside"),
        ([1.0, 2.0, 0.5, 4.0], (0.5, 3.9), "outside"),
        ([1.0, 2.0, 0.5, np.nan], (0.5, 4.0), "NaN"),
        ([1.0, 2.0, 0.5, -np.nan], (0.5, 4.0), "NaN"),
        ([1.0, 2.0, 0.5, 4.0], (np.nan, 4.0), "NaN"),
        ([1.0, 2.0, 0.5, 4.0], (0.5, np.nan), "NaN"),
    ],
)
def test_damaged_items(values: list[float], ends: tuple[float, float], fault: str) -> None:
    levels = np.array([0, 2, 4], dtype=np.uint32)
    found = unpacking_quantiles(raw(np.array(values), ends), Storage.FLOAT64, levels).fault
    assert bool(found) == bool(fault)
    assert fault in found


def test_an_unsorted_first_level_may_be_allowed() -> None:
    levels, data = np.array([0, 2, 4], dtype=np.uint32), raw(np.array([2.0, 1.0, 0.5, 4.0]))
    assert unpacking_quantiles(data, Storage.FLOAT64, levels, sorted_from=1).fault == ""
    second = raw(np.array([1.0, 2.0, 4.0, 0.5]))
    assert unpacking_quantiles(second, Storage.FLOAT64, levels, sorted_from=1).fault != ""


@pytest.mark.parametrize("levels", [[0, 5], [0, 3], [1, 4], [0, 5, 4], [0, 2**32 - 1, 4]])
def test_offsets_that_do_not_fit_are_refused(levels: list[int]) -> None:
    from leadline._native.library import ffi, lib, memory

    data = raw(np.arange(4.0))
    offsets = np.array(levels, dtype=np.uint32)
    found = lib.ll_unpacking_quantiles(
        ffi.from_buffer("uint8_t[]", data),
        len(data),
        Storage.FLOAT64,
        memory(offsets, np.uint32),
        len(offsets) - 1,
        0,
        ffi.new("uint64_t[2]"),
        ffi.new("uint64_t[8]"),
        ffi.new("int32_t *"),
    )
    assert found == lib.LL_ERROR_RANGE
