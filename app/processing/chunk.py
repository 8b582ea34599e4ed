"""A chunk: all records of one partition that one fetch returned. It is the message that travels through Faust.

Faust costs about 120 µs per message before any work is done, so its consumer delivers one message per chunk
(docs/adr/0001-chunks-through-faust.md): app/streaming/consumer.
"""

from collections.abc import Sequence
from typing import NamedTuple

from app.adapters.kafka.records import Record

USUAL_BYTES, WEIGHT_BYTES = 2048, 8192
"""Memory of a record that counts as one, and of what counts as one more."""


def extra_weight(records: int, memory_bytes: int) -> int:
    """How many records more the memory of some records counts for against limits that are numbers of records.

    >>> extra_weight(2000, 2000 * 900), extra_weight(8, 8 * 1024 * 1024)
    (0, 1022)
    """
    return max(0, memory_bytes - records * USUAL_BYTES) // WEIGHT_BYTES


class Chunk(NamedTuple):
    """Consecutive records of one partition, in order of offset; never empty."""

    partition: int
    records: Sequence[Record]
    fetch_epoch: int | None = None
    """Number of the seek after which they were fetched; see ChunkConsumerThread."""
    previous_offset: int | None = None
    """The last record of the chunk before, which has the same fetch epoch; None for the first chunk of an epoch."""
    extra_weight: int = 0
    """See the function of this name."""

    @property
    def weight(self) -> int:
        """The number of records, large ones counting as several. That of merged chunks is the sum."""
        return len(self.records) + self.extra_weight
