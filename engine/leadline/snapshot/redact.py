"""What a snapshot keeps of a column that must not show its values (docs/format.md, section 8).

One rule a kind, applied as if the rows had been changed before they were profiled: a text becomes
the hash of its bytes, a number the edge towards zero of its histogram bucket, an instant the
midnight before it. This hides values from readers, not from someone who can guess and hash them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._native import Storage
from ..profile import Cell, ColumnState, Profile
from ..profile.cells import SegmentValue, cell_order
from ..profile.column import seed_of
from ..profile.summaries import NumericSummary, SketchSettings, TextSummary, TimestampSummary
from ..schema import DAY_SECONDS, REDACTED, UNITS_PER_SECOND, Column
from ..sketch.calendar import CalendarCounts
from ..sketch.counts import ValueCounts
from ..sketch.distinct import DistinctBuilder
from ..sketch.frequent import TextCounts
from ..sketch.keys import from_keys, to_keys
from ..sketch.moments import weighted_moments
from ..sketch.quantiles import Quantiles

_HASH_BYTES = 16
_HASHED = re.compile(b"[0-9a-f]{32}")
_KEPT_BITS = 9  # the leading one and the 8 mantissa bits of a histogram bucket
_LOST_BITS = 52 - 8
_SMALLEST = 5e-324
_DAY = {unit: DAY_SECONDS * steps for unit, steps in UNITS_PER_SECOND.items()}


def redact(profile: Profile) -> Profile:
    """The profile without raw values in the columns that ``settings.redacted`` names.

    What is redacted already stays as it is, so that snapshots can be read, merged and written
    again. A column merged from redacted and raw parts is made clean too; only raw texts that look
    like hashes cannot be told from these then, so redact before merging.

    Parameters
    ----------
    profile
        Any profile; its redacted columns are marked in their ``note`` afterwards.
    """
    names = set(profile.settings.redacted)
    if not names:
        return profile
    raw = {column.name for column in profile.columns if not column.redacted} & names
    hidden = {
        position: name in raw
        for position, name in enumerate(profile.settings.segments)
        if name in names
    }
    k = profile.settings.k
    cells: dict[object, Cell] = {}
    for raw_cell in profile.cells:
        cell = _redact_cell(raw_cell, names, hidden, k=k)
        # Raw and hashed parts of one segment meet only now.
        cells[cell.key] = cells[cell.key].merge(cell, k=k) if cell.key in cells else cell
    folders = _Folders(names)
    return replace(
        profile,
        columns=tuple(_mark(column, names) for column in profile.columns),
        cells=tuple(sorted(cells.values(), key=cell_order)),
        lineage=tuple(replace(entry, name=folders.redact(entry.name)) for entry in profile.lineage),
        events=tuple(
            replace(event, source=folders.redact(event.source), what=folders.redact(event.what))
            for event in profile.events
        ),
        continuation=None,
    )


def hash_text(text: bytes) -> bytes:
    """The 32 hexadecimal digits (BLAKE2b, 128 bits, no key) that stand for a text.

    Examples
    --------
    >>> hash_text(b"DE")
    b'935ce14484d482817f272937f351a6d9'
    """
    return hashlib.blake2b(text, digest_size=_HASH_BYTES).hexdigest().encode()


def replaced_numbers(
    values: NDArray[Any], storage: Storage, *, coarseness: int = 0
) -> NDArray[Any]:
    """Every number as the edge, towards zero, of its histogram bucket; zero stays zero.

    Examples
    --------
    >>> replaced_numbers(np.array([511, 1023, -123456789]), Storage.INT64)
    array([       511,       1022, -123207680])
    """
    if storage is Storage.FLOAT64:
        mask = np.uint64(2**64 - 2 ** (_LOST_BITS + coarseness))
        edges = (values.view(np.uint64) & mask).view(np.float64)
        vanished = (edges == 0) & (values != 0)
        return np.where(vanished, np.copysign(_SMALLEST, values), edges)
    bits = values.view(np.uint64)
    negative = (values < 0) if storage is Storage.INT64 else np.zeros(len(bits), dtype=bool)
    size = np.where(negative, np.uint64(0) - bits, bits)
    shift = np.zeros(len(bits), dtype=np.uint64)
    top = np.uint64(2 ** (_KEPT_BITS - coarseness - 1))
    for step in (32, 16, 8, 4, 2, 1):
        further = shift + np.uint64(step)
        shift = np.where((size >> further) >= top, further, shift)
    size = size >> shift << shift
    return np.where(negative, np.uint64(0) - size, size).view(values.dtype)


# --- profiles and cells --------------------------------------------------------------------------


class _Folders:
    """Replaces the values of ``NAME=value`` folders in paths."""

    def __init__(self, names: set[str]) -> None:
        alternatives = "|".join(re.escape(name) for name in sorted(names))
        self._pattern = re.compile(f"(?<![^/ '\"])({alternatives})=([^/]*)")

    def redact(self, path: str) -> str:
        """The path with hashes in place of the values."""
        return self._pattern.sub(lambda match: f"{match[1]}={_hash_value(match[2])}", path)


def _mark(column: Column, names: set[str]) -> Column:
    if column.name not in names or column.redacted:
        return column
    return replace(column, note="; ".join(filter(None, [column.note, REDACTED])))


def _redact_cell(cell: Cell, names: set[str], hidden: dict[int, bool], *, k: int) -> Cell:
    segment = list(cell.segment)
    for position, raw in hidden.items():
        segment[position] = _hash_value(segment[position], raw=raw)
    states = {
        name: _redact_state(state, names, k=k) if name in names else state
        for name, state in cell.states.items()
    }
    return replace(cell, segment=tuple(segment), states=states)


def _hash_value(value: SegmentValue, *, raw: bool = False) -> SegmentValue:
    """The hash of a segment value; unless surely ``raw``, what looks like a hash is left."""
    if value is None or (not raw and isinstance(value, str) and _HASHED.fullmatch(value.encode())):
        return value
    return hash_text(str(value).encode("utf-8", "surrogatepass")).decode()


def _redact_state(state: ColumnState, names: set[str], *, k: int) -> ColumnState:
    raw = not state.column.redacted
    settings = SketchSettings(seed_of(state.column.name), k)
    summary = state.summary
    if isinstance(summary, NumericSummary) and (raw or not _is_clean(summary)):
        summary = _redact_numeric(summary, settings)
    elif isinstance(summary, TextSummary):
        summary = _redact_text(summary, raw=raw)
    elif isinstance(summary, TimestampSummary) and (raw or not _is_clean(summary)):
        summary = _redact_timestamp(summary)
    # A user's summary may hold raw values, and nobody but its author knows where.
    return replace(state, column=_mark(state.column, names), summary=summary, custom={})


def _is_clean(summary: NumericSummary | TimestampSummary) -> bool:
    """Whether every value held is one that redaction leaves as it is."""
    if summary.counts is not None:
        held, storage = summary.counts.values, summary.counts.storage
    else:
        assert summary.quantiles is not None
        storage = summary.quantiles.storage
        held = from_keys(summary.quantiles.items, storage)
        ends = [end for end in (summary.minimum, summary.maximum) if end is not None]
        held = np.concatenate([held, np.array(ends, dtype=held.dtype)])
    if isinstance(summary, NumericSummary):
        coarseness = 0 if summary.histogram is None else summary.histogram.coarseness
        return np.array_equal(held, replaced_numbers(held, storage, coarseness=coarseness))
    if summary.counts is not None:
        return np.array_equal(held, _midnights(held, _DAY[summary.unit]))
    assert summary.calendar is not None
    return not summary.calendar.hours[1:].any()


# --- summaries -----------------------------------------------------------------------------------


def _redact_text(summary: TextSummary, *, raw: bool) -> TextSummary:
    """Keys become their hashes; registers stay those of the texts, for they are hashes already."""
    held = summary.counts
    if not raw and all(map(_HASHED.fullmatch, held.keys)):
        return summary
    table: dict[bytes, int] = {}
    for key, count in zip(held.keys, held.counts.tolist(), strict=True):
        hashed = key if not raw and _HASHED.fullmatch(key) else hash_text(key)
        table[hashed] = table.get(hashed, 0) + count
    keys = sorted(table)
    weights = np.array([table[key] for key in keys], dtype=np.uint64)
    counts = TextCounts.of(keys, weights, error=held.error, total=held.total)
    return TextSummary(counts, summary.get_distinct(), summary.get_form())


def _redact_numeric(summary: NumericSummary, settings: SketchSettings) -> NumericSummary:
    if summary.counts is not None:
        counts = _merge_equal(
            replaced_numbers(summary.counts.values, summary.storage),
            summary.counts.counts,
            summary.storage,
        )
        exact = NumericSummary.of_counts(counts, nan=summary.nan)
        return exact if counts.fits() else exact.sketched(settings)
    histogram, quantiles = summary.histogram, summary.quantiles
    assert histogram is not None
    assert quantiles is not None
    buckets = histogram.buckets()
    edges = np.where(buckets.lower >= 0, buckets.lower, buckets.upper)
    edges = np.where(edges == 0, np.copysign(_SMALLEST, buckets.lower + buckets.upper), edges)
    finite = _merge_equal(
        np.append(edges, 0.0).astype(_DTYPES[summary.storage]),
        np.append(buckets.counts, summary.zeros).astype(np.uint64),
        summary.storage,
    )
    raw = finite.values.view(np.uint64)
    distinct = DistinctBuilder()
    distinct.add(raw, summary.storage)
    infinities = [np.inf] * bool(summary.positive_infinity)
    infinities += [-np.inf] * bool(summary.negative_infinity)
    distinct.add(np.array(infinities, dtype=np.float64).view(np.uint64), Storage.FLOAT64)
    return replace(
        summary,
        moments=weighted_moments(raw, finite.counts.astype(np.uint64), summary.storage),
        quantiles=_map_quantiles(
            quantiles,
            lambda values: replaced_numbers(
                values, summary.storage, coarseness=histogram.coarseness
            ),
        ),
        distinct=distinct.finish(),
    )


_DTYPES = {Storage.FLOAT64: np.float64, Storage.INT64: np.int64, Storage.UINT64: np.uint64}


def _redact_timestamp(summary: TimestampSummary) -> TimestampSummary:
    day = _DAY[summary.unit]
    if summary.counts is not None:
        values = _midnights(summary.counts.values, day)
        counts = _merge_equal(values, summary.counts.counts, Storage.INT64)
        return TimestampSummary.of_counts(counts, unit=summary.unit)
    calendar, quantiles = summary.calendar, summary.quantiles
    assert calendar is not None
    assert quantiles is not None
    ends = np.array([summary.minimum, summary.maximum], dtype=np.int64)
    minimum, maximum = _midnights(ends, day).tolist()
    hours = np.zeros_like(calendar.hours)
    hours[0] = summary.total
    distinct = summary.distinct
    if calendar.days is not None:
        builder = DistinctBuilder()
        builder.add((calendar.days.values * day).view(np.uint64), Storage.INT64)
        distinct = builder.finish()
    return replace(
        summary,
        minimum=minimum,
        maximum=maximum,
        calendar=CalendarCounts(calendar.days, hours, calendar.weekdays),
        quantiles=_map_quantiles(quantiles, lambda values: _midnights(values, _DAY["us"])),
        distinct=distinct,
    )


def _midnights(values: NDArray[np.int64], day: int) -> NDArray[np.int64]:
    floored = values // day * day
    # The first midnight of all lies before the smallest 64-bit number, where it would wrap.
    return np.where(floored > values, np.int64(-(2**63)), floored)


def _map_quantiles(
    quantiles: Quantiles, change: Callable[[NDArray[Any]], NDArray[Any]]
) -> Quantiles:
    """The sketch with its items changed by a function that keeps their order."""
    if not quantiles.count:
        return quantiles
    ends = np.array([quantiles.minimum, quantiles.maximum], dtype=np.uint64)
    values = change(from_keys(np.concatenate([ends, quantiles.items]), quantiles.storage))
    keys = to_keys(values.view(np.uint64), quantiles.storage)
    return replace(quantiles, minimum=int(keys[0]), maximum=int(keys[1]), items=keys[2:].copy())


def _merge_equal(
    values: NDArray[Any], counts: NDArray[np.unsignedinteger], storage: Storage
) -> ValueCounts:
    """Exact counts of values that may repeat; values counted zero times are left out."""
    keys, inverse = np.unique(to_keys(values.view(np.uint64), storage), return_inverse=True)
    weights = np.zeros(len(keys), dtype=np.uint64)
    np.add.at(weights, inverse, counts.astype(np.uint64))
    return ValueCounts.of(keys[weights > 0], weights[weights > 0], storage)
