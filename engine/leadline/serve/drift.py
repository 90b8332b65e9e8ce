"""Closed windows of a service against a reference: verdicts, the event under way, counts.

Every process of a service judges what it has seen itself; the rows of one worker are not those of
the service, so their number is not judged unless it is asked for.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from ..compare.thresholds import Limits, Thresholds
from ..errors import InputError, LeadlineError
from ..profile import Cell, Profile, Settings, Window
from ..scan.windows import Period
from ..schema import Column, merge_columns
from ..snapshot import read
from ..trend.budget import DAY, Budget, Threshold
from ..trend.events import Event
from ..trend.past import supported
from ..trend.timeline import Longer
from ..trend.watch import Watch
from ..trend.window_verdict import SeriesVerdict, WindowVerdict

# Between two pieces of work, so that a request that waits for the interpreter gets it: a sleep of
# nothing would give the lock back before anybody has woken up.
PAUSE = 50e-6
# Findings about columns that are kept of one window.
MOST_FINDINGS = 100


def _pause() -> None:
    time.sleep(PAUSE)


class ClosedWindow(Protocol):
    """What a monitor hands over."""

    @property
    def window(self) -> Window:
        """The window."""

    def cells(self, k: int) -> list[Cell]:
        """Its cells, one a segment."""


@dataclass(frozen=True, slots=True)
class DriftStatus:
    """What live drift has come to so far.

    Parameters
    ----------
    length
        Length of the windows that are judged, as text.
    budget, threshold
        The alarm budget, and what it comes to on the reference's windows.
    verdicts
        Windows judged, by verdict.
    events
        Events that have begun.
    waiting
        Rows that wait for more, to be judged with them.
    last
        The last verdict; None before the first.
    event
        The event under way, or None.
    before
        The last event that has ended, or None.
    errors, last_error
        Windows that could not be judged, and why the last one could not.
    notes
        What a reader should know of the reference.
    """

    length: str
    budget: str
    threshold: Threshold
    verdicts: Mapping[str, int]
    events: int
    waiting: int
    last: WindowVerdict | None
    event: Event | None
    before: Event | None
    errors: int
    last_error: str
    notes: tuple[str, ...]

    @property
    def columns(self) -> dict[str, SeriesVerdict]:
        """The last verdict of every column."""
        return {} if self.last is None else self.last.columns

    @property
    def findings(self) -> tuple[str, ...]:
        """Columns that were missing, new or of another type in the last window."""
        return () if self.last is None else self.last.findings

    def to_dict(self) -> dict[str, Any]:
        """All fields under stable names."""
        return {
            "length": self.length,
            "budget": {
                "text": self.budget,
                "allowed": self.threshold.allowed,
                "windows": self.threshold.windows,
                "calibrated": self.threshold.calibrated,
                "score": self.threshold.score,
            },
            "verdicts": dict(self.verdicts),
            "events": self.events,
            "waiting": self.waiting,
            "last": self.last and self.last.to_dict(),
            "event": self.event and self.event.to_dict(),
            "before": self.before and self.before.to_dict(),
            "errors": self.errors,
            "last_error": self.last_error,
            "notes": list(self.notes),
        }


@dataclass(slots=True)
class _Tally:
    """What changes from window to window."""

    verdicts: Counter[str] = field(default_factory=Counter)
    events: int = 0
    last: WindowVerdict | None = None
    event: Event | None = None
    before: Event | None = None
    errors: int = 0
    last_error: str = ""

    def add(self, verdict: WindowVerdict) -> None:
        """Count one more window."""
        self.verdicts[verdict.verdict.value] += 1
        if verdict.event is None:
            if self.event is not None:
                self.before = replace(self.event, ongoing=False)
        elif self.event is None:
            self.events += 1
        self.event = verdict.event
        self.last = verdict


class Drift:
    """Judges what a monitor closes; `closed` is called in the monitor's thread.

    Parameters
    ----------
    reference
        A profile, or the path or URL of a snapshot. With windows, preferably as long as the
        monitor's; it is measured here, which takes some milliseconds a window.
    every, tz
        Length of the monitor's windows, and the zone of its days.
    length
        Length of what is judged, such as ``1h``: windows of the monitor are joined up to that. By
        default that of the reference's windows, if these are longer and support the budget, up to
        a day; else the monitor's own.
    budget
        False events that are acceptable over all columns, such as ``1/week``, the default.
    thresholds
        Numbers that replace defaults (see `Thresholds`).
    roles
        Roles of columns that replace the reference's.
    columns
        The columns that are judged; all that the reference has by default.
    seasonal
        Whether windows are compared with those of the same hour of the week, or of the day.
    rows
        Whether the number of rows is judged too. It is that of this process.
    pause
        Called between two pieces of work of some hundred microseconds.

    Raises
    ------
    InputError
        If an argument cannot be used, or the reference has no rows.
    SnapshotError
        If the reference cannot be read.

    Examples
    --------
    >>> import leadline as ll
    >>> drift = Drift(ll.profile({"age": list(range(200))}), every="1m")
    >>> drift.status().notes
    ('the reference has no windows: fixed thresholds, not a budget of 1/week',)
    """

    def __init__(
        self,
        reference: Profile | str | os.PathLike[str],
        *,
        every: str,
        tz: str = "UTC",
        length: str | None = None,
        budget: str | None = None,
        thresholds: Limits | Thresholds | Mapping[str, Any] | None = None,
        roles: Mapping[str, str] | None = None,
        columns: Sequence[str] = (),
        seasonal: bool = True,
        rows: bool = False,
        pause: Callable[[], object] = _pause,
    ) -> None:
        profile = reference if isinstance(reference, Profile) else read(reference)
        own = Period.parse(every)
        self._length = Period.parse(length) if length else _length(profile, own, budget)
        if self._length.seconds < own.seconds:
            raise InputError(
                f"windows of {every} cannot be judged by {length}, which is shorter; give a "
                "multiple of the monitor's windows, or none"
            )
        text = f"{self._length.count}{self._length.unit}"
        self._watch = Watch(
            profile,
            every=text,
            zone=tz,
            budget=budget,
            thresholds=thresholds,
            roles=roles,
            columns=columns,
            seasonal=seasonal,
            rows=rows,
            pause=pause,
        )
        settings = profile.settings
        self._pause = pause
        self._rows = rows
        self._joining = self._length != own
        self._unlogged = {settings.time, *settings.segments}
        self._notes = self._watch.notes
        if self._joining:
            self._notes = (f"windows of {every} are joined and judged by {text}", *self._notes)
        self.forget()

    def forget(self) -> None:
        """Begin anew, as in a forked child; what is known of the reference stays."""
        self._watch.forget()
        self._longer = Longer(self._watch.calendar) if self._joining else None
        self._seen: frozenset[str] = frozenset()
        self._tally = _Tally()

    def closed(self, window: ClosedWindow, k: int) -> WindowVerdict | None:
        """Judge one more closed window; never raises for what is in it.

        Parameters
        ----------
        window
            The window, later than the ones before.
        k
            Size of the quantile sketches in it.

        Returns
        -------
        WindowVerdict | None
            None while its rows wait for those of the next windows.
        """
        try:
            verdicts = self._judge(window.window, window.cells(k))
        except LeadlineError as error:
            self._tally.errors += 1
            self._tally.last_error = f"{window.window}: {error}"
            return None
        for verdict in verdicts:
            self._tally.add(verdict)
        return verdicts[-1] if verdicts else None

    @property
    def last(self) -> WindowVerdict | None:
        """The verdict on the last judged window; from any thread."""
        return self._tally.last

    @property
    def counts(self) -> Mapping[str, int]:
        """Judged windows by verdict; from any thread."""
        return dict(self._tally.verdicts)

    @property
    def events(self) -> int:
        """Events that have begun; from any thread."""
        return self._tally.events

    def status(self) -> DriftStatus:
        """What has come of it so far; from any thread."""
        tally = self._tally
        return DriftStatus(
            length=f"{self._length.count}{self._length.unit}",
            budget=self._watch.budget.text,
            threshold=self._watch.threshold,
            verdicts=dict(tally.verdicts),
            events=tally.events,
            waiting=self._watch.waiting + (self._longer.waiting if self._longer else 0),
            last=tally.last,
            event=tally.event,
            before=tally.before,
            errors=tally.errors,
            last_error=tally.last_error,
            notes=self._notes,
        )

    def _judge(self, window: Window, cells: Collection[Cell]) -> list[WindowVerdict]:
        findings, alike, unlike = self._findings(cells)
        self._seen |= alike
        self._pause()
        known = [
            Cell(
                cell.window,
                cell.segment,
                cell.rows,
                {name: cell.states[name] for name in alike if name in cell.states},
            )
            for cell in cells
        ]
        part = self._watch.part(window, known)
        self._pause()
        ready = [part] if self._longer is None else self._longer.add(part)
        verdicts = [
            replace(verdict, findings=findings)
            for one in ready
            for verdict in self._watch.follow(one, columns=self._seen - unlike)
        ]
        return verdicts if self._rows else [verdict for verdict in verdicts if verdict.rows]

    def _findings(self, cells: Collection[Cell]) -> tuple[tuple[str, ...], set[str], set[str]]:
        """What is wrong with the columns of a window; those that can be compared, and cannot."""
        logged = {name: column for cell in cells for name, column in cell.columns.items()}
        expected = self._watch.columns
        alike, unlike, found = set(), set(), []
        for name, column in expected.items():
            if name not in logged:
                if name not in self._unlogged:
                    found.append(f"column {name!r} of the reference is not logged")
                continue
            obstacle = _obstacle(column, logged[name])
            if obstacle:
                unlike.add(name)
                found.append(f"column {name!r} is left out: {obstacle}")
            else:
                alike.add(name)
        found += [
            f"column {name!r} is not in the reference"
            for name in logged
            if name not in self._watch.known
        ]
        if len(found) > MOST_FINDINGS:
            found[MOST_FINDINGS:] = [f"and {len(found) - MOST_FINDINGS:,} more"]
        return tuple(found), alike, unlike


class DriftObserver:
    """Lets drift follow a monitor: ``monitor.observe(DriftObserver(drift))``.

    Parameters
    ----------
    drift
        What judges the windows.
    on_verdict
        Called with every verdict, in the monitor's thread, which counts what it raises.
    k
        Size of the quantile sketches in the monitor's windows.
    """

    def __init__(
        self,
        drift: Drift,
        on_verdict: Callable[[WindowVerdict], object] | None = None,
        *,
        k: int = Settings().k,
    ) -> None:
        self._drift, self._on_verdict, self._k = drift, on_verdict, k

    def saved(self, cells: Sequence[Cell]) -> None:
        """Nothing: only whole windows are judged."""

    def closed(self, window: ClosedWindow) -> None:
        """Judge a window that is over."""
        verdict = self._drift.closed(window, self._k)
        if verdict is not None and self._on_verdict is not None:
            self._on_verdict(verdict)

    def forget(self) -> None:
        """Begin anew in a forked child."""
        self._drift.forget()


def _obstacle(column: Column, logged: Column) -> str:
    """Why a column cannot be compared with the reference's; empty if it can."""
    same_role = replace(logged, role=column.role, role_reason=column.role_reason)
    if merge_columns(column, same_role) is None:
        return f"its type is {logged.type}, in the reference {column.type}"
    if column.redacted != logged.redacted:
        return "it is redacted on one side only"
    return ""


def _length(reference: Profile, own: Period, budget: str | None) -> Period:
    """The length to judge by if nobody says: the reference's, where that is worth the wait."""
    if reference.settings.every is None:
        return own
    longer = Period.parse(reference.settings.every)
    if not own.seconds < longer.seconds <= DAY or longer.seconds % own.seconds:
        return own
    windows = len({cell.window for cell in reference.cells if cell.rows and cell.window})
    allowed = Budget.parse(budget or "1/week").per_window(longer.seconds)
    return longer if supported(windows, allowed) else own
