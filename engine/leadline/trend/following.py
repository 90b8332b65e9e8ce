"""The work of `trend`: every window measured against its baseline, scored and judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from ..compare.clockwork import goes_with_time, in_words
from ..compare.thresholds import Limits
from ..errors import ComparisonError, InputError
from ..profile import Profile, Window
from ..schema import require_names
from .anomalies import Expected, lateness_of, rows_of
from .baselines import (
    PREVIOUS,
    REFERENCE,
    ROLLING,
    Baseline,
    Basis,
    PreviousBaseline,
    ReferenceBaseline,
    RollingBaseline,
)
from .budget import Budget, Threshold, alarming
from .cuts import Cut, cut_of
from .effects import FRESHNESS, LATENESS, RATIO, ROWS, VALUES, Meter, Series, series_of
from .events import Event, Teller
from .looks import Look, look_at
from .past import Judged, Past, by_thresholds, supported, uncalibrated, verdict_of
from .result import Trend, TrendSeries, TrendWindow
from .seasons import Classes
from .timeline import Calendar, Part, common_columns, timeline_of

Floats = NDArray[np.float64]
AnyBaseline = ReferenceBaseline | PreviousBaseline | RollingBaseline


@dataclass(frozen=True, slots=True)
class Options:
    """How a trend is made; see `trend`."""

    baseline: str
    budget: Budget
    limits: Limits
    statistics: tuple[str, ...]
    seasonal: bool
    rolling: int
    lag: int
    exclude_drift: bool
    bridge: int
    open_alpha: float | None


@dataclass(frozen=True, slots=True)
class Run:
    """All windows against one kind of baseline; series are rows, windows columns.

    Filled window by window, as rolling baselines depend on the verdicts before.
    """

    kind: str
    sizes: Floats
    scores: Floats
    alarms: NDArray[np.bool_]
    possible: NDArray[np.bool_]
    bases: list[Basis | None]
    threshold: Threshold
    baseline: AnyBaseline

    def put(self, place: int, judged: Judged) -> None:
        """Enter what was found of one window."""
        self.scores[:, place] = judged.scores
        self.alarms[:, place] = judged.alarms
        self.possible[:, place] = judged.possible

    def told(self, teller: Teller) -> tuple[Event, ...]:
        """The run's events."""
        columns = self.baseline.merged if isinstance(self.baseline, ReferenceBaseline) else None
        return teller.events(
            self.kind, self.bases, self.sizes, self.scores, self.alarms, columns=columns
        )


@dataclass(frozen=True, slots=True)
class Following:
    """The work of `trend`.

    Parameters
    ----------
    parts
        All windows, the reference's first.
    own
        How many are the reference's.
    windowed
        Whether these are windows (else one part of all its rows).
    judged
        Place of the first window that is judged.
    meter
        What is measured in every window.
    """

    parts: tuple[Part, ...]
    own: int
    windowed: bool
    judged: int
    meter: Meter
    calendar: Calendar
    options: Options
    notes: tuple[str, ...]

    @classmethod
    def of(
        cls,
        reference: Profile,
        current: Sequence[Profile],
        labels: Sequence[str],
        calendar: Calendar,
        options: Options,
        chosen: Sequence[str],
        until: datetime | None,
    ) -> Following:
        """Put the windows of all profiles together.

        Raises
        ------
        InputError, ComparisonError
            See `trend`.
        """
        minimum = options.limits.default.minimum_rows
        windowed = reference.settings.every is not None
        own = calendar if windowed else Calendar(None, "UTC", None, reference.settings.k)
        cut = cut_of(reference, current) if windowed else None
        snapshots, names = list(current), list(labels[1:])
        if cut is not None:
            reference = cut.reference
            snapshots, names = [*snapshots, cut.parts], [*names, labels[0]]
        past = timeline_of(
            [reference], labels[:1], own, minimum=minimum, until=None if current else until
        )
        if not current:
            columns, notes = {column.name: column for column in past.columns}, past.notes
            parts = past.parts
        else:
            now = timeline_of(snapshots, names, calendar, minimum=minimum, until=until)
            _refuse_overlap(past.parts, now.parts, labels[0])
            columns, notes = common_columns(past.columns, now.columns)
            notes = (*past.notes, *now.notes, *notes, *_told(cut, calendar))
            parts = past.parts + now.parts
        judged = 0 if not current else len(past)
        if max(part.rows for part in parts[judged:]) < minimum:
            raise InputError(
                f"no window has {minimum:,} rows, the fewest that are compared; take longer "
                "windows (leadline merge --every)"
            )
        if options.open_alpha is not None and not current:
            raise InputError("an open window needs a reference that does not hold it; give both")
        require_names(options.limits.columns, tuple(columns))
        if chosen:
            require_names(chosen, tuple(columns))
            columns = {name: columns[name] for name in chosen}
        series = series_of(columns, options.limits, options.statistics)
        meter = Meter.of(columns, options.limits, series, calendar.k)
        return cls(parts, len(past), windowed, judged, meter, calendar, options, tuple(notes))

    def result(self) -> Trend:
        """Measure, judge and tell."""
        tables = self._tables()
        looked = self._look()
        main = self._run(self.options.baseline, tables)
        fixed = None if main.kind == REFERENCE else self._run(REFERENCE, tables)
        all_series = [*self.meter.series, *(series for series, _ in tables)]
        kept = [
            place
            for place in range(len(all_series))
            if np.isfinite(main.scores[place, self.judged :]).any()
        ]
        teller = Teller(
            self.parts,
            all_series,
            {series.what: figures for series, figures in tables},
            self.calendar.k,
            self.options.bridge,
        )
        events = main.told(teller)
        notes = [*self.notes, *self._clockwork(events)]
        if not main.threshold.calibrated:
            notes.append(uncalibrated(main.threshold, self.options.budget))
        return Trend(
            windows=self._windows(main, looked),
            series=tuple(
                TrendSeries(
                    all_series[place],
                    main.sizes[place, self.judged :],
                    main.scores[place, self.judged :],
                    main.alarms[place, self.judged :],
                    None if fixed is None else fixed.sizes[place, self.judged :],
                )
                for place in kept
            ),
            events=events,
            slow=() if fixed is None else fixed.told(teller),
            baseline=main.kind,
            budget=self.options.budget,
            threshold=main.threshold,
            reference_windows=self._own_windows,
            reference_rows=sum(part.rows for part in self.parts[: self.own]),
            leave_one_out=self.judged == 0,
            look=looked,
            notes=tuple(notes),
        )

    def _clockwork(self, events: Sequence[Event]) -> Iterator[str]:
        """Which columns of the events go with the time by nature."""
        changed = {c.column for event in events for c in event.changes if c.what == VALUES}
        parts = self.parts[: self.own] if self.windowed else ()
        names = [
            name
            for name in self.meter.columns
            if name in changed
            and goes_with_time([part.states[name]] if name in part.states else [] for part in parts)
        ]
        if names:
            yield in_words(names)

    def _look(self) -> Look | None:
        """The last window by a band that holds at all looks, if it is still open."""
        alpha, part = self.options.open_alpha, self.parts[-1]
        baseline = self._baseline(REFERENCE).of(len(self.parts) - 1, part)
        if alpha is None or baseline is None:
            return None
        meter = self.meter
        return look_at(
            baseline.columns,
            part.states,
            part.rows,
            meter.columns,
            self.options.limits,
            alpha=alpha,
            k=meter.k,
        )

    @property
    def _closed(self) -> int:
        """Windows that are judged by the budget."""
        return len(self.parts) - (self.options.open_alpha is not None)

    def _tables(self) -> list[tuple[Series, Expected]]:
        """Rows and freshness of every window."""
        if not self.windowed:
            return []
        seasonal, calendar = self.options.seasonal, self.calendar
        counted = [window for part in self.parts[: self.own] for window, _ in part.counted]
        rows = rows_of(self.parts, self.own, Classes(counted, calendar, seasonal=seasonal))
        found = [(Series("", ROWS, RATIO), rows)]
        seconds = calendar.seconds
        if calendar.time is not None and seconds is not None:
            own = [part.window for part in self.parts[: self.own]]
            classes = Classes(own, calendar, seasonal=seasonal)
            late = lateness_of(self.parts, self.own, classes, calendar.time, seconds)
            found.append((Series("", FRESHNESS, LATENESS), late))
        return found

    def _baseline(self, kind: str) -> AnyBaseline:
        if kind == REFERENCE:
            return ReferenceBaseline(
                self.parts[: self.own],
                self.calendar,
                seasonal=self.options.seasonal,
                windowed=self.windowed,
            )
        if kind == PREVIOUS:
            return PreviousBaseline(self.calendar, self.options.limits.default.minimum_rows)
        # A reference without windows is one member of the first baselines, and enough.
        least = {} if self.windowed else {"least": 1}
        return RollingBaseline(
            self.calendar, windows=self.options.rolling, lag=self.options.lag, **least
        )

    def _run(self, kind: str, tables: Sequence[tuple[Series, Expected]]) -> Run:
        baseline = self._baseline(kind)
        run = self._empty_run(kind, tables, baseline)
        if isinstance(baseline, ReferenceBaseline):
            self._measure_new(run, baseline)
        per_window = self.options.budget.per_window(self.calendar.seconds)
        by_tests = self.judged == 0 and not supported(self._own_windows, per_window)
        for place, own in self._own(run, baseline):
            if by_tests:
                run.put(
                    place, by_thresholds(self.meter, own, self.parts[place], run.sizes[:, place])
                )
        measured = slice(self.own if self.windowed else 0)
        past = Past.of(
            run.sizes[:, measured],
            per_window,
            reach=self.options.bridge + 1,
            windows=self._own_windows,
            block=self.calendar.half_day,
        )
        if past.threshold.score is not None:
            run.scores[:, measured] = past.scores
            if self.judged == 0:
                run.alarms[:, measured] = alarming(
                    past.scores, run.sizes[:, measured], past.threshold.score
                )
        excluding = kind == ROLLING and self.options.exclude_drift
        for place in range(self.own, self._closed):
            part = self.parts[place]
            own = self._measure(run, baseline, place)
            run.put(place, past.judge(self.meter, own, part, run.sizes[:, place]))
            # Unusual rows do not spoil a baseline, unusual columns do.
            alarmed = run.alarms[: len(self.meter.series), place].any()
            if not (excluding and alarmed):
                baseline.accept(place, part)
        return replace(run, threshold=past.threshold, baseline=baseline)

    @property
    def _own_windows(self) -> int:
        """The reference's windows that have rows."""
        return sum(part.rows > 0 for part in self.parts[: self.own]) if self.windowed else 0

    def _empty_run(
        self, kind: str, tables: Sequence[tuple[Series, Expected]], baseline: AnyBaseline
    ) -> Run:
        count = len(self.meter.series)
        shape = count + len(tables), len(self.parts)
        sizes, scores = np.full(shape, np.nan), np.full(shape, np.nan)
        for row, (_, expected) in enumerate(tables, count):
            sizes[row, : self._closed] = expected.sizes[: self._closed]
        alarms, possible = (np.zeros(shape, dtype=np.bool_) for _ in range(2))
        bases: list[Basis | None] = [None] * shape[1]
        nothing = Threshold(None, 0, 0)
        return Run(kind, sizes, scores, alarms, possible, bases, nothing, baseline)

    def _own(self, run: Run, baseline: AnyBaseline) -> Iterator[tuple[int, Baseline | None]]:
        """Measure the reference's windows; each with its baseline, if it has one."""
        if isinstance(baseline, ReferenceBaseline):
            without = dict.fromkeys(range(self.own))
            for group in baseline.own(range(self.own)) if self.windowed else ():
                self._fill(run, group)
                for place, own in group:
                    del without[place]
                    yield place, own
            yield from without.items()
            return
        for place in range(self.own):
            yield place, self._measure(run, baseline, place) if self.windowed else None
            baseline.accept(place, self.parts[place])

    def _measure_new(self, run: Run, baseline: ReferenceBaseline) -> None:
        """Effects of the new windows: those with the same baseline are measured at once.

        The reference does not move, so no window's verdict changes another one's baseline.
        """
        together: dict[int, list[tuple[int, Baseline]]] = {}
        for place in range(self.own, self._closed):
            own = baseline.of(place, self.parts[place])
            if own is not None:
                together.setdefault(id(own.columns), []).append((place, own))
        for group in together.values():
            self._fill(run, group)

    def _measure(self, run: Run, baseline: AnyBaseline, place: int) -> Baseline | None:
        """Effects of one window into the run; its baseline, if it has one."""
        own = baseline.of(place, self.parts[place])
        if own is not None and not isinstance(baseline, ReferenceBaseline):
            self._fill(run, [(place, own)])
        return own

    def _fill(self, run: Run, group: Sequence[tuple[int, Baseline]]) -> None:
        """Effects of windows with one baseline's columns into the run."""
        for place, own in group:
            run.bases[place] = own.basis
        counted = [place for place, _ in group if self.parts[place].rows]
        if counted:
            parts, own = [self.parts[place] for place in counted], group[0][1]
            run.sizes[: len(self.meter.series), counted] = self.meter.sizes(
                own.columns,
                [part.states for part in parts],
                [part.rows for part in parts],
                inside=own.basis.inside,
            )

    def _windows(self, run: Run, looked: Look | None) -> tuple[TrendWindow, ...]:
        result = []
        for place in range(self.judged, len(self.parts)):
            part = self.parts[place]
            scores = run.scores[:, place]
            verdict = verdict_of(scores, run.alarms[:, place], run.possible[:, place])
            if looked is not None and place == len(self.parts) - 1:
                verdict = looked.verdict
            score = float(np.nanmax(scores)) if np.isfinite(scores).any() else 0.0
            result.append(TrendWindow(part.label, part.rows, verdict, score, run.bases[place]))
        return tuple(result)


def _told(cut: Cut | None, calendar: Calendar) -> Iterator[str]:
    """What became of windows that both sides hold a part of."""
    for window in () if cut is None else cut.windows:
        yield (
            f"the window {calendar.label(window)} is in the reference too, from other files: it is "
            "judged whole, and left out of the reference"
        )


def _refuse_overlap(past: Sequence[Part], now: Sequence[Part], label: str) -> None:
    """No window may be judged by a reference that holds it."""
    spans = [_span(window) for part in past for window, rows in part.counted if window and rows]
    starts, ends = np.array(sorted(spans), dtype=np.int64).reshape(-1, 2).T
    for part in now:
        window = part.window
        if window is None or not part.rows:
            continue
        start, end = _span(window)
        before = int(np.searchsorted(starts, end, side="left")) - 1
        if before >= 0 and ends[before] > start:
            raise ComparisonError(
                f"the window {window} is in {label} too; snapshots of a trend must not overlap "
                f"the reference: leave it out, or follow {label} alone"
            )


def _span(window: Window) -> tuple[int, int]:
    assert window.start is not None
    assert window.end is not None
    return window.start, window.end
