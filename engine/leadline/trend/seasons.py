"""Which windows of a reference a window is compared with: those of the same season, if enough."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..profile import Window
from .timeline import Calendar

# Times that a season must have come in the reference. A window of the reference counts too: else
# its own windows would be compared otherwise than those that come.
ENOUGH = 4
SATURDAY = 5
ALL = "all windows"
WEEK_HOUR, DAY_HOUR, WEEK_DAY = "hour of the week", "hour of the day", "day of the week"
# A reference of two weeks has every hour of the week twice, and of working days ten times.
KIND_HOUR, KIND_DAY = "hour of working days or of weekends", "kind of day, working or weekend"


@dataclass(frozen=True, slots=True)
class Season:
    """A class of windows.

    Parameters
    ----------
    level
        ``hour of the week``, ``hour of working days or of weekends``, ``hour of the day``, ``day of
        the week``, ``kind of day, working or weekend`` or ``all windows``.
    key
        Which of them: weekday (Monday is 0) or whether it is a weekend, hour, or both.
    """

    level: str
    key: tuple[int, ...] = ()


EVERYTHING = Season(ALL)


@lru_cache(maxsize=1 << 15)
def seasons_of(window: Window | None, calendar: Calendar) -> tuple[Season, ...]:
    """The classes that a window belongs to, the narrowest first."""
    every = calendar.every
    if window is None or every is None or window.start is None:
        return (EVERYTHING,)
    if every.divides_days:
        local = calendar.local(window)
        return (*_hours(local.weekday(), local.hour), EVERYTHING)
    if every.unit == "d" and every.count == 1:
        return (*_days(calendar.local(window).weekday()), EVERYTHING)
    return (EVERYTHING,)


def _hours(weekday: int, hour: int) -> tuple[Season, ...]:
    weekend = int(weekday >= SATURDAY)
    return (
        Season(WEEK_HOUR, (weekday, hour)),
        Season(KIND_HOUR, (weekend, hour)),
        Season(DAY_HOUR, (hour,)),
    )


def _days(weekday: int) -> tuple[Season, ...]:
    return Season(WEEK_DAY, (weekday,)), Season(KIND_DAY, (int(weekday >= SATURDAY),))


class Classes:
    """The reference's windows by season."""

    def __init__(
        self, windows: Sequence[Window | None], calendar: Calendar, *, seasonal: bool = True
    ) -> None:
        self._calendar = calendar
        self._seasonal = seasonal
        self._members: dict[Season, list[int]] = {}
        times: dict[Season, set[object]] = {}
        self._times = [self._time(place, window) for place, window in enumerate(windows)]
        for place, window in enumerate(windows):
            for season in self._seasons(window):
                self._members.setdefault(season, []).append(place)
                times.setdefault(season, set()).add(self._times[place])
        self._enough = {season for season, found in times.items() if len(found) >= ENOUGH}

    def of(self, window: Window | None) -> Season:
        """The narrowest season of a window that came often enough."""
        return next((one for one in self._seasons(window) if one in self._enough), EVERYTHING)

    def together(self, places: Iterable[int]) -> list[list[int]]:
        """Windows that lie in one hour of one day, which resemble each other for that alone."""
        found: dict[object, list[int]] = {}
        for place in places:
            found.setdefault(self._times[place], []).append(place)
        return list(found.values())

    def reachable(self) -> list[Season]:
        """Every season that `of` may give for a window that is not one of these."""
        every = self._calendar.every
        ladders: list[tuple[Season, ...]] = [()]
        if every is not None and self._seasonal:
            if every.divides_days:
                ladders = [_hours(weekday, hour) for weekday in range(7) for hour in range(24)]
            elif every.unit == "d" and every.count == 1:
                ladders = [_days(weekday) for weekday in range(7)]
        return list(
            dict.fromkeys(
                next((one for one in ladder if one in self._enough), EVERYTHING)
                for ladder in ladders
            )
        )

    def members(self, season: Season) -> tuple[int, ...]:
        """Places of the windows of a season, in order."""
        return tuple(self._members.get(season, ()))

    def _seasons(self, window: Window | None) -> tuple[Season, ...]:
        return seasons_of(window, self._calendar) if self._seasonal else (EVERYTHING,)

    def _time(self, place: int, window: Window | None) -> object:
        """When a window is: its hour, if it is no longer than that."""
        every = self._calendar.every
        short = every is not None and every.divides_days
        if window is None or window.start is None or not short:
            return place
        local = self._calendar.local(window)
        return local.date(), local.hour, local.utcoffset()
