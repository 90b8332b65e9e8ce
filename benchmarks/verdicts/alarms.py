"""False alarms: both sides are drawn from one law, and every alarm is wrong."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from .laws import LAWS, Law
from .pairs import (
    Pair,
    Sizes,
    chunks_of,
    generator,
    groups_of,
    pairs_of,
    profile_of,
    table_of,
    verdicts_of,
)

SEED = 77_001
FAMILIES = (1, 10, 100, 1_000)
WIDTH = 1_000  # columns of a table, which is the largest family
FEW = 1_000  # rows of the short current side where sides are unequal
SIZED = 0.1  # share of the columns of which every test is computed, not only the one judged


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is compared.

    Parameters
    ----------
    rows
        Rows of each side.
    columns
        Column comparisons of each law, a multiple of 1,000.
    unequal
        Whether the reference is also held against a fresh current side of 1,000 rows.
    """

    rows: int
    columns: int
    unequal: bool = False


class Tally:
    """Verdicts by family."""

    def __init__(self, tests: set[str]) -> None:
        self.counts: dict[int, Counter[str]] = {family: Counter() for family in FAMILIES}
        self.sizes = Sizes(tests=tests)

    def see(self, pairs: list[Pair]) -> None:
        """One table."""
        for family, counts in self.counts.items():
            for group in groups_of(pairs, family):
                counts.update(verdict.value for verdict in verdicts_of(group))
                counts["families"] += 1

    def to_dict(self) -> dict[str, Any]:
        """Everything that was counted."""
        return {
            "families": {str(family): dict(counts) for family, counts in self.counts.items()},
            "sizes": self.sizes.to_dict(),
        }


def run(plan: Plan, laws: tuple[Law, ...] = LAWS) -> dict[str, Any]:
    """Verdicts by law; the same rows give the sizes of the tests."""
    equal, unequal, seconds = {}, {}, {}
    tests: set[str] = set()
    for place, law in enumerate(laws):
        begin = time.perf_counter()
        one, other = Tally(tests), Tally(tests)
        for table in range(plan.columns // WIDTH):
            same, short = _table(plan, law, (SEED, place, plan.rows, table), (one, other))
            one.see(same)
            if plan.unequal:
                other.see(short)
        equal[law.name] = one.to_dict()
        if plan.unequal:
            unequal[law.name] = other.to_dict()
        seconds[law.name] = round(time.perf_counter() - begin, 1)
        print(f"  {plan.rows:,} rows, {law.name}: {seconds[law.name]:.0f} s", flush=True)
    return {
        "rows": plan.rows,
        "columns": plan.columns,
        "equal": equal,
        "unequal": unequal,
        "seconds": seconds,
    }


def _table(
    plan: Plan, law: Law, seed: tuple[int, ...], tallies: tuple[Tally, Tally]
) -> tuple[list[Pair], list[Pair]]:
    """Evidence of 1,000 columns: against as many rows, and against a thousand rows."""
    random = generator(*seed)
    same: list[Pair] = []
    short: list[Pair] = []
    for columns in chunks_of(WIDTH, plan.rows):
        sized = round(SIZED * columns)
        reference = profile_of(table_of(law, random, plan.rows, columns))
        current = profile_of(table_of(law, random, plan.rows, columns))
        same += pairs_of(reference, current, tallies[0].sizes, sized)
        if plan.unequal:
            current = profile_of(table_of(law, random, FEW, columns))
            short += pairs_of(reference, current, tallies[1].sizes, sized)
    return same, short
