"""A window that files cut in two between the reference and the snapshots that are judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..profile import Profile, Window
from ..profile.profile import disjoint_inputs


@dataclass(frozen=True, slots=True)
class Cut:
    """The windows that both sides hold a part of, and what is left of the reference.

    Parameters
    ----------
    windows
        At most one at either end of the reference.
    reference
        Without these windows.
    parts
        The reference's parts of them, as one more snapshot.
    """

    windows: tuple[Window, ...]
    reference: Profile
    parts: Profile


def cut_of(reference: Profile, current: Sequence[Profile]) -> Cut | None:
    """The windows in which the files of one side end and those of the other begin.

    Files of months are often cut elsewhere than days are: by another time zone, or by when rows
    arrived. Such a window is judged whole, and the reference keeps whole windows only. Snapshots
    that share more than the window at which they meet, or perhaps rows, are no such case.
    """
    own = _windows(reference)
    others = sorted({window for profile in current for window in _windows(profile)}, key=_start)
    shared = tuple(sorted(set(own) & set(others), key=_start))
    if not shared or len(own) <= len(shared):
        return None
    meeting = (own[-1], others[0]), (own[0], others[-1])
    if not all((window, window) in meeting for window in shared):
        return None
    parts = [profile for profile in current if not {*shared}.isdisjoint(_windows(profile))]
    if not all(disjoint_inputs(reference, profile) for profile in parts):
        return None
    cells = [cell for cell in reference.cells if cell.window in shared]
    names = {column.name for profile in current for column in profile.columns}
    return Cut(
        shared,
        replace(reference, cells=tuple(c for c in reference.cells if c.window not in shared)),
        replace(
            reference,
            cells=tuple(cells),
            columns=tuple(column for column in reference.columns if column.name in names),
        ),
    )


def _windows(profile: Profile) -> list[Window]:
    """Windows with a time that have rows, in order."""
    found = {cell.window for cell in profile.cells if cell.rows and cell.window is not None}
    return sorted((window for window in found if window.start is not None), key=_start)


def _start(window: Window) -> int:
    assert window.start is not None
    return window.start
