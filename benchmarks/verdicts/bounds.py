"""How far a share of so many trials is to be trusted."""

from __future__ import annotations

from dataclasses import dataclass

from scipy import special

LEVEL = 0.99


def clopper_pearson(count: int, trials: int, level: float = LEVEL) -> tuple[float, float]:
    """Exact two-sided interval of a share (Clopper and Pearson 1934).

    >>> [round(bound, 4) for bound in clopper_pearson(0, 1_000, 0.95)]
    [0.0, 0.0037]
    """
    tail = (1 - level) / 2
    low = float(special.betaincinv(count, trials - count + 1, tail)) if count else 0.0
    high = float(special.betaincinv(count + 1, trials - count, 1 - tail)) if count < trials else 1.0
    return low, high


@dataclass(frozen=True, slots=True)
class Share:
    """A count of trials, printed with its 99 % interval."""

    count: int
    trials: int

    @property
    def value(self) -> float:
        """The share itself."""
        return self.count / self.trials

    @property
    def bounds(self) -> tuple[float, float]:
        """Its interval."""
        return clopper_pearson(self.count, self.trials)

    def at_most(self, promise: float) -> bool:
        """Whether the count does not refute that the true share is at most ``promise``."""
        return self.bounds[0] <= promise

    def surely_at_most(self, promise: float) -> bool:
        """Whether the count shows that the true share is at most ``promise``."""
        return self.bounds[1] <= promise

    def surely_at_least(self, promise: float) -> bool:
        """Whether the count shows that the true share is at least ``promise``."""
        return self.bounds[0] >= promise

    def __str__(self) -> str:
        low, high = self.bounds
        return f"{percent(self.value)} ({percent(low)} to {percent(high)})"


def percent(share: float) -> str:
    """Two significant digits from a tenth of a per cent on, without a sign.

    >>> percent(0.00042), percent(0.0), percent(0.993), percent(1.0)
    ('.042', '0', '99.3', '100')
    """
    if share in (0.0, 1.0):
        return f"{share:.0%}".removesuffix("%")
    points = 100 * share
    digits = 3 if points < 1 else 2 if points < 10 else 1
    digits = max(digits, 2) if points > 99 else digits
    return f"{points:.{digits}f}".rstrip("0").rstrip(".").lstrip("0") or "0"
