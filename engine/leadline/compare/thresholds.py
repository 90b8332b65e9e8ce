"""The numbers that decide verdicts: for every column, and other ones by kind, role or column."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from numbers import Real
from typing import Any

from ..errors import InputError
from ..schema import Kind, Role

STRICT_ROLES = frozenset({Role.PREDICTION, Role.SCORE, Role.LABEL})
UNJUDGED_ROLES = frozenset({Role.ID, Role.TIMESTAMP, Role.SEGMENT})

# Effects that may be judged in place of the default one, where `Thresholds.statistic` names them.
CHOICES = (
    "ks",
    "total_variation",
    "psi",
    "jensen_shannon",
    "hellinger",
    "wasserstein",
)
# Effects whose threshold is another one for predictions, scores and labels.
_STRICT = ("ks", "total_variation", "cohens_h")
_NUMERIC_KINDS = frozenset({Kind.INTEGER, Kind.FLOAT, Kind.DATE})
_CATEGORICAL_KINDS = frozenset({Kind.TEXT, Kind.BOOLEAN})
_GROUPS = {"numeric": _NUMERIC_KINDS, "categorical": _CATEGORICAL_KINDS}


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Every number that decides a verdict, with its default.

    ``strict_`` applies to prediction, score and label columns, the plain name to all others.

    Parameters
    ----------
    ks, total_variation, cohens_h
        Effects from which a change counts: distance of distribution functions, total variation
        beyond chance, Cohen's h of two shares.
    ratio, ratio_bound, occurrences
        The rule for rare shares: current over reference share (or its inverse) at least ``ratio``,
        its 99 % bound at least ``ratio_bound``, and that many occurrences on one side.
    significance, possible_significance
        Adjusted p-values for `drift` and for `possible`.
    uniqueness
        Difference of the shares of repeated values, of ids.
    lateness
        How much later than usual the data of a window end, over the window's length.
    minimum_rows
        Values needed on each side.
    distinct_share
        Text whose reference has more distinct values than this share of its rows is not judged.
    statistic
        Effect that is judged instead of ``ks`` or total variation beyond chance: one of
        ``psi``, ``jensen_shannon``, ``hellinger``, ``total_variation`` (of numbers: on the deciles'
        cells) and ``wasserstein`` (over the reference's spread). Empty: the default. The test
        stays that of the kind, ks or chi2.
    psi, possible_psi, jensen_shannon, hellinger, wasserstein
        Thresholds of these. ``possible_psi`` is the lower one from which psi is `possible`.
    decisions
        Scores from which on a model's decision is another one; the share beyond each is reported.

    Raises
    ------
    InputError
        If a number cannot be a threshold.
    """

    ks: float = 0.05
    strict_ks: float = 0.03
    total_variation: float = 0.05
    strict_total_variation: float = 0.03
    cohens_h: float = 0.2
    strict_cohens_h: float = 0.1
    ratio: float = 2.0
    ratio_bound: float = 1.5
    occurrences: int = 20
    uniqueness: float = 0.2
    lateness: float = 0.25
    significance: float = 0.0005
    possible_significance: float = 0.01
    minimum_rows: int = 100
    distinct_share: float = 0.5
    statistic: str = ""
    psi: float = 0.25
    possible_psi: float = 0.1
    jensen_shannon: float = 0.1
    hellinger: float = 0.1
    wasserstein: float = 0.1
    decisions: tuple[float, ...] = (0.5,)

    def __post_init__(self) -> None:
        for name in names_of_thresholds():
            _require(name, getattr(self, name))
        if self.possible_psi > self.psi:
            raise InputError(
                f"threshold 'possible_psi' is {self.possible_psi}, above 'psi', {self.psi}"
            )

    @classmethod
    def of(cls, given: Thresholds | Mapping[str, Any] | None) -> Thresholds:
        """The defaults, with some replaced by name.

        Raises
        ------
        InputError
            If a name is unknown or a number cannot be a threshold.
        """
        if given is None or isinstance(given, Thresholds):
            return given or cls()
        return cls(**_checked(given))

    def of_effect(self, name: str, role: Role) -> float:
        """Threshold of an effect for a role."""
        strict = "strict_" if role in STRICT_ROLES and name in _STRICT else ""
        return float(getattr(self, f"{strict}{name}"))


@dataclass(frozen=True, slots=True)
class Limits:
    """Thresholds of a whole table. The nearest rule counts, number by number.

    From the farthest to the nearest: ``default``, the kind, the role, the column. A plain name
    given for a role or a column counts whatever the role; ``strict_`` names need not be repeated.

    Parameters
    ----------
    default
        Thresholds of every column.
    kinds, roles, columns
        Numbers that replace defaults, by kind (``float``, ``text``, ..., or ``numeric``,
        ``categorical``), role and name.
    drift_share
        Share of the columns, weighted by importance, that have to drift for the comparison to:
        0, the default, means any column.

    Raises
    ------
    InputError
        If a kind, role or threshold is unknown, or a number cannot be one.

    Examples
    --------
    >>> limits = Limits(columns={"age": {"ks": 0.1}})
    >>> limits.of("age", Kind.INTEGER, Role.FEATURE).ks, limits.of("p", Kind.FLOAT, Role.SCORE).ks
    (0.1, 0.05)
    """

    default: Thresholds = field(default_factory=Thresholds)
    kinds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    roles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    drift_share: float = 0.0

    def __post_init__(self) -> None:
        known = {"kind": [*_GROUPS, *map(str, Kind)], "role": list(map(str, Role))}
        for what, given in (("kind", self.kinds), ("role", self.roles)):
            for name in given:
                _require_known(what, name, known[what])
        for rules in (self.kinds, self.roles, self.columns):
            for given in rules.values():
                self._changed(self.default, given, plain=False)
        if not 0.0 <= self.drift_share <= 1.0:
            raise InputError(f"'drift_share' is {self.drift_share!r}; it is a share, 0 to 1")

    @classmethod
    def given(cls, given: Limits | Thresholds | Mapping[str, Any] | None) -> Limits:
        """What a user gave as thresholds.

        Raises
        ------
        InputError
            See `Thresholds.of`.
        """
        return given if isinstance(given, Limits) else cls(Thresholds.of(given))

    def of(self, column: str, kind: Kind, role: Role) -> Thresholds:
        """The thresholds of one column."""
        found = self.default
        for group, kinds in _GROUPS.items():
            if kind in kinds:
                found = self._changed(found, self.kinds.get(group, {}), plain=False)
        found = self._changed(found, self.kinds.get(kind.value, {}), plain=False)
        found = self._changed(found, self.roles.get(role.value, {}), plain=True)
        return self._changed(found, self.columns.get(column, {}), plain=True)

    @staticmethod
    def _changed(base: Thresholds, given: Mapping[str, Any], *, plain: bool) -> Thresholds:
        if not given:
            return base
        numbers = _checked(given)
        if plain:
            strict = {f"strict_{name}": numbers[name] for name in _STRICT if name in numbers}
            numbers = strict | numbers
        return replace(base, **numbers)


def names_of_thresholds() -> list[str]:
    """Names of all thresholds."""
    return [each.name for each in fields(Thresholds)]


def _checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping, if every name in it is a threshold's."""
    if not isinstance(given, Mapping):
        raise InputError(
            f"thresholds are numbers by name, not of type {type(given).__name__}; "
            'give for example {"ks": 0.1}'
        )
    for name in given:
        _require_known("threshold", name, names_of_thresholds())
    return dict(given)


def _require(name: str, value: object) -> None:
    if name == "statistic":
        if value and value not in CHOICES:
            raise InputError(f"'statistic' is {value!r}; use one of {', '.join(CHOICES)}")
        return
    if name == "decisions":
        _require_decisions(value)
        return
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not (number and 0 < value < math.inf):  # type: ignore[operator]
        raise InputError(f"threshold {name!r} is {value!r}; it must be a finite number above 0")


def _require_decisions(value: object) -> None:
    scores = value if isinstance(value, tuple | list) else ()
    if not scores or not all(isinstance(x, Real) and 0 <= float(x) <= 1 for x in scores):
        raise InputError(f"'decisions' is {value!r}; it lists scores between 0 and 1")


def _require_known(what: str, name: object, known: list[str]) -> None:
    if name not in known:
        close = get_close_matches(str(name), known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"use one of {', '.join(known)}"
        raise InputError(f"there is no {what} {name!r}; {hint}")
