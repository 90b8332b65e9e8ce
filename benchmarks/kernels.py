"""Nanoseconds a value of every kernel family under every instruction set, in one run.

Answers: what does one pass of each family cost on one core, data in cache (one block of 65,536
values), and what does each instruction set gain? Every result is first checked to be the same as
the serial one. The fastest of many repetitions is printed; compare figures of one run only.

    python benchmarks/kernels.py [--repeat 40]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from leadline import _native
from leadline._native import ArrayView, ArrowType, HistogramCounters, Storage

SIZE = 65_536
Kernel = Callable[[], object]


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


def kernels(type_: ArrowType, raw: NDArray[np.generic]) -> dict[str, Kernel]:
    """One call of each family on one column; each returns what it computed."""
    storage = type_.storage
    view = ArrayView(type_, raw.ctypes.data, 0, 0, SIZE, raw)
    bits = np.random.default_rng(1).random(SIZE) >= 0.05
    bitmap = np.packbits(bits, bitorder="little")
    with_nulls = ArrayView(type_, raw.ctypes.data, bitmap.ctypes.data, 0, SIZE, (raw, bitmap))
    order = np.random.default_rng(2).permutation(SIZE).astype(np.int32)
    out = np.empty(SIZE, dtype=np.uint64)
    values = raw.astype(storage.dtype).view(np.uint64)
    counters = HistogramCounters()
    fresh = np.zeros(_native.DISTINCT_REGISTERS, dtype=np.uint8)
    full = np.zeros(_native.DISTINCT_REGISTERS, dtype=np.uint8)
    others = np.random.default_rng(3).integers(0, 2**63, 8 * SIZE, dtype=np.uint64)
    _native.distinct_add(others, Storage.UINT64, full)

    def count() -> object:
        counters.add(values, storage)
        return None

    def distinct(registers: NDArray[np.uint8], *, reset: bool) -> object:
        if reset:
            registers[:] = 0
        _native.distinct_add(values, storage, registers)
        return registers.tobytes()

    return {
        "gather": lambda: _native.gather(view, None, 0, SIZE, out),
        "gather, 5 % null": lambda: _native.gather(with_nulls, None, 0, SIZE, out),
        "gather, shuffled": lambda: _native.gather(view, order, 0, SIZE, out),
        "moments": lambda: _native.moments_block(values, storage),
        "histogram": count,
        "heaviest": lambda: counters.heaviest() and None,
        "distinct, first block": lambda: distinct(fresh, reset=True),
        "distinct, ninth block": lambda: distinct(full, reset=False),
    }


def nanoseconds(kernel: Kernel, repeat: int) -> float:
    """The fastest of ``repeat`` calls, a value."""
    best = float("inf")
    for _ in range(repeat):
        start = time.perf_counter_ns()
        kernel()
        best = min(best, time.perf_counter_ns() - start)
    return best / SIZE


def main() -> None:
    """Check, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=40)
    repeat = parser.parse_args().repeat
    sets = list(reversed(_native.instruction_sets()))
    for name, (type_, raw) in columns(np.random.default_rng(0)).items():
        print(f"\n{name:24}" + "".join(f"{each:>10}" for each in sets))
        for family, kernel in kernels(type_, raw).items():
            figures, results = [], []
            for each in sets:
                _native.force_instruction_set(each)
                results.append(kernel())
                figures.append(nanoseconds(kernel, repeat))
            assert results.count(results[0]) == len(results), f"{family} differs"
            print(f"  {family:22}" + "".join(f"{figure:10.2f}" for figure in figures))


if __name__ == "__main__":
    main()
