"""Measure the error of the quantile sketch and of the split inside histogram buckets.

    python benchmarks/quantile_error.py [--seeds 20] [--rows 1000000] [--k 768] [--mean]

Every line is one distribution, whole or as 100 merged parts: the worst error over all seeds and
all values, as a share of the rows, and beside it what the sketch promises at 1 - 1e-6. `alone` is
the rank error without a histogram, `split` that of c_lo + c_b * share inside a bucket, `bound` what
a band of both promises: min(c_b, split_error * n). The last column counts broken promises.

With `--mean` the mean of the split's error over rows in place of its worst: over all rows, the
lower half, the upper half and the middle half of them, as another side's rows may lie. `deviation`
is the root mean square over seeds and halves, `most` the largest, both as shares of the rows like
`split_error`, of which `allowed` is what statistics of ranks take for it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from leadline import _native
from leadline._native import Storage
from leadline.compare.ranks import MEAN_ERROR
from leadline.sketch.histogram import HistogramBuilder, coarseness_of
from leadline.sketch.keys import from_keys, to_keys
from leadline.sketch.quantiles import DEFAULT_K, Quantiles, QuantilesBuilder
from leadline.sketch.scratch import BLOCK, UNIT_ROWS, Scratch

Make = Callable[[np.random.Generator, int], np.ndarray]


def one_outlier(random: np.random.Generator, n: int) -> np.ndarray:
    values = random.normal(20, 1, n)
    values[n // 2] = 1e300
    return values


def over_many_octaves(random: np.random.Generator, n: int) -> np.ndarray:
    """Most values in a few octaves, so that they are sampled; the others coarsen the histogram."""
    tail = np.exp2(random.uniform(-900, 900, n))
    return np.where(random.random(n) < 0.9, random.normal(0, 1, n), tail)


def alternating(random: np.random.Generator, n: int) -> np.ndarray:
    """Blocks of 65,536 values that come from two places in turn."""
    return random.normal(100, 1, n) + 10.0 * (np.arange(n) // BLOCK % 2)


DISTRIBUTIONS: dict[str, Make] = {
    "N(0, 1)": lambda random, n: random.normal(size=n),
    "lognormal(0, 3)": lambda random, n: random.lognormal(0, 3, n),
    "uniform(0, 1)": lambda random, n: random.random(n),
    "log-uniform, 60 octaves": lambda random, n: np.exp2(random.uniform(-30, 30, n)),
    "N(20, 1)": lambda random, n: random.normal(20, 1, n),
    "N(100, 1)": lambda random, n: random.normal(100, 1, n),
    "1.7e9 +- 10": lambda random, n: random.normal(1.7e9, 10, n),
    "70 % zeros, exponential": lambda random, n: np.where(
        random.random(n) < 0.7, 0.0, random.exponential(size=n)
    ),
    "N(20, 1) rounded to 0.1": lambda random, n: random.normal(20, 1, n).round(1),
    "one constant": lambda _, n: np.full(n, 3.25),
    "sorted N(100, 1)": lambda random, n: np.sort(random.normal(100, 1, n)),
    "reversed N(100, 1)": lambda random, n: np.sort(random.normal(100, 1, n))[::-1].copy(),
    "alternating blocks": alternating,
    "90 % N(0, 1), 1,800 octaves": over_many_octaves,
    "Student t(1)": lambda random, n: random.standard_t(1, n),
    "N(20, 1), one 1e300": one_outlier,
}


def sketch_of(values: np.ndarray, seed: int, k: int, scratch: Scratch) -> Quantiles:
    """As a scan builds it: blocks into units, units merged in order."""
    whole = Quantiles.empty(Storage.FLOAT64, k)
    for unit in range(0, len(values), UNIT_ROWS):
        histogram = HistogramBuilder(scratch)
        builder = QuantilesBuilder(k, seed, Storage.FLOAT64, scratch)
        seen = 0
        for begin in range(unit, min(unit + UNIT_ROWS, len(values)), BLOCK):
            block = values[begin : min(begin + BLOCK, unit + UNIT_ROWS)].view(np.uint64)
            seen += len(block)
            histogram.add(block, Storage.FLOAT64)
            builder.add(block, histogram.heaviest() / seen)
        histogram.finish()
        whole = whole.merge(builder.finish(), seed)
    return whole


@dataclass
class Worst:
    """Worst errors so far, as shares of the rows."""

    alone: float = 0.0
    rank_error: float = 0.0
    split: float = 0.0
    bound: float = 0.0
    split_error: float = 0.0
    height: int = 0
    items: int = 0
    broken: int = 0

    def see(self, values: np.ndarray, sketch: Quantiles) -> None:
        """Compare every rank that the sketch gives with the true one."""
        n = len(values)
        keys = np.sort(to_keys(values.view(np.uint64), Storage.FLOAT64))
        points, first, counts = np.unique(keys, return_index=True, return_counts=True)
        items, weights = sketch.sorted_weights()
        total = np.concatenate([[0], np.cumsum(weights.astype(np.int64))])
        error = max(
            np.abs(total[np.searchsorted(items, points, "left")] - first).max(),
            np.abs(total[np.searchsorted(items, points, "right")] - first - counts).max(),
        )
        self.alone = max(self.alone, float(error) / n)
        self.rank_error = max(self.rank_error, sketch.rank_error)
        buckets, coarseness = buckets_of(points)
        promise = sketch.split_error_at(coarseness)
        split, inside = self._split(
            buckets,
            first,
            counts,
            total[
                [np.searchsorted(items, points, "left"), np.searchsorted(items, points, "right")]
            ],
        )
        bound = np.minimum(inside, promise * n)
        at = int(np.argmax(split))
        if split[at] / n > self.split:
            self.split, self.bound = float(split[at]) / n, float(bound[at]) / n
        self.split_error = max(self.split_error, promise)
        self.height, self.items = max(self.height, sketch.height), max(self.items, len(items))
        self.broken += int(error > sketch.rank_error * n + 1e-9)
        self.broken += int((split > bound + 1e-6).any())

    @staticmethod
    def _split(
        buckets: np.ndarray, first: np.ndarray, counts: np.ndarray, ranks: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Worst error in rows and exact count of every bucket that holds items of the sketch.

        ``ranks``: the sketch's weight below, and up to, every distinct value.
        """
        begins = np.flatnonzero(np.concatenate([[True], buckets[1:] != buckets[:-1]]))
        ends = np.append(begins[1:], len(buckets))
        inside = np.add.reduceat(counts, begins)
        low, weight = ranks[0, begins], ranks[1, ends - 1] - ranks[0, begins]
        scale = np.repeat(inside / np.maximum(weight, 1), ends - begins)
        below, low = np.repeat(first[begins], ends - begins), np.repeat(low, ends - begins)
        true = np.stack([first, first + counts])
        error = np.abs(scale * (ranks - low) - (true - below)).max(axis=0)
        return np.where(weight > 0, np.maximum.reduceat(error, begins), 0), inside


def mean_errors(values: np.ndarray, sketch: Quantiles) -> tuple[list[float], float]:
    """Mean error of splits over four choices of rows, and `split_error`; buckets that need one."""
    n = len(values)
    points, first, counts = np.unique(
        np.sort(to_keys(values.view(np.uint64), Storage.FLOAT64)),
        return_index=True,
        return_counts=True,
    )
    items, weights = sketch.sorted_weights()
    total = np.concatenate([[0], np.cumsum(weights.astype(np.int64))])
    ranks = np.stack([total[np.searchsorted(items, points, end)] for end in ("left", "right")])
    buckets, coarseness = buckets_of(points)
    promise = sketch.split_error_at(coarseness)
    begins = np.flatnonzero(np.concatenate([[True], buckets[1:] != buckets[:-1]]))
    sizes = np.diff(np.append(begins, len(buckets)))
    inside = np.repeat(np.add.reduceat(counts, begins), sizes)
    low = np.repeat(ranks[0, begins], sizes)
    weight = np.repeat(ranks[1, np.cumsum(sizes) - 1], sizes) - low
    heavy = (inside > promise * n) & (weight > 0)
    middle = ranks.mean(axis=0) - low
    true = first + counts / 2 - np.repeat(first[begins], sizes)
    error = np.where(heavy, inside / np.maximum(weight, 1) * middle - true, 0.0)
    place = (first + counts / 2) / n
    found = []
    for start, end in ((0.0, 1.0), (0.0, 0.5), (0.5, 1.0), (0.25, 0.75)):
        rows = np.where((start <= place) & (place <= end), counts, 0)
        found.append(float((error * rows).sum() / max(rows.sum(), 1)) / n)
    return found, promise


def mean_line(name: str, parts: int, errors: list[float], promise: float) -> str:
    deviation, most = float(np.sqrt(np.mean(np.square(errors)))), max(map(abs, errors))
    allowed = MEAN_ERROR * promise
    shares = " | ".join(f"{100 * x:.4f} %" for x in (deviation, most, allowed, promise))
    return f"| {name} | {parts} | {shares} |"


def buckets_of(points: np.ndarray) -> tuple[np.ndarray, int]:
    """Histogram bucket of every ordered key, and how often the histogram is coarsened."""
    raw = from_keys(points, Storage.FLOAT64).view(np.uint64)
    buckets = _native.histogram_index(raw, Storage.FLOAT64)
    coarseness = coarseness_of(len(np.unique(buckets // _native.HISTOGRAM_PAGE)))
    return buckets >> np.uint32(coarseness), coarseness


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--k", type=int, default=DEFAULT_K)
    parser.add_argument("--mean", action="store_true")
    options = parser.parse_args()
    scratch = Scratch()
    if options.mean:
        print("| distribution | parts | deviation | most | allowed | split_error |")
        print("|---|--:|--:|--:|--:|--:|")
    columns = ("alone", "promise", "split", "bound", "split_error", "1/2^h", "items", "broken")
    if not options.mean:
        print(f"| distribution | parts | {' | '.join(columns)} |")
        print("|---|--:|" + "--:|" * len(columns))
    for name, make in DISTRIBUTIONS.items():
        for parts in (1, 100):
            worst, errors, promise = Worst(), [], 0.0
            for seed in range(options.seeds):
                values = make(np.random.default_rng(seed), options.rows)
                sketch = Quantiles.empty(Storage.FLOAT64, options.k)
                for part in np.array_split(values, parts):
                    sketch = sketch.merge(sketch_of(part, seed, options.k, scratch), seed)
                if not options.mean:
                    worst.see(values, sketch)
                    continue
                found, promise = mean_errors(values, sketch)
                errors += found
            if options.mean:
                print(mean_line(name, parts, errors, promise), flush=True)
                continue
            figures = (worst.alone, worst.rank_error, worst.split, worst.bound, worst.split_error)
            shares = " | ".join(f"{100 * figure:.3f} %" for figure in figures)
            kept = f"1/{1 << worst.height}"
            print(
                f"| {name} | {parts} | {shares} | {kept} | {worst.items} | {worst.broken} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
