"""A deployment under test: its own topics, its own workers, and the checks of their results."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar
from uuid import uuid4

from aiokafka.admin import AIOKafkaAdminClient

from app.domain.transaction import Transaction
from app.settings import (
    AnalyticsSettings,
    CasesSettings,
    CrmSettings,
    EntitySettings,
    KafkaSettings,
    Settings,
    TopicSettings,
    WorkerSettings,
)
from app.settings import values as setting_values
from app.topics import provisioning
from app.traffic.produce import produce
from tests.profile_format import read_profile
from tests.support import oracle, reading
from tests.support.workers import Worker

DRAIN_SECONDS = 90.0
POLL_SECONDS = 0.2
SHORT_SESSION = {
    "FRAUDSTREAM_KAFKA_SESSION_TIMEOUT_SECONDS": "6",
    "FRAUDSTREAM_KAFKA_PRODUCE_TIMEOUT_SECONDS": "5",
}
"""For a worker that the test kills: its partitions are free after so many seconds. Tests that do not wait for a session
keep the default of `Deployment`, which a busy machine exceeds less often.
"""
Prepared = TypeVar("Prepared")


class Stack(Protocol):
    @property
    def bootstrap_servers(self) -> str: ...


async def delete_topic(servers: str, topic: str) -> None:
    """Delete a topic; return when no broker knows it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        await admin.delete_topics([topic])
        while topic in await admin.list_topics():  # noqa: ASYNC110  # brokers do not notify; they must be polled
            await asyncio.sleep(POLL_SECONDS)
    finally:
        await admin.close()


class Deployment:
    """Settings with topics and consumer groups that no other test uses."""

    def __init__(self, stack: Stack, directory: Path, models: Path, partitions: int = 4) -> None:
        prefix = f"test-{uuid4().hex[:8]}"
        self.directory = directory
        self.models = models
        self.settings = Settings(
            kafka=KafkaSettings(
                bootstrap_servers=stack.bootstrap_servers,
                # The shortest that a broker allows: a killed worker's partitions are free after it.
                session_timeout_seconds=6.0,
                produce_timeout_seconds=4.0,
            ),
            topics=TopicSettings(partitions=partitions).with_prefix(prefix),
            worker=WorkerSettings(app_id=prefix, metrics_port=0),
            entities=EntitySettings(app_id=f"{prefix}-entities"),
            analytics=AnalyticsSettings(app_id=f"{prefix}-analytics"),
            crm=CrmSettings(app_id=f"{prefix}-crm"),
            cases=CasesSettings(app_id=f"{prefix}-cases"),
        )
        self.workers: list[Worker] = []
        self._sending: list[asyncio.Task[None]] = []

    @property
    def servers(self) -> str:
        return self.settings.kafka.bootstrap_servers

    @property
    def partitions(self) -> int:
        return self.settings.topics.partitions

    @property
    def changelog(self) -> str:
        return f"{self.settings.worker.app_id}-{reading.TABLE}-changelog"

    async def ensure_topics(self) -> None:
        await provisioning.ensure(self.settings)

    def worker(self, name: str = "worker-1", **overrides: str) -> Worker:
        """A worker that is not started yet; ``overrides`` are settings by their environment names."""
        environment = {variable: str(value) for variable, value in setting_values(self.settings).items()}
        environment |= {"FRAUDSTREAM_MODEL_DIR": str(self.models)} | overrides
        worker = Worker(name, self.directory, environment)
        self.workers.append(worker)
        return worker

    async def produce(self, transactions: Iterable[Transaction], rate: float | None = None) -> None:
        await produce(transactions, topic=self.settings.topics.transactions, kafka=self.servers, rate=rate)

    def sending(self, transactions: Iterable[Transaction], rate: float | None = None) -> asyncio.Task[None]:
        """Send in the background; a failure to send ends the next wait of this deployment."""
        task = asyncio.create_task(self.produce(transactions, rate))
        self._sending.append(task)
        return task

    async def lag(self) -> int:
        """Records that no worker has committed yet."""
        return await self.lag_of(self.settings.worker.app_id, self.settings.topics.transactions)

    async def lag_of(self, group: str, topic: str) -> int:
        """Records of a topic that a group has not committed yet."""
        ends = await reading.end_offsets(self.servers, topic, self.partitions)
        committed = await reading.committed_offsets(self.servers, group, topic, self.partitions)
        return sum(ends[partition] - committed[partition] for partition in ends)

    async def drained(self, timeout: float = DRAIN_SECONDS) -> None:  # noqa: ASYNC109  # a bound on polling
        """Return when the group has committed the whole source log."""
        deadline = time.monotonic() + timeout
        while lag := await self.lag():
            self.require_workers()
            assert time.monotonic() < deadline, f"{lag} records are not committed\n{self.tails()}"
            await asyncio.sleep(POLL_SECONDS)

    async def decided(self, at_least: int, timeout: float = DRAIN_SECONDS) -> None:  # noqa: ASYNC109  # as above
        """Return when the topic of decisions holds ``at_least`` so many."""
        deadline = time.monotonic() + timeout
        while (found := await self.decision_count()) < at_least:
            self.require_workers()
            assert time.monotonic() < deadline, f"{found} decisions of {at_least}\n{self.tails()}"
            await asyncio.sleep(POLL_SECONDS / 4)

    async def decision_count(self) -> int:
        """The number of decisions in their topic, repeats included."""
        topic = self.settings.topics.decisions
        return sum((await reading.end_offsets(self.servers, topic, self.partitions)).values())

    async def read(self, topic: str) -> list[Any]:
        """Every record of a topic of this deployment."""
        return await reading.read_topic(self.servers, topic, self.partitions)

    def scan(self, topic: str) -> AsyncIterator[Any]:
        return reading.scan(self.servers, topic, self.partitions)

    async def decisions(self) -> dict[str, list[dict[str, Any]]]:
        """All decisions of each transaction, in order of offset."""
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        async for record in self.scan(self.settings.topics.decisions):
            decision = json.loads(record.value)
            found[decision["transaction_id"]].append(decision)
        return found

    def require_workers(self) -> None:
        """Raise what ended the sending, or AssertionError with the log of a worker that ended unasked."""
        for worker in self.workers:
            worker.require_running()
        for task in self._sending:
            if task.done():
                task.result()

    async def delete_topics(self) -> None:
        """Delete every topic of this deployment, its workers' changelogs included."""
        prefix = self.settings.worker.app_id
        admin = AIOKafkaAdminClient(bootstrap_servers=self.servers)
        await admin.start()
        try:
            ours = [topic for topic in await admin.list_topics() if topic.startswith(prefix)]
            if ours:
                await admin.delete_topics(ours)
        finally:
            await admin.close()

    async def recreate_topic(self, topic: str) -> None:
        """Delete a topic and create it again, as an operator would."""
        await delete_topic(self.servers, topic)
        await self.ensure_topics()

    def tails(self) -> str:
        return "\n".join(f"--- {worker.log}\n{worker.tail()}" for worker in self.workers)

    def clear_up(self) -> None:
        for worker in self.workers:
            worker.clear_up()


@contextmanager
def shared_deployment(
    deployment: Deployment, prepare: Callable[[Deployment], Awaitable[Prepared]]
) -> Iterator[Prepared]:
    """The result of ``prepare`` on a deployment that several tests read and none changes."""

    async def prepared() -> Prepared:
        await deployment.ensure_topics()
        return await prepare(deployment)

    try:
        yield asyncio.run(prepared())
    finally:
        deployment.clear_up()
        asyncio.run(deployment.delete_topics())


async def check_guarantee(deployment: Deployment, worker: Worker | None = None) -> None:
    """Check that nothing is lost, nothing is counted twice, no alert is missed, and local state equals the changelog.

    ``worker`` is the stopped worker that owned every partition at the end; without it local state is not checked.
    """
    topics = deployment.settings.topics
    customers = oracle.fold(await deployment.read(topics.transactions))
    changelog = await deployment.read(deployment.changelog)
    newest = reading.newest_per_key(changelog)
    decisions = await deployment.decisions()
    check_profiles(customers, newest)
    check_decisions(customers, decisions)
    alerts = [json.loads(record.value) async for record in deployment.scan(topics.alerts)]
    check_alerts(decisions, alerts)
    if worker is not None:
        check_store(worker, newest)
    figures = {
        "transactions": sum(customer.applied for customer in customers.values()),
        "customers": len(customers),
        "decisions": sum(map(len, decisions.values())),
        "repeated decisions": sum(map(len, decisions.values())) - len(decisions),
        "alerts": len({alert["alert_id"] for alert in alerts}),
        "repeated alerts": len(alerts) - len({alert["alert_id"] for alert in alerts}),
        "changelog records": len(changelog),
    }
    print(figures)  # noqa: T201  # shown with -s


def check_profiles(customers: dict[str, oracle.Customer], changelog: dict[bytes, bytes]) -> None:
    """Check that every customer's profile has applied each of their transactions once."""
    profiles = {key.decode(): read_profile(value) for key, value in changelog.items()}
    assert set(customers) == set(profiles)
    wrong = {
        name: (customer.applied, customer.last_offset, customer.sums, profiles[name])
        for name, customer in customers.items()
        if (customer.applied, customer.last_offset, customer.sums)
        != (profiles[name].applied, profiles[name].applied_offset, profiles[name].newest_sums)
    }
    assert not wrong, f"{len(wrong)} customers of {len(customers)}: {list(wrong.items())[:3]}"


def check_decisions(
    customers: dict[str, oracle.Customer],
    decisions: dict[str, list[dict[str, Any]]],
    may_differ: Collection[str] = ("scored_at",),
) -> None:
    """Check that every transaction is decided on exactly its features, and that repeated decisions are equal in all fields
    but ``may_differ``.
    """
    transactions = {event.transaction_id for customer in customers.values() for event in customer.events}
    assert not transactions ^ set(decisions), (
        f"{len(transactions - set(decisions))} transactions are not decided, "
        f"{len(set(decisions) - transactions)} decisions have no transaction"
    )
    for customer in customers.values():
        for transaction_id, expected in oracle.expected_features(customer).items():
            for decision in decisions[transaction_id]:
                found = decision["features"]
                assert oracle.same_numbers(expected, found), (transaction_id, expected, found)
    for repeats in decisions.values():
        assert len({_content(decision, may_differ) for decision in repeats}) == 1, repeats


def check_alerts(decisions: dict[str, list[dict[str, Any]]], alerts: list[dict[str, Any]]) -> None:
    """Check that exactly the transactions that are not approved have an alert."""
    suspicious = {name for name, (decision, *_) in decisions.items() if decision["outcome"] != "approve"}
    assert not suspicious ^ {alert["transaction_id"] for alert in alerts}
    assert len(suspicious) == len({alert["alert_id"] for alert in alerts})


def check_store(worker: Worker, changelog: dict[bytes, bytes]) -> None:
    """Check that the RocksDB of a stopped worker equals the changelog."""
    stored = reading.stored_values(worker.data_dir)
    assert changelog.keys() == stored.keys()
    assert [key for key, value in changelog.items() if stored[key] != value] == []


def _content(decision: dict[str, Any], left_out: Collection[str]) -> str:
    return json.dumps(
        {name: value for name, value in decision.items() if name not in left_out}, sort_keys=True
    )
