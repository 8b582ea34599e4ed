"""Finishes computed chunks in the order that the delivery guarantee rests on. Per partition, strictly in sequence:

1. the chunk is computed in memory (``app.processing``);
2. its outputs (decisions, alerts, dead letters and the like) are sent and acknowledged;
3. its changelog batch is sent and acknowledged;
4. its RocksDB batch is written: states and changelog offset together;
5. the chunk is acknowledged, and Faust commits its offset.

Steps 1 and 2 of a chunk may overlap steps 3 to 5 of the chunk before it; steps 3 to 5 of two chunks may not overlap.
It follows that a state in the changelog implies that its outputs were delivered, that RocksDB is never ahead of the
changelog, and that a record at or below the offset in its key's state can be skipped. A step that fails ends the process.

Writes go in write rounds (docs/adr/0014-rounds.md). A round sends step 2 of every chunk computed since the last round
began, of all partitions, together with step 3 of the chunks whose outputs the last round delivered. The Kafka client
has one request in flight per broker, so separate sends would wait for one another.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, NamedTuple, Protocol

from app.adapters.kafka.records import OutRecord, TopicBatch
from app.processing.outputs import ComputedChunkT
from app.processing.stopwatch import Stopwatch
from app.settings import Stream
from app.streaming.delivery.fail_stop import fail_stop


class Sender(Protocol):
    """Sends batches to Kafka.

    ``send_all`` returns the last offset of each output once all are acknowledged, and raises SendFailed. It calls
    ``guard`` before each write and stops when that raises.
    """

    async def send_all(self, outputs: Iterable[TopicBatch], guard: Callable[[], None]) -> list[int]: ...


class Store(Protocol):
    """Writes a batch entirely or not at all."""

    def write(self, partition: int, states: Mapping[bytes, bytes], changelog_offset: int) -> None: ...


class RoundListener(Protocol[ComputedChunkT]):
    """The source of chunks: a chunk runner."""

    def between_rounds(self) -> None:
        """Called when the outputs of a round are delivered and the next round has not begun."""

    def on_durable(self, chunks: "Sequence[InFlightChunk[ComputedChunkT]]") -> None:
        """Called between steps 4 and 5 with the listener's chunks of one round."""


class Destinations(NamedTuple):
    """The topics that a worker writes to."""

    topics: Mapping[Stream, str]
    changelog: str = ""
    """Empty where chunks change no state."""


class InFlightChunk(NamedTuple, Generic[ComputedChunkT]):
    """A computed chunk on its way through steps 2 to 5. ``acknowledge`` is step 5."""

    computed: ComputedChunkT
    acknowledge: Callable[[], object]
    stopwatch: Stopwatch
    listener: RoundListener[ComputedChunkT]
    weight: int = 0
    """What its records count against the limit of those in flight."""


class OrderOfWrites(Generic[ComputedChunkT]):
    """Takes chunks through steps 2 to 5. Several listeners may share one, when their chunks change the same table.

    ``guard`` runs before every write and raises when this process may no longer write.
    """

    def __init__(
        self,
        sender: Sender,
        store: Store,
        destinations: Destinations,
        guard: Callable[[], None] = lambda: None,
    ) -> None:
        self._sender = sender
        self._store = store
        self._destinations = destinations
        self._guard = guard
        self._listeners: list[RoundListener[ComputedChunkT]] = []
        self._waiting: list[InFlightChunk[ComputedChunkT]] = []
        self._running: asyncio.Task[None] | None = None

    @property
    def round_under_way(self) -> bool:
        """True while a round runs: chunks handed over now go with the next one."""
        return self._running is not None

    def add_listener(self, listener: RoundListener[ComputedChunkT]) -> None:
        """Call ``listener`` between all rounds, also when none of its chunks took part."""
        self._listeners.append(listener)

    def finish(self, chunk: InFlightChunk[ComputedChunkT]) -> None:
        """Take a chunk through the steps, behind the earlier chunks of its partition."""
        self._waiting.append(chunk)
        if self._running is None:
            self._running = asyncio.create_task(self._run_rounds())

    async def _run_rounds(self) -> None:
        with fail_stop("finishing chunks"):
            published: list[InFlightChunk[ComputedChunkT]] = []
            while self._waiting or published:
                computed, self._waiting = self._waiting, []
                # Both halves of the round must end before the next begins: otherwise step 3 of a partition could
                # overtake step 3 of the chunk before it.
                await asyncio.gather(self._publish(computed), self._persist(published))
                published = computed
                for listener in self._listeners:
                    listener.between_rounds()
            self._running = None

    async def _publish(self, chunks: list[InFlightChunk[ComputedChunkT]]) -> None:
        """Step 2."""
        await self._sender.send_all(self._outputs(chunks), self._guard)
        for chunk in chunks:
            chunk.stopwatch.lap("send")

    async def _persist(self, chunks: list[InFlightChunk[ComputedChunkT]]) -> None:
        """Steps 3 to 5."""
        await self._write(chunks)
        for listener in self._listeners:
            if own := [chunk for chunk in chunks if chunk.listener is listener]:
                listener.on_durable(own)
        for chunk in chunks:
            chunk.acknowledge()

    async def _write(self, chunks: list[InFlightChunk[ComputedChunkT]]) -> None:
        """Steps 3 and 4. A worker whose state is in a database replaces them (app/streaming/roles/cases.py)."""
        partitions: dict[int, list[InFlightChunk[ComputedChunkT]]] = {}
        for chunk in chunks:
            if chunk.computed.states:
                partitions.setdefault(chunk.computed.partition, []).append(chunk)
        if not partitions:
            return
        changed = {partition: _changed(own) for partition, own in partitions.items()}
        changelogs = [
            TopicBatch(
                self._destinations.changelog, partition, [OutRecord(*entry) for entry in states.items()]
            )
            for partition, states in changed.items()
        ]
        offsets = await self._sender.send_all(changelogs, self._guard)
        for (partition, own), offset in zip(partitions.items(), offsets, strict=True):
            self._store_states(partition, own, changed[partition], offset)

    def _store_states(
        self,
        partition: int,
        chunks: list[InFlightChunk[ComputedChunkT]],
        states: dict[bytes, bytes],
        offset: int,
    ) -> None:
        for chunk in chunks:
            chunk.stopwatch.lap("changelog")
        # Checked again: the process may have been paused while the changelog was acknowledged.
        self._guard()
        self._store.write(partition, states, offset)
        for chunk in chunks:
            chunk.stopwatch.lap("store")

    def _outputs(self, chunks: list[InFlightChunk[ComputedChunkT]]) -> list[TopicBatch]:
        """Merge the outputs of all chunks that go to the same partition of a topic: one batch each."""
        together: dict[tuple[str, int], list[OutRecord]] = {}
        for chunk in chunks:
            for stream, partition, records in chunk.computed.outputs():
                if records:
                    topic = self._destinations.topics[stream]
                    together.setdefault((topic, partition), []).extend(records)
        return [TopicBatch(*topic_partition, records) for topic_partition, records in together.items()]


def _changed(chunks: Iterable[InFlightChunk[ComputedChunkT]]) -> dict[bytes, bytes]:
    """Merge the changed states of consecutive chunks of a partition.

    The later state of a key replaces the earlier one: it was folded from it.
    """
    states: dict[bytes, bytes] = {}
    for chunk in chunks:
        states.update(chunk.computed.states)
    return states
