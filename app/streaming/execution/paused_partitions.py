"""Partitions that cannot go on without an answer from elsewhere, for as long as that takes.

Others share this worker's room, so what a held partition has fetched stands outside of it, and it fetches nothing
more. Its chunks are not begun, so that a rebalance or a stop need not wait for them: they are left to the next owner.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from faust.types import TP

from app.processing.chunk import Chunk
from app.streaming.consumer.chunk_consumer import ChunkConsumer
from app.streaming.execution.batching import ChunkBatch, ChunkQueue, InFlightLimit

FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 5.0
LOOK_SECONDS = 0.25
"""How soon it is noticed that the partition moves."""


class PausedPartitions:
    """Of one line."""

    def __init__(self, waiting: ChunkQueue, room: InFlightLimit) -> None:
        self._waiting = waiting
        self._room = room
        self._outside: dict[int, int] = {}
        """Records of each held partition."""
        self._left: dict[int, int | None] = {}
        """By partition, the stand whose chunks are not computed here any more."""
        self._stopping = asyncio.Event()
        self._consumer: ChunkConsumer
        self.on_change: Callable[[int], None] = lambda _: None
        """Told how many records wait in all."""

    def has_left(self, chunk: Chunk) -> bool:
        """Whether chunks before this one were left: to compute it would leave a hole behind it."""
        return chunk.partition in self._left and self._left[chunk.partition] == chunk.stand

    async def enter(self, chunk: Chunk, consumer: ChunkConsumer) -> None:
        """Wait for room, where the partition is not held."""
        self._consumer = consumer
        if chunk.partition not in self._outside:
            await self._room.enter(len(chunk.records))
            if chunk.partition not in self._outside:
                return
            self._room.leave(len(chunk.records))  # held, while the chunk stood at the door
        self._outside[chunk.partition] += len(chunk.records)
        self._tell()

    def stop(self) -> None:
        """Nothing is waited for any more."""
        self._stopping.set()

    @contextmanager
    def hold(self, batch: ChunkBatch) -> Iterator["PausedChunk"]:
        """Hold the partition of a chunk that cannot be begun yet."""
        # Faust takes no other kind of pair among those that it fetches, and the client's is another.
        partition, place = batch.chunk.partition, {TP(*batch.events[0].message.tp)}
        self._outside[partition] = len(batch.chunk.records) + self._waiting.records(partition)
        self._room.leave(self._outside[partition])
        self._consumer.pause_partitions(place)
        self._tell()
        held = PausedChunk(batch.chunk, self._consumer, self._stopping)
        try:
            yield held
        finally:
            outside = self._outside.pop(partition)
            self._tell()
            if held.moved:
                self._leave(batch)
            else:
                self._room.put(outside)
                self._consumer.resume_partitions(place)

    def _tell(self) -> None:
        self.on_change(sum(self._outside.values()))

    def _leave(self, batch: ChunkBatch) -> None:
        partition = batch.chunk.partition
        self._left[partition] = batch.chunk.stand
        for event in [*batch.events, *self._waiting.drop(partition)]:
            self._consumer.leave(event.message)


class PausedChunk:
    """One chunk that waits to be begun."""

    def __init__(self, chunk: Chunk, consumer: Any, stopping: asyncio.Event) -> None:
        self._chunk = chunk
        self._consumer = consumer
        self._stopping = stopping
        self._seconds = FIRST_PAUSE_SECONDS

    @property
    def moved(self) -> bool:
        """It is not this worker's to compute any more."""
        return self._stopping.is_set() or not self._consumer.is_current(self._chunk)

    async def pause(self) -> bool:
        """Wait before the next attempt, longer each time; False once it is left."""
        left_seconds, self._seconds = self._seconds, min(2 * self._seconds, LONGEST_PAUSE_SECONDS)
        while left_seconds > 0 and not self.moved:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), min(left_seconds, LOOK_SECONDS))
            left_seconds -= LOOK_SECONDS
        return not self.moved
