"""Every failure is one line and an exit code; names in data cannot reach the terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadline.cli import main

from .conftest import Run

Pair = tuple[Path, Path]
HOSTILE = ["\x1b[31mred", "a\nb", "[bold]x[/bold]", "[/]", ":smile:", "x\u202ey", "\x9bq", "'\"`$"]


def start(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "leadline", *arguments],
        capture_output=True,
        text=True,
        check=False,
        **options,  # type: ignore[call-overload]
    )


def test_the_module_is_the_command() -> None:
    done = start("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("leadline ")


def test_an_interrupt_while_it_starts(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt\n")
    paths = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = start("--version", env={**os.environ, "PYTHONPATH": paths})
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "leadline: interrupted\n")


def test_help_lists_the_verbs(run: Run) -> None:
    done = run("--help")
    assert done.code == 0
    for verb in ("profile", "show", "merge", "compare", "trend", "demo"):
        assert f"\n  {verb} " in done.out


def test_without_a_verb_the_help_is_shown(run: Run) -> None:
    done = run()
    assert done.code == 2
    assert "Commands:" in done.out


@pytest.mark.parametrize("arguments", [["frobnicate"], ["show"], ["show", "a", "b"], ["--frob"]])
def test_wrong_use_exits_with_2(run: Run, arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert len(done.err.splitlines()) == 1
    assert done.err.startswith("leadline: ")


def test_an_unexpected_error_is_one_line_with_a_hint(
    run: Run, snapshots: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("first\nsecond \x1b[2J")

    monkeypatch.setattr("leadline.snapshot.read", broken)
    done = run("show", snapshots[0])
    assert done.code == 2
    assert len(done.err.splitlines()) == 1
    assert "internal error, RuntimeError: first second" in done.err
    assert "LEADLINE_DEBUG=1" in done.err
    assert "\x1b" not in done.err
    monkeypatch.setenv("LEADLINE_DEBUG", "1")
    with pytest.raises(RuntimeError):
        main(["show", str(snapshots[0])])


def test_an_interrupt_exits_with_130(
    run: Run, snapshots: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("leadline.snapshot.read", interrupted)
    done = run("show", snapshots[0])
    assert done.code == 130
    assert done.err == "leadline: interrupted\n"


def test_an_error_of_the_system_names_the_file(
    run: Run, snapshots: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "secret.lead")

    monkeypatch.setattr("leadline.snapshot.read", denied)
    done = run("show", snapshots[0])
    assert (done.code, done.err) == (2, "leadline: Permission denied: secret.lead\n")


def test_a_closed_pipe_is_silent(snapshots: Pair) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "leadline", "show", str(snapshots[0]), "--json"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert done.stderr == ""
    assert done.returncode == 141


def test_an_ascii_terminal_gets_the_figures_too(snapshots: Pair) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = start("show", str(snapshots[0]), env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3,000 rows" in done.stdout


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A snapshot whose column names and values are what a terminal or markup would obey."""
    columns = {name: pa.array(HOSTILE * 20) for name in HOSTILE}
    pq.write_table(pa.table(columns), tmp_path / "hostile.parquet")
    out = tmp_path / "hostile.lead"
    tag = "\x1b]0;title\x07=\x1b[1m"
    arguments = ["profile", str(tmp_path / "hostile.parquet"), "-o", str(out), "--tag", tag]
    assert main([*arguments, "--quiet"]) == 0
    return out


def test_names_and_values_reach_the_terminal_spelled_out(run: Run, hostile: Path) -> None:
    outputs = [
        run("show", hostile),
        run("show", hostile, "--json"),
        run("compare", hostile, hostile),
        run("compare", hostile, hostile, "--json"),
        *(run("show", hostile, "--column", name) for name in HOSTILE),
        run("show", hostile, "--column", "\x1b[31mno such"),
        run("show", str(hostile) + "\x1b[31m"),
    ]
    for done in outputs:
        printed = done.out + done.err
        assert all(mark.isprintable() or mark == "\n" for mark in printed), printed
    assert "\\x1b[31mred" in outputs[0].out
    assert "[bold]x[/bold]" in outputs[0].out
    assert ":smile:" in outputs[0].out
    assert [done.code for done in outputs[-2:]] == [2, 2]


def test_no_input_is_overwritten(run: Run, logs: Path, snapshots: Pair, tmp_path: Path) -> None:
    (data,) = sorted(logs.glob("*.parquet"))[:1]
    link = tmp_path / "link.lead"
    link.symlink_to(data)
    before = data.read_bytes()
    for source, out in ((data, data), (logs, data), (logs / "*.parquet", link)):
        done = run("profile", source, "-o", out)
        assert (done.code, done.out) == (2, "")
        assert (
            done.err
            == f"leadline: {out} is one of the inputs; give another file for the snapshot\n"
        )
    assert data.read_bytes() == before
    first = snapshots[0].read_bytes()
    done = run("merge", *snapshots, "-o", snapshots[0].parent / "." / snapshots[0].name)
    assert done.code == 2
    assert "is one of the inputs" in done.err
    assert snapshots[0].read_bytes() == first


def test_only_snapshots_are_overwritten(run: Run, logs: Path, tmp_path: Path) -> None:
    out = tmp_path / "notes.txt"
    out.write_text("dear diary")
    done = run("profile", logs, "-o", out)
    assert done.code == 2
    assert "notes.txt: is there already and is no snapshot" in done.err
    assert out.read_text() == "dear diary"
    out.write_bytes(b"")
    assert run("profile", logs, "-o", out).code == 0
    assert run("profile", logs, "-o", out).code == 0
