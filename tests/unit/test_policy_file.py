"""The policy file: what it may hold, what it refuses and with which words, what it writes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

import leadline as ll
from leadline.errors import InputError, PolicyError
from leadline.policy import Policy, Severity
from leadline.policy.rules import Requirement
from leadline.schema import Kind, Role

WHOLE = """
version = 1
owner = "data"
runbook = "https://example.org/run"
minimum_rows = 50

[drift]
ks = 0.1
drift_share = 0.5

[table]
rows = { min = 100, max = 1_000_000 }
row_ratio = { min = 0.5 }
required = ["age", "p"]
forbidden = ["ssn"]
closed = true

[defaults]
completeness = { min = 0.9 }

[types.float]
infinities = { max = 0 }

[roles.score]
minimum = 0
maximum = 1
[roles.score.drift]
ks = 0.02
decisions = [0.5, 0.9]
severity = "warning"

[columns.age]
severity = "warning"
owner = "people"
type = ["integer", "float"]
minimum = 0
maximum = 120
mean = { min = 30, max = 40 }
std = { max = 20 }
quantiles.p50 = { min = 30 }
quantiles."p99.9" = { max = 110 }
shares = [{ from = 18, to = 65, min = 0.8 }, { from = 100, max = 0.01 }]
distinct = { min = 2 }
completeness = false
drift = false

[columns.country]
values = ["DE", "FR"]
length = { min = 2, max = 2 }
characters.upper = { min = 1 }
unseen = { max = 0 }
[columns.country.warning]
values = { set = ["DE"], min = 0.5 }

[columns."a.b"]
required = false

[columns.ts]
minimum = 2024-01-01
maximum = 2030-01-01T00:00:00+01:00
freshness = "36h"

[columns.ssn]
forbidden = true

[[segments]]
where = { country = "DE" }
[segments.columns.age]
mean = { max = 50 }
"""


def rules(policy: Policy, place: str) -> list[Requirement | None]:
    return [rule.requirement for rule in policy.rules if rule.place == place]


def test_everything_that_a_policy_may_hold() -> None:
    policy = Policy.parse(WHOLE)
    assert policy.settings.owner == "data"
    assert policy.settings.minimum_rows == 50
    assert rules(policy, "[table] rows") == [Requirement(100, 1_000_000)]
    assert rules(policy, "[table] required") == [Requirement(argument=("age", "p"))]
    assert rules(policy, "[columns.age] mean") == [Requirement(30, 40)]
    assert rules(policy, "[columns.age] completeness") == [None]
    assert rules(policy, "[columns.age] quantiles") == [
        Requirement(30, None, "p50"),
        Requirement(None, 110, "p99.9"),
    ]
    assert rules(policy, "[columns.age] shares") == [
        Requirement(0.8, None, (18, 65)),
        Requirement(None, 0.01, (100, None)),
    ]
    assert rules(policy, "[columns.country.warning] values") == [Requirement(0.5, None, ("DE",))]
    assert rules(policy, "[columns.ts] freshness") == [Requirement(None, 36 * 3600)]
    assert rules(policy, "[columns.ts] maximum") == [
        Requirement(None, dt.datetime(2029, 12, 31, 23, tzinfo=dt.UTC))
    ]
    assert rules(policy, "[[segments]] 1 [columns.age] mean") == [Requirement(None, 50)]
    assert policy.sections[4].settings.severity is Severity.WARNING


def test_thresholds_are_those_that_compare_takes() -> None:
    limits = Policy.parse(WHOLE).thresholds
    assert limits.of("x", Kind.FLOAT, Role.FEATURE).ks == 0.1
    assert limits.of("x", Kind.FLOAT, Role.SCORE).of_effect("ks", Role.SCORE) == 0.02
    assert limits.of("x", Kind.FLOAT, Role.SCORE).decisions == (0.5, 0.9)
    assert limits.drift_share == 0.5


def test_what_is_written_is_read_again() -> None:
    policy = Policy.parse(WHOLE)
    assert Policy.parse(policy.to_toml()) == policy


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the top of the file: `version` is missing; write version = 1"),
        ("version = 2", "version: this is no version 1 policy"),
        ("version = true", "version: this is no version 1 policy"),
        ("version = 1\ncolumnz = 1", "no section or setting `columnz`; did you mean `columns`?"),
        ("version = 1\n[columns.age]\nminimu = 0", "[columns.age]: there is no rule `minimu`"),
        ("version = 1\n[columns.age]\nminimu = 0", "did you mean `minimum`?"),
        ("version = 1\n[columns.age.warning]\nmeen = 1", "[columns.age.warning]: there is no rule"),
        ("version = 1\n[columns.a.city]\nmean = {min = 0}", 'write [columns."a.city"]'),
        ("version = 1\n[columns.age]\nmean = 3", "[columns.age] mean: expected a table such as"),
        ("version = 1\n[columns.age]\nmean = {}", "there is no bound"),
        ("version = 1\n[columns.age]\nmean = {mn = 1}", "no bound `mn`; did you mean `min`?"),
        ("version = 1\n[columns.a]\nmean = {min = 2, max = 1}", "2 is above 1"),
        ("version = 1\n[columns.a]\nmean = {min = nan}", "nan is no bound"),
        ("version = 1\n[columns.a]\nmean = {min = -inf}", "-inf is no bound"),
        ("version = 1\n[columns.a]\nmean = {min = true}", "expected a number, not True"),
        ("version = 1\n[columns.a]\nminimum = 0x1ffffffffffffffff", "beyond 2**64"),
        ("version = 1\n[columns.a]\nminimum = 'x'", "expected a number, not 'x'"),
        ("version = 1\n[columns.a]\nminimum = 07:30:00", "a time of day is no bound"),
        ("version = 1\n[columns.a]\nminimum = 5\nmaximum = 4", "at most 4 contradicts"),
        (
            "version = 1\n[columns.a]\nquantiles = {p90 = {max = 1}, p10 = {min = 2}}",
            "at most 1 contradicts [columns.a] quantiles, at least 2",
        ),
        ("version = 1\n[columns.a]\nminimum = 5\nmean = {max = 4}", "at most 4 contradicts"),
        ("version = 1\n[columns.a]\nquantiles = {q50 = {max = 1}}", "`q50` is no quantile"),
        ("version = 1\n[columns.a]\nquantiles = {p101 = {max = 1}}", "`p101` is no quantile"),
        ("version = 1\n[columns.a]\nquantiles = {}", "the table is empty"),
        ("version = 1\n[columns.a]\ncompleteness = {min = 99}", "99 is no share"),
        ("version = 1\n[columns.a]\ndistinct = {min = -1}", "-1 is negative"),
        ("version = 1\n[columns.a]\nvalues = []", "the list is empty"),
        ("version = 1\n[columns.a]\nvalues = ['x', 1]", "of different kinds: number, str"),
        ("version = 1\n[columns.a]\nvalues = ['x', 'x']", "'x' is there twice"),
        ("version = 1\n[columns.a]\nvalues = {min = 1}", "there is no `set` of values"),
        (f"version = 1\n[columns.a]\nvalues = ['{'x' * 300}']", "longer than 256 bytes"),
        ("version = 1\n[columns.a]\nshares = [{min = 1}]", "there is no range"),
        ("version = 1\n[columns.a]\nshares = [{from = 2, to = 1, min = 1}]", "2 is above 1"),
        ("version = 1\n[columns.a]\nfreshness = '1 day'", "is no length of time"),
        ("version = 1\n[columns.a]\ntype = 'integr'", "did you mean `integer`?"),
        ("version = 1\n[columns.a]\ntype = []", "the list is empty"),
        ("version = 1\n[columns.a]\nrequired = 1", "expected true or false, not 1"),
        ("version = 1\n[columns.a]\nrequired = true\nforbidden = true", "required and forbidden"),
        ("version = 1\n[columns.a]\nseverity = 'fatal'", "there is no severity `fatal`"),
        ("version = 1\n[columns.a]\nminimum_rows = -1", "-1 is negative"),
        ("version = 1\n[columns.a]\nowner = 3", "expected a text in quotes, not 3"),
        ("version = 1\n[types.floot]", "there is no type `floot`; did you mean `float`?"),
        ("version = 1\n[types.text]\nmean = {min = 0}", "[types.text]: there is no rule `mean`"),
        ("version = 1\n[roles.scor]", "there is no role `scor`; did you mean `score`?"),
        ("version = 1\n[drift]\nkss = 1", "there is no threshold 'kss'; did you mean 'ks'?"),
        ("version = 1\n[drift]\nks = 0", "must be a finite number above 0"),
        ("version = 1\n[drift]\nks = nan", "[drift] ks: nan is no bound"),
        ("version = 1\n[columns.a.drift]\nkss = 1", "[columns.a.drift]: there is no threshold"),
        (
            "version = 1\n[drift]\npsi = 0.15\n[columns.a.drift]\npossible_psi = 0.2",
            "drift: threshold 'possible_psi' is 0.2, above 'psi', 0.15",
        ),
        ("version = 1\n[drift]\ndrift_share = 2", "'drift_share' is 2"),
        ("version = 1\n[drift]\nseverity = 'no'", "there is no severity `no`"),
        ("version = 1\n[defaults.drift]\nks = 1", "thresholds of drift stand in [drift]"),
        ("version = 1\n[table]\nrequired = ['a']\nforbidden = ['a']", "`a` is forbidden too"),
        ("version = 1\n[table]\nforbidden = ['a']\n[columns.a]\nminimum = 0", "requires `a`"),
        ("version = 1\n[[segments]]\n[segments.table]", "name the segment"),
        ("version = 1\n[[segments]]\nwhere = {a = [1]}", "a segment's value is"),
        ("version = 1\nversion = 1", "is not TOML: "),
        ("version = ", "is not TOML: "),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text: str, says: str) -> None:
    with pytest.raises(PolicyError) as caught:
        Policy.parse(text, source="p.toml")
    assert says in str(caught.value)
    assert str(caught.value).startswith("p.toml")


def test_a_file_is_read_and_named(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_bytes(b"\xef\xbb\xbfversion = 1\n")
    assert Policy.read(path) == Policy()
    path.write_bytes(b"version = '\xff'")
    with pytest.raises(PolicyError, match=r"p\.toml: not UTF-8 at byte 11"):
        Policy.read(path)
    with pytest.raises(InputError, match=r"gone\.toml: No such file"):
        Policy.read(tmp_path / "gone.toml")


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    policy, path = Policy.parse(WHOLE), tmp_path / "p.toml"
    policy.write(path)
    with pytest.raises(InputError, match="is there already"):
        Policy().write(path)
    assert Policy.read(path) == policy
    Policy().write(path, force=True)
    assert Policy.read(path) == Policy()
    with pytest.raises(InputError, match="there is no directory"):
        policy.write(tmp_path / "no" / "p.toml")
    with pytest.raises(InputError, match="is a directory"):
        policy.write(tmp_path, force=True)
    assert [each.name for each in tmp_path.iterdir()] == ["p.toml"]


def test_comments_cannot_end_their_line() -> None:
    policy = ll.infer(ll.profile({'a"\n[b]\x00': [1, 2, 3] * 100}))
    assert Policy.parse(policy.to_toml()) == policy
