"""The base class of all workers: data directory, HTTP endpoints, checks before the start, monitoring."""

import asyncio
import platform
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

import faust
import msgspec
import structlog
from faust.types import TP

from app.adapters.catalog_file.deployed import declared_texts
from app.adapters.disk import data_dir
from app.adapters.kafka.admin import topic_id_text, topic_ids
from app.adapters.kafka.batch_producer import BatchProducer
from app.adapters.kafka.commit_notes import LostRecords, refusal
from app.adapters.kafka.connection import wait_for_brokers
from app.adapters.kafka.records import Record
from app.adapters.observability.http_server import PORTS_TRIED, HttpServer
from app.adapters.observability.prometheus import PrometheusMetrics
from app.adapters.schema_registry.registry_extra import require_extra
from app.adapters.topic_records.order_signatures import check_by
from app.adapters.topic_records.skips import StopReview, read_skips
from app.domain.acceptance import Acceptance
from app.metrics import Metrics
from app.settings import RegistrySettings, Settings
from app.streaming.consumer.chunk_consumer import ChunkConsumer
from app.streaming.consumer.chunk_events import ChunkEvent
from app.streaming.consumer.chunk_transport import ChunkTransport
from app.streaming.delivery.fail_stop import fail_stop
from app.streaming.delivery.session_fence import SessionFence
from app.streaming.execution.chunk_runner import ChunkRunner, RunnerContext
from app.streaming.execution.prerequisites import NoPrerequisites, Prerequisites
from app.streaming.monitoring.broker_clock import check_clock
from app.streaming.monitoring.clock_watch import ClockWatch
from app.streaming.monitoring.health import Health, PartitionName, PartitionNames
from app.streaming.monitoring.http_endpoints import http_endpoints
from app.streaming.monitoring.lag import LagProbe
from app.streaming.monitoring.unreadable import UnreadableProbe
from app.streaming.monitoring.watchdog import Watchdog
from app.topics.provisioning import require
from app.version import VERSION

if TYPE_CHECKING:
    from app.adapters.serde.event_decoder import ChangeSchemas
    from app.streaming.roles.schema_access import SchemaAccess

EventT = TypeVar("EventT")
_LAG_PROBES_PER_STALL = 6

_log = structlog.get_logger("worker")


class Worker(ABC):
    """Receives the chunks of ``topics``; the first is its main topic, by whose partitions the health is counted."""

    reached_brokers = False
    """From the first answer of a broker on, the settings of the connection are right."""

    def __init__(self, settings: Settings, app: faust.App, topics: tuple[str, ...]) -> None:
        self.settings = settings
        self.metrics = PrometheusMetrics()
        self.build = {"version": VERSION, "python": platform.python_version(), "role": settings.worker.role}
        self.metrics.inform("build_info", **self.build)
        self.topics = topics
        self.partition_names = PartitionNames(*topics)
        self._app = app
        self._clock = ClockWatch(settings.worker.max_clock_skew_seconds, time.time, time.monotonic)
        self._sender = BatchProducer(settings.kafka, self._clock.observe)
        # The broker counts the session from the last heartbeat, which may be one interval older than the pause.
        self._fence = SessionFence(
            settings.kafka.session_timeout_seconds - settings.kafka.heartbeat_seconds, time.monotonic
        )
        self.health = Health(settings.worker.stall_seconds, time.monotonic)
        self._watchdog = Watchdog(self._fence, self.health)
        self._background: list[asyncio.Task[None]] = []
        self._http_server: HttpServer | None = None
        self._registry: SchemaAccess | None = None
        self._runners: list[ChunkRunner[Any]] = []
        self._waiting: dict[str, int] = {}
        """By topic, the records in paused partitions."""

    @abstractmethod
    async def start(self) -> None:
        """Check topics, directory and settings, then connect. A FraudstreamError means that the worker must not start."""

    @abstractmethod
    async def accept(self, event: ChunkEvent) -> None:
        """Take over the chunk of a Faust event; waits while too many records are in flight."""

    def on_restored(self) -> None:
        """The restore is complete: records arrive from now on."""
        owned = [tp for tp in self._app.consumer.assignment() if tp.topic == self.topics[0]]
        self.health.restored(len(owned))

    def stopping(self) -> None:
        """The process was asked to stop: chunks in flight are finished, within FRAUDSTREAM_WORKER_STOP_SECONDS."""
        self.health.stopping()
        for runner in self._runners:
            runner.stopping()
        self._watchdog.bound_stop(self.settings.worker.stop_seconds)

    async def stop(self) -> None:
        """Close what ``start`` opened. No chunk is in flight any more."""
        self._watchdog.stop()
        for task in self._background:
            task.cancel()
        await self._sender.stop()
        if self._http_server is not None:
            self._http_server.close()

    async def _check_prerequisites(self) -> None:
        """Check the key of orders, lock the data directory, serve the endpoints and check the topics. Raises FraudstreamError."""
        worker = self.settings.worker
        check_by(self.settings.control.public_key_file)
        data_dir.lock(Path(worker.data_dir))
        if worker.metrics_port:
            endpoints = http_endpoints(self.metrics, self.health, self._watchdog)
            self._http_server = HttpServer(worker.metrics_host, worker.metrics_port, endpoints, PORTS_TRIED)
        await wait_for_brokers(self.settings.kafka, self.settings.kafka.start_seconds)
        self.reached_brokers = True
        await check_clock(self.settings.kafka, self._clock)
        await require(self.settings)
        if self.settings.registry.url:
            self._registry = _open_schema_access(self.settings.registry, self.metrics)

    async def _look_up_topic_ids(self, *others: str) -> Mapping[str, UUID]:
        """The ids of the source topics and ``others``, by name.

        From now on each commit stores the id of its topic: an offset is not used for a topic that was created again.
        """
        ids = await topic_ids(self.settings.kafka, [*self.topics, *others])
        transport = cast(ChunkTransport, self._app.transport)
        transport.topic_ids = {name: topic_id_text(ids[name]) for name in self.topics}
        return ids

    def _start_monitoring(self) -> None:
        """Start the watchdog and the probes of lag, unreadable records and registry. The worker joins its group next."""
        self._fence.reset()
        interval_seconds = self.settings.worker.stall_seconds / _LAG_PROBES_PER_STALL
        lag = LagProbe(self._on_lag, self.partition_names, interval_seconds)
        self._background += [
            asyncio.create_task(self._fence.run()),
            asyncio.create_task(lag.run(lambda: self._app.consumer)),
            asyncio.create_task(self._unreadable_probe().run(lambda: self._consumer)),
        ]
        if self._registry is not None:
            self._background.append(asyncio.create_task(self._registry.run()))
        self._watchdog.start()
        self.health.started()

    def _check_may_write(self) -> None:
        """Raise Paused or ClockWrong when this process may not write."""
        self._fence.check()
        self._clock.check()

    def _unreadable_probe(self) -> UnreadableProbe:
        transport = cast(ChunkTransport, self._app.transport)
        review = StopReview(lambda: transport.topic_ids, lambda: read_skips(self.settings), time.monotonic)
        return UnreadableProbe(self.health, self.metrics, self.partition_names, review)

    @property
    def _consumer(self) -> ChunkConsumer:
        return cast(ChunkConsumer, self._app.consumer)

    def _runner_context(self, topic: str) -> RunnerContext:
        """The context of the chunk runner of one topic."""
        worker = self.settings.worker
        return RunnerContext(
            max_chunk_records=worker.chunk_max_events,
            max_in_flight_records=worker.chunks_in_flight * worker.chunk_max_events,
            health=self.health,
            partition_name=lambda partition: self.partition_names.of(topic, partition),
            on_paused_change=partial(self._on_paused_change, topic),
        )

    def _on_paused_change(self, topic: str, records: int) -> None:
        self._waiting[topic] = records
        self.metrics.gauge("registry_waiting_records", sum(self._waiting.values()))

    def _decoding(
        self,
        event: type[msgspec.Struct],
        of_json: Callable[[Record], EventT],
        into: type[msgspec.Struct] | None = None,
        changes: "ChangeSchemas | None" = None,
    ) -> tuple[Callable[[Record], EventT], Prerequisites]:
        """The decoder of a topic's records and the prerequisites of its chunks.

        Without a registry all records are JSON and there are no prerequisites.
        """
        if self._registry is None:
            return of_json, NoPrerequisites()
        return self._registry.decoding(event, of_json, into, changes)

    def _report_lag(self, topic: str, partition: int, last_offset: int) -> None:
        waiting = self._consumer.records_after(TP(topic, partition), last_offset + 1)
        self.metrics.gauge("source_lag_records", waiting, partition=str(partition))

    def on_lost(self, lost: Sequence[LostRecords]) -> None:
        """Retention deleted records that the group has not read. Called in the Kafka client's thread."""
        total, group = sum(each.records for each in lost), self.settings.app_id
        with fail_stop("continuing behind deleted records"):
            if self.settings.worker.when_records_lost == "stop":
                raise refusal(group, lost)
            for each in lost:
                _log.error("records_lost", group=group, **each._asdict())
            self.metrics.count("records_lost_total", total)

    def on_chunk(self, tp: TP, last_offset: int) -> None:
        """A chunk was fetched. The watchdog ends the worker if no agent takes it."""
        self.health.fetched(self.partition_names.of(tp.topic, tp.partition), last_offset)

    def _on_lag(self, unfetched: Mapping[PartitionName, int]) -> None:
        """Report what is not fetched. Where only markers or aborted records arrived, no chunk reports that nothing waits."""
        self.health.lag(unfetched)
        for partition in range(self.settings.topics.partitions):
            tp = TP(self.topics[0], partition)
            if unfetched.get(partition) == 0 and self._consumer.is_finished(tp):
                self.metrics.gauge("source_lag_records", 0, partition=str(partition))

    def _on_partitions_revoked(self) -> None:
        """A rebalance: other workers may change the states of these partitions, and report their lag."""
        self.health.assigned()
        for partition in range(self.settings.topics.partitions):
            self.metrics.remove("source_lag_records", partition=str(partition))

    def _acceptance(self) -> Acceptance:
        settings = self.settings.acceptance
        return Acceptance(
            earliest_event_time_ms=settings.earliest_event_time_ms,
            max_future_ms=settings.max_future_seconds * 1000,
            numeric_ids=frozenset(filter(None, settings.numeric_ids.split(","))),
            declared_texts=declared_texts(self.settings.catalog.file),
        )


def _open_schema_access(settings: RegistrySettings, metrics: Metrics) -> "SchemaAccess":
    require_extra("FRAUDSTREAM_REGISTRY_URL")
    from app.streaming.roles.schema_access import SchemaAccess  # noqa: PLC0415  # imports an optional extra

    return SchemaAccess(settings, metrics)


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
