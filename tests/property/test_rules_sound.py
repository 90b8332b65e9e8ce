"""Neither a pass nor a fail ever contradicts the raw rows, and exact figures are always decided."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import leadline as ll
from leadline.policy import Status
from leadline.policy.reading import policy_of
from strategies import NASTY_FLOATS, NASTY_INTEGERS

ROWS = 6_000
Make = Callable[[np.random.Generator], Any]
NUMBERS: dict[str, Make] = {
    "normal": lambda r: r.normal(0, 1, ROWS),
    "N(100,1)": lambda r: r.normal(100, 1, ROWS),
    "narrow": lambda r: r.normal(1.7e9, 10, ROWS),
    "lognormal(3)": lambda r: r.lognormal(0, 3, ROWS),
    "t(1)": lambda r: r.standard_t(1, ROWS),
    "mostly zero": lambda r: np.where(r.random(ROWS) < 0.7, 0.0, r.exponential(5, ROWS)),
    "rounded": lambda r: r.normal(20, 2, ROWS).round(1),
    "integers": lambda r: r.integers(-50, 50, ROWS),
    "wide integers": lambda r: r.integers(-(10**12), 10**12, ROWS),
    "huge integers": lambda r: 2**60 + r.integers(0, 10**6, ROWS),
    "ids": lambda r: r.permutation(10**6)[:ROWS] * 7_919,
    "constant": lambda _: np.full(ROWS, -2.5),
    "tiny": lambda r: r.choice([-1.0, 1.0], ROWS) * 10.0 ** r.uniform(-320, -150, ROWS),
    "huge": lambda r: r.choice([-1.0, 1.0], ROWS) * 10.0 ** r.uniform(150, 308, ROWS),
    "with infinities": lambda r: np.where(r.random(ROWS) < 0.1, np.inf, r.normal(0, 1, ROWS)),
    "one value": lambda _: np.array([3.5]),
}


def mean_of(values: list[float]) -> float:
    finite = [Fraction(value) for value in values if math.isfinite(value)]
    return float(sum(finite) / len(finite))


def std_of(values: list[float]) -> float:
    finite = [Fraction(value) for value in values if math.isfinite(value)]
    mean = sum(finite) / len(finite)
    square = sum((value - mean) ** 2 for value in finite) / (len(finite) - 1)
    with localcontext() as context:
        context.prec = 800
        return float((Decimal(square.numerator) / Decimal(square.denominator)).sqrt())


def share_of(held: list[bool]) -> float:
    return sum(held) / len(held)


def around(value: float) -> Iterator[float]:
    """Bounds that a figure nearly keeps, and nearly does not."""
    yield value
    if math.isfinite(value):
        for step in (0.0, 1e-9, 0.004, 0.03, 0.2, 1.0):
            for sign in (-1, 1):
                moved = value + sign * step * max(abs(value), 1e-300)
                yield float(np.nextafter(value, sign * math.inf)) if not step else moved


def figures(raw: list[float]) -> Iterator[tuple[str, Any, float]]:
    """Rules with a place for the bounds, and the true figure."""
    yield "mean", None, mean_of(raw)
    if sum(map(math.isfinite, raw)) > 1:
        yield "std", None, std_of(raw)
    yield "distinct", None, len(set(raw))
    yield "uniqueness", None, len(set(raw)) / len(raw)
    yield "zeros", None, share_of([x == 0 for x in raw])
    yield "negatives", None, share_of([x < 0 for x in raw])
    ordered = sorted(raw)
    for name, q in (("p5", 0.05), ("p50", 0.5), ("p97.5", 0.975)):
        yield "quantiles", name, ordered[max(math.ceil(Fraction(str(q)) * len(raw)) - 1, 0)]
    for low, high in ((0.1, 0.6), (0.5, 0.5), (0.45, 0.52)):
        ends = [ordered[int(q * (len(raw) - 1))] for q in (low, high)]
        if all(map(math.isfinite, ends)):
            inside = share_of([ends[0] <= x <= ends[1] for x in raw])
            yield "shares", {"from": ends[0], "to": ends[1]}, inside
    finite = [x for x in dict.fromkeys(raw) if math.isfinite(x)]
    for few in (finite[:1], finite[:20]):
        yield "values", few, share_of([x in set(few) for x in raw])


def rule(key: str, argument: Any, bound: dict[str, float]) -> Any:
    """The file's value for a rule."""
    if key == "quantiles":
        return {argument: bound}
    if key == "shares":
        return [argument | bound]
    if key == "values":
        return {"set": argument, **bound}
    return bound


def require_sound(column: ll.Profile, raw: list[float], *, exact: bool) -> None:
    """Hold every rule with every bound near its figure against the raw rows."""
    for key, argument, truth in figures(raw):
        for bound in around(truth):
            share = key in ("uniqueness", "zeros", "negatives", "shares", "values")
            if (share and not 0 <= bound <= 1) or (key in ("std", "distinct") and bound < 0):
                continue
            if not math.isfinite(bound) or (abs(bound) > 2**64 and isinstance(bound, int)):
                continue
            for end, keeps in (("min", truth >= bound), ("max", truth <= bound)):
                if key == "values" and end == "max":
                    continue
                section = {key: rule(key, argument, {end: bound})}
                policy = policy_of({"version": 1, "columns": {"x": section}})
                (outcome,) = ll.check(column, policy).outcomes
                where = f"{key} {argument} {end} {bound!r}: truth {truth!r}, {outcome.reason}"
                if outcome.status is Status.PASS:
                    assert keeps, where
                elif outcome.status is Status.FAIL:
                    assert not keeps, where
                else:
                    assert not exact, where


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(name: str, random: np.random.Generator) -> None:
    values = NUMBERS[name](random)
    profile = ll.profile(pa.table({"x": values}))
    counts = profile["x"].numeric
    assert counts is not None
    require_sound(profile, values.tolist(), exact=counts.counts is not None)


def test_numbers_after_merging(random: np.random.Generator) -> None:
    values = random.normal(1e6, 3, 20_000)
    profile = ll.merge(ll.profile({"x": part}) for part in np.array_split(values, 40))
    require_sound(profile, values.tolist(), exact=False)


SMALL = st.one_of(
    st.lists(st.sampled_from(NASTY_FLOATS) | st.floats(), min_size=1, max_size=20).map(
        lambda values: pa.array([x for x in values if not math.isnan(x)] or [1.0], pa.float64())
    ),
    st.lists(st.sampled_from(NASTY_INTEGERS) | st.integers(-5, 5), min_size=1, max_size=20).map(
        lambda values: pa.array(values, pa.int64())
    ),
)


@given(SMALL)
def test_few_rows_are_always_decided(values: pa.Array) -> None:
    raw = values.to_pylist()
    if not any(map(math.isfinite, raw)):
        return
    require_sound(ll.profile(pa.table({"x": values})), raw, exact=True)


@pytest.mark.parametrize("name", ["few", "zipf", "ids"])
def test_texts(name: str, random: np.random.Generator) -> None:
    raw = {
        "few": lambda: random.choice(["a", "b", "", "ü"], ROWS).tolist(),
        "zipf": lambda: [f"k{i}" for i in random.zipf(1.2, 30_000)],
        "ids": lambda: [f"id-{i:06d}" for i in random.permutation(20_000)],
    }[name]()
    profile = ll.profile({"x": raw})
    text = profile["x"].text
    assert text is not None
    counts = Counter(raw)
    common, all_values = [value for value, _ in counts.most_common(3)], sorted(counts)[:10_000]
    truths = [
        ("distinct", None, len(counts)),
        ("uniqueness", None, len(counts) / len(raw)),
        ("values", common, sum(counts[value] for value in common) / len(raw)),
        ("values", all_values, sum(counts[value] for value in all_values) / len(raw)),
        ("values", ["nowhere"], 0.0),
    ]
    for key, argument, truth in truths:
        for bound in around(truth):
            if not 0 <= bound <= (1e9 if key == "distinct" else 1):
                continue
            section = {key: rule(key, argument, {"min": bound})}
            policy = policy_of({"version": 1, "columns": {"x": section}})
            (outcome,) = ll.check(profile, policy).outcomes
            if outcome.status is Status.UNDECIDED:
                assert not text.counts.exact
            else:
                assert (outcome.status is Status.PASS) is (truth >= bound), outcome.reason
