"""Progress of a topic on the brokers: waits for a number of records, then reads when they were appended."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

DRAIN_SECONDS = 900.0
POLL_SECONDS = 0.2
WARM_UP_SHARE = 0.2
"""Share of the time from first to last record that is left out of a rate: caches fill, a second worker joins."""


class NotInTime(RuntimeError):
    """The records did not arrive in time."""


class Reading(NamedTuple):
    """CPU seconds of the contestants and the brokers when the topic held ``records``."""

    records: int
    cpu_seconds: float
    broker_cpu_seconds: float = 0.0


class Span(NamedTuple):
    """Times at which the records of a topic were appended: broker time, milliseconds since the epoch."""

    first_ms: int
    last_ms: int
    warm_ms: int
    """End of the warm-up."""
    warm_records: int
    """Number of records at the end of the warm-up."""
    records: int

    @property
    def per_second(self) -> float:
        """Records per second after the warm-up."""
        return (self.records - self.warm_records) * 1000 / max(self.last_ms - self.warm_ms, 1)


@asynccontextmanager
async def open_topic(servers: str, topic: str, partitions: int) -> AsyncIterator[tuple[Any, list[Any]]]:
    """Open a consumer without a group; yield it with the partitions of the topic."""
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        yield consumer, [TopicPartition(topic, number) for number in range(partitions)]
    finally:
        await consumer.stop()


async def wait_for(
    servers: str,
    topic: str,
    partitions: int,
    count: int,
    read: Callable[[int], Reading],
    seconds: float = DRAIN_SECONDS,
) -> list[Reading]:
    """Wait until ``topic`` holds ``count`` records; return the readings since the first record.

    ``read`` receives the number of records and may raise, for example when a contestant has died. Raises NotInTime when
    the records do not arrive within ``seconds``.
    """
    deadline = time.monotonic() + seconds
    readings: list[Reading] = []
    async with open_topic(servers, topic, partitions) as (consumer, assigned):
        while True:
            found = sum((await consumer.end_offsets(assigned)).values())
            reading = read(found)
            if found:
                readings.append(reading)
            if found >= count:
                return readings
            if time.monotonic() > deadline:
                raise NotInTime(f"{topic}: {found} of {count} records came within {seconds:.0f} s")
            await asyncio.sleep(POLL_SECONDS)


async def span(servers: str, topic: str, partitions: int) -> Span:
    """Return when the records of a topic were appended. The topic must not be empty."""
    async with open_topic(servers, topic, partitions) as (consumer, assigned):
        ends = await consumer.end_offsets(assigned)
        filled = [partition for partition, end in ends.items() if end]
        first_ms = min([await _timestamp(consumer, partition, 0) for partition in filled])
        last_ms = max([await _timestamp(consumer, partition, ends[partition] - 1) for partition in filled])
        warm_ms = int(first_ms + (last_ms - first_ms) * WARM_UP_SHARE)
        found = await consumer.offsets_for_times(dict.fromkeys(filled, warm_ms))
        warm_records = sum(found[tp].offset if found[tp] else ends[tp] for tp in filled)
        return Span(first_ms, last_ms, warm_ms, warm_records, sum(ends.values()))


async def _timestamp(consumer: Any, partition: Any, offset: int) -> int:
    consumer.assign([partition])
    consumer.seek(partition, offset)
    timestamp: int = (await consumer.getone(partition)).timestamp
    return timestamp
