"""Bytes of users' summaries from a hostile file: a valid state or one refusal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.profile.custom import CustomState, state_problem
from leadline.snapshot.custom import decode_custom, encode_custom
from leadline.snapshot.frames import FrameError

VALID = encode_custom(
    {
        "a": CustomState("a", np.array([[1.5, -2.0]])),
        "b": CustomState("b", np.array([True, False])),
    }
)
assert VALID is not None


def decode(data: bytes) -> None:
    """Decode, or refuse in one of the ways that a reader turns into its one error."""
    try:
        states = decode_custom(data)
    except (FrameError, UnicodeDecodeError):
        return
    assert all(
        state.array is not None and not state_problem(state.array) for state in states.values()
    )
    assert encode_custom(states) == data


@pytest.mark.parametrize("size", range(len(VALID)))
def test_every_truncation_is_refused(size: int) -> None:
    with pytest.raises(FrameError):
        decode_custom(VALID[:size])


@pytest.mark.parametrize("place", range(len(VALID)))
def test_every_changed_byte_is_refused_or_another_valid_state(place: int) -> None:
    for flipped in (1, 2, 4, 8, 16, 32, 64, 128):
        damaged = bytearray(VALID)
        damaged[place] ^= flipped
        decode(bytes(damaged))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_a_valid_state(data: bytes) -> None:
    decode(data)


def test_a_state_beyond_the_limit_is_refused_before_memory_is_taken() -> None:
    head = b"\x01\x01a" + bytes((4, 2))
    with pytest.raises(FrameError, match="bytes"):
        decode_custom(head + b"\xff\xff\xff\xff\x0f" + b"\xff\xff\xff\xff\x0f")
