"""The transport that the chunk consumer and its thread share."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from faust.transport.drivers.aiokafka import Producer, Transport
from faust.types import TP

from app.adapters.kafka.commit_notes import LostRecords
from app.adapters.kafka.transactions.isolation import IsolationLevel
from app.streaming.delivery.fail_stop import fail_stop


def _ignore(*_: object) -> None:
    """The default of consumers that are no worker's."""


class FailStopProducer(Producer):
    """Faust's own producer, which sends nothing here, but must connect."""

    async def on_start(self) -> None:
        with fail_stop("connecting Faust's producer"):  # Faust would end the process with 1
            await super().on_start()


class ChunkTransport(Transport):
    """Faust makes the transport before the role has started; the role then sets the attributes, once."""

    Producer = FailStopProducer
    topic_ids: Mapping[str, str] = {}
    """Ids of the topics that are delivered in chunks, noted with each commit."""
    start_offsets: Callable[[Iterable[TP]], Mapping[TP, int]] | None = None
    """Replaces the committed offsets. A partition it leaves out is read from its beginning."""
    isolation_level: IsolationLevel = "read_committed"
    on_lost: Callable[[Sequence[LostRecords]], None] = staticmethod(_ignore)
    """Called in the Kafka client's thread before partitions are read behind lost records; may end the process."""
    on_chunk: Callable[[TP, int], None] = staticmethod(_ignore)
    """Called with the last offset of each chunk, before the chunk is handed to its agent."""
