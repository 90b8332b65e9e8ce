"""`leadline demo` on the real flights."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from leadline import flights as data
from leadline.errors import InputError

from .conftest import Run

pytestmark = pytest.mark.demo
LATER = [f"2013-{month:02d}" for month in range(7, 13)]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


def test_ends_with_what_drifted_and_where_the_files_are(run: Run, directory: Path) -> None:
    done = run("demo", "--directory", directory)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    header = next(line for line in lines if line.startswith("column"))
    assert header.split() == ["column", "effect", *LATER]
    warmest = lines[lines.index(header) + 1]
    assert warmest.split()[:2] == ["temp", "ks"]
    assert warmest.count("*") == 6
    assert f"The files are in {directory}" in done.out
    names = {path.name for path in directory.iterdir()}
    assert names == {f"2013-{month:02d}.lead" for month in range(1, 13)} | {
        "flights",
        "reference.lead",
    }
    written = sum(path.stat().st_size for path in directory.glob("2013-*.lead"))
    raw = sum(path.stat().st_size for path in (directory / "flights").iterdir())
    assert written < raw


def test_a_second_run_writes_no_parquet(run: Run, directory: Path) -> None:
    run("demo", "--directory", directory, "--quiet")
    before = {path: path.stat().st_mtime_ns for path in (directory / "flights").iterdir()}
    figures = run("demo", "--directory", directory, "--json").json
    after = {path: path.stat().st_mtime_ns for path in (directory / "flights").iterdir()}
    assert before == after
    assert list(figures["months"]) == LATER
    assert "temp" in figures["months"]["2013-07"]["drifted"]
    assert figures["reference"] == str(directory / "reference.lead")


def test_the_flights_are_those_of_the_package(flights: Path) -> None:
    table = pa.concat_tables([pq.read_table(path) for path in sorted(flights.iterdir())])
    assert table.num_rows == 336_776
    assert table.num_columns == 29
    # Facts of the data set: see its documentation, and its counts by month.
    assert pq.read_table(flights / "2013-02.parquet").num_rows == 24_951
    assert table["time_hour"].type == pa.timestamp("us", "UTC")
    assert table["air_time"].null_count == table["speed"].null_count == 9_430
    first = table.slice(0, 1).to_pylist()[0]
    assert (first["carrier"], first["flight"], first["dest"]) == ("UA", 1545, "IAH")
    assert first["speed"] == 1400 / (227 / 60)
    assert first["temp"] == 39.02
    assert pc.sum(pc.is_null(table["temp"])).as_py() == 1_573


def test_without_the_data_package_the_error_says_what_to_install(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "DISTRIBUTION", "not-installed-flights")
    with pytest.raises(InputError, match="extra `demo`"):
        data.write_months(tmp_path / "x")
    done = run("demo", "--directory", tmp_path)
    assert done.code == 2
    assert len(done.err.splitlines()) == 1


def test_what_the_demo_suggests_runs(run: Run, directory: Path) -> None:
    lines = run("demo", "--directory", directory).out.splitlines()
    commands = [line.split()[1:] for line in lines if line.startswith("  leadline ")]
    verbs = [words[0] for words in commands]
    assert {"compare", "infer", "check", "show", "merge"} <= set(verbs)
    for words in commands:
        files = (
            sorted(map(str, directory.glob("2013-*.lead"))) if "*" in w else [w] for w in words
        )
        done = run(*(name for group in files for name in group))
        assert (done.code, done.err) == (1 if words[0] == "check" else 0, ""), words
    for name in ("policy.toml", "year.lead"):
        (directory / name).unlink()
