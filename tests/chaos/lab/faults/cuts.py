"""Cuts between workers and brokers, and among brokers."""

import asyncio
from collections.abc import AsyncIterator

from tests.chaos.lab.equipment import LabPart
from tests.chaos.lab.faults.fault import during_cut, fault
from tests.chaos.lab.lab_run import LabRun
from tests.chaos.lab.relay import FAR

FAR_SECONDS = 1.0


@fault("survives: a worker is cut off from all brokers for twice its session", 12)
async def worker_cut_off(run: LabRun) -> AsyncIterator[None]:
    async with during_cut(run, [run.host(run.any_worker())], run.brokers):
        yield


@fault("survives: a worker is cut off from all brokers for less than its session", 3)
async def worker_cut_off_shortly(run: LabRun) -> AsyncIterator[None]:
    async with during_cut(run, [run.host(run.any_worker())], run.brokers):
        yield


@fault("survives: brokers hear nothing of a worker, which hears them", 12)
async def worker_not_heard(run: LabRun) -> AsyncIterator[None]:
    async with during_cut(run, [run.host(run.any_worker())], run.brokers, "to"):
        yield


@fault("survives: a worker hears nothing of the brokers, which hear it", 12)
async def worker_hears_nothing(run: LabRun) -> AsyncIterator[None]:
    async with during_cut(run, [run.host(run.any_worker())], run.brokers, "from"):
        yield


@fault("survives: all connections of a worker are reset, and new ones refused", 2, LabPart.RELAYS)
async def connections_reset(run: LabRun) -> AsyncIterator[None]:
    victim = run.host(run.any_worker())
    run.degrade(FAR)  # so that acknowledgements are lost
    await asyncio.sleep(FAR_SECONDS)
    run.network.reset_connections(victim)
    async with during_cut(run, [victim], run.brokers, reset=True):
        yield


@fault("survives: a worker reaches all brokers but one", 15)
async def one_broker_out_of_reach(run: LabRun) -> AsyncIterator[None]:
    async with during_cut(run, [run.host(run.any_worker())], [run.random.choice(run.brokers)]):
        yield


@fault("survives: no worker reaches the broker that keeps the group", 15)
async def coordinator_out_of_reach(run: LabRun) -> AsyncIterator[None]:
    coordinator = run.cluster.hosts[await run.cluster.coordinator(run.deployment.settings.worker.app_id)]
    async with during_cut(run, [run.host(worker) for worker in run.workers], [coordinator]):
        yield


@fault("survives: a broker is cut off from everybody but the producer of transactions", 20)
async def broker_minority(run: LabRun) -> AsyncIterator[None]:
    minority = run.random.choice(run.brokers)
    others = [host for host in run.brokers if host != minority]
    async with during_cut(run, [minority], [*others, *(run.host(worker) for worker in run.workers)]):
        yield


@fault("survives: a broker is cut off from the other brokers, while workers reach all", 20)
async def broker_cut_off_from_brokers(run: LabRun) -> AsyncIterator[None]:
    minority = run.random.choice(run.brokers)
    async with during_cut(run, [minority], [host for host in run.brokers if host != minority]):
        yield


@fault("survives: a broker hears nothing of the other brokers, which hear it", 20)
async def broker_hears_nothing(run: LabRun) -> AsyncIterator[None]:
    deaf = run.random.choice(run.brokers)
    async with during_cut(run, [deaf], [host for host in run.brokers if host != deaf], "from"):
        yield


@fault("survives: the connections of a broker to the other brokers are reset, and new ones refused", 10)
async def connections_of_brokers_reset(run: LabRun) -> AsyncIterator[None]:
    one = run.random.choice(run.brokers)
    async with during_cut(run, [one], [host for host in run.brokers if host != one], reset=True):
        yield


@fault(
    "waits: all brokers are cut off from each other; nothing is committed; all workers resume afterwards", 20
)
async def all_brokers_apart(run: LabRun) -> AsyncIterator[None]:
    one, two, three = run.brokers
    async with during_cut(run, [one], [two, three]), during_cut(run, [two], [three]):
        yield
