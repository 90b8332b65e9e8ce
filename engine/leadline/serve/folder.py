"""The folder of a service's journals: their names, and which of them may be removed.

Every process writes files of its own, for names hold its host, its number and a random number. A
process that lives has the lock of every file that it writes (`snapshot.files.lock`), so nobody has
to guess from process numbers, which mean nothing on another host, in another container, or later.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from ..errors import InputError
from ..scan.windows import DAY, SECOND, zone_of
from ..snapshot.files import lock

_NAME = re.compile(r"[^\W_](?:[\w-]{0,98}\w)?")
_OWNER = r"[0-9a-f]{6}-[0-9]+-[0-9a-f]{8}"
_EPOCH = date(1970, 1, 1)
# A longer time without any file does not count, so that nothing is lost by a clock that is wrong.
# Services that run once a week stay below it, whatever daylight saving does.
_LONGEST_GAP = 7 * DAY + DAY // 2


@dataclass(frozen=True, slots=True)
class Clock:
    """The two clocks of a system.

    Parameters
    ----------
    wall
        Nanoseconds since 1970, which people may set.
    monotonic
        Seconds since whenever, which nobody sets.
    """

    wall: Callable[[], int] = time.time_ns
    monotonic: Callable[[], float] = time.monotonic

    def now(self) -> int:
        """Microseconds since 1970 by the wall clock."""
        return self.wall() // 1_000


class SteadyTime:
    """The wall clock without its jumps forward, which it only catches up with by and by.

    Time that passed by the other clock counts at most twice. So a clock that is an hour ahead for
    ten minutes makes files ten minutes older, not an hour.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._now, self._at = clock.now(), clock.monotonic()

    def now(self) -> int:
        """Microseconds since 1970."""
        at = self._clock.monotonic()
        most = self._now + round(2 * max(at - self._at, 0.0) * SECOND)
        self._now, self._at = min(self._clock.now(), most), at
        return self._now


class Folder:
    """Where the journals of one service lie.

    Parameters
    ----------
    path
        The folder.
    name
        Name of the service.
    zone
        Where days begin.

    Raises
    ------
    InputError
        If the name cannot begin a file name.
    """

    def __init__(self, path: Path, name: str, zone: str) -> None:
        if _NAME.fullmatch(name) is None:
            raise InputError(
                f"{name!r} cannot begin the names of files; use letters, digits, - and _, at most "
                "100, from a letter or a digit to another"
            )
        self.path, self._name, self._zone = path, name, zone_of(zone)
        self._journal = re.compile(rf"{re.escape(name)}-([0-9]{{8}})-{_OWNER}(?:-[0-9]+)?\.lead")
        self._temporary = re.compile(rf"\.{self._journal.pattern}\.[0-9a-f]{{8}}\.tmp")
        self.forget()

    def forget(self) -> None:
        """Name files as another process, as in a forked child."""
        host = hashlib.blake2b(socket.gethostname().encode(), digest_size=3).hexdigest()
        self._owner = f"{host}-{os.getpid()}-{secrets.token_hex(4)}"
        self._begun: dict[int, int] = {}

    def make(self) -> None:
        """Make the folder if it is not there; OSError if that is not possible."""
        self.path.mkdir(parents=True, exist_ok=True)

    def new_path(self, day: int) -> Path:
        """A path for a new file of a day."""
        self._begun[day] = number = self._begun.get(day, 0) + 1
        text = (_EPOCH + timedelta(days=day)).strftime("%Y%m%d")
        again = "" if number == 1 else f"-{number}"
        return self.path / f"{self._name}-{text}-{self._owner}{again}.lead"

    def day_of(self, instant: int) -> int:
        """The day, in the folder's zone, of an instant in microseconds; days count from 1970."""
        return (datetime.fromtimestamp(instant // SECOND, self._zone).date() - _EPOCH).days

    def remove_left_over(self) -> None:
        """Remove temporary files of processes that ended before they could."""
        for entry in os.scandir(self.path):
            if self._temporary.fullmatch(entry.name):
                remove_unused(Path(entry.path))

    def outlived(self, now: int, keep: int, length: int) -> list[Path]:
        """Files whose last window ended at least ``keep`` microseconds ago, oldest first.

        A long time without any file does not count. So a clock that is set wrong does not make
        files old: only days of data do.

        Parameters
        ----------
        now
            Microseconds since 1970.
        length
            Length of the longest window, in microseconds.
        """
        files: dict[int, list[Path]] = {}
        for day, path in self._journals():
            files.setdefault(day, []).append(path)
        found: list[Path] = []
        later, age = now, 0
        passed = 0  # what a time without files counts: the day at its end, if that is over
        for day in sorted(files, reverse=True):
            end = self._begin_of(day) + max(DAY, length)
            gap = later - end
            if gap > _LONGEST_GAP:
                gap = passed
            if later >= end:
                age, later, passed = age + gap, end, DAY
            if age >= keep:
                found = files[day] + found
        return found

    def _journals(self) -> Iterator[tuple[int, Path]]:
        for entry in os.scandir(self.path):
            match = self._journal.fullmatch(entry.name)
            if match is not None:
                with suppress(ValueError):
                    day = datetime.strptime(match[1], "%Y%m%d").date()  # noqa: DTZ007
                    yield (day - _EPOCH).days, Path(entry.path)

    def _begin_of(self, day: int) -> int:
        first = _EPOCH + timedelta(days=day)
        begin = datetime(first.year, first.month, first.day, tzinfo=self._zone)
        return round(begin.timestamp()) * SECOND


def remove_unused(path: Path) -> bool:
    """Remove a file whose writer does not live; False if it does, or somebody else removed it.

    Raises
    ------
    OSError
        If the system refuses.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        if not lock(descriptor):
            return False
        with suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108
            return True
    finally:
        os.close(descriptor)
    return False
