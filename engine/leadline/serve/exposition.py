"""Samples as Prometheus reads them: its text format, OpenMetrics, and protocol buffers.

The two texts differ in their headers only, so the lines of a family are the same in both.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum

from . import protobuf
from .latency import Latencies
from .metrics import FAMILIES, Family, Sample, pause

# Samples written between two rests: 0.2 ms.
_PORTION = 64


class Format(Enum):
    """A format, by the type of its content."""

    TEXT = "text/plain;version=0.0.4;charset=utf-8"
    OPENMETRICS = "application/openmetrics-text;version=1.0.0;charset=utf-8"
    PROTOBUF = (
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
    )

    @property
    def textual(self) -> bool:
        """Whether it is one of the two texts, whose lines are the same."""
        return self is not Format.PROTOBUF


# Samples of each family, written but for its header.
Bodies = Mapping[Family, bytes]


def accepted(header: str | None) -> Format:
    """The format that a client likes best of those that it names; the plain text if none.

    >>> accepted("application/openmetrics-text;version=1.0.0;q=0.8,text/plain;q=0.5").name
    'OPENMETRICS'
    """
    best, found = 0.0, Format.TEXT
    for wish in (header or "").split(","):
        kind, *parameters = (part.strip().lower() for part in wish.split(";"))
        given = dict(parameter.partition("=")[::2] for parameter in parameters)
        format_ = _format(kind, given)
        weight = _weight(given.get("q", "1"))
        if format_ is not None and weight > best:
            best, found = weight, format_
    return found


def _format(kind: str, given: Mapping[str, str]) -> Format | None:
    if kind == "application/openmetrics-text":
        # Version 0.0.1 is what servers before 2.5 asked for; the same lines serve it.
        return Format.OPENMETRICS if given.get("version", "1.0.0") in ("0.0.1", "1.0.0") else None
    if kind == "application/vnd.google.protobuf":
        ours = given.get("encoding") == "delimited"
        return Format.PROTOBUF if ours and given.get("proto", "").endswith("metricfamily") else None
    return Format.TEXT if kind in ("text/plain", "text/*", "*/*") else None


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


def bodies(
    samples: Iterable[Sample], format_: Format, rest: Callable[[], None] = pause
) -> dict[Family, bytes]:
    """Samples by family, as they stand in a format below the family's header."""
    write = _lines if format_.textual else _message
    parts: defaultdict[Family, list[bytes]] = defaultdict(list)
    for place, sample in enumerate(samples, 1):
        parts[sample.family].append(write(sample))
        if not place % _PORTION:
            rest()
    return {family: b"".join(written) for family, written in parts.items()}


def document(written: Sequence[Bodies], format_: Format) -> bytes:
    """All families of some bodies, each with its header; what ends a document is left out."""
    parts: list[bytes] = []
    for family in FAMILIES:
        own = b"".join(found[family] for found in written if family in found)
        if not own:
            continue
        if format_ is Format.PROTOBUF:
            parts.append(protobuf.family(_name(family), family.help, family.kind, own))
        else:
            parts += _header(family, format_), own
    return b"".join(parts)


def _header(family: Family, format_: Format) -> bytes:
    name, kind = family.name, family.kind
    if format_ is Format.TEXT:
        name, kind = _name(family), "gauge" if kind == "info" else kind
    return f"# HELP {name} {family.help}\n# TYPE {name} {kind}\n".encode()


def _lines(sample: Sample) -> bytes:
    family, values, value = sample
    names = zip(family.labels, values, strict=True)
    labels = ",".join([f'{name}="{_escaped(text)}"' for name, text in names])
    if isinstance(value, Latencies):
        return _histogram_lines(family.name, labels, value)
    return f"{_name(family)}{{{labels}}} {number(value)}\n".encode()


def _message(sample: Sample) -> bytes:
    family, values, value = sample
    labels = zip(family.labels, values, strict=True)
    if isinstance(value, Latencies):
        return protobuf.durations(labels, value)
    return protobuf.value(labels, family.kind, value)


def _name(family: Family) -> str:
    """The name that a family's samples have."""
    return family.name + {"counter": "_total", "info": "_info"}.get(family.kind, "")


def _histogram_lines(name: str, labels: str, held: Latencies) -> bytes:
    lines = [
        f'{name}_bucket{{{labels},le="{number(float(bound))}"}} {count}\n'
        for bound, count in held.cumulative()
    ]
    lines.append(f"{name}_count{{{labels}}} {held.count}\n")
    lines.append(f"{name}_sum{{{labels}}} {number(held.total)}\n")
    return "".join(lines).encode()


def _escaped(text: str) -> str:
    if "\\" in text or '"' in text or "\n" in text:
        return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
    return text


def number(value: float) -> str:
    """A number as Go reads it.

    >>> number(3), number(0.25), number(float("inf")), number(float("nan"))
    ('3', '0.25', '+Inf', 'NaN')
    """
    if isinstance(value, int):
        return str(value)
    if math.isfinite(value):
        return repr(float(value))
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
