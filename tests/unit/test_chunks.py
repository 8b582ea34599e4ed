"""The chunked consumer on a Faust app that never connects: what it delivers, and what it would commit."""

import asyncio
import threading
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import faust
import pytest
from aiokafka.errors import IllegalStateError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.types import TP
from mode import Service

from app.streaming.chunks import Chunk, ChunkConsumer, ChunkConsumerThread, ChunkSchema, chunk_transport

TOPIC, OTHER = "transactions", "control"
FIRST, SECOND = TP(TOPIC, 0), TP(TOPIC, 1)


class Record(NamedTuple):
    """A record as the Kafka client gives it."""

    offset: int
    topic: str = TOPIC
    partition: int = 0
    timestamp: int = 1_760_000_000_000
    timestamp_type: int = 0
    headers: tuple[()] = ()
    key: bytes = b"k"
    value: bytes = b"v"
    checksum: None = None
    serialized_key_size: int = 1
    serialized_value_size: int = 1


class Standing(Service):
    """The consumer's thread, its partitions sought."""

    stand: int | None = 1


class Fetching:
    """Put before the consumer's class: fetches what it is given."""

    fetched: dict[TP, list[Record]]
    active: set[TP] | None = None

    async def _wait_next_records(self, timeout: float) -> tuple[Any, set[TP] | None]:  # noqa: ASYNC109, ARG002  # Faust's signature
        return (self.fetched, cast(Any, self)._thread.stand), self.active

    def _new_consumer_thread(self) -> Service:
        """The real one brings an event loop of its own."""
        return Standing()

    def highwater(self, tp: TP) -> int:  # noqa: ARG002  # Faust's signature
        return 1_000


class Client:
    """The Kafka client and its fetcher, as far as a fetch goes. Its records tell how it was called."""

    _closed = False
    _max_poll_records = 500

    def __init__(self) -> None:
        self._fetcher = self._subscriptions = self

    def fetch_context(self) -> Any:
        return nullcontext()

    async def fetched_records(self, partitions: set[TP], timeout: float, max_records: int) -> Any:  # noqa: ASYNC109  # the client's signature
        return {tp: [threading.get_ident(), timeout, max_records] for tp in partitions}


@pytest.fixture
async def consumer(tmp_path: Path) -> Any:
    loop = asyncio.get_running_loop()
    app = faust.App(
        "chunks", broker="kafka://127.0.0.1:1", store="memory://", datadir=str(tmp_path), loop=loop
    )
    transport = chunk_transport([TOPIC], 3)
    fetching = type("FetchingConsumer", (Fetching, cast(Any, transport).Consumer), {})
    app.transport = transport(app.conf.broker, app)
    cast(Any, app.transport).Consumer = fetching

    async def unused(*_: object) -> None:
        """Where Faust would be told of a message, or of partitions that come and go."""

    return app.transport.create_consumer(
        callback=unused, on_partitions_revoked=unused, on_partitions_assigned=unused
    )


def offsets(first: int, last: int, partition: int = 0) -> list[Record]:
    return [Record(offset, partition=partition) for offset in range(first, last + 1)]


async def delivered(consumer: Any, fetched: dict[TP, list[Record]]) -> list[Any]:
    consumer.fetched = fetched
    return [message async for _, message in consumer.getmany(timeout=0.0)]


def committable(consumer: Any) -> dict[TP, int]:
    found: dict[TP, int] = consumer._filter_committable_offsets(consumer._filter_tps_with_pending_acks())
    return found


async def test_a_fetch_is_cut_into_chunks_of_at_most_the_maximum(consumer: Any) -> None:
    messages = await delivered(consumer, {FIRST: offsets(10, 16)})

    assert [[10, 11, 12], [13, 14, 15], [16]] == [[r.offset for r in m.value.records] for m in messages]
    assert [12, 15, 16] == [message.offset for message in messages]


async def test_a_chunk_holds_records_of_one_partition_only(consumer: Any) -> None:
    messages = await delivered(consumer, {FIRST: offsets(1, 2), SECOND: offsets(5, 5, partition=1)})

    assert [(0, FIRST, 2), (1, SECOND, 1)] == [
        (m.value.partition, m.tp, len(m.value.records)) for m in messages
    ]


async def test_a_lone_record_is_a_chunk_at_once(consumer: Any) -> None:
    (message,) = await delivered(consumer, {FIRST: offsets(4, 4)})

    assert Chunk(0, offsets(4, 4), stand=1) == message.value


async def test_other_topics_are_delivered_record_by_record(consumer: Any) -> None:
    fetched = {TP(OTHER, 0): [Record(1, topic=OTHER), Record(2, topic=OTHER)]}

    assert [b"v", b"v"] == [message.value for message in await delivered(consumer, fetched)]


async def test_nothing_is_delivered_after_the_group_began_to_rebalance(consumer: Any) -> None:
    """The rest is fetched again: a chunk of a lost partition must not be computed."""
    consumer.fetched = {FIRST: offsets(1, 9)}
    got = []
    async for _, message in consumer.getmany(timeout=0.0):
        got.append(message)
        consumer.app.consumer_generation_id += 1

    assert len(got) == 1


async def test_nothing_is_delivered_while_the_flow_is_stopped(consumer: Any) -> None:
    consumer.fetched = {FIRST: offsets(1, 9)}
    got = []
    async for _, message in consumer.getmany(timeout=0.0):
        got.append(message)
        consumer.stop_flow()

    assert len(got) == 1


async def test_a_finished_chunk_is_committed_up_to_behind_its_last_record(consumer: Any) -> None:
    first, second = await delivered(consumer, {FIRST: offsets(10, 15)})
    consumer.ack(first)
    assert committable(consumer) == {FIRST: 13}

    consumer.ack(second)
    assert committable(consumer) == {FIRST: 16}


async def test_a_chunk_that_is_not_finished_is_not_committed(consumer: Any) -> None:
    await delivered(consumer, {FIRST: offsets(10, 15)})

    assert committable(consumer) == {}


async def test_a_chunk_is_finished_once(consumer: Any) -> None:
    (message,) = await delivered(consumer, {FIRST: offsets(1, 1)})

    assert consumer.ack(message)
    assert not consumer.ack(message)


async def test_what_is_committed_is_not_committed_again(consumer: Any) -> None:
    (message,) = await delivered(consumer, {FIRST: offsets(1, 2)})
    consumer.ack(message)
    consumer._committed_offset[FIRST] = 3

    assert committable(consumer) == {}


async def test_what_the_broker_refused_is_committed_again_though_nothing_more_comes(
    consumer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It came back with the next generation, and was finished once more up to the same record."""
    answers, sent = [False, True], []

    async def commit(offsets: dict[TP, int]) -> bool:
        sent.append(dict(offsets))
        return answers[len(sent) - 1]

    async def flush() -> None: ...

    monkeypatch.setattr(consumer, "_commit", commit)
    monkeypatch.setattr(consumer, "assignment", lambda: {FIRST})
    monkeypatch.setattr(consumer.app, "producer", SimpleNamespace(flush=flush))
    (message,) = await delivered(consumer, {FIRST: offsets(0, 2)})
    consumer.ack(message)

    assert [False, True, False] == [await consumer.force_commit() for _ in range(3)]
    assert [{FIRST: 3}, {FIRST: 3}] == sent


async def test_offsets_that_the_log_has_not_are_no_gap(consumer: Any) -> None:
    """Aborted transactions leave holes; the stock consumer would hold every commit behind one."""
    records = [Record(1), Record(2), Record(50), Record(51)]
    await consumer._add_gap(FIRST, 3, 50)
    for message in await delivered(consumer, {FIRST: records}):
        consumer.ack(message)

    assert not consumer._gap.get(FIRST)
    assert committable(consumer) == {FIRST: 52}


async def test_chunks_in_flight_are_committed_before_their_partitions_are_forgotten(consumer: Any) -> None:
    (message,) = await delivered(consumer, {FIRST: offsets(1, 3)})
    (kept,) = await delivered(consumer, {SECOND: offsets(7, 7, partition=1)})
    seen: list[dict[TP, int]] = []

    async def as_faust_does(revoked: set[TP]) -> None:  # noqa: ARG001  # Faust's signature
        consumer.ack(message)
        consumer.ack(kept)
        seen.append(committable(consumer))

    consumer._on_partitions_revoked = as_faust_does
    await consumer.on_partitions_revoked({FIRST})

    assert seen == [{FIRST: 4, SECOND: 8}]
    assert committable(consumer) == {SECOND: 8}


class Group:
    """The Kafka client as a member of a group: one partition that has a commit, one that has none."""

    def __init__(self) -> None:
        self._coordinator = self
        self.sought: dict[TP, int] = {}
        self.noted = ""
        self.while_asking: Any = lambda: None

    def assignment(self) -> set[TP]:
        return {FIRST, SECOND}

    async def fetch_committed_offsets(self, tps: list[TP]) -> dict[TP, OffsetAndMetadata]:
        self.while_asking()
        return {tp: OffsetAndMetadata(7 if tp == SECOND else -1, self.noted) for tp in tps}

    async def commit(self, offsets: dict[TP, OffsetAndMetadata]) -> None:
        (self.noted,) = {noted for _, noted in offsets.values()}

    async def beginning_offsets(self, tps: list[TP]) -> dict[TP, int]:
        return dict.fromkeys(tps, 3)

    def seek(self, tp: TP, offset: int) -> None:
        self.sought[tp] = offset


@pytest.fixture
def thread(consumer: Any) -> Any:
    """The real one, whose coroutines run in this loop, told of nothing by Faust."""
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


async def test_what_is_committed_is_where_this_log_goes_on(thread: Any) -> None:
    thread.transport.incarnations = {FIRST.topic: "this"}
    assert await thread._commit({FIRST: 9})

    assert thread._consumer.noted == "this"
    assert await seek(thread) == {FIRST: 3, SECOND: 7}


async def test_a_commit_that_counts_in_a_deleted_log_is_not_followed(thread: Any) -> None:
    thread.transport.incarnations, thread._consumer.noted = {FIRST.topic: "this"}, "the one before"

    assert await seek(thread) == {FIRST: 3, SECOND: 3}


async def test_where_files_say_where_to_go_on_the_commit_follows_them(consumer: Any, thread: Any) -> None:
    """As the Kafka client wants it: it takes no other kind of partition than its own."""
    thread.transport.places = lambda _: {SECOND: 9}

    async def call(seeking: Any) -> dict[TP, int]:
        found: dict[TP, int] = await seeking()
        return found

    thread.call_thread = call
    await consumer.perform_seek()

    assert thread._consumer.sought == {FIRST: 3, SECOND: 9}
    assert committable(consumer) == {SECOND: 9}
    assert [TopicPartition] == [type(tp) for tp in consumer._finished]


async def test_what_was_fetched_before_the_seek_is_not_delivered(consumer: Any, thread: Any) -> None:
    await seek(thread)
    (before,) = await delivered(consumer, {FIRST: offsets(1, 1)})
    assert consumer.may_follow(before.value)

    await seek(thread)
    assert not consumer.may_follow(before.value)
    assert await delivered(consumer, {FIRST: offsets(2, 2)}) != []


async def test_nothing_is_delivered_between_a_rebalance_and_its_seek(consumer: Any, thread: Any) -> None:
    """A fetch that began before it may come back after it, in the name of the new generation."""
    await seek(thread)
    await thread.on_partitions_revoked({FIRST, SECOND})
    assert await delivered(consumer, {FIRST: offsets(1, 1)}) == []

    consumer.app.consumer_generation_id += 1
    await thread.on_partitions_assigned({FIRST, SECOND}, 2)
    assert await delivered(consumer, {FIRST: offsets(1, 1)}) == []

    await seek(thread)
    assert await delivered(consumer, {FIRST: offsets(1, 1)}) != []


async def test_the_rest_of_a_fetch_is_not_delivered_once_partitions_move(consumer: Any, thread: Any) -> None:
    await seek(thread)
    consumer.fetched = {FIRST: offsets(1, 9)}
    got = []
    async for _, message in consumer.getmany(timeout=0.0):
        got.append(message)
        await thread.on_partitions_revoked({FIRST})

    assert len(got) == 1
    assert not consumer.may_follow(got[0].value)


async def test_a_seek_for_partitions_that_move_opens_nothing(consumer: Any, thread: Any) -> None:
    """Faust ends its recovery while the next rebalance takes the partitions away."""
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


async def test_a_rebalance_does_not_wait_for_a_chunk_that_is_left(consumer: Any) -> None:
    (message,) = await delivered(consumer, {FIRST: offsets(1, 3)})
    consumer.track_message(message)
    consumer.leave(message)

    assert not consumer._unacked_messages


async def test_a_rebalance_waits_for_a_chunk_that_is_held_again(consumer: Any) -> None:
    (message,) = await delivered(consumer, {FIRST: offsets(1, 3)})
    consumer.track_message(message)
    consumer.leave(message)
    consumer.hold(message)

    assert [message] == list(consumer._unacked_messages)


async def test_a_chunk_of_a_partition_that_was_paused_meanwhile_is_delivered(consumer: Any) -> None:
    """Its fetch began before, and its records come only once: those after them would follow a hole."""
    consumer.active = {SECOND}

    assert [3] == [message.offset for message in await delivered(consumer, {FIRST: offsets(1, 3)})]


async def test_faust_drops_nothing_for_the_offset_it_delivered_last(consumer: Any) -> None:
    consumer._read_offset[FIRST] = 100

    assert consumer._read_offset[FIRST] is None


async def test_a_chunk_that_is_finished_after_its_partition_went_is_not_committed(consumer: Any) -> None:
    (late,) = await delivered(consumer, {FIRST: offsets(1, 3)})
    await consumer.on_partitions_revoked({FIRST})
    consumer.app.consumer_generation_id += 1
    consumer.ack(late)

    assert committable(consumer) == {}


def test_a_full_queue_of_the_agent_takes_no_partition_out_of_the_fetches(consumer: Any) -> None:
    other = TP(OTHER, 0)
    consumer._set_active_tps({FIRST, other})

    consumer.on_buffer_full(FIRST)
    consumer.on_buffer_full(other)

    assert consumer._get_active_partitions() == {FIRST}


async def test_a_fetch_runs_in_the_thread_of_the_kafka_client(consumer: Any) -> None:
    """Through Faust's own ``_fetch_records``, whose signature is not ours."""
    thread = ChunkConsumerThread(consumer)
    thread._consumer = Client()
    running = threading.Thread(target=thread.thread_loop.run_forever)
    running.start()
    try:
        fetched = await thread.getmany({FIRST}, 0.5)
    finally:
        thread.thread_loop.call_soon_threadsafe(thread.thread_loop.stop)
        running.join()
        thread.thread_loop.close()

    assert fetched == ({FIRST: [running.ident, 0.5, 500]}, None)


def test_the_consumer_fetches_with_that_thread(consumer: Any) -> None:
    thread = ChunkConsumer._new_consumer_thread(consumer)

    assert type(thread) is ChunkConsumerThread
    thread.thread_loop.close()


def test_an_agent_gets_a_chunk_as_it_is() -> None:
    chunk = Chunk(0, offsets(1, 2))

    class Message(NamedTuple):
        value: Chunk

    assert ChunkSchema().loads_value(None, Message(chunk)) is chunk


def test_the_consumer_of_a_transport_knows_its_topic_and_its_maximum() -> None:
    consumer = cast(type[ChunkConsumer], cast(Any, chunk_transport(["t"], 7)).Consumer)

    assert (frozenset({"t"}), 7) == (consumer.chunk_topics, consumer.chunk_max_events)
