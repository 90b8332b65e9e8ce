"""The data that is measured: seeded, made once, the same on every machine.

    python -m benchmarks.data FOLDER [--quick]

``anchor.parquet`` is what an archive of a model's logs looks like: 18 columns of every shape that
is dear to somebody, in zstd Parquet. The other files serve one row of the table each.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SEED = 20_261_121
VERSION = 2  # raised with every change of what is made, so that old files are not mistaken for new
BILLION_PARTS = 100
START = 1_700_000_000_000_000  # microseconds since 1970 of the first timestamp

Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything there is."""

    name: str
    anchor_rows: int
    row_group: int
    column_values: int
    wide_columns: int
    wide_rows: int
    long_rows: int
    huge_rows: int
    huge_columns: int
    part_rows: int
    few_parts: int
    many_parts: int
    billion_rows: int


FULL = Sizes(
    name="full",
    anchor_rows=8 << 20,
    row_group=1 << 20,
    column_values=16 << 20,
    wide_columns=1_000,
    wide_rows=100_000,
    long_rows=100_000_000,
    huge_rows=10_000_000,
    huge_columns=100,
    part_rows=5_000_000,
    few_parts=4,
    many_parts=40,
    billion_rows=1_000_000_000,
)
QUICK = Sizes(
    name="quick",
    anchor_rows=2 << 20,
    row_group=1 << 20,
    column_values=4 << 20,
    wide_columns=1_000,
    wide_rows=10_000,
    long_rows=10_000_000,
    huge_rows=10_000_000,
    huge_columns=10,
    part_rows=1_000_000,
    few_parts=2,
    many_parts=20,
    billion_rows=10_000_000,
)
TINY = Sizes(
    name="tiny",
    anchor_rows=16_384,
    row_group=8_192,
    column_values=20_000,
    wide_columns=20,
    wide_rows=600,
    long_rows=12_000,
    huge_rows=20_000,
    huge_columns=5,
    part_rows=2_000,
    few_parts=2,
    many_parts=20,
    billion_rows=50_000,
)
SIZES = {each.name: each for each in (FULL, QUICK, TINY)}


def zipf(random: Random, exponent: float, values: int, rows: int) -> np.ndarray:
    """Ranks from 0, each as often as ``(rank + 1) ** -exponent`` says, none beyond ``values``."""
    weights = np.arange(1, values + 1) ** -exponent
    cumulative = np.cumsum(weights / weights.sum())
    return np.minimum(np.searchsorted(cumulative, random.random(rows)), values - 1)


def texts(prefix: str, codes: np.ndarray, values: int) -> pa.Array:
    """Plain strings, the prefix and a number each."""
    entries = pa.array([f"{prefix}{value}" for value in range(values)])
    return entries.take(pa.array(codes))


def anchor_columns(random: Random, first: int, rows: int) -> dict[str, pa.Array]:
    """Rows ``first`` to ``first + rows`` of the archive."""
    arrays: dict[str, Callable[[], np.ndarray | pa.Array]] = {
        "normal": lambda: random.normal(size=rows),
        "lognormal": lambda: random.lognormal(1, 1.5, rows),
        "student": lambda: random.standard_t(2, rows),
        "offset": lambda: 1.7e9 + 10 * random.normal(size=rows),
        "gamma": lambda: pa.array(random.gamma(2, 3, rows), mask=random.random(rows) < 0.05),
        "gaps": lambda: np.where(random.random(rows) < 0.01, np.nan, random.normal(10, 2, rows)),
        "zeros": lambda: np.where(random.random(rows) < 0.7, 0.0, random.exponential(5, rows)),
        "beta": lambda: random.beta(2, 5, rows),
        "uniform": lambda: random.random(rows, dtype=np.float32),
        "age": lambda: random.integers(18, 90, rows, dtype=np.int32),
        "poisson": lambda: random.poisson(3, rows),
        "wide": lambda: random.integers(0, 1 << 40, rows),
        "label": lambda: random.integers(0, 2, rows, dtype=np.int8),
        "flag": lambda: random.random(rows) < 0.3,
        "s10": lambda: texts("v", zipf(random, 1.5, 10, rows), 10),
        "s1000": lambda: texts("category", zipf(random, 1.3, 1_000, rows), 1_000),
        "u": lambda: texts("u", random.integers(0, 1_000_000, rows), 1_000_000),
        "ts": lambda: pa.array(START + 1_000 * np.arange(first, first + rows), pa.timestamp("us")),
    }
    return {name: pa.array(make()) for name, make in arrays.items()}


FLOATS = (
    "normal", "lognormal", "student", "offset", "gamma", "gaps", "zeros", "beta", "uniform"
)  # fmt: skip
DICTIONARIES = ("s10", "s1000")  # what a reader gains by taking as dictionaries


def write_anchor(path: Path, sizes: Sizes) -> None:
    writer = None
    for group, first in enumerate(range(0, sizes.anchor_rows, sizes.row_group)):
        rows = min(sizes.row_group, sizes.anchor_rows - first)
        random = np.random.default_rng([SEED, group])
        table = pa.table(anchor_columns(random, first, rows))
        if writer is None:
            writer = pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=rows)
    assert writer is not None
    writer.close()


def write_column(path: Path, sizes: Sizes) -> None:
    """Standard normal values, as NumPy stores them."""
    with path.open("wb") as file:
        np.save(file, np.random.default_rng(SEED).normal(size=sizes.column_values))


def write_small_integers(path: Path, sizes: Sizes) -> None:
    random = np.random.default_rng(SEED)
    with path.open("wb") as file:
        np.save(file, random.integers(18, 90, sizes.column_values, dtype=np.int32))


def write_huge(path: Path, sizes: Sizes) -> None:
    """One row group. Its columns are slices of one array: the writer never holds more than that."""
    step = 10_007
    base = np.random.default_rng(SEED).normal(size=sizes.huge_rows + step * sizes.huge_columns)
    columns = {
        f"c{each}": pa.array(base[each * step : each * step + sizes.huge_rows])
        for each in range(sizes.huge_columns)
    }
    pq.write_table(
        pa.table(columns),
        path,
        compression="zstd",
        use_dictionary=False,
        row_group_size=sizes.huge_rows,
    )


def part_table(seed: int, part: int, rows: int) -> pa.Table:
    """One file of many: four columns, drawn by its own generator, so no file repeats another."""
    random = np.random.default_rng([SEED, seed, part])
    codes = zipf(random, 1.2, 200, rows).astype(np.int32)
    countries = pa.array([f"country-{value:03}" for value in range(200)])
    return pa.table(
        {
            "amount": random.lognormal(3, 1, rows),
            "age": random.integers(18, 90, rows, dtype=np.int32),
            "country": pa.DictionaryArray.from_arrays(pa.array(codes), countries),
            "score": random.random(rows, dtype=np.float32),
        }
    )


def write_part(folder: Path, part: int, rows: int, *, seed: int) -> None:
    """One of the files, unless it is there already; it appears whole."""
    path = folder / f"part-{part:04}.parquet"
    if not path.exists():
        partial = path.with_suffix(".partial")
        pq.write_table(
            part_table(seed, part, rows),
            partial,
            compression="zstd",
            use_dictionary=["age", "country"],
            row_group_size=1 << 20,
        )
        partial.rename(path)


def write_parts(folder: Path, parts: int, rows: int, *, seed: int) -> None:
    """``parts`` distinct files, two at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(write_part, folder, each, rows, seed=seed) for each in range(parts)]
        for each in waiting:
            each.result()


def make_billion(folder: Path, sizes: Sizes) -> None:
    """``sizes.billion_rows`` rows in ``BILLION_PARTS`` files, about 13 bytes a row."""
    wanted = 16 * sizes.billion_rows
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < wanted:
        raise SystemExit(f"{folder} has not the {wanted / 1e9:.0f} GB free that its files may need")
    write_parts(folder, BILLION_PARTS, sizes.billion_rows // BILLION_PARTS, seed=BILLION_PARTS)


WRITERS: dict[str, Callable[[Path, Sizes], None]] = {
    "anchor.parquet": write_anchor,
    "float64.npy": write_column,
    "int32.npy": write_small_integers,
    "huge.parquet": write_huge,
}


@dataclass(frozen=True, slots=True)
class Data:
    """A folder with data of one size. Files are made when they are first asked for."""

    folder: Path
    sizes: Sizes

    @classmethod
    def open(cls, root: Path, sizes: Sizes) -> Data:
        """The folder below ``root``; emptied if another version of this module filled it."""
        folder = root / sizes.name
        stamp = folder / "made.json"
        made = json.dumps({"version": VERSION, "seed": SEED, **asdict(sizes)})
        if folder.exists() and not stamp.exists():
            raise SystemExit(f"{folder} was not made by this module; name another folder")
        if folder.exists() and stamp.read_text(encoding="ascii") != made:
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        stamp.write_text(made, encoding="ascii")
        return cls(folder, sizes)

    def file(self, name: str) -> Path:
        """A file of ``WRITERS``, there and whole."""
        path = self.folder / name
        if not path.exists():
            partial = path.with_name(f"partial-{name}")
            WRITERS[name](partial, self.sizes)
            partial.rename(path)
        return path

    def parts(self, count: int) -> Path:
        """A folder with ``count`` distinct files of four columns."""
        folder = self.folder / f"parts-{count}"
        write_parts(folder, count, self.sizes.part_rows, seed=count)
        return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    data = Data.open(arguments.folder, QUICK if arguments.quick else FULL)
    for name in ("anchor.parquet", "float64.npy", "int32.npy"):
        print(data.file(name))


if __name__ == "__main__":
    main()
