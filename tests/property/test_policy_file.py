"""Any policy is written as text that reads back as the same policy."""

from __future__ import annotations

import contextlib
import datetime as dt
import tomllib
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from leadline.errors import PolicyError
from leadline.policy import Policy
from leadline.policy.reading import policy_of
from leadline.policy.toml import assignment, string_text

NAMES = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    [
        "a.b",
        'say "hi"',
        "line\nbreak",
        "tab\t",
        "\x00",
        "\x7f",
        "ä",
        "日本",
        "",
        "#",
        "[x]",
        "\\",
        "'",
    ]
)
TEXTS = NAMES.filter(bool)
NUMBERS = st.integers(-(2**64), 2**64) | st.floats(allow_nan=False, allow_infinity=False)
AMOUNTS = st.integers(0, 10**12) | st.floats(0, 1e300)
SHARES = st.sampled_from([0, 1, 0.5]) | st.floats(0, 1)
INSTANTS = st.datetimes(dt.datetime(2, 1, 1), dt.datetime(9998, 1, 1), timezones=st.just(dt.UTC))
DATES = st.dates()
CLASSES = ["lower", "upper", "digit", "space", "punctuation", "control", "non_ascii"]


def bounds(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    def ordered(ends: tuple[Any, Any, int]) -> dict[str, Any]:
        low, high = sorted(ends[:2])
        return [{"min": low}, {"max": high}, {"min": low, "max": high}][ends[2]]

    return st.tuples(values, values, st.integers(0, 2)).map(ordered)


SCALARS = bounds(NUMBERS) | bounds(INSTANTS) | bounds(DATES)
RANGES = SCALARS.map(lambda b: {{"min": "from", "max": "to"}[key]: end for key, end in b.items()})
MEMBERS = (
    st.lists(TEXTS, min_size=1, max_size=5, unique=True)
    | st.lists(NUMBERS, min_size=1, max_size=30, unique=True)
    | st.lists(DATES, min_size=1, max_size=5, unique=True)
    | st.just([True, False])
)
QUANTILES = st.integers(0, 100).map(lambda p: f"p{p}") | st.sampled_from(["p99.9", "p0.5"])
RULES: dict[str, st.SearchStrategy[Any]] = {
    "type": st.sampled_from(["integer", "double", ["float", "int32"], "timestamp[us, tz=UTC]"]),
    "required": st.booleans(),
    "completeness": bounds(SHARES) | st.just(False),
    "zeros": bounds(SHARES),
    "minimum": NUMBERS | INSTANTS | DATES,
    "maximum": NUMBERS | INSTANTS | DATES,
    "values": MEMBERS | st.fixed_dictionaries({"set": MEMBERS, "min": SHARES}),
    "shares": st.lists(
        st.tuples(RANGES, bounds(SHARES)).map(lambda pair: pair[0] | pair[1]),
        min_size=1,
        max_size=3,
    ),
    "mean": bounds(NUMBERS),
    "std": bounds(AMOUNTS),
    "quantiles": st.dictionaries(QUANTILES, SCALARS, min_size=1, max_size=3),
    "characters": st.dictionaries(st.sampled_from(CLASSES), bounds(SHARES), min_size=1),
    "length": bounds(AMOUNTS),
    "freshness": st.tuples(st.integers(1, 9_999), st.sampled_from("smhdw")).map(
        lambda age: f"{age[0]}{age[1]}"
    ),
    "unseen": bounds(SHARES),
    "distinct_ratio": bounds(AMOUNTS),
}
SETTINGS = {
    "severity": st.sampled_from(["error", "warning"]),
    "owner": TEXTS,
    "runbook": TEXTS,
    "minimum_rows": st.integers(0, 10**9),
}
DRIFT = st.booleans() | st.fixed_dictionaries(
    {},
    optional={
        "ks": st.floats(1e-6, 1),
        "severity": SETTINGS["severity"],
        "decisions": st.lists(st.floats(0, 1), min_size=1, max_size=3),
    },
)
PLAIN = st.fixed_dictionaries({}, optional=RULES)
SECTION = st.builds(
    lambda rules, warning, own: {**own, **rules, **({"warning": warning} if warning else {})},
    PLAIN,
    PLAIN,
    st.fixed_dictionaries({}, optional={**SETTINGS, "drift": DRIFT}),
)
TABLE = st.fixed_dictionaries(
    {},
    optional={
        "rows": bounds(AMOUNTS),
        "required": st.lists(TEXTS, min_size=1, max_size=3, unique=True),
        "closed": st.booleans(),
        "warning": st.fixed_dictionaries({"row_ratio": bounds(AMOUNTS)}),
    },
)
SEGMENT = st.fixed_dictionaries(
    {"where": st.dictionaries(NAMES, TEXTS | st.integers(-5, 5) | st.booleans(), min_size=1)},
    optional={"table": TABLE, "columns": st.dictionaries(NAMES, PLAIN, max_size=2)},
)
DOCUMENTS = st.fixed_dictionaries(
    {"version": st.just(1)},
    optional={
        **SETTINGS,
        "drift": DRIFT,
        "table": TABLE,
        "types": st.fixed_dictionaries(
            {}, optional={"float": st.fixed_dictionaries({"mean": bounds(NUMBERS)})}
        ),
        "columns": st.dictionaries(NAMES, SECTION, max_size=4),
        "segments": st.lists(SEGMENT, min_size=1, max_size=2),
    },
)


@given(DOCUMENTS)
def test_a_policy_survives_its_file(document: dict[str, Any]) -> None:
    try:
        policy = policy_of(document)
    except PolicyError as error:
        if "contradict" not in str(error):
            raise
        assume(False)
    text = policy.to_toml()
    assert Policy.parse(text) == policy
    assert Policy.parse(text).to_toml() == text


@given(NAMES)
def test_texts_survive(text: str) -> None:
    assert tomllib.loads(f"x = {string_text(text)}") == {"x": text}
    assert tomllib.loads(assignment(text, [text, text])) == {text: [text, text]}


@given(st.text(max_size=300))
def test_any_text_is_a_policy_or_one_error(text: str) -> None:
    with contextlib.suppress(PolicyError):
        Policy.parse(text)


KEYS = st.sampled_from(
    ["min", "max", "set", "from", "to", "p50", "digit", "ks", "where", "columns", "a", "severity"]
)


@given(
    st.recursive(
        st.none().map(lambda _: 1) | NUMBERS | TEXTS | st.booleans() | DATES | st.floats(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
        max_leaves=12,
    )
)
def test_any_document_is_a_policy_or_one_error(document: Any) -> None:
    for whole in (
        {"version": 1, "columns": {"a": document}},
        {"version": 1, "drift": document},
        {"version": 1, "table": document},
        {"version": 1, "segments": document},
        {"version": 1, "types": {"float": document}},
        *({"version": 1, "columns": {"a": {key: document}}} for key in RULES),
    ):
        try:
            policy = policy_of(whole)
        except PolicyError:
            continue
        assert Policy.parse(policy.to_toml()) == policy
