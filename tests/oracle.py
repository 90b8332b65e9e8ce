"""Slow and obvious references on raw rows, by SciPy and NumPy. Imports nothing of ours."""

from __future__ import annotations

import bisect
import itertools
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np
from scipy import stats
from scipy.spatial import distance


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
    """The same in rational arithmetic: also right where doubles cancel or overflow."""
    x, y = (sorted(Fraction(v) for v in side.tolist()) for side in (a, b))
    points = sorted({*x, *y})
    area = Fraction(0)
    for left, right in itertools.pairwise(points):
        share = Fraction(bisect.bisect_right(x, left), len(x))
        area += abs(share - Fraction(bisect.bisect_right(y, left), len(y))) * (right - left)
    try:
        return float(area)
    except OverflowError:
        return math.inf


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


def total_variation(p: np.ndarray, q: np.ndarray) -> float:
    """Total variation distance of the plain shares."""
    return float(np.abs(p / p.sum() - q / q.sum()).sum() / 2)


def chi2(p: np.ndarray, q: np.ndarray) -> tuple[float, float]:
    """Pearson's statistic and p-value of the table, without Yates' correction."""
    table = np.array([p, q])
    result = stats.chi2_contingency(table[:, table.sum(axis=0) > 0], correction=False)
    return float(result.statistic), float(result.pvalue)
