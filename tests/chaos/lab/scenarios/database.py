"""Kafka Connect loses the database that it streams."""

import asyncio
import time

from tests.chaos.lab.database import as_sent, insert
from tests.chaos.lab.equipment import LabPart
from tests.chaos.lab.faults.fault import during_cut
from tests.chaos.lab.lab_run import WORKERS, LabRun
from tests.chaos.lab.lab_scenario import lab_scenario
from tests.chaos.traffic import transactions
from tests.support.bank import Bank

RATE, CUSTOMERS = 100.0, 300
SECONDS, CUT_SECONDS, QUIET_SECONDS = 60.0, 15.0, 5.0
DECIDED_SECONDS, POLL_SECONDS = 120.0, 2.0


@lab_scenario(
    "survives: Kafka Connect is cut off from Postgres, then all its connections are reset; every row is decided"
)
async def database_out_of_reach(run: LabRun) -> None:
    run.equipment.provide(frozenset({LabPart.DATABASE}))
    run.as_sent = as_sent
    await run.start_workers(WORKERS)
    servers = run.equipment.database
    bank = Bank(servers.urls)
    count = int(RATE * SECONDS * run.scale)
    inserting = asyncio.create_task(insert(bank, transactions(count, run.seed, CUSTOMERS), RATE))
    try:
        await asyncio.to_thread(bank.register, run.deployment, "transactions.json")
        await run.deployment.decided(200)
        for reset in (False, True):
            async with during_cut(run, [servers.database], [servers.connect], reset=reset):
                await asyncio.sleep(CUT_SECONDS)
            await asyncio.sleep(run.random.uniform(0, QUIET_SECONDS))
        await inserting
    finally:
        inserting.cancel()
        await asyncio.gather(inserting, return_exceptions=True)
    run.note(f"{count} rows inserted")
    await _decided(run, count)
    await run.recovered()
    bank.close()


async def _decided(run: LabRun, count: int) -> None:
    """Return when each row has a decision; Kafka knows nothing of those that are only in the database."""
    deadline = time.monotonic() + DECIDED_SECONDS
    while (found := len(await run.deployment.decisions())) < count and time.monotonic() < deadline:  # noqa: ASYNC110  # there is no event for it
        await asyncio.sleep(POLL_SECONDS)
    run.expect(found == count, f"{count} rows are decided within {DECIDED_SECONDS:.0f} s: {found}")
