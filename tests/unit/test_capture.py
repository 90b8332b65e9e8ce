"""Rows captured at the call: what is kept of each value, where rows go, and what is counted."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest

from capturing import drained, recorder, rows_of
from leadline._capture import Recorder
from leadline.errors import InputError


def test_a_row_of_every_type_comes_back_as_arrow_columns():
    kept = recorder()
    moment = datetime(2024, 2, 29, 12, 30, 0, 250_000)
    for _ in range(3):  # the first row is gathered, the others take the fast path
        kept.log({"f": 1.5, "i": -7, "s": "žena", "b": True, "n": None, "t": moment})
    (batch,) = drained(kept)
    assert batch.schema.types == [
        pa.float64(),
        pa.int64(),
        pa.string(),
        pa.bool_(),
        pa.null(),
        pa.timestamp("us", "UTC"),
    ]
    expected = {
        "f": 1.5,
        "i": -7,
        "s": "žena",
        "b": True,
        "n": None,
        "t": moment.replace(tzinfo=UTC),
    }
    assert batch.to_pylist() == [expected] * 3


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, 0.0),
        (-math.inf, -math.inf),
        (True, 1),
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (2**64, 2.0**64),
        (-(10**30), -1e30),
        (Decimal("0.1"), 0.1),
        (Fraction(1, 4), 0.25),
        (np.float64(1.5), 1.5),
        (np.float32(0.5), 0.5),
        (np.float16(0.25), 0.25),
        (np.longdouble(2.5), 2.5),
        (np.int8(-3), -3),
        (np.uint64(2**64 - 1), 2.0**64),
        (np.array(3), 3),
        (np.array(2.5), 2.5),
    ],
)
def test_numbers(value, expected):
    kept = recorder(["x"], classes={"x": "number"})
    kept.log({"x": value})
    kept.log((value,))
    for row in rows_of(kept):
        assert row == {"x": expected}
        assert type(row["x"]) is type(expected)


class Tensor:
    """A number that looks like an index and is none, as a tensor of one float does."""

    def __index__(self) -> int:
        raise TypeError("only integer tensors can be converted to an index")

    def __float__(self) -> float:
        return 2.5


def test_a_number_with_both_conversions_is_what_one_of_them_gives():
    kept = recorder()
    for _ in range(2):
        kept.log({"x": Tensor()})
    assert rows_of(kept) == [{"x": 2.5}] * 2
    assert kept.violations() == {}


def test_nan_stays_nan_and_is_no_null():
    kept = recorder()
    for _ in range(2):
        kept.log({"x": math.nan})
    (batch,) = drained(kept)
    assert batch.column("x").null_count == 0
    assert all(math.isnan(value) for value in batch.column("x").to_pylist())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", ""),
        ("a\0b", "a\0b"),
        ("😀", "😀"),
        (b"plain", "plain"),
        ("größe".encode(), "größe"),
        (np.str_("numpy"), "numpy"),
        (np.bytes_(b"bytes"), "bytes"),
    ],
)
def test_texts(value, expected):
    kept = recorder(["x"], classes={"x": "text"})
    kept.log({"x": value})
    assert rows_of(kept) == [{"x": expected}]
    assert kept.violations() == {}


def test_what_is_no_valid_text_is_escaped_and_counted():
    kept = recorder()
    kept.log({"x": "a\ud800b"})
    kept.log({"x": b"a\xffb"})
    assert rows_of(kept) == [{"x": "a\\ud800b"}, {"x": "a\\xffb"}]
    assert kept.violations() == {"x": {"inexact": 2}}


@pytest.mark.parametrize(
    ("value", "microseconds"),
    [
        (datetime(1970, 1, 2), 86_400_000_000),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999), -1),
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(1970, 1, 1, tzinfo=timezone(timedelta(hours=2))), -7_200_000_000),
        (datetime.max, 253_402_300_799_999_999),
        (datetime.min, -62_135_596_800_000_000),
        (date(2000, 1, 1), 946_684_800_000_000),
        (date.min, -62_135_596_800_000_000),
        (np.datetime64("2000-01-01"), 946_684_800_000_000),
        (np.datetime64("1970-01-01T00:00:00.000001999", "ns"), 1),
    ],
)
def test_times_are_microseconds_in_utc(value, microseconds):
    kept = recorder()
    kept.log({"x": value})
    (batch,) = drained(kept)
    assert batch.column("x").cast(pa.int64()).to_pylist() == [microseconds]


def test_times_of_pandas():
    import pandas as pd

    kept = recorder()
    for text, zone in (("2024-03-31 01:30:00.000001", None), ("2024-03-31 01:30", "Europe/Berlin")):
        kept.log({"x": pd.Timestamp(text, tz=zone)})
    expected = [
        datetime(2024, 3, 31, 1, 30, 0, 1, tzinfo=UTC),
        datetime(2024, 3, 31, 0, 30, tzinfo=UTC),
    ]
    assert [row["x"] for row in rows_of(kept)] == expected


def test_what_libraries_say_for_nothing_is_null():
    import pandas as pd

    kept = recorder(["x"], classes={"x": "number"})
    for value in (None, pd.NA, pd.NaT, np.datetime64("NaT"), np.ma.masked):
        kept.log({"x": value})
    assert rows_of(kept) == [{"x": None}] * 5
    assert kept.violations() == {}


class Strange:
    """Has nothing that a value could be made of."""

    def __str__(self) -> str:
        raise AssertionError("nobody asks for the text of a value")

    __repr__ = __str__


@pytest.mark.parametrize(
    "value",
    [
        [1],
        {"a": 1},
        object(),
        Strange(),
        1j,
        np.complex128(1),
        timedelta(1),
        np.timedelta64(1, "s"),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("held", ["any", "number", "text", "time", "bool"])
def test_other_objects_are_null_and_counted(value, held):
    kept = recorder(["x", "y"], classes={"x": held})
    kept.log({"x": value, "y": 1})
    assert rows_of(kept) == [{"x": None, "y": 1}]
    assert kept.violations() == {"x": {"mistyped": 1}}
    assert kept.counters()["accepted"] == 1


@pytest.mark.parametrize(
    ("held", "right", "wrong"),
    [
        ("number", [1, 2.5, True, Decimal(3)], ["1", b"1", datetime(2024, 1, 1)]),
        ("text", ["1", b"1"], [1, 2.5, True, date(2024, 1, 1)]),
        ("time", [datetime(2024, 1, 1), date(2024, 1, 1)], [1, 2.5, "2024-01-01", False]),
        ("bool", [True, False, 0, 1, 0.0, -0.0, 1.0, np.True_], [2, -1, 0.5, "true", math.nan]),
    ],
)
def test_a_field_takes_the_values_of_its_class(held, right, wrong):
    kept = recorder(["x"], classes={"x": held})
    for value in [*right, *wrong]:
        kept.log({"x": value})
    values = [row["x"] for row in rows_of(kept)]
    assert None not in values[: len(right)]
    assert values[len(right) :] == [None] * len(wrong)
    assert kept.violations() == {"x": {"mistyped": len(wrong)}}


def test_the_first_value_decides_what_a_field_holds():
    kept = recorder()
    for value in (None, [], True, 0.5, 1, "no"):
        kept.log({"x": value})
    assert kept.classes == {"x": "bool"}
    assert [row["x"] for row in rows_of(kept)] == [None, None, True, None, True, None]
    assert kept.violations() == {"x": {"mistyped": 3}}


def test_a_column_of_numbers_is_of_integers_until_the_first_double():
    kept = recorder()
    kept.log({"x": 1})
    assert drained(kept)[0].schema.types == [pa.int64()]
    kept.log({"x": None})
    assert drained(kept)[0].schema.types == [pa.int64()]
    kept.log({"x": 1})
    kept.log({"x": 2.5})
    assert drained(kept)[0].to_pydict() == {"x": [1.0, 2.5]}
    kept.log({"x": 3})
    assert drained(kept)[0].schema.types == [pa.float64()]


def test_integers_that_become_doubles_are_counted_where_they_change():
    kept = recorder()
    for value in (0.5, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), -(2**53) - 1):
        kept.log({"x": value})
    expected = [0.5, 2.0**53, 2.0**53, 2.0**63, -(2.0**63), -(2.0**53)]
    assert [row["x"] for row in rows_of(kept)] == expected
    assert kept.violations() == {"x": {"inexact": 3}}


def test_integers_beyond_64_bits():
    kept = recorder()
    for value in (2**80, 2**80 + 1, 10**400, -(10**400)):
        kept.log({"x": value})
    assert [row["x"] for row in rows_of(kept)] == [2.0**80, 2.0**80, None, None]
    assert kept.violations() == {"x": {"inexact": 1, "oversized": 2}}


def test_texts_over_the_limit_are_null_and_counted():
    kept = recorder(text_limit=4)
    for value in ("abcd", "abcde", "éé", "éé.", b"abcde", "a\ud800"):
        kept.log({"x": value})
    assert [row["x"] for row in rows_of(kept)] == ["abcd", None, "éé", None, None, None]
    assert kept.violations()["x"]["oversized"] == 4


def test_rows_changed_after_the_call_are_as_they_were():
    kept = recorder()
    array = np.array([1.5])
    row = {"x": 1, "y": "a", "z": array[0:1].reshape(())}
    for _ in range(2):
        kept.log(row)
        row["x"] = 99
        row["y"] += "b"
        array[0] = 7.0
    assert rows_of(kept) == [{"x": 1, "y": "a", "z": 1.5}, {"x": 99, "y": "ab", "z": 7.0}]


# --- keys ---------------------------------------------------------------------------------------


def test_keys_in_any_order_with_any_missing():
    kept = recorder()
    shapes = [("a", "b", "c"), ("c", "b", "a"), ("b",), ("a", "c"), (), ("c", "a", "b"), ("b", "a")]
    for round_ in range(3):
        for shape in shapes:
            kept.log({key: f"{key}{round_}" for key in shape})
    expected = [
        {key: f"{key}{round_}" if key in shape else None for key in "abc"}
        for round_ in range(3)
        for shape in shapes
    ]
    assert rows_of(kept) == expected
    assert kept.violations() == {"a": {"missing": 6}, "b": {"missing": 6}, "c": {"missing": 9}}


def test_rows_that_leave_out_any_of_their_keys(random):
    kept = recorder(rows=10**7)
    keys = [f"key {number}" for number in range(9)]
    subsets = [[key for bit, key in enumerate(keys) if number >> bit & 1] for number in range(512)]
    rows = [dict.fromkeys(subsets[i], i) for i in random.permutation(512).tolist() * 3]
    for row in rows:
        kept.log(row)
    kept.log(dict.fromkeys(reversed(keys), -1))
    kept.log({"key 3": 5, "new": 7, "key 8": 6})
    rows += [dict.fromkeys(keys, -1), {"key 3": 5, "new": 7, "key 8": 6}]
    for row, found in zip(rows, rows_of(kept), strict=True):
        assert {key: value for key, value in found.items() if value is not None} == row
    # A key is counted from the row on that brought it.
    first = {key: next(i for i, row in enumerate(rows) if key in row) for key in [*keys, "new"]}
    missing = {
        key: sum(key not in row for row in rows[begin:])
        for key, begin in first.items()
        if key != "new"
    }
    found = {key: counts["missing"] for key, counts in kept.violations().items()}
    assert found == {key: count for key, count in missing.items() if count}


def test_extra_keys_among_the_fields_are_counted_row_by_row():
    kept = recorder(["a", "b"], fields_limit=2)
    for number in range(12):
        kept.log({"x": 0, "a": 1, "y": 0, "b": 2} if number % 3 else {"a": 1, "y": 0})
    assert kept.extra() == {"x": 8, "y": 12}
    assert kept.violations() == {"b": {"missing": 4}}
    kept = recorder(fields_limit=3)
    for _ in range(3):
        kept.log({"a": 1, "b": 2, "c": 3, "d": 4, "e": 5} | {f"n{i}": i for i in range(40)})
    assert set(kept.extra().values()) == {3}
    assert len(kept.extra()) == 42


def test_an_extra_key_that_becomes_a_field_later():
    kept = recorder(["a"], fields_limit=2)
    plan = kept.plan(["a"])
    for _ in range(3):
        plan.log({"a": 1, "b": 2})
        kept.log({"a": 1})
    kept.plan(["b"])
    for _ in range(3):
        plan.log({"a": 1, "b": 2})
        kept.log({"a": 1, "b": 2})
    assert kept.extra() == {"b": 6}
    assert [row.get("b") for row in rows_of(kept)] == [None] * 6 + [None, 2] * 3


def test_equal_keys_that_are_other_objects():
    kept = recorder()
    for number in range(5):
        kept.log(json.loads(f'{{"abcd": {number}, "xé": {number}}}'))
    assert rows_of(kept) == [{"abcd": number, "xé": number} for number in range(5)]


def test_new_keys_become_fields_up_to_the_limit_and_are_counted_beyond():
    kept = recorder(fields_limit=2)
    kept.log({"a": 1})
    for _ in range(3):
        kept.log({"a": 1, "b": 2, "c": 3, "d": 4})
    kept.log({"a": 1, "b": 2})
    assert kept.fields == ("a", "b")
    assert rows_of(kept) == [{"a": 1}, *[{"a": 1, "b": 2}] * 4]
    assert kept.extra() == {"c": 3, "d": 3}


def test_names_of_extra_keys_are_bounded():
    kept = recorder(["a"], fields_limit=1)
    for number in range(250):
        kept.log({"a": 1, f"key {number:03d}": 1})
    extra = kept.extra()
    assert len(extra) == 101
    assert extra.pop("other") == 150
    assert set(extra.values()) == {1}
    assert set(extra) == {f"key {number:03d}" for number in range(100)}


def test_keys_that_cannot_be_fields_are_counted():
    kept = recorder()
    kept.log({"a": 1, 7: 2, None: 3, "\ud800": 4, "long" * 300: 5, np.str_("b"): 6})
    assert rows_of(kept) == [{"a": 1, "b": 6}]
    assert kept.extra() == {"<int>": 1, "<NoneType>": 1, "\\ud800": 1, "long" * 50: 1}


def test_a_field_that_appears_begins_a_block():
    kept = recorder()
    kept.log({"a": 1})
    kept.log({"a": 2, "b": "x"})
    first, second = drained(kept)
    assert first.to_pydict() == {"a": [1]}
    assert second.to_pydict() == {"a": [2], "b": ["x"]}


def test_fields_given_beforehand_are_columns_even_of_empty_rows():
    kept = recorder(["a", "b"], classes={"a": "number", "b": "text"})
    kept.log({})
    (batch,) = drained(kept)
    assert batch.schema == pa.schema([("a", pa.int64()), ("b", pa.string())])
    assert batch.to_pylist() == [{"a": None, "b": None}]
    assert kept.violations() == {"a": {"missing": 1}, "b": {"missing": 1}}


def test_rows_without_fields_are_rows():
    kept = recorder()
    for _ in range(1_000):
        kept.log({})
    kept.seal()
    blocks = kept.take(10**9)
    assert sum(block.rows for block in blocks) == 1_000
    assert [block.columns() for block in blocks] == [[]] * len(blocks)


# --- rows of other forms ------------------------------------------------------------------------


def test_tuples_and_lists_of_all_fields():
    kept = recorder(["a", "b"])
    for row in [(1, "x"), [2, "y"], (None, None), [np.int64(3), "z"]]:
        kept.log(row)
    values = [(1, "x"), (2, "y"), (None, None), (3, "z")]
    assert [tuple(row.values()) for row in rows_of(kept)] == values
    kept.log((1,))
    kept.log((1, "x", 2))
    assert kept.counters()["dropped"]["error"] == 2


def test_a_plan_reads_tuples_dicts_and_objects_with_its_fields():
    kept = recorder(["a", "b", "c"])
    plan = kept.plan(["c", "a"])
    assert plan.fields == ("c", "a")

    class Row:
        c, a = 5, 6

    for row in [(1, 2), [1, 2], {"c": 3, "a": 4}, {"a": 4, "c": 3, "b": 9}, Row()]:
        plan.log(row)
    found = [(row["c"], row["a"], row["b"]) for row in rows_of(kept)]
    assert found == [(1, 2, None), (1, 2, None), (3, 4, None), (3, 4, None), (5, 6, None)]
    assert kept.extra() == {"b": 1}
    assert kept.violations() == {}  # b is not missing: the plan does not promise it


def test_attributes_that_are_missing_or_raise():
    class Row:
        a = 1

        @property
        def b(self):
            raise RuntimeError

    kept = recorder()
    kept.plan(["a", "b", "c"], "attributes").log(Row())
    assert rows_of(kept) == [{"a": 1, "b": None, "c": None}]
    assert kept.violations() == {"b": {"missing": 1}, "c": {"missing": 1}}


# --- blocks, bounds, accounts -------------------------------------------------------------------


def test_rows_come_back_in_order_over_many_blocks():
    kept = recorder(bytes=2**22)
    rows = [{"i": i, "s": "x" * (i % 50), "f": i / 2} for i in range(50_000)]
    for row in rows:
        kept.log(row)
    batches = drained(kept)
    assert len(batches) > 3
    assert [row for batch in batches for row in batch.to_pylist()] == rows


def test_take_gives_whole_blocks_oldest_first():
    kept = recorder()
    for number in range(4):
        kept.log({"x": number})
        kept.seal()
    assert kept.take(0) == []
    assert [block.rows for block in kept.take(1)] == [1]
    assert [block.rows for block in kept.take(2)] == [1, 1]
    assert len(kept.take(10)) == 1
    assert kept.take(10) == []


def test_accepted_is_taken_and_waiting():
    kept = recorder(rows=10)
    for number in range(25):
        kept.log({"x": number})
    counters = kept.counters()
    assert counters["accepted"] == counters["waiting"] == counters["held"] == 10
    assert counters["dropped"] == {"rows": 15, "bytes": 0, "closed": 0, "error": 0}
    kept.seal()
    blocks = kept.take(10**9)
    counters = kept.counters()
    assert (counters["taken"], counters["waiting"], counters["held"]) == (10, 0, 10)
    kept.log({"x": 1})  # what is taken still counts against the bound
    assert kept.counters()["dropped"]["rows"] == 16
    for block in blocks:
        kept.release(block)
    assert kept.counters()["held"] == 0
    kept.log({"x": 1})
    assert kept.counters()["accepted"] == 11
    kept.close()
    kept.log({"x": 1})
    assert kept.counters()["dropped"] == {"rows": 16, "bytes": 0, "closed": 1, "error": 0}


@pytest.mark.parametrize("bound", [1, 500, 4_096, 65_536, 2**20])
def test_bytes_stay_within_the_bound_and_go_to_nothing(bound):
    kept = recorder(bytes=bound)
    for number in range(5_000):
        kept.log({"x": number, "s": "text" * 40})
        assert kept.counters()["bytes"] <= bound
    counters = kept.counters()
    assert counters["accepted"] + counters["dropped"]["bytes"] == 5_000
    assert counters["dropped"]["bytes"] > 0
    assert len(rows_of(kept)) == counters["accepted"]
    assert kept.counters()["bytes"] == 0


def test_a_block_that_is_deleted_is_released():
    kept = recorder()
    kept.log({"x": 1})
    kept.seal()
    blocks = kept.take(1)
    assert kept.counters()["bytes"] > 0
    del blocks
    assert kept.counters()["bytes"] == kept.counters()["held"] == 0


def test_columns_outlive_their_block_and_are_made_once():
    kept = recorder()
    kept.log({"x": "abc"})
    kept.seal()
    (block,) = kept.take(1)
    columns = block.columns()
    assert block.columns() is columns
    kept.release(block)
    with pytest.raises(RuntimeError, match="released"):
        block.columns()
    assert bytes(memoryview(columns[0][5])) == b"abc"
    with pytest.raises(TypeError):
        memoryview(columns[0][5])[0] = 0
    kept.release(block)  # twice is once
    assert kept.counters()["bytes"] == 0


def test_only_what_was_taken_from_a_recorder_can_be_released_to_it():
    kept, other = recorder(), recorder()
    kept.log({"x": 1})
    kept.seal()
    (block,) = kept.take(1)
    for wrong in (block, None, 3):
        with pytest.raises(InputError, match="only what this recorder's take gave"):
            other.release(wrong)


def test_idle_recorders_hold_nothing_and_small_ones_little():
    kept = recorder()
    assert kept.counters()["bytes"] == 0
    kept.log(dict.fromkeys([f"f{i}" for i in range(20)], 1.5))
    assert kept.counters()["bytes"] < 8_192
    drained(kept)
    assert kept.counters()["bytes"] == 0


def test_batches_wait_in_order_with_the_rows():
    kept = recorder(rows=100, bytes=10_000)
    kept.log({"x": 1})
    data = object()
    assert kept.add_batch(data, 50, 1_000, 7)
    kept.log({"x": 2})
    kept.seal()
    first, batch, last = kept.take(10**9)
    assert (batch.data, batch.rows, batch.nbytes, batch.epoch) == (data, 50, 1_000, 7)
    assert (first.rows, last.rows) == (1, 1)
    kept.release(batch)
    assert batch.data is None
    assert not kept.add_batch(data, 5, 10_001, 7)
    assert kept.add_batch(data, 99, 1, 7)
    assert not kept.add_batch(data, 5, 1, 7)
    kept.close()
    assert not kept.add_batch(data, 3, 1, 7)
    assert kept.counters()["dropped"] == {"rows": 5, "bytes": 5, "closed": 3, "error": 0}
    assert kept.counters()["accepted"] == 52 + 99


# --- the first row, the child's first row -------------------------------------------------------


def test_on_start_is_called_by_the_first_row_and_again_after_forget():
    kept = recorder()
    calls = []
    kept.on_start = lambda: calls.append(kept.counters()["accepted"])
    assert calls == []
    kept.log({"x": 1})
    kept.log({"x": 1})
    assert calls == [1]
    kept.forget()
    assert kept.counters()["accepted"] == kept.counters()["bytes"] == 0
    kept.log({"x": 1})
    assert calls == [1, 1]
    assert rows_of(kept) == [{"x": 1}]


def test_a_start_that_fails_is_tried_again_with_the_next_block():
    kept = recorder()
    calls = []

    def fail() -> None:
        calls.append(1)
        raise RuntimeError("can't start new thread")

    kept.on_start = fail
    kept.log({"x": 1})
    kept.log({"x": 1})
    assert len(calls) == 1
    kept.seal()
    kept.log({"x": 1})
    assert len(calls) == 2
    assert kept.counters()["accepted"] == 3


def test_forget_drops_rows_and_counts_and_ignores_what_was_taken_before():
    kept = recorder(["x"], fields_limit=1)
    kept.log({"x": 1, "y": 2})
    kept.log({"x": "wrong"})
    kept.seal()
    blocks = kept.take(1)
    kept.log({})
    kept.add_batch([], 3, 5, 0)
    kept.forget()
    zero = {"rows": 0, "bytes": 0, "closed": 0, "error": 0}
    empty = {"accepted": 0, "taken": 0, "waiting": 0, "held": 0, "bytes": 0, "dropped": zero}
    assert kept.counters() == empty
    assert kept.violations() == kept.extra() == {}
    for block in blocks:
        kept.release(block)
    assert kept.counters() == empty
    kept.seal()
    assert kept.take(10) == []


# --- checks -------------------------------------------------------------------------------------


def test_rows_are_checked_for_ranges_nulls_and_known_values():
    kept = recorder()
    kept.checks(
        {
            "x": (0, 10, None, True),
            "s": (None, None, ["a", "ümlaut", ""], False),
            "n": (None, None, [1, 2.5], False),
            "o": (None, None, None, False, False),
            "t": (0, 1e15, None, False),
        }
    )
    assert kept.fields == ("x", "s", "n", "o", "t")
    rows = [
        {"x": 0, "s": "a", "n": 1, "o": 1, "t": date(1970, 1, 1)},
        {"x": 10.0, "s": "", "n": 2.5, "o": None, "t": None},
        {"x": -1, "s": "b", "n": 3, "t": date(1969, 12, 31)},
        {"x": 10.5, "s": "ümlaut", "n": -0.0},
        {"x": math.nan, "s": None, "n": None},
        {"x": None, "s": "a" * 1_000, "n": math.nan},
    ]
    for _ in range(3):
        for row in rows:
            kept.log(row)
    found = kept.violations()
    assert found == {
        "x": {"below": 3, "above": 3, "null": 3},
        "s": {"unseen": 6},
        "n": {"unseen": 6},
        "t": {"below": 3, "missing": 9},
    }
    assert kept.counters()["accepted"] == 18


def test_checks_of_many_known_values():
    known = [f"value {i}" for i in range(5_000)]
    kept = recorder()
    kept.checks({"s": (None, None, known, False)})
    for value in known:
        kept.log({"s": value})
    assert kept.violations() == {}
    for value in known:
        kept.log({"s": value + "."})
    assert kept.violations() == {"s": {"unseen": 5_000}}


@pytest.mark.parametrize(
    "table",
    [
        {"x": None},
        {"x": (1, 2)},
        {"x": ("a", 2, None, False)},
        {"x": (1, 2, 5, False)},
        {"x": (1, 2, [None], False)},
        {3: (1, 2, None, False)},
        {f"x{i}": (1, 2, None, False) for i in range(20)},
        7,
    ],
)
def test_checks_that_cannot_be_are_refused_and_change_nothing(table):
    kept = recorder(fields_limit=10)
    kept.checks({"y": (0, 1, None, False)})
    with pytest.raises((TypeError, ValueError, AttributeError, InputError)):
        kept.checks(table)
    kept.log({"y": 2})
    assert kept.violations()["y"] == {"above": 1}


# --- strict recorders ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"x": "one", "s": ""}, "field 'x' holds numbers, and a value of type 'str'"),
        ({"x": 1, "s": []}, "field 's' holds texts, and a value of type 'list'"),
        ({"x": 1, "s": "long" * 10}, "field 's' .* is too large"),
        ({"x": 10**400, "s": ""}, "field 'x' .* type 'int' is too large"),
        ({"x": 2**70 + 1, "s": ""}, "field 'x' .* cannot be kept exactly"),
        ({"x": 1, "s": "", "more": 1}, "key 'more' is no field"),
        ({"x": 1}, "field 's' is missing"),
        ((1, "", 2), "a row of 3 values does not fit 2 fields"),
        (7, "a row of type 'int' has no fields"),
    ],
)
def test_a_strict_recorder_says_what_is_wrong_and_keeps_nothing_of_the_row(row, words):
    kept = recorder(
        ["x", "s"],
        strict=True,
        fields_limit=2,
        text_limit=8,
        classes={"x": "number", "s": "text"},
    )
    kept.log({"x": 1, "s": "a"})
    with pytest.raises(InputError, match=words):
        kept.log(row)
    kept.log({"x": 2, "s": "b"})
    assert rows_of(kept) == [{"x": 1, "s": "a"}, {"x": 2, "s": "b"}]
    assert kept.counters()["dropped"]["error"] == 1
    assert kept.violations() == {}


def test_a_strict_recorder_takes_no_rows_when_closed():
    kept = recorder(strict=True)
    kept.close()
    with pytest.raises(InputError, match="closed"):
        kept.log({})


# --- options ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"step_ns": 0},
        {"step_ns": -1},
        {"rows": 0},
        {"bytes": -5},
        {"text_limit": 0},
        {"text_limit": 2**31},
        {"fields_limit": 0},
        {"fields_limit": 2**20},
        {"fields": ["a", "a"]},
        {"fields": [1]},
        {"fields": ["a"], "classes": {"b": "text"}},
        {"fields": ["a"], "classes": {"a": "float"}},
        {"fields": ["a", "b"], "fields_limit": 1},
    ],
    ids=str,
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(InputError):
        Recorder(**{"fields": (), "step_ns": 1, "rows": 1, "bytes": 1, **options})
