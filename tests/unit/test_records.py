"""Where records of CSV end, against what Python's own writer of CSV wrote."""

from __future__ import annotations

import csv
import io
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline import _native

CELLS = st.text(alphabet='a1,;"\n\r ', max_size=6)


@pytest.mark.parametrize(
    ("data", "end"),
    [
        (b"", 0),
        (b"a,b", 0),
        (b"a,b\n", 4),
        (b"a,b\n1,2\n3", 8),
        (b"a\r\nb", 3),
        (b"a\rb\r", 2),  # the last CR may be half of a CRLF
        (b'a\n"b\nc"', 2),
        (b'a\n"b\nc"\n', 8),
        (b'a\n"b ""\n"" c"\nd', 14),
        (b'a,"b\n', 0),
        (b'a;"b\n', 5),  # no quote begins inside a field, and ; delimits nothing here
        (b'5" pipe\n6" pipe', 8),
        (b'"a"b"\nc"\n', 9),  # after its closing quote a field goes on without quotes
    ],
)
def test_ends_by_hand(data: bytes, end: int) -> None:
    assert _native.records_end(data, ",") == end


@given(
    rows=st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=8),
    delimiter=st.sampled_from(",;"),
    line_end=st.sampled_from(["\n", "\r\n"]),
    quote_all=st.booleans(),
)
def test_every_cut_ends_with_the_last_whole_record(
    rows: list[list[str]], delimiter: str, line_end: str, quote_all: bool
) -> None:
    records = []
    for row in rows:
        text = io.StringIO()
        if quote_all:
            writer = csv.writer(
                text, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL
            )
            writer.writerow(row)
        else:  # a lone CR is the one thing that it forgets to quote
            writer = csv.writer(text, delimiter=delimiter, lineterminator=line_end)
            writer.writerow([cell.replace("\r", "") for cell in row])
        records.append(text.getvalue().encode())
    data = b"".join(records)
    ends = [0, *accumulate(map(len, records))]
    for size in range(len(data) + 1):
        expected = max(end for end in ends if end <= size)
        assert _native.records_end(data[:size], delimiter) == expected
