"""The worker of the role "entities": it folds facts about terminals, customers and other entities into activities.

One chunk runner turns labels into facts about the entities that they name, on the topic to which risk workers send their
facts. The other folds facts into activities, with the same guarantee as profiles. After each RocksDB write the changed
activities are published to Redis, where risk workers read them.
"""

from collections.abc import Sequence
from typing import cast

import faust
import structlog

from app.adapters.catalog_file.deployed import worker_computation
from app.adapters.redis.activity_redis import ActivityWriter
from app.adapters.redis.client import Client, connect
from app.adapters.serde.json_codec import label_of
from app.domain.label import Label
from app.errors import ConfigurationError
from app.processing.chunk import Chunk
from app.processing.decode_chunk import Rejected
from app.processing.entity_work import EntityChunk, FactFold, LabelChunk, LabelRouter, compile_facts
from app.processing.state_cache import StateCache
from app.processing.stopwatch import Stopwatch
from app.settings import Settings
from app.streaming.consumer.chunk_events import ChunkEvent
from app.streaming.delivery.order_of_writes import Destinations, InFlightChunk, OrderOfWrites
from app.streaming.entity_store.redis_publisher import RedisPublisher
from app.streaming.execution.chunk_runner import ChunkRunner
from app.streaming.execution.fact_sources import FactPrerequisites
from app.streaming.execution.prerequisites import Prerequisites
from app.streaming.execution.source_ends_reader import SourceEndsReader
from app.streaming.execution.source_extent import SourceExtent
from app.streaming.monitoring.chunk_metrics import count_seconds
from app.streaming.roles.machine_code import prepare
from app.streaming.roles.stateful_worker import StatefulWorker
from app.streaming.state.tables import StateStore
from app.topics.topic_specs import ACTIVITIES_TABLE, activities_changelog

_log = structlog.get_logger("entities")


class EntityWorker(StatefulWorker):
    """Continues to fold while Redis is unavailable, and publishes all changes when Redis answers again."""

    def __init__(self, settings: Settings, app: faust.App) -> None:
        super().__init__(
            settings, app, (settings.topics.entity_activity, settings.topics.labels), ACTIVITIES_TABLE
        )
        self._redis: Client | None = None
        self._sources = SourceExtent(SourceEndsReader(settings.kafka, settings.topics.transactions))

    async def start(self) -> None:
        """See Worker."""
        settings, topics = self.settings, self.settings.topics
        await self._check_prerequisites()
        logs = await self._bind_topics(activities_changelog(settings))
        prepare(compile_facts)
        store = cast(StateStore, self._table.data)
        self._activities = StateCache(store, settings.worker.profile_cache_bytes)
        acceptance = self._acceptance()
        self._fold = FactFold(
            logs[topics.entity_activity], self._activities, acceptance, lambda: self._sources.ends
        )
        decode, prerequisites = self._decoding(Label, label_of)
        self._router = LabelRouter(
            acceptance, topics.partitions, decode, worker_computation(settings.catalog.file).entities
        )
        self._publisher = self._open_publisher(store)
        self._facts, self._labels = self._fact_runner(), self._label_runner(prerequisites)
        self._runners = [self._facts, self._labels]
        await self._start_sender(activities_changelog(settings))
        self._publisher.start()
        self._start_monitoring()
        _log.info("started", role="entities")

    def on_restored(self) -> None:
        """See Worker."""
        store = cast(StateStore, self._table.data)
        for tp in self._app.consumer.assignment():
            if tp.topic == self.settings.topics.entity_activity:
                since, last = store.unchanged_since(tp.partition), store.last_offset(tp.partition)
                unchanged = range(since, last + 1)
                self._publisher.begin(tp.partition, [self._position(offset) for offset in unchanged])
        super().on_restored()

    async def stop(self) -> None:
        """See Worker."""
        await self._publisher.stop()
        if self._redis is not None:
            await self._redis.aclose()
        await self._sources.close()
        await super().stop()

    async def accept(self, event: ChunkEvent) -> None:
        """See ChunkRunner.accept."""
        if event.message.topic == self.settings.topics.labels:
            await self._labels.accept(event, self._consumer)
        else:
            await self._facts.accept(event, self._consumer)

    def _fact_runner(self) -> ChunkRunner[EntityChunk]:
        topics = self.settings.topics

        def compute(chunks: Sequence[Chunk], stopwatch: Stopwatch) -> list[EntityChunk]:
            return [self._fold.compute(chunk, stopwatch) for chunk in chunks]

        destinations = Destinations(topics.names(), activities_changelog(self.settings))
        writes = OrderOfWrites[EntityChunk](
            self._sender, self._table.changelog_guard, destinations, self._check_may_write
        )
        return ChunkRunner(
            self._table_context(topics.entity_activity),
            compute,
            writes,
            self._on_facts_durable,
            FactPrerequisites(self._sources),
        )

    def _label_runner(self, prerequisites: Prerequisites) -> ChunkRunner[LabelChunk]:
        topics = self.settings.topics

        def compute(chunks: Sequence[Chunk], _: Stopwatch) -> list[LabelChunk]:
            return [self._router.compute(chunk) for chunk in chunks]

        destinations = Destinations(topics.names())
        writes = OrderOfWrites[LabelChunk](
            self._sender, self._table.changelog_guard, destinations, self._check_may_write
        )
        return ChunkRunner(
            self._runner_context(topics.labels), compute, writes, self._on_labels_durable, prerequisites
        )

    def _on_facts_durable(self, finished: Sequence[InFlightChunk[EntityChunk]]) -> None:
        metrics, store = self.metrics, cast(StateStore, self._table.data)
        for work in (chunk.computed for chunk in finished):
            self._activities.release(work.partition, work.number)
            position = self._position(store.last_offset(work.partition))
            self._publisher.changed(work.partition, work.states, position)
            self._report_lag(self.settings.topics.entity_activity, work.partition, work.last_offset)
            metrics.count("entity_facts_total", work.applied, result="applied")
            metrics.count("entity_facts_total", work.repeated, result="repeated")
            metrics.count("entity_facts_total", len(work.rejected), result="dead_letter")
            self._count_rejected(work.rejected)
        metrics.gauge("profiles_cached", len(self._activities))
        metrics.gauge("profile_cache_bytes", self._activities.size_bytes)
        metrics.observe_all("chunk_events", [chunk.computed.records for chunk in finished])
        count_seconds(metrics, [chunk.stopwatch for chunk in finished])

    def _on_labels_durable(self, finished: Sequence[InFlightChunk[LabelChunk]]) -> None:
        for work in (chunk.computed for chunk in finished):
            self.metrics.count("labels_total", work.labels, result="accepted")
            for field, hits in work.numeric_id_hits.items():
                self.metrics.count("numeric_id_hits_total", hits, field=field)
            self.metrics.count("labels_total", len(work.rejected), result="dead_letter")
            self._count_rejected(work.rejected)

    def _count_rejected(self, rejected: Sequence[Rejected]) -> None:
        for entry in rejected:
            self.metrics.count("dead_letters_total", reason=entry.error.reason)

    def _position(self, changelog_offset: int) -> str:
        """The position of a store in its changelog. The topic id makes it differ from that of any other changelog."""
        return f"{self._changelog_id}:{changelog_offset}"

    def _open_publisher(self, store: StateStore) -> RedisPublisher:
        settings = self.settings.redis
        if not settings.url:
            raise ConfigurationError(
                "FRAUDSTREAM_REDIS_URL is not set: a worker of the role entities publishes activities to Redis. "
                "`fraudstream stack up` prints a URL."
            )
        self._redis = connect(settings, settings.write_timeout_seconds)
        writer = ActivityWriter(self._redis, settings.key_prefix)
        return RedisPublisher(writer, store, settings, self.metrics, self._check_may_write)

    def _on_partitions_revoked(self) -> None:
        super()._on_partitions_revoked()
        self._activities.clear()
        self._publisher.revoke()
