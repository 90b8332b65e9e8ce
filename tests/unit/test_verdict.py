"""Verdicts: the rules in order, by kind and role, and the result objects."""

from __future__ import annotations

import json
import math
import pickle
from typing import Any

import numpy as np
import pytest
from scipy import stats

from leadline._lazy import lazy
from leadline.compare import ColumnComparison, Comparison, MissingStatisticError, compare
from leadline.compare.shares import Ratio
from leadline.compare.statistic import Statistic
from leadline.compare.thresholds import Limits, Thresholds
from leadline.compare.verdict import Evidence, Verdict, judge, worst
from leadline.errors import ComparisonError, InputError
from leadline.profile import ColumnProfile
from leadline.report.json import to_json
from leadline.scan import profile
from leadline.schema import Kind, Role
from leadline.snapshot.redact import redact

RANDOM = np.random.default_rng(20)
NORMAL = RANDOM.normal(0, 1, 20_000)
LETTERS = np.array(list("abcdefgh"))


def compared(a: Any, b: Any, *, role: str = "feature", **options: Any) -> ColumnComparison:
    sides = [profile({"x": side}, roles={"x": role}) for side in (a, b)]
    return compare(*sides, **options)["x"]


def evidence(
    value: float,
    lower: float | None = None,
    upper: float | None = None,
    ci_upper: float = 1.0,
    **more: Any,
) -> Evidence:
    effect = Statistic(
        value,
        value if lower is None else lower,
        value if upper is None else upper,
        0.0,
        ci_upper,
        name="ks",
        p_value=0.0,
    )
    return Evidence(effect, 0.05, "ks", **more)


# The rules of the statistical contract, one case a branch; threshold 0.05.
@pytest.mark.parametrize(
    ("given", "q", "verdict", "rule"),
    [
        (evidence(0.08), 0.0005, "drift", "drift"),
        (evidence(0.08), 0.0006, "possible", "possible"),
        (evidence(0.08), 0.011, "none", "no evidence"),
        (evidence(0.06, 0.045, 0.07), 0.0001, "possible", "possible"),
        (evidence(0.045, 0.04, 0.06), 0.0001, "possible", "possible"),
        (evidence(0.045, 0.04, 0.06), 0.005, "none", "no evidence"),
        (evidence(0.02), 0.0001, "none", "negligible"),
        (evidence(0.02, ci_upper=0.04), 0.5, "none", "equivalent"),
        (evidence(0.02, ci_upper=0.06), 0.5, "none", "no evidence"),
        (evidence(0.06, 0.02, 0.08), 0.0001, "not comparable", "not comparable"),
        (evidence(math.nan), 0.0001, "not comparable", "not comparable"),
        (evidence(0.01, ratio=Ratio(3.0, 1.6, 5.0, 20)), 0.0001, "drift", "drift"),
        (evidence(0.01, ratio=Ratio(3.0, 1.6, 5.0, 20)), 0.005, "possible", "possible"),
        (evidence(0.01, ratio=Ratio(0.3, 0.2, 0.6, 20)), 0.0001, "drift", "drift"),
        (evidence(0.01, ratio=Ratio(3.0, 1.4, 5.0, 20)), 0.0001, "none", "negligible"),
        (evidence(0.01, ratio=Ratio(1.9, 1.6, 5.0, 90)), 0.0001, "none", "negligible"),
        (evidence(0.01, ratio=Ratio(3.0, 1.6, 5.0, 19)), 0.0001, "none", "negligible"),
        (evidence(0.01, None, None, 0.02, ratio=Ratio(1.1, 0.4, 5, 9)), 0.5, "none", "no evidence"),
        (evidence(0.01, None, None, 0.02, ratio=Ratio(1.1, 0.9, 2, 9)), 0.5, "none", "equivalent"),
        (evidence(0.01, coarse=True), 0.0001, "possible", "possible"),
        (evidence(0.01, ci_upper=0.02, coarse=True), 0.5, "none", "no evidence"),
    ],
)
def test_rules(given: Evidence, q: float, verdict: str, rule: str) -> None:
    found = judge(given, q, Thresholds())
    assert (found.verdict, found.rule) == (verdict, rule)
    assert found.reason.startswith(f"{rule}: ")
    if verdict != "not comparable":
        assert "assumes independent rows" in found.reason


def test_a_sentence_names_effect_interval_threshold_and_q() -> None:
    found = judge(evidence(0.08, 0.07, 0.09), 1e-5, Thresholds())
    assert found.reason == (
        "drift: ks is 0.08 (0.07 to 0.09), at least 0.05; q = 1e-05 (ks, assumes independent rows)"
    )


def test_a_shifted_number_drifts() -> None:
    column = compared(NORMAL[:10_000], NORMAL[10_000:] + 0.2)
    assert column.verdict == "drift"
    assert column.values.test == "ks"
    assert column.values.effect == column.ks
    assert column.values.threshold == 0.05


def test_the_same_distribution_does_not() -> None:
    column = compared(NORMAL[:10_000], NORMAL[10_000:])
    assert column.verdict == "none"
    assert column.values.rule == "equivalent"


def test_predictions_are_judged_more_strictly() -> None:
    a, b = NORMAL[:10_000], NORMAL[:10_000] + 0.1
    assert 0.03 < compared(a, b).ks.value < 0.05
    assert compared(a, b).verdict == "none"
    for role in ("prediction", "score", "label"):
        assert compared(a, b, role=role).verdict == "drift"


@pytest.mark.parametrize("role", ["id", "timestamp", "segment"])
def test_some_roles_are_not_judged_by_values(role: str) -> None:
    column = compared(NORMAL[:1_000], NORMAL[:1_000] + 9, role=role)
    assert column.values.verdict == "not comparable"
    assert column.values.reason == (
        f"not comparable: columns of role {role} are not judged by values"
    )
    assert column.ks.value > 0.9


def test_few_rows_are_not_comparable() -> None:
    column = compared(NORMAL[:99], NORMAL[:1_000])
    assert column.values.reason == "not comparable: 99 values in the reference, under 100"


def test_all_missing_is_not_comparable_but_its_share_is() -> None:
    column = compared(NORMAL[:200], np.full(200, math.nan))
    assert column.values.reason == "not comparable: all rows of the current profile are missing"
    assert column.missing.verdict == "drift"
    assert column.verdict == "drift"
    assert (column.missing.reference, column.missing.current) == (0.0, 1.0)
    assert column.reason == column.missing.reason


def test_other_types_are_not_comparable() -> None:
    column = compared(NORMAL[:200], [str(x) for x in NORMAL[:200]])
    assert column.verdict == "not comparable"
    assert column.values.reason == "not comparable: types differ: double and string"
    assert column.retyped
    assert column.statistics == ()
    with pytest.raises(MissingStatisticError, match="types differ"):
        _ = column.ks
    assert not hasattr(column, "chi2")


def test_a_side_alone_that_is_redacted_is_not_comparable() -> None:
    values = [f"v{i % 5}" for i in range(500)]
    hidden = redact(profile({"x": values}, redact=["x"]))
    column = compare(profile({"x": values}), hidden)["x"]
    assert column.values.reason == (
        "not comparable: the column is redacted on one side only, which moves its values"
    )
    assert compare(hidden, hidden)["x"].verdict == "none"


def test_integers_and_floats_are_comparable() -> None:
    values = np.arange(1_000) % 7
    column = compared(values, values.astype(float))
    assert column.ks.value == 0.0
    assert column.retyped
    assert column.verdict == "none"


def test_categories_use_total_variation_beyond_chance() -> None:
    a = LETTERS[RANDOM.integers(0, 8, 20_000)]
    b = LETTERS[RANDOM.integers(0, 8, 20_000)]
    same = compared(a, b)
    assert same.values.test == "chi2"
    assert same.verdict == "none"
    changed = compared(a, np.where(np.arange(20_000) % 10 == 0, "a", b))
    assert changed.verdict == "drift"
    assert changed.values.effect is not None
    # A tenth of the rows moves to "a", of which an eighth was there.
    assert changed.values.effect.value == pytest.approx(0.1 * 7 / 8, abs=0.01)


def test_unseen_and_vanished_categories_are_named() -> None:
    a = LETTERS[np.arange(8_000) % 4]
    b = np.where(np.arange(8_000) % 1_000 == 0, "new", LETTERS[np.arange(8_000) % 3])
    column = compared(a, b)
    assert [(v.value, v.count) for v in column.unseen.values] == [("new", 8)]
    assert column.unseen.share == 0.001
    assert [v.value for v in column.vanished.values] == ["d"]
    assert column.vanished.share == 0.25


def test_the_change_in_words_is_made_once_and_leaves_what_was_there() -> None:
    column = compared(NORMAL[:2_000], NORMAL[:2_000] + 1)
    measures = column._measures
    assert measures is not None
    words = column.change
    assert words
    assert "bands" not in measures._kept
    assert "band" not in vars(column.reference)
    assert column.change == words
    assert measures._kept["change"] == words
    other = compared(NORMAL[:2_000], NORMAL[:2_000] + 1)
    assert other.wasserstein.value > 0.9
    assert other._measures is not None
    held = other._measures._kept["bands"]
    assert other.change == words
    assert other._measures._kept["bands"] is held


def test_free_text_is_not_judged_by_values() -> None:
    texts = [f"row {i}" for i in range(500)]
    column = compared(texts, texts)
    assert column.values.reason == (
        "not comparable: 100% of the reference's values are distinct: an id or free text"
    )


def rare(rows: int, hits: int) -> np.ndarray:
    return (np.arange(rows) < hits).astype(int)


# Fraud from 0.1 % to 0.3 %: Cohen's h .046, total variation .002; found by the ratio.
@pytest.mark.parametrize("kind", ["integer", "boolean", "text", "float"])
def test_a_rare_share_that_triples_is_drift(kind: str) -> None:
    convert = {
        "integer": lambda x: x,
        "boolean": lambda x: x.astype(bool),
        "text": lambda x: np.where(x, "fraud", "fine"),
        "float": lambda x: x.astype(float),
    }[kind]
    a, b = convert(rare(50_000, 50)), convert(rare(50_000, 150))
    column = compared(a, b)
    assert column.values.effect is not None
    assert column.values.effect.name == "cohens_h"
    assert column.verdict == "drift"
    assert "changed by a factor of 3" in column.reason
    assert compared(a, convert(rare(50_000, 60))).verdict == "none"


def test_missing_rows_from_one_in_a_thousand_to_four_in_a_hundred() -> None:
    a, b = NORMAL[:10_000].copy(), NORMAL[10_000:].copy()
    a[:10], b[:400] = math.nan, math.nan
    column = compared(a, b)
    assert column.values.verdict == "none"
    assert column.missing.verdict == "drift"
    assert column.verdict == "drift"


def test_nulls_and_nan_are_both_missing() -> None:
    import pyarrow as pa

    column = compared(pa.array([1.0, None, math.nan, 2.0]), pa.array([1.0, 2.0]))
    assert column.missing.reference == 0.5


def test_a_constant_reference_reports_other_values() -> None:
    column = compared(np.full(1_000, 5), np.where(np.arange(1_000) < 30, 7, 5))
    assert column.verdict == "drift"
    assert [(v.value, v.share) for v in column.unseen.values] == [("7", 0.03)]
    spread = compared(np.full(1_000, 5.0), NORMAL[:1_000])
    assert spread.verdict == "drift"
    assert compared(np.full(3_000, 5), np.full(1_000, 5)).reason == (
        "equivalent: all values on both sides are one and the same; "
        "q = 1 (fisher, assumes independent rows)"
    )


def both(**options: Any) -> Comparison:
    a = {"age": NORMAL[:1_000], "gone": np.arange(1_000), "c": LETTERS[np.arange(1_000) % 3]}
    b = {"age": NORMAL[:1_000] + 1, "new": np.arange(1_000), "c": LETTERS[np.arange(1_000) % 3]}
    return compare(profile(a), profile(b), **options)


def test_a_comparison_names_what_changed() -> None:
    result = both()
    assert result.names == ("age", "gone", "c", "new")
    assert result.added == ("new",)
    assert result.missing == ("gone",)
    assert result.drifted == ("age",)
    assert result.verdict == "drift"
    assert result.worst_first[0].name == "age"
    assert result["new"].verdict == "not comparable"
    assert result["new"].reason == "not comparable: the column is only in the current profile"
    with pytest.raises(InputError, match="one side only"):
        _ = result["new"].ks
    with pytest.raises(InputError, match="did you mean 'age'"):
        _ = result["agee"]
    # age and c, each by values and by missing share.
    assert result.family == 4


def test_the_worst_verdict_of_a_comparison() -> None:
    assert worst([Verdict.NONE, Verdict.POSSIBLE]) == "possible"
    assert worst([]) == "not comparable"
    assert both()["c"].verdict == "none"


def test_results_are_json_arrow_and_picklable() -> None:
    result = both()
    figures = result.to_dict()
    assert json.loads(to_json(figures))["columns"]["age"]["values"]["verdict"] == "drift"
    assert set(figures) == {
        "verdict", "drifted", "added", "missing", "retyped", "rows", "correction", "family",
        "columns", "schema", "ranking", "windows", "warnings", "segments", "mix", "mix_only",
    }  # fmt: skip
    assert {"ks", "wasserstein", "psi"} <= set(figures["columns"]["age"]["statistics"])
    assert "energy" not in figures["columns"]["age"]["statistics"]
    assert set(result["age"].to_dict()["statistics"]) == set(result["age"].statistics)
    everything = both(statistics=["all"]).to_dict()["columns"]["age"]["statistics"]
    assert set(everything) == set(result["age"].statistics)
    table = result.to_arrow()
    assert table.num_rows == 4
    assert table["ks"].to_pylist()[0] == result["age"].ks.value
    assert table["verdict"].to_pylist() == ["drift", "not comparable", "none", "not comparable"]
    assert pickle.loads(pickle.dumps(result)).drifted == ("age",)


def test_results_do_not_change() -> None:
    result = both()
    with pytest.raises(AttributeError):
        result.family = 3  # type: ignore[misc]
    with pytest.raises(AttributeError):
        result["age"].name = "b"  # type: ignore[misc]


def test_wrong_use_is_named() -> None:
    side = profile({"x": NORMAL[:200]})
    with pytest.raises(InputError, match="unknown statistic 'kss'"):
        compare(side, side, statistics=["kss"])
    with pytest.raises(InputError, match="unknown correction"):
        compare(side, side, correction="holm")
    with pytest.raises(InputError, match="did you mean 'ks'"):
        compare(side, side, thresholds={"kss": 0.1})
    with pytest.raises(InputError, match="above 0"):
        compare(side, side, thresholds={"ks": 0})
    with pytest.raises(InputError, match="no column in common"):
        compare(side, profile({"y": NORMAL[:200]}))
    assert issubclass(MissingStatisticError, ComparisonError)


SIDE = profile({"x": NORMAL[:200]})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (3, "thresholds are numbers by name, not of type int"),
        ("ks", "thresholds are numbers by name, not of type str"),
        ([("ks", 0.1)], "thresholds are numbers by name, not of type list"),
        ({3: 0.1}, "there is no threshold 3"),
        ({"ks": "x"}, "threshold 'ks' is 'x'; it must be a finite number above 0"),
        ({"ks": None}, "threshold 'ks' is None"),
        ({"ks": True}, "threshold 'ks' is True"),
        ({"ks": math.inf}, "threshold 'ks' is inf"),
        ({"ks": math.nan}, "threshold 'ks' is nan"),
        ({"ks": -1}, "threshold 'ks' is -1"),
    ],
)
def test_a_wrong_threshold_is_named(given: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        compare(SIDE, SIDE, thresholds=given)


def test_thresholds_check_themselves() -> None:
    with pytest.raises(InputError, match="threshold 'ratio' is inf"):
        Thresholds(ratio=math.inf)
    assert Thresholds(ks=np.float32(0.5), occurrences=np.int64(3)).ks == 0.5  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sides", "options", "message"),
    [
        ((SIDE, 3), {}, "the current side is of type int; compare takes two profiles"),
        ((None, SIDE), {}, "the reference is of type NoneType; compare takes two profiles"),
        ((SIDE, SIDE), {"statistics": 3}, "statistics are a sequence of names"),
        ((SIDE, SIDE), {"statistics": "ks"}, "statistics are a sequence of names"),
        ((SIDE, SIDE), {"statistics": [3]}, "unknown statistic 3"),
        ((SIDE, SIDE), {"correction": 3}, "unknown correction 3"),
    ],
)
def test_a_wrong_argument_is_named(sides: Any, options: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        compare(*sides, **options)


def test_columns_and_statistics_are_found_by_name() -> None:
    result = compare(SIDE, SIDE)
    with pytest.raises(InputError, match="there is no column 3; columns are found by name"):
        result[3]  # type: ignore[index]
    with pytest.raises(MissingStatisticError, match="has no statistic 3"):
        result["x"][3]  # type: ignore[index]


def test_thresholds_can_be_set() -> None:
    a, b = NORMAL[:10_000], NORMAL[10_000:] + 0.2
    assert compared(a, b, thresholds={"ks": 0.2}).verdict == "none"
    assert compared(a, b, thresholds=Thresholds(ks=0.2)).values.rule == "negligible"


def drawn(weights: np.ndarray, rows: int) -> np.ndarray:
    names = np.array([f"v{i}" for i in range(len(weights))])
    return np.repeat(names, np.random.default_rng(3).multinomial(rows, weights / weights.sum()))


EVEN = np.ones(300)
HALVES = np.where(np.arange(300) < 150, 1.9, 0.1)


# None of the 300 values has 0.5 % of the reference's rows.
def test_changes_among_light_values_are_drift() -> None:
    reference = drawn(EVEN, 200_000)
    assert compared(reference, drawn(EVEN, 150_000)).verdict == "none"
    assert compared(reference, drawn(HALVES, 200_000)).verdict == "drift"
    one = compared(reference, drawn(np.append(0.6, np.full(299, 0.4 / 299)), 200_000))
    assert one.verdict == "drift"
    assert one.values.effect is not None
    assert one.values.effect.value == pytest.approx(0.597, abs=0.02)
    assert "v0" in one.values.effect.categories


# A tenth of the rows moves: total variation .1, but over so many values that each moved by little
# more than chance makes. 300 values share groups, which hide it.
@pytest.mark.parametrize(("values", "verdict"), [(50, "drift"), (100, "drift"), (300, "possible")])
def test_a_change_that_is_spread_over_many_values_is_found(values: int, verdict: str) -> None:
    moved = 1 + 0.2 * np.where(np.arange(values) % 2, 1, -1)
    column = compared(drawn(np.ones(values), 10_000), drawn(moved, 10_000))
    assert column.verdict == verdict


# 1,000 rows carry no groups: what the values singly did keeps it from being called negligible.
@pytest.mark.parametrize(
    ("values", "n", "m", "verdict"),
    [
        (30, 2_000, 100, "drift"),
        (300, 200_000, 1_000, "possible"),
        (300, 200_000, 1_400, "possible"),
        (200, 100_000, 900, "drift"),
    ],
)
def test_small_sides_have_verdicts(values: int, n: int, m: int, verdict: str) -> None:
    halves = np.where(np.arange(values) < values // 2, 1.9, 0.1)
    column = compared(drawn(np.ones(values), n), drawn(halves, m))
    assert column.verdict == verdict


def mixed(share: float, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    rare = np.char.add("v", random.integers(0, 3_000, 10_000).astype(str))
    return np.where(random.random(10_000) < share, "A", rare)


# A tenth of the rows holds values that the other side lacks, without any change.
def test_values_that_are_rare_on_both_sides_do_not_count_as_change() -> None:
    reference = mixed(0.5, 0)
    same = compared(reference, mixed(0.5, 1))
    assert same.unseen.share > 0.08
    assert same.values.effect is not None
    assert same.values.effect.value < 0.01
    assert same.verdict == "none"
    assert compared(reference, mixed(0.47, 2)).verdict == "none"
    changed = compared(reference, mixed(0.4, 3))
    assert changed.verdict == "drift"
    assert changed.values.effect is not None
    assert changed.values.effect.value == pytest.approx(0.1, abs=0.02)


def test_no_evidence_names_what_would_have_been() -> None:
    a = compared(LETTERS[np.arange(200) % 8], LETTERS[np.arange(200) % 7])
    assert a.reason.startswith("no evidence: total variation beyond chance is ")
    assert ", not significant; from 0." in a.reason
    b = compared(rare(1_000, 3), rare(1_000, 5))
    # From 3 in 1,000 Fisher's test needs 20 (SciPy: p .00054 at 19): Cohen's h .174.
    assert "; from 0.174 it would have been; " in b.reason
    missing = compared([None, *[1.0] * 199], [*[None] * 3, *[1.0] * 197]).missing
    assert ", not significant; from 0." in missing.reason


def test_what_statistics_rest_on_is_dropped_and_computed_again() -> None:
    column = compared(NORMAL[:10_000], NORMAL[10_000:])
    assert column._measures is not None
    assert not {"bands", "cells", "tallies"} & column._measures._kept.keys()
    value = column.wasserstein.value
    column.to_dict()
    assert not {"bands", "cells", "tallies"} & column._measures._kept.keys()
    assert column.wasserstein.value == value


def test_thresholds_by_kind_role_and_column() -> None:
    limits = Limits(
        Thresholds(ks=0.2),
        kinds={"numeric": {"cohens_h": 0.4}, "float": {"ks": 0.3}},
        roles={"score": {"ks": 0.02}},
        columns={"p": {"occurrences": 7}},
    )
    assert limits.of("x", Kind.INTEGER, Role.FEATURE).ks == 0.2
    x = limits.of("x", Kind.FLOAT, Role.FEATURE)
    assert (x.ks, x.cohens_h, x.strict_ks) == (0.3, 0.4, 0.03)
    p = limits.of("p", Kind.FLOAT, Role.SCORE)
    assert (p.ks, p.of_effect("ks", Role.SCORE), p.cohens_h, p.occurrences) == (0.02, 0.02, 0.4, 7)
    assert limits.of("x", Kind.TEXT, Role.FEATURE) == Thresholds(ks=0.2)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kinds": {"floaty": {}}}, "there is no kind 'floaty'; did you mean 'float'"),
        ({"roles": {"scores": {}}}, "there is no role 'scores'; did you mean 'score'"),
        ({"columns": {"x": {"kss": 0.1}}}, "there is no threshold 'kss'; did you mean 'ks'"),
        ({"columns": {"x": {"ks": -0.1}}}, "threshold 'ks' is -0.1"),
        ({"columns": {"x": 0.1}}, "thresholds are numbers by name, not of type float"),
        ({"columns": {"x": {"statistic": "wassertein"}}}, "'statistic' is 'wassertein'"),
        ({"drift_share": 1.5}, "'drift_share' is 1.5; it is a share"),
    ],
)
def test_wrong_limits_are_named(given: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Limits(**given)


def test_limits_of_a_column_that_is_not_there_are_named() -> None:
    with pytest.raises(InputError, match="there is no column 'y'; the columns are 'x'"):
        compare(SIDE, SIDE, thresholds=Limits(columns={"y": {"ks": 0.1}}))


def test_one_column_has_its_own_threshold() -> None:
    data = {"a": NORMAL[:10_000], "b": NORMAL[:10_000]}
    later = {"a": NORMAL[10_000:] + 0.2, "b": NORMAL[10_000:] + 0.2}
    result = compare(profile(data), profile(later), thresholds=Limits(columns={"b": {"ks": 0.2}}))
    assert (result["a"].values.rule, result["b"].values.rule) == ("drift", "negligible")


@pytest.mark.parametrize(
    ("name", "rule"),
    # A shift of 0.2 deviations: psi .040, wasserstein .2 of the spread, jensen_shannon .085.
    [("psi", "negligible"), ("wasserstein", "drift"), ("jensen_shannon", "negligible")],
)
def test_another_effect_can_be_judged(name: str, rule: str) -> None:
    a, b = NORMAL[:10_000], NORMAL[10_000:] + 0.2
    found = compared(a, b, thresholds={"statistic": name}).values
    assert found.effect is not None
    assert found.effect.name.removesuffix("_scaled") == name
    assert (found.test, found.rule) == ("ks", rule)


def test_psi_is_possible_from_a_tenth_on() -> None:
    a, b = NORMAL[:10_000], NORMAL[10_000:] + 0.4
    found = compared(a, b, thresholds={"statistic": "psi"}).values
    assert (found.rule, found.threshold) == ("possible", 0.25)
    assert "not certain to stay under 0.1" in found.reason


def test_psi_of_too_few_rows_for_its_cells_is_not_judged() -> None:
    values = [f"v{i % 90}" for i in range(300)]
    found = compared(values, values, thresholds={"statistic": "psi"}).values
    assert found.verdict is Verdict.NOT_COMPARABLE
    assert "without any change psi would be" in found.reason


def test_means_are_tested_where_ks_cannot_tell() -> None:
    """A shift of 0.1 deviations of N(100, 1): two of its buckets hold 60 % of the rows."""
    a, b = (RANDOM.normal(mean, 1, 200_000) for mean in (100.0, 100.1))
    found = compared(a, b).values
    effect = found.effect
    assert effect is not None
    assert effect.p_value is not None
    assert effect.upper - effect.lower > 0.01
    assert found.test == "ks or means"
    expected = stats.ttest_ind(a, b, equal_var=False).pvalue
    assert effect.p_value <= 2.1 * max(expected, 1e-300)
    narrow = compared(NORMAL[:10_000], NORMAL[10_000:]).values
    assert narrow.test == "ks"


def test_a_tiny_significant_shift_is_negligible() -> None:
    a, b = (RANDOM.normal(mean, 1, 1_000_000) for mean in (100.0, 100.02))
    found = compared(a, b).values
    assert (found.verdict, found.rule, found.test) == ("none", "negligible", "ks or means")


def test_results_of_a_column_make_each_band_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    original = ColumnProfile.band.make

    def counted(side: ColumnProfile) -> Any:
        made.append(side.name)
        return original(side)

    band = lazy(counted)
    band.__set_name__(ColumnProfile, "band")
    monkeypatch.setattr(ColumnProfile, "band", band)
    column = compared(NORMAL[:10_000], NORMAL[10_000:])
    made.clear()
    assert column.to_dict(statistics=["ks", "psi", "wasserstein"])["quality"]["out_of_range"]
    assert len(made) == 2
