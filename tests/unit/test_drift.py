"""Live drift: what a monitor closes against a reference; hostile windows, bounds, status."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import leadline as ll
from leadline.errors import InputError, SnapshotError
from leadline.profile import Cell, Profile, Window
from leadline.serve.drift import Drift, DriftObserver, DriftStatus
from leadline.trend.window_verdict import WindowVerdict

MINUTE = 60_000_000
HOUR = 60 * MINUTE
MONDAY = 20_451 * 24 * HOUR  # 2025-12-29
HOURS = 15 * 24


@dataclass(frozen=True)
class Closed:
    """What the monitor hands over."""

    window: Window
    held: tuple[Cell, ...]

    def cells(self, k: int) -> list[Cell]:
        assert k == 768
        return list(self.held)


def columns_of(
    rows: int, seed: int, *, shift: float = 0.0, missing: float = 0.02
) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    return {
        "x": pa.array(random.normal(shift, 1, rows), mask=random.random(rows) < missing),
        "n": random.poisson(20, rows),
        "kind": random.choice(["a", "b", "c"], rows, p=[0.5, 0.3, 0.2]),
    }


def reference_of(windows: int, *, rows: int = 400, step: int = HOUR, every: str = "1h") -> Profile:
    instants = MONDAY + np.repeat(np.arange(windows), rows) * step
    table = pa.table(
        {"ts": pa.array(instants, pa.timestamp("us", "UTC")), **columns_of(windows * rows, 1)}
    )
    return ll.profile(table, time="ts", every=every)


def closed(start: int, data: dict[str, Any], *, length: int = HOUR) -> Closed:
    """A window that begins so many lengths after the Monday."""
    window = Window(MONDAY + start * length, MONDAY + (start + 1) * length)
    cells = ll.profile(data).cells if data else ()
    return Closed(window, tuple(replace(cell, window=window) for cell in cells))


@pytest.fixture(scope="module")
def reference() -> Profile:
    return reference_of(HOURS)


@pytest.fixture(scope="module")
def made(reference: Profile) -> Drift:
    return Drift(reference, every="1h", pause=lambda: None)


@pytest.fixture
def drift(made: Drift) -> Drift:
    made.forget()
    return made


def follow(drift: Drift, *windows: Closed) -> list[WindowVerdict | None]:
    return [drift.closed(window, 768) for window in windows]


def test_a_shift_is_one_event(drift: Drift) -> None:
    changed = [1.0 if 10 <= i < 13 else 0.0 for i in range(20)]
    verdicts = follow(
        drift,
        *(closed(HOURS + i, columns_of(400, 50 + i, shift=x)) for i, x in enumerate(changed)),
    )
    assert [v.verdict.value for v in verdicts if v] == [
        *["none"] * 10,
        *["drift"] * 3,
        *["none"] * 7,
    ]
    status = drift.status()
    assert (status.verdicts, status.events) == ({"none": 17, "drift": 3}, 1)
    assert status.event is None
    assert status.before is not None
    assert (status.before.windows, status.before.columns) == (3, ("x",))
    assert not status.before.ongoing
    assert status.columns["x"].verdict == "none"
    assert (status.length, status.budget) == ("1h", "1/week")
    assert status.threshold.calibrated


def test_an_event_under_way(drift: Drift) -> None:
    (verdict,) = follow(drift, closed(HOURS, columns_of(400, 3, missing=0.3)))
    assert verdict is not None
    status = drift.status()
    assert status.event == verdict.event
    assert status.event is not None
    assert status.event.ongoing
    assert status.columns["x"].what == "missing"
    assert status.columns["x"].sentence.startswith("drift: missing 2.")


def test_everything_can_be_written_as_json(drift: Drift) -> None:
    follow(drift, closed(HOURS, columns_of(400, 3, missing=0.3)))
    status = drift.status()
    assert status.last is not None
    text = json.dumps([status.to_dict(), status.last.to_dict()])
    assert '"length": "1h"' in text
    assert '"season": "hour of working days or of weekends"' in text


def test_rows_of_one_process_are_not_those_of_the_service(drift: Drift) -> None:
    """A worker that has seen a third of the rows, then none for some hours."""
    verdicts = follow(drift, *(closed(HOURS + i, columns_of(130, 70 + i)) for i in (0, 1, 2, 8, 9)))
    assert [v.verdict.value for v in verdicts if v] == ["none"] * 5
    judged = Drift(reference_of(40), every="1h", rows=True, budget="1/day", pause=lambda: None)
    (one,) = follow(judged, closed(40, columns_of(130, 1)))
    assert one is not None
    assert one.series[-2].sentence.startswith("drift: 130 rows, usually 400")


def test_few_rows_wait_for_more(drift: Drift) -> None:
    first, second, third = follow(
        drift, *(closed(HOURS + i, columns_of(45, 7 + i)) for i in range(3))
    )
    assert first is None
    assert second is None
    assert third is not None
    assert (third.rows, third.merged) == (135, 3)
    assert drift.status().waiting == 0
    follow(drift, closed(HOURS + 3, columns_of(45, 7)))
    assert drift.status().waiting == 45


def test_columns_that_are_missing_new_or_of_another_type(drift: Drift) -> None:
    data = columns_of(400, 3)
    data["kind"] = np.arange(400)
    data["other"] = np.arange(400)
    del data["n"]
    (verdict,) = follow(drift, closed(HOURS, data))
    assert verdict is not None
    assert verdict.findings == (
        "column 'n' of the reference is not logged",
        "column 'kind' is left out: its type is int64, in the reference string",
        "column 'other' is not in the reference",
    )
    assert verdict.verdict == "none"
    assert set(verdict.columns) == {"x"}
    assert drift.status().findings == verdict.findings
    # What was logged once and is gone is missing.
    whole = columns_of(400, 4)
    assert [v and v.verdict.value for v in follow(drift, closed(HOURS + 1, whole))] == ["none"]
    (lost,) = follow(drift, closed(HOURS + 2, data))
    assert lost is not None
    assert lost.columns["n"].sentence.startswith("drift: missing 0 % to 100 %")
    assert "kind" not in lost.columns


def test_ten_thousand_new_columns_are_told_in_a_hundred_lines(drift: Drift) -> None:
    data = {**columns_of(400, 3), **{f"new{i}": [1.0] * 400 for i in range(1_000)}}
    (verdict,) = follow(drift, closed(HOURS, data))
    assert verdict is not None
    assert len(verdict.findings) == 101
    assert verdict.findings[-1] == "and 900 more"


def test_nothing_in_a_window_raises(drift: Drift) -> None:
    infinite = columns_of(400, 3)
    infinite["x"] = np.full(400, np.inf)
    nothing = {name: pa.nulls(400) for name in ("x", "n", "kind")}
    odd = [
        closed(HOURS, {}),
        closed(HOURS + 1, infinite),
        closed(HOURS + 2, nothing),
        closed(HOURS + 3, {"z": [1] * 200}),
        closed(HOURS - 500, columns_of(400, 3)),  # the clock went back
        closed(HOURS + 60_000_000, columns_of(400, 3)),  # and forward
    ]
    verdicts = follow(drift, *odd)
    assert [v and v.verdict.value for v in verdicts] == [
        None,
        *("drift", "drift", "drift"),
        *("none", "none"),
    ]
    assert drift.status().errors == 0


def test_what_cannot_be_merged_is_counted(drift: Drift) -> None:
    """Two cells of one window whose types differ, as no monitor makes them."""
    one, other = (closed(HOURS, data) for data in (columns_of(60, 3), columns_of(60, 4)))
    (cell,) = other.held
    state = cell.states["x"]
    broken = replace(cell, segment=("b",), states={**cell.states, "x": replace(state, rows=60)})
    number, text = one.held[0], ll.profile({"x": ["a"] * 60}).cells[0]
    mixed = Closed(one.window, (number, replace(text, window=one.window, segment=("b",)), broken))
    assert follow(drift, mixed) == [None]
    status = drift.status()
    assert status.errors == 1
    assert "is double on one side and string on the other" in status.last_error


def test_a_child_begins_anew(drift: Drift) -> None:
    follow(
        drift, closed(HOURS, columns_of(400, 3, missing=0.3)), closed(HOURS + 1, columns_of(45, 1))
    )
    drift.forget()
    status = drift.status()
    assert (status.verdicts, status.events, status.event, status.last) == ({}, 0, None, None)
    assert status.waiting == 0


def test_minutes_are_judged_as_hours_against_hours(reference: Profile) -> None:
    drift = Drift(reference, every="15m", pause=lambda: None)
    assert drift.status().length == "1h"
    assert drift.status().notes == ("windows of 15m are joined and judged by 1h",)
    quarter = [
        closed(4 * HOURS + i, columns_of(100, 200 + i, shift=1.0 * (i >= 10)), length=15 * MINUTE)
        for i in range(2, 14)
    ]
    verdicts = follow(drift, *quarter)
    # The first hour began before the process did; the others end with their last quarter.
    assert [v and (v.label, v.rows, v.verdict.value) for v in verdicts] == [
        *[None] * 5,
        ("2026-01-13 01:00", 400, "none"),
        *[None] * 3,
        ("2026-01-13 02:00", 400, "drift"),
        *[None] * 2,
    ]
    assert drift.status().waiting == 200
    # A quarter is missing: the hour is ready when the next one begins.
    (late,) = follow(drift, closed(4 * HOURS + 16, columns_of(100, 1), length=15 * MINUTE))
    assert late is not None
    assert (late.label, late.rows) == ("2026-01-13 03:00", 200)


def test_minutes_by_themselves_if_asked_for(reference: Profile) -> None:
    drift = Drift(reference, every="15m", length="15m", pause=lambda: None)
    assert "are no measure for windows of 15m: fixed thresholds" in drift.status().notes[0]
    verdicts = follow(
        drift,
        *(
            closed(4 * HOURS + i, columns_of(1_000, i, shift=0.5 * i), length=15 * MINUTE)
            for i in range(2)
        ),
    )
    assert [v and v.verdict.value for v in verdicts] == ["none", "drift"]
    assert verdicts[0] is not None
    assert "assumes independent rows" in verdicts[0].columns["x"].sentence


@pytest.mark.parametrize(
    ("windows", "every", "own", "expected"),
    [
        (40, "1d", "1h", "1d"),
        (5, "1d", "1h", "1h"),  # too few days for the budget: nothing to wait for
        (40, "1w", "1h", "1h"),  # nobody waits a week
        (40, "1h", "25m", "25m"),  # 25 minutes do not add up to an hour
        (40, "1h", "1d", "1d"),
    ],
)
def test_what_is_judged_at_a_time(windows: int, every: str, own: str, expected: str) -> None:
    step = {"1h": HOUR, "1d": 24 * HOUR, "1w": 168 * HOUR}[every]
    reference = reference_of(windows, rows=120, step=step, every=every)
    assert Drift(reference, every=own).status().length == expected


def test_a_reference_in_a_file(reference: Profile, tmp_path: Path) -> None:
    reference.save(tmp_path / "reference.lead")
    status = Drift(tmp_path / "reference.lead", every="1h").status()
    assert isinstance(status, DriftStatus)
    assert status.threshold == Drift(reference, every="1h").status().threshold
    (tmp_path / "broken.lead").write_bytes(b"nothing")
    for name in ("broken.lead", "none.lead"):
        with pytest.raises(SnapshotError):
            Drift(tmp_path / name, every="1h")


def test_options_that_cannot_be_used(reference: Profile) -> None:
    cases: list[tuple[str, dict[str, Any]]] = [
        ("is not an alarm budget", {"budget": "seldom"}),
        ("cannot be judged by 15m, which is shorter", {"length": "15m"}),
        ("'y'", {"columns": ["y"]}),
        ("no role", {"roles": {"x": "y"}}),
        ("not a window length", {"length": "soon"}),
    ]
    for text, options in cases:
        with pytest.raises(InputError, match=text):
            Drift(reference, every="1h", **options)


def test_the_reference_does_not_stay_in_memory(reference: Profile) -> None:
    """No window's states are held but those of the merges, packed."""
    import gc
    import weakref

    whole = reference_of(60)
    cell = weakref.ref(whole.cells[30])
    drift = Drift(whole, every="1h")
    follow(drift, closed(60, columns_of(400, 1)))
    del whole
    gc.collect()
    assert cell() is None
    assert drift.status().last is not None


def test_beside_a_monitor() -> None:
    """Rows that are logged shifted are told; a callback that raises harms nobody."""
    random = np.random.default_rng(3)
    reference = ll.profile({"x": random.normal(size=5_000), "label": [True, False] * 2_500})
    drift = Drift(reference, every="200ms")
    told: list[WindowVerdict] = []

    def tell(verdict: WindowVerdict) -> None:
        told.append(verdict)
        raise RuntimeError("nobody is listening")

    with ll.Monitor("shifted", every="200ms", flush="100ms") as monitor:
        monitor.observe(DriftObserver(drift, tell))
        end = time.monotonic() + 20
        while time.monotonic() < end and len(told) < 2:
            for x in random.normal(1.0, 1.0, 200).tolist():
                monitor.log({"x": x})
            time.sleep(0.05)
        errors = monitor.status().errors
    assert [verdict.verdict for verdict in told[:2]] == ["drift", "drift"]
    assert told[0].findings == ("column 'label' of the reference is not logged",)
    assert drift.status().events == 1
    assert errors["closed window"] >= 1
    DriftObserver(drift).forget()
    assert drift.status().last is None
