"""What the consumer of chunks and its thread share."""

from collections.abc import Callable, Iterable, Mapping

from faust.transport.drivers.aiokafka import Transport
from faust.types import TP


class ChunkTransport(Transport):
    """What a deployment's consumers share."""

    topic_ids: Mapping[str, str] = {}
    """Of the topics that come in chunks: noted beside each commit."""
    places: Callable[[Iterable[TP]], Mapping[TP, int]] | None = None
    """Says where to go on, instead of what was committed; a partition left out begins at its beginning."""
