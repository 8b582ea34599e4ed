"""Faust's consumer, changed to deliver chunks and to commit them in order.

Chunks of a partition are acknowledged strictly in order, so one number per partition says which offset may be committed,
where Faust keeps an interval tree.
"""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple, cast

from aiokafka.structs import TopicPartition
from faust.transport.drivers.aiokafka import Consumer
from faust.types import TP, ConsumerMessage, Message
from faust.types.transports import ConsumerCallback
from mode.utils.futures import notify

from app.adapters.kafka.record_batches import contained_fetch
from app.adapters.kafka.records import Record
from app.processing.chunk import Chunk, extra_weight
from app.streaming.consumer.chunk_events import ChunkMessage
from app.streaming.consumer.chunk_thread import ChunkConsumerThread, Fetch, Fetched
from app.streaming.consumer.chunk_transport import ChunkTransport
from app.streaming.delivery.fail_stop import fail_stop


class FetchedChunks(NamedTuple):
    """The chunks of one fetch, delivered as one message: Faust makes four tasks of each message it hands over."""

    offset: int
    generation: int
    chunks: list[ConsumerMessage]


class ReadOffsets(dict[TP, int | None]):
    """Disables Faust's record of the last delivered offset: every look-up finds None.

    Faust drops a message below that offset, and updates it too late when a seek intervenes, so that records sought for
    would be dropped. The fetch epoch of a chunk decides instead.
    """

    def __getitem__(self, tp: TP) -> None:
        return None


class ChunkConsumer(Consumer):
    """Delivers the topics in ``chunk_topics`` in chunks, and all other topics as Faust does."""

    chunk_topics: frozenset[str] = frozenset()
    chunk_max_events: int = 1000
    _thread: ChunkConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = ReadOffsets()
        self._finished: dict[TP, int] = {}
        """Next offset to commit."""
        self._delivered: dict[TP, int] = {}
        """The offset behind the last record that was fetched for a chunk."""
        self._positions: dict[TP, int] = {}
        """The client's positions as of the last fetch."""
        self._chunked: dict[TP, tuple[int | None, int]] = {}
        """Fetch epoch and last offset of the last chunk."""
        self._to_agents, self.callback = self.callback, cast(ConsumerCallback, self._deliver)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:  # noqa: ASYNC109  # Faust's signature
        """Fetch once: yield all chunks as one FetchedChunks, then the records of other topics."""
        found, active = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        if not found or self.should_stop:
            return
        fetched, fetch_epoch, positions = cast(Fetch, found)  # as the thread's getmany returns it
        with fail_stop(
            "making chunks"
        ):  # Faust would log the error with its text, and end the process with 1
            self._note_positions(fetched, fetch_epoch, positions)
            chunks = list(self._chunk_messages(fetched, fetch_epoch))
        if chunks:
            yield chunks[0].tp, FetchedChunks(chunks[0].offset, generation, chunks)
        others = {tp: records for tp, records in fetched.items() if tp.topic not in self.chunk_topics}
        for tp, record in self.scheduler.iterate(others):
            if not self._is_active(generation):
                return
            if active is None or tp in active or tp in self._buffered_partitions:
                self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
                yield tp, self._to_message(tp, record)

    async def _deliver(self, message: FetchedChunks | ConsumerMessage) -> None:
        """Hand chunks to their agents until the group rebalances; the rest is fetched again.

        A chunk is delivered even if its partition was paused during the fetch: the client returns its records only once.
        """
        if not isinstance(message, FetchedChunks):
            await self._to_agents(message)
            return
        for chunk in message.chunks:
            if not self._is_active(message.generation) or not self.is_current(cast(Chunk, chunk.value)):
                return
            self.app.monitor.track_tp_end_offset(chunk.tp, self.highwater(chunk.tp))
            cast(ChunkTransport, self.transport).on_chunk(chunk.tp, chunk.offset)
            await self._to_agents(chunk)

    def _is_active(self, generation: int) -> bool:
        return self.flow_active and self.app.consumer_generation_id == generation

    def _note_positions(self, fetched: Fetched, fetch_epoch: int | None, positions: Mapping[TP, int]) -> None:
        if fetch_epoch is None or fetch_epoch != self._thread.fetch_epoch:
            return
        self._delivered |= {tp: records[-1].offset + 1 for tp, records in fetched.items()}
        self._positions |= positions

    async def perform_seek(self) -> None:
        """Seek after a rebalance, and commit the offsets sought to.

        The group's commit would otherwise stay behind start offsets, or missing, until a record arrives: lag would show,
        and a loss of the records from there on would not.

        No chunk reaches an agent before Faust resumes the flow after this call. The client's thread may fetch as soon as it
        has sought; resuming empties the agents' queues, and a chunk finished before the lines below would be forgotten.
        """
        self.app.flow_control.suspend()
        await super().perform_seek()
        for tp, offset in self._thread.sought.items():
            if tp.topic in self.chunk_topics:
                # Keyed as messages are, by the client's own type.
                self._finished[TopicPartition(*tp)] = self._delivered[tp] = self._positions[tp] = offset
                self._committed_offset[tp] = None

    def next_offset(self, tp: TP, finished: int) -> int:
        """The offset to commit once all records before ``finished`` are finished.

        Behind the last record it is the client's position: only transaction markers and aborted records lie between.
        """
        return self._positions.get(tp, finished) if finished == self._delivered.get(tp) else finished

    def is_finished(self, tp: TP) -> bool:
        """Whether every record of an assigned partition that was fetched is finished."""
        return tp in self._finished and self._finished[tp] == self._delivered.get(tp)

    def records_after(self, tp: TP, finished: int) -> int:
        """The records behind ``finished`` as of the last fetch; an upper bound where transaction markers are among them."""
        return max(0, (self.highwater(tp) or 0) - self.next_offset(tp, finished))

    def is_current(self, chunk: Chunk) -> bool:
        """False for a chunk fetched before the last seek, and for every chunk while partitions are reassigned."""
        return chunk.fetch_epoch is not None and chunk.fetch_epoch == self._thread.fetch_epoch

    def untrack(self, message: ChunkMessage) -> None:
        """Do not make a rebalance wait for this message: it is not being processed."""
        self._unacked_messages.discard(cast(Message, message))

    def pause(self, message: ChunkMessage) -> None:
        """Fetch nothing more of the message's partition until ``resume``."""
        self.pause_partitions({TP(message.topic, message.partition)})

    def resume(self, message: ChunkMessage) -> None:
        """Fetch the message's partition again."""
        self.resume_partitions({TP(message.topic, message.partition)})

    def track(self, message: ChunkMessage) -> None:
        """Make a rebalance wait for this message.

        The caller checks ``is_current`` afterwards: a rebalance that begins later waits, an earlier one does not.
        """
        self._unacked_messages.add(cast(Message, message))

    def ack(self, message: Message) -> bool:
        """Mark a chunk, and every earlier chunk of its partition, as finished.

        An acknowledgement from an earlier assignment does not advance the commit.
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
        """Commit; after a refusal, do not remember these offsets as committed, so that they are sent again.

        Faust remembers them as committed even when the broker refused, as it does during a rebalance. A partition without
        new records would then show lag for ever.
        """
        committed = await super()._commit_offsets(offsets, start_new_transaction)
        if not committed:
            for tp in offsets:
                self._committed_offset[tp] = None
        return committed

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Let Faust wait for chunks in flight and commit them; only then discard their offsets."""
        await super().on_partitions_revoked(revoked)
        for tp in revoked:
            self._finished.pop(tp, None)
            self._delivered.pop(tp, None)
            self._positions.pop(tp, None)
            self._committed_offset.pop(tp, None)

    async def verify_all_partitions_active(self) -> None:
        """Do nothing: the watchdog replaces Faust's check, which only logs, and crashes the worker during a rebalance."""

    def on_buffer_full(self, tp: TP) -> None:
        """Do not pause the partition: a chunk that finds the agent's queue full waits, and the next fetch with it.

        Faust would fetch on without the partition. The records of it that the client already holds then make the client
        skip that partition's broker for 100 ms, which delays all partitions.
        """
        if tp.topic not in self.chunk_topics:
            super().on_buffer_full(tp)

    def _new_consumer_thread(self) -> ChunkConsumerThread:
        return ChunkConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def _chunk_messages(self, fetched: Fetched, fetch_epoch: int | None) -> Iterator[ConsumerMessage]:
        for tp, records in fetched.items():
            if tp.topic in self.chunk_topics:
                memory_each = getattr(records, "memory_bytes", 0) / len(records)
                for start in range(0, len(records), self.chunk_max_events):
                    part = records[start : start + self.chunk_max_events]
                    extra = extra_weight(len(part), round(memory_each * len(part)))
                    previous_epoch, previous_offset = self._chunked.get(tp, (None, -1))
                    previous = previous_offset if previous_epoch == fetch_epoch else None
                    self._chunked[tp] = fetch_epoch, part[-1].offset
                    yield self._chunk_message(
                        tp, part[-1], Chunk(tp.partition, part, fetch_epoch, previous, extra)
                    )

    def _chunk_message(self, tp: TP, last: Record, chunk: Chunk) -> ConsumerMessage:
        """A chunk goes by the offset of its last record: acknowledging it finishes all of them."""
        return ConsumerMessage(
            topic=tp.topic,
            partition=tp.partition,
            offset=last.offset,
            timestamp=last.timestamp / 1000,
            timestamp_type=cast(Any, last).timestamp_type,
            headers=None,
            key=None,
            value=cast(Any, chunk),
            checksum=None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    def _filter_tps_with_pending_acks(self, topics: AbstractSet[TP | str] | None = None) -> Iterator[TP]:
        yield from super()._filter_tps_with_pending_acks(topics)
        yield from (tp for tp in self._finished if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        if tp.topic not in self.chunk_topics:
            return super()._new_offset(tp)
        finished = self._finished.get(tp)
        return None if finished is None else self.next_offset(tp, finished)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Gaps between offsets need no record for chunks: they are committed by their last offset."""
        if tp.topic not in self.chunk_topics:
            await super()._add_gap(tp, offset_from, offset_to)


def chunk_transport(topics: Collection[str], chunk_max_events: int) -> type[ChunkTransport]:
    """Make the transport whose consumer delivers ``topics`` in chunks of at most ``chunk_max_events`` records.

    What cannot be read stops its partition only.
    """
    contained_fetch.install()
    consumer = type(
        "RecordConsumer",
        (ChunkConsumer,),
        {"chunk_topics": frozenset(topics), "chunk_max_events": chunk_max_events},
    )
    return type("ChunkTransport", (ChunkTransport,), {"Consumer": consumer})
