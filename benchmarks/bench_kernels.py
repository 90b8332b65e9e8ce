"""Every kernel that has variants, under every instruction set, in L2 and far outside of it.

    pytest benchmarks/bench_kernels.py --benchmark-enable -k "histogram and L2"

pytest-benchmark times; a group is one kernel on one column, so that the instruction sets stand
beside each other. What each computes is first checked to be what the serial one computes, byte for
byte. ``python -m benchmarks.run kernels`` makes a table of nanoseconds a value of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from leadline import _native
from leadline._native import BLOCK, UNIT_ROWS, ArrayView, ArrowType, HistogramCounters
from leadline.sketch.quantiles import sampler_variance
from leadline.sketch.scratch import Scratch

# One block fits into L2 with its tables; the other is read from memory (or a very large L3).
SIZES = {"L2": BLOCK, "memory": 128 * BLOCK}
SETS = list(reversed(_native.instruction_sets()))
K = 768

Words = NDArray[np.uint64]


class Column(NamedTuple):
    """Values as a column holds them, and as 64-bit words, block by block."""

    type: ArrowType
    raw: NDArray[np.generic]
    blocks: list[Words]


class Kernel(NamedTuple):
    """What is timed, and a call that returns all that it computes."""

    call: Callable[[], object]
    outcome: Callable[[], object]


MAKE: dict[str, tuple[ArrowType, Callable[[np.random.Generator, int], NDArray[Any]]]] = {
    "normal": (ArrowType.FLOAT64, lambda random, n: random.normal(size=n)),
    "1.7e9 +- 10": (ArrowType.FLOAT64, lambda random, n: random.normal(1.7e9, 10, n)),
    "70 % zeros": (
        ArrowType.FLOAT64,
        lambda random, n: np.where(random.random(n) < 0.7, 0.0, random.exponential(size=n)),
    ),
    "float32": (ArrowType.FLOAT32, lambda random, n: random.normal(size=n).astype(np.float32)),
    "int64 below 1e6": (ArrowType.INT64, lambda random, n: random.integers(0, 10**6, n)),
}


@cache
def column(name: str, size: int) -> Column:
    type_, make = MAKE[name]
    raw = make(np.random.default_rng(0), size)
    values = raw.astype(type_.storage.dtype).view(np.uint64)
    return Column(type_, raw, [values[at : at + BLOCK] for at in range(0, size, BLOCK)])


def gather(
    column: Column, valid: NDArray[np.uint8] | None, rows: NDArray[np.int32] | None
) -> Kernel:
    """Values of a column, without its nulls and in any order, as words."""
    size = len(column.raw)
    bitmap = 0 if valid is None else valid.ctypes.data
    view = ArrayView(column.type, column.raw.ctypes.data, bitmap, 0, size, (column.raw, valid))
    out = np.empty(BLOCK, dtype=np.uint64)

    def each() -> Iterator[tuple[bytes, Any]]:
        for start in range(0, size, BLOCK):
            written, _, tally = _native.gather(view, rows, start, start + BLOCK, out)
            yield out[:written].tobytes(), tally

    def call() -> None:
        for start in range(0, size, BLOCK):
            _native.gather(view, rows, start, start + BLOCK, out)

    return Kernel(call, lambda: list(each()))


def gather_plain(column: Column) -> Kernel:
    return gather(column, None, None)


def gather_nulls(column: Column) -> Kernel:
    bits = np.random.default_rng(1).random(len(column.raw)) >= 0.05
    return gather(column, np.packbits(bits, bitorder="little"), None)


def gather_shuffled(column: Column) -> Kernel:
    order = np.random.default_rng(2).permutation(len(column.raw)).astype(np.int32)
    return gather(column, None, order)


def moments(column: Column) -> Kernel:
    storage = column.type.storage

    def call() -> object:
        return [_native.moments_block(block, storage) for block in column.blocks]

    return Kernel(call, call)


def histogram(column: Column) -> Kernel:
    counters, storage = HistogramCounters(), column.type.storage

    def call() -> None:
        for block in column.blocks:
            counters.add(block, storage)

    def outcome() -> object:
        counters.clear()
        call()
        pages = counters.pages()
        return pages.tobytes(), counters.read(pages, 0).tobytes()

    return Kernel(call, outcome)


def distinct(column: Column) -> Kernel:
    """Registers that have seen as much as this before, as they have in all blocks but the first."""
    storage = column.type.storage
    seen = np.zeros(_native.DISTINCT_REGISTERS, dtype=np.uint8)
    others = np.random.default_rng(3).integers(0, 2**63, 8 * BLOCK, dtype=np.uint64)
    _native.distinct_add(others, _native.Storage.UINT64, seen)
    registers = seen.copy()

    def call() -> object:
        registers[:] = seen
        for block in column.blocks:
            _native.distinct_add(block, storage, registers)
        return registers

    return Kernel(call, lambda: (call(), registers.tobytes())[1])


def quantiles(column: Column) -> Kernel:
    """Every value kept: what narrow data costs."""
    storage = column.type.storage
    keys, work = np.empty(BLOCK, dtype=np.uint64), np.empty(BLOCK, dtype=np.uint64)

    def call() -> list[Any]:
        return [
            _native.quantiles_block(block, storage, 0, K, 1, keys, work) for block in column.blocks
        ]

    return Kernel(
        call,
        lambda: [(each[0].tobytes(), each[1].tobytes(), each[2], each[3]) for each in call()],
    )


def extremes(column: Column) -> Kernel:
    storage = column.type.storage

    def call() -> object:
        return [_native.counts_range(block, storage) for block in column.blocks]

    return Kernel(call, call)


def whole_column(column: Column) -> Kernel:
    """All that is kept of a column of numbers, by the one call that a unit of rows makes."""
    work, variance = Scratch().numbers, sampler_variance(K)
    size, width = len(column.raw), column.raw.itemsize
    units = []
    for start in range(0, size, UNIT_ROWS):
        rows = min(UNIT_ROWS, size - start)
        address = column.raw.ctypes.data + start * width
        view = ArrayView(column.type, address, 0, 0, rows, column.raw)
        units.append(([view], np.array([0, rows], dtype=np.int64)))

    def each() -> Iterator[object]:
        for views, starts in units:
            steps = work.profile(
                views, column.type, None, None, starts, k=K, seed=1, sampler_variance=variance
            )
            for done in steps:
                cells = list(work.cells(done, column.type.storage))
                yield cells, [work.sketches(fields).tobytes() for fields, *_ in cells]

    return Kernel(lambda: deque(each(), maxlen=0), lambda: list(each()))


KERNELS: dict[str, Callable[[Column], Kernel]] = {
    "whole column": whole_column,
    "gather": gather_plain,
    "gather, 5 % nulls": gather_nulls,
    "gather, shuffled": gather_shuffled,
    "moments": moments,
    "histogram": histogram,
    "distinct": distinct,
    "quantiles, all kept": quantiles,
    "smallest and largest": extremes,
}


@cache
def serial_outcome(kernel: str, name: str) -> object:
    _native.force_instruction_set("serial")
    return KERNELS[kernel](column(name, SIZES["L2"])).outcome()


@pytest.fixture(autouse=True)
def _active_set() -> Iterator[None]:
    active = _native.active_instruction_set()
    yield
    _native.force_instruction_set(active)


@pytest.mark.parametrize("instruction_set", SETS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("kernel", KERNELS)
def test_kernel(benchmark: Any, kernel: str, name: str, size: str, instruction_set: str) -> None:
    expected = serial_outcome(kernel, name)
    _native.force_instruction_set(instruction_set)
    assert KERNELS[kernel](column(name, SIZES["L2"])).outcome() == expected
    benchmark.group = f"{kernel}: {name}, {size}"
    benchmark.extra_info.update(values=SIZES[size])
    benchmark(KERNELS[kernel](column(name, SIZES[size])).call)
