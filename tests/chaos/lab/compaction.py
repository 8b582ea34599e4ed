"""Has the brokers compact a changelog at once, as they would after an hour."""

import asyncio
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaProducer

from tests.chaos.run import Run
from tests.chaos.scenarios.topics import configure

AT_ONCE = {
    "segment_ms": "1",
    "min_compaction_lag_ms": "0",
    "min_cleanable_dirty_ratio": "0.001",
    "delete_retention_ms": "0",
}
COMPACTED_SECONDS = 90.0
POLL_SECONDS = 1.0


async def compact(run: Run, topic: str) -> None:
    """Return when each key has one version left. Workers must have ended: they refuse the topic's configuration meanwhile.

    A copy of each partition's last record is appended, which changes no result: it closes the segment before it, and compaction
    skips the newest segment.
    """
    await configure(run, topic, **AT_ONCE)
    last = {record.partition: record for record in await run.deployment.read(topic)}
    async with AIOKafkaProducer(bootstrap_servers=run.cluster.servers, acks="all") as producer:
        for record in last.values():
            await producer.send_and_wait(topic, record.value, record.key, record.partition)
    async with asyncio.timeout(COMPACTED_SECONDS):
        while surplus(await run.deployment.read(topic)):  # noqa: ASYNC110  # there is no event for it
            await asyncio.sleep(POLL_SECONDS)
    await configure(run, topic)


def surplus(records: Iterable[Any]) -> int:
    """Count the versions behind which there is a newer one of their key, not counting each partition's last record."""
    known = list(records)
    last = {record.partition: record.offset for record in known}
    closed = [(record.partition, record.key) for record in known if record.offset != last[record.partition]]
    return len(closed) - len(set(closed))
