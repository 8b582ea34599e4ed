"""A changelog partition has one writer: what a former owner sends is refused, however late it arrives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from app.adapters.kafka.batch_producer import BatchProducer
from app.adapters.kafka.records import CLAIM_KEY, OutRecord
from app.errors import Fenced
from tests.support.deployment import Deployment

pytestmark = pytest.mark.integration


@asynccontextmanager
async def producer(deployment: Deployment) -> AsyncIterator[BatchProducer]:
    made = BatchProducer(deployment.settings.kafka)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def changelog(deployment: Deployment) -> list[tuple[bytes, bytes | None]]:
    """Keys and values in partition 0."""
    partition = TopicPartition(deployment.changelog, 0)
    async with AIOKafkaConsumer(bootstrap_servers=deployment.servers) as consumer:
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        found: list[tuple[bytes, bytes | None]] = []
        while await consumer.position(partition) < end:
            batches = await consumer.getmany(timeout_ms=1_000)
            found += [(record.key, record.value) for records in batches.values() for record in records]
    return found


async def test_a_former_owner_cannot_append_behind_its_successors_claim(deployment: Deployment) -> None:
    async with producer(deployment) as former, producer(deployment) as successor:
        await former.claim(deployment.changelog, [0])
        await former.send(deployment.changelog, 0, [OutRecord(b"c1", b"105")])
        await successor.claim(deployment.changelog, [0])

        with pytest.raises(Fenced, match=f"{deployment.changelog}-0"):
            await former.send(deployment.changelog, 0, [OutRecord(b"c1", b"89")])
        await successor.send(deployment.changelog, 0, [OutRecord(b"c1", b"106")])

    assert await changelog(deployment) == [
        (CLAIM_KEY, None),
        (b"c1", b"105"),
        (CLAIM_KEY, None),
        (b"c1", b"106"),
    ]


async def test_a_claim_can_be_renewed_until_another_worker_has_claimed(deployment: Deployment) -> None:
    async with producer(deployment) as former, producer(deployment) as successor:
        await former.claim(deployment.changelog, [0, 1])
        await former.send(deployment.changelog, 0, [OutRecord(b"c1", b"1")])
        await former.renew_claims()
        await former.send(deployment.changelog, 0, [OutRecord(b"c1", b"2"), OutRecord(b"c1", b"3")])
        await successor.claim(deployment.changelog, [1])

        with pytest.raises(Fenced, match=f"{deployment.changelog}-1"):
            await former.renew_claims()

    assert await changelog(deployment) == [(CLAIM_KEY, None), (b"c1", b"1"), (b"c1", b"2"), (b"c1", b"3")]


async def test_concurrent_sends_to_one_partition_are_all_accepted(deployment: Deployment) -> None:
    settings = msgspec.structs.replace(deployment.settings.kafka, compression="none")
    sender = BatchProducer(settings)
    await sender.start()
    await sender.claim(deployment.changelog, [0])
    sizes = [10, 100_000, 20, 200_000, 30]  # large ones are compressed in a thread, small ones at once
    offsets = await asyncio.gather(
        *(sender.send(deployment.changelog, 0, [OutRecord(b"k", bytes(size))]) for size in sizes)
    )
    await sender.stop()

    assert sorted(offsets) == list(range(1, 1 + len(sizes)))
