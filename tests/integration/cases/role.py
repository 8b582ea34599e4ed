"""Workers of the role cases, what is sent to them, and an independent fold of the topics to compare their tables with."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from aiokafka import AIOKafkaProducer

from app.adapters.kafka.partitioner import partition_of
from app.settings import CasesSettings, Stream
from tests.integration.cases.postgres_server import PostgresServer
from tests.support import reading
from tests.support.deployment import SHORT_SESSION, Deployment
from tests.support.workers import Worker

SECONDS = 90
POLL_SECONDS = 0.1


def alert(number: int, customer: str, at_ms: int) -> dict[str, Any]:
    """The fields of an alert that a case uses, and one that it does not."""
    return {
        "alert_id": f"alert-t{number}",
        "transaction_id": f"t{number}",
        "customer_id": customer,
        "event_time": at_ms,
        "scored_at": at_ms,
        "score": 0.9,
        "outcome": "review",
        "snapshot": {},
        "transaction": {"terminal_id": f"m{number % 3}", "amount_minor": 1_000, "currency": "EUR"},
    }


def label(number: int, customer: str, at_ms: int, *, is_fraud: bool) -> dict[str, Any]:
    return {
        "transaction_id": f"t{number}",
        "customer_id": customer,
        "terminal_id": f"m{number % 3}",
        "event_time": at_ms,
        "is_fraud": is_fraud,
        "source": "chargeback",
        "reported_at": at_ms,
    }


def answer(number: int, customer: str, at_ms: int) -> dict[str, Any]:
    fields = label(number, customer, at_ms, is_fraud=False)
    del fields["source"], fields["reported_at"]
    return fields | {"notification_id": f"notification-t{number}", "answered_at": at_ms}


class Sent(NamedTuple):
    """A record for a stream."""

    stream: Stream
    key: str
    value: bytes


def traffic(first: int, count: int, customers: int) -> Iterable[Sent]:
    """Alerts, every second one with a label, every third one with an answer, every 25th one followed by nonsense."""
    now_ms = time.time_ns() // 1_000_000 - 10_000
    for number in range(first, first + count):
        customer, at_ms = f"c{number % customers}", now_ms + number
        yield Sent(Stream.ALERTS, customer, json.dumps(alert(number, customer, at_ms)).encode())
        if number % 2 == 0:
            outcome = label(number, customer, at_ms, is_fraud=number % 4 == 0)
            yield Sent(Stream.LABELS, f"m{number % 3}", json.dumps(outcome).encode())
        if number % 3 == 0:
            yield Sent(Stream.ANSWERS, customer, json.dumps(answer(number, customer, at_ms)).encode())
        if number % 25 == 0:
            yield Sent(Stream.ALERTS, customer, b"{nonsense %d" % number)
        if number % 10 == 0:  # a producer that repeats: the same alert at another offset
            yield Sent(Stream.ALERTS, customer, json.dumps(alert(number, customer, at_ms)).encode())


class Role:
    """One deployment with a schema of its own."""

    def __init__(self, deployment: Deployment, postgres: PostgresServer, cases: CasesSettings) -> None:
        self.deployment = deployment
        self.postgres = postgres
        own = msgspec.structs.replace(cases, app_id=deployment.settings.cases.app_id)
        deployment.settings = msgspec.structs.replace(deployment.settings, cases=own)
        self.schema = cases.database_schema

    def worker(self, name: str = "cases-1", **overrides: str) -> Worker:
        settings = {"FRAUDSTREAM_WORKER_ROLE": "cases"} | SHORT_SESSION
        return self.deployment.worker(name, **(settings | overrides))

    async def send(self, records: Iterable[Sent], pause_seconds: float = 0.0) -> None:
        """Each key to its partition, as every producer does."""
        topics = self.deployment.settings.topics
        producer = AIOKafkaProducer(bootstrap_servers=self.deployment.servers, linger_ms=5)
        await producer.start()
        try:
            for stream, key, value in records:
                partition = partition_of(key.encode(), topics.partitions)
                await producer.send(topics.name_of(stream), value, key.encode(), partition)
                if pause_seconds:
                    await asyncio.sleep(pause_seconds)
            await producer.flush()
        finally:
            await producer.stop()

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        return self.postgres.query(self.schema, statement)

    async def settled(self) -> None:
        """Return when every record is applied and every change is published."""
        deadline = time.monotonic() + SECONDS
        topics, names = self.deployment.settings.topics, (Stream.ALERTS, Stream.LABELS, Stream.ANSWERS)
        ends = {
            (topics.name_of(stream), partition): end
            for stream in names
            for partition, end in (
                await reading.end_offsets(self.deployment.servers, topics.name_of(stream), topics.partitions)
            ).items()
        }
        while (left := self._left(ends)) != (0, 0):
            self.deployment.require_workers()
            assert time.monotonic() < deadline, f"{left} left\n{self.deployment.tails()}"
            await asyncio.sleep(POLL_SECONDS)

    def _left(self, ends: dict[tuple[str, int], int]) -> tuple[int, int]:
        """Records that are not applied, and changes that are not published."""
        if not self.postgres.query("public", f"SELECT FROM pg_namespace WHERE nspname = '{self.schema}'"):
            return sum(ends.values()), 0  # the worker has not made the tables
        stored = {
            (topic, number): end
            for topic, number, end in self.query("SELECT topic, partition, next_offset FROM offsets")
        }
        waiting = self.query("SELECT count(*) FROM outbox WHERE published_at IS NULL")[0][0]
        return sum(end - stored.get(place, 0) for place, end in ends.items()), waiting

    async def events(self, stream: Stream) -> list[dict[str, Any]]:
        """The valid records of a topic, partition after partition."""
        found = []
        for record in await self.deployment.read(self.deployment.settings.topics.name_of(stream)):
            try:
                found.append(json.loads(record.value))
            except ValueError:
                continue
        return found

    async def require_equal_to_the_topics(self) -> None:
        """0 alerts without a case, 0 doubled; every case as an independent fold of the topics makes it; every change published."""
        alerts = {one["alert_id"]: one for one in await self.events(Stream.ALERTS)}
        stored = self.query("SELECT alert_id, customer_id, case_id FROM alerts")
        assert sorted(alerts) == sorted(name for name, _, _ in stored)
        by_case = defaultdict(set)
        for name, customer, case in stored:
            assert alerts[name]["customer_id"] == customer
            by_case[customer, case].add(name)
        expected = defaultdict(set)
        for name, one in alerts.items():
            expected[one["customer_id"]].add(name)
        assert dict(expected) == {customer: names for (customer, _), names in by_case.items()}
        counts = dict(self.query("SELECT case_id, alert_count FROM cases"))
        assert counts == {case: len(names) for (_, case), names in by_case.items()}
        await self._require_outcomes()
        await self._require_published()

    async def _require_outcomes(self) -> None:
        labels = {one["transaction_id"]: one["is_fraud"] for one in await self.events(Stream.LABELS)}
        answers = {one["transaction_id"]: one["is_fraud"] for one in await self.events(Stream.ANSWERS)}
        assert labels == dict(self.query("SELECT transaction_id, is_fraud FROM labels"))
        assert answers == dict(self.query("SELECT transaction_id, is_fraud FROM answers"))

    async def _require_published(self) -> None:
        """The versions of a case ascend without a gap; the changes bring each alert, label and answer to its case once."""
        changes = await self.events(Stream.CASES)
        seen: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
        for change in changes:  # one that is published twice is the same
            assert seen[change["case_id"]].setdefault(change["version"], change) == change
        versions = dict(self.query("SELECT case_id, version FROM cases"))
        assert {case: [*range(1, version + 1)] for case, version in versions.items()} == {
            case: sorted(found) for case, found in seen.items()
        }
        for key, table in (("alerts", "alerts"), ("labels", "labels"), ("answers", "answers")):
            brought = [
                one["transaction_id"] for of in seen.values() for change in of.values() for one in change[key]
            ]
            assert sorted(brought) == sorted(
                name
                for (name,) in self.query(f"SELECT transaction_id FROM {table}")  # noqa: S608  # constants
            )
