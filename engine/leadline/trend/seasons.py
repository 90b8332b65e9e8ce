"""Which windows of a reference a window is compared with: those of the same season, if enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..profile import Window
from .timeline import Calendar

# Windows of the same season that the reference must hold beside the one that is judged.
ENOUGH = 4
ALL = "all windows"


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


def seasons_of(window: Window | None, calendar: Calendar) -> tuple[Season, ...]:
    """The classes that a window belongs to, the narrowest first."""
    every = calendar.every
    if window is None or every is None or window.start is None:
        return (EVERYTHING,)
    if every.divides_days:
        local = calendar.local(window)
        week = Season("hour of the week", (local.weekday(), local.hour))
        return week, Season("hour of the day", (local.hour,)), EVERYTHING
    if every.unit == "d" and every.count == 1:
        return Season("day of the week", (calendar.local(window).weekday(),)), EVERYTHING
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

    def members(self, season: Season) -> NDArray[np.int64]:
        """Places of the windows of a season, in order."""
        return np.array(self._members.get(season, []), dtype=np.int64)

    def _seasons(self, window: Window | None) -> tuple[Season, ...]:
        return seasons_of(window, self._calendar) if self._seasonal else (EVERYTHING,)
