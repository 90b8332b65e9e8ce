"""Metrics as protocol buffers (``io.prometheus.client``): one message a family after its length.

The only format in which Prometheus takes native histograms. Five kinds of messages do not need a
library: a field is its number and type, then its value (metrics.proto of client_model).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from functools import lru_cache

from .latency import SCHEMA, Latencies, spans_of

# Numbers of kinds and of a metric's fields.
KINDS = {"counter": 0, "gauge": 1, "info": 1, "stateset": 1, "summary": 2, "unknown": 3}
KINDS |= {"histogram": 4, "gaugehistogram": 5}
_VALUES = {"counter": 3, "gauge": 2, "info": 2, "stateset": 2, "unknown": 5}
_LABEL, _METRIC, _SUMMARY, _HISTOGRAM = 1, 4, 4, 7

Labels = Iterable[tuple[str, str]]


def family(name: str, help_: str, kind: str, metrics: bytes) -> bytes:
    """All metrics of one name, ready to be sent.

    Parameters
    ----------
    metrics
        Those that the functions below made, one after the other.
    """
    message = _text(1, name) + _text(2, help_) + _integer(3, KINDS[kind]) + metrics
    return _varint(len(message)) + message


def value(labels: Labels, kind: str, number: float) -> bytes:
    """One metric that is a number."""
    return _metric(labels, _bytes(_VALUES[kind], _double(1, number)))


def summary(
    labels: Labels, quantiles: Iterable[tuple[float, float]], count: float, total: float
) -> bytes:
    """One summary: values by share, count and sum of all."""
    content = _integer(1, int(count)) + _double(2, total)
    content += b"".join(_bytes(3, _double(1, q) + _double(2, number)) for q, number in quantiles)
    return _metric(labels, _bytes(_SUMMARY, content))


def histogram(
    labels: Labels, cumulative: Iterable[tuple[float, float]], count: float, total: float
) -> bytes:
    """One classic histogram: counts up to each bound, count and sum of all."""
    return _metric(labels, _bytes(_HISTOGRAM, _classic(cumulative, count, total)))


def durations(labels: Labels, held: Latencies) -> bytes:
    """One histogram in both forms, as other clients do: the server takes what it is set to."""
    content = _classic(held.cumulative(), held.count, held.total)
    content += _integer(5, _zigzag(SCHEMA)) + _double(6, 0.0) + _integer(7, held.zeros)
    content += _native(9, 10, held.negative) + _native(12, 13, held.positive)
    if not held.positive and not held.negative:
        # An empty span says that this is a native histogram, which nothing else would.
        content += _bytes(12, _integer(1, 0) + _integer(2, 0))
    return _metric(labels, _bytes(_HISTOGRAM, content))


def _classic(cumulative: Iterable[tuple[float, float]], count: float, total: float) -> bytes:
    content = _integer(1, int(count)) + _double(2, total)
    return content + b"".join(
        _bytes(3, _integer(1, int(below)) + _double(2, bound)) for bound, below in cumulative
    )


def _native(spans_field: int, deltas_field: int, buckets: Mapping[int, int]) -> bytes:
    spans, deltas = spans_of(buckets)
    content = b"".join(
        _bytes(spans_field, _integer(1, _zigzag(offset)) + _integer(2, length))
        for offset, length in spans
    )
    packed = b"".join(_varint(_zigzag(delta)) for delta in deltas)
    return content + (_bytes(deltas_field, packed) if packed else b"")


def _metric(labels: Labels, content: bytes) -> bytes:
    return _bytes(_METRIC, b"".join([_label(*pair) for pair in labels]) + content)


@lru_cache(maxsize=8_192)  # the same fields in every family: half the time
def _label(name: str, text: str) -> bytes:
    return _bytes(_LABEL, _text(1, name) + _text(2, text))


def _varint(number: int) -> bytes:
    if number < 0x80:
        return bytes((number,))
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def _zigzag(number: int) -> int:
    return number << 1 if number >= 0 else (-number << 1) - 1


def _integer(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _double(field: int, number: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", number)


def _bytes(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _text(field: int, text: str) -> bytes:
    return _bytes(field, text.encode("utf-8", "backslashreplace"))
