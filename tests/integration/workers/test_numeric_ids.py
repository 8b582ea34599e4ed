"""Numeric ids that look like card numbers are scored in declared fields; card numbers there end the worker."""

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

IDS = "terminal_id,transaction_id"


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
    async with AIOKafkaProducer(bootstrap_servers=deployment.servers) as producer:
        for row in rows:
            value = json.dumps(row).encode()
            await producer.send_and_wait(
                deployment.settings.topics.transactions, value, row["customer_id"].encode()
            )


async def test_numeric_ids_are_decided_and_card_numbers_end_the_worker(deployment: Deployment) -> None:
    random = Random(13)
    honest = transactions([str(random.getrandbits(63)) for _ in range(300)], seed=1)
    assert sum(contains_card_number(row["terminal_id"]) for row in honest) > 3
    worker = deployment.worker(FRAUDSTREAM_ACCEPTANCE_NUMERIC_IDS=IDS)
    worker.start()
    await send(deployment, honest)
    await deployment.drained()
    topics = deployment.settings.topics
    assert (300, 0) == (
        len(await deployment.read(topics.decisions)),
        len(await deployment.read(topics.dead_letters)),
    )

    numbers = cards(200)
    await send(deployment, transactions(numbers, seed=2))
    assert await asyncio.to_thread(worker.wait) == EXIT_FAIL_STOP

    decided = b"".join(record.value for record in await deployment.read(topics.decisions))
    assert "`terminal_id` holds card numbers" in worker.text()
    assert not any(number in worker.text() for number in numbers)
    assert sum(number.encode() in decided for number in numbers) < len(numbers) / 2
