"""The load test of the example service: pairs of turns with and without the monitor.

python -m benchmarks.serving.run [--pairs 30] [--seconds 5] [--keep FILE]      printed only
python -m benchmarks.serving.run --write                                      into docs/serving.md

One core is the service's, another one the callers'. First the capacity is measured, without the
monitor; then 70 % of it is asked for, in turns that alternate and of which every other pair begins
with the monitor. ``--keep`` adds the pairs to those of earlier runs in a file, so that a machine
that is shared can be asked for short times.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import machine
from ..documents import fill
from ..environments import ROOT
from ..measure import busy_cores
from .client import Client, request

CONNECTIONS = 8
SHARE = 0.7
PAGE = ROOT / "docs" / "serving.md"


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of one application."""

    requests: int
    cpu: float  # seconds of the service's process, background work of the monitor included
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Pair:
    """Two turns, one right after the other, in either order."""

    on: Turn
    off: Turn
    capacity: float  # requests a second
    others: float  # cores that other processes kept busy meanwhile


@contextmanager
def service(core: int, of_callers: int) -> Iterator[int]:
    """The example in a process and on a core of its own; the port."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as listening:
        os.sched_setaffinity(0, {of_callers})
        listening.bind(("127.0.0.1", 0))
        listening.listen(CONNECTIONS)
        # Connections inherit it. A server that is given a socket does not know that it is TCP, and
        # would wait for the acknowledgement of the head before it sends the body: 40 ms.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        port = listening.getsockname()[1]
        settings = {"PROFILES": folder, "CORE": str(core)}
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "uvicorn", "benchmarks.serving.app:app"),
                *("--fd", str(listening.fileno()), "--log-level", "warning"),
            ],
            cwd=ROOT,
            env=os.environ | settings,
            pass_fds=[listening.fileno()],
        )
        try:
            yield port
        finally:
            process.terminate()
            process.wait()


def payments(count: int) -> list[bytes]:
    """Requests with payments of the model's own making."""
    sys.path.insert(0, str(ROOT / "examples" / "serving"))
    model = __import__("model")
    columns, _ = model.payments(count, seed=11)
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [request("/score", dict(zip(columns, row, strict=True))) for row in rows]


def run(pairs: int, seconds: float) -> list[Pair]:
    """So many pairs of turns of so many seconds each."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("this needs two cores")
    found: list[Pair] = []
    with service(cores[0], cores[1]) as port:
        client = Client(port, CONNECTIONS, payments(1_000))
        client.load(1.0, np.inf, seed=0)  # warms up
        client.ask("/turn/on")
        client.load(1.0, np.inf, seed=0)
        client.ask("/turn/off")
        capacity = len(client.load(max(seconds, 2.0), np.inf, seed=1)) / max(seconds, 2.0)
        for number in range(pairs):
            start, (all_cores, mine) = time.perf_counter(), busy_cores()
            order = ("on", "off") if number % 2 else ("off", "on")
            turns, cpu = {}, 0.0
            for arm in order:
                turns[arm] = _turn(client, arm, seconds, SHARE * capacity, seed=number)
                cpu += turns[arm].cpu
            passed, (later, mine_later) = time.perf_counter() - start, busy_cores()
            others = (later - all_cores - (mine_later - mine) - cpu) / passed
            found.append(Pair(turns["on"], turns["off"], capacity, max(others, 0.0)))
    os.sched_setaffinity(0, cores)
    return found


def _turn(client: Client, arm: str, seconds: float, rate: float, seed: int) -> Turn:
    before = client.ask(f"/turn/{arm}")
    latencies = client.load(seconds, rate, seed)
    after = client.ask("/turn/off")
    logged = after["accepted"] - before["accepted"]
    if logged != (len(latencies) if arm == "on" else 0) or after["saved"] != after["accepted"]:
        raise SystemExit(f"{len(latencies)} requests, but the monitor says {after}")
    if after["dropped"] or after["errors"]:
        raise SystemExit(f"the monitor lost something: {after}")
    p50, p99 = np.quantile(latencies, [0.5, 0.99])
    return Turn(len(latencies), (after["cpu"] - before["cpu"]) / 1e9, float(p50), float(p99))


@dataclass(frozen=True, slots=True)
class Bounds:
    """Median over the pairs, and where it lies with a confidence of 95 % on either side."""

    value: float
    low: float
    high: float


def bounds(values: NDArray[np.float64]) -> Bounds:
    """By bootstrap over the pairs."""
    random = np.random.default_rng(0)
    again = np.median(random.choice(values, (10_000, len(values))), axis=1)
    low, high = np.quantile(again, [0.05, 0.95])
    return Bounds(float(np.median(values)), float(low), float(high))


def table(pairs: list[Pair]) -> list[str]:
    """What the monitor costs."""

    def of(name: str) -> NDArray[np.float64]:
        return np.array([[getattr(each.on, name), getattr(each.off, name)] for each in pairs]).T

    cpu = of("cpu") / of("requests") * 1e6
    p50, p99 = of("p50") * 1e6, of("p99") * 1e6
    more = bounds(100 * (cpu[0] / cpu[1] - 1))
    spent, middle, tail = bounds(cpu[0] - cpu[1]), bounds(p50[0] - p50[1]), bounds(p99[0] - p99[1])
    most = max(100.0, 0.05 * float(np.median(p99[1])))
    capacity = float(np.median([each.capacity for each in pairs]))
    others = float(np.median([each.others for each in pairs]))

    def row(name: str, values: NDArray[np.float64], added: Bounds, must: str, met: str) -> str:
        on, off = np.median(values, axis=1)
        return (
            f"| {name} | {off:,.0f} us | {on:,.0f} us "
            f"| {added.value:+.1f} us ({added.low:+.1f} to {added.high:+.1f}) | {must} | {met} |"
        )

    def yes(what: bool) -> str:
        return "yes" if what else "**no**"

    what = (
        f"{len(pairs)} pairs of turns, {of('requests').sum():,.0f} requests at {SHARE:.0%} of a "
        f"capacity of {capacity:,.0f} requests a second on one core; medians of the pairs, with "
        f"95 % bounds on either side; other processes kept {others:.2f} cores busy."
    )
    share = f"{more.value:+.2f} % ({more.low:+.2f} to {more.high:+.2f})"
    return [
        what,
        "",
        "| A request | Without | With the monitor | Added | Must | Met |",
        "|---|---|---|---|---|---|",
        row("processor time", cpu, spent, "", ""),
        f"| same, as a share | | | {share} | <= +2 % | {yes(more.value <= 2)} |",
        row("latency, p50", p50, middle, "", ""),
        row("latency, p99", p99, tail, f"bound <= {most:,.0f} us", yes(tail.high <= most)),
        "",
        f"Machine: {machine.described()}; Leadline at {machine.commit()}.",
    ]


def kept(path: Path) -> list[Pair]:
    """The pairs of earlier runs."""
    if not path.exists():
        return []
    return [
        Pair(**{**each, "on": Turn(**each["on"]), "off": Turn(**each["off"])})
        for each in json.loads(path.read_text("ascii"))
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=5.0, help="of one turn")
    parser.add_argument("--keep", type=Path, help="file of pairs to which these are added")
    parser.add_argument("--write", action="store_true", help="write the table into the page")
    options = parser.parse_args()
    pairs = run(options.pairs, options.seconds) if options.pairs else []
    if options.keep is not None:
        pairs = [*kept(options.keep), *pairs]
        options.keep.write_text(json.dumps([asdict(each) for each in pairs]), encoding="ascii")
    lines = table(pairs)
    print("\n".join(lines))
    if options.write:
        fill(PAGE, "load", lines)


if __name__ == "__main__":
    main()
