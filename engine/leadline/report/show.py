"""What `leadline show` prints: the columns of a profile, or everything about one column."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from rich.console import RenderableType
from rich.text import Text

from ..estimate import Estimate
from ..profile import ColumnProfile, Profile, Window
from ..schema import Kind
from .bars import shares
from .layout import GAP, Field, heading, line, note
from .text import bars, counted, number, printable, scalar, share, titled

NAME, KIND, NULLS, DISTINCT, NUMBER = 14, 9, 5, 7, 9
NARROW, WIDE = 76, 110
_NUMBERS = (
    ("min", "max"),
    ("min", "median", "max"),
    ("min", "mean", "std", "median", "max"),
)
BINS = 20
MOST_BARS = 40
DETAIL_BAR = 40
DETAIL_QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)


def profile_report(profile: Profile, *, title: str, width: int) -> list[RenderableType]:
    """One line a column: nulls, distinct values, range, and the shape of the distribution."""
    longest = max((len(name) for name in profile.names), default=0)
    table = _Table(width, name_width=max(NAME, min(longest, width // 5)))
    parts: list[RenderableType] = [*_head(profile, title), "", table.header()]
    parts += [table.row(profile[name]) for name in profile.names]
    notes = [f"{titled(column.name)}: {column.note}" for column in profile.columns if column.note]
    notes += [f"{titled(event.column)}: {event.what} ({event.source})" for event in profile.events]
    return parts + (["", *(note(text) for text in notes)] if notes else [])


def column_report(column: ColumnProfile) -> list[RenderableType]:
    """Everything kept of one column: figures, quantiles with their intervals, bins, top values."""
    parts: list[RenderableType] = [
        heading(titled(column.name), column.type, f"role {column.role}", f"{column.rows:,} rows"),
        "",
    ]
    parts += [line([Field(name, 16), Field(text, 60)]) for name, text in _figures(column)]
    if column.text is None and _has_values(column):
        parts += ["", *_quantile_lines(column), "", *_bin_lines(column)]
    for name, own in column.state.custom.items():
        parts += ["", note(f"summary {name}"), Text(printable(own.problem or str(own.array)))]
    top = column.top
    if top:
        parts += ["", note("most frequent values")]
        most = max(count for _, count in top)
        for value, count in top:
            part = share(count / (column.rows - column.nulls))
            fields = [Field(scalar(value), 28), Field(f"{count:,}", 12, right=True)]
            parts.append(
                line([*fields, Field(part, 6, right=True), Field(_bar(count / most), DETAIL_BAR)])
            )
    return parts


class _Table:
    """The widths of the table of columns for one width of the terminal."""

    def __init__(self, width: int, *, name_width: int) -> None:
        self.name_width = name_width
        self.numbers = _NUMBERS[(width >= NARROW) + (width >= WIDE)]
        self.kind_shown = width >= NARROW
        fixed = name_width + NULLS + DISTINCT + 4 + (KIND + 1 if self.kind_shown else 0)
        self.values_width = len(self.numbers) * (NUMBER + 1) - 1
        self.bar_width = max(min(width - fixed - self.values_width, MOST_BARS), 6)

    def header(self) -> Text:
        titles = [Field(name, NUMBER, right=True, style="dim") for name in self.numbers]
        lead = self._lead("column", "kind", "nulls", "values")
        dim = [Field(field.text, field.width, field.right, "dim") for field in lead]
        return line([*dim, *titles, Field("shape", self.bar_width, style="dim")])

    def _lead(self, name: str, kind: str, nulls: str, distinct: str) -> list[Field]:
        kinds = [Field(kind, KIND)] if self.kind_shown else []
        counts = [Field(nulls, NULLS, right=True), Field(distinct, DISTINCT, right=True)]
        return [Field(name, self.name_width, style="bold"), *kinds, *counts]

    def row(self, column: ColumnProfile) -> Text:
        missing = (column.nulls + column.nan) / column.rows if column.rows else 0.0
        lead = self._lead(titled(column.name), column.kind.value, share(missing), _distinct(column))
        return line([*lead, *self._values(column)])

    def _values(self, column: ColumnProfile) -> list[Field]:
        """The numbers and the bars, or what stands in their place."""
        whole = self.values_width + len(GAP) + self.bar_width
        if not _has_values(column):
            return [
                Field("(not profiled)" if column.state.summary is None else "(no values)", whole)
            ]
        if column.text is not None:
            return [Field(_top_values(column), whole)]
        bar = Field(bars(shares([column], self.bar_width - 1)[0]), self.bar_width, style="cyan")
        if column.kind in (Kind.TIMESTAMP, Kind.DATE):
            return [Field(_range(column, self.values_width), self.values_width), bar]
        median = column.quantile(0.5).value
        figures = {
            "min": column.min,
            "mean": column.mean,
            "std": column.std,
            "median": bool(median) if column.kind is Kind.BOOLEAN else median,
            "max": column.max,
        }
        cells = [Field(scalar(figures[name]), NUMBER, right=True) for name in self.numbers]
        return [*cells, bar]


def _head(profile: Profile, title: str) -> list[RenderableType]:
    settings = profile.settings
    columns = counted(len(profile.columns), "column")
    parts: list[RenderableType] = [heading(title, counted(profile.rows, "row"), columns)]
    if settings.every is not None:
        zone = settings.tz or "UTC"
        windows = counted(len(profile.windows), "window")
        span = _span(profile)
        parts.append(note(f"{windows} of {settings.every} by {settings.time} ({zone}), {span}"))
    if settings.segments:
        by = ", ".join(settings.segments)
        parts.append(note(f"{counted(len(profile.segments), 'segment')} by {by}"))
    if profile.tags:
        tags = ", ".join(f"{name}={value}" for name, value in profile.tags.items())
        parts.append(note(f"tags: {tags}"))
    return parts


def _span(profile: Profile) -> str:
    """First start and last end of the windows, in the profile's zone."""
    zone = ZoneInfo(profile.settings.tz or "UTC")
    known = [window for window in profile.windows if window.start is not None]
    if not known:
        return "all with null time"
    return f"{_local(known[0], zone, end=False)} to {_local(known[-1], zone, end=True)}"


def _local(window: Window, zone: ZoneInfo, *, end: bool) -> str:
    instant = window.end_time if end else window.start_time
    return scalar(instant.astimezone(zone) if isinstance(instant, datetime) else instant)


def _distinct(column: ColumnProfile) -> str:
    """The number of distinct values, marked where it is an estimate."""
    if column.state.summary is None:
        return "-"
    distinct = column.distinct
    about = "" if distinct.lower == distinct.upper else "~"
    return about + number(round(distinct.value))


def _range(column: ColumnProfile, width: int) -> str:
    """First and last day or instant; days only where the instants do not fit."""
    first, last = scalar(column.min), scalar(column.max)
    if len(first) + len(last) + 3 > width:
        first, last = first.split()[0], last.split()[0]
    return f"{first} … {last}"


def _has_values(column: ColumnProfile) -> bool:
    return column.state.summary is not None and column.rows - column.nulls - column.nan > 0


def _top_values(column: ColumnProfile) -> str:
    total = column.rows - column.nulls
    return "  ".join(
        f"{printable(str(value))} {share(count / total)}" for value, count in column.top
    )


def _figures(column: ColumnProfile) -> list[tuple[str, str]]:
    figures = column.to_dict()
    rows = column.rows or 1
    lines = [("kind", column.kind.value), ("role", f"{column.role} ({figures['role_reason']})")]
    if figures["note"]:
        lines.append(("note", figures["note"]))
    lines.append(("nulls", f"{column.nulls:,} ({share(column.nulls / rows)})"))
    if "distinct" in figures:
        lines.append(("distinct values", _interval(column.distinct)))
    counts = ("nan", "zeros", "negatives", "positive_infinity", "negative_infinity", "empty")
    lines += [
        (name.replace("_", " "), f"{figures[name]:,} ({share(figures[name] / rows)})")
        for name in counts
        if figures.get(name)
    ]
    lines += [(name, _full(figures[name])) for name in ("min", "max") if name in figures]
    moments = ("mean", "std", "skewness", "kurtosis", "length_min", "length_mean", "length_max")
    lines += [
        (name.replace("_", " "), number(figures[name], digits=6))
        for name in moments
        if figures.get(name) is not None
    ]
    if figures.get("rank_error"):
        lines.append(("rank error", f"{100 * figures['rank_error']:.3f}%"))
    return lines


def _full(value: object) -> str:
    """A value with all its digits."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else str(value)


def _quantile_lines(column: ColumnProfile) -> list[Text]:
    lines = [note("quantiles, and where those of the raw rows lie")]
    for q in DETAIL_QUANTILES:
        estimate = column.quantile(q)
        figures = (estimate.value, estimate.lower, estimate.upper)
        value, lower, upper = (_in_type(column, figure) for figure in figures)
        interval = "exact" if lower == upper else f"{lower} to {upper}"
        lines.append(
            line(
                [Field(share(q), 6, right=True), Field(value, 20, right=True), Field(interval, 44)]
            )
        )
    return lines


def _in_type(column: ColumnProfile, figure: float) -> str:
    """A quantile as the column's own kind of value."""
    if column.kind is Kind.TIMESTAMP:
        return scalar(datetime.fromtimestamp(figure / 1e6, UTC))
    if column.kind is Kind.DATE:
        return scalar(date.fromordinal(int(figure) + date(1970, 1, 1).toordinal()))
    return number(figure, digits=6)


def _bin_lines(column: ColumnProfile) -> list[Text]:
    try:
        counts, edges = column.histogram(bins=BINS)
    except ValueError:
        return []
    most = max(float(counts.max()), 1.0)
    return [
        line(
            [
                Field(_in_type(column, float(low)), 20, right=True),
                Field(f"{count:,.0f}", 12, right=True),
                Field(_bar(round(count) / most), DETAIL_BAR, style="cyan"),
            ]
        )
        for low, count in zip(edges, counts, strict=False)
    ]


def _bar(part: float) -> str:
    """A horizontal bar of at most `DETAIL_BAR` cells, in eighths; something is never nothing."""
    eighths = max(round(part * DETAIL_BAR * 8), 1) if part > 0 else 0
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def _interval(estimate: Estimate) -> str:
    if estimate.lower == estimate.upper:
        return f"{number(estimate.value)} (exact)"
    return f"{number(estimate.value)} ({number(estimate.lower)} to {number(estimate.upper)})"
