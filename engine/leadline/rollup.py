"""The windows of a profile rolled up to longer ones, by merging their cells."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from .errors import InputError
from .profile import Cell, Profile, Window
from .profile.cells import cell_order, fold
from .scan.windows import Period, Windows


def roll_up(profile: Profile, every: str) -> Profile:
    """The same profile in windows of the length ``every``, in its own time zone.

    Cells of one segment whose windows lie in one longer window are merged in order of time. Rows
    with a null time keep their own window.

    Raises
    ------
    InputError
        If the profile has no windows, or one of them does not lie whole inside a longer one (weeks
        do not add up to months).
    """
    settings = profile.settings
    if settings.every is None:
        raise InputError("this profile has no windows to roll up; profile with --time and --every")
    longer = _longer_windows(profile, every)
    groups: dict[tuple[Window | None, tuple[object, ...]], list[Cell]] = {}
    for cell in profile.cells:
        window = cell.window
        known = longer.get(window, window) if window is not None else None
        groups.setdefault((known, cell.segment), []).append(replace(cell, window=known))
    cells = [fold(group, lambda a, b: a.merged_whole(b, k=settings.k)) for group in groups.values()]
    return replace(
        profile,
        cells=tuple(sorted(cells, key=cell_order)),
        settings=replace(settings, every=every),
        continuation=None,
    )


def _longer_windows(profile: Profile, every: str) -> dict[Window, Window]:
    """Which longer window holds each window of the profile."""
    known = [window for window in profile.windows if window.start is not None]
    starts = pa.chunked_array(
        [pa.array([window.start for window in known], pa.timestamp("us", "UTC"))]
    )
    zone = profile.settings.tz or "UTC"
    codes, windows = Windows(Period.parse(every), zone).assign(starts)
    longer = {}
    for window, code in zip(known, codes.tolist(), strict=True):
        target = windows[code]
        assert window.end is not None
        assert target.end is not None
        if window.end > target.end:
            raise InputError(
                f"the window {window} does not lie inside one window of {every!r} ({target}); "
                f"windows of {profile.settings.every} cannot be rolled up to {every}"
            )
        longer[window] = target
    return longer
