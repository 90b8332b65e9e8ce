"""Rules held against small data whose figures are known."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

import leadline as ll
from leadline.errors import InputError, PolicyError
from leadline.policy import Check, Outcome, Policy, Status

PASS, FAIL, UNDECIDED = Status.PASS, Status.FAIL, Status.UNDECIDED
NOON = dt.datetime(2024, 3, 1, 12, tzinfo=dt.UTC)
ROWS = {
    "age": pa.array([18, 30, 42, 70, None]),
    "p": pa.array([0.0, 0.25, 0.5, 1.0, float("nan")]),
    "country": pa.array(["DE", "DE", "FR", "", None]),
    "ts": pa.array([NOON] * 4 + [None], pa.timestamp("us", "UTC")),
    "day": pa.array([dt.date(2024, 3, 1)] * 5),
    "ok": pa.array([True, True, True, False, None]),
    "tags": pa.array([["a"]] * 5),
    "nothing": pa.array([None] * 5, pa.float64()),
}
PROFILE = ll.profile(pa.table(ROWS))


def held(text: str, profile: ll.Profile = PROFILE, **options: object) -> Check:
    policy = Policy.parse(f"version = 1\n{text}")
    return ll.check(profile, policy, **options)  # type: ignore[arg-type]


def only(text: str, profile: ll.Profile = PROFILE, **options: object) -> Outcome:
    (outcome,) = held(text, profile, **options).outcomes
    return outcome


@pytest.mark.parametrize(
    ("column", "rule", "status", "reason"),
    [
        ("age", "completeness = {min = 0.8}", PASS, "is 0.8, at least 0.8"),
        ("age", "completeness = {min = 0.81}", FAIL, "is 0.8, under 0.81"),
        ("age", "nulls = {max = 0.1}", FAIL, "share of rows that are null is 0.2, over 0.1"),
        ("p", "nans = {max = 0}", FAIL, "share of rows that are NaN is 0.2, over 0"),
        ("p", "infinities = {max = 0}", PASS, "share of infinite values is 0, at most 0"),
        ("p", "zeros = {min = 0.25, max = 0.25}", PASS, "is 0.25, within 0.25 to 0.25"),
        ("p", "negatives = {min = 0.1}", FAIL, "share of negative values is 0, under 0.1"),
        ("country", "empty = {max = 0}", FAIL, "share of empty texts is 0.25, over 0"),
        ("age", "minimum = 18", PASS, "smallest value is 18, at least 18"),
        ("age", "minimum = 18.5", FAIL, "smallest value is 18, under 18.5"),
        ("age", "maximum = 65", FAIL, "largest value is 70, over 65"),
        ("ts", "minimum = 2024-03-02", FAIL, "is 2024-03-01 12:00:00 UTC, under 2024-03-02 00:00"),
        ("day", "maximum = 2024-02-29", FAIL, "largest value is 2024-03-01, over 2024-02-29"),
        ("country", "values = ['DE', 'FR', '']", PASS, "is 1, at least 1"),
        ("country", "values = ['DE']", FAIL, "is 0.5, under 1: there are '', 'FR'"),
        ("country", "values = {set = ['DE'], min = 0.5}", PASS, "is 0.5, at least 0.5"),
        ("age", "values = [18, 30, 42]", FAIL, "is 0.75, under 1: there are 70"),
        ("ok", "values = [true]", FAIL, "is 0.75, under 1: there are false"),
        ("day", "values = [2024-03-01]", PASS, "is 1, at least 1"),
        ("age", "shares = [{from = 18, to = 42, min = 0.8}]", FAIL, "from 18 to 42 is 0.75, under"),
        ("age", "shares = [{to = 20, max = 0.25}]", PASS, "share of values up to 20 is 0.25"),
        ("age", "mean = {max = 39}", FAIL, "mean is 40, over 39"),
        ("ok", "mean = {min = 0.75}", PASS, "mean is 0.75, at least 0.75"),
        ("p", "std = {min = 0.5}", FAIL, "standard deviation is 0.427, under 0.5"),
        ("age", "quantiles.p50 = {min = 30, max = 30}", PASS, "quantile p50 is 30, within 30 to"),
        ("age", "quantiles.p100 = {max = 69}", FAIL, "quantile p100 is 70, over 69"),
        ("ts", "quantiles.p50 = {max = 2024-03-01}", FAIL, "over 2024-03-01 00:00:00 UTC"),
        ("country", "distinct = {min = 4}", FAIL, "distinct values is 3, under 4"),
        ("age", "uniqueness = {min = 1}", PASS, "distinct values over values is 1, at least 1"),
        ("country", "uniqueness = {min = 1}", FAIL, "is 0.75, under 1"),
        ("country", "length = {min = 1, max = 2}", FAIL, "length is 0, under 1"),
        ("country", "length = {max = 1}", FAIL, "length is 2, over 1"),
        ("country", "length = {min = 0, max = 2}", PASS, "length is 0, within 0 to 2"),
        ("country", "mean_length = {min = 1.5}", PASS, "mean length is 1.5, at least 1.5"),
        ("country", "characters.upper = {min = 1}", PASS, "share of upper characters is 1"),
        ("ts", "freshness = '1d'", PASS, "age of the newest value is 12:00:00, at most 1 day"),
        ("ts", "freshness = '6h'", FAIL, "age of the newest value is 12:00:00, over 6:00:00"),
        ("age", "type = 'integer'", PASS, "the type is int64, as integer"),
        ("age", "type = ['float', 'int32']", FAIL, "the type is int64, not float or int32"),
        ("p", "type = 'float64'", PASS, "the type is double, as float64"),
        ("p", "type = 'float32'", FAIL, "the type is double, not float32"),
        ("country", "type = ['utf8']", PASS, "the type is string, as utf8"),
        ("tags", "type = 'list<item: string>'", PASS, "the type is list<item: string>, as list<"),
        ("nothing", "type = 'float'", PASS, "the type is double, as float"),
        ("age", "required = true", PASS, "the column is there"),
        ("age", "forbidden = true", FAIL, "the column is there, which is forbidden"),
        ("country", "mean = {min = 0}", FAIL, "a column of type string has no mean"),
        ("tags", "mean = {min = 0}", FAIL, "a column of type list<"),
        ("tags", "completeness = {min = 1}", PASS, "is 1, at least 1"),
        ("age", "minimum = 2024-01-01", FAIL, "the column is int64, which cannot be 2024-01-01"),
        ("ts", "minimum = 3", FAIL, "the column is timestamp[us, tz=UTC], which cannot be 3"),
        ("age", "values = ['18']", FAIL, "the column is int64, which cannot be '18'"),
        ("age", "values = [true]", FAIL, "the column is int64, which cannot be true"),
        (
            "nothing",
            "minimum_rows = 6\nmean = {min = 0}",
            UNDECIDED,
            "5 rows are fewer than the mi",
        ),
        ("nothing", "completeness = {max = 0}", PASS, "is 0, at most 0"),
        ("age", "minimum_rows = 6\nmean = {max = 0}", UNDECIDED, "5 rows are fewer than the mini"),
        ("age", "minimum_rows = 6\nminimum = 20", FAIL, "smallest value is 18, under 20"),
        ("gone", "", FAIL, "the column is missing"),
        ("gone", "mean = {min = 0}", FAIL, "the column is missing"),
        ("agee", "mean = {min = 0}", FAIL, "the column is missing; there is 'age'"),
        ("gone", "required = false\nmean = {min = 0}", PASS, "is not there, and need not be"),
        ("gone", "forbidden = true", PASS, "the column is not there"),
    ],
)
def test_one_rule(column: str, rule: str, status: Status, reason: str) -> None:
    now = NOON + dt.timedelta(hours=12)
    outcome = only(f"[columns.{column}]\n{rule}", now=now)
    assert (outcome.status, outcome.column) == (status, column)
    assert reason in outcome.reason


@pytest.mark.parametrize(
    ("rule", "status", "column", "reason"),
    [
        ("rows = {min = 5, max = 5}", PASS, "", "number of rows is 5, within 5 to 5"),
        ("rows = {min = 6}", FAIL, "", "number of rows is 5, under 6"),
        ("required = ['age', 'p']", PASS, "", "the columns are as listed"),
        ("required = ['age', 'q']", FAIL, "q", "the column is missing"),
        ("forbidden = ['age']", FAIL, "age", "the column is there, which is forbidden"),
    ],
)
def test_rules_of_the_table(rule: str, status: Status, column: str, reason: str) -> None:
    outcome = only(f"[table]\n{rule}")
    assert (outcome.status, outcome.column, outcome.reason) == (status, column, reason)


def test_a_closed_table_names_each_column_too_many() -> None:
    profile = ll.profile({"a": [1], "b": [1], "c": [1]})
    found = held("[table]\nclosed = true\nrequired = ['b']\n[columns.a]", profile).violations
    assert [(v.column, v.reason) for v in found] == [("c", "the policy does not name this column")]


def test_the_nearest_section_counts() -> None:
    text = """
        owner = "all"
        runbook = "https://all"
        [defaults]
        completeness = { min = 1 }
        [types.numeric]
        mean = { max = 1 }
        [types.integer]
        mean = { max = 50 }
        [columns.age]
        owner = "people"
        completeness = { min = 0.5 }
        [columns.p]
        completeness = false
        severity = "warning"
        maximum = 0.5
    """
    outcomes = {(each.column, each.rule): each for each in held(text).outcomes}
    assert outcomes["age", "completeness"].status is PASS
    assert outcomes["age", "mean"].status is PASS  # of integers, not of numbers
    assert ("p", "completeness") not in outcomes
    assert outcomes["country", "completeness"].status is FAIL
    assert outcomes["country", "completeness"].owner == "all"
    assert outcomes["age", "mean"].owner == "people"
    assert outcomes["age", "mean"].runbook == "https://all"
    assert outcomes["p", "maximum"].severity.value == "warning"
    assert outcomes["p", "mean"].severity.value == "error"
    assert ("country", "mean") not in outcomes  # a rule of numbers concerns numbers
    assert outcomes["age", "mean"].place == "[types.integer] mean"


def test_roles() -> None:
    profile = ll.profile({"p": [0.5, 1.5]}, roles={"p": "score"})
    assert only("[roles.score]\nmaximum = 1", profile).status is FAIL
    assert held("[roles.label]\nmaximum = 1", profile).outcomes == ()


def test_rules_of_two_sections_may_not_contradict_each_other() -> None:
    text = "[types.integer]\nminimum = 50\n[columns.age]\nmaximum = 40"
    with pytest.raises(PolicyError, match=r"\[columns.age\] maximum: at most 40 contradicts"):
        held(text)


def test_warnings_do_not_fail_unless_asked() -> None:
    result = held("[columns.age.warning]\nmaximum = 20\n[columns.age]\nmaximum = 100")
    assert result.verdict is PASS
    assert [(v.severity.value, v.place) for v in result.violations] == [
        ("warning", "[columns.age.warning] maximum")
    ]
    assert not result.failed("possible", "undecided")
    assert result.failed("warning")
    with pytest.raises(InputError, match="there is no 'warnings' to fail on"):
        result.failed("warnings")


def test_undecided_rules_do_not_pass(random: np.random.Generator) -> None:
    profile = ll.profile({"id": random.permutation(10_000).astype(float) + 0.5})
    result = held("[columns.id]\nuniqueness = {min = 1}", profile)
    (outcome,) = result.undecided
    assert result.verdict is UNDECIDED
    assert "which may be under 1" in outcome.reason
    assert not result.failed()
    assert result.failed("undecided")
    assert held("[columns.id]\nuniqueness = {min = 0.8}", profile).verdict is PASS
    repeated = ll.profile({"id": random.integers(0, 5_000, 10_000).astype(float) + 0.5})
    assert held("[columns.id]\nuniqueness = {min = 1}", repeated).verdict is FAIL


def test_rare_strangers_are_named_too() -> None:
    values = [f"k{i}" for i in range(40)]
    profile = ll.profile({"x": values * 3 + ["typo", "typo", "other"]})
    outcome = only(f"[columns.x]\nvalues = {values}", profile)
    assert outcome.reason == (
        "share of values in the set is 0.9756, under 1: there are 'typo', 'other'"
    )


def test_figures_differ_in_print_where_they_differ() -> None:
    profile = ll.profile({"x": [0.99999999] * 3})
    outcome = only("[columns.x]\nmean = {min = 1}", profile)
    assert outcome.reason == "mean is 0.99999999, under 1"


def test_changes_need_a_reference() -> None:
    text = "[columns.country]\nunseen = {max = 0.5}\n[columns.age]\nout_of_range = {max = 0}"
    with pytest.raises(PolicyError, match=r"\[columns.country\] unseen is about a change"):
        held(text)
    reference = ll.profile(pa.table({"country": ["DE"] * 3, "age": [18, 70, 20]}))
    outcomes = held(text, reference=reference).outcomes
    beyond, unseen = (each for each in outcomes if "drift" not in each.rule)
    assert (unseen.status, unseen.reason) == (
        PASS,
        "share of values that the reference lacks is 0.5, at most 0.5",
    )
    assert beyond.status is PASS
    (ratio,) = (o for o in held("[table]\nrow_ratio = {max = 1.5}", reference=reference).violations)
    assert ratio.reason == "rows over the reference's is 1.667, over 1.5"


def test_drift_is_judged_by_the_policys_thresholds(random: np.random.Generator) -> None:
    a, b = ({"x": random.normal(mean, 1, 2_000), "id": range(2_000)} for mean in (0, 0.5))
    reference, current = (ll.profile(side, roles={"id": "id"}) for side in (a, b))
    result = held("[columns.x]\nowner = 'x team'", current, reference=reference)
    (violation,) = result.violations
    assert (violation.rule, violation.place, violation.verdict) == ("drift", "[drift]", "drift")
    assert violation.owner == "x team"
    assert violation.reason.startswith("drift: ks is 0.")
    assert violation.figure is not None
    assert violation.high == 0.05
    assert not [o for o in result.outcomes if o.column == "id" and o.rule == "drift"]
    for text in ("[columns.x.drift]\nks = 0.4", "drift = false", "[columns.x]\ndrift = false"):
        assert held(text, current, reference=reference).verdict is PASS, text
    warned = held("[drift]\nseverity = 'warning'", current, reference=reference)
    assert [v.severity.value for v in warned.violations] == ["warning"]


def test_features_may_be_allowed_to_drift_to_a_share(random: np.random.Generator) -> None:
    names = [f"x{i}" for i in range(4)]
    a = {name: random.normal(0, 1, 2_000) for name in names}
    b = {**{name: random.normal(0, 1, 2_000) for name in names}, "x0": a["x0"] + 1}
    reference, current = ll.profile(a), ll.profile(b)
    result = held("[drift]\ndrift_share = 0.5", current, reference=reference)
    (outcome,) = [each for each in result.outcomes if each.verdict == "drift"]
    assert outcome.status is UNDECIDED
    assert outcome.reason.endswith("; under 0.5 of the columns drifted")
    assert not result.failed()
    assert result.failed("possible")
    assert held("[drift]\ndrift_share = 0.25", current, reference=reference).failed()
    heavy = {"importance": {"x0": 10.0}}
    assert held("[drift]\ndrift_share = 0.5", current, reference=reference, **heavy).failed()


def test_a_renamed_column_is_named(random: np.random.Generator) -> None:
    reference = ll.profile({"age": random.normal(40, 10, 1_000), "x": [1] * 1_000})
    current = ll.profile({"years": random.normal(40, 10, 1_000), "x": [1] * 1_000})
    found = held("[columns.age]", current, reference=reference).violations
    assert found[0].reason.startswith("the column is missing; 'years' is new and 9")


def test_segments() -> None:
    data = pa.table({"country": ["DE", "DE", "FR"], "age": [10, 20, 90]})
    profile = ll.profile(data, segments=["country"])
    text = """
        [[segments]]
        where = { country = "DE" }
        [segments.columns.age]
        maximum = 15
        [[segments]]
        where = { country = "IT" }
    """
    high, gone = held(text, profile).violations
    assert (high.segment, high.reason) == ("country=DE", "largest value is 20, over 15")
    assert high.place == "[[segments]] 1 [columns.age] maximum"
    assert (gone.segment, gone.reason) == ("country=IT", "no rows of this segment")
    with pytest.raises(PolicyError, match="no segment column 'country'"):
        held(text, PROFILE)


EMPTY = ll.profile(pa.table(ROWS).slice(0, 0))


def test_a_check_of_no_rows_fails() -> None:
    result = held("[columns.age]\ncompleteness = {min = 1}", EMPTY)
    rule, rows = result.outcomes
    assert (rule.status, rule.reason) == (UNDECIDED, "there are no rows")
    assert (rows.status, rows.rule, rows.place) == (FAIL, "rows", "[table] rows")
    assert rows.reason == "there are no rows: nothing could be checked"
    assert result.failed()
    assert only("[table]\nrows = {min = 1}", EMPTY).reason == "number of rows is 0, under 1"
    # At most so many rows says nothing of none.
    assert [o.status for o in held("[table]\nrows = {max = 9}", EMPTY).outcomes] == [PASS, FAIL]


def test_a_policy_may_allow_no_rows() -> None:
    result = held("[table]\nrows = {min = 0}\n[columns.age]\nmaximum = 9", EMPTY)
    assert not result.failed()


def test_no_rows_on_either_side_fail_a_check_of_drift() -> None:
    result = held("", EMPTY, reference=PROFILE)
    assert result.failed()
    assert "there are no rows: nothing could be checked" in [o.reason for o in result.violations]
    result = held("", PROFILE, reference=EMPTY)
    (violation,) = result.violations
    assert violation.reason == "the reference has no rows: drift could not be judged"
    assert not held("drift = false\n[table]\nrows = {min = 1}", PROFILE, reference=EMPTY).failed()


def test_a_column_of_which_all_rows_are_missing_fails() -> None:
    text = "owner = 'us'\n[columns.nothing]\nmean = {min = 0}\nminimum = 0\nmaximum = 9"
    result = held(text)
    (violation,) = result.violations
    assert violation.reason == (
        "all 5 rows are missing: its values could not be checked (mean, minimum, maximum)"
    )
    assert (violation.rule, violation.place) == ("completeness", "[columns.nothing] completeness")
    assert (violation.owner, violation.column) == ("us", "nothing")
    assert [o.reason for o in result.undecided] == ["all 5 rows are missing"] * 3


def test_a_policy_may_allow_all_rows_to_be_missing() -> None:
    for rule in ("completeness = {min = 0}", "nulls = {max = 1}"):
        result = held(f"[columns.nothing]\n{rule}\nmean = {{min = 0}}")
        assert [o.status for o in result.outcomes] == [PASS, UNDECIDED]
    warned = held("[columns.nothing.warning]\nmean = {min = 0}")
    assert [v.severity.value for v in warned.violations] == ["warning"]
    assert not warned.failed()


def test_results_as_data() -> None:
    result = held("[columns.age]\nmaximum = 20\nminimum = 2024-01-01")
    figures = result.to_dict()
    assert figures["counts"] == {"violations": 2, "warnings": 0, "undecided": 0, "passed": 0}
    assert figures["violations"][0] == {
        "status": "fail",
        "severity": "error",
        "rule": "maximum",
        "column": "age",
        "segment": None,
        "place": "[columns.age] maximum",
        "reason": "largest value is 70, over 20",
        "value": 70,
        "lower": 70,
        "upper": 70,
        "min": None,
        "max": 20,
        "verdict": None,
        "owner": None,
        "runbook": None,
    }
    table = result.to_arrow()
    assert table.column_names == list(figures["violations"][0])
    assert table["value"].to_pylist() == [70.0, None]


@pytest.mark.parametrize(
    ("profile", "policy", "options", "says"),
    [
        ({}, Policy(), {}, "the profile to check is of type dict"),
        (PROFILE, {}, {}, "a policy or its path is needed, not a dict"),
        (PROFILE, Policy(), {"reference": 3}, "the reference is of type int"),
        (PROFILE, Policy(), {"now": "today"}, "now is an instant, not of type str"),
    ],
)
def test_wrong_arguments(profile: object, policy: object, options: dict, says: str) -> None:
    with pytest.raises(InputError, match=says):
        ll.check(profile, policy, **options)  # type: ignore[arg-type]
