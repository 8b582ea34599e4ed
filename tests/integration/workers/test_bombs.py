"""Batches that are small on the broker and large in a worker: they become dead letters, and the worker's memory stays flat."""

import sys
from collections import Counter

import pytest

from tests.integration.workers.test_unreadable_records import (
    decided,
    now_batch,
    resident_bytes,
    split,
)
from tests.support.deployment import Deployment
from tests.support.probing import probed
from tests.support.traffic import traffic
from tests.support.wire.record_batches import ZSTD, Stored, record
from tests.support.wire.send import send_batch

pytestmark = pytest.mark.integration

MIB = 1024 * 1024
BOMBS = 40
"""Each unpacks to 30 MiB: together 1.2 GB."""
MOST_GROWTH = 400 * MIB


async def test_a_stream_of_bombs_ends_in_dead_letters_within_flat_memory(deployment: Deployment) -> None:
    topics = deployment.settings.topics
    worker = probed(deployment)
    worker.worker.start()
    worker.worker.wait_started()
    here, there = split(deployment, traffic(60, seed=41), 0)
    await deployment.produce([here[0], there[0]])
    await decided(deployment, [here[0], there[0]])
    before = resident_bytes(worker.worker.pid)

    records = [Stored(b"c1", b" " * (MIB - 200))] * 30
    body = b"".join(map(record, records, range(30)))
    for _ in range(BOMBS):
        await send_batch(
            deployment.servers, topics.transactions, 0, now_batch(records, body=body, codec=ZSTD)
        )
    flood = Stored(b"c1", b"{}", [(b"", None)] * 500_000)
    long = Stored(b"c1", bytes(20 * MIB))
    await send_batch(deployment.servers, topics.transactions, 0, now_batch([flood, long], codec=ZSTD))
    await deployment.produce([*here[1:], *there[1:]])
    await decided(deployment, [*here, *there])

    await deployment.drained()
    peak = resident_bytes(worker.worker.pid)
    sys.stdout.write(f"{BOMBS} bombs: {before / MIB:.0f} MiB before, {peak / MIB:.0f} MiB at most\n")
    assert peak - before < MOST_GROWTH
    letters = await deployment.read(topics.dead_letters)
    codes = Counter(dict(letter.headers)["fraud.error.code"] for letter in letters)
    assert codes == {b"not_json": BOMBS * 30, b"unreadable": 2}
    messages = [dict(letter.headers)["__streams.errors.message"] for letter in letters]
    assert any(b"FRAUDSTREAM_KAFKA_RECORD_HEADERS=100" in message for message in messages)
    assert any(b"FRAUDSTREAM_KAFKA_RECORD_BYTES=1,048,576" in message for message in messages)
    assert worker.worker.terminate() == 0
