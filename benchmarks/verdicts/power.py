"""Power: one side is changed by a known amount, and every `none` is wrong."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .laws import CONTINUOUS, STEPPED, Law, categories, geometric, nulls, two_values, zipf
from .pairs import chunks_of, generator, pairs_of, profile_of, table_of, verdict_among
from .shifts import amount_of, distance

SEED = 77_002
ROWS = 10_000
DISTANCE = 0.08
VARIATION = 0.10
OTHERS = (0, 999)  # unchanged columns beside the changed one


@dataclass(frozen=True, slots=True)
class Change:
    """A law, how much of it changes, and what that is in words.

    Parameters
    ----------
    law, amount
        What is drawn.
    what
        The change in words.
    size
        True Kolmogorov-Smirnov distance or total variation, or the two shares.
    promised
        Whether at least 99 % have to be found.
    rows
        Rows of each side.
    """

    law: Law
    amount: float
    what: str
    size: str
    promised: bool = True
    rows: int = ROWS


def changes() -> list[Change]:
    """Everything that is looked for."""
    found = [_shift(law, amount_of(law, DISTANCE)) for law in CONTINUOUS + STEPPED]
    found.append(_shift(CONTINUOUS[0], 0.2))
    for name, weights in (
        ("5 even", zipf(5, 0.0)),
        ("40 geometric", geometric(40)),
        ("60 even", zipf(60, 0.0)),
        ("700 zipf", zipf(700, 1.1)),
    ):
        for what, changed in _variations(weights):
            law = categories(weights, f"{name} categories", changed)
            found.append(
                Change(law, 1.0, what, f"total variation {_variation(weights, changed):.3f}")
            )
    found.append(Change(nulls(0.001, 0.01), 1.0, "nulls 0.1 % to 1 %", "ratio 10"))
    rare = Change(two_values(0.001, 0.003), 1.0, "true 0.1 % to 0.3 %", "ratio 3", promised=False)
    found += [rare, replace(rare, rows=100_000)]
    return found


def _shift(law: Law, amount: float) -> Change:
    return Change(law, amount, law.change.format(amount), f"ks {distance(law, amount):.4f}")


def _variations(weights: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Ways to move a tenth of all rows."""
    first = np.eye(len(weights))[0]
    rest = 1 - weights[0]
    risen = weights + VARIATION * (first - (1 - first) * weights / rest)
    fresh = np.append(weights[:-1] * (1 - VARIATION) / weights[:-1].sum(), VARIATION)
    signs = np.where(np.arange(len(weights)) % 2, 1.0, -1.0)
    moved = np.where(
        signs > 0, weights / weights[signs > 0].sum(), -weights / weights[signs < 0].sum()
    )
    found = [("the first value takes from all others", risen)]
    if weights[-1] * 20 < VARIATION:
        found.append(("the last, rare value takes from all others", fresh))
    return [
        *found,
        ("every other value takes from the rest", weights + VARIATION * moved),
    ]


def _variation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a / a.sum() - b / b.sum()).sum() / 2)


def run(columns: int) -> dict[str, Any]:
    """Verdicts by change, alone and among unchanged columns."""
    rows = []
    for place, change in enumerate(changes()):
        begin = time.perf_counter()
        counts: dict[int, Counter[str]] = {others: Counter() for others in OTHERS}
        random = generator(SEED, place)
        for width in chunks_of(columns, change.rows):
            reference = profile_of(table_of(change.law, random, change.rows, width))
            current = profile_of(table_of(change.law, random, change.rows, width, change.amount))
            for pair in pairs_of(reference, current):
                for others, counted in counts.items():
                    counted[verdict_among(pair, others).value] += 1
        rows.append(
            {
                "law": change.law.name,
                "what": change.what,
                "size": change.size,
                "rows": change.rows,
                "promised": change.promised,
                "counts": {str(others): dict(counted) for others, counted in counts.items()},
            }
        )
        seconds = time.perf_counter() - begin
        print(
            f"  {change.law.name}, {change.what}: {seconds:.0f} s {dict(counts[999])}", flush=True
        )
    return {"columns": columns, "changes": rows}
