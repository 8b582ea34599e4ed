"""Each role works with exactly the rights that `fraudstream acl print` lists, on a broker that allows nothing else."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from app.adapters.kafka.admin import NewTopic, connect
from app.adapters.kafka.cluster import read_cluster
from app.domain.control import CHAMPION_KEY
from app.errors import ConfigurationError, SendFailed
from app.settings import CdcSettings, ControlSettings, RedisSettings, Settings
from app.settings.worker import WorkerRole
from app.topics.acls import acls, principals
from app.traffic.produce import produce, produce_raw
from tests.support.bundle import write_bundle
from tests.support.commands import call
from tests.support.deployment import Deployment
from tests.support.entities import label
from tests.support.groups import Groups
from tests.support.processes.reference_copy import copied, some, until
from tests.support.servers.authorizing import AuthorizingBroker
from tests.support.servers.redis_servers import RedisServer
from tests.support.traffic import DAY_MS, traffic
from tests.support.wire.signing import write_pair
from tests.support.workers import Worker

pytestmark = [pytest.mark.integration, pytest.mark.slow]

EVENTS = 600
SECOND = "large-amounts/2"
FAIL_STOP, REFUSED = 70, 2
WORKERS: tuple[WorkerRole, ...] = get_args(WorkerRole)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuthorizingBroker]:
    started = AuthorizingBroker(tmp_path_factory.mktemp("authorizing") / "broker")
    try:
        started.start()
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    started = RedisServer(tmp_path_factory.mktemp("authorizing") / "redis")
    yield started
    started.stop()


class Bank:
    """A deployment whose workers and commands have the credentials of their roles, and follow signed orders only."""

    def __init__(self, broker: AuthorizingBroker, deployment: Deployment, redis: RedisServer) -> None:
        self.broker = broker
        self.deployment = deployment
        prefix, models = deployment.settings.app_id, deployment.models
        write_pair(deployment.directory, "orders")
        deployment.settings = msgspec.structs.replace(
            deployment.settings,
            cdc=CdcSettings(
                customers_topic=f"{prefix}.customers",
                terminals_topic=f"{prefix}.terminals",
                reference_group=f"{prefix}-reference",
            ),
            control=ControlSettings(public_key_file=str(deployment.directory / "orders.pub")),
            redis=RedisSettings(url=redis.url, key_prefix=prefix),
        )
        self.key = str(deployment.directory / "orders.pem")
        self.models = models

    @property
    def settings(self) -> Settings:
        return self.deployment.settings

    def as_role(self, role: str) -> Settings:
        return msgspec.structs.replace(self.settings, kafka=self.broker.kafka_of(role))

    def worker(self, role: str, name: str = "") -> Worker:
        files = {"FRAUDSTREAM_ANALYTICS_DIR": str(self.deployment.directory / "files")}
        quick = {"FRAUDSTREAM_ANALYTICS_ROLL_SECONDS": "1", "FRAUDSTREAM_ANALYTICS_REPORT_SECONDS": "0.5"}
        identity = {"FRAUDSTREAM_WORKER_ROLE": role} | self.broker.environment_of(role)
        return self.deployment.worker(name or role, **(files | quick | identity))

    def call(self, role: str, *words: str) -> str:
        """The output of a command with the credentials of a role, which must succeed."""
        done = call(self.deployment, *words, **self.broker.environment_of(role))
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    async def make_topics(self) -> None:
        await self.deployment.ensure_topics()
        names = (self.settings.cdc.customers_topic, self.settings.cdc.terminals_topic)
        async with connect(self.deployment.servers) as admin:
            await admin.create(
                NewTopic(name=name, partitions=1, replication_factor=1, configs={}) for name in names
            )

    async def send(self) -> None:
        """Transactions, one of which is no transaction, and labels."""
        topics, batch = self.settings.topics, list(traffic(EVENTS, seed=3))
        await produce(batch, topic=topics.transactions, kafka=self.broker.kafka_of("transactions"))
        damaged = [(b"c1", b"{}")]
        await produce_raw(damaged, topic=topics.transactions, kafka=self.broker.kafka_of("transactions"))
        labels = [label(one, one.event_time + DAY_MS, is_fraud=True) for one in batch[::10]]
        records = [(one.terminal_id.encode(), msgspec.json.encode(one)) for one in labels]
        await produce_raw(records, topic=topics.labels, kafka=self.broker.kafka_of("labels"))


@pytest.fixture
async def bank(
    broker: AuthorizingBroker, redis: RedisServer, models: Path, tmp_path: Path
) -> AsyncIterator[Bank]:
    own = shutil.copytree(models, tmp_path / "models")
    write_bundle(own, "2", trees=20)
    deployment = Deployment(broker, tmp_path, own, partitions=2)
    yield Bank(broker, deployment, redis)
    deployment.clear_up()
    print(deployment.tails())  # noqa: T201  # pytest shows it beneath a failure and nowhere else


async def test_every_role_works_with_exactly_its_rights(bank: Bank, broker: AuthorizingBroker) -> None:
    await broker.allow(acls(bank.settings, principals(())))
    made = await asyncio.to_thread(bank.call, "topics", "topics", "ensure", "--json")
    assert bank.settings.topics.worker_reports in json.loads(made)["made"]
    await bank.make_topics()
    workers = {role: bank.worker(role) for role in WORKERS}
    for worker in workers.values():
        worker.start()
    for worker in workers.values():
        worker.wait_started()
    await bank.send()
    await bank.deployment.drained()
    groups = Groups(bank.deployment)
    settings, topics = bank.settings, bank.settings.topics
    await groups.drained(settings.analytics.app_id, (topics.decisions, topics.labels))
    await groups.drained(settings.crm.app_id, (topics.alerts, topics.answers))
    await groups.drained(settings.entities.app_id, (topics.labels, topics.entity_activity))

    signed = ("--key", bank.key, "--json")
    answers = json.loads(await asyncio.to_thread(bank.call, "operator", "model", "promote", SECOND, *signed))
    assert (answers["unanimous"], len(answers["workers"])) == (True, 1)
    status = json.loads(await asyncio.to_thread(bank.call, "operator", "model", "status", "--json"))
    assert status["workers"][0]["runs"]["version"] == "2"

    letters = await asyncio.to_thread(bank.call, "dead-letters", "dlq", "ls", "--json")
    assert len(letters.splitlines()) == 1
    await asyncio.to_thread(bank.call, "dead-letters", "dlq", "replay", "--all", "--yes")
    await bank.deployment.drained()

    found = await read_cluster(broker.kafka_of("monitor"))
    by_name = {group.name: group for group in found.groups}
    assert {settings.worker.app_id, settings.entities.app_id, settings.crm.app_id} <= set(by_name)
    assert by_name[settings.worker.app_id].lag_records == 0
    assert found.controller is not None
    assert found.brokers[0].log_dirs

    assert [worker.terminate() for worker in workers.values()] == [0] * len(workers)
    assert len(await bank.deployment.decisions()) == EVENTS
    assert await bank.deployment.read(topics.alerts)
    assert await bank.deployment.read(topics.notifications)
    for role, worker in workers.items():
        assert "uthorization" not in worker.text(), role


async def test_the_copy_of_reference_tables_works_with_its_rights(
    bank: Bank, broker: AuthorizingBroker
) -> None:
    await bank.make_topics()
    await broker.allow(acls(bank.settings, principals((), ["reference"])))
    row = b'{"op": "c", "source": {"lsn": 1}, "after": {"customer_id": "c1"}}'
    await produce_raw([(b"c1", row)], topic=bank.settings.cdc.customers_topic, kafka=bank.deployment.servers)

    async with copied(bank.as_role("reference")) as (copying, written):
        await until(some(written, copying))
    assert written == [1]


@pytest.mark.parametrize("role", WORKERS)
async def test_the_credentials_of_a_worker_give_no_order(
    bank: Bank, broker: AuthorizingBroker, role: str
) -> None:
    await bank.make_topics()
    await broker.allow(acls(bank.settings, principals(())))

    # One that may write nowhere gets no producer id.
    with pytest.raises((SendFailed, ConfigurationError), match="AuthorizationFailed"):
        await produce_raw(
            [(CHAMPION_KEY, b"{}")], topic=bank.settings.topics.control, kafka=broker.kafka_of(role)
        )
