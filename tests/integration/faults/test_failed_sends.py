"""A topic that cannot be written: the worker ends without a commit, and after its restart nothing is missing.

While a topic is missing a send neither succeeds nor fails until its timeout. An offset that is committed in these seconds,
before its alerts are stored, would lose an alert.

Mutations that these tests find: acknowledgements before sends (the first test); the changelog before alerts (the first,
and the one that refuses alerts); RocksDB before the changelog (the one that refuses the changelog).
"""

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from app.topics.topic_specs import topic_table
from tests.support import reading
from tests.support.deployment import Deployment, check_guarantee
from tests.support.probing import sabotaged
from tests.support.traffic import traffic

pytestmark = pytest.mark.integration

FAIL_STOP = 70
COUNT = 3_000
WRITES_OUT_AT_ONCE = """
from app.streaming.state.tables import StateStore
write = StateStore.write
def write_out(store, partition, *given):
    write(store, partition, *given)
    store._db_for_partition(partition).flush()
StateStore.write = write_out
"""
"""Flushes every write: otherwise a premature write would vanish with the process's write buffers, unnoticed."""


async def delete(deployment: Deployment, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=deployment.servers)
    await admin.start()
    try:
        await admin.delete_topics([topic])
    finally:
        await admin.close()


async def alter(deployment: Deployment, topic: str, **configs: str) -> None:
    """Set the topic's configuration to that of the topic table, changed by ``configs``."""
    admin = AIOKafkaAdminClient(bootstrap_servers=deployment.servers)
    await admin.start()
    specs = {spec.name: spec for spec in topic_table(deployment.settings)}
    changes = specs[topic].configs() | {name.replace("_", "."): value for name, value in configs.items()}
    try:
        (response,) = await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, changes)])
        assert [resource[0] for resource in response.resources] == [0]
    finally:
        await admin.close()


async def test_no_alert_is_missed_when_their_topic_was_away(deployment: Deployment) -> None:
    worker = deployment.worker()
    worker.start()
    worker.wait_started()
    await delete(deployment, deployment.settings.topics.alerts)

    await deployment.produce(traffic(COUNT, seed=32))

    assert worker.wait() == FAIL_STOP
    await deployment.ensure_topics()
    worker.start()
    worker.wait_started()
    await deployment.drained()
    assert worker.terminate() == 0
    await check_guarantee(deployment, worker)


@pytest.mark.parametrize("refusing", ["alerts", "changelog"])
async def test_a_record_that_the_broker_refuses_ends_the_worker_at_once(
    deployment: Deployment, refusing: str
) -> None:
    """The worker's disk is never ahead of the changelog."""
    topic = deployment.changelog if refusing == "changelog" else deployment.settings.topics.alerts
    worker = sabotaged(deployment, WRITES_OUT_AT_ONCE)
    worker.start()
    await deployment.produce(traffic(COUNT, seed=33))
    await deployment.drained()
    await alter(deployment, topic, max_message_bytes="100")

    await deployment.produce(traffic(COUNT, seed=34))

    assert worker.wait() == FAIL_STOP
    assert "MessageSizeTooLargeError" in worker.text()
    logged = {(record.key, record.value) for record in await deployment.read(deployment.changelog)}
    # A partition whose batch was still taken may be ahead of its database: the round ended before that was written.
    assert reading.stored_values(worker.data_dir).items() <= logged
    await alter(deployment, topic)
    worker.start()
    worker.wait_started()
    await deployment.drained()
    assert worker.terminate() == 0
    await check_guarantee(deployment, worker)
