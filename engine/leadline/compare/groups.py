"""Groups of many light cells, formed by a hash of their names.

Which values share a group depends on their names alone, never on how often they occurred on one
side, so no group is chosen for its change: tests on groups stay valid.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .names import hash_of, hashes_of

_HALF = np.uint64(32)


def group_of(name: str, groups: int) -> int:
    """Number of a name's group, from 0: ``hash * groups / 2**64``, rounded down."""
    return (hash_of(name) * groups) >> 64


def groups_of(names: Sequence[str], groups: int) -> NDArray[np.int64]:
    """`group_of` every name, for fewer than 2**32 groups."""
    hashed, many = hashes_of(names), np.uint64(groups)
    low = (hashed & np.uint64(2**32 - 1)) * many >> _HALF
    return (((hashed >> _HALF) * many + low) >> _HALF).astype(np.int64)


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
    places = np.flatnonzero(small)
    hashed = hashes_of(names)[places]
    order = places[np.argsort(hashed, kind="stable")].tolist()
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
