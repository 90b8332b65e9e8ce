"""Segments of two profiles side by side, and the change of their shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import InputError
from ..profile import Profile
from ..profile.cells import SegmentValue, segment_order
from .comparison import segment_name
from .judge import tallies_evidence
from .tally import Tallies, Tally
from .thresholds import Limits
from .verdict import Evidence, Judgement, not_comparable

ALL = "segment"


@dataclass(frozen=True, slots=True)
class SegmentPair:
    """One segment on both sides.

    Parameters
    ----------
    segment
        Values of the columns that define it, by name.
    reference_rows, current_rows
        Its rows.
    profiles
        Its profiles; None if it is not judged, and then ``note`` says why.
    """

    segment: Mapping[str, SegmentValue]
    reference_rows: int
    current_rows: int
    profiles: tuple[Profile, Profile] | None = None
    note: str = ""


def pairs_of(
    reference: Profile, current: Profile, by: str | Sequence[str], minimum_rows: int
) -> list[SegmentPair]:
    """Every segment of either side; with profiles where both have enough rows.

    Raises
    ------
    InputError
        If one of the profiles has no segments by these columns.
    """
    names = _columns(reference, current, by)
    rows = [_rows(side, names) for side in (reference, current)]
    found = []
    for values in sorted({**rows[0], **rows[1]}, key=lambda values: [*map(segment_order, values)]):
        segment = dict(zip(names, values, strict=True))
        n, m = (counted.get(values, 0) for counted in rows)
        note = _refusal(n, m, minimum_rows)
        profiles = None
        if not note:
            profiles = reference.select(segment=segment), current.select(segment=segment)
        found.append(SegmentPair(segment, n, m, profiles, note))
    return found


def mix_evidence(pairs: Sequence[SegmentPair], limits: Limits) -> Evidence | Judgement:
    """What is judged of the shares of the segments: they are the categories of one column."""
    sides = []
    for rows in ([p.reference_rows for p in pairs], [p.current_rows for p in pairs]):
        total = sum(rows)
        if total < limits.default.minimum_rows:
            return not_comparable(f"{total} rows on a side, under {limits.default.minimum_rows}")
        names = [segment_name(tuple(pair.segment.values())).encode() for pair in pairs]
        counts: dict[bytes, int] = {}
        for name, count in zip(names, rows, strict=True):
            if count:
                counts[name] = counts.get(name, 0) + count
        sides.append(Tally.of(counts, total))
    return tallies_evidence(Tallies.of(*sides), limits.default, subject="the shares of segments")


def _columns(reference: Profile, current: Profile, by: str | Sequence[str]) -> tuple[str, ...]:
    sides = (("reference", reference), ("current profile", current))
    for label, side in sides:
        if not side.settings.segments:
            raise InputError(f"the {label} has no segments; profile with segments=")
    own = [side.settings.segments for _, side in sides]
    if by == ALL and ALL not in own[0]:
        if sorted(own[0]) != sorted(own[1]):
            raise InputError(
                f"the reference has segments by {', '.join(own[0])}, the current profile by "
                f"{', '.join(own[1])}; name those to compare by"
            )
        return tuple(own[0])
    if not isinstance(by, str | Sequence):
        raise InputError(f"'by' is names of segment columns, not {by!r}")
    names = (by,) if isinstance(by, str) else tuple(by)
    for (label, _), columns in zip(sides, own, strict=True):
        for name in names:
            if name not in columns:
                raise InputError(
                    f"the {label} has no segments by {name!r}; it has them by {', '.join(columns)}"
                )
    return names


def _rows(side: Profile, names: Sequence[str]) -> dict[tuple[SegmentValue, ...], int]:
    places = [side.settings.segments.index(name) for name in names]
    rows: dict[tuple[SegmentValue, ...], int] = {}
    for cell in side.cells:
        values = tuple(cell.segment[place] for place in places)
        rows[values] = rows.get(values, 0) + cell.rows
    return rows


def _refusal(n: int, m: int, minimum_rows: int) -> str:
    for label, rows in (("reference", n), ("current profile", m)):
        if rows < minimum_rows:
            return f"{rows:,} rows in the {label}, under {minimum_rows}"
    return ""
