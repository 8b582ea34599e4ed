"""One topic's chunks on their way through a worker: taken over from Faust, computed, handed to the order of writes.

Chunks are computed while those before them wait for their acknowledgements. What a chunk becomes may take an answer
from elsewhere first; its partition waits for that, and what arrives meanwhile is computed together.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Generic

from app.streaming.chunks import Chunk, ChunkConsumer
from app.streaming.fail_stop import fail_stop
from app.streaming.health import Health, Lane
from app.streaming.joining import Joined, Room, WaitingChunks
from app.streaming.one_log import OneLog
from app.streaming.order_of_writes import OrderOfWrites, WorkT
from app.streaming.stages import Stopwatch

Compute = Callable[[Chunk, Stopwatch], WorkT | Awaitable[WorkT]]
"""Called in the order of each partition's chunks, and not before what was awaited for the one before is there."""


class Line(Generic[WorkT]):
    """``require`` raises when a chunk's partition may not be worked on; ``lane`` is its partition's name for the health."""

    def __init__(
        self,
        waiting: WaitingChunks,
        room: Room,
        health: Health,
        compute: Compute[WorkT],
        lane: Callable[[int], Lane] = int,
        require: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.writes: OrderOfWrites[WorkT]
        self._log = OneLog()
        self._waiting = waiting
        self._room = room
        self._health = health
        self._compute = compute
        self._lane = lane
        self._require = require
        self._awaiting: dict[int, asyncio.Task[None]] = {}

    async def accept(self, event: Any, consumer: ChunkConsumer) -> None:
        """Take over the event's chunk: computed at once, or together with what comes while the outputs of the
        chunk before it are on their way. Waits while too many records are in flight. A chunk whose partition moves is
        left to its next owner.
        """
        chunk = event.value
        if not consumer.may_follow(chunk):
            consumer.leave(event.message)
            return
        self._log.follow(chunk)
        self._require(chunk.partition)
        self._health.taken(self._lane(chunk.partition), chunk.records[-1].offset)
        await self._room.enter(len(chunk.records))
        self._waiting.put(event)
        self.advance(chunk.partition)

    def advance(self, partition: int) -> None:
        """Compute what waits and start its writes. While outputs are on their way only full chunks: these gain
        nothing from waiting.
        """
        while partition not in self._awaiting and (
            joined := self._waiting.take(partition, only_full=self.writes.is_publishing(partition))
        ):
            watch = Stopwatch(time.perf_counter)
            computed = self._compute(joined.chunk, watch)
            if isinstance(computed, Awaitable):
                self._awaiting[partition] = asyncio.create_task(self._finish(joined, computed, watch))
            else:
                self.writes.finish(computed, joined.acknowledge, watch)

    def finished(self, partition: int, last_offset: int, records: int) -> None:
        """A chunk of so many records is durable."""
        self._room.leave(records)
        self._health.finished(self._lane(partition), last_offset)

    async def _finish(self, joined: Joined, computing: Awaitable[WorkT], watch: Stopwatch) -> None:
        with fail_stop("computing a chunk"):
            work = await computing
            del self._awaiting[joined.chunk.partition]
            self.writes.finish(work, joined.acknowledge, watch)
            self.advance(joined.chunk.partition)
