"""Chunks and records that a chunk consumer delivers of a fetch."""

from typing import Any, NamedTuple, cast

from faust.types import TP

from app.processing.chunk import Chunk
from app.streaming.consumer.chunk_consumer import ChunkConsumer, chunk_transport
from app.streaming.consumer.chunk_schema import ChunkSchema
from tests.unit.streaming.consumer.consumer import FIRST, OTHER, SECOND, Record, delivered, offsets


async def test_a_fetch_is_cut_into_chunks_of_at_most_the_maximum(consumer: Any) -> None:
    messages = await delivered(consumer, {FIRST: offsets(10, 16)})

    assert [[10, 11, 12], [13, 14, 15], [16]] == [[r.offset for r in m.value.records] for m in messages]
    assert [12, 15, 16] == [message.offset for message in messages]


async def test_a_chunk_names_the_last_record_of_the_chunk_before_it_since_the_seek(consumer: Any) -> None:
    first = await delivered(consumer, {FIRST: offsets(10, 14), SECOND: offsets(5, 5, partition=1)})
    second = await delivered(consumer, {FIRST: offsets(20, 21)})
    consumer._thread.fetch_epoch = 2
    third = await delivered(consumer, {FIRST: offsets(12, 12)})

    assert [None, 12, None] == [message.value.previous_offset for message in first]
    assert [14] == [message.value.previous_offset for message in second]
    assert [None] == [message.value.previous_offset for message in third]


async def test_each_chunk_is_reported_before_its_agent_receives_it(consumer: Any) -> None:
    """So the watchdog knows of a chunk that no agent ever receives."""
    reported: list[tuple[TP, int]] = []
    consumer.transport.on_chunk = lambda *chunk: reported.append(chunk)
    reported_before: list[int] = []

    async def note() -> None:
        reported_before.append(len(reported))

    consumer.on_delivered = note
    await delivered(consumer, {FIRST: offsets(10, 14)})

    assert [(FIRST, 12), (FIRST, 14)] == reported
    assert [1, 2] == reported_before


async def test_a_chunk_has_records_of_one_partition_only(consumer: Any) -> None:
    messages = await delivered(consumer, {FIRST: offsets(1, 2), SECOND: offsets(5, 5, partition=1)})

    assert [(0, FIRST, 2), (1, SECOND, 1)] == [
        (m.value.partition, m.tp, len(m.value.records)) for m in messages
    ]


async def test_the_chunks_of_a_fetch_pass_through_fausts_loop_as_one_message(consumer: Any) -> None:
    """Faust makes four tasks of each message."""
    consumer.fetched = {FIRST: offsets(1, 7), SECOND: offsets(5, 5, partition=1)}

    assert 1 == len([message async for _, message in consumer.getmany(timeout=0.0)])


async def test_a_single_record_is_delivered_at_once(consumer: Any) -> None:
    (message,) = await delivered(consumer, {FIRST: offsets(4, 4)})

    assert Chunk(0, offsets(4, 4), fetch_epoch=1) == message.value


async def test_other_topics_are_delivered_record_by_record(consumer: Any) -> None:
    fetched = {TP(OTHER, 0): [Record(1, topic=OTHER), Record(2, topic=OTHER)]}

    assert [b"v", b"v"] == [message.value for message in await delivered(consumer, fetched)]


async def test_nothing_is_delivered_after_the_group_began_to_rebalance(consumer: Any) -> None:
    """The rest is fetched again: a chunk of a lost partition must not be computed."""

    async def rebalance() -> None:
        consumer.app.consumer_generation_id += 1

    consumer.on_delivered = rebalance

    assert len(await delivered(consumer, {FIRST: offsets(1, 9)})) == 1


async def test_nothing_is_delivered_while_the_flow_is_stopped(consumer: Any) -> None:

    async def stop() -> None:
        consumer.stop_flow()

    consumer.on_delivered = stop

    assert len(await delivered(consumer, {FIRST: offsets(1, 9)})) == 1


async def test_a_chunk_of_a_partition_paused_during_the_fetch_is_delivered(consumer: Any) -> None:
    """The client returns its records only once; without them the next chunk would follow a gap."""
    consumer.active = {SECOND}

    assert [3] == [message.offset for message in await delivered(consumer, {FIRST: offsets(1, 3)})]


async def test_faust_drops_no_message_below_the_last_delivered_offset(consumer: Any) -> None:
    consumer._read_offset[FIRST] = 100

    assert consumer._read_offset[FIRST] is None


def test_a_full_agent_queue_pauses_no_partition(consumer: Any) -> None:
    other = TP(OTHER, 0)
    consumer._set_active_tps({FIRST, other})

    consumer.on_buffer_full(FIRST)
    consumer.on_buffer_full(other)

    assert consumer._get_active_partitions() == {FIRST}


def test_an_agent_receives_a_chunk_unchanged() -> None:
    chunk = Chunk(0, offsets(1, 2))

    class Message(NamedTuple):
        value: Chunk

    assert ChunkSchema().loads_value(None, Message(chunk)) is chunk


def test_a_transports_consumer_has_its_topics_and_maximum() -> None:
    consumer = cast(type[ChunkConsumer], cast(Any, chunk_transport(["t"], 7)).Consumer)

    assert (frozenset({"t"}), 7) == (consumer.chunk_topics, consumer.chunk_max_events)
