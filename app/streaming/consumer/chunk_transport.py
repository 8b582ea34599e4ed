"""The transport that the chunk consumer and its thread share."""

from collections.abc import Callable, Iterable, Mapping

from faust.transport.drivers.aiokafka import Transport
from faust.types import TP


class ChunkTransport(Transport):
    """Faust makes the transport before the role has started; the role then sets both attributes, once."""

    topic_ids: Mapping[str, str] = {}
    """Ids of the topics that are delivered in chunks, noted with each commit."""
    start_offsets: Callable[[Iterable[TP]], Mapping[TP, int]] | None = None
    """Replaces the committed offsets. A partition it leaves out is read from its beginning."""
