"""The distributions: how rows are drawn, unchanged or changed, and what is true of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
from scipy import special

Random = np.random.Generator
Floats = np.ndarray
TAIL = 1e-6  # of each side that the grid leaves out, where a distance cannot be at its largest
GRID = 200_001


@dataclass(frozen=True, slots=True)
class Law:
    """A distribution that can be changed by an amount; 0 is the reference.

    Parameters
    ----------
    name
        As in the tables.
    draw
        Rows of one column: generator, rows, amount.
    cdf
        Distribution function at points, by amount; None for categories and shares.
    points
        Where the largest distance is looked for: atoms, or a fine grid, as ``cdf`` takes them.
    change
        What the amount is, with the amount put in.
    """

    name: str
    draw: Callable[[Random, int, float], np.ndarray | pa.Array]
    cdf: Callable[[Floats, float], Floats] | None = None
    points: Floats | None = None
    change: str = ""

    def column(self, random: Random, rows: int, amount: float = 0.0) -> np.ndarray | pa.Array:
        """One column of independent rows."""
        return self.draw(random, rows, amount)


def _normal(mean: float, spread: float, name: str) -> Law:
    def draw(random: Random, rows: int, amount: float) -> np.ndarray:
        return random.normal(mean + amount * spread, spread, rows)

    def cdf(x: Floats, amount: float) -> Floats:
        return np.asarray(special.ndtr((x - mean) / spread - amount))

    grid = mean + spread * special.ndtri(np.linspace(TAIL, 1 - TAIL, GRID))
    return Law(name, draw, cdf, grid, "{:.4g} sigma")


def _lognormal(spread: float, start: float = 0.0) -> Law:
    def draw(random: Random, rows: int, amount: float) -> np.ndarray:
        return start + random.lognormal(amount * spread, spread, rows)

    def cdf(x: Floats, amount: float) -> Floats:
        return np.asarray(special.ndtr(x / spread - amount))

    # Points are logarithms, since sums with ``start`` would round them.
    grid = spread * special.ndtri(np.linspace(TAIL, 1 - TAIL, GRID))
    name = f"lognormal({spread:g})"
    if start:
        name = f"{start:,.0f} + {name}"
    return Law(name, draw, cdf, grid, "{:.4g} sigma of the logarithm")


def _student() -> Law:
    def draw(random: Random, rows: int, amount: float) -> np.ndarray:
        return random.standard_cauchy(rows) + amount

    def cdf(x: Floats, amount: float) -> Floats:
        return np.asarray(0.5 + np.arctan(x - amount) / np.pi)

    grid = np.tan(np.pi * (np.linspace(TAIL, 1 - TAIL, GRID) - 0.5))
    return Law("Student t(1)", draw, cdf, grid, "{:.4g} scales")


def _zeros(share: float) -> Law:
    """Zeros and an exponential law, whose scale grows by the factor exp(amount)."""

    def draw(random: Random, rows: int, amount: float) -> np.ndarray:
        drawn = random.exponential(np.exp(amount), rows)
        drawn[random.random(rows) < share] = 0.0
        return drawn

    def cdf(x: Floats, amount: float) -> Floats:
        return np.where(x < 0, 0.0, share - (1 - share) * np.expm1(-x * np.exp(-amount)))

    grid = -np.log1p(-np.linspace(0, 1 - TAIL, GRID))
    return Law(f"{share:.0%} zeros, exponential", draw, cdf, grid, "log of the scale + {:.4g}")


def _rounded() -> Law:
    """N(20, 1) to the next tenth."""

    def draw(random: Random, rows: int, amount: float) -> np.ndarray:
        return np.rint(random.normal(20 + amount, 1, rows) * 10) / 10

    def cdf(x: Floats, amount: float) -> Floats:
        return np.asarray(special.ndtr(x + 0.05 - 20 - amount))

    return Law("N(20, 1) to 0.1", draw, cdf, np.arange(130, 271) / 10, "{:.4g} sigma")


def _poisson(mean: float) -> Law:
    def draw(random: Random, rows: int, amount: float) -> np.ndarray:
        return random.poisson(mean * np.exp(amount), rows)

    def cdf(x: Floats, amount: float) -> Floats:
        return np.asarray(special.pdtr(x, mean * np.exp(amount)))

    return Law(f"Poisson({mean:g})", draw, cdf, np.arange(0.0, 60.0), "log of the mean + {:.4g}")


def _bimodal() -> Law:
    """Half N(-2, 0.5), half N(3, 1); both move."""

    def draw(random: Random, rows: int, amount: float) -> np.ndarray:
        drawn = random.normal(size=rows)
        left = random.random(rows) < 0.5
        return np.where(left, drawn * 0.5 - 2, drawn + 3) + amount

    def cdf(x: Floats, amount: float) -> Floats:
        moved = x - amount
        return np.asarray(special.ndtr((moved + 2) / 0.5) + special.ndtr(moved - 3)) / 2

    return Law("bimodal", draw, cdf, np.linspace(-7, 10, GRID), "both modes + {:.4g}")


def categories(weights: np.ndarray, name: str, changed: np.ndarray | None = None) -> Law:
    """Text values with these weights; those of ``changed`` once the amount is not 0."""
    both = [
        np.cumsum(each) / np.sum(each)
        for each in (weights, weights if changed is None else changed)
    ]
    names = pa.array([f"value {i}" for i in range(len(weights))])

    def draw(random: Random, rows: int, amount: float) -> pa.Array:
        codes = np.searchsorted(both[amount != 0], random.random(rows), "right").astype(np.int32)
        return pa.DictionaryArray.from_arrays(pa.array(codes), names)

    return Law(name, draw)


def zipf(values: int, exponent: float) -> np.ndarray:
    """Weights that fall by a power of the rank."""
    weights = np.arange(1.0, values + 1) ** -exponent
    return np.asarray(weights / weights.sum())


def geometric(values: int, ratio: float = 0.9) -> np.ndarray:
    """Weights that fall by a factor."""
    weights = ratio ** np.arange(values)
    return np.asarray(weights / weights.sum())


def two_values(share: float, changed: float = 0.0) -> Law:
    """A boolean that is true in this share of the rows."""

    def draw(random: Random, rows: int, amount: float) -> pa.Array:
        return pa.array(random.random(rows) < (changed if amount else share))

    return Law(f"two values, {100 * share:g} %", draw)


def nulls(share: float, changed: float = 0.0) -> Law:
    """N(0, 1) with this share of null rows."""

    def draw(random: Random, rows: int, amount: float) -> pa.Array:
        missing = random.random(rows) < (changed if amount else share)
        return pa.array(random.normal(size=rows), mask=missing)

    return Law(f"N(0, 1), {100 * share:g} % null", draw)


normal = partial(_normal, 0.0, 1.0, "N(0, 1)")

CONTINUOUS = (
    normal(),
    _normal(20.0, 1.0, "N(20, 1)"),
    _normal(100.0, 1.0, "N(100, 1)"),
    _lognormal(3.0),
    _lognormal(1.5, 10_000.0),
    _normal(1.7e9, 10.0, "1.7e9 +- 10"),
    _student(),
    _bimodal(),
)
STEPPED = (_zeros(0.7), _rounded(), _poisson(4.0))
COUNTED = (
    categories(geometric(40), "40 geometric categories"),
    categories(zipf(700, 1.1), "700 zipf categories"),
    two_values(0.01),
    two_values(0.001),
)
MISSING = (nulls(0.01), nulls(0.001))
LAWS = CONTINUOUS + STEPPED + COUNTED + MISSING
