"""The order of writes is the guarantee. Chunks of a partition are finished strictly in order:

1. computed in memory (work.py);
2. decisions, alerts and dead letters sent and acknowledged;
3. the changelog batch sent and acknowledged;
4. the RocksDB batch written: profiles and the changelog offset together;
5. the chunk acknowledged; Faust commits.

Computing a chunk and step 2 may overlap the other steps of the chunk before it; steps 3 to 5 may not. So a
profile in the changelog implies that its alerts were delivered, local state is never ahead of the changelog,
and a replayed record that its profile has already seen may be skipped. A step that fails ends the process.

Writes go in rounds: step 2 of all chunks that were computed since the last round began, of whatever partition, together
with step 3 of those whose outputs the last round delivered. The Kafka client has one request at a time under way to a
broker; sent one by one, the writes of partitions would wait for one another.
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
    """Returns the last offset of each output when all are acknowledged; raises SendFailed. Calls ``guard`` before
    everything that it does, and does no more when that raises.
    """

    async def send_all(self, outputs: Iterable[TopicBatch], guard: Callable[[], None]) -> list[int]: ...


class Store(Protocol):
    """Writes all or nothing."""

    def write(self, partition: int, profiles: Mapping[bytes, bytes], changelog_offset: int) -> None: ...


class Destinations(NamedTuple):
    """The topics that a worker writes to."""

    topics: Mapping[Stream, str]
    changelog: str = ""
    """Empty where chunks change no state."""


class InFlightChunk(NamedTuple, Generic[ComputedChunkT]):
    """A chunk after step 1. ``acknowledge`` is step 5."""

    work: ComputedChunkT
    acknowledge: Callable[[], object]
    watch: Stopwatch


class OrderOfWrites(Generic[ComputedChunkT]):
    """Steps 2 to 5 for every chunk. ``between_rounds`` is called when the outputs of a round are delivered and the next
    has not begun, ``on_durable`` between steps 4 and 5 with the chunks of a round; ``guard`` stands before every write
    and raises when this process may not write any more.
    """

    def __init__(
        self,
        sender: Sender,
        store: Store,
        destinations: Destinations,
        on_durable: Callable[[Sequence[InFlightChunk[ComputedChunkT]]], None],
        guard: Callable[[], None] = lambda: None,
        between_rounds: Callable[[], None] = lambda: None,
    ) -> None:
        self._sender = sender
        self._store = store
        self._destinations = destinations
        self._on_durable = on_durable
        self._guard = guard
        self._between_rounds = between_rounds
        self._computed: list[InFlightChunk[ComputedChunkT]] = []
        self._running: asyncio.Task[None] | None = None

    @property
    def under_way(self) -> bool:
        """True while a round is: what is handed over now waits for the next."""
        return self._running is not None

    def finish(self, work: ComputedChunkT, acknowledge: Callable[[], object], watch: Stopwatch) -> None:
        """Take a chunk through the steps, behind the chunks of its partition before it."""
        self._computed.append(InFlightChunk(work, acknowledge, watch))
        if self._running is None:
            self._running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        with fail_stop("finishing chunks"):
            published: list[InFlightChunk[ComputedChunkT]] = []
            while self._computed or published:
                computed, self._computed = self._computed, []
                await asyncio.gather(self._publish(computed), self._persist(published))
                published = computed
                self._between_rounds()
            self._running = None

    async def _publish(self, chunks: list[InFlightChunk[ComputedChunkT]]) -> None:
        await self._sender.send_all(self._outputs(chunks), self._guard)
        for chunk in chunks:
            chunk.watch.lap("send")

    async def _persist(self, chunks: list[InFlightChunk[ComputedChunkT]]) -> None:
        await self._write(chunks)
        if chunks:
            self._on_durable(chunks)
        for chunk in chunks:
            chunk.acknowledge()

    async def _write(self, chunks: list[InFlightChunk[ComputedChunkT]]) -> None:
        partitions: dict[int, list[InFlightChunk[ComputedChunkT]]] = {}
        for chunk in chunks:
            if chunk.work.profiles:
                partitions.setdefault(chunk.work.partition, []).append(chunk)
        if not partitions:
            return
        changed = {partition: _changed(own) for partition, own in partitions.items()}
        changelogs = [
            TopicBatch(
                self._destinations.changelog, partition, [OutRecord(*entry) for entry in profiles.items()]
            )
            for partition, profiles in changed.items()
        ]
        offsets = await self._sender.send_all(changelogs, self._guard)
        for (partition, own), offset in zip(partitions.items(), offsets, strict=True):
            self._store_profiles(partition, own, changed[partition], offset)

    def _store_profiles(
        self,
        partition: int,
        chunks: list[InFlightChunk[ComputedChunkT]],
        profiles: dict[bytes, bytes],
        offset: int,
    ) -> None:
        for chunk in chunks:
            chunk.watch.lap("changelog")
        self._guard()
        self._store.write(partition, profiles, offset)
        for chunk in chunks:
            chunk.watch.lap("store")

    def _outputs(self, chunks: list[InFlightChunk[ComputedChunkT]]) -> list[TopicBatch]:
        """What goes to one partition of one topic is sent as one."""
        together: dict[tuple[str, int], list[OutRecord]] = {}
        for chunk in chunks:
            for stream, partition, records in chunk.work.outputs():
                if records:
                    topic = self._destinations.topics[stream]
                    together.setdefault((topic, partition), []).extend(records)
        return [TopicBatch(*place, records) for place, records in together.items()]


def _changed(chunks: Iterable[InFlightChunk[ComputedChunkT]]) -> dict[bytes, bytes]:
    """A later chunk's profile has seen all that an earlier one's has."""
    profiles: dict[bytes, bytes] = {}
    for chunk in chunks:
        profiles.update(chunk.work.profiles)
    return profiles
