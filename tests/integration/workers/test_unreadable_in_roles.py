"""A worker of any role, and the copy of reference tables, stop one partition at a damaged batch, and pass it when ordered."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from app.adapters.kafka.cluster import read_cluster
from app.adapters.observability.prometheus import PrometheusMetrics
from app.adapters.topic_records import skips
from app.errors import RecordsLost
from app.local.state import Stack
from app.reference import redis_sync
from tests.integration.faults.test_records_lost import cut
from tests.integration.workers.test_unreadable_records import damaged_batch
from tests.support import commands
from tests.support.deployment import Deployment
from tests.support.probing import probed
from tests.support.processes.reference_copy import SECONDS, copied, reference_settings, some, until
from tests.support.wire.record_batches import Stored, batch
from tests.support.wire.send import send_batch

pytestmark = pytest.mark.integration


def skip(deployment: Deployment, topic: str, offset: int) -> None:
    done = commands.call(deployment, "dlq", "skip", topic, "0", str(offset), "--reason", "test")
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize(
    ("role", "topic_of"),
    [
        ("entities", lambda topics: topics.labels),
        ("analytics", lambda topics: topics.decisions),
        ("crm", lambda topics: topics.alerts),
    ],
)
async def test_a_worker_of_another_role_names_the_offset_and_goes_on_when_ordered(
    deployment: Deployment, stack: Stack, role: str, topic_of: Callable[[object], str]
) -> None:
    topic = topic_of(deployment.settings.topics)
    offset = await send_batch(deployment.servers, topic, 0, damaged_batch([Stored()] * 3))
    worker = probed(
        deployment,
        FRAUDSTREAM_WORKER_ROLE=role,
        **stack.redis_environment,
        FRAUDSTREAM_REDIS_KEY_PREFIX=deployment.settings.app_id,
        FRAUDSTREAM_ANALYTICS_DIR=str(deployment.directory / "files"),
    )
    worker.worker.start()

    async def stopped() -> bool:
        answer = await asyncio.to_thread(worker.ask, "/readyz")
        return f"{topic}-0 cannot be read from offset {offset}: " in answer.text

    await until(stopped)
    skip(deployment, topic, offset)
    await worker.until("/readyz", 200)

    assert "skipped_records_total 3.0" in worker.ask("/metrics").text
    assert worker.worker.terminate() == 0


async def test_the_copy_of_reference_tables_goes_on_when_ordered(
    deployment: Deployment, stack: Stack
) -> None:
    topics, settings = deployment.settings.topics, reference_settings(deployment, stack)
    row = b'{"op": "c", "source": {"lsn": 1}, "after": {"customer_id": "c1"}}'
    offset = await send_batch(deployment.servers, topics.answers, 0, damaged_batch([Stored()]))
    async with copied(settings) as (copying, written):
        await asyncio.sleep(2 * skips.RETRY_SECONDS)
        assert not copying.done()
        await asyncio.to_thread(skip, deployment, topics.answers, offset)
        await send_batch(deployment.servers, topics.answers, 0, batch([Stored(b"c1", row)]))
        await until(some(written, copying))
    assert written == [1]

    # Retention deletes two rows that the group has not read.
    await send_batch(deployment.servers, topics.answers, 0, batch([Stored(b"c1", row)] * 2))
    await cut(deployment, topics.answers)
    last = await send_batch(deployment.servers, topics.answers, 0, batch([Stored(b"c1", row)]))
    with pytest.raises(RecordsLost, match=f"2 of {topics.answers}-0, which begins at offset {last}"):
        await asyncio.wait_for(
            redis_sync.follow(settings, asyncio.Event(), written.append, PrometheusMetrics()), SECONDS
        )

    worker = msgspec.structs.replace(settings.worker, when_records_lost="continue")
    async with copied(msgspec.structs.replace(settings, worker=worker)) as (copying, written):
        await until(some(written, copying))
    assert written == [1]
    (group,) = (await read_cluster(deployment.servers, [settings.cdc.reference_group])).groups
    assert group.lost_records == 2
