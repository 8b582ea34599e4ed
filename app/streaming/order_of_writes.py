"""The order of writes is the guarantee. Chunks of a partition are finished strictly in order:

1. computed in memory (work.py);
2. decisions, alerts and dead letters sent and acknowledged;
3. the changelog batch sent and acknowledged;
4. the RocksDB batch written: profiles and the changelog offset together;
5. the chunk acknowledged; Faust commits.

Computing a chunk and step 2 may overlap the other steps of the chunk before it; steps 3 to 5 may not. So a
profile in the changelog implies that its alerts were delivered, local state is never ahead of the changelog,
and a replayed record that its profile has already seen may be skipped. A step that fails ends the process.

Chunks that wait for the same step take it together, as the one larger chunk that they are. None is held back to
be joined: a chunk that finds no other of its partition in a step takes it at once, alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from itertools import chain
from typing import Generic, NamedTuple, Protocol, TypeVar

from app.adapters.kafka_sender import OutRecord
from app.streaming.fail_stop import fail_stop
from app.streaming.stages import Stopwatch


class Sender(Protocol):
    """Returns the last record's offset when all are acknowledged, -1 for none; raises SendFailed."""

    async def send(self, topic: str, partition: int, records: Iterable[OutRecord]) -> int: ...


class OutTopics(NamedTuple):
    """Where a worker writes; a role leaves out what it does not write."""

    decisions: str = ""
    alerts: str = ""
    dead_letters: str = ""
    changelog: str = ""
    activity: str = ""
    notifications: str = ""
    labels: str = ""


class Output(NamedTuple):
    """Records of step 2 for one partition of one topic."""

    topic: str
    partition: int
    records: list[OutRecord]


class Work(Protocol):
    """A chunk after step 1."""

    @property
    def partition(self) -> int:
        """Of the source, of the changelog and of the store."""
        ...

    @property
    def profiles(self) -> Mapping[bytes, bytes]:
        """What the chunk changed in the table."""
        ...

    def outputs(self, topics: OutTopics) -> Iterable[Output]:
        """What step 2 sends; a topic's partition comes once."""
        ...


WorkT = TypeVar("WorkT", bound=Work)


class Store(Protocol):
    """Writes all or nothing."""

    def write(self, partition: int, profiles: Mapping[bytes, bytes], changelog_offset: int) -> None: ...


class Computed(NamedTuple, Generic[WorkT]):
    """A chunk after step 1. ``acknowledge`` is step 5."""

    work: WorkT
    acknowledge: Callable[[], object]
    watch: Stopwatch


class OrderOfWrites(Generic[WorkT]):
    """Steps 2 to 5 for every chunk. ``on_published`` is told of a partition none of whose chunks is in step 2 any
    more, ``on_durable`` of each chunk between steps 4 and 5; ``guard`` stands before every write and raises when
    this process may not write any more.
    """

    def __init__(
        self,
        sender: Sender,
        store: Store,
        topics: OutTopics,
        on_durable: Callable[[WorkT, Stopwatch], None],
        guard: Callable[[], None] = lambda: None,
        on_published: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._sender = sender
        self._store = store
        self._topics = topics
        self._on_durable = on_durable
        self._guard = guard
        self._on_published = on_published
        self._publishing: dict[int, _Step[WorkT]] = {}
        self._persisting: dict[int, _Step[WorkT]] = {}

    def finish(self, work: WorkT, acknowledge: Callable[[], object], watch: Stopwatch) -> None:
        """Start the steps of a chunk, behind those of the chunks of its partition before it."""
        partition = work.partition
        if partition not in self._publishing:
            self._publishing[partition] = _Step(self._publish, lambda: self._on_published(partition))
            self._persisting[partition] = _Step(self._persist, lambda: None)
        self._publishing[partition].put(Computed(work, acknowledge, watch))

    def is_publishing(self, partition: int) -> bool:
        """True while a chunk of ``partition`` is in step 2, or waits for it."""
        step = self._publishing.get(partition)
        return step is not None and step.busy

    async def _publish(self, chunks: list[Computed[WorkT]]) -> None:
        self._guard()
        partition = chunks[0].work.partition
        together: dict[tuple[str, int], list[OutRecord]] = {}
        for chunk in chunks:
            for topic, place, records in chunk.work.outputs(self._topics):
                together.setdefault((topic, place), []).extend(records)
        await asyncio.gather(
            *(
                self._sender.send(topic, place, records)
                for (topic, place), records in together.items()
                if records
            )
        )
        for chunk in chunks:
            chunk.watch.lap("send")
            self._persisting[partition].put(chunk)

    async def _persist(self, chunks: list[Computed[WorkT]]) -> None:
        # A later chunk's profile has seen all that an earlier one's has.
        profiles = dict(chain.from_iterable(chunk.work.profiles.items() for chunk in chunks))
        if profiles:
            await self._write(chunks[0].work.partition, profiles, [chunk.watch for chunk in chunks])
        for chunk in chunks:
            self._on_durable(chunk.work, chunk.watch)
            chunk.acknowledge()

    async def _write(self, partition: int, profiles: dict[bytes, bytes], watches: list[Stopwatch]) -> None:
        self._guard()
        records = [OutRecord(key, value) for key, value in profiles.items()]
        offset = await self._sender.send(self._topics.changelog, partition, records)
        for watch in watches:
            watch.lap("changelog")
        self._guard()
        self._store.write(partition, profiles, offset)
        for watch in watches:
            watch.lap("store")


class _Step(Generic[WorkT]):
    """Chunks of one partition on their way through one step, in order; all that wait go together."""

    def __init__(
        self, take: Callable[[list[Computed[WorkT]]], Awaitable[None]], on_idle: Callable[[], None]
    ) -> None:
        self._take = take
        self._on_idle = on_idle
        self._waiting: list[Computed[WorkT]] = []
        self._running: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        return self._running is not None

    def put(self, chunk: Computed[WorkT]) -> None:
        self._waiting.append(chunk)
        if self._running is None:
            self._running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        with fail_stop("finishing a chunk"):
            while self._waiting:
                chunks, self._waiting = self._waiting, []
                await self._take(chunks)
            self._running = None
            self._on_idle()
