"""Figures into the pages that show them: only what stands between two markers is rewritten.

python -m benchmarks.documents      the pages again, from the results of the last runs
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from pathlib import Path

from . import kernels, machine, promise, table
from .data import SIZES, Sizes
from .environments import ROOT
from .measure import Part, load
from .parts import PARTS

PAGE = ROOT / "docs" / "benchmarks.md"
README = ROOT / "README.md"


def fill(page: Path, name: str, lines: list[str]) -> None:
    """Replace what stands between the markers ``name`` of a page."""
    text = page.read_text(encoding="utf-8")
    between = re.compile(rf"(<!-- measured: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    if len(between.findall(text)) != 1:
        raise SystemExit(
            f"{page} has not one place marked <!-- measured: {name} --> ... <!-- end -->"
        )
    body = "\n".join(lines) + "\n"
    page.write_text(between.sub(lambda found: found[1] + body + found[2], text), encoding="utf-8")


def conditions(parts: Mapping[str, Part]) -> list[str]:
    """Machine, libraries, peers left out, and how quiet it was."""
    found = ", ".join(f"{name} {version}" for name, version in machine.versions(parts).items())
    missing = {name: reason for part in parts.values() for name, reason in part.missing.items()}
    out = "; ".join(f"{name}: {reason}" for name, reason in missing.items()) or "none"
    by_commit: dict[str, list[str]] = {}
    for name, part in parts.items():
        by_commit.setdefault(part.commit, []).append(name)
    commits = "; ".join(f"{commit} ({', '.join(names)})" for commit, names in by_commit.items())
    others = ", ".join(f"{name} {part.others:.2f}" for name, part in parts.items())
    return [
        f"- Machine: {machine.described()}",
        f"- Libraries: {found}",
        f"- Leadline at commit: {commits}",
        f"- Peers left out: {out}",
        f"- Cores that other processes kept busy meanwhile, by part: {others}",
    ]


def write(parts: Mapping[str, Part], sizes: Sizes, folder: Path) -> None:
    """Everything that was measured, into both pages."""
    results = {name: part.figures for name, part in parts.items()}
    usual = {name: figures for name, figures in results.items() if name != "billion"}
    fill(PAGE, "conditions", conditions(parts))
    fill(PAGE, "promise", promise.promise(results, sizes))
    fill(
        PAGE,
        "anchor-peers",
        table.compared(results["anchor-peers"], "leadline", "row", sizes.anchor_rows),
    )
    fill(PAGE, "anchor", table.compared(results["anchor"], "leadline", "row", sizes.anchor_rows))
    fill(
        PAGE,
        "column-peers",
        table.compared(results["column-peers"], "leadline", "value", sizes.column_values),
    )
    fill(PAGE, "shapes", table.shapes(results["shapes"], sizes))
    fill(PAGE, "every", table.every(usual))
    if "billion" in results:
        fill(PAGE, "billion", table.billion(results["billion"], sizes))
    if (suite := folder / "results" / "kernels.json").exists():
        fill(PAGE, "kernels", list(kernels.table(suite)))
    fill(README, "short", table.short(results, sizes))


def kept(folder: Path) -> dict[str, Part]:
    """The parts of which there are results, in their order."""
    paths = {name: folder / "results" / f"{name}.json" for name in PARTS}
    return {name: load(path) for name, path in paths.items() if path.exists()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "bench")
    folder = parser.parse_args().data / "full"
    write(kept(folder), SIZES["full"], folder)


if __name__ == "__main__":
    main()
