"""Rows to cells: the kernels against NumPy, and long columns against their short parts."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline._native import cells_sort, cells_windows
from leadline.errors import InputError
from leadline.profile import NULL_WINDOW, Window
from leadline.scan.cells import Codes, cells_of, segment_codes
from leadline.scan.windows import Period, Windows

LARGEST = 2**63 - 1


@st.composite
def windows_apart(draw: st.DrawFn) -> list[tuple[int, int]]:
    edges = st.one_of(st.integers(-50, 50), st.integers(-LARGEST - 1, LARGEST))
    found = sorted(draw(st.sets(edges, max_size=24)))
    pairs = list(zip(found[::2], found[1::2], strict=False))
    if draw(st.booleans()):  # some follow one another without a gap
        pairs = list(itertools.pairwise(found))
    return pairs


@given(windows=windows_apart(), data=st.data())
def test_windows_are_those_that_hold_the_values(
    windows: list[tuple[int, int]], data: st.DataObject
) -> None:
    edges = [edge for pair in windows for edge in pair]
    near = [min(max(edge + step, -LARGEST - 1), LARGEST) for edge in edges for step in (-1, 0, 1)]
    values = data.draw(st.lists(st.sampled_from([*near, 0, LARGEST, -LARGEST - 1]), max_size=60))
    starts = np.array([start for start, _ in windows], dtype=np.int64)
    ends = np.array([end for _, end in windows], dtype=np.int64)
    codes, outside = cells_windows(np.array(values, dtype=np.int64), starts, ends)
    expected = [
        next((place for place, (a, b) in enumerate(windows) if a <= value < b), -1)
        for value in values
    ]
    assert codes.tolist() == expected
    assert outside == expected.count(-1)


@pytest.mark.parametrize("windows", [[(0, 0)], [(0, 5), (4, 9)], [(5, 9), (0, 5)], [(3, 2)]])
def test_windows_that_do_not_ascend_are_refused(windows: list[tuple[int, int]]) -> None:
    starts, ends = np.array(windows, dtype=np.int64).T.copy()
    with pytest.raises(InputError, match="outside"):
        cells_windows(np.zeros(1, dtype=np.int64), starts, ends)


@given(codes=st.lists(st.integers(0, 40), max_size=200), room=st.integers(0, 3))
def test_rows_are_sorted_stably(codes: list[int], room: int) -> None:
    array = np.array(codes, dtype=np.int32)
    order, cells, starts = cells_sort(array, max(codes, default=-1) + 1 + room)
    unique, first = np.unique(array[np.argsort(array, kind="stable")], return_index=True)
    assert order.tolist() == np.argsort(array, kind="stable").tolist()
    assert cells.tolist() == unique.tolist()
    assert starts.tolist() == [*first.tolist(), len(codes)]


@pytest.mark.parametrize("code", [-1, 3, -(2**31), 2**31 - 1])
def test_codes_outside_are_refused(code: int) -> None:
    with pytest.raises(InputError, match="outside"):
        cells_sort(np.array([0, code, 2], dtype=np.int32), 3)


# --- long columns: windows looked up, short ones: by arithmetic ----------------------------------

ROWS = 40_000
ORDERS = {
    "sorted": np.sort,
    "shuffled": np.random.default_rng(3).permutation,
    "nearly sorted": lambda times: np.sort(times).reshape(-1, 8)[:, ::-1].ravel(),
}


def parts_of(times: pa.Array) -> list[Window]:
    """Windows of 10,000 rows at a time, which are too few to be looked up."""
    windows = Windows(Period.parse("1h"), "UTC")
    found: list[Window] = []
    for begin in range(0, len(times), 10_000):
        codes, known = windows.assign(pa.chunked_array([times.slice(begin, 10_000)]))
        found += [known[code] for code in codes.tolist()]
    return found


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("nulls", [0.0, 0.1, 0.9])
@pytest.mark.parametrize("days", [0.5, 30, 100_000])
def test_long_columns_have_the_windows_of_their_parts(
    order: str, unit: str, nulls: float, days: float
) -> None:
    random = np.random.default_rng(11)
    seconds = random.uniform(-86_400 * days, 86_400 * days, ROWS)
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    raw = ORDERS[order]((seconds * per_second).astype(np.int64))
    times = pa.array(raw, pa.timestamp(unit), mask=random.random(ROWS) < nulls)
    codes, known = Windows(Period.parse("1h"), "UTC").assign(pa.chunked_array([times]))
    assert [known[code] for code in codes.tolist()] == parts_of(times)
    starts = [window.start for window in known if window != NULL_WINDOW]
    assert starts == sorted(starts)  # type: ignore[type-var]


@pytest.mark.parametrize("every", ["20m", "7h", "1d", "1w", "1mo"])
@pytest.mark.parametrize("type_", [pa.timestamp("us"), pa.timestamp("us", "America/New_York")])
def test_long_columns_over_changes_of_the_clock(every: str, type_: pa.DataType) -> None:
    # November 2013 in New York, by the minute; naive times are walls.
    raw = 1_383_264_000_000_000 + 60_000_000 * np.arange(ROWS)
    times = pa.array(raw, type_)
    windows = Windows(Period.parse(every), "America/New_York")
    codes, known = windows.assign(pa.chunked_array([times]))
    found = [known[code] for code in codes.tolist()]
    expected: list[Window] = []
    for begin in range(0, ROWS, 10_000):
        part, known = windows.assign(pa.chunked_array([times.slice(begin, 10_000)]))
        expected += [known[code] for code in part.tolist()]
    assert found == expected


def test_instants_beyond_64_bits_stay_in_the_last_window() -> None:
    raw = np.full(ROWS, 2**62)
    raw[7] = 0
    times = pa.chunked_array([pa.array(raw, pa.timestamp("s"))])
    codes, known = Windows(Period.parse("1d"), "UTC").assign(times)
    assert [len(known), codes[7], codes[8]] == [2, 0, 1]
    assert known[0].start == 0


def test_rare_windows_are_found_beside_frequent_ones() -> None:
    raw = np.zeros(ROWS, dtype=np.int64)
    raw[12_345] = 86_400 * 365
    codes, known = Windows(Period.parse("1d"), "UTC").assign(
        pa.chunked_array([pa.array(raw, pa.timestamp("s"))])
    )
    assert len(known) == 2
    assert np.flatnonzero(codes).tolist() == [12_345]


# --- cells ---------------------------------------------------------------------------------------


@given(data=st.data(), rows=st.integers(0, 60))
def test_every_row_is_in_the_cell_of_its_values(data: st.DataObject, rows: int) -> None:
    parts = []
    for _ in range(data.draw(st.integers(1, 3))):
        values = data.draw(st.sampled_from([1, 2, 70_000, 2**31 - 1]))
        codes = data.draw(st.lists(st.integers(0, values - 1), min_size=rows, max_size=rows))
        parts.append(Codes(np.array(codes, dtype=np.int64), range(values)))
    cells = cells_of(None, parts)
    expected: dict[tuple[int, ...], list[int]] = {}
    for row in range(rows):
        expected.setdefault(tuple(int(part.codes[row]) for part in parts), []).append(row)
    found = {}
    everything = np.arange(rows) if cells.order.order is None else cells.order.order
    for place, (window, segment) in enumerate(cells.keys):
        assert window is None
        begin, end = cells.order.starts[place : place + 2]
        found[segment] = everything[begin:end].tolist()
    assert found == expected
    assert list(found) == sorted(found)


def test_entries_of_a_dictionary_that_mean_the_same_are_one_value() -> None:
    # An invalid byte is shown as \xff, and so is the text of these four characters.
    entries = pa.array([b"\xff", rb"\xff", b"unused", b"b"], pa.binary())
    column = pa.DictionaryArray.from_arrays(pa.array([0, 1, 3, None], pa.int32()), entries)
    found = segment_codes(pa.chunked_array([column]), "where", 100)
    assert [found.values[code] for code in found.codes.tolist()] == ["\\xff", "\\xff", "b", None]
