"""Two tables of independent columns into evidence, and evidence into verdicts of any family.

`leadline.compare` adjusts all columns of two profiles together. Here the same steps are taken with
a cut between them, so that what was drawn once is judged as families of 1, 10, 100 and 1,000
columns; ``tests/unit/test_verdicts_benchmark.py`` holds the outcome against `leadline.compare`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

import leadline as ll
from leadline.compare.judge import missing_evidence, value_evidence
from leadline.compare.measures import Measures
from leadline.compare.significance import adjust
from leadline.compare.thresholds import Thresholds
from leadline.compare.verdict import Evidence, Judgement, Verdict, judge, worst
from leadline.schema import Role

from .laws import Law, Random

LEVELS = (0.05, 0.01, 0.001)
DEFAULTS = Thresholds()
CORRECTION = "benjamini_hochberg"
PROBED = 5  # columns of a table of which every statistic is computed, to find those with a test
VALUES = 10_000_000  # numbers that are drawn at once: 80 MB a side

Found = Evidence | Judgement


@dataclass(frozen=True, slots=True)
class Pair:
    """One column on both sides before correction: its values, and its missing rows."""

    values: Found
    missing: Found

    @property
    def evidence(self) -> list[Evidence]:
        """What enters the correction."""
        return [part for part in (self.values, self.missing) if isinstance(part, Evidence)]


@dataclass
class Sizes:
    """How often p-values of each test were at most each level.

    ``tests`` are the statistics that ever had a p-value: of most columns only these are computed.
    """

    below: dict[str, list[int]] = field(default_factory=dict)
    trials: Counter[str] = field(default_factory=Counter)
    tests: set[str] = field(default_factory=set)

    def see(self, test: str, p_value: float) -> None:
        """One p-value without any change."""
        counts = self.below.setdefault(test, [0] * len(LEVELS))
        for place, level in enumerate(LEVELS):
            counts[place] += p_value <= level
        self.trials[test] += 1

    def to_dict(self) -> dict[str, list[int]]:
        """Trials and counts by test."""
        return {test: [self.trials[test], *counts] for test, counts in self.below.items()}


def table_of(law: Law, random: Random, rows: int, columns: int, amount: float = 0.0) -> pa.Table:
    """Independent columns of one law."""
    return pa.table({f"c{i}": law.column(random, rows, amount) for i in range(columns)})


def chunks_of(columns: int, rows: int) -> Iterator[int]:
    """Columns at a time, so that one side's rows stay within 80 MB."""
    most = max(1, VALUES // rows)
    for begin in range(0, columns, most):
        yield min(most, columns - begin)


def profile_of(table: pa.Table) -> ll.Profile:
    """One thread: the machine has other work too, and the bytes do not depend on it."""
    return ll.profile(table, threads=1)


def pairs_of(
    reference: ll.Profile, current: ll.Profile, sizes: Sizes | None = None, sized: int = 0
) -> list[Pair]:
    """The evidence of all columns; p-values of every test of the first ``sized`` are counted."""
    found = []
    for place, name in enumerate(reference.names):
        measures = Measures(reference[name], current[name])
        values = value_evidence(measures, Role.FEATURE, DEFAULTS)
        missing = missing_evidence(measures, Role.FEATURE, DEFAULTS)
        if sizes is not None:
            _see_judged(sizes, values, missing)
        if sizes is not None and place < sized:
            _see_tests(sizes, measures, every=place < PROBED)
        measures.release()
        found.append(Pair(_light(values), _light(missing)))
    return found


def _see_judged(sizes: Sizes, values: Found, missing: Found) -> None:
    """The p-values behind the verdicts; a test that is sometimes two, under the first's name."""
    for label, part in (("", values), (" of missing rows", missing)):
        if isinstance(part, Evidence):
            test = "shares" if part.ratio is not None else part.test.split(" or ")[0]
            sizes.see(f"judged: {test}{label}", part.p_value)


def _see_tests(sizes: Sizes, measures: Measures, *, every: bool) -> None:
    for name in measures.names:
        if every or name in sizes.tests:
            p_value = measures.get(name).p_value
            if p_value is not None:
                sizes.tests.add(name)
                sizes.see(name, p_value)


def _light(found: Found) -> Found:
    """Without what only words need, which holds on to the summaries."""
    return replace(found, detectable=None) if isinstance(found, Evidence) else found


def verdicts_of(pairs: Sequence[Pair]) -> list[Verdict]:
    """Verdicts of the columns as one family."""
    q_values = iter(adjust([one.p_value for pair in pairs for one in pair.evidence], CORRECTION))
    return [
        worst([_verdict(part, q_values) for part in (pair.values, pair.missing)]) for pair in pairs
    ]


def verdict_among(pair: Pair, unchanged: int) -> Verdict:
    """The verdict where the column is the only one that changed.

    The others' p-values are taken as 1, which is the least favourable.
    """
    tests = 2 * unchanged
    adjusted = adjust([one.p_value for one in pair.evidence] + [1.0] * tests, CORRECTION)
    q_values = iter(adjusted)
    return worst([_verdict(part, q_values) for part in (pair.values, pair.missing)])


def _verdict(part: Found, q_values: Iterator[float]) -> Verdict:
    if isinstance(part, Judgement):
        return part.verdict
    q = next(q_values)
    open_by = part.effect.upper - part.effect.lower
    if q > DEFAULTS.possible_significance and open_by <= part.threshold:
        return Verdict.NONE  # no rule but `none` is left; the sentence about it costs the most
    return judge(part, q, DEFAULTS).verdict


def groups_of(pairs: Sequence[Pair], family: int) -> Iterator[Sequence[Pair]]:
    """The columns in families of this many."""
    for begin in range(0, len(pairs), family):
        yield pairs[begin : begin + family]


def generator(*place: int) -> Random:
    """A generator of its own for every place in the benchmark."""
    return np.random.default_rng(list(place))
