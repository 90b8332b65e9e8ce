"""NannyML: ``UnivariateDriftCalculator`` with all its defaults.

The reference is cut into ten chunks, whose Jensen-Shannon distances from the whole of it give each
column's threshold; the current rows are cut into ten chunks too, and each can alert.
"""

from __future__ import annotations

import nannyml
import pandas as pd

from .loop import Alarms, serve


def alarms(reference: str, current: str) -> Alarms:
    before, now = pd.read_parquet(reference), pd.read_parquet(current)
    names = list(before)
    counted = [name for name in names if before[name].dtype.kind not in "if"]
    calculator = nannyml.UnivariateDriftCalculator(column_names=names, treat_as_categorical=counted)
    frame = calculator.fit(before).calculate(now).filter(period="analysis").to_df()
    alerts = {name: frame[(name, "jensen_shannon", "alert")].to_numpy(bool) for name in names}
    return {
        "a chunk": [name for name in names if alerts[name].any()],
        "most chunks": [name for name in names if alerts[name].mean() > 0.5],
    }


if __name__ == "__main__":
    serve(alarms, "nannyml", "numpy", "pandas", "scipy")
