"""The transport that the chunk consumer and its thread share."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from faust.transport.drivers.aiokafka import Transport
from faust.types import TP

from app.adapters.kafka.transactions.isolation import IsolationLevel


class LostRecords(NamedTuple):
    """Records that retention deleted before the group read them."""

    topic: str
    partition: int
    records: int
    """The number of their offsets: transaction markers and aborted records are among them."""
    next_offset: int
    """The first offset of the log, at which the group would go on."""


def _go_on(_: LostRecords) -> None:
    """Ignore a loss: the default of consumers that are no worker's."""


class ChunkTransport(Transport):
    """Faust makes the transport before the role has started; the role then sets the attributes, once."""

    topic_ids: Mapping[str, str] = {}
    """Ids of the topics that are delivered in chunks, noted with each commit."""
    start_offsets: Callable[[Iterable[TP]], Mapping[TP, int]] | None = None
    """Replaces the committed offsets. A partition it leaves out is read from its beginning."""
    isolation_level: IsolationLevel = "read_committed"
    on_lost: Callable[[LostRecords], None] = staticmethod(_go_on)
    """Called in the Kafka client's thread before a partition is read behind lost records; may end the process."""
