"""The pages of a worker: its metrics, and three probes that say in one line of text why they answer as they do."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from app.adapters.observability.http_server import Endpoint, HttpResponse
from app.adapters.observability.prometheus import PrometheusMetrics
from app.streaming.monitoring.health import Health, Verdict
from app.streaming.monitoring.watchdog import Watchdog


def pages(metrics: PrometheusMetrics, health: Health, watchdog: Watchdog) -> Mapping[str, Endpoint]:
    """By path."""
    return {
        "/metrics": metrics.page,
        "/startupz": _probe(health.startup),
        "/readyz": _probe(health.readiness),
        "/livez": _probe(watchdog.liveness),
    }


def _probe(ask: Callable[[], Verdict]) -> Endpoint:
    def page(_: str) -> HttpResponse:
        good, why = ask()
        status = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
        return HttpResponse(status, "text/plain; charset=utf-8", f"{why}\n".encode())

    return page
