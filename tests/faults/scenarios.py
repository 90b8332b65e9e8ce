"""What a process does while its disk fails: run in children by `faulting`, asserted there."""

from __future__ import annotations

import errno
import os
import resource
import threading
import time as clock
from pathlib import Path

import pytest

import storing
from faulting import Control
from leadline import snapshot
from leadline.errors import SnapshotError
from leadline.serve import store as store_module
from leadline.serve.store import Store
from storing import DAY, HOUR, MINUTE, START, Time, cell, files_of, numbers_in

RETAIN = 2 * 86_400.0
# What is begun is done at once, however slow the machine is.
store_module._LEAST_PORTION = store_module._LONGEST_PORTION = store_module._AT_CLOSE = 60.0


def lifetime(folder: Path, control: Control, first: int, sync: str = "flush") -> None:
    """Every path through a store: first file, appends, rolling up, new schema, days, removal, end.

    Rows are numbered from ``first`` on; as many as are acknowledged are in files.
    """
    time = Time()
    store = storing.store(folder, time, sync=sync, rollup=["1h", "1d"], retain=RETAIN)
    row = first

    def append(*starts: int, names: tuple[str, ...] = ("id",)) -> None:
        nonlocal row
        cells = [cell(start, [row + place], names=names) for place, start in enumerate(starts)]
        assert store.append(cells) == cells
        if sync == "flush":  # nothing that is acknowledged would be lost with the machine
            assert control.unsynced == control.unsynced_names == control.early == 0
        row += len(cells)
        control.acknowledged = row - first
        store.tidy()

    for minute in range(3):
        append(START + minute * MINUTE)
    append(START + MINUTE, START + HOUR)
    time.pass_by(HOUR + 2 * MINUTE)
    append(time.wall)  # rolls up the first hour
    assert store.health.rewritten == 1
    append(time.wall, names=("id", "age"))
    append(START + DAY - MINUTE, START + DAY, names=("id", "age"))
    time.pass_by(DAY)
    for _ in range(6):  # rolls up both files of the first day, ends them, removes old ones
        append(time.wall)
        time.pass_by(6 * MINUTE)
    assert store.health.rewritten >= 3
    assert store.health.removed == 2
    append(time.wall)
    append(time.wall)
    store.close()


def lifetime_unsynced(folder: Path, control: Control, first: int) -> None:
    """The same without a sync of every write."""
    lifetime(folder, control, first, sync="close")


def sync_works(folder: Path, control: Control, first: int) -> None:
    """Nothing fails."""
    time = Time()
    store = storing.store(folder, time, rollup="1h", sync="flush")
    store.append([cell(START, [0]), cell(START, [1])])
    time.pass_by(2 * HOUR)
    store.close()
    assert numbers_in(files_of(folder)) == {0: 1, 1: 1}


def endless(folder: Path, control: Control, first: int) -> None:
    """Append until killed, with an hour every thirty rows."""
    time = Time(START + first * HOUR)
    store = storing.store(folder, time, rollup=["1h", "1d"])
    row = first
    while True:
        store.append([cell(time.wall, [row])])
        row += 1
        control.acknowledged = row - first
        store.tidy()
        time.pass_by(2 * MINUTE)


def refused(store: Store, cells: list[storing.Cell], message: str) -> None:
    """An append that fails leaves every file as it was, and no other."""
    before = {path: path.read_bytes() for path in files_of(store.files[0].parent)}
    for _ in range(3):
        with pytest.raises(SnapshotError, match=message):
            store.append(cells)
        after = {path: path.read_bytes() for path in files_of(store.files[0].parent)}
        assert after == before
        assert left(store.files[0].parent) == []


def left(folder: Path) -> list[str]:
    """Names of temporary files."""
    return [path.name for path in folder.glob(".*")]


def disk_full(folder: Path, control: Control, first: int) -> None:
    time = Time()
    store = storing.store(folder, time, rollup="1h")
    for minute in range(10):
        store.append([cell(START + minute * MINUTE, [minute])])
    for budget in (0, 1, 100, 300):
        control.budget = budget
        refused(store, [cell(START, [10])], "No space left")
        control.budget = budget
        refused(store, [cell(START + DAY, [10])], "No space left")  # another file
        control.budget = budget
        refused(store, [cell(START, [10], names=("id", "b"))], "No space left")  # another schema
    control.budget = -1
    assert len(store.append([cell(START, [10])])) == 1
    time.pass_by(2 * HOUR)
    control.budget = 700
    before = store.files[0].read_bytes()
    with pytest.raises(SnapshotError, match=r"cannot be rolled up .No space left"):
        store.tidy()
    assert left(folder) == []
    assert store.files[0].read_bytes() == before
    assert "No space left" in store.health.last_error
    control.budget = -1
    time.pass_by(10 * MINUTE)
    store.tidy()
    assert storing.windows_of(snapshot.read(store.files[0])) == [(0, 60)]
    store.close()
    assert len(files_of(folder)) == 1
    assert numbers_in(files_of(folder)) == dict.fromkeys(range(11), 1)


def sync_fails(folder: Path, control: Control, first: int) -> None:
    """What may not have reached the disk is not acknowledged, and its file is left alone."""
    store = storing.store(folder, sync="flush")
    store.append([cell(START, [0])])
    control.sync_error = errno.EIO
    refused(store, [cell(START, [1])], "Input/output error")
    control.sync_error = 0
    store.append([cell(START, [1])])
    store.close()
    assert len(store.files) == len(files_of(folder)) == 2
    assert numbers_in(files_of(folder)) == {0: 1, 1: 1}


def late_sync_fails(folder: Path, control: Control, first: int) -> None:
    """A file that could not be synced at its end, or in time, is said to be so once."""
    for sync in ("close", 60):
        time = Time()
        store = storing.store(folder, time, sync=sync)
        store.append([cell(START, [0])])
        store.append([cell(START + MINUTE, [1])])
        time.pass_by(2 * DAY)
        control.sync_error = errno.EIO
        with pytest.raises(SnapshotError, match=r"cannot be synced .Input/output error"):
            store.tidy()
        store.tidy()
        control.sync_error = 0
        store.append([cell(START + 2 * MINUTE, [2])])
        store.append([cell(START + 3 * MINUTE, [3])])
        control.sync_error = errno.EIO
        with pytest.raises(SnapshotError, match="cannot be synced"):
            store.close()
        store.close()
        control.sync_error = 0
        assert numbers_in(store.files) == dict.fromkeys(range(4), 1)
    start = START + 9 * DAY
    never = storing.store(folder, Time(start), sync="never")
    never.append([cell(start, [4])])
    control.sync_error = errno.EIO
    never.append([cell(start + MINUTE, [5])])
    never.tidy()
    never.close()


def nothing_can_be_undone(folder: Path, control: Control, first: int) -> None:
    """Rows that stay in a file although they should not count as written."""
    store = storing.store(folder, sync="flush")
    store.append([cell(START, [0])])
    control.sync_error = control.change_error = errno.EIO
    cells = [cell(START, [1]), cell(START, [2])]
    assert store.append(cells) == cells
    control.sync_error = control.change_error = 0
    store.append([cell(START, [3])])
    before = store.files[-1].stat().st_size
    store.append([cell(START, [4])])
    frame = store.files[-1].stat().st_size - before
    control.change_error = errno.EIO
    control.budget = 2 * frame + frame // 2
    cells = [cell(START, [row]) for row in (5, 6, 7)]
    assert store.append(cells) == cells[:2]
    with pytest.raises(SnapshotError, match="Input/output error"):
        store.append(cells[2:])
    control.change_error, control.budget = 0, frame // 2
    with pytest.raises(SnapshotError, match="No space left"):
        store.append(cells[2:])
    control.budget = -1
    assert store.append(cells[2:]) == cells[2:]
    control.change_error, control.budget = errno.EIO, frame // 2
    with pytest.raises(SnapshotError, match="No space left"):
        store.append([cell(START, [8])])
    control.change_error, control.budget = 0, -1
    store.append([cell(START, [8])])
    assert numbers_in(files_of(folder)) == dict.fromkeys(range(9), 1)
    torn = [path for path in files_of(folder) if snapshot.read(path).events]
    assert len(torn) == 2


def some_of_several_files(folder: Path, control: Control, first: int) -> None:
    """Around midnight one file may take its rows, and the next one not."""
    store = storing.store(folder)
    store.append([cell(START - MINUTE, [0])])
    control.change_error = errno.EROFS  # a new file cannot be made, the old one be appended to
    cells = [cell(START, [2]), cell(START - MINUTE, [1])]
    assert store.append(cells) == [cells[1]]
    assert "Read-only file system" in store.health.last_error
    refused(store, cells[:1], "Read-only file system")
    control.change_error = 0
    assert store.append(cells[:1]) == cells[:1]
    assert numbers_in(files_of(folder)) == {0: 1, 1: 1, 2: 1}


def read_only(folder: Path, control: Control, first: int) -> None:
    old = storing.store(folder, Time(START - 9 * DAY))
    old.append([cell(START - 9 * DAY, [0])])
    old.close()
    late = storing.store(folder, Time(START - 5 * DAY))
    late.append([cell(START - 5 * DAY, [0])])
    late.close()
    time = Time()
    store = storing.store(folder, time, rollup="1h", retain=RETAIN)
    control.change_error = control.write_error = errno.EROFS
    for _ in range(3):
        with pytest.raises(SnapshotError, match="Read-only file system"):
            store.append([cell(START, [0])])
        time.pass_by(2 * HOUR)
        with pytest.raises(SnapshotError, match="Read-only file system"):
            store.tidy()
    control.change_error = control.write_error = 0
    store.append([cell(START, [0])])
    control.change_error = control.write_error = errno.EROFS
    time.pass_by(2 * HOUR)
    refused(store, [cell(START, [1])], "Read-only file system")
    with pytest.raises(SnapshotError, match="Read-only file system"):
        store.tidy()
    control.change_error = control.write_error = 0
    time.pass_by(2 * HOUR)
    store.append([cell(START, [1])])
    store.tidy()
    assert numbers_in(files_of(folder)) == {0: 1, 1: 1}
    assert left(folder) == []


def files_reach_their_largest_size(folder: Path, control: Control, first: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, resource.RLIM_INFINITY))
    time = Time()
    store = storing.store(folder, time, rollup="1h")
    row, failures = 0, 0
    while len(store.files) < 4:
        try:
            store.append([cell(START, [row])])
            row += 1
        except SnapshotError as error:
            assert "File too large" in str(error)  # noqa: PT017
            failures += 1
    store.close()
    assert failures == 3
    assert left(folder) == []
    assert numbers_in(files_of(folder)) == dict.fromkeys(range(row), 1)


def no_more_descriptors(folder: Path, control: Control, first: int) -> None:
    time = Time()
    store = storing.store(folder, time, rollup="1h")
    store.append([cell(START, [0])])
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limit[1]))
    store.append([cell(START, [1])])  # the file is open already
    with pytest.raises(SnapshotError, match="Too many open files"):
        store.append([cell(START + DAY, [2])])
    time.pass_by(2 * HOUR)
    with pytest.raises(SnapshotError, match="Too many open files"):
        store.tidy()
    resource.setrlimit(resource.RLIMIT_NOFILE, limit)
    store.append([cell(START + DAY, [2])])
    store.close()
    assert numbers_in(files_of(folder)) == {0: 1, 1: 1, 2: 1}


def stalled(folder: Path, control: Control, first: int) -> None:
    """A disk that does not answer holds up the thread that writes, and nobody else."""
    store = storing.store(folder, sync="flush")
    store.append([cell(START, [0])])
    control.stall_us = 1_000_000
    thread = threading.Thread(target=store.append, args=([cell(START, [1])],))
    begin = clock.perf_counter()
    thread.start()
    clock.sleep(0.1)
    assert store.health.files == 1
    assert len(store.files) == 1
    child = os.fork()
    if child == 0:
        control.stall_us = 0
        store.forget()
        store.append([cell(START, [2])])
        store.close()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    asked = clock.perf_counter() - begin
    thread.join()
    assert asked < 1.0 <= clock.perf_counter() - begin
    store.close()
    assert numbers_in(files_of(folder)) == {0: 1, 1: 1, 2: 1}
