"""A real S3 API on the loopback (moto's server), which tells its requests and can fail."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import pytest

BUCKET = "archive"
_Environment = dict[str, Any]
_Start = Callable[..., Any]
_Application = Callable[[_Environment, _Start], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the server saw it."""

    method: str
    path: str
    query: dict[str, str]
    first: int | None
    last: int | None

    @property
    def lists(self) -> bool:
        """Whether it asks for keys."""
        return self.method == "GET" and "list-type" in self.query

    @property
    def size(self) -> int:
        """Bytes asked for; only of ranges."""
        assert self.first is not None
        assert self.last is not None
        return self.last - self.first + 1


@dataclass(slots=True)
class ObjectStore:
    """The server: its address, what was asked of it, and how it is to misbehave.

    Parameters
    ----------
    application
        The S3 API.
    intrude
        Called before every request; what it returns is answered in place of the API: a status and
        a body.
    """

    application: _Application
    requests: list[Request] = field(default_factory=list)
    intrude: Callable[[Request], tuple[str, bytes] | None] | None = None
    url: str = ""

    def __call__(self, environment: _Environment, start: _Start) -> Iterable[bytes]:
        asked = environment.get("HTTP_RANGE", "").removeprefix("bytes=").split("-")
        first, last = map(int, asked) if len(asked) == 2 and all(asked) else (None, None)
        request = Request(
            environment["REQUEST_METHOD"],
            environment["PATH_INFO"].encode("latin-1").decode(),
            dict(parse_qsl(environment.get("QUERY_STRING", ""), keep_blank_values=True)),
            first,
            last,
        )
        self.requests.append(request)
        answer = self.intrude(request) if self.intrude is not None else None
        if answer is None:
            return self.application(environment, start)
        status, body = answer
        start(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [body]

    def put(self, key: str, data: bytes) -> None:
        """Store an object."""
        from fsspec import filesystem

        filesystem("s3").call_s3("put_object", Bucket=BUCKET, Key=key, Body=data)

    def gets(self, key: str) -> list[Request]:
        """The requests for bytes of an object."""
        path = f"/{BUCKET}/{key}"
        return [each for each in self.requests if each.method == "GET" and each.path == path]


def error_of(code: str, message: str = "on purpose") -> bytes:
    """The body of a refusal."""
    return f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """Run the server with an empty bucket; s3:// leads to it meanwhile."""
    from fsspec import filesystem
    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from s3fs import S3FileSystem
    from werkzeug.serving import make_server

    store = ObjectStore(DomainDispatcherApplication(create_backend_app))
    quiet = type("QuietHandler", (MotoRequestHandler,), {"log": lambda *_: None})
    server = make_server("127.0.0.1", 0, store, threaded=True, request_handler=quiet)
    store.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", store.url)
        patch.setenv("AWS_ACCESS_KEY_ID", "a-key")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        S3FileSystem.clear_instance_cache()
        try:
            filesystem("s3").mkdir(BUCKET)
            yield store
        finally:
            S3FileSystem.clear_instance_cache()
            server.shutdown()
            server.server_close()
            thread.join()
