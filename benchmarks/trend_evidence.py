"""What trends promise: budgets kept and changes found, looks that never alarm by themselves.

    python -m benchmarks.trend_evidence [--years 200] [--streams 1000] [--write]

Prints the tables of docs/trend-evidence.md, and with ``--write`` puts them there. Rows are
simulated as counts in cells, then go through the code that `leadline.trend` uses: scores, budget,
bands. Seeded; a quarter of an hour with one thread. The flights need the extra `demo`.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import special, stats

import leadline as ll
from leadline.compare.significance import kolmogorov_p, share_bounds
from leadline.profile import Cell, Profile
from leadline.trend.budget import DAY, Budget, alarming, largest, threshold_of
from leadline.trend.events import runs
from leadline.trend.looks import band_distance, band_margin, share_log_gain
from leadline.trend.scores import Law, leave_one_out

from .documents import fill
from .environments import ROOT

Floats = NDArray[np.float64]

SEED = 20_131_201
PAGE = ROOT / "docs" / "trend-evidence.md"
KS, COHENS_H = 0.05, 0.2  # thresholds, the units of effects
WEEKS, WEEK = 52, 7


def header(*titles: str) -> str:
    """Head of a table; titles of figures begin with a dash."""
    names = " | ".join(title.removeprefix("-") for title in titles)
    rule = "|".join("--:" if title.startswith("-") else "---" for title in titles)
    return f"| {names} |\n|{rule}|"


# -- budgets on streams whose days depend on each other ------------------------------------------


@dataclass(frozen=True, slots=True)
class Stream:
    """Daily logs whose level wanders from day to day.

    Parameters
    ----------
    columns
        Columns, each with values and with missing rows.
    rows
        Rows a day.
    memory
        Correlation of one day's level with the next one's.
    spread
        Standard deviation of the daily level of the values, in their standard deviations; the logit
        of the missing share has three times as much.
    missing
        Usual share of missing rows.
    """

    columns: int = 10
    rows: int = 1_000
    memory: float = 0.0
    spread: float = 0.1
    missing: float = 0.02
    cells: int = 50

    def levels(self, random: np.random.Generator, days: int) -> Floats:
        """First-order autoregression with unit deviation: (2, columns, days)."""
        noise = random.normal(size=(2, self.columns, days))
        levels = np.empty_like(noise)
        levels[..., 0] = noise[..., 0]
        step = math.sqrt(1 - self.memory**2)
        for day in range(1, days):
            levels[..., day] = self.memory * levels[..., day - 1] + step * noise[..., day]
        return levels

    def counts(self, random: np.random.Generator, shifts: Floats) -> NDArray[np.int64]:
        """Rows in equally likely cells of a normal, shifted: (..., cells)."""
        edges = stats.norm.ppf(np.arange(1, self.cells) / self.cells)
        below = special.ndtr(edges - shifts[..., None])
        shares = np.diff(below, prepend=0.0, append=1.0, axis=-1)
        return random.multinomial(self.rows, np.maximum(shares, 0.0))

    def missing_counts(self, random: np.random.Generator, levels: Floats, more: float) -> Floats:
        """Missing rows of days."""
        base = math.log(self.missing / (1 - self.missing))
        shares = special.expit(base + 3 * self.spread * levels) + more
        return np.asarray(random.binomial(self.rows, shares), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Sizes:
    """Effects over their thresholds: odd weeks against each other, even ones against odd ones."""

    odd: Floats
    even: Floats


def distances(days: NDArray[np.int64], whole: NDArray[np.int64], *, inside: bool) -> Floats:
    """KS of days against a sum of days, which may hold them."""
    rows, total = days.sum(axis=-1)[..., None], whole.sum(axis=-1)[..., None]
    gap = np.cumsum(days, axis=-1) / rows - np.cumsum(whole, axis=-1) / total
    size = np.abs(gap).max(axis=-1)
    return np.asarray(size / (1 - rows[..., 0] / total[..., 0]) if inside else size)


def angles(count: Floats, rows: Floats | float) -> Floats:
    return np.asarray(2 * np.arcsin(np.sqrt(count / rows)))


def sizes_of(
    values: NDArray[np.int64], missing: Floats, rows: int, odd: NDArray[np.bool_]
) -> Sizes:
    """Sizes of all series: values and missing shares of every column."""
    whole = values[:, odd].sum(axis=1, keepdims=True)
    own, other = values[:, odd], values[:, ~odd]
    lost = missing[:, odd].sum(axis=1, keepdims=True)
    held = rows * odd.sum()
    apart = angles(lost - missing[:, odd], held - rows)
    return Sizes(
        np.concatenate(
            [
                distances(own, whole, inside=True) / KS,
                np.abs(angles(missing[:, odd], rows) - apart) / COHENS_H,
            ]
        ),
        np.concatenate(
            [
                distances(other, whole, inside=False) / KS,
                np.abs(angles(missing[:, ~odd], rows) - angles(lost, held)) / COHENS_H,
            ]
        ),
    )


@dataclass(frozen=True, slots=True)
class Year:
    """What one simulated year came to: events in even weeks, and which injections were found."""

    allowed: float
    events: int
    found_ks: bool
    found_missing: bool


def simulate(stream: Stream, random: np.random.Generator, budget: Budget) -> Year:
    """Calibrate on odd weeks, count in even ones; then the same even weeks with two injections."""
    days = WEEKS * WEEK
    odd = (np.arange(days) // WEEK) % 2 == 0
    levels = stream.levels(random, days)
    values = stream.counts(random, stream.spread * levels[0])
    missing = stream.missing_counts(random, levels[1], 0.0)
    sizes = sizes_of(values, missing, stream.rows, odd)
    past = np.array([leave_one_out(row) for row in sizes.odd])
    by_day, sizes_by_day = np.zeros((len(past), days)), np.zeros((len(past), days))
    by_day[:, odd], sizes_by_day[:, odd] = past, sizes.odd
    threshold = threshold_of(
        largest(by_day, sizes_by_day), budget.per_window(DAY), reach=1, counted=int(odd.sum())
    )
    assert threshold.score is not None
    laws = [Law.of(row) for row in sizes.odd]
    alarms = np.zeros(days, dtype=np.bool_)
    alarms[~odd] = alarmed(laws, sizes.even, threshold.score).any(axis=0)
    # Three days of an even week: KS 0.2 in one column's values, 5 points more missing in another.
    first = 2 * WEEK * int(random.integers(WEEKS // 2)) + WEEK + int(random.integers(WEEK - 2))
    hit = slice(first, first + 3)
    column, other = random.integers(stream.columns, size=2)
    shifted = values.copy()
    shift = 2 * stats.norm.ppf(0.5 + 0.2 / 2)
    shifted[column, hit] = stream.counts(random, stream.spread * levels[0, column, hit] + shift)
    lost = missing.copy()
    lost[other, hit] = stream.missing_counts(random, levels[1, other, hit], 0.05)
    injected = sizes_of(shifted, lost, stream.rows, odd)
    places = np.flatnonzero(~odd)
    inside = (places >= first) & (places < first + 3)
    found = np.atleast_1d(alarmed(laws, injected.even, threshold.score)[:, inside].any(axis=1))
    return Year(
        budget.per_window(DAY) * int((~odd).sum()),
        len(runs(alarms, 0)),
        bool(found[column]),
        bool(found[stream.columns + other]),
    )


def alarmed(laws: Sequence[Law], sizes: Floats, score: float) -> NDArray[np.bool_]:
    scores = np.array([law.scores(row) for law, row in zip(laws, sizes, strict=True)])
    return alarming(scores, sizes, score)


def budget_rows(years: int) -> Iterator[str]:
    yield header(
        *("budget", "-memory", "-daily spread", "-events allowed", "-events found", "-ratio"),
        *("-KS 0.2 found", "-+5 points found"),
    )
    for text in ("1/month", "1/week"):
        for memory, spread in ((0.0, 0.1), (0.5, 0.1), (0.8, 0.1), (0.95, 0.1), (0.8, 0.2)):
            random = np.random.default_rng(SEED)
            stream = Stream(memory=memory, spread=spread)
            found = [simulate(stream, random, Budget.parse(text)) for _ in range(years)]
            allowed = sum(year.allowed for year in found)
            events = sum(year.events for year in found)
            ks = sum(year.found_ks for year in found) / years
            lost = sum(year.found_missing for year in found) / years
            yield (
                f"| {text} | {memory} | {spread} | {allowed:,.0f} | {events:,} | "
                f"{events / allowed:.2f} | {ks:.1%} | {lost:.1%} |"
            )


# -- the flights ---------------------------------------------------------------------------------


def flights_of_2013(directory: Path) -> Profile:
    from leadline.cli.demo import ROLES, ZONE
    from leadline.flights import write_months

    files = write_months(directory)
    return ll.profile(
        [str(file) for file in files], time="time_hour", every="1d", tz=ZONE, roles=ROLES
    )


def weeks_of(year: Profile, *, odd: bool, half: int) -> Profile:
    """Days of odd or even weeks of half a year."""

    def wanted(cell: Cell) -> bool:
        assert cell.window is not None
        assert cell.window.start is not None
        day = datetime.fromtimestamp(cell.window.start / 1e6 + DAY / 2, UTC).date()
        return (day.isocalendar().week % 2 == 1) == odd and (day.month > 6) == (half == 2)

    return replace(year, cells=tuple(cell for cell in year.cells if wanted(cell)))


def flight_rows(year: Profile) -> Iterator[str]:
    yield header(
        *("budget", "calibrated on", "counted in", "-days", "-events allowed", "-events found"),
        "the worst",
    )
    names = {1: "first half-year", 2: "second half-year"}
    for text in ("1/month", "1/week"):
        for half in (1, 2):
            reference = weeks_of(year, odd=True, half=half)
            current = weeks_of(year, odd=False, half=half)
            found = ll.trend(reference, current, budget=text)
            days = sum(window.rows > 0 for window in found.windows)
            allowed = Budget.parse(text).per_window(DAY) * days
            worst = ", ".join(event.start for event in found.worst_first[:3])
            yield (
                f"| {text} | odd weeks, {names[half]} | even weeks of it | {days} | "
                f"{allowed:.1f} | {len(found.events)} | {worst} |"
            )


# -- looks into an open window -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Looks:
    """Streams that are looked at after every batch: one column's values and its missing share.

    Parameters
    ----------
    looks, batch
        Looks a stream, and rows that come between two of them.
    reference
        Rows of the reference.
    alpha
        Probability of ever alarming, over both and all looks.
    """

    looks: int = 10_000
    batch: int = 10
    reference: int = 100_000
    alpha: float = 0.05
    cells: int = 100
    missing: float = 0.02

    def stream(
        self, random: np.random.Generator, *, distance: float = 0.0, points: float = 0.0
    ) -> tuple[int | None, int | None, bool]:
        """First look that alarms by values, and by missing rows; whether a plain test ever did."""
        even = np.full(self.cells, 1 / self.cells)
        changed = even.copy()
        half = self.cells // 2
        changed[:half] -= distance / half
        changed[half:] += distance / half
        rows = np.arange(1, self.looks + 1) * self.batch
        before = np.cumsum(random.multinomial(self.reference, even)) / self.reference
        drawn = random.multinomial(self.batch, changed, size=self.looks)
        below = np.cumsum(np.cumsum(drawn, axis=0, dtype=np.int32), axis=1)
        gap = np.abs(below / rows[:, None] - before).max(axis=1)
        level = self.alpha / 4  # as `look` does: two things judged, each with two sides
        margin = math.sqrt(math.log(2 / level) / (2 * self.reference))
        values = band_distance(gap, margin + band_margin(rows.astype(np.float64), level)) > 0
        lost_before = np.array([float(random.binomial(self.reference, self.missing))])
        low, high = share_bounds(lost_before, lost_before, self.reference, level / 2)
        lost = np.cumsum(
            random.binomial(self.batch, self.missing + points, size=self.looks)
        ).astype(np.float64)
        share = lost / rows
        limit = math.log(1 / level)
        missing = np.zeros(self.looks, dtype=np.bool_)
        for bound, outside in ((low[0], share < low[0]), (high[0], share > high[0])):
            gain = share_log_gain(lost, rows.astype(np.float64), np.full(self.looks, bound))
            missing |= outside & (gain >= limit) & (rows >= 100)
        # What people do: the same test at every look (every hundredth here), level alpha each time.
        plain = any(
            kolmogorov_p(float(gap[i]), self.reference, int(rows[i])) <= self.alpha / 2
            for i in range(9, self.looks, 100)
        )
        return _first(values), _first(missing), plain


def _first(alarms: NDArray[np.bool_]) -> int | None:
    places = np.flatnonzero(alarms)
    return int(places[0]) if len(places) else None


def look_rows(streams: int, changed: int) -> Iterator[str]:
    yield header(
        *("stream", "-streams", "-looks each", "-ever alarmed", "-99 % bound"),
        "-rows until it did (median, 95 %)",
    )
    looks = Looks()
    random = np.random.default_rng(SEED)
    null = [looks.stream(random) for _ in range(streams)]
    ever = sum(values is not None or missing is not None for values, missing, _ in null)
    bound = stats.beta.ppf(0.99, ever + 1, streams - ever)
    yield (
        f"| no change, alpha {looks.alpha:g} | {streams:,} | {looks.looks:,} | "
        f"{ever / streams:.1%} | {bound:.1%} | |"
    )
    plain = sum(one for *_, one in null)
    yield (
        f"| no change, plain ks test at every 100th look | {streams:,} | {looks.looks // 100:,} | "
        f"{plain / streams:.1%} | | |"
    )
    for name, distance, points in (
        ("KS 0.05", 0.05, 0.0),
        ("KS 0.1", 0.1, 0.0),
        ("KS 0.2", 0.2, 0.0),
        ("missing 2 % to 3 %", 0.0, 0.01),
        ("missing 2 % to 7 %", 0.0, 0.05),
    ):
        found = [
            looks.stream(random, distance=distance, points=points)[0 if distance else 1]
            for _ in range(changed)
        ]
        rows = np.array([(place + 1) * looks.batch for place in found if place is not None])
        yield (
            f"| {name} | {changed:,} | {looks.looks:,} | {len(rows) / changed:.1%} | | "
            f"{np.median(rows):,.0f}, {np.quantile(rows, 0.95):,.0f} |"
        )


# -- slow drift, and time ------------------------------------------------------------------------


def table_of(days: int, rows: int, random: np.random.Generator, step: float = 0.0) -> pa.Table:
    start = 20_454 * 86_400_000_000
    day = np.repeat(np.arange(days), rows)
    times = start + day * 86_400_000_000 + random.integers(0, 86_400_000_000, days * rows)
    return pa.table(
        {
            "ts": pa.array(times, pa.timestamp("us", "UTC")),
            "x": random.normal(size=days * rows) + step * day,
        }
    )


def slow_rows() -> Iterator[str]:
    yield header(
        "baseline", "-events", "told against the fixed reference", "-KS from it at the end"
    )
    random = np.random.default_rng(SEED)
    reference = ll.profile(table_of(364, 1_000, random), time="ts", every="1d")
    drifting = table_of(200, 1_000, random, step=0.005)
    shifted = drifting.set_column(
        0, "ts", pa.array(drifting["ts"].to_numpy() + np.timedelta64(364, "D"))
    ).cast(drifting.schema)
    current = ll.profile(shifted, time="ts", every="1d")
    for baseline in ("rolling", "previous", "reference"):
        found = ll.trend(reference, current, baseline=baseline, budget="1/month")
        events = found.slow or (found.events if baseline == "reference" else ())
        lasting = [event for event in events if event.ongoing]
        labels = [window.label for window in found.windows]
        day = labels.index(lasting[-1].start) if lasting else None
        one = next(one for one in found.series if one.name == "x (values)")
        sizes = one.sizes if one.fixed is None else one.fixed
        since = "none" if day is None else f"from day {day} on"
        yield f"| {baseline} | {len(found.events)} | {since} | {sizes[-1] * KS:.2f} |"


def wide_table(windows: int, rows: int, length: int, random: np.random.Generator) -> pa.Table:
    """Twelve columns of doubles, four of integers, four of text."""
    count = windows * rows
    window = np.repeat(np.arange(windows, dtype=np.int64), rows)
    times = 20_454 * 86_400_000_000 + window * length + random.integers(0, length, count)
    columns: dict[str, object] = {"ts": pa.array(times, pa.timestamp("us", "UTC"))}
    columns |= {f"float{i}": random.normal(size=count) for i in range(12)}
    columns |= {f"integer{i}": random.poisson(30, size=count) for i in range(4)}
    names = np.array([f"v{i}" for i in range(20)])
    columns |= {f"text{i}": names[random.integers(0, 20, count)] for i in range(4)}
    return pa.table(columns)


def time_rows() -> Iterator[str]:
    yield header(
        *("-windows", "-rows each", "-columns", "baseline", "-processor seconds"),
        "-to unpack them before",
    )
    random = np.random.default_rng(SEED)
    daily = "1d", 86_400_000_000
    for windows, rows, (every, length), baselines in (
        (365, 1_000, daily, ("reference", "previous", "rolling")),
        (10_000, 120, ("1h", 3_600_000_000), ("reference",)),
    ):
        profile = ll.profile(wide_table(windows, rows, length, random), time="ts", every=every)
        begin = time.process_time()
        held = [cell.states[name] for cell in profile.cells for name in cell.states]
        unpacked = time.process_time() - begin
        assert len(held) == 21 * windows
        for baseline in baselines:
            begin = time.process_time()
            ll.trend(profile, baseline=baseline)
            taken = time.process_time() - begin
            yield f"| {windows:,} | {rows:,} | 20 | {baseline} | {taken:.1f} | {unpacked:.1f} |"


def main() -> None:
    """Print every table, and write them if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--years", type=int, default=200)
    parser.add_argument("--streams", type=int, default=1_000)
    parser.add_argument("--changed", type=int, default=200, help="streams with a change")
    parser.add_argument("--only", choices=("budget", "flights", "looks", "slow", "time"))
    parser.add_argument("--write", action="store_true", help="into docs/trend-evidence.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        parts = {
            "budget": lambda: budget_rows(options.years),
            "flights": lambda: flight_rows(flights_of_2013(Path(directory))),
            "looks": lambda: look_rows(options.streams, options.changed),
            "slow": slow_rows,
            "time": time_rows,
        }
        for name, part in parts.items():
            if options.only in (None, name):
                lines = []
                for row in part():
                    print(row, flush=True)
                    lines.append(row)
                if options.write:
                    fill(PAGE, name, lines)


if __name__ == "__main__":
    main()
