"""The benchmark of verdicts: its arithmetic against SciPy's, its verdicts against `compare`."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

import leadline as ll
from benchmarks.verdicts import alarms, beside, billion, pages, power, run
from benchmarks.verdicts.bounds import Share, clopper_pearson, percent
from benchmarks.verdicts.laws import CONTINUOUS, LAWS, STEPPED, Law, geometric, zipf
from benchmarks.verdicts.pairs import (
    groups_of,
    pairs_of,
    profile_of,
    table_of,
    verdict_among,
    verdicts_of,
)
from benchmarks.verdicts.shifts import amount_of, distance

BY_NAME = {law.name: law for law in LAWS}
EVERY = [pytest.param(law, id=law.name) for law in CONTINUOUS + STEPPED]


@pytest.mark.parametrize(("count", "trials"), [(0, 10), (10, 10), (3, 20_000), (140, 20_000)])
def test_intervals_are_clopper_and_pearsons(count: int, trials: int) -> None:
    found = stats.binomtest(count, trials).proportion_ci(0.99, "exact")
    assert clopper_pearson(count, trials) == pytest.approx((found.low, found.high), abs=1e-12)


def test_a_promise_is_refuted_by_the_lower_bound_and_shown_by_the_upper_one() -> None:
    share = Share(30, 20_000)  # .08 to .25 %
    assert share.at_most(0.001)
    assert not share.surely_at_most(0.001)
    assert share.surely_at_most(0.003)
    assert not share.at_most(0.0008)
    assert not Share(100, 100).surely_at_least(0.99)  # the interval begins at 94.8 %
    assert Share(10_000, 10_000).surely_at_least(0.99)


def test_shares_are_printed_in_per_cent() -> None:
    shares = (0.0, 0.00002, 0.001, 0.0123, 0.25, 0.9934, 1.0)
    assert [percent(share) for share in shares] == [
        "0", ".002", ".1", "1.23", "25", "99.34", "100",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "amount"),
    [
        ("N(0, 1)", 2 * stats.norm.ppf(0.54)),
        ("N(100, 1)", 2 * stats.norm.ppf(0.54)),
        ("lognormal(3)", 2 * stats.norm.ppf(0.54)),
        ("10,000 + lognormal(1.5)", 2 * stats.norm.ppf(0.54)),
        ("Student t(1)", 2 * math.tan(0.04 * math.pi)),
    ],
)
def test_the_shift_with_a_distance_has_a_closed_form(name: str, amount: float) -> None:
    assert amount_of(BY_NAME[name], 0.08) == pytest.approx(amount, abs=1e-6)


@pytest.mark.parametrize("law", EVERY)
def test_drawn_rows_are_as_far_apart_as_was_solved(law: Law) -> None:
    amount = amount_of(law, 0.08)
    assert distance(law, amount) == pytest.approx(0.08, abs=1e-9)
    random = np.random.default_rng(5)
    sides = [np.asarray(law.column(random, 400_000, change)) for change in (0.0, amount)]
    # A distance of samples leaves the true one by at most both Dvoretzky margins.
    assert stats.ks_2samp(*sides, method="asymp").statistic == pytest.approx(0.08, abs=0.006)


def test_categories_move_a_tenth_of_the_rows() -> None:
    for weights in (zipf(5, 0.0), geometric(40), zipf(700, 1.1)):
        for _, changed in power._variations(weights):
            assert changed.min() > 0
            assert changed.sum() == pytest.approx(1)
            assert np.abs(weights - changed).sum() / 2 == pytest.approx(0.1, rel=0.02)


def mixed(random: np.random.Generator, amount: float) -> pa.Table:
    """Columns of every law, some of which change."""
    columns = [
        law.column(random, 2_000, amount if place % 3 == 0 else 0.0)
        for place, law in enumerate(LAWS)
    ]
    return pa.table({f"c{i}": column for i, column in enumerate(columns)})


@pytest.mark.parametrize("amount", [0.0, 0.15, 0.3, 2.0])
def test_verdicts_are_those_of_compare(amount: float) -> None:
    random = np.random.default_rng(6)
    tables = [mixed(random, change) for change in (0.0, amount)]
    sides = [profile_of(table) for table in tables]
    pairs = pairs_of(*sides)
    assert verdicts_of(pairs) == [column.verdict for column in ll.compare(*sides)]
    for name, pair in zip(sides[0].names, pairs, strict=True):
        alone = ll.compare(*(profile_of(table.select([name])) for table in tables))
        assert verdicts_of([pair]) == [verdict_among(pair, 0)] == [alone[name].verdict]


def test_groups_are_families_without_remainder() -> None:
    pairs = pairs_of(*(profile_of(table_of(CONTINUOUS[0], r, 200, 6)) for r in generators(2)))
    assert [len(group) for group in groups_of(pairs, 3)] == [3, 3]


def generators(count: int) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in range(count)]


def test_false_alarms_are_counted_for_every_family(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarms, "WIDTH", 100)
    monkeypatch.setattr(alarms, "FAMILIES", (1, 10, 100))
    monkeypatch.setattr(pages, "FAMILIES", (1, 10, 100))
    laws = (BY_NAME["N(0, 1)"], BY_NAME["N(0, 1), 1 % null"])
    found = alarms.run(alarms.Plan(1_000, 200, unequal=True), laws)
    for side in ("equal", "unequal"):
        for law in laws:
            for family, counts in found[side][law.name]["families"].items():
                assert counts["families"] == 200 // int(family)
                verdicts = (counts.get(each, 0) for each in pages.VERDICTS)
                assert sum(verdicts) == 200
            sizes = found[side][law.name]["sizes"]
            assert sizes["judged: ks"][0] == 200
            assert sizes["ks"][0] == 20
    tables = pages.tables({"alarms-1000": found | {"conditions": CONDITIONS}})
    assert tables["alarms"][2].startswith("| N(0, 1) | 1,000 | 1,000 | 0, 0, 0 | 0 (0 to ")
    assert set(tables) == {"promise", "alarms", "unequal", "sizes", "conditions"}


CONDITIONS = {"seconds": 1, "others": 0.0, "commit": "-", "machine": "-", "libraries": {}}


def test_a_change_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power, "changes", lambda: [power._shift(CONTINUOUS[0], 0.4)])
    found = power.run(5)
    assert found["changes"][0]["counts"] == {"0": {"drift": 5}, "999": {"drift": 5}}
    assert "| 0.4 sigma | ks 0.1585 | 10,000 | 100 (" in pages.power_table(found)[2]


def test_a_small_change_of_many_rows_is_negligible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(billion, "LAWS", CONTINUOUS[:1])
    monkeypatch.setattr(billion, "AMOUNT", 0.03)
    found = billion.run(1)["laws"][0]
    assert (found["verdict"], found["rule"]) == ("none", "negligible")
    assert abs(found["z"] - 0.03 * math.sqrt(500_000)) < 4
    assert found["ks"][0] == pytest.approx(0.012, abs=0.003)


def test_peers_see_the_same_rows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(beside, "PEERS", ("leadline", "scipy"))
    law = BY_NAME["N(100, 1)"]
    cells = [
        beside.Cell("alarms", law.name, law, 1_000, 0.0, (1,)),
        beside.Cell("power", "half a sigma", law, 1_000, 0.5, (2,)),
    ]
    found = beside.run(cells, 5, tmp_path)
    assert [cell["alarms"]["leadline"]["drift"] for cell in found["cells"]] == [0, 5]
    assert found["cells"][1]["alarms"]["scipy"] == {"p <= .05": 5}
    parts = {"beside-1000": found, "beside-power": found | {"cells": found["cells"][1:]}}
    tables = pages.tables({name: part | {"conditions": CONDITIONS} for name, part in parts.items()})
    assert tables["beside-power"][-1] == "| half a sigma | 1,000 | 5 | 5 | 5 |"
    assert tables["beside-alarms"][-1].startswith("| **all, %** | 1,000 | 50 (12.8 to 87.2) |")


def test_the_page_has_a_place_for_every_table() -> None:
    text = pages.PAGE.read_text(encoding="utf-8")
    names = (
        "promise", "alarms", "unequal", "power", "billion", "sizes", "beside-alarms",
        "beside-power", "conditions",
    )  # fmt: skip
    assert all(text.count(f"<!-- measured: {name} -->") == 1 for name in names)


def test_a_part_is_named_alone_or_by_its_kind(tmp_path: Path) -> None:
    known = run.parts(run.QUICK, (1_000, 100_000), tmp_path)
    assert run.wanted([], known) == list(known)
    assert run.wanted(["beside-power"], known) == ["beside-power"]
    assert run.wanted(["power", "alarms-100000"], known) == ["alarms-100000", "power"]
    assert run.wanted(["alarms"], known) == ["alarms-1000", "alarms-100000"]
    with pytest.raises(ValueError, match="no part 'alarms-10000' of alarms-1000, "):
        run.wanted(["alarms-10000"], known)
