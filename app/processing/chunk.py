"""A chunk: all records of one partition that one fetch returned. It is the message that travels through Faust.

Faust costs about 120 µs per message before any work is done, so its consumer delivers one message per chunk
(docs/adr/0001-chunks-through-faust.md): app/streaming/consumer.
"""

from collections.abc import Sequence
from typing import NamedTuple

from app.adapters.kafka.records import Record


class Chunk(NamedTuple):
    """Consecutive records of one partition, in order of offset; never empty."""

    partition: int
    records: Sequence[Record]
    fetch_epoch: int | None = None
    """Number of the seek after which they were fetched; see ChunkConsumerThread."""
    previous_offset: int | None = None
    """The last record of the chunk before, which has the same fetch epoch; None for the first chunk of an epoch."""
