"""Killed at any moment, the output is the old file or the new one, and the run can go on."""

from __future__ import annotations

import multiprocessing
import random as standard_random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import killing
from leadline.cli import main

OPTIONS = ("--segment", "where", "--threads", "1", "--quiet")


def write(path: Path, seed: int, rows: int, group: int) -> None:
    random = np.random.default_rng(seed)
    table = pa.table(
        {
            "number": random.normal(size=rows),
            "where": random.choice(["DE", "FR"], rows),
            "text": [f"t{value}" for value in random.integers(0, 90, rows)],
        }
    )
    pq.write_table(table, path, row_group_size=group)


Start = Callable[[list[str], int], str]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Runs the command in a fresh process that dies at a place; what it reports, if it ends."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["leadline.cli", "leadline.scan", "pyarrow.parquet", "killing"])
    report = tmp_path_factory.mktemp("report") / "report"

    def start(arguments: list[str], place: int) -> str:
        report.unlink(missing_ok=True)
        process = context.Process(target=killing.run, args=(arguments, place, str(report)))
        process.start()
        process.join(60)
        assert process.exitcode == (0 if report.exists() else -signal.SIGKILL)
        return report.read_text() if report.exists() else ""

    return start


@pytest.mark.parametrize("update", [False, True])
def test_killed_at_every_call_of_the_system(
    tmp_path: Path, started: Start, *, update: bool
) -> None:
    logs, target = tmp_path / "logs", tmp_path / "out.lead"
    logs.mkdir()
    write(logs / "0.parquet", 0, 40, 40)
    command = ["profile", str(logs), "-o", str(target), *OPTIONS]
    assert main(command) == 0
    old = target.read_bytes()
    for place in (1, 2):
        write(logs / f"{place}.parquet", place, 50, 50)
    assert main(command) == 0
    new = target.read_bytes()
    if update:
        command.append("--update")
    seen: set[bytes] = set()
    target.write_bytes(old)
    code, places = started(command, -1).split()
    assert code == "0"
    assert int(places) > 30
    # The calls are the same ones for an update: every fourth of them is enough there.
    for place in range(0, int(places), 4 if update else 1):
        target.write_bytes(old)
        assert started(command, place) == ""
        held = target.read_bytes()
        assert held in (old, new)
        seen.add(held)
        assert main([*command, "--resume"]) == 0
        assert target.read_bytes() == new
        left = {path.name for path in tmp_path.iterdir()} - {"logs", "out.lead"}
        # A file that was being written; a rename that never came makes it no more than that.
        assert all(name.startswith(".out.lead.") and name.endswith(".tmp") for name in left), left
        for name in left:
            (tmp_path / name).unlink()
    assert update or seen == {old, new}


KILL = """
import sys
from leadline.cli import main
from leadline.scan import checkpoint
checkpoint.INTERVAL, checkpoint.COSTS = 0.0, 0
sys.exit(main(sys.argv[1:]))
"""


def test_killed_at_random_moments(tmp_path: Path) -> None:
    """In the middle of reading, of storing cells, of checkpoints: wherever the clock decides."""
    logs, target, once = tmp_path / "logs", tmp_path / "out.lead", tmp_path / "once.lead"
    logs.mkdir()
    for place in range(12):
        write(logs / f"{place:02}.parquet", place, 3_000, 3_000)
    options = ["--segment", "text", "--memory", "50kB", "--quiet"]
    assert main(["profile", str(logs), "-o", str(once), *options]) == 0
    random = standard_random.Random(5)
    command = [sys.executable, "-c", KILL, "profile", str(logs), "-o", str(target), *options]
    checkpoint = tmp_path / "out.lead.checkpoint"
    kills = 0
    for _ in range(3):
        process = subprocess.Popen([*command, "--resume"])
        await_changes(checkpoint, random.randrange(1, 5), process)
        time.sleep(0.1 * random.random())
        process.kill()
        kills += process.wait() == -signal.SIGKILL
        assert not target.exists() or target.read_bytes() == once.read_bytes()
    assert kills > 1
    assert main(["profile", str(logs), "-o", str(target), *options, "--resume"]) == 0
    assert target.read_bytes() == once.read_bytes()


def await_changes(path: Path, count: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a file has been replaced so many times, or the process has ended."""

    def identity() -> int:
        try:
            return path.stat().st_ino
        except FileNotFoundError:
            return 0

    known = identity()
    while count and process.poll() is None:
        found = identity()
        count -= found != known
        known = found
        time.sleep(0.002)
