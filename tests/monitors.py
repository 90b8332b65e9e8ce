"""A monitor without a thread, for tests of what follows one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import leadline as ll
from leadline.profile import Cell, Settings, Window
from leadline.serve.status import Status
from leadline.serve.windows import Observer, OpenWindow

MINUTE = 60_000_000

STATUS = Status(
    name="fraud",
    pid=1,
    accepted=0,
    saved=0,
    waiting=0,
    open=0,
    dropped=0,
    dropped_by_reason={},
    violations={},
    extra_fields={},
    bytes_waiting=0,
    bytes_open=0,
    windows_open=0,
    windows_closed=0,
    last_flush=None,
    errors={},
    last_error="",
)


class StandIn:
    """What `serve.observed.Observed` asks of a monitor."""

    def __init__(self, name: str = "fraud") -> None:
        self.name, self.settings = name, Settings(every="1m")
        self.drift: Any = None
        self.known = replace(STATUS, name=name)
        self.observers: list[Observer] = []
        self._minute = 0

    def observe(self, observer: Observer) -> None:
        self.observers.append(observer)

    def ignore(self, observer: Observer) -> None:
        self.observers.remove(observer)

    def status(self) -> Status:
        return self.known

    def cell(self, data: Any, roles: Mapping[str, str] | None = None) -> Cell:
        """A cell of the minute under way."""
        [cell] = ll.profile(data, roles=roles or {}).cells
        window = Window(self._minute * MINUTE, (self._minute + 1) * MINUTE)
        return replace(cell, window=window)

    def flush(self, *cells: Cell) -> None:
        rows = self.known.accepted + sum(cell.rows for cell in cells)
        self.known = replace(self.known, accepted=rows, saved=rows)
        for observer in self.observers:
            observer.saved(cells)

    def close(self, *cells: Cell) -> None:
        assert cells[0].window is not None
        window = OpenWindow(cells[0].window, {cell.segment: cell for cell in cells})
        self.known = replace(self.known, windows_closed=self.known.windows_closed + 1)
        self._minute += 1
        for observer in self.observers:
            observer.closed(window)

    def log(self, data: Any, roles: Mapping[str, str] | None = None) -> None:
        """One window with this data, written and closed."""
        cell = self.cell(data, roles)
        self.flush(cell)
        self.close(cell)
