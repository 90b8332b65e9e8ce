"""Snapshot files of every released format version stay readable and mean what they meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import snapshot_cases as cases
from leadline import snapshot
from leadline.snapshot import frames

FOLDER = Path(__file__).parent
# Every version that was ever released, with its files: a missing file is a failure.
FILES = {"format-1.0": ("empty", "every-state", "journal", "redacted", "small")}
PATHS = [FOLDER / version / name for version, names in FILES.items() for name in names]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_decoded_values_are_those_that_were_written(path: Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text())
    assert held(cases.described(snapshot.read(path.with_suffix(".lead"))), expected) == expected


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_they_can_be_written_again(path: Path) -> None:
    profile = snapshot.read(path.with_suffix(".lead"))
    back = snapshot.decode(snapshot.encode(profile))
    assert cases.described(back) == cases.described(profile)


def test_the_current_version_has_its_files() -> None:
    assert f"format-{frames.MAJOR}.{frames.MINOR}" in FILES
    for version, names in FILES.items():
        found = {path.stem for path in (FOLDER / version).iterdir()}
        assert found == set(names)


def test_values_known_by_heart() -> None:
    """A few figures as literals, so that files and expectations cannot drift together."""
    profile = snapshot.read(FOLDER / "format-1.0" / "every-state.lead")
    assert profile.rows == 1_009
    assert (profile["serial"].max, profile["age"].min, profile["age"].max) == (
        2**64 - 1,
        -3,
        999_000,
    )
    assert profile["amount"].nan == 1
    assert profile["country"].top[0] == ("DE", 63)
    assert profile.tags == {"model": "fraud", "owner": "ünï"}
    journal = snapshot.read(FOLDER / "format-1.0" / "journal.lead")
    assert [cell.rows for cell in journal.cells] == [12, 6]


def held(found: Any, expected: Any) -> Any:
    """What was found, without the fields that the expectation did not know yet."""
    if isinstance(found, dict) and isinstance(expected, dict):
        return {key: held(found[key], value) for key, value in expected.items() if key in found}
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        return [held(a, b) for a, b in zip(found, expected, strict=True)]
    return found
