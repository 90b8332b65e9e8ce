"""Many threads, many windows: every row is in the files exactly once.

LEADLINE_SOAK=full (make test-soak) logs ten million rows from 64 threads through 1,000 windows.
Threads pause between bursts, as those of a service do: 64 that never let go of the interpreter keep
the summaries from it for a third of a second at a time, and rows are dropped (and counted).
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

import leadline as ll

FULL = os.environ.get("LEADLINE_SOAK") == "full"
THREADS, ROWS, TURNS = (64, 10_000_000, 1_000) if FULL else (16, 200_000, 50)
BURST = 125
PAUSE = BURST * THREADS / 100_000  # seconds: 100,000 rows a second, all threads together


def test_no_row_is_lost_and_none_is_counted_twice(tmp_path: Path) -> None:
    each = ROWS // THREADS
    begin = threading.Barrier(THREADS)
    with ll.Monitor("soak", tmp_path, every="20ms", flush="50ms") as monitor:

        def log(thread: int) -> None:
            begin.wait()
            for number in range(thread * each, (thread + 1) * each):
                if number % BURST == 0:
                    time.sleep(PAUSE)
                monitor.log({"id": number, "thread": thread, "parity": number % 2})

        threads = [threading.Thread(target=log, args=(place,)) for place in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    status = monitor.status()
    rows = each * THREADS
    assert (status.accepted, status.saved, status.dropped) == (rows, rows, 0)
    assert status.windows_closed >= TURNS
    found = ll.merge([ll.read(path) for path in sorted(tmp_path.glob("*.lead"))])
    assert found.rows == rows
    # The mean of 0 to n - 1 is (n - 1) / 2: one row lost or doubled would move it.
    assert found["id"].mean == pytest.approx((rows - 1) / 2, rel=1e-12)
    assert (found["id"].min, found["id"].max) == (0, rows - 1)
    assert dict(found["parity"].top) == {0: rows // 2, 1: rows // 2}
    assert sorted(found["thread"].most_frequent(THREADS)) == [
        (place, each) for place in range(THREADS)
    ]
