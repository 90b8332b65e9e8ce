"""One column of a profile: its state, and the face that users ask for figures."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._lazy import lazy
from ..errors import ComparisonError, InputError
from ..estimate import Estimate
from ..schema import Column, Kind, merge_columns
from ..sketch.frequent import CUT_KEY, PREFIX
from ..sketch.moments import Moments
from ..sketch.ranks import Band, band_of
from .custom import States, merge_states
from .summaries import NumericSummary, SketchSettings, Summary, TextSummary, TimestampSummary

QUANTILES = (0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999)
TOP = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def seed_of(name: str) -> int:
    """64-bit seed of a column's sketches: a hash of its name, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


@dataclass(frozen=True, slots=True)
class ColumnState:
    """Everything kept of one column in one cell.

    Parameters
    ----------
    column
        What the column is.
    rows, nulls
        Rows in which the column was present, and how many of them were null.
    summary
        The summary of the other rows; None if the column's type is not profiled.
    custom
        States of the users' own summaries, by name.
    """

    column: Column
    rows: int
    nulls: int
    summary: Summary | None
    custom: States = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Bytes of state held."""
        held = 96 + (self.summary.nbytes if self.summary is not None else 0)
        return held + sum(state.nbytes for state in self.custom.values())

    def merge(self, other: ColumnState, *, k: int) -> ColumnState:
        """The state over both sides' rows.

        Raises
        ------
        ComparisonError
            If the two types cannot be merged.
        """
        column = merge_columns(self.column, other.column)
        if column is None:
            raise ComparisonError(
                f"column {self.column.name!r} is {self.column.type} on one side and "
                f"{other.column.type} on the other; profile both with one type"
            )
        summary = _merge(self.summary, other.summary, SketchSettings(seed_of(column.name), k))
        merged = ColumnState(column, self.rows + other.rows, self.nulls + other.nulls, summary)
        if not self.custom and not other.custom:
            return merged
        values = self.rows > self.nulls, other.rows > other.nulls
        return replace(merged, custom=merge_states(self.custom, other.custom, values=values))

    def sketched(self, *, k: int) -> ColumnState:
        """The same data with sketches in place of exact counts of numbers and instants."""
        if not isinstance(self.summary, NumericSummary | TimestampSummary):
            return self
        settings = SketchSettings(seed_of(self.column.name), k)
        return replace(self, summary=self.summary.sketched(settings))


def _merge(a: Summary | None, b: Summary | None, settings: SketchSettings) -> Summary | None:
    if a is None or b is None:
        return a if b is None else b
    if isinstance(a, NumericSummary) and isinstance(b, NumericSummary):
        return a.merge(b, settings)
    if isinstance(a, TextSummary) and isinstance(b, TextSummary):
        return a.merge(b)
    assert isinstance(a, TimestampSummary) and isinstance(b, TimestampSummary)
    return a.merge(b, settings)


class ColumnProfile:
    """The figures of one column, each with what its summary can promise.

    Obtained as ``profile["name"]``; immutable.

    Examples
    --------
    >>> import leadline as ll
    >>> age = ll.profile({"age": [31, 45, 28, 52]})["age"]
    >>> age.rows, age.mean, age.max
    (4, 39.0, 52)
    >>> age.quantile(0.5).value
    31.0
    """

    def __init__(self, state: ColumnState, *, k: int) -> None:
        self.state = state
        self._k = k

    def __repr__(self) -> str:
        return f"<ColumnProfile {self.name!r}: {self.type}, {self.rows:,} rows>"

    @property
    def name(self) -> str:
        """Name of the column."""
        return self.state.column.name

    @property
    def type(self) -> str:
        """Arrow type, as text."""
        return self.state.column.type

    @property
    def kind(self) -> Kind:
        """What is kept of the column."""
        return self.state.column.kind

    @property
    def role(self) -> str:
        """Role of the column in the model."""
        return self.state.column.role.value

    @property
    def rows(self) -> int:
        """Rows in which the column was present."""
        return self.state.rows

    @property
    def nulls(self) -> int:
        """Rows that are null."""
        return self.state.nulls

    @property
    def nan(self) -> int:
        """Rows that are NaN."""
        return self.numeric.nan if self.numeric is not None else 0

    @property
    def numeric(self) -> NumericSummary | None:
        """The summary, if the column is numeric."""
        return self.state.summary if isinstance(self.state.summary, NumericSummary) else None

    @property
    def text(self) -> TextSummary | None:
        """The summary, if the column is text."""
        return self.state.summary if isinstance(self.state.summary, TextSummary) else None

    @property
    def timestamps(self) -> TimestampSummary | None:
        """The summary, if the column holds points in time."""
        return self.state.summary if isinstance(self.state.summary, TimestampSummary) else None

    @property
    def mean(self) -> float | None:
        """Mean of the finite values; None without any."""
        moments = self._moments
        return moments.mean if moments is not None and moments.count else None

    @property
    def std(self) -> float | None:
        """Standard deviation of the finite values (ddof=1); None below two of them."""
        moments = self._moments
        return moments.std if moments is not None and moments.count > 1 else None

    @property
    def min(self) -> Any:
        """Smallest value in the column's own type; None without values."""
        return self._extreme("minimum")

    @property
    def max(self) -> Any:
        """Largest value in the column's own type; None without values."""
        return self._extreme("maximum")

    @lazy
    def custom(self) -> dict[str, NDArray[Any]]:
        """States of the users' own summaries, by name.

        Raises
        ------
        ComparisonError
            If one of them is not known for all rows.
        """
        return {name: state.get() for name, state in self.state.custom.items()}

    @lazy
    def distinct(self) -> Estimate:
        """Number of distinct values, null and NaN apart; exact or within its 99.9 % interval."""
        summary = self.state.summary
        if summary is None:
            raise InputError(f"column {self.name!r} ({self.type}) is not profiled")
        if isinstance(summary, TextSummary):
            known = len(summary.counts) if summary.counts.exact else None
        else:
            known = len(summary.counts) if summary.counts is not None else None
        if known is not None:
            return Estimate.exact(known)
        registers = summary.get_distinct() if isinstance(summary, TextSummary) else summary.distinct
        assert registers is not None
        found, most = registers.estimate(), summary.total
        return replace(found, value=min(found.value, most), upper=min(found.upper, most))

    @property
    def top(self) -> list[tuple[Any, int]]:
        """The ten most frequent values with their counts, most frequent first.

        Empty where values are not counted one by one. Counts of text are lower bounds once more
        values occurred than are kept (`text.counts.error` says by how much).
        """
        return self.most_frequent(TOP)

    def most_frequent(self, n: int) -> list[tuple[Any, int]]:
        """The ``n`` most frequent values with their counts, as `top` holds the first ten."""
        summary = self.state.summary
        if isinstance(summary, TextSummary):
            return [(decode_key(key), count) for key, count in summary.counts.top(n)]
        counts = summary.counts if summary is not None else None
        if counts is None:
            return []
        order = np.lexsort((np.arange(len(counts)), -counts.counts.astype(np.int64)))[:n]
        values = counts.values[order].tolist()
        return [
            (self._present(value), int(count))
            for value, count in zip(values, counts.counts[order], strict=True)
        ]

    def quantile(self, q: float) -> Estimate:
        """The value below which a share ``q`` of the values lies.

        Parameters
        ----------
        q
            Share between 0 and 1. The value returned is the smallest ``x`` with at least
            ``ceil(q n)`` values at or below it (NumPy's method ``inverted_cdf``), in the column's
            unit; timestamps in microseconds since 1970 UTC, dates in days. Infinities count.

        Returns
        -------
        Estimate
            ``lower`` and ``upper`` enclose the quantile of the raw rows with probability
            1 - 1e-6; they coincide with ``value`` where counts are exact.

        Raises
        ------
        InputError
            If ``q`` is outside [0, 1], or the column has no values or no order.
        """
        if not isinstance(q, Real) or not 0.0 <= float(q) <= 1.0:
            raise InputError(f"a quantile is a share between 0 and 1, not {q!r}")
        value, lower, upper = self.band.quantile(float(q))
        return Estimate(value, lower, upper, confidence=self.band.confidence)

    def histogram(self, bins: int = 20) -> tuple[np.ndarray, np.ndarray]:
        """Counts in equal-width bins between the smallest and largest finite value.

        Returns
        -------
        counts, edges
            float64 counts (``bins`` of them; a bucket that straddles an edge is shared in
            proportion) and float64 edges (``bins + 1``), as `numpy.histogram` returns them.
        """
        if not isinstance(bins, Integral) or bins < 1:
            raise InputError(f"a histogram needs a whole number of bins from 1, not {bins!r}")
        low, high = self._finite_range()
        if not low < high:
            # Beyond 2**53 half a unit would be lost to rounding.
            room = max(0.5, 2.0**-50 * abs(low))
            low, high = low - room, high + room
        edges = bin_edges(low, high, int(bins))
        below = self.band.cumulative(edges)
        if self.numeric is not None:
            # Only infinities lie outside; the last bin is closed.
            below[0] = self.numeric.negative_infinity
            below[-1] = self.numeric.total - self.numeric.positive_infinity
        return np.diff(below), edges

    @lazy
    def band(self) -> Band:
        """What is known of the cumulative distribution, as bounds on counts."""
        numeric, timestamps = self.numeric, self.timestamps
        if numeric is None and timestamps is None:
            raise InputError(f"column {self.name!r} ({self.type}) has no order to rank values by")
        if timestamps is not None:
            return self._timestamp_band(timestamps)
        assert numeric is not None
        if numeric.total == 0:
            raise InputError(f"column {self.name!r} has no values")
        if self.state.column.redacted:
            # Every value was moved to its bucket's edge: only the buckets' counts are still true.
            return band_of(
                histogram=numeric.get_histogram(),
                zeros=numeric.zeros,
                negative_infinity=numeric.negative_infinity,
                positive_infinity=numeric.positive_infinity,
            )
        return band_of(
            counts=numeric.counts,
            histogram=numeric.histogram,
            quantiles=numeric.quantiles,
            zeros=numeric.zeros,
            negative_infinity=numeric.negative_infinity,
            positive_infinity=numeric.positive_infinity,
            minimum=numeric.minimum,
            maximum=numeric.maximum,
        )

    def to_dict(self) -> dict[str, Any]:
        """All figures under stable names, ready for JSON but for dates and infinities."""
        column, summary = self.state.column, self.state.summary
        figures: dict[str, Any] = {
            "name": self.name,
            "type": self.type,
            "kind": column.kind.value,
            "role": self.role,
            "role_reason": column.role_reason,
            "note": column.note,
            "rows": self.rows,
            "nulls": self.nulls,
        }
        if summary is not None:
            figures["distinct"] = _estimate_dict(self.distinct)
        if isinstance(summary, NumericSummary):
            figures |= self._numeric_dict(summary)
        elif isinstance(summary, TextSummary):
            figures |= _text_dict(summary)
        elif isinstance(summary, TimestampSummary):
            figures |= self._timestamp_dict(summary)
        figures["custom"] = {name: state.to_dict() for name, state in self.state.custom.items()}
        if summary is not None:
            figures["top"] = [{"value": value, "count": count} for value, count in self.top]
        return figures

    @property
    def _moments(self) -> Moments | None:
        numeric = self.numeric
        if numeric is None or self.kind is Kind.DATE:
            return None
        return numeric.get_moments()

    def _extreme(self, which: str) -> Any:
        summary = self.state.summary
        if isinstance(summary, TextSummary):
            counts = summary.counts
            if not counts.exact or not len(counts):
                return None
            return decode_key(counts.key(0 if which == "minimum" else -1))
        value = getattr(summary, which) if summary is not None else None
        return None if value is None else self._present(value)

    def _present(self, value: float) -> Any:
        """A stored number in the column's own type."""
        if self.kind is Kind.BOOLEAN:
            return bool(value)
        if self.kind is Kind.DATE:
            return _date_of(int(value))
        if self.kind is Kind.TIMESTAMP:
            unit = self.state.column.unit
            assert unit is not None
            return instant_of(int(value), unit)
        return value

    def _finite_range(self) -> tuple[float, float]:
        if self.timestamps is not None:
            band = self.band
            return float(band.quantile(0.0)[0]), float(band.quantile(1.0)[0])
        numeric = self.numeric
        moments = numeric.get_moments() if numeric is not None else None
        if moments is None or moments.minimum is None or moments.maximum is None:
            raise InputError(f"column {self.name!r} has no finite values")
        return float(moments.minimum), float(moments.maximum)

    def _timestamp_band(self, summary: TimestampSummary) -> Band:
        if summary.total == 0:
            raise InputError(f"column {self.name!r} has no values")
        if summary.counts is not None:
            return band_of(counts=summary.microsecond_counts())
        return band_of(quantiles=summary.quantiles)

    def _numeric_dict(self, summary: NumericSummary) -> dict[str, Any]:
        moments = self._moments
        figures: dict[str, Any] = {
            "nan": summary.nan,
            "positive_infinity": summary.positive_infinity,
            "negative_infinity": summary.negative_infinity,
            "zeros": summary.zeros,
            "negatives": summary.negatives,
            "exact": summary.counts is not None and not self.state.column.redacted,
            "value_error": 0.0 if summary.histogram is None else summary.histogram.value_error,
            "min": self.min,
            "max": self.max,
        }
        if moments is not None:
            figures |= {
                "mean": self.mean,
                "std": self.std,
                "skewness": moments.skewness,
                "kurtosis": moments.kurtosis,
            }
        return figures | self._quantiles_dict(summary.total)

    def _timestamp_dict(self, summary: TimestampSummary) -> dict[str, Any]:
        calendar = summary.get_calendar()
        return {
            "min": self.min,
            "max": self.max,
            "exact": summary.counts is not None and not self.state.column.redacted,
            "hours": [int(count) for count in calendar.hours],
            "weekdays": [int(count) for count in calendar.weekdays],
        } | self._quantiles_dict(summary.total)

    def _quantiles_dict(self, total: int) -> dict[str, Any]:
        if total == 0:
            return {"quantiles": {}, "rank_error": 0.0}
        return {
            "quantiles": {str(q): _estimate_dict(self.quantile(q)) for q in QUANTILES},
            "rank_error": self.band.rank_error,
        }


def bin_edges(low: float, high: float, bins: int) -> NDArray[np.float64]:
    """Edges of equal bins between two finite numbers, however far apart; float64[bins + 1]."""
    share = np.arange(bins + 1) / bins
    # Not low + share * (high - low): that difference may be beyond the largest double.
    edges: NDArray[np.float64] = low * (1.0 - share) + high * share
    return edges


def _text_dict(summary: TextSummary) -> dict[str, Any]:
    return {
        "exact": summary.counts.exact,
        "count_error": summary.counts.error,
        "empty": summary.empty,
        "length_min": summary.lengths.minimum,
        "length_mean": summary.lengths.mean,
        "length_max": summary.lengths.maximum,
        "characters": summary.classes.to_dict(),
    }


def _estimate_dict(estimate: Estimate) -> dict[str, float]:
    return {"value": estimate.value, "lower": estimate.lower, "upper": estimate.upper}


def decode_key(key: bytes) -> str:
    """A stored text key as text: cut keys end in an ellipsis, bad bytes are written in hex."""
    if len(key) != CUT_KEY:
        return key.decode("utf-8", "backslashreplace")
    return key[:PREFIX].decode("utf-8", "backslashreplace") + "…"


def instant_of(value: int, unit: str) -> datetime | str:
    """A timestamp as an aware UTC datetime, or as text where datetime cannot hold it."""
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    seconds, rest = divmod(value, per_second)
    try:
        return _EPOCH + timedelta(seconds=seconds, microseconds=rest * 10**6 // per_second)
    except OverflowError:
        return f"{value} {unit} since 1970"


def _date_of(days: int) -> date | str:
    try:
        return date(1970, 1, 1) + timedelta(days=days)
    except OverflowError:
        return f"{days} days since 1970"
