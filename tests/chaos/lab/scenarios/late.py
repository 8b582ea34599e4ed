"""Former owners whose last writes arrive late, behind their successor's."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack

from tests.chaos.lab.equipment import LabPart
from tests.chaos.lab.lab_run import WORKERS, LabRun
from tests.chaos.lab.lab_scenario import lab_scenario
from tests.chaos.lab.relay import FAR
from tests.chaos.traffic import START_MS, Sent, transaction
from tests.support.workers import Worker

ARRIVAL_SECONDS = 30.0
"""A kernel doubles the time between two attempts: after a cut of that duration the next attempt is at most so far away."""
OTHERS = 60


@lab_scenario(
    "survives: a worker is cut off and killed, its kernel still sends its last writes after its successor's; then compaction, "
    "then a new host"
)
async def late_changelog_write(run: LabRun) -> None:
    run.equipment.provide(frozenset({LabPart.RELAYS}))
    first, *_ = await run.start_workers(WORKERS)
    run.degrade(FAR)
    async with run.traffic(count=int(6_000 * run.scale), rate=300, customers=300):
        await run.deployment.decided(500)
        await _cut_off(run, first)
        run.kill(first)
        await run.recovered()
    await _heal(run)
    await _move(run)


@lab_scenario(
    "survives: a worker is cut off and paused, its last writes arrive after its successor's, it resumes and ends itself; then "
    "compaction, then a new host"
)
async def late_write_of_a_paused_worker(run: LabRun) -> None:
    run.equipment.provide(frozenset({LabPart.RELAYS}))
    first, *_ = await run.start_workers(WORKERS)
    run.degrade(FAR)
    with ExitStack() as until_healed:
        async with run.traffic(count=int(6_000 * run.scale), rate=300, customers=300):
            await run.deployment.decided(500)
            await _cut_off(run, first)
            until_healed.enter_context(run.paused(first))
            await run.recovered()
        await _heal(run)
    await _move(run)


async def _cut_off(run: LabRun, worker: Worker) -> None:
    """Cut a worker off from all brokers at any moment, first in one direction.

    It still hears that its last requests have arrived and sends the next ones, which wait in its kernel.
    """
    await asyncio.sleep(run.random.uniform(0, 2))
    run.cut([run.host(worker)], run.brokers, "to")
    await asyncio.sleep(run.random.uniform(0.2, 1))
    run.cut([run.host(worker)], run.brokers, "from")
    await asyncio.sleep(run.random.uniform(0, 2))


async def _heal(run: LabRun) -> None:
    """Let the late writes arrive while their customers are silent."""
    await run.drained()
    run.network.heal()
    run.note("healed")
    await asyncio.sleep(ARRIVAL_SECONDS)
    await run.count_late_writes()


async def _move(run: LabRun) -> None:
    """Go on with other customers; then compact, and restore on a host without a disk."""
    async with run.sending(others(), rate=100):
        pass
    await run.drained()
    await run.stop_all()
    await run.compact()
    await run.start_workers(1)


def others() -> Iterator[Sent]:
    """Transactions of customers of their own: several for each partition."""
    for number in range(1, 10):
        for customer in range(OTHERS):
            yield transaction(f"other{customer}", number, START_MS + number)
