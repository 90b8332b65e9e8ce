"""Figures as JSON that every reader accepts and that a terminal cannot obey."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any


def to_json(figures: Mapping[str, Any]) -> str:
    """Standard JSON: instants and days in ISO 8601, infinities as text, NaN as null, ASCII only.

    >>> print(to_json({"max": float("inf"), "std": float("nan")}))
    {
      "max": "Infinity",
      "std": null
    }
    """
    return json.dumps(plain(figures), indent=2, ensure_ascii=True, allow_nan=False)


def plain(value: Any) -> Any:
    """The value made of what JSON knows, in the same shape."""
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        if math.isnan(value):
            return None
        if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        return float(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | str):
        return value
    return value.item() if hasattr(value, "item") else str(value)
