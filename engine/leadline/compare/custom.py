"""Users' own summaries compared by their own functions of two states."""

from __future__ import annotations

import math

from ..errors import ComparisonError
from ..profile import ColumnProfile
from .statistic import Statistic, undefined


def custom_statistics(
    reference: ColumnProfile | None, current: ColumnProfile | None
) -> dict[str, Statistic]:
    """What the ``compare`` of every summary gives that both sides hold, by the summary's name.

    The states are those of all rows, so value and bounds coincide; nothing is known of the
    population, and no verdict rests on it.

    Raises
    ------
    ComparisonError
        If a function fails.
    """
    if reference is None or current is None:
        return {}
    found = {}
    for name, state in reference.state.custom.items():
        other = current.state.custom.get(name)
        summary = state.summary or (other.summary if other is not None else None)
        if other is None or summary is None or summary.compare is None:
            continue
        if state.array is None or other.array is None:
            found[name] = undefined(name, "", f"the summary {state.problem or other.problem}")
            continue
        a, b = (side.bound_to(summary).array for side in (state, other))
        assert a is not None
        assert b is not None
        try:
            value = float(summary.compare(a.copy(), b.copy()))
        except Exception as error:
            raise ComparisonError(
                f"compare of summary {name!r} failed on column {reference.name!r}: "
                f"{type(error).__name__}: {error}"
            ) from error
        note = "" if math.isfinite(value) else "the function gives no finite number"
        found[name] = Statistic(value, value, value, name=name, note=note)
    return found
