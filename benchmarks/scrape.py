"""What a scrape of 1,000 features costs, and what is done for it in the background.

    python -m benchmarks.scrape [--features 1000] [--rows 3000] [--rounds 30]

Prints the figures of docs/serving.md, section "Metrics". Work in the background is measured in
processor time; a stretch is what lies between two rests, in which requests can run.
"""

from __future__ import annotations

import argparse
import gzip
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from statistics import median

import numpy as np
from prometheus_client import CollectorRegistry, generate_latest

import leadline as ll
from leadline.profile import Cell, Window
from leadline.serve import metrics
from leadline.serve.exposition import Format
from leadline.serve.prometheus import exporter_of, scrape
from leadline.serve.windows import OpenWindow

MINUTE = 60_000_000


class Stretches:
    """Rests like any other, and notes the processor time between two of them."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._last = time.thread_time()

    def __call__(self) -> None:
        self.seconds.append(time.thread_time() - self._last)
        metrics.pause()
        self._last = time.thread_time()

    def of(self, work: Callable[[], object]) -> str:
        """What one piece of work took."""
        self.seconds.clear()
        began = self._last = time.thread_time()
        work()
        self()
        spent = time.thread_time() - began
        middle, longest = median(self.seconds), max(self.seconds)
        return (
            f"{1e3 * spent:.0f} ms in stretches of {1e3 * middle:.2f}, at most {1e3 * longest:.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=int, default=1_000)
    parser.add_argument("--rows", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=30)
    given = parser.parse_args()
    random = np.random.default_rng(1)
    data = {f"feature_{i}": random.normal(size=given.rows) for i in range(given.features - 1)}
    data["latency_seconds"] = random.exponential(0.02, given.rows)
    [profiled] = ll.profile(data, roles={"latency_seconds": "latency"}).cells
    registry, stretches = CollectorRegistry(), Stretches()
    with ll.Monitor("bench") as monitor:
        exporter = exporter_of(registry)
        exporter.add(monitor, rest=stretches)
        [observed] = exporter.observed()
        for minute in range(2):  # the first one imports and warms up
            window = Window(minute * MINUTE, (minute + 1) * MINUTE)
            cell: Cell = replace(profiled, window=window)
            observed.forget()
            flush = stretches.of(partial(observed.saved, [cell]))
            closed = stretches.of(partial(observed.closed, OpenWindow(window, {(): cell})))
        print(f"after a write, counts: {flush}")
        print(f"after a window, figures and text: {closed}")
        for format_ in Format:
            ask = partial(scrape, registry, format_.value)
            taken = [timed(ask) for _ in range(given.rounds)]
            size = len(ask()[0])
            print(
                f"scrape, {format_.name.lower()}: first {taken[0]:.1f} ms, then median "
                f"{median(taken[1:]):.2f}, longest {max(taken[1:]):.2f}; {size:,} bytes"
            )
        body = scrape(registry)[0]
        print(f"gzip: {timed(lambda: gzip.compress(body, 1)):.1f} ms, without the interpreter")
        theirs = [timed(lambda: generate_latest(registry)) for _ in range(5)]
        print(f"the same by prometheus_client: {median(theirs):.0f} ms")


def timed(work: Callable[[], object]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - began)


if __name__ == "__main__":
    main()
