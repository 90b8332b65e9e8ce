"""Evidently: ``DataDriftPreset`` with all its defaults."""

from __future__ import annotations

from typing import Any

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

from .loop import Alarms, serve


def alarms(reference: str, current: str) -> Alarms:
    before, now = pd.read_parquet(reference), pd.read_parquet(current)
    numbers = [name for name in before if before[name].dtype.kind in "if"]
    definition = DataDefinition(
        numerical_columns=numbers,
        categorical_columns=[name for name in before if name not in numbers],
    )
    sides = (Dataset.from_pandas(side, data_definition=definition) for side in (now, before))
    found = Report([DataDriftPreset()]).run(*sides).dict()
    each = [one for one in found["metrics"] if one["config"]["type"].endswith(":ValueDrift")]
    return {"drift": [one["config"]["column"] for one in each if drifted(one)]}


def drifted(metric: dict[str, Any]) -> bool:
    """A p-value under its threshold, or a distance that reaches it."""
    value, config = float(metric["value"]), metric["config"]
    below = config["method"].endswith("p_value")
    return bool(value < config["threshold"] if below else value >= config["threshold"])


if __name__ == "__main__":
    serve(alarms, "evidently", "numpy", "pandas", "scipy")
