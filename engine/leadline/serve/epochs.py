"""Epochs of a running service: the stretches of time that blocks of rows are cut at.

A row's epoch is the number of whole steps since 1970 at the moment it was logged: one division, and
no flag that threads share. Every window of the profile consists of whole epochs, whatever the zone.
"""

from __future__ import annotations

import math

from ..errors import InputError
from ..profile import Window
from ..scan.windows import Period, Windows

# Every zone's midnight falls on a multiple of this since 1970: offsets are whole quarters of an
# hour. (They were not before 1972, which no running service logs.)
_QUARTER = 15 * 60 * 1_000_000


class Epochs:
    """Which window of the profile an epoch belongs to.

    Parameters
    ----------
    every
        Length of the windows, such as ``500ms``, ``10s``, ``1m``, ``1h``, ``1d``.
    zone
        Where days begin.

    Raises
    ------
    InputError
        If either cannot be used.
    """

    def __init__(self, every: str, zone: str) -> None:
        self.period = Period.parse(every)
        self._windows = Windows(self.period, zone)
        step = self.period.step if self.period.divides_days else _QUARTER
        self._step = math.gcd(step, _QUARTER)
        if self._step < 1_000:
            raise InputError(f"windows of {every!r} are too short; use 1ms or more")

    @property
    def step(self) -> int:
        """Length of an epoch in nanoseconds."""
        return 1_000 * self._step

    def window(self, epoch: int) -> Window:
        """The window that holds an epoch."""
        return self._windows.window_of(epoch * self._step)
