"""From an effect, its interval and its adjusted p-value to a verdict with a reason.

The rules, in order; ``t`` is the threshold of the effect and ``q`` the adjusted p-value:

0. `not comparable`: too few rows, nothing to compare, a role that is not judged, or an interval
   wider than ``t``.
1. `drift`: ``q <= 0.0005`` and even the lower end of the interval reaches ``t``.
2. `possible`: ``q <= 0.0005`` and the upper end reaches ``t``; or ``q <= 0.01`` and the value does.
3. `none`: negligible (``q <= 0.0005``, upper end under ``t``), equivalent (the 99 % interval of the
   population ends under ``t``), or no evidence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from enum import StrEnum
from numbers import Real
from typing import Any

from ..errors import InputError
from ..schema import Role
from .shares import Ratio
from .statistic import Statistic

ASSUMPTION = "assumes independent rows"
STRICT_ROLES = frozenset({Role.PREDICTION, Role.SCORE, Role.LABEL})
UNJUDGED_ROLES = frozenset({Role.ID, Role.TIMESTAMP, Role.SEGMENT})


class Verdict(StrEnum):
    """What is said of a column, and of the whole comparison."""

    NONE = "none"
    POSSIBLE = "possible"
    DRIFT = "drift"
    NOT_COMPARABLE = "not comparable"

    @property
    def severity(self) -> int:
        """Order for the worst of several: what could not be compared is worse than no change."""
        return _SEVERITY[self]


_SEVERITY = {
    Verdict.NONE: 0,
    Verdict.NOT_COMPARABLE: 1,
    Verdict.POSSIBLE: 2,
    Verdict.DRIFT: 3,
}


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
    minimum_rows
        Values needed on each side.
    distinct_share
        Text whose reference has more distinct values than this share of its rows is not judged.

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
    significance: float = 0.0005
    possible_significance: float = 0.01
    minimum_rows: int = 100
    distinct_share: float = 0.5

    def __post_init__(self) -> None:
        for name in _names_of(self):
            value = getattr(self, name)
            number = isinstance(value, Real) and not isinstance(value, bool)
            if not (number and 0 < value < math.inf):
                raise InputError(
                    f"threshold {name!r} is {value!r}; it must be a finite number above 0"
                )

    @classmethod
    def of(cls, given: Thresholds | Mapping[str, float] | None) -> Thresholds:
        """The defaults, with some numbers replaced by name.

        Raises
        ------
        InputError
            If a name is unknown or a number cannot be a threshold.
        """
        if given is None or isinstance(given, Thresholds):
            return given or cls()
        if not isinstance(given, Mapping):
            raise InputError(
                f"thresholds are numbers by name, not of type {type(given).__name__}; "
                'give for example {"ks": 0.1}'
            )
        known = _names_of(cls)
        for name in given:
            if name not in known:
                close = get_close_matches(str(name), known, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"use one of {', '.join(known)}"
                raise InputError(f"there is no threshold {name!r}; {hint}")
        return cls(**given)  # type: ignore[arg-type]

    def of_effect(self, name: str, role: Role) -> float:
        """Threshold of an effect for a role."""
        strict = "strict_" if role in STRICT_ROLES else ""
        return float(getattr(self, f"{strict}{name}"))


def _names_of(thresholds: Thresholds | type[Thresholds]) -> list[str]:
    return [field.name for field in fields(thresholds)]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is to be judged: an effect and its test, before correction.

    Parameters
    ----------
    effect
        The effect with its intervals and p-value.
    threshold, test
        Threshold of the effect and name of the test behind its p-value.
    subject
        What the effect is of, if not of the values: "the share of missing rows", for example.
    ratio
        Ratio of the two shares where the effect is one of shares.
    detectable
        Finds the smallest effect that this test would have found significant, alone.
    nothing
        What is said where the event never occurred on either side.
    coarse
        Whether a small effect proves nothing: so many cells share so few rows, or the values
        singly changed by the threshold while their groups did not.
    """

    effect: Statistic
    threshold: float
    test: str
    subject: str = ""
    ratio: Ratio | None = None
    detectable: Callable[[], float] | None = None
    nothing: str = ""
    coarse: bool = False

    @property
    def p_value(self) -> float:
        """The p-value that enters the correction."""
        return 1.0 if self.effect.p_value is None else self.effect.p_value


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with everything it rests on.

    Parameters
    ----------
    verdict, reason
        The verdict and one sentence: effect, interval, threshold, q, why.
    rule
        ``drift``, ``possible``, ``negligible``, ``equivalent``, ``no evidence`` or
        ``not comparable``.
    effect, threshold, test, p_value, q_value
        What was judged; None where nothing could be.
    """

    verdict: Verdict
    reason: str
    rule: str
    effect: Statistic | None = None
    threshold: float | None = None
    test: str | None = None
    p_value: float | None = None
    q_value: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """All fields under their names; the effect by name, value and intervals."""
        effect = self.effect
        return {
            "verdict": self.verdict.value,
            "rule": self.rule,
            "reason": self.reason,
            "effect": effect.name if effect else None,
            "value": effect.value if effect else None,
            "lower": effect.lower if effect else None,
            "upper": effect.upper if effect else None,
            "ci_lower": effect.ci_lower if effect else None,
            "ci_upper": effect.ci_upper if effect else None,
            "threshold": self.threshold,
            "test": self.test,
            "p_value": self.p_value,
            "q_value": self.q_value,
        }


def not_comparable(reason: str) -> Judgement:
    """The judgement that there is nothing to judge."""
    return Judgement(Verdict.NOT_COMPARABLE, f"not comparable: {reason}", "not comparable")


def judge(evidence: Evidence, q: float, thresholds: Thresholds) -> Judgement:
    """Apply the rules to one effect with its adjusted p-value."""
    effect, limit = evidence.effect, evidence.threshold
    width = effect.upper - effect.lower
    if not width <= limit:
        return not_comparable(
            f"the summaries leave {_subject(evidence)} open by {_number(width)}, "
            f"more than the threshold {_number(limit)}"
        )
    certain = _ratio_holds(evidence.ratio, thresholds)
    strong = q <= thresholds.significance
    if strong and (effect.lower >= limit or certain):
        verdict, rule = Verdict.DRIFT, "drift"
    elif (
        (strong and effect.upper >= limit)
        or (q <= thresholds.possible_significance and (effect.value >= limit or certain))
        or (strong and evidence.coarse)
    ):
        verdict, rule = Verdict.POSSIBLE, "possible"
    elif strong:
        verdict, rule = Verdict.NONE, "negligible"
    elif _equivalent(evidence, thresholds):
        verdict, rule = Verdict.NONE, "equivalent"
    else:
        verdict, rule = Verdict.NONE, "no evidence"
    return Judgement(
        verdict,
        _sentence(evidence, q, rule, certain=certain),
        rule,
        effect,
        limit,
        evidence.test,
        evidence.p_value,
        q,
    )


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """The most severe of several verdicts."""
    return max(verdicts, key=lambda verdict: verdict.severity, default=Verdict.NOT_COMPARABLE)


def _ratio_holds(ratio: Ratio | None, thresholds: Thresholds) -> bool:
    """Whether a rare share changed by a factor that counts, up or down."""
    if ratio is None or ratio.occurrences < thresholds.occurrences:
        return False
    up = ratio.value >= thresholds.ratio and ratio.lower >= thresholds.ratio_bound
    down = ratio.value <= 1 / thresholds.ratio and ratio.upper <= 1 / thresholds.ratio_bound
    return up or down


def _equivalent(evidence: Evidence, thresholds: Thresholds) -> bool:
    effect, ratio = evidence.effect, evidence.ratio
    if evidence.coarse or effect.ci_upper is None or effect.ci_upper >= evidence.threshold:
        return False
    if ratio is None or ratio.occurrences == 0:
        return True
    return ratio.lower >= 1 / thresholds.ratio and ratio.upper <= thresholds.ratio


def _sentence(evidence: Evidence, q: float, rule: str, *, certain: bool) -> str:
    """One sentence: rule, effect, interval, threshold, q, assumption."""
    if evidence.ratio is not None and evidence.ratio.occurrences == 0:
        return f"{rule}: {evidence.nothing}; {_q(q)} ({evidence.test}, {ASSUMPTION})"
    stated = _stated(evidence)
    why = _why(evidence, rule, certain=certain)
    return f"{rule}: {stated}{why}; {_q(q)} ({evidence.test}, {ASSUMPTION})"


def _stated(evidence: Evidence) -> str:
    effect = evidence.effect
    low, high = _number(effect.lower), _number(effect.upper)
    interval = "" if low == high else f" ({low} to {high})"
    return f"{_subject(evidence)} is {_number(effect.value)}{interval}"


def _why(evidence: Evidence, rule: str, *, certain: bool) -> str:
    effect, limit = evidence.effect, _number(evidence.threshold)
    if certain and effect.lower < evidence.threshold and evidence.ratio is not None:
        factor = _number(evidence.ratio.value)
        return f", under {limit}, but the rarer outcome's share changed by a factor of {factor}"
    if rule == "possible" and effect.upper < evidence.threshold:
        return f", under {limit}, but rows are too few for so many cells to tell its size"
    if rule == "no evidence":
        found = "" if evidence.detectable is None else _number(evidence.detectable())
        return f", not significant{found and f'; from {found} it would have been'}"
    return {
        "drift": f", at least {limit}",
        "possible": f", which is not certain to stay under {limit}",
        "negligible": f", significant but under {limit}",
        "equivalent": f", under {limit}, as is its 99 % bound for the population",
    }[rule]


def _q(q: float) -> str:
    return f"q = {_number(q)}" if q > 0 else "q < 1e-300"


def _subject(evidence: Evidence) -> str:
    name = evidence.effect.name.replace("_", " ").replace("cohens h", "Cohen's h")
    if name == "total variation":
        name = "total variation beyond chance"
    return f"{name} of {evidence.subject}" if evidence.subject else name


def _number(value: float) -> str:
    return f"{value:.3g}"
