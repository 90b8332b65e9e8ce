"""One rule and one column: pass, fail or undecided, with a sentence.

Decided by intervals: a rule passes if the whole interval of its figure keeps the bounds, fails if
none of it does, and is undecided otherwise. So whatever the raw rows were, neither a pass nor a
fail contradicts them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

from ..estimate import Estimate
from ..profile import ColumnProfile, quality
from ..schema import Kind
from .policy import Applied, Severity
from .rules import (
    RULES,
    Definition,
    Figures,
    MismatchError,
    Requirement,
    Subject,
    Unit,
    in_units,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS = (4, 6, 9, 12, 17)
_SET_SHOWN = 4


class Status(StrEnum):
    """What a rule came to."""

    PASS = "pass"  # noqa: S105 (no password)
    FAIL = "fail"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One rule applied to one column, or to the table.

    Parameters
    ----------
    status
        What it came to.
    place
        Where the rule stands in the policy: ``[columns.age] mean``.
    rule, column, segment
        Name of the rule; what it was applied to, empty for the table and for all rows.
    severity, owner, runbook
        As the policy says.
    reason
        One sentence: the figure, its interval and its bound.
    figure
        What was held against the bounds; None if there is none.
    low, high
        The bounds in the figure's unit; None where there is none.
    verdict
        Of drift: the verdict. Else empty.
    """

    status: Status
    place: str
    rule: str
    column: str
    severity: Severity
    reason: str
    figure: Estimate | None = None
    low: float | None = None
    high: float | None = None
    segment: str = ""
    owner: str = ""
    runbook: str = ""
    verdict: str = ""

    def to_dict(self) -> dict[str, Any]:
        """All fields under stable names."""
        figure = self.figure
        return {
            "status": self.status.value,
            "severity": self.severity.value,
            "rule": self.rule,
            "column": self.column or None,
            "segment": self.segment or None,
            "place": self.place,
            "reason": self.reason,
            "value": figure.value if figure else None,
            "lower": figure.lower if figure else None,
            "upper": figure.upper if figure else None,
            "min": self.low,
            "max": self.high,
            "verdict": self.verdict or None,
            "owner": self.owner or None,
            "runbook": self.runbook or None,
        }


def outcome_of(
    applied: Applied,
    status: Status,
    reason: str,
    *,
    column: str = "",
    segment: str = "",
    found: Estimate | None = None,
    bounds: tuple[float | None, float | None] = (None, None),
) -> Outcome:
    """An outcome with what its rule says of severity, owner and runbook."""
    return Outcome(
        status,
        applied.rule.place,
        applied.rule.key,
        column,
        applied.severity,
        reason,
        found,
        *bounds,
        segment,
        applied.owner,
        applied.runbook,
    )


def decide(figures: Figures, low: float | None, high: float | None) -> Status:
    """Hold figures against bounds, both included.

    Parameters
    ----------
    figures
        What the lower, and what the upper bound is held against; mostly one and the same.
    low, high
        The bounds; None where there is none.

    Examples
    --------
    >>> share = Estimate(0.02, lower=0.01, upper=0.03)
    >>> [decide((share, share), None, high).value for high in (0.03, 0.02, 0.005)]
    ['pass', 'undecided', 'fail']
    """
    smallest, largest = figures
    if math.isnan(smallest.value) or math.isnan(largest.value):
        return Status.UNDECIDED
    if (low is not None and smallest.upper < low) or (high is not None and largest.lower > high):
        return Status.FAIL
    if (low is None or smallest.lower >= low) and (high is None or largest.upper <= high):
        return Status.PASS
    return Status.UNDECIDED


def judge_column(applied: Applied, subject: Subject, segment: str) -> Outcome | None:
    """Apply a rule on figures to a column; None if a rule for all columns does not concern it."""
    definition, requirement = RULES[applied.rule.key], applied.requirement
    column = subject.column
    made = _Maker(applied, column.name, segment)
    if column.kind not in definition.kinds and column.kind is not Kind.NULL:
        if not applied.named:
            return None
        return made(Status.FAIL, f"a column of type {column.type} has no {_title(applied)}")
    if definition.sampled and column.rows < applied.minimum_rows:
        few = f"{column.rows:,} rows are fewer than the minimum of {applied.minimum_rows:,}"
        return made(Status.UNDECIDED, few)
    if definition.compared and subject.reference is None:
        return made(Status.UNDECIDED, "the reference has no such column")
    try:
        figures = definition.measure(subject, requirement)
        bounds = _bounds(definition, requirement, column)
    except MismatchError as error:
        bound = _plain(error.bound)
        return made(Status.FAIL, f"the column is {column.type}, which cannot be {bound}")
    if figures is None:
        return made(Status.UNDECIDED, _why_none(column, definition))
    status = decide(figures, *bounds)
    writer = Writer(definition.unit, column.kind)
    reason = sentence(status, _title(applied), figures, bounds, writer)
    if applied.rule.key == "values" and status is Status.FAIL:
        reason += _strangers(column, requirement)
    failing = figures[0] if bounds[0] is not None and figures[0].lower < bounds[0] else figures[1]
    return made(status, reason, failing, bounds)


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes outcomes of one rule and one column."""

    applied: Applied
    column: str
    segment: str

    def __call__(
        self,
        status: Status,
        reason: str,
        found: Estimate | None = None,
        bounds: tuple[float | None, float | None] = (None, None),
    ) -> Outcome:
        return outcome_of(
            self.applied,
            status,
            reason,
            column=self.column,
            segment=self.segment,
            found=found,
            bounds=bounds,
        )


def _bounds(
    definition: Definition, requirement: Requirement, column: ColumnProfile
) -> tuple[float | None, float | None]:
    ends: list[float | None] = []
    for end in (requirement.low, requirement.high):
        if end is None or definition.unit is not Unit.VALUE:
            ends.append(end)  # type: ignore[arg-type]
        else:
            ends.append(in_units(column, end))
    return ends[0], ends[1]


def _title(applied: Applied) -> str:
    """The figure in words."""
    definition, argument = RULES[applied.rule.key], applied.requirement.argument
    if applied.rule.key == "quantiles":
        return f"quantile {argument}"
    if applied.rule.key == "characters":
        return f"share of {argument.replace('_', ' ')} characters"
    if applied.rule.key == "shares":
        low, high = ("" if end is None else _plain(end) for end in argument)
        if low and high:
            return f"share of values from {low} to {high}"
        return f"share of values from {low}" if low else f"share of values up to {high}"
    return definition.title


def _why_none(column: ColumnProfile, definition: Definition) -> str:
    if not column.rows:
        return "there are no rows"
    if definition.compared:
        return "there is no such figure: a side has no values, or does not count them one by one"
    if not quality.values_of(column):
        return f"all {column.rows:,} rows are missing"
    if column.state.column.redacted:
        return "the column is redacted, so its values are not known"
    return "there are too few values"


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes figures in their unit, with as many digits as tell them apart."""

    unit: Unit
    kind: Kind | None = None

    def __call__(self, value: float, digits: int) -> str:
        """A figure with so many digits, or as an instant, a day or an age."""
        if math.isinf(value) or math.isnan(value):
            return str(value)
        if self.unit is Unit.SECONDS:
            return _age(value)
        if self.unit is Unit.VALUE and self.kind is Kind.TIMESTAMP:
            return _instant(int(value))
        if self.unit is Unit.VALUE and self.kind is Kind.DATE:
            return _day(value)
        return number_text(value, digits)

    def apart(self, value: float, bound: float) -> tuple[str, str]:
        """Two different figures as different texts."""
        texts = ("", "")
        for digits in _DIGITS:
            texts = self(value, digits), self(bound, digits)
            if value == bound or texts[0] != texts[1]:
                break
        return texts


def number_text(value: float, digits: int) -> str:
    """A number with so many digits, whole ones in full.

    >>> number_text(31.0, 4), number_text(1010.1, 6), number_text(0.98765, 4)
    ('31', '1,010.1', '0.9877')
    """
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        return f"{int(value):,}"
    if abs(value) >= 10 ** min(digits, 15):
        return f"{value:.{digits}g}" if abs(value) >= 1e15 else f"{value:,.0f}"
    return f"{value:,.{digits}g}"


def sentence(
    status: Status,
    title: str,
    figures: Figures,
    bounds: tuple[float | None, float | None],
    writer: Writer,
) -> str:
    """The figure, its interval and the bound that decided."""
    (smallest, largest), (low, high) = figures, bounds
    if math.isnan(smallest.value) or math.isnan(largest.value):
        return f"{title} does not fit a double"
    if status is Status.PASS:
        found = largest if low is None else smallest
        return f"{title} is {_figure(found, writer, 4)}, {_kept(bounds, writer)}"
    if status is Status.FAIL:
        below = low is not None and smallest.upper < low
        nearest = smallest.upper if below else largest.lower
    else:
        below = low is not None and smallest.lower < low
        nearest = smallest.lower if below else largest.upper
    found, bound = (smallest, low) if below else (largest, high)
    assert bound is not None
    shown, limit = writer.apart(nearest, bound)
    digits = next((d for d in _DIGITS if writer(nearest, d) == shown), _DIGITS[-1])
    where = f"{'which may be ' if status is Status.UNDECIDED else ''}{'under' if below else 'over'}"
    return f"{title} is {_figure(found, writer, digits)}, {where} {limit}"


def _figure(found: Estimate, writer: Writer, digits: int) -> str:
    value, low, high = (writer(x, digits) for x in (found.value, found.lower, found.upper))
    if low == high:
        return value
    return f"{value} ({low} to {high})"


def _kept(bounds: tuple[float | None, float | None], writer: Writer) -> str:
    low, high = (None if end is None else writer(end, 4) for end in bounds)
    if low is not None and high is not None:
        return f"within {low} to {high}"
    return f"at least {low}" if low is not None else f"at most {high}"


def _strangers(column: ColumnProfile, requirement: Requirement) -> str:
    """The most frequent values that are not in the set."""
    members = {_plain(member) for member in requirement.argument}
    found = [_plain(value) for value, _ in column.most_frequent(len(members) + _SET_SHOWN + 1)]
    strange = [value for value in found if value not in members]
    if not strange:
        return ""
    more = " and others" if len(strange) > _SET_SHOWN else ""
    return f": there are {', '.join(strange[:_SET_SHOWN])}{more}"


def _plain(value: object) -> str:
    """A value as text, the same for a number of either type."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return _instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float):
        return number_text(value, 9) if math.isfinite(value) else str(value)
    return repr(value)


def _instant(micros: int) -> str:
    try:
        return _instant_text(_EPOCH + timedelta(microseconds=micros))
    except OverflowError:
        return f"{micros} us since 1970"


def _instant_text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(sep=" ").replace("+00:00", " UTC")


def _day(days: float) -> str:
    try:
        return (date(1970, 1, 1) + timedelta(days=int(days))).isoformat()
    except OverflowError:
        return f"{int(days)} days since 1970"


def _age(seconds: float) -> str:
    try:
        return str(timedelta(seconds=round(seconds)))
    except OverflowError:
        return f"{seconds:.3g} seconds"
