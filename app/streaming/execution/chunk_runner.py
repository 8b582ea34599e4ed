"""Runs the chunks of one topic through a worker: takes them from Faust, computes them, hands them to the order of writes.

Chunks are computed between write rounds. Chunks that arrive while outputs are being sent, of any partition, are computed
together once these are acknowledged, and their outputs go in one request with the changelog of the round before. Most of the cost
of a small chunk does not depend on its size, so a round pays it once for all partitions.

A computation may wait for an answer from outside (features from Redis, say); the next chunks of its partitions then
wait with it. Where a chunk cannot even be begun without an answer (a schema, say), its partition is paused: see
``paused_partitions``.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, NamedTuple

from app.processing.chunk import Chunk
from app.processing.outputs import ComputedChunkT
from app.processing.stopwatch import Stopwatch
from app.streaming.consumer.chunk_events import ChunkEvent, ChunkFlow
from app.streaming.consumer.offset_guard import OffsetGuard
from app.streaming.delivery.fail_stop import fail_stop
from app.streaming.delivery.order_of_writes import InFlightChunk, OrderOfWrites
from app.streaming.execution.batching import ChunkBatch, ChunkQueue, InFlightLimit, compute_groups
from app.streaming.execution.paused_partitions import PausedPartitions
from app.streaming.execution.prerequisites import NoPrerequisites, Prerequisites
from app.streaming.monitoring.health import Health, PartitionName

Compute = Callable[
    [Sequence[Chunk], Stopwatch], Sequence[ComputedChunkT] | Awaitable[Sequence[ComputedChunkT]]
]
"""Computes chunks of different partitions, in their order. Called in the order of each partition's chunks, and not
before the awaited result of the partition's previous chunk is there.
"""


class RunnerContext(NamedTuple):
    """What a worker gives to each of its chunk runners."""

    max_chunk_records: int
    """Up to which waiting chunks of a partition are merged."""
    max_in_flight_records: int
    health: Health
    partition_name: Callable[[int], PartitionName] = int
    """The name of a partition of this topic in the health endpoints."""
    require_restored: Callable[[int], None] = lambda _: None
    """Raises when a partition may not be worked on."""
    on_paused_change: Callable[[int], None] = lambda _: None
    """Receives the number of records that wait for an answer from outside, on every change."""


class ChunkRunner(Generic[ComputedChunkT]):
    """Computes the chunks of one topic. ``on_durable`` receives the chunks of each write round before their acknowledgement."""

    def __init__(
        self,
        context: RunnerContext,
        compute: Compute[ComputedChunkT],
        writes: OrderOfWrites[ComputedChunkT],
        on_durable: Callable[[Sequence[InFlightChunk[ComputedChunkT]]], None],
        prerequisites: Prerequisites | None = None,
    ) -> None:
        self._context = context
        self._compute = compute
        self._writes = writes
        self._on_durable = on_durable
        self._prerequisites = prerequisites or NoPrerequisites()
        self._offset_guard = OffsetGuard()
        self._queue = ChunkQueue(context.max_chunk_records)
        self._limit = InFlightLimit(context.max_in_flight_records)
        self._paused = PausedPartitions(self._queue, self._limit, context.on_paused_change)
        self._awaiting: dict[int, asyncio.Task[None]] = {}
        """By partition, the task that its next chunks wait for."""
        writes.add_listener(self)

    async def accept(self, event: ChunkEvent, consumer: ChunkFlow) -> None:
        """Take over a chunk; wait while too many records are in flight.

        It is computed at once, or with other chunks while a write round runs. A chunk whose partition is being revoked is
        left to the next owner. Raises LogReplaced, ForeignWrite.
        """
        chunk = event.value
        if not consumer.is_current(chunk):
            consumer.untrack(event.message)
            return
        self._offset_guard.check(chunk)
        self._context.require_restored(chunk.partition)
        self._context.health.taken(self._partition_name(chunk), chunk.records[-1].offset)
        await self._paused.admit(chunk, consumer)
        if self._paused.is_abandoned(chunk):
            self._limit.release(chunk.weight)
            consumer.untrack(event.message)
            return
        self.take(event)

    def take(self, event: ChunkEvent) -> None:
        """Compute the chunk of an event that was admitted, now or when its turn comes."""
        self._queue.put(event)
        self._compute_ready()

    def between_rounds(self) -> None:
        """See RoundListener: compute all waiting chunks, so that their outputs go with the next round."""
        self._advance(only_full=False)

    def on_durable(self, chunks: Sequence[InFlightChunk[ComputedChunkT]]) -> None:
        """See RoundListener."""
        for chunk in chunks:
            computed = chunk.computed
            self._limit.release(chunk.weight)
            self._context.health.finished(
                self._context.partition_name(computed.partition), computed.last_offset
            )
        self._on_durable(chunks)

    def stopping(self) -> None:
        """The worker stops: leave paused chunks to the next owner."""
        self._paused.stop()

    def _compute_ready(self) -> None:
        """Compute waiting chunks; during a write round only full ones, which gain nothing from waiting."""
        self._advance(only_full=self._writes.round_under_way)

    def _advance(self, *, only_full: bool) -> None:
        while ready := self._ready(only_full=only_full):
            # Computing the first group begins a write round.
            only_full = True
            for group in compute_groups(ready, self._queue.max_records):
                self._compute_together(group)

    def _ready(self, *, only_full: bool) -> list[ChunkBatch]:
        """Take one chunk of each partition that may be computed now.

        A partition is skipped while its previous chunk awaits an answer: computed side by side, the two would fold
        into the same states.
        """
        ready = []
        for partition in self._queue.partitions():
            if partition in self._awaiting:
                continue
            batch = self._queue.take(partition, only_full=only_full)
            if batch is None:
                continue
            if self._prerequisites.are_met(batch.chunk):
                ready.append(batch)
            else:
                self._awaiting[partition] = asyncio.create_task(self._request_and_compute(batch))
        return ready

    def _compute_together(self, ready: Sequence[ChunkBatch]) -> None:
        stopwatch = Stopwatch(time.perf_counter)
        computed = self._compute([batch.chunk for batch in ready], stopwatch)
        if not isinstance(computed, Awaitable):
            self._write(ready, computed, stopwatch)
            return
        finishing = asyncio.create_task(self._finish(ready, computed, stopwatch))
        for batch in ready:
            self._awaiting[batch.chunk.partition] = finishing

    def _write(
        self, ready: Sequence[ChunkBatch], chunks: Sequence[ComputedChunkT], stopwatch: Stopwatch
    ) -> None:
        records = sum(len(batch.chunk.records) for batch in ready)
        for batch, computed in zip(ready, chunks, strict=True):
            part = stopwatch.part(len(batch.chunk.records) / records)
            self._writes.finish(InFlightChunk(computed, batch.acknowledge, part, self, batch.chunk.weight))

    async def _finish(
        self,
        ready: Sequence[ChunkBatch],
        computing: Awaitable[Sequence[ComputedChunkT]],
        stopwatch: Stopwatch,
    ) -> None:
        with fail_stop("computing chunks"):
            computed = await computing
            for batch in ready:
                del self._awaiting[batch.chunk.partition]
            self._write(ready, computed, stopwatch)
            self._compute_ready()

    async def _request_and_compute(self, batch: ChunkBatch) -> None:
        with fail_stop("computing a chunk"):
            met = await self._wait_for_prerequisites(batch)
            del self._awaiting[batch.chunk.partition]
            if met:
                self._compute_together([batch])
                self._compute_ready()

    async def _wait_for_prerequisites(self, batch: ChunkBatch) -> bool:
        """False when the partition is revoked, or the worker stops, before they are met."""
        chunk = batch.chunk
        if await self._prerequisites.request(chunk):
            return True
        health, name = self._context.health, self._partition_name(chunk)
        with self._paused.pause(batch) as paused:
            while not self._prerequisites.are_met(chunk):
                health.waits_for(name, self._prerequisites.provider)
                if not await paused.wait():
                    return False
                await self._prerequisites.request(chunk)
        health.waits_for(name, "")
        return True

    def _partition_name(self, chunk: Chunk) -> PartitionName:
        return self._context.partition_name(chunk.partition)
