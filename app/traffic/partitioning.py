"""Which partition a key belongs to: the choice of Java's default partitioner, so that any producer agrees."""

from functools import lru_cache

from aiokafka.partitioner import murmur2

_REMEMBERED_KEYS = 1 << 17


@lru_cache(maxsize=_REMEMBERED_KEYS)
def key_hash(key: bytes) -> int:
    """murmur2 with the sign bit cleared. Remembered: in pure Python it costs as much as the rest of a send."""
    return int(murmur2(key)) & 0x7FFFFFFF


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of ``key`` in a topic of so many partitions."""
    return key_hash(key) % partitions
