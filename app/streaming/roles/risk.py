"""The worker of the role "risk": it turns chunks of transactions into decisions and alerts."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import faust
import msgspec
import structlog

from app.adapters.catalog_file.deployed import computation, worker_computation
from app.adapters.cdc.transaction_decoder import decoding_of
from app.adapters.disk import data_dir
from app.adapters.models.bundles import Bundle
from app.adapters.topic_records.control_reader import read_control_log
from app.domain.card_evidence import CardEvidence
from app.domain.control import model_id
from app.domain.decision import Alert, Decision
from app.features.window import Bounds
from app.lists.table import compile_table
from app.processing.chunk import Chunk
from app.processing.decode_chunk import SourceLog
from app.processing.fold_chunk import ChunkFold, FoldedChunks
from app.processing.policy_run import ListsAsOf, LoadedPolicy, PolicyRun
from app.processing.score_chunk import ChunkScorer, Publishing, ScoredChunk
from app.processing.state_cache import StateCache
from app.processing.stopwatch import Stopwatch
from app.scoring.lineup import Lineup
from app.settings import Settings
from app.streaming.consumer.chunk_events import ChunkEvent
from app.streaming.control.controller import ModelCallbacks, ModelController
from app.streaming.control.lineup import LineupTerms
from app.streaming.control.listener import ControlListener
from app.streaming.control.model_choice import ModelChoice
from app.streaming.control.policy import PolicyTerms
from app.streaming.control.policy_choice import load_policy
from app.streaming.delivery.order_of_writes import Destinations, InFlightChunk, OrderOfWrites
from app.streaming.entity_store.entity_view import EntityView
from app.streaming.entity_store.lookup import CachedActivities
from app.streaming.execution.chunk_runner import ChunkRunner
from app.streaming.lists.follower import ListsFollower
from app.streaming.monitoring.chunk_metrics import ChunkMetrics
from app.streaming.monitoring.drift_metrics import DriftMetrics
from app.streaming.monitoring.tracing import open_spans, trace
from app.streaming.roles.machine_code import prepare
from app.streaming.roles.stateful_worker import StatefulWorker
from app.streaming.roles.worker import now_ms
from app.streaming.state.tables import StateStore
from app.topics.topic_specs import profiles_changelog, profiles_table

_log = structlog.get_logger("risk")


class RiskWorker(StatefulWorker):
    """Computes chunks while the outputs of earlier chunks wait for their acknowledgements."""

    def __init__(self, settings: Settings, app: faust.App) -> None:
        super().__init__(settings, app, (settings.topics.transactions,), profiles_table(settings))
        self._drift = DriftMetrics(
            self.metrics, settings.model.drift_decisions, computation(settings.catalog.file).features.names
        )
        self._chunk_metrics = ChunkMetrics(self.metrics)
        self._lists = ListsFollower(settings, self.metrics)

    async def start(self) -> None:
        """See Worker."""
        settings, worker = self.settings, self.settings.worker
        await self._check_prerequisites()
        source_log = await self._open_source_log()
        await self._lists.load()
        control = await read_control_log(settings)
        choice = ModelChoice.by(settings)
        running = choice.first(control.orders.champion, now_ms())
        computes = worker_computation(settings.catalog.file)
        prepare(computes.compile, compile_table)
        bounds = Bounds(settings.profile.allowed_lateness_seconds * 1000, settings.profile.max_events)
        self._profiles = StateCache(cast(StateStore, self._table.data), worker.profile_cache_bytes)
        self._entities = EntityView(settings, self.metrics)
        acceptance = self._acceptance()
        self._card_evidence = CardEvidence(acceptance.numeric_ids)
        fold = ChunkFold(source_log, acceptance, bounds, self._profiles, computes)
        self._scorer = ChunkScorer(
            fold, Lineup(running.bundle), await self._publishing(), self._drift.observe
        )
        self._runners = [self._runner()]
        worker_id = data_dir.worker_id(Path(worker.data_dir))
        self._spans = open_spans(settings.tracing, settings.app_id, worker_id)
        terms = LineupTerms(worker_id, settings.model.challenger_budget_ms / 1000, time.perf_counter, now_ms)
        callbacks = ModelCallbacks(self._use_champion, self._use_lineup)
        policy = PolicyTerms(settings.policy.default, partial(load_policy, settings), self._use_policy)
        self._models = ModelController(choice, running, terms, callbacks, policy, self.metrics)
        await self._models.start(control.orders)
        topics = settings.topics
        outputs = topics.decisions, topics.alerts, topics.dead_letters
        await self._start_sender(profiles_changelog(settings), *outputs)
        self._listener = ControlListener(
            settings, worker_id, self._models, control, self._sender, self.metrics
        )
        self._listener.start()
        self._start_monitoring()
        self._background.append(asyncio.create_task(self._lists.follow()))
        _log.info("started", model=model_id(running.bundle.reference))

    async def stop(self) -> None:
        """See Worker."""
        await self._listener.stop()
        await self._entities.stop()
        await super().stop()
        if self._spans is not None:
            await asyncio.to_thread(self._spans.close)

    async def accept(self, event: ChunkEvent) -> None:
        """See ChunkRunner.accept."""
        await self._runners[0].accept(event, self._consumer)

    def _compute(
        self, chunks: Sequence[Chunk], stopwatch: Stopwatch
    ) -> list[ScoredChunk] | Awaitable[list[ScoredChunk]]:
        """Score at once if memory holds the states of all entities; otherwise after a request to Redis."""
        folded = self._scorer.fold(chunks, stopwatch)
        for field, hits in self._card_evidence.add(folded.transactions).items():
            self.metrics.count("numeric_id_hits_total", hits, field=field)
        found = self._entities.look(folded.touched, now_ms())
        if found.missing:
            return self._request_and_decide(folded, found, stopwatch)
        return self._decide(folded, found.cached, stopwatch)

    async def _request_and_decide(
        self, folded: FoldedChunks, found: CachedActivities, stopwatch: Stopwatch
    ) -> list[ScoredChunk]:
        activities = await self._entities.request(found)
        stopwatch.lap("ask")
        return self._decide(folded, activities, stopwatch)

    def _decide(
        self, folded: FoldedChunks, activities: dict[str, bytes], stopwatch: Stopwatch
    ) -> list[ScoredChunk]:
        about = self._entities.features(folded.touched, activities)
        return self._scorer.decide(folded, about, now_ms(), stopwatch)

    async def _publishing(self) -> Publishing:
        topics = self.settings.topics
        publishing = Publishing(activity_partitions=topics.partitions)
        if self._registry is None or self.settings.registry.output_format == "json":
            return publishing
        return publishing._replace(
            decisions=await self._registry.encoding(Decision, topics.decisions),
            alerts=await self._registry.encoding(Alert, topics.alerts),
        )

    def _runner(self) -> ChunkRunner[ScoredChunk]:
        writes = OrderOfWrites[ScoredChunk](
            self._sender,
            self._table.changelog_guard,
            Destinations(self.settings.topics.names(), profiles_changelog(self.settings)),
            self._check_may_write,
        )
        context = self._table_context(self.settings.topics.transactions)
        return ChunkRunner(context, self._compute, writes, self._on_durable, self._prerequisites)

    def _on_durable(self, finished: Sequence[InFlightChunk[ScoredChunk]]) -> None:
        for work, stopwatch in ((chunk.computed, chunk.stopwatch) for chunk in finished):
            self._profiles.release(work.partition, work.number)
            self._report_lag(self.settings.topics.transactions, work.partition, work.last_offset)
            if self._spans is not None:
                trace(self._spans, work, stopwatch, time.time_ns())
        self.metrics.gauge("profiles_cached", len(self._profiles))
        self.metrics.gauge("profile_cache_bytes", self._profiles.size_bytes)
        self._chunk_metrics.add(finished, now_ms())
        self._models.count()

    def _use_champion(self, bundle: Bundle) -> None:
        """Report the new champion, and measure drift against its training rows."""
        for warning in [*bundle.warnings, *bundle.manifest.profile.warnings(self.settings.profile)]:
            _log.warning("model", warning=warning)
        _log.info(
            "model_backend",
            model=model_id(bundle.reference),
            by_batch=bundle.backend.by_batch,
            call_us=bundle.backend.micros,
        )
        self._drift.follow(bundle)
        self.metrics.inform("model_info", **msgspec.structs.asdict(bundle.reference))

    def _use_lineup(self, lineup: Lineup) -> None:
        self._scorer.lineup = lineup

    def _use_policy(self, loaded: LoadedPolicy | None) -> None:
        if loaded is None:
            self._scorer.policy = None
            return
        self._scorer.policy = PolicyRun(
            loaded, self.settings.topics.partitions, self._current_lists, self._on_demoted
        )

    def _current_lists(self) -> ListsAsOf:
        view = self._lists.current()
        return ListsAsOf(view, view.offset)

    def _on_demoted(self, partition: int, rules: list[str]) -> None:
        """A rule of the policy has exceeded its hit rate: it goes on in shadow, and the worker reports it at once."""
        _log.error("rules_demoted", partition=partition, rules=rules)
        self.metrics.count("rules_demoted_total", len(rules))
        self._models.policy.demoted(rules)
        self._models.changed.set()

    def _on_partitions_revoked(self) -> None:
        super()._on_partitions_revoked()
        if self._scorer.policy is not None:
            self._scorer.policy.forget()
        self._profiles.clear()
        self._entities.clear()

    async def _open_source_log(self) -> SourceLog:
        topic = self.settings.topics.transactions
        logs = await self._bind_topics(profiles_changelog(self.settings))
        checked = self.settings.acceptance.partitioner == "murmur2"
        partitions = self.settings.topics.partitions if checked else 0
        reading = decoding_of(self.settings)
        decode, self._prerequisites = self._decoding(reading.event, reading.of_json, changes=reading.changes)
        return SourceLog(topic, logs[topic], partitions, decode)
