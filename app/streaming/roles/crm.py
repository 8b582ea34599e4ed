"""The worker of the role "crm": it turns alerts into questions to customers, and their answers into labels.

Two chunk runners change one table. They share one order of writes, so that the states of a contact are written in the
order in which they were computed, whichever topic changed them.
"""

from collections.abc import Sequence
from typing import cast

import faust
import structlog

from app.adapters.serde.contact_codec import ALERTS, ANSWERS
from app.domain.contact import Quiet
from app.domain.decision import Alert
from app.processing.chunk import Chunk
from app.processing.contact_events import AlertForQuestion, alert_in_json
from app.processing.contact_work import ContactChunk, ContactFold, ContactRules
from app.processing.state_cache import StateCache
from app.processing.stopwatch import Stopwatch
from app.settings import Settings
from app.streaming.consumer.chunk_events import ChunkEvent
from app.streaming.delivery.order_of_writes import Destinations, InFlightChunk, OrderOfWrites
from app.streaming.execution.chunk_runner import ChunkRunner
from app.streaming.execution.prerequisites import Prerequisites
from app.streaming.roles.machine_code import prepare
from app.streaming.roles.stateful_worker import StatefulWorker
from app.streaming.state.tables import StateStore
from app.topics.topic_specs import CONTACTS_TABLE, HOUR_MS, contacts_changelog

_log = structlog.get_logger("crm")


class CrmWorker(StatefulWorker):
    """Owns the partitions of both topics with the same numbers: alerts and answers of a customer come to one worker."""

    def __init__(self, settings: Settings, app: faust.App) -> None:
        super().__init__(settings, app, (settings.topics.alerts, settings.topics.answers), CONTACTS_TABLE)

    async def start(self) -> None:
        """See Worker."""
        settings, topics = self.settings, self.settings.topics
        await self._check_prerequisites()
        logs = await self._bind_topics(contacts_changelog(settings))
        prepare()
        store = cast(StateStore, self._table.data)
        self._contacts = StateCache(store, settings.worker.profile_cache_bytes)
        topic_ids = (logs[topics.alerts], logs[topics.answers])
        rules = ContactRules(_quiet(settings), self._acceptance(), topic_ids, topics.partitions)
        alert_of, prerequisites = self._decoding(Alert, alert_in_json, AlertForQuestion)
        self._fold = ContactFold(rules, self._contacts, alert_of)
        writes = self._order_of_writes()
        self._runners = [self._runner(ALERTS, writes, prerequisites), self._runner(ANSWERS, writes)]
        await self._start_sender(contacts_changelog(settings))
        self._start_monitoring()
        _log.info("started", role="crm")

    async def accept(self, event: ChunkEvent) -> None:
        """See ChunkRunner.accept."""
        source = self.topics.index(event.message.topic)
        await self._runners[source].accept(event, self._consumer)

    def _runner(
        self, log: int, writes: OrderOfWrites[ContactChunk], prerequisites: Prerequisites | None = None
    ) -> ChunkRunner[ContactChunk]:
        def compute(chunks: Sequence[Chunk], _: Stopwatch) -> list[ContactChunk]:
            return [self._fold.compute(log, chunk) for chunk in chunks]

        context = self._table_context(self.topics[log])
        return ChunkRunner(context, compute, writes, self._on_durable, prerequisites)

    def _order_of_writes(self) -> OrderOfWrites[ContactChunk]:
        """The order of writes that both runners share."""
        destinations = Destinations(self.settings.topics.names(), contacts_changelog(self.settings))
        return OrderOfWrites(self._sender, self._table.changelog_guard, destinations, self._check_may_write)

    def _on_durable(self, finished: Sequence[InFlightChunk[ContactChunk]]) -> None:
        for work in (chunk.computed for chunk in finished):
            self._contacts.release(work.partition, work.number)
            if work.log == ALERTS:
                self._count_alerts(work)
                self._report_lag(self.settings.topics.alerts, work.partition, work.last_offset)
            else:
                self._count_answers(work)
            for entry in work.rejected:
                self.metrics.count("dead_letters_total", reason=entry.error.reason)

    def _count_alerts(self, work: ContactChunk) -> None:
        asked, not_new = len(work.notifications), work.already_applied + len(work.rejected)
        self.metrics.count("crm_alerts_total", asked, result="asked")
        self.metrics.count("crm_alerts_total", work.records - asked - not_new, result="suppressed")
        self.metrics.count("crm_alerts_total", work.already_applied, result="replayed")
        self.metrics.count("crm_alerts_total", len(work.rejected), result="dead_letter")

    def _count_answers(self, work: ContactChunk) -> None:
        accepted = work.records - work.already_applied - len(work.rejected)
        self.metrics.count("crm_answers_total", accepted, result="accepted")
        self.metrics.count("crm_answers_total", work.already_applied, result="replayed")
        self.metrics.count("crm_answers_total", len(work.rejected), result="dead_letter")

    def _on_partitions_revoked(self) -> None:
        super()._on_partitions_revoked()
        self._contacts.clear()


def _quiet(settings: Settings) -> Quiet:
    crm = settings.crm
    hours = (crm.episode_quiet_hours, crm.question_hours, crm.answer_quiet_hours)
    return Quiet(*(round(hour * HOUR_MS) for hour in hours))
