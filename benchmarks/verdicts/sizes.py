"""The sizes of the tests: how often p is at most a level when nothing changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .bounds import Share, clopper_pearson, percent
from .pairs import LEVELS

ERROR = 0.01  # chance that a table of valid tests only has a cell marked


def table(parts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A row a test and number of rows: all laws together, and the worst law at each level."""
    cells = list(_cells(parts))
    level = 1 - 2 * ERROR / (len(cells) * len(LEVELS))
    lines = [
        "| Test | n = m | Laws | p-values | " + " | ".join(f"p <= {x:g}, %" for x in LEVELS)
        + " | Worst law at " + " | at ".join(f"{x:g}" for x in LEVELS) + " | Valid |",
        "|---|--:|--:|--:|" + "--:|" * len(LEVELS) + "---|" * len(LEVELS) + "---|",
    ]  # fmt: skip
    for test, rows in dict.fromkeys((test, rows) for test, rows, _, _ in cells):
        same = {law: counts for t, r, law, counts in cells if (t, r) == (test, rows)}
        lines.append(_row(test, rows, same, level))
    marked = len(cells) * len(LEVELS)
    said = (
        f"A law is called invalid (**bold**) where the count refutes the level at 1 in "
        f"{marked / ERROR:,.0f}, so that {marked:,} counts of valid tests give one such in "
        f"{ERROR:.0%} of runs."
    )
    return [said, "", *lines]


def _cells(parts: Mapping[str, Mapping[str, Any]]) -> Any:
    for rows, laws in parts.items():
        for law, cell in laws.items():
            for test, counts in cell["sizes"].items():
                if counts[0] and not (test.endswith("missing rows") and "null" not in law):
                    yield test, rows, law, counts


def _row(test: str, rows: str, laws: Mapping[str, list[int]], level: float) -> str:
    trials = sum(counts[0] for counts in laws.values())
    pooled, worst, valid = [], [], True
    for place, alpha in enumerate(LEVELS, start=1):
        pooled.append(percent(sum(counts[place] for counts in laws.values()) / trials))
        law, counts = max(laws.items(), key=lambda item: item[1][place] / item[1][0])
        refuted = clopper_pearson(counts[place], counts[0], level)[0] > alpha
        text = f"{law}: {Share(counts[place], counts[0])}"
        worst.append(f"**{text}**" if refuted else text)
        valid = valid and not refuted
    return (
        f"| {test} | {rows} | {len(laws)} | {trials:,} | {' | '.join(pooled)} "
        f"| {' | '.join(worst)} | {'yes' if valid else '**no**'} |"
    )
