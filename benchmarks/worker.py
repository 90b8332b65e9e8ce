"""The loop inside a peer's process: prepare once, then answer and be timed on command.

Only the standard library is used, so that it runs under any interpreter. The process reads one
word a line from its standard input and prints one JSON object a line: ``answers`` what the peer
says about the data, ``time`` seconds of one repetition, ``peak`` the most memory it ever held.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

# A figure of a short job is the median of as many calls as fit into this many seconds.
SHORT = 0.05
MOST_CALLS = 200

Options = dict[str, Any]


@dataclass(frozen=True)
class Work:
    """A job that is ready to run: what is timed, and what its outcome says about the data."""

    run: Callable[[], Any]
    answers: Callable[[Any], dict[str, Any]] = lambda _: {}


Tasks = Mapping[str, Callable[[Options], Work]]


def peak_memory() -> int:
    """Most bytes of this process that ever lay in memory at once.

    ``VmHWM`` begins at zero with each program; ``ru_maxrss`` would begin with the parent's.
    """
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this system does not tell the peak memory of a process")


def timed(run: Callable[[], Any]) -> dict[str, float]:
    """Median seconds by the clock, and of all cores, of one call."""
    clock: list[float] = []
    cores: list[float] = []
    until = time.perf_counter() + SHORT
    while not clock or (time.perf_counter() < until and len(clock) < MOST_CALLS):
        cpu, start = time.process_time(), time.perf_counter()
        outcome = run()
        clock.append(time.perf_counter() - start)
        cores.append(time.process_time() - cpu)
        del outcome
    return {"seconds": sorted(clock)[len(clock) // 2], "cores": sorted(cores)[len(cores) // 2]}


def versions(*distributions: str) -> dict[str, str]:
    """What is installed of the named distributions."""
    return {name: metadata.version(name) for name in distributions}


def serve(tasks: Tasks, *distributions: str) -> None:
    """Run the task named on the command line until standard input ends."""
    task, options = sys.argv[1], json.loads(sys.argv[2])
    work = tasks[task](options)
    replies: dict[str, Callable[[], dict[str, Any]]] = {
        "answers": lambda: work.answers(work.run()),
        "time": lambda: timed(work.run),
        "peak": lambda: {"bytes": peak_memory()},
    }
    print(json.dumps({"versions": versions(*distributions)}), flush=True)
    for line in sys.stdin:
        print(json.dumps(replies[line.strip()](), allow_nan=True), flush=True)
