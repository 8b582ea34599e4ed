"""The worker of the role "cases": alerts, labels and answers become cases in Postgres; their changes are published from there.

It has no table: rows and offsets are written in one transaction of the database, and a worker resumes at the offsets there,
whatever its group has committed. See docs/operate/cases.md.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import cast

import faust
import structlog
from faust.types import TP

from app.adapters.kafka.admin import topic_id_text
from app.adapters.kafka.records import Record
from app.adapters.postgres.apply import Applied
from app.adapters.postgres.database import Database
from app.adapters.postgres.migrating import migrate
from app.adapters.postgres.offsets import read_offsets_blocking
from app.adapters.serde.json_codec import label_of
from app.domain.decision import Alert
from app.domain.label import Label
from app.processing.case_work import CaseChunk, CaseDecoder
from app.processing.chunk import Chunk
from app.processing.stopwatch import Stopwatch
from app.settings import Settings, Stream
from app.streaming.consumer.chunk_events import ChunkEvent
from app.streaming.consumer.chunk_transport import ChunkTransport
from app.streaming.delivery.fail_stop import fail_stop
from app.streaming.delivery.order_of_writes import InFlightChunk
from app.streaming.execution.chunk_runner import ChunkRunner
from app.streaming.execution.prerequisites import NoPrerequisites, Prerequisites
from app.streaming.roles.case_writes import CaseWrites, count, offsets_of
from app.streaming.roles.outbox_publisher import OutboxPublisher
from app.streaming.roles.worker import Worker, now_ms

_log = structlog.get_logger("cases")
_STREAMS = (Stream.ALERTS, Stream.LABELS, Stream.ANSWERS)


class CasesWorker(Worker):
    """Workers of the role share the partitions of three topics; the database orders what they write."""

    def __init__(self, settings: Settings, app: faust.App) -> None:
        super().__init__(settings, app, tuple(settings.topics.name_of(stream) for stream in _STREAMS))

        def on_retry() -> None:
            self.metrics.count("cases_database_retries_total")

        # Two connections: changes are published while the next alerts are applied.
        self._database = Database(settings.cases, time.monotonic, on_retry)
        self._outbox = Database(settings.cases, time.monotonic, on_retry)
        self._publisher = OutboxPublisher(settings, self._outbox, self._sender, self.metrics, now_ms)
        self._writes = CaseWrites(
            self._sender, settings, self._database, self._check_may_write, self._on_applied
        )

    async def start(self) -> None:
        """See Worker."""
        await self._check_prerequisites()
        ids = await self._look_up_topic_ids()
        schema = self.settings.cases.database_schema
        if applied := await self._database.run(lambda connection: migrate(connection, schema)):
            _log.info("migrated", migrations=applied)
        await self._sender.start()
        self._writes.topic_ids = {name: topic_id_text(ids[name]) for name in self.topics}
        cast(ChunkTransport, self._app.transport).start_offsets = self._start_offsets
        self._runners = list(self._make_runners())
        self._start_monitoring()
        self._background.append(asyncio.create_task(self._publisher.run(self._check_may_write)))
        _log.info("started", role="cases")

    async def accept(self, event: ChunkEvent) -> None:
        """See ChunkRunner.accept."""
        await self._runners[self.topics.index(event.message.topic)].accept(event, self._consumer)

    def on_restored(self) -> None:
        """See Worker."""
        self._on_partitions_revoked()  # no table calls it here: tables do at the start of a rebalance
        super().on_restored()

    async def stop(self) -> None:
        """See Worker."""
        await super().stop()
        await self._database.close()
        await self._outbox.close()

    def _make_runners(self) -> Iterable[ChunkRunner[CaseChunk]]:
        alert_of, of_alerts = self._decoding(Alert, _unchanged)
        decode_label, of_labels = self._decoding(Label, label_of)
        decoder = CaseDecoder(self._acceptance(), alert_of, decode_label)
        prerequisites: tuple[Prerequisites, ...] = (of_alerts, of_labels, NoPrerequisites())
        for stream, topic, needs in zip(_STREAMS, self.topics, prerequisites, strict=True):
            yield self._runner(stream, topic, decoder, needs)

    def _runner(
        self, stream: Stream, topic: str, decoder: CaseDecoder, needs: Prerequisites
    ) -> ChunkRunner[CaseChunk]:
        def compute(chunks: Sequence[Chunk], _: Stopwatch) -> list[CaseChunk]:
            return [decoder.compute(stream, chunk) for chunk in chunks]

        return ChunkRunner(self._runner_context(topic), compute, self._writes, self._on_durable, needs)

    def _on_applied(self, applied: Applied) -> None:
        count(self.metrics, applied)
        self._publisher.wake()

    def _on_durable(self, finished: Sequence[InFlightChunk[CaseChunk]]) -> None:
        for chunk in (each.computed for each in finished):
            if chunk.stream is Stream.ALERTS:
                self._report_lag(self.topics[0], chunk.partition, chunk.last_offset)
            for entry in chunk.rejected:
                self.metrics.count("dead_letters_total", reason=entry.error.reason)

    def _start_offsets(self, tps: Iterable[TP]) -> dict[TP, int]:
        """The offsets in the database. Called in the Kafka client's thread."""
        with fail_stop("reading the offsets of cases"):
            stored = read_offsets_blocking(self.settings.cases, time.monotonic)
            offsets = offsets_of(stored, self._writes.topic_ids)
            return {tp: offsets[tp.topic, tp.partition] for tp in tps if (tp.topic, tp.partition) in offsets}


def _unchanged(record: Record) -> object:
    return record
