"""Users' own statistics: functions of two columns, and of two states of their own summaries."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..errors import ComparisonError, InputError
from ..profile import ColumnProfile
from ..profile.custom import is_name
from .cells import Cells
from .statistic import Statistic, undefined

KINDS = ("numeric", "categorical")


@dataclass(frozen=True, eq=False)
class CustomStatistic:
    """A statistic of one's own, given to `compare` beside the names of the built-in ones.

    It is computed when asked for, like every other statistic, and shown, printed as JSON and put
    into tables under its name. No verdict rests on it.

    Parameters
    ----------
    name
        Letters, digits, underscores; not that of a built-in statistic.
    function
        Of the reference and the current side. Returns a number, or a number with its bounds:
        ``(value, lower, upper)``, between which the value of the raw rows lies.
    takes
        What the function is called with: ``"profiles"``, two `ColumnProfile` with all their
        figures, or ``"shares"``, two float64 arrays with each side's shares of the same cells
        (those of `psi`, nothing added to them), which a function compiled by Numba can take.
    kinds
        Kinds of columns that have it: ``numeric``, ``categorical`` or both.
    unit
        What the value is measured in; empty for a pure number.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Examples
    --------
    >>> import leadline as ll
    >>> def longer_tail(reference, current):
    ...     return current.quantile(0.99).value / reference.quantile(0.99).value
    >>> tail = ll.CustomStatistic("tail", longer_tail, kinds=["numeric"])
    >>> a, b = ll.profile({"wait": [1.0, 2.0, 8.0]}), ll.profile({"wait": [1.0, 2.0, 20.0]})
    >>> ll.compare(a, b, statistics=[tail])["wait"]["tail"].value
    2.5
    """

    name: str
    function: Callable[[Any, Any], Any] = field(repr=False)
    takes: Literal["profiles", "shares"] = field(default="profiles", kw_only=True)
    kinds: Sequence[str] = field(default=KINDS, kw_only=True)
    unit: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        if not is_name(self.name):
            raise InputError(
                f"{self.name!r} cannot name a statistic; use letters, digits and underscores"
            )
        if not callable(self.function):
            raise InputError(f"the function of statistic {self.name!r} is not a function")
        if self.takes not in {"profiles", "shares"}:
            raise InputError(
                f"statistic {self.name!r} takes {self.takes!r}; give 'profiles' or 'shares'"
            )
        kinds: object = self.kinds
        listed = isinstance(kinds, Sequence) and not isinstance(kinds, str)
        if not listed or not self.kinds or not set(self.kinds) <= set(KINDS):
            raise InputError(
                f"kinds of statistic {self.name!r} are {kinds!r}; list {' or '.join(KINDS)}"
            )
        object.__setattr__(self, "kinds", tuple(self.kinds))

    def compute(
        self, reference: ColumnProfile, current: ColumnProfile, cells: Callable[[], Cells]
    ) -> Statistic:
        """The statistic of one column.

        Raises
        ------
        ComparisonError
            If the function fails or returns something else than numbers.
        """
        note = ""
        sides: tuple[Any, Any] = reference, current
        if self.takes == "shares":
            counted = cells()
            sides = counted.reference.shares().value.copy(), counted.current.shares().value.copy()
            if not counted.exact:
                note = "of estimated shares, whose error the bounds do not include"
        where = f"statistic {self.name!r} failed on column {reference.name!r}"
        try:
            returned = self.function(*sides)
            found = returned if isinstance(returned, tuple) else (returned,) * 3
            value, lower, upper = map(float, found)
        except Exception as error:
            raise ComparisonError(f"{where}: {_in_one_line(error)}") from error
        if not math.isnan(value) and not lower <= value <= upper:
            raise ComparisonError(
                f"{where}: the value {value:.6g} is not between its bounds "
                f"{lower:.6g} and {upper:.6g}"
            )
        if not math.isfinite(value):
            note = "the function gives no finite number"
        return Statistic(value, lower, upper, name=self.name, unit=self.unit, note=note)


def _in_one_line(error: Exception) -> str:
    """Type and reason of what a user's function raised; Numba's reasons have many lines."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


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
