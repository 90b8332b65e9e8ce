"""Many threads, turning epochs, a thread that takes: every row is there once, in its own epoch."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from capturing import batch_of, recorder
from leadline._capture import Recorder


@contextmanager
def eager_switching() -> Iterator[None]:
    """Threads take turns a thousand times as often as usual."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def run(targets: list[Callable[[], None]]) -> None:
    errors: list[BaseException] = []

    def guarded(target: Callable[[], None]) -> None:
        try:
            target()
        except BaseException as error:  # noqa: BLE001 (shown by the assertion)
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(target,)) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


class Taker:
    """What a summarising thread does, beside the threads that log."""

    def __init__(self, kept: Recorder) -> None:
        self.kept = kept
        self.ids: list[np.ndarray] = []
        self.epochs: list[int] = []
        self.late = 0
        self.done = False

    def __call__(self) -> None:
        while not self.done:
            self.kept.wait(0.002)
            self.take()
        self.kept.seal()
        self.take()

    def take(self) -> None:
        while taken := self.kept.take(10_000):
            for block in taken:
                batch = batch_of(block)
                ids = np.frombuffer(batch.column(0).buffers()[1], np.int64, len(batch))
                self.ids.append(ids.copy())
                self.epochs.append(block.epoch)
                texts = batch.column(1).to_pylist()
                assert texts == [str(number) for number in ids.tolist()]
                self.kept.release(block)


class Converted:
    """A number whose conversion lets other threads in."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        time.sleep(0)
        return self.value


@pytest.mark.parametrize("threads", [2, 64])
def test_no_row_is_lost_or_doubled_while_epochs_turn(threads):
    rows, step = 128_000 // threads, 200_000
    kept = recorder(step_ns=step, rows=10**7, bytes=2**30)
    taker = Taker(kept)
    before = time.time_ns() // step

    def log(thread: int) -> None:
        for number in range(thread * rows, (thread + 1) * rows):
            odd = number % 50 == 0
            kept.log({"id": Converted(number) if odd else number, "text": str(number)})

    with eager_switching():
        taking = threading.Thread(target=taker)
        taking.start()
        run([lambda thread=thread: log(thread) for thread in range(threads)])
        taker.done = True
        kept.wake()
        taking.join()
    after = time.time_ns() // step
    found = np.sort(np.concatenate(taker.ids))
    assert np.array_equal(found, np.arange(threads * rows))
    assert len(set(taker.epochs)) >= 100
    assert all(before <= epoch <= after for epoch in taker.epochs)
    counters = kept.counters()
    assert counters["accepted"] == counters["taken"] == threads * rows
    assert counters["waiting"] == counters["held"] == counters["bytes"] == 0
    assert sum(counters["dropped"].values()) == 0


def test_accepted_and_dropped_are_all_rows_when_bounds_are_hit_from_all_sides():
    kept = recorder(step_ns=10**6, rows=500, bytes=60_000)
    taker = Taker(kept)
    rows = 5_000

    def log(thread: int) -> None:
        for number in range(thread * rows, (thread + 1) * rows):
            kept.log({"id": number, "text": str(number)})

    with eager_switching():
        taking = threading.Thread(target=taker)
        taking.start()
        run([lambda thread=thread: log(thread) for thread in range(16)])
        taker.done = True
        taking.join()
    counters = kept.counters()
    assert counters["accepted"] + sum(counters["dropped"].values()) == 16 * rows
    ids = np.concatenate(taker.ids)
    assert len(ids) == len(np.unique(ids)) == counters["accepted"] == counters["taken"]
    assert counters["dropped"]["rows"] + counters["dropped"]["bytes"] > 0
    assert counters["bytes"] == 0


def test_new_fields_from_many_threads():
    kept = recorder(fields_limit=500, rows=10**7, bytes=2**30)

    def log(thread: int) -> None:
        for number in range(200):
            kept.log({"id": number, f"field {number}": thread, f"own {thread}": number})

    with eager_switching():
        run([lambda thread=thread: log(thread) for thread in range(16)])
    names = {"id", *(f"field {i}" for i in range(200)), *(f"own {i}" for i in range(16))}
    assert set(kept.fields) == names
    assert len(kept.fields) == len(names)
    kept.seal()
    counts: Counter[str] = Counter()
    for block in kept.take(10**9):
        batch = batch_of(block)
        counts.update(
            {name: len(batch) - batch.column(name).null_count for name in batch.schema.names}
        )
    assert counts["id"] == 3_200
    assert all(counts[f"field {i}"] == 16 for i in range(200))
    assert all(counts[f"own {i}"] == 200 for i in range(16))


def test_one_block_asked_for_its_columns_by_many_threads():
    kept = recorder(bytes=2**28)
    for number in range(20_000):
        kept.log({"id": number, "text": str(number)})
    kept.seal()
    block = kept.take(1)[0]
    outcomes: list[object] = []

    def ask() -> None:
        try:
            outcomes.append(block.columns())
        except RuntimeError as error:
            outcomes.append(str(error))

    with eager_switching():
        run([ask] * 8)
    made = [outcome for outcome in outcomes if isinstance(outcome, list)]
    assert made
    assert all(one is made[0] for one in made)
    refused = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert all("another thread" in words for words in refused)


def test_a_waiting_thread_is_woken_when_half_of_a_bound_is_reached():
    kept = recorder(rows=8_000)
    woken: list[bool] = []
    waiting = threading.Thread(target=lambda: woken.append(kept.wait(30)))
    waiting.start()
    began = time.monotonic()
    for number in range(3_000):
        kept.log({"x": number})
    time.sleep(0.05)
    assert woken == []
    for number in range(3_000):
        kept.log({"x": number})
    waiting.join()
    assert woken == [True]
    assert time.monotonic() - began < 20
    assert sum(block.rows for block in kept.take(10**9)) >= 3_000


def resident_bytes() -> int:
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * 4_096


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc")
@pytest.mark.skipif("asan" in os.environ.get("LD_PRELOAD", ""), reason="keeps freed memory")
def test_ten_thousand_short_threads_leave_nothing():
    kept = recorder(rows=10**6)

    def log() -> None:
        for number in range(5):
            kept.log({"id": number, "text": str(number)})

    def some_threads(count: int) -> None:
        for _ in range(count // 10):
            run([log] * 10)
            kept.seal()
            for block in kept.take(10**9):
                block.columns()
                kept.release(block)

    some_threads(1_000)
    before = resident_bytes()
    some_threads(10_000)
    assert resident_bytes() - before < 2**20
    counters = kept.counters()
    assert counters["accepted"] == counters["taken"] == 55_000
    assert counters["bytes"] == 0
