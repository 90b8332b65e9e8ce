"""Columns that were added, lost, renamed or retyped between two profiles."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

import leadline as ll
from leadline.compare.schema_changes import SchemaChange, renamed_columns, schema_changes


def changes(before: dict[str, object], now: dict[str, object]) -> list[SchemaChange]:
    a, b = (ll.profile(pa.table({k: pa.array(v) for k, v in t.items()})) for t in (before, now))
    return list(schema_changes({n: a[n] for n in a}, {n: b[n] for n in b}))


def test_added_missing_and_retyped(random: np.random.Generator) -> None:
    numbers = random.normal(0, 1, 500)
    found = changes(
        {"a": numbers, "gone": numbers, "code": np.arange(500, dtype=np.int32)},
        {"a": [str(x) for x in numbers], "new": ["x"] * 500, "code": np.arange(500)},
    )
    assert [(each.kind.value, each.column) for each in found] == [
        ("retyped", "a"),
        ("retyped", "code"),
        ("missing", "gone"),
        ("added", "new"),
    ]
    assert [each.mergeable for each in found[:2]] == [False, True]
    assert str(found[0]) == "'a' was double and is string"
    assert str(found[2]) == "'gone' is missing (it was double)"
    assert str(found[3]) == "'new' is new (string)"


def test_a_renamed_column_is_found_by_its_distribution(random: np.random.Generator) -> None:
    before = {"age": random.normal(40, 10, 2_000), "id": random.integers(0, 9, 2_000)}
    now = {
        "id": random.integers(0, 9, 2_000),
        "height": random.normal(170, 10, 2_000),
        "customer_age": random.normal(40, 10, 2_000),
    }
    (renamed, added) = changes(before, now)
    assert (renamed.kind.value, renamed.before, renamed.now) == ("renamed", "age", "customer_age")
    assert renamed.likeness is not None
    assert 0.93 < renamed.likeness < 1  # ks of two samples of 2,000 is about .03
    assert str(renamed).startswith("'age' seems to be 'customer_age' now: 9")
    assert (added.kind.value, added.column) == ("added", "height")


def test_names_decide_between_equal_distributions() -> None:
    flags = [0, 1] * 100
    found = changes({"is_new": flags, "is_old": flags}, {"old": flags, "new": flags})
    assert {(each.before, each.now) for each in found} == {("is_new", "new"), ("is_old", "old")}


def test_few_values_are_alike_by_chance() -> None:
    found = changes({"a": [1, 2, 3]}, {"b": [1, 2, 3]})
    assert [each.kind.value for each in found] == ["missing", "added"]


def test_missing_shares_count_for_likeness() -> None:
    full, half = [1.5] * 200, [1.5, None] * 100
    assert [each.kind.value for each in changes({"a": full}, {"b": half})] == ["missing", "added"]


def test_identifiers_are_alike_by_form() -> None:
    before = {"user": [f"u-{i:05d}" for i in range(400)]}
    now = {"user_id": [f"u-{i:05d}" for i in range(9_000, 9_400)], "note": ["Good day!"] * 400}
    found = changes(before, now)
    assert (found[0].before, found[0].now) == ("user", "user_id")


def test_another_table_is_no_table_of_renamed_columns() -> None:
    a, b = (ll.profile({f"{side}{i}": [1] * 100 for i in range(101)}) for side in "ab")
    assert renamed_columns({n: a[n] for n in a}, {n: b[n] for n in b}) == []
