"""`leadline infer` and `leadline check`."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.cells import cell_len

import leadline as ll

from .conftest import Run

Pair = tuple[Path, Path]


@pytest.fixture
def policy(run: Run, snapshots: Pair, tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    assert run("infer", snapshots[0], "-o", path, "--owner", "data", "--quiet").code == 0
    return path


def test_inferred_rules_hold_for_their_reference(run: Run, snapshots: Pair, tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    done = run("infer", snapshots[0], "-o", path)
    assert (done.code, done.err) == (0, "")
    rules = len(ll.Policy.read(path).rules)
    assert done.out == f"{path}: {rules} rules for 4 columns, from 3,000 rows\n"
    for arguments in ([snapshots[0]], [snapshots[0], snapshots[0]]):
        done = run("check", *arguments, "--policy", path, "--fail-on", "undecided,warning")
        assert (done.code, done.err) == (0, "")
        assert "verdict pass" in done.out


def test_violations_are_named_with_figure_bound_and_owner(
    run: Run, snapshots: Pair, policy: Path
) -> None:
    done = run("check", *snapshots, "--policy", policy)
    assert (done.code, done.err) == (1, "")
    lines = done.out.splitlines()
    assert lines[0] == f"{snapshots[1]} against {policy} · reference {snapshots[0]}"
    assert lines[1].startswith("3,000 rows; ")
    assert lines[2] == "verdict fail"
    first = next(i for i, text in enumerate(lines) if text.startswith("violation"))
    assert lines[first].split() == ["violation", "income", "[columns.income]", "shares"]
    assert lines[first + 1].strip().startswith("share of values from ")
    assert lines[first + 1].endswith("under 0.9925")
    assert lines[first + 2].strip() == "owner: data"
    assert "ks is 0." in done.out


def test_what_fails_can_be_widened(run: Run, snapshots: Pair, tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text("version = 1\ndrift = false\n[columns.income.warning]\nmean = { max = 110 }\n")
    codes = [
        run("check", snapshots[1], "-p", path, *more).code
        for more in ([], ["--fail-on", "warning"], ["--fail-on", "possible,undecided"])
    ]
    assert codes == [0, 1, 0]
    assert "warning" in run("check", snapshots[1], "-p", path).out


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_report_fits_the_width(
    run: Run, snapshots: Pair, policy: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.chdir(policy.parent)
    lines = run("check", *snapshots, "--policy", "policy.toml").out.splitlines()
    assert max(cell_len(line) for line in lines[1:]) <= width


def test_json_and_quiet(run: Run, snapshots: Pair, policy: Path) -> None:
    figures = run("check", snapshots[1], "--policy", policy, "--json").json
    assert (figures["failed"], figures["verdict"]) == (True, "fail")
    assert (figures["reference"], figures["current"]) == (None, str(snapshots[1]))
    assert {each["column"] for each in figures["violations"]} == {"income"}
    done = run("check", snapshots[1], "--policy", policy, "--quiet")
    assert (done.code, done.out, done.err) == (1, "", "")


def test_a_part_can_be_checked(run: Run, snapshots: Pair, tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text("version = 1\n[table]\nrows = { max = 2000 }\n")
    assert run("check", snapshots[1], "-p", path).code == 1
    assert run("check", snapshots[1], "-p", path, "--window", "2026-01-08").code == 0
    assert run("check", snapshots[1], "-p", path, "--segment", "country=FR").code == 0


def test_freshness_is_measured_from_an_instant(run: Run, snapshots: Pair, tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text('version = 1\n[columns.ts]\nfreshness = "36h"\n')
    for instant, code in (("2026-01-11", 0), ("2026-01-14T00:00:00+02:00", 1), ("2026-02-30", 2)):
        assert run("check", snapshots[1], "-p", path, "--as-of", instant).code == code
    assert run("check", snapshots[1], "-p", path).code == 1


def test_a_policy_is_printed_on_demand(run: Run, snapshots: Pair) -> None:
    done = run("infer", snapshots[0], "-o", "-")
    assert ll.Policy.parse(done.out) == ll.infer(ll.read(snapshots[0]))


def test_a_policy_that_may_have_been_edited_is_kept(
    run: Run, snapshots: Pair, policy: Path
) -> None:
    policy.write_text("version = 1  # mine\n")
    done = run("infer", snapshots[0], "-o", policy)
    assert done.code == 2
    assert "is there already; it may have been edited, so it is kept; --force" in done.err
    assert policy.read_text() == "version = 1  # mine\n"
    assert run("infer", snapshots[0], "-o", policy, "--force").code == 0
    assert len(ll.Policy.read(policy).rules) > 5
    before = snapshots[0].read_bytes()
    assert run("infer", snapshots[0], "-o", snapshots[0], "--force").code == 2
    assert snapshots[0].read_bytes() == before


@pytest.mark.parametrize(
    ("text", "arguments", "says"),
    [
        ("version = 1\n[columns.age]\nminimu = 0", [], "did you mean `minimum`?"),
        (
            "version = 1\n[columns.age]\nminimum = 0",
            ["--fail-on", "warnings"],
            "use one of possible, undecided, warning",
        ),
        ("version = 1\n[columns.age]\nunseen = {max = 0}", [], "give the reference as well"),
        ("version = 1", ["more.lead", "evenmore.lead"], "give CUR, or REF and CUR"),
        ("version = [", [], "is not TOML"),
        (None, [], "No such file"),
    ],
)
def test_wrong_use_is_one_line(
    run: Run, snapshots: Pair, tmp_path: Path, text: str | None, arguments: list[str], says: str
) -> None:
    path = tmp_path / "policy.toml"
    if text is not None:
        path.write_text(text)
    done = run("check", snapshots[1], "--policy", path, *arguments)
    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert says in done.err


@pytest.mark.demo
def test_a_bad_month_of_flights_is_named(run: Run, flights: Path, tmp_path: Path) -> None:
    roles = [f"--role={name}=id" for name in ("flight", "tailnum")]
    roles += [f"--role={name}=timestamp" for name in ("year", "month", "day")]
    for name, months in (("first", range(1, 7)), ("july", [7]), ("may", [5])):
        files = [flights / f"2013-{month:02d}.parquet" for month in months]
        assert run("profile", *files, "-o", tmp_path / f"{name}.lead", "-q", *roles).code == 0
    policy = tmp_path / "policy.toml"
    assert run("infer", tmp_path / "first.lead", "-o", policy).code == 0
    assert run("check", tmp_path / "first.lead", "-p", policy, "--fail-on", "undecided").code == 0
    assert run("check", tmp_path / "may.lead", "-p", policy).code == 0
    figures = run("check", tmp_path / "july.lead", "-p", policy, "--json").json
    named = {(each["column"], each["rule"]) for each in figures["violations"]}
    # July is hotter and damper than any day of the first half-year.
    assert named == {
        ("temp", "shares"),
        ("temp", "quantiles"),
        ("dewp", "shares"),
        ("dewp", "quantiles"),
    }


def test_a_policys_thresholds_decide_a_comparison(
    run: Run, snapshots: Pair, tmp_path: Path
) -> None:
    path = tmp_path / "policy.toml"
    path.write_text("version = 1\n[columns.income.drift]\nks = 0.99\n")
    figures = run("compare", *snapshots, "--policy", path, "--json").json
    assert figures["columns"]["income"]["values"]["threshold"] == 0.99
    assert figures["columns"]["age"]["values"]["threshold"] == 0.05
    assert figures["drifted"] == []


def test_names_reach_the_terminal_spelled_out(run: Run, tmp_path: Path) -> None:
    names = ["\x1b[31mred", "a\nb", "[bold]x[/bold]", "x\u202ey", "\x9bq"]
    pq.write_table(pa.table({name: ["\x1b[2J"] * 200 for name in names}), tmp_path / "x.parquet")
    snapshot, policy = tmp_path / "x.lead", tmp_path / "policy.toml"
    assert run("profile", tmp_path / "x.parquet", "-o", snapshot).code == 0
    outputs = [
        run("infer", snapshot, "-o", policy, "--owner", "\x1b]0;me\x07", "--runbook", "\x1b[1m"),
        run("check", snapshot, "--policy", policy),
        run("check", snapshot, "--policy", policy, "--json"),
    ]
    text = policy.read_text().replace('"\\u001b[2J"', '"other"')
    policy.write_text(text)
    outputs.append(run("check", snapshot, "--policy", policy))
    assert [done.code for done in outputs] == [0, 0, 0, 1]
    for done in outputs:
        printed = done.out + done.err
        assert all(mark.isprintable() or mark == "\n" for mark in printed), printed
    assert all(mark.isprintable() or mark == "\n" for mark in text)
