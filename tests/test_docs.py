"""Every example in a docstring and the session of the README run as written."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "engine" / "leadline"


def module_names() -> list[str]:
    names = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        if parts[-1] != "__main__":
            names.append(".".join(part for part in parts if part != "__init__"))
    return names


@pytest.mark.parametrize("name", module_names())
def test_docstring_examples_run(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.failed == 0


def test_the_readme_session_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    session = re.search(r"```python\n(.*?)```", readme, re.DOTALL)
    assert session is not None
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    random = np.random.default_rng(6)
    for day in (5, 6):
        instants = np.datetime64(f"2026-01-{day:02d}", "s") + random.integers(0, 86_400, 500)
        table = pa.table(
            {
                "ts": pa.array(instants),
                "age": random.integers(18, 90, 500),
                "country": random.choice(["DE", "FR"], 500),
            }
        )
        pq.write_table(table, f"logs/2026-01-{day:02d}.parquet")
    scope = {"batch": table.to_batches()[0]}
    exec(compile(session.group(1), "README.md", "exec"), scope)
    assert scope["comparison"]["age"].verdict in {"none", "possible"}


def test_the_first_screen_names_two_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    first_screen = readme.split("\n## ", maxsplit=1)[0]
    commands = re.findall(r"^    (\S.*?)(?:\s+#.*)?$", first_screen, re.MULTILINE)
    assert commands == ["make demo", "make test"]


def test_every_link_inside_the_project_leads_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
