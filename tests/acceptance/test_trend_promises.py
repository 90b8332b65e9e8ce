"""Small runs of the benchmark behind docs/trend-evidence.md: budgets kept, changes found."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.live_evidence import Service
from benchmarks.live_evidence import simulate as simulate_service
from benchmarks.trend_evidence import SEED, Looks, Stream, simulate
from leadline.trend.budget import Budget


@pytest.mark.parametrize("memory", [0.0, 0.8])
@pytest.mark.parametrize("text", ["1/month", "1/week"])
def test_budgets_hold_out_of_sample_and_changes_are_found(memory: float, text: str) -> None:
    random = np.random.default_rng(SEED)
    budget = Budget.parse(text)
    years = [simulate(Stream(memory=memory), random, budget) for _ in range(12)]
    assert sum(year.events for year in years) <= 1.5 * sum(year.allowed for year in years)
    assert sum(year.found_ks for year in years) >= 11
    assert sum(year.found_missing for year in years) >= 11


@pytest.mark.parametrize("weeks", [2, 8])
def test_a_service_keeps_its_budget_for_a_year(weeks: int) -> None:
    random = np.random.default_rng(SEED)
    service = Service(Stream(memory=0.8, spread=0.05), 60, weeks)
    found = simulate_service(service, random, Budget.parse("1/week"))
    assert found.events <= 1.5 * found.allowed
    assert found.ks >= 0.95 * found.changes
    assert found.missing >= 0.95 * found.changes


def test_looks_alarm_only_where_something_changed() -> None:
    looks = Looks(looks=2_000)
    random = np.random.default_rng(SEED)
    for _ in range(40):
        values, missing, _ = looks.stream(random)
        assert (values, missing) == (None, None)
    values, _, _ = looks.stream(random, distance=0.1)
    _, missing, _ = looks.stream(random, points=0.05)
    assert values is not None
    assert missing is not None
    assert values < 200
    assert missing < 100
