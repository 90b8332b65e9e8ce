"""`leadline profile`."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

import leadline as ll

from .conftest import Run


def test_says_what_it_wrote(run: Run, logs: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.lead"
    done = run("profile", logs, "-o", out)
    assert done.code == 0
    assert done.err == ""
    assert "6,000 rows, 4 columns, 1 cell in" in done.out
    assert ll.read(out).rows == 6_000


def test_json_has_the_documented_keys(run: Run, logs: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.lead"
    done = run("profile", logs, "-o", out, "--json", "--time", "ts", "--every", "1d")
    assert done.code == 0
    assert done.json == {
        "snapshot": str(out),
        "rows": 6_000,
        "columns": 4,
        "cells": 6,
        "bytes": out.stat().st_size,
    }


def test_quiet_prints_nothing(run: Run, logs: Path, tmp_path: Path) -> None:
    done = run("profile", logs, "-o", tmp_path / "x.lead", "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_every_option_reaches_the_profile(run: Run, logs: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.lead"
    done = run(
        "profile", logs, "-o", out, "--time", "ts", "--every", "1d", "--tz", "Europe/Berlin",
        "--segment", "country", "--role", "income=kpi", "--columns", "ts,income,country",
        "--threads", "2", "--memory", "64MB", "--max-cells", "50", "--rank-error", "0.01",
        "--redact", "country", "--tag", "model=fraud", "--tag", "stage=a=b",
    )  # fmt: skip
    assert done.code == 0, done.err
    profile = ll.read(out)
    assert profile.settings.tz == "Europe/Berlin"
    assert profile.settings.segments == ("country",)
    assert profile.settings.rank_error == 0.01
    assert profile.settings.redacted == ("country",)
    assert profile["income"].role == "kpi"
    assert profile.names == ("ts", "income", "country")
    assert dict(profile.tags) == {"model": "fraud", "stage=a": "b"}


def test_threads_do_not_change_a_byte(run: Run, logs: Path, tmp_path: Path) -> None:
    for threads in (1, 2, 4):
        assert run("profile", logs, "-o", tmp_path / f"{threads}", "--threads", threads).code == 0
    written = {(tmp_path / f"{threads}").read_bytes() for threads in (1, 2, 4)}
    assert len(written) == 1


def test_csv_and_its_compressed_form_agree(run: Run, tmp_path: Path) -> None:
    text = "x,y\n1,a\n2,b\n,\n"
    (tmp_path / "a.csv").write_text(text)
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(text.encode()))
    for name in ("a.csv", "b.csv.gz"):
        assert run("profile", tmp_path / name, "-o", tmp_path / f"{name}.lead").code == 0
    plain, packed = (ll.read(tmp_path / f"{name}.lead") for name in ("a.csv", "b.csv.gz"))
    assert plain["x"].to_dict() == packed["x"].to_dict()
    assert plain["x"].nulls == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere.parquet", "-o", "x.lead"], "nowhere.parquet"),
        (["{logs}", "-o", "no/such/place.lead"], "there is no directory"),
        (["{logs}", "-o", "."], "is a directory"),
        (["{logs}", "-o", "x.lead", "--every", "1d"], "--time"),
        (["{logs}", "-o", "x.lead", "--time", "ts", "--every", "soon"], "soon"),
        (["{logs}", "-o", "x.lead", "--time", "age", "--every", "1d"], "age"),
        (["{logs}", "-o", "x.lead", "--time", "ts", "--every", "1d", "--tz", "Mars/One"], "Mars"),
        (["{logs}", "-o", "x.lead", "--columns", "agee"], "did you mean 'age'?"),
        (["{logs}", "-o", "x.lead", "--role", "age"], "NAME=VALUE"),
        (["{logs}", "-o", "x.lead", "--role", "age=boss"], "boss"),
        (["{logs}", "-o", "x.lead", "--tag", "a=1", "--tag", "a=2"], "twice"),
        (["{logs}", "-o", "x.lead", "--memory", "plenty"], "plenty"),
        (["{logs}", "-o", "x.lead", "--threads", "0"], "--threads"),
        (["{logs}", "-o", "x.lead", "--segment", "age", "--max-cells", "3"], "--max-cells"),
        (["{logs}", "-o", "x.lead", "--on-schema-change", "hope"], "hope"),
        (["{logs}", "-o", "x.lead", "--rank-error", "7"], "rank"),
        (["{logs}"], "--output"),
        ([], "PATH"),
    ],
)
def test_wrong_use_is_one_line(
    run: Run,
    logs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("profile", *(text.format(logs=logs) for text in arguments))
    assert done.code == 2
    assert done.out == ""
    assert len(done.err.splitlines()) == 1
    assert done.err.startswith("leadline: ")
    assert says in done.err
    assert not list(tmp_path.iterdir())


def test_a_failed_run_leaves_the_older_file(run: Run, logs: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.lead"
    assert run("profile", logs, "-o", out).code == 0
    before = out.read_bytes()
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 not really PAR1")
    assert run("profile", logs, tmp_path / "bad.parquet", "-o", out).code == 2
    assert out.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.parquet", "x.lead"]
