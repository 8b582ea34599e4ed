"""Copies the states of entities from RocksDB to Redis, in the background: the fold never waits for it.

Each write of a partition's changed states also writes the partition's mark, which is its position in the changelog. If
the mark in Redis is not the one written last, Redis is new, was flushed, or holds an older copy; then all states of the
partition are written again from the store. While Redis is unavailable, changed keys are collected up to a limit.
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
"""Limit of collected keys per partition; if more change while Redis is unavailable, all states are written again."""
CHECK_SECONDS = 1.0
"""Interval of the check of marks while nothing changes, and the first pause after a failure."""
LONGEST_PAUSE_SECONDS = 5.0
STOP_SECONDS = 3.0

_log = structlog.get_logger("redis")


class Writer(Protocol):
    """See ActivityWriter."""

    async def marks(self, partitions: Sequence[int]) -> list[bytes | None]: ...

    async def begin(self, partition: int, mark: bytes) -> None: ...

    async def write(
        self, partition: int, states: Mapping[bytes, bytes], expected: Collection[bytes], mark: bytes
    ) -> bool: ...


class Store(Protocol):
    """The states of the partitions. ``scan`` returns those after a key, in the order of keys."""

    def read(self, partition: int, keys: list[bytes]) -> list[bytes | None]: ...

    def scan(self, partition: int, after: bytes, limit: int) -> list[tuple[bytes, bytes]]: ...


class _Partition:
    """The keys to write for one partition, and the marks of which Redis must hold one.

    There are several marks while it is unknown whether a write arrived, and none if all states must be written again.
    """

    def __init__(self, number: int, positions: Sequence[str]) -> None:
        self.number = number
        self.position = positions[-1]
        """The changelog position up to which the store is complete."""
        self.pending: dict[bytes, None] = {}
        """Keys of changed entities, the oldest change first."""
        self.marks: set[bytes] = {complete(position) for position in positions}
        self.attempt = 0

    @property
    def is_published(self) -> bool:
        """True when Redis has all states and the mark of the current position."""
        return self.marks == {complete(self.position)} and not self.pending

    def changed(self, entities: Iterable[bytes], position: str) -> None:
        self.position = position
        self.pending.update(dict.fromkeys(entities))
        if len(self.pending) > PENDING_ENTITIES:
            self.write_again()

    def write_again(self) -> None:
        """Write all states from the beginning: no mark is valid any more."""
        self.pending.clear()
        self.marks.clear()
        self.attempt += 1

    def take(self) -> tuple[list[bytes], bytes]:
        """The keys to write next, and the mark to write with them."""
        taken = list(islice(self.pending, BATCH_ENTITIES))
        for key in taken:
            del self.pending[key]
        # Between two batches Redis is at no position of the changelog, so the mark differs from that of the position. It
        # still says that no entity is missing, which readers rely on.
        return taken, complete(f"{self.position}-" if self.pending else self.position)

    def give_back(self, taken: Iterable[bytes]) -> None:
        """Return keys whose write may not have arrived."""
        self.pending.update(dict.fromkeys(taken))


class RedisPublisher:
    """Called after each RocksDB write. ``guard`` raises if this process may not write any more."""

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
        self._work_arrived = asyncio.Event()
        self._pause_seconds = 0.0
        self._running: asyncio.Task[None] | None = None
        self._stopping = False

    def begin(self, partition: int, positions: Sequence[str]) -> None:
        """Start to publish a partition that was restored up to the last of ``positions``, between which no state changed.

        Its mark in Redis is checked first: any of them says that Redis has all states.
        """
        self._partitions[partition] = _Partition(partition, positions)
        self._work_arrived.set()

    def revoke(self) -> None:
        """Stop publishing all partitions after a rebalance; their next owners publish them."""
        self._partitions.clear()

    def changed(self, partition: int, entities: Iterable[bytes], position: str) -> None:
        """Publish changed entities; the store is complete up to ``position``."""
        if partition in self._partitions:  # otherwise ``begin`` follows, with a later position
            self._partitions[partition].changed(entities, position)
            self._work_arrived.set()

    def start(self) -> None:
        """Start the background task."""
        self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Publish the last changes within STOP_SECONDS: then the next owner finds Redis complete."""
        self._stopping = True
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        try:
            async with asyncio.timeout(STOP_SECONDS):
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
        """Wait for a change, at most CHECK_SECONDS; after a failure, for the current pause."""
        if self._pause_seconds:
            await asyncio.sleep(self._pause_seconds)
            return
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await self._work_arrived.wait()
        except TimeoutError:
            return

    async def _publish(self) -> None:
        """Check the marks, then write until nothing is left."""
        self._work_arrived.clear()
        await self._check_marks()
        for partition in list(self._partitions.values()):
            while self._is_current(partition) and not partition.is_published:
                if partition.marks:
                    await self._write(partition)
                else:
                    await self._write_again(partition)

    async def _check_marks(self) -> None:
        """Compare the marks in Redis with those written; write a partition again if they differ."""
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
        """Write all states of the store. Returns without a mark, to be called again, if Redis lost states meanwhile."""
        _log.info("publishing_all_states", partition=partition.number)
        attempt, unfinished, after = partition.attempt, partial(secrets.token_hex(8)), b""
        self._guard()
        await self._writer.begin(partition.number, unfinished)
        while self._is_current(partition):
            states = dict(self._store.scan(partition.number, after, BATCH_ENTITIES))
            if not states:
                break
            after = max(states)
            if not await self._send(partition, states, {unfinished}, unfinished):
                return
            self._metrics.count("entities_published_total", len(states), why="again")
        # States that changed during the scan are newer than those read, and still pending.
        mark = complete(f"{partition.position}-" if partition.pending else partition.position)
        if (
            self._is_current(partition)
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

    def _is_current(self, partition: _Partition) -> bool:
        return self._partitions.get(partition.number) is partition

    def _failed(self, error: BaseException) -> None:
        if not self._pause_seconds:
            _log.error("redis_is_away", why=explain(self._settings, error))
        self._pause_seconds = min(max(2 * self._pause_seconds, CHECK_SECONDS), LONGEST_PAUSE_SECONDS)
        self._report()

    def _succeeded(self) -> None:
        if self._pause_seconds:
            _log.info("redis_is_back")
        self._pause_seconds = 0.0
        self._report()

    def _report(self) -> None:
        unpublished = sum(len(partition.pending) for partition in self._partitions.values())
        self._metrics.gauge("entities_unpublished", unpublished)
