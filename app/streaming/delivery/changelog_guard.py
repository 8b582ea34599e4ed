"""Ensures that one worker writes to a changelog partition: another writer shows in the offsets."""

from collections.abc import Mapping
from typing import Protocol

from app.errors import ForeignWrite


class Store(Protocol):
    """Writes a batch entirely or not at all."""

    def write(self, partition: int, states: Mapping[bytes, bytes], changelog_offset: int) -> None: ...


class ChangelogGuard:
    """Wraps the store. Tracks the last changelog offset of each partition that this worker restored or wrote.

    A worker that lost a partition without noticing may append states after its successor was restored. Neither of the
    two then holds all of the changelog up to the offset in its store. Kafka offsets are consecutive, so a foreign
    record makes the next acknowledged offset larger than expected.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last_offsets: dict[int, int] = {}

    def begin(self, partition: int, last_offset: int) -> None:
        """Accept a partition restored up to ``last_offset``, which is -1 for an empty changelog."""
        self._last_offsets[partition] = last_offset

    def revoke(self) -> None:
        """Partitions are being reassigned: none may be written before it is restored again."""
        self._last_offsets.clear()

    def require(self, partition: int) -> None:
        """Raise ForeignWrite for a partition that was not restored."""
        if partition not in self._last_offsets:
            raise ForeignWrite(f"partition {partition} was not restored before its first chunk")

    def write(self, partition: int, states: Mapping[bytes, bytes], changelog_offset: int) -> None:
        """Store states whose last changelog record has ``changelog_offset``.

        Raises ForeignWrite, and stores nothing, when the offset shows records of another worker.
        """
        self.require(partition)
        expected = self._last_offsets[partition] + len(states)
        if changelog_offset != expected:
            raise ForeignWrite(
                f"the changelog of partition {partition} ends at offset {changelog_offset}, but this worker's records "
                f"end at {expected}: another worker writes to it"
            )
        self._store.write(partition, states, changelog_offset)
        self._last_offsets[partition] = changelog_offset
