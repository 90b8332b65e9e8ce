"""The rows of the promise: what must be, and what was measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from .data import FLOATS, Sizes
from .measure import ratio
from .table import Results, fastest_reading, met, nanoseconds, printed

MILLISECOND = 1e-3


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, as it is printed, and whether it is what must be."""

    measured: str
    met: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: ``figure`` looks only at the parts it names."""

    work: str
    must: str
    aim: str
    parts: tuple[str, ...]
    figure: Callable[[Results, Sizes], Figure]


def at_most(limit: float, part: str, ours: str, theirs: str) -> Callable[[Results, Sizes], Figure]:
    """The time of one contestant over that of another."""

    def figure(results: Results, _: Sizes) -> Figure:
        found = ratio(results[part][ours], results[part][theirs])
        return Figure(printed(found), found.value <= limit)

    return figure


def at_least(limit: float, part: str, slow: str, fast: str) -> Callable[[Results, Sizes], Figure]:
    """How many times as fast one contestant is as another."""

    def figure(results: Results, _: Sizes) -> Figure:
        if slow not in results[part]:
            return Figure("not measured", False)
        found = ratio(results[part][slow], results[part][fast])
        return Figure(printed(found), found.value >= limit)

    return figure


def float_column(results: Results, sizes: Sizes) -> Figure:
    figures = results["column"]
    ours = figures["leadline, float64"]
    found = ratio(ours, figures["numpy.sum, float64"])
    each = nanoseconds(ours, sizes.column_values)
    return Figure(f"{printed(found)}, {each:.2f} ns a value", found.value <= 6 or each <= 3.2)


def gaps(results: Results, _: Sizes) -> Figure:
    figures = results["column"]
    clean = figures["leadline, float64"]
    nulls = ratio(figures["leadline, 5 % nulls"], clean)
    nan = ratio(figures["leadline, 1 % NaN"], clean)
    return Figure(f"{printed(nulls)}; {printed(nan)}", max(nulls.value, nan.value) <= 1.25)


def dictionary(results: Results, sizes: Sizes) -> Figure:
    few, many = (
        nanoseconds(results["texts"][f"leadline, {entries} entries"], sizes.anchor_rows)
        for entries in ("10", "1,000")
    )
    return Figure(f"{few:.2f} ns (10 entries), {many:.2f} ns (1,000)", max(few, many) <= 1.5)


def archive(results: Results, _: Sizes) -> Figure:
    figures = results["anchor"]
    best = fastest_reading(figures)
    found = ratio(figures["leadline"], figures[best])
    return Figure(f"{printed(found)}, against {best.removeprefix('pyarrow, ')}", found.value <= 1.4)


def two_threads(results: Results, _: Sizes) -> Figure:
    figures = results["anchor"]
    found = ratio(figures["leadline, one thread"], figures["leadline"])
    one, two = (figures[f"pyarrow, column chunks{each}"] for each in (", one thread", ""))
    return Figure(
        f"{printed(found)}; reading alone {ratio(one, two).value:.3g}x", found.value >= 1.8
    )


def peaks(results: Results, _: Sizes) -> Figure:
    figures = results["memory"]
    first, second = (figures[label].peak / 1e6 for label in ("anchor", "huge row group"))
    return Figure(f"{first:.0f} MB; {second:.0f} MB", first <= 600 and second <= 1_000)


def growth(results: Results, _: Sizes) -> Figure:
    figures = results["memory"]
    found = figures["many files"].peak / figures["few files"].peak
    return Figure(f"{found:.3f}x", found <= 1.05)


def wide(results: Results, sizes: Sizes) -> Figure:
    figures = results["wide"]
    many = nanoseconds(figures["many columns"], sizes.wide_columns * sizes.wide_rows)
    one = nanoseconds(figures["one column"], sizes.long_rows)
    return Figure(f"{many / one:.2f}x ({many:.2f} ns, {one:.2f} ns)", many / one <= 4)


def small(results: Results, _: Sizes) -> Figure:
    mixed, floats = (
        median(results["small"][f"profile, {kind} columns"].seconds) / MILLISECOND
        for kind in ("mixed", "float")
    )
    return Figure(f"{mixed:.2f} ms (mixed columns), {floats:.2f} ms (floats)", mixed <= 2)


def snapshot(results: Results, _: Sizes) -> Figure:
    each = results["snapshot"]["floats"].written / len(FLOATS) / 1e3
    return Figure(f"{each:.1f} KB", each <= 24)


def compare(results: Results, _: Sizes) -> Figure:
    files = median(results["compare"]["compare"].seconds)
    few = median(results["small"]["compare"].seconds) / MILLISECOND
    return Figure(f"{files:.3f} s; {few:.2f} ms", files <= 0.5 and few <= 5)


ROWS = (
    Row(
        "full profile of a float64 column in memory, one thread, against `numpy.sum` of it",
        "<= 6x, or <= 3.2 ns a value if that is more",
        "4x, 2 ns",
        ("column",),
        float_column,
    ),
    Row(
        "same, against DuckDB SUMMARIZE on one thread",
        ">= 40x faster",
        ">= 80x",
        ("column-peers",),
        at_least(40, "column-peers", "duckdb", "leadline"),
    ),
    Row(
        "same with 5 % nulls; with 1 % NaN; against the clean column",
        "<= 1.25x",
        "1.1x",
        ("column",),
        gaps,
    ),
    Row(
        "int32 small-range column, against `numpy.sum`",
        "<= 3x",
        "1.5x",
        ("column",),
        at_most(3, "column", "leadline, int32", "numpy.sum, int32"),
    ),
    Row(
        "dictionary-encoded string column, a row",
        "<= 1.5 ns",
        "0.6 ns",
        ("texts",),
        dictionary,
    ),
    Row(
        "plain string column with a million distinct values, against pyarrow's `value_counts`",
        "<= 0.2x its time",
        "0.1x",
        ("texts",),
        at_most(0.2, "texts", "leadline, plain", "pyarrow, value_counts"),
    ),
    Row(
        "anchor archive to snapshot file, against the fastest way pyarrow alone reads it",
        "<= 1.4x",
        "1.15x",
        ("anchor",),
        archive,
    ),
    Row(
        "anchor archive, against DuckDB SUMMARIZE with the same threads",
        ">= 10x faster",
        ">= 14x",
        ("anchor-peers",),
        at_least(10, "anchor-peers", "duckdb", "leadline"),
    ),
    Row(
        "two threads against one, anchor archive",
        ">= 1.8x",
        "1.95x",
        ("anchor",),
        two_threads,
    ),
    Row(
        "anchor archive with windows of a minute and the 10-value segment, against plain",
        "<= 2x",
        "1.3x",
        ("anchor",),
        at_most(2, "anchor", "leadline, cells", "leadline"),
    ),
    Row(
        "peak memory: anchor archive; a row group of 10M rows x 100 columns",
        "<= 600 MB; <= 1 GB",
        "",
        ("memory",),
        peaks,
    ),
    Row("peak memory: 10x the rows", "<= 1.05x", "1.0x", ("memory",), growth),
    Row(
        "1,000 float columns x 100,000 rows, a value, against one column of 1e8 rows",
        "<= 4x",
        "2x",
        ("wide",),
        wide,
    ),
    Row(
        "1,000 rows x 20 columns from memory, the whole call",
        "<= 2 ms",
        "0.5 ms",
        ("small",),
        small,
    ),
    Row(
        "snapshot, mean bytes a float column (anchor archive)",
        "<= 24 KB",
        "14 KB",
        ("snapshot",),
        snapshot,
    ),
    Row(
        "`compare` of two 1,000-column snapshots, read from disk included; "
        "of two 20-column profiles of 1,000 rows",
        "<= 0.5 s; <= 5 ms",
        "0.1 s; 1 ms",
        ("compare", "small"),
        compare,
    ),
    Row(
        "moments by a user's own Numba summary, against our kernel of the same",
        "<= 2x",
        "",
        ("column",),
        at_most(2, "column", "moments, a user's", "moments, our kernel"),
    ),
)


def promise(results: Results, sizes: Sizes) -> list[str]:
    """The table of what must be, as far as its parts were run."""
    lines = ["| Work | Must | Aim | Measured | Met |", "|---|---|---|---|---|"]
    for row in ROWS:
        if all(part in results for part in row.parts):
            figure = row.figure(results, sizes)
            cells = (row.work, row.must, row.aim, figure.measured, met(figure.met))
            lines.append(f"| {' | '.join(cells)} |")
    return lines
