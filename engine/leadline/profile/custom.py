"""Summaries that users write: a NumPy state, and compiled functions that work on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .. import _arrow, _native
from ..errors import ComparisonError, InputError
from ..schema import Column
from ..sketch.scratch import BLOCK, Scratch
from .order import CellOrder

MOST_BYTES = 2**20  # of one state
MOST_DIMENSIONS = 8
LISTED_NUMBERS = 1_000  # of a state, where figures are listed
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")

Update = Callable[[NDArray[Any], NDArray[Any]], object]
Compare = Callable[[NDArray[Any], NDArray[Any]], float]


@dataclass(frozen=True, eq=False)
class CustomSummary:
    """A summary of one's own, kept of numeric columns beside the built-in ones.

    The functions are compiled by Numba and run in the threads of the scan, without the interpreter
    lock. Each cell of each unit of work (2**20 rows of one file) starts from a copy of ``initial``;
    the states of the units are merged in the order of the rows, so the result does not depend on
    threads.

    Parameters
    ----------
    name
        Identifies the summary in profiles and snapshots: letters, digits, underscores.
    initial
        State of no values: an array of numbers or booleans, at most 1 MiB.
    update
        ``update(state, values)``, ``@njit(nogil=True)``: takes at most 65,536 values, which are
        neither null nor NaN, into the state. ``values`` is float64, int64 (integers, booleans,
        dates in days, times and timestamps in their unit) or uint64 and contiguous.
    merge
        ``merge(state, other)``, ``@njit(nogil=True)``: takes the state of later rows into the
        first one. Should give the same for any grouping of the parts.
    compare
        ``compare(reference, current)``: a number from two states, shown by comparisons.
    columns
        Names of the columns it is kept of; by default every numeric one.

    Raises
    ------
    InputError
        If a function is not compiled, or the name or the state cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> from numba import njit
    >>> import leadline as ll
    >>> @njit(nogil=True)
    ... def count_large(state, values):
    ...     for value in values:
    ...         state[0] += value > 100
    ...         state[1] += 1
    >>> @njit(nogil=True)
    ... def add(state, other):
    ...     state += other
    >>> large = ll.CustomSummary("large", np.zeros(2, np.int64), update=count_large, merge=add)
    >>> profile = ll.profile({"amount": [5.0, 250.0, 99.0, 101.0]}, summaries=[large])
    >>> profile["amount"].custom["large"].tolist()
    [2, 4]
    """

    name: str
    initial: NDArray[Any] = field(repr=False)
    update: Update = field(repr=False, kw_only=True)
    merge: Update = field(repr=False, kw_only=True)
    compare: Compare | None = field(default=None, repr=False, kw_only=True)
    columns: Sequence[str] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        from .. import _jit

        if not is_name(self.name):
            raise InputError(
                f"{self.name!r} cannot name a summary; use letters, digits and underscores"
            )
        initial = np.array(self.initial, order="C")
        problem = state_problem(initial)
        if problem:
            raise InputError(f"the initial state of summary {self.name!r} {problem}")
        initial.flags.writeable = False
        object.__setattr__(self, "initial", initial)
        for part in ("update", "merge"):
            _jit.require_compiled(getattr(self, part), f"{part} of summary {self.name!r}")
        if self.compare is not None and not callable(self.compare):
            raise InputError(f"compare of summary {self.name!r} is not a function")
        if self.columns is not None:
            columns: object = self.columns
            listed = isinstance(columns, Sequence) and not isinstance(columns, str)
            if not listed or not all(isinstance(name, str) for name in self.columns):
                raise InputError(f"columns of summary {self.name!r} is a list of names")
            object.__setattr__(self, "columns", tuple(self.columns))

    def applies_to(self, column: Column, redacted: Collection[str] = ()) -> bool:
        """Whether it is kept of a column, given the names of those to be redacted.

        Raises
        ------
        InputError
            If the column is asked for by name and holds no numbers.
        """
        hidden = column.redacted or column.name in redacted
        if self.columns is None:
            return column.kind.numeric and not hidden
        if column.name not in self.columns:
            return False
        if column.storage is None:
            raise InputError(
                f"summary {self.name!r} takes numbers, but column {column.name!r} is {column.type}"
            )
        if hidden:
            raise InputError(
                f"column {column.name!r} is redacted, and the state of summary {self.name!r} could "
                "hold its values; leave it out of one of the two"
            )
        return True

    def compile(self, values: NDArray[Any]) -> None:
        """Compile the functions for values of this type.

        Raises
        ------
        InputError
            If they do not compile for the state and the values.
        """
        from .. import _jit

        state = self.initial.copy()
        what = f"summary {self.name!r}"
        _jit.compile_for(self.update, (state, values), f"update of {what} for {values.dtype}")
        _jit.compile_for(self.merge, (state, state), f"merge of {what}")

    def run(self, function: Update, state: NDArray[Any], values: NDArray[Any]) -> None:
        """Call one of the functions; what it raises names the summary.

        Raises
        ------
        InputError
            If the function raises anything.
        """
        try:
            function(state, values)
        except Exception as error:
            raise InputError(
                f"summary {self.name!r} failed: {type(error).__name__}: {error}"
            ) from error


@dataclass(frozen=True, slots=True, eq=False)
class CustomState:
    """The state of one user's summary of one column in one cell.

    Parameters
    ----------
    name
        Of the summary.
    array
        The state; read-only. None where it is not known for all rows, and ``problem`` says why.
    summary
        Its functions; None for a state that was read from a file without them.
    """

    name: str
    array: NDArray[Any] | None
    summary: CustomSummary | None = None
    problem: str = ""

    def __post_init__(self) -> None:
        if self.array is not None:
            self.array.flags.writeable = False

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CustomState) or self.name != other.name:
            return False
        if self.array is None or other.array is None:
            return self.array is other.array
        same_type = self.array.dtype == other.array.dtype and self.array.shape == other.array.shape
        return same_type and self.array.tobytes() == other.array.tobytes()

    __hash__ = None  # type: ignore[assignment]

    @property
    def nbytes(self) -> int:
        """Bytes of state held."""
        return 64 + (self.array.nbytes if self.array is not None else 0)

    def bound_to(self, summary: CustomSummary) -> CustomState:
        """The state with functions.

        Raises
        ------
        InputError
            If the state is not of the summary's type and shape.
        """
        array = self.array
        if array is not None and (
            array.dtype != summary.initial.dtype or array.shape != summary.initial.shape
        ):
            raise InputError(
                f"the state of summary {self.name!r} is {_described(array)} in the snapshot and "
                f"{_described(summary.initial)} in the code"
            )
        return CustomState(self.name, array, summary)

    def merge(self, other: CustomState) -> CustomState:
        """Both sides' values; a state without an array if neither side has the functions."""
        summary = self.summary or other.summary
        if summary is None:
            return CustomState(self.name, None, problem=UNKNOWN)
        if self.array is None or other.array is None:
            return CustomState(self.name, None, summary, self.problem or other.problem)
        array = self.array.copy()
        later = other.bound_to(summary).array
        assert later is not None
        summary.run(summary.merge, array, later.copy())
        return CustomState(self.name, array, summary)

    def get(self) -> NDArray[Any]:
        """The state.

        Raises
        ------
        ComparisonError
            If it is not known for all rows.
        """
        if self.array is None:
            raise ComparisonError(f"summary {self.name!r} {self.problem}")
        return self.array

    def to_dict(self) -> dict[str, Any]:
        """Type, shape, and the numbers of a state that has few; complex ones as text."""
        if self.array is None:
            return {"problem": self.problem}
        shown = self.array if self.array.dtype.kind != "c" else self.array.astype(str)
        few = self.array.size <= LISTED_NUMBERS
        return {
            "type": str(self.array.dtype),
            "shape": list(self.array.shape),
            "state": shown.tolist() if few else None,
        }


States = Mapping[str, CustomState]
UNKNOWN = (
    "cannot be merged, as its functions are not known here; read the snapshot with summaries=[...]"
)


def merge_states(a: States, b: States, *, values: tuple[bool, bool]) -> States:
    """States by name over both sides' rows.

    Parameters
    ----------
    a, b
        States of both sides.
    values
        Whether each side has values at all: a side without any needs no state.
    """
    if not values[1]:
        return a or b
    if not values[0]:
        return b or a
    merged = {}
    for name in dict.fromkeys([*a, *b]):
        if name in a and name in b:
            merged[name] = a[name].merge(b[name])
        else:
            merged[name] = CustomState(name, None, problem="was kept of a part of the rows only")
    return merged


def require_mergeable(a: States, b: States) -> None:
    """Refuse to lose a state for want of its functions.

    Raises
    ------
    ComparisonError
        If both sides hold a state, and neither its functions.
    """
    for name in a.keys() & b.keys():
        if a[name].summary is None and b[name].summary is None:
            raise ComparisonError(f"summary {name!r} {UNKNOWN}")


def is_name(name: object) -> bool:
    """Whether a summary may have this name."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def state_problem(array: NDArray[Any]) -> str:
    """Why an array cannot be a state; empty if it can."""
    # Long doubles, of 16 bytes or more, differ between machines.
    longest = 16 if array.dtype.kind == "c" else 8
    if array.dtype.kind not in "biufc" or array.dtype.itemsize > longest:
        return f"holds {array.dtype}; use an array of numbers or booleans"
    if not array.dtype.isnative:
        return f"holds {array.dtype}, which is not in this machine's byte order"
    if array.ndim > MOST_DIMENSIONS:
        return f"has {array.ndim} dimensions; at most {MOST_DIMENSIONS} are kept"
    if not 0 < array.nbytes <= MOST_BYTES:
        return f"has {array.nbytes:,} bytes; 1 to {MOST_BYTES:,} are kept"
    return ""


def by_name(summaries: Iterable[object]) -> dict[str, CustomSummary]:
    """Summaries by their names.

    Raises
    ------
    InputError
        If something else is given, or a name twice.
    """
    found: dict[str, CustomSummary] = {}
    if isinstance(summaries, CustomSummary):
        raise InputError("summaries is a list of leadline.CustomSummary objects, not one of them")
    for summary in summaries:
        if not isinstance(summary, CustomSummary):
            raise InputError(
                f"summaries is a list of leadline.CustomSummary objects, not of {summary!r}"
            )
        if summary.name in found:
            raise InputError(f"two summaries are named {summary.name!r}; rename one")
        found[summary.name] = summary
    return found


def _described(array: NDArray[Any]) -> str:
    return f"{array.dtype}{list(array.shape)}"


def custom_states(
    column: Column,
    data: pa.ChunkedArray,
    cells: CellOrder,
    summaries: Sequence[CustomSummary],
    scratch: Scratch,
) -> list[States]:
    """States of one column of one unit of work, by name, one mapping a cell.

    Values are gathered once for all summaries, in blocks that stay in cache.

    Parameters
    ----------
    column, data, cells, scratch
        As for `build.profile_unit_column`; the column is one of numbers or points in time.
    summaries
        Those that apply to the column.
    """
    assert column.storage is not None
    dtype = column.storage.dtype
    for summary in summaries:
        summary.compile(scratch.block[:0].view(dtype))
    views = _arrow.number_views(data, single=cells.order is not None)
    states: list[States] = []
    for cell in range(len(cells)):
        arrays = [summary.initial.copy() for summary in summaries]
        begin, end = int(cells.starts[cell]), int(cells.starts[cell + 1])
        for values in _blocks(views, cells.order, begin, end, scratch):
            for summary, array in zip(summaries, arrays, strict=True):
                summary.run(summary.update, array, values.view(dtype))
        states.append(
            {
                summary.name: CustomState(summary.name, array, summary)
                for summary, array in zip(summaries, arrays, strict=True)
            }
        )
    return states


def _blocks(
    views: Sequence[_native.ArrayView],
    order: NDArray[np.int32] | None,
    begin: int,
    end: int,
    scratch: Scratch,
) -> Iterator[NDArray[np.uint64]]:
    """Values of some rows without nulls and NaN, BLOCK at a time whatever the chunks are."""
    filled, base = 0, 0
    for view in views:
        position, stop = begin, end
        if order is None:
            position, stop = max(begin - base, 0), min(end - base, view.length)
            base += view.length
        while position < stop:
            out = scratch.block[filled:]
            written, position, _ = _native.gather(view, order, position, stop, out)
            filled += written
            if filled == BLOCK:
                yield scratch.block
                filled = 0
    if filled:
        yield scratch.block[:filled]
