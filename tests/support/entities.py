"""A deployment with a worker of the role entities, labels, and its own keys in Redis."""

import asyncio
import time
from collections.abc import Iterable
from hashlib import blake2b

import redis

from app.adapters.redis.client import password
from app.adapters.serde.json_codec import encode_event
from app.domain.label import Label, LabelSource
from app.domain.transaction import Transaction
from app.settings import RedisSettings
from app.traffic.produce import produce_raw
from tests.activity_format import read_activity
from tests.support import entity_oracle, reading
from tests.support.deployment import DRAIN_SECONDS, POLL_SECONDS, Deployment
from tests.support.workers import Worker


class Entities:
    """The entity side of one deployment. Its keys in Redis have a prefix of their own."""

    def __init__(self, deployment: Deployment, server: RedisSettings) -> None:
        self.deployment = deployment
        self._server = server
        self.prefix = deployment.settings.worker.app_id
        self.environment = {
            "FRAUDSTREAM_REDIS_URL": server.url,
            "FRAUDSTREAM_REDIS_PASSWORD_FILE": server.password_file,
            "FRAUDSTREAM_REDIS_KEY_PREFIX": self.prefix,
            # Generous: the tests run on busy machines and do not test the latency of Redis.
            "FRAUDSTREAM_REDIS_READ_DEADLINE_SECONDS": "2",
        }

    @property
    def changelog(self) -> str:
        return f"{self.deployment.settings.entities.app_id}-entity-activities-changelog"

    def worker(self, name: str = "entities-1", **overrides: str) -> Worker:
        role = {"FRAUDSTREAM_WORKER_ROLE": "entities"}
        return self.deployment.worker(name, **(self.environment | role | overrides))

    def scorer(self, name: str = "worker-1", **overrides: str) -> Worker:
        return self.deployment.worker(name, **(self.environment | overrides))

    async def send(self, labels: Iterable[Label]) -> None:
        records = [(label.terminal_id.encode(), encode_event(label)) for label in labels]
        topic, servers = self.deployment.settings.topics.labels, self.deployment.servers
        await produce_raw(records, topic=topic, kafka=servers)

    async def drained(self, timeout: float = DRAIN_SECONDS) -> None:  # noqa: ASYNC109  # a bound on polling
        """Return when labels are routed, facts are folded and Redis is complete. Scoring must be done before."""
        settings = self.deployment.settings
        deadline = time.monotonic() + timeout
        for topic in (settings.topics.labels, settings.topics.entity_activity):
            while lag := await self.deployment.lag_of(settings.entities.app_id, topic):
                self.deployment.require_workers()
                assert time.monotonic() < deadline, f"{lag} of {topic} left\n{self.deployment.tails()}"
                await asyncio.sleep(POLL_SECONDS)
        await self.published(deadline)

    async def published(self, deadline: float) -> None:
        """Return when Redis has every entry of the changelog."""
        while not await self._is_published():
            self.deployment.require_workers()
            assert time.monotonic() < deadline, f"not published\n{self.deployment.tails()}"
            await asyncio.sleep(POLL_SECONDS)

    async def _is_published(self) -> bool:
        ends = await reading.end_offsets(self.deployment.servers, self.changelog, self.deployment.partitions)
        with self._client() as client:
            marks = client.mget([f"{self.prefix}:complete:{partition}" for partition in ends])
        return all(
            (mark or b"").startswith(b"complete:") and (mark or b"").endswith(f":{end - 1}".encode())
            for mark, end in zip(marks, ends.values(), strict=True)
        )

    def _client(self) -> redis.Redis:
        return redis.Redis.from_url(self._server.url, password=password(self._server) or None)

    def in_redis(self) -> dict[bytes, bytes]:
        """Every activity in Redis by its entity."""
        start = f"{self.prefix}:activity:"
        with self._client() as client:
            names = list(client.scan_iter(match=f"{start}*", count=1000))
            return dict(
                zip((name[len(start) :] for name in names), client.mget(names) if names else [], strict=True)
            )


def label(transaction: Transaction, reported_at: int, *, is_fraud: bool = True) -> Label:
    return Label(
        transaction_id=transaction.transaction_id,
        customer_id=transaction.customer_id,
        terminal_id=transaction.terminal_id,
        event_time=transaction.event_time,
        is_fraud=is_fraud,
        source=LabelSource.CHARGEBACK,
        reported_at=reported_at,
    )


def digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little", signed=True)


def check_activities(found: dict[bytes, bytes], expected: dict[str, entity_oracle.Entity]) -> None:
    """Check that every entity has counted each of its transactions once and has its labels."""
    assert set(expected) == {key.decode() for key in found}
    for name, entity in expected.items():
        activity = read_activity(found[name.encode()])
        assert entity.hours() == dict(activity.hours), name
        newest = max(activity.newest_hour - 44 * 24, 0)
        reports = {
            (digest(known.transaction), known.reported_at, known.is_fraud)
            for known in entity.labels
            if -(-known.event_time // entity_oracle.HOUR_MS) > newest
        }
        assert reports == {(text.transaction, text.reported_ms, text.is_fraud) for text in activity.labels}


async def recounted(deployment: Deployment) -> dict[str, entity_oracle.Entity]:
    topics = deployment.settings.topics
    return entity_oracle.entities(
        await deployment.read(topics.transactions), await deployment.read(topics.labels)
    )
