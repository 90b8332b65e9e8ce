"""A statistic of a comparison: a figure, its intervals, its test, and what it was computed on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ..errors import ComparisonError
from ..estimate import Estimate

# Relative room for rounding: another correct order of summation lies inside the interval.
RELATIVE_SLACK = 1e-12
CONFIDENCE = 0.99
LISTED_CELLS = 100


class MissingStatisticError(ComparisonError, AttributeError):
    """A statistic is asked for that this kind of column does not have."""


@dataclass(frozen=True, slots=True)
class Statistic(Estimate):
    """An estimate with its name, and all that is needed to compute it again from raw rows.

    Parameters
    ----------
    name, unit
        Name as in the field, and what the value is measured in (empty: a pure number).
    p_value
        Probability under equal distributions of independent rows of a value at least this large,
        never too small because of summary error; None for distances.
    edges
        Cells of a numeric column: cell ``i`` is ``edges[i] <= x < edges[i + 1]``, the last one
        closed; the outermost edges are infinite.
    categories
        Cells of a categorical column, in order; ``(other)`` and ``(unseen)`` are what they say.
    scale
        Spread of the reference in the same unit, for distances in the column's unit.
    null_value
        What the value is expected to be when nothing changed; None where that is not known.
    note
        What the reader should know. Often empty.
    """

    name: str = ""
    unit: str = ""
    p_value: float | None = None
    edges: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()
    scale: float | None = None
    null_value: float | None = None
    note: str = ""

    @property
    def cells(self) -> int:
        """Number of cells the value was computed on; 0 if on none."""
        return len(self.edges) - 1 if self.edges else len(self.categories)

    def to_dict(self) -> dict[str, Any]:
        """All fields under their names; lists of more than 100 categories are left out."""
        few = len(self.categories) <= LISTED_CELLS
        return {
            "value": self.value,
            "lower": self.lower,
            "upper": self.upper,
            "ci_lower": self.ci_lower,
            "ci_upper": self.ci_upper,
            "confidence": self.confidence,
            "unit": self.unit,
            "p_value": self.p_value,
            "cells": self.cells,
            "edges": list(self.edges) if self.edges else None,
            "categories": list(self.categories) if self.categories and few else None,
            "scale": self.scale,
            "null_value": self.null_value,
            "note": self.note,
        }


def undefined(name: str, unit: str, note: str) -> Statistic:
    """A statistic without a value, and why."""
    return Statistic(math.nan, math.nan, math.nan, name=name, unit=unit, note=note)


def share_margin(rows: int, *, level: float = (1 - CONFIDENCE) / 2) -> float:
    """How far an empirical distribution function is from the true one, everywhere at once.

    Dvoretzky, Kiefer and Wolfowitz with Massart's constant (1990): holds with probability
    ``1 - level`` for any distribution, ties included.

    >>> round(share_margin(10_000), 4)
    0.0173
    """
    return min(1.0, math.sqrt(math.log(2 / level) / (2 * rows)))
