"""Counts of texts, plain and by codes, against Misra-Gries written out in Python."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import oracle
from leadline import _arrow, _native
from leadline._native import ArrowType, CodeView, CountedTexts, TextCounter, TextView
from leadline.errors import InputError
from leadline.sketch.distinct import Distinct, DistinctBuilder
from leadline.sketch.frequent import CAPACITY, KEY_BYTES, TextCounts
from leadline.sketch.text import TextForm

BLOCK = 65_536
COUNTER = TextCounter()
Texts = list[bytes | None]


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    active = _native.active_instruction_set()
    yield
    _native.force_instruction_set(active)


def count(
    data: pa.ChunkedArray, order: np.ndarray | None = None, starts: Sequence[int] | None = None
) -> list[CountedTexts]:
    places = np.array([0, len(data)] if starts is None else starts, dtype=np.int64)
    return list(_arrow.count_texts(data, order, places, COUNTER, take=TextCounter.found))


def key_of(text: bytes) -> bytes:
    if len(text) <= 256:
        return text
    return text[:256] + b"".join(word.to_bytes(8, "little") for word in oracle.murmur(text))


def form_of(texts: Texts) -> tuple[int, int, int, int]:
    """Empty texts, shortest and longest of the others, all code points."""
    lengths = [len(text.decode("utf-8", "surrogateescape")) for text in texts if text is not None]
    filled = [length for length in lengths if length]
    return len(lengths) - len(filled), min(filled, default=0), max(filled, default=0), sum(lengths)


def same(found: CountedTexts, texts: Texts) -> None:
    """What was found is what the oracle says of the texts."""
    held, error = oracle.frequent_texts(texts)
    counts = TextCounts.found(found)
    assert (counts.error, counts.total) == (error, sum(text is not None for text in texts))
    assert counts.keys == sorted(counts.keys)
    weights = {key_of(text): n for text, n in held.items()}
    assert dict(zip(counts.keys, counts.counts.tolist(), strict=True)) == weights
    form = TextForm.of_counts(counts) if found.form is None else TextForm.of(found.form)
    lengths = form.lengths
    assert (form.empty, lengths.minimum, lengths.maximum, lengths.total) == form_of(texts)
    assert form.classes.total == lengths.total
    assert (found.registers is None) == (error == 0)


def registers_of(texts: Texts) -> Distinct:
    """Registers by the hashes of packed keys, which have tests of their own."""
    builder = DistinctBuilder()
    distinct = list({key_of(text) for text in texts if text is not None})
    for begin in range(0, len(distinct), 1_000):
        part = distinct[begin : begin + 1_000]
        builder.add_hashes(TextCounts.of(part, [1] * len(part), error=0, total=1).hashes())
    return builder.finish()


def columns(random: np.random.Generator, name: str) -> Texts:
    """Texts of every kind that is counted in a way of its own."""

    def numbers(distinct: int, rows: int, form: str = "%d") -> Texts:
        return [(form % value).encode() for value in random.integers(0, distinct, rows).tolist()]

    def zipf(a: float, rows: int) -> Texts:
        return [b"u%d" % value for value in random.zipf(a, rows).tolist()]

    def some_null(texts: Texts) -> Texts:
        return [
            None if null else text
            for text, null in zip(texts, random.random(len(texts)) < 0.1, strict=True)
        ]

    def unlike(rows: int) -> Texts:
        return [b"%d" % value for value in range(rows)]

    def some_of(texts: Texts, others: Texts, share: float) -> Texts:
        chosen = random.random(len(texts)) < share
        return [b if other else a for a, b, other in zip(texts, others, chosen, strict=True)]

    every = list(range(CAPACITY))
    return {
        "nothing": list,
        "all null": lambda: [None] * 300,
        "all empty": lambda: [b""] * 300,
        "ten": lambda: numbers(10, 5_000),
        "a thousand": lambda: some_null(numbers(1_000, 20_000, "value %05d")),
        "all that fit": lambda: [b"%d" % number for number in every] * 3,
        "one too many": lambda: [b"%d" % number for number in [*every, CAPACITY]] * 3,
        "one too many, later": lambda: [b"x"] * BLOCK + [b"%d" % number for number in every],
        "uniform": lambda: numbers(1_000_000, 2 * BLOCK + 77),
        "uniform, null": lambda: some_null(numbers(100_000, 2 * BLOCK + 77)),
        "heavy tail": lambda: zipf(1.2, 3 * BLOCK),
        "heavy head": lambda: some_null(zipf(1.6, 3 * BLOCK)),
        "exactly a block": lambda: numbers(1_000_000, BLOCK),
        "long": lambda: numbers(9_000, 30_000, "x" * 40 + "%d"),
        "of 16 and more": lambda: numbers(9_000, 30_000, "%016d") + numbers(99, 999, "%017d"),
        "cut": lambda: numbers(50, 900, "y" * 300 + "%d") + numbers(9, 90),
        "bytes fill first": lambda: numbers(2_049, 9_000, "%0256d"),
        "cut bytes fill first": lambda: numbers(1_928, 30_000, "%0300d"),
        "zero bytes": lambda: [b"\0" * (value % 40) for value in range(3_000)],
        "not UTF-8": lambda: [random.bytes(value % 9) for value in range(40_000)],
        "not ASCII": lambda: numbers(60_000, 80_000, "héé%d€😀"),
        "mixed": lambda: some_null(numbers(60_000, 70_000) + numbers(90, 2_000, "ß%d")),
        "one long": lambda: [*numbers(90_000, 70_000), b"z" * 70_000, b"\n\t \x7f Az"],
        # What passes the filter of texts that come only once, and what does not.
        "every one twice": lambda: [b"%d" % (value % 30_000) for value in range(60_000)] * 2,
        "every one three times": lambda: [b"%d" % (value % 21_000) for value in range(140_000)],
        "none twice, then one": lambda: [*unlike(40_000), *[b"7"] * 9_000, *unlike(90_000)],
        "none twice, and ten": lambda: some_of(unlike(3 * BLOCK), numbers(10, 3 * BLOCK), 0.4),
        "none twice, some null": lambda: some_null(unlike(2 * BLOCK)),
        "none twice, long": lambda: some_of(unlike(9_000), numbers(10**6, 9_000, "%030d"), 0.5),
        "none twice, cut": lambda: some_of(unlike(9_000), numbers(9_000, 9_000, "%0300d"), 0.3),
        "none twice, none short": lambda: numbers(10**9, 9_000, "%016d"),
    }[name]()


NAMES = [
    *("nothing", "all null", "all empty", "ten", "a thousand", "all that fit", "one too many"),
    *("one too many, later", "uniform", "uniform, null", "heavy tail", "heavy head"),
    *("exactly a block", "long", "of 16 and more", "cut", "bytes fill first"),
    *("cut bytes fill first", "zero bytes", "not UTF-8", "not ASCII", "mixed", "one long"),
    *("every one twice", "every one three times", "none twice, then one", "none twice, and ten"),
    *("none twice, some null", "none twice, long", "none twice, cut", "none twice, none short"),
]


def encodings(texts: Texts, random: np.random.Generator) -> dict[str, pa.ChunkedArray]:
    """One column in every layout that producers send."""
    plain = pa.array(texts, pa.binary())
    filled = plain.fill_null(b"under a null")
    nulls = pa.array([text is None for text in texts], pa.bool_())
    # Bytes may lie under nulls; a slice has an offset.
    valid = pc.invert(nulls).buffers()[1] if texts else None
    hidden = pa.Array.from_buffers(pa.binary(), len(texts), [valid, *filled.buffers()[1:]])
    sliced = pa.concat_arrays([pa.array([b"before", None], pa.binary()), plain]).slice(2)
    thirds = [
        plain.slice(at, 1 + len(plain) // 3) for at in range(0, len(plain), 1 + len(plain) // 3)
    ]
    encoded = plain.dictionary_encode()
    entries = encoded.dictionary.to_pylist()
    # Entries in another order, some twice, one null, some unused.
    places = random.permutation(2 * len(entries) + 3)
    messy: Texts = [None] * len(places)
    for code, entry in enumerate([*entries, *entries, b"unused", None, b"none"]):
        messy[places[code]] = entry
    twice = random.integers(0, 2, len(texts)) * len(entries)
    codes = [
        None if code is None else int(places[code + more])
        for code, more in zip(encoded.indices.to_pylist(), twice.tolist(), strict=True)
    ]
    arrays = {
        "plain": [plain],
        "hidden": [hidden],
        "sliced": [sliced],
        "chunks": thirds,
        "large": [plain.cast(pa.large_binary())],
        "view": [plain.cast(pa.binary_view())],
        "dictionary": [encoded],
        "dictionaries": [chunk.dictionary_encode() for chunk in thirds],
        "messy": [pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), pa.array(messy))],
    }
    return {
        name: pa.chunked_array(chunks, chunks[0].type if chunks else pa.binary())
        for name, chunks in arrays.items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_encoding_and_instruction_set_finds_what_the_definition_says(random, name):
    texts = columns(random, name)
    expected = None
    for encoding, data in encodings(texts, random).items():
        everything = encoding in ("plain", "hidden", "messy")
        for instructions in _native.instruction_sets() if everything else ["serial"]:
            _native.force_instruction_set(instructions)
            (found,) = count(data)
            if expected is None:
                expected = found
                same(found, texts)
            message = f"{encoding}, {instructions}"
            assert TextCounts.found(found) == TextCounts.found(expected), message
            assert repr(found.form) == repr(expected.form), message
            if expected.registers is not None:
                assert np.array_equal(found.registers, expected.registers), message
    if expected is not None and expected.registers is not None:
        assert Distinct(expected.registers) == registers_of(texts)


ALPHABETS = {
    "ASCII": [b"a", b"Z", b"7", b" ", b"\x0b", b"-", b"\x7f", b"\0", b"{"],
    "UTF-8": [
        "ä".encode(),
        "€".encode(),
        "😀".encode(),
        b"x",
        "\ud7ff".encode(),
        "\U0010ffff".encode(),
    ],
    "edges": [bytes([b]) for b in (0x41, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2)]
    + [bytes([b]) for b in (0xDF, 0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0xFF)],
    "seldom wrong": ["é".encode()] * 300 + [b"\xc3", b"\xa9", b"\xed\xa0\x80"],
}


@pytest.mark.parametrize("alphabet", ALPHABETS)
@pytest.mark.parametrize("longest", [1, 3, 17, 70])
@pytest.mark.parametrize("nulls", [False, True])
def test_characters_are_those_that_python_decodes(random, alphabet, longest, nulls):
    letters = ALPHABETS[alphabet]
    texts: Texts = [
        b"".join(letters[place] for place in random.integers(0, len(letters), size).tolist())
        for size in random.integers(0, longest, 3_000).tolist()
    ]
    texts += [b"x" * 300]  # a key that is cut: then every row is looked at
    if nulls:
        texts = [None if place % 7 == 3 else text for place, text in enumerate(texts)]
    decoded = "".join(text.decode("utf-8", "surrogateescape") for text in texts if text)
    kinds = Counter("non_ascii" if ord(letter) > 127 else letter for letter in decoded)
    for instructions in _native.instruction_sets():
        _native.force_instruction_set(instructions)
        (found,) = count(pa.chunked_array([pa.array(texts, pa.binary())]))
        assert found.form is not None
        form = TextForm.of(found.form)
        lengths = form.lengths
        assert (form.empty, lengths.minimum, lengths.maximum, lengths.total) == form_of(texts)
        classes = form.classes.to_dict()
        assert classes["non_ascii"] == kinds["non_ascii"]
        assert classes["lower"] == sum(kinds[letter] for letter in string.ascii_lowercase)
        assert classes["upper"] == sum(kinds[letter] for letter in string.ascii_uppercase)
        assert classes["digit"] == sum(kinds[letter] for letter in string.digits)
        assert classes["space"] == sum(kinds[letter] for letter in string.whitespace)
        assert classes["punctuation"] == sum(kinds[letter] for letter in string.punctuation)
        assert form.classes.total == len(decoded)


@pytest.mark.parametrize("name", ["ten", "uniform, null", "heavy tail", "cut", "mixed", "long"])
@pytest.mark.parametrize("cells", [2, 700, 5_000])
def test_cells_are_counted_as_if_alone(random, name, cells):
    texts = columns(random, name)
    cell_of = random.integers(0, cells, len(texts)) if cells > 2 else np.arange(len(texts)) % 9 == 0
    order = np.argsort(cell_of, kind="stable").astype(np.int32)
    starts = np.concatenate([[0], np.cumsum(np.bincount(cell_of, minlength=cells))])
    for encoding, data in encodings(texts, random).items():
        found = count(data, order, starts)
        assert len(found) == cells
        for cell in random.permutation(cells)[:40].tolist():
            rows = order[starts[cell] : starts[cell + 1]].tolist()
            same(found[cell], [texts[row] for row in rows])
        assert sum(cell.total for cell in found) == sum(text is not None for text in texts), (
            encoding
        )


@pytest.mark.parametrize("index", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"])
@pytest.mark.parametrize("rows", [0, 1, 31, 32, 33, 1_023, 1_024, 1_025, 5_000])
def test_codes_of_every_width(random, index, rows):
    entries = [b"%d" % number for number in range(100)]
    codes = random.integers(0, 100, rows + 9).astype(index)
    for nulls in (None, random.random(rows + 9) < 0.2):
        array = pa.DictionaryArray.from_arrays(pa.array(codes, mask=nulls), pa.array(entries))
        for begin in (0, 3, 8):
            sliced = array.slice(begin, rows)
            (found,) = count(pa.chunked_array([sliced]))
            same(found, sliced.cast(pa.binary()).to_pylist())


@pytest.mark.parametrize("code", [-1, 2, 2**31 - 1, -(2**31)])
@pytest.mark.parametrize("order", [None, np.arange(300, dtype=np.int32)])
def test_codes_outside_the_dictionary_are_refused(code, order):
    codes = np.zeros(300, dtype=np.int32)
    codes[77] = code
    starts = [0, 300] if order is None else [0, 100, 300]
    array = pa.DictionaryArray.from_arrays(pa.array(codes), pa.array([b"a", b"b"]), safe=False)
    with pytest.raises(InputError):
        count(pa.chunked_array([array]), order, starts)
    # Under a null they are nobody's.
    hidden = pa.array(codes, mask=np.arange(300) == 77)
    array = pa.DictionaryArray.from_arrays(hidden, pa.array([b"a", b"b"]), safe=False)
    assert sum(cell.total for cell in count(pa.chunked_array([array]), order, starts)) == 299


WRAPPING = [[2**63 - 1, -5], [-(2**63), 2**63 - 1], [0, 2**63 - 1], [2**63 - 1, 2**63 - 1]]


@pytest.mark.parametrize(
    "offsets", [[0, 2, 1], [-1, 1], [0, 2**31 - 1], [0, 4], [3, 0], [0, -1], *WRAPPING]
)
@pytest.mark.parametrize("wide", [False, True])
def test_offsets_outside_the_data_are_refused(offsets, wide):
    """Arrow looks at the first and the last offset of an array only, or at none."""
    if not wide and max(map(abs, offsets)) >= 2**31:
        return
    packed = np.array(offsets, dtype=np.int64 if wide else np.int32)
    data = np.frombuffer(b"abc", dtype=np.uint8)
    rows = len(offsets) - 1
    view = TextView(packed.ctypes.data, data.ctypes.data, 3, wide, 0, 0, rows, (packed, data))
    starts, order = np.array([0, rows], dtype=np.int64), np.arange(rows, dtype=np.int32)
    with pytest.raises(InputError):
        list(COUNTER.texts([view], None, starts, take=TextCounter.found))
    with pytest.raises(InputError):
        list(COUNTER.texts([view], order, starts, take=TextCounter.found))
    codes = np.zeros(1, dtype=np.int8)
    one = CodeView(ArrowType.INT8, codes.ctypes.data, 0, 0, 1, codes)
    with pytest.raises(InputError):
        list(COUNTER.codes([one], view, None, np.array([0, 1]), take=TextCounter.found))


def test_offsets_outside_the_data_are_refused_late(random):
    """Also where nothing came twice so far, so that texts are filtered."""
    text = b"".join(b"%07d" % value for value in range(70_000))
    data, starts = np.frombuffer(text, dtype=np.uint8), np.array([0, 70_000], dtype=np.int64)
    for row in random.integers(1, 69_999, 20).tolist():
        for wrong in (2**31 - 1, -1, 7 * row + 8):
            packed = np.arange(0, len(text) + 1, 7, dtype=np.int32)
            packed[row] = wrong
            addresses = packed.ctypes.data, data.ctypes.data
            view = TextView(*addresses, len(text), False, 0, 0, 70_000, (packed, data))
            with pytest.raises(InputError):
                list(COUNTER.texts([view], None, starts, take=TextCounter.found))


def test_keys_that_fill_the_output_to_the_last_byte():
    """Two cells of 512 KiB of keys; behind the last one, of 8 bytes, is nothing."""
    texts = [b"%0256d" % number for number in range(2_000)]
    texts += [b"~%07d" % number for number in range(1_536)]
    assert sum(map(len, texts)) == KEY_BYTES
    data = pa.chunked_array([pa.array([*texts, *texts], pa.binary())])
    for found in count(data, starts=[0, len(texts), 2 * len(texts)]):
        assert TextCounts.found(found).keys == texts
        assert found.counts.tolist() == [1] * len(texts)


def test_rows_outside_the_arrays_are_refused():
    plain = pa.chunked_array([pa.array([b"a", b"b"])])
    for data in (plain, plain.dictionary_encode()):
        for row in (-1, 2):
            with pytest.raises(InputError):
                count(data, np.array([0, row], dtype=np.int32), [0, 1, 2])
        for starts in ([0, 2, 1], [-1, 1], [0, 3]):
            with pytest.raises((InputError, ValueError)):
                count(data, np.arange(2, dtype=np.int32), starts)
            with pytest.raises((InputError, ValueError)):
                count(data, None, starts)


def test_more_than_two_gibibytes_of_views_of_one_text():
    """Offsets of 8 bytes reach as far as they say: 3,000 texts of 1 MiB, one over the other."""
    text = b"x" * 2**20
    view = pa.chunked_array([pa.array([text], pa.large_binary())])
    repeated = pa.chunked_array(
        [pa.DictionaryArray.from_arrays(pa.array(np.zeros(3_000, np.int8)), view.chunk(0))]
    )
    (found,) = count(repeated)
    assert found.form is not None
    assert found.form.total == 3_000 * 2**20
    assert found.counts.tolist() == [3_000]


# --- states --------------------------------------------------------------------------------------


def test_equal_counts_stay_or_go_together():
    keys = [b"%05d" % number for number in range(CAPACITY + 1)]
    weights = [9] * 10 + [4] * (CAPACITY - 9)
    counts = TextCounts.of(keys, weights, error=0, total=sum(weights))
    assert counts.keys == keys[:10]
    assert counts.counts.tolist() == [5] * 10
    assert counts.error == 4


def test_long_keys_fill_the_bytes_before_the_number():
    keys = [b"%0256d" % number for number in range(2_049)]
    weights = list(range(2_049, 0, -1))
    counts = TextCounts.of(keys, weights, error=0, total=sum(weights))
    assert KEY_BYTES == 2_048 * 256
    assert len(counts) == 2_048
    assert counts.error == 1
    assert counts.counts.tolist() == [weight - 1 for weight in weights[:-1]]


def test_counts_beyond_every_integer_type_but_the_widest():
    keys = [b"%05d" % number for number in range(CAPACITY + 2)]
    weights = [2**62 - 1, 2**40, *[2**33] * CAPACITY]
    counts = TextCounts.of(keys, weights, error=0, total=sum(weights))
    assert counts.error == 2**33
    assert counts.counts.tolist() == [2**62 - 1 - 2**33, 2**40 - 2**33]


def test_merging_keeps_the_bound(random):
    parts: list[Texts] = [[b"%d" % v for v in random.zipf(1.2, 70_000).tolist()] for _ in range(4)]
    states = [
        TextCounts.found(count(pa.chunked_array([pa.array(part, pa.binary())]))[0])
        for part in parts
    ]
    merged = states[0].merge(states[1]).merge(states[2]).merge(states[3])
    held = dict(zip(merged.keys, merged.counts.tolist(), strict=True))
    truth = Counter(text for part in parts for text in part)
    assert all(held.get(k, 0) <= n <= held.get(k, 0) + merged.error for k, n in truth.items())
    assert 0 < merged.error <= merged.total // CAPACITY
    assert states[0].merge(states[1]) == states[1].merge(states[0])


def test_keys_by_their_place():
    counts = TextCounts.of([b"b", b"", b"ccc"], [5, 1, 5], error=0, total=11)
    assert [counts.key(place) for place in (0, 1, 2, -1)] == [b"", b"b", b"ccc", b"ccc"]
    assert counts.top(2) == [(b"b", 5), (b"ccc", 5)]
    assert (counts.longest, TextCounts.empty().longest, TextCounts.empty().keys) == (3, 0, [])
    assert counts.nbytes == 16 + 4 * 4 + 4 + 3 * 8
