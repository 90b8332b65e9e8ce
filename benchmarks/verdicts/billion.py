"""A change too small to matter among a billion rows: significant, and yet no drift."""

from __future__ import annotations

import math
import time
from typing import Any

import leadline as ll

from .laws import CONTINUOUS, Law
from .pairs import generator

SEED = 77_003
BLOCK = 1_000_000
BLOCKS = 1_000
AMOUNT = 0.01
LAWS = (CONTINUOUS[0], CONTINUOUS[2])


def run(blocks: int = BLOCKS) -> dict[str, Any]:
    """Both laws: statistic, both tests, verdict."""
    return {
        "rows": blocks * BLOCK,
        "laws": [_law(place, law, blocks) for place, law in enumerate(LAWS)],
    }


def _law(place: int, law: Law, blocks: int) -> dict[str, Any]:
    begin = time.perf_counter()
    reference, current = (
        _side(law, blocks, (SEED, place, side), amount) for side, amount in enumerate((0.0, AMOUNT))
    )
    drawn = time.perf_counter()
    column = ll.compare(reference, current)["x"]
    effect = column.values.effect
    assert effect is not None
    ks_p = column.ks.p_value
    assert ks_p is not None
    z, z_p = z_of(reference["x"], current["x"])
    both = min(1.0, 2 * min(ks_p, z_p))
    found = {
        "law": law.name,
        "verdict": column.values.verdict.value,
        "rule": column.values.rule,
        "reason": column.values.reason,
        "ks": [effect.value, effect.lower, effect.upper],
        "ks_p": ks_p,
        "test": column.values.test,
        "q": column.values.q_value,
        "z": z,
        "z_p": z_p,
        "both_p": both,
        "seconds": round(drawn - begin, 1),
        "compare_seconds": round(time.perf_counter() - drawn, 3),
    }
    print(f"  {found}", flush=True)
    return found


def _side(law: Law, blocks: int, seed: tuple[int, ...], amount: float) -> ll.Profile:
    """Every block has a generator of its own; none is used twice."""
    return ll.merge(
        ll.profile({"x": law.column(generator(*seed, block), BLOCK, amount)}, threads=1)
        for block in range(blocks)
    )


def z_of(a: ll.ColumnProfile, b: ll.ColumnProfile) -> tuple[float, float]:
    """Difference of the means over its standard error, from moments alone, and its p-value."""
    (mean_a, std_a), (mean_b, std_b) = ((side.mean, side.std) for side in (a, b))
    assert mean_a is not None
    assert std_a is not None
    assert mean_b is not None
    assert std_b is not None
    z = (mean_b - mean_a) / math.sqrt(std_a**2 / a.rows + std_b**2 / b.rows)
    return z, math.erfc(abs(z) / math.sqrt(2))
