"""Messages of the library that name an argument of Python name an option on the command line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import leadline
from leadline.cli import main
from leadline.cli.output import OPTIONS
from leadline.errors import LeadlineError
from leadline.snapshot.frames import HEADER_START

from .conftest import Run
from .test_summaries import OWN

PACKAGE = Path(leadline.__file__).parent
# One command line for every entry, in which {names} are files of the fixture below.
COMMANDS = {
    "with max_cells": "profile {rows} -o {out} --segment x --max-cells 1",
    'with on_schema_change="separate"': "profile {rows} {texts} -o {out}",
    "with recover=True": "show {damaged}",
    "without resume=True": "profile {rows} -o {torn} --resume",
    "with allow_repeats=True": "merge {snapshot} {snapshot} -o {out}",
    "profile with segments=": "show {snapshot} --segment x=1",
    "on_schema_change is": "profile {rows} -o {out} --on-schema-change nothing",
    "rank_error is": "profile {rows} -o {out} --rank-error 5",
    "memory is": "profile {rows} -o {out} --memory 0B",
    "format is one of": "profile {rows} -o {out} --format xml",
    "segments names": "profile {rows} -o {out} --segment x --segment x",
    "force=True replaces it": "infer {snapshot} -o {rows}",
    "read the snapshot with summaries=[...]": "merge {own} {own} -o {out} --allow-repeats",
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    directory = tmp_path_factory.mktemp("options")
    names = ("rows.csv", "texts.csv", "out.lead", "snapshot.lead", "damaged.lead")
    found = {name.split(".")[0]: directory / name for name in names}
    found["rows"].write_text("x\n1\n2\n3\n", encoding="utf-8")
    found["texts"].write_text("x\na\nb\n", encoding="utf-8")
    assert main(["profile", str(found["rows"]), "-o", str(found["snapshot"]), "--quiet"]) == 0
    code = directory / "own.py"
    code.write_text(OWN, encoding="utf-8")
    found["own"] = directory / "own.lead"
    arguments = ["profile", found["rows"], "-o", found["own"], "--quiet", "--summaries", code]
    assert main([str(argument) for argument in arguments]) == 0
    found["torn"] = directory / "torn.lead"
    found["torn"].with_name("torn.lead.checkpoint").write_bytes(HEADER_START)
    found["damaged"].write_bytes(found["snapshot"].read_bytes()[:-10])
    return found


@pytest.mark.parametrize("argument", OPTIONS)
def test_options_stand_for_arguments(
    argument: str, files: dict[str, Path], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = COMMANDS[argument].format(**files).split()
    done = run(*command)
    assert done.code == 2
    assert OPTIONS[argument] in done.err
    monkeypatch.setenv("LEADLINE_DEBUG", "1")
    with pytest.raises(LeadlineError, match=re.escape(argument)):
        main(command)


def spoken() -> Iterator[str]:
    """Every text in the library that may be a part of a message: no docstrings."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.parent.name == "cli":
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and id(node) not in alone:
                yield str(node.value)


def test_no_message_names_an_argument_that_has_no_option_here() -> None:
    # The command says in its own words that windows need a time column.
    own = {"windows need the column with the time: give time= beside every="}
    # What users write in a file of summaries is Python there too.
    texts = {text.replace("@numba.njit(nogil=True)", "") for text in spoken()}
    texts = {text.replace("without nogil=True", "") for text in texts}
    named = {text for text in texts if " " in text and re.search(r"[a-z]=", text)} - own
    assert len(named) >= 3
    assert [text for text in named if not any(argument in text for argument in OPTIONS)] == []
