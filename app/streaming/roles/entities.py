"""The worker of the role "entities": from facts about terminals, customers and the like to what scoring knows of them.

Two lines of chunks. Labels are told to the entities they name, by records on the same topic as the scoring workers' facts.
Facts change the activities, under the guarantee of the profiles; behind the store step they are brought to Redis.
"""

from collections.abc import Sequence
from typing import cast

import faust
import structlog

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
from app.streaming.entity_store.redis_publisher import Publisher
from app.streaming.execution.chunk_runner import ChunkRunner
from app.streaming.execution.prerequisites import Prerequisites
from app.streaming.monitoring.chunk_metrics import count_seconds
from app.streaming.roles.stateful_worker import TableRole
from app.streaming.roles.worker import now_ms
from app.streaming.state.tables import StateStore
from app.topics.topic_specs import ACTIVITIES_TABLE, activities_changelog

_log = structlog.get_logger("entities")


class EntityWorker(TableRole):
    """While Redis is away it folds all the same, and brings everything when it is back."""

    def __init__(self, settings: Settings, app: faust.App) -> None:
        super().__init__(
            settings, app, (settings.topics.entity_activity, settings.topics.labels), ACTIVITIES_TABLE
        )
        self._redis: Client | None = None

    async def start(self) -> None:
        """See Role.start."""
        settings, topics = self.settings, self.settings.topics
        await self._check()
        logs = await self._logs(activities_changelog(settings))
        compile_facts()
        store = cast(StateStore, self._table.data)
        self._activities = StateCache(store, settings.worker.profile_cache_bytes)
        self._fold = FactFold(logs[topics.entity_activity], self._activities)
        decode, needs = self._reading(Label, label_of)
        self._router = LabelRouter(self._acceptance(), topics.partitions, decode)
        self._publisher = self._publish(store)
        self._facts, self._labels = self._fact_runner(), self._label_runner(needs)
        self._runners = [self._facts, self._labels]
        await self._sender.start()
        self._publisher.start()
        self._stand()
        _log.info("started", role="entities")

    def on_restored(self) -> None:
        """See Role.on_restored."""
        store = cast(StateStore, self._table.data)
        for tp in self._app.consumer.assignment():
            if tp.topic == self.settings.topics.entity_activity:
                self._publisher.begin(tp.partition, self._stand_at(store.last_offset(tp.partition)))
        super().on_restored()

    async def stop(self) -> None:
        """See Role.stop."""
        await self._publisher.stop()
        if self._redis is not None:
            await self._redis.aclose()
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
            self._sender, self._table.changelog_guard, destinations, self._fence.check
        )
        return ChunkRunner(self._table_context(topics.entity_activity), compute, writes, self._folded)

    def _label_runner(self, needs: Prerequisites) -> ChunkRunner[LabelChunk]:
        topics = self.settings.topics

        def compute(chunks: Sequence[Chunk], _: Stopwatch) -> list[LabelChunk]:
            return [self._router.compute(chunk, now_ms()) for chunk in chunks]

        destinations = Destinations(topics.names())
        writes = OrderOfWrites[LabelChunk](
            self._sender, self._table.changelog_guard, destinations, self._fence.check
        )
        return ChunkRunner(self._runner_context(topics.labels), compute, writes, self._routed, needs)

    def _folded(self, finished: Sequence[InFlightChunk[EntityChunk]]) -> None:
        metrics, store = self.metrics, cast(StateStore, self._table.data)
        for work in (chunk.computed for chunk in finished):
            self._activities.release(work.partition, work.number)
            stand = self._stand_at(store.last_offset(work.partition))
            self._publisher.changed(work.partition, work.states, stand)
            self._tell_lag(self.settings.topics.entity_activity, work.partition, work.last_offset)
            metrics.count("entity_facts_total", work.applied, result="applied")
            metrics.count("entity_facts_total", work.repeated, result="repeated")
            metrics.count("entity_facts_total", len(work.rejected), result="dead_letter")
            self._count_rejected(work.rejected)
        metrics.gauge("profiles_cached", len(self._activities))
        metrics.gauge("profile_cache_bytes", self._activities.size_bytes)
        metrics.observe_all("chunk_events", [chunk.computed.records for chunk in finished])
        count_seconds(metrics, [chunk.stopwatch for chunk in finished])

    def _routed(self, finished: Sequence[InFlightChunk[LabelChunk]]) -> None:
        for work in (chunk.computed for chunk in finished):
            self.metrics.count("labels_total", work.labels, result="accepted")
            self.metrics.count("labels_total", len(work.rejected), result="dead_letter")
            self._count_rejected(work.rejected)

    def _count_rejected(self, rejected: Sequence[Rejected]) -> None:
        for entry in rejected:
            self.metrics.count("dead_letters_total", reason=entry.error.reason)

    def _stand_at(self, changelog_offset: int) -> str:
        """How far a store is, in words that no other changelog can have."""
        return f"{self._changelog_id}:{changelog_offset}"

    def _publish(self, store: StateStore) -> Publisher:
        settings = self.settings.redis
        if not settings.url:
            raise ConfigurationError(
                "FRAUDSTREAM_REDIS_URL is not set: a worker of the role entities has nowhere to bring what it knows. "
                "`fraudstream stack up` prints one."
            )
        self._redis = connect(settings, settings.write_timeout_seconds)
        writer = ActivityWriter(self._redis, settings.key_prefix)
        return Publisher(writer, store, settings, self.metrics, self._fence.check)

    def _forget(self) -> None:
        super()._forget()
        self._activities.clear()
        self._publisher.forget()
