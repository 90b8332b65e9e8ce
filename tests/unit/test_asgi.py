"""The middleware: one row a request, whatever the application does, and nothing else changes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from leadline.serve.asgi import App, Message, MonitorMiddleware, Receive, Scope, Send


class Noted:
    """In place of a monitor: what was logged, and how often everything was to be written."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.flushes = 0

    def log(self, row: dict[str, Any]) -> None:
        self.rows.append(dict(row))

    def flush(self) -> bool:
        self.flushes += 1
        return True


def http(path: str = "/") -> Scope:
    return {"type": "http", "method": "GET", "path": path, "headers": []}


async def answer(send: Send, status: int = 200, parts: int = 1, pause: float = 0.0) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    for part in range(parts):
        await asyncio.sleep(pause)
        await send({"type": "http.response.body", "body": b"x", "more_body": part < parts - 1})


def call(app: App, scope: Scope, *incoming: Message) -> list[Message]:
    """What the application sends when it is called once."""
    waiting, sent = list(incoming), []

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent


@pytest.fixture
def noted() -> Noted:
    return Noted()


Wrap = Callable[[App], App]


@pytest.fixture
def wrap(noted: Noted) -> Wrap:
    return lambda app: MonitorMiddleware(app, noted, skip=("/health",))  # type: ignore[arg-type]


def test_a_request_is_one_row(wrap: Wrap, noted: Noted) -> None:
    class Route:
        path = "/items/{id}"

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = Route()
        scope["leadline"]["score"] = 0.25
        scope["state"]["leadline"].update(country="DE")
        await answer(send, 201)

    sent = call(wrap(app), http("/items/7"))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    (row,) = noted.rows
    assert 0 < row.pop("latency_seconds") < 1
    assert row == {
        "score": 0.25,
        "country": "DE",
        "http_status": 201,
        "http_route": "/items/{id}",
        "error": None,
    }


def test_the_state_of_the_server_is_kept(wrap: Wrap) -> None:
    seen = {}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.update(scope["state"])
        await answer(send)

    call(wrap(app), http() | {"state": {"pool": 1}})
    assert seen["pool"] == 1


def test_an_exception_goes_on_and_is_noted(wrap: Wrap, noted: Noted) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["leadline"]["score"] = 0.5
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone"):
        call(wrap(app), http())
    (row,) = noted.rows
    assert (row["http_status"], row["error"], row["score"]) == (500, "KeyError", 0.5)


def test_a_status_that_was_sent_stays(wrap: Wrap, noted: Noted) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 206, "headers": []})
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 (no text)
        call(wrap(app), http())
    assert (noted.rows[0]["http_status"], noted.rows[0]["error"]) == (206, "OSError")


def test_a_cancelled_request_has_no_status(wrap: Wrap, noted: Noted) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        call(wrap(app), http())
    assert (noted.rows[0]["http_status"], noted.rows[0]["error"]) == (None, "CancelledError")


def test_a_client_that_went_away(wrap: Wrap, noted: Noted) -> None:
    """The server's ``send`` raises; the row says which status was meant to be sent before."""

    async def broken(message: Message) -> None:
        raise BrokenPipeError

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    with pytest.raises(BrokenPipeError):
        asyncio.run(wrap(app)(http(), receive, broken))
    assert noted.rows[0]["error"] == "BrokenPipeError"


def test_latency_is_until_the_last_part_and_not_of_what_runs_afterwards(
    wrap: Wrap, noted: Noted
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, parts=3, pause=0.02)
        time.sleep(0.2)
        scope["leadline"]["after"] = True

    call(wrap(app), http())
    assert 0.06 <= noted.rows[0]["latency_seconds"] < 0.2
    assert noted.rows[0]["after"]


def test_an_answer_that_never_came(wrap: Wrap, noted: Noted) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        pass

    assert call(wrap(app), http()) == []
    assert noted.rows[0]["http_status"] is None
    assert noted.rows[0]["latency_seconds"] > 0


def test_what_is_skipped_and_what_is_no_request(wrap: Wrap, noted: Noted) -> None:
    seen = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(("leadline" in scope, send))

    async def receive() -> Message:
        return {}

    async def send(message: Message) -> None:
        pass

    asyncio.run(wrap(app)(http("/health"), receive, send))
    asyncio.run(wrap(app)({"type": "websocket", "path": "/"}, receive, send))
    assert seen == [(False, send), (False, send)]
    assert noted.rows == []


UP, DOWN = {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}
DONE = [{"type": "lifespan.startup.complete"}, {"type": "lifespan.shutdown.complete"}]


def test_the_end_of_the_application_writes(wrap: Wrap, noted: Noted) -> None:
    flushed_before_end = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(DONE[0])
        await receive()
        flushed_before_end.append(noted.flushes)
        await send(DONE[1])

    assert call(wrap(app), {"type": "lifespan"}, UP, DOWN) == DONE
    assert (flushed_before_end, noted.flushes) == ([0], 1)


def test_a_failed_end_writes_too(wrap: Wrap, noted: Noted) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.shutdown.failed", "message": "no"})

    call(wrap(app), {"type": "lifespan"}, DOWN)
    assert noted.flushes == 1


def test_an_application_that_knows_no_end(wrap: Wrap, noted: Noted) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError(f"{scope['type']} is not known here")

    assert call(wrap(app), {"type": "lifespan"}, UP, DOWN) == DONE
    assert noted.flushes == 1


def test_an_application_that_fails_to_start_still_fails(wrap: Wrap, noted: Noted) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        raise ValueError("no database")

    with pytest.raises(ValueError, match="no database"):
        call(wrap(app), {"type": "lifespan"}, UP)
    assert noted.flushes == 0
