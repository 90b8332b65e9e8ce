"""A real monitor, exported: its thread counts what a scrape shows."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

import leadline as ll
from leadline.serve.prometheus import scrape


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    wanted = {"monitor": "fraud", **labels}
    for family in text_string_to_metric_families(scrape(registry)[0].decode()):
        for sample in family.samples:
            if sample.name == name and sample.labels == wanted:
                return sample.value
    return None


def until_shown(registry: CollectorRegistry, name: str) -> float:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        found = value(registry, name)
        if found is not None:
            return found
        time.sleep(0.02)
    pytest.fail(f"{name} is not shown")


@pytest.mark.parametrize("folder", [True, False])
def test_rows_are_exported(tmp_path: Path, *, folder: bool) -> None:
    registry = CollectorRegistry()
    directory = tmp_path if folder else None
    reference = ll.profile({"age": [20, 69], "took": [0.0, 1.0]}, roles={"took": "latency"})
    with ll.Monitor(
        "fraud",
        directory,
        every="200ms",
        flush="100ms",
        reference=reference,
        roles={"took": "latency"},
    ) as monitor:
        monitor.export(registry, quantiles=[0.5])
        for number in range(300):
            monitor.log({"age": 20 + number % 60, "took": 0.25})
        assert monitor.flush()
        assert value(registry, "leadline_rows_total") == 300
        assert value(registry, "leadline_field_rows_total", field="age") == 300
        # Ages 70 to 79: five times ten rows.
        assert value(registry, "leadline_violations_total", field="age", reason="above") == 50
        assert value(registry, "leadline_latency_seconds_sum", field="took") == 75
        until_shown(registry, "leadline_window_end_timestamp_seconds")
        assert value(registry, "leadline_field_quantile", field="took", quantile="0.5") == 0.25
        assert not any(monitor.status().errors.values())
    assert value(registry, "leadline_monitor_running") == 0


def test_a_forked_child_counts_its_own_rows(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    with ll.Monitor("fraud", tmp_path, every="1d") as monitor:
        monitor.export(registry)
        monitor.log({"age": 31})
        assert monitor.flush()
        child = os.fork()
        if child == 0:
            for _ in range(3):
                monitor.log({"age": 32})
            right = monitor.flush()
            right = right and value(registry, "leadline_rows_total") == 3
            right = right and value(registry, "leadline_field_rows_total", field="age") == 3
            os._exit(0 if right else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert value(registry, "leadline_rows_total") == 1
