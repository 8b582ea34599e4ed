"""Restores from real changelogs: batches, compaction, control records, and workers that are interrupted."""

import asyncio
from collections.abc import Sequence
from functools import partial

import pytest
from aiokafka import AIOKafkaProducer

from app.adapters.kafka.batch_producer import BatchProducer
from app.adapters.kafka.bulk_fetch import open_bulk_fetcher
from app.adapters.kafka.records import OutRecord
from app.adapters.observability.prometheus import PrometheusMetrics
from app.errors import RestoreFailed
from app.streaming.faust_app import EXIT_REFUSED
from app.streaming.state.restore import Gap, Restore
from app.streaming.state.restore_progress import RestoreProgress
from tests.support import reading
from tests.support.deployment import Deployment
from tests.support.traffic import traffic
from tests.unit.streaming.state.test_restore import Memory, version

pytestmark = pytest.mark.integration

CUSTOMERS = 20_000
"""Of each partition: their restore takes long enough to be disturbed."""
ROOM = bytes(500)
"""Profiles of their usual size; a restore looks only at their beginning."""


async def send(deployment: Deployment, partition: int, records: Sequence[OutRecord]) -> None:
    sender = BatchProducer(deployment.settings.kafka)
    await sender.start()
    await sender.send(deployment.changelog, partition, records)
    await sender.stop()


async def fill(deployment: Deployment) -> None:
    for partition in range(deployment.partitions):
        await send(
            deployment,
            partition,
            [OutRecord(b"%d-%d" % (partition, n), version(n) + ROOM) for n in range(CUSTOMERS)],
        )


async def restored(deployment: Deployment, start: int = 0) -> Memory:
    """Partition 0, restored from ``start`` up to its end as a worker would."""
    ends = await reading.end_offsets(deployment.servers, deployment.changelog, deployment.partitions)
    store = Memory()
    restore = Restore(deployment.changelog, store, RestoreProgress(PrometheusMetrics()), lambda: False)
    assert await restore.run({0: Gap(start, ends[0])}, partial(open_bulk_fetcher, deployment.servers))
    assert store.changelog_offset == ends[0] - 1
    return store


async def test_versions_and_tombstones_in_many_batches(deployment: Deployment) -> None:
    for n in range(50):
        await send(deployment, 0, [OutRecord(b"c%d" % n, version(1)), OutRecord(b"moves", version(n))])
    await send(deployment, 0, [OutRecord(b"moves", version(7)), OutRecord(b"c3", None)])

    expected = {b"c%d" % n: version(1) for n in range(50) if n != 3} | {b"moves": version(49)}
    assert expected == await restored(deployment)


async def test_a_start_in_the_middle_of_a_batch(deployment: Deployment) -> None:
    await send(deployment, 0, [OutRecord(b"c%d" % n, version(n)) for n in range(10)])

    assert {b"c6", b"c7", b"c8", b"c9"} == set(await restored(deployment, start=6))


async def test_a_log_whose_last_offsets_are_control_records(deployment: Deployment) -> None:
    """No record ever comes from there; waiting for one would never end."""
    producer = AIOKafkaProducer(bootstrap_servers=deployment.servers, transactional_id=deployment.changelog)
    await producer.start()
    for _ in range(3):
        async with producer.transaction():
            await producer.send_and_wait(deployment.changelog, version(1), key=b"c1", partition=0)
    await producer.stop()

    assert {b"c1": version(1)} == await restored(deployment)


async def test_a_missing_changelog_is_reported(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.adapters.kafka.bulk_fetch.GIVE_UP_SECONDS", 0.0)
    async with open_bulk_fetcher(deployment.servers) as log:
        with pytest.raises(RestoreFailed, match="nowhere-0 cannot be read from offset 5 to 9"):
            await log.fetch("nowhere", 0, 5, 9)


async def test_a_worker_stopped_during_its_restore_resumes_it(deployment: Deployment) -> None:
    await fill(deployment)
    worker = deployment.worker()
    worker.start()
    while worker.running and not worker.lines_with("restoring"):  # noqa: ASYNC110  # no event signals that a log has grown
        await asyncio.sleep(0.01)
    assert 0 == worker.terminate()
    worker.start()
    await deployment.produce(traffic(10, seed=1))
    await deployment.decided(10)

    assert 0 == worker.terminate()
    await check_stores(deployment)


async def test_a_worker_that_joins_while_another_restores(deployment: Deployment) -> None:
    """The first worker aborts its restore, and both have all profiles of their partitions in the end."""
    await fill(deployment)
    one, two = deployment.worker("one"), deployment.worker("two")
    one.start()
    two.start()
    await deployment.produce(traffic(10, seed=1))
    await deployment.decided(10)
    two.wait_started()

    assert [0, 0] == [worker.terminate() for worker in (one, two)]
    await check_stores(deployment)


async def test_a_changelog_that_was_created_again_is_refused(deployment: Deployment) -> None:
    """Local profiles that are missing from the changelog would be lost with the disk, unnoticed."""
    worker = deployment.worker()
    worker.start()
    await deployment.produce(traffic(500, seed=1))
    await deployment.drained()
    assert 0 == worker.terminate()
    await deployment.recreate_topic(deployment.changelog)

    worker.start()
    assert EXIT_REFUSED == worker.wait(60)
    assert worker.lines_with("it was deleted and created again") > 0


async def check_stores(deployment: Deployment) -> None:
    """Check that every profile of the changelog is in the database of a worker."""
    newest = reading.newest_per_key(await deployment.read(deployment.changelog))
    stores = [reading.stored_values(worker.data_dir) for worker in deployment.workers]
    assert [] == [key for key, value in newest.items() if value not in [store.get(key) for store in stores]]
