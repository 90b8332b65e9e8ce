"""whylogs: log a frame. It needs NumPy 1, so it has an environment of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import whylogs

from ..worker import Options, Work, serve

QUANTILES = {"q_01": 0.01, "q_25": 0.25, "median": 0.5, "q_75": 0.75, "q_99": 0.99}


def answers(view: Any) -> dict[str, Any]:
    return {name: answer(column.to_summary_dict()) for name, column in view.get_columns().items()}


def answer(summary: dict[str, Any]) -> dict[str, Any]:
    # `counts/n` leaves NaN out; nulls are counted with NaN, which pandas takes for null.
    if "cardinality/est" not in summary:  # timestamps: only counted
        return {}
    found: dict[str, Any] = {"distinct": summary["cardinality/est"]}
    fractional = summary["types/fractional"] + summary["types/integral"]
    if fractional == summary["counts/n"] and summary.get("distribution/n", 0) > 0:
        found["mean"] = summary["distribution/mean"]
        found["quantiles"] = {
            share: summary[f"distribution/{name}"] for name, share in QUANTILES.items()
        }
    return found


def column(options: Options) -> Work:
    frame = pd.DataFrame({"x": np.load(options["path"])})
    return Work(lambda: whylogs.log(pandas=frame).view(), answers)


def anchor(options: Options) -> Work:
    path = options["path"]
    return Work(lambda: whylogs.log(pandas=pq.read_table(path).to_pandas()).view(), answers)


if __name__ == "__main__":
    serve({"column": column, "anchor": anchor}, "whylogs", "numpy")
