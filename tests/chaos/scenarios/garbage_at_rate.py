"""One percent of garbage among the traffic of a bank: a worker decides exactly the valid records, at full rate."""

import asyncio
import time
from collections.abc import Iterator
from random import Random

from app.traffic.sending import RecordSender, open_sender
from tests.chaos.run import Run
from tests.chaos.scenario import scenario
from tests.chaos.scenarios.events import mixed, spoiled
from tests.chaos.traffic import BAD, Sent, transactions

RATE = 5_000
SECONDS = 300
SHARE = 0.01
CUSTOMERS = 30_000
TICK_SECONDS = 0.02
SAMPLE_SECONDS = 5.0
NOT_UTF8 = ("\udcff\udcfe", b"\xff")
"""A header whose name has the bytes ff fe: aiokafka's own parser refuses the batch."""


@scenario(
    "survives: one percent of garbage of every kind, header names that are not UTF-8 included, among 5,000 records a second "
    "for five minutes; every valid record is decided, and every other one is a dead letter byte for byte"
)
async def garbage_at_rate(run: Run) -> None:
    await run.start_workers(1)
    count = int(RATE * run.seconds(SECONDS) * (1 - SHARE))
    records = mixed(transactions(count, run.seed, CUSTOMERS), spoiled(run), run.random, SHARE)
    topic, kafka = run.deployment.settings.topics.transactions, run.deployment.settings.kafka
    run.note("one record in a hundred is garbage", fault=True)
    lags: list[int] = []
    sampling = asyncio.create_task(_sample(run, lags))
    begun = time.monotonic()
    async with open_sender(topic, kafka) as sender:
        await sender.run(lambda: _feed(sender, records, run.random))
    rate = sender.acknowledged / (time.monotonic() - begun)
    sampling.cancel()
    run.note(
        f"{sender.acknowledged} records sent, {rate:.0f} a second; highest lag {max(lags, default=0)} records"
    )
    await run.recovered()
    run.expect(run.restarts == 0, "no worker ended")


async def _feed(sender: RecordSender, records: Iterator[Sent], random: Random) -> None:
    """Send at RATE; one record in fifty, valid or not, has a header name that is not UTF-8."""
    begun = time.monotonic()
    for sent, record in enumerate(records):
        early = sent / RATE - (time.monotonic() - begun)
        if early > 0:
            await asyncio.sleep(max(early, TICK_SECONDS))
        headers = [BAD] if record.bad else []
        if random.random() < 1 / 50:
            headers.append(NOT_UTF8)
        sender.put(record.key, record.value, time.time_ns() // 1_000_000, headers)
        if not sent % 100:
            await sender.wait_for_capacity()


async def _sample(run: Run, lags: list[int]) -> None:
    """Note the records that are sent and not committed, at intervals."""
    while True:
        ends, committed = await run.ends(), await run.committed()
        lags.append(sum(ends[partition] - committed[partition] for partition in ends))
        await asyncio.sleep(SAMPLE_SECONDS)
