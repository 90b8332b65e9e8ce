"""Programs with a monitor that fork, end and are ended, as services do; tests run them.

python living.py PROGRAM FOLDER [NUMBER]
"""

from __future__ import annotations

import atexit
import faulthandler
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import leadline as ll

ROWS = 1_000
# Nothing is written but at the end, where that is what a test is about.
SELDOM = "1h"


def log(monitor: ll.Monitor, who: str, rows: int = ROWS) -> None:
    for number in range(rows):
        monitor.log({"number": number, "who": who})


def tell(what: str) -> None:
    """Say something to the test, at once."""
    os.write(1, f"{what}\n".encode())


def made(folder: str, **options: Any) -> ll.Monitor:
    return ll.Monitor("test", folder, **{"flush": SELDOM, **options})


# --- ends ----------------------------------------------------------------------------------------


def returns(folder: str) -> None:
    log(made(folder), "main")


def held_by_nobody(folder: str) -> None:
    """The monitor is a local variable of a function that is over when the process ends."""
    returns(folder)
    time.sleep(0.2)


def raises(folder: str) -> None:
    monitor = made(folder)
    log(monitor, "main")
    raise RuntimeError("on purpose")


def logs_at_exit(folder: str) -> None:
    """What other handlers log at the end counts, too: they run before those set earlier."""
    monitor = made(folder)
    log(monitor, "main")
    atexit.register(log, monitor, "exit")


def logs_in_a_thread_until_the_end(folder: str) -> None:
    """A thread that is never stopped: what comes after the end is dropped and counted."""
    monitor = made(folder)

    def forever() -> None:
        while True:
            log(monitor, "thread", 10)

    threading.Thread(target=forever, daemon=True).start()
    time.sleep(0.3)
    monitor.close()
    status = monitor.status()
    Path(folder, "accepted").write_text(f"{status.accepted} {status.saved}", "ascii")


def told_to_end(folder: str) -> None:
    monitor = made(folder, sigterm=True)
    log(monitor, "main")
    tell("ready")
    time.sleep(60)


def told_to_end_while_busy(folder: str) -> None:
    """Says now and then how many rows were logged; all of these must be in the file."""
    monitor = made(folder, flush="10ms", sigterm=True)
    threading.Thread(target=_log_forever, args=(monitor,), daemon=True).start()
    number = 0
    while True:
        monitor.log({"number": number, "who": "main"})
        number += 1
        if number % 100 == 0:
            tell(str(number))


def _log_forever(monitor: ll.Monitor) -> None:
    while True:
        log(monitor, "thread", 100)
        time.sleep(0.001)


def told_to_end_with_a_handler(folder: str) -> None:
    """A handler that was there before is called, and the process goes on if it says so."""
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    monitor = made(folder, sigterm=True)
    log(monitor, "main")
    tell("ready")
    told.wait(60)
    log(monitor, "main")


def told_to_end_and_deaf(folder: str) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    monitor = made(folder, sigterm=True)
    log(monitor, "main")
    tell("ready")
    sys.stdin.readline()
    log(monitor, "main")


# --- processes that multiprocessing starts ------------------------------------------------------

_of_the_module: ll.Monitor | None = None


def _child(folder: str, who: str) -> None:
    """In a forked child this is the parent's monitor; in a spawned one it is made anew."""
    global _of_the_module  # noqa: PLW0603
    _of_the_module = _of_the_module or made(folder)
    log(_of_the_module, who)


def _multiprocessing(folder: str, method: str) -> None:
    global _of_the_module  # noqa: PLW0603
    _of_the_module = made(folder)
    log(_of_the_module, "parent")
    context = multiprocessing.get_context(method)
    children = [context.Process(target=_child, args=(folder, f"child {n}")) for n in range(3)]
    for child in children:
        child.start()
    log(_of_the_module, "parent")
    for child in children:
        child.join()
        assert child.exitcode == 0
    log(_of_the_module, "parent")


def multiprocessing_fork(folder: str) -> None:
    _multiprocessing(folder, "fork")


def multiprocessing_spawn(folder: str) -> None:
    _multiprocessing(folder, "spawn")


def multiprocessing_forkserver(folder: str) -> None:
    _multiprocessing(folder, "forkserver")


def pool(folder: str) -> None:
    global _of_the_module  # noqa: PLW0603
    _of_the_module = made(folder)
    log(_of_the_module, "parent", 3 * ROWS)
    with ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as executor:
        for _ in executor.map(_child, [folder] * 3, ["child 0", "child 1", "child 2"]):
            pass


def terminated_child(folder: str) -> None:
    """`Process.terminate` and `Pool.terminate` send SIGTERM; the handler came with the fork."""
    monitor = made(folder, sigterm=True)
    log(monitor, "parent", 3 * ROWS)
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()

    def child(who: str) -> None:
        log(monitor, who)
        there.send(who)
        time.sleep(60)

    children = [context.Process(target=child, args=(f"child {n}",)) for n in range(3)]
    for process in children:
        process.start()
        here.recv()
    for process in children:
        process.terminate()
        process.join()
        assert process.exitcode == -signal.SIGTERM


def batches_in_a_child(folder: str) -> None:
    """A worker that only ever logs batches, as for offline scoring."""
    monitor = made(folder)
    log(monitor, "parent", 3 * ROWS)
    context = multiprocessing.get_context("fork")

    def child(who: str) -> None:
        monitor.log_batch({"number": list(range(ROWS)), "who": [who] * ROWS})

    children = [context.Process(target=child, args=(f"child {n}",)) for n in range(3)]
    for process in children:
        process.start()
    for process in children:
        process.join()


# --- os.fork -------------------------------------------------------------------------------------


def forks_of_forks(folder: str) -> None:
    """Three generations; each logs before and after it forks, and ends by itself."""
    monitor = made(folder)
    log(monitor, "parent")
    generation = 0
    while generation < 3:
        child = os.fork()
        if child:
            _ended(child)
            break
        generation += 1
        log(monitor, f"child {generation - 1}")
    if generation == 0:
        log(monitor, "parent", 2 * ROWS)


def fork_of_a_closed_one(folder: str) -> None:
    """A closed monitor stays closed, in the child too, where it can be asked."""
    monitor = made(folder)
    log(monitor, "parent")
    monitor.close()
    if (child := os.fork()) == 0:
        log(monitor, "child")
        monitor.close()
        status = monitor.status()
        os._exit(0 if (status.accepted, status.saved) == (0, 0) else 1)
    _ended(child)


def fork_storm(folder: str, forks: str) -> None:
    """Threads log and the flusher writes all the time, while children are forked, log and end.

    Files are written by the tenth of a second, so that forks fall into every step of it. The rows
    of the parent and of the children bear the number of the fork; a child that hangs is killed by
    its own alarm.
    """
    count = int(forks)
    monitor = made(folder, flush="20ms", every="1s", sync="never")
    running = True

    def busy(who: str) -> None:
        number = 0
        while running:
            monitor.log({"number": number, "who": who})
            number += 1
            if number % 20 == 0:
                time.sleep(0.001)
        written[who] = number

    written: dict[str, int] = {}
    threads = [threading.Thread(target=busy, args=(f"thread {n}",), daemon=True) for n in range(2)]
    for thread in threads:
        thread.start()
    resident: list[int] = []
    for number in range(count):
        child = os.fork()
        if child == 0:
            _short_life(monitor, number)
        _ended(child)
        if number in {count // 5, count - 1}:
            resident.append(_resident())
    running = False
    for thread in threads:
        thread.join()
    monitor.close()
    status = monitor.status()
    assert sum(written.values()) == status.accepted == status.saved, (written, status)
    tell(f"{status.accepted} {resident[0]} {resident[1]}")


CHILD_ROWS = 10


def _short_life(monitor: ll.Monitor, number: int) -> None:
    faulthandler.register(signal.SIGALRM, chain=True)  # says where it hangs
    signal.alarm(20)
    status = monitor.status()
    fresh = (status.accepted, status.waiting, status.saved, status.files) == (0, 0, 0, ())
    for _ in range(CHILD_ROWS):
        monitor.log({"number": number, "who": "child"})
    if number % 2:
        monitor.flush()
    monitor.close()
    status = monitor.status()
    whole = status.accepted == status.saved == CHILD_ROWS
    os._exit(0 if fresh and whole else 1)


def _ended(child: int) -> None:
    _, code = os.waitpid(child, 0)
    assert code == 0, f"a child ended with {code}"


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    _program: Callable[..., None] = globals()[sys.argv[1]]
    _program(*sys.argv[2:])
