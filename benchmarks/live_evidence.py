"""What live drift promises: a year of a service that does not change, and changes that are found.

    python -m benchmarks.live_evidence [--services 12] [--write]

Prints the table `service` of docs/trend-evidence.md, and with ``--write`` puts it there. Rows are
simulated as counts in cells, then go through the code that `leadline.trend.watch` uses: seasons,
scores, budget. Seeded; a few minutes with one thread.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from leadline.profile import Window
from leadline.scan.windows import Period
from leadline.trend.budget import Budget, alarming
from leadline.trend.events import runs
from leadline.trend.past import Past
from leadline.trend.seasons import Classes, Season
from leadline.trend.timeline import Calendar

from .documents import fill
from .trend_evidence import COHENS_H, KS, PAGE, SEED, Floats, Stream, angles, distances, header

Counts = NDArray[np.int64]

MONDAY = 20_451 * 86_400_000_000  # 2025-12-29
YEAR = 52
# Memory from hour to hour, and spread of the levels.
STREAMS = ((0.0, 0.1), (0.8, 0.1), (0.8, 0.05), (0.95, 0.1), (0.95, 0.05))
CHANGED = 3  # windows in a row with a change
GAP = 17  # every so many windows three are changed, so that every hour of the week has its turn


@dataclass(frozen=True, slots=True)
class Service:
    """Requests with a daily and a weekly season, whose level wanders from window to window.

    Parameters
    ----------
    stream
        Columns, rows a window, and how levels wander; its memory is that from hour to hour.
    minutes
        Length of a window.
    weeks
        Weeks of the reference.
    daily, weekly
        Amplitude of the level over the day, and what weekends add, in deviations of the values.
    traffic
        Amplitude of the number of rows over the day.
    """

    stream: Stream
    minutes: int = 60
    weeks: int = 8
    daily: float = 0.5
    weekly: float = 0.3
    traffic: float = 0.3

    @property
    def per_day(self) -> int:
        """Windows of a day."""
        return 24 * 60 // self.minutes

    def season(self, windows: Counts) -> tuple[Floats, Counts]:
        """Level and rows of windows."""
        hour = windows % self.per_day * (self.minutes / 60)
        wave = np.sin(2 * np.pi * hour / 24)
        weekend = windows // self.per_day % 7 >= 5
        rows = self.stream.rows * (1 + self.traffic * wave)
        return self.daily * wave + self.weekly * weekend, rows.astype(np.int64)

    def levels(self, random: np.random.Generator, windows: int) -> Floats:
        """Values' and missing shares' levels, without the season: (2, columns, windows)."""
        memory = self.stream.memory ** (self.minutes / 60)
        return replace(self.stream, memory=memory).levels(random, windows)

    def values(self, random: np.random.Generator, levels: Floats, rows: Counts) -> Counts:
        """Rows in cells; see `Stream.counts`."""
        edges = stats.norm.ppf(np.arange(1, self.stream.cells) / self.stream.cells)
        shares = np.diff(special.ndtr(edges - levels[..., None]), prepend=0.0, append=1.0, axis=-1)
        return random.multinomial(rows, np.maximum(shares, 0.0))

    def missing(
        self, random: np.random.Generator, levels: Floats, rows: Counts, more: float = 0.0
    ) -> Floats:
        """Missing rows."""
        base = math.log(self.stream.missing / (1 - self.stream.missing))
        shares = special.expit(base + 3 * self.stream.spread * levels) + more
        return np.asarray(random.binomial(rows, shares), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Sums:
    """Some windows together.

    Parameters
    ----------
    values, missing, rows
        Rows in cells by column, missing rows by column, rows.
    """

    values: Counts
    missing: Floats
    rows: int

    @classmethod
    def of(cls, values: Counts, missing: Floats, rows: Counts, places: Sequence[int]) -> Sums:
        """The sums of some windows."""
        return cls(
            values[:, places].sum(axis=1), missing[:, places].sum(axis=1), int(rows[places].sum())
        )

    def without(self, other: Sums) -> Sums:
        """All but some of them."""
        values, missing = self.values - other.values, self.missing - other.missing
        return Sums(values, missing, self.rows - other.rows)

    def sizes(self, values: Counts, missing: Floats, rows: Counts) -> Floats:
        """Effects of windows against these, over their thresholds."""
        apart = distances(values, self.values[:, None, :], inside=False) / KS
        shares = angles(missing, rows.astype(np.float64))
        usual = angles(self.missing, float(self.rows))[:, None]
        return np.concatenate([apart, np.abs(shares - usual) / COHENS_H])


def window_of(service: Service, place: int) -> Window:
    length = service.minutes * 60_000_000
    return Window(MONDAY + place * length, MONDAY + (place + 1) * length)


class Judge:
    """A reference, and what it says of new windows; as `Watch`, on counts."""

    def __init__(
        self, service: Service, values: Counts, missing: Floats, rows: Counts, budget: Budget
    ) -> None:
        self.service = service
        windows = [window_of(service, i) for i in range(len(rows))]
        every = Period.parse(f"{service.minutes}m")
        self.classes = Classes(windows, Calendar(every, "UTC", "ts", 768))
        seasons = [self.classes.of(window) for window in windows]
        self.sums = {
            season: Sums.of(values, missing, rows, list(self.classes.members(season)))
            for season in {*seasons, *self.classes.reachable()}
        }
        sizes = np.empty((2 * len(missing), len(rows)))
        for season in set(seasons):
            members = list(self.classes.members(season))
            for hour in self.classes.together(members):
                own = [place for place in hour if seasons[place] == season]
                others = self.sums[season].without(Sums.of(values, missing, rows, hour))
                sizes[:, own] = others.sizes(values[:, own], missing[:, own], rows[own])
        per_window = budget.per_window(service.minutes * 60.0)
        self.past = Past.of(
            sizes, per_window, reach=1, windows=len(rows), block=service.per_day // 2
        )

        assert self.past.threshold.score is not None

    def sizes(
        self, values: Counts, missing: Floats, rows: Counts, seasons: Sequence[Season]
    ) -> Floats:
        """Effects over their thresholds: values, then missing shares, of every column."""
        found = np.empty((2 * len(missing), len(rows)))
        places: dict[Season, list[int]] = {}
        for place, season in enumerate(seasons):
            places.setdefault(season, []).append(place)
        for season, own in places.items():
            found[:, own] = self.sums[season].sizes(values[:, own], missing[:, own], rows[own])
        return found

    def alarms(
        self, values: Counts, missing: Floats, rows: Counts, places: Counts
    ) -> NDArray[np.bool_]:
        """Which series alarm in which of some new windows."""
        windows = [window_of(self.service, place) for place in places.tolist()]
        seasons = [self.classes.of(window) for window in windows]
        sizes = self.sizes(values, missing, rows, seasons)
        scores = np.array([self.past.laws.scores(column) for column in sizes.T]).T
        score = self.past.threshold.score
        assert score is not None
        found: NDArray[np.bool_] = alarming(scores, sizes, score)
        return found


@dataclass(frozen=True, slots=True)
class Found:
    """What one simulated service came to."""

    allowed: float
    events: int
    changes: int
    ks: int
    missing: int


def simulate(service: Service, random: np.random.Generator, budget: Budget) -> Found:
    """A reference, then a year without any change; then windows of that year with changes."""
    stream, per_week = service.stream, 7 * service.per_day
    own = service.weeks * per_week
    places = np.arange(own + YEAR * per_week)
    season, rows = service.season(places)
    levels = service.levels(random, len(places))
    shifts = stream.spread * levels[0] + season
    values = service.values(random, shifts, rows)
    missing = service.missing(random, levels[1] + season, rows)
    judge = Judge(service, values[:, :own], missing[:, :own], rows[:own], budget)
    year = places[own:]
    alarms = judge.alarms(values[:, year], missing[:, year], rows[year], year)
    # Three windows now and then get a change: KS 0.2 in one column, five points in another.
    starts = np.arange(own, len(places) - CHANGED, GAP)
    hit = (starts[:, None] + np.arange(CHANGED)).ravel()
    shift = 2 * stats.norm.ppf(0.5 + 0.2 / 2)
    values[0, hit] = service.values(random, shifts[0, hit] + shift, rows[hit])
    missing[1, hit] = service.missing(random, levels[1, 1, hit] + season[hit], rows[hit], 0.05)
    changed = judge.alarms(values[:, hit], missing[:, hit], rows[hit], hit)
    by_change = changed.reshape(len(changed), len(starts), CHANGED)
    found = np.asarray(by_change.any(axis=2))
    return Found(
        budget.per_window(service.minutes * 60.0) * len(year),
        len(runs(np.asarray(alarms.any(axis=0)), 0)),
        len(starts),
        int(found[0].sum()),
        int(found[stream.columns + 1].sum()),
    )


def service_rows(services: int) -> Iterator[str]:
    yield header(
        *("windows", "reference", "-memory", "-spread", "-events allowed", "-events found"),
        *("-ratio", "-changes", "-KS 0.2 found", "-+5 points found"),
    )
    budget = Budget.parse("1/week")
    for minutes, streams in ((60, STREAMS), (15, STREAMS[1:-1])):
        for weeks in (2, 8):
            for memory, spread in streams:
                random = np.random.default_rng(SEED)
                service = Service(Stream(memory=memory, spread=spread), minutes, weeks)
                years = services if minutes == 60 else math.ceil(services / 3)
                found = [simulate(service, random, budget) for _ in range(years)]
                allowed, events, changes, ks, lost = (
                    sum(getattr(one, name) for one in found)
                    for name in ("allowed", "events", "changes", "ks", "missing")
                )
                yield (
                    f"| {minutes} min | {weeks} weeks | {memory} | {spread} | {allowed:,.0f} | "
                    f"{events:,} | {events / allowed:.2f} | {changes:,} | {ks / changes:.1%} | "
                    f"{lost / changes:.1%} |"
                )


def main() -> None:
    """Print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--services", type=int, default=12, help="a third of windows of 15 min")
    parser.add_argument("--write", action="store_true", help="into docs/trend-evidence.md")
    options = parser.parse_args()
    lines = []
    for row in service_rows(options.services):
        print(row, flush=True)
        lines.append(row)
    if options.write:
        fill(PAGE, "service", lines)


if __name__ == "__main__":
    main()
