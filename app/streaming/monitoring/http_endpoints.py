"""The HTTP endpoints of a worker: its metrics, and three probes that answer with one line of text."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from app.adapters.observability.http_server import Endpoint, HttpResponse
from app.adapters.observability.prometheus import PrometheusMetrics
from app.streaming.monitoring.health import Health, Verdict
from app.streaming.monitoring.watchdog import Watchdog


def http_endpoints(metrics: PrometheusMetrics, health: Health, watchdog: Watchdog) -> Mapping[str, Endpoint]:
    """The endpoints by path."""
    return {
        "/metrics": metrics.page,
        "/startupz": _probe(health.startup),
        "/readyz": _probe(health.readiness),
        "/livez": _probe(watchdog.liveness),
    }


def _probe(verdict: Callable[[], Verdict]) -> Endpoint:
    def answer(_: str) -> HttpResponse:
        good, why = verdict()
        status = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
        return HttpResponse(status, "text/plain; charset=utf-8", f"{why}\n".encode())

    return answer
