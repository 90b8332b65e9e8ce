"""What every test shares: profiles of Hypothesis, the banner, seeds, and the flights."""

from __future__ import annotations

import os
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

DEFAULT_SEED = 20_131_201
LIBRARIES = ("numpy", "pyarrow", "zstandard", "scipy", "hypothesis", "datasketches")

QUIET = (HealthCheck.too_slow, HealthCheck.data_too_large)
# The same examples every time, so that a run can be repeated; "thorough" searches at random.
settings.register_profile(
    "default", max_examples=60, deadline=None, derandomize=True, suppress_health_check=QUIET
)
settings.register_profile(
    "thorough", max_examples=2_000, deadline=None, derandomize=False, suppress_health_check=QUIET
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--seed", type=int, default=DEFAULT_SEED, help="seed of the generator that tests draw from"
    )


def pytest_report_header(config: pytest.Config) -> list[str]:
    from leadline import _native

    versions = ", ".join(f"{name} {metadata.version(name)}" for name in LIBRARIES)
    sets = ", ".join(_native.instruction_sets())
    if sets == "serial":
        sets += " only, so nothing is compared with it"
    return [
        f"with: {versions}",
        f"instruction sets: {sets}; active: {_native.active_instruction_set()}",
        f"seed: {config.getoption('seed')}",
    ]


@pytest.fixture
def random(request: pytest.FixtureRequest) -> np.random.Generator:
    """A generator seeded by --seed (printed in the banner)."""
    return np.random.default_rng(request.config.getoption("seed"))


@pytest.fixture(scope="session")
def flights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo's twelve monthly Parquet files and nothing else."""
    from leadline.flights import write_months

    directory = tmp_path_factory.mktemp("flights")
    write_months(directory)
    return directory


@pytest.fixture(autouse=True)
def _no_switches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see neither the developer's debug switch nor colours."""
    monkeypatch.delenv("LEADLINE_DEBUG", raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
