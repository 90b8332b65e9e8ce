"""The example service, of which the application with the monitor or the one without answers.

Both live in one process, so that whatever differs between two processes (where memory lies, the
seed of hashes) cannot look like the cost of the monitor. What the monitor does in the background
for the requests of one turn is done before the turn ends: it is told to write all of it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module

from leadline.serve.asgi import App, Receive, Scope, Send

from ..environments import ROOT

sys.path.insert(0, str(ROOT / "examples" / "serving"))
service = import_module("service")
ARMS: dict[str, App] = {"on": service.app, "off": service.build(None)}
_arm = "off"

if "CORE" in os.environ:
    os.sched_setaffinity(0, {int(os.environ["CORE"])})


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """The application whose turn it is; ``/turn/on`` and ``/turn/off`` end a turn."""
    global _arm  # noqa: PLW0603
    if scope["type"] == "lifespan":
        await ARMS["on"](scope, receive, send)
    elif scope["path"].startswith("/turn/"):
        service.monitor.flush()
        _arm = scope["path"].rpartition("/")[2]
        await _tell(send)
    else:
        await ARMS[_arm](scope, receive, send)


async def _tell(send: Send) -> None:
    status = service.monitor.status()
    said = json.dumps(
        {
            "cpu": time.process_time_ns(),
            "accepted": status.accepted,
            "saved": status.saved,
            "dropped": status.dropped,
            "errors": sum(status.errors.values()),
        }
    ).encode()
    headers = [(b"content-length", b"%d" % len(said))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": said})
