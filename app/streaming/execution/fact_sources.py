"""Prerequisite of facts about entities: the log of transactions is known to reach as far as the facts say, or not to."""

from app.processing.chunk import Chunk
from app.processing.fact_checks import lack_source, sources_of
from app.streaming.execution.source_extent import PROVIDER, SourceExtent


class FactPrerequisites:
    """Of the chunks of facts. See Prerequisites."""

    provider = PROVIDER

    def __init__(self, extent: SourceExtent) -> None:
        self._extent = extent
        self._asked_for: dict[int, tuple[int | None, int]] = {}
        """By partition: the newest chunk that arrived before an answer. Offsets in it that the answer lacks do not exist."""

    def are_met(self, chunk: Chunk) -> bool:
        if self._asked_for.get(chunk.partition) == _identity(chunk):
            return True
        rows, ends = sources_of(chunk.records), self._extent.ends
        return not (lack_source(rows, ends) | (rows["source_topic_id"] != ends.topic_id)).any()

    async def request(self, chunk: Chunk) -> bool:
        """Ask once for all partitions whose chunks wait at the same time."""
        answered = await self._extent.refresh(lambda: self.are_met(chunk))
        if answered:
            self._asked_for[chunk.partition] = _identity(chunk)
        return answered


def _identity(chunk: Chunk) -> tuple[int | None, int]:
    return chunk.fetch_epoch, chunk.records[-1].offset
