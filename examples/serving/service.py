"""A service that scores payments, and logs every request to a Leadline monitor.

uvicorn --app-dir examples/serving service:app --workers 2
"""

from __future__ import annotations

import os

from fastapi import FastAPI, Request
from model import Model
from pydantic import BaseModel

import leadline as ll
from leadline.serve.asgi import MonitorMiddleware

model = Model()
monitor = ll.Monitor(
    "fraud",
    os.environ.get("PROFILES", "profiles"),
    every="1m",
    roles={"score": "score", "fraud": "prediction", "latency_seconds": "latency"},
)


class Payment(BaseModel):
    """What is known of a payment when it has to be decided on."""

    amount: float
    hour: int
    account_days: int
    payments_last_day: int
    declined_last_day: int
    distance_km: float
    balance: float
    limit_share: float
    new_device: bool
    country: str
    channel: str


class Decision(BaseModel):
    """What the service answers."""

    score: float
    fraud: bool


def build(monitor: ll.Monitor | None) -> FastAPI:
    """The application; without a monitor, nothing is logged."""
    app = FastAPI(title="Fraud")
    if monitor is not None:
        app.add_middleware(MonitorMiddleware, monitor=monitor, skip=("/health",))

    @app.post("/score")
    async def score(payment: Payment, request: Request) -> Decision:
        features = payment.model_dump()
        decision = Decision(score=(found := model.score(features)), fraud=found > 0.1)
        if monitor is not None:
            request.scope["leadline"].update(features, score=decision.score, fraud=decision.fraud)
        return decision

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/monitor")
    async def status() -> dict[str, object]:
        """Of the worker that happens to answer."""
        return {} if monitor is None else monitor.status().to_dict()

    return app


app = build(monitor)
