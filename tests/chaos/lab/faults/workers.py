"""Workers that are paused, killed or cut off at bad moments."""

import asyncio
from collections.abc import AsyncIterator

from tests.chaos.lab.faults.fault import during_cut, fault
from tests.chaos.lab.lab_run import LabRun


@fault("survives: a worker is paused for longer than its session", 10)
async def worker_paused(run: LabRun) -> AsyncIterator[None]:
    with run.paused(run.any_worker()):
        yield


@fault("survives: a worker is paused while the group rebalances for another", 10)
async def paused_in_a_rebalance(run: LabRun) -> AsyncIterator[None]:
    victim = run.any_worker()
    await run.rebalancing()
    with run.paused(victim):
        yield


@fault("survives: a worker is cut off while the group rebalances for another", 10)
async def cut_off_in_a_rebalance(run: LabRun) -> AsyncIterator[None]:
    victim = run.any_worker()
    await run.rebalancing()
    async with during_cut(run, [run.host(victim)], run.brokers):
        yield


@fault("survives: a worker is killed while it is cut off, and restarted after the cut", 10)
async def killed_in_a_cut(run: LabRun) -> AsyncIterator[None]:
    victim = run.any_worker()
    async with during_cut(run, [run.host(victim)], run.brokers):
        await asyncio.sleep(run.random.uniform(0.1, 2))
        run.kill(victim)
        yield
    run.restart_at_once(victim)


@fault(
    "survives: a worker is killed and restarted while it is cut off: it ends and is restarted until the cut is over",
    15,
)
async def restarted_in_a_cut(run: LabRun) -> AsyncIterator[None]:
    victim = run.any_worker()
    async with during_cut(run, [run.host(victim)], run.brokers):
        run.kill(victim)
        run.restart_at_once(victim)
        yield


@fault("survives: a worker is killed and loses its disk", 8)
async def killed_without_disk(run: LabRun) -> AsyncIterator[None]:
    victim = run.any_worker()
    run.kill(victim)
    yield
    run.restart_at_once(victim, wipe=True)
