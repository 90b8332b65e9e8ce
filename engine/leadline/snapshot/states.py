"""The summary of one column <-> the fields of one row of a cell's table (format.md, section 4).

What follows from exact counts is not stored. Decoding checks that a state agrees with itself and
with the row counts around it, so that no later figure rests on a contradiction.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from .._native import Storage
from .._native.sketches import Sketches
from ..profile.summaries import NumericSummary, Summary, TextSummary, TimestampSummary
from ..schema import Column, Kind
from ..sketch.counts import ValueCounts
from ..sketch.keys import value_of
from ..sketch.moments import Moments
from ..sketch.text import TextForm
from . import encodings
from .frames import FrameError

TYPES = {
    "nan": pa.int64(),
    "positive_infinity": pa.int64(),
    "negative_infinity": pa.int64(),
    "zeros": pa.int64(),
    "negatives": pa.int64(),
    "mean": pa.float64(),
    "m2": pa.float64(),
    "m3": pa.float64(),
    "m4": pa.float64(),
    "min_int64": pa.int64(),
    "max_int64": pa.int64(),
    "min_uint64": pa.uint64(),
    "max_uint64": pa.uint64(),
    "min_float64": pa.float64(),
    "max_float64": pa.float64(),
    "values": pa.binary(),
    "keys": pa.binary(),
    "counts": pa.binary(),
    "count_error": pa.int64(),
    "histogram": pa.binary(),
    "quantiles": pa.binary(),
    "distinct": pa.binary(),
    "calendar": pa.binary(),
    "empty": pa.int64(),
    "lengths": pa.binary(),
    "classes": pa.binary(),
}

# Every field of a row of a cell's table, in the order of the format.
ROW_TYPES = {
    "name": pa.utf8(),
    "column": pa.utf8(),
    "rows": pa.int64(),
    "nulls": pa.int64(),
    **TYPES,
    "user_summaries": pa.binary(),
}

RANGE_FIELDS = {
    Storage.INT64: ("min_int64", "max_int64"),
    Storage.UINT64: ("min_uint64", "max_uint64"),
    Storage.FLOAT64: ("min_float64", "max_float64"),
}


# The fields of sketches, in the order in which `encode_sketches` gives them.
SKETCHES = ("histogram", "quantiles", "distinct")


def sketches_of(summary: Summary | None) -> Sketches:
    """The sketches of one summary, to be encoded with those of other columns."""
    distinct = getattr(summary, "distinct", None)
    registers = None if distinct is None else distinct.registers
    if summary is None or isinstance(summary, TextSummary):
        return Sketches(registers=registers)
    quantiles = None if summary.quantiles is None else summary.quantiles.arrays()
    if isinstance(summary, TimestampSummary) or summary.histogram is None:
        return Sketches(None, quantiles, registers)
    return Sketches(summary.histogram.arrays(), quantiles, registers)


def encode_summary(summary: Summary | None, *, redacted: bool) -> dict[str, Any]:
    """The fields of one summary that are not null, but for those of `sketches_of`.

    Parameters
    ----------
    summary
        The summary, or None for a column that is only counted.
    redacted
        Whether keys are hashes, from which lengths and characters do not follow.
    """
    if isinstance(summary, NumericSummary):
        return _encode_numeric(summary)
    if isinstance(summary, TextSummary):
        return _encode_text(summary, redacted=redacted)
    if isinstance(summary, TimestampSummary):
        return _encode_timestamp(summary)
    return {}


def decode_summary(column: Column, row: dict[str, Any], total: int) -> Summary | None:
    """The inverse of `encode_summary` for a column with ``total`` values; takes the row apart.

    Raises
    ------
    FrameError, ValueError
        If fields are missing, superfluous, or contradict each other.
    """
    fields = _Fields(row)
    summary: Summary | None = None
    if column.kind is Kind.TEXT and "keys" in fields:
        summary = _decode_text(fields, total)
    elif column.kind is Kind.TIMESTAMP and ("values" in fields or "calendar" in fields):
        summary = _decode_timestamp(fields, str(column.unit), total)
    elif column.storage is not None and ("values" in fields or "histogram" in fields):
        summary = _decode_numeric(fields, column.storage, total)
    elif total and column.kind is not Kind.UNSUPPORTED:
        raise FrameError(f"{total:,} values of kind {column.kind} are not described")
    fields.finish()
    return summary


class _Fields:
    """The fields of a row that are not null, each to be used exactly once."""

    def __init__(self, row: dict[str, Any]) -> None:
        self._held = row

    def __contains__(self, name: str) -> bool:
        return name in self._held

    def pop(self, name: str) -> Any:
        """The value of a field that must be there."""
        value = self._held.pop(name, None)
        if value is None:
            raise FrameError(f"the field {name!r} is missing")
        return value

    def count(self, name: str) -> int:
        """A count that must be there."""
        value = self.pop(name)
        if value < 0:
            raise FrameError(f"the field {name!r} is negative")
        return int(value)

    def finish(self) -> None:
        """Require that nothing is left."""
        if self._held:
            raise FrameError(f"the field {next(iter(self._held))!r} does not belong here")


# --- numbers -------------------------------------------------------------------------------------


def _encode_counts(counts: ValueCounts) -> dict[str, Any]:
    return {
        "values": encodings.encode_values(counts),
        "counts": encodings.encode_counts(counts.counts),
    }


def _encode_numeric(summary: NumericSummary) -> dict[str, Any]:
    row: dict[str, Any] = {}
    if summary.storage is Storage.FLOAT64:
        row["nan"] = summary.nan
    if summary.counts is not None:
        return row | _encode_counts(summary.counts)
    moments = summary.moments
    assert moments is not None
    low, high = RANGE_FIELDS[summary.storage]
    return row | {
        "positive_infinity": summary.positive_infinity,
        "negative_infinity": summary.negative_infinity,
        "zeros": summary.zeros,
        "negatives": summary.negatives,
        "mean": moments.mean,
        "m2": moments.m2,
        "m3": moments.m3,
        "m4": moments.m4,
        low: moments.minimum,
        high: moments.maximum,
    }


def _decode_numeric(fields: _Fields, storage: Storage, total: int) -> NumericSummary:
    nan = fields.count("nan") if storage is Storage.FLOAT64 else 0
    if "values" in fields:
        counts = _decode_counts(fields, storage, total - nan, timestamps=False)
        return NumericSummary.of_counts(counts, nan=nan)
    names = ("positive_infinity", "negative_infinity", "zeros", "negatives")
    positive, negative, zeros, negatives = (fields.count(name) for name in names)
    finite = total - nan - positive - negative
    counted = encodings.decode_histogram(fields.pop("histogram"))
    if counted.total + zeros != finite or negatives < negative:
        raise FrameError(
            f"{counted.total:,} values in buckets and {zeros:,} zeros of {finite:,} finite values"
        )
    if counted.negative + negative != negatives:
        raise FrameError("the histogram contradicts the number of negative values")
    quantiles = encodings.decode_quantiles(fields.pop("quantiles"), storage)
    if quantiles.count != total - nan:
        raise FrameError(f"quantiles of {quantiles.count:,} values where {total - nan:,} are")
    summary = NumericSummary(
        storage=storage,
        nan=nan,
        positive_infinity=positive,
        negative_infinity=negative,
        zeros=zeros,
        negatives=negatives,
        counts=None,
        moments=_decode_moments(fields, storage, finite),
        histogram=counted.histogram,
        quantiles=quantiles,
        distinct=encodings.decode_distinct(fields.pop("distinct")),
    )
    ends = [value_of(key, storage) for key in (quantiles.minimum, quantiles.maximum)]
    if quantiles.count and ends != [summary.minimum, summary.maximum]:
        raise FrameError(f"quantiles begin and end at {ends}, not at the extremes of the values")
    return summary


def _decode_counts(
    fields: _Fields, storage: Storage, total: int, *, timestamps: bool
) -> ValueCounts:
    counts = encodings.decode_values(fields.pop("values"), fields.pop("counts"), storage)
    if counts.total != total:
        raise FrameError(f"values are counted {counts.total:,} times where {total:,} are")
    if not counts.fits(timestamps=timestamps):
        raise FrameError("values are counted exactly though they do not fit exact counts")
    return counts


def _decode_moments(fields: _Fields, storage: Storage, count: int) -> Moments:
    mean, m2, m3, m4 = (float(fields.pop(name)) for name in ("mean", "m2", "m3", "m4"))
    low, high = RANGE_FIELDS[storage]
    if not count:
        if (mean, m2, m3, m4) != (0.0, 0.0, 0.0, 0.0):
            raise FrameError("moments of no values are not zero")
        return Moments.empty()
    minimum, maximum = fields.pop(low), fields.pop(high)
    # Sums of squares may overflow to infinity, and then to NaN; a mean lies in its range.
    slack = 1e-9 * max(abs(minimum), abs(maximum))
    inside = not np.isfinite(mean) or minimum - slack <= mean <= maximum + slack
    if not minimum <= maximum or not inside or m2 < 0 or m4 < 0:
        raise FrameError(f"moments contradict each other: mean {mean} of {minimum} to {maximum}")
    if storage is Storage.FLOAT64 and not (np.isfinite(minimum) and np.isfinite(maximum)):
        raise FrameError("the range of the finite values is not finite")
    return Moments(count, mean, m2, m3, m4, minimum, maximum)


# --- texts ---------------------------------------------------------------------------------------


def _encode_text(summary: TextSummary, *, redacted: bool) -> dict[str, Any]:
    counts = summary.counts
    row: dict[str, Any] = {
        "keys": encodings.encode_keys(counts),
        "counts": encodings.encode_counts(counts.counts),
    }
    if counts.error:
        row["count_error"] = counts.error
    if redacted or not TextForm.follows(counts):
        form = summary.get_form()
        row["empty"] = form.empty
        row["lengths"] = encodings.encode_lengths(form.lengths)
        row["classes"] = encodings.encode_classes(form.classes)
    return row


def _decode_text(fields: _Fields, total: int) -> TextSummary:
    error = fields.count("count_error") if "count_error" in fields else 0
    counts = encodings.decode_keys(
        fields.pop("keys"), fields.pop("counts"), error=error, total=total
    )
    distinct = None
    if not counts.exact or "distinct" in fields:
        distinct = encodings.decode_distinct(fields.pop("distinct"))
    if "lengths" not in fields:
        if not TextForm.follows(counts):
            raise FrameError("the field 'lengths' is missing")
        return TextSummary(counts, distinct, None)
    empty = fields.count("empty")
    if empty > total:
        raise FrameError(f"{empty:,} empty texts of {total:,}")
    lengths = encodings.decode_lengths(fields.pop("lengths"), nonempty=total - empty)
    classes = encodings.decode_classes(fields.pop("classes"), lengths.total)
    return TextSummary(counts, distinct, TextForm(empty, lengths, classes))


# --- points in time ------------------------------------------------------------------------------


def _encode_timestamp(summary: TimestampSummary) -> dict[str, Any]:
    if summary.counts is not None:
        return _encode_counts(summary.counts)
    assert summary.calendar is not None
    return {
        "min_int64": summary.minimum,
        "max_int64": summary.maximum,
        "calendar": encodings.encode_calendar(summary.calendar),
    }


def _decode_timestamp(fields: _Fields, unit: str, total: int) -> TimestampSummary:
    if "values" in fields:
        counts = _decode_counts(fields, Storage.INT64, total, timestamps=True)
        return TimestampSummary.of_counts(counts, unit=unit)
    calendar = encodings.decode_calendar(fields.pop("calendar"), total)
    quantiles = encodings.decode_quantiles(fields.pop("quantiles"), Storage.INT64)
    minimum, maximum = fields.pop("min_int64"), fields.pop("max_int64")
    if minimum > maximum or quantiles.count != total:
        raise FrameError(f"quantiles of {quantiles.count:,} instants where {total:,} are")
    distinct = encodings.decode_distinct(fields.pop("distinct"))
    return TimestampSummary(unit, total, minimum, maximum, None, calendar, quantiles, distinct)
