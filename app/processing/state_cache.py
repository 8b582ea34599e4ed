"""Caches encoded states (profiles, activities or contacts) in memory, per owned partition.

A state changed by a chunk in flight must be found here, because RocksDB does not hold it yet; it stays at least until
that chunk is durable. Other states stay while the capacity allows; the least recently changed are evicted first.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol


class StateReader(Protocol):
    """Reads states from the durable table."""

    def read(self, partition: int, keys: list[bytes]) -> list[bytes | None]: ...


class PartitionStates:
    """States of one partition. Chunks are numbered in the order they are computed."""

    def __init__(self, partition: int, reader: StateReader) -> None:
        self.size_bytes = 0
        self._partition = partition
        self._reader = reader
        self._states: dict[bytes, tuple[bytes, int]] = {}  # least recently put first, with its chunk
        self._chunk = 0

    def __len__(self) -> int:
        return len(self._states)

    def take(self, keys: Sequence[bytes]) -> list[bytes]:
        """Return the states of ``keys`` in their order, b"" for unknown keys. Missing ones are read from the table."""
        missing = [key for key in keys if key not in self._states]
        if missing:
            stored = self._reader.read(self._partition, missing)
            for key, data in zip(missing, stored, strict=True):
                self._put(key, data or b"")
        return [self._states[key][0] for key in keys]

    def put(self, changed: Mapping[bytes, bytes]) -> int:
        """Keep the states that a computed chunk changed; return the chunk's number."""
        self._chunk += 1
        for key, data in changed.items():
            self._put(key, data)
        return self._chunk

    def release(self, chunk: int, capacity_bytes: int) -> None:
        """Evict the least recently changed states beyond the capacity, unless a chunk after ``chunk`` changed them.

        All chunks up to ``chunk`` are durable: RocksDB holds their states.
        """
        evicted = []
        for key, (data, changed_in) in self._states.items():
            if self.size_bytes <= capacity_bytes or changed_in > chunk:
                break
            self.size_bytes -= len(key) + len(data)
            evicted.append(key)
        for key in evicted:
            del self._states[key]

    def _put(self, key: bytes, data: bytes) -> None:
        before = self._states.pop(key, None)
        self.size_bytes += len(data) + (len(key) if before is None else -len(before[0]))
        self._states[key] = (data, self._chunk)


class StateCache:
    """States of all owned partitions, with one limit on their bytes."""

    def __init__(self, reader: StateReader, capacity_bytes: int) -> None:
        self._reader = reader
        self._capacity_bytes = capacity_bytes
        self._partitions: dict[int, PartitionStates] = {}

    def __len__(self) -> int:
        return sum(map(len, self._partitions.values()))

    @property
    def size_bytes(self) -> int:
        """Bytes of all keys and states."""
        return sum(states.size_bytes for states in self._partitions.values())

    def take(self, partition: int, keys: Sequence[bytes]) -> list[bytes]:
        """See PartitionStates.take."""
        if partition not in self._partitions:
            self._partitions[partition] = PartitionStates(partition, self._reader)
        return self._partitions[partition].take(keys)

    def put(self, partition: int, changed: Mapping[bytes, bytes]) -> int:
        """See PartitionStates.put."""
        return self._partitions[partition].put(changed)

    def release(self, partition: int, chunk: int) -> None:
        """Evict states after a chunk became durable; every partition has an equal part of the capacity."""
        self._partitions[partition].release(chunk, self._capacity_bytes // len(self._partitions))

    def clear(self) -> None:
        """Drop everything: partitions are being reassigned, and another worker may change their states."""
        self._partitions.clear()
