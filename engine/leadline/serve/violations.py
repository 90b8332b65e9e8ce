"""Who wants to hear of values that break checks is told what is new, in the background."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..profile import Cell
from .windows import OpenWindow

Violations = Mapping[str, Mapping[str, int]]


class Reporter:
    """Calls somebody with the violations since the last call; an observer of a monitor.

    Parameters
    ----------
    read
        Gives all violations so far, by field and reason.
    tell
        Called after a write, if there are new ones.
    """

    def __init__(
        self, read: Callable[[], Violations], tell: Callable[[Violations], object]
    ) -> None:
        self._read, self._tell = read, tell
        self._told: Violations = {}

    def saved(self, cells: Sequence[Cell]) -> None:  # noqa: ARG002 (what was written is not asked)
        """Tell what is new."""
        now = self._read()
        new = {name: _beyond(counts, self._told.get(name, {})) for name, counts in now.items()}
        self._told = now
        if new := {name: counts for name, counts in new.items() if counts}:
            self._tell(new)

    def closed(self, window: OpenWindow) -> None:
        """Nothing: a window's violations were told when it was written."""

    def forget(self) -> None:
        """Begin at zero, as the counts do."""
        self._told = {}


def _beyond(counts: Mapping[str, int], told: Mapping[str, int]) -> dict[str, int]:
    more = {reason: count - told.get(reason, 0) for reason, count in counts.items()}
    return {reason: count for reason, count in more.items() if count > 0}
