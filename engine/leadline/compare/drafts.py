"""`compare`: every column of two profiles, in total and by segment, judged in one family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from numbers import Real
from typing import Any

from ..errors import InputError
from ..profile import ColumnProfile, Profile
from ..profile.profile import shared_input
from ..schema import Role, require_names
from .aspects import AspectChange, Drafted, aspects_of
from .categorical import NO_CHANGE, CategoryChange, only_on
from .clockwork import columns_of_time, in_words
from .comparison import ColumnComparison, Comparison, MissingChange, SegmentComparison
from .custom import CustomStatistic
from .freshness import freshness_of
from .history import MINIMUM_WINDOWS, History, calibrated, joined_windows
from .judge import missing_evidence, missing_of, value_evidence
from .measures import NAMES, USUAL, Measures
from .scores import Instability, ScoreChange, instability, score_change
from .segments import SegmentPair, mix_evidence, pairs_of
from .significance import CORRECTIONS, adjust
from .tally import Tallies
from .thresholds import Limits, Thresholds
from .verdict import Evidence, Judgement, Verdict, judge, not_comparable

ALL = "all"
# Rows of the reference, over the current side's, under which its own noise counts as well.
AMPLE = 10
HEAVIEST = 1e9  # importance of a column, at most: sums of any number of them stay exact enough


def compare(
    reference: Profile,
    current: Profile,
    *,
    statistics: Sequence[str | CustomStatistic] = (),
    correction: str = "benjamini_hochberg",
    thresholds: Limits | Thresholds | Mapping[str, Any] | None = None,
    by: str | Sequence[str] = (),
    importance: Mapping[str, float] | None = None,
    calibrate: bool = True,
) -> Comparison:
    """Compare two profiles column by column and judge what changed.

    Parameters
    ----------
    reference, current
        The profiles, each over all its windows and segments (`Profile.select` narrows them).
    statistics
        Statistics to compute at once, by name (``"all"`` for every one), and of one's own
        (`CustomStatistic`). Reports and `Comparison.to_dict` hold these beside the usual ones; all
        others that a column has are computed when it is asked for them.
    correction
        ``benjamini_hochberg``, ``benjamini_yekutieli``, ``bonferroni`` or ``none``, over every
        judged (column, values or missing share), in total and in every segment.
    thresholds
        Numbers that replace defaults, by name (see `Thresholds`); a `Limits` replaces some of them
        by kind, role or column.
    by
        Segment columns of both profiles whose every combination is judged as well, or
        ``"segment"`` for all of them.
    importance
        Weights of columns in the ranking and in the verdict on the whole; 1 if not given.
    calibrate
        Whether the reference's own windows, where it holds 20 as long as the current profile, say
        which effect is ordinary. Otherwise rows are taken as independent. Takes about 0.2
        milliseconds a window and column, once a reference.

    Raises
    ------
    InputError
        If an argument is of a wrong type, a statistic, correction or threshold is unknown, a
        weight is negative, or no column is common to both sides.

    Examples
    --------
    >>> import leadline as ll
    >>> reference = ll.profile({"age": list(range(200))})
    >>> comparison = ll.compare(reference, ll.profile({"age": list(range(100, 300))}))
    >>> comparison["age"].ks.value, comparison.drifted
    (0.5, ('age',))
    """
    _check(reference, current, correction)
    asked, own = _asked(statistics)
    limits = Limits.given(thresholds)
    names = [*dict.fromkeys(reference.names + current.names)]
    require_names(limits.columns, names)
    weights = _weights(importance, names)
    options = _Options(limits, weights, calibrate, own)
    total = _Sides.of(reference, current, options)
    pairs = pairs_of(reference, current, by, limits.default.minimum_rows) if by else []
    parts = [_Sides.of(*pair.profiles, options) for pair in pairs if pair.profiles is not None]
    mix = mix_evidence(pairs, limits) if by else None
    evidence = [e for sides in (total, *parts) for e in sides.evidence]
    if isinstance(mix, Evidence):
        evidence.append(mix)
    q_values = iter(adjust([one.p_value for one in evidence], correction))
    family = _Family(correction, len(evidence), q_values)
    whole = total.judged(family)
    judged = iter([sides.judged(family) for sides in parts])
    segments = [
        _segment(pair, next(judged) if pair.profiles is not None else None) for pair in pairs
    ]
    if isinstance(mix, Evidence):
        mix = judge(mix, next(q_values), limits.default)
    for column in whole.columns:
        for name in asked:
            if name in column.statistics:
                column[name]
        column.release()
    return Comparison(
        columns=whole.columns,
        reference_rows=whole.reference_rows,
        current_rows=whole.current_rows,
        correction=correction,
        family=family.size,
        thresholds=limits,
        segments=tuple(segments),
        mix=mix,
        windows=whole.windows,
        warnings=_warnings(reference, current, whole.columns),
        statistics=tuple(dict.fromkeys((*USUAL, *asked))),
    )


@dataclass(frozen=True, slots=True)
class _Options:
    limits: Limits
    weights: Mapping[str, float]
    calibrate: bool
    own: Mapping[str, CustomStatistic]


@dataclass(frozen=True, slots=True)
class _Family:
    """All tests of one comparison."""

    correction: str
    size: int
    q_values: Iterator[float]


@dataclass(frozen=True, slots=True)
class _Sides:
    """Two profiles whose columns are not judged yet."""

    drafts: tuple[_Draft, ...]
    reference_rows: int
    current_rows: int
    options: _Options
    history: History | None = None

    @classmethod
    def of(cls, reference: Profile, current: Profile, options: _Options) -> _Sides:
        history = _history(reference, current, options) if options.calibrate else None
        before, now = ({name: side[name] for name in side} for side in (reference, current))
        drafts = []
        for name in {**before, **now}:
            a, b = before.get(name), now.get(name)
            draft = _Draft.of(name, a, b, options)
            if history is not None and name in history.columns:
                draft = draft.calibrated(history)
            if draft.role is not Role.SEGMENT:
                late = freshness_of(reference, current, name, draft.thresholds)
                draft = draft if late is None else draft.with_aspect("freshness", late)
            if draft.role is Role.SCORE and a is not None and b is not None:
                draft = draft.with_score(a, b, instability(reference, current, name))
            drafts.append(draft)
        return cls(tuple(drafts), reference.rows, current.rows, options, history)

    @property
    def evidence(self) -> list[Evidence]:
        """What enters the correction, in the order in which it is judged."""
        return [part for draft in self.drafts for part in draft.parts if isinstance(part, Evidence)]

    def judged(self, family: _Family) -> Comparison:
        """The comparison of these two sides alone."""
        return Comparison(
            columns=tuple(draft.judged(family.q_values) for draft in self.drafts),
            reference_rows=self.reference_rows,
            current_rows=self.current_rows,
            correction=family.correction,
            family=family.size,
            thresholds=self.options.limits,
            windows=len(self.history) if self.history is not None else 0,
        )


@dataclass(frozen=True, slots=True)
class _Draft:
    """A column before p-values are adjusted."""

    name: str
    role: Role
    reference: ColumnProfile | None
    current: ColumnProfile | None
    thresholds: Thresholds
    importance: float
    measures: Measures | None
    values: Evidence | Judgement
    missing: Evidence | Judgement
    unseen: CategoryChange = NO_CHANGE
    vanished: CategoryChange = NO_CHANGE
    score: ScoreChange | None = None
    aspects: Mapping[str, Drafted] = field(default_factory=dict)

    @classmethod
    def of(
        cls, name: str, a: ColumnProfile | None, b: ColumnProfile | None, options: _Options
    ) -> _Draft:
        role = _role(a, b)
        side = a or b
        assert side is not None
        thresholds = options.limits.of(name, side.kind, role)
        weight = options.weights.get(name, 1.0)
        if a is None or b is None:
            only = "current profile" if a is None else "reference"
            nothing = not_comparable(f"the column is only in the {only}")
            return cls(name, role, a, b, thresholds, weight, None, nothing, nothing)
        measures = Measures(a, b, own=options.own)
        values = value_evidence(measures, role, thresholds)
        missing = missing_evidence(measures, role, thresholds)
        changes = _categories(measures)
        aspects = aspects_of(measures, role, thresholds)
        measures.release()  # thousands of columns would else hold their bands until the end
        draft = cls(name, role, a, b, thresholds, weight, measures, values, missing, *changes)
        return replace(draft, aspects=aspects) if aspects else draft

    @property
    def parts(self) -> Iterator[Evidence | Judgement]:
        """All that is judged, in the order in which `judged` takes its q-values."""
        yield self.values
        yield self.missing
        for one in self.aspects.values():
            yield one.evidence

    def calibrated(self, history: History) -> _Draft:
        """The same, with thresholds and p-values that also rest on the reference's windows."""
        past, values = history.columns[self.name], self.values
        if isinstance(values, Evidence):
            values = calibrated(values, past.values_of(values.effect.name))
        aspects = {
            name: replace(one, evidence=calibrated(one.evidence, past.aspects[name]))
            if name in past.aspects
            else one
            for name, one in self.aspects.items()
        }
        missing = calibrated(self.missing, past.missing)
        return replace(self, values=values, missing=missing, aspects=aspects)

    def with_aspect(self, name: str, drafted: Drafted) -> _Draft:
        """The same with one more aspect."""
        return replace(self, aspects={**self.aspects, name: drafted})

    def with_score(self, a: ColumnProfile, b: ColumnProfile, moves: Instability | None) -> _Draft:
        """The same with what the scores say of the model's confidence."""
        score = score_change(a, b, self.thresholds.decisions)
        return self if score is None else replace(self, score=replace(score, instability=moves))

    def judged(self, q_values: Iterator[float]) -> ColumnComparison:
        values, missing, *aspects = (
            judge(part, next(q_values), self.thresholds) if isinstance(part, Evidence) else part
            for part in self.parts
        )
        return ColumnComparison(
            name=self.name,
            role=self.role,
            kind=self.measures.kind if self.measures is not None else "other",
            reference=self.reference,
            current=self.current,
            values=values,
            missing=MissingChange(
                _missing_share(self.reference), _missing_share(self.current), missing
            ),
            unseen=self.unseen,
            vanished=self.vanished,
            importance=self.importance,
            score=self.score,
            aspects={
                name: AspectChange(name, found, one.words() if found.verdict.changed else "")
                for (name, one), found in zip(self.aspects.items(), aspects, strict=True)
            },
            _measures=self.measures,
        )


def _history(reference: Profile, current: Profile, options: _Options) -> History | None:
    """Effects of the reference's windows that are as long as the current profile."""
    joined = joined_windows(reference, current)
    if not joined or len(reference.windows) < MINIMUM_WINDOWS * joined:
        return None
    limits = options.limits
    key = ("history", joined, repr(limits))
    return reference.kept(key, lambda: History.of(reference, limits=limits, joined=joined))


def _segment(pair: SegmentPair, comparison: Comparison | None) -> SegmentComparison:
    return SegmentComparison(
        segment=pair.segment,
        reference_rows=pair.reference_rows,
        current_rows=pair.current_rows,
        comparison=comparison,
        note=pair.note,
    )


def _warnings(
    reference: Profile, current: Profile, columns: Sequence[ColumnComparison]
) -> tuple[str, ...]:
    found = []
    shared = shared_input(reference, current)
    if shared:
        found.append(f"both sides hold rows of {shared}: what they share cannot differ")
    if reference.rows < AMPLE * current.rows:
        found.append(
            f"the reference has under {AMPLE} times the rows: its own noise counts as well"
        )
    changed = [one.name for one in columns if one.verdict in (Verdict.DRIFT, Verdict.POSSIBLE)]
    if names := columns_of_time(reference, changed):
        found.append(in_words(names))
    return tuple(found)


def _weights(importance: Mapping[str, float] | None, names: Sequence[str]) -> dict[str, float]:
    """Importance by column, checked."""
    if importance is None:
        return {}
    if not isinstance(importance, Mapping):
        raise InputError(
            f"importance is weights by column, not of type {type(importance).__name__}; "
            'give for example {"age": 2.0}'
        )
    require_names(importance, names)
    for name, weight in importance.items():
        number = isinstance(weight, Real) and not isinstance(weight, bool)
        if not (number and 0 <= weight <= HEAVIEST):
            raise InputError(
                f"the importance of {name!r} is {weight!r}; it is a number from 0 to {HEAVIEST:g}"
            )
    return {name: float(weight) for name, weight in importance.items()}


def _check(reference: Profile, current: Profile, correction: str) -> None:
    for label, side in (("reference", reference), ("current side", current)):
        if not isinstance(side, Profile):
            found = type(side).__name__
            raise InputError(f"the {label} is of type {found}; compare takes two profiles")
    if correction not in CORRECTIONS:
        raise InputError(f"unknown correction {correction!r}; use one of {', '.join(CORRECTIONS)}")
    if reference.names and current.names and not set(reference.names) & set(current.names):
        raise InputError(
            "the two profiles have no column in common; the reference has "
            f"{_few(reference.names)}, the current profile {_few(current.names)}"
        )


def _asked(
    statistics: Sequence[str | CustomStatistic],
) -> tuple[list[str], dict[str, CustomStatistic]]:
    """Names of what is to be computed at once, and the user's own statistics by name."""
    if isinstance(statistics, str) or not isinstance(statistics, Sequence):
        raise InputError(f"statistics are a sequence of names, not {statistics!r}")
    asked: list[str] = []
    own: dict[str, CustomStatistic] = {}
    for given in statistics:
        if not isinstance(given, CustomStatistic):
            if given == ALL:
                asked += NAMES
                continue
            if given not in NAMES:
                close = get_close_matches(str(given), NAMES, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"use one of {', '.join(NAMES)}"
                raise InputError(f"unknown statistic {given!r}; {hint}")
            asked.append(given)
            continue
        if given.name in NAMES or given.name in own:
            raise InputError(f"there are two statistics {given.name!r}; name yours otherwise")
        own[given.name] = given
        asked.append(given.name)
    return asked, own


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:5])
    return shown + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _role(a: ColumnProfile | None, b: ColumnProfile | None) -> Role:
    """The role given to the column; the reference's if both sides have one of their own."""
    columns = [side.state.column for side in (a, b) if side is not None]
    given = [column.role for column in columns if column.role_reason != "default"]
    return (given or [column.role for column in columns])[0]


def _missing_share(side: ColumnProfile | None) -> float:
    return missing_of(side).share if side is not None and side.rows else float("nan")


def _categories(measures: Measures) -> tuple[CategoryChange, CategoryChange]:
    """Unseen and vanished categories; of numbers, only what a constant reference never had."""
    if measures.kind == "other":
        return NO_CHANGE, NO_CHANGE
    tallies: Tallies | None = None
    if measures.kind == "categorical":
        tallies = measures.tallies
    elif measures.reference.numeric and measures.reference.numeric.counts is not None:
        constant = len(measures.reference.numeric.counts) == 1
        tallies = measures.tallies if constant else None
    if tallies is None:
        return NO_CHANGE, NO_CHANGE
    return only_on(tallies), only_on(tallies.swapped())
