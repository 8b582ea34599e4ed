"""Pauses a partition at records that a consumer cannot read. The other partitions are not affected.

aiokafka's consumer raises an error in ``getmany`` at a batch that it cannot parse. It then loses the records of all partitions that
it took in the same call, although their positions count as read. After ``install``, ``batch_reader`` reads the batches. Where
it fails too, the records before the unreadable one are delivered, the position stays at its offset, and the partition is
paused; ``unreadable`` names it.
"""

import logging
from collections.abc import Iterable, Iterator
from typing import Any

import aiokafka.consumer.fetcher as fetcher_module
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.structs import ConsumerRecord

from app.adapters.kafka.record_batches.batch_format import Stop
from app.adapters.kafka.record_batches.batch_reader import read_batches
from app.adapters.kafka.record_batches.limits import HEADER_COST, RECORD_COST, in_force
from app.adapters.kafka.transactions.aborted import AbortedTransactions
from app.errors import RecordsUnreadable

_STOPS = "stops_of_fraudstream"


_log = logging.getLogger(__name__)


class FetchedBatches:
    """Replaces MemoryRecords in aiokafka's fetcher, which only checks whether there are bytes to read."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def has_next(self) -> bool:
        """True also without a whole batch: aiokafka would skip an offset there."""
        return bool(self.data)

    def size_in_bytes(self) -> int:
        return len(self.data)


class Taken(list[ConsumerRecord]):
    """Records of one poll, and the memory that they take."""

    memory_bytes = 0


class ContainedRecords(PartitionRecords):  # type: ignore[misc]  # aiokafka ships no types, so mypy sees Any; its fetcher calls the methods that are inherited here
    """The records of one partition in a fetch, up to the first that cannot be read."""

    stop: Stop | None = None
    _records: FetchedBatches
    next_fetch_offset: int

    def _unpack_records(self) -> Iterator[ConsumerRecord]:
        hides = AbortedTransactions(self._aborted_transactions).hides
        for read in read_batches(self._records.data, self.next_fetch_offset, hides):
            yield from self._from_position(read.records)
            self.next_fetch_offset = read.next_offset
            if read.stop is not None:
                self.stop = read.stop
                return

    def take(self, max_records: int | None) -> tuple[Taken, bool]:
        """The next records, as many as the bounds of a poll allow, and whether none is left. A poll of 50,000 records could take as
        many MiB, of some hundred kilobytes fetched.
        """
        most_bytes, found, memory = in_force().poll_bytes, Taken(), 0
        for record in self:
            found.append(record)
            memory += RECORD_COST + HEADER_COST * len(record.headers)
            memory += record.serialized_value_size + record.serialized_key_size
            if memory >= most_bytes or (max_records is not None and len(found) >= max_records):
                break
        found.memory_bytes = memory
        return found, self._records_iterator is None

    def _from_position(self, records: Iterable[Any]) -> Iterator[ConsumerRecord]:
        """The records from the position on, which advances with each of them."""
        topic, partition = self._tp
        position = self.next_fetch_offset
        for record in records:
            offset = record.offset
            if offset < position:
                continue
            self.next_fetch_offset = position = offset + 1
            key, value = record.key, record.value
            yield ConsumerRecord(
                topic,
                partition,
                offset,
                record.timestamp,
                record.timestamp_type,
                key,
                value,
                None,
                -1 if key is None else len(key),
                -1 if value is None else len(value),
                tuple(record.headers),
            )


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
        """As aiokafka's, and by the bound on a poll's bytes."""
        if not self.check_assignment(self._topic_partition) or not self.has_more():
            return []
        records, none_left = self._contained.take(max_records)
        self._update_position()
        if none_left:
            self._partition_records = None
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
    fetcher_module.MemoryRecords = FetchedBatches
    fetcher_module.PartitionRecords = ContainedRecords
    fetcher_module.FetchResult = ContainedResult


def contained_consumer(*topics: str, **options: Any) -> AIOKafkaConsumer:
    """A consumer that contains what it cannot read. No other kind is made in this service."""
    install()
    return AIOKafkaConsumer(*topics, **options)


def unreadable(consumer: AIOKafkaConsumer) -> dict[TopicPartition, Stop]:
    """The partitions of the consumer's assignment that are paused at an unreadable offset."""
    subscription = consumer._subscription.subscription  # noqa: SLF001  # no public way to its assignment
    assignment = None if subscription is None else subscription.assignment
    return dict(_stops(assignment)) if assignment is not None else {}


def resume_stopped(
    consumer: AIOKafkaConsumer, tp: TopicPartition, stop: Stop, offset: int | None = None
) -> bool:
    """Fetch a stopped partition at ``offset``, or again where it stopped: another replica may hold a sound copy.

    Returns False if its position is no longer at ``stop``: after a seek back, the records before the stop are read again
    first. Call it in the consumer's event loop.
    """
    if unreadable(consumer).get(tp) != stop:
        return False
    assignment = consumer._subscription.subscription.assignment  # noqa: SLF001  # as in ``unreadable``
    state = assignment.state_value(tp)
    is_at_stop = bool(state.has_valid_position and state.position == stop.offset)
    if not is_at_stop or offset is not None:
        del _stops(assignment)[tp]
    if is_at_stop and offset is not None:
        # Behind the end of the log the client would begin again at the first record, and find the same stop.
        consumer.seek(tp, offset if state.highwater is None else min(offset, state.highwater))
    consumer.resume(tp)
    return is_at_stop


def pass_over_unreadable(consumer: AIOKafkaConsumer) -> None:
    """Continue behind records that cannot be read, for readers that decide nothing. Raises RecordsUnreadable where its end is unknown."""
    for tp, stop in unreadable(consumer).items():
        name = f"{tp.topic}-{tp.partition}"
        if stop.next_offset is None:
            raise RecordsUnreadable(name, stop.offset, stop.why)
        log_passed_over(name, stop)
        resume_stopped(consumer, tp, stop, stop.next_offset)


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
