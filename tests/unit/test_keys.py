"""Ordered keys: the order of values as the order of unsigned integers."""

from __future__ import annotations

import numpy as np
import pytest

from leadline._native import Storage
from leadline.sketch.keys import from_keys, key_of, to_keys, value_of

ASCENDING = {
    Storage.FLOAT64: [-np.inf, -1e300, -1.0, -5e-324, 0.0, 5e-324, 0.1, 1.0, 1e300, np.inf],
    Storage.INT64: [-(2**63), -(2**53) - 1, -1, 0, 1, 2**53 + 1, 2**63 - 1],
    Storage.UINT64: [0, 1, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1],
}


@pytest.mark.parametrize("storage", list(Storage))
def test_keys_ascend_and_come_back(storage):
    values = np.array(ASCENDING[storage], dtype=storage.dtype)
    keys = to_keys(values.view(np.uint64), storage)
    assert (keys[:-1] < keys[1:]).all()
    back = from_keys(keys, storage)
    assert back.dtype == storage.dtype
    assert np.array_equal(back, values)


@pytest.mark.parametrize("storage", list(Storage))
def test_one_key_is_the_same_as_many(storage):
    values = np.array(ASCENDING[storage], dtype=storage.dtype)
    keys = to_keys(values.view(np.uint64), storage).tolist()
    assert [key_of(value, storage) for value in values.tolist()] == keys
    assert [value_of(key, storage) for key in keys] == values.tolist()
    assert type(value_of(keys[0], storage)) is (float if storage is Storage.FLOAT64 else int)


def test_literal_keys():
    # 1.0 is 0x3ff0000000000000 and gets the sign bit; -1.0 is 0xbff0... and is inverted.
    assert key_of(1.0, Storage.FLOAT64) == 0xBFF0000000000000
    assert key_of(-1.0, Storage.FLOAT64) == 0x400FFFFFFFFFFFFF
    assert key_of(-0.0, Storage.FLOAT64) == key_of(0.0, Storage.FLOAT64) == 1 << 63
    assert key_of(-1, Storage.INT64) == 2**63 - 1
    assert key_of(7, Storage.UINT64) == 7
