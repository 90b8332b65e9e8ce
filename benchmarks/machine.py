"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path

from leadline import _native

from .environments import ROOT
from .measure import Part


def described() -> str:
    """Processor, cores, memory, system, Python, instruction set."""
    model = next(
        line.split(":")[1].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith(("model name", "CPU part"))
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}, "
        f"instruction set {_native.active_instruction_set()}"
    )


def commit() -> str:
    """What of Leadline was measured."""
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude=*"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return found.stdout.strip() or "not under version control"


def versions(parts: Mapping[str, Part]) -> dict[str, str]:
    """Every library that took part, as it named itself."""
    found: dict[str, str] = {}
    for part in parts.values():
        for figures in part.figures.values():
            found = figures.versions | found
    return dict(sorted(found.items()))
