"""How often a window drawn like W others is called extraordinary by `history_p`.

``python -m benchmarks.ordinary_windows`` prints the figures of docs/statistics.md, section 3, and
with ``--sketched 500`` those of windows that rest on sketches, from values and from lower ends.
"""

from __future__ import annotations

import argparse

import numpy as np
import pyarrow as pa
from scipy import stats

import leadline as ll
from leadline.compare.history import History, history_p

LEVELS = (0.01, 0.0005)
LAWS = {
    "half-normal": stats.halfnorm(),
    "Kolmogorov": stats.kstwobign(),
    "exponential": stats.expon(),
    "lognormal(0.5)": stats.lognorm(0.5),
    "lognormal(1)": stats.lognorm(1.0),
    "Pareto(3)": stats.lomax(3),
}


def main() -> None:
    """Print one row a law and number of windows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=100_000)
    parser.add_argument("--sketched", type=int, default=0, metavar="REPEATS")
    given = parser.parse_args()
    if given.sketched:
        _sketched(given.sketched)
        return
    draws = given.draws
    random = np.random.default_rng(3)
    print("| effects | windows | p <= 1 % | p <= 0.05 % |\n|---|--:|--:|--:|")
    for windows in (20, 50, 200):
        for name, law in LAWS.items():
            effects = law.rvs(size=(draws, windows + 1), random_state=random)
            p = np.array([history_p(row[-1], row[:-1]) for row in effects])
            shares = " | ".join(f"{np.mean(p <= level):.3%}" for level in LEVELS)
            print(f"| {name} | {windows} | {shares} |")


def _sketched(repeats: int, windows: int = 25, rows: int = 4_000) -> None:
    """Print how often windows of 1.7e9 +- 10 are extraordinary, unchanged and shifted."""
    random = np.random.default_rng(1)
    seconds = np.repeat(np.arange(windows), rows) * 86_400 + np.tile(np.arange(rows), windows)
    times = pa.array(seconds, pa.timestamp("s"))
    levels = (0.05, *LEVELS)
    heads = " | ".join(f"p <= {100 * level:g} %" for level in levels)
    print(f"| days differ by | shift | from | {heads} |\n|--:|--:|---|--:|--:|--:|")
    for spread, shifts in ((0.0, (0.0, 0.1)), (0.1, (0.0, 0.3))):
        found: dict[tuple[float, str], list[float]] = {}
        for _ in range(repeats):
            levels_of_days = random.normal(0, spread, (windows, 1))
            values = 1.7e9 + 10 * (random.normal(0, 1, (windows, rows)) + levels_of_days)
            table = pa.table({"t": times, "x": values.ravel()})
            reference = ll.profile(table, time="t", every="1d")
            past = History.of(reference).columns["x"].values
            for shift in shifts:
                own = random.normal(0, 1, rows) + random.normal(0, spread) + shift
                current = ll.profile({"x": 1.7e9 + 10 * own})
                ks = ll.compare(reference, current, calibrate=False)["x"].ks
                found.setdefault((shift, "lower end"), []).append(history_p(ks.lower, past))
                found.setdefault((shift, "value"), []).append(history_p(ks.value, past))
        for (shift, end), p in found.items():
            shares = " | ".join(f"{np.mean(np.array(p) <= level):.1%}" for level in levels)
            print(f"| {spread} | {shift} | {end} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
