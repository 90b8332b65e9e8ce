"""The background of a monitor: rows to cells, cells to files, closed windows to whoever asked.

One thread does all of it, so nothing here waits for a lock that a request could hold. Most of its
time is spent in kernels and in system calls, without the interpreter.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from .._capture import Batch, Recorder
from ..errors import LeadlineError, SnapshotError
from ..sketch.scratch import UNIT_ROWS
from .batches import Copies, Copy
from .intake import Intake
from .store import Store
from .windows import Observer, OpenWindows

_LOG = logging.getLogger("leadline")
# The same kind of failure is written to the log once in this many seconds.
_QUIET = 3_600.0
# With more windows than these in memory they are written at once.
_MANY_WINDOWS = 256
# What `stop` waits for the thread, which may hang in a disk that does not answer.
_PATIENCE = 30.0


class Worker:
    """Summarises, writes and closes; `start` runs it in a thread.

    Parameters
    ----------
    recorder
        Where rows wait.
    intake
        How rows become cells of windows.
    store
        Where cells are written; None if they only stay in memory until their window is closed.
    k
        Size of the quantile sketches.
    flush
        Seconds between two writes.
    memory
        Bytes of unwritten cells that are kept while the disk refuses.
    """

    def __init__(
        self,
        recorder: Recorder,
        intake: Intake,
        store: Store | None,
        *,
        k: int,
        flush: float,
        memory: int,
    ) -> None:
        self._recorder, self._intake = recorder, intake
        self._store, self._k, self._interval, self._memory = store, k, flush, memory
        self.observers: tuple[Observer, ...] = ()
        self.errors: Counter[str] = Counter()
        self.last_error = ""
        self._logged: dict[str, float] = {}
        self.forget()

    def forget(self) -> None:
        """Begin anew, as in a forked child: whatever was not written is the parent's to write."""
        self._work = threading.Lock()
        self._worker = 0  # the thread that holds the lock
        self._thread: threading.Thread | None = None
        self._stopping = False
        self.windows = OpenWindows(self._k)
        self.saved = self.unwritten = self.closed = 0
        self.flushed: float | None = None
        self._due = time.monotonic() + self._interval
        self._tried = 0  # when a write was last tried, in microseconds since 1970
        self._intake.forget()
        self.copies = Copies()
        for observer in self.observers:
            self._attempt("fork", observer.forget)

    @property
    def running(self) -> bool:
        """Whether the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start the thread if it does not run."""
        if self.running or self._stopping:
            return
        self._thread = threading.Thread(target=self._run, name="leadline-monitor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let the thread end, write what is left in the calling one, and close the files."""
        self._stopping = True
        self._recorder.wake()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(_PATIENCE)
        self.flush()
        with self._working(0) as mine:  # not while the thread hangs in a disk that does not answer
            if mine and self._store is not None:
                self._attempt("close", self._store.close)

    def flush(self, timeout: float = _PATIENCE) -> bool:
        """Summarise and write all that was logged before; False if that was not possible.

        A signal handler may call it while the very same thread is at it: then nothing is done.
        """
        with self._working(timeout) as mine:
            if not mine:
                return False
            self._recorder.seal()
            summarised = self._attempt("summarise", self._summarise)
            return self._attempt("write", self._write) and summarised

    def pause(self, seconds: float) -> bool:
        """Keep the thread from working until `resume`; False if it did not end its work in time."""
        return self._worker != threading.get_ident() and self._work.acquire(timeout=seconds)

    def resume(self) -> None:
        """Let the thread go on after a successful `pause`."""
        self._work.release()

    @contextmanager
    def _working(self, timeout: float = -1) -> Iterator[bool]:
        """Whether the calling thread alone may touch the windows and the files."""
        if self._worker == threading.get_ident() or not self._work.acquire(timeout=timeout):
            yield False
            return
        self._worker = threading.get_ident()
        try:
            yield True
        finally:
            self._worker = 0
            self._work.release()

    # --- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping:
            self._recorder.wait(max(self._wake_at() - time.monotonic(), 0.0))
            with self._working():
                if time.monotonic() >= self._wake_at():
                    self._recorder.seal()
                self._attempt("summarise", self._summarise)
                if time.monotonic() >= self._wake_at():
                    self._attempt("write", self._write)

    def _wake_at(self) -> float:
        """When to write next: after an interval, or as soon as the window has ended."""
        newest = self.windows.newest()
        end = None if newest is None else newest.window.end
        if end is None or end <= self._tried:  # a disk that refused is asked again in an interval
            return self._due
        return min(self._due, time.monotonic() + max(end / 1e6 - time.time(), 0.0))

    def _summarise(self) -> None:
        """Everything sealed so far, in portions of a unit of work."""
        while taken := self._recorder.take(UNIT_ROWS):
            try:
                for cells in self._intake.cells(taken):
                    self.windows.add(cells)
            finally:
                for one in taken:
                    if isinstance(one, Batch) and isinstance(one.data, Copy):
                        self.copies.give_back(one.data)
                    self._recorder.release(one)
            if len(self.windows) > _MANY_WINDOWS:
                self._due = time.monotonic()

    def _write(self) -> None:
        """Write what is only in memory, then close the windows that have ended."""
        self._due = time.monotonic() + self._interval
        self._tried = time.time_ns() // 1_000
        try:
            self._save()
        except SnapshotError:
            while self.windows.nbytes > self._memory and (rows := self.windows.drop_oldest()):
                self.unwritten += rows
            raise
        finally:
            for window in self.windows.close(self._tried):
                self.closed += 1
                for observer in self.observers:
                    self._attempt("closed window", partial(observer.closed, window))

    def _save(self) -> None:
        cells = self.windows.unsaved()
        store = self._store
        written = store.append(cells) if store is not None and cells else cells
        self.windows.mark_saved(written)
        self.saved += sum(cell.rows for cell in written)
        for observer in self.observers if written else ():
            self._attempt("saved cells", partial(observer.saved, written))
        if len(written) < len(cells):
            assert store is not None
            raise SnapshotError(store.health.last_error)
        self.flushed = time.monotonic()
        if store is not None:
            self._attempt("tidy", store.tidy)

    def _attempt(self, kind: str, work: Callable[[], object]) -> bool:
        """Run one piece of work; a failure is counted, kept and said once, never raised."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 (nothing may end the thread)
            self.failed(kind, error)
            return False
        return True

    def failed(self, kind: str, error: BaseException) -> None:
        """Count a failure; the first of its kind in an hour is written to the log."""
        self.errors[kind] += 1
        self.last_error = f"{kind}: {error}"
        now = time.monotonic()
        if now - self._logged.get(kind, -_QUIET) >= _QUIET:
            self._logged[kind] = now
            known = isinstance(error, LeadlineError)
            _LOG.warning("monitor: %s", self.last_error, exc_info=None if known else error)
