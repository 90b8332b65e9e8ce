"""Web services: an ASGI middleware that logs one row a request.

It knows the protocol only, so it works below FastAPI, Starlette, Django, Litestar and plain
functions, and needs none of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, MutableMapping
from time import perf_counter
from typing import Any

from .monitor import Monitor
from .timed import ERROR, LATENCY

STATUS = "http_status"
ROUTE = "http_route"
# Under this name the row of a request is in its scope, and in `request.state` of Starlette.
ROW = "leadline"

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class MonitorMiddleware:
    """Logs one row for every HTTP request; what the endpoint knows of it, it puts into that row.

    The row is a dict, ``scope["leadline"]``, in Starlette and FastAPI ``request.scope["leadline"]``
    or ``request.state.leadline``: ``request.scope["leadline"].update(features, score=0.03)``. When
    the request has ended, four columns join it:

    - ``latency_seconds``: from the call of the application to the last part of its answer. Tasks
      that run after the answer are not in it, but the row is logged when they are done;
    - ``http_status``: of the answer; 500 if the application raised before it had begun one;
    - ``http_route``: the template, such as ``/items/{id}``, where the framework tells it, else
      null. Never the path itself, of which there may be any number;
    - ``error``: the class of the exception that left the application, or null.

    When the server shuts down, what was logged is written: servers often end by a signal, after
    which nothing else runs. Web sockets pass unseen.

    Parameters
    ----------
    app
        The application below.
    monitor
        Where rows are logged.
    skip
        Paths that are not logged, such as ``/health``.

    Examples
    --------
    >>> import leadline as ll
    >>> from leadline.serve.asgi import MonitorMiddleware
    >>> async def app(scope, receive, send):
    ...     scope["leadline"]["score"] = 0.25
    >>> app = MonitorMiddleware(app, ll.Monitor("fraud"))
    """

    __slots__ = ("_app", "_monitor", "_skip")

    def __init__(self, app: App, monitor: Monitor, *, skip: Collection[str] = ()) -> None:
        self._app = app
        self._monitor = monitor
        self._skip = frozenset(skip)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application, and log the request if it is one."""
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        if scope["type"] != "http" or scope.get("path") in self._skip:
            await self._app(scope, receive, send)
            return
        row: dict[str, Any] = {}
        scope[ROW] = scope.setdefault("state", {})[ROW] = row
        status: int | None = None
        error: str | None = None
        end = 0.0

        async def watched(message: Message) -> None:
            nonlocal status, end
            await send(message)
            end = perf_counter()
            if status is None:
                status = message.get("status")

        begin = perf_counter()
        try:
            await self._app(scope, receive, watched)
        except BaseException as raised:
            error, end = type(raised).__name__, perf_counter()
            if status is None and isinstance(raised, Exception):
                status = 500  # what the server answers for it; not if the task was cancelled
            raise
        finally:
            row[LATENCY] = (end or perf_counter()) - begin
            row[STATUS] = status
            # Frameworks note it in the very scope that they were given.
            row[ROUTE] = getattr(scope.get("route"), "path", None)
            row[ERROR] = error
            self._monitor.log(row)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = False

        async def noted() -> Message:
            nonlocal asked
            asked = True
            return await receive()

        async def watched(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown."):
                self._monitor.flush()
            await send(message)

        try:
            await self._app(scope, noted, watched)
        except Exception:
            # An application that does not know this part of the protocol, such as Django's, raises
            # at once; one that has begun may have failed.
            if asked:
                raise
            while (message := await receive())["type"] != "lifespan.shutdown":
                await send({"type": f"{message['type']}.complete"})
            await watched({"type": "lifespan.shutdown.complete"})
