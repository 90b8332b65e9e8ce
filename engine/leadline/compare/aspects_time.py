"""Instants judged by when they are: hours of the day, weekdays, days without rows; all in UTC."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..profile import ColumnProfile
from ..sketch.calendar import to_microseconds
from .cells import Cells, Counts
from .judge import cells_evidence, shares_evidence
from .shares import Occurrences
from .significance import special
from .thresholds import Thresholds
from .verdict import Evidence, Judgement, not_comparable
from .words import percent

Whole = NDArray[np.int64]
Floats = NDArray[np.float64]
Told = tuple[Evidence | Judgement, Callable[[], str]]

HOURS_COVERED = 0.95  # of both sides' rows, which the hours that both sides cover have to hold
WEEK, FORTNIGHT = 7, 14
# On a day with this many rows, chance alone leaves none of them once in e^20 days; nineteen days of
# twenty must have as many where a day without rows is to mean something.
BUSY_ROWS, BUSY_DAYS = 20, 0.05
WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
_DAYS = "assumes independent days"
_HOUR = 3_600_000_000


def hours_of(column: ColumnProfile) -> tuple[Whole, ...] | None:
    """Rows by hour of the day, and how often each hour occurs from the first row to the last."""
    summary = column.timestamps
    if summary is None or summary.minimum is None or summary.maximum is None:
        return None
    ends = np.array([summary.minimum, summary.maximum], dtype=np.int64)
    first, last = (to_microseconds(ends, summary.unit) // _HOUR).tolist()
    covered = np.full(24, (last - first + 1) // 24, dtype=np.int64)
    covered[(first + np.arange((last - first + 1) % 24)) % 24] += 1
    return summary.get_calendar().hours, covered


def hours_evidence(a: tuple[Whole, ...], b: tuple[Whole, ...], thresholds: Thresholds) -> Told:
    """Shares of the hours of the day, in the hours that both sides cover."""
    shared = (a[1] > 0) & (b[1] > 0)
    for side in (a, b):
        if not shared.any() or side[0][shared].sum() < HOURS_COVERED * side[0].sum():
            hours = int((b[1] > 0).sum()) if side is a else int((a[1] > 0).sum())
            return not_comparable(f"a side covers only {hours} of the hours of the day"), str
    before, now = a[0][shared], b[0][shared]
    thinned = _thinned(before, b[1][shared] / a[1][shared])
    names = [f"{hour}:00" for hour in np.flatnonzero(shared).tolist()]
    evidence = _shares_of(thinned, now, names, thresholds, "the hours of the day")
    return evidence, lambda: _told(thinned, now, [f"rows from {name} on" for name in names])


def weekdays_evidence(a: ColumnProfile, b: ColumnProfile, thresholds: Thresholds) -> Told:
    """Rows on a Monday, a Tuesday and so on, as shares; the days between first and last count.

    Rows of one day come together, so days are what varies: by chance, and by a coefficient of
    variation, which days of the same weekday tell. Each side's counts are divided by its variance
    over its mean, and the test is the F test of quasi-likelihood.
    """
    sides = _days_of_both(a, b)
    if isinstance(sides, Judgement):
        return sides, str
    before, now = sides
    if min(len(before.rows), len(now.rows)) < FORTNIGHT:
        return not_comparable("a side covers under two weeks"), str
    variation, freedom = _variation(sides)
    thinned = _thinned(before.by_weekday, now.occurrences / before.occurrences)
    own, other = (
        np.rint(counts / side.dispersion(variation))
        for counts, side in ((thinned, before), (now.by_weekday, now))
    )
    if not (own.sum() and other.sum()):
        return not_comparable("days of one weekday differ by more than a week of rows tells"), str
    evidence = _shares_of(own, other, WEEKDAYS, thresholds, "the weekdays")
    cells = int(((own > 0) | (other > 0)).sum())
    if freedom > 0 and cells > 1:
        evidence = _by_variance(evidence, own, other, cells - 1, freedom)
    told = [f"rows on {name}" for name in WEEKDAYS]
    return evidence, lambda: _told(thinned, now.by_weekday, told)


def gaps_evidence(a: ColumnProfile, b: ColumnProfile, thresholds: Thresholds) -> Told:
    """The share of days without rows, of the days from the first row's to the last one's."""
    sides = _days_of_both(a, b)
    if isinstance(sides, Judgement):
        return sides, str
    for label, side in zip(("reference", "current profile"), sides, strict=True):
        usual = side.rows[side.rows > 0]
        if np.quantile(usual, BUSY_DAYS, method="higher") < BUSY_ROWS:
            few = f"many days of the {label} have under {BUSY_ROWS} rows, so that some have none"
            return not_comparable(few), str
    found = [Occurrences.exact(int((side.rows == 0).sum()), len(side.rows)) for side in sides]
    evidence = shares_evidence(
        found[0],
        found[1],
        thresholds,
        subject="the share of days without rows",
        nothing="no day is without rows on either side",
    )

    def words() -> str:
        texts = [f"{int(side.count):,} of {side.rows:,}" for side in found]
        return f"days without rows {texts[0]} to {texts[1]}"

    return replace(evidence, basis=_DAYS), words


@dataclass(frozen=True, slots=True)
class _Days:
    """Rows of every day from the first to the last one, and the days' weekdays (0 is Monday)."""

    rows: Floats
    weekdays: Whole

    @property
    def by_weekday(self) -> Floats:
        return np.bincount(self.weekdays, weights=self.rows, minlength=WEEK).astype(np.float64)

    @property
    def occurrences(self) -> Whole:
        """How often every weekday occurs."""
        return np.bincount(self.weekdays, minlength=WEEK)

    def dispersion(self, variation: float) -> float:
        """Variance of a day's rows over their mean, given the square of their variation."""
        mean = self.by_weekday / self.occurrences
        return 1.0 + variation * float((mean * self.by_weekday).sum() / self.by_weekday.sum())


def _days_of_both(a: ColumnProfile, b: ColumnProfile) -> tuple[_Days, _Days] | Judgement:
    found = []
    for label, column in (("reference", a), ("current profile", b)):
        assert column.timestamps is not None
        days = column.timestamps.get_calendar().days
        if days is None:
            return not_comparable(f"the {label} covers too many days to count them")
        values = days.values.astype(np.int64)
        first, last = int(values[0]), int(values[-1])
        if last - first + 1 < WEEK:
            return not_comparable(f"the {label} covers under a week")
        rows = np.zeros(last - first + 1)
        rows[values - first] = days.counts
        # 1970-01-01 was a Thursday.
        found.append(_Days(rows, (first + 3 + np.arange(len(rows))) % WEEK))
    return found[0], found[1]


def _variation(sides: Sequence[_Days]) -> tuple[float, int]:
    """Square of the coefficient of variation of days beyond chance, and its degrees of freedom.

    That of the side with the larger one: days without rows on one side are no news of weekdays.
    """
    found = []
    for side in sides:
        mean = side.by_weekday / side.occurrences
        apart = np.bincount(side.weekdays, (side.rows - mean[side.weekdays]) ** 2, WEEK)
        free = np.where(mean > 0, side.occurrences - 1, 0)
        squares = float((free * mean**2).sum())
        beyond = float((apart - free * mean).sum())
        found.append((max(0.0, beyond / squares) if squares else 0.0, int(free.sum())))
    return max(found)


def _thinned(counts: NDArray[np.generic], factors: Floats) -> Floats:
    """Counts as they would be had every cell been as long open as on the other side.

    Divided by the largest factor, so that no cell has more rows than were counted: the variance
    of a test that takes them for counts is then never too small.
    """
    thinned: Floats = np.rint(counts * (factors / factors.max()))
    return thinned


def _shares_of(
    before: Floats,
    now: NDArray[np.generic],
    names: Sequence[str],
    thresholds: Thresholds,
    subject: str,
) -> Evidence:
    a, b = (Counts.exact(counts, round(float(counts.sum()))) for counts in (before, now))
    cells = Cells(a, b, categories=tuple(names))
    limit = thresholds.total_variation
    found = cells_evidence(cells, cells, limit, thresholds.significance)
    return replace(found, subject=subject)


def _by_variance(
    evidence: Evidence, before: Floats, now: Floats, freedom: int, residual: int
) -> Evidence:
    """The evidence with the F test in place of the chi-squared one."""
    pooled = (before + now) / (before.sum() + now.sum())
    statistic = 0.0
    for side in (before, now):
        expected = pooled * side.sum()
        held = expected > 0
        statistic += float(((side - expected)[held] ** 2 / expected[held]).sum())
    p = float(special().fdtrc(freedom, residual, statistic / freedom))
    effect = replace(evidence.effect, p_value=p)
    return replace(evidence, effect=effect, test="F", detectable=None, basis=_DAYS)


def _told(before: NDArray[np.generic], now: NDArray[np.generic], titles: Sequence[str]) -> str:
    shares = [side / side.sum() for side in (before, now)]
    place = int(np.abs(shares[0] - shares[1]).argmax())
    told = " to ".join(percent(float(side[place])) for side in shares)
    return f"{titles[place]} {told}"
