"""The monitor as a service uses it: what is logged is in the files, or counted as dropped."""

from __future__ import annotations

import os
import time
from collections import namedtuple
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import leadline as ll
from leadline.errors import InputError

NEVER = "1d"  # between two writes: only what a test asks for is written


def saved(folder: Path) -> ll.Profile:
    """The profile of all files in a folder."""
    return ll.merge([ll.read(path) for path in sorted(folder.glob("*.lead"))])


def require_balanced(status: ll.Status) -> None:
    lost = sum(status.dropped_by_reason.get(reason, 0) for reason in ("unwritten", "failed"))
    assert status.accepted == status.saved + status.waiting + status.open + lost


@pytest.fixture
def monitor(tmp_path: Path) -> Iterator[ll.Monitor]:
    with ll.Monitor("fraud", tmp_path, every="1h", flush=NEVER) as made:
        yield made


def test_files_hold_what_was_logged(tmp_path: Path, monitor: ll.Monitor) -> None:
    generator = np.random.default_rng(1)
    ages = generator.integers(18, 90, 5_000).tolist()
    amounts = generator.lognormal(3, 1, 5_000).tolist()
    countries = generator.choice(["DE", "FR", "PL"], 5_000).tolist()
    for age, amount, country in zip(ages, amounts, countries, strict=True):
        monitor.log({"age": age, "amount": amount, "country": country, "rare": None})
    monitor.close()
    found = saved(tmp_path)
    assert found.rows == 5_000
    assert (found["age"].min, found["age"].max) == (min(ages), max(ages))
    assert found["age"].mean == pytest.approx(np.mean(ages), rel=1e-12)
    assert found["amount"].mean == pytest.approx(np.mean(amounts), rel=1e-12)
    assert dict(found["country"].top) == {
        country: countries.count(country) for country in ("DE", "FR", "PL")
    }
    assert found["rare"].nulls == 5_000
    status = monitor.status()
    assert (status.accepted, status.saved, status.dropped) == (5_000, 5_000, 0)
    require_balanced(status)


def test_summaries_are_those_of_a_scan(tmp_path: Path, monitor: ll.Monitor) -> None:
    rows = [{"x": float(i % 700) / 7, "n": i % 13, "flag": i % 3 == 0} for i in range(3_000)]
    for row in rows:
        monitor.log(row)
    monitor.close()
    scanned = ll.profile(pa.Table.from_pylist(rows))
    found = saved(tmp_path)
    for name in ("x", "n", "flag"):
        assert found[name].to_dict() == scanned[name].to_dict()


def test_values_are_captured_at_the_call(tmp_path: Path, monitor: ll.Monitor) -> None:
    row = {"x": 1.0, "name": "before"}
    monitor.log(row)
    row["x"], row["name"] = 9.0, "after"
    array = np.array([1.0, 2.0])
    monitor.log_batch({"x": array})
    array[:] = 9.0
    large = np.ones(300_000)
    monitor.log_batch({"x": large})
    large[:] = 9.0
    monitor.close()
    found = saved(tmp_path)
    assert found["x"].max == 2.0
    assert found["x"].rows == 300_003
    assert found["name"].top == [("before", 1)]


@dataclass
class Request:
    age: int
    country: str


class Slotted:
    __slots__ = ("age", "country")

    def __init__(self, age: int, country: str) -> None:
        self.age, self.country = age, country


Named = namedtuple("Named", ["age", "country"])  # noqa: PYI024 (what services use)


@pytest.mark.parametrize("row", [Request(31, "DE"), Named(31, "DE"), {"country": "DE", "age": 31}])
def test_rows_of_many_kinds(tmp_path: Path, monitor: ll.Monitor, row: Any) -> None:
    monitor.log(row)
    monitor.close()
    found = saved(tmp_path)
    assert found["age"].max == 31
    assert found["country"].top == [("DE", 1)]


@pytest.mark.parametrize("row", [(31, "DE"), [31, "DE"], Slotted(31, "DE"), Request(31, "DE")])
def test_bound_fields(tmp_path: Path, monitor: ll.Monitor, row: Any) -> None:
    plan = monitor.bind(["age", "country"])
    plan.log(row)
    monitor.close()
    found = saved(tmp_path)
    assert found["age"].max == 31
    assert found["country"].top == [("DE", 1)]


def test_values_of_many_types(tmp_path: Path, monitor: ll.Monitor) -> None:
    monitor.log(
        {
            "decimal": Decimal("1.25"),
            "numpy": np.float32(0.5),
            "integer": np.int64(2**62),
            "flag": np.True_,
            "day": np.datetime64("2026-03-01T12:00"),
        }
    )
    monitor.close()
    found = saved(tmp_path)
    assert found["decimal"].max == 1.25
    assert found["numpy"].max == 0.5
    assert found["integer"].max == 2**62
    assert found["flag"].type == "bool"
    assert str(found["day"].max).startswith("2026-03-01")


def test_windows_turn_by_the_clock(tmp_path: Path) -> None:
    length = 50_000_000  # nanoseconds
    certain, possible = set(), set()
    with ll.Monitor("fraud", tmp_path, every="50ms", flush="20ms") as monitor:
        for number in range(2_000):
            before = time.time_ns() // length
            monitor.log({"id": number})
            after = time.time_ns() // length
            possible |= {before, after}
            certain |= {before} & {after}
            if number % 100 == 99:
                time.sleep(0.02)
    found = saved(tmp_path)
    starts = {(window.start or 0) * 1_000 // length for window in found.windows}
    assert certain <= starts <= possible
    assert len(starts) >= 5
    assert found.rows == 2_000 == monitor.status().saved
    assert (found["id"].min, found["id"].max) == (0, 1_999)
    assert monitor.status().windows_closed >= len(starts) - 1


def test_what_does_not_fit_is_dropped_and_counted(tmp_path: Path) -> None:
    with ll.Monitor("fraud", tmp_path, every="1h", flush=NEVER, rows=1_000) as monitor:
        for i in range(50_000):
            monitor.log({"x": i})
        status = monitor.status()
        require_balanced(status)
        assert status.accepted + status.dropped == 50_000
    status = monitor.status()
    assert saved(tmp_path).rows == status.saved == status.accepted
    require_balanced(status)


def test_rows_after_the_end_are_counted(monitor: ll.Monitor) -> None:
    monitor.log({"x": 1})
    monitor.close()
    monitor.close()
    monitor.log({"x": 2})
    monitor.log_batch({"x": [1, 2, 3]})
    assert monitor.status().dropped_by_reason == {"closed": 4}
    assert monitor.status().accepted == 1


def test_checks_by_a_reference(tmp_path: Path) -> None:
    reference = ll.profile({"age": [18, 40, 90], "country": ["DE", "FR", "DE"]})
    with ll.Monitor("fraud", tmp_path, reference=reference) as monitor:
        monitor.log({"age": 40, "country": "DE"})
        monitor.log({"age": 17, "country": "XX"})
        monitor.log({"age": "old", "country": None})
        monitor.log({"country": "FR", "colour": "red"})
        monitor.flush()
        status = monitor.status()
    assert status.violations == {
        "age": {"missing": 1, "below": 1, "mistyped": 1},
        "country": {"unseen": 1, "null": 1},
    }
    assert status.extra_fields == {"colour": 1}
    assert saved(tmp_path)["colour"].top == [("red", 1)]


def test_violations_are_told_once(tmp_path: Path) -> None:
    told: list[Any] = []
    reference = ll.profile({"age": [18, 40, 90]})
    with ll.Monitor("fraud", tmp_path, reference=reference, on_violation=told.append) as monitor:
        monitor.log({"age": 17})
        monitor.flush()
        monitor.log({"age": 20})
        monitor.flush()
        monitor.log({"age": 16})
        monitor.log({"age": "x"})
    assert told == [{"age": {"below": 1}}, {"age": {"below": 1, "mistyped": 1}}]


def test_an_observer_that_raises_is_counted(tmp_path: Path) -> None:
    def fail(_: Any) -> None:
        raise RuntimeError("nobody there")

    reference = ll.profile({"age": [18, 40, 90]})
    with ll.Monitor("fraud", tmp_path, reference=reference, on_violation=fail) as monitor:
        monitor.log({"age": 17})
        assert monitor.flush()
        assert monitor.status().errors == {"saved cells": 1}
    assert saved(tmp_path).rows == 1


@pytest.mark.parametrize("rows", [1, 3_000_000])  # copied and queued, or summarised at once
def test_batches_are_checked_as_rows_are(tmp_path: Path, rows: int) -> None:
    reference = ll.profile({"age": [18, 90, 40], "country": ["DE", "FR", "DE"], "p": [0.5, 1, 1]})
    with ll.Monitor("fraud", tmp_path, reference=reference) as monitor:
        monitor.log_batch({"age": ["old"] * rows, "country": ["XX"] * rows})
        monitor.log_batch({"age": np.full(rows, 17), "p": np.full(rows, 2.0)})
        monitor.flush()
        status = monitor.status()
    assert status.violations["age"] == {"mistyped": rows, "below": rows}
    assert status.violations["country"] == {"unseen": rows, "missing": rows}
    assert status.violations["p"] == {"missing": rows, "above": rows}
    assert saved(tmp_path)["age"].nulls == rows


@pytest.mark.parametrize("first", [True, False])
def test_batches_of_another_type_lose_their_values_and_no_others(
    tmp_path: Path, monitor: ll.Monitor, first: bool
) -> None:
    if first:
        monitor.log({"x": 1.5})
    monitor.log_batch({"x": [[1], [2]]})
    if not first:
        monitor.log({"x": 1.5})
    monitor.log_batch({"x": ["text"]})
    monitor.close()
    found = saved(tmp_path)
    assert (found["x"].rows, found["x"].nulls, found["x"].max) == (4, 3, 1.5)
    assert monitor.status().violations == {"x": {"mistyped": 3}}


def test_checks_by_a_policy(tmp_path: Path) -> None:
    policy = ll.Policy.parse(
        "version = 1\n[columns.age]\nminimum = 0\nmaximum = 120\n"
        '[columns.country]\nvalues = ["DE"]\n'
    )
    with ll.Monitor("fraud", policy=policy) as monitor:
        monitor.log({"age": 130, "country": "FR"})
        monitor.log({"age": -1, "country": "DE"})
        assert monitor.status().violations == {
            "age": {"below": 1, "above": 1},
            "country": {"unseen": 1},
        }


def test_fields_that_need_not_be_there() -> None:
    policy = ll.Policy.parse(
        "version = 1\n[columns.age]\nminimum = 0\n[columns.comment]\nrequired = false\n"
    )
    with ll.Monitor("fraud", policy=policy) as monitor:
        monitor.log({"age": 1})
        monitor.log({"comment": "late"})
        assert monitor.status().violations == {"age": {"missing": 1}}


def test_a_reference_that_cannot_be_read_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with ll.Monitor("fraud", reference=tmp_path / "missing.lead") as monitor:
        monitor.log({"x": 1})
        status = monitor.status()
    assert status.errors == {"reference": 1}
    assert "missing.lead" in status.last_error
    assert "missing.lead" in caplog.text
    assert status.accepted == 1
    with pytest.raises(ll.SnapshotError, match=r"missing\.lead"):
        ll.Monitor("fraud", reference=tmp_path / "missing.lead", strict=True)


def test_timed_requests(tmp_path: Path, monitor: ll.Monitor) -> None:
    with monitor.timed() as request:
        request["x"] = 1.0
        time.sleep(0.002)
    with suppress(KeyError), monitor.timed() as request:
        request["x"] = request["unknown"]
    monitor.close()
    found = saved(tmp_path)
    assert found["latency_seconds"].rows == 2
    assert found["latency_seconds"].max >= 0.002
    assert found["error"].top == [("KeyError", 1)]
    assert found["error"].nulls == 1


def test_segments_divide_rows(tmp_path: Path) -> None:
    with ll.Monitor("fraud", tmp_path, every="1h", segments=["model"]) as monitor:
        for i in range(30):
            monitor.log({"model": "ab"[i % 2], "x": float(i)})
        monitor.log({"x": 99.0})
    found = saved(tmp_path)
    assert found.select(segment={"model": "a"}).rows == 15
    assert found.select(segment={"model": None})["x"].max == 99.0


def test_batches_and_rows_of_one_field_join(tmp_path: Path) -> None:
    table = pa.table(
        {
            "model": pa.array(["a", "b"]).dictionary_encode(),
            "price": pa.array([Decimal("1.5"), Decimal("2.5")]),
            "day": pa.array([1, 2], pa.date32()),
            "nested": pa.array([{"depth": 1}, {"depth": 2}]),
        }
    )
    with ll.Monitor("fraud", tmp_path, every="1h", segments=["model"]) as monitor:
        monitor.log({"model": "a", "price": 3.5, "day": np.datetime64("1970-01-04"), "flag": True})
        monitor.log_batch(table)
        monitor.log_batch({"model": pa.array(["b"], pa.large_string()), "price": [4]})
    assert monitor.status().errors == {}
    assert monitor.status().violations == {}
    found = saved(tmp_path)
    for model in ("a", "b"):
        assert found.select(segment={"model": model}).rows == 2
    assert (found["price"].min, found["price"].max) == (1.5, 4.0)
    assert found["nested.depth"].max == 2
    assert str(found["day"].max).startswith("1970-01-04")


def test_a_folder_that_refuses_harms_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    with ll.Monitor("fraud", blocked / "profiles", flush=NEVER) as monitor:
        monitor.log({"x": 1})
        assert not monitor.flush()
        status = monitor.status()
        assert status.open == 1
        assert status.errors == {"write": 1}
        require_balanced(status)
        blocked.unlink()
        monitor.log({"x": 2})
        assert monitor.flush()
        assert monitor.status().saved == 2
    assert saved(blocked / "profiles").rows == 2
    assert "file" in caplog.text


def test_a_forked_child_begins_anew(tmp_path: Path, monitor: ll.Monitor) -> None:
    monitor.log({"pid": "parent"})
    child = os.fork()
    if not child:
        monitor.log({"pid": "child"})
        monitor.close()
        os._exit(monitor.status().saved)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    monitor.close()
    assert len(list(tmp_path.glob("*.lead"))) == 2
    assert dict(saved(tmp_path)["pid"].top) == {"parent": 1, "child": 1}


def test_no_thread_before_the_first_row(tmp_path: Path) -> None:
    with ll.Monitor("fraud", tmp_path) as monitor:
        assert not monitor.status().running
        monitor.log({"x": 1})
        assert monitor.status().running
    assert not monitor.status().running


@pytest.mark.parametrize(
    "options",
    [
        {"every": "soon"},
        {"flush": "1 minute"},
        {"rows": 0},
        {"memory": True},
        {"roles": {"x": "nothing"}},
        {"tz": "Nowhere/Land"},
        {"rollup": "7m", "every": "2m"},
        {"retain": "long"},
    ],
)
def test_arguments_are_checked_once(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        ll.Monitor("fraud", tmp_path, **options)


@pytest.mark.parametrize("name", ["", "a/b", "..", "a b", 5])
def test_names_that_files_cannot_have(name: Any) -> None:
    with pytest.raises(InputError, match="name"):
        ll.Monitor(name)


def test_strict_monitors_raise() -> None:
    with ll.Monitor("fraud", strict=True) as monitor, pytest.raises(InputError):
        monitor.log({"x": object()})


def test_closed_windows_are_judged(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    reference = ll.profile({"x": generator.normal(size=20_000)})
    verdicts: list[Any] = []
    options: dict[str, Any] = {"reference": reference, "on_verdict": verdicts.append}
    with ll.Monitor("fraud", tmp_path, every="200ms", flush="50ms", **options) as monitor:
        monitor.log_batch({"x": generator.normal(3, 1, size=5_000)})
        until = time.monotonic() + 20
        while not verdicts and time.monotonic() < until:
            time.sleep(0.05)
    assert verdicts[0].verdict.value == "drift"
    drift = monitor.status().drift
    assert drift is not None
    assert drift.verdicts["drift"] == 1
    assert drift.columns["x"].verdict.value == "drift"
    assert monitor.status().to_dict()["drift"]["verdicts"] == {"drift": 1}
