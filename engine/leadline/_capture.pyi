"""Rows of a running service, captured at the call (C; csrc/capture)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeAlias, final

# bool, int64, double, text (UTF-8), time (microseconds since 1970 in UTC), or null where the field
# has not held a value yet.
_ColumnType: TypeAlias = Literal["null", "bool", "int64", "double", "text", "time"]
_Class: TypeAlias = Literal["any", "bool", "number", "text", "time"]
# Name, type, nulls, then Arrow's buffers: validity bits (None: no nulls), values (of text: int32
# offsets; of null: None), bytes of the texts (None for other types).
_Buffers: TypeAlias = tuple[str, _ColumnType, int, Memory | None, Memory | None, Memory | None]
_Known: TypeAlias = Iterable[str | float] | None
# Least and most value, the values that are known (None: any), whether nulls are counted, and
# whether absence is (by default it is).
_Check: TypeAlias = (
    tuple[float | None, float | None, _Known, bool]
    | tuple[float | None, float | None, _Known, bool, bool]
)

@final
class Memory:
    """Memory of a column, for `pyarrow.py_buffer` and `numpy.frombuffer`; nobody can write it."""

    def __buffer__(self, flags: int, /) -> memoryview: ...

@final
class Block:
    """Rows of one epoch. Its bytes count against the bound until it is released or deleted."""

    @property
    def epoch(self) -> int: ...
    @property
    def rows(self) -> int: ...
    @property
    def nbytes(self) -> int: ...
    def columns(self) -> list[_Buffers]:
        """One a field that was known when the block began; made once, without the GIL.

        The memory belongs to the buffers and outlives the block.
        """

@final
class Batch:
    """What `Recorder.add_batch` was given."""

    @property
    def epoch(self) -> int: ...
    @property
    def rows(self) -> int: ...
    @property
    def nbytes(self) -> int: ...
    @property
    def data(self) -> Any: ...

@final
class Plan:
    """How rows of one form are read; made by `Recorder.plan`."""

    @property
    def fields(self) -> tuple[str, ...]: ...
    def log(self, row: Any, /) -> None:
        """Capture one row, as `Recorder.log` does."""

@final
class Recorder:
    """Captures rows and keeps them, within bounds, until they are taken.

    Parameters
    ----------
    fields
        Names of the fields that are known; new keys become fields up to ``fields_limit``.
    step_ns
        Length of an epoch: a row's epoch is the number of whole steps since 1970.
    rows, bytes
        Most rows and bytes that are held: waiting, or taken and not released.
    strict
        Raise InputError on rows that cannot be captured as they are; for tests.
    text_limit
        Most bytes of a text; a longer one is null and counted as oversized.
    fields_limit
        Most fields.
    classes
        What fields hold; a field's first value decides otherwise.
    """

    on_start: Callable[[], object] | None

    def __new__(
        cls,
        fields: Iterable[str],
        *,
        step_ns: int,
        rows: int,
        bytes: int,
        strict: bool = False,
        text_limit: int = 65536,
        fields_limit: int = 1000,
        classes: Mapping[str, _Class] | None = None,
    ) -> Recorder: ...
    @property
    def fields(self) -> tuple[str, ...]: ...
    @property
    def classes(self) -> dict[str, _Class]: ...
    def log(self, row: Any, /) -> None:
        """Capture one row: a dict, a tuple of all fields, or what the type's plan reads."""

    def plan(
        self,
        fields: Iterable[str] | None,
        how: Literal["any", "mapping", "sequence", "attributes", "variables"] = "any",
        /,
    ) -> Plan:
        """How rows with these fields in order are read; None: as the recorder itself does."""

    def add_batch(self, data: Any, rows: int, bytes: int, epoch: int, /) -> bool:
        """Queue a batch captured elsewhere after the rows so far; False: dropped and counted."""

    def seal(self) -> None:
        """Queue the rows logged so far."""

    def take(self, rows: int, /) -> list[Block | Batch]:
        """Oldest first, what is sealed, until there are so many rows (if any, at least one)."""

    def release(self, taken: Block | Batch, /) -> None:
        """What was taken counts against the bounds no longer."""

    def wait(self, seconds: float, /) -> bool:
        """Wait until a bound is half reached, or `wake`; whether that was so in time."""

    def wake(self) -> None:
        """End the wait."""

    def counters(self) -> dict[str, Any]:
        """Rows: accepted (= taken + waiting), held; dropped by reason; bytes held."""

    def extra(self) -> dict[str, int]:
        """Rows with keys that are no fields, by key; beyond 100 of them under ``other``."""

    def checks(self, table: Mapping[str, _Check], /) -> None:
        """Check every row from now on; fields that are not known are added."""

    def violations(self) -> dict[str, dict[str, int]]:
        """Values by field and reason: missing, null, mistyped, oversized, inexact, below, ..."""

    def forget(self) -> None:
        """Begin anew in a forked child: rows, counts and locks are the parent's."""

    def close(self) -> None:
        """Rows logged later are dropped."""

def binder(ask: Callable[[Recorder, type], Plan | None], /) -> None:
    """Say who is asked for the plan of a type, once a recorder and type."""
