"""What changed in the columns themselves, kept apart from drift: added, missing, renamed, retyped.

A column that is gone and a new one of the same kind are called renamed where their distributions
agree; how far they do is said with it, since two columns may be alike by chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

from ..profile import ColumnProfile, quality
from ..schema import Kind, merge_columns
from .measures import Measures
from .quality import character_change, hour_change, weekday_change

ALIKE = 0.9  # likeness from which a new column is taken for the old one
FEWEST = 100  # values on both sides, below which distributions agree by chance
CANDIDATES = 20  # new columns, the nearest by name, that each missing one is compared with
MOST_PAIRS = 10_000  # beyond so many pairs it is another table, and names alone would take seconds
_MOSTLY_DISTINCT = 0.5


class SchemaChangeKind(StrEnum):
    """How a column changed."""

    ADDED = "added"
    MISSING = "missing"
    RENAMED = "renamed"
    RETYPED = "retyped"


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """One change of the columns.

    Parameters
    ----------
    kind
        What happened.
    column
        The column: the reference's name, or that of the added one.
    before, now
        Types; for a renamed column the two names. Empty on a side without the column.
    likeness
        Of a renamed column: 1 if both distributions are the same, 0 if they have nothing in common.
    mergeable
        Of a retyped column: whether both types still hold values of one kind (int32 and int64).
    """

    kind: SchemaChangeKind
    column: str
    before: str = ""
    now: str = ""
    likeness: float | None = None
    mergeable: bool = False

    def __str__(self) -> str:
        if self.kind is SchemaChangeKind.ADDED:
            return f"{self.column!r} is new ({self.now})"
        if self.kind is SchemaChangeKind.MISSING:
            return f"{self.column!r} is missing (it was {self.before})"
        if self.kind is SchemaChangeKind.RENAMED:
            return f"{self.before!r} seems to be {self.now!r} now: {self.likeness:.0%} alike"
        return f"{self.column!r} was {self.before} and is {self.now}"

    def to_dict(self) -> dict[str, Any]:
        """All fields under their names."""
        return {
            "kind": self.kind.value,
            "column": self.column,
            "before": self.before,
            "now": self.now,
            "likeness": self.likeness,
            "mergeable": self.mergeable,
        }


def schema_changes(
    reference: Mapping[str, ColumnProfile], current: Mapping[str, ColumnProfile]
) -> tuple[SchemaChange, ...]:
    """Every change of the columns: retyped, renamed, missing and added ones, in that order.

    Parameters
    ----------
    reference, current
        The columns of each side by name.
    """
    gone = {name: side for name, side in reference.items() if name not in current}
    new = {name: side for name, side in current.items() if name not in reference}
    changes = [
        SchemaChange(
            SchemaChangeKind.RETYPED,
            name,
            side.type,
            current[name].type,
            mergeable=merge_columns(side.state.column, current[name].state.column) is not None,
        )
        for name, side in reference.items()
        if name in current and side.type != current[name].type
    ]
    for old, now, alike in renamed_columns(gone, new):
        changes.append(SchemaChange(SchemaChangeKind.RENAMED, old, old, now, likeness=alike))
        del gone[old], new[now]
    changes += [SchemaChange(SchemaChangeKind.MISSING, n, before=s.type) for n, s in gone.items()]
    changes += [SchemaChange(SchemaChangeKind.ADDED, n, now=s.type) for n, s in new.items()]
    return tuple(changes)


def renamed_columns(
    gone: Mapping[str, ColumnProfile], new: Mapping[str, ColumnProfile]
) -> list[tuple[str, str, float]]:
    """Pairs of a missing and an added column that seem to be one, the most alike first.

    Each column is in one pair at most. Of pairs that are equally alike, to a hundredth, the one
    whose names resemble each other most counts.
    """
    pairs = []
    if len(gone) * len(new) > MOST_PAIRS:
        return []
    for old, before in gone.items():
        for name in _nearest(old, (n for n, side in new.items() if side.kind is before.kind)):
            alike = likeness(before, new[name])
            if alike is not None and alike >= ALIKE:
                pairs.append((round(alike, 2), _resemblance(old, name), old, name, alike))
    taken: set[tuple[str, str]] = set()
    found = []
    for _, _, old, name, alike in sorted(pairs, key=lambda pair: (-pair[0], -pair[1], *pair[2:4])):
        if ("old", old) not in taken and ("new", name) not in taken:
            taken |= {("old", old), ("new", name)}
            found.append((old, name, alike))
    return found


def likeness(before: ColumnProfile, now: ColumnProfile) -> float | None:
    """How far two columns' distributions agree, 0 to 1, or None if that cannot be told.

    1 less the largest of: the distance of the shares of missing rows, and that of the values (of
    numbers ks, of categories total variation, of text that is mostly distinct the distances of
    lengths and kinds of characters, of instants those of hours and weekdays).
    """
    if min(quality.values_of(before), quality.values_of(now)) < FEWEST:
        return None
    missing = [quality.missing_share(side) for side in (before, now)]
    assert missing[0] is not None and missing[1] is not None
    distances = [abs(missing[0].value - missing[1].value), *_distances(before, now)]
    return 1.0 - max(distances) if len(distances) > 1 else None


def _distances(before: ColumnProfile, now: ColumnProfile) -> list[float]:
    if before.kind is Kind.TIMESTAMP:
        found = [hour_change(before, now), weekday_change(before, now)]
        return [each.value for each in found if each is not None]
    measures = Measures(before, now)
    if measures.kind == "numeric":
        value = measures.get("ks").value
    elif measures.kind == "categorical" and not _mostly_distinct(before):
        value = measures.get("total_variation").value
    elif measures.kind == "categorical":
        return _form_distances(before, now)
    else:
        return []
    measures.release()
    return [value]


def _form_distances(before: ColumnProfile, now: ColumnProfile) -> list[float]:
    characters = character_change(before, now)
    lengths = [quality.mean_length(side) for side in (before, now)]
    if characters is None or lengths[0] is None or lengths[1] is None:
        return []
    low, high = sorted(each.value for each in lengths if each is not None)
    return [characters.value, 1.0 - low / high if high else 0.0]


def _mostly_distinct(column: ColumnProfile) -> bool:
    found = quality.uniqueness(column)
    return found is not None and found.value > _MOSTLY_DISTINCT


def _nearest(name: str, candidates: Iterable[str]) -> list[str]:
    ranked = sorted(candidates, key=lambda other: (-_resemblance(name, other), other))
    return ranked[:CANDIDATES]


def _resemblance(a: str, b: str) -> float:
    return SequenceMatcher(None, a[:100], b[:100], autojunk=False).ratio()
