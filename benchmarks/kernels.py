"""The kernels' benchmark, run by pytest, as a table of nanoseconds a value."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .environments import ROOT

SUITE = Path("benchmarks") / "bench_kernels.py"
# Many short rounds: the fastest is what the kernel costs, the others what the machine did.
OPTIONS = ("--benchmark-enable", "--benchmark-max-time=0.1", "--benchmark-min-rounds=5")


class KernelsError(Exception):
    """pytest failed; says how."""


def run(output: Path, *options: str) -> None:
    """Run the suite; pytest-benchmark writes ``output``."""
    output.parent.mkdir(parents=True, exist_ok=True)
    pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(SUITE)]
    done = subprocess.run(
        [*pytest, *OPTIONS, f"--benchmark-json={output}", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise KernelsError("\n".join((done.stdout + done.stderr).splitlines()[-30:]))


def table(path: Path) -> Iterator[str]:
    """A line a kernel and column; the instruction sets of the machine stand side by side."""
    figures: dict[tuple[str, str], dict[tuple[str, str], float]] = {}
    for each in json.loads(path.read_text(encoding="utf-8"))["benchmarks"]:
        of: dict[str, Any] = each["params"]
        row = figures.setdefault((of["kernel"], of["name"]), {})
        nanoseconds = each["stats"]["min"] / each["extra_info"]["values"] * 1e9
        row[of["size"], of["instruction_set"]] = nanoseconds
    heads = list(dict.fromkeys(head for row in figures.values() for head in row))
    yield "| Kernel | Column | " + " | ".join(f"{size}: {name}" for size, name in heads) + " |"
    yield "|---|---|" + "---|" * len(heads)
    for (kernel, column), row in figures.items():
        cells = " | ".join(f"{row[head]:.2f}" if head in row else "" for head in heads)
        yield f"| {kernel} | {column} | {cells} |"
