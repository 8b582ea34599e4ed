"""Publishes the changes of cases that wait in the outbox."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from psycopg import AsyncConnection

from app.adapters.kafka.partitioner import partitions_of
from app.adapters.kafka.records import OutRecord, TopicBatch
from app.adapters.postgres.database import Database
from app.adapters.postgres.outbox import Waiting, count_waiting, drain, remove_published
from app.metrics import Metrics
from app.processing.case_work import change_record
from app.settings import Settings
from app.streaming.delivery.fail_stop import fail_stop
from app.streaming.delivery.order_of_writes import Sender

HOUR_MS = 3_600_000


class OutboxPublisher:
    """Drains the outbox until cancelled. Of several workers one drains at a time, which keeps the order of each case's changes."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        sender: Sender,
        metrics: Metrics,
        clock_ms: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._database = database
        self._sender = sender
        self._metrics = metrics
        self._clock_ms = clock_ms
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Changes were written by this worker: publish them without the pause."""
        self._wake.set()

    async def run(self, guard: Callable[[], None]) -> None:
        """``guard`` raises where this process may not write any more."""
        cases = self._settings.cases
        with fail_stop("publishing changes of cases"):
            while True:
                self._wake.clear()
                published = await self._database.run(lambda connection: self._round(connection, guard))
                self._metrics.count("cases_changes_total", published)
                if not published:
                    await self._pause(cases.outbox_poll_seconds)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _round(self, connection: AsyncConnection[Any], guard: Callable[[], None]) -> int:
        cases, now_ms = self._settings.cases, self._clock_ms()

        async def publish(waiting: Sequence[Waiting]) -> None:
            await self._sender.send_all(self._batches(waiting), guard)

        published = await drain(connection, publish, cases.outbox_batch, now_ms)
        if published:
            await remove_published(connection, now_ms - round(cases.outbox_keep_hours * HOUR_MS))
        self._metrics.gauge("cases_outbox_waiting", await count_waiting(connection))
        return published

    def _batches(self, waiting: Sequence[Waiting]) -> list[TopicBatch]:
        topics = self._settings.topics
        records: dict[int, list[OutRecord]] = {}
        places = partitions_of([change.case_id.encode() for change in waiting], topics.partitions)
        for change, place in zip(waiting, places.tolist(), strict=True):
            record = change_record(change.case_id, change.version, change.body)
            records.setdefault(place, []).append(record)
        return [TopicBatch(topics.cases, place, own) for place, own in records.items()]
