"""The example service under real servers: every request is in the files of its workers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("sklearn")

import serving

# The middleware's file is in the worker class of uvicorn, which says that it moves to a package.
WORKER = ("--worker-class", "uvicorn.workers.UvicornWorker")
SERVERS = {
    "uvicorn on asyncio": (*serving.UVICORN, "--loop", "asyncio", "service:app"),
    "uvicorn on uvloop": (*serving.UVICORN, "--loop", "uvloop", "service:app"),
    "uvicorn, two workers": (*serving.UVICORN, "--workers", "2", "service:app"),
    "gunicorn": (*serving.GUNICORN, *WORKER, "--workers", "2", "service:app"),
    "gunicorn, preloaded": (
        *(*serving.GUNICORN, *WORKER, "--workers", "2"),
        *("--preload", "service:app"),
    ),
}
CONNECTIONS, REQUESTS = 8, 25


def payment(number: int) -> dict[str, object]:
    return {
        "amount": float(number),
        "hour": number % 24,
        "account_days": 400,
        "payments_last_day": 1,
        "declined_last_day": number % 3,
        "distance_km": 2.5,
        "balance": 750.0,
        "limit_share": 0.125,
        "new_device": number % 2 == 0,
        "country": ["DE", "FR", "US"][number % 3],
        "channel": "app",
    }


def ask(server: serving.Server, connection: int) -> list[float]:
    """The scores of some good requests, after a bad one and two that are not there."""
    with server.client() as client:
        assert client.post("/score", json={"amount": "much"}).status_code == 422
        assert client.get(f"/{connection}").status_code == 404
        assert client.get("/health").json() == {"status": "ok"}
        first = connection * REQUESTS
        answers = [
            client.post("/score", json=payment(number)) for number in range(first, first + REQUESTS)
        ]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.json()["score"] for answer in answers]


@pytest.mark.parametrize("command", SERVERS.values(), ids=SERVERS)
def test_every_request_is_counted_once(command: tuple[str, ...], tmp_path: Path) -> None:
    with (
        serving.Server(command, serving.EXAMPLE, PROFILES=str(tmp_path)) as server,
        ThreadPoolExecutor(CONNECTIONS) as threads,
    ):
        found = [
            score
            for scores in threads.map(lambda each: ask(server, each), range(CONNECTIONS))
            for score in scores
        ]
        assert server.end() == ""
    profile = serving.profile_of(tmp_path)
    good, all_requests = CONNECTIONS * REQUESTS, CONNECTIONS * (REQUESTS + 2)
    assert profile.rows == all_requests
    # The numbers of the requests are whole, so their sum is exact: none was lost or counted twice.
    assert profile["amount"].rows - profile["amount"].nulls == good
    assert profile["amount"].mean * good == pytest.approx(good * (good - 1) / 2, abs=1e-6)
    assert (profile["amount"].min, profile["amount"].max) == (0.0, good - 1.0)
    assert profile["score"].mean == pytest.approx(float(np.mean(found)), rel=1e-12)
    assert dict(profile["country"].top) == {"DE": 67, "FR": 67, "US": 66}
    assert profile["http_status"].min == 200
    assert profile["http_status"].mean * all_requests == pytest.approx(
        200 * good + (422 + 404) * CONNECTIONS
    )
    assert dict(profile["http_route"].top) == {"/score": good + CONNECTIONS}
    assert profile["latency_seconds"].nulls == 0
    assert 0 < profile["latency_seconds"].min < profile["latency_seconds"].max < 60
    assert profile["error"].nulls == all_requests
