"""Each role works with exactly the rights that `fraudstream acl print` lists, on a broker that allows nothing else."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

import pytest

from app.domain.control import CHAMPION_KEY
from app.errors import ConfigurationError, SendFailed
from app.settings.worker import WorkerRole
from app.topics.acls import acls, principals
from app.traffic.produce import produce_raw
from tests.support.bundle import write_bundle
from tests.support.deployment import Deployment
from tests.support.groups import Groups
from tests.support.processes.authorized_bank import Bank
from tests.support.processes.reference_copy import copied, some, until
from tests.support.servers.authorizing import AuthorizingBroker
from tests.support.servers.redis_servers import RedisServer

pytestmark = [pytest.mark.integration, pytest.mark.slow]

EVENTS = 600
SECOND = "large-amounts/2"
WORKERS: tuple[WorkerRole, ...] = get_args(WorkerRole)


@pytest.fixture
async def bank(
    authorizing: AuthorizingBroker, redis: RedisServer, models: Path, tmp_path: Path
) -> AsyncIterator[Bank]:
    own = shutil.copytree(models, tmp_path / "models")
    write_bundle(own, "2", trees=20)
    deployment = Deployment(authorizing, tmp_path, own, partitions=2)
    yield Bank(authorizing, deployment, redis)
    deployment.clear_up()
    print(deployment.tails())  # noqa: T201  # pytest shows it beneath a failure and nowhere else


async def test_every_role_works_with_exactly_its_rights(bank: Bank) -> None:
    await bank.broker.allow(bank.rights())
    made = await asyncio.to_thread(bank.call, "topics", "topics", "ensure", "--json")
    assert bank.settings.topics.worker_reports in json.loads(made)["made"]
    await bank.make_topics()
    workers = {role: bank.worker(role) for role in WORKERS}
    for worker in workers.values():
        worker.start()
    for worker in workers.values():
        worker.wait_started()
    await bank.send(EVENTS)
    await bank.deployment.drained()
    groups = Groups(bank.deployment)
    settings, topics = bank.settings, bank.settings.topics
    await groups.drained(settings.analytics.app_id, (topics.decisions, topics.labels))
    await groups.drained(settings.crm.app_id, (topics.alerts, topics.answers))
    await groups.drained(settings.entities.app_id, (topics.labels, topics.entity_activity))

    signed = ("--key", bank.key, "--json")
    answers = json.loads(
        await asyncio.to_thread(
            bank.call, "operator", "model", "promote", SECOND, "--reason", "test", *signed
        )
    )
    assert (answers["unanimous"], len(answers["workers"])) == (True, 1)
    status = json.loads(await asyncio.to_thread(bank.call, "operator", "model", "status", "--json"))
    assert status["workers"][0]["runs"]["version"] == "2"

    letters = await asyncio.to_thread(bank.call, "dead-letters", "dlq", "ls", "--json")
    assert len(letters.splitlines()) == 1
    await asyncio.to_thread(bank.call, "dead-letters", "dlq", "replay", "--all", "--yes")
    await bank.deployment.drained()

    seen = json.loads(await asyncio.to_thread(bank.call, "monitor", "monitor", "--json"))
    lags = {group["name"]: group["partitions"] for group in seen["groups"]}
    assert {settings.worker.app_id, settings.entities.app_id, settings.crm.app_id} <= set(lags)
    assert {0} == {lag["records"] for lag in lags[settings.worker.app_id]}
    assert seen["controller"] is not None
    assert seen["brokers"][0]["log_dirs"]
    assert seen["missing_rights"] == []
    examined = await asyncio.to_thread(bank.run, "monitor", "doctor", "--json")
    outcomes = {each["check"]: each["outcome"] for each in json.loads(examined.stdout)["findings"]}
    checked = ("rights", "brokers", "broker disks", "topics", "group", "lag", "transactions", "clock")
    assert {"ok"} == {outcomes[check] for check in checked}

    assert [worker.terminate() for worker in workers.values()] == [0] * len(workers)
    assert len(await bank.deployment.decisions()) == EVENTS
    assert await bank.deployment.read(topics.alerts)
    assert await bank.deployment.read(topics.notifications)
    for role, worker in workers.items():
        assert "uthorization" not in worker.text(), role


async def test_the_copy_of_reference_tables_works_with_its_rights(bank: Bank) -> None:
    await bank.make_topics()
    await bank.broker.allow(acls(bank.settings, principals((), ["reference"])))
    row = b'{"op": "c", "source": {"lsn": 1}, "after": {"customer_id": "c1"}}'
    await produce_raw([(b"c1", row)], topic=bank.settings.cdc.customers_topic, kafka=bank.deployment.servers)

    async with copied(bank.as_role("reference")) as (copying, written):
        await until(some(written, copying))
    assert written == [1]


@pytest.mark.parametrize("role", WORKERS)
async def test_the_credentials_of_a_worker_give_no_order(bank: Bank, role: str) -> None:
    await bank.make_topics()
    await bank.broker.allow(bank.rights())

    # One that may write nowhere gets no producer id.
    with pytest.raises((SendFailed, ConfigurationError), match=r"(?i)authorization ?failed"):
        await produce_raw(
            [(CHAMPION_KEY, b"{}")], topic=bank.settings.topics.control, kafka=bank.broker.kafka_of(role)
        )
