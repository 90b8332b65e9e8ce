"""Groups of many light cells, formed by a hash of their names.

Which values share a group depends on their names alone, never on how often they occurred on one
side, so no group is chosen for its change: tests on groups stay valid.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


# A column's verdict asks twice for every light name, and columns share names.
@lru_cache(maxsize=8_192)
def hash_of(name: str) -> int:
    """64-bit hash of a cell's name: the first 8 bytes of BLAKE2b of its UTF-8, little-endian."""
    data = name.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


def group_of(name: str, groups: int) -> int:
    """Number of a name's group, from 0: ``hash * groups / 2**64``, rounded down."""
    return (hash_of(name) * groups) >> 64


def group_names(groups: int) -> tuple[str, ...]:
    """Names of the groups as cells.

    >>> group_names(2)
    ('(other 1 of 2)', '(other 2 of 2)')
    """
    if groups == 1:
        return ("(other)",)
    return tuple(f"(other {i + 1} of {groups})" for i in range(groups))


def filled_groups(
    names: Sequence[str], rows: NDArray[np.float64], least: float
) -> NDArray[np.int64]:
    """A label for every cell, 0 to the number of groups: cells under ``least`` share groups.

    Small cells are joined in the order of their hashes until a group holds ``least`` rows; what is
    left over joins the last group. Where all small cells together stay under ``least``, they take
    in the smallest other cells. Depends on names and ``rows`` only.
    """
    small = rows < least
    if not small.any():
        return np.arange(len(rows))
    hashed = [(hash_of(names[i]), names[i], i) for i in np.flatnonzero(small).tolist()]
    order = [i for _, _, i in sorted(hashed)]
    if rows[small].sum() < least:
        others = np.argsort(np.where(small, np.inf, rows), kind="stable").tolist()
        order += others[: len(rows) - len(order)]
    labels = np.full(len(rows), -1, dtype=np.int64)
    group, held, grouped = 0, 0.0, []
    for count in rows[order].tolist():
        grouped.append(group)
        held += count
        if held >= least:
            if count >= least:  # the first other cell that was taken in
                break
            group, held = group + 1, 0.0
    labels[order[: len(grouped)]] = grouped
    last = max(group - 1, 0)
    labels[labels > last] = last
    alone = np.flatnonzero(labels < 0)
    labels[alone] = last + 1 + np.arange(len(alone))
    return labels
