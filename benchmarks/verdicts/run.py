"""Run the parts, keep what they found, and write docs/verdicts.md from it.

python -m benchmarks.verdicts.run [PART...] [--quick] [--rows N...] [--data FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from .. import machine
from ..environments import ROOT
from ..measure import busy_cores
from . import alarms, beside, billion, pages, power

ROWS = (1_000, 10_000, 100_000)
LIBRARIES = ("numpy", "pyarrow", "scipy")


@dataclass(frozen=True, slots=True)
class Amounts:
    """How many comparisons a cell has."""

    columns: int = 20_000
    power: int = 10_000
    beside: int = 100
    blocks: int = billion.BLOCKS


QUICK = Amounts(columns=1_000, power=200, beside=10, blocks=5)


def parts(
    amounts: Amounts, rows: tuple[int, ...], data: Path
) -> dict[str, Callable[[], dict[str, Any]]]:
    """What can be run, by name; what changes nothing is a part for every number of rows."""
    found: dict[str, Callable[[], dict[str, Any]]] = {}
    for count in rows:
        plan = alarms.Plan(count, amounts.columns, unequal=count > 10 * alarms.FEW)
        found[f"alarms-{count}"] = partial(alarms.run, plan)
    found["power"] = partial(power.run, amounts.power)
    found["billion"] = partial(billion.run, amounts.blocks)
    peers = partial(beside.run, pairs=amounts.beside, environments=data / "environments")
    for count in rows:
        found[f"beside-{count}"] = partial(peers, beside.unchanged(count))
    found["beside-power"] = partial(peers, beside.changed())
    return found


def wanted(asked: Sequence[str], known: Collection[str]) -> list[str]:
    """The parts asked for by name or by kind, in their own order; all if none is."""
    kinds = {name.split("-")[0] for name in known}
    if strange := [name for name in asked if name not in {*known, *kinds}]:
        raise ValueError(f"no part {strange[0]!r} of {', '.join(known)}")
    return [name for name in known if not asked or {name, name.split("-")[0]} & set(asked)]


def kept(run: Callable[[], dict[str, Any]], path: Path) -> None:
    """Run a part and keep what it found, with what it was found on."""
    begin, (busy, own) = time.time(), busy_cores()
    found = run()
    seconds = time.time() - begin
    after, own_after = busy_cores()
    found["conditions"] = {
        "seconds": round(seconds),
        "others": round(((after - busy) - (own_after - own)) / seconds, 2),
        "commit": machine.commit(),
        "machine": machine.described(),
        "libraries": {name: metadata.version(name) for name in LIBRARIES},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1), encoding="utf-8")
    print(f"{path.stem}: {seconds:.0f} s", flush=True)


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "parts",
        nargs="*",
        metavar="PART",
        help="alarms, power, billion, beside, or one as alarms-1000 or beside-power",
    )
    parser.add_argument("--quick", action="store_true", help="few comparisons; printed only")
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS)
    parser.add_argument("--columns", type=int, help="comparisons a cell, a multiple of 1,000")
    parser.add_argument("--only-pages", action="store_true", help="the page from what was kept")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("LEADLINE_BENCH_DATA", ROOT / "build" / "bench")),
    )
    chosen = parser.parse_args()
    amounts = QUICK if chosen.quick else Amounts()
    if chosen.columns:
        amounts = Amounts(chosen.columns, amounts.power, amounts.beside, amounts.blocks)
    folder = chosen.data / ("verdicts-quick" if chosen.quick else "verdicts")
    known = parts(amounts, tuple(chosen.rows), chosen.data)
    try:
        names = wanted(chosen.parts, known)
    except ValueError as error:
        parser.error(str(error))
    for name in [] if chosen.only_pages else names:
        print(name, flush=True)
        kept(known[name], folder / f"{name}.json")
    found = pages.found(folder)
    if chosen.quick or (chosen.parts and not chosen.only_pages):
        print("\n".join(line for lines in pages.tables(found).values() for line in [*lines, ""]))
    else:
        pages.write(found)


if __name__ == "__main__":
    main()
