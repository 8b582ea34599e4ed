"""One worker writes to a partition of the changelog. Another that still does is noticed by the offsets."""

from collections.abc import Mapping
from typing import Protocol

from app.errors import ForeignWrite


class Store(Protocol):
    """Writes all or nothing."""

    def write(self, partition: int, profiles: Mapping[bytes, bytes], changelog_offset: int) -> None: ...


class ChangelogGuard:
    """Stands before the store, and knows where the partitions' changelogs end as far as this worker has restored or
    written them.

    A worker that lost a partition without knowing it may append profiles after its successor was restored; neither
    of the two then knows all of the changelog that its store claims to stand at.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last_offsets: dict[int, int] = {}

    def begin(self, partition: int, last_offset: int) -> None:
        """The partition was restored up to ``last_offset``, -1 when nothing is in its changelog."""
        self._last_offsets[partition] = last_offset

    def forget(self) -> None:
        """Partitions are moving: none may be worked on before it is restored again."""
        self._last_offsets.clear()

    def require(self, partition: int) -> None:
        """Raises ForeignWrite for a partition that was not restored."""
        if partition not in self._last_offsets:
            raise ForeignWrite(f"partition {partition} is worked on before its profiles were restored")

    def write(self, partition: int, profiles: Mapping[bytes, bytes], changelog_offset: int) -> None:
        """Store what was appended to the changelog, its last record at ``changelog_offset``.

        Raises ForeignWrite, and stores nothing, when somebody else's records stand between.
        """
        self.require(partition)
        expected = self._last_offsets[partition] + len(profiles)
        if changelog_offset != expected:
            raise ForeignWrite(
                f"the changelog of partition {partition} ends at {changelog_offset}, and by what this worker has "
                f"restored and written at {expected}: another worker writes to it"
            )
        self._store.write(partition, profiles, changelog_offset)
        self._last_offsets[partition] = changelog_offset
