"""Sketch states that contradict themselves or their cell: one SnapshotError each."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import snapshot_cases as cases
from leadline.snapshot.packing import pack, varint
from snapshot_cases import LARGE, SMALL, large_archive, outcome, small_archive

Change = Callable[[dict[str, list[Any]]], None]
AMOUNT, AGE, SERIAL, SEEN, COUNTRY, NOTHING, VECTOR = range(7)


def put(row: int, **fields: Any) -> Change:
    """Set fields of one row."""

    def change(columns: dict[str, list[Any]]) -> None:
        for name, value in fields.items():
            columns.setdefault(name, [None] * len(columns["name"]))[row] = value

    return change


def _numbers(*values: int) -> bytes:
    return pack(np.array(values, dtype=np.uint64))


def _numbers_page(page: int) -> bytes:
    return b"\x00\x01" + _numbers(page) + _counters(*range(256))


def _counters(*counts: int) -> bytes:
    occupied = np.packbits(np.array(counts, dtype=np.uint64) > 0, bitorder="little").tobytes()
    return occupied + _numbers(*filter(None, counts))


def _registers(base: int, halves: bytes, *larger: int) -> bytes:
    return bytes([base]) + halves.ljust(2_048, b"\0") + bytes(larger)


def _keys(*keys: bytes) -> bytes:
    lengths = np.array([len(key) for key in keys], dtype=np.uint64)
    return varint(len(keys)) + pack(lengths) + b"".join(keys)


def _values(encoding: int, count: int, first: int, step: int, *gaps: int) -> bytes:
    return bytes([encoding]) + varint(count) + varint(first) + varint(step) + _numbers(*gaps)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (put(AGE, nulls=2), "counted 5 times where 4 are"),
        (put(AGE, nulls=-1), "-1 nulls"),
        (put(AGE, nulls=7), "7 nulls in 6 rows"),
        (put(AGE, rows=2**62), "nulls in"),
        (put(AGE, name="amount"), ""),
        (put(AGE, name="other"), "not one of the profile's"),
        (put(AGE, name=""), "not one of the profile's"),
        (put(AGE, values=None), "5 values of kind integer are not described"),
        (put(AGE, values=None, counts=None), "5 values of kind integer are not described"),
        (put(AGE, counts=None), "'counts' is missing"),
        (put(AGE, nan=0), "'nan' does not belong"),
        (put(AMOUNT, nan=None), "'nan' is missing"),
        (put(AMOUNT, nan=-1), "'nan' is negative"),
        (put(AGE, mean=1.0), "'mean' does not belong"),
        (put(AGE, values=b""), "shorter"),
        (put(AGE, values=b"\x00"), "shorter"),
        (put(AGE, values=_values(0, 2, 5, 34, 0) + b"x"), "longer"),
        (put(AGE, values=_values(1, 2, 5, 34, 0)), "unknown encoding 1"),
        (put(AMOUNT, values=_values(10, 2, 5, 34, 0)), "unknown encoding 10"),
        (put(AGE, values=_values(0, 65_537, 5, 34, 0)), "at most 65,536"),
        (put(AGE, values=_values(0, 2, 5, 0, 0)), "outside 64 bits"),
        (put(AGE, values=_values(0, 2, 5, 2**63, 5)), "outside 64 bits"),
        (put(AGE, values=_values(0, 2, 2**64 - 2, 5, 5)), "outside 64 bits"),
        (put(AGE, values=b"\x00\x01" + b"\x80" * 10), "too long"),
        (put(AGE, values=b"\x00\x81\x00"), "too long"),
        (put(AGE, values=b"\x00\x02\x05\x01\x00"), "numbers of 0 bytes"),
        (put(AGE, values=b"\x00\x02\x05\x01\x09"), "numbers of 9 bytes"),
        (put(AGE, counts=_numbers(0, 2)), "counted 4 times"),
        (put(AGE, counts=_numbers(0, 3, 0)), "longer"),
        (put(AGE, counts=_numbers(2**64 - 1, 5)), "too large"),
        (put(AMOUNT, values=_values(255, 3, 0, 1, 0, 0)), "NaN"),
        (put(AMOUNT, values=_values(255, 3, 2**63 - 1, 1, 0, 0)), "negative zero"),
        (put(AMOUNT, values=_values(0, 3, 2**60, 1, 0, 0)), "too large"),
        (put(AMOUNT, values=_values(9, 3, 2 * (2**53 - 3), 1, 0, 0)), ""),
        (put(COUNTRY, keys=None), "6 values of kind text"),
        (put(COUNTRY, keys=_keys(b"b", b"a"), counts=_numbers(2, 2)), "ascending"),
        (put(COUNTRY, keys=_keys(b"a", b"a"), counts=_numbers(2, 2)), "ascending"),
        (put(COUNTRY, keys=_keys(b"a" * 257), counts=_numbers(5)), "a key has"),
        (put(COUNTRY, keys=_keys(b"a" * 272), counts=_numbers(5)), "'lengths'"),
        (put(COUNTRY, keys=varint(1) + _numbers(2**63) + b"a", counts=_numbers(5)), "shorter"),
        (put(COUNTRY, keys=varint(4_097) + _numbers(1)), "at most 4,096"),
        (put(COUNTRY, count_error=1), "with an error of 1"),
        (put(COUNTRY, count_error=-1), "'count_error' is negative"),
        (put(COUNTRY, empty=1), "'empty' does not belong"),
        (put(COUNTRY, nulls=1), "keys count 6 of 5"),
        (put(SEEN, nulls=1), "counted 6 times where 5 are"),
        (put(NOTHING, nulls=5), "1 values of kind null"),
        (put(VECTOR, values=b"\xff\x00", counts=b""), "'values' does not belong"),
        (put(AGE, column="{}"), "described wrongly"),
        (put(AGE, column="nonsense"), "not valid"),
    ],
    ids=range(50),
)  # fmt: skip
def test_exact_states(change: Change, reason: str) -> None:
    found = outcome(small_archive(cases.edited(SMALL[1], change)))
    assert found != "profile"
    assert "frame 1 at byte" in found
    assert reason in found


ROWS = pa.ipc.open_stream(LARGE[1]).read_all().to_pylist()


def _patched(row: int, field: str, position: int, new: bytes) -> Change:
    """Overwrite bytes of one binary field."""
    old = ROWS[row][field]
    return put(row, **{field: old[:position] + new + old[position + len(new) :]})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (put(AGE, zeros=2), "999 values in buckets and 2 zeros of 1,000 finite values"),
        (put(AMOUNT, positive_infinity=0), "finite values"),
        (put(AMOUNT, negatives=3), "number of negative values"),
        (put(AMOUNT, negative_infinity=1, negatives=0), "finite values"),
        (put(AMOUNT, positive_infinity=2**62), "finite values"),
        (put(AMOUNT, mean=1e300), "moments contradict"),
        (put(AMOUNT, m2=-1.0), "moments contradict"),
        (put(AMOUNT, min_float64=np.nan), "moments contradict"),
        (put(AMOUNT, min_float64=-np.inf), "not finite"),
        (put(AMOUNT, min_float64=1e300), "moments contradict"),
        (put(AMOUNT, min_float64=-1e300), "quantiles begin"),
        (put(AGE, max_int64=2**62), "quantiles begin"),
        (put(AGE, min_int64=None), "'min_int64' is missing"),
        (put(AGE, min_float64=0.0), "'min_float64' does not belong"),
        (put(AGE, distinct=bytes(2_048)), "registers"),
        (put(AGE, distinct=_registers(54, b"")), "registers"),
        (put(AGE, distinct=_registers(50, b"\x04")), "registers"),
        (put(AGE, distinct=_registers(1, b"\x0f", 54)), "registers"),
        (put(AGE, distinct=_registers(1, b"\x0f", 15)), "registers"),
        (put(AGE, distinct=_registers(1, b"\x0f")), "registers"),
        (put(AGE, distinct=_registers(1, b"\xf0", 17, 17)), "registers"),
        (put(AGE, distinct=_registers(1, b"\x11" * 2_048)), "registers"),
        (put(AGE, distinct=None), "'distinct' is missing"),
        (put(AGE, histogram=b""), "shorter"),
        (put(AGE, histogram=b"\x06\x00"), "coarseness 6"),
        (put(AGE, histogram=b"\x01\x01"), "too coarse"),
        (put(AGE, histogram=b"\x00" + varint(129)), "129 pages"),
        (put(AGE, histogram=_numbers_page(4_096)), "pages are not"),
        (put(AGE, histogram=_numbers_page(2_047)), "pages are not"),
        (put(AGE, histogram=b"\x00\x02" + _numbers(5, 5) + _counters(*range(512))), "pages"),
        (put(AGE, histogram=b"\x00\x01" + _numbers(5) + _counters(*[0] * 256)), "empty page"),
        (put(AGE, histogram=b"\x00\x01" + _numbers(5) + b"\1" + bytes(31) + _numbers(0)), "zero"),
        (put(AGE, histogram=b"\x00\x01" + _numbers(5) + _counters(*[2**63] * 256)), "too large"),
        (put(AGE, histogram=b"\x00\x00"), "0 values in buckets"),
        (put(AGE, quantiles=b""), "preamble"),
        (put(AGE, quantiles=ROWS[AMOUNT]["quantiles"]), ""),
        (_patched(AGE, "quantiles", 2, b"\x07"), "family"),
        (_patched(AGE, "quantiles", 4, b"\x00\x00"), "k is 0"),
        (_patched(AGE, "quantiles", 8, struct.pack("<Q", 999)), "weights add up"),
        (_patched(AGE, "quantiles", 18, b"\xff"), "levels"),
        (_patched(AGE, "quantiles", 20, b"\xff\xff\xff\xff"), ""),
        (put(SEEN, calendar=None), "not described"),
        (put(SEEN, calendar=_numbers(*[1] * 31) + b"\x00"), "a calendar counts [24, 7] of 1,000"),
        (put(SEEN, calendar=_numbers(*[0] * 31) + b"\x02"), "not valid"),
        (put(SEEN, min_int64=2**62), "quantiles of"),
        (put(COUNTRY, distinct=None), "'distinct' is missing"),
        (put(COUNTRY, count_error=None), "with an error of 0"),
        (put(COUNTRY, count_error=2**62), "with an error of"),
        (put(COUNTRY, empty=1), "lengths of texts contradict"),
        (put(COUNTRY, empty=1_001), "1,001 empty texts of 1,000"),
        (put(COUNTRY, lengths=b""), "shorter"),
        (put(COUNTRY, lengths=None), "'lengths' is missing"),
        (put(COUNTRY, classes=bytes(7)), "code points"),
        (put(COUNTRY, classes=bytes(8)), "longer"),
    ],
    ids=range(54),
)  # fmt: skip
def test_sketched_states(change: Change, reason: str) -> None:
    found = outcome(large_archive(cases.edited(LARGE[1], change)))
    assert found != "profile"
    assert "frame 1 at byte" in found
    assert reason in found


def test_swapped_levels_of_quantiles_are_noticed() -> None:
    quantiles = ROWS[AGE]["quantiles"]
    swapped = quantiles[:-16] + quantiles[-8:] + quantiles[-16:-8]
    change = put(AGE, quantiles=swapped)
    assert "not sorted" in outcome(large_archive(cases.edited(LARGE[1], change)))


def test_parts_that_do_not_belong_together() -> None:
    def numbered(part: int, parts: int, held: list[int], **more: Any) -> bytes:
        def pick(columns: dict[str, list[Any]]) -> None:
            for name, values in columns.items():
                columns[name] = [values[row] for row in held]

        def change(text: str) -> str:
            return json.dumps(json.loads(text) | {"part": part, "parts": parts} | more)

        return cases.edited(SMALL[1], pick, header=change)

    def found(*parts: bytes) -> str:
        return outcome(cases.archive([SMALL[0], *parts], cells=1, rows=6))

    first, second = numbered(0, 2, [0, 1]), numbered(1, 2, [2, 3, 4])
    assert found(first, second) == "profile"
    assert "missing" in found(first)
    assert "do not follow" in found(second)
    assert "do not follow" in found(second, first)
    assert "do not follow" in found(first, numbered(1, 3, [2]))
    assert "do not follow" in found(first, numbered(2, 3, [2]))
    assert "share a column" in found(first, numbered(1, 2, [1, 2]))
    assert "contradict" in found(first, numbered(1, 2, [2], segment=["south", 2]))
    assert "contradict" in found(first, numbered(1, 2, [2], rows=7))
    assert "missing" in found(first, numbered(0, 1, [2]))
