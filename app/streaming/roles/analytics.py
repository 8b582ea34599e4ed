"""The worker of the role "analytics": it writes decisions and labels to Parquet files by day, and counts each day's figures.

It has no table. After a restart it reads on from the end of its files, not from the committed offsets: see
docs/data/groups.md.
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
from app.streaming.execution.source_ends_reader import SourceEndsReader
from app.streaming.execution.source_extent import PROVIDER, SourceExtent
from app.streaming.monitoring.health import PartitionName
from app.streaming.roles.parquet_buffer import BufferContext, ParquetBuffer
from app.streaming.roles.worker import Worker

_log = structlog.get_logger("analytics")


WAIT_SECONDS = 1.0
"""Pause between two requests to a registry, or to brokers, that do not answer."""


class AnalyticsWorker(Worker):
    """Keeps the figures of a day at most FRAUDSTREAM_ANALYTICS_REPORT_SECONDS behind the records that it has read."""

    def __init__(self, settings: Settings, app: faust.App) -> None:
        topics, analytics = settings.topics, settings.analytics
        super().__init__(settings, app, (topics.decisions, topics.labels))
        self._feeds: dict[str, Feed] = {topics.decisions: DECISIONS, topics.labels: LABELS}
        self._files = DayFiles(Path(analytics.dir))
        self._sources = SourceExtent(SourceEndsReader(settings.kafka, topics.transactions))
        self._context = BufferContext(
            self._files,
            DayFigureFiles(Path(analytics.dir)),
            self.metrics,
            analytics.roll_rows,
            analytics.roll_seconds,
            time.monotonic,
            self._check_may_write,
            self._source_end,
        )
        self._buffers: dict[TP, ParquetBuffer] = {}

    async def start(self) -> None:
        """See Worker."""
        topics = self.settings.topics
        await self._check_prerequisites()
        ids = await self._look_up_topic_ids()
        self._formats = {
            topics.decisions: self._decoding(Decision, _unchanged),
            topics.labels: self._decoding(Label, _unchanged),
        }
        for topic, feed in self._feeds.items():
            self._files.bind(feed.name, topic, str(ids[topic]))
        cast(ChunkTransport, self._app.transport).start_offsets = self._start_offsets
        self._start_monitoring()
        self._background.append(asyncio.create_task(self._flush_buffers()))
        _log.info("started", role="analytics")

    def on_restored(self) -> None:
        """See Worker."""
        self._on_partitions_revoked()  # no table calls it here: tables do at the start of a rebalance
        super().on_restored()

    async def accept(self, event: ChunkEvent) -> None:
        """See Worker."""
        chunk, message = event.value, event.message
        partition, last_offset = self.partition_names.of(message.topic, chunk.partition), message.offset
        self.health.taken(partition, last_offset)
        self.metrics.observe("chunk_events", len(chunk.records))
        if not await self._convert_to_json(message.topic, chunk, partition):
            self._consumer.untrack(message)
            return
        await self._buffer(TP(message.topic, message.partition)).add(event, self._consumer)
        self.health.finished(partition, last_offset)
        if message.topic == self.settings.topics.decisions:
            self._report_lag(message.topic, chunk.partition, last_offset)

    async def _convert_to_json(self, topic: str, chunk: Chunk, partition: PartitionName) -> bool:
        """Convert the values of a chunk to JSON, after its schemas have arrived.

        False if the partition is revoked, or the worker stops, before they arrive.
        """
        if self._registry is None:
            return True
        if self.health.is_stopping:  # an earlier chunk may have been left: this one's rows would follow a gap
            return False
        decode, prerequisites = self._formats[topic]
        while not prerequisites.are_met(chunk) and not await prerequisites.request(chunk):
            self.health.waits_for(partition, prerequisites.provider)
            await asyncio.sleep(WAIT_SECONDS)
            if not self._consumer.is_current(chunk) or self.health.is_stopping:
                return False
        self.health.waits_for(partition, "")
        cast(list[Record], chunk.records)[:] = [_with_json(record, decode) for record in chunk.records]
        return True

    async def _source_end(self, chunk: Chunk, offset: int) -> int | None:
        """See BufferContext."""
        partition = self.partition_names.of(self.settings.topics.decisions, chunk.partition)

        def is_known() -> bool:
            return offset < self._sources.ends.end(chunk.partition)

        if not is_known():
            while not await self._sources.refresh(is_known):
                self.health.waits_for(partition, PROVIDER)
                await asyncio.sleep(WAIT_SECONDS)
                if not self._consumer.is_current(chunk) or self.health.is_stopping:
                    return None
            self.health.waits_for(partition, "")
        return self._sources.ends.end(chunk.partition)

    async def stop(self) -> None:
        """See Worker."""
        await self._sources.close()
        await super().stop()

    def _buffer(self, tp: TP) -> ParquetBuffer:
        if tp not in self._buffers:
            self._buffers[tp] = ParquetBuffer(self._feeds[tp.topic], tp.partition, self._context)
        return self._buffers[tp]

    async def _flush_buffers(self) -> None:
        with fail_stop("updating the figures of the day"):
            while True:
                await asyncio.sleep(self.settings.analytics.report_seconds)
                for buffer in list(self._buffers.values()):
                    await buffer.flush_due(self._consumer)

    def _start_offsets(self, tps: Iterable[TP]) -> dict[TP, int]:
        """The offsets after the last rows in files. Called in the Kafka client's thread."""
        with fail_stop("reading the end of the files"):
            found = {tp: self._files.progress(self._feeds[tp.topic].name, tp.partition) for tp in tps}
        return {tp: progress.next_offset for tp, progress in found.items() if progress.next_offset}


def _unchanged(record: Record) -> object:
    return record


def _with_json(record: Record, decode: Callable[[Record], object]) -> Record:
    """The record with its value as JSON. A value that cannot be decoded stays; the parser counts it as unreadable."""
    try:
        decoded = decode(record)
    except InvalidEvent:
        return record
    return record if decoded is record else replace(cast(Any, record), value=msgspec.json.encode(decoded))
