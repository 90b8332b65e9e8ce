"""Rows to windows of time: vectorised over rows, exact at changes of the clock.

A window is a half-open interval of instants. Days, weeks and months begin at local midnight of the
zone (or, where midnight is skipped, when the clock jumps over it); windows of hours and less
count elapsed time from there, so a day of 23 or 25 hours has 23 or 25 windows of an hour.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .. import _arrow
from .._native import cells_windows
from ..errors import InputError
from ..profile import NULL_WINDOW, Window
from ..schema import DAY_SECONDS, UNITS_PER_SECOND

SECOND = UNITS_PER_SECOND["us"]
DAY = DAY_SECONDS * SECOND

# Instants saturate here (about the years -289,500 and +293,500), which leaves room in 64 bits for
# the longest window (a century) around them.
_LATEST = 9_200_000_000_000_000_000
# The zone database ends where datetime does; beyond, the offset of the last year stays in force.
_FIRST_ZONED = int(datetime(2, 1, 1, tzinfo=UTC).timestamp())
_LAST_ZONED = int(datetime(9998, 12, 30, tzinfo=UTC).timestamp())

# Rows from which windows are looked up, and how many of them are looked at first.
_FEW_TIMES = 16_384
_SAMPLE = 4_096

_EVERY = re.compile(r"([1-9][0-9]{0,7})(ms|s|m|h|d|w|mo)")
_LONGEST = {
    "ms": 86_400_000, "s": 86_400, "m": 1_440, "h": 24, "d": 36_500, "w": 5_200, "mo": 1_200,
}  # fmt: skip
_SECONDS = {
    "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0,
    "mo": 365.25 / 12 * 86_400.0,
}  # fmt: skip
# Microseconds of the units that divide a day.
_STEPS = {"ms": SECOND // 1_000, "s": SECOND, "m": 60 * SECOND, "h": 3_600 * SECOND}
_FIXED_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")


@dataclass(frozen=True, slots=True)
class Period:
    """The length of windows: ``count`` of ``ms``, ``s``, ``m``, ``h``, ``d``, ``w`` or ``mo``.

    Examples
    --------
    >>> Period.parse("15m")
    Period(count=15, unit='m')
    """

    count: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read ``15m``, ``1h``, ``1d``, ``1w`` or ``1mo``; raise InputError on anything else."""
        match = _EVERY.fullmatch(text)
        if match is None:
            raise InputError(
                f"{text!r} is not a window length; write a number and ms, s, m, h, d, w or mo, "
                "such as 15m, 1h, 1d, 1w, 1mo"
            )
        count, unit = int(match[1]), match[2]
        if count > _LONGEST[unit]:
            hint = "use days" if unit in _STEPS else "a century is the longest"
            raise InputError(
                f"windows of {text!r} are too long: at most {_LONGEST[unit]:,}{unit}; {hint}"
            )
        return cls(count, unit)

    @property
    def divides_days(self) -> bool:
        """Whether it is a part of a day at most, counted as elapsed time from midnight."""
        return self.unit in _STEPS

    @property
    def step(self) -> int:
        """Microseconds of a window of hours or less."""
        return self.count * _STEPS[self.unit]

    @property
    def seconds(self) -> float:
        """Usual length in seconds; a month is a twelfth of 365.25 days."""
        return self.count * _SECONDS[self.unit]

    def index_of(self, days: NDArray[np.int64]) -> NDArray[np.int64]:
        """Ordinal of the window that holds each local day (weeks from Monday)."""
        if self.unit == "w":
            return (days + 3) // (7 * self.count)
        if self.unit == "mo":
            months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
            return np.asarray(months // self.count)
        return days // self.count

    def first_day_of(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        """First local day of a window given by its ordinal."""
        if self.unit == "w":
            return index * (7 * self.count) - 3
        if self.unit == "mo":
            months = (index * self.count).astype("datetime64[M]")
            return np.asarray(months.astype("datetime64[D]").astype(np.int64))
        return index * self.count


def zone_of(name: str) -> tzinfo:
    """The zone of an IANA name or a fixed offset such as ``+05:30``."""
    fixed = _FIXED_OFFSET.fullmatch(name)
    if fixed is not None:
        minutes = int(fixed[2]) * 60 + int(fixed[3])
        if minutes < 24 * 60:
            return timezone(timedelta(minutes=-minutes if fixed[1] == "-" else minutes))
    if name.upper() in ("UTC", "Z"):
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InputError(
            f"there is no time zone {name!r}; use a name such as America/New_York, or UTC"
        ) from None


class Windows:
    """Assigns instants to windows of one length in one zone.

    Safe to share between threads: what it remembers of the zone only ever grows.

    Parameters
    ----------
    every
        Length of the windows.
    zone
        Name of the zone in which days begin, and which naive times are taken to be in.
    """

    def __init__(self, every: Period, zone: str) -> None:
        self._every = every
        found = zone_of(zone)
        self._clock = None if found is UTC else _Clock(found)
        self._day_starts: dict[int, int] = {}

    def assign(self, column: pa.ChunkedArray) -> tuple[NDArray[np.signedinteger], list[Window]]:
        """Window of every row.

        Parameters
        ----------
        column
            Timestamps of any unit, or dates.

        Returns
        -------
        codes, windows
            ``windows[codes[row]]`` is the window of the row; ascending, null times last.
        """
        times = _Times.of(column)
        found = self._lookup(times)
        if found is None:
            return self._assign_all(times)
        codes, windows = found
        if times.missing is not None:
            codes[times.missing] = len(windows)
            windows = [*windows, NULL_WINDOW]
        return codes, windows

    def window_of(self, instant: int) -> Window:
        """The window that holds an instant, in microseconds since 1970.

        Of a list of one, pyarrow would ask whether pandas is there: half a second, in a service.
        """
        _, windows = self._assign(np.array([instant], dtype=np.int64), naive=False)
        return windows[0]

    def _lookup(self, times: _Times) -> tuple[NDArray[np.int32], list[Window]] | None:
        """Codes by the windows of a sample and of what these leave; None if that does not pay.

        Of a million rows, 4,096 show nearly every window that holds more than a few; all are then
        only compared: 1 ms where they are sorted, instead of 39 ms of arithmetic.
        """
        if len(times.raw) < _FEW_TIMES or times.missing_share > 0.5:
            return None
        if self._clock is not None and times.naive:
            return None  # a window is no interval of wall times where the clock is set back
        windows: list[Window] = []
        rows = np.arange(0, len(times.raw), len(times.raw) // _SAMPLE)
        for _ in range(2):
            if times.missing is not None:
                rows = rows[~times.missing[rows]]
            _, more = self._assign(times.microseconds(times.raw[rows]), naive=times.naive)
            windows = sorted({*windows, *more}, key=lambda window: window.start or 0)
            codes, outside = cells_windows(times.raw, *times.edges(windows))
            if times.missing is not None:
                codes[times.missing] = 0
                outside = int(np.count_nonzero(codes < 0))
            if not outside:
                return codes, windows
            if outside > len(codes) // 4:
                return None
            rows = np.flatnonzero(codes < 0)
        return None  # instants beyond the range of 64 bits

    def _assign_all(self, times: _Times) -> tuple[NDArray[np.int64], list[Window]]:
        """Codes by arithmetic on every row."""
        if times.missing is None:
            return self._assign(times.microseconds(times.raw), naive=times.naive)
        codes = np.empty(len(times.raw), dtype=np.int64)
        present = times.microseconds(times.raw[~times.missing])
        codes[~times.missing], windows = self._assign(present, naive=times.naive)
        codes[times.missing] = len(windows)
        return codes, [*windows, NULL_WINDOW]

    def _assign(
        self, instants: NDArray[np.int64], *, naive: bool
    ) -> tuple[NDArray[np.int64], list[Window]]:
        if len(instants) == 0:
            return np.zeros(0, dtype=np.int64), []
        local = instants
        if self._clock is not None and naive:
            instants = local - self._clock.offsets_of_walls(local // SECOND) * SECOND
        elif self._clock is not None:
            local = instants + self._clock.offsets_of_instants(instants // SECOND) * SECOND
        days = local // DAY
        if self._every.divides_days:
            return self._short(instants, days)
        return self._long(instants, days)

    def _long(
        self, instants: NDArray[np.int64], days: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], list[Window]]:
        """Windows of whole days."""
        index = self._every.index_of(days)
        unique, codes = compact(index)
        starts, ends = self._starts(unique), self._starts(unique + 1)
        late = instants >= ends[codes]
        if late.any():  # see _settle
            unique, codes = compact(index + late)
            starts, ends = self._starts(unique), self._starts(unique + 1)
        return codes, _windows(starts, ends)

    def _short(
        self, instants: NDArray[np.int64], days: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], list[Window]]:
        """Windows of elapsed time inside a day."""
        step = self._every.step
        unique, codes = compact(days)
        midnights, ends = self._days(unique), self._days(unique + 1)
        late = instants >= ends[codes]
        if late.any():
            unique, codes = compact(days + late)
            midnights, ends = self._days(unique), self._days(unique + 1)
        steps = int((ends - midnights).max()) // step + 1
        unique, codes = compact(codes * steps + (instants - midnights[codes]) // step)
        day = unique // steps
        starts = midnights[day] + (unique % steps) * step
        return codes, _windows(starts, np.minimum(starts + step, ends[day]))

    def _starts(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        return self._days(self._every.first_day_of(index))

    def _days(self, days: NDArray[np.int64]) -> NDArray[np.int64]:
        """First instant of each local day."""
        clock = self._clock
        if clock is None:
            return days * DAY
        known = self._day_starts
        for day in days.tolist():
            if day not in known:
                known[day] = clock.start_of_day(day) * SECOND
        return np.array([known[day] for day in days.tolist()], dtype=np.int64)


class _Clock:
    """A zone's offsets from UTC, looked up by day and remembered. All times in whole seconds."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._by_instant = _Offsets(self._offset_of_instant)
        self._by_wall = _Offsets(self._offset_of_wall)

    def offsets_of_instants(self, seconds: NDArray[np.int64]) -> NDArray[np.int64]:
        """Offset in force at each instant."""
        return self._by_instant.at(seconds)

    def offsets_of_walls(self, seconds: NDArray[np.int64]) -> NDArray[np.int64]:
        """Offset of each wall time: the earlier one if it occurs twice, the one before the jump
        if it is skipped (Python's ``fold=0``).
        """
        return self._by_wall.at(seconds)

    def start_of_day(self, day: int) -> int:
        """First instant at which the local date is ``day`` (days since 1970) or later."""
        wall = day * DAY_SECONDS
        before = self._offset_of_wall(wall)
        instant = wall - before
        if self._offset_of_instant(instant) == before:
            return instant
        # Midnight is skipped: the day begins with the jump, found between a moment before it (no
        # jump was longer than the day that Samoa left out in 2011) and this one.
        return _change(self._offset_of_instant, instant - DAY_SECONDS - 3_600, instant)

    def _offset_of_instant(self, second: int) -> int:
        second = min(max(second, _FIRST_ZONED), _LAST_ZONED)
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
        return _seconds(moment.astimezone(self._zone).utcoffset())

    def _offset_of_wall(self, second: int) -> int:
        second = min(max(second, _FIRST_ZONED), _LAST_ZONED)
        wall = datetime(1970, 1, 1) + timedelta(seconds=second)  # noqa: DTZ001 (a wall time)
        return _seconds(wall.replace(tzinfo=self._zone).utcoffset())


class _Offsets:
    """A piecewise constant function of time, known for the days that were asked for."""

    def __init__(self, offset_at: Callable[[int], int]) -> None:
        self._offset_at = offset_at
        self._days: dict[int, tuple[tuple[int, int], ...]] = {}

    def at(self, seconds: NDArray[np.int64]) -> NDArray[np.int64]:
        """Value at each second."""
        days, _ = compact(seconds // DAY_SECONDS)
        pieces = [piece for day in days.tolist() for piece in self._pieces(day)]
        firsts = np.array([first for first, _ in pieces], dtype=np.int64)
        offsets = np.array([offset for _, offset in pieces], dtype=np.int64)
        changes = np.flatnonzero(np.diff(offsets, prepend=offsets[0] - 1))
        if len(changes) == 1:
            return np.full(len(seconds), offsets[0])
        found = np.searchsorted(firsts[changes], seconds, side="right") - 1
        return np.asarray(offsets[changes][found])

    def _pieces(self, day: int) -> tuple[tuple[int, int], ...]:
        """(first second, offset) of every stretch of one day."""
        known = self._days.get(day)
        if known is not None:
            return known
        low = day * DAY_SECONDS
        pieces = [(low, self._offset_at(low))]
        for high in range(low + 21_600, low + DAY_SECONDS + 1, 21_600):
            offset = self._offset_at(high)
            if offset != pieces[-1][1]:
                pieces.append((_change(self._offset_at, high - 21_600, high), offset))
        self._days[day] = tuple(pieces)
        return self._days[day]


@dataclass(frozen=True, slots=True)
class _Times:
    """A column of times as its own integers.

    Parameters
    ----------
    raw
        One a row, in the column's unit; anything where it is null.
    missing
        The null rows, None if there are none.
    per_microsecond, microseconds_per
        One of them is 1: how many units a microsecond has, or microseconds a unit.
    naive
        Whether these are wall times of no zone.
    """

    raw: NDArray[np.int64]
    missing: NDArray[np.bool_] | None
    per_microsecond: int
    microseconds_per: int
    naive: bool

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> _Times:
        """The times of a column; raise InputError if it holds neither timestamps nor dates."""
        type_ = column.type
        if pa.types.is_null(type_):
            nothing = np.zeros(len(column), dtype=np.int64)
            return cls(nothing, np.ones(len(column), dtype=np.bool_), 1, 1, naive=True)
        if not (pa.types.is_date(type_) or pa.types.is_timestamp(type_)):
            raise InputError(f"it holds {type_}, not times")
        naive = getattr(type_, "tz", None) is None
        raw, missing = _integers(column)
        if pa.types.is_date32(type_):
            return cls(raw, missing, 1, DAY, naive=naive)
        per_second = UNITS_PER_SECOND[type_.unit if pa.types.is_timestamp(type_) else "ms"]
        if per_second > SECOND:
            return cls(raw, missing, per_second // SECOND, 1, naive=naive)
        return cls(raw, missing, 1, SECOND // per_second, naive=naive)

    @property
    def missing_share(self) -> float:
        """Null rows over rows."""
        return 0.0 if self.missing is None else float(self.missing.mean())

    def microseconds(self, raw: NDArray[np.int64]) -> NDArray[np.int64]:
        """Some of the times in microseconds since 1970, floored and saturated."""
        if self.per_microsecond > 1:
            return raw // self.per_microsecond
        limit = _LATEST // self.microseconds_per
        return np.clip(raw, -limit, limit) * self.microseconds_per

    def edges(self, windows: list[Window]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Starts and ends of windows in the column's unit, as far as 64 bits go."""
        starts = self._raw_edges([window.start for window in windows])
        return starts, self._raw_edges([window.end for window in windows])

    def _raw_edges(self, edges: list[int | None]) -> NDArray[np.int64]:
        """The first raw time at or after each instant."""
        raw = [-(-(edge or 0) * self.per_microsecond // self.microseconds_per) for edge in edges]
        return np.array([max(min(edge, 2**63 - 1), -(2**63)) for edge in raw], dtype=np.int64)


def microseconds_of(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
    """Instants in microseconds since 1970 (floored, saturated), and the null rows if there are any.

    Raises
    ------
    InputError
        If the column holds neither timestamps nor dates.
    """
    times = _Times.of(column)
    return times.microseconds(times.raw), times.missing


def compact(values: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct values ascending, and the position of each value among them.

    Like ``numpy.unique(return_inverse=True)``, but without a sort where the range is small, as it
    is for windows of one unit (5 ms instead of 90 ms for a million rows).
    """
    if len(values) == 0:
        return values, values
    low, high = int(values.min()), int(values.max())
    if high - low > 4 * len(values) + 65_536:
        unique, codes = np.unique(values, return_inverse=True)
        return unique, codes.astype(np.int64, copy=False)
    shifted = values - low
    present = np.zeros(high - low + 1, dtype=np.bool_)
    present[shifted] = True
    positions = np.cumsum(present, dtype=np.int64) - 1
    return np.flatnonzero(present).astype(np.int64) + low, positions[shifted]


def _integers(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
    """The integers under a column of times, zero where null."""
    missing = _arrow.null_flags(column) if column.null_count else None
    width = pa.int32() if pa.types.is_date32(column.type) else pa.int64()
    parts = [_arrow.filled_values(chunk.view(width), 0) for chunk in column.chunks]
    joined = parts[0] if len(parts) == 1 else np.concatenate([np.zeros(0, dtype=np.int64), *parts])
    return joined.astype(np.int64, copy=False), missing


def _windows(starts: NDArray[np.int64], ends: NDArray[np.int64]) -> list[Window]:
    return [Window(a, b) for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]


def _change(offset_at: Callable[[int], int], low: int, high: int) -> int:
    """First second after ``low`` with the offset of ``high``; one change lies between them."""
    after = offset_at(high)
    while high - low > 1:
        middle = (low + high) // 2
        if offset_at(middle) == after:
            high = middle
        else:
            low = middle
    return high


def _seconds(offset: timedelta | None) -> int:
    return 0 if offset is None else int(offset.total_seconds())
