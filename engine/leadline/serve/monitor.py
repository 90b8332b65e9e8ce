"""`Monitor`: what a service calls for every request."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from .._capture import Plan, Recorder
from ..compare.thresholds import Limits, Thresholds
from ..errors import InputError, LeadlineError
from ..policy import Policy
from ..profile import Profile, Settings
from ..scan.windows import Period
from ..schema import role_named
from ..snapshot import read
from ..trend.window_verdict import WindowVerdict
from . import lifecycle
from .batches import batches_of, size_of
from .checks import checks_of, install
from .compact import RollupOption
from .drift import Drift, DriftObserver
from .epochs import Epochs
from .intake import Intake
from .rows import bind
from .status import Status
from .store import Store
from .summarise import Summariser
from .timed import ERROR, LATENCY, Timed
from .violations import Reporter, Violations
from .windows import Observer
from .worker import Worker

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from .prometheus import Exporter

# Files begin with it.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")

DEFAULT_MEMORY = 64 * 2**20
DEFAULT_ROWS = 1_000_000
DEFAULT_TEXT = 65_536
DEFAULT_FIELDS = 1_000


class Monitor:
    """Profiles what a running service logs, row by row, beside its requests.

    ``log`` captures the values of one row and returns, in about a microsecond; it never waits, and
    never raises unless ``strict`` is set. A thread summarises what was logged and writes the
    summaries to a snapshot file of this process.

    Parameters
    ----------
    name
        Name of the service or model; names of files begin with it.
    directory
        Folder of the snapshot files, made if it is not there. Without one nothing is written, and
        summaries only live until their window is closed.
    every, tz
        Length of the windows (``500ms``, ``10s``, ``1m``, ``1h``, ``1d``) and the zone in which
        days begin.
    flush
        Time between two writes, such as ``10s``: after a kill at most the rows since the last one
        are gone.
    sync
        When files are forced to the disk, which only matters if the whole machine dies: ``flush``
        (every write), ``close`` (when a file is ended), ``never``, or a number of seconds.
    rollup
        Longer windows that the windows of the own files become: ``1h``, or ``["1h", "1d"]``, as
        soon as these are over; ``{"1h": "1d", "1d": "7d"}`` after a day and after a week.
    retain
        How long files of this name are kept after their last window, such as ``30d``; for ever by
        default. Weeks without any file do not count, so that a wrong clock removes nothing.
    roles
        Role of columns by name: ``feature``, ``prediction``, ``score``, ``label``, ``id``, ...
    segments
        Columns whose values divide the rows.
    redact
        Columns of which files keep no raw values.
    tags
        Texts that describe the service: model version, host, ...
    memory, rows
        Most bytes and most rows that wait to be summarised; what comes beyond is dropped and
        counted. As many bytes of summaries are kept while the disk refuses them.
    text_bytes
        Longest text of one value; a longer one counts as null, and as a violation ``oversized``.
    fields
        Most fields; a new key beyond is counted, not kept.
    reference
        A profile, or the path of its snapshot: every row is checked for missing, extra, mistyped,
        out-of-range and unseen values, and every closed window is judged beside it (`Drift`).
    policy
        A policy, or the path of its file, whose bounds of single values are checked too.
    budget
        False events of drift that are acceptable over all columns, such as ``1/week``, the default.
    thresholds
        Numbers that replace defaults of verdicts (see `Thresholds`); by default the policy's.
    on_verdict
        Called in the background with the verdict of every judged window.
    on_violation
        Called in the background, after a write, with the violations since the last call: counts by
        field and reason.
    strict
        Raise on rows that cannot be captured as they are; for tests.
    sigterm
        Write what is left when the process is told to end.

    Raises
    ------
    InputError
        If an argument cannot be used.

    Examples
    --------
    >>> import leadline as ll
    >>> with ll.Monitor("fraud") as monitor:
    ...     monitor.log({"age": 31, "country": "DE"})
    ...     monitor.status().accepted
    1
    """

    def __init__(
        self,
        name: str,
        directory: str | os.PathLike[str] | None = None,
        *,
        every: str = "1m",
        tz: str = "UTC",
        flush: str = "10s",
        sync: str | float = "close",
        rollup: RollupOption = None,
        retain: str | None = None,
        roles: Mapping[str, str] | None = None,
        segments: Collection[str] = (),
        redact: Collection[str] = (),
        tags: Mapping[str, str] | None = None,
        memory: int = DEFAULT_MEMORY,
        rows: int = DEFAULT_ROWS,
        text_bytes: int = DEFAULT_TEXT,
        fields: int = DEFAULT_FIELDS,
        reference: Profile | str | os.PathLike[str] | None = None,
        policy: Policy | str | os.PathLike[str] | None = None,
        on_violation: Callable[[Violations], object] | None = None,
        budget: str | None = None,
        thresholds: Limits | Thresholds | Mapping[str, Any] | None = None,
        on_verdict: Callable[[WindowVerdict], object] | None = None,
        strict: bool = False,
        sigterm: bool = False,
    ) -> None:
        self._name = _name(name)
        self._epochs = Epochs(every, tz)
        self._settings = Settings(
            every=every, tz=tz, segments=tuple(segments), redacted=tuple(redact)
        )
        roles = {column: role_named(column, role) for column, role in (roles or {}).items()}
        self._strict, self._memory = strict, memory
        self._closed = False
        past, rules, problem = self._read(reference, policy)
        checks = checks_of(past, rules)
        self._intake = Intake(
            self._epochs, Summariser(self._settings, roles), checks, (ERROR, LATENCY)
        )
        self._recorder = Recorder(
            [check.name for check in checks],
            classes={check.name: check.kind for check in checks},
            step_ns=self._epochs.step,
            rows=_positive("rows", rows),
            bytes=_positive("memory", memory),
            strict=strict,
            text_limit=_positive("text_bytes", text_bytes),
            fields_limit=_positive("fields", fields),
        )
        self._store = None
        if directory is not None:
            self._store = Store(
                Path(directory),
                self._name,
                settings=self._settings,
                tags=dict(tags or {}),
                sync=sync,
                rollup=rollup,
                retain=None if retain is None else Period.parse(retain).seconds,
            )
        self._worker = Worker(
            self._recorder,
            self._intake,
            self._store,
            k=self._settings.k,
            flush=Period.parse(flush).seconds,
            memory=memory,
        )
        self._recorder.on_start = self._start
        install(self._recorder, checks)
        if problem is not None:
            self._worker.failed("reference", problem)
        self.drift: Drift | None = None
        if past is not None:
            if thresholds is None and rules is not None:
                thresholds = rules.thresholds
            self.drift = Drift(
                past, every=every, tz=tz, budget=budget, thresholds=thresholds, roles=roles
            )
            self.observe(DriftObserver(self.drift, on_verdict, k=self._settings.k))
        if on_violation is not None:
            self.observe(Reporter(self._violations, on_violation))
        # An attribute of the instance: the request calls the C function itself, which saves the
        # 60 ns of a Python frame.
        self.__dict__["log"] = self._recorder.log
        lifecycle.register(self)
        if sigterm:
            lifecycle.flush_on_sigterm()

    @property
    def name(self) -> str:
        """Name of the service or model."""
        return self._name

    @property
    def settings(self) -> Settings:
        """Settings of its profiles."""
        return self._settings

    def log(self, row: Any) -> None:
        """Capture one row.

        Parameters
        ----------
        row
            A dict of values by field; or a dataclass, named tuple or pydantic-like object, whose
            fields are those of its type. Numbers, texts, booleans, times and None are taken as they
            are at the moment of the call.
        """
        self._recorder.log(row)  # pragma: no cover (the instance's attribute is called)

    def bind(self, fields: Sequence[str]) -> Plan:
        """A plan for rows that come as tuples or as objects with these fields.

        Parameters
        ----------
        fields
            Names in the order of the tuples.

        Returns
        -------
        Plan
            Its ``log(row)`` takes tuples, lists, dicts and objects.
        """
        return bind(self._recorder, fields)

    def log_batch(self, data: Any) -> None:
        """Capture many rows at once.

        Parameters
        ----------
        data
            Anything with the Arrow interface (pyarrow, polars, pandas, DuckDB), a dict of arrays,
            NumPy arrays, or an iterable of record batches.
        """
        try:
            for batch in batches_of(data):
                self._log_rows(batch)
        except LeadlineError as error:
            if self._strict:
                raise
            self._worker.failed("log_batch", error)

    def timed(self) -> Timed:
        """Measure a request and log its row at the end, with the columns latency and error.

        Examples
        --------
        >>> import leadline as ll
        >>> monitor = ll.Monitor("fraud")
        >>> with monitor.timed() as request:
        ...     request.update(age=31)
        ...     request["score"] = 0.25
        >>> monitor.close()
        """
        return Timed(self.log)

    def flush(self, timeout: float = 10.0) -> bool:
        """Summarise and write all that was logged before.

        Parameters
        ----------
        timeout
            Seconds to wait for a write that is under way.

        Returns
        -------
        bool
            Whether all of it is written; if not, `status` says why, and it is tried again later.
        """
        return self._worker.flush(timeout)

    def status(self) -> Status:
        """How many rows were accepted, saved and dropped, and how the monitor is."""
        worker, store = self._worker, self._store
        # In this order: a row that moves on meanwhile is counted among the open ones.
        saved, lost = worker.saved, {"unwritten": worker.unwritten, "failed": self._intake.failed}
        flushed = worker.flushed
        counters = self._recorder.counters()
        accepted, waiting = counters["accepted"], counters["waiting"]
        dropped = {**counters["dropped"], **lost}
        return Status(
            name=self._name,
            pid=os.getpid(),
            accepted=accepted,
            saved=saved,
            waiting=waiting,
            open=accepted - waiting - saved - sum(lost.values()),
            dropped=sum(dropped.values()),
            dropped_by_reason={reason: rows for reason, rows in dropped.items() if rows},
            violations=self._violations(),
            extra_fields=self._recorder.extra() | self._intake.extra,
            bytes_waiting=counters["bytes"],
            bytes_open=worker.windows.nbytes,
            windows_open=len(worker.windows),
            windows_closed=worker.closed,
            last_flush=None if flushed is None else time.monotonic() - flushed,
            errors=dict(worker.errors),
            last_error=worker.last_error,
            files=() if store is None else tuple(map(str, store.files)),
            running=worker.running,
            drift=None if self.drift is None else self.drift.status(),
        )

    def observe(self, observer: Observer) -> None:
        """Let somebody follow what is written and which windows are over.

        Parameters
        ----------
        observer
            Its methods are called in the monitor's thread; what they raise is counted and logged.
        """
        self._worker.observers = (*self._worker.observers, observer)

    def ignore(self, observer: Observer) -> None:
        """Undo `observe`.

        Parameters
        ----------
        observer
            Nothing is done if it does not follow the monitor.
        """
        others = (known for known in self._worker.observers if known is not observer)
        self._worker.observers = tuple(others)

    def export(
        self,
        registry: CollectorRegistry | None = None,
        *,
        fields: Sequence[str] | None = None,
        quantiles: Sequence[float] = (0.05, 0.5, 0.95),
        more: Sequence[str] = (),
        bounds: Sequence[float] | None = None,
    ) -> Exporter:
        """Export metrics to Prometheus; needs the extra ``prometheus``.

        Parameters
        ----------
        registry
            Where to register, beside metrics of your own; prometheus_client's own by default.
        fields
            Fields that are exported; all by default.
        quantiles
            Which quantiles of a number.
        more
            Further figures of every field: ``deviation``, ``minimum``, ``maximum``, ``nan``,
            ``distinct``, ``info``.
        bounds
            Bounds of the classic buckets of durations, in seconds; 5 ms to 10 s by default.

        Returns
        -------
        Exporter
            The collector of the registry, which several monitors share.

        Raises
        ------
        InputError
            If an option cannot be used.
        """
        from .prometheus import exporter_of

        exporter = exporter_of(registry)
        exporter.add(self, fields=fields, quantiles=quantiles, more=more, bounds=bounds)
        return exporter

    def close(self) -> None:
        """Write what is left and stop; safe to call twice. Rows logged later are dropped."""
        if self._closed:
            return
        self._closed = True
        self._recorder.close()
        self._worker.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _violations(self) -> dict[str, dict[str, int]]:
        """Of rows and of batches, by field and reason."""
        found = self._recorder.violations()
        for (name, reason), count in self._intake.violations.copy().items():
            reasons = found.setdefault(name, {})
            reasons[reason] = reasons.get(reason, 0) + count
        return found

    def _log_rows(self, batch: pa.RecordBatch) -> None:
        epoch = time.time_ns() // self._epochs.step
        size = size_of(batch)
        if 2 * (self._recorder.counters()["bytes"] + size) > self._memory:
            summarised = self._intake.summarised(batch, epoch)
            self._recorder.add_batch(summarised, len(batch), summarised.nbytes, epoch)
        else:
            self._recorder.add_batch(self._worker.copies.of(batch), len(batch), size, epoch)

    def _read(
        self,
        reference: Profile | str | os.PathLike[str] | None,
        policy: Policy | str | os.PathLike[str] | None,
    ) -> tuple[Profile | None, Policy | None, LeadlineError | None]:
        """What rows and windows are held against; nothing, and why, where it cannot be read."""
        try:
            past = reference if isinstance(reference, Profile | None) else read(reference)
            rules = policy if isinstance(policy, Policy | None) else Policy.read(policy)
        except LeadlineError as error:
            if self._strict:
                raise
            return None, None, error
        return past, rules, None

    def _start(self) -> None:
        lifecycle.close_at_end_of_worker()
        self._worker.start()

    def _pause(self, seconds: float) -> bool:
        return self._worker.pause(seconds)

    def _resume(self) -> None:
        self._worker.resume()

    def _forked(self) -> None:
        self._recorder.forget()
        self._worker.forget()
        if self._store is not None:
            self._store.forget()


def _name(name: object) -> str:
    """A name that files can begin with."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InputError(
            f"a monitor's name is made of letters, digits, - and _, not {name!r}; files are named "
            "by it"
        )
    return name


def _positive(what: str, number: object) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise InputError(f"{what} is a whole number of 1 or more, not {number!r}")
    return number
