"""Threads that take steps of work together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from leadline.scan.pool import Pool, Step, Work

LARGE = 10**6  # values: worth threads
THREADS = [1, 2, 5]


@pytest.fixture(params=THREADS)
def pool(request: pytest.FixtureRequest) -> Iterator[Pool]:
    before = threading.active_count()
    pool = Pool(request.param)
    yield pool
    pool.close()
    assert threading.active_count() == before


def test_every_step_is_done_once(pool: Pool) -> None:
    done: list[int] = []
    closed: list[bool] = []

    def branch(number: int) -> list[Step]:
        done.append(number)
        return [lambda: done.append(10 * number), lambda: done.append(10 * number + 1)]

    steps: list[Step] = [lambda number=number: branch(number) for number in range(1, 9)]  # type: ignore[misc]
    work = Work(steps, lambda: sorted(done), close=lambda: closed.append(True), weight=LARGE)
    expected = sorted([*range(1, 9), *range(10, 90, 10), *range(11, 91, 10)])
    assert pool.wait(pool.add(work)) == expected
    assert closed == [True]


def test_work_without_steps_is_done(pool: Pool) -> None:
    assert pool.wait(pool.add(Work([], lambda: 3))) == 3


def test_results_come_in_order(pool: Pool) -> None:
    def call(number: int) -> Callable[[], int]:
        def slow_first() -> int:
            time.sleep(0.002 * (number % 3 == 0))
            return number

        return slow_first

    assert list(pool.in_order(map(call, range(40)), LARGE)) == list(range(40))


def test_calls_are_not_made_long_before_they_are_needed(pool: Pool) -> None:
    made: list[int] = []

    def calls() -> Iterator[Callable[[], int]]:
        for number in range(1_000):
            made.append(number)
            yield lambda number=number: number  # type: ignore[misc]

    results = pool.in_order(calls(), LARGE)
    assert next(results) == 0
    assert len(made) <= pool.threads + 1
    results.close()  # type: ignore[attr-defined]


def test_an_error_is_raised_where_its_result_is_awaited(pool: Pool) -> None:
    closed: list[str] = []

    def fail() -> None:
        raise ValueError("step")

    bad = pool.add(
        Work([fail, *([lambda: None] * 20)], lambda: 1, close=lambda: closed.append("bad"))
    )
    good = pool.add(Work([lambda: None], lambda: 2, weight=LARGE))
    assert pool.wait(good) == 2
    with pytest.raises(ValueError, match="step"):
        pool.wait(bad)
    assert closed == ["bad"]


def test_an_interrupt_ends_the_wait_at_once() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    pool = Pool(1)
    pool.add(Work([interrupted], lambda: 1))
    later = pool.add(Work([lambda: None], lambda: 2))
    with pytest.raises(KeyboardInterrupt):
        pool.wait(later)
    pool.close()


def test_dropped_work_is_closed_and_not_begun(pool: Pool) -> None:
    done: list[int] = []
    closed: list[bool] = []
    work = pool.add(Work([lambda: done.append(1)], lambda: 1, close=lambda: closed.append(True)))
    pool.drop(work)
    pool.drop(work)
    assert pool.wait(pool.add(Work([lambda: None], lambda: 2))) == 2
    assert (done, closed) == ([], [True])


def test_what_is_left_is_closed_with_the_pool() -> None:
    closed: list[bool] = []
    pool = Pool(2)
    pool.add(Work([lambda: None] * 100, lambda: 1, close=lambda: closed.append(True)))
    pool.close()
    assert closed == [True]


def test_small_work_starts_no_threads() -> None:
    before = threading.active_count()
    pool = Pool(4)
    assert pool.wait(pool.add(Work([lambda: None], lambda: 1, weight=20_000))) == 1
    assert threading.active_count() == before
    assert pool.wait(pool.add(Work([lambda: None], lambda: 1, weight=LARGE))) == 1
    assert threading.active_count() == before + 3
    pool.close()
    assert threading.active_count() == before


def test_all_threads_take_part() -> None:
    """Three steps that wait for each other end only if three threads take them."""
    barrier = threading.Barrier(3, timeout=30)
    pool = Pool(3)
    work = Work([lambda: (barrier.wait(), None)[1]] * 3, lambda: 1, weight=LARGE)
    assert pool.wait(pool.add(work)) == 1
    pool.close()
