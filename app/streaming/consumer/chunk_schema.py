"""Keeps Faust from decoding chunks: the role decodes their records, and has a dead-letter topic for invalid ones."""

from typing import Any

from faust.serializers.schemas import Schema

from app.processing.chunk import Chunk


class ChunkSchema(Schema[None, Chunk]):
    """Passes a chunk through unchanged."""

    def loads_key(self, app: Any, message: Any, **_: Any) -> None:
        """A chunk has no key; its records have theirs."""

    def loads_value(self, app: Any, message: Any, **_: Any) -> Any:  # noqa: ARG002  # Faust's signature
        return message.value
