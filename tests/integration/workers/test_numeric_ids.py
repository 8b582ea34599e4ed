"""With default settings numeric ids that look like card numbers are scored; a field of card numbers ends the worker."""

import asyncio
import json
from random import Random
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from app.domain.card_number import contains_card_number
from app.streaming.delivery.fail_stop import EXIT_FAIL_STOP
from tests.support.deployment import Deployment
from tests.support.traffic import traffic

pytestmark = pytest.mark.integration

MOST_PUBLISHED = 7
"""So many card numbers and no other number are found, so the chunks before hold fewer."""


def transactions(terminals: list[str], seed: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [msgspec.to_builtins(one) for one in traffic(len(terminals), seed=seed)]
    return [row | {"terminal_id": text} for row, text in zip(rows, terminals, strict=True)]


def cards(count: int) -> list[str]:
    random, found = Random(7), set[str]()
    while len(found) < count:
        digits = f"4{random.randrange(10**15):015}"
        if contains_card_number(digits):
            found.add(digits)
    return sorted(found)


async def send(deployment: Deployment, rows: list[dict[str, Any]]) -> None:
    topic = deployment.settings.topics.transactions
    async with AIOKafkaProducer(bootstrap_servers=deployment.servers) as producer:
        for row in rows:
            await producer.send(topic, json.dumps(row).encode(), row["customer_id"].encode())


async def test_numeric_ids_are_decided_and_card_numbers_end_the_worker(deployment: Deployment) -> None:
    random = Random(13)
    honest = transactions([str(random.getrandbits(63)) for _ in range(300)], seed=1)
    assert sum(contains_card_number(row["terminal_id"]) for row in honest) > 3
    worker = deployment.worker()
    worker.start()
    await send(deployment, honest)
    await deployment.drained()
    topics = deployment.settings.topics
    assert (300, 0) == (
        len(await deployment.read(topics.decisions)),
        len(await deployment.read(topics.dead_letters)),
    )

    worker.terminate()
    numbers = cards(200)
    await send(deployment, transactions(numbers, seed=2))
    worker.start()
    assert await asyncio.to_thread(worker.wait) == EXIT_FAIL_STOP

    outputs = [topics.decisions, topics.alerts, topics.entity_activity, deployment.changelog]
    published = [record for topic in outputs for record in await deployment.read(topic)]
    assert "`terminal_id` holds card numbers" in worker.text()
    assert not any(number in worker.text() for number in numbers)
    found = [number for number in numbers if any(number.encode() in (r.value or b"") for r in published)]
    assert len(found) < MOST_PUBLISHED, found


async def test_an_empty_setting_rejects_each_record(deployment: Deployment) -> None:
    numbers = cards(10)
    deployment.worker(FRAUDSTREAM_ACCEPTANCE_NUMERIC_IDS="").start()
    await send(deployment, transactions(numbers, seed=3))
    await deployment.drained()
    topics = deployment.settings.topics

    assert [] == await deployment.read(topics.decisions)
    dead = await deployment.read(topics.dead_letters)
    assert [b"card_number"] * 10 == [dict(record.headers)["fraud.error.code"] for record in dead]
