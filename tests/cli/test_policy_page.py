"""What docs/policy.md shows runs as it stands there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import leadline as ll
from leadline.policy.reading import SETTINGS, TABLE_RULES
from leadline.policy.rules import RULES

from .conftest import Run, rows_of

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")


@pytest.fixture
def months(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two months of logs; incomes are higher in the second."""
    for month, shift in (("january", 0.0), ("february", 30.0)):
        (tmp_path / month).mkdir()
        for day in (5, 6):
            pq.write_table(rows_of(day, shift=shift), tmp_path / month / f"{day}.parquet")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_walk_through_runs(run: Run, months: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commands = re.findall(r"^    leadline (.*)$", PAGE, re.MULTILINE)
    assert len(commands) == 5
    codes = []
    for command in commands:
        words = [str(word) for text in shlex.split(command) for word in expanded(months, text)]
        done = run(*words)
        assert done.err == ""
        codes.append(done.code)
    assert codes == [0, 0, 0, 1, 1]
    session = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert session is not None
    exec(compile(session.group(1), "policy.md", "exec"), {})
    assert "error income share of values from " in capsys.readouterr().out


def expanded(directory: Path, word: str) -> list[str]:
    """A word as the shell hands it over."""
    return sorted(map(str, directory.glob(word))) if "*" in word else [word]


def test_the_file_shown_is_a_policy(random: np.random.Generator) -> None:
    shown = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    policy = ll.Policy.parse(shown.group(1))
    table = pa.table(
        {
            "age": random.integers(18, 80, 2_000),
            "p": random.random(2_000),
            "country": random.choice(["AT", "CH", "DE"], 2_000),
            "ts": np.full(2_000, np.datetime64("2000-01-01", "us")),
        }
    )
    profile = ll.profile(table, roles={"p": "score"}, segments=["country"])
    result = ll.check(profile, policy, reference=profile)
    stale, old = result.violations
    assert (stale.column, stale.rule, stale.owner) == ("ts", "freshness", "risk team")
    assert (old.column, old.rule, old.severity.value) == ("age", "mean", "warning")
    assert old.owner == "customer data"


def test_every_rule_is_in_the_tables() -> None:
    named = set(re.findall(r"`([a-z_]+)`", PAGE))
    assert {*RULES, *TABLE_RULES, *SETTINGS, "type", "drift", "warning"} <= named
