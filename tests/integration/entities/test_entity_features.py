"""What is known of terminals and customers, in the decisions: as it was known then, and never waited for."""

import asyncio
import json
import time
from collections.abc import Iterator
from itertools import count
from math import isnan
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet
import pytest

from app.adapters.serde.json_codec import encode_event
from app.domain.label import Label
from app.domain.transaction import Transaction
from app.features.catalog import NAMES
from app.settings import RedisSettings
from tests.support import entity_oracle
from tests.support.commands import call
from tests.support.deployment import DRAIN_SECONDS, POLL_SECONDS, Deployment
from tests.support.entities import Entities, label
from tests.support.servers.redis_servers import RedisServer
from tests.support.traffic import DAY_MS, START_MS

pytestmark = pytest.mark.integration

TERMINALS = [
    f"terminal_{function}_{window}" for function in ("count", "risk") for window in ("1d", "7d", "30d")
]
CUSTOMER = "customer_frauds_30d"
ABSENT = "entities_absent"
DAYS, A_DAY, SEED = 24, 60, 5


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    started = RedisServer(tmp_path / "redis")
    yield started
    started.stop()


@pytest.fixture
def entities(deployment: Deployment, server: RedisServer) -> Entities:
    return Entities(deployment, RedisSettings(url=server.url))


def day(number: int) -> list[Transaction]:
    """In order of time."""
    random = Random(SEED + number)
    times = sorted(random.randrange(DAY_MS) for _ in range(A_DAY))
    return [
        Transaction(
            transaction_id=f"d{number}-{at}",
            customer_id=f"c{random.randrange(12)}",
            terminal_id=f"m{random.randrange(6)}",
            event_time=START_MS - START_MS % DAY_MS + number * DAY_MS + time_ms,
            amount_minor=random.randrange(100, 100_000),
            currency="EUR",
        )
        for at, time_ms in enumerate(times)
    ]


def features(decision: dict[str, Any]) -> dict[str, float | None]:
    return dict(zip(NAMES, decision["features"], strict=True))


async def test_every_decision_uses_the_labels_reported_before_it(
    deployment: Deployment, entities: Entities
) -> None:
    """Labels come through their topic, each before the day in which it was reported begins to be sent. Afterwards the
    same as files give the same features, every row and every column, to the bit.
    """
    worker, scorer = entities.worker(), entities.scorer()
    worker.start()
    scorer.start()
    random = Random(SEED)
    reported, labels, sent = [], [], []
    for number in range(DAYS):
        today = day(number)
        for transaction in today:
            if random.random() < 0.3:
                at = transaction.event_time + random.randrange(1, 12 * DAY_MS)
                reported.append(label(transaction, at, is_fraud=random.random() < 0.8))
        ends = START_MS - START_MS % DAY_MS + (number + 1) * DAY_MS
        due = [known for known in reported if known.reported_at <= ends]
        reported = [known for known in reported if known.reported_at > ends]
        due.sort(key=lambda known: known.reported_at)
        await entities.send(due)
        await entities.drained()
        await deployment.produce(today)
        labels += due
        sent += today
        await deployment.drained()
    await entities.drained()

    topics = deployment.settings.topics
    expected = entity_oracle.entities(
        await deployment.read(topics.transactions), await deployment.read(topics.labels)
    )
    decisions = await deployment.decisions()
    assert len(decisions) == DAYS * A_DAY
    for decision, *_ in decisions.values():
        found, transaction = features(decision), decision["transaction"]
        at_terminal, _ = expected[f"terminal:{transaction['terminal_id']}"].features(decision["event_time"])
        _, of_customer = expected[f"customer:{transaction['customer_id']}"].features(decision["event_time"])
        assert at_terminal == [found[name] for name in TERMINALS], decision
        assert of_customer == found[CUSTOMER], decision
        assert ABSENT not in decision["degraded"]
    risky = [decision for (decision, *_) in decisions.values() if features(decision)["terminal_risk_7d"]]
    assert len(risky) > DAYS
    rows = offline(deployment, sent, labels)
    assert rows == {name: decision["features"] for name, (decision, *_) in decisions.items()}
    alerts = [json.loads(record.value) for record in await deployment.read(topics.alerts)]
    assert len(alerts) > DAYS
    for alert in alerts:
        snapshot = [alert["snapshot"][name]["value"] for name in NAMES]
        assert rows[alert["transaction_id"]] == alert["features"] == snapshot


def offline(
    deployment: Deployment, transactions: list[Transaction], labels: list[Label]
) -> dict[str, list[float | None]]:
    """What `fraudstream features` computes from the same, as files: a row for each transaction, NaN as None."""
    history, known = deployment.directory / "history.jsonl", deployment.directory / "labels.jsonl"
    history.write_bytes(b"\n".join(map(encode_event, transactions)))
    known.write_bytes(b"\n".join(map(encode_event, labels)))
    out = deployment.directory / "features.parquet"
    done = call(deployment, "features", str(history), "--labels", str(known), "--out", str(out))
    assert 0 == done.returncode, done.stderr.decode()
    table = pyarrow.parquet.read_table(out).to_pydict()
    columns = [[None if isnan(value) else value for value in table[name]] for name in NAMES]
    return dict(zip(table["transaction_id"], map(list, zip(*columns, strict=True)), strict=True))


async def decided_with(
    deployment: Deployment, days: Iterator[int], degraded: list[str]
) -> list[dict[str, Any]]:
    """Send one day after the other until all decisions of a day have ``degraded``; the decisions of that day."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while True:
        today = day(next(days))
        await deployment.produce(today)
        await deployment.drained()
        decisions = await deployment.decisions()
        found = [decisions[transaction.transaction_id][0] for transaction in today]
        if all(decision["degraded"] == degraded for decision in found):
            return found
        assert time.monotonic() < deadline, f"{degraded} was not reported\n{deployment.tails()}"
        await asyncio.sleep(POLL_SECONDS)


async def test_without_redis_decisions_are_marked_degraded_until_it_returns(
    deployment: Deployment, entities: Entities, server: RedisServer
) -> None:
    scorer = entities.scorer(
        FRAUDSTREAM_REDIS_READ_DEADLINE_SECONDS="0.3", FRAUDSTREAM_REDIS_CACHE_ENTRIES="1"
    )
    worker = entities.worker()
    worker.start()
    scorer.start()
    days = count()
    await deployment.produce(day(next(days)))
    await deployment.drained()
    await entities.drained()
    await decided_with(deployment, days, [])

    server.stop()
    for decision in await decided_with(deployment, days, [ABSENT]):
        assert [None] * 7 == [features(decision)[name] for name in (*TERMINALS, CUSTOMER)]
    server.start()
    await decided_with(deployment, days, [])

    server.pause()
    await decided_with(deployment, days, [ABSENT])
    server.resume()
    await decided_with(deployment, days, [])

    server.flush()
    await entities.drained()
    await decided_with(deployment, days, [])
    assert 0 == scorer.terminate()


async def test_without_an_address_the_features_are_absent(deployment: Deployment) -> None:
    deployment.worker().start()
    (decision, *_) = await decided_with(deployment, count(), [ABSENT])

    assert None is features(decision)[CUSTOMER]
