"""Producing onto a real broker: everything arrives, in order, on the partition Java would choose."""

import asyncio
import os
import signal
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from app.adapters.kafka.admin import NewTopic, connect
from app.adapters.kafka.partitioner import partition_of
from app.domain.transaction import Transaction
from app.errors import ConfigurationError, InvalidFile, SendFailed
from app.local import stack as local_stack
from app.local.state import Stack
from app.traffic import sending
from app.traffic.produce import produce, produce_raw

pytestmark = pytest.mark.integration

PARTITIONS = 3


@pytest.fixture
async def topic(stack: Stack) -> str:
    return await make_topic(stack)


async def make_topic(stack: Stack) -> str:
    name = f"test-{uuid4().hex[:8]}"
    limits = {"max.message.bytes": "300000"}
    async with connect(stack.bootstrap_servers) as admin:
        await admin.create([NewTopic(name=name, partitions=PARTITIONS, replication_factor=1, configs=limits)])
    return name


def transactions(count: int) -> list[Transaction]:
    return [
        Transaction(
            transaction_id=f"t{index}",
            customer_id=f"c{index % 17}",
            terminal_id="m1",
            event_time=1_522_540_831_000 + index,
            amount_minor=index,
            currency="EUR",
        )
        for index in range(count)
    ]


async def consumed(stack: Stack, topic: str, count: int) -> list[Any]:
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, partition) for partition in range(PARTITIONS)])
        return [await consumer.getone() for _ in range(count)]
    finally:
        await consumer.stop()


async def test_records_arrive_in_each_customers_order_on_the_right_partition(
    stack: Stack, topic: str
) -> None:
    sent = transactions(5_000)
    produced = await produce(sent, topic=topic, kafka=stack.bootstrap_servers)
    records = await consumed(stack, topic, 5_000)

    arrived: dict[str, list[Transaction]] = defaultdict(list)
    for record in records:
        assert record.partition == partition_of(record.key, PARTITIONS)
        arrived[record.key.decode()].append(msgspec.json.decode(record.value, type=Transaction))
    assert produced.produced == 5_000
    assert arrived == {f"c{n}": [t for t in sent if t.customer_id == f"c{n}"] for n in range(17)}


async def test_a_rate_is_kept_and_every_record_carries_its_intended_time(stack: Stack, topic: str) -> None:
    produced = await produce(transactions(100), topic=topic, kafka=stack.bootstrap_servers, rate=100)
    times = sorted(record.timestamp for record in await consumed(stack, topic, 100))

    assert produced.seconds >= 0.99
    assert times[-1] - times[0] == pytest.approx(990, abs=2)


async def test_a_live_source_is_sent_without_delay(stack: Stack, topic: str) -> None:
    counts: list[int] = []
    waiting = transactions(3)

    async def live() -> Any:
        for transaction in waiting:
            yield transaction

    servers = stack.bootstrap_servers
    produced = await produce(live(), topic=topic, kafka=servers, on_progress=counts.append)

    assert (produced.produced, counts[-1]) == (3, 3)


async def test_raw_records_arrive_byte_for_byte(stack: Stack, topic: str) -> None:
    given = [(b"c1", b"not json"), (None, b"\xff\x00"), (b"c1", b"")]
    await produce_raw(given, topic=topic, kafka=stack.bootstrap_servers)
    records = await consumed(stack, topic, 3)

    assert {(record.key, record.value) for record in records} == set(given)


async def test_a_record_the_broker_refuses_is_a_failure(stack: Stack, topic: str) -> None:
    incompressible = Random(1).randbytes(400_000)
    with pytest.raises(SendFailed, match="1 records are not acknowledged"):
        await produce_raw([(b"c1", incompressible)], topic=topic, kafka=stack.bootstrap_servers)


async def test_a_broker_that_dies_ends_the_sending_in_bounded_time(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "ACKNOWLEDGE_SECONDS", 2.0)
    stack = await asyncio.to_thread(local_stack.start, directory, lifeline_pid=os.getpid())
    topic = await make_topic(stack)
    acknowledged = asyncio.Event()

    async def live() -> AsyncIterator[Transaction]:
        first, *others = transactions(100)
        yield first
        await acknowledged.wait()
        os.kill(stack.brokers[0].pid, signal.SIGKILL)
        for transaction in others:
            yield transaction

    servers = stack.bootstrap_servers
    started_seconds = time.monotonic()
    with pytest.raises(SendFailed, match="99 records are not acknowledged"):
        await produce(live(), topic=topic, kafka=servers, on_progress=lambda _: acknowledged.set())

    assert time.monotonic() - started_seconds < 15


async def test_a_source_that_fails_ends_the_sending_with_its_own_error(stack: Stack, topic: str) -> None:
    def failing() -> Iterator[Transaction]:
        yield from transactions(1_500)
        raise InvalidFile("row 1501")

    with pytest.raises(InvalidFile, match="row 1501"):
        await produce(failing(), topic=topic, kafka=stack.bootstrap_servers)


async def test_a_missing_topic_is_never_created(stack: Stack) -> None:
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="does not exist"):
            await produce(transactions(1), topic="test-absent", kafka=stack.bootstrap_servers)
