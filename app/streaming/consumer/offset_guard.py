"""Detects a source topic that was deleted and created again: its offsets begin at 0 anew."""

from app.errors import LogReplaced
from app.processing.chunk import Chunk


class OffsetGuard:
    """Requires the offsets of each partition to ascend from one seek to the next."""

    def __init__(self) -> None:
        self._read: dict[int, tuple[int | None, int]] = {}
        """By partition: fetch epoch and last offset."""

    def check(self, chunk: Chunk) -> None:
        """Raise LogReplaced for a chunk that does not lie behind the previous chunk of its partition.

        Its records have offsets that states of another log already applied: they would be skipped, and lost.
        """
        fetch_epoch, last_offset = self._read.get(chunk.partition, (None, -1))
        first_offset = chunk.records[0].offset
        if fetch_epoch == chunk.fetch_epoch and first_offset <= last_offset:
            raise LogReplaced(
                f"partition {chunk.partition} resumes at offset {first_offset} after {last_offset}: its topic was "
                "deleted and created again, or truncated"
            )
        self._read[chunk.partition] = chunk.fetch_epoch, chunk.records[-1].offset
