"""What a worker of any role stands on: its directory, its pages, the checks before it begins and the watch over it."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

import faust
import msgspec
from faust.types import TP

from app.adapters.disk import data_dir
from app.adapters.kafka.admin import topic_ids
from app.adapters.kafka.batch_producer import BatchProducer
from app.adapters.kafka.records import Record
from app.adapters.observability.http_server import HttpServer
from app.adapters.observability.prometheus import PrometheusMetrics
from app.adapters.schema_registry.registry_extra import require_extra
from app.domain.acceptance import Acceptance
from app.metrics import Metrics
from app.settings import RegistrySettings, Settings
from app.streaming.consumer.chunk_consumer import ChunkConsumer
from app.streaming.consumer.chunk_events import ChunkEvent
from app.streaming.consumer.chunk_transport import ChunkTransport
from app.streaming.delivery.session_fence import SessionFence
from app.streaming.execution.chunk_runner import ChunkRunner, RunnerContext
from app.streaming.execution.prerequisites import NoPrerequisites, Prerequisites
from app.streaming.monitoring.health import Health, Lanes
from app.streaming.monitoring.http_endpoints import pages
from app.streaming.monitoring.lag import LagProbe
from app.streaming.monitoring.watchdog import Watchdog
from app.topics.provisioning import require

if TYPE_CHECKING:
    from app.streaming.roles.schema_access import RegistryUse

EventT = TypeVar("EventT")
PORTS_TRIED = 16
"""From the metrics port on: as many workers as one machine is likely to have."""
_LAG_PROBES_PER_STALL = 6


class Role(ABC):
    """``topics`` come in chunks, partition by partition."""

    def __init__(self, settings: Settings, app: faust.App, topics: tuple[str, ...]) -> None:
        self.settings = settings
        self.metrics = PrometheusMetrics()
        self.lanes = Lanes(*topics)
        self._app = app
        self._sender = BatchProducer(settings.kafka)
        # As long as the broker waits, less the heartbeat that may just have been sent.
        self._fence = SessionFence(
            settings.kafka.session_timeout_seconds - settings.kafka.heartbeat_seconds, time.monotonic
        )
        self.health = Health(settings.worker.stall_seconds, time.monotonic)
        self._watchdog = Watchdog(self._fence, self.health)
        self._beside: list[asyncio.Task[None]] = []
        self._pages: HttpServer | None = None
        self._registry: RegistryUse | None = None
        self._runners: list[ChunkRunner[Any]] = []

    @abstractmethod
    async def start(self) -> None:
        """Check everything a worker rests on, then connect. Raises FraudstreamError: the worker must not start."""

    @abstractmethod
    async def accept(self, event: ChunkEvent) -> None:
        """Take over the chunk of an event of Faust's."""

    def on_restored(self) -> None:
        """From now on records come."""
        owned = [tp for tp in self._app.consumer.assignment() if tp.topic == self.lanes.topics[0]]
        self.health.restored(len(owned))

    def stopping(self) -> None:
        """Asked to end: chunks in flight are finished, in bounded time."""
        self.health.stopping()
        for runner in self._runners:
            runner.stopping()
        self._watchdog.bound_stop(self.settings.worker.stop_seconds)

    async def stop(self) -> None:
        """Close what start opened; every chunk is finished by now."""
        self._watchdog.stop()
        for task in self._beside:
            task.cancel()
        await self._sender.stop()
        if self._pages is not None:
            self._pages.close()

    async def _check(self) -> None:
        """The directory is ours, the topics are as they must be."""
        worker = self.settings.worker
        data_dir.lock(Path(worker.data_dir))
        if worker.metrics_port:
            served = pages(self.metrics, self.health, self._watchdog)
            self._pages = HttpServer(worker.metrics_host, worker.metrics_port, served, PORTS_TRIED)
        await require(self.settings)
        if self.settings.registry.url:
            self._registry = _use_registry(self.settings.registry, self.metrics)

    async def _know_logs(self, *others: str) -> Mapping[str, UUID]:
        """The topics that are read, and ``others``, by name; each commit notes from now on which log it counts in."""
        names = self.lanes.topics
        ids = await topic_ids(self.settings.kafka, [*names, *others])
        transport = cast(ChunkTransport, self._app.transport)
        transport.topic_ids = {name: f"{short_topic_id(ids[name]):x}" for name in names}
        return ids

    def _stand(self) -> None:
        """Watch over the worker from here on; it joins its group."""
        self._fence.reset()
        interval_seconds = self.settings.worker.stall_seconds / _LAG_PROBES_PER_STALL
        lag = LagProbe(self.health, self.lanes, interval_seconds)
        self._beside += [
            asyncio.create_task(self._fence.run()),
            asyncio.create_task(lag.run(lambda: self._app.consumer)),
        ]
        if self._registry is not None:
            self._beside.append(asyncio.create_task(self._registry.run()))
        self._watchdog.start()
        self.health.started()

    @property
    def _consumer(self) -> ChunkConsumer:
        return cast(ChunkConsumer, self._app.consumer)

    def _runner_context(self, topic: str) -> RunnerContext:
        """Of the chunk runner of one topic."""
        worker = self.settings.worker
        return RunnerContext(
            max_chunk_records=worker.chunk_max_events,
            max_in_flight_records=worker.chunks_in_flight * worker.chunk_max_events,
            health=self.health,
            partition_name=lambda partition: self.lanes.of(topic, partition),
            on_paused_change=lambda records: self.metrics.gauge("registry_waiting_records", records),
        )

    def _reading(
        self,
        event: type[msgspec.Struct],
        of_json: Callable[[Record], EventT],
        into: type[msgspec.Struct] | None = None,
    ) -> tuple[Callable[[Record], EventT], Prerequisites]:
        """How the records of a topic are decoded, and what a chunk of them needs; without a registry JSON, and nothing."""
        if self._registry is None:
            return of_json, NoPrerequisites()
        return self._registry.reading(event, of_json, into)

    def _tell_lag(self, topic: str, partition: int, last_offset: int) -> None:
        end_offset = self._app.consumer.highwater(TP(topic, partition))
        self.metrics.gauge(
            "source_lag_records", (end_offset or 0) - last_offset - 1, partition=str(partition)
        )

    def _forget(self) -> None:
        """Partitions are moving: another worker may write to their table and report their lag."""
        self.health.assigned()
        for partition in range(self.settings.topics.partitions):
            self.metrics.remove("source_lag_records", partition=str(partition))

    def _acceptance(self) -> Acceptance:
        settings = self.settings.acceptance
        return Acceptance(
            earliest_event_time_ms=settings.earliest_event_time_ms,
            max_future_ms=settings.max_future_seconds * 1000,
        )


def _use_registry(settings: RegistrySettings, metrics: Metrics) -> "RegistryUse":
    require_extra("FRAUDSTREAM_REGISTRY_URL")
    from app.streaming.roles.schema_access import RegistryUse  # noqa: PLC0415  # what it needs is an extra

    return RegistryUse(settings, metrics)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def short_topic_id(topic_id: UUID) -> int:
    """The low 64 bits of a topic id, which are random: a profile has room for 64 bits."""
    return topic_id.int & (2**64 - 1)
