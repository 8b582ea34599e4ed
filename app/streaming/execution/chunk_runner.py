"""One topic's chunks on their way through a worker: taken over from Faust, computed, handed to the order of writes.

Chunks go in rounds. What all partitions receive while outputs are on their way is computed together when these have
arrived, and its outputs travel in one request with the changelog of the round before. Of a small chunk most of the
cost does not depend on its size; a round pays it once.

What chunks become may take an answer from elsewhere first; their partitions wait for that. Where a chunk cannot even
be begun without the answer, its partition is held: it fetches nothing more and takes no room from others, as long as
it takes.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic

from app.processing.chunk import Chunk
from app.processing.outputs import ComputedChunkT
from app.processing.stopwatch import Stopwatch
from app.streaming.consumer.chunk_consumer import ChunkConsumer
from app.streaming.consumer.offset_guard import OffsetGuard
from app.streaming.delivery.fail_stop import fail_stop
from app.streaming.delivery.order_of_writes import OrderOfWrites
from app.streaming.execution.batching import ChunkBatch, ChunkQueue, InFlightLimit, compute_groups
from app.streaming.execution.paused_partitions import PausedPartitions
from app.streaming.execution.prerequisites import NoPrerequisites, Prerequisites
from app.streaming.monitoring.health import Health, Lane

Compute = Callable[
    [Sequence[Chunk], Stopwatch], Sequence[ComputedChunkT] | Awaitable[Sequence[ComputedChunkT]]
]
"""Chunks of different partitions become works, in their order. Called in the order of each partition's chunks, and not
before what was awaited for the one before is there.
"""


class ChunkRunner(Generic[ComputedChunkT]):
    """``require`` raises when a chunk's partition may not be worked on; ``lane`` is its partition's name for the
    health.
    """

    def __init__(
        self,
        waiting: ChunkQueue,
        room: InFlightLimit,
        health: Health,
        compute: Compute[ComputedChunkT],
        lane: Callable[[int], Lane] = int,
        require: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.writes: OrderOfWrites[ComputedChunkT]
        self.needs: Prerequisites = NoPrerequisites()
        self._log = OffsetGuard()
        self._waiting = waiting
        self._room = room
        self._health = health
        self._compute = compute
        self._lane = lane
        self._require = require
        self._awaiting: dict[int, asyncio.Task[None]] = {}
        self._holding = PausedPartitions(waiting, room)

    async def accept(self, event: Any, consumer: ChunkConsumer) -> None:
        """Take over the event's chunk: computed at once, or together with what comes while a round is under way. Waits
        while too many records are in flight. A chunk whose partition moves is left to its next owner.
        """
        chunk = event.value
        if not consumer.is_current(chunk):
            consumer.leave(event.message)
            return
        self._log.follow(chunk)
        self._require(chunk.partition)
        self._health.taken(self._lane(chunk.partition), chunk.records[-1].offset)
        await self._holding.enter(chunk, consumer)
        if self._holding.has_left(chunk):  # those before it were not computed
            self._room.leave(len(chunk.records))
            consumer.leave(event.message)
            return
        self.take(event)

    def take(self, event: Any) -> None:
        """The chunk of an event that has found room."""
        self._waiting.put(event)
        self._go_on()

    def advance(self) -> None:
        """Between two rounds: compute what waits, so that its outputs go with the next."""
        self._advance(only_full=False)

    def finished(self, partition: int, last_offset: int, records: int) -> None:
        """A chunk of so many records is durable."""
        self._room.leave(records)
        self._health.finished(self._lane(partition), last_offset)

    def on_paused_change(self, tell: Callable[[int], None]) -> None:
        """Have it told how many records wait for an answer from elsewhere, whenever that changes."""
        self._holding.on_change = tell

    def stopping(self) -> None:
        """What is held is left to the next owner."""
        self._holding.stop()

    def _go_on(self) -> None:
        """While a round is under way only full chunks are computed: these gain nothing from waiting."""
        self._advance(only_full=self.writes.under_way)

    def _advance(self, *, only_full: bool) -> None:
        """Compute what waits and start its writes."""
        while ready := self._ready(only_full=only_full):
            only_full = True
            for together in compute_groups(ready, self._waiting.max_records):
                self._compute_together(together)

    def _ready(self, *, only_full: bool) -> list[ChunkBatch]:
        """One chunk of each partition that may be computed now."""
        ready = []
        for partition in self._waiting.partitions():
            if partition in self._awaiting:
                continue
            batch = self._waiting.take(partition, only_full=only_full)
            if batch is None:
                continue
            if self.needs.are_met(batch.chunk):
                ready.append(batch)
            else:
                self._awaiting[partition] = asyncio.create_task(self._ask_and_compute(batch))
        return ready

    def _compute_together(self, ready: Sequence[ChunkBatch]) -> None:
        watch = Stopwatch(time.perf_counter)
        computed = self._compute([batch.chunk for batch in ready], watch)
        if not isinstance(computed, Awaitable):
            self._write(ready, computed, watch)
            return
        finishing = asyncio.create_task(self._finish(ready, computed, watch))
        for batch in ready:
            self._awaiting[batch.chunk.partition] = finishing

    def _write(self, ready: Sequence[ChunkBatch], works: Sequence[ComputedChunkT], watch: Stopwatch) -> None:
        records = sum(len(batch.chunk.records) for batch in ready)
        for batch, work in zip(ready, works, strict=True):
            self.writes.finish(work, batch.acknowledge, watch.part(len(batch.chunk.records) / records))

    async def _finish(
        self, ready: Sequence[ChunkBatch], computing: Awaitable[Sequence[ComputedChunkT]], watch: Stopwatch
    ) -> None:
        with fail_stop("computing chunks"):
            works = await computing
            for batch in ready:
                del self._awaiting[batch.chunk.partition]
            self._write(ready, works, watch)
            self._go_on()

    async def _ask_and_compute(self, batch: ChunkBatch) -> None:
        with fail_stop("computing a chunk"):
            met = await self._met(batch)
            del self._awaiting[batch.chunk.partition]
            if met:
                self._compute_together([batch])
                self._go_on()

    async def _met(self, batch: ChunkBatch) -> bool:
        """True when the chunk's needs are met; False when its partition has moved first, or the worker stops."""
        chunk = batch.chunk
        if await self.needs.ask(chunk):
            return True
        lane = self._lane(chunk.partition)
        with self._holding.hold(batch) as held:
            while not self.needs.are_met(chunk):
                self._health.waits_for(lane, self.needs.whom)
                if not await held.pause():
                    return False
                await self.needs.ask(chunk)
        self._health.waits_for(lane, "")
        return True
