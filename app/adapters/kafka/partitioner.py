"""Which partition a key belongs to: the choice of Java's default partitioner, so that any producer agrees."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.features.compiled import compiled

_REMEMBERED_KEYS = 1 << 17
_SEED, _MULTIPLIER = 0x9747B28C, 0x5BD1E995
_WORD = 0xFFFFFFFF
_POSITIVE = 0x7FFFFFFF


@lru_cache(maxsize=_REMEMBERED_KEYS)
def key_hash(key: bytes) -> int:
    """murmur2 with the sign bit cleared. Remembered: in pure Python it costs as much as the rest of a send."""
    length = len(key)
    whole = length - length % 4
    digest = _SEED ^ length
    for at in range(0, whole, 4):
        word = int.from_bytes(key[at : at + 4], "little") * _MULTIPLIER & _WORD
        word = (word ^ word >> 24) * _MULTIPLIER & _WORD
        digest = digest * _MULTIPLIER & _WORD ^ word
    if length > whole:
        digest = (digest ^ int.from_bytes(key[whole:], "little")) * _MULTIPLIER & _WORD
    digest = (digest ^ digest >> 13) * _MULTIPLIER & _WORD
    return (digest ^ digest >> 15) & _POSITIVE


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of ``key`` in a topic of so many partitions."""
    return key_hash(key) % partitions


def partitions_of(keys: Sequence[bytes], partitions: int) -> NDArray[np.int64]:
    """The same for many keys at once, some 20 ns each however often they come."""
    ends = np.cumsum(np.fromiter(map(len, keys), np.int64, len(keys)))
    return _partitions(np.frombuffer(bytearray(b"".join(keys)), np.uint8), ends, partitions)


@compiled
def _partitions(data: NDArray[np.uint8], ends: NDArray[np.int64], partitions: int) -> NDArray[np.int64]:
    found = np.empty(len(ends), np.int64)
    begin = 0
    for i in range(len(ends)):
        found[i] = _murmur2(data[begin : ends[i]]) % partitions
        begin = ends[i]
    return found


@compiled
def _murmur2(key: NDArray[np.uint8]) -> int:
    """Of Austin Appleby, as Kafka seeds it; the sign bit is cleared. 64-bit integers, cut to 32 after each product."""
    length = len(key)
    whole = length - length % 4
    digest = np.int64(_SEED ^ length)
    for at in range(0, whole, 4):
        word = np.int64(key[at]) | np.int64(key[at + 1]) << 8 | np.int64(key[at + 2]) << 16
        word = (word | np.int64(key[at + 3]) << 24) * _MULTIPLIER & _WORD
        word = (word ^ word >> 24) * _MULTIPLIER & _WORD
        digest = digest * _MULTIPLIER & _WORD ^ word
    if length > whole:
        for at in range(length - 1, whole - 1, -1):
            digest ^= np.int64(key[at]) << 8 * (at - whole)
        digest = digest * _MULTIPLIER & _WORD
    digest = (digest ^ digest >> 13) * _MULTIPLIER & _WORD
    return int((digest ^ digest >> 15) & _POSITIVE)
