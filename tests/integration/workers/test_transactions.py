"""Producers that write in Kafka transactions: only committed records are decided, and markers are no lag."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from app.adapters.kafka.admin import NewTopic, connect
from app.adapters.kafka.cluster import read_cluster
from app.adapters.kafka.cluster_state import OpenTransaction
from app.adapters.kafka.partitioner import partition_of
from app.adapters.kafka.range_reader import open_range_reader
from app.adapters.kafka.tail_reader import open_tail_reader
from app.local.state import Stack
from app.settings import KafkaSettings
from tests.support import reading
from tests.support.commands import call
from tests.support.deployment import POLL_SECONDS, Deployment, check_guarantee
from tests.support.processes.reference_copy import copied, reference_settings, some, until
from tests.support.traffic import START_MS

pytestmark = pytest.mark.integration

TRANSACTION_TIMEOUT_MS = 10_000
"""After which a broker aborts the transaction of a dead producer; it looks every ten seconds."""
ABORTED_SECONDS = 60
COMPACTED_SECONDS = 90
"""The log cleaner looks every 15 seconds."""

ABORTED = b'{"aborted": "never"}'

KILLED = """
import asyncio, os, sys
from aiokafka import AIOKafkaProducer
async def write():
    servers, topic, customer, value, timeout_ms = sys.argv[1:]
    producer = AIOKafkaProducer(
        bootstrap_servers=servers, transactional_id="killed-" + topic, transaction_timeout_ms=int(timeout_ms))
    await producer.start()
    await producer.begin_transaction()
    await producer.send_and_wait(topic, value.encode(), key=customer.encode())
    os.kill(os.getpid(), 9)
asyncio.run(write())
"""


def event(customer: str, number: int) -> bytes:
    """The payment ``number`` of a customer, all within a minute."""
    fields = {
        "transaction_id": f"{customer}-{number}",
        "customer_id": customer,
        "terminal_id": "m1",
        "event_time": START_MS + number,
        "amount_minor": 99_000,  # raises an alert
        "currency": "EUR",
    }
    return json.dumps(fields).encode()


@asynccontextmanager
async def transactional(deployment: Deployment, name: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        bootstrap_servers=deployment.servers, transactional_id=f"{deployment.settings.worker.app_id}-{name}"
    )
    async with producer:
        yield producer


async def send(
    producer: AIOKafkaProducer, deployment: Deployment, customer: str, numbers: Iterable[int]
) -> None:
    topic, to = deployment.settings.topics.transactions, partition(deployment, customer)
    for number in numbers:
        await producer.send_and_wait(topic, event(customer, number), customer.encode(), to)


async def write(
    deployment: Deployment, customer: str, numbers: Iterable[int], *, commit: bool = True, name: str = "short"
) -> None:
    """One transaction with these payments, of the producer of this name."""
    async with transactional(deployment, name) as producer:
        await producer.begin_transaction()
        await send(producer, deployment, customer, numbers)
        await (producer.commit_transaction() if commit else producer.abort_transaction())


async def decided(deployment: Deployment, customer: str) -> dict[str, dict[str, Any]]:
    """The decisions about a customer by transaction id, without their repeats."""
    found = await deployment.decisions()
    return {name: repeats[0] for name, repeats in found.items() if name.rpartition("-")[0] == customer}


async def monitored(deployment: Deployment) -> tuple[int, float]:
    """The lag of the risk group as `fraudstream monitor` reads it; -1 before its first commit."""
    groups = (await read_cluster(deployment.servers, [deployment.settings.worker.app_id])).groups
    return max(((group.lag_records, group.lag_seconds) for group in groups), default=(-1, 0.0))


async def test_the_copy_of_reference_tables_has_no_lag_of_markers(
    deployment: Deployment, stack: Stack
) -> None:
    topic, settings = deployment.settings.topics.answers, reference_settings(deployment, stack)
    row = b'{"op": "c", "source": {"lsn": 1}, "after": {"customer_id": "c1"}}'
    async with transactional(deployment, "bank") as producer, producer.transaction():
        await producer.send_and_wait(topic, row, b"c1", 0)

    async with copied(settings) as (copying, written):
        await until(some(written, copying))

    group = settings.cdc.reference_group
    ends = await reading.end_offsets(deployment.servers, topic, deployment.partitions)
    committed = await reading.committed_offsets(deployment.servers, group, topic, deployment.partitions)
    assert (ends[0], committed[0]) == (2, 2)


async def test_aborted_records_change_nothing(deployment: Deployment) -> None:
    """Five payments are taken back, then one is committed: it is the customer's first."""
    await abort_outputs(deployment, "c1")
    worker = deployment.worker()
    worker.start()
    await write(deployment, "c1", range(1, 6), commit=False)
    await write(deployment, "c1", [6])
    await deployment.decided(1)
    await deployment.drained()

    found = await decided(deployment, "c1")
    assert list(found) == ["c1-6"]
    assert found["c1-6"]["features"][3] == 1.0
    assert await monitored(deployment) == (0, 0.0)

    await write(deployment, "c1", range(7, 9), commit=False)
    await deployment.drained()
    assert await monitored(deployment) == (0, 0.0)
    assert worker.terminate() == 0
    await check_guarantee(deployment, worker)

    verified = call(deployment, "state", "verify", "--json")
    assert verified.returncode == 0, verified.stderr
    assert json.loads(verified.stdout)["profiles"]["equal"] == 1
    check_commands(deployment, found["c1-6"])


async def abort_outputs(deployment: Deployment, customer: str) -> None:
    """Take back a record of each topic that commands read, ahead of the customer's first."""
    topics = deployment.settings.topics
    async with transactional(deployment, "outputs") as producer:
        await producer.begin_transaction()
        for topic in (topics.decisions, topics.alerts, topics.dead_letters):
            await producer.send_and_wait(topic, ABORTED, customer.encode(), partition(deployment, customer))
        await producer.abort_transaction()


def check_commands(deployment: Deployment, decision: dict[str, Any]) -> None:
    """The commands that read topics find the one committed payment and nothing that was taken back."""
    replayed = call(deployment, "replay", "--from", "2026-01-01", "--json")
    assert replayed.returncode == 0, replayed.stderr
    assert json.loads(replayed.stdout)["kinds"] == {"equal": 1}

    assert first_printed(deployment, "decisions") == decision
    alert = first_printed(deployment, "alerts")
    explained = json.loads(call(deployment, "explain", alert["alert_id"], "--json").stdout)
    moments = [moment["offset"] for moment in explained["moments"]]
    assert (explained["verdict"], moments) == ("identical", [decision["source"]["offset"]])

    dead = call(deployment, "dlq", "ls")
    assert (dead.returncode, dead.stdout) == (0, b""), dead


def first_printed(deployment: Deployment, records: str) -> dict[str, Any]:
    """The oldest alert or decision, as ``tail`` prints it."""
    done = call(deployment, records, "tail", "--json", "--from-beginning", "--limit", "1")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def test_an_open_transaction_holds_its_partition_back_and_is_named(deployment: Deployment) -> None:
    """Another producer was killed within its transaction: a broker aborts it after its timeout."""
    worker = deployment.worker()
    worker.start()
    await asyncio.to_thread(kill_within_a_transaction, deployment, "killed")
    other = other_partition_than(deployment, "killed", "open")
    async with transactional(deployment, "open") as producer:
        await producer.begin_transaction()
        await send(producer, deployment, "open", [1, 2])
        await write(deployment, "open", [3], name="behind")
        await write(deployment, other, [1])
        await deployment.decided(1)

        assert list(await decided(deployment, other)) == [f"{other}-1"]
        deadline = time.monotonic() + ABORTED_SECONDS
        while await monitored(deployment) != (0, 0.0):  # until the group has committed
            assert time.monotonic() < deadline
            await asyncio.sleep(POLL_SECONDS)
        while len(await open_transactions(deployment)) < 2:  # the group is seen with its first commit
            assert time.monotonic() < deadline
            await asyncio.sleep(POLL_SECONDS)
        held = {each.transactional_id: each for each in await open_transactions(deployment)}
        found = held[f"{deployment.settings.worker.app_id}-open"]
        assert (found.partition, found.offset, found.held_offsets) == (partition(deployment, "open"), 0, 4)
        assert (found.producer_id >= 0, 0.0 <= found.seconds < ABORTED_SECONDS) == (True, True)
        assert held[f"killed-{deployment.settings.topics.transactions}"].partition == partition(
            deployment, "killed"
        )
        await producer.commit_transaction()
    await deployment.decided(4)
    assert list(await decided(deployment, "open")) == ["open-1", "open-2", "open-3"]

    deadline = time.monotonic() + ABORTED_SECONDS
    while await open_transactions(deployment):
        assert time.monotonic() < deadline, "no broker has aborted the transaction"
        await asyncio.sleep(POLL_SECONDS)
    await deployment.drained()
    assert await decided(deployment, "killed") == {}
    assert await monitored(deployment) == (0, 0.0)


def partition(deployment: Deployment, customer: str) -> int:
    return partition_of(customer.encode(), deployment.partitions)


def other_partition_than(deployment: Deployment, *customers: str) -> str:
    """A customer whose partition none of these has."""
    taken = {partition(deployment, customer) for customer in customers}
    return next(name for name in map("c{}".format, range(99)) if partition(deployment, name) not in taken)


async def open_transactions(deployment: Deployment) -> tuple[OpenTransaction, ...]:
    return (await read_cluster(deployment.servers, [deployment.settings.worker.app_id])).open_transactions


def kill_within_a_transaction(deployment: Deployment, customer: str) -> None:
    topic, value = deployment.settings.topics.transactions, event(customer, 1).decode()
    words = [deployment.servers, topic, customer, value, str(TRANSACTION_TIMEOUT_MS)]
    done = subprocess.run([sys.executable, "-c", KILLED, *words], check=False, timeout=ABORTED_SECONDS)  # noqa: S603  # ours
    assert done.returncode == -signal.SIGKILL


async def test_a_compacted_topic_with_markers_is_read_to_its_end(deployment: Deployment) -> None:
    """Compaction removes aborted records, and later the markers; readers find the end all the same."""
    topic = f"{deployment.settings.worker.app_id}-compacted"
    configs = {
        "cleanup.policy": "compact",
        "segment.bytes": "1048576",
        "segment.ms": "100",
        "min.cleanable.dirty.ratio": "0.01",
        "delete.retention.ms": "0",
    }
    async with connect(deployment.servers) as admin:
        await admin.create([NewTopic(name=topic, partitions=1, replication_factor=1, configs=configs)])
    async with transactional(deployment, "compacted") as producer:
        for number in range(7):
            await producer.begin_transaction()
            await producer.send_and_wait(topic, b"%d" % number, key=b"k%d" % (number % 2))
            await (producer.abort_transaction() if number % 3 else producer.commit_transaction())
            await asyncio.sleep(0.2)  # each in a segment of its own
    expected = [(b"k0", b"0"), (b"k1", b"3"), (b"k0", b"6")]  # the newest segment is never compacted
    everything = msgspec.structs.replace(deployment.settings.kafka, isolation="read_uncommitted")
    committed_only = deployment.settings.kafka
    assert [7, 7] == [len(found) for found in await both_readers(everything, topic)]
    assert [expected, expected] == await both_readers(committed_only, topic)

    deadline = time.monotonic() + COMPACTED_SECONDS
    while len((await both_readers(everything, topic))[0]) > len(expected):
        assert time.monotonic() < deadline, "the topic was not compacted"
        await asyncio.sleep(1)
    assert [expected, expected] == await both_readers(committed_only, topic)


async def both_readers(kafka: KafkaSettings, topic: str) -> list[list[tuple[bytes | None, bytes | None]]]:
    """Key and value of each record, as the bulk reader and as the client's consumer read them."""
    async with open_range_reader(kafka, topic) as reader:
        _, end = await reader.extent(0)
        bulk = [record async for records, _ in reader.records(0, 0, end) for record in records]
    async with open_tail_reader(kafka, [topic], from_beginning=True) as tail:
        followed = [record async for record in tail.until(await tail.ends())]
    return [[(record.key, record.value) for record in found] for found in (bulk, followed)]
