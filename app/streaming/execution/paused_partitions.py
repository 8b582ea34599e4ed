"""Partitions paused until an outside service answers, however long that takes.

All partitions of a worker share its in-flight limit. The records of a paused partition are therefore not counted
against it, and the partition fetches no more. Its chunks are not begun, so neither a rebalance nor a stop has to wait
for them: their next owner reads them again.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import cast

from app.processing.chunk import Chunk
from app.streaming.consumer.chunk_events import ChunkFlow
from app.streaming.execution.batching import ChunkBatch, ChunkQueue, InFlightLimit

FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 5.0
CHECK_SECONDS = 0.25
"""Interval between two checks whether the partition was revoked."""


class PausedPartitions:
    """Of one chunk runner. ``on_change`` receives the number of records that wait in all paused partitions."""

    def __init__(self, queue: ChunkQueue, limit: InFlightLimit, on_change: Callable[[int], None]) -> None:
        self._queue = queue
        self._limit = limit
        self._on_change = on_change
        self._waiting_records: dict[int, int] = {}
        """Of each paused partition, by weight."""
        self._abandoned: dict[int, int | None] = {}
        """By partition, the fetch epoch whose chunks are no longer computed here."""
        self._stopping = asyncio.Event()
        self._consumer: ChunkFlow | None = None

    def is_abandoned(self, chunk: Chunk) -> bool:
        """True when earlier chunks of the same fetch epoch were left to the next owner.

        Computing this one would commit an offset past records that were not computed.
        """
        return chunk.partition in self._abandoned and self._abandoned[chunk.partition] == chunk.fetch_epoch

    async def admit(self, chunk: Chunk, consumer: ChunkFlow) -> None:
        """Count the chunk's records: against the in-flight limit, waiting for it, unless its partition is paused."""
        self._consumer = consumer
        if chunk.partition not in self._waiting_records:
            await self._limit.acquire(chunk.weight)
            if chunk.partition not in self._waiting_records:
                return
            # The partition was paused while this chunk waited for the limit.
            self._limit.release(chunk.weight)
        self._waiting_records[chunk.partition] += chunk.weight
        self._report()

    def stop(self) -> None:
        """End all waiting: paused chunks are left to the next owner."""
        self._stopping.set()

    @contextmanager
    def pause(self, batch: ChunkBatch) -> Iterator["PausedChunk"]:
        """Pause the partition of an admitted chunk that cannot be begun yet; resume it at the end of the block."""
        consumer = cast(ChunkFlow, self._consumer)  # set when the chunk was admitted
        partition = batch.chunk.partition
        message = batch.events[0].message
        self._waiting_records[partition] = batch.chunk.weight + self._queue.weight(partition)
        self._limit.release(self._waiting_records[partition])
        consumer.pause(message)
        self._report()
        paused = PausedChunk(batch.chunk, consumer, self._stopping)
        try:
            yield paused
        finally:
            waiting_records = self._waiting_records.pop(partition)
            self._report()
            if paused.revoked:
                self._abandon(batch, consumer)
            else:
                self._limit.add(waiting_records)
                consumer.resume(message)

    def _report(self) -> None:
        self._on_change(sum(self._waiting_records.values()))

    def _abandon(self, batch: ChunkBatch, consumer: ChunkFlow) -> None:
        partition = batch.chunk.partition
        self._abandoned[partition] = batch.chunk.fetch_epoch
        for event in [*batch.events, *self._queue.remove(partition)]:
            consumer.untrack(event.message)


class PausedChunk:
    """One chunk that waits to be begun."""

    def __init__(self, chunk: Chunk, consumer: ChunkFlow, stopping: asyncio.Event) -> None:
        self._chunk = chunk
        self._consumer = consumer
        self._stopping = stopping
        self._seconds = FIRST_PAUSE_SECONDS

    @property
    def revoked(self) -> bool:
        """True when this worker must not compute the chunk any more."""
        return self._stopping.is_set() or not self._consumer.is_current(self._chunk)

    async def wait(self) -> bool:
        """Wait before the next attempt, longer each time; False once the chunk is revoked."""
        left_seconds, self._seconds = self._seconds, min(2 * self._seconds, LONGEST_PAUSE_SECONDS)
        while left_seconds > 0 and not self.revoked:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), min(left_seconds, CHECK_SECONDS))
            left_seconds -= CHECK_SECONDS
        return not self.revoked
