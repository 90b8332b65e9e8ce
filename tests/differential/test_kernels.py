"""Every instruction set against the serial variant: the same bits for the same input.

Lengths lie around every vector width and tile; arrays start at addresses that are no multiple of a
vector; values include those that break careless code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pytest

from leadline import _native
from leadline._native import ArrayView, ArrowType, HistogramCounters, Storage
from leadline._native.counts import counts_range
from leadline._native.quantiles import quantiles_block

LENGTHS = [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129]
LENGTHS += [1023, 1024, 1025, 2047, 2049, 5_000, 65_535, 65_536]
STARTS = [0, 1, 3, 7]
# Empty on a CPU that runs only "serial"; the banner of the run says so, and the comparisons here
# then check nothing but that the kernels run.
FASTER = [name for name in _native.instruction_sets() if name != "serial"]

Kernel = Callable[[np.ndarray, Storage], object]


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    active = _native.active_instruction_set()
    yield
    _native.force_instruction_set(active)


def floats(name: str, size: int, random: np.random.Generator) -> np.ndarray:
    values = {
        "normal": lambda: random.normal(size=size),
        "now": lambda: random.normal(1.7e9, 10, size=size),
        "wide": lambda: np.exp(random.uniform(-700, 700, size)) * random.choice([-1, 1], size),
        "subnormal": lambda: random.integers(-(2**52), 2**52, size) * 5e-324,
        "huge": lambda: random.uniform(-1, 1, size) * 1.7e308,
        "largest": lambda: np.full(size, np.finfo(np.float64).max),
        "constant": lambda: np.full(size, 0.1),
        "zeros": lambda: np.where(random.random(size) < 0.7, 0.0, random.exponential(size=size)),
        "two values": lambda: random.choice([3.0, -1e9], size),
    }[name]()
    values += 0.0  # no -0.0 in a block
    return values


def with_infinities(values: np.ndarray, random: np.random.Generator) -> np.ndarray:
    values = values.copy()
    values[random.random(len(values)) < 0.05] = np.inf
    values[random.random(len(values)) < 0.05] = -np.inf
    return values


def integers(storage: Storage, size: int, random: np.random.Generator) -> list[np.ndarray]:
    low, high = (-(2**63), 2**63 - 1) if storage is Storage.INT64 else (0, 2**64 - 1)
    corners = [low, high, 0, 1, 2**53 - 1, 2**53, 2**53 + 1, 2**54 + 2, 2**62 + 1, high - 1]
    corners += [low + 1, 2**31, 2**32 - 1, 2**32 + 1]
    dtype = storage.dtype
    return [
        random.integers(low, high, size, dtype=dtype, endpoint=True),
        random.integers(0 if low == 0 else -1000, 1000, size, dtype=dtype),
        random.choice(np.array(corners, dtype=dtype), size),
    ]


def blocks(storage: Storage, size: int, random: np.random.Generator) -> list[np.ndarray]:
    if storage is not Storage.FLOAT64:
        return [values.view(np.uint64) for values in integers(storage, size, random)]
    names = ("normal", "now", "wide", "subnormal", "huge", "largest", "constant", "zeros")
    found = [floats(name, size, random) for name in (*names, "two values")]
    found += [with_infinities(values, random) for values in found[:3]]
    found.append(np.full(size, np.inf))
    return [values.view(np.uint64) for values in found]


def moments(values, storage):
    count, *means, low, high = _native.moments_block(values, storage)
    return [count, np.array(means).view(np.uint64).tolist(), *([low, high] if count else [])]


TABLE = HistogramCounters()


def counters(values, storage):
    table = TABLE
    table.clear()
    table.add(values, storage)
    table.add(values[: len(values) // 3], storage)
    pages = table.pages()
    return [pages.tobytes(), table.read(pages, 0).tobytes(), table.heaviest()]


def index(values, storage):
    return _native.histogram_index(values, storage).tolist()


def hashes(values, storage):
    return _native.distinct_hash(values, storage).tolist()


def registers(values, storage):
    found = np.zeros(_native.DISTINCT_REGISTERS, dtype=np.uint8)
    _native.distinct_add(values, storage, found)
    other = np.zeros(_native.DISTINCT_REGISTERS, dtype=np.uint8)
    _native.distinct_add_hashes(_native.distinct_hash(values, storage), other)
    assert np.array_equal(found, other)
    return found.tolist()


def quantiles(values, storage):
    size = len(values)
    if size == 0:
        return []
    found: list[object] = []
    for height in (0, 3):
        keys, work = np.empty(size, dtype=np.uint64), np.empty(size, dtype=np.uint64)
        levels, items, low, high = quantiles_block(values, storage, height, 200, 7, keys, work)
        found += [levels.tolist(), items.tobytes(), low, high]
    return found


def extremes(values, storage):
    return counts_range(values, storage) if len(values) else None


KERNELS: dict[str, Kernel] = {
    "moments": moments,
    "counters": counters,
    "index": index,
    "hashes": hashes,
    "registers": registers,
    "quantiles": quantiles,
    "extremes": extremes,
}


def agree(kernel: Callable[[], object], what: str) -> None:
    _native.force_instruction_set("serial")
    expected = kernel()
    for name in FASTER:
        _native.force_instruction_set(name)
        assert kernel() == expected, f"{name} differs from serial: {what}"


@pytest.mark.parametrize("storage", list(Storage))
@pytest.mark.parametrize("name", KERNELS)
def test_every_length(name, storage, random):
    kernel = KERNELS[name]
    for size in LENGTHS:
        chosen = blocks(storage, size + max(STARTS), random)
        # The longest blocks cost most and differ least: one distribution each is enough.
        for position, values in enumerate(chosen[:2] if size > 5_000 else chosen):
            for start in STARTS if size < 1_100 else STARTS[1:2]:
                part = values[start : start + size]
                what = f"{name}, {storage.name}, block {position}, {size} values from {start}"
                agree(lambda part=part: kernel(part, storage), what)


TILES = {
    "zeros and the smallest negative": [0.0, -5e-324],
    "smallest of both signs": [5e-324, -5e-324],
    "zeros and one": [0.0, 1.0],
    "both infinities": [np.inf, -np.inf, 2.0],
    "zeros and infinities": [0.0, np.inf],
    "infinity and the smallest": [-np.inf, 5e-324],
    "ends of pages": [1.0, 2.0, np.nextafter(2.0, 0), -1.0, np.nextafter(-2.0, 0), -2.0],
    "largest": [np.finfo(np.float64).max, -np.finfo(np.float64).max],
    "a repeat and an outlier": [3.0, 3.0, 3.0, 3.0, 1e300],
}


@pytest.mark.parametrize("name", TILES)
@pytest.mark.parametrize("size", [1, 5, 1023, 1024, 1025, 4_096])
def test_counters_of_difficult_tiles(name, size, random):
    for values in (np.resize(TILES[name], size), random.choice(TILES[name], size)):
        check_counters(values.view(np.uint64), Storage.FLOAT64)


@pytest.mark.parametrize("storage", list(Storage))
def test_counters_against_numpy(storage, random):
    for size in (1, 1024, 5_000):
        for values in blocks(storage, size, random):
            check_counters(values, storage)


def check_counters(values, storage):
    """The oracle: buckets counted by NumPy, none of them zeros or infinities."""
    index = _native.histogram_index(values, storage)
    if storage is Storage.FLOAT64:
        numbers = values.view(np.float64)
        inside = np.isfinite(numbers) & (numbers != 0)
        assert np.array_equal(index, np.where(inside, values >> np.uint64(44), 2**20))
    buckets, expected = np.unique(index[index < 2**20], return_counts=True)
    for name in _native.instruction_sets():
        _native.force_instruction_set(name)
        TABLE.clear()
        TABLE.add(values, storage)
        heaviest = TABLE.heaviest()
        pages = TABLE.pages()
        counts = TABLE.read(pages, 0)
        row, column = np.nonzero(counts)
        assert np.array_equal(pages[row].astype(int) * 256 + column, buckets), name
        assert np.array_equal(counts[row, column], expected), name
        assert len(set(row)) == len(pages), name
        assert heaviest == max(expected, default=0), name


@pytest.mark.parametrize("storage", list(Storage))
def test_registers_past_the_early_rejection(storage, random):
    values = random.integers(0, 2**63 - 1, 400_000, dtype=np.uint64)
    if storage is Storage.FLOAT64:
        values = random.normal(size=400_000).view(np.uint64)
    agree(lambda: registers(values, storage), storage.name)
    _native.force_instruction_set("serial")
    # The oracle: registers as maxima, in NumPy, without any rejection.
    found = _native.distinct_hash(values, storage)
    rest = (found << np.uint64(12)) | np.uint64(1 << 11)
    leading = 63 - np.floor(np.log2((rest >> np.uint64(11)).astype(np.float64))).astype(int) - 11
    expected = np.zeros(_native.DISTINCT_REGISTERS, dtype=np.uint8)
    np.maximum.at(expected, (found >> np.uint64(52)).astype(int), (leading + 1).astype(np.uint8))
    assert registers(values, storage) == expected.tolist()


def test_unaligned_blocks_are_read_right(random):
    raw = np.zeros(8 * 1000 + 3, dtype=np.uint8)
    values = random.normal(size=1000)
    raw[3:] = values.view(np.uint8)
    unaligned = raw[3:].view(np.uint64)
    assert not unaligned.flags.aligned
    for kernel in KERNELS.values():
        assert kernel(unaligned, Storage.FLOAT64) == kernel(values.view(np.uint64), Storage.FLOAT64)


def raw_values(type_: ArrowType, size: int, random: np.random.Generator) -> np.ndarray:
    if type_ is ArrowType.BOOL:
        return random.integers(0, 256, size // 8 + 1, dtype=np.uint8)
    dtype = np.dtype(type_.name.lower())
    values = random.integers(0, 256, size * dtype.itemsize, dtype=np.uint8).view(dtype)
    if type_ >= ArrowType.FLOAT16:
        for special in (0.0, -0.0, np.nan, np.inf, -np.inf):
            values[random.random(size) < 0.05] = special
    return values


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("type_", list(ArrowType))
def test_gather(type_, ordered, random):
    for size in (1, 8, 63, 64, 65, 1023, 1025, 3_000):
        for offset in (0, 1, 7, 64, 65):
            values = raw_values(type_, size + offset, random)
            for share in (None, 0.0, 0.03, 0.5, 1.0):
                bits = random.random(size + offset) >= (share or 0.0)
                bitmap = np.packbits(bits, bitorder="little")
                view = ArrayView(
                    type=type_,
                    values=values.ctypes.data,
                    validity=0 if share is None else bitmap.ctypes.data,
                    offset=offset,
                    length=size,
                    owner=(values, bitmap),
                )
                order = random.permutation(size).astype(np.int32) if ordered else None

                def kernel(view=view, order=order, size=size):
                    out = np.zeros(size, dtype=np.uint64)
                    written, following, tally = _native.gather(view, order, 0, size, out)
                    return out[:written].tolist(), following, tally

                agree(kernel, f"{type_.name}, {size} rows from {offset}, {share} nulls")


def test_gathered_integers_and_floats_of_pyarrow_agree(random):
    numbers = random.integers(-(2**24), 2**24, 5_000)
    whole = pa.array(numbers, pa.int32())
    out = np.empty(5_000, dtype=np.uint64)
    for type_, layout in ((pa.float32(), ArrowType.FLOAT32), (pa.int64(), ArrowType.INT64)):
        array = whole.cast(type_)
        view = ArrayView(layout, array.buffers()[1].address, 0, 0, len(array), array)
        _native.gather(view, None, 0, 5_000, out)
        assert np.array_equal(out.view(layout.storage.dtype), numbers)


def test_unknown_instruction_sets_are_refused():
    from leadline.errors import InputError

    for name in ("neon", "", "AVX2", "avx10"):
        with pytest.raises(InputError, match="choose one of"):
            _native.force_instruction_set(name)
    assert _native.instruction_sets()[-1] == "serial"
