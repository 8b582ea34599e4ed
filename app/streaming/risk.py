"""The worker of the consumer group "risk": from chunks of transactions to decisions and alerts."""

import asyncio
import time
from functools import partial
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import msgspec
import structlog
from faust.types import TP

from app.adapters import data_dir
from app.adapters.bundles import Bundle, Loading
from app.adapters.http_pages import HttpPages
from app.adapters.kafka_admin import topic_ids
from app.adapters.kafka_sender import KafkaSender
from app.adapters.partitioner import partitions_of
from app.adapters.prometheus import PrometheusMetrics
from app.domain.acceptance import Acceptance
from app.domain.control import told
from app.errors import LogReplaced
from app.features.columns import compile_fold
from app.features.window import Bounds
from app.settings import Settings
from app.streaming.applying import SourceLog
from app.streaming.chunks import ChunkConsumer, ChunkTransport
from app.streaming.counting import count
from app.streaming.drift import DriftWatch
from app.streaming.fence import Fence
from app.streaming.health import Health
from app.streaming.joining import Room, WaitingChunks
from app.streaming.lag import LagProbe
from app.streaming.model_control import ModelControl, control_log
from app.streaming.model_switch import Choice, ModelSwitch
from app.streaming.one_log import OneLog
from app.streaming.order_of_writes import OrderOfWrites, OutTopics
from app.streaming.pages import pages
from app.streaming.profiles import ProfileCache
from app.streaming.provisioning import require
from app.streaming.stages import Stopwatch
from app.streaming.store_size import tell_store_size
from app.streaming.tables import ProfileStore, ProfileTable
from app.streaming.topics import profiles_changelog
from app.streaming.watchdog import Watchdog
from app.streaming.work import ChunkScorer, Work

PORTS_TRIED = 16
"""From the metrics port on: as many workers as one machine is likely to have."""
_LAG_PROBES_PER_STALL = 6

_log = structlog.get_logger("risk")


class RiskWorker:
    """Computes chunks while those before them wait for their acknowledgements."""

    def __init__(self, settings: Settings, table: ProfileTable) -> None:
        self.settings = settings
        self.metrics = PrometheusMetrics()
        self._table = table
        table.kafka, table.metrics = settings.kafka, self.metrics
        self._sender = KafkaSender(settings.kafka)
        self._log = OneLog()
        self._waiting = WaitingChunks(settings.worker.chunk_max_events)
        self._room = Room(settings.worker.chunks_in_flight * settings.worker.chunk_max_events)
        # As long as the broker waits, less the heartbeat that may just have been sent.
        self._fence = Fence(
            settings.kafka.session_timeout_seconds - settings.kafka.heartbeat_seconds, time.monotonic
        )
        self.health = Health(settings.worker.stall_seconds, time.monotonic)
        table.on_restore_step = self.health.restoring
        self._drift = DriftWatch(self.metrics, settings.model.drift_decisions)
        self._watchdog = Watchdog(self._fence, self.health)
        self._beside: list[asyncio.Task[None]] = []
        self._pages: HttpPages | None = None

    async def start(self) -> None:
        """Check everything a worker rests on, then connect. Raises FraudstreamError: the worker must not start."""
        settings, worker = self.settings, self.settings.worker
        data_dir.hold(Path(worker.data_dir))
        if worker.metrics_port:
            served = pages(self.metrics, self.health, self._watchdog)
            self._pages = HttpPages(worker.metrics_host, worker.metrics_port, served, PORTS_TRIED)
        await require(settings)
        source_log = await self._logs()
        self._table.require_same_log = partial(self._require_same, source_log)
        cast(ChunkTransport, self._table.app.transport).incarnation = f"{source_log.incarnation:x}"
        control = await control_log(settings)
        choice = Choice(Path(settings.model.dir), settings.model.champion, Loading.by(settings.model))
        running = choice.first(control.order, _now_ms())
        compile_fold()
        partitions_of([b"a key"], 1)  # compiled now, not in front of the first chunk
        bounds = Bounds(settings.profile.allowed_lateness_seconds * 1000, settings.profile.max_events)
        store = cast(ProfileStore, self._table.data)
        self._profiles = ProfileCache(store, worker.profile_cache_bytes)
        self._table.on_rebalance_started = self._forget
        self._scorer = ChunkScorer(source_log, self._acceptance(), bounds, self._profiles, running.bundle)
        self._scorer.on_scored = self._drift.observe
        self._writes = OrderOfWrites(
            self._sender,
            self._table.sole_writer,
            self._out_topics(),
            self._on_durable,
            self._fence.check,
            self._compute,
        )
        self._swap(running.bundle)
        await self._sender.start()
        switch = ModelSwitch(choice, running, self._swap, self.metrics, _now_ms)
        identity = data_dir.identity(Path(worker.data_dir))
        self._control = ModelControl(settings, identity, switch, control, self._sender)
        self._control.start(_now_ms)
        self._fence.reset()
        interval_seconds = worker.stall_seconds / _LAG_PROBES_PER_STALL
        lag = LagProbe(self.health, settings.topics.transactions, interval_seconds)
        self._beside = [
            asyncio.create_task(self._fence.run()),
            asyncio.create_task(lag.run(lambda: self._table.app.consumer)),
            asyncio.create_task(tell_store_size(store, self.metrics)),
        ]
        self._watchdog.start()
        self.health.started()
        _log.info("started", model=told(running.bundle.reference))

    def on_restored(self) -> None:
        """From now on records come."""
        owned = [
            tp
            for tp in self._table.app.consumer.assignment()
            if tp.topic == self.settings.topics.transactions
        ]
        self.health.restored(len(owned))

    def stopping(self) -> None:
        """Asked to end: chunks in flight are finished, in bounded time."""
        self.health.stopping()
        self._watchdog.bound_stop(self.settings.worker.stop_seconds)

    async def stop(self) -> None:
        """Close what start opened; every chunk is finished by now."""
        self._watchdog.stop()
        for task in self._beside:
            task.cancel()
        await self._control.stop()
        await self._sender.stop()
        if self._pages is not None:
            self._pages.close()

    async def accept(self, event: Any) -> None:
        """Take over the event's chunk: computed at once, or together with what comes while the outputs of the
        chunk before it are on their way. Waits while too many records are in flight. A chunk whose partition moves is
        left to its next owner.
        """
        chunk = event.value
        consumer = cast(ChunkConsumer, self._table.app.consumer)
        if not consumer.may_follow(chunk):
            consumer.leave(event.message)
            return
        self._log.follow(chunk)
        self._table.sole_writer.require(chunk.partition)
        self.health.taken(chunk.partition, chunk.records[-1].offset)
        await self._room.enter(len(chunk.records))
        self._waiting.put(event)
        self._compute(chunk.partition)

    def _compute(self, partition: int) -> None:
        """Compute what waits and start its writes. While outputs are on their way only full chunks: these gain
        nothing from waiting.
        """
        while joined := self._waiting.take(partition, only_full=self._writes.is_publishing(partition)):
            watch = Stopwatch(time.perf_counter)
            work = self._scorer.compute(joined.chunk, _now_ms(), watch)
            self._writes.finish(work, joined.acknowledge, watch)

    def _on_durable(self, work: Work, watch: Stopwatch) -> None:
        self._room.leave(work.records)
        self.health.finished(work.partition, work.last_offset)
        self._profiles.release(work.partition, work.number)
        self.metrics.gauge("profiles_cached", len(self._profiles))
        self.metrics.gauge("profile_cache_bytes", self._profiles.size_bytes)
        end_offset = self._table.app.consumer.highwater(TP(self.settings.topics.transactions, work.partition))
        self.metrics.gauge(
            "source_lag_records", (end_offset or 0) - work.last_offset - 1, partition=str(work.partition)
        )
        count(self.metrics, work, watch, _now_ms())

    def _swap(self, bundle: Bundle) -> None:
        """From the next chunk on ``bundle`` decides."""
        for warning in [*bundle.warnings, *bundle.manifest.profile.warnings(self.settings.profile)]:
            _log.warning("model", warning=warning)
        self._scorer.model = bundle
        self._drift.follow(bundle)
        self.metrics.inform("model_info", **msgspec.structs.asdict(bundle.reference))

    def _forget(self) -> None:
        """Partitions are moving: another worker may write their profiles and report their lag."""
        self.health.assigned()
        self._profiles.clear()
        for partition in range(self.settings.topics.partitions):
            self.metrics.forget("source_lag_records", partition=str(partition))

    async def _logs(self) -> SourceLog:
        """The incarnation of the transactions; that of the changelog must be the one that the disk knows."""
        topic, changelog = self.settings.topics.transactions, profiles_changelog(self.settings)
        ids = await topic_ids(self.settings.kafka, [topic, changelog])
        data_dir.bind(Path(self.settings.worker.data_dir), changelog, str(ids[changelog]))
        checked = self.settings.acceptance.partitioner == "murmur2"
        partitions = self.settings.topics.partitions if checked else 0
        return SourceLog(topic, _incarnation(ids[topic]), partitions)

    async def _require_same(self, log: SourceLog) -> None:
        """Offsets count anew in another incarnation: none of its records may be taken for one of this."""
        ids = await topic_ids(self.settings.kafka, [log.topic])
        if log.topic not in ids or _incarnation(ids[log.topic]) != log.incarnation:
            raise LogReplaced(f"{log.topic} was deleted, or made again, since this worker started")

    def _acceptance(self) -> Acceptance:
        settings = self.settings.acceptance
        return Acceptance(
            earliest_event_time_ms=settings.earliest_event_time_ms,
            max_future_ms=settings.max_future_seconds * 1000,
        )

    def _out_topics(self) -> OutTopics:
        topics = self.settings.topics
        return OutTopics(
            topics.decisions, topics.alerts, topics.dead_letters, profiles_changelog(self.settings)
        )


def _incarnation(topic_id: UUID) -> int:
    """Half of it, which is random: what has room in a profile."""
    return topic_id.int & (2**64 - 1)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
