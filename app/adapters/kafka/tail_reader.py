"""Topics as anybody may read them: without a group, so that no worker and no other reader notices."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from app.adapters.kafka import admin as kafka_admin
from app.adapters.kafka.security import Cluster, client_options
from app.errors import ConfigurationError

POLL_MS = 500
MOST_RECORDS = 1_000
"""Per poll: a reader with other work to do has its turn every few milliseconds."""
FETCH_BYTES = 256 * 1024
"""Per partition; with the partitions this bounds the memory that waits to be read."""
CATCH_UP_POLL_SECONDS = 0.02


class TailReader:
    """Every partition of some topics, from where ``open_tail_reader`` was told to begin. ``values`` says what is given as a record's
    value; None for what stands there.
    """

    def __init__(
        self, consumer: AIOKafkaConsumer, values: Callable[[Any], bytes | None] | None = None
    ) -> None:
        self._consumer = consumer
        self._values = values

    async def batches(self) -> AsyncIterator[list[Any]]:
        """The next records, as many as there are; waits for ever. Per partition in order of offset.

        A loop over them must not await, or ``caught_up`` counts what it has not seen yet.
        """
        while True:
            fetched = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=MOST_RECORDS)
            for records in fetched.values():
                yield records if self._values is None else [self._read(record) for record in records]

    async def caught_up(self) -> None:
        """Return when ``batches`` has given all that stood in the topics at the time of this call."""
        ends = await self._consumer.end_offsets(self._consumer.assignment())
        while any([await self._consumer.position(partition) < end for partition, end in ends.items()]):  # noqa: ASYNC110  # a consumer's position tells nobody that it moves
            await asyncio.sleep(CATCH_UP_POLL_SECONDS)

    async def ends(self) -> dict[TopicPartition, int]:
        """Where each partition ends now."""
        ends: dict[TopicPartition, int] = await self._consumer.end_offsets(self._consumer.assignment())
        return dict(sorted(ends.items()))

    async def until(
        self, ends: Mapping[TopicPartition, int], since_ms: int | None = None, start: int | None = None
    ) -> AsyncIterator[Any]:
        """Every record before ``ends``, partition after partition: from ``start`` on, or from the first that is
        as new as ``since_ms``, or all.
        """
        for partition, end in ends.items():
            self._consumer.seek(partition, await self._begin(partition, end, since_ms, start))
            while await self._consumer.position(partition) < end:
                fetched = await self._consumer.getmany(
                    partition, timeout_ms=POLL_MS, max_records=MOST_RECORDS
                )
                for record in fetched.get(partition, ()):
                    if record.offset < end:
                        yield self._read(record)

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
    """Raises ConfigurationError when no broker answers or a topic is missing; it is never made here."""
    async with kafka_admin.connect(kafka) as admin:
        found = await admin.find(dict.fromkeys(topics, ()))
    for topic in topics:
        if topic not in found:
            raise ConfigurationError(f"Topic {topic} does not exist. `fraudstream topics ensure` makes it.")
    consumer = AIOKafkaConsumer(
        **client_options(kafka),
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=FETCH_BYTES,
    )
    try:
        await _assign(consumer, {topic: found[topic].partitions for topic in topics}, from_beginning)
        yield TailReader(consumer, values)
    finally:
        await consumer.stop()


async def _assign(consumer: AIOKafkaConsumer, partitions: dict[str, int], from_beginning: bool) -> None:
    try:
        await consumer.start()
        consumer.assign(
            [TopicPartition(t, number) for t, count in partitions.items() for number in range(count)]
        )
        if not from_beginning:
            await consumer.seek_to_end()
    except KafkaError as error:
        raise ConfigurationError(
            f"{', '.join(partitions)} cannot be read ({type(error).__name__}). Look at the brokers."
        ) from error
