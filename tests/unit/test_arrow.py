"""Arrow memory as the kernels read it: every layout that producers send."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from leadline import _arrow
from leadline._native import TextCounter


def words(codes: _arrow.TextCodes) -> list[bytes | None]:
    entries = codes.entries()
    return [None if code < 0 else entries[code] for code in codes.codes.tolist()]


PLAIN = ["a", None, "bb", "a", "", "ü"]
EXPECTED = [None if word is None else word.encode() for word in PLAIN]


@pytest.mark.parametrize(
    "type_",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.binary(),
        pa.binary_view(),
        pa.dictionary(pa.int8(), pa.string()),
        pa.dictionary(pa.uint32(), pa.large_string()),
    ],
    ids=str,
)
def test_text_of_every_layout_becomes_codes(type_: pa.DataType) -> None:
    array = pa.array(PLAIN).cast(type_)
    assert words(_arrow.text_codes(pa.chunked_array([array]))) == EXPECTED
    halves = pa.chunked_array([array.slice(0, 2), array.slice(2, 0), array.slice(2)])
    assert words(_arrow.text_codes(halves)) == EXPECTED
    assert words(_arrow.text_codes(pa.chunked_array([array.slice(3)]))) == EXPECTED[3:]


def test_entries_are_distinct_even_if_the_dictionary_is_not() -> None:
    dictionary = pa.array(["x", None, "y", "x", "unused"])
    array = pa.DictionaryArray.from_arrays(pa.array([0, 1, 3, None, 2]), dictionary)
    codes = _arrow.text_codes(pa.chunked_array([array]))
    assert words(codes) == [b"x", None, b"x", None, b"y"]
    assert codes.codes[0] == codes.codes[2]
    assert _arrow.null_count(pa.chunked_array([array])) == 2


def test_dictionaries_that_differ_by_chunk_are_joined() -> None:
    chunks = [pa.array(part).dictionary_encode() for part in (["a", "b"], ["b", "c"], [])]
    chunks[2] = chunks[2].cast(pa.dictionary(pa.int32(), pa.string()))
    assert words(_arrow.text_codes(pa.chunked_array(chunks))) == [b"a", b"b", b"b", b"c"]


def test_dictionaries_with_nulls_are_joined() -> None:
    pairs = [["a", None], ["b", "c"]]
    chunks = [pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array(pair)) for pair in pairs]
    assert words(_arrow.text_codes(pa.chunked_array(chunks))) == [b"a", None, b"b", b"c"]


def test_plain_values_are_those_of_the_buffer() -> None:
    for type_ in (pa.int8(), pa.uint16(), pa.int32(), pa.uint64()):
        array = pa.array([5, 6, 7, 8], type_).slice(1, 2)
        assert _arrow.plain_values(array).tolist() == [6, 7]
        assert _arrow.plain_values(array).dtype.itemsize * 8 == type_.bit_width
    flags = pa.array([True, False] * 9).slice(3, 12)
    assert _arrow.plain_values(flags).tolist() == flags.to_pylist()


def test_invalid_utf8_is_kept_as_bytes() -> None:
    raw = pa.array([b"\xff\xfe", b"ok"], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 2, raw.buffers())
    assert words(_arrow.text_codes(pa.chunked_array([text]))) == [b"\xff\xfe", b"ok"]


def test_empty_and_all_null_text() -> None:
    for array in (pa.array([], pa.string()), pa.array([None, None], pa.string())):
        codes = _arrow.text_codes(pa.chunked_array([array]))
        assert len(codes) == 0
        assert codes.codes.tolist() == [-1] * len(array)


def test_number_views_share_memory_with_the_array() -> None:
    values = np.arange(10, dtype=np.int32)
    array = pa.array(values).slice(3, 5)
    (view,) = _arrow.number_views(pa.chunked_array([array]), single=False)
    assert (view.offset, view.length, view.validity) == (3, 5, 0)
    assert view.values == array.buffers()[1].address


def test_chunks_are_joined_only_on_request() -> None:
    chunked = pa.chunked_array([[1, 2], [], [None, 4]], pa.int64())
    assert len(_arrow.number_views(chunked, single=False)) == 2
    (view,) = _arrow.number_views(chunked, single=True)
    assert view.length == 4
    assert view.validity != 0


def test_run_ends_and_extensions_are_decoded() -> None:
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([2, 5], pa.int32()), pa.array([7.0, None]))
    assert _arrow.decode(runs).to_pylist() == [7.0, 7.0, None, None, None]
    assert _arrow.null_count(pa.chunked_array([runs])) == 3
    codes = pa.array([10, 20, 10]).dictionary_encode()
    assert _arrow.decode(codes).to_pylist() == [10, 20, 10]


@pytest.mark.parametrize("limit", [1, 2**31 - 1])
def test_texts_that_are_joined_get_offsets_wide_enough(
    monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(_arrow, "_NARROW_BYTES", limit)
    halves = pa.chunked_array([pa.array(["b", "a", None]), pa.array(["a", "cc"])])
    assert words(_arrow.text_codes(halves)) == [b"b", b"a", None, b"a", b"cc"]
    order, starts = np.array([4, 0, 3, 1, 2], dtype=np.int32), np.array([0, 2, 5], dtype=np.int64)
    found = _arrow.count_texts(halves, order, starts, TextCounter(), take=TextCounter.found)
    assert [(cell.keys, cell.counts.tolist()) for cell in found] == [(b"bcc", [1, 1]), (b"a", [2])]
