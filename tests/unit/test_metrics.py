"""The metrics of monitors: names, values, formats, and what serves a scrape."""

from __future__ import annotations

import asyncio
import gzip
import json
import math
import re
import struct
from collections import Counter as Tally
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.request import urlopen

import numpy as np
import prometheus_client as client
import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

import leadline as ll
from leadline.errors import InputError
from leadline.serve import observed as observed_module
from leadline.serve.exposition import Format, accepted
from leadline.serve.metrics import FAMILIES, MORE, label
from leadline.serve.prometheus import asgi_app, exporter_of, scrape, start_server, wsgi_app
from leadline.trend.watch import Watch
from monitors import StandIn

DASHBOARDS = Path(__file__).resolve().parents[2] / "dashboards"
PROTOBUF = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
)
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
TEXTS = "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"

Values = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture(autouse=True)
def every_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show every window, however soon it follows another."""
    monkeypatch.setattr(observed_module, "_REST", 0.0)


def exported(registry: CollectorRegistry, **options: Any) -> StandIn:
    monitor = StandIn()
    exporter_of(registry).add(monitor, **options)  # type: ignore[arg-type]
    return monitor


def values(registry: CollectorRegistry) -> Values:
    """All samples of a scrape; none may occur twice."""
    found: Values = {}
    for family in parse_text(scrape(registry)[0].decode()):
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found
            found[key] = sample.value
    return found


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return values(registry).get((name, frozenset({"monitor": "fraud", **labels}.items())))


def drift(verdict: str, **columns: tuple[str, float]) -> SimpleNamespace:
    """What `serve.drift.Drift` says."""
    series = {
        name: SimpleNamespace(verdict=SimpleNamespace(value=said), size=size)
        for name, (said, size) in columns.items()
    }
    last = SimpleNamespace(verdict=SimpleNamespace(value=verdict), score=7.5, columns=series)
    return SimpleNamespace(last=last, counts={verdict: 4}, events=2)


AGES = {"age": [20, 30, 30, 40, None], "country": ["DE", "DE", "FR", None, None]}


# --- values --------------------------------------------------------------------------------------


def test_a_monitor_that_logged_nothing_shows_its_state(registry: CollectorRegistry) -> None:
    exported(registry)
    assert value(registry, "leadline_rows_total") == 0
    assert value(registry, "leadline_rows_dropped_total", reason="bytes") == 0
    assert value(registry, "leadline_errors_total", kind="write") == 0
    assert value(registry, "leadline_monitor_info", version="0.1.0", every="1m") == 1
    assert value(registry, "leadline_last_flush_timestamp_seconds") is None


def test_state_of_the_monitor(registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monitor = exported(registry)
    monitor.known = replace(
        monitor.known,
        accepted=100,
        saved=60,
        waiting=30,
        open=7,
        dropped_by_reason={"unwritten": 3, "bytes": 9},
        violations={"age": {"above": 4, "null": 1}},
        extra_fields={"agee": 5},
        bytes_waiting=3_000,
        bytes_open=70_000,
        windows_open=2,
        windows_closed=11,
        last_flush=2.5,
        errors={"write": 2, "other": 1},
        running=True,
    )
    monkeypatch.setattr(observed_module.time, "time", lambda: 1_000.0)
    assert value(registry, "leadline_rows_total") == 100
    assert value(registry, "leadline_rows_saved_total") == 60
    assert value(registry, "leadline_waiting_rows") == 30
    assert value(registry, "leadline_open_rows") == 7
    assert value(registry, "leadline_rows_dropped_total", reason="unwritten") == 3
    assert value(registry, "leadline_rows_dropped_total", reason="bytes") == 9
    assert value(registry, "leadline_violations_total", field="age", reason="above") == 4
    assert value(registry, "leadline_violations_total", field="age", reason="null") == 1
    assert value(registry, "leadline_violations_total", field="agee", reason="extra") == 5
    assert value(registry, "leadline_waiting_bytes") == 3_000
    assert value(registry, "leadline_open_bytes") == 70_000
    assert value(registry, "leadline_open_windows") == 2
    assert value(registry, "leadline_windows_closed_total") == 11
    assert value(registry, "leadline_last_flush_timestamp_seconds") == 997.5
    assert value(registry, "leadline_errors_total", kind="write") == 2
    assert value(registry, "leadline_errors_total", kind="other") == 1
    assert value(registry, "leadline_monitor_running") == 1


def test_figures_of_the_last_window_and_counts_of_all(registry: CollectorRegistry) -> None:
    monitor = exported(registry)
    monitor.log({"age": [1, 2, 3], "country": ["DE", "DE", "IT"]})
    monitor.log(AGES)
    assert value(registry, "leadline_field_rows_total", field="age") == 8
    assert value(registry, "leadline_field_nulls_total", field="age") == 1
    assert value(registry, "leadline_field_nulls_total", field="country") == 2
    assert value(registry, "leadline_window_rows") == 5
    assert value(registry, "leadline_window_end_timestamp_seconds") == 120
    assert value(registry, "leadline_field_mean", field="age") == 30
    assert value(registry, "leadline_field_quantile", field="age", quantile="0.5") == 30
    assert value(registry, "leadline_field_quantile", field="age", quantile="0.95") == 40
    assert value(registry, "leadline_field_distinct", field="country") == 2
    assert value(registry, "leadline_field_top_ratio", field="country") == pytest.approx(2 / 3)


def test_rows_are_counted_before_their_window_is_closed(registry: CollectorRegistry) -> None:
    monitor = exported(registry)
    monitor.flush(monitor.cell(AGES))
    monitor.flush(monitor.cell(AGES))
    assert value(registry, "leadline_field_rows_total", field="age") == 10
    assert value(registry, "leadline_field_mean", field="age") is None


def test_segments_are_taken_together(registry: CollectorRegistry) -> None:
    monitor = exported(registry)
    one, two = (replace(monitor.cell({"x": data}), segment=(name,)) for name, data in (
        ("a", [1.0, 2.0]),
        ("b", [6.0]),
    ))  # fmt: skip
    monitor.flush(one, two)
    monitor.close(one, two)
    assert value(registry, "leadline_field_rows_total", field="x") == 3
    assert value(registry, "leadline_field_mean", field="x") == 3


def test_at_most_eight_samples_a_field(registry: CollectorRegistry) -> None:
    monitor = exported(registry)
    monitor.drift = drift("drift", age=("drift", 1.5), country=("none", 0.25), ok=("none", 0.0))
    monitor.log({**AGES, "ok": [True, False, True, True, None], "empty": [None] * 5})
    found = Tally(dict(labels).get("field") for _, labels in values(registry))
    assert {name: found[name] for name in ("age", "country", "ok", "empty")} == {
        "age": 8,
        "country": 6,
        "ok": 5,
        "empty": 2,
    }


def test_further_figures_are_opt_in(registry: CollectorRegistry) -> None:
    monitor = exported(registry, fields=["age"], quantiles=[1], more=list(MORE))
    monitor.log({"age": [1.0, 2.0, math.nan, 4.0], "other": [1, 2, 3, 4]})
    named = {
        "standard_deviation": math.sqrt(7 / 3),
        "minimum": 1,
        "maximum": 4,
        "nan_ratio": 0.25,
        "distinct": 3,
    }
    for name, expected in named.items():
        assert value(registry, f"leadline_field_{name}", field="age") == pytest.approx(expected)
    assert value(registry, "leadline_field_quantile", field="age", quantile="1.0") == 4
    assert value(registry, "leadline_field_info", field="age", kind="float", role="feature") == 1
    assert not [key for key in values(registry) if ("field", "other") in key[1]]


def test_unknown_options_are_refused(registry: CollectorRegistry) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        exported(registry, quantiles=[95])
    with pytest.raises(InputError, match="no figure 'median'"):
        exported(registry, more=["median"])
    with pytest.raises(InputError, match="finite numbers of seconds"):
        exported(registry, bounds=[0.1, math.inf])


def test_drift(registry: CollectorRegistry) -> None:
    monitor = exported(registry)
    monitor.drift = drift("drift", age=("drift", 3.5), country=("not comparable", math.nan))
    monitor.log(AGES)
    assert value(registry, "leadline_drift_verdict") == 2
    assert value(registry, "leadline_drift_score") == 7.5
    assert value(registry, "leadline_drift_windows_total", verdict="drift") == 4
    assert value(registry, "leadline_drift_windows_total", verdict="none") == 0
    assert value(registry, "leadline_drift_events_total") == 2
    assert value(registry, "leadline_field_drift_verdict", field="age") == 2
    assert value(registry, "leadline_field_drift_effect", field="age") == 3.5
    assert value(registry, "leadline_field_drift_verdict", field="country") == -1
    assert value(registry, "leadline_field_drift_effect", field="country") is None


def test_verdicts_of_a_watch(registry: CollectorRegistry) -> None:
    ages, amounts = list(range(200)), [float(amount % 7) for amount in range(200)]
    watch = Watch(ll.profile({"age": ages, "amount": amounts}))
    moved = ll.profile({"age": [age + 100 for age in ages], "amount": amounts})
    [judged] = watch.follow(watch.part(None, moved.cells))
    monitor = exported(registry)
    monitor.drift = SimpleNamespace(last=judged, counts={"drift": 1}, events=1)
    monitor.log({"age": ages, "amount": amounts})
    assert value(registry, "leadline_drift_verdict") == 2
    assert value(registry, "leadline_field_drift_verdict", field="age") == 2
    assert value(registry, "leadline_field_drift_verdict", field="amount") == 0
    # Half of the ages are beyond all of the reference's: a distance of 0.5, the threshold is 0.05.
    assert value(registry, "leadline_field_drift_effect", field="age") == pytest.approx(10)
    assert value(registry, "leadline_field_drift_effect", field="amount") == 0


def test_durations_are_a_histogram(registry: CollectorRegistry) -> None:
    monitor = exported(registry, bounds=[0.01, 0.1])
    monitor.log({"took_ms": [5.0, 10.0, 50.0]}, {"took_ms": "latency"})
    monitor.log({"took_ms": [500.0]}, {"took_ms": "latency"})
    name = "leadline_latency_seconds"
    found = {bound: value(registry, f"{name}_bucket", field="took_ms", le=bound)
             for bound in ("0.01", "0.1", "+Inf")}  # fmt: skip
    assert found == {"0.01": 2, "0.1": 3, "+Inf": 4}
    assert value(registry, f"{name}_count", field="took_ms") == 4
    assert value(registry, f"{name}_sum", field="took_ms") == pytest.approx(0.565)


def test_redacted_and_hostile_labels(registry: CollectorRegistry) -> None:
    names = ['quote"', "back\\slash", "new\nline", "nul\0", "ü", "", "x" * 500, "x" * 499 + "y"]
    monitor = exported(registry)
    monitor.log({name: [1.0] for name in names})
    fields = {dict(labels).get("field") for _, labels in values(registry)} - {None}
    assert len(fields) == len(names)
    assert {'quote"', "back\\slash", "ü", ""} <= fields
    assert all(len(name or "") <= 130 for name in fields)
    assert label("\ud800") != label("\ud801")
    label("\ud800").encode()


# --- formats -------------------------------------------------------------------------------------


def full(registry: CollectorRegistry) -> StandIn:
    """A monitor with every family, beside other collectors of all types."""
    monitor = exported(registry, more=list(MORE))
    monitor.drift = drift("drift", age=("drift", 3.5))
    latency = np.random.default_rng(3).exponential(0.05, 4_000)
    ages = np.random.default_rng(4).integers(18, 90, 4_000)
    data = {"age": ages, "latency_seconds": latency, "country": ["DE"] * 4_000}
    monitor.known = replace(monitor.known, last_flush=1.0, violations={"age": {"above": 1}})
    monitor.log(data, {"latency_seconds": "latency"})
    client.Counter("other", "One.", ["of"], registry=registry).labels("a").inc(3)
    client.Gauge("level", "Two.", registry=registry).set(-1.5)
    client.Histogram("sizes", "Three.", registry=registry, buckets=[1, 2]).observe(1.5)
    client.Summary("calls", "Four.", registry=registry).observe(2)
    client.Info("build", "Five.", registry=registry).info({"number": "7"})
    return monitor


def test_every_family_is_exported_once_in_every_format(registry: CollectorRegistry) -> None:
    full(registry)
    names = [family.name for family in FAMILIES]
    assert len(set(names)) == len(names)
    for body, parse in (
        (scrape(registry)[0], parse_text),
        (scrape(registry, OPENMETRICS)[0], parse_openmetrics),
    ):
        parsed = [family.name for family in parse(body.decode())]
        own = [name.removesuffix("_info") for name in parsed if name.startswith("leadline_")]
        assert own == names
    assert scrape(registry, OPENMETRICS)[0].endswith(b"# EOF\n")


def test_any_server_of_the_registry_tells_the_same(registry: CollectorRegistry) -> None:
    full(registry)

    def samples(families: Any) -> Any:
        found = [
            (sample.name, tuple(sorted(sample.labels.items())), sample.value)
            for family in families
            for sample in family.samples
            if "created" not in sample.name and "timestamp" not in sample.name
        ]
        return sorted(found)

    theirs = client.generate_latest(registry).decode()
    ours = scrape(registry)[0].decode()
    assert samples(parse_text(ours)) == samples(parse_text(theirs))
    openmetrics = client.openmetrics.exposition.generate_latest(registry).decode()
    ours = scrape(registry, OPENMETRICS)[0].decode()
    assert samples(parse_openmetrics(ours)) == samples(parse_openmetrics(openmetrics))


def test_protocol_buffers_say_what_the_text_says(registry: CollectorRegistry) -> None:
    full(registry)
    told = dict(decoded_samples(scrape(registry, PROTOBUF)[0])), values(registry)
    # Others' instants of creation are left out; the age of a flush grows between two scrapes.
    found, expected = (
        {key: number for key, number in each.items() if not re.search("_created|_flush", key[0])}
        for each in told
    )
    assert found == expected


def test_native_histograms_hold_the_same_values(registry: CollectorRegistry) -> None:
    full(registry)
    [family] = [
        message
        for message in messages(scrape(registry, PROTOBUF)[0])
        if message[1][0] == b"leadline_latency_seconds"
    ]
    histogram = fields(fields(family[4][0])[7][0])
    assert [unzigzag(number) for number in histogram[5]] == [3]
    spans = [fields(span) for span in histogram[12]]
    deltas = [unzigzag(number) for number in varints(histogram[13][0])]
    numbers, place = [], 0
    for span in spans:
        place += unzigzag(span[1][0])
        numbers += range(place, place + span[2][0])
        place += span[2][0]
    counts = dict(zip(numbers, np.cumsum(deltas).tolist(), strict=True))
    latency = np.random.default_rng(3).exponential(0.05, 4_000)
    assert sum(counts.values()) == 4_000 == histogram[1][0]
    truth = Tally(np.ceil(8 * np.log2(latency)).astype(int).tolist())
    # A value within 0.2 % of a bound may be counted beyond it: at most 1 in 40 is.
    assert sum((truth - Tally(counts)).values()) <= 100


def test_an_empty_native_histogram_is_one(registry: CollectorRegistry) -> None:
    monitor = exported(registry)
    monitor.log({"t": [math.inf]}, {"t": "latency"})
    [family] = [
        message
        for message in messages(scrape(registry, PROTOBUF)[0])
        if message[1][0] == b"leadline_latency_seconds"
    ]
    histogram = fields(fields(family[4][0])[7][0])
    assert [fields(span) for span in histogram[12]] == [{1: [0], 2: [0]}]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, Format.TEXT),
        ("", Format.TEXT),
        ("*/*", Format.TEXT),
        ("text/html, */*;q=0.1", Format.TEXT),
        # What Prometheus 2.42 sends, and with native histograms on.
        (f"{OPENMETRICS},{TEXTS}", Format.OPENMETRICS),
        (f"{PROTOBUF},{OPENMETRICS};q=0.8,{TEXTS}", Format.PROTOBUF),
        (f"{PROTOBUF};q=0.2,text/plain;q=0.5", Format.TEXT),
        ("application/vnd.google.protobuf,text/plain;q=0.1", Format.TEXT),
        ("application/openmetrics-text;version=9.9,text/plain;q=0.1", Format.TEXT),
        ("application/openmetrics-text;q=nonsense", Format.TEXT),
        (";;;=,,", Format.TEXT),
    ],
)
def test_the_format_is_the_one_that_is_liked_best(header: str | None, expected: Format) -> None:
    assert accepted(header) is expected


# --- life ----------------------------------------------------------------------------------------


def test_monitors_share_a_registry(registry: CollectorRegistry) -> None:
    one = exported(registry)
    two = StandIn("churn")
    exporter_of(registry).add(two)  # type: ignore[arg-type]
    one.log({"x": [1, 2]})
    two.log({"x": [3]})
    text = scrape(registry)[0].decode()
    assert text.count("# TYPE leadline_field_mean gauge") == 1
    assert value(registry, "leadline_field_mean", field="x") == 1.5
    assert value(registry, "leadline_field_mean", field="x", monitor="churn") == 3
    exporter_of(registry).remove(two)  # type: ignore[arg-type]
    assert two.observers == []
    assert "churn" not in scrape(registry)[0].decode()


def test_a_later_monitor_of_a_name_takes_the_place_of_the_earlier(
    registry: CollectorRegistry,
) -> None:
    earlier = exported(registry)
    earlier.log({"x": [1, 2]})
    later = exported(registry)
    later.log({"x": [7]})
    assert earlier.observers == []
    assert value(registry, "leadline_field_rows_total", field="x") == 1


def test_a_forked_child_begins_at_zero(registry: CollectorRegistry) -> None:
    monitor = exported(registry)
    monitor.log({"x": [1, 2]})
    for observer in monitor.observers:
        observer.forget()
    assert value(registry, "leadline_field_rows_total", field="x") is None
    monitor.log({"x": [1, 2, 3]})
    assert value(registry, "leadline_field_rows_total", field="x") == 3


def test_a_scrape_makes_nothing_that_was_made_before(
    registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor = exported(registry)
    monitor.log(AGES)
    before = scrape(registry)[0]

    def refuse(*given: Any, **options: Any) -> Any:
        raise AssertionError("a scrape asked for the figures of a window")

    monkeypatch.setattr(observed_module, "of_window", refuse)
    assert scrape(registry)[0] == before


def test_short_windows_are_left_out_but_not_the_last(
    registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(observed_module, "time", clock)
    monkeypatch.setattr(observed_module, "_REST", 20.0)
    monitor = exported(registry)
    for size in (1, 2, 3):  # each takes a second of work, so one in twenty seconds is shown
        monitor.log({"x": list(range(size))})
    assert value(registry, "leadline_window_rows") == 1
    clock.now += 21
    assert value(registry, "leadline_window_rows") == 3


class Clock:
    """Every look at the work done says that a second more was spent."""

    now = worked = 0.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def thread_time(self) -> float:
        self.worked += 1.0
        return self.worked


# --- applications --------------------------------------------------------------------------------


def test_wsgi(registry: CollectorRegistry) -> None:
    full(registry)
    started: list[Any] = []
    app = wsgi_app(registry)
    [body] = app({"HTTP_ACCEPT_ENCODING": "gzip"}, lambda *given: started.append(given))
    [(status, headers)] = started
    assert status == "200 OK"
    assert dict(headers)["Content-Type"] == "text/plain;version=0.0.4;charset=utf-8"
    assert dict(headers)["Content-Length"] == str(len(body))
    list(parse_text(gzip.decompress(body).decode()))


def test_asgi(registry: CollectorRegistry) -> None:
    full(registry)
    sent: list[dict[str, Any]] = []
    came = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> dict[str, Any]:
        return next(came)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def run() -> None:
        app = asgi_app(registry)
        await app({"type": "lifespan"}, receive, send)
        headers = [(b"accept", OPENMETRICS.encode()), (b"host", b"here")]
        await app({"type": "http", "headers": headers}, receive, send)

    asyncio.run(run())
    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
        "http.response.start",
        "http.response.body",
    ]
    assert dict(sent[2]["headers"])[b"Content-Type"].startswith(b"application/openmetrics-text")
    assert len(list(parse_openmetrics(sent[3]["body"].decode()))) == len(FAMILIES) + 5


def test_every_worker_has_a_port_of_its_own(registry: CollectorRegistry) -> None:
    exported(registry).log(AGES)
    first = start_server([0], registry=registry)
    second = start_server([first.server_port, 0], registry=registry)
    try:
        assert first.server_port != second.server_port
        for server in (first, second):
            with urlopen(f"http://127.0.0.1:{server.server_port}/metrics", timeout=10) as answer:
                assert b'leadline_window_rows{monitor="fraud"} 5' in answer.read()
        with pytest.raises(InputError, match="give a port that is free"):
            start_server([first.server_port, second.server_port], registry=registry)
    finally:
        for server in (first, second):
            server.shutdown()
            server.server_close()


# --- dashboards ----------------------------------------------------------------------------------


def exported_names(registry: CollectorRegistry) -> set[str]:
    full(registry)
    families = parse_text(scrape(registry)[0].decode())
    # The native histogram has the name of its family.
    return {sample.name for family in families for sample in family.samples} | {
        "leadline_latency_seconds"
    }


def expressions(dashboard: dict[str, Any]) -> Iterator[str]:
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]
    for variable in dashboard["templating"]["list"]:
        yield variable["query"]["query"] if isinstance(variable["query"], dict) else ""
    for annotation in dashboard["annotations"]["list"]:
        yield annotation["expr"]


def test_dashboard_asks_for_what_is_exported(registry: CollectorRegistry) -> None:
    dashboard = json.loads((DASHBOARDS / "grafana.json").read_text(encoding="utf-8"))
    asked = {name for text in expressions(dashboard) for name in named(text)}
    assert asked <= exported_names(registry)
    assert len(asked) > 15
    places = [(panel["gridPos"], panel["title"]) for panel in dashboard["panels"]]
    taken = [
        (column, line)
        for place, _ in places
        for column in range(place["x"], place["x"] + place["w"])
        for line in range(place["y"], place["y"] + place["h"])
    ]
    assert len(taken) == len(set(taken))
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(places)


def test_alerts_ask_for_what_is_exported(registry: CollectorRegistry) -> None:
    rules = yaml.safe_load((DASHBOARDS / "alerts.yml").read_text(encoding="utf-8"))
    tests = yaml.safe_load((DASHBOARDS / "alerts.test.yml").read_text(encoding="utf-8"))
    alerts = {rule["alert"]: rule["expr"] for group in rules["groups"] for rule in group["rules"]}
    asked = {name for text in alerts.values() for name in named(text)}
    assert asked <= exported_names(registry)
    tried = {case["alertname"] for test in tests["tests"] for case in test["alert_rule_test"]}
    assert tried == set(alerts)


def test_the_page_lists_what_is_exported(registry: CollectorRegistry) -> None:
    page = (DASHBOARDS.parent / "docs" / "serving.md").read_text(encoding="utf-8")
    section = page.partition("\n## Metrics\n")[2].partition("\n## ")[0]
    known = {
        re.sub("_(bucket|count|sum)$", "", name)
        for name in exported_names(registry)
        if name.startswith("leadline_")
    }
    assert named(section) == known


def named(text: str) -> set[str]:
    return set(re.findall(r"leadline_[a-z_]+", text))


# --- a reader of protocol buffers ----------------------------------------------------------------

Message = dict[int, list[Any]]


def varint(data: bytes, place: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[place]
        number |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return number, place


def varints(data: bytes) -> Iterator[int]:
    place = 0
    while place < len(data):
        number, place = varint(data, place)
        yield number


def fields(data: bytes) -> Message:
    """Values by number of field: whole numbers, doubles, bytes."""
    found: Message = {}
    place = 0
    while place < len(data):
        key, place = varint(data, place)
        if key & 7 == 0:
            content, place = varint(data, place)
        elif key & 7 == 1:
            content, place = struct.unpack_from("<d", data, place)[0], place + 8
        else:
            assert key & 7 == 2
            size, place = varint(data, place)
            content, place = data[place : place + size], place + size
            assert len(content) == size
        found.setdefault(key >> 3, []).append(content)
    return found


def messages(data: bytes) -> Iterator[Message]:
    place = 0
    while place < len(data):
        size, place = varint(data, place)
        yield fields(data[place : place + size])
        place += size


def unzigzag(number: int) -> int:
    return number >> 1 if number % 2 == 0 else -(number >> 1) - 1


def decoded_samples(data: bytes) -> Iterator[tuple[Any, float]]:
    for message in messages(data):
        name = message[1][0].decode()
        for metric in map(fields, message[4]):
            pairs = [fields(pair) for pair in metric.get(1, ())]
            labels = {pair[1][0].decode(): pair[2][0].decode() for pair in pairs}
            for kind in set(metric) - {1}:
                [content] = map(fields, metric[kind])
                if kind == 7:
                    for bucket in map(fields, content[3]):
                        bound = client.utils.floatToGoString(bucket[2][0])
                        own = frozenset({**labels, "le": bound}.items())
                        yield (f"{name}_bucket", own), bucket[1][0]
                if kind in (4, 7):
                    yield (f"{name}_count", frozenset(labels.items())), content[1][0]
                    yield (f"{name}_sum", frozenset(labels.items())), content[2][0]
                else:
                    yield (name, frozenset(labels.items())), content[1][0]
