"""Whether the values of raw rows lie in the intervals of a comparison's statistics."""

from __future__ import annotations

import math

import numpy as np

import oracle
from leadline.compare import ColumnComparison

RANKED = ("kuiper", "cramer_von_mises", "anderson_darling", "mann_whitney")
BINNED = (
    "psi",
    "jensen_shannon",
    "kl_divergence",
    "hellinger",
    "bhattacharyya",
    "total_variation",
    "overlap",
    "l_infinity",
)


def check(column: ColumnComparison, a: np.ndarray, b: np.ndarray) -> None:
    """Every numeric statistic against the raw values (no NaN)."""
    huge = any(
        side.dtype.kind != "f" and np.abs(side.astype(float)).max() > 2**53 for side in (a, b)
    )
    mixed = huge and a.dtype != b.dtype
    inside(column, "ks", oracle.ks_mixed(a, b) if mixed else oracle.ks(a, b))
    if all(np.isfinite(side).all() for side in (a, b)):
        inside(column, "wasserstein", oracle.wasserstein_exact(a, b))
        inside(column, "energy", oracle.energy_exact(a, b))
        moments(column, a, b)
    for name in RANKED:
        inside(column, name, getattr(oracle, name)(a, b))
    for share in (0.05, 0.25, 0.5, 0.75, 0.95):
        before, after = (oracle.quantile(side, share) for side in (a, b))
        inside(column, f"shift_p{100 * share:.0f}", 0.0 if before == after else after - before)
    p, q = (oracle.counts_in(side, column.psi.edges) for side in (a, b))
    for name in BINNED:
        inside(column, name, getattr(oracle, name)(p, q))
    for name in column.statistics:
        found = column[name]
        if math.isnan(found.value):
            assert found.note, name
            continue
        assert found.lower <= found.value <= found.upper, name
        assert found.ci_lower is None or found.ci_lower <= found.lower, name
        assert found.ci_upper is None or found.ci_upper >= found.upper, name
        assert found.p_value is None or 0 <= found.p_value <= 1, name


def moments(column: ColumnComparison, a: np.ndarray, b: np.ndarray) -> None:
    """Statistics of means and variances, where doubles hold them."""
    x, y = a.astype(np.float64), b.astype(np.float64)
    if min(len(x), len(y)) < 2 or max(np.abs(x).max(), np.abs(y).max()) > 1e150:
        return
    with np.errstate(all="ignore"):
        first, second = oracle.variance(x), oracle.variance(y)
    if first > 1e-290 and second > 1e-290:
        shift = oracle.mean(y) - oracle.mean(x)
        inside(column, "variance_ratio", second / first)
        inside(column, "welch_t", shift / math.sqrt(first / len(x) + second / len(y)))
        pooled = ((len(x) - 1) * first + (len(y) - 1) * second) / (len(x) + len(y) - 2)
        inside(column, "cohens_d", shift / math.sqrt(pooled))


def inside(column: ColumnComparison, name: str, true: float) -> None:
    found = column[name]
    assert found.lower <= true <= found.upper, (name, found, true)
