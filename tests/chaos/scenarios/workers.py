"""Workers that die, stop, pause, join and leave."""

import asyncio
import os
import signal
import time

from tests.chaos.run import Run
from tests.chaos.scenario import scenario
from tests.support.workers import Worker

SESSION_SECONDS = 6.0
"""Session timeout of the deployments under test, the shortest that brokers allow."""
TAKEOVER_SECONDS = 20.0
PAUSE_SECONDS = 10.0


@scenario("survives: nothing lost, nothing counted twice; the other worker takes over within 20 s")
async def kill_keeps_disk(run: Run) -> None:
    first, _ = await run.start_workers(2)
    async with run.traffic(count=int(20_000 * run.scale), rate=600):
        await asyncio.sleep(run.seconds(10))
        run.kill(first)
        run.expect(await run.recovered() <= TAKEOVER_SECONDS, f"taken over within {TAKEOVER_SECONDS:.0f} s")
        await run.restart(first)
        await run.recovered()


@scenario("survives: profiles come from the changelog")
async def kill_loses_disk(run: Run) -> None:
    first, second = await run.start_workers(2)
    async with run.traffic(count=int(20_000 * run.scale), rate=600):
        await asyncio.sleep(run.seconds(8))
        for worker in (first, second):
            run.kill(worker)
            await run.restart(worker, wipe=True)
            await run.recovered()


@scenario("survives ten kills in a row at any moment, on its disk or an empty one")
async def ten_kills(run: Run) -> None:
    workers = await run.start_workers(2)
    async with run.traffic(count=int(60_000 * run.scale), rate=800):
        await run.deployment.decided(500)
        for _ in range(max(3, int(10 * run.scale))):
            await one_kill(run, workers, longest=3.0)


@scenario("survives: one million events and twenty kills a run")
async def endurance(run: Run) -> None:
    workers = await run.start_workers(2)
    count, kills = int(1_000_000 * run.scale), max(2, round(20 * run.scale))
    async with run.traffic(count, rate=8_000, customers=max(300, count // 100)) as traffic:
        for kill in range(kills):
            await traffic.reached(int((kill + 0.5) * count / kills))
            await one_kill(run, workers, longest=2.0)


async def one_kill(run: Run, workers: list[Worker], longest: float) -> None:
    """Kill a worker within the next seconds; one time in five, delete its disk as well."""
    await asyncio.sleep(run.random.uniform(0, longest))
    worker = run.random.choice(workers)
    run.kill(worker)
    await run.restart(worker, wipe=run.random.random() < 0.2)


@scenario("survives: all workers restarted in turn, decisions never pause longer than 10 s")
async def rolling_restart(run: Run) -> None:
    workers = await run.start_workers(3)
    async with run.traffic(count=int(40_000 * run.scale), rate=600):
        await asyncio.sleep(run.seconds(5))
        for worker in workers:
            run.expect(await run.stop(worker) == 0, f"{worker.name} ends in order")
            await run.restart(worker)
            await run.recovered()
    run.bound_pause(PAUSE_SECONDS)


@scenario("survives: a worker comes or goes every few seconds")
async def rebalance_storm(run: Run) -> None:
    await run.start_workers(1)
    guest = run.worker()
    async with run.traffic(count=int(60_000 * run.scale), rate=600):
        until = time.monotonic() + run.seconds(80)
        while time.monotonic() < until:
            await run.restart(guest)
            await asyncio.sleep(run.random.uniform(0.5, 5))
            if run.random.random() < 0.5:
                run.kill(guest)
            else:
                run.expect(await run.stop(guest) == 0, "the guest ends in order")
            await asyncio.sleep(run.random.uniform(0, 3))
        await run.recovered()


@scenario(
    "survives: the one that was paused past its session ends itself; the owner's disk may be lost afterwards"
)
async def zombie(run: Run) -> None:
    """After the pause no records of the paused worker's customers are sent: newer ones would hide a wrong write."""
    frozen, other = await run.start_workers(2)
    async with run.traffic(count=int(12_000 * run.scale), rate=600):
        await asyncio.sleep(run.seconds(6))
        os.kill(frozen.pid, signal.SIGSTOP)
        run.note(f"SIGSTOP {frozen.name}", fault=True)
        await run.recovered()
    await run.drained()
    frozen_pid, restarts = frozen.pid, run.restarts
    os.kill(frozen_pid, signal.SIGCONT)
    run.note(f"SIGCONT {frozen.name}", fault=True)
    await asyncio.sleep(SESSION_SECONDS)
    run.expect(run.restarts > restarts, "the paused worker ended itself")
    await run.stop(other)
    await run.restart(other, wipe=True)
    await run.recovered()


@scenario("survives: workers are killed again and again on their disks, then all disks are lost")
async def killed_and_moved(run: Run) -> None:
    """Finds state that is on a disk but not in the changelog. With a second worker, a takeover would not use that disk.
    Most customers have one transaction, so that no later one hides a loss.
    """
    (worker,) = await run.start_workers(1)
    async with run.traffic(count=int(30_000 * run.scale), rate=600, customers=20_000):
        for _ in range(max(2, int(6 * run.scale))):
            await asyncio.sleep(run.random.uniform(1, 3))
            run.kill(worker)
            await run.restart(worker)
        await run.recovered()
        run.kill(worker)
        await run.restart(worker, wipe=True)
        await run.recovered()
