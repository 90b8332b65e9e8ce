"""Columns that go with the time: one value in every window, another one in other windows.

The month and the day of the month are such columns in windows of days, and so is the version of
whatever writes the rows. Between two spans of time they differ by nature, so they stand at the top
of every list of what changed; a reader should know why.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from ..profile import Profile, Window
from ..profile.column import ColumnState
from ..profile.summaries import NumericSummary, TextSummary

# Windows from which on it is no accident that none of them has two values.
ENOUGH = 4
SHOWN = 5


def goes_with_time(windows: Iterable[Sequence[ColumnState]]) -> bool:
    """Whether a column has one value in every window, and not the same one in all.

    Parameters
    ----------
    windows
        The states of every window, one for each of its segments. Windows in which all rows are
        missing say nothing.
    """
    found: set[Hashable] = set()
    count = 0
    for states in windows:
        own = {value for state in states for value in _values(state)}
        if len(own) > 1:
            return False
        found |= own
        count += len(own)
    return count >= ENOUGH and len(found) > 1


def columns_of_time(reference: Profile, names: Sequence[str]) -> list[str]:
    """Those of the columns that go with the time in the reference's windows."""
    by_window: dict[Window, list[int]] = {}
    for place, cell in enumerate(reference.cells):
        if cell.window is not None and cell.window.start is not None:
            by_window.setdefault(cell.window, []).append(place)
    if len(by_window) < ENOUGH:
        return []
    cells = reference.cells
    return [
        name
        for name in names
        if goes_with_time(
            [cells[place].states[name] for place in places if name in cells[place].states]
            for places in by_window.values()
        )
    ]


def in_words(names: Sequence[str]) -> str:
    """What a reader should know of such columns.

    >>> in_words(["month"])[:54]
    "'month' has one value in every window of the reference"
    """
    shown = [repr(name) for name in names[:SHOWN]]
    if len(names) > SHOWN:
        shown.append(f"{len(names) - SHOWN} more")
    listed = " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
    has, goes = ("has", "it goes") if len(names) == 1 else ("have", "they go")
    return (
        f"{listed} {has} one value in every window of the reference, and others in other windows: "
        f"{goes} with the time, as months and versions do, whatever else changed"
    )


def _values(state: ColumnState) -> Sequence[Hashable]:
    """The only value of a state, nothing without values, or two of anything for more."""
    summary = state.summary
    if summary is None or summary.total == 0:
        return ()
    if isinstance(summary, NumericSummary) and summary.counts is not None:
        first: list[int] = summary.counts.keys[:2].tolist()
        return first
    if isinstance(summary, TextSummary) and summary.counts.exact and len(summary.counts) == 1:
        return (summary.counts.data,)
    return 0, 1
