"""A profile held against a policy: every rule's outcome, and drift from a reference."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..compare import ColumnComparison, Comparison, Judgement, Verdict, compare
from ..compare.thresholds import STRICT_ROLES, UNJUDGED_ROLES
from ..errors import InputError, PolicyError
from ..profile import Profile
from .applying import Sides, part_outcomes, segment_outcomes
from .judging import Outcome, Status, number_text, outcome_of
from .policy import Applied, Policy, Rule, Sections, Settings, Severity, place_of
from .rules import RULES, Requirement

if TYPE_CHECKING:
    import pyarrow as pa

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
    >>> result = ll.check(ll.profile({"age": [31, 45, 28, -4] * 300}), policy)
    >>> result.verdict.value, result.violations[0].reason
    ('fail', 'share of values from 18 to 89 is 0.75, under 0.9861')
    """
    for what, side in (("profile to check", profile), ("reference", reference)):
        if side is not None and not isinstance(side, Profile):
            raise InputError(f"the {what} is of type {type(side).__name__}, not a Profile")
    if not isinstance(policy, Policy):
        if not isinstance(policy, str | os.PathLike):
            raise InputError(f"a policy or its path is needed, not a {type(policy).__name__}")
        policy = Policy.read(policy)
    try:
        return _check(Sides(profile, reference, _microseconds(now)), policy, importance)
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


def _check(sides: Sides, policy: Policy, importance: Mapping[str, float] | None) -> Check:
    profile, reference = sides.profile, sides.reference
    if reference is None:
        _require_no_reference(policy)
    outcomes = list(part_outcomes(policy, policy.sections, sides, ""))
    outcomes += _nothing_checked(policy, sides, outcomes)
    for segment in policy.segments:
        outcomes += segment_outcomes(policy, segment, sides)
    comparison = None
    if reference is not None and (policy.drift is not False or _judges_any(policy)):
        limits = policy.thresholds
        comparison = compare(reference, profile, thresholds=limits, importance=importance)
        few = comparison.features_verdict is not Verdict.DRIFT
        known = Sections(policy.sections)
        outcomes += [o for column in comparison for o in _drift(policy, known, column, few=few)]
    if reference is None and not outcomes and not policy.rules:
        name = policy.source or "the policy"
        raise PolicyError(f"{name} checks nothing here; give a reference to judge drift from")
    return Check(tuple(outcomes), profile.rows, comparison, policy.source)


def _nothing_checked(
    policy: Policy, sides: Sides, outcomes: Sequence[Outcome]
) -> Iterator[Outcome]:
    """Sides without rows, of which every rule would be undecided: no silence may pass for a check.

    A policy that allows it says so: ``rows = { min = 0 }``.
    """
    owner, runbook = policy.settings.owner or "", policy.settings.runbook or ""
    said = any(
        rule.requirement is not None and rule.requirement.low is not None
        for section in policy.sections
        for rule in section.rules
        if section.path == ("table",) and rule.key == "rows"
    )
    failed = any(o.status is Status.FAIL and o.rule in ("rows", "row_ratio") for o in outcomes)
    if not sides.profile.rows and not said and not failed:
        severity = policy.settings.severity or Severity.ERROR
        rule = Rule("rows", Requirement(1), f"{place_of(('table',))} rows")
        applied = Applied(rule, rule.requirement or Requirement(), severity, owner, runbook, 0)
        yield outcome_of(applied, Status.FAIL, "there are no rows: nothing could be checked")
    reference = sides.reference
    if reference is not None and not reference.rows and policy.drift is not False:
        severity, place = policy.drift_severity([])
        rule = Rule("drift", Requirement(), place)
        applied = Applied(rule, Requirement(), severity, owner, runbook, 0)
        reason = "the reference has no rows: drift could not be judged"
        yield outcome_of(applied, Status.FAIL, reason)


def _judges_any(policy: Policy) -> bool:
    return any(section.drift not in (None, False) for section in policy.sections)


def _require_no_reference(policy: Policy) -> None:
    for rule in policy.rules:
        compared = rule.key == "row_ratio" or (rule.key in RULES and RULES[rule.key].compared)
        if compared and rule.requirement is not None:
            raise PolicyError(f"{rule.place} is about a change; give the reference as well")


_JUDGED = {
    Verdict.DRIFT: Status.FAIL,
    Verdict.POSSIBLE: Status.UNDECIDED,
    Verdict.NONE: Status.PASS,
    Verdict.NOT_COMPARABLE: Status.UNDECIDED,
}


def _drift(
    policy: Policy, sections: Sections, column: ColumnComparison, *, few: bool
) -> Iterator[Outcome]:
    """The verdicts on a column; none where drift is not judged.

    Where ``few`` features drifted, fewer than the policy's ``drift_share``, one of them is no
    violation.
    """
    side = column.current or column.reference
    if side is None or column.reference is None:
        return  # a new column has nothing to drift from
    near = sections.near(side)
    if not policy.judges_drift(near):
        return
    settings = policy.settings_of(near)
    severity, place = policy.drift_severity(near)
    if column.current is None:
        named = any(section.path[0] == "columns" for section in near)
        if column.role not in UNJUDGED_ROLES and not named:  # its own section says what is missing
            yield _lost(Rule("drift", Requirement(), place), severity, settings, column.name)
        return
    for name, judgement in _judgements(column):
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


def _lost(rule: Rule, severity: Severity, settings: Settings, column: str) -> Outcome:
    """A column whose drift is to be judged and that is gone: no silence may pass for it."""
    owner, runbook = settings.owner or "", settings.runbook or ""
    applied = Applied(rule, Requirement(), severity, owner, runbook, 0)
    return outcome_of(applied, Status.FAIL, "the column is only in the reference", column=column)


def _judgements(column: ColumnComparison) -> Iterator[tuple[str, Judgement]]:
    """What is judged of a column, each under the name of its outcome."""
    aspects = {
        f"drift_{name}": one.judgement
        for name, one in column.aspects.items()
        if one.verdict is not Verdict.NOT_COMPARABLE
    }
    parts = aspects or {"drift": column.values}
    for name, judgement in {**parts, "drift_missing": column.missing.judgement}.items():
        if judgement.verdict is Verdict.NOT_COMPARABLE and _never_judged(column, name):
            continue
        yield name, judgement


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
