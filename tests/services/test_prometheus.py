"""A real Prometheus scrapes a real service: series, values, alerts, both kinds of histograms."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(os.environ["LEADLINE_SERVICES"]).resolve() / "root" / "usr" / "bin"
RULES = ROOT / "dashboards"
PATIENCE = 40.0


class Service:
    """The service of this folder, in a process of its own."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, str(Path(__file__).with_name("service.py")), str(folder)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
        )
        self.port = int(self._line())

    def tell(self, line: str) -> int:
        """Tell it to do something; how many rows it has logged."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return int(self._line())

    def stop(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        assert self.process.wait(PATIENCE) == 0
        self.process.stdout.close()

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


class Server:
    """A Prometheus that scrapes one port every second."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, path: str, **parameters: str) -> Any:
        with urlopen(f"{self.url}/api/v1/{path}?{urlencode(parameters)}", timeout=10) as answer:
            told = json.load(answer)
        assert told["status"] == "success", told
        return told["data"]

    def value(self, query: str) -> float | None:
        """The one value of a query; None if there is none."""
        found = self.ask("query", query=query)["result"]
        assert len(found) <= 1, found
        return float(found[0]["value"][1]) if found else None

    def alerts(self) -> dict[str, str]:
        """State of the alerts that are pending or firing."""
        return {
            alert["labels"]["alertname"]: alert["state"] for alert in self.ask("alerts")["alerts"]
        }


def environment() -> dict[str, str]:
    path = os.pathsep.join([str(ROOT / "engine"), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path}


def until(true: Callable[[], Any], what: str) -> Any:
    """Wait for something to come true."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.2)
    pytest.fail(f"{what} did not come true in {PATIENCE:.0f} s")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    running = Service(tmp_path / "profiles")
    try:
        yield running
    finally:
        running.stop()


@contextmanager
def prometheus(folder: Path, port: int, *options: str) -> Iterator[Server]:
    # The same rules, but for how long something must last: nobody wants to wait for two minutes.
    rules = (RULES / "alerts.yml").read_text(encoding="utf-8")
    (folder / "alerts.yml").write_text(re.sub(r"for: \w+", "for: 2s", rules), encoding="utf-8")
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(folder / "alerts.yml")],
        "scrape_configs": [
            {"job_name": "fraud", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
        ],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        own = free.getsockname()[1]
    command = [
        str(PROGRAMS / "prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{own}",
        *options,
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        server = Server(f"http://127.0.0.1:{own}")
        until(lambda: _scrapes(server), "a first scrape")
        yield server
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _scrapes(server: Server) -> bool:
    try:
        return server.value("up") == 1
    except OSError:
        return False


def fires(server: Server, alert: str) -> bool:
    return server.alerts().get(alert) == "firing"


def promtool(*arguments: str) -> str:
    command = [str(PROGRAMS / "promtool"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_rules_are_valid_and_fire_when_they_should() -> None:
    assert "rules found" in promtool("check", "rules", str(RULES / "alerts.yml"))
    assert "SUCCESS" in promtool("test", "rules", str(RULES / "alerts.test.yml"))


def test_the_dashboard_asks_nothing_that_is_refused(service: Service, tmp_path: Path) -> None:
    dashboard = json.loads((RULES / "grafana.json").read_text(encoding="utf-8"))
    targets = [target for panel in dashboard["panels"] for target in panel.get("targets", ())]
    with prometheus(tmp_path, service.port) as server:
        service.tell("rows 1000")
        time.sleep(1.5)
        service.tell("rows 1000")
        until(lambda: server.value("leadline_window_rows"), "a closed window")
        for target in targets:
            query = target["expr"].replace("$__rate_interval", "10s").replace("$__range", "1m")
            for name in ("monitor", "instance", "field"):
                query = query.replace(f"${name}", ".*")
            server.ask("query", query=query)


def test_lint(service: Service) -> None:
    service.tell("rows 100")
    with urlopen(f"http://127.0.0.1:{service.port}/metrics", timeout=10) as answer:
        text = answer.read()
    command = [str(PROGRAMS / "promtool"), "check", "metrics"]
    done = subprocess.run(command, input=text, capture_output=True, check=False)
    said = [line for line in done.stderr.decode().splitlines() if "leadline_" in line]
    assert not said, said


def test_values_and_alerts(service: Service, tmp_path: Path) -> None:
    verdict = "leadline_drift_verdict"
    with prometheus(tmp_path, service.port) as server:
        logged = service.tell("rows 5000")
        until(lambda: server.value("leadline_rows_total") == logged, "every row")
        rows, nulls = "leadline_field_rows_total", "leadline_field_nulls_total"
        until(lambda: server.value(f'{rows}{{field="age"}}') == 5_000, "every value")
        assert server.value(f'{nulls}{{field="country"}}') == 500
        assert server.value(f'{nulls}{{field="age"}}') == 0
        until(lambda: server.value("leadline_window_rows"), "a closed window")
        mean = server.value('leadline_field_mean{field="age"}')
        assert mean is not None
        assert 20 <= mean <= 70
        bucket = 'leadline_latency_seconds_bucket{le="0.05"}'
        assert server.value(bucket) == 2_500
        assert server.value("leadline_latency_seconds_sum") == pytest.approx(5_000 * 0.0505)
        until(lambda: server.value(verdict) == 0, "a verdict")
        assert server.alerts() == {}

        service.tell("wrong 2000")
        violated = 'leadline_violations_total{field="age",reason="mistyped"}'
        until(lambda: server.value(violated) == 2_000, "every violation")
        service.tell("wrong 2000")
        for alert in ("LeadlineDrift", "LeadlineViolations"):
            until(partial(fires, server, alert), alert)
        assert server.value('leadline_field_drift_verdict{field="amount"}') == 2
        assert server.value('leadline_field_drift_verdict{field="country"}') == 0
        assert server.value("leadline_drift_events_total") == 1

        until(lambda: service.tell("rows 1000") and server.value(verdict) == 0, "the end of it")


def test_native_histograms(service: Service, tmp_path: Path) -> None:
    with prometheus(tmp_path, service.port, "--enable-feature=native-histograms") as server:
        service.tell("rows 1000")
        until(lambda: server.value("histogram_count(leadline_latency_seconds)") == 1_000, "rows")
        for _ in range(4):
            service.tell("rows 1000")
            time.sleep(1)
        count = "histogram_count(leadline_latency_seconds)"
        until(lambda: server.value(count) == 5_000, "all rows")
        total = server.value("histogram_sum(leadline_latency_seconds)")
        assert total == pytest.approx(5_000 * 0.0505)
        for share, truth in ((0.5, 0.05), (0.95, 0.095), (0.99, 0.099)):
            query = f"histogram_quantile({share}, rate(leadline_latency_seconds[1m]))"
            # Buckets are 9 % wide.
            assert server.value(query) == pytest.approx(truth, rel=0.09)
        # Other metrics of the same registry come by the same way.
        assert server.value("python_info") == 1
        assert server.value("leadline_rows_total") == 5_000
