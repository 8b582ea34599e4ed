"""Rows of one partition on their way into files: gathered from its chunks, counted often, written now and then.

A chunk is left as soon as its rows are taken, so that a rebalance waits for none that only lies here: its next owner
reads it again. While rows are counted or written the last chunk is held, and a rebalance does wait. What partitions
leave behind when they go is dropped by its fetch epoch.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, cast

import pyarrow as pa

from app.adapters.kafka.records import Record
from app.adapters.parquet_sink.day_figures import DayFigureFiles
from app.adapters.parquet_sink.day_files import DayFiles, OffsetRange
from app.adapters.parquet_sink.row_schemas import Feed
from app.errors import LogReplaced
from app.metrics import Metrics
from app.streaming.consumer.chunk_events import ChunkEvent, ChunkTracking


class Cabinet(NamedTuple):
    """What all shelves of a worker share."""

    files: DayFiles
    figures: DayFigureFiles
    metrics: Metrics
    roll_rows: int
    roll_seconds: float
    clock: Callable[[], float]
    guard: Callable[[], None]
    """Raises when this process may not write any more."""


class Shelf:
    """One partition of one feed. Nothing of two chunks happens at once."""

    def __init__(self, feed: Feed, partition: int, cabinet: Cabinet) -> None:
        self._feed = feed
        self._partition = partition
        self._cabinet = cabinet
        self._busy = asyncio.Lock()
        self._fetch_epoch: int | None = None
        self._decided_to = -1
        self._next_offset = 0
        self._first_offset = 0
        self._since = 0.0
        self._rows: list[pa.RecordBatch] = []
        self._uncounted: list[pa.RecordBatch] = []
        self._count = 0
        self._event: ChunkEvent | None = None

    async def put(self, event: ChunkEvent, consumer: ChunkTracking) -> None:
        """Take the rows of an event's chunk; waits while rows are being written."""
        async with self._busy:
            chunk = event.value
            if not consumer.is_current(chunk):
                consumer.untrack(event.message)
                return
            if chunk.fetch_epoch != self._fetch_epoch:
                self._begin(chunk.fetch_epoch)
            first_offset, last_offset = chunk.records[0].offset, chunk.records[-1].offset
            self._require_ahead(first_offset)
            rows = self._feed.parse(chunk.records, self._decided_to)
            if self._event is None:
                self._first_offset, self._since = first_offset, self._cabinet.clock()
            self._rows.append(rows.batch)
            self._uncounted.append(rows.batch)
            self._count += rows.batch.num_rows
            self._decided_to, self._next_offset, self._event = rows.decided_to, last_offset + 1, event
            self._tell(rows.batch.num_rows, rows.unreadable)
            consumer.untrack(event.message)
            cast(
                list[Record], chunk.records
            ).clear()  # the event lives until it is acknowledged; its records need not
            if self._count >= self._cabinet.roll_rows:
                await self._roll(event, consumer)

    async def tick(self, consumer: ChunkTracking) -> None:
        """Count what has come; write it when it has waited long enough."""
        async with self._busy:
            event = self._event
            if event is None:
                return
            if self._cabinet.clock() - self._since >= self._cabinet.roll_seconds:
                await self._roll(event, consumer)
            elif self._uncounted:
                with self._held(event, consumer) as ours:
                    if ours:
                        await asyncio.to_thread(self._count_rows)

    async def _roll(self, event: ChunkEvent, consumer: ChunkTracking) -> None:
        with self._held(event, consumer) as ours:
            if ours:
                await asyncio.to_thread(self._write)
                event.ack()
        self._empty()

    @contextmanager
    def _held(self, event: ChunkEvent, consumer: ChunkTracking) -> Iterator[bool]:
        """A rebalance waits for the last chunk, and all before it. False when its partition moves already."""
        consumer.track(event.message)
        ours = consumer.is_current(event.value)
        if not ours:
            self._empty()
        try:
            yield ours
        finally:
            consumer.untrack(event.message)

    def _count_rows(self) -> None:
        if self._uncounted:
            rows = pa.Table.from_batches(self._uncounted)
            self._uncounted = []
            if len(rows):
                self._cabinet.guard()
                self._cabinet.figures.count(self._feed, self._partition, rows, self._next_offset)

    def _write(self) -> None:
        """What is in files is counted."""
        self._count_rows()
        stretch = OffsetRange(self._feed.name, self._partition, self._first_offset, self._next_offset - 1)
        cabinet, rows = self._cabinet, pa.Table.from_batches(self._rows)
        written = cabinet.files.write(stretch, rows, self._decided_to, cabinet.guard)
        cabinet.metrics.count("day_files_total", written, table=self._feed.name)

    def _begin(self, fetch_epoch: int | None) -> None:
        """The partition is ours anew: whatever lies here is somebody's who went on without us."""
        progress = self._cabinet.files.take_over(self._feed.name, self._partition)
        self._fetch_epoch, self._decided_to, self._next_offset = (
            fetch_epoch,
            progress.decided_to,
            progress.next_offset,
        )
        self._empty()

    def _empty(self) -> None:
        self._rows, self._uncounted = [], []
        self._count = 0
        self._event = None

    def _require_ahead(self, offset: int) -> None:
        if offset < self._next_offset:
            raise LogReplaced(
                f"{self._feed.name}, partition {self._partition}: offset {offset} comes, and everything before "
                f"{self._next_offset} is read: the topic was deleted and made again, or cut"
            )

    def _tell(self, stored: int, unreadable: int) -> None:
        metrics, name = self._cabinet.metrics, self._feed.name
        metrics.count("rows_total", stored, table=name, result="stored")
        metrics.count("rows_total", unreadable, table=name, result="unreadable")
