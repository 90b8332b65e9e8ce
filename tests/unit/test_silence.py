"""What a comparison or a check must not pass over in silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from leadline.compare import Verdict, compare
from leadline.compare.history import History, joined_windows
from leadline.errors import PolicyError
from leadline.policy import Policy, check
from leadline.profile import Profile
from leadline.scan import profile

RANDOM = np.random.default_rng(99)
TABLE = {"a": RANDOM.normal(0, 1, 2_000), "b": RANDOM.normal(0, 1, 2_000)}
DRIFT = "version = 1\n[drift]\nks = 0.05\n"


def policy(tmp_path: Path, text: str) -> Policy:
    file = tmp_path / "policy.toml"
    file.write_text(text, encoding="utf-8")
    return Policy.read(file)


def test_a_lost_column_whose_drift_counts_fails_a_check(tmp_path: Path) -> None:
    whole, part = profile(TABLE), profile({"a": TABLE["a"]})
    found = check(part, policy(tmp_path, DRIFT), reference=whole)
    lost = [outcome for outcome in found.outcomes if outcome.column == "b"]
    assert [(one.status, one.reason) for one in lost] == [
        ("fail", "the column is only in the reference")
    ]
    optional = policy(tmp_path, DRIFT + "[columns.b]\nrequired = false\n")
    passed = check(part, optional, reference=whole)
    assert {one.status for one in passed.outcomes if one.column == "b"} == {"pass"}


def test_a_check_that_checks_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="checks nothing here; give a reference"):
        check(profile(TABLE), policy(tmp_path, DRIFT))


@pytest.mark.parametrize("role", ["prediction", "score", "label"])
def test_a_lost_prediction_leaves_no_good_verdict(role: str) -> None:
    whole = profile(TABLE, roles={"b": role})
    result = compare(whole, profile({"a": TABLE["a"]}))
    assert result["a"].verdict == "none"
    assert result.verdict == "not comparable"
    assert compare(profile(TABLE), profile({"a": TABLE["a"]})).verdict == "none"  # a feature


def test_one_infinite_value_does_not_hide_a_shift() -> None:
    moved = TABLE["a"] + 5
    moved[0] = np.inf
    found = compare(
        profile({"x": TABLE["a"]}), profile({"x": moved}), thresholds={"statistic": "wasserstein"}
    )["x"].values
    assert found.effect is not None
    assert (found.verdict, found.effect.name) == (Verdict.DRIFT, "ks")


def days(present: list[int], rows: int = 150) -> Profile:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    times = [start + timedelta(days=day, seconds=row) for day in present for row in range(rows)]
    return profile({"ts": times, "x": RANDOM.normal(0, 1, len(times))}, time="ts", every="1d")


def test_windows_are_not_joined_across_gaps() -> None:
    holes = days([0, 1, 2, 4, 5, 6, 7, 9, 11])
    spans = [(w.end - w.start) // 86_400_000_000 for w in History.of(holes, joined=3).windows]  # type: ignore[operator]
    assert spans == [3, 3]
    assert joined_windows(holes, days([0, 1, 2])) == 3
    assert joined_windows(holes, days([0, 10, 20])) == 0


def test_rows_on_both_sides_are_named(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(TABLE), tmp_path / "a.parquet")
    side = profile(tmp_path / "a.parquet")
    assert any(
        "both sides hold rows of 'a.parquet'" in text for text in compare(side, side).warnings
    )
    other = replace(side, lineage=())
    assert not any("both sides" in text for text in compare(side, other).warnings)


def test_a_rare_share_that_tripled_is_ranked_by_its_factor() -> None:
    rare, common = np.zeros(100_000), RANDOM.normal(0, 1, 100_000)
    before, now = rare.copy(), rare.copy()
    before[:100], now[:800] = 1, 1
    result = compare(
        profile({"fraud": before, "x": common}), profile({"fraud": now, "x": common + 0.2})
    )
    fraud = result["fraud"].values
    assert fraud.verdict == "drift"
    assert fraud.factor == pytest.approx(8.0)
    assert fraud.excess == pytest.approx(3.0)  # doubled three times over
    assert result.ranking[0].column.name == "fraud"
