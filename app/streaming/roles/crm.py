"""The worker of the role "crm": from alerts to questions to customers, from their answers to labels.

Two lines of chunks change one table. They share the order of writes, so that a contact is written in the order in which
it was computed, whichever topic changed it.
"""

from collections.abc import Sequence
from typing import cast

import faust
import structlog

from app.adapters.kafka.partitioner import partitions_of
from app.adapters.serde.contact_codec import ALERTS, ANSWERS
from app.domain.contact import Quiet
from app.domain.decision import Alert
from app.processing.chunk import Chunk
from app.processing.contact_work import (
    AlertForQuestion,
    ContactChunk,
    ContactFold,
    ContactRules,
    alert_in_json,
)
from app.processing.state_cache import StateCache
from app.processing.stopwatch import Stopwatch
from app.settings import Settings
from app.streaming.consumer.chunk_events import ChunkEvent
from app.streaming.delivery.order_of_writes import Destinations, InFlightChunk, OrderOfWrites
from app.streaming.execution.chunk_runner import ChunkRunner
from app.streaming.execution.prerequisites import Prerequisites
from app.streaming.roles.stateful_worker import TableRole
from app.streaming.roles.worker import now_ms
from app.streaming.state.tables import StateStore
from app.topics.topic_specs import CONTACTS_TABLE, HOUR_MS, contacts_changelog

_log = structlog.get_logger("crm")


class CrmWorker(TableRole):
    """Alerts and answers of a customer stand in partitions of the same number, which one worker has."""

    def __init__(self, settings: Settings, app: faust.App) -> None:
        super().__init__(settings, app, (settings.topics.alerts, settings.topics.answers), CONTACTS_TABLE)

    async def start(self) -> None:
        """See Role.start."""
        settings, topics = self.settings, self.settings.topics
        await self._check()
        logs = await self._logs(contacts_changelog(settings))
        partitions_of([b"a key"], 1)  # compiled now, not in front of the first chunk
        store = cast(StateStore, self._table.data)
        self._contacts = StateCache(store, settings.worker.profile_cache_bytes)
        topic_ids = (logs[topics.alerts], logs[topics.answers])
        rules = ContactRules(_quiet(settings), self._acceptance(), topic_ids, topics.partitions)
        alert_of, needs = self._reading(Alert, alert_in_json, AlertForQuestion)
        self._fold = ContactFold(rules, self._contacts, alert_of)
        writes = self._order_of_writes()
        self._runners = [self._runner(ALERTS, writes, needs), self._runner(ANSWERS, writes)]
        await self._sender.start()
        self._stand()
        _log.info("started", role="crm")

    async def accept(self, event: ChunkEvent) -> None:
        """See ChunkRunner.accept."""
        log = self.lanes.topics.index(event.message.topic)
        await self._runners[log].accept(event, self._consumer)

    def _runner(
        self, log: int, writes: OrderOfWrites[ContactChunk], needs: Prerequisites | None = None
    ) -> ChunkRunner[ContactChunk]:
        def compute(chunks: Sequence[Chunk], _: Stopwatch) -> list[ContactChunk]:
            return [self._fold.compute(log, chunk, now_ms()) for chunk in chunks]

        context = self._table_context(self.lanes.topics[log])
        return ChunkRunner(context, compute, writes, self._durable, needs)

    def _order_of_writes(self) -> OrderOfWrites[ContactChunk]:
        """Shared by both runners, which change the same table."""
        destinations = Destinations(self.settings.topics.names(), contacts_changelog(self.settings))
        return OrderOfWrites(self._sender, self._table.changelog_guard, destinations, self._fence.check)

    def _durable(self, finished: Sequence[InFlightChunk[ContactChunk]]) -> None:
        for work in (chunk.computed for chunk in finished):
            self._contacts.release(work.partition, work.number)
            if work.log == ALERTS:
                self._count_alerts(work)
                self._tell_lag(self.settings.topics.alerts, work.partition, work.last_offset)
            else:
                self._count_answers(work)
            for entry in work.rejected:
                self.metrics.count("dead_letters_total", reason=entry.error.reason)

    def _count_alerts(self, work: ContactChunk) -> None:
        asked, told = len(work.notifications), work.already_applied + len(work.rejected)
        self.metrics.count("crm_alerts_total", asked, result="asked")
        self.metrics.count("crm_alerts_total", work.records - asked - told, result="suppressed")
        self.metrics.count("crm_alerts_total", work.already_applied, result="replayed")
        self.metrics.count("crm_alerts_total", len(work.rejected), result="dead_letter")

    def _count_answers(self, work: ContactChunk) -> None:
        accepted = work.records - work.already_applied - len(work.rejected)
        self.metrics.count("crm_answers_total", accepted, result="accepted")
        self.metrics.count("crm_answers_total", work.already_applied, result="replayed")
        self.metrics.count("crm_answers_total", len(work.rejected), result="dead_letter")

    def _forget(self) -> None:
        super()._forget()
        self._contacts.clear()


def _quiet(settings: Settings) -> Quiet:
    crm = settings.crm
    hours = (crm.episode_quiet_hours, crm.question_hours, crm.answer_quiet_hours)
    return Quiet(*(round(hour * HOUR_MS) for hour in hours))
