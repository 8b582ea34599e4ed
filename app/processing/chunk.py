"""The unit that travels through Faust: a chunk, all records of one partition that one fetch returned.

Faust costs about 120 µs per message before any work is done, so its consumer is taught to deliver one message per
chunk (chunk_thread.py fetches, chunk_consumer.py delivers and keeps the offsets).
"""

from typing import Any, NamedTuple

from faust.serializers.schemas import Schema


class Chunk(NamedTuple):
    """Consecutive records of one partition, in order of offset; never empty."""

    partition: int
    records: list[Any]
    stand: int | None = None
    """The seek after which they were fetched."""


class ChunkSchema(Schema[Any, Any]):
    """A chunk's records are decoded by the agent, which has a dead-letter topic for those that cannot be."""

    def loads_key(self, app: Any, message: Any, **_: Any) -> None:
        """A chunk has no key; its records have theirs."""

    def loads_value(self, app: Any, message: Any, **_: Any) -> Any:  # noqa: ARG002  # Faust's signature
        return message.value
