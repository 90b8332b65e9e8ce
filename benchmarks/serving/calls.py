"""What one call costs: the monitor's `log`, prometheus_client's `observe`, whylogs' `track`.

python -m benchmarks.serving.calls [--rounds 5] [--data FOLDER]      printed only
python -m benchmarks.serving.calls --write                           into docs/serving.md

All take turns in one run, so that a machine that is shared is equally slow to each. Every call is
timed by itself; the clock's own 40 ns are part of the figures. The monitor summarises and writes
meanwhile, and what it spends in the background is in the processor time.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import leadline as ll

from ..documents import fill
from ..environments import ROOT, find
from ..machine import described

FEATURES, TEXTS = 20, 5
DIFFERENT = 2_000  # rows, logged again and again
CALLS = 200_000
BATCH, SMALL_BATCH = 65_536, 10
PAGE = ROOT / "docs" / "serving.md"

Row = dict[str, Any]

WHYLOGS = """
import json, sys, time
import numpy as np
import whylogs as why
from whylogs.core import DatasetProfile
rows = json.load(sys.stdin)
profile = DatasetProfile()
for row in rows[:50]:
    profile.track(row)
times = []
for row in rows[:400]:
    begin = time.perf_counter_ns()
    profile.track(row)
    times.append(time.perf_counter_ns() - begin)
print(json.dumps(times))
"""


@dataclass(slots=True)
class Figures:
    """Of one contestant: nanoseconds of the calls of every round, and processor time a row."""

    rounds: list[NDArray[np.int64]] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    dropped: int = 0

    def quantile(self, q: float) -> float:
        """Median over the rounds of a quantile, in microseconds."""
        return median(float(np.quantile(times, q)) for times in self.rounds) / 1e3


def rows_of(texts: int) -> list[Row]:
    """Rows of 20 features, of which so many are texts."""
    generator = np.random.default_rng(1)
    numbers = generator.normal(size=(DIFFERENT, FEATURES))
    return [
        {f"number_{place}": float(value) for place, value in enumerate(row[texts:])}
        | {f"text_{place}": f"value-{abs(value):.1f}" for place, value in enumerate(row[:texts])}
        for row in numbers
    ]


def timed(call: Callable[[Any], object], rows: Sequence[Any], calls: int) -> NDArray[np.int64]:
    """Nanoseconds of every call."""
    times = np.empty(calls, dtype=np.int64)
    clock = time.perf_counter_ns
    for place in range(calls):
        row = rows[place % DIFFERENT]
        begin = clock()
        call(row)
        times[place] = clock() - begin
    return times


def monitored(figures: Figures, rows: Sequence[Row], options: Mapping[str, Any]) -> None:
    """One round of a monitor that writes to a folder."""
    with tempfile.TemporaryDirectory() as folder:
        monitor = ll.Monitor("bench", folder, **options)
        timed(monitor.log, rows, DIFFERENT)
        monitor.flush()
        before = time.process_time()
        figures.rounds.append(timed(monitor.log, rows, CALLS))
        monitor.flush()
        # The loop itself, with its two clocks, costs what it costs with an empty call.
        spent = time.process_time() - before
        before = time.process_time()
        timed(_nothing, rows, CALLS)
        figures.processor.append((spent - (time.process_time() - before)) / CALLS * 1e6)
        figures.dropped += monitor.status().dropped
        monitor.close()


def _nothing(row: Row) -> None:
    """An empty call."""


def observed(figures: Figures, rows: Sequence[Row]) -> None:
    """One round of an `observe` for every feature."""
    from prometheus_client import CollectorRegistry, Histogram

    registry = CollectorRegistry()
    histograms = {name: Histogram(name, name, registry=registry).observe for name in rows[0]}

    def observe(row: Row) -> None:
        for name, value in row.items():
            histograms[name](value)

    figures.rounds.append(timed(observe, rows, CALLS // 20))


def tracked(figures: Figures, rows: Sequence[Row], python: Path) -> None:
    """One round of whylogs in its own environment."""
    found = subprocess.run(
        [python, "-c", WHYLOGS],
        input=json.dumps(rows),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    figures.rounds.append(np.array(json.loads(found.stdout.splitlines()[-1])))


def batches(rounds: int) -> tuple[float, float, float]:
    """Time of a small batch (us); of large ones a value, and of a scan of the same (ns)."""
    generator = np.random.default_rng(1)
    large = pa.table({f"x{i}": generator.normal(size=BATCH) for i in range(FEATURES)})
    small = large.take(list(range(SMALL_BATCH)))
    values = BATCH * FEATURES
    fixed, logged, scanned = [], [], []
    for _ in range(rounds):
        with ll.Monitor("bench") as monitor:
            monitor.log_batch(large)
            monitor.flush()
            begin = time.process_time()
            for _ in range(16):
                monitor.log_batch(large)
            monitor.flush()
            logged.append((time.process_time() - begin) / 16 / values * 1e9)
            fixed.append(float(np.median(timed(monitor.log_batch, [small] * DIFFERENT, 200))) / 1e3)
        begin = time.process_time()
        for _ in range(16):
            ll.profile(large, threads=1)
        scanned.append((time.process_time() - begin) / 16 / values * 1e9)
    return median(fixed), median(logged), median(scanned)


def table(found: Mapping[str, Figures], small: float, value: float, scan: float) -> list[str]:
    """The lines of the page."""
    floats = found["log, 20 floats"]
    lines = [
        f"{described()}; medians of {len(floats.rounds)} rounds in turns.",
        "",
        "| Call | p50 | p99.9 | p99.99 | Processor time, all of it |",
        "|---|---|---|---|---|",
    ]
    for name, each in found.items():
        tail = f"{each.quantile(0.999):,.1f} us | {each.quantile(0.9999):,.0f} us"
        whole = f"{median(each.processor):.2f} us a row" if each.processor else ""
        if "whylogs" in name:
            tail = " | "
        lines.append(f"| {name} | {each.quantile(0.5):,.2f} us | {tail} | {whole} |")
    lines.append("")
    for name in ("whylogs `track(row)`", "20 `observe` calls of prometheus_client"):
        if name in found:
            times = found[name].quantile(0.5) / floats.quantile(0.5)
            lines.append(f"- {name}: {times:,.0f} times the time of `log`.")
    dropped = sum(each.dropped for each in found.values())
    batch = f"{value:.1f} ns of processor time a value, `ll.profile` of the same {scan:.1f} ns"
    lines += [
        f"- Rows dropped in these loops, which leave the summaries no pause: {dropped:,}.",
        f"- `log_batch` of {SMALL_BATCH} rows x {FEATURES} columns: {small:.0f} us.",
        f"- `log_batch` of {BATCH:,} rows, with its summary: {batch}.",
    ]
    return lines


def main() -> None:
    """Take turns, print or write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--data", type=Path, default=os.environ.get("LEADLINE_BENCH_DATA"))
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    floats, texts = rows_of(0), rows_of(TEXTS)
    reference = {
        "floats": ll.profile(pa.Table.from_pylist(floats)),
        "texts": ll.profile(pa.Table.from_pylist(texts)),
    }
    contestants: dict[str, Callable[[Figures], None]] = {
        "log, 20 floats": lambda to: monitored(to, floats, {}),
        "same, every value checked": lambda to: monitored(
            to, floats, {"reference": reference["floats"]}
        ),
        "log, 15 floats and 5 texts": lambda to: monitored(to, texts, {}),
        "same, every value checked ": lambda to: monitored(
            to, texts, {"reference": reference["texts"]}
        ),
        "20 `observe` calls of prometheus_client": lambda to: observed(to, floats),
    }
    whylogs = find("whylogs", Path(chosen.data or ROOT / "build" / "bench") / "environments")
    if whylogs.missing is None:
        contestants["whylogs `track(row)`"] = lambda to: tracked(to, floats, whylogs.python)
    else:
        print(f"whylogs is left out: {whylogs.missing}")
    found = {name: Figures() for name in contestants}
    for _ in range(chosen.rounds):
        for name, turn in contestants.items():
            turn(found[name])
    lines = table(found, *batches(chosen.rounds))
    print("\n".join(lines))
    if chosen.write:
        fill(PAGE, "calls", lines)


if __name__ == "__main__":
    main()
