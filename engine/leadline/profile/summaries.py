"""What is kept of one column in one cell, and how two of these become one.

A summary holds exact counts while its values fit them, and sketches afterwards. Whether they fit
is a function of the values alone (`sketch.counts`), never of the order in which parts arrived, so
every state that is promised as exact comes out the same for any grouping of merges. The change
from exact counts to sketches happens in ascending value order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .._native import Storage
from ..errors import ComparisonError
from ..schema import Column, Kind
from ..sketch.calendar import CalendarCounts, calendar_of, to_microseconds
from ..sketch.counts import ValueCounts
from ..sketch.distinct import Distinct, DistinctBuilder
from ..sketch.frequent import TextCounts
from ..sketch.histogram import Histogram, weighted_histogram
from ..sketch.keys import from_keys, to_keys, value_of
from ..sketch.moments import Moments, weighted_moments
from ..sketch.quantiles import Quantiles, weighted_quantiles
from ..sketch.text import CharacterClasses, TextForm, TextLengths


@dataclass(frozen=True, slots=True)
class SketchSettings:
    """What sketches are built with: compaction seed (from the column's name) and KLL's k."""

    seed: int
    k: int


@dataclass(frozen=True, slots=True)
class NumericSummary:
    """Numbers of one storage; null and NaN are counted outside of every other state.

    Either ``counts`` is set and exact, and the other four states are None because they follow
    from it, or ``counts`` is None and the other four are set.
    """

    storage: Storage
    nan: int
    positive_infinity: int
    negative_infinity: int
    zeros: int
    negatives: int
    counts: ValueCounts | None
    moments: Moments | None = None
    histogram: Histogram | None = None
    quantiles: Quantiles | None = None
    distinct: Distinct | None = None

    @classmethod
    def of_counts(cls, counts: ValueCounts, *, nan: int) -> NumericSummary:
        """The summary of exactly counted values, every figure derived from the counts."""
        values, weights = counts.values, counts.counts
        # Values ascend: infinities can only stand at the ends, and negatives come before zero.
        below, through = np.searchsorted(values, 0, "left"), np.searchsorted(values, 0, "right")
        return cls(
            storage=counts.storage,
            nan=nan,
            positive_infinity=int(weights[-1]) if len(values) and values[-1] == np.inf else 0,
            negative_infinity=int(weights[0]) if len(values) and values[0] == -np.inf else 0,
            zeros=int(weights[below]) if through > below else 0,
            negatives=int(weights[:below].sum(dtype=np.uint64)) if below else 0,
            counts=counts,
        )

    @property
    def total(self) -> int:
        """Values that are neither null nor NaN, infinities included."""
        if self.counts is not None:
            return self.counts.total
        assert self.moments is not None
        return self.moments.count + self.positive_infinity + self.negative_infinity

    @property
    def minimum(self) -> int | float | None:
        """Smallest value, -inf included; None without values."""
        if self.counts is not None:
            return _value_at(self.counts, 0)
        assert self.moments is not None
        if self.negative_infinity:
            return -np.inf
        return np.inf if self.moments.minimum is None and self.total else self.moments.minimum

    @property
    def maximum(self) -> int | float | None:
        """Largest value, inf included; None without values."""
        if self.counts is not None:
            return _value_at(self.counts, -1)
        assert self.moments is not None
        if self.positive_infinity:
            return np.inf
        return -np.inf if self.moments.maximum is None and self.total else self.moments.maximum

    @property
    def nbytes(self) -> int:
        """Bytes of state held."""
        if self.counts is not None:
            return 64 + self.counts.nbytes
        assert self.moments is not None and self.histogram is not None
        assert self.quantiles is not None and self.distinct is not None
        sketches = self.histogram.nbytes + self.quantiles.nbytes + self.distinct.nbytes
        return 64 + self.moments.nbytes + sketches

    def get_moments(self) -> Moments:
        """Moments of the finite values, derived from exact counts where those are held."""
        if self.moments is not None:
            return self.moments
        assert self.counts is not None
        values, weights = _finite(self.counts)
        return weighted_moments(values, weights, self.storage)

    def get_histogram(self) -> Histogram:
        """Log-linear histogram of the finite non-zero values."""
        if self.histogram is not None:
            return self.histogram
        assert self.counts is not None
        values, weights = _finite(self.counts)
        return weighted_histogram(values, weights, self.storage)

    def get_quantiles(self, settings: SketchSettings) -> Quantiles:
        """Quantile sketch, derived from exact counts where those are held."""
        if self.quantiles is not None:
            return self.quantiles
        assert self.counts is not None
        return weighted_quantiles(
            self.counts.keys, _weights(self.counts), self.storage, settings.k, settings.seed
        )

    def sketched(self, settings: SketchSettings) -> NumericSummary:
        """The same data with sketches in place of exact counts."""
        if self.counts is None:
            return self
        return replace(
            self,
            counts=None,
            moments=self.get_moments(),
            histogram=self.get_histogram(),
            quantiles=self.get_quantiles(settings),
            distinct=_distinct_of(self.counts),
        )

    def as_float(self, settings: SketchSettings) -> NumericSummary:
        """The same data as FLOAT64: integers beyond 2**53 round to the nearest double."""
        if self.storage is Storage.FLOAT64:
            return self
        if self.counts is not None:
            counts = self.counts.as_float()
            widened = NumericSummary.of_counts(counts, nan=self.nan)
            return widened if counts.fits() else widened.sketched(settings)
        assert self.moments is not None and self.quantiles is not None
        return replace(
            self,
            storage=Storage.FLOAT64,
            moments=self.moments.as_float(),
            quantiles=self.quantiles.as_float(),
        )

    def merge(self, other: NumericSummary, settings: SketchSettings) -> NumericSummary:
        """The summary of both sides' values together."""
        if self.storage is not other.storage:
            return self.as_float(settings).merge(other.as_float(settings), settings)
        if self.counts is not None and other.counts is not None:
            merged = self._with_tallies(other, self.counts.merge(other.counts))
            assert merged.counts is not None
            return merged if merged.counts.fits() else merged.sketched(settings)
        a, b = self.sketched(settings), other.sketched(settings)
        assert a.moments is not None and b.moments is not None
        assert a.histogram is not None and b.histogram is not None
        assert a.quantiles is not None and b.quantiles is not None
        assert a.distinct is not None and b.distinct is not None
        return replace(
            a._with_tallies(b, None),
            moments=a.moments.merge(b.moments),
            histogram=a.histogram.merge(b.histogram),
            quantiles=a.quantiles.merge(b.quantiles, settings.seed),
            distinct=a.distinct.merge(b.distinct),
        )

    def _with_tallies(self, other: NumericSummary, counts: ValueCounts | None) -> NumericSummary:
        return NumericSummary(
            storage=self.storage,
            nan=self.nan + other.nan,
            positive_infinity=self.positive_infinity + other.positive_infinity,
            negative_infinity=self.negative_infinity + other.negative_infinity,
            zeros=self.zeros + other.zeros,
            negatives=self.negatives + other.negatives,
            counts=counts,
        )


@dataclass(frozen=True, slots=True)
class TextSummary:
    """Byte strings: frequent values, distinct count, lengths and kinds of characters.

    ``distinct`` and ``form`` are None while they follow from exact counts; redaction sets them
    earlier, and a text that was cut sets ``form``.
    """

    counts: TextCounts
    distinct: Distinct | None
    form: TextForm | None

    @property
    def total(self) -> int:
        """Values that are not null."""
        return self.counts.total

    @property
    def nbytes(self) -> int:
        """Bytes of state held."""
        states = (self.counts, self.distinct, self.form)
        return 64 + sum(state.nbytes for state in states if state is not None)

    @property
    def empty(self) -> int:
        """Number of empty texts."""
        return self.get_form().empty

    @property
    def lengths(self) -> TextLengths:
        """Lengths of the texts that are not empty."""
        return self.get_form().lengths

    @property
    def classes(self) -> CharacterClasses:
        """Code points by kind."""
        return self.get_form().classes

    def get_form(self) -> TextForm:
        """Lengths and kinds of characters, derived from exact counts where those are held."""
        return TextForm.of_counts(self.counts) if self.form is None else self.form

    def get_distinct(self) -> Distinct:
        """Registers of the distinct count, derived from exact counts where those are held."""
        if self.distinct is not None:
            return self.distinct
        builder = DistinctBuilder()
        builder.add_hashes(self.counts.hashes())
        return builder.finish()

    def merge(self, other: TextSummary) -> TextSummary:
        """The summary of both sides' values together."""
        counts = self.counts.merge(other.counts)
        distinct = None
        # Redacted texts keep registers beside exact counts: their keys no longer hash alike.
        if not (counts.exact and self.distinct is None and other.distinct is None):
            distinct = self.get_distinct().merge(other.get_distinct())
        form = None
        if not (counts.exact and self.form is None and other.form is None):
            form = self.get_form().merge(other.get_form())
        return TextSummary(counts, distinct, form)


@dataclass(frozen=True, slots=True)
class TimestampSummary:
    """Points in time: range in the column's own unit, calendar, quantiles in microseconds.

    While ``counts`` is set (at most 2,048 values) the calendar, quantiles and distinct count follow
    from it and are None.
    """

    unit: str
    total: int
    minimum: int | None
    maximum: int | None
    counts: ValueCounts | None
    calendar: CalendarCounts | None = None
    quantiles: Quantiles | None = None
    distinct: Distinct | None = None

    @classmethod
    def of_counts(cls, counts: ValueCounts, *, unit: str) -> TimestampSummary:
        """The summary of exactly counted instants."""
        return cls(
            unit=unit,
            total=counts.total,
            minimum=_int_at(counts, 0),
            maximum=_int_at(counts, -1),
            counts=counts,
        )

    @property
    def nbytes(self) -> int:
        """Bytes of state held."""
        states = (self.counts, self.calendar, self.quantiles, self.distinct)
        return 64 + sum(state.nbytes for state in states if state is not None)

    def get_calendar(self) -> CalendarCounts:
        """Counts by day, hour of day and weekday in UTC."""
        if self.calendar is not None:
            return self.calendar
        assert self.counts is not None
        return calendar_of(self.counts.values, _weights(self.counts), self.unit)

    def get_quantiles(self, settings: SketchSettings) -> Quantiles:
        """Quantile sketch over whole microseconds."""
        if self.quantiles is not None:
            return self.quantiles
        micros = self.microsecond_counts()
        return weighted_quantiles(
            micros.keys, _weights(micros), Storage.INT64, settings.k, settings.seed
        )

    def microsecond_counts(self) -> ValueCounts:
        """Exact counts by whole microsecond; only while counts are exact."""
        assert self.counts is not None
        micros = to_microseconds(self.counts.values, self.unit)
        distinct, inverse = np.unique(micros, return_inverse=True)
        weights = np.zeros(len(distinct), dtype=np.uint64)
        np.add.at(weights, inverse, _weights(self.counts))
        return ValueCounts.of(
            to_keys(distinct.view(np.uint64), Storage.INT64), weights, Storage.INT64
        )

    def sketched(self, settings: SketchSettings) -> TimestampSummary:
        """The same data with sketches in place of exact counts."""
        if self.counts is None:
            return self
        return replace(
            self,
            counts=None,
            calendar=self.get_calendar(),
            quantiles=self.get_quantiles(settings),
            distinct=_distinct_of(self.counts),
        )

    def merge(self, other: TimestampSummary, settings: SketchSettings) -> TimestampSummary:
        """The summary of both sides' instants together."""
        if self.unit != other.unit:
            raise ComparisonError(
                f"timestamps in {self.unit} and in {other.unit} cannot be merged; "
                "profile both with one unit"
            )
        if self.counts is not None and other.counts is not None:
            counts = self.counts.merge(other.counts)
            merged = TimestampSummary.of_counts(counts, unit=self.unit)
            fits = counts.fits(timestamps=True)
            return merged if fits else merged.sketched(settings)
        a, b = self.sketched(settings), other.sketched(settings)
        assert a.calendar is not None and b.calendar is not None
        assert a.quantiles is not None and b.quantiles is not None
        assert a.distinct is not None and b.distinct is not None
        return TimestampSummary(
            unit=a.unit,
            total=a.total + b.total,
            minimum=_pick(min, a.minimum, b.minimum),
            maximum=_pick(max, a.maximum, b.maximum),
            counts=None,
            calendar=a.calendar.merge(b.calendar),
            quantiles=a.quantiles.merge(b.quantiles, settings.seed),
            distinct=a.distinct.merge(b.distinct),
        )


Summary = NumericSummary | TextSummary | TimestampSummary


def empty_summary(column: Column) -> Summary | None:
    """The summary of a column of which no row was seen."""
    if column.kind is Kind.TEXT:
        return TextSummary(TextCounts.empty(), None, None)
    if column.storage is None:
        return None
    counts = ValueCounts.empty(column.storage)
    if column.kind is Kind.TIMESTAMP and column.unit is not None:
        return TimestampSummary.of_counts(counts, unit=column.unit)
    return NumericSummary.of_counts(counts, nan=0)


def _pick(choose: Callable[[int, int], int], a: int | None, b: int | None) -> int | None:
    if a is None or b is None:
        return a if b is None else b
    return choose(a, b)


def _value_at(counts: ValueCounts, index: int) -> int | float | None:
    return value_of(int(counts.keys[index]), counts.storage) if len(counts) else None


def _int_at(counts: ValueCounts, index: int) -> int | None:
    return int(counts.values[index]) if len(counts) else None


def _weights(counts: ValueCounts) -> np.ndarray:
    return counts.counts.astype(np.uint64)


def _finite(counts: ValueCounts) -> tuple[np.ndarray, np.ndarray]:
    """Finite distinct values as raw 8-byte blocks, and their counts, in ascending order."""
    values, weights = from_keys(counts.keys, counts.storage), _weights(counts)
    if counts.storage is Storage.FLOAT64:
        finite = np.isfinite(values)
        values, weights = values[finite], weights[finite]
    return values.view(np.uint64), weights


def _distinct_of(counts: ValueCounts) -> Distinct:
    builder = DistinctBuilder()
    builder.add(from_keys(counts.keys, counts.storage).view(np.uint64), counts.storage)
    return builder.finish()
