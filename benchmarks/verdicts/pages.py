"""What was found, as the tables of docs/verdicts.md."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..documents import fill
from ..environments import ROOT
from . import beside_tables, sizes
from .alarms import FAMILIES, FEW
from .bounds import Share, percent
from .power import OTHERS

PAGE = ROOT / "docs" / "verdicts.md"
DRIFT, POSSIBLE, POWER = 0.001, 0.01, 0.99  # the promises

VERDICTS = ("drift", "possible", "none", "not comparable")

Found = Mapping[str, Any]
Counts = Mapping[str, Mapping[str, int]]


def found(folder: Path) -> dict[str, Any]:
    """Everything that was kept, by part; false alarms in the order of their rows."""
    paths = sorted(folder.glob("*.json"), key=lambda path: (len(path.stem), path.stem))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def write(parts: Found) -> None:
    """Every table for which there are results into the page."""
    for name, lines in tables(parts).items():
        fill(PAGE, name, lines)


def tables(parts: Found) -> dict[str, list[str]]:
    """The tables by the name of their place."""
    made = {}
    if every := of_alarms(parts):
        made["promise"] = promise(parts)
        made["alarms"] = alarms_table({part["rows"]: part["equal"] for part in every})
        made["sizes"] = sizes.table({f"{part['rows']:,}": part["equal"] for part in every})
    if unequal := {part["rows"]: part["unequal"] for part in every if part["unequal"]}:
        made["unequal"] = alarms_table(unequal, current=FEW)
    if "power" in parts:
        made["power"] = power_table(parts["power"])
    if "billion" in parts:
        made["billion"] = billion_table(parts["billion"])
    if peers := beside_tables.unchanged(parts):
        made["beside-alarms"] = beside_tables.alarms(peers)
    if "beside-power" in parts:
        made["beside-power"] = beside_tables.power(parts["beside-power"])
    if parts:
        made["conditions"] = conditions(parts)
    return made


def of_alarms(parts: Found) -> list[Any]:
    """The parts with false alarms."""
    return [part for name, part in parts.items() if name.startswith("alarms-")]


def yes(kept: bool) -> str:
    """Whether a promise is kept."""
    return "yes" if kept else "**no**"


def counted(families: Counts, *verdicts: str) -> list[Share]:
    """Columns with one of the verdicts, by family."""
    shares = []
    for family in FAMILIES:
        counts = families[str(family)]
        columns = sum(
            counts.get(each, 0) for each in ("drift", "possible", "none", "not comparable")
        )
        shares.append(Share(sum(counts.get(each, 0) for each in verdicts), columns))
    return shares


def alarms_table(by_rows: Mapping[int, Found], current: int | None = None) -> list[str]:
    """A row a law and number of rows: counts by family, the worst family with its interval."""
    families = ", ".join(f"{family:,}" for family in FAMILIES)
    names = ("Distribution", "n", "m", f"`drift`: {families}", "Worst, %",
             "`possible` or `drift`", "Worst, %", "Columns", "Kept")  # fmt: skip
    lines = [f"| {' | '.join(names)} |", "|---|--:|--:|---|---|---|---|--:|---|"]
    for rows, laws in by_rows.items():
        for name, cell in laws.items():
            drift, either = _alarms(cell)
            kept = _kept(drift, DRIFT) and _kept(either, POSSIBLE)
            lines.append(
                f"| {name} | {rows:,} | {current or rows:,} | {_counts(drift)} | {_worst(drift)} "
                f"| {_counts(either)} | {_worst(either)} | {drift[0].trials:,} | {yes(kept)} |"
            )
    return lines


def _alarms(cell: Found) -> tuple[list[Share], list[Share]]:
    families = cell["families"]
    return counted(families, "drift"), counted(families, "drift", "possible")


def _counts(shares: list[Share]) -> str:
    return ", ".join(f"{share.count:,}" for share in shares)


def _worst(shares: list[Share]) -> str:
    return str(max(shares, key=lambda share: share.value))


def _kept(shares: list[Share], promised: float) -> bool:
    return all(share.at_most(promised) for share in shares)


def promise(parts: Found) -> list[str]:
    """What was promised, in one table."""
    lines = ["| Promise | Found | Kept |", "|---|---|---|"]
    lines += _promised_alarms(parts)
    if "power" in parts:
        lines += _promised_power(parts["power"])
    if "billion" in parts:
        kept = [_negligible(law) for law in parts["billion"]["laws"]]
        lines.append(
            f"| {parts['billion']['rows']:,} rows moved by 0.01 sigma: `none`, negligible, "
            f"significant | {sum(kept)} of {len(kept)} laws | {yes(all(kept))} |"
        )
    return lines


def _promised_alarms(parts: Found) -> Iterator[str]:
    for side, what in (("equal", "n = m"), ("unequal", f"m = {FEW:,}")):
        cells = [cell for part in of_alarms(parts) for cell in part[side].values()]
        if not cells:
            continue
        for place, (word, promised) in enumerate(
            (("`drift`", DRIFT), ("`possible` or `drift`", POSSIBLE))
        ):
            shares = [share for cell in cells for share in _alarms(cell)[place]]
            kept = sum(share.at_most(promised) for share in shares)
            sure = sum(share.surely_at_most(promised) for share in shares)
            worst = max(shares, key=lambda share: share.value)
            yield (
                f"| {word} on at most {percent(promised)} % of unchanged columns, {what} "
                f"| {kept} of {len(shares)} cells ({sure} with the whole interval below); the "
                f"worst {worst} % | {yes(kept == len(shares))} |"
            )
        refused = [counted(cell["families"], "not comparable")[0] for cell in cells]
        total = sum(share.count for share in refused)
        columns = sum(share.trials for share in refused)
        kept_all = yes(not total)
        yield f"| no column `not comparable`, {what} | {total:,} of {columns:,} | {kept_all} |"


def _promised_power(part: Found) -> Iterator[str]:
    promised = [change for change in part["changes"] if change["promised"]]
    for words, verdicts in (("found", ("drift", "possible")), ("found as `drift`", ("drift",))):
        shares = [_found(change, 0, *verdicts) for change in promised]
        sure = sum(share.surely_at_least(POWER) for share in shares)
        least = min(shares, key=lambda share: share.value)
        kept = yes(sure == len(shares)) if "possible" in verdicts else "not promised"
        yield (
            f"| a change of the promised size, alone, is {words} in at least {percent(POWER)} % "
            f"| {sure} of {len(shares)} changes, with the whole interval; the least {least} % "
            f"| {kept} |"
        )


def _found(change: Found, others: int, *verdicts: str) -> Share:
    counts = change["counts"][str(others)]
    return Share(sum(counts.get(each, 0) for each in verdicts), sum(counts.values()))


def power_table(part: Found) -> list[str]:
    """A row a change: how often it is found, alone and beside 999 unchanged columns."""
    names = ("Distribution", "Change", "True size", "n = m", "`drift`, alone, %",
             "`drift` or `possible`", f"`drift` beside {OTHERS[1]} unchanged",
             "`drift` or `possible`", "Found in 99 %")  # fmt: skip
    lines = [f"| {' | '.join(names)} |", "|---|---|---|--:|---|---|---|---|---|"]
    for change in part["changes"]:
        found = [
            _found(change, others, *verdicts)
            for others in OTHERS
            for verdicts in (("drift",), ("drift", "possible"))
        ]
        kept = yes(found[1].surely_at_least(POWER)) if change["promised"] else "not promised"
        lines.append(
            f"| {change['law']} | {change['what']} | {change['size']} | {change['rows']:,} "
            f"| {' | '.join(str(share) for share in found)} | {kept} |"
        )
    return lines


def _negligible(law: Found) -> bool:
    return bool(
        law["verdict"] == "none" and law["rule"] == "negligible" and law["both_p"] <= 0.0005
    )


def billion_table(part: Found) -> list[str]:
    """A row a law: the statistic with its interval, both tests, the verdict."""
    names = ("Law", "ks (interval)", "p of ks", "z of the means", "p of z", "Verdict", "Test",
             "q", "Drawn and profiled")  # fmt: skip
    lines = [f"| {' | '.join(names)} |", "|---|---|--:|--:|--:|---|---|--:|--:|"]
    for law in part["laws"]:
        value, low, high = law["ks"]
        lines.append(
            f"| {law['law']} | {value:.5f} ({low:.5f} to {high:.5f}) | {_p(law['ks_p'])} "
            f"| {law['z']:.1f} | {_p(law['z_p'])} | {law['verdict']}, {law['rule']} "
            f"| {law['test']} | {_p(law['q'])} | {law['seconds']:.0f} s |"
        )
    return lines


def _p(value: float) -> str:
    return f"{value:.2g}" if value else "< 1e-300"


def conditions(parts: Found) -> list[str]:
    """Machine, libraries and commits, and how long each part took."""
    known = {name: part["conditions"] for name, part in parts.items()}
    machines = dict.fromkeys(each["machine"] for each in known.values())
    libraries: dict[str, str] = {}
    for each in known.values():
        libraries.update(each["libraries"])
    lines = [
        f"- Machine: {'; '.join(machines)}",
        f"- Libraries: {', '.join(f'{name} {version}' for name, version in libraries.items())}",
    ]
    lines += beside_tables.environments(parts)
    for name, each in known.items():
        lines.append(
            f"- `{name}`: commit {each['commit']}, {each['seconds']:,} s, others kept "
            f"{each['others']:.2f} cores busy"
        )
    return lines
