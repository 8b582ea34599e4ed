"""Profiles in memory, per owned partition: what chunks in flight have changed, and the most recent others.

A profile that a chunk in flight changed must be found here, since RocksDB does not have it yet; so it stays at
least until that chunk is finished. The rest are kept while there is room, the least recently used go first.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Protocol

from app.features.profile import Profile
from app.features.state import decode
from app.features.window import Bounds


class ProfileReader(Protocol):
    """What stands in the durable table."""

    def read(self, partition: int, keys: list[bytes]) -> list[bytes | None]: ...


class PartitionProfiles:
    """The profiles of one partition. Chunks are numbered in the order of their computation."""

    def __init__(self, partition: int, reader: ProfileReader, bounds: Bounds) -> None:
        self._partition = partition
        self._reader = reader
        self._bounds = bounds
        self._profiles: dict[
            bytes, tuple[Profile, int]
        ] = {}  # least recently used first, with its last chunk
        self._chunk = 0

    def __len__(self) -> int:
        return len(self._profiles)

    def take(self, keys: Iterable[bytes]) -> tuple[int, dict[bytes, Profile]]:
        """Begin a chunk: its number, and the profiles of ``keys``, new ones for customers never seen."""
        self._chunk += 1
        taken: dict[bytes, Profile] = {}
        missing = []
        for key in keys:
            known = self._profiles.pop(key, None)
            if known is None:
                missing.append(key)
            else:
                taken[key] = known[0]
        if missing:
            taken.update(self._load(missing))
        for key, profile in taken.items():
            self._profiles[key] = (profile, self._chunk)
        return self._chunk, taken

    def release(self, chunk: int, capacity: int) -> None:
        """Everything up to ``chunk`` is durable: beyond ``capacity`` the least recently used may go."""
        for key in list(islice(self._profiles, max(0, len(self) - capacity))):
            if self._profiles[key][1] > chunk:
                return
            del self._profiles[key]

    def _load(self, keys: list[bytes]) -> Iterable[tuple[bytes, Profile]]:
        for key, data in zip(keys, self._reader.read(self._partition, keys), strict=True):
            yield key, Profile(self._bounds) if data is None else decode(data, self._bounds)


class ProfileCache:
    """The profiles of all owned partitions, with one bound on how many are kept."""

    def __init__(self, reader: ProfileReader, bounds: Bounds, capacity: int) -> None:
        self._reader = reader
        self._bounds = bounds
        self._capacity = capacity
        self._partitions: dict[int, PartitionProfiles] = {}

    def __len__(self) -> int:
        return sum(map(len, self._partitions.values()))

    def take(self, partition: int, keys: Iterable[bytes]) -> tuple[int, dict[bytes, Profile]]:
        """Begin a chunk of ``partition``; see PartitionProfiles.take."""
        if partition not in self._partitions:
            self._partitions[partition] = PartitionProfiles(partition, self._reader, self._bounds)
        return self._partitions[partition].take(keys)

    def release(self, partition: int, chunk: int) -> None:
        """A chunk is durable; each partition may keep its share of the capacity."""
        self._partitions[partition].release(chunk, self._capacity // len(self._partitions))

    def clear(self) -> None:
        """Forget everything: partitions are moving, and another worker may write their profiles."""
        self._partitions.clear()
