"""One turn of one contestant: topics and a consumer group that nothing else in the run has."""

from collections.abc import Iterable
from typing import NamedTuple

from app.domain.transaction import Transaction
from app.settings import Settings
from app.streaming.provisioning import ensure
from app.traffic.produce import produce

PARTITIONS = 4
_TOPICS = ("transactions", "decisions", "alerts", "dead_letters")


class Turn(NamedTuple):
    """``name`` is the consumer group too, and the prefix of every topic."""

    name: str
    servers: str
    partitions: int = PARTITIONS

    def environment(self) -> dict[str, str]:
        """The settings of every process of this turn, as environment variables."""
        return {
            "FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS": self.servers,
            "FRAUDSTREAM_TOPICS_PARTITIONS": str(self.partitions),
            "FRAUDSTREAM_WORKER_APP_ID": self.name,
            **{f"FRAUDSTREAM_TOPICS_{topic.upper()}": f"{self.name}-{topic}" for topic in _TOPICS},
        }

    def settings(self) -> Settings:
        """The same as an object."""
        return Settings.from_env(self.environment())

    async def make_topics(self) -> None:
        """All topics of the turn, the profiles' changelog included."""
        await ensure(self.settings())

    async def fill(self, transactions: Iterable[Transaction]) -> None:
        """A backlog: return when every transaction is acknowledged. The topics must be there."""
        topic = self.settings().topics.transactions
        await produce(transactions, topic=topic, bootstrap_servers=self.servers)
