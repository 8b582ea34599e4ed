"""The identity under which a producer sends: brokers use it to recognise a batch sent twice, and a former owner.

A broker keeps, for each partition, the newest epoch of each producer id and the sequence number of its last records. It
appends a batch that it already has only once, and it refuses a batch with an older epoch. See KIP-98 and KIP-360.
"""

import struct

from aiokafka.record.util import calc_crc32c

_SEQUENCES = 2**31
"""After the largest sequence number, 2^31 - 1, comes 0."""
_CHECKSUM = 17
"""Place of the batch's checksum, which covers all bytes from ``_CHECKED`` on. The places are those of
https://kafka.apache.org/documentation/#recordbatch."""
_CHECKED = 21
_PRODUCER = 43
"""Place of producer id (8 bytes), producer epoch (2) and base sequence (4)."""


class ProducerIdentity:
    """A producer id with its epoch, and the next sequence number in each partition."""

    def __init__(self, producer_id: int, epoch: int) -> None:
        self.producer_id = producer_id
        self.epoch = epoch
        self._next: dict[tuple[str, int], int] = {}

    def number(self, topic: str, partition: int, records: int) -> int:
        """Return the sequence number of the first of ``records`` that are sent next to the partition."""
        first = self._next.get((topic, partition), 0)
        self._next[topic, partition] = (first + records) % _SEQUENCES
        return first


def stamp(batch: bytearray, identity: ProducerIdentity, sequence: int) -> None:
    """Write the identity and the sequence number of the first record into an encoded batch, and its new checksum."""
    struct.pack_into(">qhi", batch, _PRODUCER, identity.producer_id, identity.epoch, sequence)
    struct.pack_into(">I", batch, _CHECKSUM, calc_crc32c(memoryview(batch)[_CHECKED:]))
