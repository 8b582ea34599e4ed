"""Polls a cluster at an interval and keeps the last state for Prometheus."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from app.adapters.kafka.cluster_state import ClusterState
from app.adapters.observability.http_server import Endpoint, HttpResponse
from app.domain.words import duration
from app.errors import ConfigurationError
from app.operations.cluster_metrics import ClusterCollector

POLL_TIMEOUT_SECONDS = 30.0
"""Each broker that does not answer takes ten seconds, so that a poll fails with more than two of them."""
OVERDUE_POLLS = 3

_log = structlog.get_logger("monitor")


class ClusterPoller:
    """Calls ``read`` every ``interval_seconds`` and serves the last state as metrics."""

    def __init__(self, read: Callable[[], Awaitable[ClusterState]], interval_seconds: float) -> None:
        self._read = read
        self._interval_seconds = interval_seconds
        self._collector = ClusterCollector()
        self._polled_at = time.monotonic()
        self.registry = CollectorRegistry()
        self.registry.register(self._collector)

    async def run(self, show: Callable[[ClusterState | None], None] = lambda _: None) -> None:
        """Poll until cancelled; ``show`` receives each state, None when the cluster does not answer."""
        while True:
            began = time.monotonic()
            self._collector.latest = await self._poll()
            self._polled_at = time.monotonic()
            show(self._collector.latest)
            await asyncio.sleep(max(0.0, self._interval_seconds - (self._polled_at - began)))

    async def _poll(self) -> ClusterState | None:
        try:
            async with asyncio.timeout(POLL_TIMEOUT_SECONDS):
                return await self._read()
        except (ConfigurationError, TimeoutError) as error:
            _log.warning("cluster_unreachable", cause=str(error) or type(error).__name__)
            return None

    def endpoints(self) -> Mapping[str, Endpoint]:
        """Return the HTTP endpoints by path."""
        return {"/metrics": self._metrics, "/livez": self._liveness}

    def _metrics(self, accept: str) -> HttpResponse:
        encode, content_type = choose_encoder(accept)
        return HttpResponse(HTTPStatus.OK, content_type, encode(self.registry))

    def _liveness(self, _: str) -> HttpResponse:
        """Report healthy while polls happen, also failed ones: restarting the monitor would not repair a cluster."""
        silent_seconds = time.monotonic() - self._polled_at
        overdue = silent_seconds > POLL_TIMEOUT_SECONDS + OVERDUE_POLLS * self._interval_seconds
        status = HTTPStatus.SERVICE_UNAVAILABLE if overdue else HTTPStatus.OK
        text = f"last poll of the cluster {duration(silent_seconds)} ago\n"
        return HttpResponse(status, "text/plain; charset=utf-8", text.encode())
