"""What windows of a reference do among themselves: each against the merge of all others.

Rows of one day resemble each other more than rows of two days do, so tests for independent rows
find a change on nearly every day. Where a reference holds enough windows, their own leave-one-out
effects say how large an effect is on an ordinary day.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ..profile import Cell, ColumnProfile, Profile, Window
from ..profile.cells import merge_column
from ..profile.column import ColumnState
from ..schema import Role
from .aspects import additive_aspects
from .categorical import excess_values, heavy_cells
from .judge import missing_of, refusal, value_effect
from .measures import Measures, ks_value
from .shares import angle_between
from .significance import student_p
from .thresholds import Limits, Thresholds
from .verdict import Evidence, Judgement

Floats = NDArray[np.float64]

# Windows that a history needs, here and in trends; below, rows are taken as independent.
MINIMUM_WINDOWS = 20
# The share of ordinary windows whose effect stays under the threshold that they give.
ORDINARY = 0.95
# Added to effects before their logarithm is taken, over their median. With 1/8, p <= 0.0005 was
# true for 0.00 to 0.12 % of windows drawn like the others (benchmarks/ordinary_windows.py).
OFFSET = 1 / 8


@dataclass(frozen=True, slots=True)
class ColumnHistory:
    """Leave-one-out effects of one column, in the order of the windows.

    Parameters
    ----------
    effects
        Name of the effect of every window; empty where nothing could be judged.
    values
        The effects (float64, NaN where nothing could be judged).
    missing
        Cohen's h of the share of missing rows.
    aspects
        The effects of aspects that rest on counts (`aspects.additive_aspects`), by name.
    """

    effects: tuple[str, ...]
    values: Floats
    missing: Floats
    aspects: Mapping[str, Floats] = field(default_factory=dict)

    def values_of(self, effect: str) -> Floats:
        """The effects of that name."""
        return self.values[np.array([name == effect for name in self.effects], dtype=np.bool_)]


@dataclass(frozen=True, slots=True)
class History:
    """Leave-one-out effects of a reference's windows.

    Parameters
    ----------
    windows
        The windows, or runs of them (start of the first, end of the last), in order of time.
    rows
        Rows of each (int64).
    columns
        Effects by column.
    """

    windows: tuple[Window, ...]
    rows: NDArray[np.int64]
    columns: Mapping[str, ColumnHistory]

    def __len__(self) -> int:
        return len(self.windows)

    @classmethod
    def of(cls, reference: Profile, *, limits: Limits | None = None, joined: int = 1) -> History:
        """Every window of a reference against the merge of the others.

        The work grows with the number of windows, not with its square: a window is taken off the
        whole, and where only a merge of the others will do, these come from prefixes and suffixes
        of the windows, merged once each.

        Parameters
        ----------
        reference
            A profile with windows. Rows with a null time are left out.
        limits
            Thresholds, which name the effects.
        joined
            Windows that count as one; what is left over at the end is left out.
        """
        chosen = limits or Limits()
        groups = _groups(reference, joined)
        rows = [sum(cell.rows for cell in cells) for _, cells in groups]
        columns = {}
        for name in reference.names:
            states = [
                merge_column(own, k=reference.settings.k) if own else None
                for own in (
                    [cell.states[name] for cell in cells if name in cell.states]
                    for _, cells in groups
                )
            ]
            columns[name] = _column_history(states, chosen, reference.settings.k)
        windows = tuple(window for window, _ in groups)
        return cls(windows, np.array(rows, dtype=np.int64), columns)


def joined_windows(reference: Profile, current: Profile) -> int:
    """How many windows of the reference are as long as the current profile; 0 if none are.

    A profile without windows has no length, and neither has one with gaps.
    """
    lengths = [_length(window) for window in reference.windows if window.start is not None]
    windows = [window for window in current.windows if window.start is not None]
    if not lengths or not windows or not _unbroken(windows):
        return 0
    span = sum(map(_length, windows))
    usual = float(np.median(lengths))
    # Months differ by a tenth, and days by an hour where clocks change.
    joined = round(span / usual)
    return joined if joined and abs(span - joined * usual) <= 0.1 * span else 0


def calibrated(evidence: Evidence | Judgement, past: Floats) -> Evidence | Judgement:
    """The evidence with threshold and p-value that the reference's own windows give.

    The threshold is the 95 % quantile of their effects, if that is above the given one. The
    p-value is the larger of the test's and `history_p`. With fewer than 20 effects the evidence is
    returned as it is.
    """
    known = past[np.isfinite(past)]
    if isinstance(evidence, Judgement) or len(known) < MINIMUM_WINDOWS:
        return evidence
    usual = float(np.quantile(known, ORDINARY, method="higher"))
    raised = usual > evidence.threshold
    p = max(evidence.p_value, history_p(evidence.effect.value, known))
    basis = f"against {len(known)} windows of the reference"
    if raised:
        basis += f", which raise the threshold from {evidence.threshold:.3g}"
    if known.max() == known.min():
        basis = f"{evidence.basis}: {len(known)} windows of the reference have one effect"
    return replace(
        evidence,
        effect=replace(evidence.effect, p_value=p),
        threshold=max(usual, evidence.threshold),
        watch=None if raised else evidence.watch,
        ratio=None if raised else evidence.ratio,
        detectable=None,
        basis=basis,
    )


def history_p(effect: float, past: Floats) -> float:
    """Probability that an ordinary window has at least this effect.

    ``(1 + number as large) / (W + 1)`` from the W effects of the past. That is never below
    ``1 / (W + 1)``, so an effect larger than all takes the upper tail of Student's law instead
    where that is smaller: a new draw beside W normal ones, after the logarithm of the effect plus
    an eighth of the median. Effects that are all equal say nothing: then 0, and the test decides.

    Value is held against values: all carry an error of one law, so windows without a change stay
    exchangeable. (The lower end of the interval against values gave p <= 5 % in 0 % of unchanged
    windows of 1.7e9 +- 10, and found 31 % of the shifts by a tenth of the deviation at 0.05 %; the
    value gives 2.2 % and finds 81 %.)

    `trend.scores` asks another question: there windows are put in order, and the past's own scores
    say from which on one alarms. It need not hold as a p-value, but must not be moved by anomalies
    among the past; this must hold, and an effect that has been seen before is no news here.

    >>> history_p(0.03, np.linspace(0.01, 0.05, 20))
    0.5238095238095238
    """
    count = len(past)
    as_large = int(np.count_nonzero(past >= effect))
    rank = (1 + as_large) / (count + 1)
    if as_large:
        return rank
    offset = float(np.median(past)) or float(past.mean())
    if offset <= 0:
        return 0.0
    logs = np.log(past + OFFSET * offset)
    spread = float(logs.std(ddof=1)) * math.sqrt(1 + 1 / count)
    if spread == 0:
        return 0.0
    distance = (math.log(effect + OFFSET * offset) - float(logs.mean())) / spread
    return min(rank, student_p(distance, count - 1))


def _length(window: Window) -> int:
    assert window.start is not None
    assert window.end is not None
    return window.end - window.start


def _groups(reference: Profile, joined: int) -> list[tuple[Window, list[Cell]]]:
    """Runs of ``joined`` windows with their cells."""
    windows = [window for window in reference.windows if window.start is not None]
    cells: dict[Window | None, list[Cell]] = {window: [] for window in windows}
    for cell in reference.cells:
        if cell.window in cells:
            cells[cell.window].append(cell)
    groups = []
    first = 0
    while first + joined <= len(windows):
        run = windows[first : first + joined]
        if not _unbroken(run):
            first += 1
            continue
        whole = Window(run[0].start, run[-1].end)
        groups.append((whole, [cell for window in run for cell in cells[window]]))
        first += joined
    return groups


def _unbroken(run: Sequence[Window]) -> bool:
    """Whether windows in order of time leave gaps of under a tenth of their length."""
    start, end = run[0].start, run[-1].end
    assert start is not None
    assert end is not None
    return end - start <= 1.1 * sum(map(_length, run))


def _column_history(states: Sequence[ColumnState | None], limits: Limits, k: int) -> ColumnHistory:
    known = [state for state in states if state is not None]
    effects = [""] * len(states)
    values, missing = np.full(len(states), np.nan), np.full(len(states), np.nan)
    if len(known) < 2:
        return ColumnHistory(tuple(effects), values, missing)
    whole = ColumnProfile(merge_column(known, k=k), k=k)
    column = whole.state.column
    thresholds = limits.of(column.name, column.kind, column.role)
    others: list[ColumnState | None] = []
    for place, state in enumerate(states):
        if state is None:
            continue
        measures = Measures(whole, ColumnProfile(state, k=k))
        missing[place] = _missing_apart(measures, column.role, thresholds)
        if refusal(measures, column.role, thresholds):
            continue
        effect = effect_apart(measures, column.role, thresholds)
        if effect is None:
            others = others or list(_without_each(states, k))
            rest = ColumnProfile(others[place] or state, k=k)
            found = value_effect(Measures(rest, measures.current), column.role, thresholds)
            effect = None if found is None else (found.name, found.value)
        if effect is not None:
            effects[place], values[place] = effect
    aspects = _aspects_apart(whole, states, thresholds, k)
    return ColumnHistory(tuple(effects), values, missing, aspects)


def _aspects_apart(
    whole: ColumnProfile, states: Sequence[ColumnState | None], thresholds: Thresholds, k: int
) -> dict[str, Floats]:
    """Effects of every window against the rest of the whole, of aspects that rest on counts."""
    role = whole.state.column.role
    found = {}
    for name, aspect in additive_aspects(Measures(whole, whole), role, thresholds).items():
        effects = np.full(len(states), np.nan)
        everything = aspect.of(whole)
        for place, state in enumerate(states):
            own = None if state is None else aspect.of(ColumnProfile(state, k=k))
            if own is None or everything is None:
                continue
            rest = tuple(a - b for a, b in zip(everything, own, strict=True))
            if min(int(side[0].sum()) for side in (rest, own)) < thresholds.minimum_rows:
                continue
            evidence, _ = aspect.drafted(rest, own, thresholds)
            if isinstance(evidence, Evidence):
                effects[place] = evidence.effect.value
        found[name] = effects
    return found


def _missing_apart(measures: Measures, role: Role, thresholds: Thresholds) -> float:
    """Cohen's h of the missing share of a window and of the rest of the whole that holds it."""
    current = missing_of(measures.current)
    rest = missing_of(measures.reference).without(current)
    if role is Role.SEGMENT or min(rest.rows, current.rows) < thresholds.minimum_rows:
        return math.nan
    return angle_between(rest, current)


def effect_apart(
    measures: Measures, role: Role, thresholds: Thresholds
) -> tuple[str, float] | None:
    """Name and effect of a window against the rest of the whole that holds it, without a merge.

    Counts of the window are taken off those of the whole. With n values in the whole, m of them in
    the window, the window's distribution function is ``n / (n - m)`` times as far from that of the
    rest as from that of the whole, everywhere; so is their ks. None where neither helps.
    """
    n, m = measures.total(measures.reference), measures.total(measures.current)
    if n - m < thresholds.minimum_rows:
        return None
    pair = measures.two_valued
    if pair is not None:
        rest = pair.reference.without(pair.current)
        return "cohens_h", angle_between(rest, pair.current)
    if thresholds.statistic in measures.names:
        return None
    if measures.kind == "numeric":
        distance = ks_value(measures.reference, measures.current)
        return "ks", min(1.0, distance * n / (n - m))
    tallies = measures.tallies
    if tallies is None or not tallies.exact:
        return None
    limit = thresholds.of_effect("total_variation", role)
    cells = heavy_cells(tallies.apart(), limit=limit, named=False)
    return "total_variation", float(excess_values([cells])[0])


def _without_each(states: Sequence[ColumnState | None], k: int) -> Iterator[ColumnState | None]:
    """For every state the merge of all others."""
    after: list[ColumnState | None] = [None]
    for state in reversed(states[1:]):
        after.append(_merged(state, after[-1], k))
    before: ColumnState | None = None
    for state in states:
        yield _merged(before, after.pop(), k)
        before = _merged(before, state, k)


def _merged(a: ColumnState | None, b: ColumnState | None, k: int) -> ColumnState | None:
    if a is None or b is None:
        return a if b is None else b
    return a.merge(b, k=k)
