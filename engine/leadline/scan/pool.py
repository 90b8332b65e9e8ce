"""Threads, and what they share: work in steps that whoever is free takes next.

The calling thread is one of the threads: it takes steps while it waits for a result, so a scan with
``threads=2`` never has three threads compete for two cores, and a scan with one thread, or one too
small to share, starts none.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

_T = TypeVar("_T")

Step = Callable[[], "Iterable[Step] | None"]
"""One piece of work; it may give further ones, which then take its place."""

# Threads are started once so many values have been handed out: a table of 1,000 rows and 20 columns
# (20,000 values, about a millisecond) is profiled before two threads have taken turns.
_WORTH_THREADS = 65_536


def _nothing() -> None:
    """Nothing to give back."""


class Work(Generic[_T]):
    """Steps towards one result.

    Parameters
    ----------
    steps
        What can be done at once, in any order and by several threads.
    result
        Makes the result once every step is done.
    close
        Gives back what the steps held, also if one of them failed.
    weight
        How much work it is, in values.
    """

    def __init__(
        self,
        steps: Iterable[Step],
        result: Callable[[], _T],
        *,
        close: Callable[[], None] = _nothing,
        weight: int = 0,
    ) -> None:
        self.weight = weight
        self._waiting = deque(steps)
        self._running = 0
        self._error: BaseException | None = None
        self._ending = self._done = False
        self._result, self._close = result, close

    def _ends(self) -> bool:
        """Whether the last step is over; True once. Called under the pool's lock."""
        if self._waiting or self._running or self._ending:
            return False
        self._ending = True
        return True


class Pool:
    """Threads that do the steps of work in the order in which it was added.

    Parameters
    ----------
    threads
        Threads to use, the calling one among them.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._others: list[threading.Thread] = []
        self._changed = threading.Condition()
        self._open: deque[Work[object]] = deque()
        self._handed_out = 0
        self._stopped = False

    def add(self, work: Work[_T]) -> Work[_T]:
        """Let the threads begin with some work."""
        with self._changed:
            self._open.append(work)  # type: ignore[arg-type]
            self._handed_out += work.weight
            self._changed.notify_all()
            ended = work._ends()
            share = self._handed_out > _WORTH_THREADS and not self._others
        if share:
            self._start()
        if ended:  # there was nothing to do
            self._finish(work)
        return work

    def wait(self, work: Work[_T]) -> _T:
        """The result of some work, or its exception; until then this thread takes steps, too."""
        while True:
            with self._changed:
                taken = None
                while not work._done and (taken := self._take()) is None:
                    self._changed.wait()
            if taken is None:
                break
            self._do(taken)
        if work._error is not None:
            raise work._error
        return work._result()

    def drop(self, work: Work[_T]) -> None:
        """Take no further step of some work, whose result is no longer wanted."""
        with self._changed:
            work._waiting.clear()
            ended = work._ends()
        if ended:
            self._finish(work)

    def in_order(self, calls: Iterable[Callable[[], _T]], weight: int) -> Iterator[_T]:
        """Results of many calls, in order; a few of them are under way at any time.

        Parameters
        ----------
        weight
            How much work one call is, in values.
        """
        if self.threads == 1:
            for call in calls:
                yield call()
            return
        under_way: deque[Work[_T]] = deque()
        try:
            for call in calls:
                under_way.append(self.add(_single(call, weight)))
                if len(under_way) > self.threads:
                    yield self.wait(under_way.popleft())
            while under_way:
                yield self.wait(under_way.popleft())
        finally:
            for work in under_way:
                self.drop(work)

    def close(self) -> None:
        """Let running steps end, and drop the rest."""
        with self._changed:
            self._stopped = True
            left = list(self._open)
            self._changed.notify_all()
        for thread in self._others:
            thread.join()
        for work in left:
            work._running = 0  # an interrupt may have come between taking a step and doing it
            self.drop(work)

    def _start(self) -> None:
        for number in range(1, self.threads):
            name = f"leadline-{number}"
            self._others.append(threading.Thread(target=self._serve, name=name, daemon=True))
        for thread in self._others:
            thread.start()

    def _serve(self) -> None:
        while True:
            with self._changed:
                taken = None
                while not self._stopped and (taken := self._take()) is None:
                    self._changed.wait()
            if taken is None:
                return
            self._do(taken)
            del taken  # or the last step's data would live as long as the next one is awaited

    def _take(self) -> tuple[Work[object], Step] | None:
        for work in self._open:
            if work._waiting:
                work._running += 1
                return work, work._waiting.popleft()
        return None

    def _do(self, taken: tuple[Work[object], Step]) -> None:
        work, step = taken
        further: Iterable[Step] | None = None
        error: BaseException | None = None
        try:
            further = step()
        except BaseException as raised:  # noqa: BLE001 (raised again where the result is awaited)
            error = raised
        with self._changed:
            work._running -= 1
            if error is not None:
                work._error = work._error or error
                work._waiting.clear()
            elif further is not None and work._error is None:
                work._waiting.extend(further)
                self._changed.notify_all()
            ended = work._ends()
        if ended:
            self._finish(work)
        if error is not None and not isinstance(error, Exception):
            raise error  # an interrupt of this thread concerns more than this step

    def _finish(self, work: Work[_T]) -> None:
        """Close what has no step left."""
        try:
            work._close()
        except Exception as error:  # noqa: BLE001 (as above)
            work._error = work._error or error
        with self._changed:
            work._done = True
            self._open.remove(work)  # type: ignore[arg-type]
            self._changed.notify_all()


def _single(call: Callable[[], _T], weight: int) -> Work[_T]:
    """One call as work."""
    results: list[_T] = []

    def step() -> None:
        results.append(call())

    return Work([step], results.pop, weight=weight)
