"""What is known of entities, in Redis: one value an entity, one mark a partition.

A value is an entity's whole state, so it is right wherever it stands. That one is missing means that the entity was
never seen only where its partition is marked as complete; a Redis that is new, was flushed or has come back with an
older copy holds other marks than the one written last, and everything is written again.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from redis.exceptions import WatchError

from app.adapters.kafka.partitioner import partitions_of

NEVER_SEEN = b""
"""The state of an entity that has none yet."""
_COMPLETE, _PARTIAL = b"complete:", b"partial:"


def complete(stand: str) -> bytes:
    """The mark of a partition of which everything up to ``stand`` is in Redis."""
    return _COMPLETE + stand.encode()


def partial(token: str) -> bytes:
    """The mark of a partition that is being written from the beginning."""
    return _PARTIAL + token.encode()


class ActivityKeys:
    """Names in Redis."""

    def __init__(self, prefix: str) -> None:
        self._values = f"{prefix}:activity:".encode()
        self._marks = f"{prefix}:complete:".encode()

    def value(self, entity: bytes) -> bytes:
        """Where the state of an entity stands; ``entity`` is its key in Kafka."""
        return self._values + entity

    def mark(self, partition: int) -> bytes:
        return self._marks + str(partition).encode()


class ActivityReader:
    """Every failure is raised as redis-py raises it: redis_client.FAILURES."""

    def __init__(self, client: Any, prefix: str, partitions: int) -> None:
        self._client = client
        self._keys = ActivityKeys(prefix)
        self._mark_names = [self._keys.mark(partition) for partition in range(partitions)]

    async def read(self, entities: Sequence[str]) -> dict[str, bytes]:
        """The states of ``entities``, NEVER_SEEN included, in one round trip. Of which nothing can be said is left out."""
        values = [self._keys.value(entity.encode()) for entity in entities]
        found: list[bytes | None] = await self._client.mget([*self._mark_names, *values])
        partitions = len(self._mark_names)
        states = dict(zip(entities, found[partitions:], strict=True))
        return self._known(states, found[:partitions])

    def _known(self, states: Mapping[str, bytes | None], marks: Sequence[bytes | None]) -> dict[str, bytes]:
        """A missing value speaks where its partition is complete."""
        whole = {partition for partition, mark in enumerate(marks) if mark and mark.startswith(_COMPLETE)}
        if len(whole) == len(marks):
            return {entity: state or NEVER_SEEN for entity, state in states.items()}
        places = partitions_of([entity.encode() for entity in states], len(marks)).tolist()
        return {
            entity: state or NEVER_SEEN
            for (entity, state), place in zip(states.items(), places, strict=True)
            if state is not None or place in whole
        }


class ActivityWriter:
    """Writes states together with the mark of their partition, or neither. Failures as ActivityReader's."""

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._keys = ActivityKeys(prefix)

    async def marks(self, partitions: Sequence[int]) -> list[bytes | None]:
        """As they stand now."""
        found: list[bytes | None] = await self._client.mget(list(map(self._keys.mark, partitions)))
        return found

    async def begin(self, partition: int, mark: bytes) -> None:
        """From now on the partition is written from the beginning."""
        await self._client.set(self._keys.mark(partition), mark)

    async def write(
        self, partition: int, states: Mapping[bytes, bytes], expected: Collection[bytes], mark: bytes
    ) -> bool:
        """Write ``states`` and ``mark`` if one of ``expected`` is the mark until then; otherwise write nothing.

        False: Redis lost what was written, or another worker writes this partition.
        """
        name = self._keys.mark(partition)
        async with self._client.pipeline(transaction=True) as pipeline:
            await pipeline.watch(name)
            if await pipeline.get(name) not in expected:
                return False
            pipeline.multi()
            if states:
                pipeline.mset({self._keys.value(entity): state for entity, state in states.items()})
            pipeline.set(name, mark)
            try:
                await pipeline.execute()
            except WatchError:
                return False
        return True
