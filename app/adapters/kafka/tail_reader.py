"""Reads topics without a consumer group, so that workers and other readers are not affected."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from app.adapters.kafka import admin as kafka_admin
from app.adapters.kafka.connection import ask_again
from app.adapters.kafka.protocol.rights import named_rights
from app.adapters.kafka.record_batches.contained_fetch import contained_consumer, pass_over_unreadable
from app.adapters.kafka.security import Cluster, servers
from app.adapters.kafka.transactions.isolation import consumer_options
from app.domain.words import named
from app.errors import ConfigurationError

POLL_MS = 500
MOST_RECORDS = 1_000
"""Records per poll, few enough that other tasks of the event loop run every few milliseconds."""
FETCH_BYTES = 256 * 1024
"""Bytes per partition and fetch; times the number of partitions, the memory of records not yet read."""
CATCH_UP_POLL_SECONDS = 0.02


class TailReader:
    """Reads every partition of some topics. Records that cannot be read are logged and left out.

    ``values`` replaces the value of each record, for example by its JSON; None leaves it as stored.
    """

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        values: Callable[[Any], bytes | None] | None = None,
        topic_ids: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.topic_ids = topic_ids
        """The short id of each topic when the reader was opened."""
        self._consumer = consumer
        self._values = values

    async def batches(self) -> AsyncIterator[list[Any]]:
        """Endless: the available records of one partition at a time, in order of offset. Raises RecordsUnreadable where the
        end of unreadable records is unknown.

        The loop body must not await: ``caught_up`` counts records as read when they are yielded.
        """
        while True:
            for records in (await self._fetch()).values():
                yield records if self._values is None else [self._read(record) for record in records]

    async def caught_up(self) -> None:
        """Return when ``batches`` has yielded every record that was in the topics at the time of this call."""
        ends = await self._consumer.end_offsets(self._consumer.assignment())
        while any([await self._consumer.position(partition) < end for partition, end in ends.items()]):  # noqa: ASYNC110  # a consumer sends no notification of its position: poll
            await asyncio.sleep(CATCH_UP_POLL_SECONDS)

    async def ends(self) -> dict[TopicPartition, int]:
        """The end offset of each partition now."""
        ends: dict[TopicPartition, int] = await self._consumer.end_offsets(self._consumer.assignment())
        return dict(sorted(ends.items()))

    async def begins(self) -> dict[TopicPartition, int]:
        """The first offset of each partition now."""
        begins: dict[TopicPartition, int] = await self._consumer.beginning_offsets(
            self._consumer.assignment()
        )
        return begins

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Let ``batches`` go on at ``offset`` of a partition."""
        self._consumer.seek(partition, offset)

    async def until(
        self, ends: Mapping[TopicPartition, int], since_ms: int | None = None, start: int | None = None
    ) -> AsyncIterator[Any]:
        """Every record before ``ends``, partition after partition: from the offset ``start`` on, or from the first
        record with a timestamp of ``since_ms`` or later, or all.
        """
        for partition, end in ends.items():
            self._consumer.seek(partition, await self._begin(partition, end, since_ms, start))
            while await self._consumer.position(partition) < end:
                for record in (await self._fetch(partition)).get(partition, ()):
                    if record.offset < end:
                        yield self._read(record)

    async def _fetch(self, *partitions: TopicPartition) -> dict[TopicPartition, list[Any]]:
        """Raises RightMissing where this user may not read a topic: asking again would not help."""
        with named_rights("Read"):
            fetched: dict[TopicPartition, list[Any]] = await self._consumer.getmany(
                *partitions, timeout_ms=POLL_MS, max_records=MOST_RECORDS
            )
        pass_over_unreadable(self._consumer)
        return fetched

    def _read(self, record: Any) -> Any:
        return record if self._values is None else replace(record, value=self._values(record))

    async def _begin(
        self, partition: TopicPartition, end: int, since_ms: int | None, start: int | None
    ) -> int:
        first: int = (await self._consumer.beginning_offsets([partition]))[partition]
        if start is not None:
            return max(first, start)
        if since_ms is None:
            return first
        found = (await self._consumer.offsets_for_times({partition: since_ms}))[partition]
        return end if found is None else int(found.offset)


@asynccontextmanager
async def open_tail_reader(
    kafka: Cluster,
    topics: Sequence[str],
    *,
    from_beginning: bool,
    values: Callable[[Any], bytes | None] | None = None,
) -> AsyncIterator[TailReader]:
    """A TailReader of existing topics. Raises ConfigurationError when no broker answers or a topic is missing."""
    async with kafka_admin.connect(kafka) as admin:
        found = await admin.find(dict.fromkeys(topics, ()))
    for topic in topics:
        if topic not in found:
            raise ConfigurationError(f"Topic {topic} does not exist. `fraudstream topics ensure` creates it.")
    consumer = contained_consumer(
        **consumer_options(kafka),
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=FETCH_BYTES,
    )
    try:
        await ask_again(servers(kafka), consumer.start)
        await _assign(consumer, {topic: found[topic].partitions for topic in topics}, from_beginning)
        ids = {topic: kafka_admin.topic_id_text(found[topic].topic_id) for topic in topics}
        yield TailReader(consumer, values, ids)
    finally:
        await consumer.stop()


async def _assign(consumer: AIOKafkaConsumer, partitions: dict[str, int], from_beginning: bool) -> None:
    try:
        consumer.assign(
            [TopicPartition(t, number) for t, count in partitions.items() for number in range(count)]
        )
        if not from_beginning:
            await consumer.seek_to_end()
    except KafkaError as error:
        raise ConfigurationError(
            f"{', '.join(partitions)} cannot be read ({named(error)}). Look at the brokers."
        ) from error
