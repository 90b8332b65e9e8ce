"""`Watch`: closed windows of a running service, one after the other, against a fixed reference.

The incremental form of `trend`: the reference is measured once, and of its windows only what new
ones are judged by is kept. The verdicts are those of `trend` on the same windows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compare.thresholds import Limits, Thresholds
from ..compare.verdict import Verdict
from ..errors import InputError
from ..profile import Profile, Window
from ..rollup import roll_up
from ..scan.windows import Period
from ..schema import Column, require_names, role_named
from .anomalies import UsualLateness, UsualRows
from .baselines import Baseline, ReferenceBaseline
from .budget import Budget, Threshold
from .effects import (
    FRESHNESS,
    LATENESS,
    RATIO,
    ROWS,
    Meter,
    Series,
    require_statistics,
    series_of,
)
from .past import Judged, Past, uncalibrated
from .seasons import Classes
from .timeline import (
    Calendar,
    Forward,
    Part,
    Timeline,
    empty_part,
    part_of,
    timeline_of,
    windows_between,
)
from .under_way import UnderWay
from .window_verdict import SeriesVerdict, WindowVerdict
from .words import figures_of, told

Floats = NDArray[np.float64]
Usual = UsualRows | UsualLateness
Figures = tuple[float, float, float]  # of the table: value, usual value, effect
Words = tuple[str, float, float, str]  # what is compared, before, after, in words

# Seasons whose columns are kept ready: this hour and the next.
READY = 2
# Windows of the reference that are measured between two pauses.
TOGETHER = 32
# Missing windows in a row that are judged one by one. After a longer gap, as when the clock jumps,
# only the first one is.
MOST_MISSING = 1_000


@dataclass(frozen=True, slots=True)
class Standard:
    """What windows are held against: the reference as it is compared with, and its windows.

    Parameters
    ----------
    reference
        The reference, its windows rolled up to the length of those that come if they are shorter.
    own, calendar
        Its windows' calendar, and that of the windows that come.
    alike
        Whether these are of one length; if not, the reference's windows say nothing of new ones.
    """

    reference: Profile
    own: Calendar
    calendar: Calendar
    alike: bool

    @classmethod
    def of(cls, reference: Profile, every: str | None, zone: str | None) -> Standard:
        """The standard for windows of a length (default: the reference's own)."""
        settings = reference.settings
        every = every or settings.every
        zone = settings.tz or zone or "UTC"
        wanted = None if every is None else Period.parse(every)
        calendar = Calendar(wanted, zone, settings.time, settings.k)
        if settings.every is None:
            return cls(reference, Calendar(None, zone, None, settings.k), calendar, alike=False)
        assert wanted is not None
        assert every is not None
        length = Period.parse(settings.every)
        alike = length == wanted
        if length.seconds < wanted.seconds:
            try:
                reference, alike, length = roll_up(reference, every), True, wanted
            except InputError:  # weeks do not add up to months
                alike = False
        return cls(reference, replace(calendar, every=length), calendar, alike)

    @property
    def windowed(self) -> bool:
        """Whether the reference has windows."""
        return self.own.every is not None

    def timeline(self, minimum: int) -> Timeline:
        """The reference's windows."""
        return timeline_of([self.reference], ["the reference"], self.own, minimum=minimum)

    def usual(self, parts: Sequence[Part], *, seasonal: bool) -> list[tuple[Series, Usual]]:
        """What is usual of the table as a whole, if its windows are as long as those that come."""
        if not (self.windowed and self.alike):
            return []
        counted = [window for part in parts for window, _ in part.counted]
        rows = UsualRows(parts, Classes(counted, self.own, seasonal=seasonal))
        found: list[tuple[Series, Usual]] = [(Series("", ROWS, RATIO), rows)]
        seconds = self.own.seconds
        if self.own.time is not None and seconds is not None:
            classes = Classes([part.window for part in parts], self.own, seasonal=seasonal)
            late = UsualLateness(parts, classes, self.own.time, seconds)
            found.append((Series("", FRESHNESS, LATENESS), late))
        return found


class Watch:
    """Judges closed windows one at a time; for one thread at a time.

    Parameters
    ----------
    reference
        What windows are compared with. Its own windows say what is ordinary; they are measured
        here, which takes as long as `trend` does, and not kept.
    every, zone
        Length of the windows that will come, and their time zone, where the reference has none.
    budget, thresholds, statistics, columns, seasonal
        As for `trend`.
    roles
        Roles of columns that replace the reference's.
    rows
        Whether the number of rows and freshness are judged.
    pause
        Called between two pieces of work on a window, of some hundred microseconds each, to let
        others run.

    Raises
    ------
    InputError
        If an argument cannot be used, or the reference has no rows.

    Examples
    --------
    >>> import leadline as ll
    >>> reference, window = (ll.profile({"age": list(range(n, n + 200))}) for n in (0, 100))
    >>> watch = Watch(reference)
    >>> [judged] = watch.follow(watch.part(None, window.cells))
    >>> judged.verdict.value
    'drift'
    """

    def __init__(
        self,
        reference: Profile,
        *,
        every: str | None = None,
        zone: str | None = None,
        budget: str | None = None,
        thresholds: Limits | Thresholds | Mapping[str, Any] | None = None,
        statistics: Sequence[str] = (),
        columns: Sequence[str] = (),
        roles: Mapping[str, str] | None = None,
        seasonal: bool = True,
        rows: bool = True,
        pause: Callable[[], object] = lambda: None,
    ) -> None:
        limits = Limits.given(thresholds)
        self.minimum = limits.default.minimum_rows
        standard = Standard.of(reference, every, zone)
        self.calendar = standard.calendar
        self.budget = Budget.usual(self.calendar) if budget is None else Budget.parse(budget)
        self._per_window = self.budget.per_window(self.calendar.seconds)
        past = standard.timeline(self.minimum)
        self.known = frozenset(column.name for column in past.columns)
        self.columns = _columns(past.columns, columns, roles or {})
        require_names(limits.columns, tuple(self.columns))
        series = series_of(self.columns, limits, require_statistics(statistics))
        self._pause = pause
        self._meter = Meter.of(self.columns, limits, series, standard.own.k)
        self._usual = standard.usual(past.parts, seasonal=seasonal) if rows else []
        self.series = (*series, *(one for one, _ in self._usual))
        self.reference_windows = 0
        if standard.windowed:
            self.reference_windows = sum(part.rows > 0 for part in past.parts)
        baseline = ReferenceBaseline(
            past.parts, standard.own, seasonal=seasonal, windowed=standard.windowed
        )
        self._sizes = self._own_sizes(past.parts if standard.alike else (), baseline)
        self._baseline = baseline.held(seasons=READY)
        self._meter = replace(self._meter, pause=pause)
        self._chosen = frozenset(self.columns)
        self._past: Past | None = None
        self.notes = (*past.notes, *self._notes(standard))
        self.forget()

    def forget(self) -> None:
        """Begin anew, as if no window had come yet."""
        self._forward = Forward(self.calendar, self.minimum)
        self._last: int | None = None  # end of the last window
        self._under_way = UnderWay(self.series)

    @property
    def threshold(self) -> Threshold:
        """What the budget comes to on the reference's windows."""
        return self._past_of(self._chosen).threshold

    @property
    def waiting(self) -> int:
        """Rows that are held back until there are enough."""
        return 0 if self._forward.held is None else self._forward.held.rows

    @property
    def nbytes(self) -> int:
        """Bytes that are kept of the reference, less what is ready for the next window."""
        return self._baseline.nbytes + 2 * self._sizes.nbytes

    def part(self, window: Window | None, cells: Collection[Any], label: str = "") -> Part:
        """One closed window of its cells."""
        if window is not None:
            label = self.calendar.label(window)
        time = self.calendar.time
        names = dict.fromkeys([*self.columns, *([] if time is None else [time])])
        return part_of(window, label, cells, names, self.calendar.k)

    def follow(
        self, part: Part, *, columns: Collection[str] | None = None
    ) -> tuple[WindowVerdict, ...]:
        """Verdicts that are possible now that another window is closed, in order.

        None while rows are too few: they are joined with the next window's. More than one where
        windows are missing in between.

        Parameters
        ----------
        columns
            The columns that are judged; all by default.
        """
        ready = [one for each in [*self._missing(part), part] for one in self._forward.add(each)]
        return tuple(self.judge(one, columns=columns) for one in ready)

    def finish(self) -> tuple[WindowVerdict, ...]:
        """The verdict on rows that are held back, though they are too few."""
        held, self._forward.held = self._forward.held, None
        return () if held is None else (self.judge(held),)

    def judge(self, part: Part, *, columns: Collection[str] | None = None) -> WindowVerdict:
        """The verdict on one window."""
        chosen = frozenset(self.columns if columns is None else columns)
        baseline = self._baseline.of(part, self._pause)
        usual = [one.of(part) for _, one in self._usual]
        sizes = self._measured(part, baseline, usual)
        sizes[self._left_out(chosen)] = np.nan
        judged = self._past_of(chosen).judge(self._meter, baseline, part, sizes)
        words = {row: self._words(row, part, baseline, usual) for row in judged.alarmed}
        self._under_way.add(part, judged, sizes, words)
        self._pause()
        known = judged.scores[np.isfinite(judged.scores)]
        return WindowVerdict(
            window=part.window,
            label=part.label,
            rows=part.rows,
            merged=len(part.counted),
            verdict=judged.verdict,
            score=float(known.max()) if len(known) else 0.0,
            basis=None if baseline is None else baseline.basis,
            series=tuple(
                self._told(row, judged, sizes, words)
                for row, one in enumerate(self.series)
                if not one.column or one.column in chosen
            ),
            event=self._under_way.event,
        )

    # --- the reference ---------------------------------------------------------------------------

    def _own_sizes(self, parts: Sequence[Part], baseline: ReferenceBaseline) -> Floats:
        """Effects of the reference's windows, each against the others; series are rows."""
        sizes = np.full((len(self.series), len(parts)), np.nan)
        counted = 0
        for place, part in enumerate(parts):
            for row, (one, usual) in enumerate(self._usual, len(self._meter.series)):
                own = counted if one.what == ROWS else place
                sizes[row, place] = usual.of(part, own)[-1]
            counted += len(part.counted)
        filled = [place for place, part in enumerate(parts) if part.rows]
        for group in baseline.own(filled):
            for first in range(0, len(group), TOGETHER):
                places = [place for place, _ in group[first : first + TOGETHER]]
                sizes[: len(self._meter.series), places] = self._meter.sizes(
                    group[0][1].columns,
                    [parts[place].states for place in places],
                    [parts[place].rows for place in places],
                    inside=group[0][1].basis.inside,
                )
        return sizes

    def _past_of(self, columns: frozenset[str]) -> Past:
        """What the reference's windows say of these columns."""
        if columns != self._chosen or self._past is None:
            sizes = self._sizes.copy()
            sizes[self._left_out(columns)] = np.nan
            windows = self.reference_windows if sizes.shape[1] else 0
            block = self.calendar.half_day
            self._past = Past.of(sizes, self._per_window, reach=1, windows=windows, block=block)
            self._chosen = columns
        return self._past

    def _left_out(self, columns: frozenset[str]) -> NDArray[np.bool_]:
        return np.array([bool(one.column) and one.column not in columns for one in self.series])

    def _notes(self, standard: Standard) -> list[str]:
        if standard.windowed and not standard.alike:
            every = standard.reference.settings.every
            text = (
                f"the reference's windows of {every} are no measure for windows of "
                f"{_text(self.calendar)}: fixed thresholds and tests that take rows as "
                f"independent, not a budget of {self.budget.text}"
            )
            return [text]
        threshold = self.threshold
        return [] if threshold.calibrated else [uncalibrated(threshold, self.budget)]

    # --- one window ------------------------------------------------------------------------------

    def _measured(self, part: Part, baseline: Baseline | None, usual: list[Figures]) -> Floats:
        sizes = np.full(len(self.series), np.nan)
        count = len(self._meter.series)
        sizes[count:] = [size for *_, size in usual]
        if baseline is not None and part.rows:
            windows, rows = [part.states], [part.rows]
            found = self._meter.sizes(baseline.columns, windows, rows, inside=False)
            sizes[:count] = found[:, 0]
        return sizes

    def _missing(self, part: Part) -> list[Part]:
        """The windows without rows between the last one and this one."""
        window, last = part.window, self._last
        if window is None or window.start is None or window.end is None:
            return []
        self._last = window.end if last is None else max(window.end, last)
        seconds = self.calendar.seconds
        if last is None or window.start <= last or seconds is None:
            return []
        end = min(window.start, last + round(MOST_MISSING * seconds * 1e6))
        between = [
            one
            for one in windows_between(last, end, self.calendar)
            if one.start is not None and one.end is not None
            if last <= one.start and one.end <= window.start
        ]
        kept = between if self._usual and end == window.start else between[:1]
        return [empty_part(one, self.calendar) for one in kept]

    def _words(
        self, row: int, part: Part, baseline: Baseline | None, usual: list[Figures]
    ) -> Words:
        """What a series did."""
        series, count = self.series[row], len(self._meter.series)
        if row >= count:
            value, expected, _ = usual[row - count]
            return told(series.what, expected, value)
        self._pause()
        column = None if baseline is None else baseline.columns.get(series.column)
        return figures_of(series, column, part.states.get(series.column), part.rows, self._meter.k)

    def _told(
        self, row: int, judged: Judged, sizes: Floats, words: Mapping[int, Words]
    ) -> SeriesVerdict:
        one = self.series[row]
        size, score = float(sizes[row]), float(judged.scores[row])
        verdict = Verdict.NONE if math.isfinite(score) else Verdict.NOT_COMPARABLE
        if judged.alarms[row]:
            verdict = Verdict.DRIFT
        elif judged.possible[row]:
            verdict = Verdict.POSSIBLE
        changed = f"{words[row][-1]}; " if row in words else ""
        sentence = judged.reasons.get(row) or self._sentence(verdict, size, score, changed)
        return SeriesVerdict(one.column, one.what, verdict, size, score, sentence)

    def _sentence(self, verdict: Verdict, size: float, score: float, changed: str) -> str:
        if verdict is Verdict.NOT_COMPARABLE:
            return f"{verdict}: too few rows, or values that are not judged"
        text = f"{verdict}: {changed}effect {size:.3g} times its threshold"
        limit = self.threshold.score
        if limit is None:
            return text
        usual = f"as {_odds(score)} of the reference's windows"
        return f"{text}, {usual} (score {score:.2g}, alarm from {limit:.2g})"


def _columns(
    found: Sequence[Column], chosen: Sequence[str], roles: Mapping[str, str]
) -> dict[str, Column]:
    columns = {column.name: column for column in found}
    require_names(tuple(roles), tuple(columns))
    for name, role in roles.items():
        columns[name] = replace(columns[name], role=role_named(name, role))
    require_names(tuple(chosen), tuple(columns))
    return {name: columns[name] for name in chosen or columns}


def _text(calendar: Calendar) -> str:
    every = calendar.every
    return "another length" if every is None else f"{every.count}{every.unit}"


def _odds(score: float) -> str:
    """A probability as text.

    >>> _odds(3.0), _odds(0.05)
    ('1 in 1,000', '9 in 10')
    """
    if score < 1.0:
        return f"{max(round(10 * 10.0**-score), 1)} in 10"
    return f"1 in {10.0 ** min(score, 12.0):,.0f}"
