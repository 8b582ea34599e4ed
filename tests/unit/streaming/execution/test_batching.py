"""Which chunks are merged, and how many records may be in flight."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from app.processing.chunk import Chunk
from app.streaming.execution.batching import ChunkBatch, ChunkQueue, InFlightLimit, compute_groups


class Event:
    """An agent's event with a chunk of numbers for records."""

    def __init__(self, *records: int, partition: int = 0) -> None:
        self.value = Chunk(partition, cast(Any, list(records)))
        self.acknowledged = 0

    def ack(self) -> None:
        self.acknowledged += 1


def waiting(*events: Any, max_records: int = 4) -> ChunkQueue:
    chunks = ChunkQueue(max_records)
    for event in events:
        chunks.put(event)
    return chunks


def taken(chunks: ChunkQueue, partition: int = 0, *, only_full: bool = False) -> Sequence[Any] | None:
    batch = chunks.take(partition, only_full=only_full)
    return None if batch is None else batch.chunk.records


def test_a_single_chunk_is_taken_unchanged() -> None:
    assert taken(waiting(Event(1, 2))) == [1, 2]


def test_waiting_chunks_are_merged_in_order() -> None:
    chunks = waiting(Event(1), Event(2, 3))

    assert [[1, 2, 3], None] == [taken(chunks), taken(chunks)]


def test_a_merged_chunk_has_at_most_the_maximum() -> None:
    chunks = waiting(Event(1, 2, 3), Event(4, 5), Event(6))

    assert [[1, 2, 3], [4, 5, 6], None] == [taken(chunks) for _ in range(3)]


def test_a_chunk_larger_than_the_maximum_goes_alone() -> None:
    assert taken(waiting(Event(1, 2, 3, 4, 5), Event(6))) == [1, 2, 3, 4, 5]


def test_chunks_of_different_partitions_are_not_merged() -> None:
    chunks = waiting(Event(1), Event(2, partition=1))

    assert [[1], [2]] == [taken(chunks), taken(chunks, partition=1)]


def test_only_full_leaves_chunks_below_the_maximum() -> None:
    chunks = waiting(Event(1, 2), Event(3))
    assert taken(chunks, only_full=True) is None

    chunks.put(cast(Any, Event(4)))
    assert taken(chunks, only_full=True) == [1, 2, 3, 4]


def test_acknowledging_a_merged_chunk_acknowledges_every_event_once() -> None:
    events = [Event(1), Event(2)]
    batch = waiting(*events).take(0, only_full=False)
    assert batch is not None

    batch.acknowledge()

    assert [1, 1] == [event.acknowledged for event in events]


async def test_a_reached_limit_is_waited_for_until_records_are_released() -> None:
    limit = InFlightLimit(2)
    await limit.acquire(2)
    acquiring = asyncio.create_task(limit.acquire(1))
    await asyncio.sleep(0)
    assert not acquiring.done()

    limit.release(1)
    await asyncio.wait_for(acquiring, 1)


async def test_a_chunk_larger_than_the_limit_is_admitted_when_nothing_is_in_flight() -> None:
    await asyncio.wait_for(InFlightLimit(2).acquire(5), 1)


@pytest.mark.parametrize(
    ("sizes", "groups"),
    [
        ([], []),
        ([9], [[9]]),
        ([1, 2, 1], [[1, 2, 1]]),
        ([3, 2, 2], [[3], [2, 2]]),
        ([9, 1, 3, 4], [[9], [1, 3], [4]]),
    ],
)
def test_no_more_is_computed_at_once_than_a_chunk_may_hold(sizes: list[int], groups: list[list[int]]) -> None:
    ready = [ChunkBatch(Chunk(0, cast(Any, [None] * size)), []) for size in sizes]

    found = [[len(batch.chunk.records) for batch in group] for group in compute_groups(ready, 4)]

    assert found == groups
