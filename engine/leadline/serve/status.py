"""What a monitor says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from .drift import DriftStatus


@dataclass(frozen=True, slots=True)
class Status:
    """One look at a monitor. Every row that was ever accepted is in exactly one of its terms.

    ``accepted == saved + waiting + open + unwritten + failed``, where the last two are of
    ``dropped_by_reason``; its other reasons are those of rows that were never accepted.

    Parameters
    ----------
    name, pid
        The monitor and the process that it runs in.
    accepted
        Rows taken by ``log`` and ``log_batch``.
    saved
        Rows in snapshot files.
    waiting
        Rows not yet summarised.
    open
        Rows summarised and in memory only, until the next flush.
    dropped
        Rows lost, in total.
    dropped_by_reason
        The same by reason: ``rows`` or ``bytes`` (the bounds of what waits), ``closed`` (logged
        after ``close``), ``error`` (nothing of the row could be read), ``unwritten`` (accepted, but
        the disk refused for too long), ``failed`` (accepted, but could not be summarised).
    violations
        Values that broke a check, by field and reason.
    extra_fields
        Keys that neither the reference nor the policy has, and how many values they had; and keys
        beyond the bound of fields, of which nothing is kept.
    bytes_waiting, bytes_open
        Memory held by rows that wait and by windows that are open.
    windows_open, windows_closed
        Windows that still gain rows, and those that were closed.
    last_flush
        Seconds since what was logged was last written, None before the first time.
    errors
        Failures in the background, by kind of work.
    last_error
        The last of them; empty if there was none.
    files
        Snapshot files that this process has written.
    running
        Whether the background thread runs.
    drift
        What the closed windows were, beside the reference; None without one.
    """

    name: str
    pid: int
    accepted: int
    saved: int
    waiting: int
    open: int
    dropped: int
    dropped_by_reason: Mapping[str, int]
    violations: Mapping[str, Mapping[str, int]]
    extra_fields: Mapping[str, int]
    bytes_waiting: int
    bytes_open: int
    windows_open: int
    windows_closed: int
    last_flush: float | None
    errors: Mapping[str, int]
    last_error: str
    files: tuple[str, ...] = field(default=())
    running: bool = False
    drift: DriftStatus | None = None

    def to_dict(self) -> dict[str, Any]:
        """The same with stable keys, ready for JSON."""
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        return found | {
            "files": list(self.files),
            "drift": None if self.drift is None else self.drift.to_dict(),
        }
