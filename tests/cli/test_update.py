"""`leadline profile --update`: only new files are read, and the file is that of one run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from leadline import snapshot

from .conftest import Run

OPTIONS = ("--time", "ts", "--every", "1d", "--segment", "country", "--role", "income=label")


@pytest.fixture
def archive(logs: Path, tmp_path: Path) -> Path:
    """The first four of six days; `rest` brings the others."""
    (tmp_path / "logs").mkdir()
    for path in sorted(logs.iterdir())[:4]:
        shutil.copy(path, tmp_path / "logs")
    return tmp_path / "logs"


def rest(archive: Path, logs: Path) -> None:
    for path in sorted(logs.iterdir())[4:]:
        shutil.copy(path, archive)


def test_an_update_is_one_run(archive: Path, logs: Path, tmp_path: Path, run: Run) -> None:
    target, once = tmp_path / "out.lead", tmp_path / "once.lead"
    command = ("profile", archive, "-o", target, "--update")
    assert run(*command, *OPTIONS).code == 0
    assert snapshot.read(target).rows == 4_000
    rest(archive, logs)
    done = run(*command)
    assert (done.code, done.err) == (0, "")
    assert "6,000 rows" in done.out
    assert done.out.endswith("; 2 files added\n")
    run("profile", archive, "-o", once, *OPTIONS)
    assert target.read_bytes() == once.read_bytes()


def test_the_same_command_serves_every_time(archive: Path, tmp_path: Path, run: Run) -> None:
    target = tmp_path / "out.lead"
    command = ("profile", archive, "-o", target, "--update", *OPTIONS, "--tag", "a=1")
    run(*command)
    before = target.stat()
    done = run(*command)
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("; no new files, left as it is\n")
    after = target.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert run(*command, "--json").json["added"] == 0
    assert run(*command, "--quiet").out == ""


def test_json_says_how_many_files_were_added(
    archive: Path, logs: Path, tmp_path: Path, run: Run
) -> None:
    target = tmp_path / "out.lead"
    assert "added" not in run("profile", archive, "-o", target, "--json").json
    rest(archive, logs)
    found = run("profile", archive, "-o", target, "--update", "--json").json
    assert (found["added"], found["rows"]) == (2, 6_000)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--every", "1h"), "made with every '1d', not '1h'; leave every out"),
        (("--columns", "age"), "made without columns, not with ('age',)"),
        (("--redact", "age"), "made without redact, not with ('age',)"),
    ],
)
def test_other_settings_are_refused(
    archive: Path, tmp_path: Path, run: Run, options: tuple[str, str], message: str
) -> None:
    target = tmp_path / "out.lead"
    run("profile", archive, "-o", target, *OPTIONS)
    before = target.read_bytes()
    done = run("profile", archive, "-o", target, "--update", *options)
    assert done.code == 2
    assert message in done.err
    assert target.read_bytes() == before


def test_a_changed_file_is_named(archive: Path, logs: Path, tmp_path: Path, run: Run) -> None:
    target = tmp_path / "out.lead"
    run("profile", archive, "-o", target)
    days = sorted(logs.iterdir())
    shutil.copy(days[5], archive / days[1].name)
    done = run("profile", archive, "-o", target, "--update")
    assert done.code == 2
    assert f"{days[1].name} is not the file that the snapshot holds" in done.err


def test_what_is_no_snapshot_is_not_updated(archive: Path, tmp_path: Path, run: Run) -> None:
    target = tmp_path / "out.lead"
    target.write_bytes(b"")
    done = run("profile", archive, "-o", target, "--update")
    assert done.code == 2
    assert "empty" in done.err
