"""What a monitor exports: the families of its metrics, and the samples of each.

Names follow the conventions of Prometheus: base units, ``_total`` for what only grows. Nothing
here knows how samples are written (`exposition`) or who asks for them (`prometheus`, `otel`).

Three sources: the monitor's own state at the moment of the scrape (`of_status`), counts that grow
with every flush (`Totals`), and figures of the last closed window (`of_window`).
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import InputError, LeadlineError
from ..profile import NULL_WINDOW, Cell, ColumnProfile, Profile, Window
from ..profile.cells import merge_column
from ..schema import Kind
from .drift import Drift
from .latency import BOUNDS, Latencies, measures_latency
from .status import Status

# Longest text of a label; a longer one is cut and told apart by a hash.
LABEL_LIMIT = 120
# Fields counted between two rests: 0.1 ms.
_PORTION = 64
# Reasons of drops and kinds of failures that every monitor shows from its first scrape on: how much
# a counter grew is not known before its second sample.
REASONS = ("rows", "bytes", "closed", "error", "unwritten")
KINDS = ("summarise", "write", "tidy", "saved cells", "closed window", "log_batch")
VERDICTS = {"none": 0.0, "possible": 1.0, "drift": 2.0, "not comparable": -1.0}
QUANTILES = (0.05, 0.5, 0.95)

Values = float | Latencies


class Family(NamedTuple):
    """All samples of one name; counters are named without ``_total``, as OpenMetrics does."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...] = ("monitor",)


class Sample(NamedTuple):
    """One value; labels in the order of the family's."""

    family: Family
    labels: tuple[str, ...]
    value: Values


_FIELD = ("monitor", "field")

INFO = Family(
    "leadline_monitor",
    "info",
    "A monitor, the version of leadline and the length of its windows.",
    ("monitor", "version", "every"),
)
ROWS = Family("leadline_rows", "counter", "Rows accepted.")
ROWS_SAVED = Family("leadline_rows_saved", "counter", "Rows in snapshot files.")
ROWS_DROPPED = Family(
    "leadline_rows_dropped", "counter", "Rows lost, by reason.", ("monitor", "reason")
)
WAITING_ROWS = Family("leadline_waiting_rows", "gauge", "Rows captured and not yet summarised.")
WAITING_BYTES = Family("leadline_waiting_bytes", "gauge", "Memory of the rows that wait.")
OPEN_ROWS = Family("leadline_open_rows", "gauge", "Rows summarised and not yet in a file.")
OPEN_BYTES = Family("leadline_open_bytes", "gauge", "Memory of the windows that are open.")
OPEN_WINDOWS = Family("leadline_open_windows", "gauge", "Windows that still gain rows.")
WINDOWS_CLOSED = Family("leadline_windows_closed", "counter", "Windows closed.")
RUNNING = Family("leadline_monitor_running", "gauge", "Whether the background thread runs.")
LAST_FLUSH = Family(
    "leadline_last_flush_timestamp_seconds", "gauge", "When what was logged was last written."
)
ERRORS = Family(
    "leadline_errors",
    "counter",
    "Failures in the background, by kind of work.",
    ("monitor", "kind"),
)
VIOLATIONS = Family(
    "leadline_violations",
    "counter",
    "Values that broke a check, by field and reason.",
    (*_FIELD, "reason"),
)

FIELD_ROWS = Family("leadline_field_rows", "counter", "Rows of a field, its nulls too.", _FIELD)
FIELD_NULLS = Family("leadline_field_nulls", "counter", "Rows in which a field is null.", _FIELD)
LATENCY = Family("leadline_latency_seconds", "histogram", "Durations of a field.", _FIELD)

WINDOW_ROWS = Family("leadline_window_rows", "gauge", "Rows of the last closed window.")
WINDOW_END = Family(
    "leadline_window_end_timestamp_seconds", "gauge", "When the last closed window ended."
)
FIELD_MEAN = Family(
    "leadline_field_mean", "gauge", "Mean of a field in the last closed window.", _FIELD
)
FIELD_QUANTILE = Family(
    "leadline_field_quantile",
    "gauge",
    "Quantile of a field in the last closed window.",
    (*_FIELD, "quantile"),
)
FIELD_DISTINCT = Family(
    "leadline_field_distinct", "gauge", "Distinct values in the last closed window.", _FIELD
)
FIELD_TOP = Family(
    "leadline_field_top_ratio",
    "gauge",
    "Share of the most frequent value in the last closed window.",
    _FIELD,
)
FIELD_DEVIATION = Family(
    "leadline_field_standard_deviation",
    "gauge",
    "Standard deviation in the last closed window.",
    _FIELD,
)
FIELD_MINIMUM = Family(
    "leadline_field_minimum", "gauge", "Smallest value in the last closed window.", _FIELD
)
FIELD_MAXIMUM = Family(
    "leadline_field_maximum", "gauge", "Largest value in the last closed window.", _FIELD
)
FIELD_NAN = Family(
    "leadline_field_nan_ratio", "gauge", "Share of NaN in the last closed window.", _FIELD
)
FIELD_INFO = Family(
    "leadline_field", "info", "Kind and role of a field.", (*_FIELD, "kind", "role")
)

DRIFT_VERDICT = Family(
    "leadline_drift_verdict",
    "gauge",
    "The last judged window: 0 none, 1 possible, 2 drift, -1 not comparable.",
)
DRIFT_SCORE = Family(
    "leadline_drift_score", "gauge", "How unusual the last judged window is, over all fields."
)
DRIFT_WINDOWS = Family(
    "leadline_drift_windows", "counter", "Windows judged, by verdict.", ("monitor", "verdict")
)
DRIFT_EVENTS = Family("leadline_drift_events", "counter", "Events: alarms one after the other.")
FIELD_DRIFT_EFFECT = Family(
    "leadline_field_drift_effect",
    "gauge",
    "How far a field's last judged window is from the reference; 1 is the threshold.",
    _FIELD,
)
FIELD_DRIFT_VERDICT = Family(
    "leadline_field_drift_verdict",
    "gauge",
    "The same: 0 none, 1 possible, 2 drift, -1 not comparable.",
    _FIELD,
)

# In the order in which they are written; of one name all samples stand together.
FAMILIES = tuple(value for value in dict(globals()).values() if isinstance(value, Family))

# What is exported of a field only if asked for, beside rows, nulls, the mean, quantiles, ...
MORE = {
    "deviation": FIELD_DEVIATION,
    "minimum": FIELD_MINIMUM,
    "maximum": FIELD_MAXIMUM,
    "nan": FIELD_NAN,
    "distinct": FIELD_DISTINCT,
    "info": FIELD_INFO,
}


def pause() -> None:
    """Let other threads run: long work in Python would otherwise hold up requests for 5 ms."""
    # `sleep(0)` gives the interpreter's lock back and mostly takes it again before anybody woke.
    time.sleep(2e-5)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which figures of which fields are exported; by default 8 samples of a number.

    Parameters
    ----------
    fields
        Names; None for all.
    quantiles
        Shares between 0 and 1.
    more
        Any of ``deviation``, ``minimum``, ``maximum``, ``nan``, ``distinct`` (always exported of
        texts), ``info``.

    Raises
    ------
    InputError
        If a quantile is no share, or a figure is not known.
    """

    fields: Collection[str] | None = None
    quantiles: Sequence[float] = QUANTILES
    more: Collection[str] = ()

    def __post_init__(self) -> None:
        if not all(0 <= q <= 1 for q in self.quantiles):
            raise InputError(f"quantiles are shares between 0 and 1, not {self.quantiles!r}")
        unknown = sorted(set(self.more) - set(MORE))
        if unknown:
            raise InputError(f"there is no figure {unknown[0]!r}; there are {', '.join(MORE)}")

    def has(self, name: str) -> bool:
        """Whether a field is exported."""
        return self.fields is None or name in self.fields


def label(text: str) -> str:
    """A text that can stand in a label: bounded, printable, still different from all others.

    >>> label("age"), label("two" + chr(0) + "words")
    ('age', 'two?words~0cced77d')
    """
    if text.isprintable() and len(text) <= LABEL_LIMIT:
        return text
    clean = "".join(c if c.isprintable() else "?" for c in text[:LABEL_LIMIT])
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{clean}~{digest}"


def of_status(status: Status, *, version: str, every: str, now: float) -> Iterator[Sample]:
    """The monitor itself.

    Parameters
    ----------
    version, every
        Version of the package; length of the monitor's windows.
    now
        Seconds since 1970.
    """
    own = (label(status.name),)
    yield Sample(INFO, (*own, version, every), 1.0)
    yield Sample(ROWS, own, status.accepted)
    yield Sample(ROWS_SAVED, own, status.saved)
    for reason in dict.fromkeys((*REASONS, *status.dropped_by_reason)):
        dropped = status.dropped_by_reason.get(reason, 0)
        yield Sample(ROWS_DROPPED, (*own, label(reason)), dropped)
    yield Sample(WAITING_ROWS, own, status.waiting)
    yield Sample(WAITING_BYTES, own, status.bytes_waiting)
    yield Sample(OPEN_ROWS, own, status.open)
    yield Sample(OPEN_BYTES, own, status.bytes_open)
    yield Sample(OPEN_WINDOWS, own, status.windows_open)
    yield Sample(WINDOWS_CLOSED, own, status.windows_closed)
    yield Sample(RUNNING, own, float(status.running))
    if status.last_flush is not None:
        # In tenths: the same flush is the same instant in every scrape.
        yield Sample(LAST_FLUSH, own, round(now - status.last_flush, 1))
    for kind in dict.fromkeys((*KINDS, *status.errors)):
        yield Sample(ERRORS, (*own, label(kind)), status.errors.get(kind, 0))
    if status.drift is not None:
        yield Sample(ERRORS, (*own, "drift"), status.drift.errors)
    for name, reasons in status.violations.items():
        for reason, count in reasons.items():
            yield Sample(VIOLATIONS, (*own, label(name), label(reason)), count)
    for name, count in status.extra_fields.items():
        yield Sample(VIOLATIONS, (*own, label(name), "extra"), count)


class Totals:
    """Counts since the start by field, which grow with every flush.

    Added to by one thread at a time; read by any.

    Parameters
    ----------
    monitor
        Name of the monitor.
    choice
        Which fields.
    bounds
        Bounds of classic buckets of durations, in seconds.
    """

    def __init__(self, monitor: str, choice: Choice, bounds: Sequence[float]) -> None:
        self._own, self._choice, self._bounds = label(monitor), choice, tuple(bounds)
        self._counts: dict[str, tuple[int, int]] = {}
        self._latencies: dict[str, Latencies] = {}

    def add(self, cells: Iterable[Cell], rest: Callable[[], None] = pause) -> None:
        """Count the rows of some cells."""
        for cell in cells:
            for place, (name, state) in enumerate(cell.states.items(), 1):
                if not self._choice.has(name):
                    continue
                rows, nulls = self._counts.get(name, (0, 0))
                self._counts[name] = (rows + state.rows, nulls + state.nulls)
                if measures_latency(state):
                    known = self._latencies.get(name) or Latencies(self._bounds)
                    self._latencies[name] = known.add(state)
                if place % _PORTION == 0:
                    rest()

    def samples(self) -> Iterator[Sample]:
        """All of it, at this moment."""
        # A list of a dict is made in one step of the interpreter: nobody adds to it meanwhile.
        counts = [((self._own, label(name)), found) for name, found in list(self._counts.items())]
        yield from (Sample(FIELD_ROWS, labels, rows) for labels, (rows, _) in counts)
        yield from (Sample(FIELD_NULLS, labels, nulls) for labels, (_, nulls) in counts)
        for name, latencies in list(self._latencies.items()):
            yield Sample(LATENCY, (self._own, label(name)), latencies)


def of_window(
    monitor: str,
    window: Window,
    cells: Sequence[Cell],
    choice: Choice,
    *,
    k: int,
    rest: Callable[[], None] = pause,
) -> Iterator[Sample]:
    """Figures of one window, over all its segments.

    Parameters
    ----------
    k
        Size of the quantile sketches.
    rest
        Called after every field.
    """
    own = (label(monitor),)
    yield Sample(WINDOW_ROWS, own, sum(cell.rows for cell in cells))
    if window.end is not None:
        yield Sample(WINDOW_END, own, window.end / 1e6)
    for name in dict.fromkeys(name for cell in cells for name in cell.states):
        if not choice.has(name):
            continue
        states = [cell.states[name] for cell in cells if name in cell.states]
        try:
            column = ColumnProfile(merge_column(states, k=k), k=k)
        except LeadlineError:
            continue  # segments of two types; their rows and nulls are counted all the same
        yield from _of_column((*own, label(name)), column, choice)
        rest()


def of_profile(monitor: str, profile: Profile, choice: Choice, *, now: float) -> Iterator[Sample]:
    """What files say: counts of all their rows, and figures of the last window that is over.

    Parameters
    ----------
    now
        Seconds since 1970. If no window is over, the last one is taken; without windows, all rows.
    """
    yield Sample(ROWS_SAVED, (label(monitor),), profile.rows)
    totals = Totals(monitor, choice, BOUNDS)
    totals.add(profile.cells, lambda: None)
    yield from totals.samples()
    windows = [window for window in profile.windows if window.end is not None]
    over = [window for window in windows if window.end is not None and window.end / 1e6 <= now]
    last = max(over or windows, key=lambda window: window.end or 0, default=NULL_WINDOW)
    cells = [cell for cell in profile.cells if cell.window in (last, None)]
    k = profile.settings.k
    yield from of_window(monitor, last, cells, choice, k=k, rest=lambda: None)


def of_drift(monitor: str, drift: Drift, choice: Choice) -> Iterator[Sample]:
    """What was said of the last judged window, and of how many until now."""
    own = (label(monitor),)
    counts = drift.counts
    for verdict in VERDICTS:
        yield Sample(DRIFT_WINDOWS, (*own, verdict), counts.get(verdict, 0))
    yield Sample(DRIFT_EVENTS, own, drift.events)
    last = drift.last
    if last is None:
        return
    yield Sample(DRIFT_VERDICT, own, VERDICTS[last.verdict.value])
    yield Sample(DRIFT_SCORE, own, last.score)
    for name, series in last.columns.items():
        if not choice.has(name):
            continue
        labels = (*own, label(name))
        yield Sample(FIELD_DRIFT_VERDICT, labels, VERDICTS[series.verdict.value])
        if not math.isnan(series.size):
            yield Sample(FIELD_DRIFT_EFFECT, labels, series.size)


def _of_column(labels: tuple[str, ...], column: ColumnProfile, choice: Choice) -> Iterator[Sample]:
    state, kind = column.state, column.kind
    if "info" in choice.more:
        yield Sample(FIELD_INFO, (*labels, kind.value, column.role), 1.0)
    present = state.rows - state.nulls
    if state.summary is None or not present:
        return
    if kind is Kind.TEXT or "distinct" in choice.more:
        yield Sample(FIELD_DISTINCT, labels, float(column.distinct))
    if kind is Kind.TEXT:
        [(_, count)] = column.most_frequent(1)
        yield Sample(FIELD_TOP, labels, count / present)
    if column.mean is not None:
        yield Sample(FIELD_MEAN, labels, column.mean)
    if kind in (Kind.INTEGER, Kind.FLOAT):
        yield from _of_number(labels, column, choice)


def _of_number(labels: tuple[str, ...], column: ColumnProfile, choice: Choice) -> Iterator[Sample]:
    numeric = column.numeric
    assert numeric is not None
    if numeric.total:
        for q in choice.quantiles:
            yield Sample(FIELD_QUANTILE, (*labels, f"{float(q)!r}"), column.quantile(q).value)
    figures = {
        "deviation": column.std,
        "minimum": column.min,
        "maximum": column.max,
        "nan": column.nan / column.rows,
    }
    for name, value in figures.items():
        if name in choice.more and value is not None:
            yield Sample(MORE[name], labels, float(value))
