"""The rows of one partition before they are written to files: collected from chunks, counted often, written rarely.

A chunk is released as soon as its rows are in the buffer, so a rebalance does not wait for buffered rows: the next owner
reads them again. While rows are counted or written the last chunk is tracked, and a rebalance waits. Rows of an older
fetch epoch are discarded.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, cast

import pyarrow as pa
import structlog

from app.adapters.kafka.records import Record
from app.adapters.parquet_sink.day_figures import DayFigureFiles
from app.adapters.parquet_sink.day_files import DayFiles
from app.adapters.parquet_sink.progress_files import OffsetRange
from app.adapters.parquet_sink.repeats import Reached, marked
from app.adapters.parquet_sink.row_schemas import Feed
from app.errors import LogReplaced
from app.metrics import Metrics
from app.processing.chunk import Chunk
from app.streaming.consumer.chunk_events import ChunkEvent, ChunkTracking
from app.streaming.consumer.offset_guard import OffsetGuard

_log = structlog.get_logger("analytics")


class BufferContext(NamedTuple):
    """Shared by the buffers of a worker."""

    files: DayFiles
    figures: DayFigureFiles
    metrics: Metrics
    roll_rows: int
    roll_seconds: float
    clock: Callable[[], float]
    guard: Callable[[], None]
    """Raises if this process may not write any more."""
    source_end: Callable[[Chunk, int], Awaitable[int | None]]
    """The end of the partition of transactions that decisions up to a source offset are about, see SourceExtent. None if the chunk is
    left to the next owner before the brokers answer.
    """


class ParquetBuffer:
    """Buffers one partition of one feed. A lock serializes its methods."""

    def __init__(self, feed: Feed, partition: int, context: BufferContext) -> None:
        self._feed = feed
        self._partition = partition
        self._context = context
        self._busy = asyncio.Lock()
        self._offset_guard = OffsetGuard()
        self._fetch_epoch: int | None = None
        self._abandoned = False
        """A chunk of this fetch epoch was left to the next owner, so that all later ones are."""
        self._reached = Reached()
        self._next_offset = 0
        self._first_offset = 0
        self._since = 0.0
        self._rows: list[pa.RecordBatch] = []
        self._uncounted: list[pa.RecordBatch] = []
        self._count = 0
        self._event: ChunkEvent | None = None

    async def add(self, event: ChunkEvent, consumer: ChunkTracking) -> None:
        """Add the rows of a chunk; waits while rows are being counted or written."""
        async with self._busy:
            chunk = event.value
            if not consumer.is_current(chunk):
                consumer.untrack(event.message)
                return
            self._offset_guard.check(chunk)
            if chunk.fetch_epoch != self._fetch_epoch:
                self._start_epoch(chunk.fetch_epoch)
            self._require_ahead(chunk.records[0].offset)
            is_added = await self._append(event, consumer)
            consumer.untrack(event.message)
            # The event is kept until it is acknowledged; its records are not needed any more and take memory.
            cast(list[Record], chunk.records).clear()
            if is_added and self._count >= self._context.roll_rows:
                await self._roll(event, consumer)

    async def _append(self, event: ChunkEvent, consumer: ChunkTracking) -> bool:
        """Append the rows of a chunk; False if they are left to the next owner."""
        chunk = event.value
        rows = self._feed.parse(chunk.records, self._reached.decided_to)
        source_end = await self._context.source_end(chunk, rows.decided_to)
        self._abandoned |= source_end is None
        if source_end is None or self._abandoned or not consumer.is_current(chunk):
            return False
        batch, self._reached, beyond = marked(rows, self._reached, source_end)
        if self._event is None:
            self._first_offset, self._since = chunk.records[0].offset, self._context.clock()
        self._rows.append(batch)
        self._uncounted.append(batch)
        self._count += batch.num_rows
        self._next_offset, self._event = chunk.records[-1].offset + 1, event
        self._count_metrics(batch.num_rows, beyond, rows.unreadable)
        return True

    async def flush_due(self, consumer: ChunkTracking) -> None:
        """Count new rows; write all rows if the oldest has waited for ``roll_seconds``."""
        async with self._busy:
            event = self._event
            if event is None:
                return
            if self._context.clock() - self._since >= self._context.roll_seconds:
                await self._roll(event, consumer)
            elif self._uncounted:
                with self._held(event, consumer) as is_current:
                    if is_current:
                        await asyncio.to_thread(self._count_rows)

    async def _roll(self, event: ChunkEvent, consumer: ChunkTracking) -> None:
        with self._held(event, consumer) as is_current:
            if is_current:
                await asyncio.to_thread(self._write)
                event.ack()
        self._empty()

    @contextmanager
    def _held(self, event: ChunkEvent, consumer: ChunkTracking) -> Iterator[bool]:
        """Make a rebalance wait for the last chunk. Yields False if the partition is being revoked already."""
        consumer.track(event.message)
        is_current = consumer.is_current(event.value)
        if not is_current:
            self._empty()
        try:
            yield is_current
        finally:
            consumer.untrack(event.message)

    def _count_rows(self) -> None:
        if self._uncounted:
            rows = pa.Table.from_batches(self._uncounted)
            self._uncounted = []
            if len(rows):
                self._context.guard()
                self._context.figures.count(self._feed, self._partition, rows, self._next_offset)

    def _write(self) -> None:
        self._count_rows()  # first: rows in files are never counted again
        offsets = OffsetRange(self._feed.name, self._partition, self._first_offset, self._next_offset - 1)
        context, rows = self._context, pa.Table.from_batches(self._rows)
        written = context.files.write(offsets, rows, self._reached, context.guard)
        context.metrics.count("day_files_total", written, table=self._feed.name)

    def _start_epoch(self, fetch_epoch: int | None) -> None:
        """Reassigned: continue after the rows in files, and clear the buffer. Another owner may have written its rows."""
        progress = self._context.files.take_over(self._feed.name, self._partition)
        self._fetch_epoch, self._abandoned = fetch_epoch, False
        self._reached, self._next_offset = progress.reached, progress.next_offset
        self._empty()

    def _empty(self) -> None:
        self._rows, self._uncounted = [], []
        self._count = 0
        self._event = None

    def _require_ahead(self, offset: int) -> None:
        if offset < self._next_offset:
            raise LogReplaced(
                f"{self._feed.name}, partition {self._partition}: received offset {offset}, but all before "
                f"{self._next_offset} are stored. The topic was deleted and created again, or truncated"
            )

    def _count_metrics(self, rows: int, beyond: int, unreadable: Sequence[int]) -> None:
        metrics, name = self._context.metrics, self._feed.name
        metrics.count("rows_total", rows - beyond, table=name, result="stored")
        metrics.count("rows_total", beyond, table=name, result="unknown_source")
        metrics.count("rows_total", len(unreadable), table=name, result="unreadable")
        if unreadable:  # once for a chunk: anyone with the right to write could fill a log
            first = f"{self._partition}:{unreadable[0]}"
            _log.warning("rows_unreadable", table=name, records=len(unreadable), first=first)
