"""Which interpreter runs a peer, and what to do where it is not installed yet.

Peers live beside Leadline; those that need other versions of what it needs have an environment of
their own. What is missing is installed when it is first needed. A peer that cannot be installed is
left out, and named with the reason.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PIP = ("-m", "pip", "--disable-pip-version-check", "install", "--quiet")
# whylogs 1.6.4 is the last release; NumPy 2 breaks it, and newer pyarrow wants NumPy 2. Its drift
# scores want SciPy, which the extra that brings it pairs with an old Pillow. Evidently and NannyML
# break with pandas 3, and NannyML imports statsmodels without asking for it.
OF_THEIR_OWN = {
    "whylogs": ("whylogs==1.6.4", "numpy<2", "pyarrow<22", "pandas<3", "scipy<1.14", "ipython"),
    "evidently": ("evidently==0.7.23", "pandas<3", "pyarrow"),
    "nannyml": ("nannyml==0.13.1", "pandas<3", "pyarrow", "statsmodels"),
}
# What has to be imported to know that a peer works; its name where nothing is said.
MODULES = {"whylogs": "whylogs.viz.drift.column_drift_algorithms"}


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a peer runs, or why it does not."""

    name: str
    python: Path
    missing: str | None = None


def find(name: str, folder: Path) -> Peer:
    """The peer ``name``, installed now if need be; environments are made below ``folder``."""
    own = OF_THEIR_OWN.get(name)
    python = Path(sys.executable) if own is None else folder / name / "bin" / "python"
    module = MODULES.get(name, name)
    if python.exists() and imports(python, module):
        return Peer(name, python)
    try:
        wanted = own or requirements(name)
        if own is not None and not python.exists():
            call(sys.executable, "-m", "venv", str(folder / name))
        call(str(python), *PIP, *wanted)
    except InstallError as failure:
        return Peer(name, python, str(failure))
    return Peer(
        name, python, None if imports(python, module) else "it is installed but not imported"
    )


class InstallError(Exception):
    """An installer failed; says what it said last."""


def imports(python: Path, module: str) -> bool:
    """Whether an interpreter finds a module."""
    found = subprocess.run(
        [str(python), "-c", f"import {module}"], cwd=ROOT, capture_output=True, check=False
    )
    return found.returncode == 0


def requirements(name: str) -> list[str]:
    """What the extra `bench` asks for under this name; never Leadline itself, from anywhere."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    found = [line for line in extras["bench"] if line.startswith(name)]
    if not found:
        raise InstallError("it is not installed; `make setup` does that")
    return found


def call(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise InstallError(said[-1] if said else f"exit code {done.returncode}")
