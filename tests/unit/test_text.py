"""Texts: hashes against a second writing of the algorithm, lengths against Python's decoder."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pytest

from leadline import _arrow
from leadline._native import CountedTexts, Storage, TextCounter
from leadline._native import text as kernels
from leadline.errors import InputError
from leadline.sketch.frequent import CUT_KEY, TextCounts, offsets_of
from leadline.sketch.histogram import weighted_histogram
from leadline.sketch.text import CLASSES, CharacterClasses, TextForm, TextLengths
from oracle import murmur


def counts_of(texts: Sequence[bytes] | Mapping[bytes, int]) -> TextCounts:
    """Exact counts, of texts that need not be as short as keys."""
    weights = texts if isinstance(texts, Mapping) else dict.fromkeys(texts, 1)
    sizes = np.array([len(text) for text in weights], dtype=np.uint32)
    counts = np.array(list(weights.values()), dtype=np.uint64)
    return TextCounts(offsets_of(sizes), b"".join(weights), counts, 0, int(counts.sum()))


def look_at(weights: Mapping[bytes, int]) -> TextForm:
    return TextForm.of_counts(counts_of(weights))


def count(texts: list[bytes]) -> list[CountedTexts]:
    """One cell, through the kernel of plain texts."""
    data = pa.chunked_array([pa.array(texts, pa.binary())])
    starts = np.array([0, len(texts)], dtype=np.int64)
    return list(_arrow.count_texts(data, None, starts, TextCounter(), take=TextCounter.found))


def test_the_reference_hash_gives_published_values():
    # The values for seed 0 that are quoted wherever the 128-bit x64 variant is tested.
    assert murmur(b"", 0) == (0, 0)
    quick = b"The quick brown fox jumps over the lazy dog"
    assert murmur(quick, 0) == (0xE34BBC7BBC071B6C, 0x7A433CA9C49A9347)


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 255, 256])
def test_hashes_are_murmur3(random, size):
    text = random.bytes(size)
    assert counts_of([text]).hashes().tolist() == [murmur(text)[0]]


@pytest.mark.parametrize("size", [257, 1_000])
def test_cut_keys_end_in_murmur3(random, size):
    text = random.bytes(size)
    (cell,) = count([text, b"x"])
    key = max(TextCounts.found(cell).keys, key=len)
    assert key == text[:256] + b"".join(word.to_bytes(8, "little") for word in murmur(text))
    assert TextCounts.found(cell).hashes().max() == max(murmur(text)[0], murmur(b"x")[0])


@pytest.mark.parametrize(
    ("text", "length"),
    [
        (b"", 0),
        (b"abc", 3),
        ("aé€😀".encode(), 4),
        (b"\x80", 1),  # a continuation alone
        (b"\xc0\x80", 2),  # NUL in two bytes
        (b"\xc3", 1),  # cut off
        (b"\xe2\x82", 2),
        (b"\xf0\x9f\x98", 3),
        (b"\xed\xa0\x80", 3),  # a surrogate
        (b"\xf4\x90\x80\x80", 4),  # beyond U+10FFFF
        (b"\xff\xfe", 2),
        (b"\xe0\x9f\xbf", 3),  # a longer form than needed
        (b"\xf0\x8f\xbf\xbf", 4),
        (b"\xc3\xc3\xa9", 2),
    ],
)
def test_lengths_in_code_points(text, length):
    # Python's surrogateescape replaces every byte that is no UTF-8 by one code point.
    assert len(text.decode("utf-8", "surrogateescape")) == length
    form = look_at({text: 1})
    assert form.lengths.total == length
    assert form.classes.total == length


def test_random_bytes_have_the_length_that_python_decodes(random):
    alphabet = np.array([0x41, 0x80, 0x9F, 0xA0, 0xBF, 0xC2, 0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0xF5])
    texts = [bytes(random.choice(alphabet, size)) for size in random.integers(0, 12, 2_000)]
    for text in texts:
        assert look_at({text: 1}).lengths.total == len(text.decode("utf-8", "surrogateescape"))


def test_every_ascii_character_has_the_class_that_python_says():
    groups = {
        "lower": string.ascii_lowercase,
        "upper": string.ascii_uppercase,
        "digit": string.digits,
        "space": string.whitespace,
        "punctuation": string.punctuation,
    }
    for code in range(128):
        name = next((name for name, group in groups.items() if chr(code) in group), "control")
        found = look_at({bytes([code]): 1}).classes
        assert found.counts.tolist() == [int(name == each) for each in CLASSES]


def test_more_characters_than_a_field_holds():
    form = look_at({b"a" * 255 + b"B" * 600 + "é".encode() * 511: 1})
    assert form.classes.counts.tolist() == [255, 600, 0, 0, 0, 0, 511]
    assert form.lengths.total == 1_366


def test_each_text_counts_as_often_as_it_occurs():
    form = look_at({b"": 5, b"ab": 2, b"A1 ": 3})
    assert form.empty == 5
    lengths = form.lengths
    assert (lengths.minimum, lengths.maximum, lengths.total) == (2, 3, 13)
    assert lengths.mean == 13 / 5
    assert lengths.histogram.total == 5
    assert form.classes.to_dict() == {
        "lower": 4,
        "upper": 3,
        "digit": 3,
        "space": 3,
        "punctuation": 0,
        "control": 0,
        "non_ascii": 0,
    }


@pytest.mark.parametrize("weight", [1, 2**31, 2**32, 2**40])
def test_lengths_lie_in_the_histogram_of_their_numbers(weight):
    sizes = [1, 2, 3, 255, 256, 257, 511, 512, 513, 515, 1_023, 1_024, 5_000, 70_000]
    form = look_at({b"x" * size: weight for size in sizes})
    raw = np.array(sizes, dtype=np.uint64)
    weights = np.full(len(sizes), weight, dtype=np.uint64)
    assert form.lengths.histogram == weighted_histogram(raw, weights, Storage.INT64)
    assert (form.lengths.minimum, form.lengths.maximum) == (1, 70_000)
    assert form.lengths.total == weight * sum(sizes)


def test_only_empty_texts():
    form = look_at({b"": 7})
    assert form == TextForm(7, TextLengths.empty(), CharacterClasses.empty())
    assert np.isnan(form.lengths.mean)
    assert (form.classes.total, form.nbytes > 0) == (0, True)


def test_no_texts_at_all():
    assert look_at({}) == TextForm(0, TextLengths.empty(), CharacterClasses.empty())


def test_merging_is_looking_at_all():
    parts = look_at({b"": 5, b"ab": 2}), look_at({b"A1 ": 3, "é".encode(): 4})
    whole = look_at({b"": 5, b"ab": 2, b"A1 ": 3, "é".encode(): 4})
    assert parts[0].merge(parts[1]) == whole == parts[1].merge(parts[0])
    assert look_at({}).merge(whole) == whole


# --- packed keys ---------------------------------------------------------------------------------


def test_long_texts_have_cut_keys():
    texts = [b"x" * 256, b"x" * 257, b"x" * 300, b"x" * 272]
    (cell,) = count(texts)
    keys = TextCounts.found(cell).keys
    assert sorted(map(len, keys)) == [256, CUT_KEY, CUT_KEY, CUT_KEY]
    assert keys == sorted(set(keys))
    cut = [b"x" * 256 + b"".join(w.to_bytes(8, "little") for w in murmur(t)) for t in texts[1:]]
    assert keys == sorted([texts[0], *cut])
    # What follows from the keys of 272 bytes is not what the texts are.
    assert cell.form is not None
    assert TextForm.of(cell.form).lengths.total == sum(map(len, texts))


@pytest.mark.parametrize("offsets", [[0, 5], [3, 2], [4, 4, 3]])
def test_offsets_outside_the_data_are_refused(offsets):
    packed = np.array(offsets, dtype=np.uint32)
    counts = np.ones(len(offsets) - 1, dtype=np.uint64)
    nothing = np.zeros(1, dtype=np.uint32), b"", np.zeros(0, dtype=np.uint64)
    calls: list[Callable[[], object]] = [
        lambda: kernels.text_hash(packed, b"abcd"),
        lambda: kernels.text_ascending(packed, b"abcd"),
        lambda: kernels.text_describe(packed, b"abcd", counts),
        lambda: kernels.text_merge(packed, b"abcd", counts, *nothing),
        lambda: kernels.text_merge(*nothing, packed, b"abcd", counts),
    ]
    for call in calls:
        with pytest.raises(InputError):
            call()


def test_counts_of_another_length_than_the_keys_are_refused():
    offsets, counts = np.array([0, 1], dtype=np.uint32), np.ones(2, dtype=np.uint64)
    with pytest.raises(ValueError, match="1 keys have 2 counts"):
        kernels.text_describe(offsets, b"a", counts)
    with pytest.raises(ValueError, match="differ in length"):
        kernels.text_merge(offsets, b"a", counts, offsets, b"a", counts)


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        ([], True),
        ([b""], True),
        ([b"", b"a"], True),
        ([b"a", b"a"], False),
        ([b"a", b"a\0"], True),
        ([b"a\0", b"a"], False),
        ([b"a", b"b", b"ab"], False),
        ([b"\x7f", b"\x80"], True),
    ],
)
def test_whether_keys_ascend(keys, answer):
    sizes = np.array([len(key) for key in keys], dtype=np.uint32)
    assert kernels.text_ascending(offsets_of(sizes), b"".join(keys)) is answer
