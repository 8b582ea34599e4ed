"""Encoded profiles in memory, per owned partition: what chunks in flight have changed, and the most recent others.

A profile that a chunk in flight changed must be found here, since RocksDB does not have it yet; so it stays at
least until that chunk is finished. The rest are kept while there is room, the least recently changed go first.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol


class StateReader(Protocol):
    """What stands in the durable table."""

    def read(self, partition: int, keys: list[bytes]) -> list[bytes | None]: ...


class PartitionStates:
    """The profiles of one partition. Chunks are numbered in the order of their computation."""

    def __init__(self, partition: int, reader: StateReader) -> None:
        self.size_bytes = 0
        self._partition = partition
        self._reader = reader
        self._profiles: dict[bytes, tuple[bytes, int]] = {}  # least recently put first, with its chunk
        self._chunk = 0

    def __len__(self) -> int:
        return len(self._profiles)

    def take(self, keys: Sequence[bytes]) -> list[bytes]:
        """The profiles of ``keys`` in their order, b"" for customers never seen."""
        missing = [key for key in keys if key not in self._profiles]
        if missing:
            stored = self._reader.read(self._partition, missing)
            for key, data in zip(missing, stored, strict=True):
                self._put(key, data or b"")
        return [self._profiles[key][0] for key in keys]

    def put(self, changed: Mapping[bytes, bytes]) -> int:
        """A chunk was computed: its number, under which what it changed is kept."""
        self._chunk += 1
        for key, data in changed.items():
            self._put(key, data)
        return self._chunk

    def release(self, chunk: int, capacity_bytes: int) -> None:
        """Everything up to ``chunk`` is durable: beyond the capacity the least recently changed go."""
        gone = []
        for key, (data, changed_in) in self._profiles.items():
            if self.size_bytes <= capacity_bytes or changed_in > chunk:
                break
            self.size_bytes -= len(key) + len(data)
            gone.append(key)
        for key in gone:
            del self._profiles[key]

    def _put(self, key: bytes, data: bytes) -> None:
        before = self._profiles.pop(key, None)
        self.size_bytes += len(data) + (len(key) if before is None else -len(before[0]))
        self._profiles[key] = (data, self._chunk)


class StateCache:
    """The profiles of all owned partitions, with one bound on how many bytes are kept."""

    def __init__(self, reader: StateReader, capacity_bytes: int) -> None:
        self._reader = reader
        self._capacity_bytes = capacity_bytes
        self._partitions: dict[int, PartitionStates] = {}

    def __len__(self) -> int:
        return sum(map(len, self._partitions.values()))

    @property
    def size_bytes(self) -> int:
        """Of keys and profiles."""
        return sum(profiles.size_bytes for profiles in self._partitions.values())

    def take(self, partition: int, keys: Sequence[bytes]) -> list[bytes]:
        """See PartitionStates.take."""
        if partition not in self._partitions:
            self._partitions[partition] = PartitionStates(partition, self._reader)
        return self._partitions[partition].take(keys)

    def put(self, partition: int, changed: Mapping[bytes, bytes]) -> int:
        """See PartitionStates.put."""
        return self._partitions[partition].put(changed)

    def release(self, partition: int, chunk: int) -> None:
        """A chunk is durable; each partition may keep its share of the capacity."""
        self._partitions[partition].release(chunk, self._capacity_bytes // len(self._partitions))

    def clear(self) -> None:
        """Forget everything: partitions are moving, and another worker may write their profiles."""
        self._partitions.clear()
