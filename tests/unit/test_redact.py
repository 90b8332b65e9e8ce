"""Redaction: no raw value of a named column in the decompressed bytes, and sound states."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

import leadline as ll
import snapshot_cases as cases
from leadline import snapshot
from leadline._native import Storage
from leadline.profile import Cell, LineageEntry, Profile, SchemaEvent
from leadline.profile.summaries import NumericSummary, TextSummary, TimestampSummary
from leadline.sketch.keys import from_keys
from leadline.snapshot.redact import hash_text, replaced_numbers

NAMES = tuple(column.name for column in cases.COLUMNS)
ALL = dataclasses.replace(cases.SETTINGS, redacted=(*NAMES, "shop"))


def redacted(*cells: Cell, **settings: object) -> Profile:
    chosen = dataclasses.replace(ALL, **settings)  # type: ignore[arg-type]
    return snapshot.decode(snapshot.encode(cases.profile(*cells, settings=chosen)))


def raw_bytes(profile: Profile) -> bytes:
    return cases.decompressed(snapshot.encode(profile))


# --- what is hidden ------------------------------------------------------------------------------


@pytest.mark.parametrize("sketched", [False, True])
def test_no_raw_value_is_left(sketched: bool) -> None:
    secrets = {2**53 + 12_345: 1, 987_654_321_123: 2, 555_444_333: 3}
    age = cases.number("age", secrets)
    amount = cases.number("amount", {1234.5678: 2, -98765.4321: 1, 3.14159: 3})
    seen = cases.number("seen", {17 * cases.DAY + 12_345_678_901: 6})
    if sketched:
        age, amount, seen = map(cases.sketched, (age, amount, seen))
    country = cases.text({b"Secretland": 5, b"Hidden" * 60: 1})
    cell = Cell(
        None, ("Secretshop", 2), 6, {s.column.name: s for s in (amount, age, seen, country)}
    )
    profile = cases.profile(cell, settings=ALL)
    open_, closed = (
        raw_bytes(dataclasses.replace(profile, settings=s)) for s in (cases.SETTINGS, ALL)
    )
    for secret in (b"Secretland", b"HiddenHidden", b"Secretshop"):
        assert secret in open_
        assert secret not in closed
    numbers = [np.int64(value) for value in secrets] + [np.float64(1234.5678), np.float64(3.14159)]
    numbers.append(np.int64(17 * cases.DAY + 12_345_678_901))
    for value in numbers:
        assert value.tobytes() not in closed
    back = snapshot.decode(snapshot.encode(profile))
    assert back["age"].min == 2**29 + 8 * 2**21  # 555,444,333 to 9 significant binary digits
    assert back["age"].max == 2**53
    assert back["amount"].min == -98_560.0
    assert back["country"].top[0] == (hash_text(b"Secretland").decode(), 5)


def test_segments_folders_and_events_are_hidden_too() -> None:
    profile = dataclasses.replace(
        cases.profile(cases.small_cell(0, "Secretshop"), settings=ALL),
        lineage=(LineageEntry("year=2026/shop=Secretshop/a.parquet", 1, 6, "ab"),),
        events=(SchemaEvent("age", "shop=Secretshop/b.parquet", "widened"),),
    )
    back = snapshot.decode(snapshot.encode(profile))
    digest = hash_text(b"Secretshop").decode()
    assert back.cells[0].segment == (digest, 2)
    assert back.lineage[0].name == f"year=2026/shop={digest}/a.parquet"
    assert back.events[0].source == f"shop={digest}/b.parquet"
    assert b"Secretshop" not in raw_bytes(profile)


def test_other_columns_stay_as_they_are() -> None:
    profile = cases.profile(settings=dataclasses.replace(cases.SETTINGS, redacted=("country",)))
    back = snapshot.decode(snapshot.encode(profile))
    for cell, original in zip(back.cells, profile.cells, strict=True):
        for name, state in original.states.items():
            same = cases.described(cell.states[name]) == cases.described(state)
            assert same == (name != "country")


# --- the rules -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "storage", "expected"),
    [
        # 1,023 = 0b1111111111 has ten digits: the last is dropped
        ([0, 1, 511, 512, 1_023, -1_023], Storage.INT64, [0, 1, 511, 512, 1_022, -1_022]),
        ([-(2**63), 2**63 - 1], Storage.INT64, [-(2**63), 511 * 2**54]),
        ([2**64 - 1, 7], Storage.UINT64, [511 * 2**55, 7]),
        ([1.0, 1.005, -1.005], Storage.FLOAT64, [1.0, 1.00390625, -1.00390625]),
        ([0.0, np.inf, -np.inf], Storage.FLOAT64, [0.0, np.inf, -np.inf]),
        ([1e-323, -1e-323], Storage.FLOAT64, [5e-324, -5e-324]),
    ],
)  # fmt: skip
def test_numbers_become_bucket_edges(
    values: list[float], storage: Storage, expected: list[float]
) -> None:
    array = np.array(values, dtype=storage.dtype)
    assert replaced_numbers(array, storage).tolist() == expected


def test_a_redacted_column_is_as_if_its_numbers_had_been_replaced(
    random: np.random.Generator,
) -> None:
    values = np.unique(random.normal(0, 1e6, 3_000))
    state = cases.sketched(cases.number("amount", dict.fromkeys(values.tolist(), 1)))
    found = redacted(Cell(None, ("a", 1), len(values), {"amount": state})).cells[0].states["amount"]
    edges, counts = np.unique(replaced_numbers(values, Storage.FLOAT64), return_counts=True)
    as_if = cases.number("amount", dict(zip(edges.tolist(), counts.tolist(), strict=True)))
    wanted = cases.sketched(as_if).summary
    summary = found.summary
    assert isinstance(summary, NumericSummary)
    assert isinstance(wanted, NumericSummary)
    assert summary.histogram == wanted.histogram
    assert summary.distinct == wanted.distinct
    assert cases.described(summary.moments) == cases.described(wanted.moments)
    assert summary.quantiles is not None
    items = from_keys(summary.quantiles.items, Storage.FLOAT64)
    assert set(items.tolist()) <= set(edges.tolist())
    assert (summary.minimum, summary.maximum) == (edges[0], edges[-1])


def test_exact_counts_that_no_longer_fit_become_sketches() -> None:
    # 65,536 integers just fit; the smallest moves down by 4,095 and the range is too wide.
    start = 2**20 + 2**12 - 1
    state = cases.number("age", dict.fromkeys(range(start, start + 65_536), 1))
    cell = Cell(None, ("a", 1), 65_536, {"age": state})
    summary = redacted(cell).cells[0].states["age"].summary
    assert isinstance(summary, NumericSummary)
    assert summary.counts is None
    assert summary.minimum == 2**20
    assert summary.total == 65_536


def test_instants_become_midnights() -> None:
    day = cases.DAY
    exact = cases.number("seen", {3 * day + 5: 2, 3 * day + 9: 1, -1: 1})
    cell = Cell(None, ("a", 1), 4, {"seen": exact})
    summary = redacted(cell).cells[0].states["seen"].summary
    assert isinstance(summary, TimestampSummary)
    assert summary.counts is not None
    assert summary.counts.values.tolist() == [-day, 3 * day]
    assert summary.counts.counts.tolist() == [1, 3]
    large = redacted(cases.large_cell(1)).cells[0].states["seen"].summary
    assert isinstance(large, TimestampSummary)
    assert (large.minimum, large.maximum) == (day, day)
    assert large.calendar is not None
    assert large.calendar.hours.tolist() == [1_000] + [0] * 23
    assert large.quantiles is not None
    assert set(from_keys(large.quantiles.items, Storage.INT64).tolist()) == {day}
    first = cases.number("seen", {-(2**63): 1})
    cell = Cell(None, ("a", 1), 1, {"seen": first})
    assert redacted(cell)["seen"].rows == 1


def test_texts_become_hashes_and_keep_their_lengths() -> None:
    raw = cases.large_cell().states["country"].summary
    found = redacted(cases.large_cell()).cells[0].states["country"].summary
    assert isinstance(raw, TextSummary)
    assert isinstance(found, TextSummary)
    assert sorted(found.counts.keys) == sorted(map(hash_text, raw.counts.keys))
    assert found.counts.top(1) == [(hash_text(b"DE"), 60)]
    assert (found.lengths, found.classes) == (raw.lengths, raw.classes)
    assert found.distinct == raw.distinct
    small = redacted(cases.small_cell()).cells[0].states["country"].summary
    assert isinstance(small, TextSummary)
    assert small.empty == 1
    assert (small.lengths.minimum, small.lengths.maximum) == (1, 2)


def test_writing_again_changes_nothing() -> None:
    once = redacted()
    assert all(column.redacted for column in once.columns)
    assert snapshot.encode(once) == snapshot.encode(snapshot.decode(snapshot.encode(once)))
    assert cases.described(snapshot.redact(once)) == cases.described(once)
    assert snapshot.redact(cases.small_profile()).settings.redacted == ()


def test_journals_are_redacted(tmp_path: Path) -> None:
    path = tmp_path / "a.lead"
    with snapshot.JournalWriter(path, columns=cases.COLUMNS, settings=ALL, sync=False) as journal:
        journal.append(cases.small_cell(0, "Secretshop"))
        journal.append(cases.small_cell(0, "Secretshop"))
    profile = snapshot.read(path)
    assert profile.rows == 12
    assert profile["country"].top[0] == (hash_text(b"DE").decode(), 6)
    assert b"Secretshop" not in cases.decompressed(path.read_bytes())
    assert json.loads(profile.settings.to_json())["redacted"] == [*NAMES, "shop"]


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("large", [False, True])
def test_raw_parts_merged_into_redacted_ones_are_hidden_when_written(
    order: int, large: bool
) -> None:
    cell = cases.large_cell(0) if large else cases.small_cell(0)
    cell = dataclasses.replace(cell, segment=("north", 2))
    closed = redacted(dataclasses.replace(cell, segment=("Secretshop", 2)), cell)
    raw = dataclasses.replace(cases.profile(cell, settings=ALL), lineage=())
    assert not raw.columns[0].redacted
    first, second = (closed, raw)[::order]
    back = snapshot.decode(snapshot.encode(first.merge(second)))
    assert all(column.redacted for column in back.columns)
    assert back.rows == 3 * cell.rows
    assert len(back.cells) <= 3
    for one in back.cells:
        again = snapshot.redact(dataclasses.replace(back, cells=(one,)))
        assert cases.described(again.cells[0]) == cases.described(one)
        text = one.states["country"].summary
        assert isinstance(text, TextSummary)
        assert all(len(key) == 32 for key in text.counts.keys)


def test_redacted_and_raw_columns_do_not_merge() -> None:
    raw, hidden = ll.profile({"x": [1]}), ll.profile({"x": [1]}, redact=["x"])
    for a, b in ((raw, hidden), (hidden, raw)):
        with pytest.raises(ll.ComparisonError, match="column 'x' is redacted on one side only"):
            a.merge(b)
    both = hidden.merge(ll.profile({"y": [2]}))
    assert both.settings.redacted == ("x",)


def test_quantiles_of_redacted_numbers_enclose_the_raw_ones() -> None:
    values = np.random.default_rng(11).lognormal(0, 2, 400) * np.where(np.arange(400) % 3, 1, -1)
    for raw in (values, values * 1e6, np.round(values * 1e3)):
        column = ll.profile({"x": raw}, redact=["x"])["x"]
        assert not column.to_dict()["exact"]
        for share in (0.0, 0.01, 0.3, 0.5, 0.9, 1.0):
            true = np.quantile(raw, share, method="inverted_cdf")
            estimate = column.quantile(share)
            assert estimate.lower <= true <= estimate.upper, share
