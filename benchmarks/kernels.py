"""Nanoseconds a value of every kernel that has variants, under every instruction set, in one run.

Answers: what does one pass of each kernel cost on one core, data in cache (one block of 65,536
values), and what does each instruction set gain? What each computes is first checked to be the
same, byte for byte. The fastest of many repetitions is printed; compare figures of one run only.

    python benchmarks/kernels.py [--repeat 40]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from leadline import _native
from leadline._native import ArrayView, ArrowType, HistogramCounters, Storage

SIZE = 65_536
Kernel = Callable[[], object]


class Measured(NamedTuple):
    """A call to be timed, and one that returns all that it computes."""

    call: Kernel
    outcome: Kernel


def columns(random: np.random.Generator) -> dict[str, tuple[ArrowType, NDArray[np.generic]]]:
    """Named columns; the storage of each follows from its Arrow type."""
    zeros = np.where(random.random(SIZE) < 0.7, 0.0, random.exponential(size=SIZE))
    return {
        "normal": (ArrowType.FLOAT64, random.normal(size=SIZE)),
        "lognormal, sigma 3": (ArrowType.FLOAT64, random.lognormal(0, 3, SIZE)),
        "1.7e9 +- 10": (ArrowType.FLOAT64, random.normal(1.7e9, 10, SIZE)),
        "70 % zeros": (ArrowType.FLOAT64, zeros),
        "float32 normal": (ArrowType.FLOAT32, random.normal(size=SIZE).astype(np.float32)),
        "int64, 0 to 1e6": (ArrowType.INT64, random.integers(0, 10**6, SIZE)),
        "int64, all bits": (ArrowType.INT64, random.integers(-(2**63), 2**63 - 1, SIZE)),
    }


def gathers(type_: ArrowType, raw: NDArray[np.generic]) -> dict[str, Measured]:
    """The ways of reading a column: as it lies, with nulls, in another order."""
    bits = np.random.default_rng(1).random(SIZE) >= 0.05
    bitmap = np.packbits(bits, bitorder="little")
    view = ArrayView(type_, raw.ctypes.data, 0, 0, SIZE, raw)
    with_nulls = ArrayView(type_, raw.ctypes.data, bitmap.ctypes.data, 0, SIZE, (raw, bitmap))
    order = np.random.default_rng(2).permutation(SIZE).astype(np.int32)
    out = np.empty(SIZE, dtype=np.uint64)

    def measured(view: ArrayView, order: NDArray[np.int32] | None) -> Measured:
        def outcome() -> object:
            written, following, tally = _native.gather(view, order, 0, SIZE, out)
            return out[:written].tobytes(), following, tally

        return Measured(lambda: _native.gather(view, order, 0, SIZE, out), outcome)

    return {
        "gather": measured(view, None),
        "gather, 5 % null": measured(with_nulls, None),
        "gather, shuffled": measured(view, order),
    }


def histograms(values: NDArray[np.uint64], storage: Storage) -> dict[str, Measured]:
    """Counting into buckets, and the heaviest of them."""
    counters = HistogramCounters()

    def outcome() -> object:
        counters.clear()
        counters.add(values, storage)
        pages = counters.pages()
        return pages.tobytes(), counters.read(pages, 0).tobytes()

    return {
        "histogram": Measured(lambda: counters.add(values, storage), outcome),
        "heaviest": Measured(counters.heaviest, lambda: (outcome(), counters.heaviest())),
    }


def distincts(values: NDArray[np.uint64], storage: Storage) -> dict[str, Measured]:
    """Raising registers that are empty, and registers that have seen eight blocks."""
    empty = np.zeros(_native.DISTINCT_REGISTERS, dtype=np.uint8)
    others = np.random.default_rng(3).integers(0, 2**63, 8 * SIZE, dtype=np.uint64)
    seen = empty.copy()
    _native.distinct_add(others, Storage.UINT64, seen)

    def measured(before: NDArray[np.uint8]) -> Measured:
        registers = before.copy()

        def call() -> object:
            registers[:] = before
            _native.distinct_add(values, storage, registers)
            return registers

        return Measured(call, lambda: (call(), registers.tobytes())[1])

    return {"distinct, first block": measured(empty), "distinct, ninth block": measured(seen)}


def kernels(type_: ArrowType, raw: NDArray[np.generic]) -> dict[str, Measured]:
    """Every kernel that has variants, on one column."""
    storage = type_.storage
    values = raw.astype(storage.dtype).view(np.uint64)
    keys, work = np.empty(SIZE, dtype=np.uint64), np.empty(SIZE, dtype=np.uint64)

    def quantiles() -> object:
        return _native.quantiles_block(values, storage, 0, 768, 1, keys, work)

    def items() -> object:
        levels, found, low, high = _native.quantiles_block(values, storage, 0, 768, 1, keys, work)
        return levels.tobytes(), found.tobytes(), low, high

    def moments() -> object:
        return _native.moments_block(values, storage)

    def extremes() -> object:
        return _native.counts_range(values, storage)

    return {
        **gathers(type_, raw),
        "moments": Measured(moments, moments),
        **histograms(values, storage),
        **distincts(values, storage),
        "quantiles": Measured(quantiles, items),
        "smallest and largest": Measured(extremes, extremes),
    }


def nanoseconds(kernel: Kernel, repeat: int) -> float:
    """The fastest of ``repeat`` calls, a value."""
    best = float("inf")
    for _ in range(repeat):
        start = time.perf_counter_ns()
        kernel()
        best = min(best, time.perf_counter_ns() - start)
    return best / SIZE


def print_column(kernels: dict[str, Measured], sets: list[str], repeat: int) -> None:
    """Check and measure every kernel of one column under every instruction set."""
    for name, measured in kernels.items():
        figures, outcomes = [], []
        for each in sets:
            _native.force_instruction_set(each)
            outcomes.append(measured.outcome())
            figures.append(nanoseconds(measured.call, repeat))
        if outcomes.count(outcomes[0]) != len(outcomes):
            raise SystemExit(f"{name} differs between instruction sets")
        print(f"  {name:22}" + "".join(f"{figure:10.2f}" for figure in figures))


def main() -> None:
    """Check, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=40)
    repeat = parser.parse_args().repeat
    active = _native.active_instruction_set()
    sets = list(reversed(_native.instruction_sets()))
    try:
        for name, (type_, raw) in columns(np.random.default_rng(0)).items():
            print(f"\n{name:24}" + "".join(f"{each:>10}" for each in sets))
            print_column(kernels(type_, raw), sets, repeat)
    finally:
        _native.force_instruction_set(active)


if __name__ == "__main__":
    main()
