"""Scans with small units, so that a few hundred rows already exercise cutting and folding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from leadline.profile import Profile, Settings
from leadline.scan.checkpoint import Checkpoint
from leadline.scan.options import Options, Progress
from leadline.scan.outlook import Request
from leadline.scan.run import scan
from leadline.scan.update import as_recorded


def profile_in_units(
    data: Any,
    *,
    unit_rows: int = 64,
    threads: int = 1,
    time: str | None = None,
    every: str | None = None,
    segments: tuple[str, ...] = (),
    memory: int = 2**30,
    max_cells: int = 100_000,
    separate: bool = False,
    columns: tuple[str, ...] | None = None,
    base: Profile | None = None,
    checkpoint: Checkpoint | None = None,
    resume: bool = False,
    progress: Callable[[Progress], object] | None = None,
) -> Profile:
    """Profile like `leadline.profile`, in units of few rows."""
    request = Request(
        time=time, windowed=every is not None, segments=segments, separate=separate, columns=columns
    )
    settings = Settings(time=time, every=every, segments=segments, unit_rows=unit_rows)
    if base is not None:
        request, settings = as_recorded(base, Request(), Settings(), separate=None, rank_error=None)
    options = Options(
        request,
        settings,
        threads,
        memory=memory,
        max_cells=max_cells,
        base=base,
        checkpoint=checkpoint,
        resume=resume,
        progress=progress,
    )
    return scan(data, options)
