"""polars: describe. Its number of threads is set in the environment of the process."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ..worker import Options, Work, serve

QUARTILES = {"25%": 0.25, "50%": 0.5, "75%": 0.75}


def answers(described: pl.DataFrame) -> dict[str, Any]:
    statistics = described["statistic"].to_list()
    found: dict[str, dict[str, Any]] = {}
    for name in described.columns[1:]:
        column = dict(zip(statistics, described[name].to_list(), strict=True))
        found[name] = {"nulls": int(column["null_count"])}
        # With a NaN among the values the mean is NaN, and quantiles count it as the largest number.
        if isinstance(column["50%"], float) and column["mean"] == column["mean"]:
            found[name]["mean"] = column["mean"]
            found[name]["quantiles"] = {share: column[label] for label, share in QUARTILES.items()}
    return found


def column(options: Options) -> Work:
    frame = pl.DataFrame({"x": np.load(options["path"])})
    return Work(frame.describe, answers)


def anchor(options: Options) -> Work:
    path = options["path"]
    return Work(lambda: pl.scan_parquet(path).describe(), answers)


if __name__ == "__main__":
    serve({"column": column, "anchor": anchor}, "polars")
