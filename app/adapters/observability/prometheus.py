"""The metrics of the catalog as Prometheus instruments, and the response to a scraper."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import numpy as np
import prometheus_client
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter, Gauge, Info, ProcessCollector
from prometheus_client.exposition import choose_encoder

from app.adapters.observability.http_server import HttpResponse
from app.adapters.observability.prometheus_histogram import HistogramCollector
from app.metrics import CATALOG, PREFIX, CounterName, GaugeName, HistogramName, InfoName, Metric

# Without this each counter has a second series that holds only the time of its creation.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # untyped there

_BY_NAME: Mapping[str, Metric] = {metric.name: metric for metric in CATALOG}


class PrometheusMetrics:
    """Implements ``app.metrics.Metrics`` on a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._instruments: dict[str, Any] = {
            metric.name: _instrument(metric, self.registry) for metric in CATALOG
        }
        self._children: dict[tuple[object, ...], Any] = {}
        for metric in CATALOG:
            self._resolve_listed(metric)

    def count(self, name: CounterName, amount: int = 1, /, **labels: str) -> None:
        if amount:
            self._child(name, labels).inc(amount)

    def gauge(self, name: GaugeName, value: float, /, **labels: str) -> None:
        self._child(name, labels).set(value)

    def remove(self, name: GaugeName, /, **labels: str) -> None:
        if self._children.pop((name, *labels.items()), None) is not None:
            self._instruments[name].remove(*labels.values())

    def observe(self, name: HistogramName, value: float, /, **labels: str) -> None:
        self._child(name, labels).observe(value)

    def observe_all(
        self, name: HistogramName, values: Sequence[float] | NDArray[np.float64], /, **labels: str
    ) -> None:
        self._child(name, labels).observe_all(values)

    def inform(self, name: InfoName, /, **labels: str) -> None:
        _refuse_unlisted(name, labels)
        self._instruments[name].info(labels)

    def page(self, accept: str) -> HttpResponse:
        """All metrics in the format that the scraper accepts."""
        encode, content_type = choose_encoder(accept)
        return HttpResponse(HTTPStatus.OK, content_type, encode(self.registry))

    def _child(self, name: str, labels: dict[str, str]) -> Any:
        key = (name, *labels.items())
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._resolve(name, labels)
        return child

    def _resolve(self, name: str, labels: dict[str, str]) -> Any:
        _refuse_unlisted(name, labels)
        return self._instruments[name].labels(**labels) if labels else self._instruments[name]

    def _resolve_listed(self, metric: Metric) -> None:
        """Create every listed series at zero: a rate over a series that appears later misses its first increment.

        Metrics with two labels take one of them from the deployment; their series are not known in advance.
        """
        if len(metric.labels) != 1:
            return
        for label, values in metric.labels.items():
            for value in values:
                self._child(metric.name, {label: value})


def _refuse_unlisted(name: str, labels: dict[str, str]) -> None:
    listed = _BY_NAME[name].labels
    if labels.keys() != listed.keys() or any(listed[at] and labels[at] not in listed[at] for at in listed):
        raise ValueError(f"{name} has the labels {dict(listed)}, not {labels}")


def _instrument(metric: Metric, registry: CollectorRegistry) -> Any:
    if metric.kind == "histogram":
        collector = HistogramCollector(metric)
        registry.register(collector)
        return collector
    if metric.kind == "info":
        return Info(PREFIX + metric.name.removesuffix("_info"), metric.meaning, registry=registry)
    kind = Counter if metric.kind == "counter" else Gauge
    return kind(PREFIX + metric.name, metric.meaning, list(metric.labels), registry=registry)
