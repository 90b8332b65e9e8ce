"""Two profiles side by side: every column with its statistics, its verdict and its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..profile import ColumnProfile, Profile
from ..schema import Role, require_names
from .categorical import NO_CHANGE, CategoryChange, only_on
from .custom import custom_statistics
from .judge import missing_evidence, missing_of, value_evidence
from .measures import NAMES, Measures
from .significance import CORRECTIONS, adjust
from .statistic import Statistic
from .tally import Tallies
from .thresholds import STRICT_ROLES, Limits, Thresholds
from .verdict import (
    Evidence,
    Judgement,
    Verdict,
    judge,
    not_comparable,
    worst,
)

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
class ColumnComparison:
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
    _measures: Measures | None = field(default=None, repr=False, compare=False)

    @property
    def verdict(self) -> Verdict:
        """The worse of the verdicts on values and on missing rows."""
        return worst([self.values.verdict, self.missing.verdict])

    @property
    def reason(self) -> str:
        """The sentence behind the verdict."""
        worse = self.missing.verdict.severity > self.values.verdict.severity
        return self.missing.reason if worse else self.values.reason

    @property
    def statistics(self) -> tuple[str, ...]:
        """Names of the statistics that this column has."""
        return self._measures.names if self._measures is not None else ()

    def __getitem__(self, name: str) -> Statistic:
        if self._measures is None:
            raise InputError(f"column {self.name!r} is on one side only")
        return self._measures.get(name)

    def release(self) -> None:
        """Drop what statistics were computed from. They stay; another one computes it again."""
        if self._measures is not None:
            self._measures.release()

    @property
    def ks(self) -> Statistic:
        """Two-sample Kolmogorov-Smirnov distance (`numeric.ks`)."""
        return self["ks"]

    @property
    def wasserstein(self) -> Statistic:
        """First Wasserstein distance, in the column's unit (`numeric.wasserstein`)."""
        return self["wasserstein"]

    @property
    def psi(self) -> Statistic:
        """Population stability index (`binned.psi`)."""
        return self["psi"]

    @property
    def jensen_shannon(self) -> Statistic:
        """Jensen-Shannon distance, base 2 (`binned.jensen_shannon`)."""
        return self["jensen_shannon"]

    @property
    def total_variation(self) -> Statistic:
        """Total variation distance (`binned.total_variation`)."""
        return self["total_variation"]

    @property
    def chi2(self) -> Statistic:
        """Pearson's chi-squared statistic (`binned.chi2`)."""
        return self["chi2"]

    @property
    def custom(self) -> dict[str, Statistic]:
        """What users' own summaries say, by name (`custom.custom_statistics`)."""
        return custom_statistics(self.reference, self.current)

    @property
    def retyped(self) -> bool:
        """Whether the two sides have another type."""
        a, b = self.reference, self.current
        return a is not None and b is not None and a.type != b.type

    def to_dict(self) -> dict[str, Any]:
        """All results under stable names; every statistic of the column is computed."""
        sides = {"reference": self.reference, "current": self.current}
        statistics = {name: self[name].to_dict() for name in self.statistics}
        self.release()
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
            "unseen": self.unseen.to_dict(),
            "vanished": self.vanished.to_dict(),
            "statistics": statistics,
            "custom": {name: own.to_dict() for name, own in self.custom.items()},
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
        How p-values were adjusted, and how many there were.
    thresholds
        The numbers that decided.
    """

    columns: tuple[ColumnComparison, ...]
    reference_rows: int
    current_rows: int
    correction: str
    family: int
    thresholds: Limits

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
    def worst_first(self) -> tuple[ColumnComparison, ...]:
        """The columns by verdict, then by effect over threshold, largest first."""
        return tuple(sorted(self.columns, key=_order))

    @property
    def verdict(self) -> Verdict:
        """`drift` if any column drifted, else `possible` or `none`.

        Columns that are not comparable do not count while any column is.
        """
        verdicts = [c.verdict for c in self.columns]
        judged = [v for v in verdicts if v is not Verdict.NOT_COMPARABLE]
        return worst(judged)

    def to_dict(self) -> dict[str, Any]:
        """All results under stable names (``leadline compare --json`` prints them)."""
        return {
            "verdict": self.verdict.value,
            "drifted": list(self.drifted),
            "added": list(self.added),
            "missing": list(self.missing),
            "retyped": list(self.retyped),
            "rows": {"reference": self.reference_rows, "current": self.current_rows},
            "correction": self.correction,
            "family": self.family,
            "columns": {column.name: column.to_dict() for column in self.columns},
        }

    def to_arrow(self) -> pa.Table:
        """One row a column: verdict, effect and every statistic with its bounds, as a table."""
        import pyarrow as pa

        schema = pa.schema(
            [(name, pa.string()) for name in _TEXTS] + [(name, pa.float64()) for name in _FIGURES]
        )
        return pa.Table.from_pylist([_row(column) for column in self.columns], schema=schema)


def compare(
    reference: Profile,
    current: Profile,
    *,
    statistics: Sequence[str] = (),
    correction: str = "benjamini_hochberg",
    thresholds: Limits | Thresholds | Mapping[str, Any] | None = None,
) -> Comparison:
    """Compare two profiles column by column and judge what changed.

    Parameters
    ----------
    reference, current
        The profiles, each over all its windows and segments (`Profile.select` narrows them).
    statistics
        Statistics to compute at once. All that a column has are there in any case: they are
        computed when asked for.
    correction
        ``benjamini_hochberg``, ``benjamini_yekutieli``, ``bonferroni`` or ``none``, over every
        judged (column, values or missing share).
    thresholds
        Numbers that replace defaults, by name (see `Thresholds`); a `Limits` replaces some of them
        by kind, role or column.

    Raises
    ------
    InputError
        If an argument is of a wrong type, a statistic, correction or threshold is unknown, or no
        column is common to both sides.

    Examples
    --------
    >>> import leadline as ll
    >>> reference = ll.profile({"age": list(range(200))})
    >>> comparison = ll.compare(reference, ll.profile({"age": list(range(100, 300))}))
    >>> comparison["age"].ks.value, comparison.drifted
    (0.5, ('age',))
    """
    _check(reference, current, statistics, correction)
    limits = Limits.given(thresholds)
    a, b = ({name: side[name] for name in side.names} for side in (reference, current))
    require_names(limits.columns, [*{**a, **b}])
    drafts = [_Draft.of(name, a.get(name), b.get(name), limits) for name in {**a, **b}]
    judged = [
        e for draft in drafts for e in (draft.values, draft.missing) if isinstance(e, Evidence)
    ]
    adjusted = adjust([evidence.p_value for evidence in judged], correction)
    q_values = iter(adjusted)
    columns = tuple(draft.judged(q_values) for draft in drafts)
    for column in columns:
        for name in statistics:
            if name in column.statistics:
                column[name]
        column.release()
    return Comparison(columns, reference.rows, current.rows, correction, len(judged), limits)


@dataclass(frozen=True, slots=True)
class _Draft:
    """A column before p-values are adjusted."""

    name: str
    role: Role
    reference: ColumnProfile | None
    current: ColumnProfile | None
    thresholds: Thresholds
    measures: Measures | None
    values: Evidence | Judgement
    missing: Evidence | Judgement
    unseen: CategoryChange = NO_CHANGE
    vanished: CategoryChange = NO_CHANGE

    @classmethod
    def of(
        cls, name: str, a: ColumnProfile | None, b: ColumnProfile | None, limits: Limits
    ) -> _Draft:
        role = _role(a, b)
        side = a or b
        assert side is not None
        thresholds = limits.of(name, side.kind, role)
        if a is None or b is None:
            only = "current profile" if a is None else "reference"
            nothing = not_comparable(f"the column is only in the {only}")
            return cls(name, role, a, b, thresholds, None, nothing, nothing)
        measures = Measures(a, b)
        values = value_evidence(measures, role, thresholds)
        missing = missing_evidence(measures, role, thresholds)
        changes = _categories(measures)
        measures.release()  # thousands of columns would else hold their bands until the end
        return cls(name, role, a, b, thresholds, measures, values, missing, *changes)

    def judged(self, q_values: Iterator[float]) -> ColumnComparison:
        values, missing = (
            judge(part, next(q_values), self.thresholds) if isinstance(part, Evidence) else part
            for part in (self.values, self.missing)
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
            _measures=self.measures,
        )


def _check(
    reference: Profile, current: Profile, statistics: Sequence[str], correction: str
) -> None:
    for label, side in (("reference", reference), ("current side", current)):
        if not isinstance(side, Profile):
            found = type(side).__name__
            raise InputError(f"the {label} is of type {found}; compare takes two profiles")
    if isinstance(statistics, str) or not isinstance(statistics, Sequence):
        raise InputError(f"statistics are a sequence of names, not {statistics!r}")
    for name in statistics:
        if name not in NAMES:
            raise InputError(f"unknown statistic {name!r}; use one of {', '.join(NAMES)}")
    if correction not in CORRECTIONS:
        raise InputError(f"unknown correction {correction!r}; use one of {', '.join(CORRECTIONS)}")
    if reference.names and current.names and not set(reference.names) & set(current.names):
        raise InputError(
            "the two profiles have no column in common; the reference has "
            f"{_few(reference.names)}, the current profile {_few(current.names)}"
        )


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


def _order(column: ColumnComparison) -> tuple[int, int, float]:
    strict = column.role in STRICT_ROLES
    sizes = [
        judgement.effect.value / judgement.threshold
        for judgement in (column.values, column.missing.judgement)
        if judgement.effect is not None and judgement.threshold
    ]
    return -column.verdict.severity, -int(strict), -max(sizes, default=0.0)


_TEXTS = ("name", "role", "kind", "verdict", "reason", "effect", "test", "missing_verdict")
_FIGURES = (
    "value",
    "lower",
    "upper",
    "ci_lower",
    "ci_upper",
    "threshold",
    "p_value",
    "q_value",
    "missing_reference",
    "missing_current",
    *(f"{name}{end}" for name in NAMES for end in ("", "_lower", "_upper")),
)


def _row(column: ColumnComparison) -> dict[str, Any]:
    row: dict[str, Any] = column.values.to_dict()
    row |= {
        "name": column.name,
        "role": column.role.value,
        "kind": column.kind,
        "verdict": column.verdict.value,
        "reason": column.reason,
        "missing_verdict": column.missing.verdict.value,
        "missing_reference": column.missing.reference,
        "missing_current": column.missing.current,
    }
    for name in column.statistics:
        statistic = column[name]
        row |= {
            name: statistic.value,
            f"{name}_lower": statistic.lower,
            f"{name}_upper": statistic.upper,
        }
    column.release()
    return row
