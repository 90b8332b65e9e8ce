"""Whatever ends a process or refuses a write: files stay readable, and rows are there once.

`make test-faults` kills at a thousand random moments and at every call of the system; the ordinary
suite at some of them.
"""

from __future__ import annotations

import os
import random as standard_random
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import storing
from faulting import Faults
from leadline import snapshot
from storing import DAY, START, Time, cell, files_of, numbers_in

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the disk fails on Linux only")

KILLS = int(os.environ.get("LEADLINE_KILLS", "20"))
EVERY = int(os.environ.get("LEADLINE_FAULT_STEP", "7"))
OLD = 60_000  # a row of the file that is old enough to be removed


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faults]:
    with Faults(tmp_path_factory.mktemp("faults")) as started:
        yield started
        started.control.reset()


def check(folder: Path, first: int, acknowledged: int, asked: int) -> None:
    """Every file is readable, every acknowledged row in it once, and nothing twice."""
    for path in files_of(folder):
        assert len(snapshot.read(path).events) <= 1  # a torn end is said to be one
    found = numbers_in(files_of(folder))
    own = {row: count for row, count in found.items() if first <= row < OLD}
    rows = range(first, first + acknowledged)
    assert {row: own.get(row, 0) for row in rows} == dict.fromkeys(rows, 1)
    # Rows of the append that was under way may be there or not; others are not.
    assert all(count == 1 for count in own.values())
    assert own.keys() <= set(range(first, first + acknowledged + asked))


def write_old_files(folder: Path) -> None:
    for days in (9, 5):
        store = storing.store(folder, Time(START - days * DAY))
        store.append([cell(START - days * DAY, [OLD])])
        store.close()


def next_process(folder: Path) -> None:
    """It removes what the killed one left, and nothing else."""
    before = {path: path.read_bytes() for path in files_of(folder)}
    store = storing.store(folder, Time(START + 2 * DAY))
    store.append([cell(START + 2 * DAY, [OLD + 1])])
    store.tidy()
    store.close()
    assert list(folder.glob(".*")) == []
    assert before.items() <= {path: path.read_bytes() for path in files_of(folder)}.items()


@pytest.mark.parametrize("scenario", ["lifetime", "lifetime_unsynced"])
@pytest.mark.parametrize("torn", [0, 1])
def test_killed_at_every_call_of_the_system(faults: Faults, scenario: str, torn: int) -> None:
    control = faults.control
    control.reset()
    whole = faults.base / f"{scenario}-{torn}-whole"
    whole.mkdir()
    write_old_files(whole)
    assert faults.run(scenario, whole) == 0
    calls, rows = control.calls, control.acknowledged
    assert calls > 60
    check(whole, 0, rows, 0)
    assert list(whole.glob(".*")) == []
    seen = set()
    start = (3 * torn + 2 * (scenario == "lifetime")) % EVERY
    for place in range(start, calls, EVERY):
        folder = faults.base / f"{scenario}-{torn}-{place}"
        folder.mkdir()
        write_old_files(folder)
        control.torn, control.die_at = torn, place
        assert faults.run(scenario, folder) == -signal.SIGKILL, place
        control.die_at = -1
        acknowledged = control.acknowledged
        check(folder, 0, acknowledged, 2)
        next_process(folder)
        check(folder, 0, acknowledged, 2)
        seen.add(acknowledged)
    assert len(seen) > 5


def test_killed_at_random_moments(faults: Faults, request: pytest.FixtureRequest) -> None:
    random = standard_random.Random(request.config.getoption("seed"))
    control = faults.control
    control.reset()
    rows = 0
    for kill in range(KILLS):
        folder = faults.base / f"kill-{kill // 10}"
        folder.mkdir(exist_ok=True)
        first = 5_000 * (kill % 10)
        delay = 0.01 + 0.19 * random.random()
        assert faults.run("endless", folder, first, delay) == -signal.SIGKILL
        assert control.acknowledged < 4_999
        check(folder, first, control.acknowledged, 1)
        rows += control.acknowledged
        if kill % 10 == 9 or kill == KILLS - 1:
            next_process(folder)
            check(folder, first, control.acknowledged, 1)
    assert rows > 10 * KILLS


@pytest.mark.parametrize(
    "scenario",
    [
        "disk_full",
        "sync_fails",
        "late_sync_fails",
        "nothing_can_be_undone",
        "some_of_several_files",
        "read_only",
        "files_reach_their_largest_size",
        "no_more_descriptors",
        "stalled",
    ],
)
def test_refusals(faults: Faults, scenario: str) -> None:
    faults.control.reset()
    folder = faults.base / scenario
    folder.mkdir()
    assert faults.run(scenario, folder) == 0
