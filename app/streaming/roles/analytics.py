"""The worker of the role "analytics": decisions and labels into Parquet by day, and each day's report as it goes on.

It has no table. Its files say where reading goes on, not what the group has committed: docs/data/groups.md.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import faust
import msgspec
import structlog
from faust.types import TP

from app.adapters.kafka.records import Record
from app.adapters.parquet_sink.day_figures import DayFigureFiles
from app.adapters.parquet_sink.day_files import DayFiles
from app.adapters.parquet_sink.row_schemas import DECISIONS, LABELS, Feed
from app.domain.decision import Decision
from app.domain.label import Label
from app.errors import InvalidEvent
from app.processing.chunk import Chunk
from app.settings import Settings
from app.streaming.consumer.chunk_events import ChunkEvent
from app.streaming.consumer.chunk_transport import ChunkTransport
from app.streaming.delivery.fail_stop import fail_stop
from app.streaming.monitoring.health import Lane
from app.streaming.roles.parquet_buffer import Cabinet, Shelf
from app.streaming.roles.worker import Role

_log = structlog.get_logger("analytics")


WAIT_SECONDS = 1.0
"""Between two questions to a registry that gives no answer."""


class AnalyticsWorker(Role):
    """A day's figures are at most FRAUDSTREAM_ANALYTICS_REPORT_SECONDS behind what it has read."""

    def __init__(self, settings: Settings, app: faust.App) -> None:
        topics, ours = settings.topics, settings.analytics
        super().__init__(settings, app, (topics.decisions, topics.labels))
        self._feeds: dict[str, Feed] = {topics.decisions: DECISIONS, topics.labels: LABELS}
        self._files = DayFiles(Path(ours.dir))
        self._cabinet = Cabinet(
            self._files,
            DayFigureFiles(Path(ours.dir)),
            self.metrics,
            ours.roll_rows,
            ours.roll_seconds,
            time.monotonic,
            self._fence.check,
        )
        self._shelves: dict[TP, Shelf] = {}

    async def start(self) -> None:
        """See Role.start."""
        topics = self.settings.topics
        await self._check()
        ids = await self._know_logs()
        self._formats = {
            topics.decisions: self._reading(Decision, _as_it_is),
            topics.labels: self._reading(Label, _as_it_is),
        }
        for topic, feed in self._feeds.items():
            self._files.bind(feed.name, topic, str(ids[topic]))
        cast(ChunkTransport, self._app.transport).start_offsets = self._start_offsets
        self._stand()
        self._beside.append(asyncio.create_task(self._tick()))
        _log.info("started", role="analytics")

    def on_restored(self) -> None:
        """See Role.on_restored."""
        self._forget()
        super().on_restored()

    async def accept(self, event: ChunkEvent) -> None:
        """See Role.accept."""
        chunk, message = event.value, event.message
        lane, last_offset = self.lanes.of(message.topic, chunk.partition), message.offset
        self.health.taken(lane, last_offset)
        self.metrics.observe("chunk_events", len(chunk.records))
        if not await self._in_json(message.topic, chunk, lane):
            self._consumer.untrack(message)
            return
        await self._shelf(TP(message.topic, message.partition)).put(event, self._consumer)
        self.health.finished(lane, last_offset)
        if message.topic == self.settings.topics.decisions:
            self._tell_lag(message.topic, chunk.partition, last_offset)

    async def _in_json(self, topic: str, chunk: Chunk, lane: Lane) -> bool:
        """Make JSON of the chunk's values. Waits for the schemas that they name; False when the partition has moved
        first.
        """
        if self._registry is None:
            return True
        if self.health.is_stopping:  # one before it may have been left: its rows would lie behind a hole
            return False
        decode, needs = self._formats[topic]
        while not needs.are_met(chunk) and not await needs.request(chunk):
            self.health.waits_for(lane, needs.provider)
            await asyncio.sleep(WAIT_SECONDS)
            if not self._consumer.is_current(chunk) or self.health.is_stopping:
                return False
        self.health.waits_for(lane, "")
        cast(list[Record], chunk.records)[:] = [_with_json(record, decode) for record in chunk.records]
        return True

    def _shelf(self, tp: TP) -> Shelf:
        if tp not in self._shelves:
            self._shelves[tp] = Shelf(self._feeds[tp.topic], tp.partition, self._cabinet)
        return self._shelves[tp]

    async def _tick(self) -> None:
        with fail_stop("keeping the day's figures"):
            while True:
                await asyncio.sleep(self.settings.analytics.report_seconds)
                for shelf in list(self._shelves.values()):
                    await shelf.tick(self._consumer)

    def _start_offsets(self, tps: Iterable[TP]) -> dict[TP, int]:
        """Called in the Kafka client's thread."""
        with fail_stop("finding where the files end"):
            found = {tp: self._files.progress(self._feeds[tp.topic].name, tp.partition) for tp in tps}
        return {tp: progress.next_offset for tp, progress in found.items() if progress.next_offset}


def _as_it_is(record: Record) -> object:
    return record


def _with_json(record: Record, decode: Callable[[Record], object]) -> Record:
    """The record with its value in JSON. What cannot be read stays as it is, and is counted where it is parsed."""
    try:
        found = decode(record)
    except InvalidEvent:
        return record
    return record if found is record else replace(cast(Any, record), value=msgspec.json.encode(found))
