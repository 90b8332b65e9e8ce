"""Monitors as metrics of Prometheus: a collector for prometheus_client, and what serves a scrape.

`Exporter` works in any registry, with whatever serves that registry. ``asgi_app``, ``wsgi_app``,
``start_server`` and ``scrape`` serve a registry too, other collectors of it included, and are
faster: 8,000 samples of 1,000 fields take prometheus_client 80 ms to write, with the interpreter's
lock held, and are joined here from what was written when the window was closed. They also offer
native histograms.
"""

from __future__ import annotations

import gzip
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics_latest
from prometheus_client.registry import REGISTRY

from ..errors import InputError
from . import protobuf
from .exposition import Format, accepted, document, number
from .latency import BOUNDS, Latencies, bounds_of
from .metrics import FAMILIES, QUANTILES, Choice, Family, Sample, pause
from .observed import Observed

if TYPE_CHECKING:
    from .monitor import Monitor

# Smaller answers are sent as they are.
_WORTH_COMPRESSING = 4_096


class Exporter:
    """The metrics of all monitors of a process, as a collector of prometheus_client.

    One a registry: `Monitor.export` finds or makes it. A later monitor of the same name takes the
    place of the earlier one.
    """

    def __init__(self) -> None:
        self._observed: dict[str, Observed] = {}

    def add(
        self,
        monitor: Monitor,
        *,
        fields: Sequence[str] | None = None,
        quantiles: Sequence[float] = QUANTILES,
        more: Sequence[str] = (),
        bounds: Sequence[float] | None = None,
        rest: Callable[[], None] = pause,
    ) -> None:
        """Export a monitor from now on.

        Parameters
        ----------
        fields, quantiles, more
            See `Choice`.
        bounds
            Upper bounds of the classic buckets of durations, in seconds.
        rest
            Called between pieces of work in the background.

        Raises
        ------
        InputError
            If an option cannot be used.
        """
        choice = Choice(None if fields is None else frozenset(fields), tuple(quantiles), more)
        buckets = BOUNDS if bounds is None else bounds_of(bounds)
        self.remove(monitor)
        self._observed[monitor.name] = Observed(monitor, choice, buckets, rest)

    def remove(self, monitor: Monitor) -> None:
        """Export a monitor no longer."""
        observed = self._observed.pop(monitor.name, None)
        if observed is not None:
            observed.monitor.ignore(observed)

    def observed(self) -> list[Observed]:
        """What is exported, one a monitor."""
        return list(self._observed.values())

    def describe(self) -> Iterator[Metric]:
        """The names of all metrics, for the registry."""
        return (_metric(family) for family in FAMILIES)

    def collect(self) -> Iterator[Metric]:
        """All metrics at this moment; for a registry."""
        exporters = getattr(_gathering, "exporters", None)
        if exporters is not None:
            exporters.append(self)
            return
        by_family: defaultdict[Family, list[Sample]] = defaultdict(list)
        for observed in self.observed():
            for sample in observed.samples():
                by_family[sample.family].append(sample)
        for family in FAMILIES:
            if family in by_family:
                metric = _metric(family)
                for sample in by_family[family]:
                    _add(metric, sample)
                yield metric


_exporters: WeakKeyDictionary[CollectorRegistry, Exporter] = WeakKeyDictionary()
_making = threading.Lock()
_gathering = threading.local()


def exporter_of(registry: CollectorRegistry | None = None) -> Exporter:
    """The exporter of a registry, made and registered if there is none yet."""
    registry = REGISTRY if registry is None else registry
    with _making:
        found = _exporters.get(registry)
        if found is None:
            found = Exporter()
            registry.register(found)
            _exporters[registry] = found
        return found


def scrape(
    registry: CollectorRegistry | None = None, accept: str | None = None
) -> tuple[bytes, str]:
    """All metrics of a registry.

    Parameters
    ----------
    registry
        Monitors, and whatever else was registered there; the global one by default.
    accept
        The header of that name of the request: plain text, OpenMetrics, or protocol buffers.

    Returns
    -------
    bytes, str
        The answer and its type of content.
    """
    registry = REGISTRY if registry is None else registry
    format_ = accepted(accept)
    with _gathered() as exporters:
        others = _others(registry, format_)
    written = [
        each for one in exporters for seen in one.observed() for each in seen.written(format_)
    ]
    return document(written, format_) + others, format_.value


@contextmanager
def _gathered() -> Iterator[list[Exporter]]:
    """Let the exporters that a registry asks name themselves and say nothing."""
    found: list[Exporter] = []
    _gathering.exporters = found
    try:
        yield found
    finally:
        _gathering.exporters = None


def _others(registry: CollectorRegistry, format_: Format) -> bytes:
    """The metrics of all other collectors."""
    if format_ is Format.TEXT:
        return generate_latest(registry)
    if format_ is Format.OPENMETRICS:
        text: bytes = openmetrics_latest(registry)  # type: ignore[no-untyped-call]
        return text
    return b"".join(map(_foreign, registry.collect()))


# --- prometheus_client's metrics -----------------------------------------------------------------


def _metric(family: Family) -> Metric:
    return Metric(family.name, family.help, family.kind)


def _add(metric: Metric, sample: Sample) -> None:
    family, values, value = sample
    labels = dict(zip(family.labels, values, strict=True))
    if isinstance(value, Latencies):
        for bound, count in value.cumulative():
            metric.add_sample(f"{family.name}_bucket", labels | {"le": number(bound)}, count)
        metric.add_sample(f"{family.name}_count", labels, value.count)
        metric.add_sample(f"{family.name}_sum", labels, value.total)
    else:
        ending = {"counter": "_total", "info": "_info"}.get(family.kind, "")
        metric.add_sample(family.name + ending, labels, value)


def _foreign(metric: Metric) -> bytes:
    """Another collector's metric as protocol buffers; creation and exemplars are left out."""
    kind, name = metric.type, metric.name
    if kind in ("histogram", "gaugehistogram", "summary"):
        content = _compound(metric)
    else:
        ending = {"counter": "_total", "info": "_info"}.get(kind, "")
        name += ending
        content = b"".join(
            protobuf.value(sorted(sample.labels.items()), kind, sample.value)
            for sample in metric.samples
            if sample.name == name
        )
    return protobuf.family(name, metric.documentation, kind, content)


def _compound(metric: Metric) -> bytes:
    """Histograms and summaries, whose samples of one set of labels are one message."""
    within = "quantile" if metric.type == "summary" else "le"
    parts: defaultdict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = defaultdict(list)
    ends: defaultdict[tuple[tuple[str, str], ...], dict[str, float]] = defaultdict(dict)
    for sample in metric.samples:
        labels = dict(sample.labels)
        place = labels.pop(within, None)
        key = tuple(sorted(labels.items()))
        if place is not None:
            parts[key].append((float(place), sample.value))
        else:
            ends[key][sample.name.removeprefix(f"{metric.name}_").removeprefix("g")] = sample.value
    write = protobuf.summary if metric.type == "summary" else protobuf.histogram
    return b"".join(
        write(key, parts[key], ends[key].get("count", _last(parts[key])), ends[key].get("sum", 0.0))
        for key in {**parts, **ends}
    )


def _last(parts: Sequence[tuple[float, float]]) -> float:
    return parts[-1][1] if parts else 0.0


# --- applications --------------------------------------------------------------------------------

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def asgi_app(
    registry: CollectorRegistry | None = None,
) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """An ASGI application that answers every request with the metrics of a registry.

    The answer is made in a thread, beside the event loop.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        import asyncio

        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        given = {name.decode("latin-1").lower(): value for name, value in scope["headers"]}
        accept, encodings = (
            given.get(name, b"").decode("latin-1") for name in ("accept", "accept-encoding")
        )
        headers, body = await asyncio.to_thread(_response, registry, accept, encodings)
        encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await send({"type": "http.response.start", "status": 200, "headers": encoded})
        await send({"type": "http.response.body", "body": body})

    return answer


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def wsgi_app(
    registry: CollectorRegistry | None = None,
) -> Callable[[Mapping[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """A WSGI application that answers every request with the metrics of a registry."""

    def answer(environ: Mapping[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        accept = environ.get("HTTP_ACCEPT", "")
        headers, body = _response(registry, accept, environ.get("HTTP_ACCEPT_ENCODING", ""))
        start("200 OK", headers)
        return [body]

    return answer


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *given: object) -> None:
        """Say nothing about every scrape."""


def start_server(
    ports: Iterable[int] = (9464,),
    *,
    host: str = "127.0.0.1",
    registry: CollectorRegistry | None = None,
) -> WSGIServer:
    """Serve the metrics of a registry in a thread, on the first of some ports that is free.

    Workers that share the port of their service each give their own metrics this way; to be called
    when a worker starts, not before the fork that makes it.

    Parameters
    ----------
    ports
        Such as ``range(9464, 9472)`` for eight workers; 0 is any port.
    host
        Address to listen at; other machines cannot reach the default.
    registry
        The global one by default.

    Returns
    -------
    WSGIServer
        ``server_port`` is the port; ``shutdown`` and ``server_close`` end it.

    Raises
    ------
    InputError
        If no port is free.
    """
    refused = "no port was given"
    for port in ports:
        try:
            server = make_server(host, port, wsgi_app(registry), _Server, _Quiet)
        except (OSError, OverflowError) as error:
            refused = f"{host}:{port}: {error}"
            continue
        name = f"leadline-metrics-{server.server_port}"
        threading.Thread(target=server.serve_forever, name=name, daemon=True).start()
        return server
    raise InputError(f"metrics cannot be served ({refused}); give a port that is free")


def _response(
    registry: CollectorRegistry | None, accept: str, encodings: str
) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body of the answer to a scrape."""
    body, kind = scrape(registry, accept)
    headers = [("Content-Type", kind)]
    if len(body) >= _WORTH_COMPRESSING and "gzip" in encodings.lower():
        body = gzip.compress(body, compresslevel=1)
        headers.append(("Content-Encoding", "gzip"))
    return [*headers, ("Content-Length", str(len(body)))], body
