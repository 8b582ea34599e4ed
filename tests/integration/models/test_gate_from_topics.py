"""The gate before a promotion, on the log itself: transactions and labels from their topics, beside other consumers."""

import json
import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest

from app.adapters.serde.json_codec import encode_event
from app.domain.transaction import Transaction
from app.settings import RedisSettings
from app.traffic.produce import produce_raw
from tests.support.bundle import write_bundle
from tests.support.commands import call
from tests.support.deployment import Deployment
from tests.support.entities import Entities, label
from tests.support.traffic import DAY_MS, START_MS

pytestmark = pytest.mark.integration

DAYS, A_DAY, SEED, UNRIPE_DAYS = 32, 80, 11, 7
FIRST_MS = START_MS - START_MS % DAY_MS
TERMS = ("--weeks", "2", "--budget", "5", "--margin", "1", "--resamples", "20", "--json")


def log() -> list[Transaction]:
    """In order of time."""
    random = Random(SEED)
    return [
        Transaction(
            transaction_id=f"t{number}",
            customer_id=f"c{random.randrange(60)}",
            terminal_id=f"m{random.randrange(9)}",
            event_time=FIRST_MS + number * DAY_MS // A_DAY,
            amount_minor=random.randrange(100, 100_000),
            currency="EUR",
        )
        for number in range(DAYS * A_DAY)
    ]


def gate(deployment: Deployment, *history: str) -> dict[str, Any]:
    done = call(deployment, "model", "gate", "large-amounts/2", *history, *TERMS)
    assert done.stdout, done.stderr.decode()
    verdict: dict[str, Any] = json.loads(done.stdout)
    assert (0, True) == (done.returncode, verdict["passed"]), verdict
    return verdict


async def test_the_gate_gives_the_same_verdict_for_topics_and_for_a_file(
    deployment: Deployment, tmp_path: Path
) -> None:
    """Of the file all is known; of the topics all but the newest week, which is therefore not in the file. The last
    label counts, and what a worker would refuse is not there.
    """
    deployment.models = shutil.copytree(deployment.models, tmp_path / "models")
    write_bundle(deployment.models, "2", trees=20)
    random, transactions = Random(SEED), log()
    frauds = {
        one.transaction_id for one in transactions if one.amount_minor > 97_000 or random.random() < 0.01
    }
    cleared = {name for name in sorted(frauds) if random.random() < 0.2}
    known = [one for one in transactions if one.transaction_id in frauds]
    labels = [label(one, one.event_time + DAY_MS) for one in known]
    labels += [
        label(one, one.event_time + 2 * DAY_MS, is_fraud=False)
        for one in known
        if one.transaction_id in cleared
    ]
    await deployment.produce(transactions)
    await Entities(deployment, RedisSettings()).send(labels)
    absurd = b'{"transaction_id": "t0", "event_time": 3}'
    elsewhere = (b"c-other", encode_event(transactions[0]))
    topics = deployment.settings.topics
    await produce_raw([(b"c0", absurd), elsewhere], topic=topics.transactions, kafka=deployment.servers)
    await produce_raw([(b"m0", b"{}")], topic=topics.labels, kafka=deployment.servers)
    history = tmp_path / "history.jsonl"
    ripe = [one for one in transactions if one.event_time < FIRST_MS + (DAYS - UNRIPE_DAYS) * DAY_MS]
    history.write_text(
        "\n".join(
            json.dumps(json.loads(encode_event(one)) | {"is_fraud": one.transaction_id in frauds - cleared})
            for one in ripe
        )
    )

    of_file, of_topics = gate(deployment, str(history)), gate(deployment)

    assert of_file == of_topics
    assert 0 < of_file["frauds"] < len(frauds)
    assert of_file["transactions"] > 8 * A_DAY
    assert 14 == of_file["days"]
