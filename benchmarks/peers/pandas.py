"""pandas: describe, of everything in the frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..worker import Options, Work, serve

QUARTILES = {"25%": 0.25, "50%": 0.5, "75%": 0.75}
Described = tuple[int, pd.DataFrame]


def answers(outcome: Described) -> dict[str, Any]:
    rows, described = outcome
    found: dict[str, dict[str, Any]] = {}
    for name in described.columns:
        column = described[name]
        # pandas takes NaN for null, so `count` tells nulls only where there is no NaN.
        found[name] = {"rows": rows}
        if "unique" in column and column["unique"] == column["unique"]:
            found[name]["distinct"] = int(column["unique"])
        if isinstance(column["50%"], float) and column["50%"] == column["50%"]:
            found[name]["mean"] = column["mean"]
            found[name]["quantiles"] = {share: column[label] for label, share in QUARTILES.items()}
    return found


def column(options: Options) -> Work:
    frame = pd.DataFrame({"x": np.load(options["path"])})
    return Work(lambda: (len(frame), frame.describe()), answers)


def anchor(options: Options) -> Work:
    path = options["path"]

    def run() -> Described:
        frame = pd.read_parquet(path)
        return len(frame), frame.describe(include="all")

    return Work(run, answers)


if __name__ == "__main__":
    serve({"column": column, "anchor": anchor}, "pandas")
