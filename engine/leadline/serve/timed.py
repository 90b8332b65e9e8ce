"""One request: what is known of it is gathered, and logged as one row at its end."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from types import TracebackType
from typing import Any, Self

LATENCY = "latency_seconds"
ERROR = "error"


class Timed(dict[str, Any]):
    """The row of a request under way: a dict that is logged when the block ends.

    Two columns are added: ``latency_seconds``, and ``error``, the class of the exception that left
    the block, or null.

    Parameters
    ----------
    log
        What takes the row.
    """

    __slots__ = ("_begin", "_log")

    def __init__(self, log: Callable[[dict[str, Any]], None]) -> None:
        super().__init__()
        self._log = log
        self._begin = perf_counter()

    def __enter__(self) -> Self:
        self._begin = perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self[LATENCY] = perf_counter() - self._begin
        self[ERROR] = None if kind is None else kind.__name__
        self._log(self)
