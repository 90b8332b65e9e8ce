"""The peers' tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def unchanged(parts: Mapping[str, Any]) -> list[Any]:
    """The parts without any change, in the order of their rows."""
    found = [part for name, part in parts.items() if name.startswith("beside-")]
    return [part for part in found if part["cells"][0]["part"] == "alarms"]


def alarms(parts: Sequence[Mapping[str, Any]]) -> list[str]:
    """Alarms without any change, and their share over all distributions."""
    cells = [cell for part in parts for cell in part["cells"]]
    lines = _table(parts[0], cells, "Distribution")
    for part in parts:
        shares = [
            str(Share(sum(_count(cell, column) for cell in part["cells"]), _trials(part)))
            for column in _columns(parts[0]).values()
        ]
        lines.append(f"| **all, %** | {part['cells'][0]['rows']:,} | {' | '.join(shares)} |")
    return lines


def power(part: Mapping[str, Any]) -> list[str]:
    """Alarms where something changed."""
    return _table(part, part["cells"], "Change")


def environments(parts: Mapping[str, Any]) -> list[str]:
    """Versions, and who is left out."""
    found = [part for name, part in parts.items() if name.startswith("beside-")]
    versions = {name: each for part in found for name, each in part["versions"].items()}
    missing = {name: reason for part in found for name, reason in part["missing"].items()}
    lines = [
        f"- {name}'s environment: "
        + ", ".join(f"{library} {version}" for library, version in each.items())
        for name, each in versions.items()
    ]
    out = "; ".join(f"{name}: {reason}" for name, reason in missing.items()) or "none"
    return [*lines, f"- Peers left out: {out}"] if found else []


def _trials(part: Mapping[str, Any]) -> int:
    return int(part["pairs"]) * len(part["cells"])


def intervals(pairs: int) -> str:
    """What counts of so many pairs say of the true share."""
    told = []
    for count in (0, pairs // 20, pairs // 2, pairs):
        low, high = Share(count, pairs).bounds
        told.append(f"{count} of {pairs}: {percent(low)} to {percent(high)} %")
    return "; ".join(told)


def _table(part: Mapping[str, Any], cells: Sequence[Any], first: str) -> list[str]:
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
