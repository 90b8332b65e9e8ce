"""What is true of the data, by NumPy and pyarrow from the raw values; and whether answers agree.

A peer is timed only after its answers were held against this. The bounds are those it promises
itself; where it promises none, what its sketch of that size is known to reach.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

POINTS = 20_000  # of the kept distribution function: a rank is known to 0.005 %


class DisagreementError(Exception):
    """A peer said something about the data that is not true within its bounds."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a peer's answers may lie from the truth."""

    rank: float  # a quantile's, as a share of the rows
    distinct: float  # relative
    mean: float = 1e-9  # as a share of the larger of |mean| and the standard deviation


# DuckDB: t-digest without a bound, HyperLogLog of 1,024 registers (3.3 %), four deviations each.
# DataSketches: KLL of k = 200, 1.33 % at 99 %; whylogs: KLL of k = 256, HLL of lgK = 12.
# Leadline: what the snapshot itself promises, and the project's ceilings on top of that.
BOUNDS = {
    "leadline": Bounds(rank=0.007, distinct=0.07, mean=1e-12),
    "duckdb": Bounds(rank=0.02, distinct=0.14),
    "polars": Bounds(rank=1e-4, distinct=0.0, mean=1e-6),  # float32 stays float32
    "pandas": Bounds(rank=1e-4, distinct=0.0, mean=1e-6),  # likewise
    "numpy": Bounds(rank=1e-4, distinct=0.0),
    "pyarrow": Bounds(rank=1e-4, distinct=0.0),
    "datasketches": Bounds(rank=0.02, distinct=0.0),
    "whylogs": Bounds(rank=0.02, distinct=0.07, mean=1e-6),
}


@dataclass(frozen=True, slots=True)
class Truth:
    """Of one column, from its raw values. Numbers are None where the column holds none."""

    rows: int
    nulls: int
    nan: int
    distinct: int
    mean: float | None = None
    std: float | None = None
    grid: NDArray[np.float64] | None = None  # values at ranks 0, 1 / POINTS, ..., 1

    def ranks(self, value: float) -> tuple[float, float]:
        """The shares of values below and up to ``value``."""
        assert self.grid is not None
        low = int(np.searchsorted(self.grid, value, side="left"))
        high = int(np.searchsorted(self.grid, value, side="right"))
        return max(low - 1, 0) / POINTS, min(high, POINTS) / POINTS


def truth_of(column: pa.ChunkedArray | pa.Array) -> Truth:
    """The truth about one column."""
    rows, nulls = len(column), column.null_count
    distinct = pc.count_distinct(column, mode="only_valid").as_py()
    if pa.types.is_boolean(column.type) or not (
        pa.types.is_floating(column.type) or pa.types.is_integer(column.type)
    ):
        return Truth(rows, nulls, 0, distinct)
    values = column.drop_null().to_numpy().astype(np.float64)
    numbers = values[~np.isnan(values)]
    nan = len(values) - len(numbers)
    numbers.sort()
    at = np.linspace(0, len(numbers) - 1, POINTS + 1).astype(np.int64)
    # Of NaN counted as one value: NumPy, DuckDB and we agree that it is not a number.
    distinct -= int(nan > 0)
    mean, std = float(np.mean(numbers)), float(np.std(numbers))
    return Truth(rows, nulls, nan, distinct, mean, std, numbers[at])


def truth_of_parquet(path: Path) -> dict[str, Truth]:
    """The truth about every column of a file, one column in memory at a time."""
    with pq.ParquetFile(path) as file:
        names = file.schema_arrow.names
        return {name: truth_of(file.read(columns=[name]).column(0)) for name in names}


def write_truths(path: Path, truths: Mapping[str, Truth]) -> None:
    lists = {
        name: {**asdict(each), "grid": None if each.grid is None else each.grid.tolist()}
        for name, each in truths.items()
    }
    path.write_text(json.dumps(lists), encoding="ascii")


def read_truths(path: Path) -> dict[str, Truth]:
    return {
        name: Truth(**{**each, "grid": None if each["grid"] is None else np.array(each["grid"])})
        for name, each in json.loads(path.read_text(encoding="ascii")).items()
    }


def check(peer: str, answers: Mapping[str, Mapping[str, Any]], truth: Mapping[str, Truth]) -> None:
    """Hold all that a peer says against the truth.

    Raises
    ------
    DisagreementError
        If something lies outside the peer's bounds, or if it says nothing at all.
    """
    wrong = [
        f"{name}: {what}"
        for name, answer in answers.items()
        for what in disagreements(answer, truth[name], BOUNDS[peer])
    ]
    if not answers or not any(answers.values()):
        wrong = ["it answers nothing"]
    if wrong:
        raise DisagreementError(f"{peer} and the raw values disagree: " + "; ".join(wrong))


def disagreements(answer: Mapping[str, Any], truth: Truth, bounds: Bounds) -> Iterator[str]:
    """Every figure of one column that lies too far from the truth."""
    for name in ("rows", "nulls", "nan"):
        if name in answer and answer[name] != getattr(truth, name):
            yield f"{name} {answer[name]}, in truth {getattr(truth, name)}"
    if "distinct" in answer:
        if abs(answer["distinct"] - truth.distinct) > bounds.distinct * truth.distinct + 0.5:
            yield f"distinct {answer['distinct']}, in truth {truth.distinct}"
        low, high = answer.get("distinct_between", (0, math.inf))
        if not low <= truth.distinct <= high:
            yield f"distinct promised in [{low}, {high}], in truth {truth.distinct}"
    if "mean" in answer and truth.mean is not None and truth.std is not None:
        allowed = bounds.mean * max(abs(truth.mean), truth.std)
        if not abs(answer["mean"] - truth.mean) <= allowed:
            yield f"mean {answer['mean']!r}, in truth {truth.mean!r}"
    if truth.grid is not None:
        yield from quantiles_amiss(answer, truth, bounds)


def quantiles_amiss(answer: Mapping[str, Any], truth: Truth, bounds: Bounds) -> Iterator[str]:
    """Quantiles whose rank is wrong, and intervals that do not hold the true value."""
    grid = truth.grid
    assert grid is not None
    for share, value in answer.get("quantiles", {}).items():
        low, high = truth.ranks(value)
        if not low - bounds.rank <= float(share) <= high + bounds.rank:
            yield f"quantile {share} is {value!r}, whose rank is {low:.4f} to {high:.4f}"
    # Conventions of a quantile differ by one row, and the grid is as fine as its points.
    slack = 1 + math.ceil(POINTS / (truth.rows - truth.nulls - truth.nan))
    for share, (lower, upper) in answer.get("quantiles_between", {}).items():
        at = round(float(share) * POINTS)
        low, high = grid[max(at - slack, 0)], grid[min(at + slack, POINTS)]
        if not (lower <= high and low <= upper):
            yield f"quantile {share} promised in [{lower}, {upper}], is {grid[at]}"
