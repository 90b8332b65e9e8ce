"""A comparison as an Arrow table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from .comparison import ColumnComparison

_TEXTS = ("name", "role", "kind", "verdict", "reason", "effect", "test", "missing_verdict")
_FIGURES = (
    "value",
    "lower",
    "upper",
    "ci_lower",
    "ci_upper",
    "threshold",
    "p_value",
    "q_value",
    "missing_reference",
    "missing_current",
)


def table_of(columns: Sequence[ColumnComparison], names: Sequence[str]) -> pa.Table:
    """One row a column: verdict, effect and the named statistics with their bounds."""
    statistics = [f"{name}{end}" for name in names for end in ("", "_lower", "_upper")]
    schema = pa.schema(
        [(name, pa.string()) for name in _TEXTS]
        + [(name, pa.float64()) for name in (*_FIGURES, *statistics)]
    )
    return pa.Table.from_pylist([_row(column, names) for column in columns], schema=schema)


def _row(column: ColumnComparison, names: Sequence[str]) -> dict[str, Any]:
    row: dict[str, Any] = column.values.to_dict()
    row |= {
        "name": column.name,
        "role": column.role.value,
        "kind": column.kind,
        "verdict": column.verdict.value,
        "reason": column.reason,
        "missing_verdict": column.missing.verdict.value,
        "missing_reference": column.missing.reference,
        "missing_current": column.missing.current,
    }
    for name in names:
        if name not in column.statistics:
            continue
        statistic = column[name]
        row |= {
            name: statistic.value,
            f"{name}_lower": statistic.lower,
            f"{name}_upper": statistic.upper,
        }
    column.release()
    return row
