"""Cells with rows that are numbered, a clock that tests set, and what files hold in the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from leadline import snapshot
from leadline._native import Storage
from leadline.profile import Cell, ColumnState, Profile, Settings, Window
from leadline.profile.summaries import NumericSummary
from leadline.schema import Column, Kind
from leadline.serve.folder import Clock
from leadline.serve.store import Store
from leadline.sketch.counts import ValueCounts
from leadline.sketch.keys import to_keys

SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3_600 * SECOND, 86_400 * SECOND
# 2026-05-04 00:00:00 UTC, a Monday.
START = 1_777_852_800 * SECOND
SETTINGS = Settings(every="1m", tz="UTC")


class Time:
    """Both clocks of a system, in microseconds, as a test sets them."""

    def __init__(self, now: int = START) -> None:
        self.wall = now
        self.running = 0

    def pass_by(self, microseconds: int) -> None:
        """Let time pass."""
        self.wall += microseconds
        self.running += microseconds

    @property
    def clock(self) -> Clock:
        """What a store asks."""
        return Clock(lambda: self.wall * 1_000, lambda: self.running / SECOND)


def column(name: str = "id") -> Column:
    """A column of whole numbers."""
    return Column(name, "int64", Kind.INTEGER, storage=Storage.INT64)


def cell(
    start: int, rows: Iterable[int], *, length: int = MINUTE, names: Iterable[str] = ("id",)
) -> Cell:
    """A window with numbered rows (below 65,536, so that each is counted)."""
    values = np.array(sorted(rows), dtype=np.int64)
    counts = ValueCounts.of(
        to_keys(values.view(np.uint64), Storage.INT64),
        np.ones(len(values), dtype=np.uint64),
        Storage.INT64,
    )
    summary = NumericSummary.of_counts(counts, nan=0)
    states = {name: ColumnState(column(name), len(values), 0, summary) for name in names}
    return Cell(Window(start, start + length), (), len(values), states)


def wide_cell(start: int, rows: Iterable[int], random: np.random.Generator) -> Cell:
    """Numbered rows beside a column of doubles, so that the frame is not tiny."""
    import leadline as ll

    ids = list(rows)
    profile = ll.profile({"id": ids, "score": random.normal(size=len(ids))})
    return Cell(Window(start, start + MINUTE), (), len(ids), profile.cells[0].states)


def store(folder: Path, time: Time | None = None, **options: object) -> Store:
    """A store of minutes."""
    clock = (time or Time()).clock
    settings = options.pop("settings", SETTINGS)
    return Store(folder, "fraud", settings=settings, clock=clock, **options)  # type: ignore[arg-type]


def files_of(folder: Path) -> list[Path]:
    """All snapshot files of a folder."""
    return sorted(folder.glob("*.lead"))


def numbers_in(paths: Iterable[Path]) -> Counter[int]:
    """How often every numbered row is in the files."""
    found: Counter[int] = Counter()
    for path in paths:
        for held in snapshot.read(path).cells:
            counts = held.states["id"].summary.counts  # type: ignore[union-attr]
            assert counts is not None
            keys = counts.values.tolist()
            found.update(dict(zip(keys, counts.counts.tolist(), strict=True)))
    return found


def windows_of(profile: Profile) -> list[tuple[int, int]]:
    """First minute and length in minutes of every window."""
    found = []
    for window in profile.windows:
        assert window.start is not None
        assert window.end is not None
        found.append(((window.start - START) // MINUTE, (window.end - window.start) // MINUTE))
    return found
