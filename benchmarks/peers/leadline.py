"""Leadline itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import leadline as ll
from leadline import _native
from leadline._native import BLOCK
from leadline.cli import main

from ..worker import Options, Work, serve

QUANTILES = (0.01, 0.25, 0.5, 0.75, 0.99)


def answers(profile: ll.Profile) -> dict[str, Any]:
    return {name: answer(profile[name]) for name in profile.names}


def answer(column: ll.ColumnProfile) -> dict[str, Any]:
    distinct = column.distinct
    found: dict[str, Any] = {
        "rows": column.rows,
        "nulls": column.nulls,
        "distinct": distinct.value,
        "distinct_between": [distinct.lower, distinct.upper],
    }
    if column.kind.value in {"float", "integer"} and column.nulls < column.rows:
        quantiles = {share: column.quantile(share) for share in QUANTILES}
        found |= {
            "mean": column.mean,
            "quantiles": {share: float(each.value) for share, each in quantiles.items()},
            "quantiles_between": {
                share: [float(each.lower), float(each.upper)] for share, each in quantiles.items()
            },
        }
    return found


def shaped(options: Options) -> pa.Array | np.ndarray:
    """The column of a file, or one derived from it: nulls, NaN, ties and order."""
    values = np.load(options["path"])
    random = np.random.default_rng(7)
    count = len(values)
    shape = options.get("shape", "as it is")
    if shape == "as it is":
        return values
    if shape == "5 % nulls":
        return pa.array(values, mask=random.random(count) < 0.05)
    if shape == "1 % NaN":
        values[random.random(count) < 0.01] = np.nan
        return values
    if shape == "all null":
        return pa.nulls(count, pa.float64())
    others: dict[str, Callable[[], np.ndarray]] = {
        "uniform": lambda: random.random(count),
        "all equal": lambda: np.full(count, 3.25),
        "sorted": lambda: np.sort(values),
        "lognormal(0, 3)": lambda: np.exp(3 * values),
        "70 % zeros": lambda: np.where(random.random(count) < 0.7, 0.0, np.abs(values)),
        "1.7e9 +- 10": lambda: 1.7e9 + 10 * values,
        "rounded to 0.1": lambda: (10 * values).round(1),
    }
    return others[shape]()


def column(options: Options) -> Work:
    table = {"x": shaped(options)}
    return Work(lambda: ll.profile(table, threads=options["threads"]), answers)


def texts(options: Options) -> Work:
    """String columns of the archive, in memory."""
    name = options["column"]
    read = pq.read_table(
        options["path"],
        columns=[name],
        read_dictionary=[name] if options["dictionary"] else [],
    )
    if options["dictionary"]:
        read = read.unify_dictionaries()
    return Work(lambda: ll.profile(read, threads=options["threads"]), answers)


def anchor(options: Options) -> Work:
    """The archive to a snapshot file."""
    path, output = options["path"], Path(options["output"])
    cells: dict[str, Any] = {}
    if options.get("cells"):
        cells = {"time": "ts", "every": "1m", "segments": ["s10"]}
    columns = options.get("columns")

    def run() -> None:
        profile = ll.profile(path, threads=options["threads"], columns=columns, **cells)
        profile.save(output)

    return Work(run, lambda _: answers(ll.read(output)))


def command(options: Options) -> Work:
    """The command itself, with what it is called with."""
    arguments = options["arguments"]

    def run() -> None:
        if (code := main(["profile", *arguments, "--quiet"])) != 0:
            raise SystemExit(code)

    return Work(run)


def wide(options: Options) -> Work:
    """As many float columns as asked for, from memory."""
    random = np.random.default_rng(11)
    table = {f"c{each}": random.normal(size=options["rows"]) for each in range(options["columns"])}
    return Work(lambda: ll.profile(table, threads=options["threads"]))


def moments(options: Options) -> Work:
    """Moments and extremes of a column, block by block: by our kernel, or by a user's function."""
    values = np.load(options["path"])
    blocks = [values[at : at + BLOCK] for at in range(0, len(values), BLOCK)]
    if options["user"]:
        from ..users_summary import initial, update

        def of_user() -> float:
            state = initial()
            for block in blocks:
                update(state, block)
            return float(state[1])

        return Work(of_user, lambda mean: {"x": {"mean": mean}})
    words = [block.view(np.uint64) for block in blocks]

    def of_kernel() -> float:
        found = [_native.moments_block(each, _native.Storage.FLOAT64)[:2] for each in words]
        return sum(count * mean for count, mean in found) / len(values)

    return Work(of_kernel, lambda mean: {"x": {"mean": mean}})


def small_table(seed: int) -> pa.Table:
    """1,000 rows of 20 columns of every kind."""
    random = np.random.default_rng(seed)
    rows = 1_000
    columns: dict[str, Any] = {f"float{each}": random.normal(size=rows) for each in range(10)}
    columns |= {f"integer{each}": random.integers(0, 100, rows) for each in range(5)}
    columns |= {
        f"text{each}": pa.array([f"v{value}" for value in random.integers(0, 20, rows)])
        for each in range(3)
    }
    columns["flag"] = random.random(rows) < 0.5
    instants = 1_700_000_000_000_000 + random.integers(0, 10**9, rows)
    columns["ts"] = pa.array(instants, pa.timestamp("us"))
    return pa.table(columns)


def small(options: Options) -> Work:
    table = small_table(13)
    if options.get("floats"):
        random = np.random.default_rng(13)
        table = pa.table({f"c{each}": random.normal(size=1_000) for each in range(20)})
    return Work(lambda: ll.profile(table))


def compare_small(_: Options) -> Work:
    reference, current = ll.profile(small_table(13)), ll.profile(small_table(17))
    return Work(lambda: ll.compare(reference, current))


def compare_wide(options: Options) -> Work:
    """Two snapshots of many columns, read from their files every time."""
    folder = Path(options["folder"])
    paths = []
    for seed in (11, 19):
        random = np.random.default_rng(seed)
        table = {
            f"c{each}": random.normal(size=options["rows"]) for each in range(options["columns"])
        }
        paths.append(folder / f"wide-{seed}.lead")
        ll.profile(table).save(paths[-1])
    return Work(lambda: ll.compare(ll.read(paths[0]), ll.read(paths[1])))


TASKS = {
    "column": column,
    "texts": texts,
    "moments": moments,
    "anchor": anchor,
    "command": command,
    "wide": wide,
    "small": small,
    "compare small": compare_small,
    "compare wide": compare_wide,
}

if __name__ == "__main__":
    serve(TASKS, "leadline", "numpy", "pyarrow")
