"""A changelog partition has one writer: what a former owner sends is refused, however late it arrives."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from app.adapters.kafka.batch_producer import BatchProducer
from app.adapters.kafka.records import CLAIM_KEY, OutRecord
from app.errors import Fenced
from tests.support import reading
from tests.support.deployment import Deployment, check_guarantee
from tests.support.traffic import traffic

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


async def test_a_restore_appends_a_newer_version_that_an_older_one_has_overtaken(
    deployment: Deployment,
) -> None:
    """As a release without claims may have left it: compaction would keep the older version only."""
    worker = deployment.worker()
    worker.start()
    events = list(traffic(2_000, seed=5, customers=20))
    for half in (events[:1_000], events[1_000:]):  # two versions at least of every profile
        await deployment.produce(half)
        await deployment.drained()
    assert worker.terminate() == 0
    records = await deployment.read(deployment.changelog)
    newest = reading.newest_per_key(records)
    oldest = next(record for record in records if record.key == b"c5")
    assert oldest.value != newest[b"c5"]
    async with AIOKafkaProducer(bootstrap_servers=deployment.servers) as former:
        await former.send_and_wait(deployment.changelog, oldest.value, b"c5", oldest.partition)

    shutil.rmtree(worker.data_dir)
    worker.start()
    while worker.running and not worker.lines_with("changelog_repaired"):  # noqa: ASYNC110  # no event signals that a log has grown
        await asyncio.sleep(0.1)
    assert worker.terminate() == 0

    assert reading.newest_per_key(await deployment.read(deployment.changelog)) == newest
    await check_guarantee(deployment, worker)
