"""The peers' tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .bounds import Share, percent

# By column of the table: a peer and the words of its that are counted together.
COLUMNS = {
    "Leadline: `drift`": ("leadline", "drift"),
    "`drift` or `possible`": ("leadline", "drift", "possible"),
    "Evidently": ("evidently", "drift"),
    "NannyML: one chunk alerts": ("nannyml", "a chunk"),
    "most do": ("nannyml", "most chunks"),
    "whylogs: DRIFT": ("whylogs", "drift"),
    "or POSSIBLE": ("whylogs", "drift", "possible"),
    "SciPy, p <= .05": ("scipy", "p <= .05"),
}


def alarms(part: Mapping[str, Any]) -> list[str]:
    """Alarms without any change, and their share over all distributions."""
    cells = [cell for cell in part["cells"] if cell["part"] == "alarms"]
    lines = _table(part, cells, "Distribution")
    for rows in dict.fromkeys(cell["rows"] for cell in cells):
        same = [cell for cell in cells if cell["rows"] == rows]
        trials = part["pairs"] * len(same)
        shares = [
            str(Share(sum(_count(cell, column) for cell in same), trials))
            for column in _columns(part).values()
        ]
        lines.append(f"| **all, %** | {rows:,} | {' | '.join(shares)} |")
    return lines


def power(part: Mapping[str, Any]) -> list[str]:
    """Alarms where something changed."""
    cells = [cell for cell in part["cells"] if cell["part"] == "power"]
    return _table(part, cells, "Change")


def environments(part: Mapping[str, Any]) -> list[str]:
    """Versions, and who is left out."""
    lines = [
        f"- {name}'s environment: "
        + ", ".join(f"{library} {version}" for library, version in versions.items())
        for name, versions in part["versions"].items()
    ]
    out = "; ".join(f"{name}: {reason}" for name, reason in part["missing"].items()) or "none"
    return [*lines, f"- Peers left out: {out}"]


def intervals(pairs: int) -> str:
    """What counts of so many pairs say of the true share."""
    told = []
    for count in (0, pairs // 20, pairs // 2, pairs):
        low, high = Share(count, pairs).bounds
        told.append(f"{count} of {pairs}: {percent(low)} to {percent(high)} %")
    return "; ".join(told)


def _table(part: Mapping[str, Any], cells: list[Any], first: str) -> list[str]:
    columns = _columns(part)
    lines = [
        f"Of {part['pairs']} pairs each. 99 % intervals: {intervals(part['pairs'])}.",
        "",
        f"| {first} | n = m | {' | '.join(columns)} |",
        "|---|--:|" + "--:|" * len(columns),
    ]
    for cell in cells:
        counts = " | ".join(str(_count(cell, column)) for column in columns.values())
        lines.append(f"| {cell['what']} | {cell['rows']:,} | {counts} |")
    return lines


def _columns(part: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: column for name, column in COLUMNS.items() if column[0] in part["versions"]}


def _count(cell: Mapping[str, Any], column: tuple[str, ...]) -> int:
    peer, *words = column
    return sum(cell["alarms"][peer][word] for word in words)
