"""The crm worker's two chunk runners over one table, with everything outside it replaced: the app is built as a worker builds it."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from app.adapters.kafka.records import OutRecord, TopicBatch
from app.adapters.serde.contact_codec import decode
from app.domain.contact import NEVER_MS
from app.processing.chunk import Chunk
from app.processing.contact_work import ContactFold, ContactRules
from app.processing.state_cache import StateCache
from app.settings import Settings
from app.streaming.faust_app import build_app
from app.streaming.roles.crm import CrmWorker
from app.topics.topic_specs import contacts_changelog
from tests.properties.test_contact_laws import QUIET, START_MS, Record, alert, answer

SETTINGS = Settings()


class Sender:
    """Stores batches; each send takes one turn of the event loop."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int, list[OutRecord]]] = []

    async def send_all(self, outputs: Iterable[TopicBatch], guard: Callable[[], None]) -> list[int]:
        guard()
        await asyncio.sleep(0)
        return [self._send(*output) for output in outputs]

    def _send(self, topic: str, partition: int, records: Sequence[OutRecord]) -> int:
        self.sent.append((topic, partition, list(records)))
        return sum(len(of) for name, _, of in self.sent if name == topic) - 1

    def to(self, topic: str) -> list[dict[str, Any]]:
        return [
            json.loads(one.value or b"") for name, _, records in self.sent for one in records if name == topic
        ]


class Store:
    """A store of contacts in memory."""

    def __init__(self) -> None:
        self.contacts: dict[bytes, bytes] = {}

    def write(self, _: int, profiles: Mapping[bytes, bytes], __: int) -> None:
        self.contacts |= profiles

    def read(self, _: int, keys: list[bytes]) -> list[bytes | None]:
        return [self.contacts.get(key) for key in keys]


class Consumer:
    """A consumer whose partitions are never revoked."""

    def is_current(self, _: Chunk) -> bool:
        return True


class World:
    """A worker with its producer, store and consumer in memory."""

    def __init__(self, directory: Path) -> None:
        worker = msgspec.structs.replace(SETTINGS.worker, role="crm", data_dir=str(directory))
        app = build_app(msgspec.structs.replace(SETTINGS, worker=worker))
        self.topics = SETTINGS.topics
        self.sender, self.store, self.acknowledged = Sender(), Store(), list[tuple[str, int]]()
        self.worker = cast(CrmWorker, app.role_worker)
        self.worker._sender = cast(Any, self.sender)
        writer = self.worker._table.changelog_guard
        writer._store = self.store
        writer.begin(0, -1)
        self.worker._contacts = StateCache(self.store, 10**6)
        rules = ContactRules(QUIET, self.worker._acceptance(), (11, 22), self.topics.partitions)
        self.worker._fold = ContactFold(rules, self.worker._contacts)
        writes = self.worker._order_of_writes()
        self.worker._runners = [self.worker._runner(0, writes), self.worker._runner(1, writes)]
        self.worker._report_lag = lambda *_: None  # type: ignore[method-assign]

    async def deliver(self, topic: str, records: list[Record]) -> None:
        event = SimpleNamespace(
            value=Chunk(0, records, 1),
            message=SimpleNamespace(topic=topic),
            ack=lambda: self.acknowledged.append((topic, records[-1].offset)),
        )
        runner = self.worker._runners[self.worker.topics.index(topic)]
        await runner.accept(event, cast(Any, Consumer()))

    async def settled(self) -> None:
        for _ in range(50):
            await asyncio.sleep(0)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def of(event: dict[str, Any], offset: int) -> Record:
    return Record(event["customer_id"].encode(), json.dumps(event).encode(), offset)


async def test_alerts_and_answers_of_a_partition_are_written_in_the_order_they_were_computed(
    world: World,
) -> None:
    """Neither topic waits for the other, and ChangelogGuard accepts the offsets: they ascend without a gap."""
    topics = world.topics
    await world.deliver(topics.alerts, [of(alert(0, "c0", START_MS), 0), of(alert(1, "c1", START_MS), 1)])
    await world.deliver(topics.answers, [of(answer(0, "c0", START_MS + 5), 0)])
    await world.deliver(topics.alerts, [of(alert(2, "c0", START_MS + 9), 2)])
    await world.settled()

    assert ["notification-t0", "notification-t1"] == [
        one["notification_id"] for one in world.sender.to(topics.notifications)
    ]
    assert [("t0", "customer")] == [
        (one["transaction_id"], one["source"]) for one in world.sender.to(topics.labels)
    ]
    assert {(topics.alerts, 2), (topics.answers, 0)} <= set(world.acknowledged)
    contact = decode(world.store.contacts[b"c0"]).contact
    assert (START_MS + 5, START_MS + 9) == (contact.answered_ms, contact.last_alert_ms)
    assert decode(world.store.contacts[b"c1"]).contact.answered_ms == NEVER_MS


async def test_a_question_is_sent_before_its_contact_is_written(world: World) -> None:
    await world.deliver(world.topics.alerts, [of(alert(0, "c0", START_MS), 0)])
    await world.settled()

    assert [world.topics.notifications, contacts_changelog(SETTINGS)] == [
        topic for topic, _, records in world.sender.sent if records
    ]


def test_the_roles_are_built_with_their_topics_and_groups(tmp_path: Path) -> None:
    for role, topics in (
        ("analytics", (SETTINGS.topics.decisions, SETTINGS.topics.labels)),
        ("crm", (SETTINGS.topics.alerts, SETTINGS.topics.answers)),
    ):
        worker = msgspec.structs.replace(SETTINGS.worker, role=role, data_dir=str(tmp_path / role))
        app = build_app(msgspec.structs.replace(SETTINGS, worker=worker))

        assert topics == app.role_worker.topics
        assert f"fraudstream-{role}" == app.conf.id
        assert (role == "crm") == bool(app.tables)
