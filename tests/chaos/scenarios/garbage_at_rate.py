"""One percent of garbage among the traffic of a bank: a worker decides exactly the valid records, at full rate."""

import asyncio
import time
from collections.abc import Iterator
from random import Random
from types import SimpleNamespace
from typing import Any

from app.adapters.kafka.record_batches.contained_fetch import install
from app.traffic.sending import RecordSender, open_sender
from tests.chaos.background import background
from tests.chaos.run import Run
from tests.chaos.scenario import scenario
from tests.chaos.scenarios.events import mixed, spoiled
from tests.chaos.traffic import BAD, Sent, transactions
from tests.support.wire.record_batches import Stored, batch, record, varint
from tests.support.wire.send import send_batch

RATE = 5_000
SECONDS = 300
SHARE = 0.01
CUSTOMERS = 30_000
TICK_SECONDS = 0.02
SAMPLE_SECONDS = 5.0
NOT_UTF8 = ("\udcff\udcfe", b"\xff")
"""A header whose name has the bytes ff fe: aiokafka's own parser refuses the batch."""
ODD_NAMES = 0.02
"""Share of the records, valid or not, with such a header."""


@scenario(
    "survives: one percent of garbage of every kind, header names that are not UTF-8 and damaged records included, among 5,000 "
    "records a second for five minutes; every valid record is decided, and every other one is a dead letter byte for byte"
)
async def garbage_at_rate(run: Run) -> None:
    install()  # the verdict reads the topics in this process, and aiokafka alone cannot
    await run.start_workers(1)
    damaged: set[bytes] = set()
    run.as_sent = lambda stored: _as_sent(stored, damaged)
    count = int(RATE * run.seconds(SECONDS) * (1 - SHARE))
    records = mixed(transactions(count, run.seed, CUSTOMERS), spoiled(run), run.random, SHARE)
    topics, kafka = run.deployment.settings.topics, run.deployment.settings.kafka
    run.note("one record in a hundred is garbage", fault=True)
    begun, lags = time.monotonic(), list[int]()
    async with background(_sample(run, lags)), background(_damage(run, damaged)):
        async with open_sender(topics.transactions, kafka) as sender:
            await sender.run(lambda: _feed(sender, records, Random(run.seed)))
        rate = sender.acknowledged / (time.monotonic() - begun)
    run.note(
        f"{sender.acknowledged} records sent, {rate:.0f} a second; highest lag {max(lags, default=0)} records"
    )
    run.note(f"{len(damaged)} damaged records in batches with a sound checksum")
    await run.recovered()
    run.expect(run.restarts == 0, "no worker ended")


async def _feed(sender: RecordSender, records: Iterator[Sent], random: Random) -> None:
    begun = time.monotonic()
    for number, sent in enumerate(records):
        early = number / RATE - (time.monotonic() - begun)
        if early > 0:
            await asyncio.sleep(max(early, TICK_SECONDS))
        headers = [BAD] if sent.bad else []
        if random.random() < ODD_NAMES:
            headers.append(NOT_UTF8)
        sender.put(sent.key, sent.value, time.time_ns() // 1_000_000, headers)
        if not number % 100:
            await sender.wait_for_capacity()


async def _damage(run: Run, damaged: set[bytes]) -> None:
    """Send batches of records whose lengths are sound and whose contents cannot be parsed; note their stored bytes."""
    topics = run.deployment.settings.topics
    for number in range(10**9):
        contents = [_content(kind, number) for kind in range(3)]
        damaged.update(contents)
        body = b"".join(varint(len(content)) + content for content in contents)
        raw = batch([Stored()] * len(contents), body=body, first_timestamp=time.time_ns() // 1_000_000)
        await send_batch(run.cluster.servers, topics.transactions, number % topics.partitions, raw)
        await asyncio.sleep(SAMPLE_SECONDS)


def _content(kind: int, number: int) -> bytes:
    """A record that ends too early, has bytes behind its last header, or states more headers than it has bytes."""
    sound = record(Stored(b"damaged", b"%d" % number), kind)
    content = sound[len(varint(len(sound))) :]
    return (content[:-2], content + b"\0", content[:-1] + varint(10_000))[kind]


def _as_sent(stored: Any, damaged: set[bytes]) -> Any:
    """The record as the verdict expects it: a damaged one has no header that names it as invalid."""
    if stored.value not in damaged:
        return stored
    return SimpleNamespace(key=None, value=bytes(stored.value), headers=[BAD])


async def _sample(run: Run, lags: list[int]) -> None:
    """Note the records that are sent and not committed, at intervals."""
    while True:
        ends, committed = await run.ends(), await run.committed()
        lags.append(sum(ends[partition] - committed[partition] for partition in ends))
        await asyncio.sleep(SAMPLE_SECONDS)
