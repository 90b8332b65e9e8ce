"""How long before its window's end the newest instant is, beside what is usual in the reference."""

from __future__ import annotations

import numpy as np

from ..profile import Profile, Window
from .aspects import Drafted
from .history import MINIMUM_WINDOWS, history_p
from .statistic import Statistic
from .thresholds import Thresholds
from .verdict import Evidence, not_comparable

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def freshness_of(
    reference: Profile, current: Profile, name: str, thresholds: Thresholds
) -> Drafted | None:
    """What is judged of the newest instant of the time column; None of any other column.

    The effect is how much later than usual the last window's data end, over the window's length;
    what is usual is the median of the reference's windows, and their own effects are the test.
    """
    if not (name == reference.settings.time == current.settings.time):
        return None
    past = reference.kept(("lateness", name), lambda: _lateness(reference, name))
    now = _lateness(current, name)
    if len(past) < MINIMUM_WINDOWS or not now:
        return Drafted(
            not_comparable(f"what is usual takes {MINIMUM_WINDOWS} windows of the reference")
        )
    window, late = now[-1]
    assert window.start is not None and window.end is not None
    length = (window.end - window.start) / 1e6
    seconds = np.array([each for _, each in past])
    usual = float(np.median(seconds))
    size = max(0.0, late - usual) / length
    p = history_p(late, seconds)
    evidence = Evidence(
        Statistic(size, size, size, name="lateness", p_value=p),
        thresholds.lateness,
        "windows",
        "the newest row, in windows",
        basis=f"against {len(past)} windows of the reference",
    )
    return Drafted(
        evidence,
        lambda: f"ends {duration(late)} before its window does, usually {duration(usual)}",
    )


def duration(seconds: float) -> str:
    """A length of time in its nearest unit.

    >>> duration(90), duration(3 * 86_400)
    ('2 min', '3.0 d')
    """
    if seconds >= 172_800:
        return f"{seconds / 86_400:.1f} d"
    if seconds >= 5_400:
        return f"{seconds / 3_600:.1f} h"
    return f"{seconds / 60:.0f} min"


def _lateness(side: Profile, name: str) -> list[tuple[Window, float]]:
    """Seconds from the newest instant of every window to its end, in the order of the windows."""
    newest: dict[Window, float] = {}
    for cell in side.cells:
        window, state = cell.window, cell.states.get(name)
        last = None if state is None else getattr(state.summary, "maximum", None)
        unit = None if state is None else state.column.unit
        if window is None or window.end is None or last is None or unit is None:
            continue
        late = window.end / 1e6 - int(last) / _PER_SECOND[unit]
        newest[window] = min(newest.get(window, late), late)
    return [(window, newest[window]) for window in side.windows if window in newest]
