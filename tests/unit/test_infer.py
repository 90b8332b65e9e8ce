"""What is inferred of columns that hold infinities, flags, or nothing."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

import leadline as ll
from leadline.policy import Policy, Rule

ROWS = 20_000
RANDOM = np.random.default_rng(6)
NORMAL = RANDOM.normal(0, 1, ROWS)


def inferred(**columns: object) -> Policy:
    return ll.infer(ll.profile(pa.table(columns)))


def rule(policy: Policy, place: str) -> Rule:
    (found,) = (each for each in policy.rules if each.place == place)
    return found


def keys(policy: Policy, column: str) -> list[str]:
    return [each.key for each in policy.rules if each.place.startswith(f"[columns.{column}")]


def with_infinities(count: int) -> np.ndarray:
    values = NORMAL.copy()
    values[:count] = [math.inf, -math.inf] * (count // 2)
    return values


def test_infinities_that_are_there_have_a_bound() -> None:
    policy = inferred(x=with_infinities(200), y=NORMAL)
    found = rule(policy, "[columns.x] infinities").requirement
    # Of 1 %, twice as many and 10 of 20,000 more.
    assert found is not None
    assert (found.low, found.high) == (None, 0.0205)
    assert rule(policy, "[types.float] infinities").requirement is not None
    assert {"shares", "distinct", "quantiles"} <= set(keys(policy, "x"))
    ends = rule(policy, "[columns.x] shares").requirement
    assert ends is not None
    assert ends.low == pytest.approx(1 - 0.0205 - 0.005)
    for count, fails in ((200, []), (400, []), (900, ["infinities", "shares"])):
        result = ll.check(ll.profile({"x": with_infinities(count), "y": NORMAL}), policy)
        assert [v.rule for v in result.violations] == fails


def test_mostly_infinite_values_have_a_lower_bound() -> None:
    policy = inferred(x=np.full(ROWS, math.inf))
    found = rule(policy, "[columns.x] infinities").requirement
    assert found is not None
    assert (found.low, found.high) == (0.9945, None)
    assert "[types.float] infinities" not in {each.place for each in policy.rules}
    assert not ll.check(ll.profile({"x": np.full(ROWS, math.inf)}), policy).violations
    changed = ll.check(ll.profile({"x": NORMAL}), policy)
    assert [v.rule for v in changed.violations] == ["infinities"]


@pytest.mark.parametrize("kind", ["bool", "integer"])
def test_flags_have_their_values_and_a_band(kind: str) -> None:
    def flags(share: float, rows: int = ROWS) -> np.ndarray:
        found = RANDOM.permutation(np.arange(rows) < share * rows)
        return found if kind == "bool" else found.astype(int)

    policy = inferred(x=flags(0.2))
    values = rule(policy, "[columns.x] values").requirement
    assert values is not None
    assert values.argument == ((False, True) if kind == "bool" else (0, 1))
    band = rule(policy, "[columns.x.warning] mean").requirement
    # Odds of 1 to 4, from 1 to 8 to 1 to 2; wider than 4 deviations of 1,000 rows (.0546).
    assert band is not None
    assert (band.low, band.high) == (0.111, 0.334)
    for share, fails in ((0.2, []), (0.15, []), (0.4, ["mean"]), (0.05, ["mean"])):
        result = ll.check(ll.profile({"x": flags(share, 1_000)}), policy)
        assert [v.rule for v in result.violations] == fails
    constant = ll.check(ll.profile({"x": flags(0.0, 1_000)}), policy)
    assert [v.rule for v in constant.violations] == ["distinct", "mean"]


def test_rare_flags_may_be_absent() -> None:
    policy = inferred(x=np.arange(ROWS) < 100)
    assert "distinct" not in keys(policy, "x")
    assert not ll.check(ll.profile({"x": np.zeros(1_000, bool)}), policy).violations


def test_constant_flags() -> None:
    policy = inferred(x=np.ones(ROWS, bool))
    found = rule(policy, "[columns.x] values").requirement
    assert found is not None
    assert found.argument == (True,)
    result = ll.check(ll.profile({"x": np.arange(ROWS) > 0}), policy)
    assert [v.rule for v in result.violations] == ["values"]


@pytest.mark.parametrize("kind", [pa.null(), pa.float64(), pa.string(), pa.timestamp("us")])
def test_a_column_without_values_says_so(kind: pa.DataType) -> None:
    table = {"x": pa.array([None] * ROWS, kind), "y": pa.array(NORMAL)}
    policy = inferred(**table)
    found = rule(policy, "[columns.x.warning] completeness").requirement
    assert found is not None
    assert (found.low, found.high) == (None, 0)
    again = ll.check(ll.profile(pa.table(table)), Policy.parse(policy.to_toml()))
    assert not again.violations
    assert not again.undecided
    values = pa.array([None] * (ROWS - 1) + [1]).cast(kind) if kind != pa.null() else None
    if values is not None:
        changed = ll.check(ll.profile(pa.table(table | {"x": values})), policy)
        assert [(v.rule, v.severity.value) for v in changed.violations] == [
            ("completeness", "warning")
        ]


def test_no_rows_in_the_reference_are_allowed_then() -> None:
    empty = ll.profile(pa.table({"x": pa.array([], pa.float64())}))
    policy = ll.infer(empty)
    assert not ll.check(empty, policy).failed()
