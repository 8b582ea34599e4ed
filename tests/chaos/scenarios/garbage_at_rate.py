"""One percent of garbage among the traffic of a bank: a worker decides exactly the valid records, at full rate.

Records with damaged lengths are not among it: a broker parses each record of a batch and refuses such a batch as a whole
(error -1). They come only from damaged disks, which tests/integration/workers/test_unreadable_records.py tests.
"""

import asyncio
import time
from collections.abc import Iterator
from random import Random

from app.adapters.kafka.record_batches.contained_fetch import install
from app.traffic.sending import RecordSender, open_sender
from tests.chaos.background import background
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
ODD_NAMES = 0.02
"""Share of the records, valid or not, with such a header."""


@scenario(
    "survives: one percent of garbage of every kind, header names that are not UTF-8 included, among 5,000 records a "
    "second for five minutes; every valid record is decided, and every other one is a dead letter byte for byte"
)
async def garbage_at_rate(run: Run) -> None:
    install()  # the verdict reads the topics in this process, and aiokafka alone cannot
    await run.start_workers(1)
    count = int(RATE * run.seconds(SECONDS) * (1 - SHARE))
    records = mixed(transactions(count, run.seed, CUSTOMERS), spoiled(run), run.random, SHARE)
    topics, kafka = run.deployment.settings.topics, run.deployment.settings.kafka
    run.note("one record in a hundred is garbage", fault=True)
    begun, lags = time.monotonic(), list[int]()
    async with background(_sample(run, lags)):
        async with open_sender(topics.transactions, kafka) as sender:
            await sender.run(lambda: _feed(sender, records, Random(run.seed)))
        rate = sender.acknowledged / (time.monotonic() - begun)
    run.note(
        f"{sender.acknowledged} records sent, {rate:.0f} a second; highest lag {max(lags, default=0)} records"
    )
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


async def _sample(run: Run, lags: list[int]) -> None:
    """Note the records that are sent and not committed, at intervals."""
    while True:
        ends, committed = await run.ends(), await run.committed()
        lags.append(sum(ends[partition] - committed[partition] for partition in ends))
        await asyncio.sleep(SAMPLE_SECONDS)
