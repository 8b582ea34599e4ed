"""Bad links: slow, lossy, unstable."""

import asyncio
from collections.abc import AsyncIterator

from tests.chaos.lab.equipment import LabPart
from tests.chaos.lab.faults.fault import fault
from tests.chaos.lab.lab_run import LabRun
from tests.chaos.lab.network import Host
from tests.chaos.lab.relay import Quality


@fault("survives: the links of all workers take 100 ms, lose one frame in fifty", 20, LabPart.RELAYS)
async def slow_links(run: LabRun) -> AsyncIterator[None]:
    run.degrade(Quality(delay_ms=100, loss=0.02))
    yield
    run.degrade(Quality())


@fault("survives: the links of all workers repeat one frame in ten and reorder most", 20, LabPart.RELAYS)
async def links_repeat_and_reorder(run: LabRun) -> AsyncIterator[None]:
    run.degrade(Quality(delay_ms=5, jitter_ms=40, duplicates=0.1))
    yield
    run.degrade(Quality())


@fault("survives: the links of all workers lose a third of all frames", 15, LabPart.RELAYS)
async def links_lose_a_third(run: LabRun) -> AsyncIterator[None]:
    run.degrade(Quality(loss=0.33))
    yield
    run.degrade(Quality())


@fault("survives: a worker's link goes down and up every second", 15)
async def flapping_link(run: LabRun) -> AsyncIterator[None]:
    host = run.host(run.any_worker())
    run.note(f"the link of {host.name} flaps", fault=True)
    flapping = asyncio.create_task(flap(run, host))
    yield
    flapping.cancel()
    await asyncio.gather(flapping, return_exceptions=True)
    run.note(f"the link of {host.name} is stable")


async def flap(run: LabRun, host: Host) -> None:
    """Cut a host off and mend it until cancelled."""
    while True:
        cuts = [run.network.cut([host], run.brokers), run.network.cut(run.brokers, [host])]
        try:
            await asyncio.sleep(run.random.uniform(0.2, 1))
        finally:
            for cut in cuts:
                run.network.mend(cut)
        await asyncio.sleep(run.random.uniform(0.2, 1))
