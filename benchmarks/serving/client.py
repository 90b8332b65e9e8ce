"""A closed loop of connections in one thread that only waits for sockets.

Every connection sends a request, waits for the answer, and sends the next one after a pause, as
callers of a service do. Latency is from the send to the last byte of the answer.
"""

from __future__ import annotations

import json
import random
import select
import socket
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"
# `epoll` waits whole milliseconds; the rest is spent asking again.
_COARSE = 0.0015


def request(path: str, body: object | None = None) -> bytes:
    """One request as it goes over the wire."""
    data = b"" if body is None else json.dumps(body).encode()
    method = "GET" if body is None else "POST"
    head = f"{method} {path} HTTP/1.1\r\nhost: service\r\ncontent-type: application/json\r\n"
    return head.encode() + b"content-length: %d\r\n\r\n" % len(data) + data


class _Connection:
    __slots__ = ("due", "got", "sent", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.got = b""
        self.sent = self.due = 0.0

    def ask(self, data: bytes) -> bytes:
        """Send one request and wait for the body of the answer."""
        self.socket.sendall(data)
        while (body := self.read()) is None:
            pass
        return body

    def read(self) -> bytes | None:
        """The body of the answer once all of it is there."""
        part = self.socket.recv(65_536)
        if not part:
            raise ConnectionError("the service closed a connection")
        self.got += part
        head, found, rest = self.got.partition(_END_OF_HEAD)
        if not found:
            return None
        start = head.lower().index(_LENGTH) + len(_LENGTH)
        if len(rest) < int(head[start:].split(b"\r\n", 1)[0]):
            return None
        if not head.startswith(b"HTTP/1.1 200"):
            raise ConnectionError(f"the service answered {self.got!r}")
        self.got = b""
        return rest


class Client:
    """Some connections to one service.

    Parameters
    ----------
    port
        Where it listens.
    connections
        How many callers there are.
    requests
        What they send, in turn.
    """

    def __init__(self, port: int, connections: int, requests: Sequence[bytes]) -> None:
        self._requests = requests
        self._connections = [_Connection(port) for _ in range(connections)]

    def ask(self, path: str) -> dict[str, Any]:
        """One request besides the load."""
        found: dict[str, Any] = json.loads(self._connections[0].ask(request(path)))
        return found

    def load(self, seconds: float, rate: float, seed: int) -> NDArray[np.float64]:
        """Latencies in seconds of all requests sent in so many seconds.

        Parameters
        ----------
        rate
            Requests a second of all connections together; infinite for as many as are answered.
        seed
            Of the pauses, which are uniform between half and three halves of their mean.
        """
        pauses = random.Random(seed)
        period = len(self._connections) / rate
        poll = select.epoll()
        begin = time.perf_counter()
        end = begin + seconds
        idle, busy = set(self._connections), dict[int, _Connection]()
        for each in self._connections:
            poll.register(each.socket, select.EPOLLIN)
            each.due = begin + pauses.random() * period
        found: list[float] = []
        number = 0
        while busy or time.perf_counter() < end:
            now = time.perf_counter()
            for each in [each for each in idle if each.due <= now < end]:
                idle.remove(each)
                busy[each.socket.fileno()] = each
                each.due = now + period * pauses.uniform(0.5, 1.5)
                each.sent = time.perf_counter()
                each.socket.sendall(self._requests[number % len(self._requests)])
                number += 1
            wait = min((each.due for each in idle), default=end) - time.perf_counter()
            for descriptor, _ in poll.poll(wait - _COARSE if wait > _COARSE else 0):
                each = busy[descriptor]
                if each.read() is not None:
                    found.append(time.perf_counter() - each.sent)
                    idle.add(busy.pop(descriptor))
        poll.close()
        return np.array(found)
