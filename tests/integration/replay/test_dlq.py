"""`fraudstream dlq` on a real broker: dead letters are listed and sent again byte for byte."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from app.adapters.kafka.partitioner import partition_of
from app.settings import values
from tests.support.deployment import Deployment
from tests.support.paths import REPOSITORY

pytestmark = pytest.mark.integration

COMMAND = str(Path(sys.executable).with_name("fraudstream"))
SECONDS = 60
STAMP_MS = int(time.time() - 3600) * 1000
"""Recent, so that retention deletes none of the records during the test."""
GOOD = b'{"transaction_id":"t1","customer_id":"c7","terminal_id":"m1","event_time":1760000000000,"amount_minor":5,"currency":"EUR"}'
BAD: list[tuple[str, bytes | None, bytes | None]] = [
    ("not_json", b"c1", b"<secret \xff\x1b[2J>"),
    ("not_json", b"c2", None),
    ("not_json", None, b""),
    ("out_of_range", b"c3", GOOD.replace(b'"c7"', b'"c3"').replace(b'"m1"', b'"' + b"m" * 900_000 + b'"')),
    ("key_mismatch", b"somebody", GOOD),
]
OWN_HEADERS = [("a", b"\xff"), ("fraud.error.code", b"the sender's own")]


def call(
    deployment: Deployment, *arguments: str, stdin: int = subprocess.DEVNULL
) -> subprocess.CompletedProcess[bytes]:
    settings = {name: str(value) for name, value in values(deployment.settings).items()}
    return subprocess.run(  # noqa: S603  # ours
        [COMMAND, "dlq", *arguments],
        check=False,
        cwd=REPOSITORY,
        env=os.environ | settings,
        stdin=stdin,
        capture_output=True,
        timeout=SECONDS,
    )


def listed(deployment: Deployment, *arguments: str) -> list[dict[str, Any]]:
    done = call(deployment, "ls", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
async def dead(deployment: Deployment) -> Deployment:
    """A deployment with a dead letter of every kind, after its worker has stopped."""
    worker = deployment.worker()
    worker.start()
    async with AIOKafkaProducer(bootstrap_servers=deployment.servers, max_request_size=2**21) as producer:
        for number, (_, key, value) in enumerate(BAD):
            await producer.send_and_wait(
                deployment.settings.topics.transactions,
                key=key,
                value=value,
                timestamp_ms=STAMP_MS + number * 1_000,
                headers=OWN_HEADERS,
            )
    await deployment.drained()
    assert worker.terminate() == 0
    return deployment


async def test_dead_letters_are_listed_counted_and_shown_without_their_values(
    dead: Deployment,
) -> None:
    dead_letters = listed(dead)
    assert sorted(code for code, *_ in BAD) == sorted(dead_letter["code"] for dead_letter in dead_letters)
    assert [STAMP_MS + 3_000] == [
        dead_letter["timestamp_ms"] for dead_letter in listed(dead, "--code", "out_of_range")
    ]
    fourth = datetime.fromtimestamp(STAMP_MS // 1000 + 3, tz=UTC).isoformat()
    assert 2 == len(listed(dead, "--since", fourth))
    assert 1 == len(listed(dead, "--limit", "1"))
    done = call(dead, "ls")
    assert len(BAD) == len(done.stdout.splitlines())
    assert b"secret" not in done.stdout + done.stderr
    summary = json.loads(call(dead, "ls", "--summary", "--json").stdout)
    assert {"not_json": 3, "out_of_range": 1, "key_mismatch": 1} == summary

    (first,) = [dead_letter for dead_letter in dead_letters if dead_letter["timestamp_ms"] == STAMP_MS]
    position = f"{first['partition']}:{first['offset']}"
    shown, raw = call(dead, "show", position), call(dead, "show", position, "--raw")
    assert BAD[0][2] == raw.stdout
    assert b"personal data" in shown.stderr
    assert f"value: hex:{(BAD[0][2] or b'').hex()}".encode() in shown.stdout
    assert 2 == call(dead, "show", "0:999999").returncode
    assert 2 == call(dead, "show", "nonsense").returncode


async def test_a_replay_sends_the_records_again_byte_for_byte(dead: Deployment) -> None:
    topics = dead.settings.topics
    before = await dead.read(topics.transactions)
    dead_letters = {dead_letter["timestamp_ms"]: dead_letter for dead_letter in listed(dead)}

    assert 2 == call(dead, "replay").returncode
    dry = call(dead, "replay", "--all", "--dry-run")
    assert (1, f"4 would be sent to {topics.transactions}, 1 refused") == (
        dry.returncode,
        dry.stdout.decode().strip(),
    )
    assert len(before) == len(await dead.read(topics.transactions))
    done = call(dead, "replay", "--all", "--with-key-from", "customer_id")
    assert (0, f"5 sent to {topics.transactions}, 0 refused") == (
        done.returncode,
        done.stdout.decode().strip(),
    )

    positions = {(record.partition, record.offset) for record in before}
    again = {
        record.timestamp: record
        for record in await dead.read(topics.transactions)
        if (record.partition, record.offset) not in positions
    }
    assert len(BAD) == len(again)
    for number, (code, own_key, value) in enumerate(BAD):
        key = b"c7" if code == "key_mismatch" else own_key
        record = again[STAMP_MS + number * 1_000]
        dead_letter = dead_letters[record.timestamp]
        origin = f"{topics.transactions}:{dead_letter['source_partition']}:{dead_letter['source_offset']}"
        assert (key, value) == (record.key, record.value)
        assert [*OWN_HEADERS, ("fraud.dlq.replayed", origin.encode())] == list(record.headers)
        if key is not None:
            assert partition_of(key, dead.partitions) == record.partition


async def test_on_a_console_a_replay_asks_for_confirmation(dead: Deployment) -> None:
    before = await dead.lag()
    for answer, sent in ((b"n\n", 0), (b"y\n", 4)):
        ours, its = os.openpty()
        os.write(ours, answer)
        done = call(dead, "replay", "--all", stdin=its)
        os.close(ours)
        os.close(its)
        assert b"Send 4 records to" in done.stdout
        assert 1 == done.returncode, "aborted, or one was refused"
        assert before + sent == await dead.lag()


async def test_a_corrected_record_that_is_replayed_twice_is_scored_once(dead: Deployment) -> None:
    (dead_letter,) = listed(dead, "--code", "key_mismatch")
    position = f"{dead_letter['partition']}:{dead_letter['offset']}"
    assert 1 == call(dead, "replay", position).returncode
    for _ in range(2):
        assert 0 == call(dead, "replay", position, "--with-key-from", "customer_id").returncode

    worker = dead.worker()
    worker.start()
    await dead.drained()
    assert worker.terminate() == 0
    assert {"t1": 1} == {name: len(found) for name, found in (await dead.decisions()).items()}
