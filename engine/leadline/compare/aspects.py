"""What is judged of columns whose values are not: free text, ids and instants.

Free text by its lengths, its empty texts and its kinds of characters; ids by how many values occur
again; instants by hours of the day, weekdays and days without rows (and, where windows tell what is
usual, by how late the newest one is: `freshness`). Each aspect is an effect with a test, judged by
the rules of all others and counted in their family.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..profile import ColumnProfile
from ..schema import Kind, Role
from .aspects_text import characters_evidence, empty_evidence, form_of, lengths_evidence
from .aspects_time import gaps_evidence, hours_evidence, hours_of, weekdays_evidence
from .measures import Measures
from .repeats import repeats_evidence
from .thresholds import UNJUDGED_ROLES, Thresholds
from .verdict import Evidence, Judgement, Verdict, not_comparable

Counts = tuple[NDArray[np.int64], ...]


@dataclass(frozen=True, slots=True)
class Drafted:
    """One aspect before p-values are adjusted.

    Parameters
    ----------
    evidence
        What is judged, or why nothing is.
    words
        Makes the change in a few words.
    """

    evidence: Evidence | Judgement
    words: Callable[[], str] = str


@dataclass(frozen=True, slots=True)
class AspectChange:
    """One aspect of a column that is not judged by its values, judged.

    Parameters
    ----------
    name
        ``lengths``, ``empty``, ``characters``, ``uniqueness``, ``hours``, ``weekdays``, ``gaps`` or
        ``freshness``.
    judgement
        The verdict on it.
    change
        What changed, in a few words; empty where the verdict is `none` or `not comparable`.
    """

    name: str
    judgement: Judgement
    change: str = ""

    @property
    def verdict(self) -> Verdict:
        """Verdict on the change."""
        return self.judgement.verdict

    @property
    def reason(self) -> str:
        """The verdict in one sentence."""
        return self.judgement.reason

    def to_dict(self) -> dict[str, Any]:
        """The judgement's fields and the change in words."""
        return self.judgement.to_dict() | {"change": self.change or None}


@dataclass(frozen=True, slots=True)
class Additive:
    """An aspect that rests on counts which add up over rows.

    Parameters
    ----------
    of
        The counts of one side; None where it has none.
    drafted
        What is judged of both sides' counts.
    """

    of: Callable[[ColumnProfile], Counts | None]
    drafted: Callable[[Counts, Counts, Thresholds], tuple[Evidence | Judgement, Callable[[], str]]]


# Windows of a reference are held against the rest of it by taking their counts off.
TEXT: Mapping[str, Additive] = {
    "lengths": Additive(form_of, lengths_evidence),
    "empty": Additive(form_of, empty_evidence),
    "characters": Additive(form_of, characters_evidence),
}
HOURS: Mapping[str, Additive] = {"hours": Additive(hours_of, hours_evidence)}


def additive_aspects(
    measures: Measures, role: Role, thresholds: Thresholds
) -> Mapping[str, Additive]:
    """The aspects of a column that rest on counts."""
    if measures.obstacle:
        return {}
    if measures.reference.kind is Kind.TIMESTAMP and role is not Role.SEGMENT:
        return {} if measures.reference.state.column.redacted else HOURS
    if role not in UNJUDGED_ROLES and is_free_text(measures, thresholds):
        return TEXT
    return {}


def aspects_of(measures: Measures, role: Role, thresholds: Thresholds) -> dict[str, Drafted]:
    """What is judged of a column beside its missing rows where its values are not; often empty."""
    a, b = measures.reference, measures.current
    found: dict[str, Drafted] = {}
    instants = a.kind is Kind.TIMESTAMP and b.kind is Kind.TIMESTAMP
    wanted = additive_aspects(measures, role, thresholds)
    unique = role is Role.ID and not measures.obstacle
    if not (wanted or unique):
        return {}
    few = _too_few(measures, thresholds)
    for name, aspect in wanted.items():
        sides = aspect.of(a), aspect.of(b)
        if few or sides[0] is None or sides[1] is None:
            found[name] = Drafted(not_comparable(few or "a side has no such counts"))
        else:
            found[name] = Drafted(*aspect.drafted(sides[0], sides[1], thresholds))
    others = {}
    if instants and wanted:
        others = {"weekdays": weekdays_evidence, "gaps": gaps_evidence}
    if unique:
        others["uniqueness"] = repeats_evidence
    for name, evidence_of in others.items():
        refused = Drafted(not_comparable(few)) if few else None
        found[name] = refused or Drafted(*evidence_of(a, b, thresholds))
    return found


def is_free_text(measures: Measures, thresholds: Thresholds) -> bool:
    """Whether most values of the reference are different texts."""
    reference = measures.reference
    if measures.kind != "categorical" or reference.kind is not Kind.TEXT:
        return False
    total = measures.total(reference)
    return total > 0 and reference.distinct.value / total > thresholds.distinct_share


def _too_few(measures: Measures, thresholds: Thresholds) -> str:
    for label, side in (("reference", measures.reference), ("current profile", measures.current)):
        rows = measures.total(side)
        if rows < thresholds.minimum_rows:
            return f"{rows:,} values in the {label}, under {thresholds.minimum_rows}"
    return ""
