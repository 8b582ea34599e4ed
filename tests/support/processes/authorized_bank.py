"""A deployment on a broker with an authorizer: its workers and commands have the credentials of their roles."""

import subprocess

import msgspec

from app.adapters.kafka.admin import NewTopic, connect
from app.settings import CdcSettings, ControlSettings, RedisSettings, Settings
from app.topics.access import Right
from app.topics.acls import Acl, acls, principals
from app.traffic.produce import produce, produce_raw
from tests.support.commands import call
from tests.support.deployment import Deployment
from tests.support.entities import label
from tests.support.servers.authorizing import AuthorizingBroker
from tests.support.servers.redis_servers import RedisServer
from tests.support.traffic import DAY_MS, traffic
from tests.support.wire.signing import write_pair
from tests.support.workers import Worker


class Bank:
    """Its workers follow signed orders only."""

    def __init__(self, broker: AuthorizingBroker, deployment: Deployment, redis: RedisServer) -> None:
        self.broker = broker
        self.deployment = deployment
        prefix = deployment.settings.app_id
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
        self.sent = 0
        """Transactions."""
        self.unanswered: list[str] = []
        """Questions, by their notification_id."""
        self.damaged = 0
        """Records that are no events."""

    @property
    def settings(self) -> Settings:
        return self.deployment.settings

    def as_role(self, role: str) -> Settings:
        return msgspec.structs.replace(self.settings, kafka=self.broker.kafka_of(role))

    def rights(self) -> list[Acl]:
        """All rights of all roles."""
        return acls(self.settings, principals(()))

    async def allow_all_but(self, role: str, missing: Right) -> None:
        """Grant every role its rights, except one of one role."""
        taken = (role, missing.resource, missing.name, missing.operation)
        await self.broker.allow(
            acl for acl in self.rights() if (acl.role, acl.resource, acl.name, acl.operation) != taken
        )

    def worker(self, role: str, name: str = "") -> Worker:
        files = {"FRAUDSTREAM_ANALYTICS_DIR": str(self.deployment.directory / "files")}
        quick = {"FRAUDSTREAM_ANALYTICS_ROLL_SECONDS": "1", "FRAUDSTREAM_ANALYTICS_REPORT_SECONDS": "0.5"}
        identity = {"FRAUDSTREAM_WORKER_ROLE": role} | self.broker.environment_of(role)
        return self.deployment.worker(name or role, **(files | quick | identity))

    def run(self, role: str, *words: str) -> subprocess.CompletedProcess[bytes]:
        """A completed command with the credentials of a role."""
        return call(self.deployment, *words, **self.broker.environment_of(role))

    def call(self, role: str, *words: str) -> str:
        """The output of a command, which must succeed."""
        done = self.run(role, *words)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    async def make_topics(self) -> None:
        await self.deployment.ensure_topics()
        names = (self.settings.cdc.customers_topic, self.settings.cdc.terminals_topic)
        async with connect(self.deployment.servers) as admin:
            await admin.create(
                NewTopic(name=name, partitions=1, replication_factor=1, configs={}) for name in names
            )

    async def send(self, events: int) -> None:
        """Transactions that were not sent before, one more that is no transaction, and labels."""
        topics = self.settings.topics
        batch = list(traffic(events, seed=self.sent))
        self.sent += events
        await produce(batch, topic=topics.transactions, kafka=self.broker.kafka_of("transactions"))
        await self.send_damaged(topics.transactions)
        labels = [label(one, one.event_time + DAY_MS, is_fraud=True) for one in batch[::10]]
        records = [(one.terminal_id.encode(), msgspec.json.encode(one)) for one in labels]
        await produce_raw(records, topic=topics.labels, kafka=self.broker.kafka_of("labels"))

    async def send_damaged(self, topic: str) -> None:
        """A record that is no event of the topic."""
        await produce_raw([(b"c1", b"{}")], topic=topic, kafka=self.deployment.servers)
        self.damaged += 1
