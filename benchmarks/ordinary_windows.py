"""How often a window drawn like W others is called extraordinary by `history_p`.

``python -m benchmarks.ordinary_windows`` prints the table of docs/statistics.md, section 3.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy import stats

from leadline.compare.history import history_p

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
    draws = parser.parse_args().draws
    random = np.random.default_rng(3)
    print("| effects | windows | p <= 1 % | p <= 0.05 % |\n|---|--:|--:|--:|")
    for windows in (20, 50, 200):
        for name, law in LAWS.items():
            effects = law.rvs(size=(draws, windows + 1), random_state=random)
            p = np.array([history_p(row[-1], row[:-1]) for row in effects])
            shares = " | ".join(f"{np.mean(p <= level):.3%}" for level in LEVELS)
            print(f"| {name} | {windows} | {shares} |")


if __name__ == "__main__":
    main()
