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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .shares import Ratio
from .statistic import Statistic
from .thresholds import Thresholds

ASSUMPTION = "assumes independent rows"
MOST_DOUBLINGS = 10.0  # what an outcome that one side lacks counts as


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

    @property
    def changed(self) -> bool:
        """Whether something changed, or may have."""
        return self in (Verdict.DRIFT, Verdict.POSSIBLE)


_TITLES = {
    "total variation": "total variation beyond chance",
    "character change": "total variation",
    "uniqueness change": "change of the share",
}
_SEVERITY = {
    Verdict.NONE: 0,
    Verdict.NOT_COMPARABLE: 1,
    Verdict.POSSIBLE: 2,
    Verdict.DRIFT: 3,
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is to be judged: an effect and its test, before correction.

    Parameters
    ----------
    effect
        The effect with its intervals and p-value.
    threshold, test
        Threshold of the effect and name of the test behind its p-value.
    watch
        A lower threshold from which the effect is `possible`; None where that is ``threshold``.
    basis
        What the p-value takes for granted, or rests on.
    subject
        What the effect is of, if not of the values: "the share of missing rows", for example.
    ratio
        Ratio of the two shares where the effect is one of shares.
    detectable
        Finds the smallest effect that this test would have found significant, alone.
    nothing
        What is said where the event never occurred on either side.
    coarse
        Whether a small effect proves nothing: so many cells share so few rows, or what the test
        found can stand for a change of the threshold, which groups of values hide.
    """

    effect: Statistic
    threshold: float
    test: str
    subject: str = ""
    ratio: Ratio | None = None
    detectable: Callable[[], float] | None = None
    nothing: str = ""
    coarse: bool = False
    watch: float | None = None
    basis: str = ASSUMPTION

    @property
    def low(self) -> float:
        """Threshold from which the effect is not called negligible."""
        return self.threshold if self.watch is None else self.watch

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
    factor
        Current over reference share of the rarer outcome, where the rule for rare shares decided.
    """

    verdict: Verdict
    reason: str
    rule: str
    effect: Statistic | None = None
    threshold: float | None = None
    test: str | None = None
    p_value: float | None = None
    q_value: float | None = None
    factor: float | None = None

    @property
    def excess(self) -> float:
        """The effect over its threshold; 0 if nothing was judged.

        Where a rare share's factor decided, how many times it doubled or halved, if that is more.
        """
        if self.effect is None or not self.threshold or not math.isfinite(self.effect.value):
            return 0.0
        size = self.effect.value / self.threshold
        if self.factor is None:
            return size
        return max(
            size, MOST_DOUBLINGS if self.factor in (0, math.inf) else abs(math.log2(self.factor))
        )

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
            "factor": self.factor,
        }


def not_comparable(reason: str) -> Judgement:
    """The judgement that there is nothing to judge."""
    return Judgement(Verdict.NOT_COMPARABLE, f"not comparable: {reason}", "not comparable")


def judge(evidence: Evidence, q: float, thresholds: Thresholds) -> Judgement:
    """Apply the rules to one effect with its adjusted p-value."""
    effect, limit, low = evidence.effect, evidence.threshold, evidence.low
    if math.isinf(effect.value):
        return not_comparable(f"{_subject(evidence)} is infinite: infinite values changed")
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
        (strong and effect.upper >= low)
        or (q <= thresholds.possible_significance and (effect.value >= low or certain))
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
        evidence.ratio.value if certain and effect.lower < limit and evidence.ratio else None,
    )


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """The most severe of several verdicts; of none, `not comparable`: nothing was judged."""
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
    if evidence.coarse or effect.ci_upper is None or effect.ci_upper >= evidence.low:
        return False
    if ratio is None or ratio.occurrences == 0:
        return True
    return ratio.lower >= 1 / thresholds.ratio and ratio.upper <= thresholds.ratio


def _sentence(evidence: Evidence, q: float, rule: str, *, certain: bool) -> str:
    """One sentence: rule, effect, interval, threshold, q, assumption."""
    if evidence.ratio is not None and evidence.ratio.occurrences == 0:
        return f"{rule}: {evidence.nothing}; {_q(q)} ({evidence.test}, {evidence.basis})"
    stated = _stated(evidence)
    why = _why(evidence, rule, certain=certain)
    return f"{rule}: {stated}{why}; {_q(q)} ({evidence.test}, {evidence.basis})"


def _stated(evidence: Evidence) -> str:
    effect = evidence.effect
    low, high = _number(effect.lower), _number(effect.upper)
    interval = "" if low == high else f" ({low} to {high})"
    return f"{_subject(evidence)} is {_number(effect.value)}{interval}"


def _why(evidence: Evidence, rule: str, *, certain: bool) -> str:
    effect, limit = evidence.effect, _number(evidence.threshold)
    low = _number(evidence.low)
    if certain and effect.lower < evidence.threshold and evidence.ratio is not None:
        factor = _number(evidence.ratio.value)
        return f", under {limit}, but the rarer outcome's share changed by a factor of {factor}"
    if rule == "possible" and effect.upper < evidence.low:
        return f", under {limit}, but rows are too few for so many cells to tell its size"
    if rule == "no evidence":
        found = "" if evidence.detectable is None else _number(evidence.detectable())
        return f", not significant{found and f'; from {found} it would have been'}"
    return {
        "drift": f", at least {limit}",
        "possible": f", which is not certain to stay under {low}",
        "negligible": f", significant but under {low}",
        "equivalent": f", under {low}, as is its 99 % bound for the population",
    }[rule]


def _q(q: float) -> str:
    return f"q = {_number(q)}" if q > 0 else "q < 1e-300"


def _subject(evidence: Evidence) -> str:
    name = evidence.effect.name.replace("_", " ").replace("cohens h", "Cohen's h")
    name = _TITLES.get(name, name)
    return f"{name} of {evidence.subject}" if evidence.subject else name


def _number(value: float) -> str:
    return f"{value:.3g}"
