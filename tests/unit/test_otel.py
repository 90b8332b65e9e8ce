"""The bridge to OpenTelemetry, read by its own SDK."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from leadline.serve import otel
from monitors import StandIn


def read(reader: InMemoryMetricReader) -> dict[str, Any]:
    data = reader.get_metrics_data()
    assert data is not None
    [resource] = data.resource_metrics
    [scope] = resource.scope_metrics
    assert scope.scope.name == "leadline"
    return {metric.name: metric for metric in scope.metrics}


def points(metric: Any) -> dict[tuple[tuple[str, Any], ...], float]:
    return {
        tuple(sorted(point.attributes.items())): point.value for point in metric.data.data_points
    }


def test_figures_are_read_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otel, "_TOGETHER", -1.0)
    reader = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader])
    monitor = StandIn()
    otel.observe(monitor, provider, quantiles=[0.5])  # type: ignore[arg-type]
    monitor.known = replace(monitor.known, bytes_waiting=300)
    monitor.log({"age": [20, 30, 40, None], "t": [1.0, 2.0, 3.0, 4.0]}, {"t": "latency"})
    found = read(reader)
    own = ("monitor", "fraud")
    assert points(found["leadline.rows"]) == {(own,): 4}
    assert found["leadline.rows"].data.is_monotonic
    assert points(found["leadline.waiting_bytes"]) == {(own,): 300}
    assert found["leadline.waiting_bytes"].unit == "By"
    assert points(found["leadline.field_nulls"]) == {
        (("field", "age"), own): 1,
        (("field", "t"), own): 0,
    }
    assert points(found["leadline.field_quantile"]) == {
        (("field", "age"), own, ("quantile", "0.5")): 30,
        (("field", "t"), own, ("quantile", "0.5")): 2,
    }
    monitor.log({"age": [1, 2]})
    assert points(read(reader)["leadline.rows"]) == {(own,): 6}
    provider.shutdown()


def test_one_reading_looks_at_the_monitor_once() -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader])
    looks = []

    class Counting(StandIn):
        def status(self) -> Any:
            looks.append(1)
            return super().status()

    otel.observe(Counting(), provider)  # type: ignore[arg-type]
    read(reader)
    assert len(looks) == 1
    provider.shutdown()
