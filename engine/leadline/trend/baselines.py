"""What every window is compared with: the fixed reference, the window before, or a rolling merge.

No raw rows are needed: baselines are merges of windows' states. A season's windows are merged once;
the rolling baseline is a queue of two stacks, in which every window is merged three times however
long the baseline is.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..profile import ColumnProfile
from ..profile.cells import merge_column
from ..profile.column import ColumnState
from ..profile.summaries import NumericSummary, TimestampSummary
from ..snapshot.packed import PackedStates
from .seasons import ALL, ENOUGH, EVERYTHING, Classes, Season
from .timeline import Calendar, Part

States = Mapping[str, ColumnState]
Columns = Mapping[str, ColumnProfile]

REFERENCE, PREVIOUS, ROLLING = "reference", "previous", "rolling"
BASELINES = (REFERENCE, PREVIOUS, ROLLING)
# A rolling baseline spans four weeks, so that every hour of the week is in it, and 8 windows at
# least.
ROLLING_SECONDS, ROLLING_LEAST = 28 * 86_400.0, 8


def rolling_windows(calendar: Calendar) -> int:
    """How many windows a rolling baseline has if nobody says."""
    seconds = calendar.seconds
    return (
        ROLLING_LEAST if seconds is None else max(round(ROLLING_SECONDS / seconds), ROLLING_LEAST)
    )


@dataclass(frozen=True, slots=True)
class Basis:
    """What one window was compared with.

    Parameters
    ----------
    kind
        ``reference``, ``previous`` or ``rolling``.
    windows, rows
        Windows and rows of the baseline, without the window itself.
    season
        Which windows of the reference: ``day of the week``, ..., ``all windows``.
    members
        Their places among all windows; empty for a reference without windows.
    inside
        Whether the window is among them, and its own part is taken out of the effect.
    """

    kind: str
    windows: int
    rows: int
    season: str = ALL
    members: tuple[int, ...] = ()
    inside: bool = False


@dataclass(frozen=True, slots=True)
class Baseline:
    """A baseline's columns, and what it is."""

    basis: Basis
    columns: Columns


class ReferenceBaseline:
    """The fixed reference: its windows of the same season, or all of it."""

    def __init__(
        self, parts: Sequence[Part], calendar: Calendar, *, seasonal: bool, windowed: bool
    ) -> None:
        self._parts = parts
        self._k = calendar.k
        self._windowed = windowed
        self._classes = Classes([part.window for part in parts], calendar, seasonal=seasonal)
        self._merged: dict[tuple[int, ...], Columns] = {}
        self._held: dict[Season, tuple[tuple[int, ...], int, int]] = {}

    def merged(self, members: Sequence[int]) -> Columns:
        """The merge of some of its windows; each is made once."""
        known = tuple(members)
        if known not in self._merged:
            self._merged[known] = merged([self._parts[i].states for i in known], self._k)
        return self._merged[known]

    def of(self, place: int, part: Part) -> Baseline | None:
        """The baseline of a window; places below the number of parts are the reference's own."""
        if self._windowed and place < len(self._parts):
            return next((baseline for group in self.own([place]) for _, baseline in group), None)
        basis = self._basis(self._classes.of(part.window) if self._windowed else EVERYTHING)
        return None if basis is None else Baseline(basis, self.merged(basis.members))

    def own(self, places: Sequence[int]) -> Iterator[list[tuple[int, Baseline]]]:
        """Windows of the reference with their baselines; those with the same columns together.

        Where windows are shorter than an hour, all of the same hour are left out: they resemble
        each other more than windows of other days do.
        """
        seasons: dict[Season, list[int]] = {}
        for place in places:
            seasons.setdefault(self._classes.of(self._parts[place].window), []).append(place)
        for season, wanted in seasons.items():
            members = self._members(season)[0]
            together = self._classes.together(members)
            if len(together) < len(members):
                yield from self._without_hours(season, together, set(wanted))
                continue
            columns = self.merged(members)
            bases = [(place, self._basis(season, [place])) for place in wanted]
            yield [(place, Baseline(basis, columns)) for place, basis in bases if basis is not None]

    def _without_hours(
        self, season: Season, together: Sequence[Sequence[int]], wanted: Container[int]
    ) -> Iterator[list[tuple[int, Baseline]]]:
        hours = [
            states_of(merged([self._parts[i].states for i in hour], self._k)) for hour in together
        ]
        for hour, others in zip(together, without_each(hours, self._k), strict=True):
            own = [place for place in hour if place in wanted]
            basis = self._basis(season, hour)
            if own and basis is not None:
                left = tuple(i for other in together if other is not hour for i in other)
                one = Baseline(
                    replace(basis, members=left, inside=False), profiles(others, self._k)
                )
                yield [(place, one) for place in own]

    def _members(self, season: Season) -> tuple[tuple[int, ...], int, int]:
        """The reference's windows of a season, their rows, and how many have any."""
        if season not in self._held:
            members = self._classes.members(season) or tuple(range(len(self._parts)))
            counts = [self._parts[i].rows for i in members]
            self._held[season] = members, sum(counts), sum(count > 0 for count in counts)
        return self._held[season]

    def _basis(self, season: Season, left_out: Sequence[int] = ()) -> Basis | None:
        """A season's windows, some of them perhaps left out; None if there are no others."""
        members, rows, windows = self._members(season)
        for place in left_out:
            rows -= self._parts[place].rows
            windows -= self._parts[place].rows > 0
        if windows < 1:
            return None
        return Basis(REFERENCE, windows, rows, season.level, members, inside=bool(left_out))

    def held(self, *, seasons: int) -> HeldBaseline:
        """The same for windows that are not the reference's own, without its windows.

        Parameters
        ----------
        seasons
            How many seasons' columns are kept ready; the others are packed.
        """
        packed = {}
        for season in self._classes.reachable() if self._windowed else [EVERYTHING]:
            basis = self._basis(season)
            if basis is not None:
                columns = self.merged(basis.members)
                content = {
                    name: PackedStates.of({name: column.state}) for name, column in columns.items()
                }
                packed[season] = replace(basis, members=()), content
                del self._merged[basis.members]  # as large as all windows together
        classes = self._classes if self._windowed else None
        return HeldBaseline(packed, classes, self._k, seasons=seasons)

    def accept(self, place: int, part: Part) -> None:
        """Nothing: the reference does not move."""


class HeldBaseline:
    """A reference of which only the merges of its seasons are left, packed until they are needed.

    Made by `ReferenceBaseline.held`. What it holds does not grow with the reference's windows.
    """

    def __init__(
        self,
        packed: Mapping[Season, tuple[Basis, Mapping[str, PackedStates]]],
        classes: Classes | None,
        k: int,
        *,
        seasons: int,
    ) -> None:
        self._packed = packed
        self._classes = classes
        self._k = k
        self._ready: OrderedDict[Season, Baseline] = OrderedDict()
        self._most = seasons

    @property
    def nbytes(self) -> int:
        """Bytes of packed states."""
        return sum(one.nbytes for _, content in self._packed.values() for one in content.values())

    def of(self, part: Part, pause: Callable[[], object]) -> Baseline | None:
        """The baseline of a window; ``pause`` is called after every column that is unpacked."""
        season = EVERYTHING
        if self._classes is not None:
            season = self._classes.of(part.window)
        if season not in self._packed:
            return None  # the season's windows are there, and have no rows
        if season not in self._ready:
            basis, content = self._packed[season]
            columns: dict[str, ColumnProfile] = {}
            for packed in content.values():
                columns |= profiles(packed.unpacked(), self._k)
                pause()
            self._ready[season] = Baseline(basis, columns)
            if len(self._ready) > self._most:
                self._ready.popitem(last=False)
        self._ready.move_to_end(season)
        return self._ready[season]


class PreviousBaseline:
    """The last window before that has enough rows."""

    def __init__(self, calendar: Calendar, minimum: int) -> None:
        self._k = calendar.k
        self._minimum = minimum
        self._last: tuple[int, Part] | None = None

    def of(self, _place: int, _part: Part) -> Baseline | None:
        """The window before, or None before the first."""
        if self._last is None:
            return None
        before, last = self._last
        return Baseline(
            Basis(PREVIOUS, 1, last.rows, members=(before,)), profiles(last.states, self._k)
        )

    def accept(self, place: int, part: Part) -> None:
        """Let a window be the next one's baseline."""
        if part.rows >= self._minimum:
            self._last = place, part


class RollingBaseline:
    """The last windows that were accepted, ``lag`` windows back."""

    def __init__(self, calendar: Calendar, *, windows: int, lag: int, least: int = ENOUGH) -> None:
        self._k = calendar.k
        self._windows = windows
        self._least = min(least, windows)
        self._queue = SlidingMerge(calendar.k)
        self._members: deque[tuple[int, int]] = deque()
        self._waiting: deque[tuple[int, Part]] = deque()
        self._lag = lag
        self._columns: Columns | None = None

    def of(self, place: int, _part: Part) -> Baseline | None:
        """The merge of the windows before, or None while there are fewer than four."""
        while self._waiting and self._waiting[0][0] <= place - self._lag:
            self._enter(*self._waiting.popleft())
        if len(self._members) < self._least:
            return None
        if self._columns is None:
            self._columns = profiles(self._queue.total(), self._k)
        rows = sum(count for _, count in self._members)
        members = tuple(index for index, _ in self._members)
        return Baseline(Basis(ROLLING, len(members), rows, members=members), self._columns)

    def accept(self, place: int, part: Part) -> None:
        """Let a window into the baselines of those that follow."""
        if part.rows:
            self._waiting.append((place, part))

    def _enter(self, place: int, part: Part) -> None:
        self._queue.push(part.states)
        self._members.append((place, part.rows))
        if len(self._members) > self._windows:
            self._queue.pop()
            self._members.popleft()
        self._columns = None


class SlidingMerge:
    """The merge of a queue's members: a stack of suffix merges in front, one merge behind.

    Every member is merged twice, and merges of sketches need sketches on both sides: what a
    member's exact counts come to is found once.
    """

    def __init__(self, k: int) -> None:
        self._k = k
        self._front: list[States] = []
        self._back: list[_Member] = []
        self._behind: States = {}

    def push(self, states: States) -> None:
        """Add a member at the end."""
        member = _Member(states, self._k)
        self._back.append(member)
        self._behind = joined(self._behind, member.beside(self._behind), self._k)

    def pop(self) -> None:
        """Remove the member at the front."""
        if not self._front:
            suffix: States = {}
            while self._back:
                suffix = joined(self._back.pop().beside(suffix), suffix, self._k)
                self._front.append(suffix)
            self._behind = {}
        self._front.pop()

    def total(self) -> States:
        """The merge of all members."""
        return joined(self._front[-1], self._behind, self._k) if self._front else self._behind


class _Member:
    """One window's states, and what their exact counts come to as sketches."""

    def __init__(self, states: States, k: int) -> None:
        self._states = states
        self._k = k
        self._sketched: dict[str, ColumnState] = {}

    def beside(self, others: States) -> States:
        """The states as they are merged with others: as sketches where those are sketches."""
        return {
            name: self._sketch(state) if _only_sketches(others.get(name), state) else state
            for name, state in self._states.items()
        }

    def _sketch(self, state: ColumnState) -> ColumnState:
        name = state.column.name
        if name not in self._sketched:
            self._sketched[name] = state.sketched(k=self._k)
        return self._sketched[name]


def _only_sketches(other: ColumnState | None, state: ColumnState) -> bool:
    """Whether a column of the same numbers or instants no longer counts its values."""
    if other is None or other.column != state.column:
        return False
    summary = other.summary
    return isinstance(summary, NumericSummary | TimestampSummary) and summary.counts is None


def joined(a: States, b: States, k: int) -> States:
    """Two windows' states merged column by column."""
    if not a or not b:
        return a or b
    both = dict(a)
    for name, state in b.items():
        both[name] = both[name].merge(state, k=k) if name in both else state
    return both


def merged(parts: Sequence[States], k: int) -> Columns:
    """Many windows' columns merged."""
    names = dict.fromkeys(name for states in parts for name in states)
    found = {}
    for name in names:
        own = [states[name] for states in parts if name in states]
        found[name] = own[0] if len(own) == 1 else merge_column(own, k=k)
    return profiles(found, k)


def without_each(members: Sequence[States], k: int) -> list[States]:
    """For every member the merge of all others, by prefixes and suffixes merged once each."""
    after: list[States] = [{}]
    for states in reversed(members[1:]):
        after.append(joined(states, after[-1], k))
    result = []
    before: States = {}
    for states in members:
        result.append(joined(before, after.pop(), k))
        before = joined(before, states, k)
    return result


def states_of(columns: Columns) -> States:
    """States of columns' profiles."""
    return {name: column.state for name, column in columns.items()}


def profiles(states: States, k: int) -> Columns:
    """Columns' profiles of states."""
    return {name: ColumnProfile(state, k=k) for name, state in states.items()}
