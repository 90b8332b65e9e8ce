"""Rules applied to a profile: to its table, its columns and its segments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from ..compare.schema_changes import renamed_columns
from ..errors import InputError, PolicyError
from ..estimate import Estimate
from ..profile import ColumnProfile, Profile, quality
from ..schema import type_named
from .judging import Outcome, Status, Writer, decide, judge_column, outcome_of, sentence
from .policy import Applied, Policy, Rule, Section, Sections, Segment, Severity, place_of
from .rules import RULES, Requirement, Subject, Unit

# Rules that say how many rows of a column may be missing.
MISSING_RULES = frozenset({"completeness", "nulls", "nans"})
SUGGESTIONS = 20  # missing columns for which a similar name is looked for


@dataclass(frozen=True, slots=True)
class Sides:
    """What is checked, what it is compared with, and when (microseconds since 1970)."""

    profile: Profile
    reference: Profile | None
    now: int

    def reference_column(self, name: str) -> ColumnProfile | None:
        """A column of the reference, if there are both."""
        reference = self.reference
        return reference[name] if reference is not None and name in reference else None


def segment_outcomes(policy: Policy, segment: Segment, sides: Sides) -> Iterator[Outcome]:
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
    yield from part_outcomes(
        policy, segment.sections, Sides(part, reference, sides.now), str(segment)
    )


def part_outcomes(
    policy: Policy, sections: tuple[Section, ...], sides: Sides, segment: str
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
    judged: list[tuple[Applied, Outcome]] = []
    for applied in policy.rules_of(near):
        if applied.rule.key in ("required", "forbidden", "type"):
            yield _fact(applied, column, segment)
            continue
        found = judge_column(applied, subject, segment)
        if found is not None:
            judged.append((applied, found))
            yield found
    yield from _all_missing(column, judged, segment)
    for side in (column, subject.reference):
        if side is not None:
            vars(side).pop("band", None)  # thousands of columns would else hold theirs


def _all_missing(
    column: ColumnProfile, judged: Sequence[tuple[Applied, Outcome]], segment: str
) -> Iterator[Outcome]:
    """That rules on values found none, unless the policy says how many rows may be missing."""
    if not column.rows or column.nulls + column.nan < column.rows:
        return
    if any(found.rule in MISSING_RULES for _, found in judged):
        return
    void = [
        (applied, found)
        for applied, found in judged
        if found.status is Status.UNDECIDED
        and (column.rows >= applied.minimum_rows or not RULES[found.rule].sampled)
    ]
    if not void:
        return
    errors = [applied for applied, _ in void if applied.severity is Severity.ERROR]
    applied = (errors or [applied for applied, _ in void])[0]
    place = f"{place_of(('columns', column.name))} completeness"
    rules = ", ".join(dict.fromkeys(found.rule for _, found in void))
    yield outcome_of(
        replace(applied, rule=Rule("completeness", Requirement(), place)),
        Status.FAIL,
        f"all {column.rows:,} rows are missing: its values could not be checked ({rules})",
        column=column.name,
        segment=segment,
        found=quality.completeness(column),
    )


def _fact(applied: Applied, column: ColumnProfile, segment: str) -> Outcome:
    wanted = applied.requirement.argument
    if applied.rule.key == "type":
        names = " or ".join(wanted)
        holds = column.kind.value in wanted or column.type in map(_type_text, wanted)
        reason = f"the type is {column.type}" + (f", as {names}" if holds else f", not {names}")
    elif applied.rule.key == "required":
        holds, reason = True, "the column is there"
    else:
        holds = not wanted
        reason = "the column is there" + ("" if holds else ", which is forbidden")
    status = Status.PASS if holds else Status.FAIL
    return outcome_of(applied, status, reason, column=column.name, segment=segment)


def _type_text(name: str) -> str:
    """An Arrow type as columns name it: float64 is double."""
    found = type_named(name)
    return name if found is None else str(found)


class _Missing:
    """What may have become of columns that are not there."""

    def __init__(self, sides: Sides) -> None:
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
        "required", Requirement(argument=True), f"{place_of(section.path)} required"
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
    sides: Sides,
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


def _rows(applied: Applied, sides: Sides, segment: str) -> Outcome:
    bounds = applied.requirement.low, applied.requirement.high
    low, high = (None if end is None else float(end) for end in bounds)  # type: ignore[arg-type]
    rows, title, unit = float(sides.profile.rows), "number of rows", Unit.COUNT
    if applied.rule.key == "row_ratio":
        before = sides.reference.rows if sides.reference is not None else 0
        if not before:
            reason = "the reference has no rows"
            return outcome_of(applied, Status.UNDECIDED, reason, segment=segment)
        rows, title, unit = rows / before, "rows over the reference's", Unit.NUMBER
    found = Estimate.exact(rows)
    status = decide((found, found), low, high)
    reason = sentence(status, title, (found, found), (low, high), Writer(unit))
    return outcome_of(applied, status, reason, segment=segment, found=found, bounds=(low, high))
