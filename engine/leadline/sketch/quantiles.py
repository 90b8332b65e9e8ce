"""KLL quantile sketch over ordered keys, in the byte layout of Apache DataSketches.

A sketch is a list of levels; an item of level ``h`` stands for ``2**h`` values. It answers what a
histogram cannot: where values lie inside one heavy bucket, for any distribution. Blocks of values
are sorted and enter whole, so there are few compactions; the measured errors are in
``docs/quantiles-evidence.md``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .._native import Storage
from .._native import quantiles as kernels
from .._native.sketches import QuantilesArrays
from ..errors import ComparisonError, InputError
from . import quantiles_bytes
from .keys import from_keys, to_keys
from .scratch import BLOCK, Scratch

# DataSketches' fit of the 99 % rank error, 2.296 / k**0.9723 (its kll_sketch_impl.hpp) ...
RANK_FACTOR, RANK_POWER = 2.296, 0.9723
# ... and what takes it to a confidence of 1 - 1e-6: our own compactions stay at half of that.
CONFIDENCE_FACTOR = 1.7
# Standard deviations of a normal error at 1 - 1e-6, both sides.
DEVIATIONS = 4.8916

# The smallest multiple of K_STEP whose bound stays below 0.7 % with the sampler's share: 0.64 %.
# 2,048 items, every 32nd of a block of 65,536, fit into its capacity of 2,286.
DEFAULT_K = 768
MAX_K = 65_535
K_STEP = 256

# Sampling may cost a bucket's split this much (twice its standard deviation, as a share of the
# rows), and never more than a third of what compaction costs.
SAMPLER_ERROR = 0.001 / 1.3
SAMPLER_SHARE = 1 / 3
MAX_HEIGHT = 8

_WORD = (1 << 64) - 1


def _compaction_error(k: int) -> float:
    return float(CONFIDENCE_FACTOR * RANK_FACTOR / k**RANK_POWER)


def _sampler_error(k: int) -> float:
    return min(SAMPLER_ERROR, SAMPLER_SHARE * _compaction_error(k) / (DEVIATIONS / 2))


@cache
def sampler_variance(k: int) -> float:
    """Largest share of the rows, squared, that sampling may cost; see `QuantilesBuilder.add`."""
    return _sampler_error(k) ** 2


def _split_error(k: int, coarseness: int) -> float:
    sampling = DEVIATIONS / 2 * _sampler_error(k) * math.sqrt(2.0**coarseness)
    return math.hypot(_compaction_error(k), sampling)


@cache
def k_for_rank_error(rank_error: float) -> int:
    """Smallest multiple of 256 whose error bound, sampler included, is at most ``rank_error``.

    Parameters
    ----------
    rank_error
        Normalised rank error at confidence 1 - 1e-6, between 0.0001 and 0.5.

    Raises
    ------
    InputError
        If no sketch can promise that.

    Examples
    --------
    >>> k_for_rank_error(0.007)
    768
    """
    if rank_error <= 0.5:
        for k in range(K_STEP, MAX_K, K_STEP):
            if _split_error(k, 0) <= rank_error:
                return k
    raise InputError(f"rank_error is {rank_error!r}; it must be between 0.0001 and 0.5")


@dataclass(frozen=True, slots=True, eq=False)
class Quantiles:
    """State of one sketch.

    Parameters
    ----------
    storage
        What the keys stand for.
    k
        Size parameter, 8 to 65,535.
    count
        Number of values.
    minimum, maximum
        Keys of the extreme values; 0 while empty.
    levels
        Level ``h`` is ``items[levels[h]:levels[h + 1]]``; uint32, one longer than the levels.
    items
        Ordered keys (uint64), every level ascending.
    height
        Largest sampling height that entered: at most one of ``2**height`` values was kept.
    """

    storage: Storage
    k: int
    count: int
    minimum: int
    maximum: int
    levels: NDArray[np.uint32]
    items: NDArray[np.uint64]
    height: int = 0

    def __post_init__(self) -> None:
        self.levels.flags.writeable = False
        self.items.flags.writeable = False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantiles) and (
            (self.storage, self.k, self.count, self.minimum, self.maximum, self.height)
            == (other.storage, other.k, other.count, other.minimum, other.maximum, other.height)
            and np.array_equal(self.levels, other.levels)
            and np.array_equal(self.items, other.items)
        )

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def empty(cls, storage: Storage, k: int = DEFAULT_K) -> Quantiles:
        """A sketch of no values."""
        nothing = np.zeros(0, dtype=np.uint64)
        return cls(storage, k, 0, 0, 0, np.zeros(1, dtype=np.uint32), nothing)

    @property
    def nbytes(self) -> int:
        """Bytes of state held."""
        return 48 + self.levels.nbytes + self.items.nbytes

    @property
    def rank_error(self) -> float:
        """Bound of the sketch's own normalised rank error, at confidence 1 - 1e-6.

        1.7 times DataSketches' 99 % bound, 2.296 / k**0.9723; where values were sampled, widened
        by the sampler, whose variance is at most ``count * 2**height / 4``. 0 while every value is
        held. Beside a histogram, use `split_error` instead: it does not grow with the height.
        """
        if self.items.size == self.count:
            return 0.0
        sampling = 0.0
        if self.height:
            sampling = DEVIATIONS / 2 * math.sqrt(2.0**self.height / self.count)
        return min(1.0, math.hypot(_compaction_error(self.k), sampling))

    @property
    def split_error(self) -> float:
        """Bound of the error of splitting a histogram bucket, normalised, confidence 1 - 1e-6.

        One-line recipe: inside a bucket [lo, hi) with exact counts c_lo below and c_b inside, the
        rank of x is ``c_lo + c_b * share``, share = weight of the sketch's items in [lo, x) over
        that in [lo, hi); its error is at most ``min(c_b, split_error * n)`` rows, sampled or not.
        (A bucket without items has the bound c_b.) For a histogram coarsened ``d`` times see
        `split_error_at`.
        """
        return self.split_error_at(0)

    def split_error_at(self, coarseness: int) -> float:
        """`split_error` for buckets of a histogram that was coarsened: twice as wide each time."""
        if self.items.size == self.count:
            return 0.0
        if self.height == 0:
            return _compaction_error(self.k)
        return _split_error(self.k, coarseness)

    def weights(self) -> NDArray[np.uint64]:
        """How many values each item stands for, in the order of ``items``."""
        if len(self.levels) == 2:  # each item stands for itself
            return np.ones(self.items.size, dtype=np.uint64)
        heights = np.arange(len(self.levels) - 1, dtype=np.uint64)
        return np.repeat(np.uint64(1) << heights, np.diff(self.levels))

    def sorted_weights(self) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """All items in ascending order and how many values each stands for."""
        if len(self.levels) == 2:
            return self.items, self.weights()
        order = np.argsort(self.items, kind="stable")
        return self.items[order], self.weights()[order]

    def merge(self, other: Quantiles, seed: int) -> Quantiles:
        """The sketch of both sides' values; the same from either side.

        Parameters
        ----------
        other
            A sketch of the same storage; the smaller ``k`` of the two is kept.
        seed
            Hashed with both sides' items into the bits that compaction needs.

        Raises
        ------
        ComparisonError
            If the storages differ.
        """
        if self.storage is not other.storage:
            raise ComparisonError(
                f"quantiles of {self.storage.name} and {other.storage.name} cannot be merged"
            )
        k = min(self.k, other.k)
        filled = [side for side in (self, other) if side.count]
        if len(filled) < 2 and all(side.k == k for side in filled):
            return filled[0] if filled else replace(self, k=k)
        levels, items = kernels.quantiles_merge(
            k, seed & _WORD, self.levels, self.items, other.levels, other.items
        )
        return Quantiles(
            self.storage,
            k,
            self.count + other.count,
            min(side.minimum for side in filled),
            max(side.maximum for side in filled),
            levels,
            items,
            max(self.height, other.height),
        )

    def as_float(self) -> Quantiles:
        """The same sketch over doubles; integers beyond 2**53 move to the nearest double."""
        if self.storage is Storage.FLOAT64:
            return self
        keys = np.concatenate([np.array([self.minimum, self.maximum], np.uint64), self.items])
        doubles = from_keys(keys, self.storage).astype(np.float64)
        if self.count == 0:
            doubles = np.zeros(2)
        keys = to_keys(doubles.view(np.uint64), Storage.FLOAT64)
        ends = (int(keys[0]), int(keys[1])) if self.count else (0, 0)
        return replace(
            self,
            storage=Storage.FLOAT64,
            minimum=ends[0],
            maximum=ends[1],
            items=keys[2:].copy(),
        )

    def arrays(self) -> QuantilesArrays:
        """What the kernels take."""
        return QuantilesArrays(
            self.storage,
            self.k,
            self.height,
            self.count,
            self.minimum,
            self.maximum,
            self.levels,
            self.items,
        )

    def to_bytes(self) -> bytes:
        """The sketch in DataSketches' compact layout, items in their own 8 bytes each.

        For FLOAT64 this is a DataSketches sketch of doubles. The sampling height is kept in byte
        7, which DataSketches leaves unused.
        """
        return kernels.quantiles_bytes(*self.arrays())

    @classmethod
    def from_bytes(cls, data: bytes, storage: Storage) -> Quantiles:
        """The sketch that `to_bytes` wrote, everything checked.

        Raises
        ------
        SnapshotError
            If the bytes are no sketch, or contradict themselves.
        """
        return cls(*quantiles_bytes.decode(data, storage))

    def to_datasketches(self) -> bytes:
        """A DataSketches KLL sketch of doubles; integers beyond 2**53 lose their last digits."""
        return self.as_float().to_bytes()

    @classmethod
    def from_datasketches(cls, data: bytes, storage: Storage = Storage.FLOAT64) -> Quantiles:
        """Read a DataSketches KLL sketch of doubles, everything checked.

        Raises
        ------
        SnapshotError
            If the bytes are no such sketch, contradict themselves, or hold numbers that the
            integer storage asked for cannot hold.
        """
        return cls(*quantiles_bytes.from_doubles(data, storage))


class QuantilesBuilder:
    """Builds the sketch of one cell from blocks of values.

    Blocks are combined pairwise like the digits of a binary counter, so that each value takes
    part in few compactions.

    Parameters
    ----------
    k
        Size parameter.
    seed
        From the column's name; the data of each block is hashed into it.
    storage
        What the blocks hold.
    scratch
        Work memory of the calling thread.
    """

    def __init__(self, k: int, seed: int, storage: Storage, scratch: Scratch) -> None:
        self._k, self._seed, self._storage, self._scratch = k, seed & _WORD, storage, scratch
        self._parts: list[tuple[int, Quantiles]] = []

    def add(self, values: NDArray[np.uint64], heaviest_share: float = 1.0) -> None:
        """Take a block of at most 65,536 values.

        Parameters
        ----------
        values
            Raw 8 bytes of each value, no NaN.
        heaviest_share
            Share of all values so far that lies in the heaviest histogram bucket, zero's own
            excepted; 1 keeps every value (needed where no histogram stands beside the sketch).
        """
        if not len(values):
            return
        height = _sampling_height(len(values), heaviest_share, self._k)
        sort = self._scratch.sort
        levels, items, minimum, maximum = kernels.quantiles_block(
            values, self._storage, height, self._k, self._seed, sort[:BLOCK], sort[BLOCK:]
        )
        part = Quantiles(
            self._storage, self._k, len(values), minimum, maximum, levels, items, height
        )
        order = 0
        while self._parts and self._parts[-1][0] == order:
            part = self._parts.pop()[1].merge(part, self._seed)
            order += 1
        self._parts.append((order, part))

    def finish(self) -> Quantiles:
        """The sketch of everything added; the builder is empty afterwards."""
        result = Quantiles.empty(self._storage, self._k)
        while self._parts:
            result = self._parts.pop()[1].merge(result, self._seed)
        return result


def _sampling_height(count: int, heaviest_share: float, k: int) -> int:
    """How many times halving the sample keeps its error below the sampler's share."""
    if heaviest_share <= 0:
        return 0  # nothing but zeros and infinities, each counted on its own
    halvings = math.frexp(sampler_variance(k) * count / heaviest_share)[1] - 1
    return max(0, min(MAX_HEIGHT, halvings))


def weighted_quantiles(
    keys: NDArray[np.uint64], counts: NDArray[np.uint64], storage: Storage, k: int, seed: int
) -> Quantiles:
    """The sketch of distinct values with counts.

    Parameters
    ----------
    keys
        Ascending distinct ordered keys.
    counts
        How often each occurs, above 0, 2**60 together at most.
    storage, k, seed
        As for `QuantilesBuilder`.

    Examples
    --------
    >>> keys = to_keys(np.array([7], dtype=np.uint64), Storage.INT64)
    >>> weighted_quantiles(keys, np.array([1024], dtype=np.uint64), Storage.INT64, 768, 1).weights()
    array([1024], dtype=uint64)
    """
    if not len(keys):
        return Quantiles.empty(storage, k)
    levels, items = kernels.quantiles_weighted(keys, counts, k, seed & _WORD)
    return Quantiles(storage, k, int(counts.sum()), int(keys[0]), int(keys[-1]), levels, items)
