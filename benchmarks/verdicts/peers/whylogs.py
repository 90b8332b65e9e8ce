"""whylogs: the drift scores of two profiles, KS for numbers and chi-squared for all else."""

from __future__ import annotations

import pandas as pd
import whylogs
from whylogs.viz.drift.column_drift_algorithms import KS, ChiSquare

from .loop import Alarms, serve

WORDS = {"DRIFT": "drift", "POSSIBLE_DRIFT": "possible"}


def alarms(reference: str, current: str) -> Alarms:
    before, now = pd.read_parquet(reference), pd.read_parquet(current)
    past, present = (whylogs.log(pandas=side).view() for side in (before, now))
    found: Alarms = {word: [] for word in WORDS.values()}
    for name in before:
        test = KS() if before[name].dtype.kind in "if" else ChiSquare()
        sides = present.get_column(name), past.get_column(name)
        score = test.calculate(*sides, with_thresholds=True)
        if score is not None and score.drift_category in WORDS:
            found[WORDS[score.drift_category]].append(name)
    return found


if __name__ == "__main__":
    serve(alarms, "whylogs", "numpy", "pandas", "scipy")
