"""A partition is one log as long as its offsets ascend. A topic that is deleted and made again counts from 0 anew."""

from app.errors import LogReplaced
from app.processing.chunk import Chunk


class OffsetGuard:
    """Knows how far each partition was read, since the last seek."""

    def __init__(self) -> None:
        self._read: dict[int, tuple[int | None, int]] = {}  # stand, last offset

    def follow(self, chunk: Chunk) -> None:
        """Raises LogReplaced for a chunk that does not lie behind the one before it.

        Its records would be taken for replays of those that had their offsets: worked off, and lost.
        """
        stand, last_offset = self._read.get(chunk.partition, (None, -1))
        first_offset = chunk.records[0].offset
        if stand == chunk.stand and first_offset <= last_offset:
            raise LogReplaced(
                f"partition {chunk.partition} goes on at offset {first_offset}, behind {last_offset}: its topic was "
                "deleted and made again, or cut"
            )
        self._read[chunk.partition] = chunk.stand, chunk.records[-1].offset
