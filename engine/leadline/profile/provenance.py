"""How and from what a profile was made: settings, inputs, and what was met in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from ..sketch.quantiles import k_for_rank_error
from ..sketch.scratch import UNIT_ROWS


@dataclass(frozen=True, slots=True)
class LineageEntry:
    """One input, so that an update can tell new files from known ones.

    Parameters
    ----------
    name
        Path relative to the common root of the inputs, or ``<memory>`` for objects.
    size, rows
        Bytes (0 for objects) and rows.
    footer_hash
        Hash of the file's footer, or of its ends where the format has none.
    """

    name: str
    size: int
    rows: int
    footer_hash: str


@dataclass(frozen=True, slots=True)
class SchemaEvent:
    """Something about the types of the inputs that the reader of the figures should know."""

    column: str
    source: str
    what: str


@dataclass(frozen=True, slots=True)
class Continuation:
    """What a later scan needs beside the states to go on exactly where a scan of files ended.

    Profiles that did not come out of one scan of files (merged, rolled up, redacted) have none.

    Parameters
    ----------
    columns
        The columns that were chosen; None for all.
    roles
        The roles that were given.
    separate
        Whether columns were to be kept apart by type.
    types
        Arrow types, as text, of columns for which `Column.type` does not tell.
    variants
        Names under which columns were kept apart, by the name that they share.
    """

    columns: tuple[str, ...] | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    separate: bool = False
    types: Mapping[str, str] = field(default_factory=dict)
    variants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """How a profile was made; two profiles merge only if the cells mean the same.

    Parameters
    ----------
    time, every, tz
        Time column, window length (``15m``, ``1h``, ``1d``, ``1w``, ``1mo``) and time zone.
    segments
        Segment columns.
    rank_error
        Promised rank error of quantile sketches where histogram buckets do not do better.
    redacted
        Columns of which snapshots keep no raw values.
    unit_rows
        Rows a unit of work holds at most; part of what determines a snapshot's bytes.
    """

    time: str | None = None
    every: str | None = None
    tz: str | None = None
    segments: tuple[str, ...] = ()
    rank_error: float = 0.007
    redacted: tuple[str, ...] = ()
    unit_rows: int = UNIT_ROWS

    @property
    def k(self) -> int:
        """Size parameter of the quantile sketches."""
        return k_for_rank_error(self.rank_error)

    def to_json(self) -> str:
        """The settings as canonical JSON."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """Read what `to_json` wrote; raises ValueError or TypeError on anything else."""
        fields = json.loads(text)
        for name in ("segments", "redacted"):
            fields[name] = tuple(str(value) for value in fields[name])
        return cls(**fields)
