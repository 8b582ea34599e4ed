"""Producers that write in Kafka transactions: only committed records are decided, and markers are no lag."""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from app.adapters.kafka.cluster import read_cluster
from app.adapters.kafka.partitioner import partition_of
from tests.support.commands import call
from tests.support.deployment import Deployment, check_guarantee
from tests.support.traffic import START_MS

pytestmark = pytest.mark.integration

TRANSACTION_TIMEOUT_MS = 3_000
"""After which a broker aborts the transaction of a dead producer; it looks every ten seconds."""
ABORTED_SECONDS = 60
HOURLY_COUNT = "customer_count_1h"

KILLED = """
import asyncio, os, sys
from aiokafka import AIOKafkaProducer
async def write():
    servers, topic, customer, value, timeout_ms = sys.argv[1:]
    producer = AIOKafkaProducer(
        bootstrap_servers=servers, transactional_id="killed-" + customer, transaction_timeout_ms=int(timeout_ms))
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
        "amount_minor": 1_000,
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
    partition = partition_of(customer.encode(), deployment.partitions)
    for number in numbers:
        await producer.send_and_wait(
            deployment.settings.topics.transactions, event(customer, number), customer.encode(), partition
        )


async def write(
    deployment: Deployment, customer: str, numbers: Iterable[int], *, commit: bool = True
) -> None:
    """One transaction with these payments."""
    async with transactional(deployment, customer) as producer:
        await producer.begin_transaction()
        await send(producer, deployment, customer, numbers)
        await (producer.commit_transaction() if commit else producer.abort_transaction())


async def decided(deployment: Deployment, customer: str) -> dict[str, dict[str, Any]]:
    """The decisions about a customer by transaction id, without their repeats."""
    found = await deployment.decisions()
    return {name: repeats[0] for name, repeats in found.items() if name.rpartition("-")[0] == customer}


async def monitored(deployment: Deployment) -> tuple[int, float]:
    """The lag of the risk group as `fraudstream monitor` reads it."""
    (group,) = (await read_cluster(deployment.servers, [deployment.settings.worker.app_id])).groups
    return group.lag_records, group.lag_seconds


async def test_aborted_records_change_nothing(deployment: Deployment) -> None:
    """Five payments are taken back, then one is committed: it is the customer's first."""
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
