"""Looks at a cluster again and again, and keeps what was seen for whoever scrapes it."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from app.adapters.kafka.cluster import read_cluster
from app.adapters.kafka.cluster_state import ClusterState
from app.adapters.kafka.security import Cluster
from app.adapters.observability.http_server import Answer, Page
from app.errors import ConfigurationError
from app.operations.cluster_metrics import ClusterCollector

POLL_TIMEOUT_SECONDS = 30.0
"""A broker that answers nothing costs ten seconds; with more of them the look is given up."""
OVERDUE_POLLS = 3

_log = structlog.get_logger("monitor")


class ClusterPoller:
    """One look every ``interval_seconds``."""

    def __init__(self, kafka: Cluster, groups: Sequence[str], interval_seconds: float) -> None:
        self._kafka = kafka
        self._groups = groups
        self._interval_seconds = interval_seconds
        self._collector = ClusterCollector()
        self._polled_at = time.monotonic()
        self.registry = CollectorRegistry()
        self.registry.register(self._collector)

    async def run(self, show: Callable[[ClusterState | None], None] = lambda _: None) -> None:
        """Until cancelled; ``show`` is given what was seen, None for a cluster that does not answer."""
        while True:
            began = time.monotonic()
            self._collector.latest = await self._poll()
            self._polled_at = time.monotonic()
            show(self._collector.latest)
            await asyncio.sleep(max(0.0, self._interval_seconds - (self._polled_at - began)))

    async def _poll(self) -> ClusterState | None:
        try:
            async with asyncio.timeout(POLL_TIMEOUT_SECONDS):
                return await read_cluster(self._kafka, self._groups)
        except (ConfigurationError, TimeoutError) as error:
            _log.warning("cluster_unreachable", cause=str(error) or type(error).__name__)
            return None

    def endpoints(self) -> Mapping[str, Page]:
        """By path."""
        return {"/metrics": self._metrics, "/livez": self._liveness}

    def _metrics(self, accept: str) -> Answer:
        encode, content_type = choose_encoder(accept)
        return Answer(HTTPStatus.OK, content_type, encode(self.registry))

    def _liveness(self, _: str) -> Answer:
        """Well while it looks, whatever it sees."""
        silent_seconds = time.monotonic() - self._polled_at
        overdue = silent_seconds > POLL_TIMEOUT_SECONDS + OVERDUE_POLLS * self._interval_seconds
        status = HTTPStatus.SERVICE_UNAVAILABLE if overdue else HTTPStatus.OK
        text = f"looked at the cluster {silent_seconds:.0f} s ago\n"
        return Answer(status, "text/plain; charset=utf-8", text.encode())
