"""`leadline export`: the files of several workers as metrics of one service."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

import leadline as ll

from .conftest import Run

Samples = dict[tuple[str, str, str], float]


@pytest.fixture
def workers(tmp_path: Path) -> list[Path]:
    """Two workers' files over two minutes."""
    paths = []
    for worker, ages in enumerate(([20, 30, None], [40, 50, 60])):
        data = {
            "age": ages,
            "took": [0.02, 0.2, 2.0],
            "at": ["2026-01-01T00:00:10", "2026-01-01T00:01:00", "2026-01-01T00:01:59"],
        }
        path = tmp_path / f"fraud-{worker}.csv"
        rows = zip(*data.values(), strict=True)
        lines = [",".join("" if value is None else str(value) for value in row) for row in rows]
        path.write_text("\n".join([",".join(data), *lines]) + "\n", encoding="utf-8")
        profile = ll.profile(path, time="at", every="1m", roles={"took": "latency"})
        paths.append(path.with_suffix(".lead"))
        profile.save(paths[-1])
    return paths


def samples(text: str) -> Samples:
    return {
        (
            sample.name,
            sample.labels.get("field", ""),
            sample.labels.get("le", sample.labels.get("quantile", "")),
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.labels["monitor"] == "fraud"
    }


def test_all_rows_are_counted_and_the_last_window_is_shown(run: Run, workers: list[Path]) -> None:
    done = run("export", *workers, "--to", "prometheus", "--name", "fraud")
    found = samples(done.out)
    assert found["leadline_rows_saved_total", "", ""] == 6
    assert found["leadline_field_rows_total", "age", ""] == 6
    assert found["leadline_field_nulls_total", "age", ""] == 1
    assert found["leadline_latency_seconds_bucket", "took", "0.025"] == 2
    assert found["leadline_latency_seconds_bucket", "took", "+Inf"] == 6
    assert found["leadline_window_rows", "", ""] == 4
    assert found["leadline_window_end_timestamp_seconds", "", ""] == 1_767_225_720
    assert found["leadline_field_mean", "age", ""] == pytest.approx(140 / 3)
    assert found["leadline_field_quantile", "age", "0.5"] == 50


def test_files_of_a_services_processes_are_taken_together(run: Run, tmp_path: Path) -> None:
    def serve() -> None:
        with ll.Monitor("fraud", tmp_path, every="1d", roles={"took": "latency"}) as monitor:
            for number in range(500):
                monitor.log({"age": None if number % 10 == 0 else number, "took": 0.25})

    workers = []
    for _ in range(2):
        worker = os.fork()
        if worker == 0:
            serve()
            os._exit(0)
        workers.append(worker)
    serve()
    assert [os.waitpid(worker, 0)[1] for worker in workers] == [0, 0]
    files = sorted(tmp_path.glob("fraud-*.lead"))
    assert len(files) >= 3
    found = samples(run("export", *files, "--to", "prometheus", "--name", "fraud").out)
    assert found["leadline_rows_saved_total", "", ""] == 1_500
    assert found["leadline_field_nulls_total", "age", ""] == 150
    assert found["leadline_latency_seconds_bucket", "took", "0.25"] == 1_500


def test_a_file_is_replaced_at_once(run: Run, workers: list[Path], tmp_path: Path) -> None:
    target = tmp_path / "metrics" / "fraud.prom"
    target.parent.mkdir()
    target.write_text("old", encoding="utf-8")
    options = ("--to", "prometheus", "--name", "fraud", "--columns", "age", "-o", target)
    assert run("export", *workers, *options).out == ""
    assert {field for _, field, _ in samples(target.read_text(encoding="utf-8"))} == {"age", ""}
    assert list(target.parent.iterdir()) == [target]


def test_profiles_without_windows(run: Run, tmp_path: Path) -> None:
    ll.profile({"age": [1, 2]}).save(tmp_path / "all.lead")
    done = run("export", tmp_path / "all.lead", "--to", "prometheus", "--name", "fraud")
    assert samples(done.out)["leadline_window_rows", "", ""] == 2


def test_wrong_use(run: Run, workers: list[Path], tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere" / "x"
    for arguments, said in (
        (("--to", "prometheus", "--columns", "agee"), "agee"),
        (("--to", "prometheus", "-o", nowhere), "cannot be written"),
        (("--to", "nagios"), "prometheus"),
    ):
        done = run("export", *workers, *arguments)
        assert (done.code, done.out) == (2, "")
        assert said in done.err
