"""A chunk consumer on a Faust app that never connects: it fetches the records that a test sets."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from faust.types import TP
from mode import Service

from app.streaming.consumer.chunk_thread import Fetch

TOPIC, OTHER = "transactions", "control"
FIRST, SECOND = TP(TOPIC, 0), TP(TOPIC, 1)


class Record(NamedTuple):
    """A record as the Kafka client gives it."""

    offset: int
    topic: str = TOPIC
    partition: int = 0
    timestamp: int = 1_760_000_000_000
    timestamp_type: int = 0
    headers: tuple[()] = ()
    key: bytes = b"k"
    value: bytes = b"v"
    checksum: None = None
    serialized_key_size: int = 1
    serialized_value_size: int = 1


class SoughtThread(Service):
    """The consumer's thread after a seek."""

    fetch_epoch: int | None = 1
    sought: Mapping[TP, int] = {}


class Fetching:
    """Mixed in before the consumer's class: returns ``fetched``."""

    fetched: dict[TP, list[Record]]
    positions: Mapping[TP, int] = {}
    delivered: list[Any]
    active: set[TP] | None = None

    async def on_delivered(self) -> None:
        """What happens after each message."""

    async def _wait_next_records(self, timeout: float) -> tuple[Any, set[TP] | None]:  # noqa: ASYNC109, ARG002  # Faust's signature
        return Fetch(
            cast(Any, self.fetched), cast(Any, self)._thread.fetch_epoch, self.positions
        ), self.active

    def _new_consumer_thread(self) -> Service:
        """The real thread has its own event loop."""
        return SoughtThread()

    def highwater(self, tp: TP) -> int:  # noqa: ARG002  # Faust's signature
        return 1_000


def offsets(first: int, last: int, partition: int = 0) -> list[Record]:
    return [Record(offset, partition=partition) for offset in range(first, last + 1)]


async def delivered(
    consumer: Any, fetched: dict[TP, list[Record]], positions: Mapping[TP, int] = MappingProxyType({})
) -> list[Any]:
    """Return the messages of one fetch as Faust's loop delivers them."""
    consumer.fetched, consumer.positions = fetched, positions
    consumer.delivered.clear()
    async for _, message in consumer.getmany(timeout=0.0):
        await consumer.callback(message)
    return list(consumer.delivered)


def committable(consumer: Any) -> dict[TP, int]:
    found: dict[TP, int] = consumer._filter_committable_offsets(consumer._filter_tps_with_pending_acks())
    return found
