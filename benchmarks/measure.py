"""Peers in processes of their own, taking turns; medians of rounds, ratios within a round.

The machine is shared and its speed changes from second to second. So nothing is compared across
runs: every round lets each contestant work once, a ratio is the median over rounds of the ratio of
two neighbours, and the smallest and the largest round are shown beside it.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any, Self

from .environments import ROOT, Peer
from .exact import Truth, check


@dataclass(frozen=True, slots=True)
class Contestant:
    """Who does what, under which name, and what is true of what it reads.

    ``most`` bounds the rounds of one that takes minutes; it takes part in the first ones.
    """

    label: str
    peer: Peer
    task: str
    options: dict[str, Any] = field(default_factory=dict)
    truth: Mapping[str, Truth] | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """One contestant's figures: a value a round."""

    seconds: list[float]
    cores: list[float]
    peak: int
    versions: dict[str, str]
    written: int = 0  # bytes of the file it wrote, where that is the figure
    resident: int = 0  # median of its memory while it worked, where that was sampled


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of the benchmark found, and on how quiet a machine."""

    figures: dict[str, Measured]
    seconds: float
    others: float  # cores that other processes kept busy meanwhile, on average
    commit: str = ""  # of what was measured
    missing: dict[str, str] = field(default_factory=dict)  # peers left out, with the reason


@dataclass(frozen=True, slots=True)
class Ratio:
    """Median, smallest and largest over the rounds."""

    value: float
    low: float
    high: float


def ratio(a: Measured, b: Measured) -> Ratio:
    """How many times as long as ``b`` ``a`` takes, in the rounds in which both took part."""
    rounds = [x / y for x, y in zip(a.seconds, b.seconds, strict=False)]
    return Ratio(median(rounds), min(rounds), max(rounds))


class WorkerError(Exception):
    """A peer's process ended early."""


class Worker:
    """The process of one contestant, ready to be told what to do."""

    def __init__(self, contestant: Contestant) -> None:
        self.contestant = contestant
        # Not a pipe: nobody reads it while the peer works, and one who warns much would block.
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 -- closed with the process
        threads = str(contestant.options.get("threads", 1))
        self.process = subprocess.Popen(
            [
                str(contestant.peer.python),
                "-m",
                f"benchmarks.peers.{contestant.peer.name}",
                contestant.task,
                json.dumps(contestant.options),
            ],
            cwd=ROOT,
            env=os.environ | {"POLARS_MAX_THREADS": threads, "OMP_NUM_THREADS": threads},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    def reply(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            code = self.process.wait()
            self.errors.seek(0)
            said = self.errors.read().strip().splitlines()
            raise WorkerError(
                f"{self.contestant.label} ended with code {code}: " + "\n".join(said[-15:])
            )
        found: dict[str, Any] = json.loads(line)
        return found

    def ask(self, word: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return self.reply()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.errors.close()


def take_turns(contestants: Sequence[Contestant], rounds: int) -> dict[str, Measured]:
    """Check what each contestant says, then time all of them ``rounds`` times, in turn."""
    workers: list[Worker] = []
    versions: dict[str, dict[str, str]] = {}
    turns: dict[str, list[dict[str, float]]] = {each.label: [] for each in contestants}
    try:
        for each in contestants:  # one after the other: what loads does not disturb what works
            workers.append(Worker(each))
            versions[each.label] = workers[-1].reply()["versions"]
            answers = workers[-1].ask("answers")  # also warms up
            if each.truth is not None:
                check(each.peer.name, answers, each.truth)
        for turn in range(rounds):
            for worker in workers:
                if worker.contestant.most is None or turn < worker.contestant.most:
                    turns[worker.contestant.label].append(worker.ask("time"))
        peaks = {worker.contestant.label: worker.ask("peak")["bytes"] for worker in workers}
    finally:
        for worker in workers:
            worker.close()
    return {
        label: Measured(
            [each["seconds"] for each in times],
            [each["cores"] for each in times],
            peaks[label],
            versions[label],
        )
        for label, times in turns.items()
    }


def once(contestant: Contestant) -> Measured:
    """One single call in a new process: cold, and with the peak memory of just this work."""
    worker = Worker(contestant)
    try:
        versions = worker.reply()["versions"]
        with Sampler(worker.process.pid) as sampler:
            turn = worker.ask("time")
        peak = worker.ask("peak")["bytes"]
    finally:
        worker.close()
    return Measured(
        [turn["seconds"]], [turn["cores"]], peak, versions, resident=int(median(sampler.seen))
    )


class Sampler:
    """Looks from outside, twenty times a second, at how much memory a process holds.

    A peak is the largest of many chances, so it creeps up with the time that it has; what is held
    in the middle does not, unless something is kept.
    """

    def __init__(self, process: int) -> None:
        self.status = Path(f"/proc/{process}/statm")
        self.seen: list[int] = []
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        page = os.sysconf("SC_PAGE_SIZE")
        while not self.seen or not self.stopped.wait(0.05):
            self.seen.append(int(self.status.read_text("ascii").split()[1]) * page)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.thread.join()


def median_peak(runs: Sequence[Measured]) -> Measured:
    """Several runs in processes of their own as one: all their times, the median of their peaks."""
    return replace(
        runs[0],
        seconds=[second for run in runs for second in run.seconds],
        cores=[second for run in runs for second in run.cores],
        peak=int(median(run.peak for run in runs)),
        resident=int(median(run.resident for run in runs)),
    )


def busy_cores() -> tuple[float, float]:
    """Seconds that all cores together have worked, and those of this process and its children."""
    ticks = [
        int(each) for each in Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()[1:]
    ]
    working = sum(ticks[:3]) + sum(ticks[5:8])  # all but idle and waiting for a disk
    mine = os.times()
    return (
        working / os.sysconf("SC_CLK_TCK"),
        mine.user + mine.system + mine.children_user + mine.children_system,
    )


def run_part(part: Callable[[], dict[str, Measured]]) -> Part:
    """Run one part, and see what else the machine did meanwhile."""
    start, (working, mine) = time.perf_counter(), busy_cores()
    figures = part()
    seconds, (later, mine_later) = time.perf_counter() - start, busy_cores()
    return Part(figures, seconds, max(later - working - (mine_later - mine), 0.0) / seconds)


def save(path: Path, part: Part) -> None:
    """Keep the figures of one part of the benchmark."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(part), indent=1), encoding="ascii")


def load(path: Path) -> Part:
    kept = json.loads(path.read_text("ascii"))
    return Part(**{**kept, "figures": {name: Measured(**x) for name, x in kept["figures"].items()}})
