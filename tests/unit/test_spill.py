"""Cells that wait in the temporary file end up the same as those that stay in memory."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from leadline.profile import Cell
from leadline.scan.spill import CellTable
from leadline.snapshot import encode
from scanning import profile_in_units


def table(rows: int) -> pa.Table:
    generator = np.random.default_rng(7)
    return pa.table(
        {
            "when": pa.array(generator.integers(0, 9 * 86_400, rows), pa.timestamp("s")),
            "where": generator.choice(["a", "b", "c"], rows),
            "number": generator.normal(size=rows),
            "text": [f"t{value}" for value in generator.integers(0, 40, rows)],
        }
    )


OPTIONS: dict[str, Any] = {"time": "when", "every": "1d", "segments": ("where",)}


@pytest.mark.parametrize("memory", [1, 50_000, 200_000])
@pytest.mark.parametrize("unit_rows", [97, 2_000])
def test_spilled_equals_not_spilled(memory: int, unit_rows: int) -> None:
    # 60,000 rows in 27 cells: more than 2,048 rows a cell, so sketches are merged too.
    data = table(60_000 if unit_rows > 100 else 2_000)
    expected = profile_in_units(data, unit_rows=unit_rows, **OPTIONS)
    spilled = profile_in_units(data, unit_rows=unit_rows, memory=memory, threads=2, **OPTIONS)
    assert encode(spilled) == encode(expected)


def cells_of(rows: int, seed: int) -> list[Cell]:
    generator = np.random.default_rng(seed)
    data = {"where": generator.choice(["a", "b", "c"], rows), "x": generator.normal(size=rows)}
    return list(profile_in_units(data, unit_rows=rows, segments=("where",)).cells)


@pytest.mark.parametrize("memory", [1, 2**30])
def test_going_back_undoes_everything(memory: int) -> None:
    first, second, other = cells_of(900, 1), cells_of(900, 2), cells_of(900, 3)
    with CellTable(memory=memory, k=720) as expected:
        expected.add(first)
        expected.add(other)
        wanted = list(expected.cells())
    with CellTable(memory=memory, k=720) as cells:
        cells.add(first)
        mark = cells.mark()
        cells.add(second)
        cells.go_back(mark)
        assert len(cells) == 3
        cells.add(other)
        found = list(cells.cells())
    assert [cell.key for cell in found] == [cell.key for cell in wanted]
    for left, right in zip(found, wanted, strict=True):
        assert left.rows == right.rows
        assert left.states["x"].summary.get_moments() == right.states["x"].summary.get_moments()  # type: ignore[union-attr]


def test_the_temporary_file_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def make(**options: Any) -> Any:
        made.append(tempfile.NamedTemporaryFile(dir=tmp_path, **options))  # noqa: SIM115
        return made[-1]

    # A file with a name, so that it can be seen.
    monkeypatch.setattr("tempfile.TemporaryFile", make)

    def fail_after_spilling() -> None:
        with CellTable(memory=1, k=720) as cells:
            cells.add(cells_of(100, 1))
            assert [path.name for path in tmp_path.iterdir()] == [Path(made[0].name).name]
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail_after_spilling()
    assert list(tmp_path.iterdir()) == []
