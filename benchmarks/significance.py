"""How often tests and verdicts are wrong when nothing changed, and what they then still find.

    python benchmarks/significance.py [--repeats 2000]

Prints the tables of docs/statistics.md, section 6. Simulated from counts, seeded; a minute or two.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np

import leadline as ll
from leadline.compare.cells import Cells, Counts
from leadline.compare.contingency import chi2, g_test
from leadline.compare.judge import categories_evidence
from leadline.compare.significance import chi_square_p, kolmogorov_p, shares_z_p, two_shares_p
from leadline.compare.tally import Tallies, Tally
from leadline.compare.thresholds import Thresholds
from leadline.compare.verdict import judge

LEVELS = (0.05, 0.01, 0.001)
SEED = 20_131_201
THRESHOLD = 0.05


def zipf(categories: int) -> np.ndarray:
    weights = 1.0 / np.arange(1.0, categories + 1)
    return np.asarray(weights / weights.sum())


def shares_at(p_values: np.ndarray) -> str:
    return " | ".join(f"{(p_values <= level).mean():.2%}" for level in LEVELS)


def ks_rows(random: np.random.Generator, repeats: int) -> Iterator[str]:
    for n, m in ((100, 100), (150, 100), (100, 1_000), (1_000, 1_000)):
        steps = np.concatenate([np.full(n, 1 / n), np.full(m, -1 / m)])
        found = [
            kolmogorov_p(float(np.abs(np.cumsum(random.permutation(steps))).max()), n, m)
            for _ in range(10 * repeats)
        ]
        yield f"| ks | continuous | {n:,} | {m:,} | {shares_at(np.array(found))} |"


Draw = Callable[[np.random.Generator, int], np.ndarray]
NUMBERS: dict[str, Draw] = {
    "continuous": lambda random, rows: random.normal(0, 1, rows),
    "narrow, 1.7e9 +- 10": lambda random, rows: random.normal(1.7e9, 10, rows),
    "tied, rounded to 0.5": lambda random, rows: random.normal(0, 1, rows).round(1) // 0.5,
    "70 % zeros": lambda random, rows: np.where(
        random.random(rows) < 0.7, 0.0, random.exponential(5, rows)
    ),
    "99.5 % zeros": lambda random, rows: np.where(
        random.random(rows) < 0.995, 0.0, random.exponential(5, rows)
    ),
    "exponential": lambda random, rows: random.exponential(1, rows),
    "lognormal(3)": lambda random, rows: random.lognormal(0, 3, rows),
    "t(1)": lambda random, rows: random.standard_t(1, rows),
    "t(3)": lambda random, rows: random.standard_t(3, rows),
    "zipf(1.5)": lambda random, rows: np.minimum(random.zipf(1.5, rows), 10**6).astype(np.float64),
}
TESTS = (
    "ks",
    "kuiper",
    "cramer_von_mises",
    "anderson_darling",
    "mann_whitney",
    "welch_t",
    "variance_ratio",
)
SIZES = ((300, 300), (1_000, 1_000), (5_000, 5_000), (20_000, 1_000))
COLUMNS = 50  # columns of a pair of profiles: independent data, one call


def numbers_rows(random: np.random.Generator, repeats: int) -> Iterator[str]:
    """One line a test and a distribution: shares for each of the sizes, in their order."""
    for data, draw in NUMBERS.items():
        sizes = [p_values_of(draw, n, m, random, repeats) for n, m in SIZES]
        for name in TESTS:
            cells = [
                " / ".join(f"{100 * np.mean(found[name] <= level):.2f}" for found in sizes)
                for level in LEVELS
            ]
            yield f"| {name} | {data} | {' | '.join(cells)} |"


def p_values_of(
    draw: Draw, n: int, m: int, random: np.random.Generator, repeats: int
) -> dict[str, np.ndarray]:
    found: dict[str, list[float]] = {name: [] for name in TESTS}
    for _ in range(repeats // COLUMNS):
        sides = [
            ll.profile({str(i): draw(random, rows) for i in range(COLUMNS)}, threads=1)
            for rows in (n, m)
        ]
        for column in ll.compare(*sides):
            for name in TESTS:
                # Where no p-value is given, none is small.
                p_value = column[name].p_value
                found[name].append(1.0 if p_value is None else p_value)
    return {name: np.array(values) for name, values in found.items()}


def chi2_rows(random: np.random.Generator, repeats: int) -> Iterator[str]:
    populations = {
        "500 zipf categories": zipf(500),
        "100 even categories": np.full(100, 0.01),
        "300 even categories": np.full(300, 1 / 300),
        "3,000 even categories": np.full(3_000, 1 / 3_000),
        "4, one of 0.05 %": np.array([0.5, 0.4, 0.0995, 0.0005]),
    }
    for name, population in populations.items():
        for n, m in ((1_000, 1_000), (10_000, 1_000), (200_000, 1_000)):
            ours, plain, ratio = [], [], []
            for _ in range(repeats):
                a, b = (random.multinomial(rows, population) for rows in (n, m))
                cells = table(a, b)
                found = chi2(cells)
                assert found.null_value is not None
                ours.append(found.p_value)
                ratio.append(g_test(cells).p_value)
                plain.append(chi_square_p(found.value, int(found.null_value)))
            yield f"| chi2 | {name} | {n:,} | {m:,} | {shares_at(np.array(ours))} |"
            yield f"| g_test | {name} | {n:,} | {m:,} | {shares_at(np.array(ratio))} |"
            yield f"| chi2, plain pooling | {name} | {n:,} | {m:,} | {shares_at(np.array(plain))} |"


def table(a: np.ndarray, b: np.ndarray) -> Cells:
    held = (a + b) > 0
    names = tuple(str(i) for i in np.flatnonzero(held))
    sides = [Counts.exact(x[held], int(x.sum())) for x in (a, b)]
    return Cells(sides[0], sides[1], categories=names)


def shares_rows(random: np.random.Generator, repeats: int) -> Iterator[str]:
    for share, n, m in ((0.01, 100_000, 1_000), (0.01, 100_000, 2_000), (0.1, 1_000, 1_000)):
        drawn = Counter(
            zip(
                random.binomial(n, share, 100 * repeats).tolist(),
                random.binomial(m, share, 100 * repeats).tolist(),
                strict=True,
            )
        )
        times = np.array(list(drawn.values()))
        ours = np.repeat([two_shares_p(x, n, y, m)[0] for x, y in drawn], times)
        skewed = np.repeat([shares_z_p(x, n, y, m) for x, y in drawn], times)
        normal = np.repeat([z_or_one(x, n, y, m) for x, y in drawn], times)
        yield f"| two shares | {share:.0%} | {n:,} | {m:,} | {shares_at(ours)} |"
        yield f"| z_test | {share:.0%} | {n:,} | {m:,} | {shares_at(skewed)} |"
        yield f"| z where cells hold 10 | {share:.0%} | {n:,} | {m:,} | {shares_at(normal)} |"


def z_or_one(x: int, n: int, y: int, m: int) -> float:
    """P-value of the pooled z test; 1 where a cell holds under 10."""
    if min(x, y, n - x, m - y) < 10:
        return 1.0
    pooled = (x + y) / (n + m)
    z = abs(x / n - y / m) / math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return math.erfc(z / math.sqrt(2))


def changes() -> Iterator[tuple[str, np.ndarray, np.ndarray, tuple[tuple[int, int], ...]]]:
    """Populations of both sides with the rows to draw from them."""
    many, even = zipf(500), np.full(300, 1 / 300)
    signs = np.where(np.arange(500) % 2, 1, -1)
    zipf_rows = ((1_000, 1_000), (3_000, 3_000), (10_000, 10_000))
    yield "500 zipf: none", many, many, zipf_rows
    first = np.eye(500)[0]
    yield "500 zipf: first value + 10 points", many, many * 0.9 + 0.1 * first, zipf_rows
    yield "500 zipf: all values by 30 %", many, many * (1 + 0.3 * signs), zipf_rows
    yield "500 zipf: all values by 60 %", many, many * (1 + 0.6 * signs), zipf_rows
    even_rows = ((200_000, 1_000), (10_000, 10_000), (200_000, 200_000))
    halves = np.where(np.arange(300) < 150, 1.9, 0.1)
    yield "300 even: none", even, even, even_rows
    yield (
        "300 even: first value to 60 %",
        even,
        even * (120 / 299) + 0.6 * np.eye(300)[0],
        even_rows,
    )
    yield "300 even: half x 1.9, half x 0.1", even, even * halves, even_rows
    for share in (0.5, 0.48, 0.47, 0.4):
        half, other = (np.append(x, np.full(3_000, (1 - x) / 3_000)) for x in (0.5, share))
        yield f"one at 50 %, 3,000 rare: to {share:.0%}", half, other, ((10_000, 10_000),)


def verdict_rows(random: np.random.Generator, repeats: int) -> Iterator[str]:
    for name, population, weights, sizes in changes():
        current = weights / weights.sum()
        distance = np.abs(current - population).sum() / 2
        for n, m in sizes:
            found: Counter[str] = Counter()
            effects = []
            for _ in range(repeats // 5):
                a, b = random.multinomial(n, population), random.multinomial(m, current)
                told, effect = verdict(tally(a), tally(b))
                found[told] += 1
                effects.append(effect)
            total = sum(found.values())
            shares = " | ".join(f"{found[v] / total:.0%}" for v in ("drift", "possible", "none"))
            mean = float(np.mean(effects))
            yield f"| {name} | {distance:.3f} | {n:,} | {m:,} | {mean:.3f} | {shares} |"


def tally(counts: np.ndarray) -> Tally:
    held = {str(i).encode(): int(count) for i, count in enumerate(counts) if count}
    return Tally.of(held, int(counts.sum()))


def verdict(a: Tally, b: Tally) -> tuple[str, float]:
    given = categories_evidence(Tallies.of(a, b), THRESHOLD, Thresholds().significance)
    judgement = judge(given, given.p_value, Thresholds())
    assert judgement.effect is not None
    return judgement.verdict.value, judgement.effect.value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=2_000)
    repeats = parser.parse_args().repeats
    random = np.random.default_rng(SEED)
    print(
        "| test | data | n | m | p <= 5 % | p <= 1 % | p <= 0.1 % |\n|---|---|--:|--:|--:|--:|--:|"
    )
    for rows in (ks_rows, chi2_rows, shares_rows):
        for row in rows(random, repeats):
            print(row, flush=True)
    sizes = " / ".join(f"{n:,} + {m:,}" for n, m in SIZES)
    print(f"\n{sizes} rows, %:\n\n| test | data | p <= 5 % | p <= 1 % | p <= 0.1 % |")
    print("|---|---|---|---|---|")
    for row in numbers_rows(random, repeats):
        print(row, flush=True)
    print("\n| change | total variation | n | m | mean effect | drift | possible | none |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for row in verdict_rows(np.random.default_rng(SEED + 1), repeats):
        print(row, flush=True)


if __name__ == "__main__":
    main()
