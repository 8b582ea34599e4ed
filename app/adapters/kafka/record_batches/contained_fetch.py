"""Contains what a consumer cannot read: its partition is paused at that offset, every other one goes on.

aiokafka's consumer raises out of ``getmany`` at a batch that it cannot parse. The records that it took in the same call, of
every partition, are lost then, while their positions count as read. With ``install``, a batch that its parser refuses is read
by ``batch_format``. Where that fails too, the records before it are delivered, the position stays at the first unreadable
offset, and the partition is paused; ``unreadable`` names it.
"""

import logging
from collections.abc import Iterator
from typing import Any

import aiokafka.consumer.fetcher as fetcher_module
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.record.memory_records import MemoryRecords

from app.adapters.kafka.record_batches import bounded_codecs
from app.adapters.kafka.record_batches.batch_format import (
    BatchUnreadable,
    Stop,
    batch_bytes,
    data_header,
    read_batch,
    with_end,
)
from app.errors import RecordsUnreadable

_STOPS = "stops_of_fraudstream"


_log = logging.getLogger(__name__)


class KeptBatches(MemoryRecords):  # type: ignore[misc]  # declared final for type checkers only
    """aiokafka's batches of a fetch, with their bytes and the number of those already taken."""

    def __init__(self, data: bytes, position: int = 0, *, first: bool = True) -> None:
        super().__init__(data)
        self.data = data
        self.taken = 0
        self.position = position
        """The offset behind the last batch. No checksum covers a batch's own offset, so it is compared with this."""
        self._first = first
        """Whether the first batch must be whole. Brokers cut only a later one at the end of a response."""

    def has_next(self) -> bool:
        """True also where the first batch is not whole: aiokafka would skip an offset there."""
        return super().has_next() or (self._first and not self.taken and bool(self.data))

    def next_batch(self) -> Any:
        """The next batch. Raises an exception of any kind where it is damaged."""
        self.taken += 1
        batch = super().next_batch()
        if batch is None or batch.next_offset <= self.position:
            raise ValueError("no whole batch, or one of earlier offsets")
        self.position = batch.next_offset
        return batch


class ContainedRecords(PartitionRecords):  # type: ignore[misc]  # aiokafka has no types for it
    """The records of one partition in a fetch, up to the first that cannot be read."""

    stop: Stop | None = None
    _records: KeptBatches

    def __init__(self, tp: TopicPartition, records: KeptBatches, *options: Any) -> None:
        super().__init__(tp, records, *options)
        records.position = self.next_fetch_offset

    def _unpack_records(self) -> Iterator[Any]:
        while True:
            try:
                yield from super()._unpack_records()
            except Exception:  # noqa: BLE001  # of any kind: the parsers of aiokafka raise what their libraries raise
                batch, rest = batch_bytes(self._records.data, self._records.taken - 1)
            else:
                return
            try:
                yield from self._tolerated(batch)
            except BatchUnreadable as error:
                self.next_fetch_offset = error.stop.offset
                self.stop = with_end(error.stop, batch, rest)
                return
            self._records = KeptBatches(rest, self.next_fetch_offset, first=False)

    def _tolerated(self, batch: bytes) -> Iterator[Any]:
        header = data_header(batch, self.next_fetch_offset)
        if not header.is_control_batch:
            for record in read_batch(batch, self.next_fetch_offset):
                self.next_fetch_offset = record.offset + 1
                yield self._consumer_record(self._tp, record)
        self.next_fetch_offset = header.next_offset


class ContainedResult(FetchResult):  # type: ignore[misc]  # as above
    """Pauses the partition whose records end at an unreadable one."""

    def __init__(self, tp: TopicPartition, **options: Any) -> None:
        super().__init__(tp, **options)
        self._contained: ContainedRecords = options["partition_records"]

    def getone(self) -> Any:
        record = super().getone()
        self._contain()
        return record

    def getall(self, max_records: int | None = None) -> list[Any]:
        records: list[Any] = super().getall(max_records)
        self._contain()
        return records

    def _contain(self) -> None:
        stops = _stops(self._assignment)
        stop = self._contained.stop
        if stop is None:
            known = stops.get(self._topic_partition)
            if known is not None and self._contained.next_fetch_offset > known.offset:
                del stops[self._topic_partition]
        elif self._assignment.active:
            stops[self._topic_partition] = stop
            self._assignment.state_value(self._topic_partition).pause()


def install() -> None:
    """Contain what the consumers of this process fetch. Raises ImportError when aiokafka moved its parts."""
    for name in ("MemoryRecords", "PartitionRecords", "FetchResult"):
        if not hasattr(fetcher_module, name):
            raise ImportError(f"aiokafka moved {name}: adapt {__name__}")
    fetcher_module.MemoryRecords = KeptBatches
    fetcher_module.PartitionRecords = ContainedRecords
    fetcher_module.FetchResult = ContainedResult
    bounded_codecs.install()


def contained_consumer(*topics: str, **options: Any) -> AIOKafkaConsumer:
    """A consumer that contains what it cannot read. No other kind is made in this service."""
    install()
    return AIOKafkaConsumer(*topics, **options)


def unreadable(consumer: AIOKafkaConsumer) -> dict[TopicPartition, Stop]:
    """The partitions of the consumer's assignment that are paused at an unreadable offset."""
    subscription = consumer._subscription.subscription  # noqa: SLF001  # no public way to its assignment
    assignment = None if subscription is None else subscription.assignment
    return dict(_stops(assignment)) if assignment is not None else {}


def fetch_again(consumer: AIOKafkaConsumer, tp: TopicPartition, offset: int | None = None) -> None:
    """Resume a paused partition at ``offset``, or where it stopped: another replica may hold a sound copy."""
    if offset is not None:
        consumer.seek(tp, offset)
    consumer.resume(tp)


def pass_over_unreadable(consumer: AIOKafkaConsumer) -> None:
    """Go on behind what cannot be read, for readers that decide nothing. Raises RecordsUnreadable where its end is unknown."""
    for tp, stop in unreadable(consumer).items():
        name = f"{tp.topic}-{tp.partition}"
        if stop.next_offset is None:
            raise RecordsUnreadable(name, stop.offset, stop.why)
        log_passed_over(name, stop)
        fetch_again(consumer, tp, stop.next_offset)
        del _stops(consumer._subscription.subscription.assignment)[tp]  # noqa: SLF001  # as in ``unreadable``


def log_passed_over(partition_name: str, stop: Stop) -> None:
    """Log that a reader leaves records out. To the standard library's log, which a command writes to standard error."""
    last = "" if stop.next_offset is None else f" to {stop.next_offset - 1}"
    _log.error(
        "%s: the records from offset %d%s cannot be read and are left out: %s",
        *(partition_name, stop.offset, last, stop.why),
    )


def _stops(assignment: Any) -> dict[TopicPartition, Stop]:
    """Kept at the assignment: they end with it."""
    found: dict[TopicPartition, Stop] = vars(assignment).setdefault(_STOPS, {})
    return found
