"""What becomes of rows when processes fork, end, and are told to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import living
from leadline.snapshot import read
from serving import profile_of

ROWS = living.ROWS
# `make test-forks` asks for 10,000.
FORKS = int(os.environ.get("LEADLINE_FORKS", "200"))


def start(program: str, folder: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, living.__file__, program, str(folder), *more],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def run(program: str, folder: Path, *more: str, timeout: float = 60, code: int = 0) -> str:
    """Run a program to its end; what it printed."""
    process = start(program, folder, *more)
    try:
        out, errors = process.communicate(timeout=timeout)
    finally:
        process.kill()
    assert process.returncode == code, errors
    return out


def counts(folder: Path) -> dict[str, int]:
    """Rows by who logged them."""
    return dict(profile_of(folder)["who"].top)


@pytest.mark.parametrize("program", ["returns", "held_by_nobody"])
def test_a_process_that_ends_without_closing(program: str, tmp_path: Path) -> None:
    run(program, tmp_path)
    assert counts(tmp_path) == {"main": ROWS}


def test_a_process_that_ends_by_an_exception(tmp_path: Path) -> None:
    run("raises", tmp_path, code=1)
    assert counts(tmp_path) == {"main": ROWS}


def test_what_is_logged_at_exit(tmp_path: Path) -> None:
    run("logs_at_exit", tmp_path)
    assert counts(tmp_path) == {"main": ROWS, "exit": ROWS}


def test_a_thread_that_never_stops(tmp_path: Path) -> None:
    run("logs_in_a_thread_until_the_end", tmp_path)
    accepted, saved = map(int, (tmp_path / "accepted").read_text("ascii").split())
    assert accepted == saved == profile_of(tmp_path).rows > 0


def test_told_to_end(tmp_path: Path) -> None:
    process = start("told_to_end", tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGTERM
    assert counts(tmp_path) == {"main": ROWS}


def test_told_to_end_while_it_logs_and_writes(tmp_path: Path) -> None:
    process = start("told_to_end_while_busy", tmp_path)
    assert process.stdout is not None
    for _ in range(50):
        assert process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    last = int(process.stdout.read().splitlines()[-1])
    _, errors = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGTERM, errors
    # The signal comes between two rows: what was logged then is there, nothing more of this thread.
    assert last <= counts(tmp_path)["main"] < last + 100


def test_told_to_end_but_somebody_handles_it(tmp_path: Path) -> None:
    process = start("told_to_end_with_a_handler", tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert counts(tmp_path) == {"main": 2 * ROWS}


def test_told_to_end_but_deaf(tmp_path: Path) -> None:
    process = start("told_to_end_and_deaf", tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate("\n", timeout=30)
    assert process.returncode == 0, errors
    assert counts(tmp_path) == {"main": 2 * ROWS}


@pytest.mark.parametrize(
    "program",
    [
        "multiprocessing_fork",
        "multiprocessing_spawn",
        "multiprocessing_forkserver",
        "pool",
        "terminated_child",
        "batches_in_a_child",
        "forks_of_forks",
    ],
)
def test_every_process_has_its_own_rows(program: str, tmp_path: Path) -> None:
    run(program, tmp_path)
    children = {f"child {number}": ROWS for number in range(3)}
    assert counts(tmp_path) == {"parent": 3 * ROWS, **children}


def test_a_closed_monitor_stays_closed_in_a_fork(tmp_path: Path) -> None:
    run("fork_of_a_closed_one", tmp_path)
    assert counts(tmp_path) == {"parent": ROWS}


def test_forks_of_a_busy_process(tmp_path: Path) -> None:
    """No child hangs; each has a file of its own with its rows, and the parent's has the rest."""
    out = run("fork_storm", tmp_path, str(FORKS), timeout=60 + FORKS / 10)
    accepted, early, late = map(int, out.split())
    profiles = [read(path) for path in tmp_path.glob("*.lead")]
    of_children = [each for each in profiles if dict(each["who"].top).keys() == {"child"}]
    of_parent = [each for each in profiles if "child" not in dict(each["who"].top)]
    assert len(of_children) + len(of_parent) == len(profiles)
    assert [each.rows for each in of_children] == [living.CHILD_ROWS] * FORKS
    numbers = sorted(each["number"].min for each in of_children)
    assert numbers == sorted(each["number"].max for each in of_children) == list(range(FORKS))
    assert sum(each.rows for each in of_parent) == accepted > 0
    assert late < early + 16 * 2**20


IMPORTED = """
import os, sys, threading
import numpy, pyarrow
before = len(os.listdir("/proc/self/task"))
import leadline, leadline.serve
monitor = leadline.Monitor("test", sys.argv[1])
assert threading.active_count() == 1
assert len(os.listdir("/proc/self/task")) == before
assert not os.listdir(sys.argv[1])
modules = set(sys.modules)
monitor.log({"a": 1.0, "b": "x", "c": None})
assert threading.active_count() == 2
monitor.close()
assert threading.active_count() == 1
print(*sorted(each for each in set(sys.modules) - modules))
"""


def test_the_first_row_starts_the_thread_and_nothing_is_imported_in_it(tmp_path: Path) -> None:
    """A fork in the middle of an import leaves its lock held for ever in the child."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("\n", "")
