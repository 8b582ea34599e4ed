"""Faust's consumer, taught to deliver chunks.

Its offset bookkeeping is replaced for them too: they are acknowledged strictly in order, so one number per partition
says what may be committed, where the stock code keeps an interval tree.
"""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from typing import Any, NamedTuple, cast

from aiokafka.structs import TopicPartition
from faust.transport.drivers.aiokafka import Consumer
from faust.types import TP, ConsumerMessage
from mode.utils.futures import notify

from app.processing.chunk import Chunk
from app.streaming.consumer.chunk_thread import ChunkConsumerThread
from app.streaming.consumer.chunk_transport import ChunkTransport


class Delivery(NamedTuple):
    """The chunks of one fetch. Faust hands over one message after the other, and makes four tasks of each."""

    offset: int
    generation: int
    chunks: list[ConsumerMessage]


class ReadOffsets(dict[TP, int | None]):
    """What Faust asks before it delivers: it drops a message below the offset last delivered, and remembers that
    one too late when a seek comes between. What a chunk may follow is known by its stand.
    """

    def __getitem__(self, tp: TP) -> None:
        return None


class ChunkConsumer(Consumer):
    """Delivers the topics in ``chunk_topics`` chunk by chunk and all others as ever."""

    chunk_topics: frozenset[str] = frozenset()
    chunk_max_events: int = 1000
    _thread: ChunkConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = ReadOffsets()
        self._finished: dict[TP, int] = {}  # next offset to commit
        self._to_agents, self.callback = self.callback, self._deliver

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:  # noqa: ASYNC109  # Faust's signature
        """One fetch: its chunks as one delivery, then the records of other topics."""
        found, active = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        if not found or self.should_stop:
            return
        fetched, stand = cast(Any, found)  # as the thread's getmany returns it
        chunks = list(self._chunk_messages(fetched, stand))
        if chunks:
            yield chunks[0].tp, Delivery(chunks[0].offset, generation, chunks)
        others = {tp: records for tp, records in fetched.items() if tp.topic not in self.chunk_topics}
        for tp, record in self.scheduler.iterate(others):
            if not self._may_go_on(generation):
                return
            if active is None or tp in active or tp in self._buffered_partitions:
                self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
                yield tp, self._to_message(tp, record)

    async def _deliver(self, message: Any) -> None:
        """Stops early when the group rebalances: what is left is fetched again. A chunk is delivered though its partition
        was paused during the fetch: its records come only once.
        """
        if not isinstance(message, Delivery):
            await self._to_agents(message)
            return
        for one in message.chunks:
            if not self._may_go_on(message.generation) or not self.is_current(cast(Chunk, one.value)):
                return
            self.app.monitor.track_tp_end_offset(one.tp, self.highwater(one.tp))
            await self._to_agents(one)

    def _may_go_on(self, generation: int) -> bool:
        return self.flow_active and self.app.consumer_generation_id == generation

    async def perform_seek(self) -> None:
        """Where the place to go on is not what was committed, the commit follows it: nothing else may come for long."""
        await super().perform_seek()
        places = cast(ChunkTransport, self.transport).places
        if places is not None:
            for tp, offset in places(self.assignment()).items():
                self._finished[TopicPartition(*tp)] = offset  # as the client's own records have it
                self._committed_offset[tp] = None

    def is_current(self, chunk: Chunk) -> bool:
        """False for a chunk that was fetched before the last seek, or before partitions began to move."""
        return chunk.stand is not None and chunk.stand == self._thread.stand

    def leave(self, message: Any) -> None:
        """It is not taken up: a rebalance that waits for messages in flight need not wait for this one."""
        self._unacked_messages.discard(message)

    def hold(self, message: Any) -> None:
        """It is in flight again. Whoever calls this looks afterwards whether it ``is_current``: a rebalance that begins
        later waits for it.
        """
        self._unacked_messages.add(message)

    def ack(self, message: Any) -> bool:
        """A chunk is finished, and so is every chunk of its partition before it.

        One that is finished after its partition went says nothing about those that come when it is back.
        """
        if message.topic not in self.chunk_topics:
            return super().ack(message)
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        if message.generation_id == self.app.consumer_generation_id:
            self._finished[message.tp] = message.offset + 1
        self._n_acked += 1
        notify(self._waiting_for_ack)
        return True

    async def _commit_offsets(self, offsets: Mapping[TP, int], start_new_transaction: bool = True) -> bool:
        """Faust takes an offset for committed when the broker refused it, as it does while the group rebalances: it would
        not be committed again before another record comes, and a partition that is quiet would lag behind for ever.
        """
        committed = await super()._commit_offsets(offsets, start_new_transaction)
        if not committed:
            for tp in offsets:
                self._committed_offset[tp] = None
        return committed

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Faust waits here for chunks in flight and commits; only then may the offsets be forgotten."""
        await super().on_partitions_revoked(revoked)
        for tp in revoked:
            self._finished.pop(tp, None)
            self._committed_offset.pop(tp, None)

    async def verify_all_partitions_active(self) -> None:
        """Our watchdog knows better. Faust's only logs, and crashes the worker when it looks during a rebalance."""

    def on_buffer_full(self, tp: TP) -> None:
        """A chunk that finds the agent's queue full waits for room, and the next fetch with it.

        Stock Faust goes on without the partition then. What it has fetched of it already stays in the client,
        which for 100 ms asks that partition's broker for nothing, so that every partition waits.
        """
        if tp.topic not in self.chunk_topics:
            super().on_buffer_full(tp)

    def _new_consumer_thread(self) -> ChunkConsumerThread:
        return ChunkConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def _chunk_messages(self, fetched: Any, stand: int | None) -> Iterator[ConsumerMessage]:
        for tp, records in fetched.items():
            if tp.topic in self.chunk_topics:
                for start in range(0, len(records), self.chunk_max_events):
                    part = records[start : start + self.chunk_max_events]
                    yield self._chunk_message(tp, Chunk(tp.partition, part, stand))

    def _chunk_message(self, tp: TP, chunk: Chunk) -> ConsumerMessage:
        last = chunk.records[-1]
        return ConsumerMessage(
            topic=tp.topic,
            partition=tp.partition,
            offset=last.offset,
            timestamp=last.timestamp / 1000,
            timestamp_type=last.timestamp_type,
            headers=None,
            key=None,
            value=cast(Any, chunk),
            checksum=None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        yield from super()._filter_tps_with_pending_acks(topics)
        yield from (tp for tp in self._finished if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        return self._finished.get(tp) if tp.topic in self.chunk_topics else super()._new_offset(tp)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        if tp.topic not in self.chunk_topics:
            await super()._add_gap(tp, offset_from, offset_to)


def chunk_transport(topics: Collection[str], chunk_max_events: int) -> type[ChunkTransport]:
    """The transport whose consumer delivers ``topics`` in chunks of at most ``chunk_max_events`` records."""
    consumer = type(
        "RecordConsumer",
        (ChunkConsumer,),
        {"chunk_topics": frozenset(topics), "chunk_max_events": chunk_max_events},
    )
    return type("ChunkTransport", (ChunkTransport,), {"Consumer": consumer})
