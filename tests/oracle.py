"""Slow and obvious references on raw rows, by SciPy and NumPy. Imports nothing of ours."""

from __future__ import annotations

import bisect
import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from scipy import stats
from scipy.spatial import distance
from scipy.stats import contingency


def ks(a: np.ndarray, b: np.ndarray) -> float:
    """Two-sample Kolmogorov-Smirnov distance; integers of both sides are compared as integers."""
    with np.errstate(divide="ignore"):  # SciPy's p-value of two single rows
        return float(stats.ks_2samp(a, b, method="asymp").statistic)


def ks_mixed(a: np.ndarray, b: np.ndarray) -> float:
    """The same by exact arithmetic, for integers against floats beyond 2**53."""
    x, y = sorted(a.tolist()), sorted(b.tolist())
    return max(
        abs(bisect.bisect_right(x, v) / len(x) - bisect.bisect_right(y, v) / len(y)) for v in x + y
    )


def wasserstein(a: np.ndarray, b: np.ndarray) -> float:
    """First Wasserstein distance of finite values."""
    return float(stats.wasserstein_distance(a.astype(np.float64), b.astype(np.float64)))


def wasserstein_exact(a: np.ndarray, b: np.ndarray) -> float:
    """The same in whole numbers: also right where doubles cancel or overflow."""
    area = sum(abs(apart) * width for apart, width in _steps(a, b))
    try:
        return area / (len(a) * len(b) << _SHIFT)
    except OverflowError:
        return math.inf


def kuiper(a: np.ndarray, b: np.ndarray) -> float:
    """Kuiper's distance: both largest differences of the distribution functions."""
    apart = _differences(a, b)[1]
    return float(max(apart.max(), 0.0) + max((-apart).max(), 0.0))


def cramer_von_mises(a: np.ndarray, b: np.ndarray) -> float:
    """Mean of the squared difference before and after each value, over the rows of both sides."""
    before, after, rows = _differences(a, b)
    return float((rows * (before**2 + after**2) / 2).sum() / rows.sum())


def anderson_darling(a: np.ndarray, b: np.ndarray) -> float:
    """Scholz and Stephens' midrank statistic (their equation 7) over nm / (n + m)."""
    x, y = _ordered(a, b)
    n, m = len(x), len(y)
    total = n + m
    pooled = np.sort(np.concatenate([x, y]))
    values = np.unique(pooled)
    if len(values) < 2:
        return 0.0
    first = pooled.searchsorted(values, "left")
    tied = pooled.searchsorted(values, "right") - first
    middle = first + tied / 2
    found = 0.0
    for side in (x, y):
        right = side.searchsorted(values, "right")
        own = right - (right - side.searchsorted(values, "left")) / 2
        weight = middle * (total - middle) - total * tied / 4
        found += ((tied / total) * (total * own - middle * len(side)) ** 2 / weight).sum() / len(
            side
        )
    return float(found * (total - 1) / total / (n * m / total))


def mann_whitney(a: np.ndarray, b: np.ndarray) -> float:
    """P(X < Y) + P(X = Y) / 2."""
    x, y = _ordered(a, b)
    found = stats.mannwhitneyu(y, x, method="asymptotic").statistic
    return float(found) / (len(x) * len(y))


def energy(a: np.ndarray, b: np.ndarray) -> float:
    """Energy distance of finite values."""
    return float(stats.energy_distance(a.astype(np.float64), b.astype(np.float64)))


def energy_exact(a: np.ndarray, b: np.ndarray) -> float:
    """The same in whole numbers; the root of what no double holds is found in two steps."""
    area = 2 * sum(apart * apart * width for apart, width in _steps(a, b))
    rows = (len(a) * len(b)) ** 2 << _SHIFT
    shift = max(area.bit_length() - rows.bit_length() - 900, 0) // 2
    return math.sqrt(area / (rows << 2 * shift)) * 2.0**shift


def mean(a: np.ndarray) -> float:
    """Mean of doubles, summed exactly."""
    return math.fsum(a.tolist()) / len(a)


def variance(a: np.ndarray) -> float:
    """Variance of doubles with n - 1: two passes, the second of which corrects the first."""
    apart = (a - mean(a)).tolist()
    rest = math.fsum(apart)
    return (math.fsum(x * x for x in apart) - rest * rest / len(a)) / (len(a) - 1)


def quantile(a: np.ndarray, share: float) -> float:
    """The smallest value with ``ceil(share n)`` values up to it, as a Python number."""
    return sorted(a.tolist())[max(math.ceil(share * len(a)) - 1, 0)]


_SHIFT = 1_074  # a double times 2**1074 is a whole number


def _steps(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[int, int]]:
    """Difference of the shares between two values, times nm, and their distance, times 2**1074."""
    places = sorted({*a.tolist(), *b.tolist()})
    x, y = _ordered(a, b)
    counts = (np.bincount(side, minlength=len(places)).cumsum() for side in (x, y))
    n, m = len(a), len(b)
    apart = [int(first) * m - int(second) * n for first, second in zip(*counts, strict=True)]
    ratios = [value.as_integer_ratio() for value in places]
    whole = [(above << _SHIFT) // below for above, below in ratios]
    for place, (left, right) in enumerate(itertools.pairwise(whole)):
        yield apart[place], right - left


def _ordered(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both sides as their places in the order of all values, compared exactly."""
    if a.dtype == b.dtype:
        where = np.unique(np.concatenate([a, b]), return_inverse=True)[1]
        return np.sort(where[: len(a)]), np.sort(where[len(a) :])
    places = {value: place for place, value in enumerate(sorted({*a.tolist(), *b.tolist()}))}
    x, y = (np.sort([places[value] for value in side.tolist()]) for side in (a, b))
    return x, y


def _differences(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Differences of the shares below, and up to, each value, and both sides' rows that have it."""
    x, y = _ordered(a, b)
    values = np.arange(max(x[-1], y[-1]) + 1)
    below, upto = (
        x.searchsorted(values, end) / len(x) - y.searchsorted(values, end) / len(y)
        for end in ("left", "right")
    )
    rows = sum(
        side.searchsorted(values, "right") - side.searchsorted(values, "left") for side in (x, y)
    )
    return below, upto, rows


def counts_in(values: np.ndarray, edges: Sequence[float]) -> np.ndarray:
    """Rows in each cell ``edges[i] <= x < edges[i + 1]``, the last closed; compared exactly."""
    inner = list(edges)[1:-1]
    counts = np.zeros(len(inner) + 1, dtype=np.int64)
    for value, rows in Counter(values.tolist()).items():
        counts[bisect.bisect_right(inner, value)] += rows
    return counts


def counts_of(values: Iterable[object], categories: Sequence[object]) -> np.ndarray:
    """Rows of each category; ``(other)`` takes the rest."""
    counts = Counter(values)
    named = [counts[category] for category in categories if category != "(other)"]
    rest = sum(counts.values()) - sum(named)
    return np.array([*named, rest] if "(other)" in categories else named)


def psi(p: np.ndarray, q: np.ndarray) -> float:
    """Population stability index, half a row added to every cell."""
    x, y = (p + 0.5) / (p + 0.5).sum(), (q + 0.5) / (q + 0.5).sum()
    return float(((y - x) * np.log(y / x)).sum())


def jensen_shannon(p: np.ndarray, q: np.ndarray) -> float:
    """Jensen-Shannon distance, base 2, half a row added to every cell."""
    return float(distance.jensenshannon(p + 0.5, q + 0.5, base=2))


def kl_divergence(p: np.ndarray, q: np.ndarray) -> float:
    """Kullback-Leibler divergence of the second side from the first, half a row added to cells."""
    return float(stats.entropy(q + 0.5, p + 0.5))


def hellinger(p: np.ndarray, q: np.ndarray) -> float:
    """Hellinger distance of the plain shares."""
    roots = np.sqrt(p / p.sum()) - np.sqrt(q / q.sum())
    return float(np.linalg.norm(roots) / math.sqrt(2))


def bhattacharyya(p: np.ndarray, q: np.ndarray) -> float:
    """Bhattacharyya distance, half a row added to every cell."""
    x, y = (p + 0.5) / (p + 0.5).sum(), (q + 0.5) / (q + 0.5).sum()
    return float(-np.log(np.sqrt(x * y).sum()))


def overlap(p: np.ndarray, q: np.ndarray) -> float:
    """Overlap of the plain shares."""
    return float(np.minimum(p / p.sum(), q / q.sum()).sum())


def l_infinity(p: np.ndarray, q: np.ndarray) -> float:
    """Largest difference of the plain shares."""
    return float(np.abs(p / p.sum() - q / q.sum()).max())


def entropy_change(p: np.ndarray, q: np.ndarray) -> float:
    """Entropy of the second side less that of the first, in nats."""
    return float(stats.entropy(q) - stats.entropy(p))


def total_variation(p: np.ndarray, q: np.ndarray) -> float:
    """Total variation distance of the plain shares."""
    return float(np.abs(p / p.sum() - q / q.sum()).sum() / 2)


def chi2(p: np.ndarray, q: np.ndarray) -> tuple[float, float]:
    """Pearson's statistic and p-value of the table, without Yates' correction."""
    table = np.array([p, q])
    result = stats.chi2_contingency(table[:, table.sum(axis=0) > 0], correction=False)
    return float(result.statistic), float(result.pvalue)


def g_test(p: np.ndarray, q: np.ndarray) -> tuple[float, float]:
    """Likelihood-ratio statistic and p-value of the table, without corrections."""
    table = np.array([p, q])
    table = table[:, table.sum(axis=0) > 0]
    result = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
    return float(result.statistic), float(result.pvalue)


def cramers_v(p: np.ndarray, q: np.ndarray) -> float:
    """Cramer's V of the table."""
    table = np.array([p, q])
    return float(contingency.association(table[:, table.sum(axis=0) > 0], method="cramer"))


def frequent_texts(
    texts: Iterable[bytes | None], *, block: int = 65_536, capacity: int = 4_096, room: int = 2**19
) -> tuple[dict[bytes, int], int]:
    """Weighted Misra-Gries by its definition: counts after every block, and what was subtracted.

    Whole texts stand for their keys, which have at most 272 bytes.
    """
    present = [text for text in texts if text is not None]
    held: Counter[bytes] = Counter()
    error = 0
    for begin in range(0, len(present), block):
        held.update(present[begin : begin + block])
        needed = 0
        for place, (text, count) in enumerate(held.most_common()):
            needed += len(text) if len(text) <= 256 else 272
            if place >= capacity or needed > room:
                error += count
                held = Counter({key: n - count for key, n in held.items() if n > count})
                break
    return dict(held), error


def murmur(data: bytes, seed: int = 9001) -> tuple[int, int]:
    """MurmurHash3_x64_128 written from A. Appleby's public-domain description, for comparison."""
    mask = 2**64 - 1
    c1, c2 = 0x87C37B91114253D5, 0x4CF5AD432745937F

    def rotate(x: int, r: int) -> int:
        return (x << r | x >> (64 - r)) & mask

    def scramble(x: int) -> int:
        x = (x ^ x >> 33) * 0xFF51AFD7ED558CCD & mask
        x = (x ^ x >> 33) * 0xC4CEB9FE1A85EC53 & mask
        return x ^ x >> 33

    h1 = h2 = seed
    whole = len(data) // 16 * 16
    for at in range(0, whole, 16):
        k1 = int.from_bytes(data[at : at + 8], "little")
        k2 = int.from_bytes(data[at + 8 : at + 16], "little")
        h1 ^= rotate(k1 * c1 & mask, 31) * c2 & mask
        h1 = ((rotate(h1, 27) + h2) * 5 + 0x52DCE729) & mask
        h2 ^= rotate(k2 * c2 & mask, 33) * c1 & mask
        h2 = ((rotate(h2, 31) + h1) * 5 + 0x38495AB5) & mask
    tail = data[whole:]
    h2 ^= rotate(int.from_bytes(tail[8:], "little") * c2 & mask, 33) * c1 & mask
    h1 ^= rotate(int.from_bytes(tail[:8], "little") * c1 & mask, 31) * c2 & mask
    h1, h2 = h1 ^ len(data), h2 ^ len(data)
    h1 = (h1 + h2) & mask
    h2 = (h2 + h1) & mask
    h1, h2 = scramble(h1), scramble(h2)
    h1 = (h1 + h2) & mask
    return h1, (h2 + h1) & mask
