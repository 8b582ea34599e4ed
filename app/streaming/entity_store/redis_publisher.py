"""What the entities' store holds, brought to Redis behind the fold, which never waits for it.

For each partition: what changed is written together with a mark that says how far Redis stands. Where the mark is not
the one written last, Redis is new, was flushed, or holds an older copy; then all of the partition is written again,
from the store. While Redis is away what changed is collected, within a bound.
"""

import asyncio
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Protocol

import structlog

from app.adapters.redis.activity_redis import complete, partial
from app.adapters.redis.client import FAILURES, explain
from app.metrics import Metrics
from app.settings import RedisSettings
from app.streaming.delivery.fail_stop import fail_stop

BATCH_ENTITIES = 500
PENDING_ENTITIES = 200_000
"""Of one partition. When more have changed since Redis was last heard of, all of the partition is written again."""
CHECK_SECONDS = 1.0
"""How often marks are looked at while nothing changes, and how long a pause is after the first failure."""
LONGEST_PAUSE_SECONDS = 5.0
FAREWELL_SECONDS = 3.0

_log = structlog.get_logger("redis")


class Writer(Protocol):
    """See ActivityWriter."""

    async def marks(self, partitions: Sequence[int]) -> list[bytes | None]: ...

    async def begin(self, partition: int, mark: bytes) -> None: ...

    async def write(
        self, partition: int, states: Mapping[bytes, bytes], expected: Collection[bytes], mark: bytes
    ) -> bool: ...


class Store(Protocol):
    """The states of one partition. ``scan``: from behind a key on, in the order of keys."""

    def read(self, partition: int, keys: list[bytes]) -> list[bytes | None]: ...

    def scan(self, partition: int, after: bytes, limit: int) -> list[tuple[bytes, bytes]]: ...


class _Partition:
    """``marks`` are those of which one must stand in Redis: several while it is not known whether a write arrived,
    none when everything is to be written again.
    """

    def __init__(self, number: int, stand: str) -> None:
        self.number = number
        self.stand = stand
        """Up to which the store holds everything."""
        self.pending: dict[bytes, None] = {}
        """Entities that have changed, the oldest change first."""
        self.marks: set[bytes] = {complete(stand)}
        self.attempt = 0

    def changed(self, entities: Iterable[bytes], stand: str) -> None:
        self.stand = stand
        self.pending.update(dict.fromkeys(entities))
        if len(self.pending) > PENDING_ENTITIES:
            self.write_again()

    def write_again(self) -> None:
        """From the beginning: no mark fits any more."""
        self.pending.clear()
        self.marks.clear()
        self.attempt += 1

    def take(self) -> tuple[list[bytes], bytes]:
        """What is to be written now, and the mark that goes with it."""
        taken = list(islice(self.pending, BATCH_ENTITIES))
        for key in taken:
            del self.pending[key]
        # With more to come Redis stands nowhere in between; yet it knows of every entity that it did not lack before.
        return taken, complete(f"{self.stand}-" if self.pending else self.stand)

    def give_back(self, taken: Iterable[bytes]) -> None:
        """They may not have arrived."""
        self.pending.update(dict.fromkeys(taken))


class Publisher:
    """Told of every change behind the store step. ``guard`` raises when this process may not write any more."""

    def __init__(
        self,
        writer: Writer,
        store: Store,
        settings: RedisSettings,
        metrics: Metrics,
        guard: Callable[[], None] = lambda: None,
    ) -> None:
        self._writer = writer
        self._store = store
        self._settings = settings
        self._metrics = metrics
        self._guard = guard
        self._partitions: dict[int, _Partition] = {}
        self._something = asyncio.Event()
        self._pause_seconds = 0.0
        self._running: asyncio.Task[None] | None = None
        self._stopping = False

    def begin(self, partition: int, stand: str) -> None:
        """The partition was restored up to ``stand``; what Redis holds of it remains to be seen."""
        self._partitions[partition] = _Partition(partition, stand)
        self._something.set()

    def forget(self) -> None:
        """Partitions move; their next owners publish them."""
        self._partitions.clear()

    def changed(self, partition: int, entities: Iterable[bytes], stand: str) -> None:
        """The store holds ``entities`` as they are now, and everything up to ``stand``."""
        if partition in self._partitions:  # otherwise ``begin`` comes later, with a stand beyond this one
            self._partitions[partition].changed(entities, stand)
            self._something.set()

    def start(self) -> None:
        """Begin to publish, beside everything else."""
        self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """The last changes go out, if Redis takes them soon: then the next owner finds it complete."""
        self._stopping = True
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self._publish()
        except FAILURES as error:
            _log.warning("redis_incomplete", why=explain(self._settings, error))

    async def _run(self) -> None:
        with fail_stop("publishing"):
            while not self._stopping:  # the client may swallow a cancellation
                await self._wait()
                try:
                    await self._publish()
                except FAILURES as error:
                    self._failed(error)
                else:
                    self._succeeded()

    async def _wait(self) -> None:
        """For a change, but not for ever; after a failure for a while."""
        if self._pause_seconds:
            await asyncio.sleep(self._pause_seconds)
            return
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await self._something.wait()
        except TimeoutError:
            return

    async def _publish(self) -> None:
        """Until nothing is left to write."""
        self._something.clear()
        await self._look()
        for partition in list(self._partitions.values()):
            while self._is_ours(partition) and (partition.pending or not partition.marks):
                if partition.marks:
                    await self._write(partition)
                else:
                    await self._write_again(partition)

    async def _look(self) -> None:
        """Are the marks those that were written?"""
        partitions = list(self._partitions.values())
        if not partitions:
            return
        found = await self._writer.marks([partition.number for partition in partitions])
        for partition, mark in zip(partitions, found, strict=True):
            if mark not in partition.marks:
                partition.write_again()

    async def _write(self, partition: _Partition) -> None:
        taken, mark = partition.take()
        expected, partition.marks = partition.marks, partition.marks | {mark}
        try:
            written = await self._send(partition, self._read(partition, taken), expected, mark)
        except BaseException:
            partition.give_back(taken)
            raise
        if written:
            partition.marks = {mark}
            self._metrics.count("entities_published_total", len(taken), why="changed")
        else:
            partition.write_again()

    async def _write_again(self, partition: _Partition) -> None:
        """All that the store holds; begun anew when Redis loses what was written meanwhile."""
        _log.info("publishing_again", partition=partition.number)
        attempt, unfinished, after = partition.attempt, partial(secrets.token_hex(8)), b""
        self._guard()
        await self._writer.begin(partition.number, unfinished)
        while self._is_ours(partition):
            states = dict(self._store.scan(partition.number, after, BATCH_ENTITIES))
            if not states:
                break
            after = max(states)
            if not await self._send(partition, states, {unfinished}, unfinished):
                return
            self._metrics.count("entities_published_total", len(states), why="again")
        # What has changed meanwhile is newer than what was read, and still to come.
        mark = complete(f"{partition.stand}-" if partition.pending else partition.stand)
        if (
            self._is_ours(partition)
            and attempt == partition.attempt
            and await self._send(partition, {}, {unfinished}, mark)
        ):
            partition.marks = {mark}
            _log.info("published", partition=partition.number)

    async def _send(
        self, partition: _Partition, states: Mapping[bytes, bytes], expected: Collection[bytes], mark: bytes
    ) -> bool:
        self._guard()
        return await self._writer.write(partition.number, states, expected, mark)

    def _read(self, partition: _Partition, entities: list[bytes]) -> dict[bytes, bytes]:
        found = self._store.read(partition.number, entities)
        return {entity: state for entity, state in zip(entities, found, strict=True) if state is not None}

    def _is_ours(self, partition: _Partition) -> bool:
        return self._partitions.get(partition.number) is partition

    def _failed(self, error: BaseException) -> None:
        if not self._pause_seconds:
            _log.error("redis_is_away", why=explain(self._settings, error))
        self._pause_seconds = min(max(2 * self._pause_seconds, CHECK_SECONDS), LONGEST_PAUSE_SECONDS)
        self._tell()

    def _succeeded(self) -> None:
        if self._pause_seconds:
            _log.info("redis_is_back")
        self._pause_seconds = 0.0
        self._tell()

    def _tell(self) -> None:
        unpublished = sum(len(partition.pending) for partition in self._partitions.values())
        self._metrics.gauge("entities_unpublished", unpublished)
