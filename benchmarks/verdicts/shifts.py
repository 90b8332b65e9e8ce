"""The change of a law that makes a given Kolmogorov-Smirnov distance, from the law alone."""

from __future__ import annotations

import numpy as np
from scipy import optimize

from .laws import Law

MOST = 8.0  # no law here needs a larger amount for any distance that is asked of it


def distance(law: Law, amount: float) -> float:
    """The largest difference of the distribution functions with and without the change."""
    assert law.cdf is not None
    assert law.points is not None
    return float(np.abs(law.cdf(law.points, amount) - law.cdf(law.points, 0.0)).max())


def amount_of(law: Law, wanted: float) -> float:
    """The smallest amount whose distance is ``wanted``."""
    return float(
        optimize.brentq(lambda amount: distance(law, amount) - wanted, 0.0, MOST, xtol=1e-12)
    )
