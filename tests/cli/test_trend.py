"""`leadline trend`: the report, its options, exit codes and errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadline.cli import main

from .conftest import Run

DAY = 86_400_000_000
MONDAY = 20_451 * DAY  # 2025-12-29


def write_days(path: Path, first: int, count: int, *, shift: float = 0.0) -> Path:
    """A snapshot of some days of 300 rows."""
    random = np.random.default_rng(first)
    tables = [
        pa.table(
            {
                "ts": pa.array(
                    MONDAY + (first + day) * DAY + random.integers(0, DAY, 300),
                    pa.timestamp("us", "UTC"),
                ),
                "x": random.normal(shift, 1.0, 300),
                "kind": random.choice(["a", "b"], 300),
            }
        )
        for day in range(count)
    ]
    pq.write_table(pa.concat_tables(tables), path.with_suffix(".parquet"))
    arguments = ["profile", path.with_suffix(".parquet"), "-o", path, "--time", "ts", "-q"]
    assert main([*map(str, arguments), "--every", "1d"]) == 0
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    directory = tmp_path_factory.mktemp("trend")
    return {
        "reference": write_days(directory / "reference.lead", 0, 56),
        "quiet": write_days(directory / "quiet.lead", 56, 4),
        "shifted": write_days(directory / "shifted.lead", 60, 3, shift=1.0),
    }


def test_a_report(run: Run, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = run("trend", *files.values(), "--budget", "1/month")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].endswith("reference.lead and 2 more · 7 windows · 2,100 rows")
    assert lines[1] == "every window against the reference's 56 windows of the same day of the week"
    assert lines[2].startswith("drift: 1 event; budget 1/month, 1 in 56 windows: score from ")
    assert lines[5].startswith("x values")
    assert lines[5].split()[2].endswith("███")
    assert lines[-1].startswith("2026-02-27 +2")
    assert "x p50 -0.0" in lines[-1] or "x p50 0.0" in lines[-1]
    assert max(map(len, lines[1:])) <= 80


def test_a_snapshot_alone(run: Run, files: dict[str, Path]) -> None:
    done = run("trend", files["reference"])
    assert done.code == 0
    assert "every window against the others of the same day of the week" in done.out
    assert "most unusual: 8 events; budget 1/week, 8 in 56 windows" in done.out


@pytest.mark.parametrize(
    ("baseline", "told"),
    [("previous", "every window against the one before"), ("rolling", "up to 28 windows before")],
)
def test_other_baselines_tell_of_the_fixed_reference(
    run: Run, files: dict[str, Path], baseline: str, told: str
) -> None:
    done = run("trend", *files.values(), "--baseline", baseline)
    assert told in done.out
    assert "against the fixed reference, longest first" in done.out


def test_exit_codes(run: Run, files: dict[str, Path]) -> None:
    names = ("reference", "quiet", "shifted")
    reference, quiet, shifted = (files[name] for name in names)
    assert run("trend", reference, quiet, shifted, "--fail-on", "drift", "-q").code == 1
    assert run("trend", reference, quiet, "--fail-on", "drift", "--budget", "1/month").code == 0
    assert run("trend", reference, quiet, shifted, "--fail-on", "possible", "--latest").code == 1
    assert run("trend", reference, quiet, shifted).code == 0
    done = run("trend", reference, quiet, "-q")
    assert (done.out, done.err) == ("", "")


def test_json_holds_what_the_report_says(run: Run, files: dict[str, Path]) -> None:
    figures = run("trend", *files.values(), "--budget", "1/month", "--json").json
    (event,) = figures["events"]
    assert (event["start"], event["end"], event["ongoing"]) == ("2026-02-27", "2026-03-01", True)
    assert [w["verdict"] for w in figures["windows"]] == ["none"] * 4 + ["drift"] * 3
    assert figures["snapshots"] == [str(path) for path in files.values()]


def test_only_some_columns_and_further_figures(run: Run, files: dict[str, Path]) -> None:
    asked = ("--column", "x", "--statistics", "mean,p95", "--json")
    figures = run("trend", *files.values(), *asked).json
    assert {(one["column"], one["what"]) for one in figures["series"]} == {
        *(("x", what) for what in ("values", "missing", "mean", "p95")),
        ("", "rows"),
        ("", "freshness"),
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{quiet}", "{quiet}"], "is in {quiet} too; snapshots of a trend must not overlap"),
        (["{reference}", "--budget", "often"], "'often' is not an alarm budget"),
        (["{reference}", "--column", "y"], "'y'"),
        (["{reference}", "--until", "soon"], "--until 'soon' is not a time"),
        (["{reference}", "--statistics", "mode"], "no statistic 'mode'"),
        (["{reference}", "--baseline", "last"], "'last'"),
        (["{reference}", "--rolling", "0"], "rolling is 0"),
        (["{reference}", "nothing.lead"], "nothing.lead"),
        (["{reference}", "--fail-on", "drift"], "--fail-on needs snapshots to judge"),
    ],
)
def test_errors_are_one_line(
    run: Run, files: dict[str, Path], arguments: list[str], message: str
) -> None:
    done = run("trend", *(argument.format(**files) for argument in arguments))
    assert done.code == 2
    assert done.out == ""
    assert done.err.count("\n") == 1
    assert message.format(**files) in done.err


def test_windows_due_until_now(run: Run, files: dict[str, Path]) -> None:
    late = ("--until", "2026-02-28T12:00", "--json")
    figures = run("trend", files["reference"], files["quiet"], *late).json
    assert [(w["window"], w["rows"]) for w in figures["windows"]][-1] == ("2026-02-27", 0)
    assert figures["events"][-1]["changes"][0]["text"] == "no rows, usually 300"


def test_an_open_window_is_not_in_the_budget(run: Run, files: dict[str, Path]) -> None:
    both = files["reference"], files["shifted"]
    figures = run("trend", *both, "--open", "--json").json
    assert [w["verdict"] for w in figures["windows"]] == ["drift"] * 3
    assert figures["events"][0]["end"] == "2026-02-28"
    assert figures["look"]["verdict"] == "drift"
    assert figures["look"]["rows"] == 300
    assert figures["look"]["parts"][0]["column"] == "x"
    quiet = run("trend", files["reference"], files["quiet"], "--open")
    assert "2026-02-26, still open, is none: nothing is certain after 300 rows" in quiet.out
    alone = run("trend", files["reference"], "--open")
    assert alone.code == 2
    assert "an open window needs a reference that does not hold it" in alone.err
    assert "alpha is 2.0" in run("trend", *both, "--open", "--alpha", "2").err


def test_a_policy_gives_the_thresholds(run: Run, files: dict[str, Path], tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("version = 1\n\n[columns.x]\ndrift = { ks = 0.9 }\n", encoding="utf-8")
    paths = files["reference"], files["shifted"]
    assert "x values" in run("trend", *paths).out
    done = run("trend", *paths, "--policy", policy)
    assert done.code == 0
    assert "x values" not in done.out  # a shift of one deviation has a ks of .38
    assert "no such file" in run("trend", *paths, "--policy", tmp_path / "none.toml").err.lower()
