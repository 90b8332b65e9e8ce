"""Values of both sides with their counts, put side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .._native.names import names_union
from ..profile.summaries import NumericSummary, TextSummary
from ..sketch.frequent import offsets_of
from .names import Names

_Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Values of one side with their counts.

    A value that has a key occurred at least as often as it is counted and at most ``error`` times
    more; any other value at most ``error`` times. ``error`` is 0 where all values are counted.

    Parameters
    ----------
    names
        The keys.
    counts
        How often each occurred (int64).
    total
        Values of the side, whether they have a key or not.
    error
        See above.
    """

    names: Names
    counts: _Whole
    total: int
    error: int = 0

    @classmethod
    def of(cls, counts: Mapping[bytes, int], total: int, error: int = 0) -> Tally:
        """The tally of keys in any order."""
        keys = sorted(counts)
        sizes = np.fromiter(map(len, keys), dtype=np.uint32, count=len(keys))
        names = Names(offsets_of(sizes), b"".join(keys))
        return cls(names, np.array([counts[key] for key in keys], np.int64), total, error)

    @classmethod
    def of_summary(cls, summary: TextSummary | NumericSummary) -> Tally | None:
        """Text or numbers; None where numbers are no longer counted one by one."""
        if isinstance(summary, TextSummary):
            text = summary.counts
            names = Names(text.offsets, text.data)
            return cls(names, text.counts.view(np.int64), text.total, text.error)
        if summary.counts is None:
            return None
        labels = [number_label(value).encode() for value in summary.counts.values.tolist()]
        counts = dict(zip(labels, summary.counts.counts.tolist(), strict=True))
        return cls.of(counts, summary.counts.total)

    @property
    def exact(self) -> bool:
        """Whether every value is counted."""
        return self.error == 0

    def named(self, names: Mapping[bytes, bytes]) -> Tally:
        """The same counts under other keys, which ascend in the same order."""
        keys = [names.get(key, key) for key in self.names.unpacked()]
        sizes = np.fromiter(map(len, keys), dtype=np.uint32, count=len(keys))
        return replace(self, names=Names(offsets_of(sizes), b"".join(keys)))


@dataclass(frozen=True, slots=True, eq=False)
class Tallies:
    """Both sides' values, counted in the ascending order of all keys of either.

    Parameters
    ----------
    reference, current
        The sides.
    names
        All keys.
    before, now
        Counts of the reference and of the current side (int64): 0 where a side lacks the value.
    known, present
        Whether the reference, and whether the current side has the key.
    """

    reference: Tally
    current: Tally
    names: Names
    before: _Whole
    now: _Whole
    known: NDArray[np.bool_]
    present: NDArray[np.bool_]

    @classmethod
    def of(cls, reference: Tally, current: Tally) -> Tallies:
        """Two sides put side by side."""
        a, b = reference.names, current.names
        if a.data == b.data and np.array_equal(a.offsets, b.offsets):
            both = np.ones(len(a), dtype=np.bool_)
            return cls(reference, current, a, reference.counts, current.counts, both, both)
        offsets, data, *places = names_union(a.offsets, a.data, b.offsets, b.data)
        known, present = (place >= 0 for place in places)
        before, now = (np.zeros(len(known), dtype=np.int64) for _ in range(2))
        before[known], now[present] = reference.counts, current.counts
        return cls(reference, current, Names(offsets, data), before, now, known, present)

    @property
    def exact(self) -> bool:
        """Whether both sides count every value."""
        return self.reference.exact and self.current.exact

    def apart(self) -> Tallies:
        """The reference without the current side's rows, which it contains; both counted exactly.

        Names and counts of ``reference`` itself stay those of the whole.
        """
        rows = self.before - self.now
        rest = replace(self.reference, total=self.reference.total - self.current.total)
        return replace(self, reference=rest, before=rows, known=rows > 0)

    def swapped(self) -> Tallies:
        """The sides in each other's place."""
        return Tallies(
            self.current,
            self.reference,
            self.names,
            self.now,
            self.before,
            self.present,
            self.known,
        )


def number_label(value: float) -> str:
    """A number as the name of a category: integers without a point."""
    whole = isinstance(value, int) or value.is_integer()
    return str(int(value)) if whole else repr(value)
