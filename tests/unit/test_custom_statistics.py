"""Users' own statistics: functions of two columns or of their shares, compiled or not."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
from numba import njit

import leadline as ll
from leadline.errors import ComparisonError, InputError


def tail(reference: ll.ColumnProfile, current: ll.ColumnProfile) -> float:
    return current.quantile(0.9).value - reference.quantile(0.9).value


def tail_with_bounds(
    reference: ll.ColumnProfile, current: ll.ColumnProfile
) -> tuple[float, float, float]:
    a, b = reference.quantile(0.9), current.quantile(0.9)
    return b.value - a.value, b.lower - a.upper, b.upper - a.lower


@njit
def squares(reference: Any, current: Any) -> float:
    total = 0.0
    for i in range(len(reference)):
        total += (reference[i] - current[i]) ** 2
    return total


def fails(reference: object, current: object) -> float:
    raise KeyError("no such thing")


def sides(a: object, b: object) -> tuple[ll.Profile, ll.Profile]:
    return ll.profile({"x": a, "t": ["u", "v"] * 50}), ll.profile({"x": b, "t": ["u"] * 100})


NUMBERS = sides(np.arange(100), np.arange(100) + 7)


def test_a_function_of_two_profiles() -> None:
    own = ll.CustomStatistic("tail", tail, kinds=["numeric"], unit="s")
    result = ll.compare(*NUMBERS, statistics=["psi", own])
    found = result["x"]["tail"]
    assert (found.value, found.lower, found.upper, found.unit) == (7.0, 7.0, 7.0, "s")
    assert "tail" in result["x"].statistics
    assert "tail" not in result["t"].statistics
    with pytest.raises(ComparisonError, match="column 't' has no statistic 'tail'"):
        result["t"]["tail"]


def test_bounds_of_its_own() -> None:
    random = np.random.default_rng(1)
    a, b = random.normal(1.7e9, 10, 20_000), random.normal(1.7e9, 12, 20_000)
    own = ll.CustomStatistic("tail", tail_with_bounds)
    profiles = ll.profile({"x": a}), ll.profile({"x": b})
    found = ll.compare(*profiles, statistics=[own])["x"]["tail"]
    true = np.quantile(b, 0.9, method="inverted_cdf") - np.quantile(a, 0.9, method="inverted_cdf")
    assert found.lower <= true <= found.upper
    assert found.lower < found.value < found.upper


# Shares of "u" and "v": .5, .5 and 1, 0.
def test_a_compiled_function_of_shares() -> None:
    own = ll.CustomStatistic("squares", squares, takes="shares")
    result = ll.compare(*NUMBERS, statistics=[own])
    assert result["t"]["squares"].value == 0.5
    edges = np.array(result["x"].psi.edges)
    p, q = (np.histogram(x, edges)[0] / 100 for x in (np.arange(100), np.arange(100) + 7))
    assert result["x"]["squares"].value == pytest.approx(((p - q) ** 2).sum())
    assert result["x"]["squares"].note == ""


def test_results_hold_it() -> None:
    own = ll.CustomStatistic("tail", tail, kinds=["numeric"])
    result = ll.compare(*NUMBERS, statistics=[own])
    assert result.to_dict()["columns"]["x"]["statistics"]["tail"]["value"] == 7.0
    table = result.to_arrow()
    assert table["tail"].to_pylist() == [7.0, None]
    assert table["tail_upper"].to_pylist() == [7.0, None]
    assert pickle.loads(pickle.dumps(result))["x"]["tail"].value == 7.0


def test_sides_without_values_have_none() -> None:
    own = ll.CustomStatistic("fails", fails)
    profiles = ll.profile({"x": [1.0]}), ll.profile({"x": [math.nan]})
    found = ll.compare(*profiles, statistics=[own])["x"]["fails"]
    assert math.isnan(found.value)
    assert found.note == "the current profile has no values"


def test_what_is_not_finite_is_said() -> None:
    own = ll.CustomStatistic("endless", lambda *_: math.inf)
    found = ll.compare(*NUMBERS, statistics=[own])["x"]["endless"]
    assert found.value == math.inf
    assert found.note == "the function gives no finite number"


@pytest.mark.parametrize(
    ("function", "takes", "told"),
    [
        (fails, "profiles", "KeyError: 'no such thing'"),
        (lambda *_: "much", "profiles", "ValueError"),
        (lambda *_: (1.0, 2.0), "profiles", "ValueError"),
        (lambda *_: (1.0, 2.0, 3.0), "profiles", "is not between its bounds 2 and 3"),
        (lambda _: 1.0, "profiles", "TypeError"),
        (squares, "profiles", "TypingError"),
    ],
)
def test_errors_name_statistic_and_column(function: Any, takes: Any, told: str) -> None:
    own = ll.CustomStatistic("mine", function, takes=takes)
    with pytest.raises(ComparisonError, match="statistic 'mine' failed on column 'x': ") as failed:
        ll.compare(*NUMBERS, statistics=[own])
    assert told in str(failed.value)
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"name": "a b"}, "'a b' cannot name a statistic"),
        ({"function": 3}, "is not a function"),
        ({"takes": "rows"}, "takes 'rows'; give 'profiles' or 'shares'"),
        ({"kinds": "numeric"}, "list numeric or categorical"),
        ({"kinds": ["number"]}, "list numeric or categorical"),
        ({"kinds": []}, "list numeric or categorical"),
    ],
)
def test_what_cannot_be_a_statistic(given: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        ll.CustomStatistic(**{"name": "mine", "function": tail, **given})


def test_names_are_unique() -> None:
    for name in ("psi", "mine"):
        own = [ll.CustomStatistic(name, tail), ll.CustomStatistic(name, tail)]
        with pytest.raises(InputError, match=f"two statistics '{name}'"):
            ll.compare(*NUMBERS, statistics=own)


def test_unknown_names_are_helped() -> None:
    with pytest.raises(InputError, match="unknown statistic 'helinger'; did you mean 'hellinger'"):
        ll.compare(*NUMBERS, statistics=["helinger"])
