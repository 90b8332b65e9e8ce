"""Names of cells: made of packed keys when they are asked for, and their hashes."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import overload

import numpy as np
from numpy.typing import NDArray

from .._native.names import names_hash
from ..profile.column import decode_key


@dataclass(frozen=True, slots=True, eq=False)
class Names(Sequence[str]):
    """Packed keys as the names of cells, each made when it is asked for.

    A column may have thousands on either side, and an object for each of them took longer than
    everything that is computed of their counts.

    Parameters
    ----------
    offsets, data
        Key ``i`` is ``data[offsets[i]:offsets[i + 1]]``; all ascend and are distinct.
    """

    offsets: NDArray[np.uint32]
    data: bytes
    _all: list[tuple[str, ...]] = field(default_factory=list, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        if isinstance(index, slice):
            return self.together[index]
        return decode_key(self.key(index))

    def __iter__(self) -> Iterator[str]:
        return iter(self.together)

    def __contains__(self, name: object) -> bool:
        # A key that is not its own name holds at least an ellipsis or a backslash in it.
        if not isinstance(name, str):
            return False
        plain = name.isascii() and "\\" not in name
        return not (plain and name.encode() not in self.data) and name in self.together

    @property
    def together(self) -> tuple[str, ...]:
        """All names."""
        if not self._all:
            self._all.append(tuple(map(decode_key, self.unpacked())))
        return self._all[0]

    def key(self, index: int) -> bytes:
        """One key."""
        index %= len(self)
        return self.data[int(self.offsets[index]) : int(self.offsets[index + 1])]

    def unpacked(self) -> list[bytes]:
        """All keys."""
        return [self.data[i:j] for i, j in itertools.pairwise(self.offsets.tolist())]

    def hashes(self) -> NDArray[np.uint64]:
        """`hash_of` every name."""
        hashes, plain = names_hash(self.offsets, self.data)
        for index in np.flatnonzero(~plain).tolist():
            hashes[index] = hash_of(self[index])
        return hashes


@lru_cache(maxsize=8_192)  # columns share names
def hash_of(name: str) -> int:
    """64-bit hash of a cell's name: the first 8 bytes of BLAKE2b of its UTF-8, little-endian."""
    data = name.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


def hashes_of(names: Sequence[str]) -> NDArray[np.uint64]:
    """`hash_of` every name."""
    if isinstance(names, Names):
        return names.hashes()
    return np.array([hash_of(name) for name in names], dtype=np.uint64)
