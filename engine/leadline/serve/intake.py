"""What was captured -> cells of windows, with what its values broke on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

import pyarrow as pa

from .._capture import Batch, Block
from ..profile import Cell, Window
from .batches import Summarised, batch_of, flattened
from .checks import FieldCheck, violations_of
from .classes import MISTYPED, Classes
from .epochs import Epochs
from .summarise import Summariser


class Intake:
    """Makes cells of what a recorder gives, and of large batches as they come.

    Parameters
    ----------
    epochs, summariser
        How rows become cells of which windows.
    checks
        What batches are checked for; the recorder checks rows itself.
    usual
        Fields besides the checked ones that are no surprise.
    """

    def __init__(
        self,
        epochs: Epochs,
        summariser: Summariser,
        checks: Sequence[FieldCheck],
        usual: Collection[str],
    ) -> None:
        self._epochs, self._summariser, self._checks = epochs, summariser, checks
        self._given = {check.name: check.kind for check in checks}
        self._expected = frozenset((*self._given, *usual)) if checks else None
        self.forget()

    def forget(self) -> None:
        """Begin anew, as in a forked child."""
        self._classes = Classes(self._given)
        # By field and reason; values of fields that nobody expected; rows that were lost.
        self.violations: Counter[tuple[str, str]] = Counter()
        self.extra: Counter[str] = Counter()
        self.failed = 0

    def summarised(self, batch: pa.RecordBatch, epoch: int) -> Summarised:
        """A batch summarised in the thread that brought it."""
        violations: Counter[tuple[str, str]] = Counter()
        rows = self._conform(batch, violations)
        cells = self._summariser.cells(self._epochs.window(epoch), [rows])
        return Summarised(cells, violations)

    def cells(self, taken: Sequence[Block | Batch]) -> Iterator[list[Cell]]:
        """The cells of what a recorder gave, window by window.

        Rows that cannot be summarised are counted as failed; the error is raised at the end.
        """
        grouped: dict[Window, list[Block | Batch]] = {}
        failures: list[Exception] = []
        for one in taken:
            if isinstance(one, Batch) and isinstance(one.data, Summarised):
                self.violations += one.data.violations
                yield self._counted(one.data.cells)
            else:
                grouped.setdefault(self._epochs.window(one.epoch), []).append(one)
        for window, some in grouped.items():
            try:
                found = self._together(window, some)
            except Exception as error:  # noqa: BLE001 (the other windows come first)
                self.failed += sum(one.rows for one in some)
                failures.append(error)
            else:
                yield self._counted(found)
        if failures:
            raise failures[0]

    def _together(self, window: Window, some: Sequence[Block | Batch]) -> list[Cell]:
        violations: Counter[tuple[str, str]] = Counter()
        batches = []
        for one in some:
            if isinstance(one, Batch):
                batches.append(self._conform(one.data.rows, violations))
            else:
                rows, lost = self._classes.conform(batch_of(one))
                violations.update({(name, MISTYPED): count for name, count in lost.items()})
                batches.append(rows)
        self.violations += violations
        return self._summariser.cells(window, batches)

    def _conform(
        self, batch: pa.RecordBatch, violations: Counter[tuple[str, str]]
    ) -> pa.RecordBatch:
        """A batch in its fields' classes; what it breaks is added to the violations."""
        rows, lost = self._classes.conform(flattened(batch))
        violations.update({(name, MISTYPED): count for name, count in lost.items()})
        violations.update(violations_of(rows, self._checks))
        for name, count in lost.items():  # these are null now, which is no further violation
            violations[name, "null"] = max(violations[name, "null"] - count, 0)
        return rows

    def _counted(self, cells: Sequence[Cell]) -> list[Cell]:
        """The cells; values of fields that nobody expected are counted."""
        if self._expected is not None:
            for cell in cells:
                for name in cell.states.keys() - self._expected:
                    self.extra[name] += cell.states[name].rows - cell.states[name].nulls
        return list(cells)
