"""What scenarios with any fault share: workers with the parts that it needs, traffic, and an end on a true clock."""

import json
import struct
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from tests.chaos.lab.equipment import LabPart
from tests.chaos.lab.lab_run import WORKERS, LabRun
from tests.chaos.traffic import Sent, transactions

RATE = 150.0
CUSTOMERS = 300
ONE_IN = 100
UNKNOWN_SCHEMA = 10_000


@asynccontextmanager
async def under_traffic(run: LabRun, needs: frozenset[LabPart], seconds: float) -> AsyncIterator[None]:
    """Send transactions to new workers for so many seconds, of which the block begins after the first decisions."""
    run.equipment.provide(needs)
    await run.start_workers(WORKERS)
    records = transactions(int(RATE * seconds), run.seed, CUSTOMERS)
    if LabPart.CLOCKS in needs:
        records = live(records)
    if LabPart.REGISTRY in needs:
        records = with_unknown_schemas(records)
    async with run.sending(records, RATE):
        await run.deployment.decided(200)
        yield
    foreign = sum(worker.lines_with("ForeignWrite") for worker in run.workers)
    run.expect(
        not foreign, "no log says ForeignWrite: a worker does not take its own retries for another writer"
    )
    if LabPart.CLOCKS in needs:
        await run.drained()
        await run.move()


def live(records: Iterator[Sent]) -> Iterator[Sent]:
    """Transactions that happen when they are sent: of others, the clock of a worker says nothing."""
    for record in records:
        fields = json.loads(record.value or b"") | {"event_time": time.time_ns() // 1_000_000}
        yield record._replace(value=json.dumps(fields).encode())


def with_unknown_schemas(records: Iterator[Sent]) -> Iterator[Sent]:
    """Add records of a bank's other systems, each with the id of a schema that the registry does not have."""
    for number, record in enumerate(records):
        yield record
        if number % ONE_IN == 0:
            yield record._replace(value=struct.pack(">bI", 0, UNKNOWN_SCHEMA + number) + b"payload", bad=True)
