"""The topics and the consumer group of one turn of one contestant, separate from all others of the run."""

import logging
from collections.abc import Iterable
from typing import NamedTuple

from app.adapters.kafka.admin import NewTopic, connect
from app.domain.transaction import Transaction
from app.settings import Settings, TopicSettings
from app.topics.provisioning import ensure
from app.topics.topic_specs import topic_table
from app.traffic.produce import produce

# aiokafka warns of every broker that does not know yet that it leads a topic created a moment ago.
logging.getLogger("aiokafka").setLevel(logging.ERROR)

PARTITIONS = 4


class BenchDeployment(NamedTuple):
    """``name`` is the consumer group too, and the prefix of every topic."""

    name: str
    servers: str
    partitions: int = PARTITIONS

    def environment(self) -> dict[str, str]:
        """Return the settings of every process of this turn as environment variables."""
        topics = TopicSettings().with_prefix(self.name)
        return {
            "FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS": self.servers,
            "FRAUDSTREAM_TOPICS_PARTITIONS": str(self.partitions),
            "FRAUDSTREAM_WORKER_APP_ID": self.name,
            "FRAUDSTREAM_ENTITIES_APP_ID": f"{self.name}-entities",
            "FRAUDSTREAM_ANALYTICS_APP_ID": f"{self.name}-analytics",
            "FRAUDSTREAM_CRM_APP_ID": f"{self.name}-crm",
            "FRAUDSTREAM_WORKER_METRICS_PORT": "0",
            **{f"FRAUDSTREAM_TOPICS_{stream.name}": name for stream, name in topics.names().items()},
        }

    def settings(self) -> Settings:
        """Return the same settings as an object."""
        return Settings.from_env(self.environment())

    async def make_topics(self) -> None:
        """Create all topics of the turn, including the changelog of the profiles.

        Decisions get the broker's timestamp, because a contestant may copy that of the transaction (Quix Streams does).
        """
        settings = self.settings()
        decisions = next(spec for spec in topic_table(settings) if spec.name == settings.topics.decisions)
        async with connect(self.servers) as admin:
            await admin.create(
                [
                    NewTopic(
                        name=decisions.name,
                        partitions=decisions.partitions,
                        replication_factor=decisions.replication_factor,
                        configs=decisions.configs() | {"message.timestamp.type": "LogAppendTime"},
                    )
                ]
            )
        await ensure(settings)

    async def fill(self, transactions: Iterable[Transaction]) -> None:
        """Send a backlog; return when every transaction is acknowledged. The topics must exist."""
        topic = self.settings().topics.transactions
        await produce(transactions, topic=topic, kafka=self.servers)
