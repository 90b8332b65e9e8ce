"""docs/cli.md names every key that the command prints as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .conftest import Run

ROOT = Path(__file__).resolve().parents[2]
# Objects whose keys are data: names of columns, tags, settings, statistics, shares, classes.
OPEN = {"columns", "tags", "settings", "statistics", "quantiles", "characters", "months"}
# Lists of records that design.md and format.md describe.
RECORDS = {"lineage", "events"}


def keys_of(figures: Any) -> Iterator[str]:
    if isinstance(figures, list):
        for item in figures:
            yield from keys_of(item)
    if not isinstance(figures, dict):
        return
    for key, value in figures.items():
        yield key
        if key in OPEN and isinstance(value, dict):
            for item in value.values():
                yield from keys_of(item)
        elif key not in RECORDS:
            yield from keys_of(value)


def test_every_key_is_documented(run: Run, snapshots: tuple[Path, Path], tmp_path: Path) -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`\"?([a-z_0-9.]+)\"?`", page))
    printed = [
        run("show", snapshots[0], "--json"),
        run("show", snapshots[0], "--column", "ts", "--json"),
        run("compare", *snapshots, "--json"),
        run("merge", *snapshots, "-o", tmp_path / "x.lead", "--json"),
    ]
    for done in printed:
        assert done.code == 0
        assert set(keys_of(done.json)) - documented == set()
