"""Offsets that partitions are sought to, and chunks that are not delivered because they were fetched earlier."""

import asyncio
from typing import Any, cast

import pytest
from aiokafka.consumer.fetcher import OffsetResetStrategy
from aiokafka.errors import IllegalStateError, OffsetOutOfRangeError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.types import TP
from mode.utils.queues import FlowControlQueue

from app.adapters.kafka.commit_notes import CommitNote, LostRecords
from app.streaming.consumer.chunk_thread import ChunkConsumerThread
from tests.unit.streaming.consumer.consumer import FIRST, SECOND, committable, delivered, offsets


class Group:
    """The Kafka client in a group: one partition with a commit, one without."""

    def __init__(self) -> None:
        self._coordinator = self._fetcher = self
        self._default_reset_strategy = OffsetResetStrategy.EARLIEST
        self.sought: dict[TP, int] = {}
        self.noted = ""
        self.committed, self.first = 7, 3
        self.while_asking: Any = lambda: None

    def assignment(self) -> set[TP]:
        return {FIRST, SECOND}

    async def fetch_committed_offsets(self, tps: list[TP]) -> dict[TP, OffsetAndMetadata]:
        self.while_asking()
        return {tp: OffsetAndMetadata(self.committed if tp == SECOND else -1, self.noted) for tp in tps}

    async def commit(self, offsets: dict[TP, OffsetAndMetadata]) -> None:
        (self.noted,) = {noted for _, noted in offsets.values()}

    async def beginning_offsets(self, tps: list[TP]) -> dict[TP, int]:
        return dict.fromkeys(tps, self.first)

    def seek(self, tp: TP, offset: int) -> None:
        self.sought[tp] = offset


@pytest.fixture
def thread(consumer: Any) -> Any:
    """The real thread class with its coroutines in this loop, without Faust's notifications."""
    thread = cast(Any, ChunkConsumerThread(consumer))
    thread._consumer = Group()

    async def unused(*_: object) -> None: ...

    consumer.threadsafe_partitions_revoked = consumer.threadsafe_partitions_assigned = unused
    consumer._thread = thread
    yield thread
    thread.thread_loop.close()


async def seek(thread: Any) -> dict[TP, int]:
    offsets: dict[TP, int] = await thread._seek_to_committed(thread.app.consumer_generation_id)
    return offsets


async def test_a_partition_without_a_commit_is_read_again_from_its_beginning(thread: Any) -> None:
    assert await seek(thread) == {FIRST: 3, SECOND: 7} == thread._consumer.sought


async def test_a_partition_is_sought_to_its_commit(thread: Any) -> None:
    thread.transport.topic_ids = {FIRST.topic: "this"}
    assert await thread._commit({FIRST: 9})

    assert thread._consumer.noted == "this"
    assert await seek(thread) == {FIRST: 3, SECOND: 7}


async def test_a_commit_of_a_deleted_topic_is_ignored(thread: Any) -> None:
    thread.transport.topic_ids, thread._consumer.noted = {FIRST.topic: "this"}, "the one before"

    assert await seek(thread) == {FIRST: 3, SECOND: 3}


async def test_the_commit_follows_start_offsets(consumer: Any, thread: Any) -> None:
    """The Kafka client accepts only partitions of its own type."""
    thread.transport.start_offsets = lambda _: {SECOND: 9}

    async def call(seeking: Any) -> dict[TP, int]:
        found: dict[TP, int] = await seeking()
        return found

    thread.call_thread = call
    await consumer.perform_seek()

    assert thread._consumer.sought == {FIRST: 3, SECOND: 9} == committable(consumer)
    assert {TopicPartition} == {type(tp) for tp in consumer._finished}


async def test_no_chunk_fetched_right_after_the_seek_is_dropped_by_the_resumed_flow(
    consumer: Any, thread: Any
) -> None:
    """The thread fetches as soon as it has sought. Resuming empties the agents' queues, as at the end of each rebalance."""
    flow = consumer.app.flow_control
    queue: Any = FlowControlQueue(flow_control=flow, clear_on_resume=True)
    flow.resume()

    async def to_agent(message: Any) -> None:
        await flow.acquire()
        queue.put_nowait(message)

    consumer._to_agents = to_agent
    fetches = []

    async def call(seeking: Any) -> dict[TP, int]:
        found: dict[TP, int] = await seeking()
        fetches.append(asyncio.create_task(delivered(consumer, {SECOND: offsets(7, 9, partition=1)})))
        await asyncio.sleep(0.01)
        return found

    thread.call_thread = call
    await consumer.perform_seek()
    flow.resume()
    await asyncio.gather(*fetches)

    assert [9] == [message.offset for message in queue._queue]


@pytest.fixture
def lost(thread: Any) -> list[LostRecords]:
    found: list[LostRecords] = []
    thread.transport.on_lost = found.extend
    return found


async def test_records_between_the_commit_and_the_first_offset_are_lost(
    thread: Any, lost: list[LostRecords]
) -> None:
    """The other partition has no commit: the group starts, and loses nothing."""
    thread._consumer.first = 47

    assert await seek(thread) == {FIRST: 47, SECOND: 47}
    assert lost == [LostRecords(SECOND.topic, SECOND.partition, 40, 47)]


async def test_a_loss_stays_noted_with_every_commit(thread: Any, lost: list[LostRecords]) -> None:
    group = thread._consumer
    group.first = 47
    await seek(thread)
    assert await thread._commit({SECOND: 47})
    group.committed = 47

    await seek(thread)
    assert await thread._commit({SECOND: 50})
    assert CommitNote.parse(group.noted).lost_records == 40
    group.committed, group.first = 50, 52
    await seek(thread)
    assert await thread._commit({SECOND: 60})

    assert CommitNote.parse(group.noted).lost_records == 42
    assert [each.records for each in lost] == [40, 2]


async def test_start_offsets_before_the_log_are_no_loss_if_the_commit_is_behind_them(
    thread: Any, lost: list[LostRecords]
) -> None:
    """Only markers and aborted records lie between: files hold no row of them."""
    thread.transport.start_offsets = lambda _: {SECOND: 5}
    thread._consumer.first = 7
    assert await seek(thread) == {FIRST: 7, SECOND: 7}
    assert lost == []

    thread._consumer.first = 9
    await seek(thread)
    assert [each.records for each in lost] == [2]


async def test_a_log_that_passes_a_running_worker_is_read_from_its_first_offset(
    thread: Any, lost: list[LostRecords]
) -> None:
    await seek(thread)
    assert thread._consumer._default_reset_strategy == OffsetResetStrategy.NONE
    thread._consumer.first = 30

    async def out_of_range(*_: object, **__: object) -> Any:
        raise OffsetOutOfRangeError({SECOND: 10})

    thread._fetch_records = out_of_range
    thread._positions = lambda _: {}
    thread._consumer._max_poll_records = 1
    fetched = await thread._fetch({SECOND}, 0.0)

    assert fetched.records == {}
    assert thread._consumer.sought[SECOND] == 30
    assert lost == [LostRecords(SECOND.topic, SECOND.partition, 20, 30)]


async def test_a_shorter_log_is_no_loss(thread: Any, lost: list[LostRecords]) -> None:
    """The topic was deleted and created again: the first chunk shows it, see OffsetGuard."""
    await seek(thread)
    thread._consumer.first = 0

    await thread._resume_in_range(thread._consumer, {SECOND: 10})

    assert (thread._consumer.sought[SECOND], lost) == (0, [])


async def test_between_assignment_and_seek_a_partition_may_have_no_offset(thread: Any) -> None:
    await seek(thread)
    await thread.on_partitions_revoked({FIRST, SECOND})

    assert thread._consumer._default_reset_strategy == OffsetResetStrategy.EARLIEST


async def test_chunks_fetched_before_the_seek_are_not_delivered(consumer: Any, thread: Any) -> None:
    await seek(thread)
    (before,) = await delivered(consumer, {FIRST: offsets(1, 1)})
    assert consumer.is_current(before.value)

    await seek(thread)
    assert not consumer.is_current(before.value)
    assert await delivered(consumer, {FIRST: offsets(2, 2)}) != []


async def test_nothing_is_delivered_between_a_rebalance_and_its_seek(consumer: Any, thread: Any) -> None:
    """A fetch that began before the rebalance may return after it, in the new generation."""
    await seek(thread)
    await thread.on_partitions_revoked({FIRST, SECOND})
    assert await delivered(consumer, {FIRST: offsets(1, 1)}) == []

    consumer.app.consumer_generation_id += 1
    await thread.on_partitions_assigned({FIRST, SECOND}, 2)
    assert await delivered(consumer, {FIRST: offsets(1, 1)}) == []

    await seek(thread)
    assert await delivered(consumer, {FIRST: offsets(1, 1)}) != []


async def test_the_rest_of_a_fetch_is_not_delivered_once_a_rebalance_begins(
    consumer: Any, thread: Any
) -> None:
    await seek(thread)

    async def revoke() -> None:
        await thread.on_partitions_revoked({FIRST})

    consumer.on_delivered = revoke
    (only,) = await delivered(consumer, {FIRST: offsets(1, 9)})
    assert not consumer.is_current(only.value)


async def test_a_seek_during_a_rebalance_does_not_resume_delivery(consumer: Any, thread: Any) -> None:
    """Faust may end its recovery while the next rebalance has begun."""
    await thread.on_partitions_revoked({FIRST, SECOND})
    with pytest.raises(IllegalStateError):
        await seek(thread)

    await thread.on_partitions_assigned({FIRST, SECOND}, 1)

    def rebalanced() -> None:
        thread.app.consumer_generation_id += 1

    thread._consumer.while_asking = rebalanced
    with pytest.raises(IllegalStateError):
        await seek(thread)
    assert thread._consumer.sought == {}
    assert await delivered(consumer, {FIRST: offsets(1, 1)}) == []
