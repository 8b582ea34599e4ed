"""One topic's chunks on their way through a worker: taken over from Faust, computed, handed to the order of writes.

Chunks are computed while those before them wait for their acknowledgements. What a chunk becomes may take an answer
from elsewhere first; its partition waits for that, and what arrives meanwhile is computed together. Where it cannot
even be begun without the answer, the partition is held: it fetches nothing more and takes no room from others, as
long as it takes.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Generic

from app.streaming.chunks import Chunk, ChunkConsumer
from app.streaming.fail_stop import fail_stop
from app.streaming.health import Health, Lane
from app.streaming.holding import Holding
from app.streaming.joining import Joined, Room, WaitingChunks
from app.streaming.needs import Needs, Nothing
from app.streaming.one_log import OneLog
from app.streaming.order_of_writes import OrderOfWrites, WorkT
from app.streaming.stages import Stopwatch

Compute = Callable[[Chunk, Stopwatch], WorkT | Awaitable[WorkT]]
"""Called in the order of each partition's chunks, and not before what was awaited for the one before is there."""


class Line(Generic[WorkT]):
    """``require`` raises when a chunk's partition may not be worked on; ``lane`` is its partition's name for the
    health.
    """

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
        self.needs: Needs = Nothing()
        self._log = OneLog()
        self._waiting = waiting
        self._room = room
        self._health = health
        self._compute = compute
        self._lane = lane
        self._require = require
        self._awaiting: dict[int, asyncio.Task[None]] = {}
        self._holding = Holding(waiting, room)

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
        await self._holding.enter(chunk, consumer)
        if self._holding.has_left(chunk):  # those before it were not computed
            self._room.leave(len(chunk.records))
            consumer.leave(event.message)
            return
        self._waiting.put(event)
        self.advance(chunk.partition)

    def advance(self, partition: int) -> None:
        """Compute what waits and start its writes. While outputs are on their way only full chunks: these gain
        nothing from waiting.
        """
        while partition not in self._awaiting and (
            joined := self._waiting.take(partition, only_full=self.writes.is_publishing(partition))
        ):
            if not self.needs.are_met(joined.chunk):
                self._awaiting[partition] = asyncio.create_task(self._ask_and_compute(joined))
                return
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

    def tell_held(self, tell: Callable[[int], None]) -> None:
        """Have it told how many records wait for an answer from elsewhere, whenever that changes."""
        self._holding.on_change = tell

    def stopping(self) -> None:
        """What is held is left to the next owner."""
        self._holding.stop()

    async def _ask_and_compute(self, joined: Joined) -> None:
        with fail_stop("computing a chunk"):
            if not await self._met(joined):
                del self._awaiting[joined.chunk.partition]
                return
            watch = Stopwatch(time.perf_counter)
            computed = self._compute(joined.chunk, watch)
            if isinstance(computed, Awaitable):
                await self._finish(joined, computed, watch)
            else:
                self._go_on(joined, computed, watch)

    async def _met(self, joined: Joined) -> bool:
        """True when the chunk's needs are met; False when its partition has moved first, or the worker stops."""
        chunk = joined.chunk
        if await self.needs.ask(chunk):
            return True
        lane = self._lane(chunk.partition)
        with self._holding.hold(joined) as held:
            while not self.needs.are_met(chunk):
                self._health.waits_for(lane, self.needs.whom)
                if not await held.pause():
                    return False
                await self.needs.ask(chunk)
        self._health.waits_for(lane, "")
        return True

    async def _finish(self, joined: Joined, computing: Awaitable[WorkT], watch: Stopwatch) -> None:
        with fail_stop("computing a chunk"):
            self._go_on(joined, await computing, watch)

    def _go_on(self, joined: Joined, work: WorkT, watch: Stopwatch) -> None:
        del self._awaiting[joined.chunk.partition]
        self.writes.finish(work, joined.acknowledge, watch)
        self.advance(joined.chunk.partition)
