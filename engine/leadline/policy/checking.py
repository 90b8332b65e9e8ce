"""A profile held against a policy: every rule's outcome, and drift from a reference."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from ..compare import ColumnComparison, Comparison, Judgement, Verdict, compare
from ..compare.schema_changes import renamed_columns
from ..compare.thresholds import STRICT_ROLES, UNJUDGED_ROLES
from ..errors import InputError, PolicyError
from ..estimate import Estimate
from ..profile import ColumnProfile, Profile
from .judging import Outcome, Status, decide, judge_column, number_text, outcome_of
from .policy import Applied, Policy, Rule, Section, Sections, Segment, Severity
from .rules import RULES, Requirement, Subject

if TYPE_CHECKING:
    import pyarrow as pa

SUGGESTIONS = 20  # missing columns for which a similar name is looked for
# What `failed` may be asked to count beside violations of errors.
WIDER = ("possible", "undecided", "warning")


@dataclass(frozen=True, slots=True)
class Check:
    """Result of `check`; immutable.

    Parameters
    ----------
    outcomes
        One for every rule that concerned a column, in the order of the policy, then drift.
    rows
        Rows of the profile.
    comparison
        The comparison with the reference; None without one.
    policy
        Where the policy came from.
    """

    outcomes: tuple[Outcome, ...]
    rows: int
    comparison: Comparison | None = None
    policy: str = field(default="policy")

    def __repr__(self) -> str:
        return (
            f"<Check: {self.verdict.value}; {len(self.violations)} violations, "
            f"{len(self.undecided)} undecided, {len(self.passed)} passed>"
        )

    @property
    def violations(self) -> tuple[Outcome, ...]:
        """Rules that failed, errors first."""
        found = [each for each in self.outcomes if each.status is Status.FAIL]
        return tuple(sorted(found, key=lambda each: each.severity is Severity.WARNING))

    @property
    def undecided(self) -> tuple[Outcome, ...]:
        """Rules that the profile cannot decide, with possible drift."""
        return tuple(each for each in self.outcomes if each.status is Status.UNDECIDED)

    @property
    def passed(self) -> tuple[Outcome, ...]:
        """Rules that hold."""
        return tuple(each for each in self.outcomes if each.status is Status.PASS)

    @property
    def verdict(self) -> Status:
        """`fail` if an error was violated, else `undecided` if a rule is, else `pass`."""
        if self.failed():
            return Status.FAIL
        return Status.UNDECIDED if self.undecided else Status.PASS

    def failed(self, *also: str) -> bool:
        """Whether the check failed: an error was violated, or what is asked for beside that.

        Parameters
        ----------
        also
            ``warning``: violated warnings count too; ``possible``: so does possible drift;
            ``undecided``: so does every rule that is undecided, possible drift among them.

        Raises
        ------
        InputError
            If a name is unknown.
        """
        for name in also:
            if name not in WIDER:
                raise InputError(f"there is no {name!r} to fail on; use one of {', '.join(WIDER)}")
        return any(_counts(each, also) for each in self.outcomes)

    def to_dict(self) -> dict[str, Any]:
        """All outcomes under stable names (``leadline check --json`` prints them)."""
        return {
            "verdict": self.verdict.value,
            "policy": self.policy,
            "rows": self.rows,
            "counts": {
                "violations": len(self.violations),
                "warnings": sum(v.severity is Severity.WARNING for v in self.violations),
                "undecided": len(self.undecided),
                "passed": len(self.passed),
            },
            "violations": [each.to_dict() for each in self.violations],
            "undecided": [each.to_dict() for each in self.undecided],
            "passed": [each.to_dict() for each in self.passed],
            "drift": None if self.comparison is None else self.comparison.verdict.value,
        }

    def to_arrow(self) -> pa.Table:
        """One row an outcome, as a table."""
        import pyarrow as pa

        figures = ("value", "lower", "upper", "min", "max")
        rows = [each.to_dict() for each in self.outcomes]
        for row in rows:
            row |= {name: None if row[name] is None else float(row[name]) for name in figures}
        names = Outcome(Status.PASS, "", "", "", Severity.ERROR, "").to_dict()
        types = {name: pa.float64() if name in figures else pa.string() for name in names}
        return pa.Table.from_pylist(rows, schema=pa.schema(list(types.items())))


def check(
    profile: Profile,
    policy: Policy | str | os.PathLike[str],
    *,
    reference: Profile | None = None,
    now: datetime | None = None,
    importance: Mapping[str, float] | None = None,
) -> Check:
    """Hold a profile against a policy, over all its windows and segments.

    Parameters
    ----------
    profile
        What to check.
    policy
        A policy, or the path of its file.
    reference
        A profile to compare with: drift is judged by the policy's thresholds, and rules on changes
        have something to change from.
    now
        The instant that freshness is measured from; the present one by default.
    importance
        Weights of columns in the share of them that drifted (``drift_share``).

    Raises
    ------
    PolicyError
        If the policy is wrong, contradicts itself for a column, or needs a reference and none is
        given.
    InputError
        If an argument is of a wrong type, or the two profiles have no column in common.

    Examples
    --------
    >>> import leadline as ll
    >>> policy = ll.infer(ll.profile({"age": list(range(18, 90)) * 20}))
    >>> result = ll.check(ll.profile({"age": [31, 45, 28, -4]}), policy)
    >>> result.verdict.value, result.violations[0].reason
    ('fail', 'share of values from 18 to 89 is 0.75, under 0.993')
    """
    for what, side in (("profile to check", profile), ("reference", reference)):
        if side is not None and not isinstance(side, Profile):
            raise InputError(f"the {what} is of type {type(side).__name__}, not a Profile")
    if not isinstance(policy, Policy):
        if not isinstance(policy, str | os.PathLike):
            raise InputError(f"a policy or its path is needed, not a {type(policy).__name__}")
        policy = Policy.read(policy)
    try:
        return _check(_Sides(profile, reference, _microseconds(now)), policy, importance)
    except PolicyError as error:
        raise PolicyError(f"{policy.source}: {error}") from error


def _counts(outcome: Outcome, also: tuple[str, ...]) -> bool:
    if outcome.status is Status.FAIL:
        return outcome.severity is Severity.ERROR or "warning" in also
    if outcome.status is Status.PASS:
        return False
    if outcome.severity is Severity.WARNING and "warning" not in also:
        return False
    possible = outcome.verdict in (Verdict.POSSIBLE, Verdict.DRIFT)
    return "undecided" in also or ("possible" in also and possible)


def _microseconds(now: datetime | None) -> int:
    if now is not None and not isinstance(now, datetime):
        raise InputError(f"now is an instant, not of type {type(now).__name__}")
    instant = now or datetime.now(UTC)
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return round(instant.timestamp() * 1_000_000)


def _check(sides: _Sides, policy: Policy, importance: Mapping[str, float] | None) -> Check:
    profile, reference = sides.profile, sides.reference
    if reference is None:
        _require_no_reference(policy)
    outcomes = list(_part(policy, policy.sections, sides, ""))
    for segment in policy.segments:
        outcomes += _segment(policy, segment, sides)
    comparison = None
    if reference is not None and (policy.drift is not False or _judges_any(policy)):
        limits = policy.thresholds
        comparison = compare(reference, profile, thresholds=limits, importance=importance)
        few = comparison.features_verdict is not Verdict.DRIFT
        known = Sections(policy.sections)
        outcomes += [o for column in comparison for o in _drift(policy, known, column, few=few)]
    return Check(tuple(outcomes), profile.rows, comparison, policy.source)


def _judges_any(policy: Policy) -> bool:
    return any(section.drift not in (None, False) for section in policy.sections)


def _require_no_reference(policy: Policy) -> None:
    for rule in policy.rules:
        compared = rule.key == "row_ratio" or (rule.key in RULES and RULES[rule.key].compared)
        if compared and rule.requirement is not None:
            raise PolicyError(f"{rule.place} is about a change; give the reference as well")


@dataclass(frozen=True, slots=True)
class _Sides:
    """What is checked, what with, and when."""

    profile: Profile
    reference: Profile | None
    now: int

    def reference_column(self, name: str) -> ColumnProfile | None:
        reference = self.reference
        return reference[name] if reference is not None and name in reference else None


def _segment(policy: Policy, segment: Segment, sides: _Sides) -> Iterator[Outcome]:
    """The outcomes of one segment's rules."""
    place = f"[[segments]] {segment}"
    for name in segment.where:
        if name not in sides.profile.settings.segments:
            raise PolicyError(f"{place}: the profile has no segment column {name!r}")
    try:
        part = sides.profile.select(segment=segment.where)
    except InputError:
        applied = Applied(
            Rule("segment", Requirement(), place),
            Requirement(),
            Severity.ERROR,
            policy.settings.owner or "",
            policy.settings.runbook or "",
            0,
        )
        yield outcome_of(applied, Status.FAIL, "no rows of this segment", segment=str(segment))
        return
    reference = None
    if sides.reference is not None and sides.reference.settings.segments:
        try:
            reference = sides.reference.select(segment=segment.where)
        except InputError:
            reference = None
    yield from _part(policy, segment.sections, _Sides(part, reference, sides.now), str(segment))


def _part(
    policy: Policy, sections: tuple[Section, ...], sides: _Sides, segment: str
) -> Iterator[Outcome]:
    """The outcomes of one set of sections: the table, then its columns."""
    missing = _Missing(sides)
    for section in sections:
        if section.path == ("table",):
            yield from _table(policy, section, sections, sides, segment, missing)
    for section in sections:
        if section.path[0] == "columns" and section.path[1] not in missing.names:
            yield from _absent(policy, section, segment, missing)
    known = Sections(sections)
    for name in sides.profile.names:
        subject = Subject(sides.profile[name], sides.reference_column(name), sides.now)
        yield from _column(policy, known, subject, segment)


def _column(
    policy: Policy, sections: Sections, subject: Subject, segment: str
) -> Iterator[Outcome]:
    column = subject.column
    near = sections.near(column)
    for applied in policy.rules_of(near):
        if applied.rule.key in ("required", "forbidden", "type"):
            yield _fact(applied, column, segment)
            continue
        found = judge_column(applied, subject, segment)
        if found is not None:
            yield found
    for side in (column, subject.reference):
        if side is not None:
            vars(side).pop("band", None)  # thousands of columns would else hold theirs


def _fact(applied: Applied, column: ColumnProfile, segment: str) -> Outcome:
    wanted = applied.requirement.argument
    if applied.rule.key == "type":
        names = " or ".join(wanted)
        holds = column.kind.value in wanted or column.type in wanted
        reason = f"the type is {column.type}" + (f", as {names}" if holds else f", not {names}")
    elif applied.rule.key == "required":
        holds, reason = True, "the column is there"
    else:
        holds = not wanted
        reason = "the column is there" + ("" if holds else ", which is forbidden")
    status = Status.PASS if holds else Status.FAIL
    return outcome_of(applied, status, reason, column=column.name, segment=segment)


class _Missing:
    """What may have become of columns that are not there."""

    def __init__(self, sides: _Sides) -> None:
        self.names = frozenset(sides.profile.names)
        self._named = 0
        self._renamed: dict[str, tuple[str, float]] = {}
        if sides.reference is not None:
            a, b = sides.reference, sides.profile
            gone = {name: a[name] for name in a.names if name not in self.names}
            known = frozenset(a.names)
            new = {name: b[name] for name in b.names if name not in known}
            pairs = renamed_columns(gone, new)
            self._renamed = {old: (now, alike) for old, now, alike in pairs}

    def reason(self, name: str) -> str:
        """That the column is missing, and which one may be it."""
        if name in self._renamed:
            now, alike = self._renamed[name]
            return f"the column is missing; {now!r} is new and {alike:.0%} alike"
        # One suggestion takes 2 ms among 1,000 columns: a table of other columns gets a few.
        self._named += 1
        some = self.names if self._named <= SUGGESTIONS else ()
        close = get_close_matches(name, sorted(some), n=1)
        return "the column is missing" + (f"; there is {close[0]!r}" if close else "")


def _absent(policy: Policy, section: Section, segment: str, missing: _Missing) -> Iterator[Outcome]:
    """A column that the policy names and the profile lacks: required unless it says otherwise."""
    flags = {rule.key: rule for rule in section.rules if rule.key in ("required", "forbidden")}
    settings = policy.settings_of([section])
    name = section.path[1]
    forbidden = flags.get("forbidden")
    if forbidden is not None and forbidden.requirement and forbidden.requirement.argument:
        applied = policy.applied(forbidden, section, settings)
        yield outcome_of(
            applied, Status.PASS, "the column is not there", column=name, segment=segment
        )
        return
    required = flags.get("required") or Rule(
        "required", Requirement(argument=True), f"[columns.{name}] required"
    )
    assert required.requirement is not None
    applied = policy.applied(required, section, settings)
    if required.requirement.argument:
        yield outcome_of(applied, Status.FAIL, missing.reason(name), column=name, segment=segment)
    else:
        reason = "the column is not there, and need not be"
        yield outcome_of(applied, Status.PASS, reason, column=name, segment=segment)


def _table(
    policy: Policy,
    section: Section,
    sections: tuple[Section, ...],
    sides: _Sides,
    segment: str,
    missing: _Missing,
) -> Iterator[Outcome]:
    """Rules on the number of rows and on the columns."""
    settings = policy.settings_of([section])
    names = missing.names
    for rule in section.rules:
        if rule.requirement is None:
            continue
        applied, wanted = policy.applied(rule, section, settings), rule.requirement.argument
        if rule.key in ("rows", "row_ratio"):
            yield _rows(applied, sides, segment)
            continue
        if rule.key == "required":
            wrong = [(name, missing.reason(name)) for name in wanted if name not in names]
        elif rule.key == "forbidden":
            wrong = [(n, "the column is there, which is forbidden") for n in wanted if n in names]
        else:
            listed = {each.path[1] for each in sections if each.path[0] == "columns"}
            listed |= {
                name
                for r in section.rules
                if r.requirement and r.key == "required"
                for name in r.requirement.argument
            }
            wrong = [
                (n, "the policy does not name this column")
                for n in sides.profile.names
                if wanted and n not in listed
            ]
        for name, reason in wrong:
            yield outcome_of(applied, Status.FAIL, reason, column=name, segment=segment)
        if not wrong:
            yield outcome_of(applied, Status.PASS, "the columns are as listed", segment=segment)


def _rows(applied: Applied, sides: _Sides, segment: str) -> Outcome:
    bounds = applied.requirement.low, applied.requirement.high
    rows, title = float(sides.profile.rows), "number of rows"
    if applied.rule.key == "row_ratio":
        before = sides.reference.rows if sides.reference is not None else 0
        title = "rows over the reference's"
        if not before:
            reason = "the reference has no rows"
            return outcome_of(applied, Status.UNDECIDED, reason, segment=segment)
        rows /= before
    found = Estimate.exact(rows)
    ends = tuple(None if end is None else float(end) for end in bounds)  # type: ignore[arg-type]
    status = decide((found, found), *ends)
    low, high = ends
    below = low is not None and rows < low
    bound = low if below else high
    if status is Status.FAIL:
        assert bound is not None
        limit = f"{'under' if below else 'over'} {number_text(bound, 6)}"
    else:
        told = (None if end is None else number_text(end, 6) for end in ends)
        limit = " and ".join(
            f"{word} {text}"
            for word, text in zip(("at least", "at most"), told, strict=True)
            if text is not None
        )
    reason = f"{title} is {number_text(rows, 6)}, {limit}"
    return outcome_of(applied, status, reason, segment=segment, found=found, bounds=(low, high))


_JUDGED = {
    Verdict.DRIFT: Status.FAIL,
    Verdict.POSSIBLE: Status.UNDECIDED,
    Verdict.NONE: Status.PASS,
    Verdict.NOT_COMPARABLE: Status.UNDECIDED,
}


def _drift(
    policy: Policy, sections: Sections, column: ColumnComparison, *, few: bool
) -> Iterator[Outcome]:
    """The verdicts on a column's values and on its missing rows; none where drift is not judged.

    Where ``few`` features drifted, fewer than the policy's ``drift_share``, one of them is no
    violation.
    """
    side = column.current
    if side is None or column.reference is None:
        return
    near = sections.near(side)
    if not policy.judges_drift(near):
        return
    settings = policy.settings_of(near)
    severity, place = policy.drift_severity(near)
    for name, judgement in (("drift", column.values), ("drift_missing", column.missing.judgement)):
        if judgement.verdict is Verdict.NOT_COMPARABLE and _never_judged(column, name):
            continue
        applied = Applied(
            Rule(name, Requirement(), place),
            Requirement(high=judgement.threshold),
            severity,
            settings.owner or "",
            settings.runbook or "",
            0,
        )
        found = _judged(applied, column.name, judgement)
        if found.status is Status.FAIL and few and column.role not in STRICT_ROLES:
            needed = number_text(policy.thresholds.drift_share, 4)
            reason = f"{found.reason}; under {needed} of the columns drifted"
            found = replace(found, status=Status.UNDECIDED, reason=reason)
        yield found


def _never_judged(column: ColumnComparison, name: str) -> bool:
    """Whether it follows from role and type alone that there is no verdict."""
    if column.role in UNJUDGED_ROLES:
        return True
    return name == "drift" and column.kind == "other" and not column.retyped


def _judged(applied: Applied, column: str, judgement: Judgement) -> Outcome:
    found = outcome_of(
        applied,
        _JUDGED[judgement.verdict],
        judgement.reason,
        column=column,
        found=judgement.effect,
        bounds=(None, judgement.threshold),
    )
    return replace(found, verdict=judgement.verdict.value)
