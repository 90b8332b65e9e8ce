"""What an installed copy must hold, and what happens when the compiled part is missing."""

from __future__ import annotations

import pickle
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import leadline

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "engine" / "leadline"


@pytest.fixture
def uncompiled(tmp_path: Path) -> Path:
    """A copy of the package without the compiled module; the folder to import it from."""
    shutil.copytree(
        PACKAGE, tmp_path / "leadline", ignore=shutil.ignore_patterns("_kernels*", "__pycache__")
    )
    return tmp_path


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_version_stands_in_one_place() -> None:
    version = metadata.version("leadline")
    assert leadline.__version__ == version
    assert f'version = "{version}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for path in [*PACKAGE.rglob("*.py"), ROOT / "setup.py", ROOT / "README.md"]:
        assert f'"{version}"' not in path.read_text(encoding="utf-8"), path


def test_the_package_says_that_it_is_typed() -> None:
    assert (PACKAGE / "py.typed").is_file()


def test_the_package_is_sent_to_other_processes_by_its_name() -> None:
    """Functions that use `ll` are sent to workers by Ray, Spark and MLflow, and `ll` with them."""
    assert pickle.loads(pickle.dumps(leadline)) is leadline


def test_a_missing_compiled_module_gives_a_hint(uncompiled: Path) -> None:
    done = run(uncompiled, "-c", "import leadline; leadline.profile({'x': [1]})")
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1
    assert "kernels are missing" in last
    assert "pip install" in last


def test_the_command_says_it_in_one_line(uncompiled: Path) -> None:
    done = run(uncompiled, "-m", "leadline", "show", "some.lead")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "pip install" in done.stderr


def test_the_set_up_never_asks_an_index_for_this_distribution() -> None:
    for path in (ROOT / "Makefile", ROOT / ".github" / "workflows" / "ci.yml"):
        installs = re.findall(r"(?m)^.*install .*$", path.read_text(encoding="utf-8"))
        assert not [line for line in installs if "leadline" in line], path


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="only a checkout knows its files")
def test_the_source_archive_holds_every_folder_and_file() -> None:
    names = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    listed = set((ROOT / "MANIFEST.in").read_text(encoding="utf-8").split())
    by_itself = {"README.md", "LICENSE", "pyproject.toml", "setup.py", "MANIFEST.in", "engine"}
    assert {name.split("/")[0] for name in names} - by_itself - listed == set()


def test_the_ci_lists_every_declared_python() -> None:
    declared = re.findall(
        r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    )
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert declared == ["3.11", "3.12", "3.13", "3.14"]
    assert all(f'"{version}"' in workflow for version in declared)
