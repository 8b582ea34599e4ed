"""Merges waiting chunks of a partition into one: a chunk costs about a millisecond, however small it is.

No chunk is delayed in order to be merged. Chunks received during a write round could not be sent before the next one;
waiting until then costs nothing, and then they are computed as one chunk per partition.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from app.processing.chunk import Chunk
from app.streaming.consumer.chunk_events import ChunkEvent


class ChunkBatch(NamedTuple):
    """Consecutive chunks of one partition merged into ``chunk``; ``events`` are theirs, in order."""

    chunk: Chunk
    events: list[ChunkEvent]

    def acknowledge(self) -> None:
        """Acknowledge every merged chunk, in order."""
        for event in self.events:
            event.ack()


class ChunkQueue:
    """Chunks that wait to be computed, per partition, as the events that delivered them."""

    def __init__(self, max_records: int) -> None:
        self.max_records = max_records
        self._events: dict[int, deque[ChunkEvent]] = defaultdict(deque)

    def put(self, event: ChunkEvent) -> None:
        self._events[event.value.partition].append(event)

    def partitions(self) -> list[int]:
        """Partitions with waiting chunks."""
        return [partition for partition, events in self._events.items() if events]

    def take(self, partition: int, *, only_full: bool) -> ChunkBatch | None:
        """Merge the partition's oldest chunks up to ``max_records``; None when none waits.

        ``only_full``: None also while all waiting chunks together have fewer records than that.
        """
        waiting = self._events[partition]
        if not waiting or (only_full and sum(map(_records, waiting)) < self.max_records):
            return None
        events = [waiting.popleft()]
        capacity = self.max_records - _records(events[0])
        while waiting and _records(waiting[0]) <= capacity:
            capacity -= _records(waiting[0])
            events.append(waiting.popleft())
        records = [record for event in events for record in event.value.records]
        extra = sum(event.value.extra_weight for event in events)
        return ChunkBatch(Chunk(partition, records, events[0].value.fetch_epoch, None, extra), events)

    def weight(self, partition: int) -> int:
        """Of the waiting records of a partition."""
        return sum(event.value.weight for event in self._events[partition])

    def remove(self, partition: int) -> list[ChunkEvent]:
        """Remove and return the waiting events of a partition."""
        return list(self._events.pop(partition, ()))


def compute_groups(ready: Iterable[ChunkBatch], max_records: int) -> Iterator[list[ChunkBatch]]:
    """Split batches, in order, into groups of at most ``max_records`` records or of one batch.

    Computing more at once is slower, not faster: the intermediate columns no longer fit into the processor's caches.
    """
    group: list[ChunkBatch] = []
    capacity = max_records
    for batch in ready:
        if group and len(batch.chunk.records) > capacity:
            yield group
            group, capacity = [], max_records
        group.append(batch)
        capacity -= len(batch.chunk.records)
    if group:
        yield group


class InFlightLimit:
    """Limits the records between fetch and acknowledgement. Records, not chunks: at a low rate a chunk is one record. Large
    records count as several, see ``Chunk.weight``: their number alone would not bound the memory.
    """

    def __init__(self, max_records: int) -> None:
        self._max_records = max_records
        self._in_flight = 0
        self._released = asyncio.Event()

    async def acquire(self, records: int) -> None:
        """Wait while the limit is reached, then count ``records``.

        The last chunk may exceed the limit; otherwise a chunk larger than the limit would wait for ever.
        """
        while self._in_flight >= self._max_records:
            self._released.clear()
            await self._released.wait()
        self.add(records)

    def add(self, records: int) -> None:
        """Count ``records`` without waiting, even above the limit."""
        self._in_flight += records

    def release(self, records: int) -> None:
        """Stop counting ``records``; every record counted must be released once."""
        self._in_flight -= records
        self._released.set()


def _records(event: ChunkEvent) -> int:
    return len(event.value.records)
