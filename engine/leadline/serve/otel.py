"""Monitors as metrics of OpenTelemetry: observable instruments, which only act when asked.

The same figures as for Prometheus (`metrics`), under names with a dot after ``leadline``. Durations
come as quantiles only: OpenTelemetry has no instrument for a histogram that was counted elsewhere.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import metadata
from typing import TYPE_CHECKING

from opentelemetry import metrics as api

from .latency import BOUNDS, Latencies
from .metrics import FAMILIES, QUANTILES, Choice, Family, Sample
from .observed import Observed

if TYPE_CHECKING:
    from .monitor import Monitor

# A reader asks one instrument after the other: what one of them was told serves all.
_TOGETHER = 0.5
_UNITS = {"_seconds": "s", "_bytes": "By", "_ratio": "1", "_rows": "{row}", "_windows": "{window}"}


class Instruments:
    """The instruments of one monitor; made by `observe`, and kept as long as they are wanted.

    Parameters
    ----------
    observed
        What is told.
    meter
        Where instruments are made.
    """

    def __init__(self, observed: Observed, meter: api.Meter) -> None:
        self._observed = observed
        self._lock = threading.Lock()
        self._told: Mapping[Family, Sequence[Sample]] = {}
        self._at = -float("inf")
        for family in FAMILIES:
            if family.kind == "histogram":
                continue
            make = (
                meter.create_observable_counter
                if family.kind == "counter"
                else meter.create_observable_gauge
            )
            make(
                name_of(family),
                callbacks=[self._callback(family)],
                unit=unit_of(family),
                description=family.help,
            )

    def _callback(
        self, family: Family
    ) -> Callable[[api.CallbackOptions], Iterable[api.Observation]]:
        def tell(_: api.CallbackOptions) -> list[api.Observation]:
            return [
                api.Observation(value, dict(zip(family.labels, labels, strict=True)))
                for _, labels, value in self._samples().get(family, ())
                if not isinstance(value, Latencies)
            ]

        return tell

    def _samples(self) -> Mapping[Family, Sequence[Sample]]:
        with self._lock:
            now = time.monotonic()
            if now - self._at > _TOGETHER:
                found: defaultdict[Family, list[Sample]] = defaultdict(list)
                for sample in self._observed.samples():
                    found[sample.family].append(sample)
                self._told, self._at = found, now
            return self._told


def observe(
    monitor: Monitor,
    provider: api.MeterProvider | None = None,
    *,
    fields: Sequence[str] | None = None,
    quantiles: Sequence[float] = QUANTILES,
    more: Sequence[str] = (),
) -> Instruments:
    """Tell a monitor's figures to whoever reads OpenTelemetry's metrics in this process.

    Parameters
    ----------
    monitor
        The monitor; once a provider.
    provider
        The global one by default.
    fields, quantiles, more
        See `metrics.Choice`.

    Raises
    ------
    InputError
        If an option cannot be used.
    """
    choice = Choice(None if fields is None else frozenset(fields), tuple(quantiles), more)
    provider = api.get_meter_provider() if provider is None else provider
    meter = provider.get_meter("leadline", metadata.version("leadline"))
    return Instruments(Observed(monitor, choice, BOUNDS), meter)


def name_of(family: Family) -> str:
    """The name of a family among OpenTelemetry's.

    >>> name_of(FAMILIES[1])
    'leadline.rows'
    """
    return family.name.replace("_", ".", 1)


def unit_of(family: Family) -> str:
    """Its unit, as UCUM writes it."""
    found = (unit for ending, unit in _UNITS.items() if family.name.endswith(ending))
    return next(found, "1")
