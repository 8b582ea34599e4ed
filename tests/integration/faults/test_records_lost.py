"""Retention deletes records before a group has read them: a worker ends, or continues and reports it."""

import asyncio
import json
import os
import signal
import time
from collections import Counter

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from app.local.state import Stack
from app.traffic.produce import produce_raw
from tests.support import reading
from tests.support.commands import call
from tests.support.deployment import POLL_SECONDS, Deployment
from tests.support.groups import Groups
from tests.support.traffic import traffic
from tests.support.workers import Worker

pytestmark = pytest.mark.integration

RECORDS = 40
FAIL_STOP = 70
CONTINUE = {"FRAUDSTREAM_WORKER_WHEN_RECORDS_LOST": "continue"}
SECONDS = 60
FETCH_SECONDS = 2
"""Longer than a fetch waits for records."""


async def send(deployment: Deployment, name: str) -> None:
    """So many payments, whose transaction ids begin with the name."""
    await deployment.produce(traffic(RECORDS, seed=1, customers=20, prefix=name))


async def cut(deployment: Deployment, topic: str) -> None:
    """Delete every record of a topic, as retention does."""
    ends = await reading.end_offsets(deployment.servers, topic, deployment.partitions)
    admin = AIOKafkaAdminClient(bootstrap_servers=deployment.servers)
    await admin.start()
    try:
        await admin.delete_records(
            {TopicPartition(topic, number): RecordsToDelete(end) for number, end in ends.items()}
        )
    finally:
        await admin.close()


async def decided(deployment: Deployment) -> Counter[str]:
    """The number of decided transactions by the name that they were sent under."""
    return Counter(name.partition("-")[0] for name in await deployment.decisions())


def examined(deployment: Deployment) -> tuple[str, str]:
    """Outcome and text of what `fraudstream doctor` finds about lost records."""
    found = json.loads(call(deployment, "doctor", "--json").stdout)["findings"]
    (finding,) = [each for each in found if each["check"] == "lost records"]
    return finding["outcome"], finding["found"]


def verified(deployment: Deployment) -> tuple[int, int]:
    """The exit code of `fraudstream state verify`, and the records that it reports as lost."""
    done = call(deployment, "state", "verify", "--json")
    return done.returncode, sum(json.loads(done.stdout)["lost_records"].values())


async def ended(worker: Worker) -> str:
    """The log of a worker that ends by itself."""
    worker.may_end = True
    assert await asyncio.to_thread(worker.wait, SECONDS) == FAIL_STOP, worker.tail()
    return worker.text()


async def test_records_deleted_while_no_worker_ran(deployment: Deployment) -> None:
    """Decided before, deleted while the worker is down, and sent after: the middle ones are lost."""
    worker = deployment.worker()
    worker.start()
    await send(deployment, "before")
    await deployment.drained()
    assert worker.terminate() == 0
    assert (examined(deployment)[0], verified(deployment)) == ("ok", (0, 0))

    await send(deployment, "down")
    await cut(deployment, deployment.settings.topics.transactions)
    await send(deployment, "after")
    assert examined(deployment)[0] == "failed"
    assert verified(deployment) == (1, RECORDS)
    worker.start()
    log = await ended(worker)
    assert f"RecordsLost: retention deleted {RECORDS} records that group" in log
    assert "FRAUDSTREAM_WORKER_WHEN_RECORDS_LOST=continue" in log
    assert await decided(deployment) == {"before": RECORDS}

    going_on = deployment.worker(**CONTINUE)
    going_on.start()
    await deployment.drained()
    assert going_on.lines_with("records_lost")
    assert going_on.terminate() == 0
    assert await decided(deployment) == {"before": RECORDS, "after": RECORDS}
    assert examined(deployment)[0] == "failed"
    assert verified(deployment) == (1, RECORDS)

    plain = deployment.worker("worker-3")  # another disk, and no setting: what was passed is passed
    plain.start()
    await send(deployment, "last")
    await deployment.drained()
    assert plain.terminate() == 0
    assert (await decided(deployment))["last"] == RECORDS
    assert verified(deployment) == (1, RECORDS)


@pytest.mark.parametrize("overrides", [{}, CONTINUE], ids=["stop", "continue"])
async def test_records_deleted_before_a_slow_worker_read_them(
    deployment: Deployment, overrides: dict[str, str]
) -> None:
    """The worker is paused, within its session, while the records come and go."""
    worker = deployment.worker(**overrides, FRAUDSTREAM_KAFKA_SESSION_TIMEOUT_SECONDS="30")
    worker.start()
    await send(deployment, "before")
    await deployment.drained()

    os.kill(worker.pid, signal.SIGSTOP)
    try:
        await send(deployment, "waiting")
        await asyncio.sleep(FETCH_SECONDS)
        await send(deployment, "deleted")
        await cut(deployment, deployment.settings.topics.transactions)
    finally:
        os.kill(worker.pid, signal.SIGCONT)
    if overrides:
        await send(deployment, "after")
        await deployment.drained()
        assert worker.lines_with("records_lost")
    else:
        assert "RecordsLost: retention deleted" in await ended(worker)
    found = await decided(deployment)
    # A fetch may have been under way when the worker was paused: the broker answered it with the records that were waiting.
    fetched = found.pop("waiting", 0)
    assert found == {"before": RECORDS} | ({"after": RECORDS} if overrides else {})
    if overrides:
        assert verified(deployment) == (1, 2 * RECORDS - fetched)


async def test_decisions_deleted_before_analytics_stored_them(deployment: Deployment) -> None:
    """Analytics continues where its files end, not at its commits."""
    groups, decisions = Groups(deployment), deployment.settings.topics.decisions
    scorer, analytics = deployment.worker(), groups.analytics()
    scorer.start()
    analytics.start()
    await send(deployment, "before")
    await deployment.drained()
    await groups.stored()
    assert analytics.terminate() == 0
    stored = groups.in_files("decisions")

    await send(deployment, "deleted")
    await deployment.drained()
    await cut(deployment, decisions)
    analytics.start()
    assert f" of {decisions}-" in await ended(analytics)

    going_on = groups.analytics(**CONTINUE)
    going_on.start()
    await send(deployment, "after")
    await deployment.drained()
    await groups.stored()
    assert going_on.terminate() == 0
    assert sum(groups.in_files("decisions").values()) == sum(stored.values()) + RECORDS
    outcome, text = examined(deployment)
    assert (outcome, deployment.settings.analytics.app_id in text) == ("failed", True)


@pytest.mark.slow
@pytest.mark.parametrize("role", ["entities", "crm"])
async def test_records_deleted_before_a_worker_of_another_role_read_them(
    deployment: Deployment, stack: Stack, role: str
) -> None:
    """The records are invalid: the dead letters tell which of them were processed."""
    topics, settings = deployment.settings.topics, deployment.settings
    topic, group = {
        "entities": (topics.labels, settings.entities.app_id),
        "crm": (topics.alerts, settings.crm.app_id),
    }[role]
    own = {
        "FRAUDSTREAM_WORKER_ROLE": role,
        **stack.redis_environment,
        "FRAUDSTREAM_REDIS_KEY_PREFIX": settings.worker.app_id,
    }

    async def send_invalid(name: str) -> None:
        records = [(b"c%d" % number, name.encode()) for number in range(RECORDS)]
        await produce_raw(records, topic=topic, kafka=deployment.servers)

    async def refused() -> Counter[str]:
        """The number of dead letters by the content of their records."""
        return Counter([record.value.decode() async for record in deployment.scan(topics.dead_letters)])

    worker, groups = deployment.worker(f"{role}-1", **own), Groups(deployment)
    worker.start()
    await send_invalid("before")
    await groups.drained(group, [topic])
    assert worker.terminate() == 0

    await send_invalid("deleted")
    await cut(deployment, topic)
    await send_invalid("after")
    worker.start()
    log = await ended(worker)
    assert f"RecordsLost: retention deleted {RECORDS} records that group {group}" in log
    assert f" of {topic}-" in log

    going_on = deployment.worker(f"{role}-1", **own, **CONTINUE)
    going_on.start()
    await groups.drained(group, [topic])
    assert going_on.lines_with("records_lost")
    assert going_on.terminate() == 0
    assert await refused() == {"before": RECORDS, "after": RECORDS}
    outcome, text = examined(deployment)
    assert (outcome, group in text) == ("failed", True)


async def test_a_group_that_starts_behind_retention_loses_nothing(deployment: Deployment) -> None:
    await send(deployment, "deleted")
    await cut(deployment, deployment.settings.topics.transactions)
    worker = deployment.worker()
    worker.start()
    await send(deployment, "first")
    deadline = time.monotonic() + SECONDS
    while await decided(deployment) != {"first": RECORDS}:
        deployment.require_workers()
        assert time.monotonic() < deadline
        await asyncio.sleep(POLL_SECONDS)
    await deployment.drained()

    assert worker.terminate() == 0
    assert (examined(deployment)[0], verified(deployment)[1]) == ("ok", 0)


async def test_a_topic_that_is_made_anew_is_no_loss(deployment: Deployment) -> None:
    """The worker's position is behind the end of the new log."""
    worker, topic = deployment.worker(), deployment.settings.topics.transactions
    worker.start()
    await send(deployment, "before")
    await deployment.drained()
    worker.may_end = True

    await deployment.recreate_topic(topic)
    await deployment.produce(traffic(5, seed=2, customers=20, prefix="anew"))

    assert "LogReplaced" in await ended(worker)
    assert "RecordsLost" not in worker.text()
