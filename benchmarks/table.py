"""Figures as tables."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from .data import BILLION_PARTS, Sizes
from .measure import Measured, Ratio, ratio

# All-equal, sorted, all-null and skewed columns are no slower than that, against uniform ones.
LIMITS = {
    "all equal": 1.3,
    "sorted": 1.3,
    "all null": 1.3,
    "lognormal(0, 3)": 1.3,
    "70 % zeros": 1.3,
    "rounded to 0.1": 2.0,
}

Figures = Mapping[str, Measured]
Results = Mapping[str, Figures]


def printed(found: Ratio, unit: str = "x") -> str:
    """A ratio with its spread."""
    return f"{found.value:.3g}{unit} ({found.low:.3g} to {found.high:.3g})"


def met(what_must_be: bool) -> str:
    return "yes" if what_must_be else "**no**"


def fastest_reading(figures: Figures) -> str:
    """The way of reading whose median is the smallest: the yardstick."""
    ways = [label for label in figures if label.startswith("pyarrow")]
    return min(ways, key=lambda label: median(figures[label].seconds))


def nanoseconds(measured: Measured, values: int) -> float:
    return median(measured.seconds) / values * 1e9


def busy(measured: Measured) -> float:
    """Cores that worked, on average."""
    return median(x / y for x, y in zip(measured.cores, measured.seconds, strict=True))


def compared(figures: Figures, ours: str, unit: str, units: int) -> list[str]:
    """The contestants of one part, the fastest first: time a unit, ratio to ours, memory."""
    lines = [
        f"| | Seconds | ns a {unit} | Against Leadline | Cores busy | Peak, MB |",
        "|---|---|---|---|---|---|",
    ]
    for label, each in sorted(figures.items(), key=lambda item: median(item[1].seconds)):
        found = ratio(each, figures[ours])
        lines.append(
            f"| {label} | {median(each.seconds):.3f} | {nanoseconds(each, units):.2f} "
            f"| {'1' if label == ours else printed(found)} | {busy(each):.2f} "
            f"| {each.peak / 1e6:.0f} |"
        )
    return lines


def shapes(figures: Figures, sizes: Sizes) -> list[str]:
    """Columns of other shapes against the uniform one."""
    lines = ["| Column | ns a value | Against uniform | Must | Met |", "|---|---|---|---|---|"]
    for label, each in figures.items():
        found = ratio(each, figures["uniform"])
        limit = LIMITS.get(label)
        must = "|  |  |" if limit is None else f"| <= {limit}x | {met(found.value <= limit)} |"
        lines.append(
            f"| {label} | {nanoseconds(each, sizes.column_values):.2f} | {printed(found)} {must}"
        )
    return lines


def billion(figures: Figures, sizes: Sizes) -> list[str]:
    """The long run, and a tenth of it."""
    heads = ("Rows", "Files", "Seconds", "Rows a second", "Cores busy", "Peak, MB", "Median, MB")
    lines = [f"| {' | '.join(heads)} | Snapshot, KB |", "|---" * (len(heads) + 1) + "|"]
    for label, share in (("a tenth", 0.1), ("all", 1.0)):
        each, rows = figures[label], share * sizes.billion_rows
        seconds = median(each.seconds)
        lines.append(
            f"| {rows:,.0f} | {share * BILLION_PARTS:.0f} "
            f"| {seconds:.1f} ({min(each.seconds):.1f} to {max(each.seconds):.1f}) "
            f"| {rows / seconds / 1e6:.1f} million | {busy(each):.2f} "
            f"| {each.peak / 1e6:.0f} | {each.resident / 1e6:.0f} | {each.written / 1e3:.0f} |"
        )
    few, many = figures["a tenth"], figures["all"]
    grown, held = many.peak / few.peak, many.resident / few.resident
    told = (
        f"Ten times the rows: {grown:.3f}x the peak memory, {held:.3f}x the median of what is held."
    )
    return [*lines, "", told]


def short(results: Results, sizes: Sizes) -> list[str]:
    """What the front page says."""
    peers, archive, memory = results["anchor-peers"], results["anchor"], results["memory"]
    best = archive[fastest_reading(archive)]
    ours = archive["leadline"]
    what = f"{sizes.anchor_rows / 1e6:.1f} million rows x 18 columns, zstd Parquet, two cores"

    def line(name: str, seconds: float, times: float, peak: int) -> str:
        digits = 2 if times < 2 else 1 if times < 20 else 0
        return f"| {name} | {seconds:.2f} | {times:.{digits}f}x | {peak / 1e6:,.0f} MB |"

    lines = [
        f"| {what} | Seconds | Against Leadline | Peak memory |",
        "|---|---|---|---|",
        line("pyarrow, reading alone", median(best.seconds), ratio(best, ours).value, best.peak),
        line("Leadline, to a snapshot file", median(ours.seconds), 1.0, memory["anchor"].peak),
    ]
    names = {
        "duckdb": "DuckDB `SUMMARIZE`",
        "polars": "polars `describe`",
        "pandas": "pandas `describe`",
        "whylogs": "whylogs",
    }
    for peer, name in names.items():
        if peer in peers:
            theirs = peers[peer]
            found = ratio(theirs, peers["leadline"])
            lines.append(line(name, median(theirs.seconds), found.value, theirs.peak))
    return lines


def every(results: Results) -> list[str]:
    """Every contestant of every part: seconds of all rounds, cores kept busy, peak memory."""
    lines = [
        "| Part | Contestant | Rounds | Seconds: median | Least | Most | Cores busy | Peak, MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for part, figures in results.items():
        for label, each in figures.items():
            lines.append(
                f"| {part} | {label} | {len(each.seconds)} | {median(each.seconds):.4g} "
                f"| {min(each.seconds):.4g} | {max(each.seconds):.4g} | {busy(each):.2f} "
                f"| {each.peak / 1e6:.0f} |"
            )
    return lines
