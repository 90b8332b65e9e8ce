"""Policy files from anybody: read, or refused in one line, in bounded time."""

from __future__ import annotations

import time

import numpy as np
import pytest

import leadline as ll
from leadline.errors import PolicyError
from leadline.policy import Policy

PROFILE = ll.profile({"x": np.arange(1_000) / 7, "t": ["a", "b"] * 500})


@pytest.mark.parametrize(
    "text",
    [
        "version = 1\nx = " + "[" * 100_000,
        "version = 1\nx = " + "{a = " * 5_000,
        "version = 1\n" + "a." * 50_000 + "b = 1",
        "version = " + "9" * 10_000,
        "version = 0x" + "f" * 10_000,
        "version = 1\n[columns.x]\nminimum = " + "9" * 5_000,
        "version = 1\n[columns.x]\nminimum = 0x" + "f" * 100_000,
        "version = 1\n[columns.x]\nmaximum = -0o" + "7" * 100_000,
        "version = 1\n[columns.x]\nmean = { min = 1e999 }",
        "version = 1\n[columns.x]\ndistinct = { min = 0x" + "f" * 1_000 + " }",
        "version = 1\n[columns.x]\nowner = 0x" + "f" * 10_000,
        "version = 1\n[columns.x]\nminimum_rows = 0x" + "f" * 10_000,
        "version = 1\n[drift]\nks = 0x" + "f" * 10_000,
        "version = 1\n[drift]\ndecisions = [0x" + "f" * 10_000 + "]",
        "version = 1\n[drift]\nstatistic = ['psi']",
        "version = 1\n[drift]\nks = {}",
        "version = 1\n[columns.x]\nfreshness = '" + "9" * 10_000 + "h'",
        "version = 1\n[columns.x]\nfreshness = 0x" + "f" * 10_000,
        "version = 1\n[columns.x]\ntype = '" + "x" * 100_000 + "'",
        "version = 1\n[columns.x]\ntype = 'timestamp[us, tz=" + "x" * 100_000 + "'",
        "version = 1\n[columns.x]\n" + "y" * 100_000 + " = 1",
        "version = 1\n[columns.x]\nminimum = 0001-01-01T00:00:00+23:59",
        "version = 1\n[columns.x]\nvalues = [9999-12-31T23:59:59-23:59]",
        "version = 1\n[columns.x]\nquantiles.p1e1 = { min = 0 }",
        "version = 1\n[columns.x]\nquantiles = { p50 = 3 }",
        "version = 1\n[columns.x]\nvalues = [" + "1," * 100_000 + "]",
        "version = 1\n[[segments]]\nwhere = { a = 2024-01-01 }",
        "version = 1\n[[columns]]\nx = 1",
        "version = 1\n[columns]\nx = 3",
        "version = 1\n[segments]\nx = 3",
        "version = 1\ntable = 3",
        "\x00",
        "version = 1\n[columns.x]\nowner = '\ud7ff\x1b[31m'",
    ],
    ids=range(33),
)
def test_hostile_files_are_refused_in_one_line(text: str) -> None:
    begin = time.perf_counter()
    with pytest.raises(PolicyError) as caught:
        Policy.parse(text, source="p.toml")
    assert len(str(caught.value)) < 2_000
    assert time.perf_counter() - begin < 10


@pytest.mark.parametrize(
    ("rule", "status"),
    [
        ("minimum = -18446744073709551616", "pass"),
        ("maximum = 18446744073709551616", "pass"),
        ("maximum = 1.7976931348623157e308", "pass"),
        ("minimum = 5e-324", "fail"),
        ("mean = { min = 1.7976931348623157e308 }", "fail"),
        ("std = { max = 5e-324 }", "fail"),
        ("distinct = { max = 1e308 }", "pass"),
        ("quantiles.p0 = { min = 0 }", "pass"),
        ("quantiles.p100 = { max = 142.8 }", "pass"),
        ("quantiles.'p0.000001' = { min = -1 }", "pass"),
        ("shares = [{ from = -1.7e308, to = 1.7e308, min = 1 }]", "pass"),
        ("shares = [{ from = 18446744073709551615, max = 0 }]", "pass"),
        ("values = { set = [0, 18446744073709551615, 1e308], min = 0.002 }", "fail"),
        ("values = { set = [0], min = 0 }", "pass"),
        ("minimum = 0001-01-01", "fail"),
        ("minimum_rows = 1_000_000_000_000\nmean = { min = 0 }", "undecided"),
    ],
)
def test_bounds_at_the_ends_of_what_is_allowed(rule: str, status: str) -> None:
    (outcome,) = ll.check(PROFILE, Policy.parse(f"version = 1\n[columns.x]\n{rule}")).outcomes
    assert outcome.status == status, outcome.reason


def test_instants_at_the_ends_of_the_calendar() -> None:
    profile = ll.profile({"t": np.array([-(2**63) + 1, 2**63 - 1], dtype="datetime64[us]")})
    text = "version = 1\n[columns.t]\nminimum = 0001-01-01\nmaximum = 9999-12-31\nfreshness = '1h'"
    reasons = [outcome.reason for outcome in ll.check(profile, Policy.parse(text)).violations]
    assert len(reasons) == 2  # the newest instant is far in the future, so it is fresh
    assert "us since 1970, under 0001-01-01" in reasons[0]


def test_ten_thousand_rules() -> None:
    columns = "".join(f"[columns.c{i}]\nminimum = 0\n" for i in range(10_000))
    quantiles = "".join(f"quantiles.'p{i / 100:.2f}' = {{ min = -1 }}\n" for i in range(10_000))
    required = "[table]\nrequired = [" + ",".join(f"'r{i}'" for i in range(10_000)) + "]\n"
    text = f"version = 1\n{required}{columns}[columns.x]\n{quantiles}"
    begin = time.perf_counter()
    policy = Policy.parse(text)
    result = ll.check(PROFILE, policy)
    assert (len(result.violations), len(result.passed)) == (20_000, 10_000)
    assert Policy.parse(policy.to_toml()) == policy
    assert time.perf_counter() - begin < 60


def test_names_reach_messages_shortened() -> None:
    with pytest.raises(PolicyError) as caught:
        Policy.parse(f"version = 1\n[columns.'{'x' * 100_000}']\nnothing = 1")
    assert len(str(caught.value)) < 2_000
