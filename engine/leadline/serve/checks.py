"""What every row is checked for as it is logged: types, ranges and known values of its fields.

Bounds are the reference's own, and a policy's where it says more about a column.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .._capture import Recorder
from ..policy.policy import Policy, Section, Sections
from ..policy.rules import Requirement
from ..profile import ColumnProfile, Profile
from ..profile.column import decode_key
from ..schema import Kind, Role
from .classes import ANY, BOOLEAN, NUMBER, TEXT, TIME, Class

_CLASSES: Mapping[Kind, Class] = {
    Kind.BOOLEAN: BOOLEAN,
    Kind.INTEGER: NUMBER,
    Kind.FLOAT: NUMBER,
    Kind.TEXT: TEXT,
    Kind.DATE: TIME,
    Kind.TIMESTAMP: TIME,
}
# Values of these are new by their nature.
_OPEN = frozenset({Role.ID, Role.TIMESTAMP})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FieldCheck:
    """What the values of one field must be; what is not given is not checked.

    Parameters
    ----------
    name
        The field.
    kind
        ``bool``, ``number``, ``text``, ``time``, or ``any``: the first value decides.
    low, high
        Least and largest number, both allowed; microseconds since 1970 for times.
    known
        The texts that are known.
    nulls
        Whether None is fine.
    required
        Whether a row without the field is one too few.
    """

    name: str
    kind: Class = ANY
    low: float = -math.inf
    high: float = math.inf
    known: frozenset[str] | None = None
    nulls: bool = True
    required: bool = True


def checks_of(reference: Profile | None, policy: Policy | None) -> tuple[FieldCheck, ...]:
    """The checks of all fields that a reference or a policy names."""
    found: dict[str, FieldCheck] = {}
    sections = Sections(policy.sections if policy is not None else ())
    if reference is not None:
        for name in reference.names:
            column = reference[name]
            found[name] = _of_column(column)
            if policy is not None:
                rules = policy.rules_of(sections.near(column))
                for applied in rules:
                    found[name] = _narrowed(found[name], applied.rule.key, applied.requirement)
    elif policy is not None:
        for section in policy.sections:
            if section.path[0] == "columns":
                found[section.path[1]] = _of_section(section)
    return tuple(found.values())


def _of_column(column: ColumnProfile) -> FieldCheck:
    """What the reference's own values were."""
    check = FieldCheck(
        column.name,
        _CLASSES.get(column.kind, ANY),
        nulls=column.nulls > 0 or not column.rows,
        required=column.rows > 0,
    )
    if column.state.column.redacted or column.role in _OPEN:
        return check
    if column.kind is Kind.TEXT:
        return replace(check, known=_known_texts(column))
    if check.kind in (NUMBER, BOOLEAN) and column.min is not None:
        return replace(check, low=_number(column.min), high=_number(column.max))
    return check


def _known_texts(column: ColumnProfile) -> frozenset[str] | None:
    """All texts of the reference; None where it does not hold all of them whole."""
    text = column.text
    if text is None or not text.counts.exact or text.counts.longest > 256:
        return None
    return frozenset(decode_key(key) for key in text.counts.keys)


def _of_section(section: Section) -> FieldCheck:
    check = FieldCheck(section.path[1])
    for rule in section.rules:
        if rule.requirement is not None:
            check = _narrowed(check, rule.key, rule.requirement)
    return check


def _narrowed(check: FieldCheck, key: str, requirement: Requirement) -> FieldCheck:
    """A check with one rule of a policy; a rule about many rows at once changes nothing."""
    if key == "minimum":
        return replace(check, low=_number(requirement.low))
    if key == "maximum":
        return replace(check, high=_number(requirement.high))
    if key == "required":
        return replace(check, required=bool(requirement.argument))
    if key == "completeness" and requirement.low == 1:
        return replace(check, nulls=False)
    if key == "nulls" and requirement.high == 0:
        return replace(check, nulls=False)
    if key == "type":
        names = [name for name in requirement.argument if name in set(Kind)]
        kinds = {_CLASSES.get(Kind(name), ANY) for name in names}
        return replace(check, kind=kinds.pop()) if len(kinds) == 1 else check
    if key == "values" and requirement.low == 1:
        texts = [value for value in requirement.argument if isinstance(value, str)]
        return replace(check, known=frozenset(texts)) if texts else check
    return check


def _number(value: Any) -> float:
    """A bound as the number that values are held against."""
    if isinstance(value, datetime):
        moment = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return (moment - _EPOCH).total_seconds() * 1e6
    if isinstance(value, date):
        return _number(datetime(value.year, value.month, value.day, tzinfo=UTC))
    return float(value)


def install(recorder: Recorder, checks: Iterable[FieldCheck]) -> None:
    """Let a recorder check every row."""
    recorder.checks(
        {
            check.name: (check.low, check.high, check.known, not check.nulls, check.required)
            for check in checks
        }
    )


def violations_of(batch: pa.RecordBatch, checks: Sequence[FieldCheck]) -> Counter[tuple[str, str]]:
    """What the values of a batch break, as the recorder counts it in rows: by field and reason."""
    found: Counter[tuple[str, str]] = Counter()
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    for check in checks:
        name = check.name
        if name not in columns:
            found[name, "missing"] += len(batch) if check.required else 0
            continue
        column = columns[name]
        found[name, "null"] += 0 if check.nulls else column.null_count
        if check.kind in (NUMBER, BOOLEAN, TIME) and column.null_count < len(column):
            numbers = column.cast(pa.int64()) if check.kind in (BOOLEAN, TIME) else column
            found[name, "below"] += pc.sum(pc.less(numbers, check.low)).as_py() or 0
            found[name, "above"] += pc.sum(pc.greater(numbers, check.high)).as_py() or 0
        if check.known is not None and check.kind == TEXT:
            known = pa.array(check.known, pa.string())
            values = pc.drop_null(column)
            seen = pc.sum(pc.is_in(values.cast(pa.string()), known)).as_py() or 0
            found[name, "unseen"] += len(values) - seen
    return +found
