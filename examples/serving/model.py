"""The model: made up payments, and a logistic regression that tells fraud from the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

COUNTRIES = ("AT", "CH", "DE", "FR", "IT", "NL", "PL", "US")
CHANNELS = ("app", "web", "phone")
# The features that are numbers, and what brings each of them near to one.
SCALES = {
    "amount": 100,
    "hour": 24,
    "account_days": 1_000,
    "payments_last_day": 1,
    "declined_last_day": 1,
    "distance_km": 100,
    "balance": 1_000,
    "limit_share": 1,
    "new_device": 1,
}

Columns = dict[str, NDArray[Any]]


def payments(rows: int, seed: int) -> tuple[Columns, NDArray[np.bool_]]:
    """So many payments, by column, and which of them are fraud: about one in forty."""
    random = np.random.default_rng(seed)
    columns: Columns = {
        "amount": np.round(random.lognormal(3.5, 1.1, rows), 2),
        "hour": random.binomial(23, 0.6, rows),
        "account_days": random.gamma(1.5, 400, rows).astype(int),
        "payments_last_day": random.poisson(1.2, rows),
        "declined_last_day": random.poisson(0.1, rows),
        "distance_km": np.round(random.exponential(40, rows), 1),
        "balance": np.round(random.normal(900, 600, rows), 2),
        "limit_share": np.round(random.beta(2, 5, rows), 4),
        "new_device": random.random(rows) < 0.08,
        "country": random.choice(COUNTRIES, rows, p=[0.1, 0.1, 0.4, 0.1, 0.1, 0.1, 0.05, 0.05]),
        "channel": random.choice(CHANNELS, rows, p=[0.6, 0.35, 0.05]),
    }
    logit = (
        -5.0
        + 0.004 * columns["amount"]
        + 0.01 * columns["distance_km"]
        + 1.5 * columns["declined_last_day"]
        + 1.8 * columns["new_device"]
        + 0.7 * (columns["country"] == "US")
        - 0.001 * columns["account_days"]
    )
    return columns, random.random(rows) < 1 / (1 + np.exp(-logit))


class Model:
    """Trained when it is made; what it was trained on is in ``training``."""

    def __init__(self, rows: int = 20_000, seed: int = 7) -> None:
        self.training, fraud = payments(rows, seed)
        numbers = np.column_stack([self.training[name] for name in SCALES]).astype(float)
        texts = zip(self.training["country"], self.training["channel"], strict=True)
        matrix = np.hstack([numbers / [*SCALES.values()], [_one_hot(*each) for each in texts]])
        self._regression = LogisticRegression(max_iter=1_000).fit(matrix, fraud)

    def score(self, payment: dict[str, Any]) -> float:
        """How likely one payment is fraud."""
        row = [payment[name] / scale for name, scale in SCALES.items()]
        row += _one_hot(payment["country"], payment["channel"])
        return float(self._regression.predict_proba([row])[0, 1])


def _one_hot(country: str, channel: str) -> list[bool]:
    return [country == each for each in COUNTRIES] + [channel == each for each in CHANNELS]
