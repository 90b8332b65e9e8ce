"""Which windows of a reference a window is compared with: those of the same season, if enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..profile import Window
from .timeline import Calendar

# Windows of the same season that the reference must hold beside the one that is judged.
ENOUGH = 4
ALL = "all windows"
WEEK_HOUR, DAY_HOUR, WEEK_DAY = "hour of the week", "hour of the day", "day of the week"


@dataclass(frozen=True, slots=True)
class Season:
    """A class of windows.

    Parameters
    ----------
    level
        ``hour of the week``, ``hour of the day``, ``day of the week`` or ``all windows``.
    key
        Which of them: weekday (Monday is 0), hour, or both.
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
        week = Season(WEEK_HOUR, (local.weekday(), local.hour))
        return week, Season(DAY_HOUR, (local.hour,)), EVERYTHING
    if every.unit == "d" and every.count == 1:
        return Season(WEEK_DAY, (calendar.local(window).weekday(),)), EVERYTHING
    return (EVERYTHING,)


class Classes:
    """The reference's windows by season."""

    def __init__(
        self, windows: Sequence[Window | None], calendar: Calendar, *, seasonal: bool = True
    ) -> None:
        self._calendar = calendar
        self._seasonal = seasonal
        self._members: dict[Season, list[int]] = {}
        for place, window in enumerate(windows):
            for season in self._seasons(window):
                self._members.setdefault(season, []).append(place)

    def of(self, window: Window | None, *, inside: bool) -> Season:
        """The narrowest season with enough windows; ``inside`` if the window is one of them."""
        for season in self._seasons(window):
            if len(self._members.get(season, ())) - inside >= ENOUGH:
                return season
        return EVERYTHING

    def reachable(self) -> list[Season]:
        """Every season that `of` may give for a window that is not one of these."""
        found: dict[Season, None] = {}
        for seasons in self._ladders():
            enough = [one for one in seasons if len(self._members.get(one, ())) >= ENOUGH]
            found[(enough or [EVERYTHING])[0]] = None
        return list(found)

    def members(self, season: Season) -> tuple[int, ...]:
        """Places of the windows of a season, in order."""
        return tuple(self._members.get(season, ()))

    def _seasons(self, window: Window | None) -> tuple[Season, ...]:
        return seasons_of(window, self._calendar) if self._seasonal else (EVERYTHING,)

    def _ladders(self) -> list[tuple[Season, ...]]:
        """The seasons of all windows that there can be, each with those it falls back to."""
        every = self._calendar.every
        if every is None or not self._seasonal:
            return [(EVERYTHING,)]
        if every.divides_days:
            return [
                (Season(WEEK_HOUR, (weekday, hour)), Season(DAY_HOUR, (hour,)))
                for weekday in range(7)
                for hour in range(24)
            ]
        if every.unit == "d" and every.count == 1:
            return [(Season(WEEK_DAY, (weekday,)),) for weekday in range(7)]
        return [(EVERYTHING,)]
