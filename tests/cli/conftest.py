"""The command run inside the test process, and small data for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadline.cli import main


@dataclass(frozen=True, slots=True)
class Done:
    """What a run of the command left: exit code and both outputs."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The output as JSON."""
        return json.loads(self.out)


Run = Callable[..., Done]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*arguments: object) -> Done:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return command


def rows_of(day: int, *, shift: float = 0.0) -> pa.Table:
    """A thousand rows of one day of January 2026."""
    random = np.random.default_rng(day)
    instants = np.datetime64(f"2026-01-{day:02d}", "us") + random.integers(0, 86_400_000_000, 1_000)
    income = random.normal(100 + shift, 10, 1_000)
    return pa.table(
        {
            "ts": pa.array(instants, pa.timestamp("us", "UTC")),
            "age": pa.array(random.integers(18, 90, 1_000)),
            "income": pa.array(income, mask=random.random(1_000) < 0.1),
            "country": pa.array(random.choice(["DE", "FR", "IT"], 1_000, p=[0.6, 0.3, 0.1])),
        }
    )


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one Parquet file for each of six days; the last three have another income."""
    directory = tmp_path_factory.mktemp("logs")
    for day in range(5, 11):
        pq.write_table(
            rows_of(day, shift=30.0 if day > 7 else 0.0), directory / f"2026-01-{day:02d}.parquet"
        )
    return directory


@pytest.fixture(scope="session")
def snapshots(logs: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two snapshots by day and country: January 5 to 7, and January 8 to 10."""
    directory = tmp_path_factory.mktemp("snapshots")
    files = sorted(logs.glob("*.parquet"))
    pair = directory / "reference.lead", directory / "current.lead"
    for part, target in zip((files[:3], files[3:]), pair, strict=True):
        arguments = ["profile", *map(str, part), "-o", str(target), "--quiet"]
        assert main([*arguments, "--time", "ts", "--every", "1d", "--segment", "country"]) == 0
    return pair
