"""Plain SciPy as many write it: a test a column at 5 %, uncorrected."""

from __future__ import annotations

import pandas as pd
import pyarrow.parquet as pq
from scipy import stats

from .loop import Alarms, serve

LEVEL = 0.05


def alarms(reference: str, current: str) -> Alarms:
    before, now = (pq.read_table(path).to_pandas() for path in (reference, current))
    return {"p <= .05": [name for name in before if p_value(before[name], now[name]) <= LEVEL]}


def p_value(a: pd.Series, b: pd.Series) -> float:
    a, b = a.dropna(), b.dropna()
    if a.dtype.kind in "if":
        return float(stats.ks_2samp(a, b).pvalue)
    counts = pd.DataFrame({"a": a.value_counts(), "b": b.value_counts()}).fillna(0)
    counts = counts[counts.sum(axis=1) > 0]
    return float(stats.chi2_contingency(counts.T)[1]) if len(counts) > 1 else 1.0


if __name__ == "__main__":
    serve(alarms, "scipy", "numpy", "pandas")
