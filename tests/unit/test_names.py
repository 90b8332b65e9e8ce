"""Names of categories: hashes as hashlib has them, two lists side by side as sets have them."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline._native.names import names_hash, names_union
from leadline.compare.categorical import only_on
from leadline.compare.groups import group_of, groups_of
from leadline.compare.names import Names, hash_of, hashes_of
from leadline.compare.tally import Tallies, Tally
from leadline.errors import InputError
from leadline.sketch.frequent import CUT_KEY, offsets_of


def names_of(keys: list[bytes]) -> Names:
    sizes = np.array([len(key) for key in keys], dtype=np.uint32)
    return Names(offsets_of(sizes), b"".join(keys))


def blake2b(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


# One chunk of BLAKE2b has 128 bytes; a chunk that is full is the last one where nothing follows.
@pytest.mark.parametrize("size", [0, 1, 7, 8, 127, 128, 129, 255, 256, 257, 271, 273, 1_000])
def test_a_key_has_the_hash_of_its_text(size: int) -> None:
    keys = [b"x" * size, bytes(range(97, 123)) * 40]
    hashes, plain = names_hash(names_of(keys).offsets, b"".join(keys))
    assert plain.all()
    assert hashes.tolist() == [blake2b(key) for key in keys]


@given(st.lists(st.text(max_size=80), max_size=8))
def test_any_text_has_the_hash_of_its_utf8(texts: list[str]) -> None:
    keys = [text.encode("utf-8", "replace") for text in texts]
    assert names_of(keys).hashes().tolist() == [blake2b(key) for key in keys]


@given(st.lists(st.binary(max_size=8), max_size=8))
def test_any_bytes_have_the_hash_of_their_name(keys: list[bytes]) -> None:
    names = names_of(keys)
    expected = [blake2b(key.decode("utf-8", "backslashreplace").encode()) for key in keys]
    assert names.hashes().tolist() == expected
    assert hashes_of(list(names)).tolist() == expected


def test_a_cut_key_has_the_hash_of_what_is_shown() -> None:
    key = b"y" * 256 + bytes(16)
    assert len(key) == CUT_KEY
    names = names_of([key])
    assert names[0] == "y" * 256 + "…"
    assert names.hashes().tolist() == [hash_of("y" * 256 + "…")]


@given(st.sets(st.binary(max_size=3)), st.sets(st.binary(max_size=3)))
def test_two_lists_side_by_side(a: set[bytes], b: set[bytes]) -> None:
    left, right = names_of(sorted(a)), names_of(sorted(b))
    offsets, data, *places = names_union(left.offsets, left.data, right.offsets, right.data)
    found = Names(offsets, data).unpacked()
    assert found == sorted(a | b)
    for side, place in zip((sorted(a), sorted(b)), places, strict=True):
        assert place.tolist() == [side.index(key) if key in side else -1 for key in found]


@pytest.mark.parametrize("offsets", [[0, 5], [3, 2], [4, 4, 3]])
def test_offsets_outside_the_data_are_refused(offsets: list[int]) -> None:
    packed, good = np.array(offsets, dtype=np.uint32), np.zeros(1, dtype=np.uint32)
    with pytest.raises(InputError):
        names_hash(packed, b"abcd")
    with pytest.raises(InputError):
        names_union(packed, b"abcd", good, b"")
    with pytest.raises(InputError):
        names_union(good, b"", packed, b"abcd")


def test_names_are_a_sequence() -> None:
    names = names_of([b"(other)", b"a", b"b\xff"])
    assert (len(names), names[-1], names[1:], next(iter(names))) == (
        3,
        "b\\xff",
        ("a", "b\\xff"),
        "(other)",
    )
    assert "(other)" in names
    assert "b\\xff" in names
    assert "c" not in names
    assert 3 not in names  # type: ignore[operator]
    # Two keys that make this text together are not it.
    assert "ab" not in names_of([b"a", b"b"])


@given(st.lists(st.text(max_size=5)), st.integers(1, 2**32 - 1))
def test_groups_of_many_names(names: list[str], groups: int) -> None:
    assert groups_of(names, groups).tolist() == [group_of(name, groups) for name in names]


# The twenty most frequent values, equal counts in the order of their keys.
@given(
    st.dictionaries(st.binary(max_size=2), st.integers(1, 4), max_size=60),
    st.dictionaries(st.binary(max_size=2), st.integers(1, 4), max_size=60),
)
def test_what_only_one_side_has(a: dict[bytes, int], b: dict[bytes, int]) -> None:
    sides = [Tally.of(counts, sum(counts.values())) for counts in (a, b)]
    found = only_on(Tallies.of(*sides))
    expected = sorted((-count, key) for key, count in b.items() if key not in a)
    assert found.count == len(expected)
    shown = [(name_of(key), -count) for count, key in expected[:20]]
    assert [(value.value, value.count) for value in found.values] == shown
    assert found.share == (-sum(n for n, _ in expected) / sides[1].total if b else 0.0)


def name_of(key: bytes) -> str:
    return key.decode("utf-8", "backslashreplace")
