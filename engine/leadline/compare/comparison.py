"""Two profiles side by side: every column with its statistics, its verdict and its reason."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..profile import ColumnProfile
from ..profile.cells import SegmentValue
from ..schema import Role, require_names
from .aspects import AspectChange
from .attributes import StatisticAttributes
from .categorical import CategoryChange
from .custom import custom_statistics
from .measures import USUAL, Measures
from .quality import QualityFigure, quality_figures
from .schema_changes import SchemaChange, schema_changes
from .scores import ScoreChange
from .statistic import Statistic
from .thresholds import STRICT_ROLES, Limits
from .verdict import Judgement, Verdict, worst
from .words import change_in_words

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class MissingChange:
    """Missing rows (null or NaN) on both sides, judged.

    Parameters
    ----------
    reference, current
        Shares of the rows; NaN without rows.
    judgement
        The verdict on their difference.
    """

    reference: float
    current: float
    judgement: Judgement

    @property
    def verdict(self) -> Verdict:
        """Verdict on the change of the share."""
        return self.judgement.verdict

    @property
    def reason(self) -> str:
        """The verdict in one sentence."""
        return self.judgement.reason

    def to_dict(self) -> dict[str, Any]:
        """Both shares, and the judgement's fields."""
        shares = {"reference": self.reference, "current": self.current}
        return shares | self.judgement.to_dict()


@dataclass(frozen=True, slots=True)
class ColumnComparison(StatisticAttributes):
    """One column compared. Statistics are attributes: ``comparison["age"].ks.value``.

    Parameters
    ----------
    name, role, kind
        Name; role in the model; ``numeric``, ``categorical`` or ``other``.
    reference, current
        The column's profile on each side; None on the side that lacks it.
    values, missing
        Verdict on the values, and on the share of missing rows.
    unseen, vanished
        Categories that only the current, or only the reference side has; for numbers only where
        the reference is constant.
    importance
        Weight of the column in the ranking and in the verdict on the whole.
    score
        Confidence and shares beyond decision thresholds, for a probability of the role score.
    aspects
        What is judged, in place of the values, of free text, ids and instants, by name
        (`aspects.AspectChange`). Often empty.
    """

    name: str
    role: Role
    kind: str
    reference: ColumnProfile | None
    current: ColumnProfile | None
    values: Judgement
    missing: MissingChange
    unseen: CategoryChange
    vanished: CategoryChange
    importance: float = 1.0
    score: ScoreChange | None = None
    aspects: Mapping[str, AspectChange] = field(default_factory=dict)
    _measures: Measures | None = field(default=None, repr=False, compare=False)

    @property
    def verdict(self) -> Verdict:
        """The worst of the verdicts on values (or, where it has any, on aspects) and on missing."""
        return self.decisive[1].verdict

    @property
    def reason(self) -> str:
        """The sentence behind the verdict."""
        return self.decisive[1].reason

    @property
    def decisive(self) -> tuple[str, Judgement]:
        """What the verdict rests on: ``values``, ``missing`` or an aspect, and its judgement.

        Aspects that cannot be compared do not count beside one that can, as hours of a day beside
        weekdays.
        """
        aspects = [(name, one.judgement) for name, one in self.aspects.items()]
        judged = [part for part in aspects if part[1].verdict is not Verdict.NOT_COMPARABLE]
        first = max(
            judged or aspects or [("values", self.values)],
            key=lambda part: (part[1].verdict.severity, part[1].excess),
        )
        worse = self.missing.verdict.severity > first[1].verdict.severity
        return ("missing", self.missing.judgement) if worse else first

    @property
    def excess(self) -> float:
        """The largest of the effects over their thresholds; 0 if nothing was judged."""
        parts = (one.judgement.excess for one in self.aspects.values())
        return max(self.values.excess, self.missing.judgement.excess, *parts)

    @property
    def change(self) -> tuple[str, ...]:
        """What changed most, each in a few words, as "p50 31 to 38"."""
        told = self.score.words if self.score is not None else ()
        told += tuple(one.change for one in self.aspects.values() if one.change)
        if self._measures is None:
            return told
        measures = self._measures
        by_missing = self.missing.verdict.severity > self.values.verdict.severity
        return told + measures.once(
            "change",
            lambda: change_in_words(measures, missing_first=by_missing, values=not self.aspects),
        )

    @property
    def statistics(self) -> tuple[str, ...]:
        """Names of the statistics that this column has."""
        return self._measures.names if self._measures is not None else ()

    def __getitem__(self, name: str) -> Statistic:
        if self._measures is None:
            raise InputError(f"column {self.name!r} is on one side only")
        return self._measures.get(name)

    def quantile_shift(self, share: float) -> Statistic:
        """How far any quantile of a column of numbers moved (`quantiles.quantile_shift`).

        Parameters
        ----------
        share
            Between 0 and 1: 0.5 is the median. Those of 5, 25, 50, 75 and 95 % are also statistics,
            from `shift_p5` to `shift_p95`.

        Raises
        ------
        InputError
            If ``share`` is no such number, or the column is on one side only.
        MissingStatisticError
            If the column holds no numbers.
        """
        if not isinstance(share, Real) or not 0 <= float(share) <= 1:
            raise InputError(f"a quantile is a share between 0 and 1, not {share!r}")
        found = self["shift_p50"]
        assert self._measures is not None
        if math.isnan(found.value):
            return found
        return self._measures.shift(float(share), "quantile_shift")

    def release(self) -> None:
        """Drop what statistics were computed from. They stay; another one computes it again."""
        if self._measures is not None:
            self._measures.release()

    @property
    def quality(self) -> dict[str, QualityFigure]:
        """Figures of data quality on both sides, by name (`quality.quality_figures`)."""
        return {one.name: one for one in quality_figures(self.reference, self.current)}

    @property
    def custom(self) -> dict[str, Statistic]:
        """What users' own summaries say, by name (`custom.custom_statistics`)."""
        return custom_statistics(self.reference, self.current)

    @property
    def retyped(self) -> bool:
        """Whether the two sides have another type."""
        a, b = self.reference, self.current
        return a is not None and b is not None and a.type != b.type

    def to_dict(self, *, statistics: Sequence[str] | None = None) -> dict[str, Any]:
        """All results under stable names; afterwards `release` was called.

        Parameters
        ----------
        statistics
            Which statistics, as far as the column has them; None for all.
        """
        sides = {"reference": self.reference, "current": self.current}
        wanted = self.statistics if statistics is None else statistics
        found = {name: self[name].to_dict() for name in self.statistics if name in wanted}
        change = list(self.change)
        quality = {name: one.to_dict() for name, one in self.quality.items()}
        self.release()  # of thousands of columns, one after the other
        return {
            "name": self.name,
            "role": self.role.value,
            "kind": self.kind,
            "types": {name: side and side.type for name, side in sides.items()},
            "rows": {name: side and side.rows for name, side in sides.items()},
            "verdict": self.verdict.value,
            "reason": self.reason,
            "values": self.values.to_dict(),
            "missing": self.missing.to_dict(),
            "aspects": {name: one.to_dict() for name, one in self.aspects.items()},
            "change": change,
            "importance": self.importance,
            "score": self.score.to_dict() if self.score is not None else None,
            "quality": quality,
            "unseen": self.unseen.to_dict(),
            "vanished": self.vanished.to_dict(),
            "statistics": found,
            "custom": {name: own.to_dict() for name, own in self.custom.items()},
        }


@dataclass(frozen=True, slots=True)
class RankedColumn:
    """A changed column and how much of all change it makes up.

    Parameters
    ----------
    column
        The column.
    share
        Its effect over its threshold times its importance, as a share of the sum of these over all
        changed columns.
    """

    column: ColumnComparison
    share: float

    def to_dict(self) -> dict[str, Any]:
        """Name, verdict, share, importance and the change in words."""
        column = self.column
        return {
            "name": column.name,
            "verdict": column.verdict.value,
            "share": self.share,
            "importance": column.importance,
            "change": list(column.change),
        }


@dataclass(frozen=True, slots=True)
class SegmentComparison:
    """One segment compared.

    Parameters
    ----------
    segment
        Values of the columns that define it, by name.
    reference_rows, current_rows
        Its rows on both sides.
    comparison
        Its columns, judged in one family with all others; None where it was not judged.
    note
        Why it was not. Often empty.
    """

    segment: Mapping[str, SegmentValue]
    reference_rows: int
    current_rows: int
    comparison: Comparison | None = None
    note: str = ""

    @property
    def verdict(self) -> Verdict:
        """The verdict on the segment."""
        return Verdict.NOT_COMPARABLE if self.comparison is None else self.comparison.verdict

    @property
    def name(self) -> str:
        """The values in one text."""
        return segment_name(tuple(self.segment.values()))

    def to_dict(self) -> dict[str, Any]:
        """All results under stable names."""
        return {
            "segment": dict(self.segment),
            "rows": {"reference": self.reference_rows, "current": self.current_rows},
            "verdict": self.verdict.value,
            "note": self.note,
            "comparison": self.comparison.to_dict() if self.comparison is not None else None,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Result of `compare`; immutable. ``comparison["age"]`` is one column.

    Parameters
    ----------
    columns
        Every column of either side: the reference's in order, then those added.
    reference_rows, current_rows
        Rows of the two profiles.
    correction, family
        How p-values were adjusted, and how many there were, segments included.
    thresholds
        The numbers that decided.
    segments
        The segments, if these were asked for, the reference's in order.
    mix
        Verdict on the shares of the segments; None without segments.
    windows
        Windows of the reference that say which effects are ordinary; 0 if rows are taken as
        independent.
    warnings
        What weakens every verdict, a sentence each.
    statistics
        Names of those that `to_dict` and `to_arrow` hold: the usual ones, and all that `compare`
        was asked for. Any other is computed when a column is asked for it.
    """

    columns: tuple[ColumnComparison, ...]
    reference_rows: int
    current_rows: int
    correction: str
    family: int
    thresholds: Limits
    segments: tuple[SegmentComparison, ...] = ()
    mix: Judgement | None = None
    windows: int = 0
    warnings: tuple[str, ...] = ()
    statistics: tuple[str, ...] = USUAL

    def __repr__(self) -> str:
        return (
            f"<Comparison: {self.verdict.value}; {len(self.drifted)} of {len(self.columns)} "
            "columns drifted>"
        )

    def __getitem__(self, name: str) -> ColumnComparison:
        names = [column.name for column in self.columns]
        if not isinstance(name, str):
            raise InputError(f"there is no column {name!r}; columns are found by name")
        require_names([name], names)
        return self.columns[names.index(name)]

    def __iter__(self) -> Iterator[ColumnComparison]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns."""
        return tuple(column.name for column in self.columns)

    @property
    def drifted(self) -> tuple[str, ...]:
        """Names of the columns with the verdict `drift`."""
        return tuple(c.name for c in self.columns if c.verdict is Verdict.DRIFT)

    @property
    def added(self) -> tuple[str, ...]:
        """Columns that only the current side has."""
        return tuple(c.name for c in self.columns if c.reference is None)

    @property
    def missing(self) -> tuple[str, ...]:
        """Columns that only the reference has."""
        return tuple(c.name for c in self.columns if c.current is None)

    @property
    def retyped(self) -> tuple[str, ...]:
        """Columns whose types differ."""
        return tuple(c.name for c in self.columns if c.retyped)

    @property
    def schema(self) -> tuple[SchemaChange, ...]:
        """Columns that were added, lost, renamed or retyped (`schema_changes`)."""
        before = {c.name: c.reference for c in self.columns if c.reference is not None}
        now = {c.name: c.current for c in self.columns if c.current is not None}
        return schema_changes(before, now)

    @property
    def worst_first(self) -> tuple[ColumnComparison, ...]:
        """The columns by verdict, then by effect over threshold, largest first."""
        return tuple(sorted(self.columns, key=_order))

    @property
    def ranking(self) -> tuple[RankedColumn, ...]:
        """The changed columns by their share of all change, weighted by importance."""
        changed = [c for c in self.columns if c.verdict in (Verdict.DRIFT, Verdict.POSSIBLE)]
        weights = [column.excess * column.importance for column in changed]
        total = sum(weights) or 1.0
        ranked = [RankedColumn(c, w / total) for c, w in zip(changed, weights, strict=True)]
        return tuple(sorted(ranked, key=lambda one: -one.share))

    @property
    def mix_only(self) -> tuple[str, ...]:
        """Columns that changed in total though they did in no judged segment.

        Their rows are distributed otherwise over segments that are themselves unchanged.
        """
        judged = [one.comparison for one in self.segments if one.comparison is not None]
        if not judged:
            return ()
        return tuple(
            column.name
            for column in self.columns
            if column.verdict in (Verdict.DRIFT, Verdict.POSSIBLE)
            and all(one[column.name].verdict is Verdict.NONE for one in judged)
        )

    @property
    def verdict(self) -> Verdict:
        """The worst of predictions, scores and labels, of the features together, and of segments.

        Features together are `drift` if the importance-weighted share of drifted ones reaches
        ``thresholds.drift_share`` (by default: any), else `possible` if any is that or `drift`,
        else `none`. Features that are not comparable do not count while any is; a prediction, score
        or label that is lost or not comparable leaves nothing better than that for the whole.
        """
        strict = [c.verdict for c in self.columns if c.role in STRICT_ROLES]
        others = [self.features_verdict, *(one.verdict for one in self.segments)]
        if self.mix is not None:
            others.append(self.mix.verdict)
        return worst([*strict, *(v for v in others if v is not Verdict.NOT_COMPARABLE)])

    @property
    def features_verdict(self) -> Verdict:
        """The verdict on all columns together that are no predictions, scores or labels."""
        features = [c for c in self.columns if c.role not in STRICT_ROLES]
        judged = [c for c in features if c.verdict is not Verdict.NOT_COMPARABLE]
        found = worst([column.verdict for column in judged])
        if found is not Verdict.DRIFT:
            return found
        drifted = sum(c.importance for c in judged if c.verdict is Verdict.DRIFT)
        share = drifted / (sum(column.importance for column in judged) or 1.0)
        enough = share > 0 and share >= self.thresholds.drift_share
        return Verdict.DRIFT if enough else Verdict.POSSIBLE

    def segment(self, **values: SegmentValue) -> SegmentComparison:
        """The segment with these values.

        Raises
        ------
        InputError
            If there is none.
        """
        for one in self.segments:
            if dict(one.segment) == values:
                return one
        known = "; ".join(one.name for one in self.segments[:5]) or "none"
        raise InputError(f"there is no segment {values}; there are {known}")

    def to_dict(self) -> dict[str, Any]:
        """All results under stable names (``leadline compare --json`` prints them)."""
        return {
            "verdict": self.verdict.value,
            "drifted": list(self.drifted),
            "added": list(self.added),
            "missing": list(self.missing),
            "retyped": list(self.retyped),
            "schema": [one.to_dict() for one in self.schema],
            "rows": {"reference": self.reference_rows, "current": self.current_rows},
            "correction": self.correction,
            "family": self.family,
            "windows": self.windows,
            "warnings": list(self.warnings),
            "ranking": [one.to_dict() for one in self.ranking],
            "mix": self.mix.to_dict() if self.mix is not None else None,
            "mix_only": list(self.mix_only),
            "segments": [one.to_dict() for one in self.segments],
            "columns": {
                column.name: column.to_dict(statistics=self.statistics) for column in self.columns
            },
        }

    def to_arrow(self) -> pa.Table:
        """One row a column: verdict, effect and ``statistics`` with their bounds, as a table."""
        from .table import table_of

        return table_of(self.columns, self.statistics)


def segment_name(values: Sequence[SegmentValue]) -> str:
    """Values of a segment in one text.

    >>> segment_name(("DE", None))
    'DE, (null)'
    """
    return ", ".join("(null)" if value is None else str(value) for value in values)


def _order(column: ColumnComparison) -> tuple[int, int, float]:
    strict = column.role in STRICT_ROLES
    return -column.verdict.severity, -int(strict), -column.excess
