"""The order of writes is the guarantee. Chunks of a partition are finished strictly in order:

1. computed in memory (work.py);
2. decisions, alerts and dead letters sent and acknowledged;
3. the changelog batch sent and acknowledged;
4. the RocksDB batch written: profiles and the changelog offset together;
5. the chunk acknowledged; Faust commits.

Computing a chunk and step 2 may overlap the other steps of the chunk before it; steps 3 to 5 may not. So a
profile in the changelog implies that its alerts were delivered, local state is never ahead of the changelog,
and a replayed record that its profile has already seen may be skipped. A step that fails ends the process.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, Protocol

from app.adapters.kafka_sender import OutRecord
from app.streaming.fail_stop import fail_stop
from app.streaming.stages import Stopwatch
from app.streaming.work import Work


class Sender(Protocol):
    """Returns the last record's offset when all are acknowledged, -1 for none; raises SendFailed."""

    async def send(self, topic: str, partition: int, records: Iterable[OutRecord]) -> int: ...


class Store(Protocol):
    """Writes all or nothing."""

    def write(self, partition: int, profiles: Mapping[bytes, bytes], changelog_offset: int) -> None: ...


class OutTopics(NamedTuple):
    """Where a worker writes; all co-partitioned with the transactions."""

    decisions: str
    alerts: str
    dead_letters: str
    changelog: str


class OrderOfWrites:
    """Steps 2 to 5 for every chunk. ``on_durable`` is told of each chunk between steps 4 and 5; ``guard`` stands
    before every write and raises when this process may not write any more.
    """

    def __init__(
        self,
        sender: Sender,
        store: Store,
        topics: OutTopics,
        on_durable: Callable[[Work, Stopwatch], None],
        guard: Callable[[], None] = lambda: None,
    ) -> None:
        self._sender = sender
        self._store = store
        self._topics = topics
        self._on_durable = on_durable
        self._guard = guard
        self._last: dict[int, asyncio.Task[None]] = {}

    def finish(self, work: Work, acknowledge: Callable[[], object], watch: Stopwatch) -> "asyncio.Task[None]":
        """Start the steps of a chunk, behind those of the chunk before it; the task ends when it is finished."""
        before = self._last.get(work.partition)
        task = asyncio.create_task(self._finish(work, acknowledge, before, watch))
        self._last[work.partition] = task
        return task

    async def _finish(
        self,
        work: Work,
        acknowledge: Callable[[], object],
        before: "asyncio.Task[None] | None",
        watch: Stopwatch,
    ) -> None:
        with fail_stop("finishing a chunk"):
            await self._publish(work)
            watch.lap("send")
            if before is not None:
                await before
            await self._persist(work, watch)
            self._on_durable(work, watch)
            acknowledge()

    async def _publish(self, work: Work) -> None:
        self._guard()
        send, topics = self._sender.send, self._topics
        await asyncio.gather(
            *(
                send(topic, work.partition, records)
                for topic, records in (
                    (topics.decisions, work.decisions),
                    (topics.alerts, work.alerts),
                    (topics.dead_letters, work.dead_letters),
                )
                if records
            )
        )

    async def _persist(self, work: Work, watch: Stopwatch) -> None:
        if not work.profiles:
            return
        self._guard()
        records = [OutRecord(key, value) for key, value in work.profiles.items()]
        offset = await self._sender.send(self._topics.changelog, work.partition, records)
        watch.lap("changelog")
        self._guard()
        self._store.write(work.partition, work.profiles, offset)
        watch.lap("store")
