"""The public interface as a type checker sees it; checked by mypy, never run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, assert_type

import numpy as np

import leadline as ll

reference = ll.profile(
    "logs/*.parquet",
    threads=2,
    time="ts",
    every="1d",
    tz="America/New_York",
    segments=["country"],
    roles={"p": "score"},
    columns=["p", "country"],
)
assert_type(reference, ll.Profile)
assert_type(ll.profile({"x": np.arange(3)}), ll.Profile)
assert_type(ll.profile("s3://logs/", storage_options={"anon": True}), ll.Profile)
assert_type(ll.profile(sys.stdin.buffer, format="csv"), ll.Profile)
assert_type(ll.profile("logs/", checkpoint="a.checkpoint", resume=True), ll.Profile)
assert_type(ll.profile("logs/", update=reference), ll.Profile)
assert_type(ll.profile("logs/", update=Path("a.lead")), ll.Profile)
assert_type(ll.read("a.lead"), ll.Profile)
assert_type(ll.read("s3://logs/a.lead", storage_options={"anon": True}), ll.Profile)
assert_type(ll.read(Path("a.lead")), ll.Profile)
assert_type(reference | reference, ll.Profile)
assert_type(ll.merge([reference, reference]), ll.Profile)
assert_type(reference.rows, int)
assert_type(reference.windows, tuple[ll.Window, ...])
assert_type(reference.select(segment={"country": "DE"}), ll.Profile)
assert_type(reference.to_dict(), dict[str, Any])

column = reference["p"]
assert_type(column, ll.ColumnProfile)
assert_type(column.mean, float | None)
assert_type(column.nulls, int)
assert_type(column.quantile(0.5), ll.Estimate)
assert_type(column.distinct, ll.Estimate)
assert_type(float(column.distinct), float)


def gap(before: ll.ColumnProfile, now: ll.ColumnProfile) -> float:
    return now.quantile(0.9).value - before.quantile(0.9).value


own = ll.CustomStatistic("gap", gap, kinds=["numeric"], unit="s")
comparison = ll.compare(reference, reference, statistics=["psi", own])
assert_type(comparison, ll.Comparison)
assert_type(comparison["p"], ll.ColumnComparison)
assert_type(float(comparison["p"].anderson_darling), float)
assert_type(comparison["p"].mann_whitney.p_value, float | None)
assert_type(comparison["p"].quantile_shift(0.9).upper, float)
assert_type(comparison.to_dict(), dict[str, Any])
assert_type(comparison.ranking[0].share, float)
assert_type(comparison["p"].change, tuple[str, ...])
limits = ll.Limits(ll.Thresholds(ks=0.1), columns={"p": {"decisions": [0.3, 0.7]}})
by_country = ll.compare(
    reference, reference, by="country", importance={"p": 2.0}, thresholds=limits, calibrate=False
)
assert_type(by_country.segment(country="DE").comparison, ll.Comparison | None)

trend = ll.trend(reference, reference, baseline="rolling", budget="1/month", bridge=1)
assert_type(trend, ll.Trend)
assert_type([event.start for event in trend.events], list[str])
assert_type(trend.to_dict(), dict[str, Any])
assert_type(ll.look(reference, reference, alpha=0.05), ll.Look)

policy = ll.infer(reference, owner="risk")
assert_type(policy, ll.Policy)
assert_type(ll.Policy.read("policy.toml"), ll.Policy)
assert_type(policy.to_toml(), str)
check = ll.check(reference, policy, reference=reference)
assert_type(check, ll.Check)
assert_type(ll.check(reference, Path("policy.toml")), ll.Check)
assert_type(check.failed("warning"), bool)
assert_type(check.violations[0].reason, str)
assert_type(ll.compare(reference, reference, thresholds=policy.thresholds), ll.Comparison)
