"""The state of entities in Redis: one value for each entity, one marker for each partition of the facts topic.

A value is the complete state of an entity and therefore correct by itself. A missing value means that the entity was never
seen only if the marker of its partition is complete. A Redis that is new, was flushed or was restored from an older copy
lacks the latest marker; the partition is then written again from the beginning.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from redis.exceptions import WatchError

from app.adapters.kafka.partitioner import partitions_of

NEVER_SEEN = b""
"""The state of an entity without facts."""
_COMPLETE, _PARTIAL = b"complete:", b"partial:"


def complete(changelog_position: str) -> bytes:
    """The marker of a partition whose states up to ``changelog_position`` are all in Redis."""
    return _COMPLETE + changelog_position.encode()


def partial(token: str) -> bytes:
    """The marker of a partition that is being written from the beginning."""
    return _PARTIAL + token.encode()


class ActivityKeys:
    """Names of the keys in Redis."""

    def __init__(self, prefix: str) -> None:
        self._values = f"{prefix}:activity:".encode()
        self._marks = f"{prefix}:complete:".encode()

    def value(self, entity: bytes) -> bytes:
        """The key of an entity's state; ``entity`` is its key in Kafka."""
        return self._values + entity

    def mark(self, partition: int) -> bytes:
        return self._marks + str(partition).encode()


class ActivityReader:
    """Reads entity states. Raises redis-py's own errors: FAILURES in ``client``."""

    def __init__(self, client: Any, prefix: str, partitions: int) -> None:
        self._client = client
        self._keys = ActivityKeys(prefix)
        self._mark_names = [self._keys.mark(partition) for partition in range(partitions)]

    async def read(self, entities: Sequence[str]) -> dict[str, bytes]:
        """The states of ``entities`` in one round trip, NEVER_SEEN included. Entities of unknown state are left out."""
        values = [self._keys.value(entity.encode()) for entity in entities]
        # Markers and values are read in one command: it is atomic, so a marker cannot become complete between the two reads.
        found: list[bytes | None] = await self._client.mget([*self._mark_names, *values])
        partitions = len(self._mark_names)
        states = dict(zip(entities, found[partitions:], strict=True))
        return self._with_never_seen(states, found[:partitions])

    def _with_never_seen(
        self, states: Mapping[str, bytes | None], marks: Sequence[bytes | None]
    ) -> dict[str, bytes]:
        """A missing key means "never seen" only if the partition's marker is complete."""
        whole = {partition for partition, mark in enumerate(marks) if mark and mark.startswith(_COMPLETE)}
        if len(whole) == len(marks):  # the usual case, without hashing the keys
            return {entity: state or NEVER_SEEN for entity, state in states.items()}
        partitions = partitions_of([entity.encode() for entity in states], len(marks)).tolist()
        return {
            entity: state or NEVER_SEEN
            for (entity, state), partition in zip(states.items(), partitions, strict=True)
            if state is not None or partition in whole
        }


class ActivityWriter:
    """Writes states and the marker of their partition in one Redis transaction. Raises as ActivityReader."""

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._keys = ActivityKeys(prefix)

    async def marks(self, partitions: Sequence[int]) -> list[bytes | None]:
        """The current markers of ``partitions``, None where there is none."""
        found: list[bytes | None] = await self._client.mget(list(map(self._keys.mark, partitions)))
        return found

    async def begin(self, partition: int, mark: bytes) -> None:
        """Set the marker of a partition before it is written from the beginning."""
        await self._client.set(self._keys.mark(partition), mark)

    async def write(
        self, partition: int, states: Mapping[bytes, bytes], expected: Collection[bytes], mark: bytes
    ) -> bool:
        """Write ``states`` and ``mark`` if the current marker is one of ``expected``; otherwise write nothing.

        False means that Redis lost data or that another worker writes this partition.
        """
        name = self._keys.mark(partition)
        # WATCH makes EXEC fail when the marker changes after it was read: two writers cannot both succeed. States and marker
        # are written together, because a marker without its states would declare missing entities as never seen.
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
