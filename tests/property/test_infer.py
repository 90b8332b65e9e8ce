"""What is inferred from any profile can be written, read, and holds for that profile."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import leadline as ll
from leadline.policy import Policy, Status
from strategies import COLUMNS

ROLES = st.sampled_from(["feature", "id", "label", "score", "timestamp", "kpi"])


def require_own_rules(table: pa.Table, **options: object) -> Policy:
    profile = ll.profile(table, **options)  # type: ignore[arg-type]
    inferred = ll.infer(profile)
    policy = Policy.parse(inferred.to_toml())
    assert policy == inferred
    result = ll.check(profile, policy)
    assert [outcome.reason for outcome in result.outcomes if outcome.status is Status.FAIL] == []
    assert [outcome.reason for outcome in result.undecided] == []
    if profile.rows:  # of no rows there is no drift to judge, which fails
        drift = ll.check(profile, policy, reference=profile)
        assert [each.reason for each in drift.outcomes if each.status is Status.FAIL] == []
    return policy


@given(st.data(), st.sampled_from(sorted(COLUMNS)), st.sampled_from([1, 7, 60]), ROLES)
def test_any_column(data: st.DataObject, kind: str, repeats: int, role: str) -> None:
    column = data.draw(COLUMNS[kind])
    rows = pa.chunked_array([column] * repeats, type=column.type)
    require_own_rules(pa.table({"x": rows}), roles={"x": role})


@pytest.mark.parametrize(
    "values",
    [
        np.array([1.7e308, -1.7e308] * 600 + [0.0, 1.0, 2.0] * 10),
        np.linspace(1.79e308, 1.7976931348623157e308, 3_000),
        np.linspace(5e-324, 1e-320, 1_500),
        np.arange(2**64 - 3_000, 2**64, dtype=np.uint64),
        np.arange(-(2**63), -(2**63) + 3_000),
        np.append(np.arange(3_000.0), np.inf),
        np.append(np.zeros(5_000), 1e300),
        np.random.default_rng(1).normal(1.7e9, 10, 5_000),
        np.random.default_rng(1).normal(0, 1, 5_000).astype(np.float32),
        np.arange(20_000).astype("datetime64[D]"),
        np.arange(20_000).astype("datetime64[ns]"),
    ],
    ids=range(11),
)
def test_ends_of_the_number_line(values: np.ndarray) -> None:
    require_own_rules(pa.table({"x": values}))


def test_texts_of_every_kind(random: np.random.Generator) -> None:
    rows = 12_000
    table = pa.table(
        {
            "ids": [f"u{i}" for i in random.permutation(rows)],
            "zipf": [f"k{i}" for i in random.zipf(1.2, rows)],
            "few": random.choice(["a", 'quote"', "new\nline", "\x00", ""], rows),
            "long": ["x" * 300, "y"] * (rows // 2),
            "bytes": pa.array([b"\xff", b"ok"] * (rows // 2), pa.binary()),
            "constant": ["same"] * rows,
            "rare": ["common"] * (rows - 1) + ["once"],
        }
    )
    policy = require_own_rules(table)
    keys = {rule.place for rule in policy.rules}
    assert {"[columns.few] values", "[columns.ids] uniqueness", "[columns.zipf] length"} <= keys
    assert "[columns.long] values" not in keys
    assert not {place for place in keys if place.startswith("[columns.bytes] values")}


def unchanged(random: np.random.Generator, rows: int) -> pa.Table:
    """Columns of many shapes, the same at every call but for chance."""
    normal = random.normal(0, 1, rows)
    return pa.table(
        {
            "normal": normal,
            "N(100,1)": 100 + random.normal(0, 1, rows),
            "lognormal(3)": random.lognormal(0, 3, rows),
            "t(1)": random.standard_t(1, rows),
            "zeros": np.where(random.random(rows) < 0.7, 0, random.exponential(5, rows)),
            "rounded": random.normal(20, 20, rows).round(1),
            "poisson": random.poisson(4, rows),
            "rare": (random.random(rows) < 0.003).astype(int),
            "flag": random.random(rows) < 0.5,
            "text": random.choice(["a", "b", "c", "d"], rows, p=[0.9, 0.09, 0.009, 0.001]),
            "zipf": [f"k{i}" for i in random.zipf(1.6, rows)],
            "ids": [f"u{i}" for i in random.permutation(rows)],
            "gaps": pa.array(normal, mask=random.random(rows) < 0.01),
            "few gaps": pa.array(normal, mask=random.random(rows) < 0.0005),
            "score": random.beta(2, 5, rows),
        }
    )


@pytest.mark.parametrize(("before", "now"), [(300, 300), (1_000, 1_000), (10_000, 1_000)])
def test_unchanged_data_keeps_inferred_rules(
    before: int, now: int, random: np.random.Generator
) -> None:
    # In 200 repeats of each, with other seeds: 0, 0 and 2 failed.
    for _ in range(10):
        reference, current = (
            ll.profile(unchanged(random, rows), roles={"score": "score"}) for rows in (before, now)
        )
        result = ll.check(current, ll.infer(reference))
        assert [(each.column, each.reason) for each in result.violations] == []
        assert [(each.column, each.reason) for each in result.undecided] == []


def test_redacted_columns_keep_their_values_to_themselves() -> None:
    profile = ll.profile({"name": ["Ada", "Bob"] * 600, "x": np.arange(1_200) / 7})
    from dataclasses import replace

    from leadline.snapshot.redact import redact

    settings = replace(profile.settings, redacted=("name", "x"))
    text = ll.infer(redact(replace(profile, settings=settings))).to_toml()
    assert "Ada" not in text
    assert "shares" not in text
