"""Reads ranges of offsets of a topic without a consumer group: no commits, no effect on its consumers."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from app.adapters.kafka import admin as kafka_admin
from app.adapters.kafka.bulk_fetch import BulkFetcher, open_bulk_fetcher
from app.adapters.kafka.connection import ask_again
from app.adapters.kafka.record_batches.contained_fetch import contained_consumer
from app.adapters.kafka.records import Headers
from app.adapters.kafka.security import Cluster, servers
from app.adapters.kafka.transactions.isolation import consumer_options
from app.errors import ConfigurationError


class LogRecord(NamedTuple):
    """A stored record; the fields are those of aiokafka's ConsumerRecord."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Extent(NamedTuple):
    """The offsets that a partition retains: ``begin`` up to, not including, ``end``."""

    begin: int
    end: int


class RangeReader:
    """The partitions of one topic. Methods raise RestoreFailed where the topic cannot be read."""

    values: Callable[[Any], bytes | None] | None = None
    """Replaces the value of each record, for example by its JSON; None leaves it as stored."""

    def __init__(
        self, topic: str, topic_id: int, partitions: int, consumer: AIOKafkaConsumer, log: BulkFetcher
    ) -> None:
        self.topic = topic
        self.topic_id = topic_id
        """The low 64 bits of the topic's id, as profiles store them."""
        self.partitions = partitions
        self._consumer = consumer
        self._log = log

    async def extent(self, partition: int) -> Extent:
        """The first retained offset and the end offset now."""
        place = TopicPartition(self.topic, partition)
        begins = await self._consumer.beginning_offsets([place])
        ends = await self._consumer.end_offsets([place])
        return Extent(begins[place], ends[place])

    async def offset_at(self, partition: int, time_ms: int) -> int | None:
        """The first offset whose record timestamp is ``time_ms`` (ms since the epoch) or later; None without one."""
        place = TopicPartition(self.topic, partition)
        found = (await self._consumer.offsets_for_times({place: max(time_ms, 0)}))[place]
        return None if found is None else int(found.offset)

    async def timestamp(self, partition: int, offset: int) -> int | None:
        """The record timestamp at an offset within the extent, in ms; None when compaction removed the record."""
        async for records, _ in self.records(partition, offset, offset + 1):
            return records[0].timestamp if records else None
        return None

    async def records(
        self, partition: int, start: int, end: int, key: bytes | None = None
    ) -> AsyncIterator[tuple[list[LogRecord], int]]:
        """The records from ``start`` up to, not including, ``end``: lists of some thousands, each with the offset to
        read next. Only the records of ``key`` unless it is None. Raises RestoreFailed.
        """
        offset = start
        while offset < end:
            fetched = await self._log.fetch(self.topic, partition, offset, end)
            for records, next_offset in fetched.decoded():
                chosen = [
                    LogRecord(
                        self.topic,
                        partition,
                        record.offset,
                        record.timestamp,
                        record.key,
                        record.value,
                        record.headers,
                    )
                    for record in records
                    if record.offset < end and (key is None or record.key == key)
                ]
                if self.values is not None:
                    chosen = [record._replace(value=self.values(record)) for record in chosen]
                offset = min(next_offset, end)
                yield chosen, offset
                if offset == end:
                    break


@asynccontextmanager
async def open_range_reader(
    kafka: Cluster, topic: str, values: Callable[[Any], bytes | None] | None = None
) -> AsyncIterator[RangeReader]:
    """A RangeReader of an existing topic. Raises ConfigurationError when no broker answers or the topic is missing."""
    async with kafka_admin.connect(kafka) as admin:
        found = (await admin.find({topic: ()})).get(topic)
    if found is None:
        raise ConfigurationError(f"Topic {topic} does not exist. `fraudstream topics ensure` creates it.")
    consumer = contained_consumer(**consumer_options(kafka), enable_auto_commit=False)
    try:
        await ask_again(servers(kafka), consumer.start)
        async with open_bulk_fetcher(kafka) as log:
            reader = RangeReader(
                topic, kafka_admin.short_topic_id(found.topic_id), found.partitions, consumer, log
            )
            reader.values = values
            yield reader
    finally:
        await consumer.stop()
