"""Detects records that are missing between the fetch and the computation, and a source topic that was created again."""

from app.errors import ChunkMissing, LogReplaced
from app.processing.chunk import Chunk


class OffsetGuard:
    """Requires the chunks of each partition to arrive in the order of the fetch, none left out, from one seek to the next."""

    def __init__(self) -> None:
        self._read: dict[int, tuple[int | None, int]] = {}
        """By partition: fetch epoch and last offset."""

    def check(self, chunk: Chunk) -> None:
        """Raise ChunkMissing or LogReplaced for a chunk that does not follow the previous one of its partition.

        Without the missing chunk its records would be committed and never computed. A chunk that begins at or before the
        previous one is of another log: states that have applied those offsets would skip its records.
        """
        fetch_epoch, last_offset = self._read.get(chunk.partition, (None, -1))
        previous = last_offset if fetch_epoch == chunk.fetch_epoch else None
        first_offset = chunk.records[0].offset
        if chunk.previous_offset not in {None, previous}:
            raise ChunkMissing(
                f"partition {chunk.partition} continues at offset {first_offset}; the chunk that was fetched before it, up "
                f"to offset {chunk.previous_offset}, did not arrive"
            )
        if previous is not None and first_offset <= previous:
            raise LogReplaced(
                f"partition {chunk.partition} resumes at offset {first_offset} after {previous}: its topic was deleted "
                "and created again, or truncated"
            )
        self._read[chunk.partition] = chunk.fetch_epoch, chunk.records[-1].offset
