"""Chunks that wait are joined: a chunk costs about a millisecond, however small it is.

None is held back to be joined. What is received while a round of writes is under way could not be sent before the
next; until then it costs nothing to wait, and then it goes as one chunk of each partition.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from app.processing.chunk import Chunk


class ChunkBatch(NamedTuple):
    """One chunk made of those of ``events``, in their order."""

    chunk: Chunk
    events: list[Any]

    def acknowledge(self) -> None:
        """Every event whose records these are, in order."""
        for event in self.events:
            event.ack()


class ChunkQueue:
    """The agent's events whose chunks wait for their computation, per partition."""

    def __init__(self, max_records: int) -> None:
        self.max_records = max_records
        self._events: dict[int, deque[Any]] = defaultdict(deque)

    def put(self, event: Any) -> None:
        self._events[event.value.partition].append(event)

    def partitions(self) -> list[int]:
        """Those in which chunks wait."""
        return [partition for partition, events in self._events.items() if events]

    def take(self, partition: int, *, only_full: bool) -> ChunkBatch | None:
        """The partition's oldest chunks as one of at most ``max_records``; None when none waits.

        ``only_full``: None as well while all that wait have fewer records than that.
        """
        waiting = self._events[partition]
        if not waiting or (only_full and sum(map(_records, waiting)) < self.max_records):
            return None
        events = [waiting.popleft()]
        room = self.max_records - _records(events[0])
        while waiting and _records(waiting[0]) <= room:
            room -= _records(waiting[0])
            events.append(waiting.popleft())
        records = [record for event in events for record in event.value.records]
        return ChunkBatch(Chunk(partition, records, events[0].value.stand), events)

    def records(self, partition: int) -> int:
        """How many records wait."""
        return sum(map(_records, self._events[partition]))

    def drop(self, partition: int) -> list[Any]:
        """Its events, which wait no longer."""
        return list(self._events.pop(partition, ()))


def compute_groups(ready: Iterable[ChunkBatch], max_records: int) -> Iterator[list[ChunkBatch]]:
    """In order, each of at most ``max_records`` or of one chunk. To compute more at once is slower, not faster: what
    is made of so many records does not fit into the processor's caches.
    """
    group: list[ChunkBatch] = []
    room = max_records
    for batch in ready:
        if group and len(batch.chunk.records) > room:
            yield group
            group, room = [], max_records
        group.append(batch)
        room -= len(batch.chunk.records)
    if group:
        yield group


class InFlightLimit:
    """Bounds the records between fetch and acknowledgement. Not the chunks: at a low rate a chunk is one record."""

    def __init__(self, max_records: int) -> None:
        self._max_records = max_records
        self._inside = 0
        self._left = asyncio.Event()

    async def enter(self, records: int) -> None:
        """Wait while the room is full. The last to enter may exceed it, or a large chunk would never find room."""
        while self._inside >= self._max_records:
            self._left.clear()
            await self._left.wait()
        self.put(records)

    def put(self, records: int) -> None:
        """They come in, room or not."""
        self._inside += records

    def leave(self, records: int) -> None:
        """To be told of every record that entered."""
        self._inside -= records
        self._left.set()


def _records(event: Any) -> int:
    return len(event.value.records)
