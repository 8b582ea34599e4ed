"""No value of an event reaches logs, metrics, file names or headers: planted words are searched for."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from tests.support.deployment import Deployment
from tests.support.traffic import traffic

pytestmark = pytest.mark.integration

CARD = "4111111111111111"
WORD = "planted-word"
PLANTED = (WORD, CARD, CARD[:8], "73856093")
"""What customers, terminals, transactions and amounts are made of below."""
SENT = 40


def good(number: int) -> dict[str, Any]:
    transaction: dict[str, Any] = msgspec.to_builtins(next(traffic(1, seed=number)))
    return transaction | {
        "customer_id": f"{WORD}-customer-{number % 4}",
        "terminal_id": f"{WORD}-terminal",
        "transaction_id": f"{WORD}-transaction-{number}",
        "amount_minor": 73_856_093,
    }


def by_chance(number: int) -> dict[str, Any]:
    """A transaction whose terminal is the same number each time, which is a card's by chance: it is decided."""
    return good(number) | {"transaction_id": f"{WORD}-again-{number}", "terminal_id": CARD}


def bad(number: int) -> list[bytes]:
    """One record for each way in which an error could quote its content."""
    event = good(number)
    return [
        f"<{WORD}>".encode(),
        json.dumps(event | {"card_token": CARD}).encode(),
        json.dumps(event | {"channel": f"paid by {CARD}"}).encode(),
        json.dumps(event | {"amount_minor": WORD}).encode(),
        json.dumps(event | {"currency": WORD}).encode(),
        json.dumps(event | {"customer_id": f"{WORD}-another"}).encode(),
        json.dumps(event | {WORD: 1, "event_time": 1}).encode(),
    ]


async def test_no_value_of_an_event_reaches_logs_metrics_files_names_or_headers(
    deployment: Deployment, unused_tcp_port: int
) -> None:
    port = str(unused_tcp_port)
    worker = deployment.worker(FRAUDSTREAM_WORKER_METRICS_PORT=port, FRAUDSTREAM_WORKER_LOG_LEVEL="debug")
    worker.start()
    await send(deployment)
    await deployment.drained()
    endpoints = [_read(port, name) for name in ("metrics", "livez", "readyz", "startupz")]
    assert 0 == worker.terminate()

    topics = deployment.settings.topics
    dead_letters = await deployment.read(topics.dead_letters)
    assert len(dead_letters) == 7 * SENT
    assert len(await deployment.read(topics.decisions)) == 2 * SENT
    searched = {
        "log": worker.text(),
        "endpoints": "".join(endpoints),
        "headers": "".join(repr(dead_letter.headers) for dead_letter in dead_letters),
        "files beside the profiles": _beside_the_profiles(Path(worker.data_dir)),
    }
    assert all(searched.values())
    assert [] == [(where, word) for where, text in searched.items() for word in PLANTED if word in text]


async def send(deployment: Deployment) -> None:
    topic = deployment.settings.topics.transactions
    async with AIOKafkaProducer(bootstrap_servers=deployment.servers) as producer:
        for number in range(SENT):
            event = good(number)
            for value in [json.dumps(event).encode(), json.dumps(by_chance(number)).encode(), *bad(number)]:
                await producer.send(topic, value, event["customer_id"].encode())
        await producer.flush()


def _read(port: str, name: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{name}") as answer:
        text: str = answer.read().decode()
    return text


def _beside_the_profiles(directory: Path) -> str:
    """Names of all files, and what is in them but for the profiles and their keys: RocksDB's tables, its log of writes,
    and its manifest, which has the first and last key of each table.
    """
    files = [file for file in directory.rglob("*") if file.is_file()]
    beside = [f for f in files if f.suffix not in {".sst", ".log"} and not f.name.startswith("MANIFEST")]
    return "".join(map(str, files)) + "".join(file.read_bytes().decode("latin-1") for file in beside)
