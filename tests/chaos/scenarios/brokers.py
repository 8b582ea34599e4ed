"""Brokers that die and stall. With three replicas and min.insync.replicas 2 one may be down; with two down nothing is written."""

import asyncio

from tests.chaos.run import Run
from tests.chaos.scenario import scenario

PARTITION = 0


@scenario("survives: the leader of a partition dies, five times")
async def leader_killed(run: Run) -> None:
    await run.start_workers(2)
    topic = run.deployment.settings.topics.transactions
    async with run.traffic(count=int(40_000 * run.scale), rate=500):
        for _ in range(max(1, int(5 * run.scale))):
            await asyncio.sleep(run.seconds(5))
            node = await run.cluster.leader_of(topic, PARTITION)
            await kill_and_start(run, node, "leader of a partition")


@scenario("survives: the quorum's leader dies")
async def controller_killed(run: Run) -> None:
    await run.start_workers(2)
    async with run.traffic(count=int(20_000 * run.scale), rate=500):
        await asyncio.sleep(run.seconds(5))
        await kill_and_start(run, run.cluster.controller(), "controller")


@scenario("survives: the broker that keeps the group's members and offsets dies")
async def coordinator_killed(run: Run) -> None:
    await run.start_workers(2)
    group = run.deployment.settings.worker.app_id
    async with run.traffic(count=int(20_000 * run.scale), rate=500):
        await asyncio.sleep(run.seconds(5))
        await kill_and_start(run, await run.cluster.coordinator(group), "group coordinator")


async def kill_and_start(run: Run, node: int, what: str) -> None:
    """Kill a broker for some seconds."""
    run.cluster.kill(node)
    run.note(f"kill -9 broker {node}, {what}", fault=True)
    await run.recovered()
    await run.cluster.start(node)
    run.note(f"broker {node} started")


@scenario("survives: a broker answers nothing for 5, 30 and 90 s; a worker dies right after each")
async def broker_paused(run: Run) -> None:
    workers = await run.start_workers(2)
    topic = run.deployment.settings.topics.alerts
    async with run.traffic(count=int(80_000 * run.scale), rate=400):
        for seconds in (5, 30, 90):
            await asyncio.sleep(run.seconds(5))
            node = await run.cluster.leader_of(topic, PARTITION)
            run.cluster.pause(node)
            run.note(f"SIGSTOP broker {node} for {run.seconds(seconds):.0f} s", fault=True)
            await asyncio.sleep(run.seconds(seconds))
            run.cluster.resume(node)
            worker = next((each for each in workers if each.running), None)
            if worker is not None:
                run.kill(worker)
                await run.restart(worker)
            await run.recovered()


@scenario(
    "stops: no write is acknowledged, so nothing is committed and workers end with 70; resumes by itself afterwards"
)
async def two_of_three_down(run: Run) -> None:
    await run.start_workers(2)
    settings = run.deployment.settings
    async with run.traffic(count=int(30_000 * run.scale), rate=400):
        await asyncio.sleep(run.seconds(5))
        survivor = await run.cluster.coordinator(settings.worker.app_id)
        killed = [node for node in run.cluster.nodes if node != survivor]
        for node in killed:
            run.cluster.kill(node)
            run.note(f"kill -9 broker {node}", fault=True)
        await asyncio.sleep(run.seconds(40))
        run.expect(run.restarts > 0, "workers ended and were started again")
        for node in killed:
            await run.cluster.start(node)
        run.note("all brokers started")
        await run.recovered()
