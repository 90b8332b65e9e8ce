"""One sketch state <-> the bytes of one binary field (docs/format.md, section 5).

Every decoder reads all of its bytes, bounds every count before it allocates, and refuses what the
state's own rules exclude: unsorted keys, empty pages, registers that no hash can set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._native import (
    HISTOGRAM_PAGE,
    HISTOGRAM_PAGES,
    Storage,
    packing_gaps,
    text_ascending,
)
from .._native.sketches import Sketches, sketches_bytes
from .._native.unpacking import unpacking_histogram, unpacking_registers
from ..sketch.calendar import CalendarCounts
from ..sketch.counts import DENSE_RANGE, ValueCounts, smallest_type
from ..sketch.distinct import Distinct
from ..sketch.frequent import CAPACITY, CUT_KEY, PREFIX, TextCounts, offsets_of
from ..sketch.histogram import FULL_PAGES, Histogram, coarseness_of
from ..sketch.keys import from_keys, to_keys
from ..sketch.quantiles import Quantiles
from ..sketch.text import CharacterClasses, TextLengths
from .frames import FrameError
from .packing import Cursor, pack, unzigzag, varint, zigzag

VALUES_LIMIT = DENSE_RANGE  # distinct values of exact counts
_COARSEST = coarseness_of(HISTOGRAM_PAGES)
_HOURS, _WEEKDAYS = 24, 7

_SIGN = np.uint64(2**63)
_RAW = 255  # encoding byte: ordered keys of doubles that are no short decimals
_EXPONENTS = range(10)
_EXACT = 2**53  # below it every integer is a double and decimals survive the division

_Keys = NDArray[np.uint64]


# --- exact counts of numbers ---------------------------------------------------------------------


def encode_values(counts: ValueCounts) -> bytes:
    """The distinct values; doubles as decimal integers where these give the same doubles."""
    # Offsets from the smallest value have the gaps of the keys and are narrower.
    encoding, first, ascending = 0, counts.base, counts.offsets
    if counts.storage is Storage.FLOAT64:
        encoding, keys = _decimals(counts)
        if encoding != _RAW:
            first, ascending = int(keys[0]), keys
    head = bytes((encoding,)) + varint(len(counts))
    if not len(counts):
        return head
    signed = encoding != _RAW and counts.storage is not Storage.UINT64
    head += varint(zigzag(first - 2**63) if signed else first)
    return head if len(counts) == 1 else head + packing_gaps(ascending)


def encode_counts(counts: NDArray[np.unsignedinteger[Any]]) -> bytes:
    """How often each value or key occurs; none occurs zero times."""
    return pack(counts, less=1) if len(counts) else b""


def decode_values(values: bytes, counts: bytes, storage: Storage) -> ValueCounts:
    """The inverse of `encode_values` and `encode_counts` together."""
    cursor = Cursor(values)
    encoding, count = cursor.byte(), cursor.varint()
    if count > VALUES_LIMIT:
        raise FrameError(f"a state holds {count:,} values; at most {VALUES_LIMIT:,} are read")
    known = storage is Storage.FLOAT64 and (encoding == _RAW or encoding in _EXPONENTS)
    if not known and encoding != 0:
        raise FrameError(f"values have the unknown encoding {encoding}")
    signed = encoding != _RAW and storage is not Storage.UINT64
    keys = _decode_line(cursor, count, signed=signed)
    cursor.finish()
    if storage is Storage.FLOAT64:
        keys = _double_keys(keys, encoding)
    return ValueCounts.of(keys, decode_counts(counts, count), storage)


def decode_counts(data: bytes, count: int) -> _Keys:
    """``count`` counts of at least 1 whose sum stays below 2**63."""
    if not count:
        if data:
            raise FrameError("counts without values")
        return np.zeros(0, dtype=np.uint64)
    cursor = Cursor(data)
    counts = cursor.planes(count)
    cursor.finish()
    if int(counts.max()) >= 2**63 // count:
        raise FrameError("counts are too large")
    return counts + np.uint64(1)


def _decimals(counts: ValueCounts) -> tuple[int, _Keys]:
    """Exponent e and ordered keys of integers i with ``i / 10**e`` equal to every value."""
    values = counts.values
    if not len(values) or not max(abs(values[0]), abs(values[-1])) < _EXACT:
        return _RAW, counts.keys
    probe = float(values[len(values) // 2])
    for exponent in _EXPONENTS:
        power = 10.0**exponent
        if round(probe * power) / power != probe:
            continue
        scaled = np.rint(values * power)
        if not max(abs(scaled[0]), abs(scaled[-1])) < _EXACT:
            break
        if np.array_equal(scaled / power, values):
            return exponent, scaled.astype(np.int64).view(np.uint64) ^ _SIGN
    return _RAW, counts.keys


def _decode_line(cursor: Cursor, count: int, *, signed: bool) -> _Keys:
    """Ascending distinct ordered keys from their first one and their gaps."""
    if not count:
        return np.zeros(0, dtype=np.uint64)
    first = unzigzag(cursor.varint()) + 2**63 if signed else cursor.varint()
    keys = np.full(count, first, dtype=np.uint64)
    if count == 1:
        return keys
    step = cursor.varint()
    gaps = cursor.planes(count - 1)
    widest = (int(gaps.max()) + 1) * step
    if not step or widest >= 2**64:
        raise FrameError("values lie outside 64 bits")
    gaps += np.uint64(1)
    gaps *= np.uint64(step)
    keys[1:] += np.cumsum(gaps)
    # A sum that left 64 bits came back below its predecessor.
    if first + widest * count >= 2**64 and not bool((keys[1:] > keys[:-1]).all()):
        raise FrameError("values lie outside 64 bits")
    return keys


def _double_keys(keys: _Keys, encoding: int) -> _Keys:
    if encoding == _RAW:
        values = from_keys(keys, Storage.FLOAT64)
        if np.isnan(values).any() or bool(((values == 0) & np.signbit(values)).any()):
            raise FrameError("values hold a NaN or a negative zero")
        return keys
    integers = (keys ^ _SIGN).view(np.int64)
    if len(integers) and not -_EXACT < int(integers[0]) <= int(integers[-1]) < _EXACT:
        raise FrameError("decimal values are too large")
    values = integers / 10.0**encoding + 0.0
    keys = to_keys(values.view(np.uint64), Storage.FLOAT64)
    if not bool((keys[1:] > keys[:-1]).all()):
        raise FrameError("decimal values are not distinct")
    return keys


# --- exact or frequent counts of texts -----------------------------------------------------------


def encode_keys(counts: TextCounts) -> bytes:
    """The keys in ascending order."""
    return varint(len(counts)) + pack(counts.sizes) + counts.data


def decode_keys(keys: bytes, counts: bytes, *, error: int, total: int) -> TextCounts:
    """The inverse of `encode_keys` and `encode_counts` together."""
    cursor = Cursor(keys)
    count = cursor.varint()
    if count > CAPACITY:
        raise FrameError(f"a state holds {count:,} keys; at most {CAPACITY:,} are read")
    sizes = cursor.planes(count)
    data = cursor.take(sum(sizes.tolist()))
    cursor.finish()
    if bool(((sizes > PREFIX) & (sizes != CUT_KEY)).any()):
        raise FrameError(f"a key has neither up to {PREFIX} bytes nor {CUT_KEY}")
    if not TextCounts.fits(count, len(data)):
        raise FrameError("the keys are larger than any that are kept")
    offsets = offsets_of(sizes)
    if not text_ascending(offsets, data):
        raise FrameError("keys are not ascending and distinct")
    weights = decode_counts(counts, count)
    held = int(weights.sum())
    if held > total or (held < total) != (error > 0) or not 0 <= error <= total:
        raise FrameError(f"keys count {held:,} of {total:,} values with an error of {error:,}")
    return TextCounts(offsets, data, weights, error, total)


# --- sketches ------------------------------------------------------------------------------------


def encode_histogram(histogram: Histogram) -> bytes:
    """Coarseness, occupied pages, occupied counters."""
    return sketches_bytes([Sketches(histogram.arrays())])[0].tobytes()


@dataclass(frozen=True, slots=True)
class CountedHistogram:
    """A histogram with the number of its values, and of the negative ones among them."""

    histogram: Histogram
    total: int
    negative: int


def decode_histogram(data: bytes) -> CountedHistogram:
    """The inverse of `encode_histogram`."""
    cursor = Cursor(data)
    counted = _take_histogram(cursor)
    cursor.finish()
    return counted


def _take_histogram(cursor: Cursor) -> CountedHistogram:
    coarseness, count = cursor.byte(), cursor.varint()
    if coarseness > _COARSEST or count > FULL_PAGES << coarseness:
        raise FrameError(f"a histogram has {count:,} pages at coarseness {coarseness}")
    if coarseness and count <= FULL_PAGES << (coarseness - 1):
        raise FrameError(f"a histogram of {count:,} pages is too coarse")
    if not count:
        return CountedHistogram(Histogram.empty(), 0, 0)
    buckets = HISTOGRAM_PAGE >> coarseness
    pages, occupied = cursor.raw_planes(count), cursor.take(count * buckets // 8)
    held = int.from_bytes(occupied, "little").bit_count()
    found = unpacking_histogram(pages, occupied, cursor.raw_planes(held), count, buckets)
    limit = 2**63 // (count * buckets)
    if found.bits >= limit and int(found.counts.max()) >= limit:
        raise FrameError("a histogram's counters are too large")
    if found.fault:
        raise FrameError(found.fault)
    counts = found.counts.astype(smallest_type(found.bits), copy=False)
    histogram = Histogram(coarseness, found.pages, counts)
    return CountedHistogram(histogram, found.total, found.negative)


def decode_distinct(data: bytes) -> Distinct:
    """A distinct count from its registers: half a byte each, and those that need more."""
    registers, fault = unpacking_registers(data)
    if fault:
        raise FrameError(fault)
    return Distinct(registers)


def decode_quantiles(data: bytes, storage: Storage) -> Quantiles:
    """A sketch in Apache DataSketches' KLL layout; integers keep 8-byte integer items."""
    return Quantiles.from_bytes(data, storage)


# --- calendars and texts -------------------------------------------------------------------------


def encode_calendar(calendar: CalendarCounts) -> bytes:
    """Hours, weekdays, and the days with their counts where these are held."""
    head = pack(np.concatenate([calendar.hours, calendar.weekdays]).astype(np.uint64))
    if calendar.days is None:
        return head + b"\x00"
    days = encode_values(calendar.days)
    return head + b"\x01" + varint(len(days)) + days + encode_counts(calendar.days.counts)


def decode_calendar(data: bytes, total: int) -> CalendarCounts:
    """The inverse of `encode_calendar`, for ``total`` instants."""
    cursor = Cursor(data)
    both = cursor.planes(_HOURS + _WEEKDAYS)
    hours, weekdays = both[:_HOURS], both[_HOURS:]
    flag = cursor.byte()
    days = None
    if flag == 1:
        values = cursor.take(cursor.varint())
        days = decode_values(values, cursor.rest(), Storage.INT64)
        if len(days) and int(days.offsets[-1]) >= DENSE_RANGE:
            raise FrameError("a calendar spans more days than are counted")
    elif flag:
        raise FrameError("a calendar is not valid")
    cursor.finish()
    sums = [_total(hours), _total(weekdays)] + ([days.total] if days is not None else [])
    if any(value != total for value in sums):
        raise FrameError(f"a calendar counts {sums} of {total:,} values")
    return CalendarCounts(days, hours.astype(np.int64), weekdays.astype(np.int64))


def _total(counts: _Keys) -> int:
    return sum(counts.tolist())


def encode_lengths(lengths: TextLengths) -> bytes:
    """Shortest and longest length, all code points, and the histogram of lengths above zero."""
    head = varint(lengths.minimum) + varint(lengths.maximum) + varint(lengths.total)
    return head + encode_histogram(lengths.histogram)


def decode_lengths(data: bytes, *, nonempty: int) -> TextLengths:
    """The inverse of `encode_lengths`, for texts of which ``nonempty`` are not empty."""
    cursor = Cursor(data)
    minimum, maximum, total = cursor.varint(), cursor.varint(), cursor.varint()
    counted = _take_histogram(cursor)
    cursor.finish()
    right = counted.total == nonempty and bool(minimum) == bool(nonempty)
    if not right or not minimum <= maximum <= total <= maximum * nonempty:
        raise FrameError("the lengths of texts contradict each other")
    return TextLengths(minimum, maximum, total, counted.histogram)


def encode_classes(classes: CharacterClasses) -> bytes:
    """The seven counts of code points."""
    return b"".join(varint(int(count)) for count in classes.counts)


def decode_classes(data: bytes, total: int) -> CharacterClasses:
    """The inverse of `encode_classes`, for texts of ``total`` code points."""
    cursor = Cursor(data)
    counts = [cursor.varint() for _ in range(7)]
    cursor.finish()
    if sum(counts) != total:
        raise FrameError(f"characters of {sum(counts):,} code points in texts of {total:,}")
    return CharacterClasses(np.array(counts, dtype=np.int64))
