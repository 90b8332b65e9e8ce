"""`leadline profile --resume`: what is said, and what is left on the disk."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from leadline.scan.checkpoint import Checkpoint
from leadline.snapshot.frames import HEADER_START

from .conftest import Run


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint after every unit of work."""
    monkeypatch.setattr("leadline.scan.checkpoint.INTERVAL", 0.0)
    monkeypatch.setattr("leadline.scan.checkpoint.COSTS", 0)


def stop(monkeypatch: pytest.MonkeyPatch, saves: int, error: BaseException) -> None:
    """Let a scan end with an error after so many checkpoints."""
    left, save = [saves], Checkpoint.save

    def count(self: Checkpoint, *values: Any) -> None:
        if not left[0]:
            raise error
        left[0] -= 1
        save(self, *values)

    monkeypatch.setattr(Checkpoint, "save", count)


def interrupt(run: Run, *command: object, saves: int = 3) -> str:
    with pytest.MonkeyPatch.context() as patch:
        stop(patch, saves, KeyboardInterrupt())
        done = run(*command)
    assert done.code == 130
    return done.err


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_interrupted_run_goes_on(logs: Path, tmp_path: Path, run: Run) -> None:
    target, once = tmp_path / "out.lead", tmp_path / "once.lead"
    options = ("--time", "ts", "--every", "1d", "--segment", "country")
    command = ("profile", logs, "-o", target, *options)
    told = interrupt(run, *command)
    assert told == (
        f"leadline: interrupted; what was read is kept in {target}.checkpoint: "
        "go on with the same command and --resume\n"
    )
    assert names(tmp_path) == ["out.lead.checkpoint", "out.lead.checkpoint.cells"]
    assert "out.lead.checkpoint" in interrupt(run, *command, "--resume", saves=0)
    done = run(*command, "--resume")
    assert (done.code, done.err) == (0, "")
    assert run("profile", logs, "-o", once, *options).code == 0
    assert target.read_bytes() == once.read_bytes()
    assert names(tmp_path) == ["once.lead", "out.lead"]


def test_an_interrupt_before_any_checkpoint(logs: Path, tmp_path: Path, run: Run) -> None:
    target = tmp_path / "out.lead"
    told = interrupt(run, "profile", logs, "-o", target, saves=0)
    assert told == "leadline: interrupted\n"


def test_without_a_checkpoint_it_starts(logs: Path, tmp_path: Path, run: Run) -> None:
    target = tmp_path / "out.lead"
    done = run("profile", logs, "-o", target, "--resume")
    assert done.code == 0
    assert done.err == (f"leadline: there is no {target}.checkpoint; starting from the beginning\n")
    assert run("profile", logs, "-o", target, "--resume", "--quiet").err == ""


def test_a_complete_snapshot_is_left_as_it_is(logs: Path, tmp_path: Path, run: Run) -> None:
    target = tmp_path / "out.lead"
    command = ("profile", logs, "-o", target, "--segment", "country")
    run(*command)
    before = target.stat().st_ino
    done = run(*command, "--resume")
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("; complete, left as it is\n")
    assert target.stat().st_ino == before
    # Another request makes another snapshot.
    assert run("profile", logs, "-o", target, "--resume").out.endswith(" bytes\n")
    assert run(*command, "--columns", "age", "--resume").out.endswith(" bytes\n")


def test_a_checkpoint_that_nobody_asks_for(logs: Path, tmp_path: Path, run: Run) -> None:
    target = tmp_path / "out.lead"
    command = ("profile", logs, "-o", target)
    interrupt(run, *command)
    done = run(*command)
    assert done.err == (
        f"leadline: starting from the beginning; {target}.checkpoint would let --resume go on\n"
    )
    assert names(tmp_path) == ["out.lead"]


def test_a_bad_file_ends_a_run_that_can_go_on(logs: Path, tmp_path: Path, run: Run) -> None:
    archive, target = tmp_path / "logs", tmp_path / "out.lead"
    shutil.copytree(logs, archive)
    bad = sorted(archive.iterdir())[4]
    data = bytearray(bad.read_bytes())
    data[100:5_000] = bytes(4_900)
    good = bad.read_bytes()
    bad.write_bytes(data)
    done = run("profile", archive, "-o", target)
    assert done.code == 2
    assert f"{bad}" in done.err
    assert "go on with the same command and --resume)" in done.err
    bad.write_bytes(good)
    assert run("profile", archive, "-o", target, "--resume").code == 0


def test_an_update_goes_on(logs: Path, tmp_path: Path, run: Run) -> None:
    archive, target, once = tmp_path / "logs", tmp_path / "out.lead", tmp_path / "once.lead"
    archive.mkdir()
    for path in sorted(logs.iterdir())[:2]:
        shutil.copy(path, archive)
    run("profile", archive, "-o", target)
    for path in sorted(logs.iterdir())[2:]:
        shutil.copy(path, archive)
    command = ("profile", archive, "-o", target, "--update")
    interrupt(run, *command, saves=2)
    refused = run("profile", archive, "-o", target, "--resume")
    assert refused.code == 2
    assert "the interrupted run was adding new files to a snapshot" in refused.err
    done = run(*command, "--resume")
    assert done.out.endswith("; 4 files added\n")
    run("profile", archive, "-o", once)
    assert target.read_bytes() == once.read_bytes()


def test_what_cannot_be_gone_on_with(logs: Path, tmp_path: Path, run: Run) -> None:
    target = tmp_path / "out.lead"
    for option in ("--resume", "--update"):
        done = run("profile", "-", "-o", target, option)
        assert done.code == 2
        assert "standard input cannot be read again" in done.err
    command = ("profile", logs, "-o", target)
    interrupt(run, *command)
    done = run(*command, "--segment", "country", "--resume")
    assert done.code == 2
    assert "had no segments, not ['country']" in done.err
    assert "without --resume" in done.err
    (tmp_path / "out.lead.checkpoint").write_bytes(HEADER_START)
    done = run(*command, "--resume")
    assert done.code == 2
    assert "out.lead.checkpoint cannot be used" in done.err


def test_control_c(logs: Path, tmp_path: Path) -> None:
    """A real interrupt of a real process, while it reads."""
    target = tmp_path / "out.lead"
    program = (
        "import sys, time\n"
        "from leadline.cli import main\n"
        "from leadline.scan import checkpoint, run\n"
        "checkpoint.INTERVAL = 0\n"
        "save = checkpoint.Checkpoint.save\n"
        "def slow(self, *values):\n"
        "    save(self, *values)\n"
        "    open('saved', 'w').close()\n"
        "    time.sleep(0.2)\n"
        "checkpoint.Checkpoint.save = slow\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, "profile", str(logs), "-o", str(target)],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
        cwd=tmp_path,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "saved").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told.startswith("leadline: interrupted; what was read is kept in ")
    assert told.count("\n") == 1


@pytest.mark.parametrize("ending", ["checkpoint", "checkpoint.cells"])
@pytest.mark.parametrize("options", [(), ("--resume",)])
def test_nothing_of_another_kind_is_taken_for_a_checkpoint(
    run: Run, tmp_path: Path, ending: str, options: tuple[str, ...]
) -> None:
    data, theirs = tmp_path / "x.csv", tmp_path / f"x.lead.{ending}"
    data.write_text("a\n1\n")
    theirs.write_text("precious\n")
    done = run("profile", data, "-o", tmp_path / "x.lead", *options)
    assert done.code == 2
    assert f"{theirs} is there already and is no checkpoint" in done.err
    assert theirs.read_text() == "precious\n"
    theirs.unlink()
    theirs.mkdir()
    assert run("profile", data, "-o", tmp_path / "x.lead", *options).code == 2
    assert not (tmp_path / "x.lead").exists()


@pytest.mark.parametrize("ending", ["checkpoint", "checkpoint.cells"])
def test_an_input_is_not_taken_for_a_checkpoint(run: Run, tmp_path: Path, ending: str) -> None:
    data = tmp_path / f"x.lead.{ending}"
    data.write_text("a\n1\n")
    done = run("profile", data, "--format", "csv", "-o", tmp_path / "x.lead")
    assert done.code == 2
    assert "is one of the inputs" in done.err
    assert data.read_text() == "a\n1\n"


def test_a_snapshot_is_not_taken_for_a_checkpoint(run: Run, tmp_path: Path) -> None:
    data, other = tmp_path / "x.csv", tmp_path / "x.lead.checkpoint"
    data.write_text("a\n1\n")
    assert run("profile", data, "-o", other).code == 0
    content = other.read_bytes()
    assert run("profile", data, "-o", tmp_path / "x.lead").code == 2
    assert other.read_bytes() == content
